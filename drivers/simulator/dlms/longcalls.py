"""ACTION in blocks: a parameter taken block by block, a result given block by block.

IEC 62056-5-3, clauses 7.4 and 9: a block that is not the last is acknowledged by its number; the
client asks for the next block of a result by the number of the one it has.
"""

from collections.abc import Callable

from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.axdr import BadData, Taker, Value
from drivers.simulator.dlms.objects import SUCCESS, TYPE_UNMATCHED, WRONG_BLOCK, Refused

NORMAL, NEXT, FIRST, FOLLOWING = 1, 2, 4, 6  # forms of a request
_IN_BLOCKS, _WANTS_MORE = 2, 4  # forms of an answer
_NONE_IN_PROGRESS = 16
_LONGEST = 0x10000
_HEAD = 12  # octets of a block's answer beside its raw data

Target = tuple[int, bytes, int]
Method = Callable[[float, Target, Value | None], bytes]


class LongCalls:
    """The calls of one association.

    Args:
        method: Does what is called, and returns its result encoded.
        max_send: Largest APDU the client takes.
    """

    def __init__(self, method: Method, max_send: int) -> None:
        self._method = method
        self._max_send = max_send
        self._target: Target | None = None
        self._held = bytearray()
        self._expected = 1
        self._result = b""

    def short(self, now: float, invoke: int, target: Target, parameter: Value | None) -> bytes:
        """Answer a call whose parameter came whole."""
        self._target = None
        try:
            returned = self._method(now, target, parameter)
        except BadData:
            return _refused(invoke, TYPE_UNMATCHED)
        except Refused as refused:
            return _refused(invoke, refused.result)
        if len(returned) > self._max_send - _HEAD:
            self._result, self._expected = returned, 1
            return self._block(invoke)
        more = b"\x01\x00" + returned if returned else b"\x00"
        return bytes((0xC7, NORMAL, invoke, SUCCESS)) + more

    def first(self, now: float, invoke: int, target: Target, taker: Taker) -> bytes:
        """Take the first block of a parameter."""
        self._target, self._expected = target, 1
        self._held.clear()
        return self.following(now, invoke, taker)

    def following(self, now: float, invoke: int, taker: Taker) -> bytes:
        """Take a block of a parameter; call when it was the last."""
        last, number = taker.octet() != 0, taker.number(4)
        raw = taker.octets(taker.length())
        taker.end()
        target = self._target
        if target is None or number != self._expected:
            self._target = None
            return _refused(invoke, WRONG_BLOCK if target else _NONE_IN_PROGRESS)
        self._held += raw
        self._expected += 1
        if not last and len(self._held) <= _LONGEST:
            return bytes((0xC7, _WANTS_MORE, invoke)) + number.to_bytes(4, "big")
        try:
            parameter = axdr.value_of(bytes(self._held))
        except BadData:
            return _refused(invoke, TYPE_UNMATCHED)
        return self.short(now, invoke, target, parameter)

    def next(self, invoke: int, number: int) -> bytes:
        """Give the block of a result that follows block ``number``."""
        if not self._result or number + 1 != self._expected:
            self._result = b""
            return _refused(invoke, _NONE_IN_PROGRESS)
        return self._block(invoke)

    def _block(self, invoke: int) -> bytes:
        size = self._max_send - _HEAD
        raw, self._result = self._result[:size], self._result[size:]
        head = bytes((0xC7, _IN_BLOCKS, invoke, not self._result))
        head += self._expected.to_bytes(4, "big")
        self._expected += 1
        return head + axdr.length(len(raw)) + raw


def _refused(invoke: int, result: int) -> bytes:
    return bytes((0xC7, NORMAL, invoke, result, 0))
