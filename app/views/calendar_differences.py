"""What a draft has otherwise than the switching tables of the meter, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.services.calendar_differences import Change, Difference
from app.views import words
from app.views.controls import Segments
from app.views.paint import Verdict
from app.views.surfaces import Card, ChipFace, Strip, column_of, label, row_of
from app.views.tables import Cell, CellTable, Column, Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.views.theme import Look

WAYS = ["With the one in force", "With the waiting one"]
SHORT_WAYS = ["In force", "Waiting"]


class DifferencesView(QWidget):
    """One line a row that differs; ``chosen`` asks for the other table."""

    chosen = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        short = look.compact or look.gloves
        self.waiting = False
        self.ways = Segments(look, SHORT_WAYS if short else WAYS)
        self.ways.chosen.connect(self._choose)
        self.said = label(look, "", muted=True, wrap=True)
        head = row_of(look, self.ways, gap=look.space.m)
        head.add(self.said, 1)
        state = Column("State", 17 if not short else 19)
        columns = [Column("What", 18), Column("In the meter"), Column("In the draft"), state]
        self.table = CellTable(look, "Differences", Rows(columns))
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._tell())
        host = Card(look, padded=False)
        host.add(self.table, 1)
        self.full = label(look, "", muted=True, wrap=True)
        self.full.setAccessibleName("The chosen line in full")
        self._lines: list[Difference] = []
        whole: Strip = column_of(look, head, gap=look.space.s)
        whole.add(host, 1)
        whole.add(self.full)
        self.setLayout(whole.box)

    def show_lines(self, lines: Sequence[Difference], name: str) -> None:
        """Show the lines; none means that both are the same."""
        self._lines = list(lines)
        model = self.table.model()
        if isinstance(model, Rows):
            model.replace([_cells(line) for line in lines])
        differ = words.count(len(lines), "line")
        text = f"{differ} differ from {name}." if lines else f"The draft is the same as {name}."
        self.said.setText(text.replace("1 line differ", "1 line differs"))
        self._tell()

    def _choose(self, way: int) -> None:
        self.waiting = bool(way)
        self.chosen.emit()

    def _tell(self) -> None:
        rows = self.table.selectionModel().selectedRows()
        line = self._lines[rows[0].row()] if rows and rows[0].row() < len(self._lines) else None
        self.full.setText(
            f"{line.what}: {line.meter or words.NOTHING} in the meter,"
            f" {line.draft or words.NOTHING} in the draft."
            if line
            else ""
        )


def _cells(line: Difference) -> list[Cell]:
    verdict = Verdict.WARN if line.change is Change.CHANGED else Verdict.NOT_RUN
    return [
        Cell(line.what, strong=True),
        Cell(line.meter or words.NOTHING),
        Cell(line.draft or words.NOTHING),
        Cell(chip=ChipFace(line.change.value, verdict=verdict)),
    ]
