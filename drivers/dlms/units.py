"""Scaler and unit of COSEM registers, and the units people read: kWh, kW and their kin."""

from decimal import Decimal

_UNITS = {
    1: "a", 2: "mo", 3: "wk", 4: "d", 5: "h", 6: "min", 7: "s", 8: "°", 9: "°C", 11: "m",
    12: "m/s", 13: "m3", 14: "m3", 15: "m3/h", 16: "m3/h", 17: "m3/d", 18: "m3/d", 19: "l",
    20: "kg", 21: "N", 22: "Nm", 23: "Pa", 24: "bar", 25: "J", 26: "J/h", 27: "W", 28: "VA",
    29: "var", 30: "Wh", 31: "VAh", 32: "varh", 33: "A", 34: "C", 35: "V", 36: "V/m", 37: "F",
    38: "Ω", 39: "Ωm2/m", 40: "Wb", 41: "T", 42: "A/m", 43: "H", 44: "Hz", 45: "1/Wh",
    46: "1/varh", 47: "1/VAh", 48: "V2h", 49: "A2h", 50: "kg/s", 51: "S", 52: "K", 53: "1/V2h",
    54: "1/A2h", 55: "1/m3", 56: "%", 57: "Ah", 60: "Wh/m3", 61: "J/m3", 62: "mol%", 63: "g/m3",
    64: "Pa s", 65: "J/kg", 70: "dBm", 71: "dBµV", 72: "dB",
}  # fmt: skip
_KILO = frozenset({"Wh", "varh", "VAh", "W", "var", "VA"})
_FURTHEST = 30  # a scaler beyond this is no scaler


def unit_name(unit: int) -> str:
    """Return the meter's own unit, without a thousand before it; "" for none."""
    return _UNITS.get(unit, "")


def scaled(value: object, scaler: int, unit: int) -> tuple[Decimal | None, str]:
    """Return a register's number with all its digits, and its unit as people read it.

    Energy comes in kWh, kvarh and kVAh, power in kW, kvar and kVA, everything else in the meter's
    unit.  None for a value that is no number.
    """
    text = _UNITS.get(unit, "")
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None, "k" + text if text in _KILO else text
    number = Decimal(int(value)) if isinstance(value, int) else value
    if text in _KILO:
        return _shifted(number, scaler - 3), "k" + text
    return _shifted(number, scaler), text


def decimal_places(scaler: int, unit: int) -> int:
    """Return the power of ten between a register's number and the value in the unit people read."""
    return scaler - 3 if _UNITS.get(unit, "") in _KILO else scaler


def _shifted(number: Decimal, exponent: int) -> Decimal:
    """Return ``number`` with its point moved, written without an exponent."""
    moved = number.scaleb(exponent)
    parts = moved.as_tuple()
    if isinstance(parts.exponent, int) and parts.exponent > 0:
        return Decimal(int(moved))
    return moved


def scaler_unit(value: object) -> tuple[int, int]:
    """Return scaler and unit number from the attribute's structure; (0, 255) when it is none."""
    if (
        isinstance(value, tuple)
        and [type(item) for item in value] == [int, int]
        and abs(value[0]) <= _FURTHEST
    ):
        return value[0], value[1]
    return 0, 255
