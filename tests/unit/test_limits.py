"""Limit packs: no number in the code, a source beside each, and no safety check made soft."""

from decimal import Decimal

import pytest

from app.errors import BadInput
from app.workorders.limits import SAFETY_CHECKS, load_pack, pack_names

GOOD = """
name = "short"
version = "1"
title = "Short"
nominal_voltage = "230"
[limits.voltage]
low = "0.9"
high = "1.1"
unit = "Un"
source = "EN 50160"
[limits.clock]
low = "-20"
high = "20"
unit = "s"
source = "own choice"
"""


def load(tmp_path, text: str):
    path = tmp_path / "pack.toml"
    path.write_text(text, encoding="utf-8")
    return load_pack(str(path))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('source = "EN 50160"', 'source = "EN 50160"\nsoft = true'), "safety"),
        (('source = "EN 50160"', 'source = "EN 50160"\nmandatory = false'), "safety"),
        (('source = "EN 50160"', ""), "no source"),
        (('low = "0.9"', "low = 0.9"), "digits stay"),
        (('low = "0.9"', 'low = "low"'), "no number"),
        (('low = "0.9"', 'low = "NaN"'), "no number"),
        (('low = "0.9"', 'low = "1.2"'), "above the upper"),
        (('low = "0.9"', 'lowest = "0.9"'), "lowest"),
        (('nominal_voltage = "230"', ""), "nominal_voltage"),
        (("[limits.voltage]", '[accuracy]\nvolts = "1"\n[limits.voltage]'), "volts"),
    ],
)
def test_a_pack_that_does_not_fit_is_refused_with_the_place(tmp_path, change, words):
    assert load(tmp_path, GOOD)
    with pytest.raises(BadInput, match=words):
        load(tmp_path, GOOD.replace(*change))


def test_a_pack_that_does_not_exist_names_those_that_do():
    with pytest.raises(BadInput, match=r"gb-lv, generic-230v"):
        load_pack("nothing")


@pytest.mark.parametrize("name", pack_names())
def test_every_shipped_pack_names_its_sources_and_judges_safety(name):
    pack = load_pack(name)
    assert pack.name == name
    assert all(limit.source for limit in pack.limits)
    assert {limit.check_id for limit in pack.limits} >= SAFETY_CHECKS
    assert pack.accuracy.source
    assert pack.thresholds.source


def test_the_gb_pack_states_its_band_in_volts():
    limit = load_pack("gb-lv").limit("voltage")
    assert (limit.low, limit.high, limit.unit) == (Decimal("216.2"), Decimal("253.0"), "V")
    assert load_pack("gb-lv").limit("display") is None
