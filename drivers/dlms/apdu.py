"""The APDUs of the GET, SET and ACTION services: requests built, answers taken apart.  Pure.

Answers are read here and not by the library, because the raw data of each block must reach the row
decoder as it arrives, and because a length of three octets, a cut value or an error answer must
not pass for data.
Source: IEC 62056-53, clauses 7 and 8.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from drivers.dlms.data import Incomplete, length_at
from drivers.errors import (
    AccessDenied,
    DriverError,
    GarbledReply,
    MeterBusy,
    NotSupported,
    ValueRefused,
)

_GET, _SET, _ACTION = 0xC0, 0xC1, 0xC3
_GET_ANSWER, _SET_ANSWER, _ACTION_ANSWER = 0xC4, 0xC5, 0xC7
_EXCEPTION, _SERVICE_ERROR = 0xD8, 0x0E
_SHORT_ANSWERS = {0x05: 0x0C, 0x06: 0x0D}  # Read and Write; they have no invoke number
_PRIORITY = 0xC0  # high priority, confirmed

RESULTS = {  # data-access-result and action-result
    1: "hardware fault",
    2: "temporary failure",
    3: "read-write denied",
    4: "object undefined",
    9: "object class inconsistent",
    11: "object unavailable",
    12: "type unmatched",
    13: "scope of access violated",
    14: "data block unavailable",
    15: "long get aborted",
    16: "no long get in progress",
    17: "long set aborted",
    18: "no long set in progress",
    19: "data block number invalid",
    250: "other reason",
}
_BUSY = frozenset({1, 2, *range(14, 20)})  # an aborted transfer may be begun anew
_DENIED = frozenset({3})
_ABSENT = frozenset({4, 9, 11})


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute (or method) of one object; ``code`` is the six octets of its logical name."""

    class_id: int
    code: bytes
    index: int

    def descriptor(self) -> bytes:
        """Return it as a request names it."""
        return self.class_id.to_bytes(2, "big") + self.code + bytes((self.index,))


@dataclass(frozen=True, slots=True)
class Data:
    """Raw data of an answer: the whole (``number`` 0) or one block of it."""

    raw: bytes
    number: int = 0
    last: bool = True


def get_request(invoke: int, attribute: Attribute, selector: bytes = b"") -> bytes:
    """Return a GET request; ``selector`` is the access selector with its parameters."""
    head = bytes((_GET, 1, _PRIORITY | invoke))
    return head + attribute.descriptor() + (b"\x01" + selector if selector else b"\x00")


def get_next_request(invoke: int, number: int) -> bytes:
    """Return the request for the block after block ``number``."""
    return bytes((_GET, 2, _PRIORITY | invoke)) + number.to_bytes(4, "big")


def set_request(invoke: int, attribute: Attribute, value: bytes) -> bytes:
    """Return a SET request with an encoded value."""
    return bytes((_SET, 1, _PRIORITY | invoke)) + attribute.descriptor() + b"\x00" + value


def action_request(invoke: int, method: Attribute, parameter: bytes = b"") -> bytes:
    """Return an ACTION request; ``parameter`` is encoded, or empty for none."""
    head = bytes((_ACTION, 1, _PRIORITY | invoke))
    return head + method.descriptor() + (b"\x01" + parameter if parameter else b"\x00")


def answers(apdu: bytes, request: bytes) -> bool:
    """Return whether ``apdu`` can be the answer to ``request``: its service and invoke number."""
    if not apdu:
        return False
    if apdu[0] in {_EXCEPTION, _SERVICE_ERROR}:
        return True
    if request[0] in _SHORT_ANSWERS:
        return apdu[0] == _SHORT_ANSWERS[request[0]]
    return apdu[0] == request[0] + 4 and len(apdu) > 2 and apdu[2] & 0x0F == request[2] & 0x0F  # noqa: PLR2004


def beginning(parts: Iterator[bytes], least: int) -> bytes:
    """Take parts of an answer until ``least`` octets are there, or no more come; return them."""
    begun = b""
    while len(begun) < least and (part := next(parts, None)) is not None:
        begun += part
    return begun


def result_error(code: int, what: str, *, writing: bool = False) -> DriverError:
    """Return the error for a result code of the meter; ``what`` names the object."""
    text = f"{what}: {RESULTS.get(code, f'result {code}')}"
    if code in _BUSY:
        return MeterBusy(text)
    if code in _DENIED:
        return AccessDenied(text)
    if code in _ABSENT:
        return NotSupported(text)
    return ValueRefused(text) if writing else NotSupported(text)


def get_answer(apdu: bytes, what: str) -> Data:
    """Return the data of a GET answer.

    Raises:
        NotSupported, AccessDenied, MeterBusy: The meter refused; ``what`` is named in the text.
        GarbledReply: It is no GET answer.
    """
    kind = _checked(apdu, _GET_ANSWER, what)
    if kind == 1:
        _need(apdu, 5)
        if apdu[3] == 0:
            return Data(apdu[4:])
        raise result_error(apdu[4], what)
    if kind == 2:  # noqa: PLR2004 - with data block
        _need(apdu, 10)
        last, number, refused = apdu[3] != 0, int.from_bytes(apdu[4:8], "big"), apdu[8] != 0
        if refused:
            raise result_error(apdu[9], what)
        return Data(_exactly(apdu, 9), number, last)
    raise GarbledReply(f"unknown form {kind} of a GET answer")


def set_answer(apdu: bytes, what: str) -> None:
    """Check the answer to a SET.

    Raises:
        ValueRefused, AccessDenied, NotSupported, MeterBusy: The meter refused.
        GarbledReply: It is no SET answer.
    """
    if _checked(apdu, _SET_ANSWER, what) != 1:
        raise GarbledReply("unknown form of a SET answer")
    _need(apdu, 4)
    if apdu[3]:
        raise result_error(apdu[3], what, writing=True)


def action_answer(apdu: bytes, what: str) -> bytes:
    """Return the raw data an ACTION gave back, b"" for none.

    Raises:
        ValueRefused, AccessDenied, NotSupported, MeterBusy: The meter refused.
        GarbledReply: It is no ACTION answer.
    """
    if _checked(apdu, _ACTION_ANSWER, what) != 1:
        raise GarbledReply("unknown form of an ACTION answer")
    _need(apdu, 4)
    if apdu[3]:
        raise result_error(apdu[3], what, writing=True)
    given = apdu[4:]
    if not given or given[0] == 0:
        return b""
    if len(given) < 3:  # noqa: PLR2004 - flag, choice, data or result
        raise GarbledReply("the answer to an action is cut short")
    if given[1] == 0:
        return given[2:]
    if given[2]:
        raise result_error(given[2], what, writing=True)
    return b""


def _checked(apdu: bytes, tag: int, what: str) -> int:
    """Return the form of an answer of service ``tag``; raise what an error answer says."""
    if apdu[:1] == bytes((_EXCEPTION,)):
        raise exception(apdu, what)
    if apdu[:1] == bytes((_SERVICE_ERROR,)):
        raise NotSupported(f"{what}: the meter refuses the service ({apdu[1:].hex(' ').upper()})")
    _need(apdu, 4)
    if apdu[0] != tag:
        raise GarbledReply(f"answer {apdu[0]:02X} in place of {tag:02X}")
    return apdu[1]


_SERVICE_NOT_SUPPORTED, _DECIPHERING, _COUNTER = 2, 5, 6
_NOT_ALLOWED = 1


def exception(apdu: bytes, what: str) -> DriverError:
    """Return the error in an exception answer."""
    if len(apdu) < 3:  # noqa: PLR2004 - tag, state error, service error
        return GarbledReply("an exception answer is cut short")
    state, service = apdu[1], apdu[2]
    if state == _NOT_ALLOWED:
        return AccessDenied(f"{what}: not allowed in this association")
    words = {
        1: "operation not possible",
        _SERVICE_NOT_SUPPORTED: "service not supported",
        3: "other reason",
        4: "answer too long",
        _DECIPHERING: "deciphering error",
        _COUNTER: "invocation counter error",
    }
    return NotSupported(f"{what}: {words.get(service, f'exception {service}')}")


def block_at(apdu: bytes, at: int) -> Data:
    """Return the block whose last-block flag stands at ``at``: flag, number, raw data.

    Raises:
        GarbledReply: It is cut short or too long.
    """
    _need(apdu, at + 6)
    number = int.from_bytes(apdu[at + 1 : at + 5], "big")
    return Data(_exactly(apdu, at + 5), number, apdu[at] != 0)


def _need(apdu: bytes, count: int) -> None:
    if len(apdu) < count:
        raise GarbledReply("the meter's answer is cut short")


def _exactly(apdu: bytes, at: int) -> bytes:
    """Return the octets of a block: as many as its length says, and no others."""
    try:
        length, begin = length_at(apdu, at)
    except Incomplete as error:
        raise GarbledReply("the meter's block is cut short") from error
    if begin + length != len(apdu):
        raise GarbledReply(f"a block of {length} octets has {len(apdu) - begin}")
    return apdu[begin:]
