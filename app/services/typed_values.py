"""Encodes what people type as a DLMS value of the type that stands in the meter."""

from drivers.errors import ValueRefused

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
_BOOLEAN, _OCTETS, _TEXT = 0x03, 0x09, 0x0A
_SHORT = 0x80  # lengths below it take one octet
_WORDS = {"on": 1, "true": 1, "1": 1, "off": 0, "false": 0, "0": 0}
_NAMES = {_BOOLEAN: "on or off", _OCTETS: "octets in hex", _TEXT: "text"}
HEX = "hex:"  # before the whole encoded value


def kind_of(raw: bytes) -> str:
    """Return what the value in the meter is, in words; "" where only encoded octets will do."""
    tag = raw[0] if raw else -1
    return "whole number" if tag in _WHOLE else _NAMES.get(tag, "")


def encoded(raw: bytes, text: str) -> bytes:
    """Return ``text`` as a value of the type of ``raw``; after ``hex:`` as it is.

    Raises:
        ValueRefused: It is no value of this type.
    """
    text = text.strip()
    try:
        if text.lower().startswith(HEX):
            value = bytes.fromhex(text[len(HEX) :])
        else:
            value = _typed(raw[0] if raw else -1, text)
    except (ValueError, OverflowError) as error:
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


def _typed(tag: int, text: str) -> bytes:
    if tag in _WHOLE:
        size, signed = _WHOLE[tag]
        return bytes((tag,)) + int(text).to_bytes(size, "big", signed=signed)
    if tag == _BOOLEAN:
        if text.lower() not in _WORDS:
            raise ValueError(text)
        return bytes((tag, _WORDS[text.lower()]))
    if tag in {_OCTETS, _TEXT}:
        body = bytes.fromhex(text) if tag == _OCTETS else text.encode("ascii")
        if len(body) >= _SHORT:
            raise ValueError(text)
        return bytes((tag, len(body))) + body
    raise ValueError(text)
