"""Load profiles: ``P.01(time)(status)(period)(count)(code)(unit)…`` and its rows.

The header's time is the first row's; each further row stands one period later.  The header comes
again inside one answer after a power failure, a clock set or a change of status, and may stand
alone, without rows.  Turkish meters send no header: each row is ``P.01(time)(value)…(status)``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from drivers import obis
from drivers.iec62056.dataset import is_header, parse_number
from drivers.iec62056.times import MeterZone, parse_datetime
from drivers.metertype import CapturedValue, StatusBit
from drivers.values import ProfileColumn, ProfileInfo, ProfileRow

_SHORT_STATUS = {0x80: "power down", 0x20: "clock adjusted", 0x08: "daylight saving"}
_LONG_STATUS = {0x10: "month end", 0x20: "clock adjusted", 0x40: "power up", 0x80: "power down"}
_STATUS = re.compile(r"[0-9A-Fa-f]{1,16}")
_SHORT = 2  # hex digits of a short status word
_CODES_AT = 4
_LONGEST_PERIOD = 31 * 24 * 60  # minutes
_FIRST_LOG = 50  # P.50 and above are logs


@dataclass(frozen=True, slots=True)
class ProfileHeader:
    """One header: where its rows begin and what state the meter was in."""

    time: datetime  # in the meter's zone
    status_raw: int | None
    status: tuple[str, ...]
    period_s: int
    columns: tuple[ProfileColumn, ...]
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProfileData:
    """A profile as it was answered."""

    info: ProfileInfo
    rows: tuple[ProfileRow, ...]
    headers: tuple[ProfileHeader, ...]
    complete: bool = True


def is_profile(code: str) -> bool:
    """Tell whether a code such as ``P.01`` names a load profile."""
    number = code[2:] if code.startswith("P.") else ""
    return number.isdecimal() and int(number[:4]) < _FIRST_LOG


def status_words(
    text: str, bits_of_type: Sequence[StatusBit] = ()
) -> tuple[int | None, tuple[str, ...]]:
    """Return a status field as number and in words; unknown bits by their number.

    Without the type's own bits those of the word's width are taken, as far as they are known.
    """
    if not _STATUS.fullmatch(text.strip()):
        return None, ()
    raw = int(text.strip(), 16)
    if bits_of_type:
        return raw, tuple(worded(raw, bits_of_type))
    known = _SHORT_STATUS if len(text.strip()) <= _SHORT else _LONG_STATUS
    bits = [bit for bit in range(raw.bit_length()) if raw >> bit & 1]
    words = [known.get(1 << bit, f"bit {bit}") for bit in bits]
    return raw, tuple(words)


def worded(raw: int, known: Sequence[StatusBit]) -> list[str]:
    """Return what the known bits report, then the bits that nothing is known of."""
    found = [bit for bit in known if bit.mask and raw & bit.mask == bit.mask]
    for bit in found:
        raw &= ~bit.mask
    words = [bit.text for bit in found if bit.text]
    return words + [f"bit {n}" for n in range(raw.bit_length()) if raw >> n & 1]


def parse_header(
    groups: Sequence[str], zone: MeterZone, bits: Sequence[StatusBit] = ()
) -> ProfileHeader | None:
    """Return the header in ``groups``; None when they are none."""
    fields = tuple(groups)
    if not is_header(fields) or len(fields) == _CODES_AT:  # a row with its own time and status 00
        return None
    start = parse_datetime(fields[0], zone)
    period = parse_number(fields[2])
    if start is None or period is None or not 0 <= period <= _LONGEST_PERIOD:
        return None
    raw, words = status_words(fields[1], bits)
    codes, units = fields[_CODES_AT::2], fields[_CODES_AT + 1 :: 2]
    columns = tuple(
        ProfileColumn(obis.parse(code), 2, unit, _name(code))
        for code, unit in zip(codes, units, strict=True)
    )
    return ProfileHeader(start, raw, words, int(period) * 60, columns, codes)


@dataclass(slots=True)
class ProfileReader:
    """Takes headers and rows in the order they arrive.

    ``remarks`` tells what did not fit; ``damaged`` counts rows with the wrong number of values.
    ``bits`` and ``columns`` are the type's, where it names them.
    """

    code: str
    zone: MeterZone = field(default_factory=MeterZone)
    headers: list[ProfileHeader] = field(default_factory=list)
    rows: list[ProfileRow] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    damaged: int = 0
    bits: Sequence[StatusBit] = ()
    columns: Sequence[CapturedValue] = ()
    _next: datetime | None = None
    _own: tuple[ProfileColumn, ...] = ()  # of rows that carry their own time

    def header(self, groups: Sequence[str]) -> bool:
        """Take a header; False when the groups are none."""
        header = parse_header(groups, self.zone, self.bits)
        if header is None:
            return False
        if self.headers and header.codes != self.headers[0].codes:
            self.remarks.append(f"the captured values change at {header.time:%Y-%m-%d %H:%M}")
        self.headers.append(header)
        self._next = header.time.astimezone(UTC)
        return True

    def timed_row(self, groups: Sequence[str]) -> bool:
        """Take a row that carries its own time, ``(time)(value)…(status)``; False when it is none.

        What follows the type's columns is the status; without columns the last group is, where it
        alone has no decimal point.
        """
        time = parse_datetime(groups[0], self.zone) if groups else None
        if time is None or len(groups) < 2 or self.headers:  # noqa: PLR2004 (a time and a value)
            return False
        count = len(self.columns) or self._values_in(groups[1:])
        values, rest = groups[1 : 1 + count], groups[1 + count :]
        if not self._own:
            self._own = self._named(values)
        if len(values) < len(self._own):
            self.damaged += 1
            self.remarks.append(f"{time:%Y-%m-%d %H:%M} has {len(values)} values")
        raw, words = status_words(rest[0], self.bits) if rest else (None, ())
        cells = [*map(_cell, values), *[None] * len(self._own)][: len(self._own)]
        self.rows.append(ProfileRow(time.astimezone(UTC), tuple(cells), raw, words))
        return True

    def _values_in(self, groups: Sequence[str]) -> int:
        if self._own:
            return len(self._own)
        *others, last = groups
        status = bool(others) and "." not in last and all("." in g for g in others)
        return len(others) + (not status)

    def _named(self, values: Sequence[str]) -> tuple[ProfileColumn, ...]:
        """Return the columns of timed rows: the type's, or numbered ones without a code."""
        named = [ProfileColumn(obis.parse(c.code), 2, c.unit, _name(c.code)) for c in self.columns]
        units = [value.partition("*")[2] for value in values]
        return tuple(named) or tuple(
            ProfileColumn("", 2, unit, f"Value {n}") for n, unit in enumerate(units, 1)
        )

    def row(self, groups: Sequence[str]) -> list[ProfileRow]:
        """Take one line of values and return the rows it holds (several in one line are cut)."""
        if not self.headers or self._next is None:
            self.damaged += 1
            return []
        width = len(self.headers[-1].codes)
        if not width or len(groups) % width:
            self.damaged += 1
            self.remarks.append(
                f"{self._next:%Y-%m-%d %H:%M} UTC has {len(groups)} values instead of {width}"
            )
            groups = [*groups, *[""] * width][:width]
        cut = [self._placed(groups[n : n + width]) for n in range(0, len(groups), width or 1)]
        self.rows += cut
        return cut

    def _placed(self, groups: Sequence[str]) -> ProfileRow:
        header = self.headers[-1]
        time = self._next or header.time
        try:
            self._next = time + timedelta(seconds=header.period_s)
        except OverflowError:  # noise that looks like a profile, millions of rows long
            self._next = header.time.astimezone(UTC)
        values = dict(zip(header.codes, map(_cell, groups), strict=True))
        if header.codes == self.headers[0].codes:
            ordered = tuple(map(_cell, groups))
        else:  # the captured values changed: by their codes, in the first header's order
            ordered = tuple(values.get(code) for code in self.headers[0].codes)
        return ProfileRow(time, ordered, header.status_raw, header.status)

    def data(self, *, complete: bool = True) -> ProfileData | None:
        """Return all that was read; None without any header."""
        if not self.headers:
            return self._timed(complete=complete) if self.rows else None
        first = self.headers[0]
        info = ProfileInfo(obis.parse(self.code), first.period_s, first.columns)
        whole = complete and not self.damaged
        return ProfileData(info, tuple(self.rows), tuple(self.headers), whole)

    def _timed(self, *, complete: bool) -> ProfileData:
        times = sorted({row.time for row in self.rows})
        steps = [(after - before).total_seconds() for before, after in pairwise(times)]
        info = ProfileInfo(obis.parse(self.code), int(min(steps, default=0)), self._own)
        return ProfileData(info, tuple(self.rows), (), complete and not self.damaged)


def _name(code: str) -> str:
    return obis.name_of(code) or code


def _cell(group: str) -> Decimal | None:
    return parse_number(group.partition("*")[0])
