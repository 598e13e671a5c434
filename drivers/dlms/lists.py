"""GET of several attributes at once, and SET of a long value in blocks: APDUs.  Pure.

Source: IEC 62056-53, clauses 7.3 and 7.4.
"""

from collections.abc import Iterator, Sequence

from drivers.dlms.apdu import Attribute, Data, get_answer, result_error, set_answer
from drivers.dlms.ciphering import length_octets
from drivers.dlms.data import Incomplete, length_at, value_at
from drivers.errors import DriverError, GarbledReply

_PRIORITY = 0xC0
_WITH_LIST, _WITH_BLOCK, _LAST_BLOCK = 3, 2, 3
_BLOCK_HEAD = 12  # octets of a block's request beside attribute and raw data
MOST_LISTED = 16

Item = object | DriverError


def list_request(invoke: int, attributes: Sequence[Attribute]) -> bytes:
    """Return a GET request for several attributes."""
    head = bytes((0xC0, _WITH_LIST, _PRIORITY | invoke)) + length_octets(len(attributes))
    return head + b"".join(one.descriptor() + b"\x00" for one in attributes)


def list_answer(apdu: bytes, what: str) -> Data:
    """Return the raw list in an answer: the whole, or the first block of it.

    Raises:
        NotSupported, AccessDenied, MeterBusy: The meter refused.
        GarbledReply: It is no answer to a list.
    """
    if apdu[:2] == bytes((0xC4, _WITH_LIST)):
        return Data(apdu[3:])
    return get_answer(apdu, what)


def listed(raw: bytes, names: Sequence[str]) -> list[Item]:
    """Return each value, or the error that stands in its place.

    Raises:
        GarbledReply: There are more or fewer than were asked for, or octets are left over.
    """
    items: list[Item] = []
    try:
        count, at = length_at(raw, 0)
        if count != len(names):
            raise GarbledReply(f"{count} values came in place of {len(names)}")
        for name in names:
            choice = raw[at : at + 1]
            if choice == b"\x00":
                value, at = value_at(raw, at + 1)
                items.append(value)
            elif choice == b"\x01" and at + 1 < len(raw):
                items.append(result_error(raw[at + 1], name))
                at += 2
            else:
                raise GarbledReply("a list of values is cut short")
    except Incomplete as error:
        raise GarbledReply("a list of values is cut short") from error
    if at != len(raw):
        raise GarbledReply(f"{len(raw) - at} octets follow the list of values")
    return items


def set_blocks(invoke: int, attribute: Attribute, value: bytes, size: int) -> Iterator[bytes]:
    """Yield the requests that write ``value`` in APDUs of at most ``size`` octets."""
    first = attribute.descriptor() + b"\x00"
    room = max(1, size - _BLOCK_HEAD - len(first))
    number, at = 1, 0
    while at < len(value):
        raw = value[at : at + room]
        at += len(raw)
        kind = 2 if number == 1 else 3
        head = bytes((0xC1, kind, _PRIORITY | invoke)) + (first if number == 1 else b"")
        last = bytes((at >= len(value),))
        yield head + last + number.to_bytes(4, "big") + length_octets(len(raw)) + raw
        number, room = number + 1, max(1, size - _BLOCK_HEAD)


def block_taken(apdu: bytes, number: int, what: str) -> bool:
    """Return whether the meter wants the next block; False when the write is complete.

    Raises:
        ValueRefused, AccessDenied, NotSupported, MeterBusy: The meter refused.
        GarbledReply: It acknowledges another block.
    """
    kind = apdu[1:2]
    if kind == bytes((_WITH_BLOCK,)) and apdu[:1] == b"\xc5":
        if apdu[3:7] != number.to_bytes(4, "big"):
            raise GarbledReply("the meter acknowledges another block than was sent")
        return True
    if kind == bytes((_LAST_BLOCK,)) and apdu[:1] == b"\xc5" and len(apdu) >= 4:  # noqa: PLR2004
        if apdu[3]:
            raise result_error(apdu[3], what, writing=True)
        return False
    set_answer(apdu, what)
    raise GarbledReply("unknown form of a SET answer")
