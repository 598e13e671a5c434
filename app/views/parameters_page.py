"""Maintenance, Parameters: the meter beside a file, what differs staged, written, taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractItemView, QWidget

from app.services.parameter_lines import Line, State, differing
from app.views import files, words
from app.views.act_page import ActPage
from app.views.act_sheet import ActSheet
from app.views.controls import ActionButton, Segments, action_bar
from app.views.page import purpose
from app.views.paint import Verdict
from app.views.surfaces import Card, ChipFace, column_of, label, row_of
from app.views.tables import Cell, CellTable, Column, Rows

if TYPE_CHECKING:
    from app.views.parameters_session import ParametersSession
    from app.views.theme import Look

KINDS = "Parameters (*.json)"
WAYS = ["All", "Differs only"]
CONSEQUENCE = (
    "Each value is written and read back, one after the other. What stands there now is kept, so"
    " that it can be written back."
)


class ParametersPage(ActPage):
    """One table: what the meter holds, what the file says, and which of it is to be written."""

    session: ParametersSession

    def __init__(self, look: Look, session: ParametersSession) -> None:
        super().__init__(look, session, "Parameters")
        self._lines: tuple[Line, ...] = ()
        self._only = False
        self._narrow = look.compact or look.gloves
        self._start = purpose(
            look,
            "settings",
            "Parameters",
            "Everything that may be set in the meter, beside what a file says.",
            "Save them to a file, or open one and see what differs. Nothing is written until you"
            " stage it, and confirm it.",
        )
        self.column.addWidget(self._start, 1)
        self._work = self._table()
        self.column.addWidget(self._work, 1)
        self.column.addStretch(0)
        self._add_actions()
        self.follow()

    def _table(self) -> QWidget:
        look = self.look
        self.ways = Segments(look, WAYS)
        self.ways.chosen.connect(self._choose_way)
        self.said = label(look, "", muted=True, wrap=True)
        head = row_of(look, self.ways, gap=look.space.m)
        head.add(self.said, 1)
        self.table = CellTable(look, "Parameters", Rows(self._columns()), tall=True)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._judge())
        space = QShortcut(QKeySequence(Qt.Key.Key_Space), self.table)
        space.setContext(Qt.ShortcutContext.WidgetShortcut)
        space.activated.connect(self._stage)
        host = Card(look, padded=False)
        host.body.setSpacing(0)
        host.add(self.table, 1)
        self.full = label(look, "", muted=True, wrap=True)
        self.full.setAccessibleName("The chosen line in full")
        whole = column_of(look, head, gap=look.space.s)
        whole.add(host, 1)
        whole.add(self.full)
        return whole

    def _columns(self) -> list[Column]:
        if self._narrow:
            return [Column("Parameter"), Column("In the meter", 15), Column("In the file", 15),
                    Column("State", 15)]  # fmt: skip
        return [Column("Parameter", 38), Column("In the meter"), Column("In the file"),
                Column("State", 18)]  # fmt: skip

    def _add_actions(self) -> None:
        look, short = self.look, self._narrow
        self.open = ActionButton(look, "Open…" if short else "Open a file…", "secondary", "inbox")
        self.open.clicked.connect(self._open)
        self.save = ActionButton(
            look, "Save…" if short else "Save to a file…", "secondary", "download"
        )
        self.save.clicked.connect(self._save)
        self.stage = ActionButton(look, "Stage", "secondary", "check", "" if short else "Space")
        self.stage.clicked.connect(self._stage)
        self.undo = ActionButton(look, "Undo…", "danger", "undo-2")
        self.undo.clicked.connect(self.ask_to_undo)
        self.write = ActionButton(look, "Write…", "danger", "wrench")
        self.write.clicked.connect(self.ask_to_write)
        self.go = ActionButton(look, "Read the parameters", "primary", "gauge", "F3")
        self.go.clicked.connect(self.read)
        for button in (self.stage, self.undo, self.write):
            button.setFixedHeight(look.primary if look.gloves else look.control)
        left: list[QWidget] = [self.port, self.open, self.save]
        bar = action_bar(look, left, [self.stage, self.undo, self.write, self.go])
        self.outer.addWidget(bar)
        self.set_primary(self.go)
        self.first_focus = self.go

    def focus_result(self) -> None:
        """Go on in the table."""
        self.table.setFocus() if self.session.meter else super().focus_result()

    # --- what the operator does ---------------------------------------------------------------

    def read_meter(self) -> None:
        """Read everything that may be set."""
        self.session.read_meter()

    def ask_to_write(self) -> None:
        """Begin to write what is staged."""
        count = words.count(len(self.session.staged), "parameter")
        self.session.write_staged()
        self.ask(f"Write {count}", CONSEQUENCE, ChangeSheet)

    def ask_to_undo(self) -> None:
        """Begin to write what stood there before."""
        self.session.write_back()
        self.ask("Undo the last write", CONSEQUENCE, ChangeSheet)

    def _open(self) -> None:
        path = files.ask_open(self, "Open a file of parameters", KINDS)
        if path is not None:
            self.session.open_file(path)

    def _save(self) -> None:
        path = files.ask_save(self, "Save", f"{self.session.serial or 'meter'}.json", KINDS)
        if path is not None:
            path = path if path.suffix else path.with_suffix(".json")
            station = self.session.station
            self.session.save(path, lambda text: station.noticed.emit("download", text))

    def _stage(self) -> None:
        if self.stage.isVisible() and self.stage.isEnabled():
            self.session.stage(self._to_stage())

    def _to_stage(self) -> tuple[Line, ...]:
        """Give what Stage is about: what is chosen, all that differs where nothing is."""
        chosen = differing(self._chosen())
        return chosen or differing(self._lines)

    def _choose_way(self, way: int) -> None:
        self._only = bool(way)
        self.show_session()

    def _chosen(self) -> tuple[Line, ...]:
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return tuple(self._lines[row] for row in rows if row < len(self._lines))

    # --- what is shown ------------------------------------------------------------------------

    def show_session(self) -> None:
        """Show both sides and what can be done."""
        super().show_session()
        session = self.session
        every = session.lines
        self._lines = tuple(one for one in every if one.state is not State.SAME) if (
            self._only and session.file
        ) else every  # fmt: skip
        empty = not every
        failed = session.failure is not None and not session.running
        self._start.setVisible(empty and not session.running and not failed)
        self._work.setVisible(not empty)
        model = self.table.model()
        if isinstance(model, Rows):
            kept = self._selected_rows()
            model.replace([self._cells(line) for line in self._lines])
            if kept and not self.table.selectionModel().hasSelection():
                self.table.selectRow(min(kept[0], len(self._lines) - 1))
        self.ways.setVisible(bool(session.file))
        self.said.setText(self._sentence(every))
        self._judge()

    def _selected_rows(self) -> list[int]:
        return sorted(index.row() for index in self.table.selectionModel().selectedRows())

    def _sentence(self, every: tuple[Line, ...]) -> str:
        session = self.session
        parts = []
        if session.serial and session.meter:
            read = words.count(len(session.meter), "parameter")
            when = words.when(session.whole_at, where=self.zone) if session.whole_at else "not all"
            parts.append(f"Meter {session.serial}: {read}, read {when}")
        if session.file:
            parts.append(f"File {session.file_name}: {words.count(len(session.file), 'parameter')}")
        if session.file and session.meter:
            differ = len(differing(every))
            parts.append(f"{differ} differ" if differ != 1 else "1 differs")
        return ". ".join(parts) + ("." if parts else "")

    def _cells(self, line: Line) -> list[Cell]:
        detail = f"{line.name}, {line.code}"
        meter, file = line.words(line.meter), line.words(line.file)
        differs = line.state is State.DIFFERS
        return [
            Cell(line.title, detail, strong=differs),
            Cell(meter or words.NOTHING),
            Cell(file or words.NOTHING, strong=differs),
            Cell(chip=self._chip(line)) if self.session.file else Cell(words.NOTHING, muted=True),
        ]

    def _chip(self, line: Line) -> ChipFace:
        if self.session.is_staged(line):
            return ChipFace("staged", icon="check", tone=self.look.colours.accent)
        if line.state is State.DIFFERS:
            return ChipFace("differs", verdict=Verdict.WARN)
        if line.state is State.SAME:
            return ChipFace("same", verdict=Verdict.PASS, quiet=True)
        return ChipFace(line.state.value, verdict=Verdict.NOT_RUN)

    def _judge(self) -> None:
        session, running = self.session, self.session.running
        chosen = self._chosen()
        one = chosen[0] if len(chosen) == 1 else None
        self.full.setText(self._in_full(one) if one else "")
        differ = differing(self._lines)
        whole = session.whole_at is not None
        self.stage.setVisible(self.may_write and bool(differ) and whole)
        picked = differing(chosen)
        staged = all(session.is_staged(line) for line in picked or differ)
        some = words.count(len(picked), "line") if picked else "all"
        verb, icon = ("Unstage", "x") if staged else ("Stage", "check")
        self.stage.relabel(f"{verb} {some}", icon)
        self.stage.setEnabled(not running)
        self.write.setVisible(self.may_write and bool(session.staged))
        self.write.relabel(f"Write {len(session.staged)}…")
        self.write.setEnabled(not running)
        self.undo.setVisible(self.may_write and bool(session.undo))
        self.undo.setEnabled(not running)
        self.save.setVisible(bool(session.meter))
        self.save.setEnabled(not running and whole)
        self.open.setEnabled(not running)
        self.go.setEnabled(not running)
        self.go.relabel("Read again" if session.meter else "Read the parameters")

    @staticmethod
    def _in_full(line: Line) -> str:
        meter, file = line.words(line.meter), line.words(line.file)
        both = f"{meter or words.NOTHING} in the meter"
        return f"{line.title}, {line.name}: {both}" + (f", {file} in the file." if file else ".")


class ChangeSheet(ActSheet):
    """Says at its end which parameters were changed."""

    def _told(self) -> list[tuple[str, str]]:
        changed = self._service.outcome or ()
        if not changed:
            return [("Changed", "nothing: the meter holds it already")]
        lines = [Line(d.code, d.class_id, d.attribute, d.found, d.wanted) for d in changed]
        few = [
            (f"{one.title}, {one.name}", f"{one.words(one.meter)} → {one.words(one.file)}")
            for one in lines[:6]
        ]
        more = len(lines) - len(few)
        return [*few, ("More", words.count(more, "parameter"))] if more else few
