"""ACTION with long parameters and long answers, in blocks.

A parameter that is longer than the meter's messages goes out in blocks, each acknowledged by its
number; an answer may come in blocks, each asked for by the number of the one before.
Source: IEC 62056-5-3, clause 7.4 and the ACTION APDUs of clause 9.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from drivers.dlms.acse import Association
from drivers.dlms.apdu import Attribute, Data, action_answer, action_request, block_at
from drivers.dlms.ciphering import length_octets
from drivers.dlms.data import decode
from drivers.errors import GarbledReply, NotSupported

_ACTION, _ANSWER = 0xC3, 0xC7
_NEXT, _FIRST_BLOCK, _BLOCK = 2, 4, 6  # forms of a request
_IN_BLOCKS, _ASKS_NEXT = 2, 4  # forms of an answer
_PRIORITY = 0xC0
_BLOCK_HEAD = 13  # octets of a block's request beside its method and raw data
_BLOCKS_MAX = 1 << 16


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method: its number, its encoded parameter (b"" for none), a name for errors."""

    invoke: int
    method: Attribute
    parameter: bytes
    what: str


def perform(
    ask: Callable[[bytes], bytes], call: Call, room: int, agreed: Association | None
) -> bytes:
    """Call a method and return what it gives back, encoded.

    ``ask`` sends a request and returns its answer.  ``room`` is how many octets the longest message
    has, 0 when that is not known.

    Raises:
        ValueRefused, AccessDenied, NotSupported, MeterBusy: The meter refused.
        GarbledReply: The blocks do not follow each other.
    """
    request = action_request(call.invoke, call.method, call.parameter)
    if room <= 0 or len(request) <= room:
        return _answer(ask, call, ask(request))
    if agreed is None or not agreed.action_blocks:
        raise NotSupported(f"{call.what}: the parameter is too long for this meter's messages")
    answer = b""
    blocks = action_blocks(call.invoke, call.method, call.parameter, room)
    for number, block in enumerate(blocks, 1):
        if number > 1:
            _acknowledged(answer, number - 1, call.what)
        answer = ask(block)
    return _answer(ask, call, answer)


def action_blocks(invoke: int, method: Attribute, parameter: bytes, size: int) -> Iterator[bytes]:
    """Yield the requests that carry a parameter in APDUs of at most ``size`` octets."""
    named = method.descriptor()
    at, number = 0, 0
    while at < len(parameter):
        number += 1
        head = bytes((_ACTION, _BLOCK if number > 1 else _FIRST_BLOCK, _PRIORITY | invoke))
        head += b"" if number > 1 else named
        raw = parameter[at : at + max(1, size - _BLOCK_HEAD - len(head) + 3)]
        at += len(raw)
        last = bytes((at >= len(parameter),))
        yield head + last + number.to_bytes(4, "big") + length_octets(len(raw)) + raw


def _acknowledged(answer: bytes, number: int, what: str) -> None:
    """Check that the meter wants the block after block ``number``."""
    if answer[:2] != bytes((_ANSWER, _ASKS_NEXT)):
        action_answer(answer, what)
        raise GarbledReply(f"{what}: the meter answers before it has the whole parameter")
    if answer[3:] != number.to_bytes(4, "big"):
        raise GarbledReply("the meter acknowledges another block than was sent")


def _answer(ask: Callable[[bytes], bytes], call: Call, answer: bytes) -> bytes:
    """Return what the method gives back, with all its blocks."""
    if answer[:2] != bytes((_ANSWER, _IN_BLOCKS)):
        return action_answer(answer, call.what)
    raw, expected = b"", 1
    while True:
        data = _block(answer, call.what)
        if data.number != expected or expected > _BLOCKS_MAX:
            raise GarbledReply(f"block {data.number} came in place of block {expected}")
        raw += data.raw
        if data.last:
            return _given(raw, call.what)
        following = bytes((_ACTION, _NEXT, _PRIORITY | call.invoke)) + expected.to_bytes(4, "big")
        answer = ask(following)
        expected += 1


def _block(answer: bytes, what: str) -> Data:
    if answer[:2] != bytes((_ANSWER, _IN_BLOCKS)):
        action_answer(answer, what)
        raise GarbledReply("the answer to an action breaks off")
    return block_at(answer, 3)


def _given(raw: bytes, what: str) -> bytes:
    """Return the value in the raw data of blocks: bare, or behind the result as in a short answer.

    Both are met: the standard's figure has the value alone, some meters cut the short answer up.
    """
    try:
        decode(raw)
    except GarbledReply:
        return action_answer(bytes((_ANSWER, 1, 0)) + raw, what)
    return raw
