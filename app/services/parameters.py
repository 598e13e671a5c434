"""Parameters of a meter in a file: read, compared, written and read back.

A parameter is an attribute that this association may write; its value is kept as the meter encodes
it, so that nothing is lost in between.  Clock, calendar and firmware have commands of their own.
"""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from app.errors import BadInput, Cancelled
from app.models.engine import translated
from app.models.files import write_atomically
from app.services.booking import Book, announce
from app.services.confirming import confirm
from app.services.objects import object_list
from app.services.typed_values import encoded, text_of
from app.tasks import Found, Progress, Task
from drivers.errors import AccessDenied, DriverError, NotSupported, ValueRefused, WrongMeter
from drivers.meter import Meter
from drivers.objectmodel import ShowsObjects

KIND = "parameters"
_ELSEWHERE = frozenset({7, 8, 18, 20, 70, 115})  # classes whose attributes are no parameters
_DUMPS = "dumps"  # folder of what stood in meters before parameters were written
Opened = Callable[[], AbstractContextManager[Meter]]


@dataclass(frozen=True)
class Parameter:
    """One writable attribute; ``raw`` is its encoded value in hex."""

    code: str
    class_id: int
    attribute: int
    raw: str


@dataclass(frozen=True)
class Difference:
    """A parameter that is not as the file says; ``found`` is "" where the meter lacks it."""

    code: str
    class_id: int
    attribute: int
    wanted: str
    found: str


def read_parameters(opened: Opened, folder: Path) -> Task[tuple[Parameter, ...]]:
    """Return every attribute that may be written, with its value, and yield each as it arrives.

    Raises:
        NotSupported: This meter lists no objects.
    """
    found: list[Parameter] = []
    yield Progress("Signing on")
    with opened() as meter:
        yield Found("identity", meter.identity())
        entries = yield from object_list(meter, folder)
        wanted = [
            (one.code, one.class_id, index)
            for one in entries
            if one.class_id not in _ELSEWHERE
            for index in one.writable()
            if index > 1
        ]
        for done, (code, class_id, index) in enumerate(wanted, 1):
            yield Progress("Reading parameters", done, len(wanted))
            raw = _raw(meter, code, class_id, index)
            if raw:
                found.append(Parameter(code, class_id, index, raw))
                yield Found("parameter", found[-1])
    return tuple(found)


def compare_parameters(
    opened: Opened, wanted: tuple[Parameter, ...]
) -> Task[tuple[Difference, ...]]:
    """Return what in the meter is not as in ``wanted``."""
    with opened() as meter:
        return (yield from _compared(meter, wanted))


def write_parameters(
    opened: Opened,
    wanted: tuple[Parameter, ...],
    *,
    book: Book | None = None,
    expected: str = "",
    asked: bool = True,
    intended: Callable[[str, tuple[Difference, ...]], None] = lambda _serial, _found: None,
) -> Task[tuple[Difference, ...]]:
    """Write what differs, read each back and yield it, and return what was changed.

    Args:
        opened: Opens the meter.
        wanted: What it shall hold.
        book: The order that it belongs to.
        expected: The serial number that must be there; "" for any.
        asked: False leaves out the confirmation.
        intended: Called with the meter's number and what is about to be changed.

    Raises:
        WrongMeter: Another meter answers than the one expected, or confirmed.
        ValueRefused: The meter refused one; those before it are written.
    """
    yield Progress("Reading what stands there")
    with opened() as meter:
        serial = meter.identity().serial
        _same(serial, expected)
        differences = yield from _compared(meter, wanted)
    lacking = [one.code for one in differences if not one.found]
    if lacking:
        raise NotSupported(f"this meter does not show {', '.join(lacking)}: nothing was written")
    if not differences:
        return ()
    text = f"Change {_count(len(differences))}?"
    yield from confirm("parameters.confirm", text, serial, asked=asked)
    names = ", ".join(one.code for one in differences)
    intended(serial, differences)
    entry = announce(book, KIND, meter=serial, before="", wanted=names)
    done = 0
    try:
        with opened() as meter:
            _same(meter.identity().serial, serial)
            for one in differences:
                yield Progress("Writing parameters", done, len(differences))
                value = bytes.fromhex(one.wanted)
                _shown(meter).write_raw(one.code, one.class_id, one.attribute, value)
                done += 1
                yield Found("parameter", Parameter(*_address(one), one.wanted))
    except (DriverError, Cancelled) as error:
        said = f"{done} of {len(differences)} are written"
        error.add_note(f"{said}. What stood there before is kept, and can be written back.")
        entry.failed(error, said)
        raise
    entry.done(f"{done} written and read back")
    return differences


def keep_dump(folder: Path, serial: str, found: tuple[Difference, ...], at: datetime) -> Path:
    """Keep what stands in a meter before ``found`` is written, and return the file.

    Raises:
        NoRoom: It cannot be kept; nothing should be written then.
    """
    path = folder / _DUMPS / f"{serial}-{at:%Y%m%d-%H%M%S}.json"
    with translated(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, save_parameters(before(found)))
    return path


def before(found: tuple[Difference, ...]) -> tuple[Parameter, ...]:
    """Return what stood in the meter before these were written: writing it is the undo."""
    return tuple(Parameter(*_address(one), one.found) for one in found if one.found)


def _address(one: Difference) -> tuple[str, int, int]:
    return one.code, one.class_id, one.attribute


def _same(serial: str, expected: str) -> None:
    if expected and serial != expected:
        raise WrongMeter(f"meter {serial} answers, not {expected}", expected, serial)


def _count(number: int) -> str:
    return f"{number} parameter{'s' * (number != 1)}"


def _compared(meter: Meter, wanted: tuple[Parameter, ...]) -> Task[tuple[Difference, ...]]:
    found = []
    for done, one in enumerate(wanted, 1):
        yield Progress("Comparing parameters", done, len(wanted))
        raw = _raw(meter, one.code, one.class_id, one.attribute)
        if raw != one.raw.upper():
            found.append(Difference(one.code, one.class_id, one.attribute, one.raw.upper(), raw))
    return tuple(found)


def _raw(meter: Meter, code: str, class_id: int, index: int) -> str:
    try:
        return _shown(meter).raw(code, class_id, index).hex().upper()
    except (NotSupported, AccessDenied):
        return ""


def _shown(meter: Meter) -> ShowsObjects:
    if not isinstance(meter, ShowsObjects):
        raise NotSupported("this meter lists no objects")
    return meter


# --- files ----------------------------------------------------------------------------------


def save_parameters(parameters: tuple[Parameter, ...]) -> bytes:
    """Return the file of these parameters; single values stand beside their octets as text."""
    listed = [asdict(one) | _as_text(one) for one in parameters]
    return json.dumps({"parameters": listed}, indent=1).encode()


def _as_text(one: Parameter) -> dict[str, str]:
    text = text_of(bytes.fromhex(one.raw))
    return {"value": text} if text else {}


def _parameter(item: dict[str, Any]) -> Parameter:
    """Return one entry of a file; a ``value`` that was changed wins over the octets."""
    value = item.pop("value", None)
    found = Parameter(**item)
    raw = bytes.fromhex(found.raw)
    if value is None or value == text_of(raw):
        return found
    try:
        return replace(found, raw=encoded(raw, str(value)).hex().upper())
    except ValueRefused as error:
        raise ValueError(f"{found.code}: {error}") from error


def load_parameters(path: Path) -> tuple[Parameter, ...]:
    """Return the parameters in a file.

    Who wants another number or text writes it as the ``value``; the octets need not be touched.

    Raises:
        BadInput: The file cannot be read; the text says why.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        found = tuple(_parameter(item) for item in data["parameters"])
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} is no file of parameters: {error}") from error
    return found
