"""What a meter tells, as plain values with units.

Billing numbers are `Decimal` with all the digits the meter gave.  Times are aware UTC.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the meter says it is; "" for what it does not tell."""

    serial: str = ""
    utility_serial: str = ""
    logical_device_name: str = ""
    manufacturer: str = ""  # three letters (flag id)
    model: str = ""
    firmware: str = ""
    identification: str = ""  # the IEC 62056-21 identification line, without its line end


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one register.

    ``code`` is the meter's own text for it (IEC 62056-21) or the OBIS code; ``obis`` the code as
    ``A-B:C.D.E.F`` or "" where the code has no such form.  ``value`` is None when the meter gave
    no number; ``text`` then holds what it gave.  ``check`` is how the bytes were proved:
    "ok", "absent" or "bad".  ``raw`` is the value as a readout spells it, brackets included; it is
    shown, not kept with orders.
    """

    code: str
    obis: str
    name: str
    value: Decimal | None
    unit: str = ""
    text: str = ""
    history: str | None = None  # the stored-value suffix, "*12" or "&03", without a sign
    time: datetime | None = None
    check: str = "ok"
    raw: str = field(default="", compare=False)

    @property
    def full_code(self) -> str:
        """The OBIS code, else the meter's own with the suffix of a stored value.

        A value stored at a manual reset (``&03``) has no OBIS code that tells it from ``*03``.
        """
        if "&" in self.code:
            return self.code
        if self.obis or not self.history or self.code.endswith(self.history):
            return self.obis or self.code
        return f"{self.code}*{self.history}"


@dataclass(frozen=True, slots=True)
class ProfileColumn:
    """One captured value of a profile."""

    obis: str
    attribute: int
    unit: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class ProfileInfo:
    """What a profile captures: read first, stored with the rows.

    ``period_s`` is 0 for logs and billing profiles that have no fixed period.
    ``entries`` is the count the meter claims to hold, which may be wrong; None when unknown.
    """

    obis: str
    period_s: int
    columns: tuple[ProfileColumn, ...]
    entries: int | None = None
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """One interval, named by its end.

    ``values`` has one entry per column of the `ProfileInfo`; None where the meter gave none.
    ``status_raw`` is None where the profile has no status column.  ``reconstructed`` marks a time
    that was computed from the capture period because the meter left it out.
    """

    time: datetime
    values: tuple[Decimal | None, ...]
    status_raw: int | None = None
    status: tuple[str, ...] = ()
    reconstructed: bool = False


@dataclass(frozen=True, slots=True)
class ProfileBlock:
    """Rows as they arrive; ``expected`` is the estimated total of the read, 0 when unknown.

    ``held`` rows have come that are given out later, when it is known which of them are wanted.
    """

    rows: tuple[ProfileRow, ...]
    expected: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """Missing intervals: ``start`` is the last row before, ``end`` the first row after."""

    start: datetime
    end: datetime
    intervals: int


@dataclass(frozen=True, slots=True)
class Span:
    """Which rows to read: from/to (either side open), or by number.

    ``last`` keeps the newest so many of those between ``start`` and ``end``; 0 keeps all.

    ``entries`` are the numbers of the first and the last row, both included; 1 is the oldest row
    that the meter keeps.
    """

    start: datetime | None = None
    end: datetime | None = None
    last: int = 0
    entries: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class MeterEvent:
    """One row of a log.  ``code`` is as the meter gave it; ``text`` is "" for an unknown code."""

    log: str  # OBIS code or name of the log it stood in
    time: datetime
    code: str
    text: str = ""
    details: tuple[str, ...] = ()


Timed = TypeVar("Timed", MeterEvent, ProfileRow)


def newest(rows: list[Timed], count: int) -> list[Timed]:
    """Return the newest ``count`` rows of a log or profile in its own order, all for 0.

    Some meters keep the newest row first.
    """
    if not count or count >= len(rows):
        return rows
    return rows[-count:] if rows[0].time <= rows[-1].time else rows[:count]


@dataclass(frozen=True, slots=True)
class Pushed:
    """Something that a meter said unasked; ``obis`` "" where it names no object."""

    time: datetime | None
    obis: str
    attribute: int
    text: str


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The meter's clock beside ours: ``offset`` is meter minus ours, in seconds.

    ``uncertainty`` is half the round trip (plus half the meter's resolution), in seconds.
    """

    meter_time: datetime
    read_at: datetime
    offset: Decimal
    uncertainty: Decimal
    status: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RelayReading:
    """The supply switch: what flows (``output``), what the control says, and its mode."""

    output: bool
    state: str  # "connected", "disconnected", "ready for reconnection"
    mode: int


@dataclass(slots=True)
class Statistics:
    """Counted while talking to a meter."""

    bytes_sent: int = 0
    bytes_received: int = 0
    round_trips: int = 0
    resends: int = 0
    parity_errors: int = 0
    parity_counted: bool = False  # whether anybody could count them
    framing_errors: int = 0  # characters without a stop bit: another speed, or light on the probe
    overruns: int = 0  # characters that this computer was too slow for
    discarded: int = 0  # damaged, foreign or unexpected frames and characters
    echo_seen: bool = False
    switch_margin_s: float | None = None  # between our speed switch and the first data bit
    wire_s: float = 0.0
    remarks: list[str] = field(default_factory=list)


def gaps(times: list[datetime], period_s: int) -> list[Gap]:
    """Return where ``times`` (ascending) miss whole intervals of ``period_s``."""
    if period_s <= 0:
        return []
    step = timedelta(seconds=period_s)
    found = []
    for before, after in pairwise(times):
        missing = round((after - before) / step) - 1
        if missing > 0:
            found.append(Gap(before, after, missing))
    return found
