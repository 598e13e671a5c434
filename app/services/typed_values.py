"""Encodes what people type as a DLMS value of the type that stands in the meter, and back."""

import re
import struct
from datetime import datetime

from drivers.dlms.data import Bits, as_time, decode, printable, time_octets
from drivers.errors import GarbledReply, ValueRefused

_WHOLE = {  # tag -> octets, signed
    0x05: (4, True),
    0x06: (4, False),
    0x0F: (1, True),
    0x10: (2, True),
    0x11: (1, False),
    0x12: (2, False),
    0x14: (8, True),
    0x15: (8, False),
    0x16: (1, False),
}
_FLOATS = {0x17: ">f", 0x18: ">d"}
_BOOLEAN, _BITS, _OCTETS, _TEXT, _UTF8 = 0x03, 0x04, 0x09, 0x0A, 0x0C
_SHORT = 0x80  # lengths below it take one octet
_WORDS = {"on": 1, "true": 1, "yes": 1, "1": 1, "off": 0, "false": 0, "no": 0, "0": 0}
_NAMES = {
    _BOOLEAN: "yes or no",
    _BITS: "a row of 0 and 1",
    _OCTETS: 'octets in hex, or "text" in quotation marks',
    _TEXT: "text",
    _UTF8: "text",
}
_TIME = 12
HEX = "hex:"  # before the whole encoded value


def kind_of(raw: bytes) -> str:
    """Return what the value in the meter is, in words; "" where only encoded octets will do."""
    tag = raw[0] if raw else -1
    if tag in _WHOLE:
        size, signed = _WHOLE[tag]
        low = -(1 << (8 * size - 1)) if signed else 0
        high = (1 << (8 * size - signed)) - 1
        return f"a whole number, {low} to {high}"
    if tag in _FLOATS:
        return "a number"
    if tag == _OCTETS and len(raw) == _TIME + 2 and _time_of(raw) is not None:
        return "a time like 2031-03-04 09:15:00"
    return _NAMES.get(tag, "")


def typed(raw: bytes) -> str:
    """Return the value in the meter as somebody would type it; `encoded` gives it back."""
    tag = raw[0] if raw else -1
    try:
        value = decode(raw)
    except GarbledReply:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if tag == _OCTETS and isinstance(value, bytes):
        return _typed_octets(raw, value)
    if tag in {*_WHOLE, *_FLOATS, _TEXT, _UTF8}:
        return str(value)
    return value.text if isinstance(value, Bits) else f"{HEX} {raw.hex(' ').upper()}"


def _typed_octets(raw: bytes, value: bytes) -> str:
    moment = _time_of(raw)
    if moment is not None:
        return moment.isoformat(" ")
    words = printable(value)
    return f'"{words}"' if words and words.encode() == value else value.hex(" ").upper()


def encoded(raw: bytes, text: str) -> bytes:
    """Return ``text`` as a value of the type of ``raw``; after ``hex:`` as it is.

    Raises:
        ValueRefused: It is no value of this type.
    """
    text = text.strip()
    try:
        if text.lower().startswith(HEX):
            value = bytes.fromhex(text[len(HEX) :])
            if value:
                decode(value)
        else:
            value = _typed(raw, text)
    except (ValueError, OverflowError, GarbledReply) as error:
        wanted = kind_of(raw) or f"{HEX} and the encoded value"
        raise ValueRefused(f"{text!r} cannot be written here: {wanted} is needed") from error
    if not value:
        raise ValueRefused("nothing was entered")
    return value


def text_of(raw: bytes) -> str:
    """Return what `encoded` takes for this value; "" where only encoded octets will do."""
    tag, body = (raw[0], raw[1:]) if raw else (-1, b"")
    if tag in _WHOLE:
        size, signed = _WHOLE[tag]
        return str(int.from_bytes(body, "big", signed=signed)) if len(body) == size else ""
    if tag == _BOOLEAN and len(body) == 1:
        return "on" if body[0] else "off"
    if tag in {_OCTETS, _TEXT} and body[:1] == bytes((len(body) - 1,)) and body[0] < _SHORT:
        if tag == _OCTETS:
            return body[1:].hex(" ").upper()
        return body[1:].decode("ascii") if body[1:].isascii() else ""
    return ""


def _typed(raw: bytes, text: str) -> bytes:
    tag = raw[0] if raw else -1
    if tag in _WHOLE:
        size, signed = _WHOLE[tag]
        return bytes((tag,)) + int(text).to_bytes(size, "big", signed=signed)
    if tag in _FLOATS:
        return bytes((tag,)) + struct.pack(_FLOATS[tag], float(text.replace(",", ".")))
    if tag == _BOOLEAN:
        if text.lower() not in _WORDS:
            raise ValueError(text)
        return bytes((tag, _WORDS[text.lower()]))
    if tag == _BITS:
        return _bits(raw, text)
    if tag in {_OCTETS, _TEXT, _UTF8}:
        body = _octets(raw, text) if tag == _OCTETS else _characters(tag, text)
        if len(body) >= _SHORT:
            raise ValueError(text)
        return bytes((tag, len(body))) + body
    raise ValueError(text)


def _characters(tag: int, text: str) -> bytes:
    return text.encode("utf-8" if tag == _UTF8 else "ascii")


def _bits(raw: bytes, text: str) -> bytes:
    if not re.fullmatch("[01]+", text) or len(text) != raw[1]:
        raise ValueError(text)
    size = (len(text) + 7) // 8
    filled = text.ljust(8 * size, "0")
    return raw[:2] + int(filled, 2).to_bytes(size, "big")


def _octets(raw: bytes, text: str) -> bytes:
    quoted = re.fullmatch('"(.*)"', text)
    if quoted:
        return quoted.group(1).encode("ascii")
    if len(raw) == _TIME + 2 and _time_of(raw) is not None and "-" in text:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            raise ValueError(text)
        # deviation and status stay as the meter has them
        return time_octets(moment, None)[:9] + raw[11:]
    return bytes.fromhex(text)


def _time_of(raw: bytes) -> datetime | None:
    """Return the time in an encoded octet string of twelve; None where it holds none."""
    moment = as_time(raw[2:]) if raw[:2] == bytes((_OCTETS, _TIME)) else None
    return moment.local() if moment is not None else None
