"""Writes one attribute of a meter: asked for step by step, recorded, read back.

What is about to be written is on record before the first byte goes out, and what became of it
after the last.  A write whose answer was lost is never repeated: the record says that nobody knows.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import BadInput, Cancelled, NotPermitted
from app.services.attributes import name_of, why_not_written
from app.services.confirming import confirm
from app.services.objects import Address, object_list, read_attributes, showing
from app.services.typed_values import encoded, kind_of
from app.tasks import AnswerKind, Ask, Found, Progress, Task
from drivers.errors import AccessDenied, DriverError, NotSupported, ValueRefused, WrongMeter
from drivers.meter import Meter
from drivers.objectmodel import AttributeReading

VALUE, REASON, CONFIRM = "object.value", "object.reason", "object.confirm"
_REFUSALS = (ValueRefused, NotSupported, AccessDenied)  # after these the old value still stands
Record = Callable[[str, str, dict[str, Any]], None]  # act, subject, body


@dataclass(frozen=True)
class Standing:
    """What stands in the meter before a write; ``raw`` as the meter encodes it."""

    address: Address
    raw: bytes
    before: AttributeReading


@dataclass(frozen=True)
class Written:
    """One write that the meter kept: before, wanted (as typed) and what reads back."""

    address: Address
    before: AttributeReading
    wanted: str
    after: AttributeReading


def no_record(act: str, subject: str, body: dict[str, Any]) -> None:
    """Keep no record of what is written."""
    del act, subject, body


def write_attribute(
    opened: Callable[[], AbstractContextManager[Meter]],
    address: Address,
    folder: Path,
    *,
    expected: str = "",
    record: Record = no_record,
) -> Task[Written]:
    """Ask for a value and a reason, confirm the meter, write, and return what reads back.

    The meter is signed off while a question is open.

    Raises:
        NotPermitted: This association may not write it, or it has a command of its own.
        WrongMeter: Another meter answers than ``expected``, or than the one confirmed.
        ValueRefused: The meter did not take the value, or another one reads back.
    """
    yield Progress("Reading what stands there")
    with opened() as meter:
        serial = answering(meter, expected)
        entries = yield from object_list(meter, folder)
        entry = next((one for one in entries if (one.code, one.class_id) == address[:2]), None)
        if entry is None:
            raise NotSupported(f"{address[0]}: this meter lists no such object")
        if refused := why_not_written(entry, address[2]):
            raise NotPermitted(refused)
        raw = showing(meter).raw(*address)
        (before,) = yield from read_attributes(meter, [address])
    yield Found("standing", Standing(address, raw, before))
    text, value = yield from _asked_value(raw)
    reason = yield Ask("Why is it changed?", (), key=REASON, kind=AnswerKind.TEXT)
    if not (reason or "").strip():
        raise Cancelled
    question = f"Write {text} to {name_of(*address[1:])} of {address[0]}?"
    yield from confirm(CONFIRM, question, serial)
    subject = "/".join(map(str, (serial, *address)))
    body = {"before": raw.hex().upper(), "wanted": value.hex().upper(), "reason": reason}
    record("object.writing", subject, body)
    yield Progress("Writing. Do not lift the probe")
    sent = False
    try:
        with opened() as meter:
            answering(meter, serial)
            sent = True
            showing(meter).write_raw(*address, value)
            (after,) = yield from read_attributes(meter, [address])
    except (DriverError, Cancelled) as error:
        known = not sent or isinstance(error, _REFUSALS)
        record("object.not_written" if known else "object.unknown", subject, {"error": str(error)})
        if not known:
            error.add_note("Nobody knows whether the meter took the value: read it again first.")
        raise
    record("object.written", subject, {"read_back": value.hex().upper()})
    written = Written(address, before, text, after)
    yield Found("written", written)
    return written


def _asked_value(raw: bytes) -> Task[tuple[str, bytes]]:
    """Ask until the answer is a value of the type that stands in the meter."""
    wanted = kind_of(raw) or "hex: and the encoded value"
    detail = f"It is {wanted}."
    while True:
        text = yield Ask("New value", (), key=VALUE, kind=AnswerKind.TEXT, detail=detail)
        if not text:
            raise Cancelled
        try:
            return text.strip(), encoded(raw, text)
        except ValueRefused as error:
            detail = str(error)


def answering(meter: Meter, expected: str) -> str:
    """Return the number of the meter that answers, when it is the one expected.

    Raises:
        WrongMeter: It is another one.
        BadInput: It does not tell its number, so that nobody can confirm it.
    """
    who = meter.identity()
    serial = who.serial or who.utility_serial
    if expected and serial != expected:
        raise WrongMeter(f"meter {serial} answers, not {expected}", expected, serial)
    if not serial:
        raise BadInput("this meter does not tell its number: nothing is written to it from here")
    return serial
