"""GET, SET and ACTION of one association, with block transfer.  IEC 62056-5-3, clauses 7 and 9."""

from collections.abc import Iterator

from drivers.simulator.dlms import axdr, longcalls
from drivers.simulator.dlms.axdr import BadData, Taker, Value
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.longcalls import ACTION_BLOCKS
from drivers.simulator.dlms.objects import (
    DENIED,
    LONG_GET_ABORTED,
    NO_LONG_GET,
    NO_LONG_SET,
    OTHER_REASON,
    OUT_OF_SCOPE,
    SUCCESS,
    TEMPORARY_FAILURE,
    TYPE_UNMATCHED,
    UNDEFINED,
    WRONG_BLOCK,
    Access,
    Content,
    CosemObject,
    ObjectModel,
    Refused,
    attribute_of,
)
from drivers.simulator.dlms.objects import (
    Action as Method,
)

GET, SET, ACTION = 0xC0, 0xC1, 0xC3
# conformance, bit 0 is the highest of 24
GET_BLOCKS, SET_BLOCKS, LISTS = 1 << 23 - 11, 1 << 23 - 12, 1 << 23 - 14
GET_BIT, SET_BIT, SELECTIVE, ACTION_BIT = 1 << 23 - 19, 1 << 23 - 20, 1 << 23 - 21, 1 << 23 - 23
ALL = GET_BLOCKS | SET_BLOCKS | ACTION_BLOCKS | LISTS | GET_BIT | SET_BIT | SELECTIVE | ACTION_BIT
SERVICE_BITS = {GET: GET_BIT, SET: SET_BIT, ACTION: ACTION_BIT}
_BLOCK_HEAD = 12  # octets of a block's answer beside its raw data
_NORMAL_HEAD = 4
_LIST_HEAD = 3
_MOST_LISTED = 64
_LONGEST_SET = 0x10000
_VOLTAGE = (32, 7)
_REGISTER = 3
_VALUE = 2

Selection = tuple[int, Value] | None  # selector and its parameters


class ServiceUnknown(Exception):
    """The request has a form that this meter does not serve."""


class Services:
    """Serves the requests of one association.

    Args:
        model: The objects.
        access: What the association may do.
        conformance: The services agreed on.
        max_send: Largest APDU the client takes.
        faults: What the meter does wrong.
    """

    def __init__(
        self, model: ObjectModel, access: Access, conformance: int, max_send: int, faults: Faults
    ) -> None:
        self._model = model
        self._access = access
        self._conformance = conformance
        self._max_send = max_send
        self._faults = faults
        self._rest: Iterator[bytes] | None = None  # of a value sent in blocks
        self._held = bytearray()
        self._block = 0
        self._write: tuple[CosemObject, int, bytearray] | None = None  # a value taken in blocks
        self._write_block = 0
        self._calls = longcalls.LongCalls(self._call, max_send)

    def answer(self, now: float, apdu: bytes) -> bytes:
        """Return the answer to a GET, SET or ACTION request.

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

    def _get(self, now: float, invoke: int, taker: Taker) -> bytes:
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
        item = self._model.find(class_id, name, self._access)
        if (name[2], name[3]) == _VOLTAGE and index == _VALUE and "access-denied" in self._faults:
            raise Refused(DENIED)
        if class_id == _REGISTER and self._faults.happens("temporary-failure", 1, 2):
            raise Refused(TEMPORARY_FAILURE)
        if selection is None:
            content = self._model.read(now, item, index, self._access)
        else:
            self._model.read(now, item, index, self._access)
            select = attribute_of(item, index).select if index > 1 else None
            if select is None or not self._conformance & SELECTIVE:
                raise Refused(OUT_OF_SCOPE)
            content = select(now, *selection)
        if "trailing-bytes" in self._faults and index == _VALUE:
            return _followed(content, b"\x11\x2a\x00")
        return content

    def _first(self, invoke: int, content: Content) -> bytes:
        """Answer with the whole of ``content``, or with its first block."""
        rest = iter((content,)) if isinstance(content, bytes) else content
        self._held.clear()
        whole = self._fill(rest, self._max_send - _NORMAL_HEAD)
        if whole:
            return bytes((0xC4, 1, invoke, 0)) + bytes(self._held)
        if not self._conformance & GET_BLOCKS:
            raise Refused(OTHER_REASON)
        self._rest, self._block = rest, 1
        return self._next_block(invoke)

    def _fill(self, rest: Iterator[bytes], size: int) -> bool:
        """Hold more than ``size`` octets; True when ``rest`` ends before that."""
        while len(self._held) <= size:
            piece = next(rest, None)
            if piece is None:
                return True
            self._held += piece
        return False

    def _next_block(self, invoke: int) -> bytes:
        if self._rest is None:
            raise Refused(NO_LONG_GET)
        number = self._block
        if number == 3 and "no-more-blocks" in self._faults:  # noqa: PLR2004 (the third)
            self._rest = None
            return _block_refused(invoke, number, LONG_GET_ABORTED)
        if number == 2 and "wrong-block-number" in self._faults:  # noqa: PLR2004 (the second)
            number = 1
        size = self._max_send - _BLOCK_HEAD
        last = self._fill(self._rest, size)
        data = bytes(self._held[:size])
        del self._held[:size]
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

    def _get_list(self, now: float, invoke: int, taker: Taker) -> bytes:
        if not self._conformance & LISTS:
            raise ServiceUnknown
        count = taker.length()
        if not 1 <= count <= _MOST_LISTED:
            raise BadData("too many attributes")
        wanted = [(*_descriptor(taker), _selection(taker)) for _ in range(count)]
        taker.end()
        self._rest = None
        self._held.clear()
        pieces = self._listed(now, wanted)
        if self._fill(pieces, self._max_send - _LIST_HEAD):
            return bytes((0xC4, 3, invoke)) + bytes(self._held)
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
            _written(now, item, index, value)
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
            _written(now, item, index, axdr.value_of(bytes(held)))
        except BadData:
            result = TYPE_UNMATCHED
        except Refused as refused:
            result = refused.result
        return bytes((0xC5, 3, invoke, result)) + ends

    def _writable(
        self, class_id: int, name: bytes, index: int, selection: Selection
    ) -> tuple[CosemObject, int]:
        item = self._model.find(class_id, name, self._access)
        if selection is not None:
            raise Refused(OUT_OF_SCOPE)
        if index == 1 or self._access < Access.MANAGE or attribute_of(item, index).write is None:
            raise Refused(DENIED)
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
        return self._method(*target)(now, parameter)

    def _method(self, class_id: int, name: bytes, index: int) -> Method:
        method = self._model.find(class_id, name, self._access).methods.get(index)
        if method is None:
            raise Refused(UNDEFINED)
        if self._access < Access.MANAGE:
            raise Refused(DENIED)
        return method


def _descriptor(taker: Taker) -> tuple[int, bytes, int]:
    """Return class, logical name and number of an attribute or method."""
    class_id, name = taker.number(2), taker.octets(6)
    return class_id, name, int.from_bytes(taker.octets(1), "big", signed=True)


def _selection(taker: Taker) -> Selection:
    return (taker.octet(), taker.value()) if taker.flag() else None


def _block_refused(invoke: int, number: int, result: int) -> bytes:
    return bytes((0xC4, 2, invoke, 1)) + number.to_bytes(4, "big") + bytes((1, result))


def _written(now: float, item: CosemObject, index: int, value: Value) -> None:
    write = attribute_of(item, index).write
    if write is None:
        raise Refused(DENIED)
    try:
        write(now, value)
    except (BadData, ValueError) as error:
        raise Refused(TYPE_UNMATCHED) from error


def _followed(content: Content, more: bytes) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
    else:
        yield from content
    yield more
