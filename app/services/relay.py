"""Opens, closes and arms a meter's supply switch: asked for twice, booked, and read back."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from app.errors import BadInput
from app.services.approving import Approve, nobody_else
from app.services.booking import Book, announce
from app.services.confirming import confirm
from app.tasks import Found, Progress, Task
from drivers.errors import DriverError, NotSupported
from drivers.meter import Meter
from drivers.switching import SwitchesSupply, Switching, hindrance
from drivers.values import Identity, RelayReading

KIND = "relay"
_QUESTIONS = {
    Switching.OPEN: "Switch the customer's supply off?",
    Switching.CLOSE: "Switch the customer's supply on?",
    Switching.ARM: "Let the customer switch the supply on?",
}
_WANTED = {
    Switching.OPEN: "disconnected",
    Switching.CLOSE: "connected",
    Switching.ARM: "ready for reconnection",
}


def switch_supply(
    opened: Callable[[], AbstractContextManager[Meter]],
    action: Switching,
    *,
    book: Book | None = None,
    expected: str = "",
    asked: bool = True,
    approve: Approve = nobody_else,
    intended: Callable[[str], None] = lambda _before: None,
) -> Task[tuple[Identity, RelayReading, RelayReading]]:
    """Operate the switch and return who the meter is, and its switch before and after.

    The meter is signed off while the question is open.

    Args:
        opened: Opens the meter.
        action: What to do.
        book: The order that it belongs to.
        expected: The serial number that must be there; "" for any.
        asked: False leaves out the confirmation.
        approve: Has a second person approve that a supply is switched off.
        intended: Called with the state before, when the act is confirmed and about to begin.

    Raises:
        BadInput: Another meter is there, or another number was typed.
        NotSupported: The meter, or the mode of its switch, does not allow it.
        ValueRefused: The switch did not follow.
    """
    yield Progress("Reading the supply switch")
    with opened() as meter:
        if not isinstance(meter, SwitchesSupply):
            raise NotSupported("this meter's supply cannot be switched over the wire")
        identity, before = meter.identity(), meter.relay()
    yield Found("relay", before)
    serial = identity.serial or identity.utility_serial
    if expected and expected != serial:
        raise BadInput(f"meter {serial} answers, not {expected}: nothing was switched")
    if refused := hindrance(action, before.mode):
        raise NotSupported(refused)
    if action is Switching.OPEN:
        yield from approve(f"Who approves that the supply of meter {serial} is off?", serial)
    yield from confirm("relay.confirm", _QUESTIONS[action], serial, asked=asked)
    entry = announce(book, KIND, meter=serial, before=words(before), wanted=_WANTED[action])
    intended(words(before))
    yield Progress("Switching the supply")
    try:
        with opened() as meter:
            after = _switched(meter, identity, action)
    except (DriverError, BadInput) as error:
        entry.failed(error)
        raise
    entry.done(words(after))
    yield Found("relay", after)
    return identity, before, after


def _switched(meter: Meter, identity: Identity, action: Switching) -> RelayReading:
    if not isinstance(meter, SwitchesSupply) or meter.identity() != identity:
        raise BadInput("another meter answers than the one that was confirmed")
    return meter.switch(action)


def words(relay: RelayReading) -> str:
    """Return the state of the switch in words."""
    flow = "supply on" if relay.output else "supply off"
    return f"{relay.state}, {flow}, mode {relay.mode}"
