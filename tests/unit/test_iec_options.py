"""What may be set by hand for IEC 62056-21, and what the command line says of it."""

import json

import pytest
from click.testing import CliRunner

from app.cli import meterwright
from app.errors import BadInput
from app.messages import explain
from app.services.connection import Overrides
from app.services.shapes import events_shape, statistics_shape
from drivers.errors import GarbledReply, NoReply
from drivers.metertype import load_meter_type
from drivers.values import Reading, Statistics

GENERIC = load_meter_type("generic-iec62056-21")
LOG = (
    b"P.98(1220906234904)(00)()(2)(0-0:C.11.0)()(0-0:C.11.10)()(4)(0)\r\n"
    b"P.98(1220919161837)(00)()(2)(0-0:C.11.0)()(0-0:C.11.10)()(17)(1)\r\n"
)


@pytest.mark.parametrize(
    ("text", "v", "z", "y"),
    [("000", "0", "0", "0"), ("0-0", "0", "", "0"), ("256", "2", "5", "6"), ("0A1", "0", "A", "1")],
)
def test_an_option_select_is_given_in_three_characters(text, v, z, y):
    own = Overrides(iec_select=text).applied(GENERIC).iec62056
    assert (own.v, own.z, own.y) == (v, z, y)


@pytest.mark.parametrize("text", ["", "5", "0000", "a50", "--0", "0 0"])
def test_anything_else_is_no_option_select(text):
    with pytest.raises(BadInput, match="option select"):
        Overrides(iec_select=text).applied(GENERIC)


def test_mode_and_check_are_set_beside_it_and_the_rest_stays():
    own = Overrides(iec_mode="A", iec_check="none").applied(GENERIC).iec62056
    assert (own.mode, own.check, own.v, own.timezone) == ("A", "none", "0", "Europe/Berlin")


def test_a_check_that_never_fits_is_not_called_noise():
    said = explain(GarbledReply("the check of the list does not fit (8 values arrived)", "check"))
    assert said.title == "The check of the meter's list does not fit"
    assert "--iec-check none" in said.remedy
    assert explain(GarbledReply("x", "noise")).title == "I hear noise, not a meter"
    assert explain(NoReply(2.0, "echo")).title == "The probe hears itself"


def test_parity_that_nobody_counts_is_null_and_not_zero():
    assert statistics_shape(Statistics(), 1.0)["parity_errors"] is None
    assert statistics_shape(Statistics(parity_counted=True), 1.0)["parity_errors"] == 0
    shape = statistics_shape(Statistics(switch_margin_s=0.0154), 1.0)
    assert shape["switch_margin_s"] == "0.015"


@pytest.mark.parametrize(
    ("code", "obis", "history", "full"),
    [
        ("1.8.0*12", "1-0:1.8.0.12", "12", "1-0:1.8.0.12"),
        ("8.26.1*01", "", "01", "8.26.1*01"),
        ("1.8.0&03", "1-0:1.8.0.3", "03", "1.8.0&03"),
        ("6.8", "", "01", "6.8*01"),
        ("XYZ", "", None, "XYZ"),
    ],
)
def test_a_code_carries_its_suffix_once(code, obis, history, full):
    assert Reading(code, obis, "", None, history=history).full_code == full


def run(*arguments):
    return CliRunner().invoke(meterwright, [*map(str, arguments)])


def test_a_saved_log_is_shown_and_a_named_type_puts_it_into_words(tmp_path):
    file = tmp_path / "log.txt"
    file.write_bytes(LOG)
    bare = run("decode", "readout", file)
    assert "Event code 10: 0" in bare.output
    assert "Clock adjusted" not in bare.output
    assert (
        "Clock adjusted (old date/time)"
        in run("decode", "readout", file, "--type", "metcom-mcs301").output
    )
    shape = json.loads(run("decode", "readout", file, "--type", "metcom-mcs301", "--json").output)
    assert [row["code"] for row in shape["log"]["rows"]] == [4, 17]
    assert run("decode", "readout", file, "--type", "nonsense").exit_code == 2


def test_a_saved_profile_is_shown_row_by_row(tmp_path):
    file = tmp_path / "profile.txt"
    file.write_bytes(b"P.01(0260301000000)(00)(15)(1)(1.5)(kW)\r\n(0.25)\r\n(0.50)\r\n")
    lines = run("decode", "readout", file).output.splitlines()
    assert "Load profile, every 15 min, complete" in lines
    assert any("0.50" in line for line in lines)


def test_bytes_that_hold_nothing_but_damage_are_refused(tmp_path):
    file = tmp_path / "noise.bin"
    file.write_bytes(b"abc\x00\xff")
    assert run("decode", "readout", file).exit_code == 2


def test_values_recorded_with_an_event_are_told(tmp_path):
    file = tmp_path / "log.txt"
    file.write_bytes(b"P.99(0260301000000)(00000000)()(1)(0.9.1)()(101010;111111)\r\n")
    shape = json.loads(run("decode", "readout", file, "--json").output)
    assert shape["log"]["rows"][0]["details"] == ["Time: 101010 → 111111"]
    assert "details" not in events_shape("P.98", [])
