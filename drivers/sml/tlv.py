"""SML's type-length-value coding, read without trusting a single length."""

from dataclasses import dataclass

_OCTETS, _BOOL, _INT, _UINT, _LIST = 0x0, 0x4, 0x5, 0x6, 0x7
_MORE = 0x80
_DEEPEST = 12
_LONGEST = 65_536
_MOST_NODES = 20_000


class Malformed(ValueError):
    """The octets are no SML; the text says where."""


@dataclass(frozen=True, slots=True)
class Node:
    """One element: ``value`` is bytes, bool, int, a list of nodes, or None for "left out".

    ``start`` and ``end`` are its place in the data.
    """

    value: "bytes | bool | int | list[Node] | None"
    start: int
    end: int

    @property
    def items(self) -> "list[Node]":
        """The elements of a list; none of anything else."""
        return self.value if isinstance(self.value, list) else []

    @property
    def number(self) -> int | None:
        """The value of an integer, None of anything else."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            return None
        return self.value

    @property
    def octets(self) -> bytes:
        """The value of an octet string, empty of anything else."""
        return self.value if isinstance(self.value, bytes) else b""


class _Parser:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.nodes = 0

    def node(self, place: int, depth: int = 0) -> Node:
        self.nodes += 1
        if depth > _DEEPEST or self.nodes > _MOST_NODES:
            raise Malformed(f"too many elements at octet {place}")
        kind, length, begin = self._head(place)
        if self.data[place] == 0:  # the end of a message
            return Node(None, place, begin)
        if kind == _LIST:
            items, at = [], begin
            for _ in range(length):
                item = self.node(at, depth + 1)
                items.append(item)
                at = item.end
            return Node(items, place, at)
        end = place + length
        if end < begin or end > len(self.data):
            raise Malformed(f"the element at octet {place} is longer than its data")
        return Node(_value(kind, self.data[begin:end], place), place, end)

    def _head(self, place: int) -> tuple[int, int, int]:
        """Return type, length (octets with this head, or elements of a list) and what follows."""
        if place >= len(self.data):
            raise Malformed(f"the data end at octet {place}")
        octet = self.data[place]
        kind, length, at = octet >> 4 & 0x7, octet & 0x0F, place + 1
        while octet & _MORE:
            if at >= len(self.data):
                raise Malformed(f"the data end at octet {at}")
            octet = self.data[at]
            length, at = length << 4 | octet & 0x0F, at + 1
            if length > _LONGEST:
                raise Malformed(f"the element at octet {place} claims {length} octets")
        return kind, length, at


def _value(kind: int, data: bytes, place: int) -> bytes | bool | int | None:
    if kind == _OCTETS:
        return data or None
    if not data:
        raise Malformed(f"the element at octet {place} is empty")
    if kind == _BOOL:
        return any(data)
    if kind in {_INT, _UINT}:
        return int.from_bytes(data, "big", signed=kind == _INT)
    raise Malformed(f"octet {place} is no SML type")


def parse(data: bytes, place: int = 0) -> Node:
    """Return the element that begins at ``place``.

    Raises:
        Malformed: There is none.
    """
    return _Parser(data).node(place)
