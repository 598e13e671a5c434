"""What meters in the field do wrong at the optical port, each by its name.

The names follow the complaints that installers have: learning the mode, receiving, and the faults
of the line.  Those of programming mode stand in `drivers.simulator.programming`.
"""

from collections.abc import Collection
from itertools import product

ACK, STX, ETX = 0x06, 0x02, 0x03
VENDOR_START = 0x0C
LATE = 1.4  # s, nearly the longest reaction time allowed
GAP = 1.2  # s, nearly the longest gap between two characters allowed
_ALPHABET = b"09AZaz07BYbp13CQcs25DHdt"
NOISE = bytes((n * 167 + 29) & 0xFF | 1 for n in range(12))

FAULTS = {
    "silence": "never answers",
    "wants-address": "answers only to its own number, not to a request for anybody",
    "deaf-once": "does not hear the first request",
    "keeps-300": "announces a higher speed and stays at 300 Bd",
    "acts-as-mode-a": "sends its data right after the identification",
    "no-identification": "sends its data in place of an identification",
    "deaf-to-first-select": "does not hear the first option select and sends at 300 Bd",
    "maker-option": "wants the option of its maker (256): any other brings its list at 300 Bd",
    "early-data": "begins its data without the reaction time",
    "late-data": "begins its data after 1.4 s",
    "echo": "every character sent to it comes back",
    "echo-request": "the request comes back, the option select does not",
    "echo-select": "the option select comes back, the request does not",
    "filler": "sends 7F 7F 7F before the identification",
    "noise": "there is noise on the line before the identification",
    "wrong-check": "the check character is always wrong",
    "wrong-check-once": "the check character is wrong the first time",
    "additive-check": "the check is the sum modulo 128",
    "vendor-check": "sends no STX and starts the check at 0C",
    "check-is-line-feed": "the check character happens to be a line feed",
    "missing-etx": "leaves out ETX and the check character",
    "lost-stx": "the first character of the data is lost",
    "glued-end": "the exclamation mark follows the last data set directly",
    "no-end-mark": "leaves out the exclamation mark",
    "line-feeds-only": "ends its lines with LF LF",
    "carriage-returns-only": "ends its lines with CR",
    "parity-errors": "every 97th data character has wrong parity",
    "no-parity": "sends its data without parity: bit 7 is always 0",
    "ack-before-data": "sends ACK CR LF before the data",
    "slow-characters": "pauses 20 ms after every data character",
    "gap-in-data": "pauses 1.2 s in the middle of its data",
    "silent-after-100": "falls silent after 100 data characters",
}


def block_check(data: bytes, start: int = 0) -> int:
    """Return the exclusive-or of ``data``: the check over what follows STX, ETX included."""
    check = start
    for character in data:
        check ^= character
    return check & 0x7F


def spoilt(data: bytes, faults: Collection[str], *, wrong_check: bool) -> bytes:
    """Return a data message as a meter with these faults forms it."""
    if data[:1] == bytes([STX]) and bytes([ETX]) in data:
        body = _lines(data[1 : data.rindex(bytes([ETX]))], faults)
        data = bytes([STX]) + body + bytes([ETX, _check(body + bytes([ETX]), faults, data[-1])])
    if "missing-etx" in faults:
        data = data[: data.rindex(bytes([ETX]))] if bytes([ETX]) in data else data
    elif wrong_check:
        data = data[:-1] + bytes([data[-1] ^ 0x11])
    if "lost-stx" in faults or "vendor-check" in faults:
        data = data.removeprefix(bytes([STX]))
    return bytes([ACK]) + b"\r\n" + data if "ack-before-data" in faults else data


def _lines(body: bytes, faults: Collection[str]) -> bytes:
    if "check-is-line-feed" in faults:
        body = _made_to_check(body, ord("\n"))
    if "glued-end" in faults:
        body = body.replace(b"\r\n!", b"!")
    if "no-end-mark" in faults:
        body = body.replace(b"!\r\n", b"")
    if "line-feeds-only" in faults:
        body = body.replace(b"\r\n", b"\n\n")
    return body.replace(b"\r\n", b"\r") if "carriage-returns-only" in faults else body


def _made_to_check(body: bytes, wanted: int) -> bytes:
    """Return ``body`` with a value changed so that its exclusive-or with ETX is ``wanted``."""
    head, mark, tail = body.rpartition(b"!")
    line = b"0.2.9(%s)\r\n"
    need = block_check(head + line % b"" + mark + tail + bytes([ETX])) ^ wanted
    texts = (bytes(text) for text in product(_ALPHABET, repeat=4))
    return head + line % next(t for t in texts if block_check(t) == need) + mark + tail


def _check(covered: bytes, faults: Collection[str], given: int) -> int:
    if "additive-check" in faults:
        return sum(covered) & 0x7F
    if "vendor-check" in faults:
        return block_check(covered, VENDOR_START)
    changed = {"check-is-line-feed", "glued-end", "no-end-mark", "line-feeds-only"}
    changed.add("carriage-returns-only")
    return block_check(covered) if changed & set(faults) else given


def with_parity(data: bytes) -> bytes:
    """Return 7-bit ``data`` as it looks on an even-parity wire."""
    return bytes((c & 0x7F) | ((c & 0x7F).bit_count() & 1) << 7 for c in data)


def on_the_wire(data: bytes, faults: Collection[str]) -> bytes:
    """Return the characters of a data message with their parity bits."""
    wire = bytearray(data if "no-parity" in faults else with_parity(data))
    if "parity-errors" in faults:
        for place in range(96, len(wire), 97):
            wire[place] ^= 0x80
    if "silent-after-100" in faults:
        del wire[100:]
    return bytes(wire)


def pieces(wire: bytes, faults: Collection[str], character_s: float) -> list[tuple[float, bytes]]:
    """Return what is sent, cut where it pauses, each with the seconds after the first."""
    if "slow-characters" in faults:
        step = 0.02 + character_s
        return [(n * step, bytes([c])) for n, c in enumerate(wire)]
    if "gap-in-data" in faults and len(wire) > 1:
        half = len(wire) // 2
        return [(0.0, wire[:half]), (half * character_s + GAP, wire[half:])]
    return [(0.0, wire)]
