"""Checks: the edges of limits first, then each check on what it must not get wrong."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from app.reports.model import Verdict
from app.workorders.checks import (
    ClockFacts,
    Evidence,
    ProfileFacts,
    check_data,
    check_from,
    judge,
    number,
    worst,
)
from app.workorders.conditions import all_checks, seals
from app.workorders.limits import load_pack
from drivers.metertype import Ratings
from drivers.values import MeterEvent, ProfileRow, Reading, RelayReading
from tests.fake_meter import INFO, NOW, THREE_PHASE, rows

PACK = load_pack("generic-230v")
D = Decimal
PASS, WARN, FAIL = Verdict.PASS, Verdict.WARN, Verdict.FAIL
NOT_RUN, NA = Verdict.NOT_RUN, Verdict.NOT_APPLICABLE


def reading(code: str, value: str, unit: str = "", **other: object) -> Reading:
    return Reading(code, code, "", D(value) if value else None, unit, value, **other)


def readings(**changed: str) -> tuple[Reading, ...]:
    """The registers of a sound three-phase meter, some of them changed ("u1", "i2" ...)."""
    names = {
        "u1": "1-0:32.7.0.255",
        "u2": "1-0:52.7.0.255",
        "u3": "1-0:72.7.0.255",
        "i1": "1-0:31.7.0.255",
        "i2": "1-0:51.7.0.255",
        "i3": "1-0:71.7.0.255",
        "pf": "1-0:13.7.0.255",
        "f": "1-0:14.7.0.255",
        "p": "1-0:16.7.0.255",
        "import_": "1-0:1.8.0.255",
        "error": "0-0:97.97.0.255",
    }
    values = {code: (value, unit) for code, (_, value, unit) in THREE_PHASE.items()}
    for name, value in changed.items():
        values[names[name]] = (value, values[names[name]][1])
    return tuple(reading(code, *pair) for code, pair in values.items())


def angles(*values: tuple[int, str]) -> tuple[Reading, ...]:
    return tuple(reading(f"1-0:81.7.{e}.255", value, "°") for e, value in values)


SOUND = Evidence(
    identity=PASS,
    identity_seen="00018438, all equal",
    ratings=Ratings(phases=3, voltage="3x230/400 V"),
    before=readings(),
    before_at=NOW,
    after=readings(import_="812.480"),
    after_at=NOW + timedelta(minutes=3),
    clock=ClockFacts(D("0.4"), D("0.2")),
    profile=ProfileFacts(INFO, rows(40), 900),
    events=(MeterEvent("log", NOW, "2", "Power up"),),
    relay=RelayReading(True, "connected", 4),
)


def made(check_id: str, facts: Evidence = SOUND, **changed: object):
    return all_checks(replace(facts, **changed), PACK, (check_id,))[0]


def after(**changed: str):
    return {"after": readings(**{"import_": "812.480", **changed})}


@pytest.mark.parametrize(
    ("value", "doubt", "soft", "verdict"),
    [
        ("10", "0", False, PASS),
        ("20", "0", False, PASS),
        ("20.01", "0", False, FAIL),
        ("20.01", "0", True, WARN),
        ("19.0", "0.5", False, PASS),
        ("19.5", "0.5", False, WARN),
        ("20.4", "0.5", False, WARN),
        ("20.5", "0.5", False, FAIL),
        ("-20.4", "0.5", False, WARN),
        ("-21", "0.5", False, FAIL),
    ],
)
def test_a_value_passes_and_fails_only_beyond_its_uncertainty(value, doubt, soft, verdict):
    assert judge(D(value), D(-20), D(20), D(doubt), soft=soft) is verdict


def test_one_sided_and_absent_limits():
    assert judge(D(5), D(10), None) is FAIL
    assert judge(D(500), None, D(10)) is FAIL
    assert judge(D(500), None, None) is PASS
    assert worst([]) is NA
    assert worst([PASS, NA, WARN, NOT_RUN]) is NOT_RUN


def test_everything_sound_passes():
    verdicts = {check.check_id: check.verdict for check in all_checks(SOUND, PACK)}
    assert {key for key, verdict in verdicts.items() if verdict is not PASS} == {
        "firmware",
        "sequence",
        "communication",
    }
    assert all(verdicts[key] is NA for key in ("firmware", "sequence", "communication"))


def test_every_check_survives_being_stored():
    for check in all_checks(SOUND, PACK):
        assert check_from(check_data(check)) == check


def test_a_stored_or_damaged_value_is_never_taken_for_the_present_one():
    told = (
        reading("1-0:32.7.0.255", "1.0", "V", history="01"),
        reading("1-0:32.7.0.255", "2.0", "V", check="bad"),
        reading("1-0:32.7.0.255", "", "V"),
        reading("1-0:32.7.0.255", "230.1", "V"),
    )
    assert number(told, 32, 7) == D("230.1")


def test_power_in_kilowatts_and_in_watts_is_the_same():
    assert number((reading("1-0:16.7.0.255", "2.5", "kW"),), 16, 7, watts=True) == 2500
    assert number((reading("1-0:16.7.0.255", "2500", "W"),), 16, 7, watts=True) == 2500


@pytest.mark.parametrize(
    ("volts", "verdict"),
    [("230.0", PASS), ("205.0", WARN), ("208.0", WARN), ("200.0", FAIL), ("256.0", FAIL)],
)
def test_voltage_is_judged_by_parts_of_the_nominal_one(volts, verdict):
    check = made("voltage", **after(u2=volts))
    assert check.verdict is verdict
    assert (check.limit.low, check.limit.high, check.limit.unit) == (D(207), D(253), "V")
    assert "L2" in check.remark or verdict is PASS


def test_the_nominal_voltage_is_the_labels():
    ratings = Ratings(phases=3, voltage="3x57.7/100 V")
    check = made("voltage", ratings=ratings, **after(u1="57.7", u2="57.6", u3="57.8"))
    assert check.verdict is PASS
    assert check.limit.high == D("63.47")


def test_a_phase_without_voltage_reading_is_a_remark():
    told = tuple(item for item in SOUND.after if not item.code.startswith("1-0:52.7"))
    assert made("voltage", after=told).verdict is WARN


def test_the_neutral_check_sees_a_shifted_star_point():
    assert made("neutral", **after(u1="190.0", u2="262.0", u3="240.0")).verdict is FAIL
    lost = (MeterEvent("log", NOW, "89", "Missing neutral"),)
    assert made("neutral", events=lost).verdict is WARN


def test_unbalance_is_that_of_the_sequences():
    check = made("voltage_unbalance", **after(u1="230.0", u2="230.0", u3="215.0"))
    assert check.verdict is WARN
    assert check.measured[0].value == D("2.2")


def test_phase_sequence_with_angles():
    right = readings() + angles((10, "120.2"), (20, "239.9"))
    swapped = readings() + angles((1, "240.0"), (2, "120.0"))
    strange = readings() + angles((1, "60.0"), (2, "120.0"))
    assert made("sequence", after=right).verdict is PASS
    assert "swapped" in made("sequence", after=swapped).remark
    assert made("sequence", after=swapped).verdict is FAIL
    assert made("sequence", after=strange).verdict is FAIL


def test_without_load_power_factor_and_balance_are_not_run_and_say_why():
    idle = after(i1="0.01", i2="0.02", i3="0.00", p="0.004", pf="0.10")
    for check_id in ("power_factor", "current_unbalance"):
        check = made(check_id, **idle)
        assert (check.verdict, check.seen) == (NOT_RUN, "not enough load")


def test_power_factor_and_current_unbalance_with_load():
    assert made("power_factor", **after(pf="0.31")).verdict is FAIL
    assert made("current_unbalance", **after(i1="9.0")).verdict is WARN
    factors = tuple(
        reading(f"1-0:{c}.7.0.255", value)
        for c, value in ((33, "0.94"), (53, "-0.93"), (73, "0.95"))
    )
    check = made("power_factor", after=SOUND.after + factors)
    assert check.verdict is FAIL
    assert "different signs" in check.remark


@pytest.mark.parametrize(
    ("error", "verdict", "words"),
    [("0", PASS, ""), ("4096", FAIL, "watchdog"), ("4", WARN, "manual"), ("1", FAIL, "clock")],
)
def test_error_registers(error, verdict, words):
    check = made("errors", **after(error=error))
    assert check.verdict is verdict
    assert words in check.remark


def test_a_makers_own_error_code_is_never_guessed_at():
    told = (Reading("F.F", "0-0:97.97.0.255", "Error", D("00000040"), "", "00000040"),)
    check = made("errors", after=told)
    assert (check.verdict, check.seen) == (WARN, "00000040")


def test_the_clock_is_judged_with_its_round_trip():
    assert made("clock", clock=ClockFacts(D("21.0"), D("0.2"))).verdict is FAIL
    assert made("clock", clock=ClockFacts(D("19.9"), D("0.2"))).verdict is WARN
    assert made("clock", clock=ClockFacts(D("1.0"), D("6.0"))).verdict is WARN
    assert made("clock", clock=None, clock_reason="no clock").verdict is NA


def test_the_battery_by_event_and_by_charge():
    low = (MeterEvent("log", NOW, "8", "Battery voltage low"),)
    assert made("battery", events=low).verdict is WARN
    assert made("battery", events=None).verdict is NOT_RUN
    charge = (*SOUND.after, reading("0-0:96.6.1.255", "4", "%"))
    assert made("battery", after=charge).verdict is FAIL


def test_registers_that_run_backwards_or_stand_still_under_load():
    assert made("advance", **after(import_="812.400")).verdict is FAIL
    assert made("advance", **after(import_="812.440")).verdict is FAIL
    still = after(import_="812.440", i1="0", i2="0", i3="0", p="0")
    assert made("advance", **still).verdict is NOT_RUN
    soon = NOW + timedelta(seconds=20)
    assert made("advance", after_at=soon, **after(import_="812.440")).verdict is NOT_RUN
    assert made("advance", before=()).verdict is NOT_RUN


def test_a_profile_with_the_wrong_period_off_the_boundary_invalid_or_with_gaps():
    whole = rows(40)
    assert made("profile", profile=ProfileFacts(INFO, whole, 1800)).verdict is FAIL
    late = tuple(replace(row, time=row.time + timedelta(seconds=7)) for row in whole)
    assert "boundary" in made("profile", profile=ProfileFacts(INFO, late, 900)).remark
    marked = (*whole[:-1], replace(whole[-1], status=("data not valid",)))
    assert made("profile", profile=ProfileFacts(INFO, marked, 900)).verdict is FAIL
    holed: tuple[ProfileRow, ...] = whole[:10] + whole[13:]
    check = made("profile", profile=ProfileFacts(INFO, holed, 900))
    assert (check.verdict, check.remark) == (WARN, "3 intervals are missing.")
    assert made("profile", profile=ProfileFacts(INFO, (), 900)).verdict is NOT_RUN
    assert made("profile", profile=None).verdict is NA


def test_the_switch_is_told_and_never_moved():
    assert made("disconnector", relay=None).verdict is NA
    off = RelayReading(False, "disconnected", 4)
    assert "Nothing was switched" in made("disconnector", relay=off).remark


def test_an_identity_that_was_never_proved_makes_the_whole_incomplete():
    check = made("identity", identity=NOT_RUN, identity_seen="")
    assert check.mandatory
    assert check.verdict is NOT_RUN


def test_firmware_against_an_approved_list():
    limits = tuple(
        replace(item, accepted=("F3.1",)) if item.check_id == "firmware" else item
        for item in PACK.limits
    )
    pack = replace(PACK, limits=limits)
    assert all_checks(replace(SOUND, firmware="F3.1"), pack, ("firmware",))[0].verdict is PASS
    check = all_checks(replace(SOUND, firmware="F2.0"), pack, ("firmware",))[0]
    assert (check.verdict, check.remark) == (FAIL, "Approved are F3.1.")


def test_a_missing_seal_is_a_remark():
    whole = {"wanted": 1, "given": 1, "photos_wanted": 1, "photos": 1}
    assert seals(PACK, **whole).verdict is PASS
    assert seals(PACK, **{**whole, "given": 0}).remark == "A seal is missing."
    assert seals(PACK, **{**whole, "given": 0, "photos": 0}).verdict is WARN


def test_checks_read_as_words():
    check = made("voltage")
    assert check.limit_words == "207 to 253 V"
    assert check.measured_words == "L1 231.4 V, L2 230.9 V, L3 232.2 V (±2.3 V)"
    assert made("clock").limit_words == "±20 s"
    assert made("identity").measured_words == "00018438, all equal"
