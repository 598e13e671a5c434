"""Compares the parameters of a meter with those of a file, line by line, in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.services.attribute_words import shown
from app.services.attributes import name_of
from app.services.object_groups import title_of
from app.services.parameters import Parameter
from app.services.typed_values import typed
from drivers.dlms.data import decode
from drivers.errors import GarbledReply
from drivers.objectmodel import ObjectEntry

_HEX = "hex:"
_LONG = 3  # parts of a value that are told in the table


class State(StrEnum):
    """How a parameter of the meter stands to that of the file."""

    SAME = "same"
    DIFFERS = "differs"
    NOT_IN_METER = "not in the meter"
    NOT_IN_FILE = "not in the file"


@dataclass(frozen=True)
class Line:
    """One parameter; ``meter`` and ``file`` are its encoded values in hex, "" where it is not."""

    code: str
    class_id: int
    attribute: int
    meter: str = ""
    file: str = ""

    @property
    def state(self) -> State:
        """How the two stand to each other."""
        if not self.meter:
            return State.NOT_IN_METER
        if not self.file:
            return State.NOT_IN_FILE
        return State.SAME if self.meter == self.file else State.DIFFERS

    @property
    def title(self) -> str:
        """What people call the object."""
        return title_of(ObjectEntry(self.class_id, 0, self.code))

    @property
    def name(self) -> str:
        """What the attribute is called."""
        return name_of(self.class_id, self.attribute)

    @property
    def wanted(self) -> Parameter:
        """The parameter as the file wants it."""
        return Parameter(self.code, self.class_id, self.attribute, self.file)

    def words(self, raw: str) -> str:
        """Put one of the two values into words; "" for none."""
        return value_words(self.class_id, self.attribute, raw)


def compared(meter: Iterable[Parameter], file: Iterable[Parameter]) -> tuple[Line, ...]:
    """Return a line for every parameter of either, in the order of the meter, then of the file."""
    lines = {_address(one): Line(*_address(one), meter=one.raw.upper()) for one in meter}
    for one in file:
        address = _address(one)
        known = lines.get(address)
        lines[address] = Line(*address, known.meter if known else "", one.raw.upper())
    return tuple(lines.values())


def value_words(class_id: int, attribute: int, raw: str) -> str:
    """Put an encoded value into words: typed as people would, structures in short."""
    if not raw:
        return ""
    octets = bytes.fromhex(raw)
    text = typed(octets)
    if text and not text.lower().startswith(_HEX):
        meaning = shown(class_id, attribute, decode(octets)).meaning
        return f"{text}, {meaning}" if meaning else text
    try:
        told = shown(class_id, attribute, decode(octets))
    except GarbledReply:
        return raw
    parts = [" ".join(part for part in (line.name, line.text) if part) for line in told.lines]
    if not parts:
        return told.text
    few = "; ".join(parts[:_LONG])
    return few if len(parts) <= _LONG else f"{told.text}: {few}…"


def _address(one: Parameter) -> tuple[str, int, int]:
    return one.code, one.class_id, one.attribute


def differing(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Return the lines that can be written: both sides have them, and they differ."""
    return tuple(line for line in lines if line.state is State.DIFFERS)
