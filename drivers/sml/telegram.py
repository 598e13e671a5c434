"""What an SML file says: who sends it, and its values with unit and status."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from drivers import obis
from drivers.dlms.units import scaled
from drivers.errors import GarbledReply
from drivers.sml.frames import FrameReader, crc_kermit, crc_x25
from drivers.sml.tlv import Malformed, Node, parse
from drivers.values import Identity, Reading

GET_LIST = 0x0701
_MESSAGE_ITEMS = 5  # transaction, group, abort, body, check; the end of the message follows
_LIST_ITEMS, _ENTRY_ITEMS = 5, 7
_SERVER, _VALUES = 1, 4  # places in a list response
_NAME, _STATUS, _TIME, _UNIT, _SCALER, _VALUE = range(6)
_STAMP = 2  # kind of time that is a time stamp; 1 is a counter of seconds
_FURTHEST = 30  # a scaler beyond this is no scaler
_DEVICE_ID = 10  # octets of an identifier by DIN 43863-5
_MAKER, _SERVER_ID = "129-129:199.130.3.255", ("1-0:0.0.9.255", "1-0:96.1.0.255")
_MAKERS = (_MAKER, "1-0:96.50.1.1", "1-0:96.50.1.255")
_NAMES = {
    _MAKER: "Manufacturer",
    "1-0:96.50.1.1": "Manufacturer",
    "129-129:199.130.5.255": "Public key",
    "1-0:0.0.9.255": "Device identifier",
    "1-0:96.1.0.255": "Device identifier",
}
_REMARKS_KEPT = 20


@dataclass(slots=True)
class Telegram:
    """One SML file, or several after one another.

    ``check`` is "ok" or "bad".  ``readings`` holds the values of all list responses in order.
    """

    server_id: bytes = b""
    readings: list[Reading] = field(default_factory=list)
    check: str = "ok"
    remarks: list[str] = field(default_factory=list)

    def remark(self, text: str) -> None:
        """Note something, once."""
        if text not in self.remarks and len(self.remarks) < _REMARKS_KEPT:
            self.remarks.append(text)


def decode_sml(data: bytes) -> Telegram:
    """Return what saved octets say; a file whose CRC is wrong is marked bad.

    Raises:
        GarbledReply: There is no SML file among them.
    """
    reader = FrameReader()
    frames = reader.feed(data)
    if not frames:
        raise GarbledReply("there is no whole SML file in these bytes")
    telegram = Telegram()
    for frame in frames:
        part = decode_file(frame.data, proved=frame.rule != "bad")
        telegram.server_id = telegram.server_id or part.server_id
        telegram.readings += part.readings
        telegram.check = "bad" if "bad" in {telegram.check, part.check} else "ok"
        for remark in part.remarks:
            telegram.remark(remark)
        if frame.rule == "kermit":
            telegram.remark("the check is CRC-16/KERMIT, as some makes compute it")
    return telegram


def decode_file(data: bytes, *, proved: bool = True) -> Telegram:
    """Return what one SML file (without its escape sequences) says; damage is remarked."""
    telegram = Telegram(check="ok" if proved else "bad")
    if not proved:
        telegram.remark("the check does not fit: values may be wrong")
    place = 0
    while place < len(data):
        if data[place] == 0:  # end of a message, or fill
            place += 1
            continue
        try:
            message = parse(data, place)
        except Malformed as error:
            telegram.remark(f"damaged: {error}")
            telegram.check = "bad"
            break
        _take(telegram, message, data)
        place = message.end
    return telegram


def _take(telegram: Telegram, message: Node, data: bytes) -> None:
    items = message.items
    if len(items) < _MESSAGE_ITEMS:
        telegram.remark(f"an element of {len(items)} parts is no message")
        return
    check = items[4]
    covered, given = data[message.start : check.start], check.number
    if given is not None and given not in {_turned(crc_x25(covered)), _turned(crc_kermit(covered))}:
        telegram.remark("the check of one message does not fit: its values may be wrong")
        telegram.check = "bad"
    body = items[3].items
    if len(body) > 1 and body[0].number == GET_LIST:
        _take_list(telegram, body[1].items)


def _turned(crc: int) -> int:
    return (crc & 0xFF) << 8 | crc >> 8


def _take_list(telegram: Telegram, items: list[Node]) -> None:
    if len(items) < _LIST_ITEMS:
        telegram.remark("a list response without values")
        return
    telegram.server_id = telegram.server_id or items[_SERVER].octets
    for entry in items[_VALUES].items:
        parts = entry.items
        if len(parts) < _ENTRY_ITEMS or len(parts[_NAME].octets) != 6:  # noqa: PLR2004 (OBIS)
            telegram.remark("a value without a code was left out")
            continue
        telegram.readings.append(_reading(parts, telegram.check))


def _reading(parts: list[Node], check: str) -> Reading:
    code = obis.from_bytes(parts[_NAME].octets)
    name = _NAMES.get(code) or obis.name_of(code) or code
    value = parts[_VALUE]
    scaler, unit = parts[_SCALER].number or 0, parts[_UNIT].number or 0
    number: Decimal | None = None
    text = ""
    if value.number is not None and abs(scaler) <= _FURTHEST:
        number, unit_text = scaled(value.number, scaler, unit)
        text = _status_text(parts[_STATUS])
    else:
        unit_text = ""
        text = _shown(code, value)
    return Reading(code, code, name, number, unit_text, text, None, _time(parts[_TIME]), check)


def _status_text(status: Node) -> str:
    return "" if status.number is None else f"status {status.number:X}"


def _shown(code: str, value: Node) -> str:
    if isinstance(value.value, bool):
        return "true" if value.value else "false"
    octets = value.octets
    if code in _SERVER_ID:
        return server_text(octets)
    if octets and all(0x20 <= octet < 0x7F for octet in octets):  # noqa: PLR2004 (printable)
        return octets.decode("ascii")
    return octets.hex().upper()


def _time(node: Node) -> datetime | None:
    kind = node.items[0].number if len(node.items) > 1 else None
    if kind != _STAMP or (seconds := node.items[1].number) is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def server_text(server_id: bytes) -> str:
    """Return a server id as it is printed on the meter, ``1EMH0012345678``, else in hex."""
    maker = server_id[2:5]
    if len(server_id) == _DEVICE_ID and maker.isalpha() and maker.isascii():
        number = int.from_bytes(server_id[6:], "big")
        return f"{server_id[1]}{maker.decode('ascii')}{server_id[5]:02d}{number:08d}"
    return server_id.hex().upper()


def identity_of(telegram: Telegram) -> Identity:
    """Return who sends the telegram."""
    texts = {reading.obis: reading.text for reading in telegram.readings if reading.text}
    serial = next((texts[code] for code in _SERVER_ID if code in texts), "")
    own = server_text(telegram.server_id)
    maker = next((texts[code] for code in _MAKERS if code in texts), "")
    if not maker and len(telegram.server_id) == _DEVICE_ID and own[1:4].isalpha():
        maker = own[1:4]
    return Identity(serial=serial or own, manufacturer=maker)
