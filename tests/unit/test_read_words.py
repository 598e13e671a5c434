"""Limits, alarms, slaves and accounts as JSON and as tables for people."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from app.commands.read import told_shape, words
from app.services.reading import Told
from drivers.account import Account, AccountReading, Credit, StsAttributes
from drivers.slaves import SlaveMeter
from drivers.supervision import (
    AlarmRegister,
    EmergencyProfile,
    Limiter,
    Monitored,
    RegisterMonitor,
    ScriptCall,
    Threshold,
)
from drivers.values import ProfileInfo, Pushed, Reading

AT = datetime(2026, 11, 20, 1, 5, tzinfo=UTC)
WATCHED = Monitored("1-0:1.7.0.255", 3, 2, "Active power import", "kW")
CUT = ScriptCall("0-0:10.0.106.255", 1, "disconnect")
LIMITER = Limiter(
    "0-0:17.0.0.255",
    WATCHED,
    threshold_active=Decimal("11.500"),
    over_s=60,
    emergency=EmergencyProfile(7, AT, 3600),
    emergency_groups=(7, 8),
    emergency_active=False,
    action_over=CUT,
)
TOLD = Told(
    meter_type="hexcell-ddsy1088",
    limiter=(LIMITER,),
    monitor=(RegisterMonitor("0-0:16.0.1.255", WATCHED, (Threshold(Decimal(2), CUT),)),),
    alarms=(AlarmRegister("0-0:97.98.0.255", "alarm", 1, 9, ("Clock invalid", "bit 3")),),
    slaves=(
        SlaveMeter(
            1,
            "0-1:24.1.0.255",
            installed=True,
            utility_serial="GAS-0001",
            values=(Reading("x", "0-1:24.2.1.255", "Value 1", Decimal("12.30"), "m3", time=AT),),
        ),
    ),
    account=AccountReading(
        (Account("0-0:19.0.0.255", available_credit=Decimal("61.3"), currency="kWh"),),
        (Credit("0-0:19.10.0.255", amount=Decimal("61.3")),),
        sts=(StsAttributes("0-0:19.60.0.255", supply_group_code="000123"),),
    ),
    pushed=(Pushed(AT, "0-0:96.11.0.255", 2, "7"),),
)


def test_numbers_keep_their_digits_and_times_are_utc() -> None:
    shape = json.loads(json.dumps(told_shape("COM4", TOLD)))
    (limiter,) = shape["limiter"]
    assert limiter["threshold_active"] == "11.500"
    assert limiter["monitored"]["unit"] == "kW"
    assert limiter["emergency"] == {
        "number": 7,
        "start": "2026-11-20T01:05:00Z",
        "duration_s": 3600,
    }
    assert (limiter["emergency_groups"], limiter["emergency_active"]) == ([7, 8], False)
    assert shape["monitor"][0]["thresholds"][0]["action_up"]["text"] == "disconnect"
    assert shape["alarms"][0]["bits"] == ["Clock invalid", "bit 3"]
    (value,) = shape["slaves"][0]["values"]
    assert (value["obis"], value["value"], value["time"]) == (
        "0-1:24.2.1.255",
        "12.30",
        "2026-11-20T01:05:00Z",
    )
    assert shape["account"]["sts"][0]["supply_group_code"] == "000123"
    assert shape["notifications"][0]["text"] == "7"


def test_what_was_not_asked_for_is_not_there() -> None:
    shape = told_shape("COM4", Told())
    assert not {"limiter", "monitor", "alarms", "slaves", "account", "notifications"} & set(shape)


def test_people_get_a_table_for_each_object() -> None:
    text = words(TOLD)
    for head in (
        "Limiter 0-0:17.0.0.255",
        "Register monitor 0-0:16.0.1.255",
        "Alarms and errors 0-0:97.98.0.255",
        "Slave meters 0-1:24.1.0.255",
        "Credit 0-0:19.10.0.255",
        "STS attributes 0-0:19.60.0.255",
    ):
        assert head in text
    lines = [line.split(maxsplit=2) for line in text.splitlines()]
    assert ["threshold", "active", "11.500"] in lines
    assert "0-1:24.2.1.255 Value 1" in text
    assert "12.30 m3" in text
    assert "Clock invalid, bit 3" in text
    assert "The meter said unasked: 2026-11-20T01:05:00Z 0-0:96.11.0.255 7" in text


def test_a_profile_without_rows_is_told_and_one_in_a_file_is_not_called_empty() -> None:
    info = ProfileInfo("1-0:99.1.0.255", 900, ())
    assert words(Told(info=info, complete=True)) == "The profile holds no rows of that time"
    assert words(Told(info=info, complete=True, row_count=3)) == ""


def test_values_that_nothing_proves_are_marked_as_such() -> None:
    good = Reading("1.8.0", "1-0:1.8.0.255", "Energy", Decimal(1), "kWh")
    assert "Check" not in words(Told(registers=[good]))
    lines = words(Told(registers=[good, replace(good, check="bad")])).splitlines()
    assert [line.split()[-1] for line in lines[1:]] == ["Check", "ok", "bad"]


def test_what_a_meter_does_not_tell_takes_no_line() -> None:
    bare = words(replace(TOLD, limiter=(Limiter("0-0:17.0.0.255"),)))
    assert "threshold active" not in bare
