"""The APDUs of the Read, Write and UnconfirmedWrite services (short names).  Pure.

A request lists variables, each by its short name, by a name with a selector and its parameter, or
as a block; an answer lists a result for each, in the same order.  What is too long for one APDU is
the coded list itself, cut into blocks.
Source: IEC 62056-5-3, clauses 7.3.14 to 7.3.16 and 8; IEC 61334-4-41.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drivers.dlms.apdu import Data, beginning, exception, result_error
from drivers.dlms.ciphering import length_octets
from drivers.dlms.data import Incomplete, length_at
from drivers.errors import AccessDenied, DriverError, GarbledReply, MeterBusy, NotSupported

READ, WRITE, UNCONFIRMED = 0x05, 0x06, 0x16
_READ_ANSWER, _WRITE_ANSWER = 0x0C, 0x0D
_EXCEPTION, _SERVICE_ERROR = 0xD8, 0x0E
_NAME, _PARAMETERISED, _BLOCK_NUMBER, _WRITE_BLOCK = 2, 4, 5, 7
_OCTETS = 9
_BLOCK_HEAD = 12  # octets of a block's request beside its raw data
NULL = b"\x00"

# results in an answer
_DATA, _ERROR, _BLOCK = 0, 1, 2
_SUCCESS, _TAKEN = 0, 2


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of a request; ``selector`` is a selector with its parameter, b"" for none."""

    name: int
    selector: bytes = b""

    def encode(self) -> bytes:
        """Return it as a request lists it."""
        choice = _PARAMETERISED if self.selector else _NAME
        return bytes((choice,)) + self.name.to_bytes(2, "big") + self.selector


# --- reading ---------------------------------------------------------------------------------


def read_request(variables: Sequence[Variable]) -> bytes:
    """Return a request for the values of ``variables``."""
    return bytes((READ,)) + _listed([one.encode() for one in variables])


def read_next_request(number: int) -> bytes:
    """Return the request for the block after block ``number``."""
    return bytes((READ, 1, _BLOCK_NUMBER)) + number.to_bytes(2, "big")


def read_answer(apdu: bytes, what: str) -> Data:
    """Return the coded list of results in an answer: the whole, or one block of it.

    Raises:
        NotSupported, AccessDenied, MeterBusy: The meter refused the service.
        GarbledReply: It is no answer to a Read.
    """
    _checked(apdu, _READ_ANSWER, what)
    if apdu[1:3] != bytes((1, _BLOCK)):
        return Data(apdu[1:])
    if len(apdu) < 7:  # noqa: PLR2004 - tag, count, choice, last, number, length
        raise GarbledReply("the meter's block is cut short")
    try:
        length, begin = length_at(apdu, 6)
    except Incomplete as error:
        raise GarbledReply("the meter's block is cut short") from error
    if begin + length != len(apdu):
        raise GarbledReply(f"a block of {length} octets has {len(apdu) - begin}")
    return Data(apdu[begin:], int.from_bytes(apdu[4:6], "big"), last=apdu[3] != 0)


def single(parts: Iterator[bytes], what: str) -> Iterator[bytes]:
    """Yield the raw data of the one result in a coded list that comes in ``parts``.

    Raises:
        NotSupported, AccessDenied, MeterBusy: The meter refused; ``what`` is named in the text.
        GarbledReply: The list holds something else.
    """
    head = beginning(parts, 3)  # count, choice, and something of the value
    if len(head) <= 2 or head[0] != 1:  # noqa: PLR2004 - count and choice
        raise GarbledReply("the meter's answer does not hold one result")
    if head[1] == _ERROR:
        raise result_error(head[2], what)
    if head[1] != _DATA:
        raise GarbledReply(f"unknown form {head[1]} of a Read result")
    yield head[2:]
    yield from parts


# --- writing ---------------------------------------------------------------------------------


def write_request(
    variables: Sequence[Variable], values: Sequence[bytes], *, confirmed: bool = True
) -> bytes:
    """Return a request that writes encoded values; an unconfirmed one has no answer."""
    body = _listed([one.encode() for one in variables]) + _listed(values)
    return bytes((WRITE if confirmed else UNCONFIRMED,)) + body


def write_blocks(request: bytes, size: int) -> Iterator[bytes]:
    """Yield the requests that carry a Write ``request`` in APDUs of at most ``size`` octets.

    Raises:
        NotSupported: It needs more blocks than there are numbers.
    """
    body = request[1:]
    room = max(1, size - _BLOCK_HEAD)
    if len(body) > room * 0xFFFF:
        raise NotSupported(f"{len(body)} octets are too long for the meter's blocks")
    for number, at in enumerate(range(0, len(body), room), 1):
        raw = body[at : at + room]
        last = bytes((at + room >= len(body),))
        head = bytes((WRITE, 1, _WRITE_BLOCK)) + last + number.to_bytes(2, "big")
        yield head + bytes((1, _OCTETS)) + length_octets(len(raw)) + raw


def write_answer(apdu: bytes, names: Sequence[str]) -> None:
    """Check the answer to a Write of as many variables as there are ``names``.

    Raises:
        ValueRefused, AccessDenied, NotSupported, MeterBusy: The meter refused one.
        GarbledReply: It is no answer to such a Write.
    """
    what = ", ".join(names)
    _checked(apdu, _WRITE_ANSWER, what)
    try:
        count, at = length_at(apdu, 1)
    except Incomplete as error:
        raise GarbledReply("the meter's answer is cut short") from error
    if count != len(names):
        raise GarbledReply(f"{count} results came in place of {len(names)}")
    for name in names:
        choice = apdu[at : at + 1]
        if choice == bytes((_ERROR,)) and at + 1 < len(apdu):
            raise result_error(apdu[at + 1], name, writing=True)
        if choice != bytes((_SUCCESS,)):
            raise GarbledReply("unknown form of a Write result")
        at += 1
    if at != len(apdu):
        raise GarbledReply(f"{len(apdu) - at} octets follow the results of a Write")


def write_block_taken(apdu: bytes, number: int, what: str) -> None:
    """Check that the meter wants the block after block ``number``.

    Raises:
        ValueRefused, AccessDenied, NotSupported, MeterBusy: The meter refused.
        GarbledReply: It acknowledges something else.
    """
    if apdu[:3] != bytes((_WRITE_ANSWER, 1, _TAKEN)):
        write_answer(apdu, [what])
        raise GarbledReply("the meter ended a Write before its last block")
    if apdu[3:] != number.to_bytes(2, "big"):
        raise GarbledReply("the meter acknowledges another block than was sent")


# --- errors ----------------------------------------------------------------------------------


def _checked(apdu: bytes, tag: int, what: str) -> None:
    """Raise what an answer that is not of service ``tag`` says."""
    if apdu[:1] == bytes((_EXCEPTION,)):
        raise exception(apdu, what)
    if apdu[:1] == bytes((_SERVICE_ERROR,)):
        raise service_error(apdu, what)
    if len(apdu) < 3:  # noqa: PLR2004 - tag, count, a result
        raise GarbledReply("the meter's answer is cut short")
    if apdu[0] != tag:
        raise GarbledReply(f"answer {apdu[0]:02X} in place of {tag:02X}")


_ACCESS = 5
_KINDS = {
    0: "application reference", 1: "hardware resource", 2: "VDE state", 3: "service",
    4: "definition", _ACCESS: "access", 6: "initiate", 7: "load data set", 9: "task",
}  # fmt: skip
_SCOPE, _OBJECT, _HARDWARE = 1, 2, 3
_RESOURCE = 1


def service_error(apdu: bytes, what: str) -> DriverError:
    """Return the error in a confirmed service error: 0E, service, kind, code."""
    if len(apdu) != 4:  # noqa: PLR2004 - as above
        return GarbledReply("a service error of the wrong form")
    kind, code = apdu[2], apdu[3]
    text = f"{what}: the meter refuses the service ({_KINDS.get(kind, kind)} error {code})"
    if kind == _ACCESS and code in {_SCOPE, _OBJECT}:
        return AccessDenied(text)
    if kind == _RESOURCE or (kind == _ACCESS and code == _HARDWARE):
        return MeterBusy(text)
    return NotSupported(text)


def _listed(items: Sequence[bytes]) -> bytes:
    return length_octets(len(items)) + b"".join(items)
