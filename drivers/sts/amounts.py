"""The amount in a token: 16 bits of exponent and mantissa, exact, in units.

Rounding is in favour of the customer: up, and towards plus infinity for currency, which has a sign.
A unit is 0.1 kWh, 0.1 m3 or 0.1 min, 1 W for power limits, or 0.00001 of the currency.
"""

from dataclasses import dataclass

MANTISSA = 1 << 14
LARGEST = 18_201_624  # units, of an amount without sign
CURRENCY_EXPONENTS = 32


class BadAmount(ValueError):
    """An amount that no token can carry."""


@dataclass(frozen=True, slots=True)
class Coded:
    """An amount as it stands in a token: 16 bits, and 4 more for currency."""

    value16: int
    se4: int = 0  # sign, then the upper three bits of the exponent


def _start(exponent: int) -> int:
    """Return the smallest number of units that ``exponent`` can say."""
    start: int = MANTISSA * (10**exponent - 1) // 9
    return start


def _fitted(units: int, exponents: int, *, up: bool) -> tuple[int, int]:
    """Return exponent and mantissa of ``units`` (not negative), rounded up or down."""
    for exponent in range(exponents):
        rest = units - _start(exponent)
        mantissa = -(-rest // 10**exponent) if up else rest // 10**exponent
        if mantissa < MANTISSA:
            return exponent, max(mantissa, 0)
    raise BadAmount(f"{units} units are more than a token can carry")


def encode(units: int) -> Coded:
    """Return ``units`` coded for energy, volume, time or power; rounded up.

    Raises:
        BadAmount: Negative, or more than 18,201,624.
    """
    if units < 0:
        raise BadAmount("an amount cannot be negative")
    exponent, mantissa = _fitted(units, 4, up=True)
    return Coded(exponent << 14 | mantissa)


def decode(value16: int) -> int:
    """Return the units that a meter credits for these 16 bits."""
    exponent, mantissa = value16 >> 14, value16 & MANTISSA - 1
    result: int = _start(exponent) + mantissa * 10**exponent
    return result


def encode_currency(units: int) -> Coded:
    """Return ``units`` of 0.00001 currency, with sign; rounded towards plus infinity.

    Raises:
        BadAmount: More than the 5-bit exponent can say.
    """
    exponent, mantissa = _fitted(abs(units), CURRENCY_EXPONENTS, up=units >= 0)
    low, high = exponent & 3, exponent >> 2
    return Coded(low << 14 | mantissa, (8 if units < 0 else 0) | high)


def decode_currency(value16: int, se4: int) -> int:
    """Return the units of 0.00001 currency that a meter credits."""
    exponent = (se4 & 7) << 2 | value16 >> 14
    size: int = _start(exponent) + (value16 & MANTISSA - 1) * 10**exponent
    return -size if se4 & 8 else size
