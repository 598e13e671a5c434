"""Times as IEC 62056-21 meters print them, and the zone their clocks run in.

Meters print local time, some with a season flag (0 standard, 1 summer, 2 UTC) before the digits
or a letter (W, S) after them.  All zeros and all nines mean "never".  Impossible times are None:
their text is kept by the caller.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_SUMMER, _UTC_FLAG = 1, 2
_SEASONS = {"W": 0, "S": _SUMMER}
_CENTURY = 2000
_SPLIT = re.compile(
    r"(\d{2}|\d{4})-(\d\d)-(\d\d)(?:[ ,&]{1,2}(\d\d):(\d\d)(?::(\d\d))?)?", re.ASCII
)
_CLOCK = re.compile(r"([012]?)(\d\d):?(\d\d):?(\d\d)", re.ASCII)
_DAY = re.compile(r"([012]?)(\d\d)(\d\d)(\d\d)", re.ASCII)
_LONG_DAY = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)", re.ASCII)
_DIGITS = (  # tried in this order
    re.compile(r"()(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)()", re.ASCII),  # YYMMDDhhmm
    re.compile(r"([012])(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)()", re.ASCII),  # sYYMMDDhhmm
    re.compile(r"()(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)", re.ASCII),  # YYMMDDhhmmss
    re.compile(r"()(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)()", re.ASCII),  # yyyymmddhhmm
    re.compile(r"([012])(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)", re.ASCII),  # sYYMMDDhhmmss
    re.compile(r"()(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)", re.ASCII),  # yyyymmddhhmmss
)
_NEVER = re.compile(r"[0\-:, &]+|[9\-:, &]+")


@dataclass(frozen=True, slots=True)
class MeterZone:
    """The zone a meter's clock runs in: an IANA ``name``, or ``offset_min`` in standard time.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: On use, when there is no zone called ``name``.
    """

    offset_min: int = 60
    name: str = ""

    def zone(self, season: int | None) -> tzinfo:
        """Return the zone for a season flag (None where the meter prints none)."""
        if season == _UTC_FLAG:
            return UTC
        if self.name:
            return ZoneInfo(self.name)
        summer = 60 if season == _SUMMER else 0
        return timezone(timedelta(minutes=self.offset_min + summer))

    def fold(self, season: int | None) -> int:
        """Return which of two equal local times is meant when clocks go back."""
        return 1 if season == 0 else 0


def is_never(text: str) -> bool:
    """Tell whether a time field holds only zeros or only nines: "never", or "still open"."""
    return bool(_NEVER.fullmatch(text.strip()))


def parse_datetime(text: str, zone: MeterZone, *, digits: bool = True) -> datetime | None:
    """Return date and time of ``text`` in the meter's zone; None when it holds none.

    ``digits`` allows forms without separators, which look like numbers.
    """
    short = text.strip()
    season = _SEASONS.get(short[-1:])
    if season is not None:
        short = short[:-1]
        digits = True
    if is_never(short):
        return None
    if split := _SPLIT.fullmatch(short):
        return None if split[4] is None else _moment(split.groups(), season, zone)
    if not digits or not short.isdigit():
        return None
    for form in _DIGITS:
        if (match := form.fullmatch(short)) is None:
            continue
        flag, *parts = match.groups()
        moment = _moment(tuple(parts), int(flag) if flag else season, zone)
        if moment is not None:
            return moment
    return None


def parse_date(text: str) -> tuple[date, int | None] | None:
    """Return the date of ``YYMMDD``, ``sYYMMDD``, ``yy-mm-dd`` or a long form, and its season."""
    short = text.strip()
    if long := _LONG_DAY.fullmatch(short):
        flag, parts = "", long.groups()
    elif match := (_DAY.fullmatch(short) or _DAY.fullmatch(short.replace("-", ""))):
        flag, parts = match[1], match.groups()[1:]
    else:
        return None
    year, month, day = (int(part) for part in parts)
    try:
        found = date(year if year > 99 else _CENTURY + year, month, day)  # noqa: PLR2004 (2 digits)
    except ValueError:
        return None
    return found, int(flag) if flag else None


def parse_time(text: str) -> tuple[time, int | None] | None:
    """Return the time of day of ``hhmmss``, ``shhmmss`` or ``hh:mm:ss``, and its season flag."""
    match = _CLOCK.fullmatch(text.strip())
    if not match:
        return None
    try:
        found = time(int(match[2]), int(match[3]), int(match[4]))
    except ValueError:
        return None
    return found, int(match[1]) if match[1] else None


def joined(day: str, clock: str, zone: MeterZone) -> datetime | None:
    """Return the moment that a date and a time-of-day register tell together."""
    when, what = parse_date(day), parse_time(clock)
    if when is None or what is None:
        return None
    season = what[1] if what[1] is not None else when[1]
    return datetime.combine(when[0], what[0]).replace(
        tzinfo=zone.zone(season), fold=zone.fold(season)
    )


def _moment(parts: tuple[str | None, ...], season: int | None, zone: MeterZone) -> datetime | None:
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    long_year = len(parts[0] or "") > len("00")
    if long_year and not _CENTURY - 100 <= year < _CENTURY + 100:
        return None
    try:
        return datetime(
            year if long_year else _CENTURY + year,
            month,
            day,
            hour,
            minute,
            second,
            tzinfo=zone.zone(season),
            fold=zone.fold(season),
        )
    except ValueError:
        return None
