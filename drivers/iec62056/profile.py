"""Load profiles: ``P.01(time)(status)(period)(count)(code)(unit)…`` and its rows.

The header's time is the first row's; each further row stands one period later.  The header comes
again inside one answer after a power failure, a clock set or a change of status, and may stand
alone, without rows.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from drivers import obis
from drivers.iec62056.dataset import is_header, parse_number
from drivers.iec62056.times import MeterZone, parse_datetime
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


def status_words(text: str) -> tuple[int | None, tuple[str, ...]]:
    """Return a status field as number and in words; unknown bits by their number."""
    if not _STATUS.fullmatch(text.strip()):
        return None, ()
    raw = int(text.strip(), 16)
    known = _SHORT_STATUS if len(text.strip()) <= _SHORT else _LONG_STATUS
    bits = [bit for bit in range(raw.bit_length()) if raw >> bit & 1]
    words = [known.get(1 << bit, f"bit {bit}") for bit in bits]
    return raw, tuple(words)


def parse_header(groups: Sequence[str], zone: MeterZone) -> ProfileHeader | None:
    """Return the header in ``groups``; None when they are none."""
    fields = tuple(groups)
    if not is_header(fields):
        return None
    start = parse_datetime(fields[0], zone)
    period = parse_number(fields[2])
    if start is None or period is None or not 0 <= period <= _LONGEST_PERIOD:
        return None
    raw, words = status_words(fields[1])
    codes, units = fields[_CODES_AT::2], fields[_CODES_AT + 1 :: 2]
    columns = tuple(
        ProfileColumn(obis.parse(code), 2, unit, obis.name_of(code) or code)
        for code, unit in zip(codes, units, strict=True)
    )
    return ProfileHeader(start, raw, words, int(period) * 60, columns, codes)


@dataclass(slots=True)
class ProfileReader:
    """Takes headers and rows in the order they arrive.

    ``remarks`` tells what did not fit; ``damaged`` counts rows with the wrong number of values.
    """

    code: str
    zone: MeterZone = field(default_factory=MeterZone)
    headers: list[ProfileHeader] = field(default_factory=list)
    rows: list[ProfileRow] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    damaged: int = 0
    _next: datetime | None = None

    def header(self, groups: Sequence[str]) -> bool:
        """Take a header; False when the groups are none."""
        header = parse_header(groups, self.zone)
        if header is None:
            return False
        if self.headers and header.codes != self.headers[0].codes:
            self.remarks.append(f"the captured values change at {header.time:%Y-%m-%d %H:%M}")
        self.headers.append(header)
        self._next = header.time.astimezone(UTC)
        return True

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
            return None
        first = self.headers[0]
        info = ProfileInfo(obis.parse(self.code), first.period_s, first.columns)
        whole = complete and not self.damaged
        return ProfileData(info, tuple(self.rows), tuple(self.headers), whole)


def _cell(group: str) -> Decimal | None:
    return parse_number(group.partition("*")[0])
