"""M-Bus clients (class 72): the slave meters of a master, and their values read through it.

Source: IEC 62056-6-2, M-Bus client; EN 13757-3, 5.4 to 5.8 (header, makers, media).
"""

from collections.abc import Sequence

from drivers.dlms.data import Bits
from drivers.dlms.objects import DATA, EXTENDED, PROFILE, REGISTER, ObjectReader, identifier, named
from drivers.dlms.supervision import codes_of
from drivers.errors import AccessDenied, NotSupported
from drivers.obis import to_bytes
from drivers.objectmodel import ObjectEntry
from drivers.slaves import SlaveMeter
from drivers.values import Reading

MBUS_CLIENT = 72
_USUAL = tuple(f"0-{channel}:24.1.0.255" for channel in range(1, 5))
_PORT, _PERIOD, _ADDRESS, _NUMBER, _MAKER = 2, 4, 5, 6, 7
_VERSION, _DEVICE, _ACCESS, _STATUS, _ALARM, _CONFIGURATION, _KEY = range(8, 15)
_MEDIA = {  # device type -> name and group A of the codes
    2: ("electricity", 1), 3: ("gas", 7), 4: ("heat", 6), 6: ("warm water", 9),
    7: ("water", 8), 8: ("heat cost allocator", 4), 10: ("cooling", 5), 11: ("cooling", 5),
    12: ("heat", 6), 13: ("heat and cooling", 6), 21: ("hot water", 9), 22: ("cold water", 8),
    40: ("waste water", 8), 55: ("radio converter", 0),
}  # fmt: skip
_KEYS = {
    0: "no key", 1: "key set", 2: "key transferred", 3: "key set and transferred",
    4: "key in use",
}  # fmt: skip
_VALUES, _PROFILE = (24, 2), (24, 3)  # groups C and D
_MOST_VALUES = 4
_LETTER, _LETTERS = 0x1F, 5
_NONE = frozenset({0, 0xFFFF_FFFF})


class Slaves:
    """Reads the slave meters of one session.

    ``first`` is group B of the first channel where its values stand under the code of their medium.
    """

    def __init__(self, objects: ObjectReader, first: int) -> None:
        self._objects = objects
        self._first = first

    def all(self, entries: Sequence[ObjectEntry]) -> tuple[SlaveMeter, ...]:
        """Return the channels in their order.

        Raises:
            NotSupported: There is none.
        """
        found = []
        for code in sorted(codes_of(entries, MBUS_CLIENT, _USUAL), key=to_bytes):
            told = self._objects.told(MBUS_CLIENT, to_bytes(code), range(_PORT, _KEY + 1))
            told.pop(3, None)  # the capture definition: how the master reads, not what
            if told:
                found.append(self._slave(code, told, entries))
        if not found:
            raise NotSupported("this meter shows no channel for slave meters")
        return tuple(found)

    def _slave(
        self, code: str, told: dict[int, object], entries: Sequence[ObjectEntry]
    ) -> SlaveMeter:
        channel = to_bytes(code)[1]
        number, device = _whole(told.get(_NUMBER)), _whole(told.get(_DEVICE))
        installed = number is not None and number not in _NONE
        medium, group = _MEDIA.get(device or 0, ("", 0))
        key = _whole(told.get(_KEY))
        place = f"{group}-{channel - 1 + self._first}" if group else ""
        own, second = f"0-{channel}:96.1.0.255", f"0-{channel}:96.1.1.255"
        utility = self._text((f"{place}:0.0.0.255" if place else "", second), entries)
        number_kept = self._text((own,), entries)
        maker = self._text((f"{place}:0.0.9.255",) if place else (), entries)
        return SlaveMeter(
            channel=channel,
            obis=code,
            installed=installed,
            utility_serial=utility or number_kept,
            maker_serial=maker or (number_kept if utility else ""),
            identification=header_number(number) if installed else "",
            manufacturer=maker_letters(told.get(_MAKER)),
            medium=medium or ("" if not device else f"device type {device}"),
            device_type=device,
            version=_whole(told.get(_VERSION)),
            address=_whole(told.get(_ADDRESS)),
            configuration=_hex(told.get(_CONFIGURATION)),
            capture_period_s=_whole(told.get(_PERIOD)),
            access_number=_whole(told.get(_ACCESS)),
            status=_whole(told.get(_STATUS)),
            alarm=_whole(told.get(_ALARM)),
            key_status="" if key is None else _KEYS.get(key, f"key status {key}"),
            port=named(told.get(_PORT)),
            profile=_profile(channel, entries),
            values=self._values(channel, place, entries) if installed else (),
        )

    def _text(self, codes: Sequence[str], entries: Sequence[ObjectEntry]) -> str:
        """Return the first of these texts that the master keeps."""
        listed = {one.code for one in entries if one.class_id == DATA}
        for code in codes:
            if not code or (entries and code not in listed):
                continue
            try:
                text = identifier(self._objects.value(DATA, to_bytes(code)))
            except (NotSupported, AccessDenied):
                continue
            if text:
                return text
        return ""

    def _values(
        self, channel: int, place: str, entries: Sequence[ObjectEntry]
    ) -> tuple[Reading, ...]:
        usual = [f"0-{channel}:24.2.{n}.255" for n in range(1, _MOST_VALUES + 1)]
        found = []
        for code in _listed_values(channel, place, entries) if entries else usual:
            try:
                found.append(self._objects.register(code))
            except (NotSupported, AccessDenied):
                continue
        return tuple(found)


def _listed_values(channel: int, place: str, entries: Sequence[ObjectEntry]) -> list[str]:
    """Return the registers of a channel: its values, and what the master maps to its medium."""
    found = []
    for one in entries:
        _, b, c, d, _, _ = to_bytes(one.code)
        own = one.code.startswith("0-") and (b, c, d) == (channel, *_VALUES)
        mapped = place and one.code.startswith(f"{place}:")
        if one.class_id in {REGISTER, EXTENDED} and (own or mapped):
            found.append(one.code)
    return found


def _profile(channel: int, entries: Sequence[ObjectEntry]) -> str:
    for one in entries:
        groups = to_bytes(one.code)
        if one.class_id == PROFILE and groups[1] == channel and tuple(groups[2:4]) == _PROFILE:
            return one.code
    return ""


def header_number(value: object) -> str:
    """Return the eight digits of an identification number: packed decimal, or a plain number."""
    number = _whole(value)
    if number is None:
        return ""
    packed = f"{number:08x}"
    return packed if packed.isdecimal() else f"{number:08}"


def maker_letters(value: object) -> str:
    """Return the three letters of an M-Bus manufacturer id."""
    number = _whole(value)
    if not number:
        return ""
    letters = [chr(64 + (number >> shift * _LETTERS & _LETTER)) for shift in (2, 1, 0)]
    return "".join(letters) if all(letter.isalpha() for letter in letters) else f"{number:04X}"


def _hex(value: object) -> str:
    if isinstance(value, Bits):
        return value.text
    if isinstance(value, bytes):
        return identifier(value)
    number = _whole(value)
    return "" if number is None else f"{number:04X}"


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
