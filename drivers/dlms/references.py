"""What the two ways of naming objects, logical and short, have in common: their services."""

from collections.abc import Generator, Iterator, Sequence
from typing import Protocol

from drivers.dlms.acse import Association
from drivers.dlms.apdu import Attribute
from drivers.dlms.lists import Item
from drivers.objectmodel import ObjectEntry


class Asking(Protocol):
    """What the services need of a session."""

    @property
    def agreed(self) -> Association | None:
        """What the meter agreed to, None before that."""

    @property
    def room(self) -> int:
        """Octets of the longest request that the meter takes in one piece; 0: any."""

    def number(self) -> int:
        """Return the number of the next request."""

    def asked(self, request: bytes, *, again: bool = False, secret: bool = False) -> bytes:
        """Send a request and return its answer; ``again`` once more on a new link."""

    def parts(self, request: bytes) -> Iterator[bytes]:
        """Send a request and yield its answer, a piece at a time where it comes in pieces."""

    def told(self, request: bytes) -> None:
        """Send a request that has no answer."""


class References(Protocol):
    """Reads, writes and calls what objects have."""

    def blocks(self, attribute: Attribute, what: str, selector: bytes) -> Iterator[bytes]:
        """Yield the raw data of an attribute as it arrives."""

    def set(self, attribute: Attribute, value: bytes, what: str) -> None:
        """Write an encoded value."""

    def get_list(self, wanted: Sequence[tuple[Attribute, str]]) -> list[Item]:
        """Return several attributes, each decoded or the error in its place."""

    def action(self, method: Attribute, what: str, parameter: bytes, *, secret: bool) -> bytes:
        """Call a method; return what it gives back, encoded."""

    def proved(self, proof: bytes) -> bytes:
        """Hand over the answer to the meter's challenge; return its answer to ours, encoded."""

    def entries(self) -> tuple[ObjectEntry, ...]:
        """Return the object list of the association."""

    def listing(self) -> Generator[int, None, tuple[ObjectEntry, ...]]:
        """Read the object list; yield how many octets have come, and return it."""
