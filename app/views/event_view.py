"""The event log of a meter in words."""

from collections.abc import Sequence
from datetime import tzinfo

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.services.event_lines import EventLine, event_lines
from app.views import words
from app.views.surfaces import Card
from app.views.tables import Cell, CellTable, Column, Rows
from app.views.theme import Look
from drivers.values import MeterEvent

COLUMNS = [Column("When", 22), Column("What"), Column("Lasted", 14), Column("Code", 8)]


class EventView(QWidget):
    """Newest first; an unknown code is shown as its number, never guessed."""

    def __init__(self, look: Look, zone: tzinfo | None) -> None:
        super().__init__()
        self._zone = zone
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        card = Card(look, padded=False)
        shown = COLUMNS[:3] if look.compact else COLUMNS
        self._count = len(shown)
        self.table = CellTable(look, "Events", Rows(shown), tall=True)
        card.add(self.table)
        column.addWidget(card)

    def show_events(self, events: Sequence[MeterEvent]) -> None:
        """Show these events."""
        model = self.table.model()
        if isinstance(model, Rows):
            model.replace([self._row(line)[: self._count] for line in event_lines(events)])

    def _row(self, line: EventLine) -> list[Cell]:
        lasted, until = "", ""
        if line.end is not None:
            lasted = words.duration(line.end - line.begin)
            until = f"until {words.date_time(line.end, self._zone)}"
        return [
            Cell(words.date_time(line.begin, self._zone), until),
            Cell(line.text, ", ".join(line.details), strong=True),
            Cell(lasted or words.NOTHING, muted=not lasted),
            Cell(line.code, muted=True, mono=True),
        ]
