"""Finds out what answers at a port, and along a bus, and takes the settings over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from app.errors import Cancelled
from app.messages import explain
from app.tasks import Found, Progress
from app.views import words
from app.views.controls import ActionButton
from app.views.forecast import Forecast
from app.views.page import Notice
from app.views.progress_strip import ProgressStrip
from app.views.sheet import ROOM, Sheet
from app.views.surfaces import Card, label, row_of
from app.views.tables import Cell, CellTable, Column, Rows
from app.views.task_runner import TaskRunner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.services.connection import Overrides
    from app.tasks import Task
    from app.views.station import Station
    from app.views.theme import Look
    from drivers.dlms.scan import BusMeter
    from drivers.find import Finding

COLUMNS = [Column("Meter"), Column("Line", 36), Column("Address", 9)]
SHOWN_ROWS = 3
NOTES_SHOWN = 8
LOOKING = "Nothing is written to the meter, and no password is sent while looking."


@dataclass(frozen=True)
class FoundSettings:
    """One meter that answered, with what a connection needs."""

    meter_type: str
    overrides: Overrides
    cells: tuple[Cell, ...]
    serial: str = ""


class FindSheet(Sheet):
    """Begins at once; ``settings`` is what was taken over when it is accepted."""

    def __init__(
        self, look: Look, station: Station, parent: QWidget, target: str, title: str
    ) -> None:
        super().__init__(look, f"Find settings: {title}", parent)
        self._station, self._target = station, target
        self.settings: FoundSettings | None = None
        self._found: list[FoundSettings] = []
        self._forecast = Forecast()
        self._runner = TaskRunner(station.line, self)
        self._runner.progressed.connect(self._progressed)
        self._runner.found.connect(self._take)
        self._runner.succeeded.connect(self._ended)
        self._runner.failed.connect(self._failed)
        self.strip = ProgressStrip(look)
        self.strip.stopped.connect(self._runner.cancel)
        self.body.addWidget(self.strip)
        self.table = CellTable(look, "Meters found", Rows(COLUMNS), tall=True)
        self.table.setMinimumHeight(SHOWN_ROWS * look.tall_row)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._show_choice())
        self.card = Card(look, padded=False)
        self.card.add(self.table)
        self.body.addWidget(self.card, 1)
        self.note, self.tried = Notice(look, "info"), label(look, "", muted=True, wrap=True)
        for part in (self.note, self.tried):
            self.body.addWidget(part)
        self.body.addStretch()
        self.addresses = QLineEdit()
        self.along = ActionButton(look, "Look along the bus", "secondary", "search")
        self.body.addWidget(self._bus_line())
        self.go = ActionButton(look, "Use these settings", "primary", "check", "Enter")
        self.go.clicked.connect(self._use)
        self.again = ActionButton(look, "Look again", "secondary", "rotate-cw", "F5")
        self.again.setShortcut("F5")
        self.again.clicked.connect(self.look_for_meter)
        self.finish(self.go, self.again)
        window = parent.parentWidget() or parent
        self.setMinimumWidth(min(look.width_of("0" * 96), round(window.width() * ROOM)))
        self.look_for_meter()
        self.fit_to(window)

    def _bus_line(self) -> QWidget:
        """Give the line that begins a search of a bus."""
        self.addresses.setPlaceholderText("1-50")
        self.addresses.setAccessibleName("Addresses of a bus")
        self.along.clicked.connect(self.look_along)
        line = row_of(self.look, label(self.look, "Addresses of an RS-485 bus", muted=True))
        line.add(self.addresses, 1)
        line.add(self.along)
        return line

    def look_for_meter(self) -> None:
        """Try the usual ways, one after the other."""
        self._begin(self._station.desk.bench.find(self._target))

    def look_along(self) -> None:
        """Ask every address of the bus."""
        text = self.addresses.text().strip() or self.addresses.placeholderText()
        self._begin(self._station.desk.bench.search_bus(self._target, text))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape stops what runs, as its button says; with nothing running it leaves."""
        if event.key() == Qt.Key.Key_Escape and self._runner.busy:
            self._runner.cancel()
        else:
            super().keyPressEvent(event)

    def done(self, result: int) -> None:
        """Stop what runs; what it finds then comes to nothing."""
        if self._runner.busy:
            self._runner.cancel()
            self._runner.setParent(self._station)  # it ends behind the window
        super().done(result)

    def _begin(self, task: Task[Any]) -> None:
        self._forecast = Forecast()
        if self._station.start_on_line(self._runner, task):
            self._say(LOOKING)
        else:
            self._say("Something else uses the line. Stop it, then look again.")
        self._show_state()

    def _progressed(self, progress: Progress) -> None:
        self._forecast.take(progress)
        self.strip.show_forecast(self._forecast)

    def _take(self, found: Found) -> None:
        item: Any = found.item
        if found.what == "meter":
            self._add(of_bus_meter(item))

    def _ended(self, result: object) -> None:
        if not isinstance(result, list):
            finding: Any = result
            self._add(of_finding(finding))
            self._say(" ".join((line_words(finding), echo_words(finding), *finding.diagnosis)))
        elif not result:
            self._say("Nobody answers at these addresses.")
        else:
            self._say(f"{words.count(len(result), 'meter')} on the bus.")
        self._show_state()

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, Cancelled):
            self._say("Stopped.")
        else:
            message = explain(error)
            notes = [words.sentence(note) for note in getattr(error, "__notes__", ())]
            self._say(f"{message.title}. {message.remedy}", notes[:NOTES_SHOWN])
        self._show_state()

    def _add(self, found: FoundSettings) -> None:
        if found not in self._found:
            self._found.append(found)
        self.card.show()
        model = self.table.model()
        if isinstance(model, Rows):
            model.replace([list(one.cells) for one in self._found])
        if not self.table.currentIndex().isValid():
            self.table.selectRow(0)

    def _say(self, text: str, notes: Sequence[str] = ()) -> None:
        self.note.words.setText(text)
        self.tried.setText("\n".join(notes))
        self.tried.setVisible(bool(notes))

    def _show_state(self) -> None:
        busy = self._runner.busy
        self.strip.setVisible(busy)
        self.card.setVisible(bool(self._found))  # an empty table would only take room
        self.again.setEnabled(not busy)
        self.along.setEnabled(not busy)
        self._station.changed.emit()
        self._show_choice()
        QTimer.singleShot(0, self, self.refit)
        if not busy:
            (self.table if self._found else self.again).setFocus()

    def _show_choice(self) -> None:
        row = self.table.currentIndex().row()
        self.go.setEnabled(not self._runner.busy and 0 <= row < len(self._found))

    def _use(self) -> None:
        row = self.table.currentIndex().row()
        if 0 <= row < len(self._found):
            self.settings = self._found[row]
            self.accept()


def line_words(finding: Finding) -> str:
    """Say in words how the meter talks: "7 data bits and even parity"."""
    parity = {"N": "no", "E": "even", "O": "odd"}.get(finding.format[-2:-1], "")
    return f"{finding.format[-3]} data bits, {parity} parity." if parity else ""


def echo_words(finding: Finding) -> str:
    """Say whether the probe returns what is sent."""
    return "The probe returns what is sent (echo)." if finding.echo else "No echo."


def of_finding(found: Finding) -> FoundSettings:
    """Give what a connection needs of a meter that answered by itself."""
    from app.services.connection import Overrides

    kind = found.meter_type
    overrides = Overrides(
        framing=kind.framing or None,
        speed=found.first_speed or None,
        format=found.format or None,
        referencing=kind.dlms.referencing if kind.protocol == "dlms" else None,
    )
    who = found.identification or found.logical_device_name
    line = f"{found.speed} Bd {found.format}" if found.speed else "As the converter has it"
    if found.first_speed and found.first_speed != found.speed:
        line = f"{found.first_speed} to {line}"
    cells = (Cell(kind.title, who, strong=True), Cell(line, found.protocol), Cell(words.NOTHING))
    return FoundSettings(kind.name, overrides, cells)


def of_bus_meter(found: BusMeter) -> FoundSettings:
    """Give what a connection needs of a meter on a bus."""
    from app.services.connection import Overrides

    dlms, kind = found.meter_type.dlms, found.meter_type
    overrides = Overrides(
        framing="hdlc",
        server=dlms.server,
        physical=dlms.physical,
        address_size=dlms.address_size or None,
        speed=found.speed,
        format=found.format,
        referencing=dlms.referencing,
    )
    who = found.identity.serial or "Number not told"
    short = ", short names" if dlms.referencing == "short" else ""
    client = f"client {found.client}" if found.client is not None else ""
    cells = (
        Cell(who, found.note or kind.title, strong=True),
        Cell(f"{found.speed} Bd {found.format}", f"DLMS/COSEM, HDLC{short}"),
        Cell(str(found.address), client),
    )
    return FoundSettings(kind.name, overrides, cells, found.identity.serial)
