"""What bytes on a line mean, in words: HDLC frames, wrapper messages, IEC 62056-21 messages.

Nothing is interpreted beyond the frame and the kind of the APDU in it; a ciphered APDU stays shut.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from drivers.dlms.frames import Deframer, Frame
from drivers.iec62056.frames import parse_identification

_UNNUMBERED = {
    0x83: "SNRM, opens the link",
    0x43: "DISC, ends the link",
    0x63: "UA, agreed",
    0x0F: "DM, there is no link",
    0x87: "FRMR, frame refused",
    0x03: "UI, unnumbered information",
}
_SUPERVISORY = {0x01: "RR, go on", 0x05: "RNR, wait", 0x09: "REJ, send again"}
_APDUS = {
    0x60: "AARQ, association request",
    0x61: "AARE, association response",
    0x62: "RLRQ, release request",
    0x63: "RLRE, release response",
    0xC0: "GET request",
    0xC1: "SET request",
    0xC3: "ACTION request",
    0xC4: "GET response",
    0xC5: "SET response",
    0xC7: "ACTION response",
    0xC8: "GET request, ciphered",
    0xCC: "GET response, ciphered",
    0x05: "Read request",
    0x06: "Write request",
    0x0C: "Read response",
    0x0D: "Write response",
    0x16: "Write request, unconfirmed",
    0x18: "information report",
    0x25: "Read request, ciphered",
    0x26: "Write request, ciphered",
    0x2C: "Read response, ciphered",
    0x2D: "Write response, ciphered",
    0xE0: "general block transfer",
    0xD8: "exception response",
    0x0E: "confirmed service error",
    0x0F: "data notification",
    0xDB: "general ciphering, global key",
    0xDC: "general ciphering, dedicated key",
    0xE6: "gateway request",
    0xE7: "gateway response",
}
_LLC = (b"\xe6\xe6\x00", b"\xe6\xe7\x00")
_WRAPPER = 8
_REQUEST = re.compile(rb"/\?([^!\r\n]{0,32})!\r\n")
_IDENTIFICATION = re.compile(rb"/(?!\?)[A-Za-z]{3}[^\r\n]{1,61}\r\n")
_OPTION = re.compile(rb"\x06([0-9])([0-9A-F])([0-9])\r\n")


@dataclass(frozen=True, slots=True)
class Said:
    """One message among the bytes: where it begins, its bytes, and what it is."""

    at: int
    data: bytes
    kind: str  # hdlc, wrapper, iec62056, unknown
    words: str


def frame_words(data: bytes) -> list[Said]:
    """Return every message in ``data``, in order; what is none is named as unknown."""
    if _is_wrapper(data):
        return list(_wrapped(data))
    if b"\x7e" in data:
        return list(_framed(data))
    return list(_texts(bytes(c & 0x7F for c in data)))


def _is_wrapper(data: bytes) -> bool:
    return data[:2] == b"\x00\x01" and len(data) >= _WRAPPER


def _wrapped(data: bytes) -> Iterator[Said]:
    at = 0
    while _is_wrapper(data[at:]):
        source, target, length = (
            int.from_bytes(data[at + n : at + n + 2], "big") for n in (2, 4, 6)
        )
        whole = data[at : at + _WRAPPER + length]
        words = f"from {source} to {target}, {length} octets: {_apdu(whole[_WRAPPER:])}"
        if len(whole) < _WRAPPER + length:
            words += f"; {_WRAPPER + length - len(whole)} octets are missing"
        yield Said(at, whole, "wrapper", words)
        at += len(whole)
    if at < len(data):
        yield Said(at, data[at:], "unknown", "no wrapper header")


def _framed(data: bytes) -> Iterator[Said]:
    """Cut ``data`` at its good frames; what lies between is damaged or noise."""
    at = 0
    for frame in Deframer().feed(data):
        whole = frame.encode()
        start = data.find(whole, at)
        if start > at:
            yield from _between(at, data[at:start])
        yield Said(start, whole, "hdlc", _hdlc(frame))
        at = start + len(whole) - 1  # the closing flag may open the next frame
        if data[at + 1 : at + 2] == b"\x7e" or at + 1 == len(data):
            at += 1
    if at < len(data):
        yield from _between(at, data[at:])


def _between(at: int, data: bytes) -> Iterator[Said]:
    """Name what stands between frames: a sign-on in front of them, or what is damaged."""
    for said in _texts(bytes(c & 0x7F for c in data)):
        words = "damaged frame or noise" if said.kind == "unknown" else said.words
        own = data[said.at : said.at + len(said.data)]
        yield Said(at + said.at, own, said.kind, words)


def _hdlc(frame: Frame) -> str:
    control = frame.control & ~0x10
    turn = ", final" if frame.final else ""
    route = f"to {frame.destination.hex()} from {frame.source.hex()}"
    if not frame.control & 1:
        sent, expected = frame.control >> 1 & 7, frame.control >> 5
        said = f"I, number {sent}, expects {expected}{turn}: {_content(frame)}"
    elif control & 0x03 == 0x01:
        kind = _SUPERVISORY.get(control & 0x0F, "unknown supervisory frame")
        said = f"{kind}, expects {frame.control >> 5}{turn}"
    else:
        said = _UNNUMBERED.get(control, f"unknown control {frame.control:02x}") + turn
    return f"{route}: {said}"


def _content(frame: Frame) -> str:
    information = frame.information
    for head in _LLC:
        information = information.removeprefix(head)
    more = ", more segments follow" if frame.segmented else ""
    if len(information) == len(frame.information) and information:
        return f"{len(information)} octets of a longer message{more}"
    return f"{_apdu(information)}, {len(information)} octets{more}"


def _apdu(data: bytes) -> str:
    return _APDUS.get(data[0], f"APDU of kind {data[0]:02x}") if data else "nothing"


def _texts(data: bytes) -> Iterator[Said]:
    at = 0
    while at < len(data):
        found = [
            (match.start(), match, name)
            for name, pattern in (
                ("request", _REQUEST),
                ("identification", _IDENTIFICATION),
                ("option", _OPTION),
            )
            if (match := pattern.search(data, at))
        ]
        if not found:
            yield _rest(at, data[at:])
            return
        start, match, name = min(found, key=lambda item: item[0])
        if start > at:
            yield _rest(at, data[at:start])
        yield Said(start, match.group(), "iec62056", _text_words(match, name))
        at = match.end()


def _text_words(match: re.Match[bytes], name: str) -> str:
    if name == "request":
        address = match.group(1).decode("ascii", "replace")
        return f"request message, {f'address {address}' if address else 'any meter'}"
    if name == "option":
        v, z, y = (part.decode("ascii") for part in match.groups())
        return f"option select: protocol {v}, speed {z}, mode {y}"
    line = match.group().decode("ascii", "replace").strip()
    known = parse_identification(line)
    return f"identification: {known.line}" if known else f"identification: {line}"


def _rest(at: int, data: bytes) -> Said:
    if data[:1] in {b"\x02", b"\x01"}:
        kind = "data message" if data[:1] == b"\x02" else "programming message"
        return Said(at, data, "iec62056", f"{kind}, {len(data)} characters")
    if b"(" in data:
        return Said(at, data, "iec62056", f"data lines, {len(data)} characters")
    return Said(at, data, "unknown", "no message that is known")
