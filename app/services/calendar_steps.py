"""Times and dates of a calendar moved a little: for keys and large buttons instead of typing."""

from calendar import monthrange
from datetime import date, timedelta
from enum import Enum

from drivers.calendar import SEASON_START, SPECIAL_DATE, SWITCHING_TIME

QUARTER, HOUR, DAY_MINUTES = 15, 60, 24 * 60
_LEAP, _PLAIN = 2000, 2001  # years in whose calendar dates without a year are counted
_ANY = "*"


class Step(Enum):
    """By how much and which way: a quarter of an hour or a day; an hour or a month."""

    ON = (1, False)
    BACK = (-1, False)
    FAR = (1, True)
    FAR_BACK = (-1, True)

    @property
    def sign(self) -> int:
        """1 onwards, -1 back."""
        return self.value[0]

    @property
    def far(self) -> bool:
        """Whether the large step is meant."""
        return self.value[1]


def stepped_time(text: str, step: Step) -> str:
    """Return a time of day moved within its day; "" where ``text`` is none."""
    if not SWITCHING_TIME.fullmatch(text):
        return ""
    hour, minute = map(int, text.split(":"))
    size = HOUR if step.far else QUARTER
    total = hour * 60 + minute
    moved = total // size * size + size if step.sign > 0 else (total - 1) // size * size
    moved = min(max(moved, 0), DAY_MINUTES - QUARTER)
    return f"{moved // 60:02}:{moved % 60:02}"


def stepped_start(text: str, step: Step) -> str:
    """Return the start of a season moved, over the end of the year; "" where it is none."""
    if not SEASON_START.fullmatch(text):
        return ""
    month, day = map(int, text.split("-"))
    if step.far:
        month = (month - 1 + step.sign) % 12 + 1
        return f"{month:02}-{min(day, _days_in(_PLAIN, month)):02}"
    known = date(_LEAP, month, min(day, _days_in(_LEAP, month)))
    moved = (known + timedelta(days=step.sign)).replace(year=_LEAP)
    return f"{moved:%m-%d}"


def stepped_date(text: str, step: Step) -> str:
    """Return the date of a special day moved, what is left open stays; "" where it is none."""
    if not SPECIAL_DATE.fullmatch(text):
        return ""
    year, month, day = text.split("-")
    if _ANY in {month, day}:
        return _stepped_open(year, month, day, step)
    if year == _ANY:
        return f"{_ANY}-{stepped_start(f'{month}-{day}', step)}"
    known = date(max(int(year), 1), int(month), 1)
    known = known.replace(day=min(int(day), _days_in(known.year, known.month)))
    try:
        if step.far:
            return str(_month_on(known, step.sign))
        return str(known + timedelta(days=step.sign))
    except (OverflowError, ValueError):
        return text


def _stepped_open(year: str, month: str, day: str, step: Step) -> str:
    """Move the part that is given: the day of every month, or the month."""
    if day != _ANY:
        day = f"{(int(day) - 1 + step.sign) % 31 + 1:02}"
    elif month != _ANY:
        month = f"{(int(month) - 1 + step.sign) % 12 + 1:02}"
    return f"{year}-{month}-{day}"


def _month_on(known: date, sign: int) -> date:
    year, month = divmod(known.year * 12 + known.month - 1 + sign, 12)
    return date(year, month + 1, min(known.day, _days_in(year, month + 1)))


def _days_in(year: int, month: int) -> int:
    return monthrange(year, month)[1]


def stepped_number(text: str, step: Step, least: int = 0, most: int = 255) -> str:
    """Return a number moved by one, or by ten, within its range; the least where it is none."""
    if not text.isascii() or not text.isdecimal():
        return str(least)
    moved = int(text) + step.sign * (10 if step.far else 1)
    return str(min(max(moved, least), most))
