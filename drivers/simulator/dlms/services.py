"""GET, SET and ACTION of one association, with block transfer.  IEC 62056-5-3, clauses 7 and 9."""

from collections.abc import Iterator
from itertools import chain

from drivers.simulator.dlms import axdr, longcalls
from drivers.simulator.dlms.access import ObjectAccess, Selection
from drivers.simulator.dlms.axdr import BadData, Taker, Value
from drivers.simulator.dlms.conformance import (
    ACTION_BIT,
    ACTION_BLOCKS,
    GENERAL_BLOCKS,
    GET_BIT,
    GET_BLOCKS,
    LISTS,
    SET_BIT,
    SET_BLOCKS,
)
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.objects import (
    LONG_GET_ABORTED,
    NO_LONG_GET,
    NO_LONG_SET,
    OTHER_REASON,
    SUCCESS,
    TYPE_UNMATCHED,
    WRONG_BLOCK,
    Content,
    CosemObject,
    Refused,
)
from drivers.simulator.dlms.pieces import Pieces

GET, SET, ACTION = 0xC0, 0xC1, 0xC3
SERVICE_BITS = {GET: GET_BIT, SET: SET_BIT, ACTION: ACTION_BIT}
_BLOCK_HEAD = 12  # octets of a block's answer beside its raw data
_NORMAL_HEAD = 4
_LIST_HEAD = 3
_MOST_LISTED = 64
_LONGEST_SET = 0x10000


class ServiceUnknown(Exception):
    """The request has a form that this meter does not serve."""


class Services:
    """Serves the requests of one association.

    Args:
        objects: What the association may do to which objects.
        conformance: The services agreed on.
        max_send: Largest APDU the client takes.
        faults: What the meter does wrong.
    """

    def __init__(
        self, objects: ObjectAccess, conformance: int, max_send: int, faults: Faults
    ) -> None:
        self._objects = objects
        self._conformance = conformance
        self._max_send = max_send
        self._faults = faults
        self._rest: Pieces | None = None  # of a value sent in blocks
        self._block = 0
        self._write: tuple[CosemObject, int, bytearray] | None = None  # a value taken in blocks
        self._write_block = 0
        self._calls = longcalls.LongCalls(self._call, max_send)

    def answer(self, now: float, apdu: bytes) -> Content:
        """Return the answer to a GET, SET or ACTION request; a long one in pieces for GBT.

        Raises:
            BadData: The request is malformed.
            ServiceUnknown: It has a form that is not served, or was not agreed on.
        """
        taker = Taker(apdu)
        service, kind, invoke = taker.octet(), taker.octet(), taker.octet()
        if not self._conformance & SERVICE_BITS[service]:
            raise ServiceUnknown
        handler = {
            (GET, 1): self._get,
            (GET, 2): self._get_next,
            (GET, 3): self._get_list,
            (SET, 1): self._set,
            (SET, 2): self._set_first,
            (SET, 3): self._set_next,
            (ACTION, longcalls.NORMAL): self._action,
            (ACTION, longcalls.NEXT): self._action_next,
            (ACTION, longcalls.FIRST): self._action_first,
            (ACTION, longcalls.FOLLOWING): self._calls.following,
        }.get((service, kind))
        if handler is None:
            raise ServiceUnknown
        return handler(now, invoke, taker)

    # -- GET ---------------------------------------------------------------------------------

    def _get(self, now: float, invoke: int, taker: Taker) -> Content:
        class_id, name, index = _descriptor(taker)
        selection = _selection(taker)
        taker.end()
        self._rest = None
        try:
            content = self._read(now, class_id, name, index, selection)
            return self._first(invoke, content)
        except Refused as refused:
            return bytes((0xC4, 1, invoke, 1, refused.result))

    def _read(
        self, now: float, class_id: int, name: bytes, index: int, selection: Selection
    ) -> Content:
        item = self._objects.model.find(class_id, name, self._objects.level)
        return self._objects.read(now, item, index, selection)

    def _first(self, invoke: int, content: Content) -> Content:
        """Answer with the whole of ``content``, or with its first block."""
        rest = Pieces(content)
        head = bytes((0xC4, 1, invoke, 0))
        if rest.fit(self._max_send - _NORMAL_HEAD):
            return head + b"".join(rest.all())
        if self._conformance & GENERAL_BLOCKS:
            return chain((head,), rest.all())
        if not self._conformance & GET_BLOCKS:
            raise Refused(OTHER_REASON)
        self._rest, self._block = rest, 1
        return self._next_block(invoke)

    def _next_block(self, invoke: int) -> bytes:
        if self._rest is None:
            raise Refused(NO_LONG_GET)
        number = self._block
        if number == 3 and "no-more-blocks" in self._faults:  # noqa: PLR2004 (the third)
            self._rest = None
            return _block_refused(invoke, number, LONG_GET_ABORTED)
        if number == 2 and "wrong-block-number" in self._faults:  # noqa: PLR2004 (the second)
            number = 1
        size = max(1, self._max_send - _BLOCK_HEAD)
        last = self._rest.fit(size)
        data = self._rest.take(size)
        if last:
            self._rest = None
        head = bytes((0xC4, 2, invoke, last)) + number.to_bytes(4, "big") + b"\x00"
        return head + axdr.length(len(data)) + data

    def _get_next(self, now: float, invoke: int, taker: Taker) -> bytes:
        del now
        number = taker.number(4)
        taker.end()
        if self._rest is None:
            return _block_refused(invoke, number, NO_LONG_GET)
        if number != self._block:
            self._rest = None
            return _block_refused(invoke, number, WRONG_BLOCK)
        self._block += 1
        return self._next_block(invoke)

    def _get_list(self, now: float, invoke: int, taker: Taker) -> Content:
        if not self._conformance & LISTS:
            raise ServiceUnknown
        count = taker.length()
        if not 1 <= count <= _MOST_LISTED:
            raise BadData("too many attributes")
        wanted = [(*_descriptor(taker), _selection(taker)) for _ in range(count)]
        taker.end()
        self._rest = None
        pieces, head = Pieces(self._listed(now, wanted)), bytes((0xC4, 3, invoke))
        if pieces.fit(self._max_send - _LIST_HEAD):
            return head + b"".join(pieces.all())
        if self._conformance & GENERAL_BLOCKS:
            return chain((head,), pieces.all())
        if not self._conformance & GET_BLOCKS:
            raise ServiceUnknown
        self._rest, self._block = pieces, 1
        return self._next_block(invoke)

    def _listed(
        self, now: float, wanted: list[tuple[int, bytes, int, Selection]]
    ) -> Iterator[bytes]:
        yield axdr.length(len(wanted))
        for class_id, name, index, selection in wanted:
            try:
                content = self._read(now, class_id, name, index, selection)
            except Refused as refused:
                yield bytes((1, refused.result))
                continue
            yield b"\x00"
            if isinstance(content, bytes):
                yield content
            else:
                yield from content

    # -- SET ---------------------------------------------------------------------------------

    def _set(self, now: float, invoke: int, taker: Taker) -> bytes:
        target = _descriptor(taker)
        selection = _selection(taker)
        value = taker.value()
        taker.end()
        result = SUCCESS
        try:
            item, index = self._writable(*target, selection)
            self._objects.write(now, item, index, value)
        except Refused as refused:
            result = refused.result
        return bytes((0xC5, 1, invoke, result))

    def _set_first(self, now: float, invoke: int, taker: Taker) -> bytes:
        if not self._conformance & SET_BLOCKS:
            raise ServiceUnknown
        target = _descriptor(taker)
        selection = _selection(taker)
        self._write = None
        try:
            self._write = (*self._writable(*target, selection), bytearray())
        except Refused as refused:
            return bytes((0xC5, 3, invoke, refused.result)) + (1).to_bytes(4, "big")
        self._write_block = 1
        return self._set_next(now, invoke, taker)

    def _set_next(self, now: float, invoke: int, taker: Taker) -> bytes:
        last = taker.octet() != 0
        number = taker.number(4)
        raw = taker.octets(taker.length())
        taker.end()
        write, ends = self._write, number.to_bytes(4, "big")
        if write is None or number != self._write_block:
            self._write = None
            result = NO_LONG_SET if write is None else WRONG_BLOCK
            return bytes((0xC5, 3, invoke, result)) + ends
        item, index, held = write
        held += raw
        self._write_block += 1
        if not last and len(held) <= _LONGEST_SET:
            return bytes((0xC5, 2, invoke)) + ends
        self._write = None
        result = SUCCESS
        try:
            self._objects.write(now, item, index, axdr.value_of(bytes(held)))
        except BadData:
            result = TYPE_UNMATCHED
        except Refused as refused:
            result = refused.result
        return bytes((0xC5, 3, invoke, result)) + ends

    def _writable(
        self, class_id: int, name: bytes, index: int, selection: Selection
    ) -> tuple[CosemObject, int]:
        item = self._objects.model.find(class_id, name, self._objects.level)
        self._objects.check_writable(item, index, selection)
        return item, index

    # -- ACTION ------------------------------------------------------------------------------

    def _action(self, now: float, invoke: int, taker: Taker) -> bytes:
        target = _descriptor(taker)
        parameter = taker.value() if taker.flag() else None
        taker.end()
        return self._calls.short(now, invoke, target, parameter)

    def _action_first(self, now: float, invoke: int, taker: Taker) -> bytes:
        if not self._conformance & ACTION_BLOCKS:
            raise ServiceUnknown
        return self._calls.first(now, invoke, _descriptor(taker), taker)

    def _action_next(self, now: float, invoke: int, taker: Taker) -> bytes:
        del now
        number = taker.number(4)
        taker.end()
        return self._calls.next(invoke, number)

    def _call(self, now: float, target: tuple[int, bytes, int], parameter: Value | None) -> bytes:
        class_id, name, index = target
        item = self._objects.model.find(class_id, name, self._objects.level)
        return self._objects.act(now, item, index, parameter)


def _descriptor(taker: Taker) -> tuple[int, bytes, int]:
    """Return class, logical name and number of an attribute or method."""
    class_id, name = taker.number(2), taker.octets(6)
    return class_id, name, int.from_bytes(taker.octets(1), "big", signed=True)


def _selection(taker: Taker) -> Selection:
    return (taker.octet(), taker.value()) if taker.flag() else None


def _block_refused(invoke: int, number: int, result: int) -> bytes:
    return bytes((0xC4, 2, invoke, 1)) + number.to_bytes(4, "big") + bytes((1, result))
