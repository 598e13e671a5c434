"""Passwords and keys on their way to a meter; they never show themselves."""

from dataclasses import dataclass


class Secret:
    """Bytes that nobody sees by accident: `repr`, `str` and traces show dots."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """Return the bytes; call it only where they go on the wire or into a cipher."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(•••)"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What one meter asks for; None for what is not known."""

    password: Secret | None = None
    authentication_key: Secret | None = None
    encryption_key: Secret | None = None
    key: Secret | None = None
