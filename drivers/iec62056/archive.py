"""Ranges of load profiles and logs: how they are asked for, and in which pieces."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from drivers import obis
from drivers.errors import NotSupported
from drivers.iec62056.times import MeterZone
from drivers.metertype import MeterType
from drivers.values import Span

WINDOW = timedelta(days=7)  # one request: 27 s at 9600 Bd with four channels


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


def range_text(start: datetime | None, end: datetime | None, zone: MeterZone) -> str:
    """Return ``sYYMMDDhhmm;sYYMMDDhhmm`` in the meter's time; either side may be open."""
    return f"{_moment(start, zone)};{_moment(end, zone)}"


def _moment(time: datetime | None, zone: MeterZone) -> str:
    if time is None:
        return ""
    local = time.astimezone(zone.zone(None))
    season = 1 if local.dst() else 0
    return f"{season}{local:%y%m%d%H%M}"


def windows(
    span: Span, period_s: int, now: datetime
) -> Iterator[tuple[datetime | None, datetime | None]]:
    """Yield the ranges to ask for, one after the other; an open start is asked for in one piece.

    Both ends of a range belong to it, so the next begins one period later.
    """
    period = timedelta(seconds=period_s or 900)
    end = span.end or now
    start = span.start
    if span.last and start is None:
        start = end - span.last * period
    if start is None:
        yield None, span.end
        return
    while start <= end:
        stop = min(start + WINDOW - period, end)
        yield start, stop
        start = stop + period


def inside(time: datetime, start: datetime | None, end: datetime | None) -> bool:
    """Tell whether a row belongs to a range: some meters send more than they were asked for."""
    moment = time.astimezone(UTC)
    return (start is None or moment >= start) and (end is None or moment <= end)
