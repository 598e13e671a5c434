"""Parameters of a meter in a file: read, compared, written and read back.

A parameter is an attribute that this association may write; its value is kept as the meter encodes
it, so that nothing is lost in between.  Clock, calendar and firmware have commands of their own.
"""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from app.errors import BadInput
from app.services.booking import Book, announce
from app.services.confirming import confirm
from app.services.objects import object_list
from app.services.typed_values import encoded, text_of
from app.tasks import Progress, Task
from drivers.errors import AccessDenied, DriverError, NotSupported, ValueRefused
from drivers.meter import Meter
from drivers.objectmodel import ShowsObjects

KIND = "parameters"
_ELSEWHERE = frozenset({7, 8, 18, 20, 70, 115})  # classes whose attributes are no parameters
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
    """Return every attribute that may be written, with its value.

    Raises:
        NotSupported: This meter lists no objects.
    """
    found: list[Parameter] = []
    with opened() as meter:
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
    return tuple(found)


def compare_parameters(
    opened: Opened, wanted: tuple[Parameter, ...]
) -> Task[tuple[Difference, ...]]:
    """Return what in the meter is not as in ``wanted``."""
    with opened() as meter:
        return (yield from _compared(meter, wanted))


def write_parameters(
    opened: Opened, wanted: tuple[Parameter, ...], *, book: Book | None = None, asked: bool = True
) -> Task[tuple[Difference, ...]]:
    """Write what differs, read each back, and return what was changed.

    Raises:
        ValueRefused: The meter refused one; those before it are written.
    """
    with opened() as meter:
        serial = meter.identity().serial
        differences = yield from _compared(meter, wanted)
    if not differences:
        return ()
    text = f"Change {len(differences)} parameters?"
    yield from confirm("parameters.confirm", text, serial, asked=asked)
    names = ", ".join(one.code for one in differences)
    entry = announce(book, KIND, meter=serial, before="", wanted=names)
    done = 0
    try:
        with opened() as meter:
            for one in differences:
                yield Progress("Writing parameters", done, len(differences))
                value = bytes.fromhex(one.wanted)
                _shown(meter).write_raw(one.code, one.class_id, one.attribute, value)
                done += 1
    except DriverError as error:
        entry.failed(error, f"{done} of {len(differences)} written")
        raise
    entry.done(f"{done} written and read back")
    return differences


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
