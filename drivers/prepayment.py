"""What a prepayment meter tells about its keys and credit, and what it answers to a token.

Meters that can tell or take them have the methods of `Prepaid` or `TakesTokens` beside those of
`drivers.meter.Meter`.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable

from drivers.secrets import Secret


@dataclass(frozen=True, slots=True)
class PrepaymentReading:
    """Which key the meter is on, and its credit; "" and None for what it does not tell.

    ``last_token`` stands for the time at which the meter last took a token, in whatever form the
    meter has it: two readings with the same text had no token in between.
    """

    drn: str = ""
    sgc: str = ""
    ti: str = ""
    krn: int | None = None
    key_type: int | None = None
    ken: int | None = None
    ea: int | None = None
    base: int | None = None
    key_tokens: int | None = None  # how many tokens a key-change set has for this meter
    balance: Decimal | None = None
    unit: str = ""
    last_token: str = ""


class TokenState(StrEnum):
    """What became of a token that was handed over."""

    ACCEPTED = "accepted"  # one of a key-change set may still wait for the others
    REFUSED = "refused"
    PROCESSING = "processing"  # the meter has it and does not yet say


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What the meter says of the last token; ``code`` is the result's number, 0 when not told."""

    state: TokenState
    code: int = 0
    status: int | None = None  # of the token gateway: 0 to 8


@runtime_checkable
class Prepaid(Protocol):
    """A meter that tells its prepayment state."""

    def prepayment(self) -> PrepaymentReading:
        """Return keys and credit.

        Raises:
            NotSupported: It is no prepayment meter, or tells nothing of it.
        """


@runtime_checkable
class TakesTokens(Protocol):
    """A meter that takes tokens over the wire."""

    def enter_token(self, token: Secret) -> TokenAnswer:
        """Hand over 20 digits, once, in the one encoding of the type, and return the answer.

        Raises:
            NotSupported: The type names no way, or the meter has none; nothing was sent.
            DriverError: The line broke: whether the meter took it is not known.
        """

    def token_answer(self) -> TokenAnswer:
        """Return what the meter says of the last token that it took, whoever entered it."""
