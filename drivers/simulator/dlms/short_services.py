"""Read, Write and UnconfirmedWrite of one association with short names.  IEC 62056-5-3, clause 9.

    05 n specifications                     0C n results      00 data | 01 why not
    06 n specifications n values            0D n results      00 | 01 why not
    16 n specifications n values            no answer

What does not fit the agreed size comes in blocks; their raw data together are the results with
their count.  What cannot be a request at all is answered by a confirmed service error.
"""

from collections.abc import Iterator
from itertools import chain

from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.access import ObjectAccess, Selection
from drivers.simulator.dlms.axdr import BadData, Taker, Value
from drivers.simulator.dlms.conformance import (
    GENERAL_BLOCKS,
    GET_BLOCKS,
    LISTS,
    PARAMETERISED,
    READ,
    SET_BLOCKS,
    UNCONFIRMED,
    WRITE,
)
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.objects import (
    LONG_GET_ABORTED,
    NO_LONG_GET,
    NO_LONG_SET,
    OTHER_REASON,
    OUT_OF_SCOPE,
    WRONG_BLOCK,
    Content,
    Refused,
)
from drivers.simulator.dlms.pieces import Pieces
from drivers.simulator.dlms.short_names import ShortNames

READ_REQUEST, WRITE_REQUEST, UNCONFIRMED_REQUEST = 0x05, 0x06, 0x16
SERVICE_BITS = {READ_REQUEST: READ, WRITE_REQUEST: WRITE, UNCONFIRMED_REQUEST: UNCONFIRMED}
_READ_RESPONSE, _WRITE_RESPONSE = b"\x0c", b"\x0d"
_NAME, _PARAMETERISED, _BLOCK_NUMBER, _READ_BLOCK, _WRITE_BLOCK = 2, 4, 5, 6, 7
_DATA, _ERROR, _BLOCK, _NUMBER, _WRITTEN_NUMBER = 0, 1, 2, 3, 2
_BLOCK_HEAD = 9  # octets of a block's answer beside its raw data
_MOST_LISTED = 64
_LONGEST = 0x10000
# what a confirmed service error says: kind and reason
NO_CONTEXT, MALFORMED, TOO_LONG, UNSUPPORTED = (2, 1), (3, 0), (3, 1), (3, 2)
_CHOICE = {READ_REQUEST: 5, WRITE_REQUEST: 6}


def service_error(tag: int, error: tuple[int, int]) -> bytes:
    """Return the confirmed service error to a request; an unconfirmed one gets nothing."""
    return bytes((0x0E, _CHOICE[tag], *error)) if tag in _CHOICE else b""


class ServiceError(Exception):
    """A request as a whole is refused."""

    def __init__(self, error: tuple[int, int]) -> None:
        super().__init__(f"service error {error}")
        self.error = error


class ShortServices:
    """Serves the requests of one association.

    Args:
        names: What the short names stand for.
        objects: What the association may do to them.
        conformance: The services agreed on.
        max_send: Largest APDU the client takes.
        faults: What the meter does wrong.
    """

    def __init__(
        self,
        names: ShortNames,
        objects: ObjectAccess,
        conformance: int,
        max_send: int,
        faults: Faults,
    ) -> None:
        self._names = names
        self._objects = objects
        self._conformance = conformance
        self._max_send = max_send
        self._faults = faults
        self._sent: Pieces | None = None  # results sent in blocks
        self._block = 0
        self._taken = bytearray()  # a request taken in blocks
        self._taking: int | None = None  # what service it is
        self._taken_block = 0

    def answer(self, now: float, apdu: bytes) -> Content:
        """Return the answer; b"" for none."""
        tag = apdu[0]
        if not self._conformance & SERVICE_BITS.get(tag, 0):
            return service_error(tag, UNSUPPORTED)
        try:
            taker = Taker(apdu[1:])
            if tag == READ_REQUEST:
                return self._read(now, taker)
            answer = self._write(now, taker)
        except BadData:
            return service_error(tag, MALFORMED)
        except ServiceError as refused:
            return service_error(tag, refused.error)
        return b"" if tag == UNCONFIRMED_REQUEST else answer

    def _count(self, taker: Taker) -> int:
        count = taker.length()
        if not 1 <= count <= _MOST_LISTED:
            raise BadData("no specification, or too many")
        if count > 1:
            self._need(LISTS)
        return count

    def _need(self, bit: int) -> None:
        if not self._conformance & bit:
            raise ServiceError(UNSUPPORTED)

    def _specification(self, taker: Taker) -> tuple[int, Selection]:
        """Return the name, and selector and parameter where they are given."""
        kind = taker.octet()
        if kind == _NAME:
            return taker.number(2), None
        if kind != _PARAMETERISED:
            raise BadData("no specification of a variable")
        self._need(PARAMETERISED)
        return taker.number(2), (taker.octet(), taker.value())

    # -- Read --------------------------------------------------------------------------------

    def _read(self, now: float, taker: Taker) -> Content:
        count = self._count(taker)
        kind = taker.peek()
        if count == 1 and kind in {_BLOCK_NUMBER, _READ_BLOCK}:
            self._need(GET_BLOCKS)
            taker.octet()
            return self._next(taker) if kind == _BLOCK_NUMBER else self._read_block(now, taker)
        wanted = [self._specification(taker) for _ in range(count)]
        taker.end()
        self._sent = self._taking = None
        results = Pieces(self._results(now, wanted))
        if results.fit(self._max_send - 1):
            return _READ_RESPONSE + b"".join(results.all())
        if self._conformance & GENERAL_BLOCKS:
            return chain((_READ_RESPONSE,), results.all())
        if not self._conformance & GET_BLOCKS:
            if count > 1:
                raise ServiceError(TOO_LONG)
            return _read_error(OTHER_REASON)
        self._sent, self._block = results, 1
        return self._next_block()

    def _results(self, now: float, wanted: list[tuple[int, Selection]]) -> Iterator[bytes]:
        yield axdr.length(len(wanted))
        for name, selection in wanted:
            try:
                content = self._value(now, name, selection)
            except Refused as refused:
                yield bytes((_ERROR, refused.result))
                continue
            yield bytes([_DATA])
            yield from (content,) if isinstance(content, bytes) else content

    def _value(self, now: float, name: int, selection: Selection) -> Content:
        """Return an attribute, or what a method gives back: null-data where it is nothing."""
        place = self._names.find(name, self._objects.level)
        if not place.method:
            return self._objects.read(now, place.item, place.index, selection)
        parameter = None
        if selection is not None:
            selector, parameter = selection
            if selector:
                raise Refused(OUT_OF_SCOPE)
        return self._objects.act(now, place.item, place.index, parameter) or axdr.null()

    def _next(self, taker: Taker) -> bytes:
        number = taker.number(2)
        taker.end()
        if self._sent is None:
            return _read_error(NO_LONG_GET)
        if number != self._block:
            self._sent = None
            return _read_error(WRONG_BLOCK)
        self._block += 1
        return self._next_block()

    def _next_block(self) -> bytes:
        results, number = self._sent, self._block & 0xFFFF
        if results is None:
            return _read_error(NO_LONG_GET)
        if number == 3 and "no-more-blocks" in self._faults:  # noqa: PLR2004 (the third)
            self._sent = None
            return _read_error(LONG_GET_ABORTED)
        if number == 2 and "wrong-block-number" in self._faults:  # noqa: PLR2004 (the second)
            number = 1
        size = self._max_send - _BLOCK_HEAD
        last = results.fit(size)
        data = results.take(size)
        if last:
            self._sent = None
        head = _READ_RESPONSE + bytes((1, _BLOCK, last)) + number.to_bytes(2, "big")
        return head + axdr.length(len(data)) + data

    def _read_block(self, now: float, taker: Taker) -> Content:
        """Take one block of a request that is longer than an APDU."""
        last, number = taker.octet() != 0, taker.number(2)
        raw = taker.octets(taker.length())
        taker.end()
        whole = self._gathered(READ_REQUEST, number, raw, last=last)
        if isinstance(whole, int):
            return _read_error(whole)
        if whole is None:
            return _READ_RESPONSE + bytes((1, _NUMBER)) + number.to_bytes(2, "big")
        return self._read(now, Taker(whole))

    def _gathered(self, tag: int, number: int, raw: bytes, *, last: bool) -> bytes | int | None:
        """Return a whole request, None while more is to come, or why it is no more wanted."""
        if number == 1:
            self._taking, self._taken_block = tag, 0
            self._taken.clear()
        if self._taking != tag:
            return NO_LONG_SET
        if number != self._taken_block + 1 or len(self._taken) + len(raw) > _LONGEST:
            self._taking = None
            return WRONG_BLOCK
        self._taken_block = number
        self._taken += raw
        if not last:
            return None
        self._taking = None
        whole = bytes(self._taken)
        if whole[1:2] in {bytes([_READ_BLOCK]), bytes([_WRITE_BLOCK])}:
            raise BadData("blocks within blocks")
        return whole

    # -- Write -------------------------------------------------------------------------------

    def _write(self, now: float, taker: Taker) -> bytes:
        count = self._count(taker)
        if count == 1 and taker.peek() == _WRITE_BLOCK:
            self._need(SET_BLOCKS)
            return self._write_block(now, taker)
        wanted = [self._specification(taker) for _ in range(count)]
        if taker.length() != count:
            raise BadData("another number of values than of names")
        values = [taker.value() for _ in range(count)]
        taker.end()
        self._sent = self._taking = None
        results = b""
        for (name, selection), value in zip(wanted, values, strict=True):
            try:
                self._put(now, name, selection, value)
                results += bytes([_DATA])
            except Refused as refused:
                results += bytes((_ERROR, refused.result))
        return _WRITE_RESPONSE + axdr.length(count) + results

    def _put(self, now: float, name: int, selection: Selection, value: Value) -> None:
        """Write an attribute, or invoke a method with the value as its parameter."""
        place = self._names.find(name, self._objects.level)
        if selection is not None:
            raise Refused(OUT_OF_SCOPE)
        if place.method:
            self._objects.act(now, place.item, place.index, value)
        else:
            self._objects.write(now, place.item, place.index, value)

    def _write_block(self, now: float, taker: Taker) -> bytes:
        taker.octet()
        last, number = taker.octet() != 0, taker.number(2)
        if taker.length() != 1:
            raise BadData("a block is one value")
        raw = taker.value().octets()
        taker.end()
        whole = self._gathered(WRITE_REQUEST, number, raw, last=last)
        if isinstance(whole, int):
            return _WRITE_RESPONSE + bytes((1, _ERROR, whole))
        if whole is None:
            return _WRITE_RESPONSE + bytes((1, _WRITTEN_NUMBER)) + number.to_bytes(2, "big")
        return self._write(now, Taker(whole))


def _read_error(result: int) -> bytes:
    return _READ_RESPONSE + bytes((1, _ERROR, result))
