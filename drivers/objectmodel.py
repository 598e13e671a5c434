"""The object model of a DLMS meter: what is there, and raw values in and out.

Meters that show it have the methods of `ShowsObjects` beside those of `drivers.meter.Meter`.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from drivers.values import Reading

CLASS_NAMES = {
    1: "Data", 3: "Register", 4: "Extended register", 5: "Demand register",
    6: "Register activation", 7: "Profile", 8: "Clock", 9: "Script table", 10: "Schedule",
    11: "Special days", 12: "Association (short names)", 15: "Association",
    17: "Logical devices", 18: "Image transfer",
    19: "Optical port", 20: "Activity calendar", 21: "Register monitor", 22: "Action schedule",
    23: "HDLC setup", 40: "Push", 41: "TCP and UDP setup", 42: "IPv4 setup", 43: "MAC address",
    44: "PPP setup", 45: "GPRS modem", 48: "IPv6 setup", 62: "Compact data", 64: "Security",
    68: "Arbitrator", 70: "Supply switch", 71: "Limiter", 72: "M-Bus client",
    111: "Account", 112: "Credit", 113: "Charge", 115: "Token gateway", 116: "STS attributes",
}  # fmt: skip
READABLE, WRITABLE = 1, 2


@dataclass(frozen=True, slots=True)
class ObjectEntry:
    """One object of the list; ``attributes`` are numbers with their access (1 read, 2 write)."""

    class_id: int
    version: int
    code: str
    attributes: tuple[tuple[int, int], ...] = ()
    methods: tuple[int, ...] = ()
    name: str = ""  # what the meter's type calls it, "" where it has no name of its own

    @property
    def class_name(self) -> str:
        """The class in words; its number where nobody knows it."""
        return CLASS_NAMES.get(self.class_id, f"class {self.class_id}")

    def writable(self) -> tuple[int, ...]:
        """Return the attributes that this association may write."""
        return tuple(index for index, access in self.attributes if access & WRITABLE)


@dataclass(frozen=True, slots=True)
class AttributeReading:
    """One attribute as it was read.

    ``reading`` is its number with the unit, or its text; ``value`` the decoded value, structures
    included; ``refused`` why there is none, "" where there is.
    """

    code: str
    class_id: int
    attribute: int
    reading: Reading
    value: object = None
    refused: str = ""


@runtime_checkable
class ShowsObjects(Protocol):
    """A meter that lists its objects and gives their values raw."""

    def objects(self) -> tuple[ObjectEntry, ...]:
        """Return the object list of this association."""

    def listing(self) -> Generator[int, None, tuple[ObjectEntry, ...]]:
        """Read the object list; yield how many octets have come, and return it."""

    def read_objects(self, wanted: Sequence[tuple[str, int, int]]) -> list[AttributeReading]:
        """Return attributes (code, class, number); one denied or absent has its reason."""

    def raw(self, code: str, class_id: int, attribute: int) -> bytes:
        """Return an attribute as the meter encodes it."""

    def write_raw(self, code: str, class_id: int, attribute: int, value: bytes) -> bytes:
        """Write an encoded attribute and return what reads back.

        Raises:
            ValueRefused: The meter refused, or something else reads back.
        """
