"""What a meter says unasked: notifications and information reports, taken apart.  Pure.

Source: IEC 62056-5-3, clauses 7.3.17 and 7.5.
"""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from drivers.dlms.data import CosemTime, Incomplete, decode, length_at, time_octets, value_at
from drivers.errors import GarbledReply

_DATA, _EVENT, _REPORT = 0x0F, 0xC2, 0x18
_VARIABLE_NAME = 2
_INVOKE = 4  # octets of the long invoke number
_TIME = 12
_DESCRIPTOR = 9  # class, logical name, attribute
_GENERALISED = re.compile(rb"(\d{14})(?:[.,](\d{1,2})\d*)?(Z|[+-]\d{4})?")  # 20261128221500+0100


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification; ``time`` where the meter gave one, ``source`` the object of an event.

    ``name`` is the short name of a variable in an information report.
    """

    value: object
    time: CosemTime | None = None
    source: tuple[int, bytes, int] | None = None
    name: int | None = None


def notifications(
    pushed: Iterable[bytes], opened: Callable[[bytes], bytes] | None
) -> list[Notification]:
    """Return the notifications among ``pushed``; ciphered ones are ``opened`` first."""
    found = []
    for apdu in pushed:
        with suppress(GarbledReply):
            clear = opened(apdu) if opened else apdu
            if clear[:1] == bytes((_REPORT,)):
                found += information_report(clear)
            else:
                found.append(notification(clear))
    return found


def information_report(apdu: bytes) -> list[Notification]:
    """Return the variables in an information report, one notification each.

    Raises:
        GarbledReply: It is none, or its counts are wrong.
    """
    if apdu[:1] != bytes((_REPORT,)):
        raise GarbledReply("what the meter pushed is no information report")
    try:
        moment, at = _report_time(apdu)
        count, at = length_at(apdu, at)
        names = []
        for _ in range(count):
            if apdu[at : at + 1] != bytes((_VARIABLE_NAME,)) or at + 3 > len(apdu):
                raise GarbledReply("an information report names no variable")
            names.append(int.from_bytes(apdu[at + 1 : at + 3], "big"))
            at += 3
        values, at = length_at(apdu, at)
        if values != len(names):
            raise GarbledReply(f"an information report has {values} values of {len(names)}")
        found = []
        for name in names:
            value, at = value_at(apdu, at)
            found.append(Notification(value, moment, name=name))
    except Incomplete as error:
        raise GarbledReply("an information report is cut short") from error
    if at != len(apdu):
        raise GarbledReply(f"{len(apdu) - at} octets follow an information report")
    return found


def _report_time(apdu: bytes) -> tuple[CosemTime | None, int]:
    """Return the time of a report and where its variables begin; many makers write it as octets."""
    if apdu[1:2] == b"\x00":
        return None, 2
    at = 2 if apdu[1:2] == b"\x01" else 1
    length, at = length_at(apdu, at)
    raw = apdu[at : at + length]
    if len(raw) < length:
        raise Incomplete
    return (CosemTime(raw) if length == _TIME else _generalised(raw)), at + length


def _generalised(raw: bytes) -> CosemTime | None:
    """Return the time in a text like 20261128221500+0100; None where it is none."""
    found = _GENERALISED.fullmatch(raw)
    if found is None:
        return None
    digits, parts, zone = found.group(1).decode(), found.group(2), found.group(3)
    try:
        local = datetime.strptime(digits, "%Y%m%d%H%M%S")  # noqa: DTZ007 - the meter's own time
    except ValueError:
        return None
    deviation = None
    if zone is not None:
        ahead = 0 if zone == b"Z" else int(zone[1:3]) * 60 + int(zone[3:5])
        deviation = ahead if zone[:1] == b"-" else -ahead
    octets = bytearray(time_octets(local, deviation))
    octets[8] = int(parts.ljust(2, b"0")) if parts else 0
    return CosemTime(bytes(octets))


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
