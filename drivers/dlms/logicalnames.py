"""Objects named by class and logical name: GET, SET and ACTION with their blocks and lists."""

from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial

from drivers.dlms import lists
from drivers.dlms.actions import Call, perform
from drivers.dlms.apdu import (
    Attribute,
    Data,
    beginning,
    get_answer,
    get_next_request,
    get_request,
    set_answer,
    set_request,
)
from drivers.dlms.basenames import access
from drivers.dlms.data import decode, octets
from drivers.dlms.references import Asking
from drivers.errors import AccessDenied, GarbledReply, NotSupported
from drivers.obis import from_bytes
from drivers.objectmodel import ObjectEntry

_ASSOCIATION = bytes((0, 0, 40, 0, 0, 255))
_LIST = Attribute(15, _ASSOCIATION, 2)
_REPLY_TO_HLS = Attribute(15, _ASSOCIATION, 1)
_BLOCKS_MAX = 1 << 20
_CODE = 6  # octets of a logical name
_HEAD = 4  # octets before the data of a GET answer


class LogicalNames:
    """The services of an association with logical names."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def blocks(self, attribute: Attribute, what: str, selector: bytes) -> Iterator[bytes]:
        """Yield the raw data of an attribute, block by block as it arrives."""
        request = get_request(self._asking.number(), attribute, selector)
        parts = self._asking.parts(request)
        head = beginning(parts, _HEAD + 1)
        if head[:2] == b"\xc4\x01" and len(head) > _HEAD and not head[3]:
            yield head[_HEAD:]
            yield from parts
            return
        yield from self._following(request, head + b"".join(parts), what, get_answer)

    def _following(
        self, request: bytes, answer: bytes, what: str, first: Callable[[bytes, str], Data]
    ) -> Iterator[bytes]:
        """Yield the raw data that begins in ``answer``, with all its blocks."""
        data = first(answer, what)
        yield data.raw
        expected = data.number
        while not data.last:
            if data.number != expected or expected > _BLOCKS_MAX:
                raise GarbledReply(f"block {data.number} came in place of block {expected}")
            request = get_next_request(request[2] & 0x0F, expected)
            data = get_answer(self._asking.asked(request), what)
            expected += 1
            if data.number != expected:
                raise GarbledReply(f"block {data.number} came in place of block {expected}")
            yield data.raw

    def set(self, attribute: Attribute, value: bytes, what: str) -> None:
        """Write an encoded value, in blocks where it is too long for one request.

        Raises:
            ValueRefused, AccessDenied, NotSupported, MeterBusy: The meter refused.
        """
        invoke, agreed, room = self._asking.number(), self._asking.agreed, self._asking.room
        request = set_request(invoke, attribute, value)
        if room <= 0 or len(request) <= room:
            set_answer(self._asking.asked(request), what)
            return
        if agreed is None or not agreed.set_blocks:
            raise NotSupported(f"{what}: the value is too long for this meter's messages")
        more = True
        for number, block in enumerate(lists.set_blocks(invoke, attribute, value, room), 1):
            more = lists.block_taken(self._asking.asked(block), number, what)
        if more:
            raise GarbledReply(f"the meter still waits for more of {what}")

    def get_list(self, wanted: Sequence[tuple[Attribute, str]]) -> list[lists.Item]:
        """Return several attributes, each decoded or the error in its place, in few requests.

        Raises:
            GarbledReply: The meter answers with another count.
        """
        found: list[lists.Item] = []
        for at in range(0, len(wanted), lists.MOST_LISTED):
            part = wanted[at : at + lists.MOST_LISTED]
            request = lists.list_request(self._asking.number(), [one for one, _ in part])
            names = [what for _, what in part]
            answer = self._asking.asked(request, again=True)
            raw = b"".join(self._following(request, answer, ", ".join(names), lists.list_answer))
            found += lists.listed(raw, names)
        return found

    def action(self, method: Attribute, what: str, parameter: bytes, *, secret: bool) -> bytes:
        """Call a method with an encoded parameter; return what it gives back, encoded."""
        send = partial(self._asking.asked, secret=secret)
        call = Call(self._asking.number(), method, parameter, what)
        return perform(send, call, self._asking.room, self._asking.agreed)

    def proved(self, proof: bytes) -> bytes:
        """Hand over the answer to the meter's challenge; return its answer to ours, encoded."""
        return self.action(_REPLY_TO_HLS, "the proof of the keys", octets(proof), secret=True)

    def entries(self) -> tuple[ObjectEntry, ...]:
        """Return the object list of the association.

        Raises:
            GarbledReply: It cannot be read.
        """
        return _entries(b"".join(self.blocks(_LIST, "the object list", b"")))

    def listing(self) -> Generator[int, None, tuple[ObjectEntry, ...]]:
        """Read the object list; yield how many octets have come, and return it."""
        raw = bytearray()
        for block in self.blocks(_LIST, "the object list", b""):
            raw += block
            yield len(raw)
        return _entries(bytes(raw))


def _entries(raw: bytes) -> tuple[ObjectEntry, ...]:
    value = decode(raw)
    if not isinstance(value, list):
        raise GarbledReply("the object list is no list")
    try:
        return tuple(_entry(item) for item in value)
    except (TypeError, ValueError, IndexError) as error:
        raise GarbledReply("the object list cannot be read") from error


def one_by_one(
    get: Callable[[Attribute, str], object], wanted: Sequence[tuple[Attribute, str]]
) -> list[lists.Item]:
    """Return several attributes where the meter has no lists."""

    def single(attribute: Attribute, what: str) -> lists.Item:
        try:
            return get(attribute, what)
        except (NotSupported, AccessDenied) as error:
            return error

    return [single(attribute, what) for attribute, what in wanted]


def _entry(item: object) -> ObjectEntry:
    if not isinstance(item, tuple):
        raise TypeError("no structure")
    class_id, version, name, *rights = item
    if not isinstance(name, bytes) or len(name) != _CODE:
        raise TypeError("no logical name")
    attributes: list[tuple[int, int]] = []
    methods: list[int] = []
    if rights and isinstance(rights[0], tuple):
        listed, acts = rights[0][:2]
        attributes = [(int(one[0]), access(one[1])) for one in listed]
        methods = [int(one[0]) for one in acts if one[1]]
    code = from_bytes(name)
    return ObjectEntry(int(class_id), int(version), code, tuple(attributes), tuple(methods))
