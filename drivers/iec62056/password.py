"""Passwords as the meter wants to hear them, and what its refusal tells."""

import re

from drivers.errors import NotSupported
from drivers.iec62056.frames import Message
from drivers.metertype import Iec62056
from drivers.secrets import Secret

_LENGTH = 8  # characters of a password that is mixed with an operand of as many octets
_OPERAND = re.compile(rb"\(?([0-9A-Fa-f]{16})\)?")
_COUNT = re.compile(rb"\)\(([0-9]{1,2})\)", re.ASCII)  # a lone `(01)` is an error number


def password_message(own: Iec62056, password: Secret, operand: bytes) -> bytes:
    """Return the data of the password command for the type's level and method.

    Raises:
        NotSupported: The method does not fit this password or the operand the meter gave.
    """
    if own.password_method == "a1700":  # noqa: S105 (the name of a method)
        return b"(" + mixed(password.reveal(), operand) + b")"
    return b"(" + password.reveal() + b")"


def mixed(password: bytes, operand: bytes) -> bytes:
    """Return the answer to an A1700's operand, in hex: password and operand mixed and chained.

    Raises:
        NotSupported: The operand is not 16 hex digits, or the password not 8 characters.
    """
    found = _OPERAND.fullmatch(operand.strip())
    if found is None:
        raise NotSupported("the meter gave no 16-digit operand to compute the password with")
    if len(password) != _LENGTH:
        raise NotSupported("this meter's password has 8 characters")
    seed = bytes.fromhex(found[1].decode("ascii"))
    plain = bytes(a ^ b for a, b in zip(password, seed, strict=True))
    chained, last = bytearray(), plain[-1]
    for octet in plain:
        last = (octet + last) & 0xFF
        chained.append(last)
    return chained.hex().upper().encode("ascii")


def refusal(answer: Message) -> str:
    """Return in words what a meter says that does not take a password."""
    if answer.command == "B0":
        return "the meter refused the password and ended the session: it may be locked now"
    text = "the meter refused the password"
    count = _COUNT.search(answer.body)
    if count is None:
        return text
    left = int(count[1])
    if not left:
        return f"{text}: no attempt is left, it is locked"
    return f"{text}: {left} {'attempt is' if left == 1 else 'attempts are'} left before it locks"
