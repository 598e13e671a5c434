"""Sorts what a meter tells by what it means: energy first, stored values of the past last."""

from collections.abc import Iterable
from enum import IntEnum

from drivers.obis import parse
from drivers.values import Reading


class Meaning(IntEnum):
    """What kind of value a reading is, in the order in which people look for them."""

    ENERGY = 1
    DEMAND = 2
    INSTANTANEOUS = 3
    IDENTIFICATION = 4
    STATUS = 5
    CLOCK = 6
    OTHER = 7
    HISTORY = 8

    @property
    def title(self) -> str:
        """The heading above values of this kind."""
        return _TITLES.get(self, self.name.capitalize())


_TITLES = {
    Meaning.ENERGY: "Energy and volume",
    Meaning.OTHER: "Of the maker",
    Meaning.HISTORY: "History",
}
_ELECTRICITY = 1
_NOW = 255  # group F of a current value
_TOTALS = frozenset({8, 9, 10, 17, 18, 19, 20, 27, 28, 29, 30})
_MOMENTARY = frozenset({7, 24, 25})
_COUNTRY, _SERVICE, _ERRORS = 94, 96, 97  # group C
_TIMES = 9  # group D of general objects
_WHO = frozenset({0, 1})  # 96.0 and 96.1: device numbers
_BY_UNIT = {
    Meaning.ENERGY: {"kwh", "kvarh", "kvah", "wh", "varh", "vah", "mwh", "gj", "mj", "m3", "m³"},
    Meaning.DEMAND: {"kw", "kvar", "kva"},
    Meaning.INSTANTANEOUS: {"v", "a", "hz", "w", "var", "va", "°", "deg", "m3/h", "m³/h", "°c"},
}


def meaning_of(reading: Reading) -> Meaning:
    """Return what kind of value this is, by its code, or by its unit where the code tells none."""
    obis = reading.obis or parse(reading.code)
    if reading.history or (obis and not obis.endswith(f".{_NOW}")):
        return Meaning.HISTORY
    if obis:
        medium, rest = obis.split("-", 1)
        groups = tuple(int(group) for group in rest.partition(":")[2].split("."))
        found = _by_groups(int(medium), *groups[:3])
        if found is not None:
            return found
    unit = reading.unit.lower()
    return next((kind for kind, units in _BY_UNIT.items() if unit in units), Meaning.OTHER)


def by_meaning(readings: Iterable[Reading]) -> list[tuple[Meaning, list[Reading]]]:
    """Return the readings under their kinds; within a kind they keep the meter's order."""
    found: dict[Meaning, list[Reading]] = {}
    for reading in readings:
        found.setdefault(meaning_of(reading), []).append(reading)
    return sorted(found.items())


def _by_groups(medium: int, c: int, d: int, e: int) -> Meaning | None:
    if c == 0:
        return _general(medium, d)
    if c in {_SERVICE, _ERRORS}:
        who = c == _SERVICE and d in _WHO
        return Meaning.IDENTIFICATION if who else Meaning.STATUS
    if (medium, c, d, e) == (0, 1, 0, 0):
        return Meaning.CLOCK
    if medium != _ELECTRICITY or c >= _COUNTRY:
        return None  # heat, gas and water, and what a country defines: the unit tells
    kind = Meaning.INSTANTANEOUS if d in _MOMENTARY else Meaning.DEMAND
    return Meaning.ENERGY if d in _TOTALS else kind


def _general(medium: int, d: int) -> Meaning:
    """Return the kind of a general object: numbers, billing, program, ratios, times."""
    if d == _TIMES:
        return Meaning.CLOCK
    billing = d == 1 and medium == _ELECTRICITY  # reset counter, time of the last reset
    return Meaning.STATUS if billing else Meaning.IDENTIFICATION
