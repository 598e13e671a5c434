"""The objects of the meter at the chosen port: their list, their values, one write at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.models.base import utc_now
from app.services.attribute_words import shown
from app.services.attributes import attributes_of, worth_reading
from app.views import words
from app.views.work_session import LineSession

if TYPE_CHECKING:
    from app.services.object_write import Standing, Written
    from app.services.objects import Address
    from app.tasks import Found
    from app.views.station import Station
    from drivers.objectmodel import AttributeReading, ObjectEntry
    from drivers.values import Span

_SCALED = frozenset({3, 4, 5})  # registers: their numbers come with scaler and unit
LISTING, READING, WRITING, PROFILE = "listing", "reading", "writing", "profile"


class ObjectSession(LineSession):
    """Keeps what was listed and read until another meter or port is chosen."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.doing = ""
        self.entries: tuple[ObjectEntry, ...] = ()
        self.listed_at: datetime | None = None
        self.kept = False  # the list comes from the cache
        self.serial = ""
        self.values: dict[Address, AttributeReading] = {}
        self.read_at: dict[Address, datetime] = {}
        self.earlier: dict[Address, str] = {}  # what a read before gave, where it was different
        self.standing: Standing | None = None
        self.written: Written | None = None
        self._place: object = None

    def check_place(self) -> None:
        """Forget everything when another port or meter was chosen since."""
        if self._place not in {None, self.station.at()}:
            self.forget()

    def forget(self) -> None:
        """Forget the list and all values."""
        self.entries, self.serial, self.kept = (), "", False
        self.listed_at, self._place = None, None
        for kept in (self.values, self.read_at, self.earlier):
            kept.clear()
        self.findings.clear()
        self.failure, self.defect, self.notes = None, None, ()

    def list_objects(self, *, anew: bool = False) -> None:
        """Fetch the object list, from the cache where the meter's like was listed before."""
        self._begin(LISTING, self.station.desk.bench.objects(self.station.at(), anew=anew))

    def read(self, entries: Sequence[ObjectEntry]) -> None:
        """Read every attribute of these objects that may be read."""
        wanted = [
            (entry.code, entry.class_id, index)
            for entry in entries
            for index in attributes_of(entry)
            if worth_reading(entry, index)
        ]
        if wanted:
            bench = self.station.desk.bench
            self._begin(READING, bench.read_objects(self.station.at(), wanted, self.serial))

    def write(self, address: Address) -> None:
        """Write one attribute; the task asks for value, reason and confirmation."""
        self.standing = self.written = None
        bench = self.station.desk.bench
        self._begin(WRITING, bench.write_object(self.station.at(), address, self.serial))

    def read_profile(self, code: str, span: Span) -> None:
        """Read rows of a profile."""
        self.findings.clear()
        bench = self.station.desk.bench
        self._begin(PROFILE, bench.read_profile(self.station.at(), code, span))

    def absorb(self, found: Found) -> None:
        """Take one thing of the meter."""
        item: Any = found.item
        if found.what == "identity":
            self.findings.identity = item
            if self.serial and item.serial != self.serial:
                self.forget()
                self.findings.identity = item
            self.serial = item.serial
        elif found.what == "object list":
            self.entries, self.listed_at, self.kept = item.entries, item.read_at, item.kept
            self._place = self.station.at()
        elif found.what == "object":
            self._take(item)
        elif found.what == "standing":
            self.standing = item
        elif found.what == "written":
            self.written = item
        else:
            super().absorb(found)

    def _begin(self, doing: str, task: Any) -> None:
        if not self.running:
            self.doing = doing
            self.begin(task)
        else:
            task.close()

    def _take(self, one: AttributeReading) -> None:
        address = (one.code, one.class_id, one.attribute)
        before = self.values.get(address)
        if before is not None and not before.refused and before.value != one.value:
            self.earlier[address] = value_text(before)
        elif before is not None:
            self.earlier.pop(address, None)
        self.values[address] = one
        self.read_at[address] = utc_now()


def value_text(one: AttributeReading) -> str:
    """Give a value in short: the scaled number with its unit, or what it is in words."""
    if one.refused:
        return ""
    number = one.reading.value
    if number is not None and one.class_id in _SCALED:
        return words.number(number, one.reading.unit)
    text = shown(one.class_id, one.attribute, one.value).text
    return text.replace("-", "−") if isinstance(one.value, int | Decimal) else text
