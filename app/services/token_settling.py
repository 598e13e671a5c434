"""What became of a token whose entry nobody saw end: what the meter tells, and the words for it.

The order of evidence: a key that changed, the time of the last token, a credit that grew.  What a
meter does not tell stays untold; nothing here ever enters a token.
"""

from decimal import Decimal
from enum import StrEnum

from app.models.token import OrderToken
from drivers.prepayment import PrepaymentReading

_KEY = ("sgc", "ti", "krn", "key_type", "base")
_USED_MEANWHILE = Decimal("0.5")  # a credit token may have lost this share to the customer's load
_KEY_CHANGE = "key_change"


class Settled(StrEnum):
    """The end of an entry that nobody saw, in words."""

    ACCEPTED = "already accepted"
    REFUSED = "refused by the meter"
    NOT_ENTERED = "not entered: enter it again"
    UNTOLD = "cannot be told: ask the vending office"


def taken(
    before: PrepaymentReading, now: PrepaymentReading, token: OrderToken | None = None
) -> bool | None:
    """Tell whether the meter took a token between two readings; None when that is not clear.

    A last token that is another one than before may be somebody else's: a credit token of a known
    amount must then also be found in the credit.
    """
    if token is not None and token.purpose == _KEY_CHANGE and _another_key(before, now):
        return True
    grown = None if None in {before.balance, now.balance} else _grown(before, now)
    amount = token.amount if token is not None else None
    if before.last_token and now.last_token:
        if before.last_token == now.last_token:
            return False
        missing = amount is not None and grown is not None and grown < amount * _USED_MEANWHILE
        return None if missing else True
    if grown is not None and grown > (amount or Decimal(0)) * _USED_MEANWHILE:
        return True
    return None


def _another_key(before: PrepaymentReading, now: PrepaymentReading) -> bool:
    pairs = [(getattr(before, name), getattr(now, name)) for name in _KEY]
    return any(was not in {None, ""} and is_ not in {None, ""} and was != is_ for was, is_ in pairs)


def _grown(before: PrepaymentReading, now: PrepaymentReading) -> Decimal:
    return (now.balance or Decimal(0)) - (before.balance or Decimal(0))
