"""Readings are sorted by what they mean, whatever the meter calls them."""

import pytest

from app.services.meaning import Meaning, by_meaning, meaning_of
from drivers.obis import parse
from drivers.values import Reading


def one(code, unit="", history=None):
    return Reading(code, parse(code), "", None, unit, history=history)


@pytest.mark.parametrize(
    ("code", "unit", "kind"),
    [
        ("1.8.1", "kWh", Meaning.ENERGY),
        ("3.9.0", "kvarh", Meaning.ENERGY),
        ("1.6.0", "kW", Meaning.DEMAND),
        ("1.2.1", "kW", Meaning.DEMAND),
        ("32.7", "V", Meaning.INSTANTANEOUS),
        ("0.0.0", "", Meaning.IDENTIFICATION),
        ("C.1.0", "", Meaning.IDENTIFICATION),
        ("0.2.0", "", Meaning.IDENTIFICATION),
        ("F.F", "", Meaning.STATUS),
        ("C.7.1", "", Meaning.STATUS),
        ("0.1.0", "", Meaning.STATUS),
        ("0.9.1", "", Meaning.CLOCK),
        ("0-0:1.0.0.255", "", Meaning.CLOCK),
        ("Prog0001", "", Meaning.OTHER),
        ("MAX", "kW", Meaning.DEMAND),
        ("6.8", "GJ", Meaning.ENERGY),
        ("6-0:6.8.0.255", "MWh", Meaning.ENERGY),
    ],
)
def test_the_code_tells_the_meaning_and_the_unit_where_the_code_tells_none(code, unit, kind):
    assert meaning_of(one(code, unit)) is kind


def test_stored_values_are_history_by_their_suffix_or_by_group_f():
    assert meaning_of(one("1.8.0", "kWh", "12")) is Meaning.HISTORY
    assert meaning_of(one("1-0:1.8.0.1", "kWh")) is Meaning.HISTORY


def test_kinds_stand_in_order_with_history_last_and_keep_the_order_of_the_meter():
    read = [one("0.9.1"), one("1.8.0*12", history="12"), one("1.8.2"), one("F.F"), one("1.8.1")]
    found = by_meaning(read)
    assert [kind for kind, _ in found] == sorted(kind for kind, _ in found)
    assert found[-1][0] is Meaning.HISTORY
    assert [reading.code for reading in found[0][1]] == ["1.8.2", "1.8.1"]
