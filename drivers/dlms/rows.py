"""The rows of a profile buffer, decoded while its blocks arrive.

The buffer is an array (or compact array) of structures; a block may end anywhere, even inside a
length.  Rows with the same layout, that is the same type tags and lengths, are taken together as
one NumPy record type whose fields are the numbers; tags are proved by comparing all rows with the
first.  Rows of another layout are taken one by one.

Nothing is allocated from an announced count.  Counts are checked: columns of each row, rows of the
array, and no octet may be left over.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivers.dlms.data import (
    Delta,
    Incomplete,
    bare_value_at,
    length_at,
    value_at,
)
from drivers.errors import GarbledReply

Row = tuple[object, ...]

_ARRAY, _STRUCTURE, _COMPACT = 1, 2, 19
_ROW_MAX = 1 << 20  # octets of one row
_FIRST_RUN = 16  # rows tried at once after a change of layout; doubled while it fits
_FORMATS = {
    5: ">i4", 6: ">u4", 15: "i1", 16: ">i2", 17: "u1", 18: ">u2", 20: ">i8", 21: ">u8", 22: "u1",
    28: "i1", 29: ">i2", 30: ">i4", 31: "u1", 32: ">u2", 33: ">u4", 3: "?",
}  # fmt: skip
_DELTAS = range(28, 34)
_OCTETS = 9
_NULL = 0


@dataclass(frozen=True, slots=True)
class _Column:
    """Where a value lies in a row of fixed layout; ``format`` "" for null-data."""

    offset: int
    format: str
    size: int
    delta: bool = False


@dataclass(frozen=True, slots=True)
class _Layout:
    """A row whose tags and lengths are known, so that rows like it need no decoding."""

    size: int
    columns: tuple[_Column, ...]
    fixed: npt.NDArray[np.intp]  # places of tags and lengths
    model: npt.NDArray[np.uint8]  # what stands there
    record: np.dtype[np.void]


class RowDecoder:
    """Raw data of a buffer in, rows out: call `feed` with each block and `finish` at the end."""

    def __init__(self, columns: int) -> None:
        self._width = columns
        self._rest = bytearray()
        self._tags: tuple[int, ...] | None = None  # of a compact array's columns
        self._run = _FIRST_RUN
        self._like: _Layout | None = None  # of the latest row; kept from block to block
        self._slow = 0  # rows to take one by one before the fast way is tried again
        self._content = 0  # octets left in a compact array
        self.announced: int | None = None  # rows; None before the header and for compact arrays
        self.rows = 0
        self._header = False
        self._broken: GarbledReply | None = None  # told after the good rows before it

    def feed(self, block: bytes) -> list[Row]:
        """Return the rows that ``block`` completes.

        Raises:
            GarbledReply: The bytes are no profile buffer of this width; all good rows have been
                returned before.
        """
        if self._broken:
            raise self._broken
        self._rest += block
        if not self._header:
            self._read_header()
        if not self._header:
            return []
        rows, at = self._rows_from(self._rest)
        del self._rest[:at]
        self.rows += len(rows)
        self._content -= at
        if len(self._rest) > _ROW_MAX:
            self._broken = GarbledReply("a row of the profile has no end")
        if self._broken and not rows:
            raise self._broken
        return rows

    def finish(self) -> None:
        """Check that everything that was announced has come.

        Raises:
            GarbledReply: The buffer is incomplete; the text says how many rows are good.
        """
        if self._broken:
            raise self._broken
        if self._header and self._ended and self._rest:
            raise GarbledReply(f"{len(self._rest)} octets follow the last of {self.rows} rows")
        if not self._header or not self._ended:
            wanted = "" if self.announced is None else f" of {self.announced}"
            raise GarbledReply(f"the profile is incomplete: {self.rows}{wanted} rows are good")

    @property
    def _ended(self) -> bool:
        if self._tags is not None:
            return self._content <= 0
        return self.rows == self.announced

    # --- headers ----------------------------------------------------------------------------

    def _read_header(self) -> None:
        try:
            at = self._compact_header() if self._rest[:1] == b"\x13" else self._array_header()
        except Incomplete:
            return
        del self._rest[:at]
        self._header = True

    def _array_header(self) -> int:
        if not self._rest:
            raise Incomplete
        if self._rest[0] == _NULL and len(self._rest) == 1:
            self.announced = 0  # some meters answer null-data for an empty buffer
            return 1
        if self._rest[0] != _ARRAY:
            raise GarbledReply(f"the profile begins with type {self._rest[0]}, not an array")
        self.announced, at = length_at(self._rest, 1)
        return at

    def _compact_header(self) -> int:
        data = self._rest
        if len(data) < 3:  # noqa: PLR2004 - tag, type, count
            raise Incomplete
        if data[1] != _STRUCTURE or data[2] != self._width:
            raise GarbledReply("the compact array does not hold rows of this profile")
        if len(data) < 3 + self._width:
            raise Incomplete
        tags = tuple(data[3 : 3 + self._width])
        if _ARRAY in tags or _STRUCTURE in tags:
            raise GarbledReply("the compact array holds nested values")
        if not any(tags):
            raise GarbledReply("the rows of the compact array hold nothing")
        self._content, at = length_at(data, 3 + self._width)
        self._tags = tags
        return at

    # --- rows -------------------------------------------------------------------------------

    def _rows_from(self, data: bytearray) -> tuple[list[Row], int]:
        """Return the rows that ``data`` holds whole, and where the rest begins."""
        rows: list[Row] = []
        at = 0
        while not self._done(len(rows), at):
            if self._like is not None and self._slow <= 0:
                more, at, wanted = self._same(data, at, self._like, self._left(len(rows), at))
                rows += more
                if len(more) < wanted:
                    self._slow = 1 if len(more) >= _FIRST_RUN else _FIRST_RUN
                    self._run = _FIRST_RUN
                elif wanted:
                    self._run *= 2
                    continue
            try:
                row, at, layout = self._one(data, at, self.rows + len(rows) + 1)
            except Incomplete:
                break
            except GarbledReply as error:
                self._broken = error
                break
            rows.append(row)
            self._slow -= 1
            self._like = layout
        return rows, at

    def _done(self, taken: int, at: int) -> bool:
        if self._tags is not None:
            return at >= self._content
        return self.rows + taken >= (self.announced or 0)

    def _left(self, taken: int, at: int) -> tuple[int, int]:
        """Return how many more rows and octets may belong to the buffer."""
        if self._tags is not None:
            return _ROW_MAX, self._content - at
        return (self.announced or 0) - self.rows - taken, _ROW_MAX * 16

    def _one(self, data: bytearray, at: int, number: int) -> tuple[Row, int, _Layout | None]:
        """Return one row, its end, and its layout when rows like it can be taken together."""
        start = at
        if self._tags is None:
            if at + 2 > len(data):
                raise Incomplete
            if data[at] != _STRUCTURE or data[at + 1] != self._width:
                raise GarbledReply(f"row {number} is not a structure of {self._width} columns")
            at += 2
        values = []
        columns: list[_Column] | None = []
        for n in range(self._width):
            tag, begin = self._tag(data, at, n)
            value, at = value_at(data, at) if self._tags is None else bare_value_at(data, at, tag)
            values.append(value)
            column = _column(tag, begin - start, at - start, value)
            columns = None if column is None or columns is None else [*columns, column]
        if self._slow > 1 or not columns:
            return tuple(values), at, None
        return tuple(values), at, _layout(columns, bytes(data[start:at]))

    def _tag(self, data: bytearray, at: int, column: int) -> tuple[int, int]:
        """Return the type of the value at ``at`` and where its contents (or length) begin."""
        if self._tags is not None:
            return self._tags[column], at
        if at >= len(data):
            raise Incomplete
        return data[at], at + 1

    def _same(
        self, data: bytearray, at: int, layout: _Layout, left: tuple[int, int]
    ) -> tuple[list[Row], int, int]:
        """Return the rows from ``at`` on that have this layout.

        Also returns where they end and how many were looked at.
        """
        wanted = min(self._run, left[0], min(len(data) - at, left[1]) // layout.size)
        if wanted <= 0:
            return [], at, 0
        size = layout.size
        taken = bytes(data[at : at + wanted * size])
        octets = np.frombuffer(taken, np.uint8).reshape(wanted, size)
        same = (octets[:, layout.fixed] == layout.model).all(axis=1)
        good = wanted if same.all() else int(same.argmin())
        if not good:
            return [], at, wanted
        table = np.frombuffer(taken, layout.record, count=good)
        columns = [_values(table, n, column, good) for n, column in enumerate(layout.columns)]
        return list(zip(*columns, strict=True)), at + good * size, wanted


def _column(tag: int, begin: int, end: int, value: object) -> _Column | None:
    """Return where the value of a row lies, or None when its type has no fixed form."""
    if tag == _NULL:
        return _Column(begin, "", 0)
    if tag in _FORMATS:
        return _Column(begin, _FORMATS[tag], end - begin, tag in _DELTAS)
    if tag == _OCTETS and isinstance(value, bytes) and value:
        return _Column(end - len(value), f"V{len(value)}", len(value))
    return None


def _layout(columns: list[_Column], row: bytes) -> _Layout:
    """Return the layout of a row whose columns lie as told."""
    free = {at for column in columns for at in range(column.offset, column.offset + column.size)}
    fixed = np.array([at for at in range(len(row)) if at not in free], np.intp)
    fields = [(n, column) for n, column in enumerate(columns) if column.format]
    record = np.dtype(
        {
            "names": [f"c{n}" for n, _ in fields],
            "formats": [column.format for _, column in fields],
            "offsets": [column.offset for _, column in fields],
            "itemsize": len(row),
        }
    )
    model = np.frombuffer(row, np.uint8)[fixed]
    return _Layout(len(row), tuple(columns), fixed, model, record)


def _values(table: npt.NDArray[np.void], number: int, column: _Column, count: int) -> list[object]:
    """Return one column of a run of rows as plain Python values."""
    if not column.format:
        return [None] * count
    values: list[object] = table[f"c{number}"].tolist()
    if column.delta:
        return [Delta(value) for value in values if isinstance(value, int)]
    return values
