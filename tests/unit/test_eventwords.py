"""Codes clash between profiles: the same number must give each profile's own words, or none."""

from datetime import UTC, datetime, timedelta

import pytest

from drivers.eventwords import event_text, status_words
from drivers.values import MeterEvent, newest

STANDARD = "0-0:99.98.0.255"


def test_code_80_has_three_meanings_and_none_in_india() -> None:
    assert event_text("idis", "0-0:99.98.4.255", 80) == "Overvoltage L2"
    assert event_text("smr", "0-0:99.98.5.255", 80) == "Over voltage L1"
    assert event_text("dsmr", "0-0:99.98.5.255", 80) == "PV voltage sag L1"
    assert event_text("is15959", STANDARD, 80) == ""


@pytest.mark.parametrize("table", ["idis", "dsmr", "smr", "is15959", "", "nonsense"])
def test_an_unknown_code_has_no_words(table) -> None:
    assert event_text(table, STANDARD, 29) == ""


@pytest.mark.parametrize("table", ["idis", "dsmr", "smr"])
@pytest.mark.parametrize("code", [230, 249])
def test_makers_own_codes_are_never_put_into_words(table, code) -> None:
    assert event_text(table, STANDARD, code) == ""


def test_a_code_in_its_own_log() -> None:
    assert event_text("idis", STANDARD, 1) == "Power down"
    assert event_text("is15959", "0-0:99.98.0.255", 1).startswith("R-phase voltage missing")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (42, "Strong DC (magnetic) field detected"),
        (44, "Meter cover removed"),
        (76, "Undervoltage L1"),
        (80, "Overvoltage L2"),
        (62, "Remote disconnection"),
    ],
)
def test_codes_of_other_logs_are_words_where_a_meter_has_one_log_for_all(code, text) -> None:
    assert event_text("idis", STANDARD, code) == text


@pytest.mark.parametrize("log", [STANDARD, "0-0:99.98.3.255", "1-0:99.98.9.255"])
def test_the_words_of_another_log_never_come_from_another_profile(log) -> None:
    assert event_text("idis", log, 80) == "Overvoltage L2"
    assert event_text("smr", log, 80) == "Over voltage L1"
    assert event_text("dsmr", log, 80) == "PV voltage sag L1"
    assert event_text("is15959", log, 80) == ""
    assert event_text("is15959", log, 42) != event_text("idis", log, 42)


def test_a_cleared_log_is_known_in_every_log() -> None:
    assert event_text("idis", "0-0:99.98.2.255", 255) == "Event log cleared"


def test_status_bits_are_words_lowest_first() -> None:
    assert status_words("idis", 8) == ("daylight saving",)
    assert status_words("idis", 0xA1) == ("critical error", "clock adjusted", "power down")
    assert status_words("idis", 0) == ()


def test_a_bit_beyond_the_table_keeps_its_number() -> None:
    assert status_words("idis", 0x0100) == ("bit 8",)


def test_no_table_and_no_status_give_no_words() -> None:
    assert status_words("", 255) == ()
    assert status_words("idis", None) == ()


def test_daylight_saving_of_the_clock_is_bit_seven() -> None:
    assert status_words("clock", 0x80) == ("daylight saving active",)
    assert status_words("clock", 0x40) == ("bit 6",)


def test_a_clock_status_that_is_not_specified_is_not_eight_faults() -> None:
    assert status_words("clock", 0xFF) == ()


def test_an_inverse_bit_speaks_when_it_is_clear() -> None:
    assert status_words("edmi-mk10", 0) == ("absent reading",)
    assert status_words("edmi-mk10", 1) == ()


def test_the_newest_rows_of_a_log_stand_first_where_the_meter_keeps_them_so() -> None:
    begin = datetime(2026, 11, 20, tzinfo=UTC)
    rows = [MeterEvent("P.98", begin + timedelta(hours=n), str(n)) for n in range(5)]
    assert [row.code for row in newest(rows, 2)] == ["3", "4"]
    assert [row.code for row in newest(rows[::-1], 2)] == ["4", "3"]
    assert newest(rows, 0) == newest(rows, 9) == rows
    assert newest([], 3) == []
