r"""Frames of IEC 62056-21: identification, requests, messages and their check characters.

::

    request         / ? [address] ! CR LF
    identification  / M M m Z [\W]… model CR LF         M maker, Z speed character
    option select   ACK V Z Y CR LF
    data message    STX data ! CR LF ETX BCC
    command         SOH C D STX data ETX BCC            C D such as R5; EOT for ETX: more follows
    break           SOH B 0 ETX BCC

The check character covers what follows the first SOH or STX, ETX or EOT included.  Two rules are
in the field, XOR and the sum modulo 128, and one maker starts the XOR at 0C; all are tried.
Pure functions: no clock, no link.
"""

import re
from dataclasses import dataclass
from functools import reduce
from operator import xor

SOH, STX, ETX, EOT, ACK, NAK = 0x01, 0x02, 0x03, 0x04, 0x06, 0x15
STARTS = frozenset({SOH, STX})
ENDS = frozenset({ETX, EOT})
VENDOR_START = 0x0C  # EFR begins its exclusive-or here
LONGEST_IDENTIFICATION = 64  # characters; the standard allows 5 + 16

_MODE_C = {c: 300 << n for n, c in enumerate("0123456")}
_MODE_B = {c: 600 << n for n, c in enumerate("ABCDEF")}
_IDENTIFICATION = re.compile(r"/([A-Za-z]{3})([^\r\n])([^\r\n]*)")
_START = re.compile(rb"[\x01\x02]")
_END = re.compile(rb"[\x03\x04]")
_SEQUENCE = re.compile(r"\\([0-9@])")


@dataclass(frozen=True, slots=True)
class Identification:
    """What a meter says of itself in its identification line.

    ``line`` is the line as sent without its end, ``rate`` its speed character, ``sequences`` the
    characters after backslashes (``2``: HDLC may follow, mode E), ``model`` the rest.
    """

    line: str = ""
    manufacturer: str = ""
    rate: str = ""
    sequences: tuple[str, ...] = ()
    model: str = ""

    @property
    def mode(self) -> str:
        """The announced mode: A, B or C (E is C with a ``2`` among the sequences)."""
        if self.rate in _MODE_C:
            return "C"
        return "B" if self.rate in _MODE_B else "A"

    @property
    def speed(self) -> int:
        """The announced speed, 300 in mode A."""
        return speed_of(self.rate) or 300

    @property
    def offers_hdlc(self) -> bool:
        """Whether mode E is announced."""
        return "2" in self.sequences

    @property
    def reaction_s(self) -> float:
        """The shortest reaction time: a third letter in lower case announces the short one."""
        return 0.02 if self.manufacturer[2:3].islower() else 0.2


def parse_identification(line: str) -> Identification | None:
    """Return what an identification line says; None when it is none."""
    match = _IDENTIFICATION.fullmatch(line.strip("\r\n"))
    if not match:
        return None
    manufacturer, rate, rest = match.groups()
    sequences = []
    while found := _SEQUENCE.match(rest):
        sequences.append(found[1])
        rest = rest[found.end() :]
    text = line.strip("\r\n")
    return Identification(text, manufacturer, rate, tuple(sequences), rest.removeprefix("\\"))


def speed_of(rate: str) -> int:
    """Return the speed a rate character stands for, 0 for none."""
    return _MODE_C.get(rate) or _MODE_B.get(rate) or 0


def rate_of(speed: int) -> str:
    """Return the mode C rate character of ``speed``, or of the next lower one."""
    return max((r for r, s in _MODE_C.items() if s <= speed), default="0")


def request(address: str = "") -> bytes:
    """Return the sign-on request."""
    return b"/?" + address.encode("ascii", "replace") + b"!\r\n"


def option_select(v: str, z: str, y: str) -> bytes:
    """Return the acknowledgement that chooses protocol ``v``, speed ``z`` and option ``y``."""
    return bytes([ACK]) + f"{v}{z}{y}\r\n".encode("ascii", "replace")


def exclusive_or(data: bytes, start: int = 0) -> int:
    """Return the longitudinal parity of 7-bit ``data``."""
    return reduce(xor, data, start) & 0x7F


def sum_of(data: bytes) -> int:
    """Return the sum of ``data`` modulo 128."""
    return sum(data) & 0x7F


def crc16(data: bytes) -> int:
    """Return the CRC-16/ARC of a push telegram, from ``/`` to ``!`` inclusive."""
    crc = 0
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def rule_of(covered: bytes, bcc: int) -> str:
    """Return which rule proves ``covered``: "xor", "sum", "vendor", or "" for none."""
    bcc &= 0x7F
    if exclusive_or(covered) == bcc:
        return "xor"
    if sum_of(covered) == bcc:
        return "sum"
    return "vendor" if exclusive_or(covered, VENDOR_START) == bcc else ""


def command(name: str, data: bytes | None = None, rule: str = "xor") -> bytes:
    """Return a programming command such as ``R5`` with its check by ``rule`` (xor or sum)."""
    covered = name.encode("ascii", "replace")
    if data is not None:
        covered += bytes([STX]) + data
    covered += bytes([ETX])
    bcc = sum_of(covered) if rule == "sum" else exclusive_or(covered)
    return bytes([SOH]) + covered + bytes([bcc])


BREAK = command("B0")


@dataclass(frozen=True, slots=True)
class Message:
    """One framed message.

    ``command`` is "" for a data message; ``body`` the data between STX and the end.  ``rule`` is
    which check proved it ("xor", "sum", "vendor"), "absent" or "bad".  ``more`` marks a partial
    block.  ``opened`` is false where the start character was lost.
    """

    command: str
    body: bytes
    rule: str
    more: bool = False
    opened: bool = True
    closed: bool = True


def message_of(start: int | None, content: bytes, end: int | None, bcc: int | None) -> Message:
    """Return the message between a start and an end character, its check tried by every rule."""
    name, body = "", content
    if start == SOH:
        head, mark, body = content.partition(bytes([STX]))
        name = head.decode("latin-1")
        body = body if mark else b""
    rule = "absent"
    if end is not None and bcc is not None:
        rule = rule_of(content + bytes([end]), bcc) or "bad"
    return Message(name, body, rule, end == EOT, start is not None, end is not None)


def split_messages(data: bytes) -> tuple[list[Message], bytes]:
    """Return the framed messages in ``data`` and what stands outside of them.

    The check character may have any value, so exactly one character after ETX or EOT is taken.
    """
    messages, outside = [], bytearray()
    place = 0
    while place < len(data):
        opening = _START.search(data, place)
        if opening is None:
            break
        start = opening.start()
        outside += data[place:start]
        closing = _END.search(data, start + 1)
        if closing is None:
            messages.append(message_of(data[start], data[start + 1 :], None, None))
            return messages, bytes(outside)
        end = closing.start()
        bcc = data[end + 1] if end + 1 < len(data) else None
        messages.append(message_of(data[start], data[start + 1 : end], data[end], bcc))
        place = end + 2
    outside += data[place:]
    return messages, bytes(outside)


def looks_like_parity(data: bytes) -> bool:
    """Tell whether 8-bit ``data`` is 7-bit text with its even-parity bit still in bit 7."""
    if not any(octet & 0x80 for octet in data):
        return False
    even = sum(not octet.bit_count() & 1 for octet in data)
    return even >= 0.9 * len(data)


def without_parity(data: bytes) -> tuple[bytes, int]:
    """Return ``data`` on 7 bits and how many characters had wrong even parity."""
    return bytes(c & 0x7F for c in data), sum(c.bit_count() & 1 for c in data)
