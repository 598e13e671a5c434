"""The attributes of the chosen objects: value, meaning and access, structures unfolded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.services.attribute_words import HIDDEN, Line, Shown, shown
from app.services.attributes import (
    BUFFER,
    SECRET,
    access_of,
    attributes_of,
    name_of,
    why_not_written,
    words_of,
)
from app.services.object_groups import title_of
from app.services.tables import Table
from app.views import words
from app.views.object_session import ObjectSession, value_text
from app.views.surfaces import Card, label
from app.views.tables import Cell, CellTable, Column, Rows
from app.views.theme import Look
from drivers.objectmodel import CLASS_NAMES, ObjectEntry

HEAD = [
    "Object", "Code", "Class", "Number", "Attribute", "Value", "Unit", "Meaning", "Access",
    "Read at", "Before",
]  # fmt: skip
ACCESS = {None: "not told", 0: "no access", 1: "read", 2: "write", 3: "read and write"}
BEYOND = 400  # lines of one value; the export has them all
INDENT = "   "
_LISTED = "the list on the left"
_BUFFERS = {7: "rows: press Open profile", 12: _LISTED, 15: _LISTED}


@dataclass(frozen=True)
class Place:
    """What one line of the table is about; no attribute on the line of the object itself."""

    entry: ObjectEntry
    attribute: int = 0
    full: str = ""  # everything that the line may have cut
    part: bool = False  # of a structure


class ObjectTable(QWidget):
    """One heading for each object, a line for each attribute, quieter lines for its parts."""

    turned = Signal()  # another line is chosen

    def __init__(self, look: Look, session: ObjectSession, zone: tzinfo | None) -> None:
        super().__init__()
        self._look, self._session, self._zone = look, session, zone
        self._narrow = look.compact or look.gloves
        self._shown: Sequence[ObjectEntry] = ()
        self._places: list[Place] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.space.s)
        self.table = CellTable(look, "Attributes", Rows(self._columns()), tall=self._narrow)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._say())
        card = Card(look, padded=False)
        card.add(self.table)
        column.addWidget(card, 1)
        self.full = label(look, "", muted=True, wrap=True)
        self.full.setAccessibleName("The chosen line in full")
        column.addWidget(self.full)

    def show_objects(self, entries: Sequence[ObjectEntry]) -> None:
        """Show these objects with what is known of them."""
        row = self.table.currentIndex().row()
        kept = self._places[row] if 0 <= row < len(self._places) else None
        self._shown = entries
        lines = [line for entry in entries for line in self._lines(entry)]
        self._places = [place for place, _ in lines]
        model = self.table.model()
        if isinstance(model, Rows):
            model.replace([cells for _, cells in lines])
        self._spread()
        for at, place in enumerate(self._places):
            if kept is not None and (place.entry, place.attribute) == (kept.entry, kept.attribute):
                self.table.selectRow(at)
                break
        self._say()

    def _spread(self) -> None:
        """Give the parts of structures the room of value, meaning and access."""
        self.table.clearSpans()
        columns, first = self.table.model().columnCount(), int(not self._narrow)
        for at, place in enumerate(self._places):
            if place.part:
                self.table.setSpan(at, first, 1, columns - first)

    def place(self) -> Place | None:
        """Give what the chosen line is about."""
        row = self.table.currentIndex().row()
        return self._places[row] if 0 <= row < len(self._places) else None

    def choose(self, code: str, attribute: int) -> None:
        """Choose the line of an attribute, as the operator would."""
        for at, place in enumerate(self._places):
            if (place.entry.code, place.attribute) == (code, attribute):
                self.table.selectRow(at)
                return

    def export(self) -> Table:
        """Give what is shown as a plain table, parts of structures included."""
        rows = [row for entry in self._shown for row in self._plain(entry)]
        return HEAD, rows

    # --- lines --------------------------------------------------------------------------------

    def _columns(self) -> list[Column]:
        if self._narrow:
            return [Column("Attribute"), Column("Value", 20), Column("Access", 12)]
        return [
            Column("Attribute", 28), Column("Value", 24), Column("Meaning"), Column("Access", 13)
        ]  # fmt: skip

    def _lines(self, entry: ObjectEntry) -> Iterator[tuple[Place, list[Cell]]]:
        title = title_of(entry)
        code = "" if title == entry.code else entry.code
        known = entry.class_name if entry.class_id in CLASS_NAMES else "Not known, raw"
        kind = f"{known}, class {entry.class_id}, version {entry.version}"
        full = f"{title}, {entry.code}, {kind}"
        if self._narrow:
            yield (
                Place(entry, 0, full),
                [Cell(title, kind, strong=True), Cell(code, mono=True), Cell()],
            )
        else:
            head = [Cell(title, strong=True), Cell(code, mono=True, muted=True)]
            yield Place(entry, 0, full), [*head, Cell(kind, muted=True), Cell()]
        for index in attributes_of(entry):
            if index > 1:
                yield from self._attribute(entry, index)

    def _attribute(self, entry: ObjectEntry, index: int) -> Iterator[tuple[Place, list[Cell]]]:
        name = f"{INDENT}{name_of(entry.class_id, index)}"
        text, meaning, parts = self._told(entry, index)
        access = ACCESS.get(access_of(entry, index), "not told")
        full = ": ".join(part for part in (name.strip(), text) if part)
        full = f"{full} ({meaning})" if meaning else full
        place = Place(entry, index, full)
        known = (entry.code, entry.class_id, index) in self._session.values
        value = Cell(text or words.NOTHING, strong=known and bool(text), muted=not known)
        if self._narrow:
            yield place, [Cell(name, INDENT + meaning if meaning else ""), value, Cell(access)]
        else:
            yield place, [Cell(name), value, Cell(meaning), Cell(access, muted=True)]
        for part in parts[:BEYOND]:
            yield self._part(entry, index, part)

    def _part(self, entry: ObjectEntry, index: int, part: Line) -> tuple[Place, list[Cell]]:
        name = INDENT * (part.depth + 2) + part.name
        full = f"{part.name}: {part.text}" if part.text else part.name
        place = Place(entry, index, full, part=True)
        if self._narrow:
            return place, [Cell(name, INDENT * (part.depth + 2) + part.text), Cell(), Cell()]
        return place, [Cell(name, muted=True), Cell(part.text), Cell(), Cell()]

    def _told(self, entry: ObjectEntry, index: int) -> tuple[str, str, tuple[Line, ...]]:
        """Give value, meaning and parts of an attribute as far as they are known."""
        one = self._session.values.get((entry.code, entry.class_id, index))
        kind = words_of(entry.class_id).kind(str(index))
        if kind == SECRET:
            return HIDDEN, "a password or key", ()
        if kind == BUFFER:
            return "", _BUFFERS.get(entry.class_id, ""), ()
        if one is None:
            return "", "", ()
        if one.refused:
            word = "refused" if "denied" in one.refused else "absent"
            return word, f"the meter says: {one.refused.rpartition(': ')[2]}", ()
        told: Shown = shown(entry.class_id, index, one.value)
        before = self._session.earlier.get((entry.code, entry.class_id, index), "")
        was = f"was {before}" if before else ""
        meaning = ", ".join(part for part in (told.meaning, was) if part)
        return value_text(one), meaning, told.lines

    def _plain(self, entry: ObjectEntry) -> Iterator[list[str]]:
        session = self._session
        for index in attributes_of(entry):
            if index == 1:
                continue
            address = (entry.code, entry.class_id, index)
            text, meaning, parts = self._told(entry, index)
            when = session.read_at.get(address)
            one = session.values.get(address)
            unit = one.reading.unit if one is not None else ""
            start = [title_of(entry), entry.code, str(entry.class_id), str(index)]
            end = [
                ACCESS.get(access_of(entry, index), ""),
                words.date_time(when, self._zone) if when is not None else "",
                session.earlier.get(address, ""),
            ]
            value = text.removesuffix(f" {unit}").replace("−", "-")
            yield [*start, name_of(entry.class_id, index), value, unit, meaning, *end]
            for part in parts:
                name = f"{name_of(entry.class_id, index)}, {part.name}"
                yield [*start, name, part.text, "", "", *end]

    def _say(self) -> None:
        place = self.place()
        text = place.full if place is not None else ""
        if place is not None and place.attribute:
            why = why_not_written(place.entry, place.attribute)
            when = self._session.read_at.get(
                (place.entry.code, place.entry.class_id, place.attribute)
            )
            read = f"Read {words.date_time(when, self._zone)}." if when is not None else ""
            text = " ".join(part for part in (f"{text}.", read, why) if part)
        self.full.setText(text)
        self.full.setVisible(bool(text))
        self.turned.emit()
