"""What the attributes of an interface class are called, and what kind of value each holds."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from drivers.objectmodel import READABLE, WRITABLE, ObjectEntry
from resources import resource

NAME, BUFFER, SECRET, UNIT = "name", "buffer", "secret", "unit"
_FIRST = 2  # attribute 1 is the logical name of every class
_TIME_OF_CLOCK = (8, 2)
_BY_CLOCK = "It is set under Clock and supply, which accounts for the delay of the line."
_WITH_SERVICES = frozenset({18, 70, 115})  # firmware, supply switch, token gateway: only by theirs


@dataclass(frozen=True)
class ClassWords:
    """The words of one class; paths like "3.1" reach into structures."""

    names: tuple[str, ...] = ()
    kinds: dict[str, str] = field(default_factory=dict)
    enums: dict[str, list[str]] = field(default_factory=dict)
    bits: dict[str, list[str]] = field(default_factory=dict)
    parts: dict[str, list[str]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)

    def kind(self, path: str) -> str:
        """Return what stands at ``path``; "" for a plain value."""
        return NAME if path == "1" else self.kinds.get(path, "")


def words_of(class_id: int) -> ClassWords:
    """Return the words of a class; none for one that nobody listed."""
    return _all().get(class_id, ClassWords())


def name_of(class_id: int, attribute: int) -> str:
    """Return what an attribute is called: "Value"; its number where the class is unknown."""
    if attribute == 1:
        return "Logical name"
    names = words_of(class_id).names
    at = attribute - _FIRST
    name = names[at] if 0 <= at < len(names) else ""
    return name or f"Attribute {attribute}"


def attributes_of(entry: ObjectEntry) -> tuple[int, ...]:
    """Return the attributes of an object: those the meter lists, else those of its class."""
    if entry.attributes:
        return tuple(sorted(index for index, _ in entry.attributes))
    known = len(words_of(entry.class_id).names)
    return tuple(range(1, _FIRST + max(1, known)))


def access_of(entry: ObjectEntry, attribute: int) -> int | None:
    """Return 1 read, 2 write or both together; None where the association does not tell."""
    return dict(entry.attributes).get(attribute) if entry.attributes else None


def worth_reading(entry: ObjectEntry, attribute: int) -> bool:
    """Tell whether an attribute is asked for: not a secret, not a buffer, not one denied."""
    kind = words_of(entry.class_id).kind(str(attribute))
    access = access_of(entry, attribute)
    allowed = access is None or bool(access & READABLE)
    return allowed and kind not in {SECRET, BUFFER} and attribute > 1


def why_not_written(entry: ObjectEntry, attribute: int) -> str:
    """Return why an attribute is not written here, "" where it can be."""
    kind = words_of(entry.class_id).kind(str(attribute))
    access = access_of(entry, attribute)
    reasons = (
        (attribute == 1 or kind == BUFFER, "This is never written."),
        (kind == SECRET, "Passwords and keys are not written here."),
        (
            entry.class_id in _WITH_SERVICES,
            "This has a page or command of its own, which knows its rules.",
        ),
        ((entry.class_id, attribute) == _TIME_OF_CLOCK, _BY_CLOCK),
        (access is None, "The meter does not tell whether this may be written."),
        (not (access or 0) & WRITABLE, "This association may not write it."),
    )
    return next((reason for true, reason in reasons if true), "")


@cache
def _all() -> dict[int, ClassWords]:
    data: dict[str, Any] = tomllib.loads(
        resource("classes", "attributes.toml").read_text(encoding="utf-8")
    )
    return {
        int(number): ClassWords(**{**listed, "names": tuple(listed["names"])})
        for number, listed in data.items()
    }
