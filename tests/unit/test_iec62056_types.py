"""What the meter types add: suffixes, status bits, vendor logs, rows that carry their own time."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from drivers.errors import NotSupported
from drivers.iec62056.archive import log_name, profile_name, range_text
from drivers.iec62056.log import changed, parse_record, words_of
from drivers.iec62056.profile import ProfileReader, status_words
from drivers.iec62056.readout import decode_readout
from drivers.iec62056.registers import history_words, reading_of, readings
from drivers.iec62056.times import MeterZone
from drivers.metertype import StatusBit, load_meter_type, meter_type_names

BERLIN, ISTANBUL = MeterZone(name="Europe/Berlin"), MeterZone(180)
EMH, METCOM = load_meter_type("emh-lzqj"), load_meter_type("metcom-mcs301")
MASS, LOGAREX = load_meter_type("turkish-mass"), load_meter_type("logarex-lk13")
AS3000 = load_meter_type("elster-as3000")


def test_every_type_file_that_comes_along_can_be_read():
    assert all(load_meter_type(name).title for name in meter_type_names())


@pytest.mark.parametrize(
    ("own", "history", "words"),
    [
        (LOGAREX, "96", "last day"),
        (LOGAREX, "99", "last 365 days"),
        (LOGAREX, "01", ""),
        (AS3000, "03", "end of March"),
        (AS3000, "13", ""),
        (EMH, "12", "reset 12"),
        (EMH, "00", ""),
        (EMH, None, ""),
        (load_meter_type("generic-iec62056-21"), "12", ""),
    ],
)
def test_a_suffix_means_what_the_make_says(own, history, words):
    assert history_words(history, own.iec62056) == words


def test_names_of_stored_values_say_which():
    readout = decode_readout(b"/LOG5LK13BE\r\n\x021.8.0(12*kWh)\r\n1.8.0*97(3*kWh)\r\n!\r\n\x03")
    names = [r.name for r in readings(readout, LOGAREX)]
    assert names == ["Active energy import", "Active energy import, last 7 days"]


def test_a_value_stored_at_a_manual_reset_says_so_and_keeps_its_own_code():
    (item,) = decode_readout(b"/MWT5T\r\n\x021.8.0&03(7*kWh)\r\n!\r\n\x03").values
    found = reading_of(item, "xor")
    assert found.name.endswith("stored value 3 (manual reset)")
    assert found.full_code == "1.8.0&03"


def test_status_bits_come_from_the_type_and_unknown_ones_keep_their_number():
    assert status_words("00008020", EMH.iec62056.status_bits)[1] == ("clock adjusted",)
    assert status_words("000000C1", EMH.iec62056.status_bits)[1] == (
        "power up",
        "power down",
        "bit 0",
    )
    assert status_words("A8", METCOM.iec62056.status_bits)[1] == (
        "daylight saving",
        "clock adjusted",
        "power down",
    )
    assert status_words("0020")[1] == ("clock adjusted",)
    assert words_of("00", [StatusBit(0x80, "power down")]) == ""
    assert words_of("no hex", EMH.iec62056.status_bits) == ""


def test_an_operator_log_shows_old_and_new():
    groups = ("1260720120000", "00000000", "", "1", "0.9.1", "", "1120000;1120130")
    event = parse_record("P.99", groups, BERLIN)
    assert event.details[0].endswith("1120000 → 1120130")
    assert changed(";5") == "- → 5"
    assert changed("plain") == "plain"


@pytest.mark.parametrize("code", ["P.200", "P.210", "P.211"])
def test_a_makers_log_may_hold_a_time_alone_or_values_without_codes(code):
    alone = parse_record(code, ("1260720120000",), BERLIN)
    assert (alone.time.hour, alone.code, alone.details) == (12, "", ())
    valued = parse_record(code, ("1260720120000", "00", "L1", "229.8"), BERLIN)
    assert valued.details == ("L1", "229.8")
    assert parse_record(code, ("nothing", "00"), BERLIN) is None
    assert parse_record(code, (), BERLIN) is None
    assert log_name(METCOM, code) == code


def test_a_type_names_its_profiles_and_logs():
    assert profile_name(EMH, "") == "P.01"
    assert profile_name(EMH, "P.02") == "P.02"
    assert profile_name(EMH, "1-0:99.1.0.255") == "P.01"
    assert log_name(EMH, "0-0:99.99.0.255") == "P.99"
    with pytest.raises(NotSupported):
        profile_name(LOGAREX, "")


def test_ranges_are_written_as_the_make_reads_them():
    start = datetime(2026, 7, 20, 0, 15, tzinfo=UTC)
    assert range_text(start, None, BERLIN) == "12607200215;"
    assert range_text(start, None, BERLIN, "digits") == "2607200215;"
    assert range_text(start, start, ISTANBUL, "split") == "26-07-20,03:15;26-07-20,03:15"


def test_rows_with_their_own_time_make_a_profile_with_or_without_a_type():
    data = (
        b"P.01(26-07-20,03:15)(000.125*kWh)(000.008)(00)\r\n"
        b"P.01(26-07-20,03:30)(000.250*kWh)(000.009)(80)\r\n"
        b"P.01(26-07-20,03:45)(000.375*kWh)\r\n"
    )
    found = decode_readout(data, ISTANBUL).profile
    assert found.info.period_s == 900
    assert found.info.obis == "1-0:99.1.0.255"
    assert [c.unit for c in found.info.columns] == ["kWh", ""]
    assert found.rows[0].time == datetime(2026, 7, 20, 0, 15, tzinfo=UTC)
    assert found.rows[1].values == (Decimal("0.250"), Decimal("0.009"))
    assert found.rows[1].status_raw == 0x80
    assert found.rows[2].values == (Decimal("0.375"), None)
    assert not found.complete, "a row has a value too few"


def test_the_types_columns_name_the_values_of_rows_without_a_header():
    reader = ProfileReader("P.01", ISTANBUL, columns=MASS.iec62056.profile_columns)
    assert reader.timed_row(("26-07-20,03:15", "1", "2", "3", "00"))
    assert not reader.timed_row(("no time", "1"))
    assert not reader.timed_row(("26-07-20,03:15",))
    found = reader.data()
    assert [c.obis for c in found.info.columns] == [
        "1-0:1.8.0.255",
        "1-0:5.8.0.255",
        "1-0:8.8.0.255",
    ]
    assert found.rows[0].values == (1, 2, 3)
    assert found.info.period_s == 0
