"""Registers of a meter: code, name, value and unit, each with its time."""

from collections import Counter
from collections.abc import Sequence
from datetime import tzinfo

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views import words
from app.views.surfaces import Card, Strip, column_of, label, row_of
from app.views.tables import Cell, CellTable, Column, Rows
from app.views.theme import Look
from drivers.values import ClockReading, Identity, Reading

BAD = {"absent": "not proved", "bad": "check bytes wrong"}
_LONG_S = 120  # from here on an offset is told in minutes, hours and days
Key = tuple[str, str, int]  # code, stored-value suffix, which of several of that name


class RegistersView(QWidget):
    """A table of everything that was read; several moments stand beside each other."""

    def __init__(self, look: Look, zone: tzinfo | None) -> None:
        super().__init__()
        self._look, self._zone = look, zone
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(look.space.m)
        self._figures: Strip | None = None
        self._moments: list[str] = []
        self._card = Card(look, padded=False)
        self.table = self._made_table()
        self._card.add(self.table)
        self._column.addWidget(self._card, 1)

    def show_readings(
        self,
        readings: Sequence[tuple[str, Reading]],
        clock: ClockReading | None,
        identity: Identity | None,
    ) -> None:
        """Show these values, and the clock above them."""
        moments = list(dict.fromkeys(moment for moment, _ in readings))
        if moments != self._moments:
            self._moments = moments
            old, self.table = self.table, self._made_table()
            self._card.body.replaceWidget(old, self.table)
            old.hide()
            old.deleteLater()
        model = self.table.model()
        if isinstance(model, Rows):
            model.replace([self._row(*line) for line in _side_by_side(readings).items()])
        self._show_figures(clock, identity)

    def _made_table(self) -> CellTable:
        shown = self._moments[-2 if self._look.compact else 0 :]
        names = [words.spaced(moment) if moment else "Value" for moment in shown] or ["Value"]
        values = [Column(name, 13 if self._look.gloves else 15, number=True) for name in names]
        columns = [Column("Code", 16), Column("Register"), *values, Column("Unit", 8)]
        if not (self._look.compact or self._look.gloves):
            columns.append(Column("Note", 22))
        return CellTable(self._look, "Registers", Rows(columns))

    def _row(self, key: "Key", values: dict[str, Reading]) -> list[Cell]:
        first = next(iter(values.values()))
        shown = self._moments[-2 if self._look.compact else 0 :]
        cells = [
            Cell(key[0], mono=True),
            Cell(
                first.name or words.NOTHING,
                self._note(values) if self._look.gloves else "",
                muted=not first.name,
            ),
            *(self._value(values.get(moment)) for moment in shown),
            Cell(first.unit, muted=True),
        ]
        if not (self._look.compact or self._look.gloves):
            cells.append(Cell(self._note(values), muted=True))
        return cells

    @staticmethod
    def _value(reading: Reading | None) -> Cell:
        if reading is None:
            return Cell(words.NOTHING, muted=True)
        text = words.number(reading.value) if reading.value is not None else reading.text
        return Cell(text or words.NOTHING, strong=reading.value is not None)

    def _note(self, values: dict[str, Reading]) -> str:
        last = list(values.values())[-1]
        when = words.date_time(last.time, self._zone) if last.time is not None else ""
        return ", ".join(note for note in (when, BAD.get(last.check, "")) if note)

    def _show_figures(self, clock: ClockReading | None, identity: Identity | None) -> None:
        if self._figures is not None:
            self._figures.hide()
            self._figures.deleteLater()
        self._figures = (
            None if self._look.compact else clock_and_meter(self._look, clock, identity, self._zone)
        )
        if self._figures is not None:
            self._column.insertWidget(0, self._figures)


def clock_and_meter(
    look: Look, clock: ClockReading | None, identity: Identity | None, zone: tzinfo | None
) -> Strip | None:
    """Give meter and clock as large figures; None where neither is known."""
    blocks: list[QWidget] = []
    if identity is not None and identity.serial:
        blocks.append(_figure(look, "Meter", identity.serial, "", identity.model))
    if clock is not None:
        offset, unit = words.signed(round(clock.offset, 1)), "s"
        doubt = f"±{round(clock.uncertainty, 1)} s, meter minus ours"
        if abs(clock.offset) >= _LONG_S:
            unit = ""
            offset = words.duration(abs(float(clock.offset)))
            way = "behind" if clock.offset < 0 else "ahead of"
            doubt = f"{way} ours: it shows {words.date_time(clock.meter_time, zone)}"
        blocks.append(_figure(look, "Clock", offset, unit, doubt))
    return row_of(look, *blocks, None, gap=look.space.xl * 2) if blocks else None


def _figure(look: Look, name: str, value: str, unit: str, note: str) -> QWidget:
    number = row_of(
        look, label(look, value, "value", strong=True), label(look, unit, muted=True), None, gap=6
    )
    quiet = label(look, note, "caption", muted=True)
    return column_of(look, label(look, name, muted=True), number, quiet, gap=0)


def _side_by_side(readings: Sequence[tuple[str, Reading]]) -> dict[Key, dict[str, Reading]]:
    """Give each register once, with its value of each moment; the order is the meter's."""
    found: dict[Key, dict[str, Reading]] = {}
    seen: Counter[tuple[str, str, str]] = Counter()
    for moment, reading in readings:
        code, history = reading.full_code, reading.history or ""
        place = seen[moment, code, history]
        seen[moment, code, history] += 1
        found.setdefault((code, history, place), {})[moment] = reading
    return found
