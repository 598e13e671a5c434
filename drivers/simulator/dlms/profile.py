"""Profiles of a virtual meter: rows computed from their number, read whole, by range, by entry.

A profile of 140,000 rows costs nothing until somebody reads it, and then one row at a time.
Source: COSEM class 7, Profile generic, IEC 62056-6-2.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.axdr import BadData, Value
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.objects import (
    OTHER_REASON,
    OUT_OF_SCOPE,
    TYPE_UNMATCHED,
    Attribute,
    Content,
    CosemObject,
    Refused,
    logical_name,
)
from drivers.simulator.meterclock import Zone

CLOCK = "0-0:1.0.0.255"
BY_RANGE, BY_ENTRY = 1, 2
FIFO = 1
_LAST = 0  # "up to the last" in entry descriptors


@dataclass(frozen=True, slots=True)
class Column:
    """One capture object and how its value in a row is encoded."""

    class_id: int
    code: str
    attribute: int = 2

    def definition(self) -> bytes:
        """Return it as the capture objects and selectors have it."""
        return axdr.structure(
            axdr.integer(axdr.U16, self.class_id),
            axdr.octets(logical_name(self.code)),
            axdr.integer(axdr.I8, self.attribute),
            axdr.integer(axdr.U16, 0),
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its time, and its values in the order of the columns, encoded, clock first."""

    time: datetime
    cells: tuple[bytes, ...]


class Rows(Protocol):
    """What a profile holds at one moment, oldest first."""

    def __len__(self) -> int: ...

    def time(self, place: int) -> datetime:
        """Return the time of row ``place``."""

    def row(self, place: int) -> Row:
        """Return row ``place``."""


@dataclass(frozen=True, slots=True)
class ListedRows:
    """Rows that exist already: a log."""

    rows: Sequence[Row]

    def __len__(self) -> int:
        return len(self.rows)

    def time(self, place: int) -> datetime:
        """Return the time of row ``place``."""
        return self.rows[place].time

    def row(self, place: int) -> Row:
        """Return row ``place``."""
        return self.rows[place]


class Profile:
    """Builds the object of class 7 around ``held``, which tells what it holds at a moment.

    Args:
        code: Its logical name.
        columns: What it captures; the first is the clock.
        period_s: The capture period; 0 for logs and calendar periods.
        capacity: Most rows it can hold.
        held: The rows at a virtual time.
        zone: How times in selectors are understood.
        faults: What it does wrong.
    """

    def __init__(
        self,
        code: str,
        columns: Sequence[Column],
        *,
        period_s: int,
        capacity: int,
        held: Callable[[float], Rows],
        zone: Zone,
        faults: Faults,
    ) -> None:
        self.code = code
        self.columns = tuple(columns)
        self.period_s = period_s
        self.capacity = capacity
        self.held = held
        self._zone = zone
        self._faults = faults

    def cosem(self) -> CosemObject:
        """Return the object."""
        definitions = axdr.array(column.definition() for column in self.columns)
        attributes = {
            2: Attribute(self._all, select=self._selected),
            3: Attribute(definitions),
            4: Attribute(axdr.integer(axdr.U32, self.period_s)),
            5: Attribute(axdr.integer(axdr.ENUM, FIFO)),
            6: Attribute(self.columns[0].definition()),
            7: Attribute(self._in_use),
            8: Attribute(axdr.integer(axdr.U32, self.capacity)),
        }
        return CosemObject(7, self.code, attributes, version=1)

    def _in_use(self, now: float) -> bytes:
        times = 10 if "wrong-entries-in-use" in self._faults else 1
        return axdr.integer(axdr.U32, len(self.held(now)) * times)

    def _all(self, now: float) -> Content:
        rows = self.held(now)
        return self._buffer(rows, range(len(rows)), range(len(self.columns)))

    def _selected(self, now: float, selector: int, parameters: Value) -> Content:
        if "refused-selector" in self._faults:
            raise Refused(OUT_OF_SCOPE)
        rows = self.held(now)
        try:
            if selector == BY_RANGE:
                places, columns = self._range(rows, parameters)
            elif selector == BY_ENTRY:
                places, columns = self._entries(rows, parameters)
            else:
                raise Refused(OTHER_REASON)
        except (BadData, ValueError) as error:
            raise Refused(TYPE_UNMATCHED) from error
        return self._buffer(rows, places, columns)

    def _range(self, rows: Rows, parameters: Value) -> tuple[range, Sequence[int]]:
        restricting, low, high, wanted = parameters.members(4)
        if self._column(restricting) != 0:
            raise Refused(OUT_OF_SCOPE)  # only the clock is sorted by
        first = self._zone.moment(low.octets(axdr.OCTETS, axdr.DATE_TIME))
        last = self._zone.moment(high.octets(axdr.OCTETS, axdr.DATE_TIME))
        start = bisect_left(range(len(rows)), first, key=rows.time)
        end = bisect_right(range(len(rows)), last, key=rows.time)
        columns = [self._column(item) for item in wanted.members()]
        return range(start, end), columns or range(len(self.columns))

    def _entries(self, rows: Rows, parameters: Value) -> tuple[range, Sequence[int]]:
        low, high, left, right = parameters.members(4)
        first, last = low.number(axdr.U32), high.number(axdr.U32)
        from_column, to_column = left.number(axdr.U16), right.number(axdr.U16)
        if first < 1 or from_column < 1 or to_column > len(self.columns):
            raise Refused(TYPE_UNMATCHED)
        last = len(rows) if last == _LAST else min(last, len(rows))
        columns = range(from_column - 1, to_column or len(self.columns))
        return range(first - 1, max(first - 1, last)), columns

    def _column(self, definition: Value) -> int:
        """Return the place of the column that a capture object definition names."""
        class_id, name, attribute, index = definition.members(4)
        index.number(axdr.U16)
        wanted = (class_id.number(axdr.U16), name.octets(), attribute.number(axdr.I8))
        for place, column in enumerate(self.columns):
            if wanted == (column.class_id, logical_name(column.code), column.attribute):
                return place
        raise Refused(OUT_OF_SCOPE)

    def _buffer(self, rows: Rows, places: range, columns: Sequence[int]) -> Iterator[bytes]:
        """Yield the array of the rows, encoded, one at a time."""
        extra = 2 if "wrong-row-count" in self._faults else 0
        yield bytes([axdr.ARRAY]) + axdr.length(len(places) + extra)
        head = bytes([axdr.STRUCTURE]) + axdr.length(len(columns))
        if "truncated-structure" in self._faults:
            head, columns = bytes([axdr.STRUCTURE, 5]), columns[:1]
        before: tuple[bytes, ...] = ()
        for place in places:
            cells = rows.row(place).cells
            if "null-data" in self._faults and before:
                yield head + b"".join(self._shortened(cells, before, columns))
            else:
                yield head + b"".join(cells[column] for column in columns)
            before = cells

    def _shortened(
        self, cells: Sequence[bytes], before: Sequence[bytes], columns: Iterable[int]
    ) -> Iterator[bytes]:
        """Leave out what follows from the row before: the clock, and a state that stays."""
        for column in columns:
            follows = column == 0 and self.period_s and self._follows(cells[0], before[0])
            same = column > 0 and cells[column] == before[column]
            yield axdr.null() if follows or same else cells[column]

    def _follows(self, cell: bytes, before: bytes) -> bool:
        gone = self._zone.moment(cell[2:]) - self._zone.moment(before[2:])
        return gone.total_seconds() == self.period_s
