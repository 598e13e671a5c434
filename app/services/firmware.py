"""Loads firmware into a meter: confirmed, booked, resumed where it broke, read back."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from app.services.approving import Approve, nobody_else
from app.services.battery import battery, demand_charge
from app.services.booking import Book, announce
from app.services.confirming import confirm
from app.tasks import Found, Progress, Task
from drivers.errors import DriverError, NotSupported, WrongMeter
from drivers.firmware import LoadProgress, LoadStage, TakesFirmware
from drivers.meter import Meter

KIND = "firmware"
_WORDS = {
    LoadStage.SENDING: "Sending the firmware",
    LoadStage.VERIFYING: "The meter verifies the firmware",
    LoadStage.VERIFIED: "The firmware is verified",
    LoadStage.ACTIVATING: "The meter activates the firmware",
    LoadStage.ACTIVATED: "The firmware is active",
}


@dataclass(frozen=True)
class Loaded:
    """What a transfer came to."""

    serial: str
    before: str
    after: str
    blocks: int
    resumed: int
    active: bool


def load_firmware(
    opened: Callable[[], AbstractContextManager[Meter]],
    identifier: bytes,
    image: bytes,
    *,
    activate: bool = True,
    book: Book | None = None,
    expected: str = "",
    asked: bool = True,
    intended: Callable[[str, str], None] = lambda _serial, _before: None,
    approve: Approve = nobody_else,
) -> Task[Loaded]:
    """Send ``image``, have it verified, activate it, and return what the meter then runs.

    ``intended`` is called with the meter's number and its firmware, when the act is about to
    begin; ``expected`` is the number that must answer, "" for any.

    Raises:
        NotPermitted: The battery is nearly empty, or nobody approved.
        WrongMeter: Another meter answers than the one expected, or confirmed.
        NotSupported: The meter takes no image.
        ValueRefused: It refused the image.
    """
    demand_charge(battery())
    yield Progress("Reading who the meter is")
    with opened() as meter:
        _taking(meter)
        before = meter.identity()
        _same(before.serial, expected)
    name = identifier.decode("ascii", "replace")
    text = f"Load firmware {name} in place of {before.firmware or 'what it runs'}?"
    yield from approve(f"Who approves firmware {name} for meter {before.serial}?", before.serial)
    yield from confirm("firmware.confirm", text, before.serial, asked=asked)
    intended(before.serial, before.firmware)
    entry = announce(book, KIND, meter=before.serial, before=before.firmware, wanted=name)
    last: LoadProgress | None = None
    try:
        with opened() as meter:
            _same(meter.identity().serial, before.serial)
            for last in _taking(meter).load_firmware(identifier, image, activate=activate):
                yield Progress(_WORDS[last.stage], last.done, last.total, "blocks")
            after = meter.identity()
    except DriverError as error:
        if last is not None and last.stage is LoadStage.SENDING:
            error.add_note(
                f"{last.done:,} of {last.total:,} blocks are in the meter."
                " Load the same file again: it goes on from there."
            )
        entry.failed(error, "" if last is None else f"{last.stage} {last.done} of {last.total}")
        raise
    entry.done(after.firmware)
    blocks, resumed = (last.total, last.resumed) if last else (0, 0)
    loaded = Loaded(before.serial, before.firmware, after.firmware, blocks, resumed, activate)
    yield Found("firmware", loaded)
    return loaded


def _taking(meter: Meter) -> TakesFirmware:
    if not isinstance(meter, TakesFirmware):
        raise NotSupported("this meter takes no firmware over the wire")
    return meter


def _same(serial: str, expected: str) -> None:
    if expected and serial != expected:
        raise WrongMeter(f"meter {serial} answers, not {expected}", expected, serial)
