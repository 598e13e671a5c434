"""Numbers of prepayment: check digits, meter numbers, base dates, and the time in a token."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

DRN_SHORT, DRN_LONG = 11, 13
PAN_LENGTH = 18
IIN_LONG = "0000"
BASE_DATES = (1993, 2014, 2035)
TID_END = 1 << 24
RESERVED = 1  # 00:01 of each day is kept for tokens that are not bound to a time


class BadNumber(ValueError):
    """A meter number, group or date cannot be; the text says why."""


class KeyType(IntEnum):
    """What a decoder key is for."""

    DITK = 0  # initialisation
    DDTK = 1  # default: no credit
    DUTK = 2  # unique: the usual one
    DCTK = 3  # common: magnetic cards


def luhn(digits: str) -> int:
    """Return the check digit of ``digits`` (ISO/IEC 7812)."""
    total = 0
    for place, character in enumerate(reversed(digits)):
        number = int(character) * (2 if place % 2 == 0 else 1)
        total += number // 10 + number % 10
    return -total % 10


def checked_drn(text: str) -> str:
    """Return the 11 or 13 digits of a meter number.

    Raises:
        BadNumber: It has another length, other signs, or its check digit is wrong.
    """
    digits = text.replace(" ", "")
    if not digits.isascii() or not digits.isdigit() or len(digits) not in {DRN_SHORT, DRN_LONG}:
        raise BadNumber(f"a meter number has 11 or 13 digits, not {text!r}")
    if luhn(digits[:-1]) != int(digits[-1]):
        raise BadNumber(f"the check digit of meter number {text} is wrong: a digit was misread")
    return digits


def pan_of(iin: str, drn: str) -> str:
    """Return the 18-digit MeterPAN: issuer, meter number, check digit."""
    digits = iin + drn
    if len(digits) != PAN_LENGTH - 1:
        raise BadNumber("issuer and meter number must have 17 digits together")
    return digits + str(luhn(digits))


def pan_block(iin: str, drn: str, key_type: int = KeyType.DUTK) -> str:
    """Return the 16 digits of the meter's number that enter a decoder key."""
    shown = "0" * len(drn) if key_type == KeyType.DCTK else drn
    return iin[-(16 - len(drn)) :] + shown


def control_block(key_type: int, sgc: str, ti: str, krn: int) -> str:
    """Return the 16 hexadecimal digits that say which key it is."""
    return f"{key_type}{sgc}{ti}{krn}FFFFFF"


def tid_of(issued: datetime, base: int) -> int:
    """Return the token identifier: minutes since the base date, in local time without zone.

    00:01 of a day is reserved, so that minute gives the next.

    Raises:
        BadNumber: The time does not fit into the 24 bits that follow the base date.
    """
    minutes = (issued.replace(second=0, microsecond=0) - _epoch(base)) // timedelta(minutes=1)
    if issued.hour == 0 and issued.minute == RESERVED:
        minutes += 1
    if not 0 <= minutes < TID_END:
        raise BadNumber(f"{issued:%Y-%m-%d %H:%M} is outside the span of base date {base}")
    return minutes


def time_of(tid: int, base: int) -> datetime:
    """Return the local time (without zone) that a token identifier stands for."""
    return _epoch(base) + timedelta(minutes=tid)


def _epoch(base: int) -> datetime:
    if base not in BASE_DATES:
        raise BadNumber(f"base date {base} is none of 1993, 2014, 2035")
    return datetime(base, 1, 1)  # noqa: DTZ001 (the meter's local clock has no zone)


@dataclass(frozen=True, slots=True)
class KeyName:
    """Which decoder key: supply group, tariff index, revision, type, base date, algorithm."""

    sgc: str
    ti: str
    krn: int
    key_type: int
    base: int
    ea: int

    def __str__(self) -> str:
        return f"SGC {self.sgc}, TI {self.ti}, KRN {self.krn}, {KeyType(self.key_type).name}"
