"""Programming mode of a virtual IEC 62056-21 meter: what stands behind ``ACK 0 Z 1``.

Theory of operation.  The optical port hands over what it hears, character by character, with the
parity already judged, and sends what comes back.  One command is answered at a time::

    heard                         answered
    P1 (password), right          ACK; writes are allowed from now on
    P1, P2 wrong                  STX (ERROR)(attempts left) ETX BCC, the third time B0: locked
    R1 R2 R5 R6 code(argument)    STX code(value) … ETX BCC, or in blocks that end with EOT
    ACK, NAK while blocks go out  the next block, the same once more
    W1 W2 W5 code(value)…         ACK, or STX (ERROR) ETX BCC
    B0                            nothing: the session is over
    a wrong check or parity       NAK
    NAK otherwise                 the last answer once more
    what it does not know         STX (ERROR) ETX BCC

What the meter knows is its `Store`'s business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

SOH, STX, ETX, EOT, ACK, NAK = 0x01, 0x02, 0x03, 0x04, 0x06, 0x15
ATTEMPTS = 3  # wrong passwords until the meter locks
LONGEST_COMMAND = 256  # characters
_READS, _WRITES = ("R1", "R2", "R5", "R6"), ("W1", "W2", "W5")

FAULTS = {
    "no-programming": "answers the wish for programming mode with a break",
    "empty-operand": "offers an operand without digits",
    "wants-password": "tells and takes nothing before the password 12345678 (P1)",
    "wants-computed-password": "the same, but P2, computed from its operand",
    "locked": "is locked for passwords from the beginning",
    "r1-acknowledged": "acknowledges R1 without a value; R5 works",
    "nak-first-command": "refuses the first command as badly heard",
    "wrong-check-in-block": "one block of a long answer has a wrong check character, once",
    "every-block-wrong": "the check of every long answer is wrong",
    "breaks-off": "falls silent in the middle of the first long answer",
    "silent-after-write": "takes a write and does not answer it",
    "ignores-write": "acknowledges a write and keeps its old value",
    "error-answers": "answers every read with (ERROR)",
    "ends-session": "answers every read with a break",
    "header-only": "answers a profile with its header and no rows",
    "extra-rows": "answers a profile with two hours more than it was asked for",
}


class Store(Protocol):
    """What a meter holds and what may be written."""

    def read(self, now: float, code: str, argument: str) -> list[str] | None:
        """Return the data lines for a code; None when there is no such value."""

    def write(self, now: float, code: str, value: str) -> bool:
        """Take a value; False when it is refused."""


def check_xor(data: bytes) -> int:
    """Return the exclusive-or of ``data``."""
    check = 0
    for character in data:
        check ^= character
    return check & 0x7F


def check_sum(data: bytes) -> int:
    """Return the sum of ``data`` modulo 128."""
    return sum(data) & 0x7F


def mixed(password: bytes, operand: bytes) -> bytes:
    """Return what an A1700 expects for its operand (both as characters; the operand in hex)."""
    seed = bytes.fromhex(operand.decode("ascii"))
    mix = [p ^ s for p, s in zip(password, seed, strict=True)]
    total, out = mix[-1], ""
    for number in mix:
        total = (total + number) % 256
        out += f"{total:02X}"
    return out.encode("ascii")


@dataclass
class ProgrammingMode:
    """One meter's programming mode.

    ``passwords`` maps P1 and P2 to what must be given; without any, all is open.  ``operand`` is
    what P0 carries.  ``method`` a1700 computes the password with it.  ``in_value`` wants the P1
    password in the second group of every write instead.  ``block`` is the size of the partial
    blocks, used for R6 and with ``always_blocks`` for every read.
    """

    store: Store
    operand: bytes = b"00000000"
    passwords: Mapping[str, bytes] = field(default_factory=dict)
    method: str = ""
    in_value: bool = False
    block: int = 256
    always_blocks: bool = False
    additive: bool = False
    reads_open: bool = True  # without a password
    faults: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.attempts = 0 if "locked" in self.faults else ATTEMPTS
        self.over = True
        self.writes: list[tuple[str, str]] = []  # code and value of everything written
        self._open = False  # a password was given
        self._heard = bytearray()
        self._spoilt = False
        self._blocks: list[bytes] = []
        self._last = b""  # said once more for a NAK
        self._done_once: set[str] = set()

    def opening(self) -> bytes:
        """Begin a session; return what the meter says first, b"" where it offers none."""
        if "no-programming" in self.faults:
            return self._framed(SOH, b"B0")
        self.over = False
        self._open = not self.passwords or self.in_value
        self._forget()
        self._blocks = []
        operand = b"" if "empty-operand" in self.faults else self.operand
        self._last = self._framed(SOH, b"P0" + bytes([STX]) + b"(" + operand + b")")
        return self._last

    def spoil(self) -> None:
        """Hear a character with wrong parity or at another speed."""
        self._spoilt = True

    def take(self, now: float, character: int) -> bytes | None:
        """Hear one character; return the answer when it completes something (b"" for none)."""
        if not self._heard and self._blocks and character in {ACK, NAK}:
            return self._next_block(character)
        if not self._heard and character == NAK:
            return self._last
        if character == SOH and not self._ends():
            self._forget()
        elif not self._heard:
            return None
        self._heard.append(character)
        if len(self._heard) > LONGEST_COMMAND:
            self._forget()
        if not self._ends(before=1):
            return None
        message, spoilt = bytes(self._heard), self._spoilt
        self._forget()
        rule = check_sum if self.additive else check_xor
        nak = "nak-first-command" in self.faults and self._first("nak")
        if spoilt or nak or rule(message[1:-1]) != message[-1]:
            return bytes([NAK])
        self._blocks = []
        self._last = self._answer(now, message[1:-2])
        return self._last

    def _ends(self, before: int = 0) -> bool:
        place = len(self._heard) - 1 - before
        return place > 0 and self._heard[place] in {ETX, EOT}

    def _forget(self) -> None:
        self._heard.clear()
        self._spoilt = False

    def _answer(self, now: float, command: bytes) -> bytes:
        head, _, body = command.partition(bytes([STX]))
        name = head.decode("ascii", "replace")
        if name == "B0":
            self.over = True
            return b""
        if name in {"P1", "P2"}:
            return self._password(name, body)
        code, _, rest = body.decode("ascii", "replace").partition("(")
        groups = rest.removesuffix(")").split(")(")
        if name in _READS:
            return self._read(now, name, code, groups[0])
        if name in _WRITES:
            return self._write(now, code, groups)
        return self._error()

    def _password(self, name: str, body: bytes) -> bytes:
        wanted = self.passwords.get(name, b"")
        if wanted and self.method == "a1700":
            wanted = mixed(wanted, self.operand)
        if self.attempts and wanted and body == b"(" + wanted + b")":
            self.attempts = ATTEMPTS
            self._open = True
            return bytes([ACK])
        return self._wrong_password()

    def _wrong_password(self) -> bytes:
        self.attempts = max(0, self.attempts - 1)
        if not self.attempts:
            self.over = True
            return self._framed(SOH, b"B0")
        return self._framed(STX, f"(ERROR)({self.attempts})".encode("ascii"))

    def _read(self, now: float, name: str, code: str, argument: str) -> bytes:
        if "ends-session" in self.faults or not (self._open or self.reads_open):
            self.over = True
            return self._framed(SOH, b"B0")
        if name == "R1" and "r1-acknowledged" in self.faults:
            return bytes([ACK])
        lines = self.store.read(now, code, argument)
        if lines is None or "error-answers" in self.faults:
            return self._error(code)
        if "header-only" in self.faults and code.startswith("P.0"):
            lines = lines[:1]
        if name == "R6" or (self.always_blocks and len(lines) > 1):
            return self._first_block(lines)
        data = "\r\n".join(lines) + ("\r\n" if len(lines) > 1 else "")
        return self._disturbed(self._framed(STX, data.encode("ascii")), len(lines))

    def _write(self, now: float, code: str, groups: list[str]) -> bytes:
        value, given = groups[0], "".join(groups[1:2]).encode("ascii")
        if self.in_value and self.passwords and given != self.passwords.get("P1"):
            return self._wrong_password() if self.attempts else self._framed(SOH, b"B0")
        if not self._open:
            return self._error()
        if "ignores-write" not in self.faults and not self.store.write(now, code, value):
            return self._error()
        self.writes.append((code, value))
        return b"" if "silent-after-write" in self.faults else bytes([ACK])

    # -- blocks ------------------------------------------------------------------------------

    def _first_block(self, lines: Sequence[str]) -> bytes:
        pieces, piece = [], b""
        for line in lines:
            row = f"{line}\r\n".encode("ascii")
            if piece and len(piece) + len(row) > self.block:
                pieces.append(piece)
                piece = b""
            piece += row
        pieces.append(piece)
        ends = [EOT] * (len(pieces) - 1) + [ETX]
        self._blocks = [self._framed(STX, p, e) for p, e in zip(pieces, ends, strict=True)]
        return self._sent_block()

    def _next_block(self, character: int) -> bytes:
        if character == ACK:
            del self._blocks[0]
        return self._sent_block() if self._blocks else b""

    def _sent_block(self) -> bytes:
        middle = self._blocks[0][-2] == EOT
        return self._disturbed(self._blocks[0], _MANY if middle else 1)

    def _disturbed(self, data: bytes, lines: int) -> bytes:
        """Return an answer as the faults make it; only long ones are touched."""
        if lines < _MANY:
            return data
        if "every-block-wrong" in self.faults:
            return data[:-1] + bytes([data[-1] ^ 0x11])
        if "wrong-check-in-block" in self.faults and self._first("check"):
            return data[:-1] + bytes([data[-1] ^ 0x11])
        breaks = "breaks-off" in self.faults and len(self._blocks) in {0, _RESTED}
        if breaks and self._first("broken"):
            self.over = True
            return data[: len(data) // 2]
        return data

    def _first(self, what: str) -> bool:
        """Tell whether something is to happen that happens once."""
        if what in self._done_once:
            return False
        self._done_once.add(what)
        return True

    def _error(self, code: str = "") -> bytes:
        return self._framed(STX, f"{code}(ERROR)".encode("ascii"))

    def _framed(self, start: int, data: bytes, end: int = ETX) -> bytes:
        covered = data + bytes([end])
        check = check_sum(covered) if self.additive else check_xor(covered)
        return bytes([start]) + covered + bytes([check])


_MANY = 3  # lines that make an answer a long one
_RESTED = 3  # blocks left when a transfer breaks off
