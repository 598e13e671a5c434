"""Reads and writes a meter's switching table: checked, confirmed, booked, read back."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from app.services.booking import Book, announce
from app.services.confirming import confirm
from app.services.shapes import time_text
from app.tasks import Found, Progress, Task
from drivers.calendar import Calendar, CalendarReading, KeepsCalendar, SpecialDay
from drivers.errors import DriverError, NotSupported, WrongMeter
from drivers.meter import Meter

KIND = "calendar"
Opened = Callable[[], AbstractContextManager[Meter]]


def read_calendar(opened: Opened) -> Task[CalendarReading]:
    """Read both tables and the special days.

    Raises:
        NotSupported: This meter has no switching table that can be read.
    """
    yield Progress("Reading the calendar")
    with opened() as meter:
        yield Found("identity", meter.identity())
        found = _keeper(meter).calendar()
    yield Found("calendar", found)
    return found


def write_calendar(
    opened: Opened,
    calendar: Calendar,
    special_days: tuple[SpecialDay, ...] | None,
    activation: datetime | None,
    *,
    book: Book | None = None,
    expected: str = "",
    asked: bool = True,
    intended: Callable[[str, str], None] = lambda _serial, _before: None,
) -> Task[tuple[CalendarReading, CalendarReading]]:
    """Write the passive table, bring it into force, and return what was there before and after.

    ``intended`` is called with the meter's number and the table in force, when the act is about
    to begin; ``expected`` is the number that must answer, "" for any.

    Raises:
        WrongMeter: Another meter answers than the one expected, or confirmed.
        NotSupported: The table is wrong or too large for this make; nothing was written.
        ValueRefused: The meter refused, or something else reads back.
    """
    yield Progress("Reading the calendar")
    with opened() as meter:
        serial = _answering(meter, expected)
        before = _keeper(meter).calendar()
    when = "at once" if activation is None else f"at {time_text(activation)}"
    said = when if activation is None else f"on {activation.astimezone():%Y-%m-%d at %H:%M}"
    text = f"Replace the calendar {before.active.name} by {calendar.name}, {said}?"
    yield from confirm("calendar.confirm", text, serial, asked=asked)
    intended(serial, before.active.name)
    entry = announce(
        book, KIND, meter=serial, before=before.active.name, wanted=f"{calendar.name} {when}"
    )
    yield Progress("Writing the calendar")
    try:
        with opened() as meter:
            _answering(meter, serial)
            after = _keeper(meter).write_calendar(calendar, special_days, activation)
    except DriverError as error:
        entry.failed(error)
        raise
    entry.done((after.active if activation is None else after.passive).name)
    yield Found("calendar", after)
    return before, after


def _answering(meter: Meter, expected: str) -> str:
    serial = meter.identity().serial
    if expected and serial != expected:
        raise WrongMeter(f"meter {serial} answers, not {expected}", expected, serial)
    return serial


def _keeper(meter: Meter) -> KeepsCalendar:
    if not isinstance(meter, KeepsCalendar):
        raise NotSupported("this meter has no switching table that can be read")
    return meter
