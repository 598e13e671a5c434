"""The laptop's battery: little charge is said, less stops firmware, silence is no trouble."""

import pytest

from app.errors import NotPermitted
from app.services.battery import FULL, Battery, battery, demand_charge


def supply(folder, name, **told):
    (folder / name).mkdir()
    for key, text in told.items():
        (folder / name / key).write_text(f"{text}\n")


def test_a_laptop_that_tells_nothing_counts_as_full(tmp_path):
    assert battery(tmp_path / "none") == FULL
    assert battery(tmp_path) == FULL
    supply(tmp_path, "BAT0", type="Battery", status="Discharging", capacity="?")
    assert battery(tmp_path) == FULL


def test_what_is_left_is_told_while_no_mains_feeds_it(tmp_path):
    supply(tmp_path, "AC", type="Mains", online="0")
    supply(tmp_path, "hidpp", type="Battery", scope="Device", status="Discharging", capacity="3")
    supply(tmp_path, "BAT0", type="Battery", status="Discharging", capacity="10")
    supply(tmp_path, "BAT1", type="Battery", status="Discharging", capacity="25")
    assert battery(tmp_path) == Battery(17)
    (tmp_path / "BAT1" / "status").write_text("Charging\n")
    assert battery(tmp_path) == FULL


def test_little_charge_is_said_and_less_stops_firmware():
    assert Battery(20).warning == ""
    assert "19 %" in Battery(19).warning
    demand_charge(Battery(10))
    with pytest.raises(NotPermitted, match="9 %"):
        demand_charge(Battery(9))
