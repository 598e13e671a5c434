"""What the virtual meters hold: clock, household, profiles, logs, supply switch, readout."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from drivers.simulator import hexcell, zmf100
from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.household import Household, Outage
from drivers.simulator.loadprofile import Capture, PeriodicRows, midnights, month_starts
from drivers.simulator.meterclock import MeterClock, Zone
from drivers.simulator.model import Disconnector, Event, EventLog, Mode, SwitchState
from tests.unit.sim_talk import Hand, framed, hexed

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
EUROPE = Zone(60, summer_time=True)


def meter(serial: str = "", rows: int = 300, seed: int = 1, *faults: str) -> zmf100.Zmf100:
    return zmf100.Zmf100(serial, rows, seed, Faults(faults), START)


# -- clock -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "octets"),
    [
        ("2026-10-25T00:59:59", "07EA 0A 19 07 02 3B 3B FF FF88 80"),
        ("2026-10-25T01:00:00", "07EA 0A 19 07 02 00 00 FF FFC4 00"),
        ("2026-03-29T01:00:00", "07EA 03 1D 07 03 00 00 FF FF88 80"),
    ],
)
def test_the_repeated_hour_differs_in_deviation_and_status(moment: str, octets: str) -> None:
    aware = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert EUROPE.octets(aware) == hexed(octets)
    assert EUROPE.moment(hexed(octets)) == aware


def test_a_time_without_deviation_is_local_time() -> None:
    assert EUROPE.moment(hexed("07EA 07 01 FF 0C 00 FF FF 8000 FF")).hour == 10
    assert EUROPE.moment(hexed("07EA 01 01 FF 0C 00 FF FF 8000 FF")).hour == 11


@pytest.mark.parametrize(
    "wrong",
    [
        "07EA 07 01 FF 0C 00 00 FF 8000",
        "FFFF 07 01 FF 0C 00 00 FF 8000 FF",
        "07EA 0D 01 FF 0C 00 00 FF 8000 FF",
        "07EA 07 01 07 0C 00 00 FF 8000 FF",  # no Sunday
        "07EA 07 01 FF 0C 00 00 FF 0400 FF",  # 17 hours west
    ],
)
def test_a_time_that_cannot_be_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        EUROPE.moment(hexed(wrong))


def test_the_clock_runs_with_the_line_and_keeps_its_error() -> None:
    clock = MeterClock(START, timedelta(seconds=5), EUROPE)
    assert clock.shown(100.0) == START + timedelta(seconds=5)
    assert clock.shown(160.0) == START + timedelta(seconds=65)
    assert clock.set(160.0, START) == timedelta(seconds=-65)
    assert clock.shown(161.0) == START + timedelta(seconds=1)


def test_values_move_on_by_whole_periods_from_the_start() -> None:
    clock = MeterClock(START, timedelta(0), EUROPE)
    assert clock.measured(50.0, 900) == START
    assert clock.measured(50.0 + 899, 900) == START
    assert clock.measured(50.0 + 1801, 900) == START + timedelta(seconds=1800)


@pytest.mark.parametrize("seed", [1, 2, 3, 17])
def test_the_clock_is_off_by_a_few_seconds(seed: int) -> None:
    for one in (hexcell.build(seed=seed, start=START), zmf100.build(seed=seed, start=START)):
        clock = one.expected()["clock"]
        assert isinstance(clock, dict)
        assert 2 <= abs(float(clock["offset_s"])) <= 9


# -- household ---------------------------------------------------------------------------------


def test_energy_never_falls_and_stands_still_without_supply() -> None:
    outage = Outage(START - timedelta(hours=30, minutes=7), START - timedelta(hours=26))
    home = Household(7, START - timedelta(days=60), low=60, high=600, solar=20, outages=[outage])
    times = [START - timedelta(minutes=13 * n) for n in range(400, 0, -1)]
    for sign in "+-":
        for tariff in (0, 1, 2):
            values = [home.energy(sign, tariff, moment) for moment in times]
            assert values == sorted(values)
            assert home.energy(sign, tariff, outage.start) == home.energy(sign, tariff, outage.end)
    assert home.energy("+", 0, START) > home.energy("+", 0, times[0]) > 0


def test_another_seed_is_another_household_and_the_same_is_the_same() -> None:
    one, same, other = (
        json.dumps(zmf100.build(seed=seed, rows=50, start=START).expected()) for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


# -- profiles ----------------------------------------------------------------------------------


def rows_of(count: int, newest: datetime, *outages: Outage, period_s: int = 3600) -> PeriodicRows:
    return PeriodicRows(Capture(EUROPE, (), outages), period_s, newest, count)


def test_rows_stand_on_the_boundary_and_the_newest_is_the_last() -> None:
    rows = rows_of(3, START)
    assert [rows.time(n).hour for n in range(3)] == [8, 9, 10]
    with pytest.raises(IndexError):
        rows.time(3)


def test_an_outage_leaves_a_gap_and_marks_the_row_after_it() -> None:
    outage = Outage(
        datetime(2026, 11, 20, 5, 30, tzinfo=UTC), datetime(2026, 11, 20, 8, tzinfo=UTC)
    )
    rows = rows_of(5, START, outage)
    assert [rows.time(n).hour for n in range(5)] == [4, 5, 8, 9, 10]
    statuses = [axdr.value_of(rows.row(n).cells[1]).number() for n in range(5)]
    assert statuses == [0, 0, 0x80, 0, 0]


def test_an_outage_within_one_interval_marks_its_row_only() -> None:
    outage = Outage(START - timedelta(minutes=50), START - timedelta(minutes=30))
    rows = rows_of(3, START, outage)
    statuses = [axdr.value_of(rows.row(n).cells[1]).number() for n in range(3)]
    assert statuses == [0, 0, 0x80]


def test_the_day_of_the_change_has_twenty_five_rows_in_order() -> None:
    end = datetime(2026, 10, 25, 23, tzinfo=UTC)
    rows = rows_of(25, end)
    octets = [rows.row(n).cells[0][2:] for n in range(25)]
    assert [EUROPE.moment(one) for one in octets] == [rows.time(n) for n in range(25)]
    hours = [one[5] for one in octets]
    assert hours == [1, 2, 2, *range(3, 24), 0]
    statuses = [axdr.value_of(rows.row(n).cells[1]).number() for n in range(25)]
    assert statuses == [8] * 2 + [0] * 23


def test_rows_long_before_the_epoch_of_computers_have_times() -> None:
    rows = rows_of(1_000_000, START)
    assert rows.time(0) == datetime(2026, 11, 20, 10, tzinfo=UTC) - timedelta(hours=999_999)


def test_days_begin_at_local_midnight_and_months_on_their_first() -> None:
    newest = datetime(2026, 4, 2, 12, tzinfo=UTC)
    assert [one.hour for one in midnights(EUROPE, newest, 5)] == [23, 22, 22, 22, 22]
    months = month_starts(EUROPE, newest, 4)
    assert [EUROPE.local(one).month for one in months] == [1, 2, 3, 4]
    assert all(EUROPE.local(one).hour == 0 for one in months)


@pytest.mark.parametrize("rows", [1, 10, 35_040, 140_000])
def test_a_profile_may_have_any_number_of_rows(rows: int) -> None:
    one = meter(rows=rows)
    held = one.rows_at(zmf100.PERIODIC, START)
    assert len(held) == rows
    assert held.row(0).time < START
    assert held.row(rows - 1).time == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_a_profile_grows_while_the_meter_runs() -> None:
    one = meter(rows=10)
    later = one.rows_at(zmf100.PERIODIC, START + timedelta(hours=3))
    assert len(later) == 13
    assert later.time(0) == one.rows_at(zmf100.PERIODIC, START).time(0)


def test_the_depths_are_those_of_the_reference_meter() -> None:
    one = meter(rows=0 or zmf100.PERIODIC_ROWS)
    depths = {code: len(one.rows_at(code, START)) for code in one.kept}
    assert depths == {zmf100.PERIODIC: 2160, zmf100.DAILY: 366, zmf100.MONTHLY: 13}
    assert all(len(kept.capture.quantities) <= 4 for kept in one.kept.values())
    assert (one.standard.capacity, one.relay_log.capacity) == (200, 20)


# -- logs and switch ---------------------------------------------------------------------------


def test_a_full_log_loses_its_oldest_event() -> None:
    log = EventLog(2, [Event(START, 2), Event(START - timedelta(hours=1), 1)])
    log.add(START, 4)
    assert [event.code for event in log.events()] == [2, 4]


@pytest.mark.parametrize(
    ("mode", "steps", "state", "log"),
    [
        (Mode.LOCAL, ("press",), SwitchState.READY, [60]),
        (Mode.LOCAL, ("press", "press"), SwitchState.CONNECTED, [60, 61]),
        (Mode.LOCAL, ("disconnect", "press"), SwitchState.CONNECTED, [62, 61]),
        (Mode.REMOTE, ("disconnect", "reconnect"), SwitchState.READY, [62, 59]),
        (Mode.REMOTE, ("disconnect", "reconnect", "press"), SwitchState.CONNECTED, [62, 59, 61]),
        (Mode.DIRECT, ("disconnect", "reconnect"), SwitchState.CONNECTED, [62, 63]),
        (Mode.DIRECT, ("disconnect", "disconnect"), SwitchState.DISCONNECTED, [62]),
    ],
)
def test_the_switch_moves_as_its_mode_allows(
    mode: Mode, steps: tuple[str, ...], state: SwitchState, log: list[int]
) -> None:
    told: list[int] = []
    switch = Disconnector(mode, lambda now, code: told.append(code))
    for step in steps:
        assert getattr(switch, step)(0.0)
    assert (switch.state, told) == (state, log)
    assert switch.output == (state is SwitchState.CONNECTED)


@pytest.mark.parametrize(
    ("mode", "steps"),
    [
        (Mode.LOCAL, ("disconnect", "reconnect")),
        (Mode.REMOTE, ("press",)),
        (Mode.REMOTE, ("disconnect", "press")),
    ],
)
def test_what_the_mode_forbids_has_no_effect(mode: Mode, steps: tuple[str, ...]) -> None:
    switch = Disconnector(mode, lambda now, code: None)
    *before, last = steps
    for step in before:
        getattr(switch, step)(0.0)
    state = switch.state
    assert not getattr(switch, last)(0.0)
    assert switch.state is state


# -- the meters as a whole -----------------------------------------------------------------------


def test_the_display_list_shows_what_the_registers_hold() -> None:
    one = meter("18438")
    text = one.readout(0.0).decode("ascii")
    registers = {row["obis"]: row["value"] for row in one.expected()["registers"]}
    assert text.startswith("\x02F.F(00)\r\n")
    assert f"1.8.0({float(registers['1-0:1.8.0.255']):010.3f}*kWh)" in text
    assert "C.1.0(00018438)" in text
    assert f"0.0({one.utility_serial:>24})" in text


def test_the_optical_port_leads_into_hdlc() -> None:
    hand = Hand(zmf100.build(start=START))
    assert seven(hand.say(seven(b"/?!\r\n"), within=1.0)).endswith(b"\\2ZMF100AC.M26\r\n")
    option = seven(b"\x06252\r\n")
    hand.device.receive(hand.now + 0.2 + len(option) / 30, option)
    assert hand.device.format.data_bits == 8
    hand.now += 0.6
    assert hand.say("7E A0 07 03 21 93 0F 01 7E")[5] == 0x73


def seven(data: bytes) -> bytes:
    """Add even parity, or take it away."""
    if any(c & 0x80 for c in data):
        return bytes(c & 0x7F for c in data)
    return bytes(c | (c.bit_count() & 1) << 7 for c in data)


def test_expected_is_plain_json_and_the_same_before_and_after_reading() -> None:
    device = hexcell.build(rows=20, start=START)
    before = json.dumps(device.expected())
    Hand(device).say(framed("03 21", 0x93))
    assert json.dumps(device.expected()) == before


def test_rates_add_up_to_the_whole() -> None:
    values = {row["obis"]: float(row["value"]) for row in meter().expected()["registers"]}
    for sign in "12":
        parts = values[f"1-0:{sign}.8.1.255"] + values[f"1-0:{sign}.8.2.255"]
        assert parts == pytest.approx(values[f"1-0:{sign}.8.0.255"])


def test_the_asset_number_has_a_right_check_digit() -> None:
    number = meter("18438").utility_serial
    assert len(number) <= 24
    assert sum(int(c) * (1, 3)[n % 2] for n, c in enumerate(reversed(number))) % 10 == 0


@pytest.mark.parametrize("build", [hexcell.build, zmf100.build])
@pytest.mark.parametrize("serial", ["abc", "123456789012"])
def test_a_serial_that_cannot_be_is_refused(build, serial: str) -> None:
    with pytest.raises(ValueError, match="digits"):
        build(serial=serial)


@pytest.mark.parametrize("build", [hexcell.build, zmf100.build])
def test_an_unknown_fault_is_refused_by_name(build) -> None:
    with pytest.raises(ValueError, match="typo"):
        build(faults=["typo"])


def test_every_fault_of_the_lists_can_be_built() -> None:
    for name in hexcell.FAULTS:
        hexcell.build(rows=5, faults=[name], start=START)
    for name in zmf100.FAULTS:
        zmf100.build(rows=5, faults=[name], start=START)
