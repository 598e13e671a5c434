"""What a meter's answer to a token means, and what to do next.

Numbers 1 to 16 are those of one maker's manual; 17 and 18, for the third and fourth token of a
key-change set, are our own.
"""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a result means for the work."""

    ACCEPTED = "accepted"
    PART = "part of a set"  # taken; the set is not complete
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ResultWords:
    """One result: its name, what is likely behind it, and what to do next.

    ``counts`` tells whether the meter counts it as a wrong entry, ``settled`` whether entering the
    same token again can never help.
    """

    verdict: Verdict
    title: str
    meaning: str
    remedy: str
    counts: bool = False
    settled: bool = False


_A, _P, _R = Verdict.ACCEPTED, Verdict.PART, Verdict.REFUSED
ACCEPT, FIRST_SET, SECOND_SET, THIRD_SET, FOURTH_SET = 1, 2, 3, 17, 18
OVERFLOW, KEY_TYPE, FORMAT, RANGE, FUNCTION = 4, 5, 6, 7, 8
OLD, USED, EXPIRED, DDTK, CRC, MAKER, LOCKED, NOT_READY = 9, 10, 11, 12, 13, 14, 15, 16
UNTOLD = 0
_SET_NEXT = "Enter the other tokens of the set, within ten minutes."

RESULTS: dict[int, ResultWords] = {
    ACCEPT: ResultWords(_A, "Accepted", "The meter carried the token out.", "Go on."),
    FIRST_SET: ResultWords(_P, "First key token taken", "The set is not complete.", _SET_NEXT),
    SECOND_SET: ResultWords(_P, "Second key token taken", "The set is not complete.", _SET_NEXT),
    THIRD_SET: ResultWords(_P, "Third key token taken", "The set is not complete.", _SET_NEXT),
    FOURTH_SET: ResultWords(_P, "Fourth key token taken", "The set is not complete.", _SET_NEXT),
    OVERFLOW: ResultWords(
        _R,
        "Too much credit",
        "The credit would pass what the meter's register holds.",
        "Let the customer use credit first; the token stays valid.",
    ),
    KEY_TYPE: ResultWords(
        _R,
        "Wrong kind of key",
        "The meter may not change from its present kind of key to this one.",
        "Ask the vending office for a set that fits the key type that the meter shows.",
        settled=True,
    ),
    FORMAT: ResultWords(
        _R,
        "Not a token",
        "The meter took the digits for no token: one is missing, or they are coded another way.",
        (
            "Compare the digits with the receipt. Over the wire, ask for the right encoding in the"
            " meter type; it is not tried by itself."
        ),
        counts=True,
    ),
    RANGE: ResultWords(
        _R,
        "Value out of range",
        "The token asks for a value that this meter cannot take.",
        "Ask the vending office for a token with a value that this meter takes.",
        settled=True,
    ),
    FUNCTION: ResultWords(
        _R,
        "Function not known",
        "This meter does not do what the token asks for.",
        "Ask the vending office whether the token is meant for this type of meter.",
        settled=True,
    ),
    OLD: ResultWords(
        _R,
        "Old token",
        "Tokens were not entered in the order of their issue.",
        "Have the credit issued anew by the vending office; enter tokens in order of issue.",
        counts=True,
        settled=True,
    ),
    USED: ResultWords(
        _R,
        "Used token",
        "This token was entered before.",
        "Look at the balance and the last-token display; nothing is owed if the credit is there.",
        counts=True,
        settled=True,
    ),
    EXPIRED: ResultWords(
        _R,
        "Key expired",
        "The meter's key has reached its expiry number, or the base date has rolled over.",
        "A key change with rollover is needed; ask the vending office for a set.",
        settled=True,
    ),
    DDTK: ResultWords(
        _R,
        "Default key",
        "The meter is still on its default key, which takes no credit.",
        "Enter the key-change set first, then this token again.",
    ),
    CRC: ResultWords(
        _R,
        "Token does not fit this meter",
        "The check of the token fails: a wrong digit, or another meter number, SGC, TI or KRN.",
        (
            "Compare meter number, SGC, TI and KRN with the receipt, in that order. After a key"
            " change the vending office must issue on the new key."
        ),
        counts=True,
    ),
    MAKER: ResultWords(
        _R,
        "Another maker's token",
        "The maker's code in the token is not this meter's.",
        "Use a test token for this maker.",
        settled=True,
    ),
    LOCKED: ResultWords(
        _R,
        "Locked after wrong entries",
        "The meter takes no tokens for a while after several wrong ones; the time doubles.",
        "Wait, and compare the digits meanwhile. Do not try again and again.",
    ),
    NOT_READY: ResultWords(
        _R, "Not ready", "The meter cannot take a token now.", "Wait half a minute and repeat."
    ),
    UNTOLD: ResultWords(
        _R,
        "Refused",
        "The meter refused the token and does not say why over this way.",
        "Look at the meter's display for the reason, and at its last-token code.",
        counts=True,
    ),
}


def result_words(code: int) -> ResultWords:
    """Return the words for a result's number; an unknown number is a refusal without a reason."""
    return RESULTS.get(code, RESULTS[UNTOLD])
