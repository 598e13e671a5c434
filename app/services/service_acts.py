"""Acts on a meter without an order: its clock set, its supply switched; asked, recorded, read back.

The intent is on record before the first byte goes out, and what became of it after the last.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from app.errors import AppError, Cancelled
from app.services.approving import Approve, nobody_else
from app.services.confirming import confirm
from app.services.object_write import REASON, Record, answering
from app.services.relay import switch_supply, words
from app.tasks import AnswerKind, Ask, Found, Progress, Task
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


def _reason() -> Task[str]:
    reason = yield Ask("Why is it done?", (), key=REASON, kind=AnswerKind.TEXT)
    if not (reason or "").strip():
        raise Cancelled
    return (reason or "").strip()


def _not_done(record: Record, what: str, serial: str, error: BaseException) -> None:
    """Record that it was refused or stopped, or that nobody knows."""
    known = isinstance(error, _REFUSALS)
    record(f"{what}.not_done" if known else f"{what}.unknown", serial, {"error": str(error)})
    if not known and isinstance(error, DriverError):
        error.add_note("Nobody knows whether the meter did it: read it again first.")
