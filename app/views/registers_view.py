"""Registers of a meter: code, name, value and unit, each with its time."""

from collections.abc import Sequence
from datetime import tzinfo

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views import words
from app.views.surfaces import Card, Strip, column_of, label, row_of
from app.views.tables import Cell, CellTable, Column, Rows
from app.views.theme import Look
from drivers.values import ClockReading, Identity, Reading

BAD = {"absent": "not proved", "bad": "check bytes wrong"}
FIGURES_SHOWN = 3


class RegistersView(QWidget):
    """A table of everything that was read; several moments stand one after the other."""

    def __init__(self, look: Look, zone: tzinfo | None) -> None:
        super().__init__()
        self._look, self._zone = look, zone
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(look.space.m)
        self._figures: Strip | None = None
        card = Card(look, padded=False)
        columns = [
            Column("Code", 18),
            Column("Register"),
            Column("Value", 18, number=True),
            Column("Unit", 8),
            Column("Read", 16),
            Column("Note", 22),
        ]
        self._shown = columns if not look.compact else columns[:4]
        self.table = CellTable(look, "Registers", Rows(self._shown))
        card.add(self.table)
        self._column.addWidget(card, 1)

    def show_readings(
        self,
        readings: Sequence[tuple[str, Reading]],
        clock: ClockReading | None,
        identity: Identity | None,
    ) -> None:
        """Show these values, and the clock above them."""
        model = self.table.model()
        if isinstance(model, Rows):
            model.replace([self._row(*pair)[: len(self._shown)] for pair in readings])
        self._show_figures(clock, identity)

    def _row(self, moment: str, reading: Reading) -> list[Cell]:
        history = f"*{reading.history.lstrip('*&')}" if reading.history else ""
        value = words.number(reading.value) if reading.value is not None else reading.text
        notes = [BAD.get(reading.check, "")]
        if reading.time is not None:
            notes.insert(0, words.date_time(reading.time, self._zone))
        return [
            Cell((reading.obis or reading.code) + history, mono=True),
            Cell(reading.name or words.NOTHING, muted=not reading.name),
            Cell(value or words.NOTHING, strong=reading.value is not None),
            Cell(reading.unit, muted=True),
            Cell(words.spaced(moment) if moment else "now", muted=True),
            Cell(", ".join(note for note in notes if note), muted=True),
        ]

    def _show_figures(self, clock: ClockReading | None, identity: Identity | None) -> None:
        if self._figures is not None:
            self._figures.hide()
            self._figures.deleteLater()
            self._figures = None
        blocks: list[QWidget] = []
        if identity is not None and identity.serial:
            blocks.append(self._figure("Meter", identity.serial, "", identity.model))
        if clock is not None:
            offset = words.signed(round(clock.offset, 1))
            doubt = f"±{round(clock.uncertainty, 1)} s, meter minus ours"
            blocks.append(self._figure("Clock", offset, "s", doubt))
        if not blocks or self._look.compact:
            return
        self._figures = row_of(self._look, *blocks, None, gap=self._look.space.xl * 2)
        self._column.insertWidget(0, self._figures)

    def _figure(self, name: str, value: str, unit: str, note: str) -> QWidget:
        look = self._look
        number = row_of(
            look,
            label(look, value, "value", strong=True),
            label(look, unit, muted=True),
            None,
            gap=6,
        )
        quiet = label(look, note, "caption", muted=True)
        return column_of(look, label(look, name, muted=True), number, quiet, gap=0)
