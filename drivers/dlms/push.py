"""What a meter says unasked: data notifications and event notifications, taken apart.  Pure.

Source: IEC 62056-5-3, clause 7.5.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from drivers.dlms.data import CosemTime, Incomplete, decode, length_at
from drivers.errors import GarbledReply

_DATA, _EVENT = 0x0F, 0xC2
_INVOKE = 4  # octets of the long invoke number
_TIME = 12
_DESCRIPTOR = 9  # class, logical name, attribute


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification; ``time`` where the meter gave one, ``source`` the object of an event."""

    value: object
    time: CosemTime | None = None
    source: tuple[int, bytes, int] | None = None


def notifications(
    pushed: Iterable[bytes], opened: Callable[[bytes], bytes] | None
) -> list[Notification]:
    """Return the notifications among ``pushed``; ciphered ones are ``opened`` first."""
    found = []
    for apdu in pushed:
        with suppress(GarbledReply):
            found.append(notification(opened(apdu) if opened else apdu))
    return found


def notification(apdu: bytes) -> Notification:
    """Return what a meter pushed.

    Raises:
        GarbledReply: It is no notification, or cut short.
    """
    try:
        if apdu[:1] == bytes((_DATA,)):
            length, at = length_at(apdu, 1 + _INVOKE)
            return Notification(decode(apdu[at + length :]), _time(apdu[at : at + length]))
        if apdu[:1] == bytes((_EVENT,)) and len(apdu) > 2 + _DESCRIPTOR:
            moment = None
            at = 2
            if apdu[1]:
                length, at = length_at(apdu, 2)
                moment = _time(apdu[at : at + length])
                at += length
            head = apdu[at : at + _DESCRIPTOR]
            source = (int.from_bytes(head[:2], "big"), head[2:8], head[8])
            return Notification(decode(apdu[at + _DESCRIPTOR :]), moment, source)
    except (Incomplete, IndexError) as error:
        raise GarbledReply("a notification is cut short") from error
    raise GarbledReply("what the meter pushed is no notification")


def _time(raw: bytes) -> CosemTime | None:
    return CosemTime(raw) if len(raw) == _TIME else None
