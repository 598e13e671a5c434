"""What a token does, in words."""

from drivers.sts.amounts import decode
from drivers.sts.identifiers import BASE_DATES, time_of
from drivers.sts.keychange import FIRST, FOURTH, SECOND, THIRD
from drivers.sts.token import CREDIT, CURRENCY, TEST, Clear, credited, parse

CLASSES = {
    0: "credit",
    1: "test or display, not tied to a meter",
    2: "management, for one meter",
    3: "reserved: no meter takes it",
}
_COMMODITIES = {
    0: "electricity, kWh",
    1: "water, m3",
    2: "gas, m3",
    3: "time, minutes",
    4: "electricity, currency",
    5: "water, currency",
    6: "gas, currency",
    7: "time, currency",
}
_TESTS = {
    1: "test the load switch",
    2: "test the display",
    3: "show the totals",
    4: "show key revision and key type",
    5: "show the tariff index",
    6: "test the input device",
    7: "show the power limit",
    8: "show the tamper state",
    9: "show the present power",
    10: "show the software version",
    11: "show the phase unbalance limit",
    12: "show the water factor",
    13: "show the tariff rate",
    14: "show the encryption algorithm",
    15: "show the number of key tokens",
    16: "show the supply group",
    17: "show the key expiry number",
    18: "show the meter number",
}
_REGISTERS = {0: "electricity", 1: "water", 2: "gas", 3: "time", 0xFFFF: "all"}
_KEY_TOKENS = {FIRST: "first", SECOND: "second", THIRD: "third", FOURTH: "fourth"}
OPENS_SWITCH = {0, 1}  # test numbers after which the load switch opens


def class_words(token: str) -> str:
    """Return what can be said of a token without any key.

    Raises:
        FormatError: It is no token.
    """
    return CLASSES[parse(token)[0]]


def test_numbers(clear: Clear) -> tuple[int, ...]:
    """Return the numbers of the tests that a class 1 token asks for; (0,) stands for all."""
    width, shift = (28, 16) if clear.subclass == 1 else (36, 8)
    control = clear.data >> shift & (1 << width) - 1
    if control == (1 << width) - 1:
        return (0,)
    return tuple(number for number in range(1, width + 1) if control >> (number - 1) & 1)


def opens_load_switch(clear: Clear) -> bool:
    """Tell whether a meter opens its load switch for this token."""
    return clear.token_class == TEST and bool(OPENS_SWITCH & set(test_numbers(clear)))


def token_words(clear: Clear) -> str:
    """Return what an opened token does."""
    if clear.token_class == CREDIT:
        what = _COMMODITIES.get(clear.subclass, f"subclass {clear.subclass}")
        return f"credits {credited(clear)} ({what})"
    if clear.token_class == TEST:
        return _test_words(clear)
    return _management_words(clear)


def _test_words(clear: Clear) -> str:
    if clear.subclass > 1:
        return f"maker's own function {clear.subclass}"
    numbers = test_numbers(clear)
    said = (
        "all tests" if numbers == (0,) else ", ".join(_TESTS.get(n, f"test {n}") for n in numbers)
    )
    warning = "; this opens the load switch" if opens_load_switch(clear) else ""
    return (said or "no test") + warning


def _management_words(clear: Clear) -> str:
    if clear.subclass in _KEY_TOKENS:
        return f"{_KEY_TOKENS[clear.subclass]} token of a key change"
    value = clear.value16
    words = {
        0: f"sets the power limit to {decode(value)} W",
        1: f"clears the credit register: {_REGISTERS.get(value, str(value))}",
        2: f"sets the tariff rate field to {value:04x}",
        5: "clears the tamper state",
        6: f"sets the phase unbalance limit to {decode(value)} W",
        7: f"sets the water factor field to {value:04x}",
        10: f"extended setting {value >> 10} to {value & 0x3FF}",
    }
    return words.get(clear.subclass, f"maker's own function {clear.subclass}")


def issue_times(clear: Clear) -> dict[int, str]:
    """Return when the token was issued, for each base date, in the meter's local time."""
    if clear.token_class == TEST or (clear.subclass in _KEY_TOKENS and clear.token_class):
        return {}
    return {base: time_of(clear.tid, base).strftime("%Y-%m-%d %H:%M") for base in BASE_DATES}


def is_currency(clear: Clear) -> bool:
    """Tell whether the amount is money."""
    return clear.token_class == CREDIT and clear.subclass in CURRENCY
