"""Ranges of load profiles and logs: how they are asked for, and in which pieces."""

from datetime import UTC, datetime, timedelta

from drivers import obis
from drivers.errors import GarbledReply, NoReply, NotSupported
from drivers.iec62056.times import MeterZone
from drivers.metertype import MeterType
from drivers.values import Span

FIRST_WINDOW = timedelta(days=7)  # one request: 27 s at 9600 Bd with four channels
LONGEST_WINDOW = timedelta(days=28)  # what an unblocked answer loses at most when it breaks off
SHORTEST_WINDOW = timedelta(hours=6)
UNTOLD_PERIOD_S = 900  # where the meter told none


def profile_name(meter_type: MeterType, code: str) -> str:
    """Return the meter's own name (``P.01``) of the load profile ``code``; "" is the first.

    Raises:
        NotSupported: The type has no such profile.
    """
    known = (meter_type.iec62056.profile, *(p.code for p in meter_type.profiles))
    return _named(known, code, "load profile")


def log_name(meter_type: MeterType, code: str) -> str:
    """Return the meter's own name (``P.98``) of the log ``code``; "" is the first.

    Raises:
        NotSupported: The type has no such log.
    """
    known = (meter_type.iec62056.log, *(item.code for item in meter_type.logs))
    return _named(known, code, "event log")


def _named(known: tuple[str, ...], code: str, kind: str) -> str:
    names = [name for name in known if name.startswith("P.")]
    wanted = [n for n in names if not code or n == code or obis.parse(n) == obis.parse(code)]
    if not wanted:
        raise NotSupported(f"this meter type has no {kind} {code}".rstrip())
    return wanted[0]


def range_text(
    start: datetime | None, end: datetime | None, zone: MeterZone, form: str = "season"
) -> str:
    """Return ``from;to`` in the meter's time; either side may be open.

    ``form`` is season (``sYYMMDDhhmm``), digits (``YYMMDDhhmm``) or split (``yy-mm-dd,hh:mm``).
    """
    return f"{_moment(start, zone, form)};{_moment(end, zone, form)}"


def _moment(time: datetime | None, zone: MeterZone, form: str) -> str:
    if time is None:
        return ""
    local = time.astimezone(zone.zone(None))
    if form == "split":
        return f"{local:%y-%m-%d,%H:%M}"
    season = ("1" if local.dst() else "0") if form == "season" else ""
    return f"{season}{local:%y%m%d%H%M}"


class ReadingPlan:
    """Which range of a profile to ask for next, so that nothing proved is asked for twice.

    Both ends of a range belong to it, so the next begins one period later.  Ranges grow while all
    goes well and shrink when an answer breaks off; an open start is asked for in one piece.
    """

    def __init__(self, span: Span, period_s: int, now: datetime) -> None:
        self.period = timedelta(seconds=period_s or UNTOLD_PERIOD_S)
        self.end = span.end or now
        self.start = span.start
        self.troubled = False  # an answer has broken off
        self._open_end = span.end is None
        self._size = FIRST_WINDOW
        self._stop: datetime | None = None
        self._finished = False
        self._failures = 0  # since a row was received

    @property
    def expected(self) -> int:
        """How many rows the whole span has, 0 when it is open."""
        return 0 if self.start is None else max(0, (self.end - self.start) // self.period + 1)

    def window(self) -> tuple[datetime | None, datetime | None] | None:
        """Return the range to ask for now; None when all is done."""
        if self._finished:
            return None
        if self.start is None:
            return None, None if self._open_end else self.end
        if self.start > self.end:
            return None
        self._stop = min(self.start + self._size - self.period, self.end)
        if self._open_end and self._stop == self.end:
            self._stop = None  # the meter's clock may be ahead of ours
        return self.start, self._stop

    def received(self, last: datetime) -> None:
        """Note the newest row that was proved."""
        if self.start is None or last >= self.start:
            self.start = last + self.period
        self._failures = 0

    def done(self) -> None:
        """Note that the range was answered whole."""
        self._failures = 0
        if self._stop is None:
            self._finished = True
            return
        self.start, self._stop = self._stop + self.period, None
        if not self.troubled:
            self._size = min(2 * self._size, LONGEST_WINDOW)

    def broken(self, error: NoReply | GarbledReply, retries: int) -> None:
        """Note that an answer broke off.

        Raises:
            NoReply: It has done so too often without one row in between.
            GarbledReply: The same.
        """
        self._failures += 1
        if self._failures > retries:
            raise error
        self.troubled = True
        self._size = max(self._size / 2, SHORTEST_WINDOW)


def inside(time: datetime, start: datetime | None, end: datetime | None) -> bool:
    """Tell whether a row belongs to a range: some meters send more than they were asked for."""
    moment = time.astimezone(UTC)
    return (start is None or moment >= start) and (end is None or moment <= end)
