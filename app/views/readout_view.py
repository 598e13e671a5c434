"""Everything a meter told, sorted by meaning, with its raw code and text beside; searchable."""

from collections.abc import Sequence
from datetime import tzinfo

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.services.meaning import Meaning, by_meaning
from app.services.tables import Table
from app.views import words
from app.views.fields import search_field
from app.views.registers_view import BAD, clock_and_meter
from app.views.surfaces import Card, label, row_of
from app.views.tables import Cell, CellTable, Column, Rows
from app.views.theme import Look
from drivers.values import ClockReading, Identity, Reading

HEAD = ["Kind", "Name", "Value", "Unit", "Code", "Raw text", "Time", "Proof"]


def code_of(reading: Reading) -> str:
    """Give the meter's own code, with the suffix of a stored value where it is not in it."""
    suffix = reading.history or ""
    return reading.code if not suffix or suffix in reading.code else f"{reading.code}*{suffix}"


def value_text(reading: Reading) -> str:
    """Give the number with all its digits, or the text; two values in one stand apart."""
    if reading.value is not None:
        return words.number(reading.value)
    parts = reading.text.split("&")
    if len(parts) == 1 or not any(part.strip() for part in parts):
        return reading.text.strip()
    return " & ".join(part.replace("*", " ").strip() for part in parts)


class ReadoutView(QWidget):
    """One table under headings of meaning; the search looks at names, codes and raw text."""

    def __init__(self, look: Look, zone: tzinfo | None) -> None:
        super().__init__()
        self._look, self._zone = look, zone
        self._narrow = look.compact or look.gloves
        self._sorted: list[tuple[Meaning, list[Reading]]] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.space.s)
        self.search = search_field(look, "Name, code or value", "Search in the values")
        self.search.setMinimumWidth(look.width_of("0" * 24))
        self.search.textChanged.connect(lambda _: self._fill())
        self.count = label(look, "", muted=True)
        column.addWidget(row_of(look, self.search, self.count, None, gap=look.space.m))
        self._figures: QWidget | None = None
        self._column = column
        self.table = CellTable(look, "Registers", Rows(self._columns()), tall=self._narrow)
        card = Card(look, padded=False)
        card.add(self.table)
        column.addWidget(card, 1)

    def show_readings(
        self,
        readings: Sequence[tuple[str, Reading]],
        clock: ClockReading | None,
        identity: Identity | None,
    ) -> None:
        """Show these values, and meter and clock above them."""
        self._sorted = by_meaning(reading for _, reading in readings)
        if self._figures is not None:
            self._figures.hide()
            self._figures.deleteLater()
        self._figures = (
            None if self._narrow else clock_and_meter(self._look, clock, identity, self._zone)
        )
        if self._figures is not None:
            self._column.insertWidget(0, self._figures)
        self._fill()

    def export(self) -> Table:
        """Give the values that are shown as a plain table, each with its kind."""
        return HEAD, [self._line(kind, one) for kind, listed in self._shown() for one in listed]

    def _columns(self) -> list[Column]:
        if self._narrow:
            return [Column("Name"), Column("Value", 14, True), Column("Unit", 6), Column("Raw", 22)]
        values = [Column("Value", 15, number=True), Column("Unit", 7)]
        return [
            Column("Name"), *values, Column("Code", 15), Column("Raw text", 26), Column("Note", 19)
        ]  # fmt: skip

    def _shown(self) -> list[tuple[Meaning, list[Reading]]]:
        wanted = self.search.text().lower().split()
        found = []
        for kind, listed in self._sorted:
            kept = [one for one in listed if all(w in _searched(kind, one) for w in wanted)]
            if kept:
                found.append((kind, kept))
        return found

    def _fill(self) -> None:
        shown = self._shown()
        rows = []
        for kind, listed in shown:
            heading = [Cell(kind.title, strong=True)]
            heading += [Cell() for _ in range(self.table.model().columnCount() - 1)]
            rows += [heading, *(self._row(one) for one in listed)]
        model = self.table.model()
        if isinstance(model, Rows):
            model.replace(rows)
        count = sum(len(listed) for _, listed in shown)
        total = sum(len(listed) for _, listed in self._sorted)
        few = f"{count:,} of " if count != total else ""
        none = " hold these words" if total and not count else ""
        self.count.setText(few + words.count(total, "value") + none)

    def _row(self, reading: Reading) -> list[Cell]:
        text = value_text(reading)
        proof = BAD.get(reading.check, "")
        name = Cell(reading.name or words.NOTHING, proof if self._narrow else "")
        value = Cell(text or words.NOTHING, strong=bool(text), muted=not text)
        cells = [name, value, Cell(reading.unit, muted=True)]
        raw = reading.raw or reading.text
        if self._narrow:
            return [*cells, Cell(code_of(reading), raw, mono=True)]
        when = words.date_time(reading.time, self._zone) if reading.time is not None else ""
        note = ", ".join(part for part in (when, proof) if part)
        raw_cell = Cell(raw or words.NOTHING, mono=bool(raw), muted=not raw)
        return [*cells, Cell(code_of(reading), mono=True), raw_cell, Cell(note, muted=True)]

    def _line(self, kind: Meaning, reading: Reading) -> list[str]:
        when = words.date_time(reading.time, self._zone) if reading.time is not None else ""
        return [
            kind.title,
            reading.name,
            value_text(reading).replace("−", "-"),
            reading.unit,
            code_of(reading),
            reading.raw or reading.text,
            when,
            reading.check,
        ]


def _searched(kind: Meaning, reading: Reading) -> str:
    parts = (kind.title, reading.name, reading.code, reading.obis, reading.unit)
    return " ".join((*parts, value_text(reading), reading.raw)).lower()
