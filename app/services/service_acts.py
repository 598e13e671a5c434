"""Acts on a meter without an order: its clock set, its supply switched; asked, recorded, read back.

The intent is on record before the first byte goes out, and what became of it after the last.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

from app.errors import AppError, Cancelled
from app.models.base import utc_now
from app.services.approving import Approve, nobody_else
from app.services.calendar import write_calendar
from app.services.calendar_draft import Draft
from app.services.calendar_interrupted import Interrupted, begin, end
from app.services.confirming import confirm
from app.services.firmware import Loaded, load_firmware
from app.services.object_write import REASON, Record, answering
from app.services.parameters import Difference, Parameter, keep_dump, write_parameters
from app.services.relay import switch_supply, words
from app.tasks import AnswerKind, Ask, Found, Progress, Task
from drivers.calendar import CalendarReading
from drivers.errors import AccessDenied, DriverError, NotSupported, ValueRefused
from drivers.meter import Meter
from drivers.switching import Switching
from drivers.values import ClockReading, RelayReading

CLOCK_CONFIRM, RELAY_CONFIRM = "clock.confirm", "relay.confirm"
Opened = Callable[[], AbstractContextManager[Meter]]
T = TypeVar("T")
_REFUSALS = (ValueRefused, NotSupported, AccessDenied, AppError)  # nothing was changed


def adjust_clock(
    opened: Opened, record: Record, expected: str = ""
) -> Task[tuple[ClockReading, ClockReading]]:
    """Set the clock to this computer's time after a confirmation; return it before and after.

    Raises:
        WrongMeter: Another meter answers than ``expected``, or than the one confirmed.
        ValueRefused: The meter refused, or the time did not stick.
    """
    yield Progress("Reading the clock")
    with opened() as meter:
        serial = answering(meter, expected)
        before = meter.clock()
    yield Found("clock", before)
    reason = yield from _reason()
    text = f"Set the clock of this meter? It is off by {before.offset} s."
    yield from confirm(CLOCK_CONFIRM, text, serial)
    record("clock.setting", serial, {"before": str(before.offset), "reason": reason})
    yield Progress("Setting the clock. Do not lift the probe")
    try:
        with opened() as meter:
            answering(meter, serial)
            after = meter.set_clock()
    except (DriverError, AppError, Cancelled) as error:
        _not_done(record, "clock", serial, error)
        raise
    record("clock.set", serial, {"read_back": str(after.offset)})
    yield Found("clock", after)
    return before, after


def operate_supply(
    opened: Opened,
    action: Switching,
    record: Record,
    expected: str = "",
    approve: Approve = nobody_else,
) -> Task[tuple[RelayReading, RelayReading]]:
    """Operate the supply switch as `switch_supply` does, for a reason that is recorded."""
    reason = yield from _reason()
    begun = False

    def intended(before: str) -> None:
        nonlocal begun
        begun = True
        body = {"wanted": str(action), "before": before, "reason": reason}
        record("relay.switching", expected, body)

    acting = switch_supply(opened, action, expected=expected, approve=approve, intended=intended)
    try:
        who, before, after = yield from acting
    except (DriverError, AppError, Cancelled) as error:
        if begun:
            _not_done(record, "relay", expected, error)
        raise
    record("relay.switched", who.serial, {"read_back": words(after)})
    return before, after


def change_parameters(
    opened: Opened,
    wanted: tuple[Parameter, ...],
    folder: Path,
    record: Record,
    expected: str = "",
) -> Task[tuple[Difference, ...]]:
    """Write parameters as `write_parameters` does; what stood there before is kept in a dump."""

    def act(intended: Intended) -> Task[tuple[Difference, ...]]:
        def begun(serial: str, found: tuple[Difference, ...]) -> None:
            kept = keep_dump(folder, serial, found, utc_now())
            names = [f"{one.code}/{one.class_id}/{one.attribute}" for one in found]
            intended(serial, {"wanted": names, "dump": kept.name})

        return write_parameters(opened, wanted, expected=expected, intended=begun)

    return (yield from _recorded(record, "parameters", act))


def replace_calendar(
    opened: Opened,
    wanted: Draft,
    folder: Path,
    record: Record,
    *,
    expected: str = "",
) -> Task[tuple[CalendarReading, CalendarReading]]:
    """Write a switching table as `write_calendar` does, for a reason that is recorded.

    What is on its way is kept in ``folder`` until it has read back, so that after a break or a
    crash it can be said what of it stands in the meter.
    """

    def act(intended: Intended) -> Task[tuple[CalendarReading, CalendarReading]]:
        def begun(serial: str, before: str) -> None:
            begin(folder, Interrupted(serial, wanted, before, utc_now()))
            intended(serial, {"wanted": wanted.table.name, "before": before})

        return write_calendar(
            opened,
            wanted.table,
            wanted.special_days,
            wanted.activation,
            expected=expected,
            intended=begun,
        )

    result = yield from _recorded(record, "calendar", act)
    end(folder)
    return result


def replace_firmware(
    opened: Opened,
    name: str,
    image: bytes,
    record: Record,
    expected: str = "",
    *,
    activate: bool = True,
    approve: Approve = nobody_else,
) -> Task[Loaded]:
    """Load firmware as `load_firmware` does, for a reason that is recorded."""

    def act(intended: Intended) -> Task[Loaded]:
        def begun(serial: str, before: str) -> None:
            intended(serial, {"wanted": name, "before": before, "octets": len(image)})

        return load_firmware(
            opened,
            name.encode("ascii", "replace"),
            image,
            activate=activate,
            expected=expected,
            intended=begun,
            approve=approve,
        )

    return (yield from _recorded(record, "firmware", act))


Intended = Callable[[str, dict[str, Any]], None]  # the meter's number, and what is about to be done


def _recorded(record: Record, what: str, act: Callable[[Intended], Task[T]]) -> Task[T]:
    """Ask for a reason, and record what is about to be done and what became of it."""
    reason = yield from _reason()
    meters: list[str] = []

    def intended(serial: str, body: dict[str, Any]) -> None:
        record(f"{what}.writing", serial, {**body, "reason": reason})
        meters.append(serial)

    try:
        result = yield from act(intended)
    except (DriverError, AppError, Cancelled) as error:
        for serial in meters:
            _not_done(record, what, serial, error)
        raise
    for serial in meters:
        record(f"{what}.written", serial, {})
    return result


def _reason() -> Task[str]:
    reason = yield Ask("Why is it done?", (), key=REASON, kind=AnswerKind.TEXT)
    if not (reason or "").strip():
        raise Cancelled
    return (reason or "").strip()


def _not_done(record: Record, what: str, serial: str, error: BaseException) -> None:
    """Record that it was refused or stopped, or that nobody knows.

    A calendar goes over in parts: what was refused at one of them may have left others written.
    """
    known = isinstance(error, _REFUSALS)
    told = {"error": str(error), "notes": list(getattr(error, "__notes__", ()))}
    refused = "not_finished" if what == "calendar" else "not_done"
    record(f"{what}.{refused}" if known else f"{what}.unknown", serial, told)
    if not known and isinstance(error, DriverError):
        error.add_note("Nobody knows whether the meter did it: read it again first.")
