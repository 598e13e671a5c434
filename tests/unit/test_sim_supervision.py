"""What the virtual meters watch: limiter, demand, alarms, covers, voltages, calendar and clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from drivers.simulator import hexcell, zmf100
from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.faults import CONDITIONS, POLYPHASE_CONDITIONS, Faults
from drivers.simulator.dlms.objects import logical_name
from drivers.simulator.dlms.wrapper import WrapperDevice
from drivers.simulator.limiter import Limiter
from drivers.simulator.meterclock import MeterClock, Zone
from drivers.simulator.model import Mode, SwitchState
from tests.unit.sim_talk import Association, aarq_low, hexed

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
HOUR = 3600.0
ERRORS, ALARM_1, ALARM_2 = "0-0:97.97.0.255", "0-0:97.98.0.255", "0-0:97.98.1.255"
DESCRIPTOR_1, DESCRIPTOR_2, FILTER_1 = "0-0:97.98.20.255", "0-0:97.98.21.255", "0-0:97.98.10.255"
LIMITER, MONITOR = "0-0:17.0.0.255", "0-0:16.0.0.255"
STANDARD, RELAY_LOG = "0-0:99.98.0.255", "0-0:99.98.2.255"


class Polyphase:
    """The utility's association with a virtual ZMF100, by class, code and number."""

    def __init__(self, *faults: str) -> None:
        self.meter = zmf100.Zmf100("18438", 20, 1, Faults(faults), START)
        device = WrapperDevice("zmf100", self.meter.server(0xFFFF), self.meter.faults)
        self.association = Association(device, 32, aarq_low(zmf100.PASSWORD, "FF FF"))

    def get(self, class_id: int, code: str, index: int = 2) -> axdr.Value:
        answer = self.association.ask(hexed("C0 01 C1") + named(class_id, code, index) + b"\x00")
        if answer[1] == 2:
            return axdr.value_of(self.blocks(answer))
        assert answer[:4] == hexed("C4 01 C1 00"), answer.hex()
        return axdr.value_of(answer[4:])

    def blocks(self, answer: bytes) -> bytes:
        raw = b""
        while True:
            taker = axdr.Taker(answer[9:])
            raw += taker.octets(taker.length())
            if answer[3]:
                return raw
            answer = self.association.ask(hexed("C0 02 C1") + answer[4:8])

    def put(self, class_id: int, code: str, index: int, value: bytes) -> int:
        head = hexed("C1 01 C1") + named(class_id, code, index) + b"\x00"
        return self.association.ask(head + value)[3]

    def act(self, class_id: int, code: str, index: int, parameter: bytes) -> int:
        head = hexed("C3 01 C1") + named(class_id, code, index) + b"\x01"
        return self.association.ask(head + parameter)[3]

    def number(self, code: str) -> int:
        return self.get(1, code).number()

    def codes(self, code: str) -> list[object]:
        return [row.members()[-1].value for row in self.get(7, code).members()]

    def later(self, seconds: float) -> None:
        self.association.hand.now += seconds


class SinglePhase(Polyphase):
    """The same with a virtual Hexcell."""

    def __init__(self, *faults: str) -> None:
        self.single = hexcell.Hexcell("46000755036", 20, 1, Faults(faults), START)
        aarq = aarq_low(hexcell.PASSWORD, "FF FF")
        self.association = Association(self.single.device(), 16, aarq)


def named(class_id: int, code: str, index: int) -> bytes:
    return class_id.to_bytes(2, "big") + logical_name(code) + bytes([index])


def u32(number: int) -> bytes:
    return axdr.integer(axdr.U32, number)


# -- limiter -----------------------------------------------------------------------------------


class Bench:
    """A limiter with a load given for each quarter of an hour; the first begins after 300 s."""

    def __init__(self, *loads: int) -> None:
        self.loads, self.on = (1000, *loads), True
        self.told: list[tuple[float, int]] = []
        self.clock = MeterClock(START, timedelta(0), Zone(60))
        self.clock.true(0.0)
        self.limiter = Limiter(
            self.clock,
            power=self.power,
            supplied=lambda: self.on,
            switch=self.switched,
            tell=lambda now, code: self.told.append((now, code)),
            threshold=3000,
        )
        self.limiter.settle(0.0)

    def power(self, moment: datetime) -> int:
        place = int((moment - START).total_seconds() + 600) // 900
        return self.loads[min(place, len(self.loads) - 1)]

    def switched(self, now: float, *, connect: bool) -> None:
        del now
        self.on = connect

    def write(self, index: int, seconds: int) -> None:
        write = self.limiter.cosem().attributes[index].write
        assert write is not None
        write(0.0, axdr.Value(axdr.U32, seconds))


def test_too_much_power_for_too_long_disconnects() -> None:
    bench = Bench(3001)
    bench.limiter.settle(359.0)
    assert (bench.on, bench.told) == (True, [])
    bench.limiter.settle(4000.0)  # asked late, it has still acted in time
    assert (bench.on, bench.told[0]) == (False, (360.0, 65))


def test_a_peak_shorter_than_the_duration_and_the_threshold_itself_do_nothing() -> None:
    bench = Bench(9000, 3000, 9000, 2000)
    bench.write(6, 901)
    bench.limiter.settle(9000.0)
    assert (bench.on, bench.told) == (True, [])


def test_when_it_is_under_again_it_is_told_and_not_connected() -> None:
    bench = Bench(9000)
    bench.write(7, 120)
    bench.limiter.settle(900.0)
    assert bench.told == [(360.0, 65), (480.0, 66)]
    assert not bench.on


def test_durations_of_nothing_do_not_make_it_run_for_ever() -> None:
    bench = Bench(9000)
    bench.write(6, 0)
    bench.write(7, 0)
    bench.limiter._actions = [1, 2]
    bench.limiter.settle(5000.0)
    assert 1 < len(bench.told) < 20


def test_a_month_without_being_asked_is_looked_through_at_once() -> None:
    bench = Bench(9000)
    bench.limiter.settle(40 * 86_400.0)
    assert not bench.on


@pytest.mark.parametrize("kind", [Polyphase, SinglePhase])
def test_a_low_threshold_opens_the_real_switch_and_is_logged(
    kind: Callable[[], Polyphase],
) -> None:
    meter = kind()
    assert meter.put(71, LIMITER, 4, u32(10)) == 0
    assert meter.get(71, LIMITER, 3).number() == 10
    meter.later(30)
    assert meter.get(70, "0-0:96.3.10.255") == (axdr.BOOLEAN, True)
    meter.later(60)
    assert meter.get(70, "0-0:96.3.10.255") == (axdr.BOOLEAN, False)
    assert meter.codes(RELAY_LOG)[:3] == [67, 65, 64]


def test_the_customer_s_button_ends_what_the_limiter_did_in_local_mode() -> None:
    meter = Polyphase()
    meter.put(71, LIMITER, 4, u32(10))
    meter.later(90)
    meter.get(71, LIMITER, 3)
    assert meter.meter.switch.state is SwitchState.DISCONNECTED
    assert meter.meter.switch.press(meter.association.hand.now)
    assert meter.meter.switch.output


def test_a_limited_prepayment_meter_is_connected_from_afar_not_by_its_credit() -> None:
    meter = SinglePhase()
    meter.put(71, LIMITER, 4, u32(10))
    meter.later(90)
    assert meter.get(70, "0-0:96.3.10.255") == (axdr.BOOLEAN, False)
    meter.put(71, LIMITER, 4, u32(13_800))
    meter.later(90)
    assert meter.get(70, "0-0:96.3.10.255") == (axdr.BOOLEAN, False)
    assert meter.act(70, "0-0:96.3.10.255", 2, hexed("0F 00")) == 0
    assert meter.get(70, "0-0:96.3.10.255") == (axdr.BOOLEAN, True)


def test_the_action_for_under_may_connect_again() -> None:
    meter = SinglePhase()
    script = hexed("02 02 09 06 00 00 0A 00 6A FF 12")
    actions = hexed("02 02") + script + hexed("0001") + script + hexed("0002")
    assert meter.put(71, LIMITER, 11, actions) == 0
    meter.put(71, LIMITER, 4, u32(10))
    meter.later(90)
    assert meter.get(70, "0-0:96.3.10.255") == (axdr.BOOLEAN, False)
    meter.put(71, LIMITER, 4, u32(13_800))
    meter.later(90)
    assert meter.get(70, "0-0:96.3.10.255") == (axdr.BOOLEAN, True)


def test_the_emergency_threshold_holds_while_its_profile_is_active() -> None:
    meter = Polyphase()
    assert meter.put(71, LIMITER, 5, u32(7)) == 0
    begin = axdr.octets(zmf100.ZONE.octets(START + timedelta(minutes=30)))
    profile = axdr.structure(axdr.integer(axdr.U16, 3), begin, u32(600))
    assert meter.put(71, LIMITER, 8, profile) == 0
    assert meter.get(71, LIMITER, 10) == (axdr.BOOLEAN, False)
    assert meter.get(71, LIMITER, 3).number() == zmf100.LIMIT_W
    meter.later(1860)
    assert meter.get(71, LIMITER, 10) == (axdr.BOOLEAN, True)
    assert meter.get(71, LIMITER, 3).number() == 7
    meter.later(600)
    assert meter.get(71, LIMITER, 3).number() == zmf100.LIMIT_W
    # a profile that no group knows has no force
    assert meter.put(71, LIMITER, 9, axdr.array([axdr.integer(axdr.U16, 8)])) == 0


@pytest.mark.parametrize(
    ("index", "value"),
    [
        (2, "00"), (3, "06 00000001"), (4, "12 0001"), (8, "02 01 12 0000"),
        (9, "12 0001"), (11, "02 01 12 0001"),
        (11, "02 02 02 02 09 06 00000A006AFF 12 0009 02 02 09 06 00000A006AFF 12 0000"),
        (11, "02 02 02 02 09 06 00000A0064FF 12 0001 02 02 09 06 00000A006AFF 12 0000"),
    ],
)  # fmt: skip
def test_a_limiter_refuses_what_makes_no_sense(index: int, value: str) -> None:
    assert Polyphase().put(71, LIMITER, index, hexed(value)) in {3, 12}


def test_scripts_keep_the_rules_of_the_switch() -> None:
    meter = Polyphase()
    assert meter.act(9, "0-0:10.0.106.255", 1, axdr.integer(axdr.U16, 1)) == 0
    assert not meter.meter.switch.output
    assert meter.act(9, "0-0:10.0.106.255", 1, axdr.integer(axdr.U16, 2)) == 250  # local mode
    assert meter.act(9, "0-0:10.0.106.255", 1, axdr.integer(axdr.U16, 3)) == 12


def test_the_mode_of_the_switch_is_chosen_by_the_utility() -> None:
    meter = Polyphase()
    assert meter.put(70, "0-0:96.3.10.255", 4, axdr.integer(axdr.ENUM, Mode.DIRECT)) == 12
    assert meter.put(70, "0-0:96.3.10.255", 4, axdr.integer(axdr.ENUM, Mode.REMOTE)) == 0
    assert meter.act(70, "0-0:96.3.10.255", 1, hexed("0F 00")) == 0
    assert not meter.meter.switch.press(0.0)
    assert meter.act(70, "0-0:96.3.10.255", 2, hexed("0F 00")) == 0
    assert meter.get(70, "0-0:96.3.10.255", 3).number() == SwitchState.READY


# -- demand ------------------------------------------------------------------------------------


def test_over_demand_leaves_an_event_when_it_begins_and_when_it_ends() -> None:
    meter = Polyphase()
    demand = meter.get(3, "1-0:1.5.0.255").number()
    home = meter.meter.home
    end = START.replace(minute=0)
    assert demand == home.energy("+", 0, end) - home.energy("+", 0, end - timedelta(hours=1))
    meter.put(21, MONITOR, 2, axdr.array([u32(1000)]))
    before = meter.codes(STANDARD)
    assert before[-1] == (70 if demand > 1000 else 5)
    for _ in range(24):
        meter.later(HOUR)
        meter.get(21, MONITOR, 2)
    later = meter.codes(STANDARD)[len(before) - 1 :]
    assert {70, 71} <= set(later)
    crossings = [code for code in later if code in {70, 71}]
    assert all(one != other for one, other in pairwise(crossings))


@pytest.mark.parametrize("watts", [[], [999], [256_001], [1000] * 5])
def test_a_demand_threshold_stays_between_1_and_256_kw(watts: list[int]) -> None:
    assert Polyphase().put(21, MONITOR, 2, axdr.array([u32(one) for one in watts])) == 12


# -- alarms ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "errors", "first", "second"),
    [
        ("cover-open", 1 << 13, 1 << 13, 0),
        ("magnet", 1 << 13, 1 << 13, 0),
        ("reverse-flow", 0, 0, 1 << 10),
        ("neutral-missing", 0, 0, 1 << 8),
        ("bypass", 0, 0, 1 << 12),
        ("battery-low", 1 << 1, 1 << 1, 0),
        ("undervoltage", 0, 0, 1 << 14),
        ("phase-lost", 0, 0, 1 << 4),
        ("clock-lost", 1, 1, 0),
        ("slave-lost", 1 << 16, 1 << 16, 0),
        ("null-data", 0, 0, 0),
    ],
)
def test_each_cause_sets_its_bits(fault: str, errors: int, first: int, second: int) -> None:
    meter = Polyphase(fault)
    assert meter.number(ERRORS) == errors
    assert (meter.number(ALARM_1), meter.number(DESCRIPTOR_1)) == (first, first)
    assert (meter.number(ALARM_2), meter.number(DESCRIPTOR_2)) == (second, second)


@pytest.mark.parametrize("fault", sorted(CONDITIONS))
def test_a_prepayment_meter_logs_and_flags_each_condition(fault: str) -> None:
    meter = SinglePhase(fault)
    assert meter.number(ALARM_1) | meter.number(ALARM_2)
    sound = SinglePhase()
    logs = (STANDARD, "0-0:99.98.1.255")
    assert sum(len(meter.codes(log)) - len(sound.codes(log)) for log in logs) == 1


@pytest.mark.parametrize("fault", sorted(CONDITIONS | POLYPHASE_CONDITIONS))
def test_what_is_expected_has_the_event_of_each_condition(fault: str) -> None:
    meter = Polyphase(fault)
    told = meter.meter.expected()["events"]
    assert isinstance(told, dict)
    assert [row["code"] for row in told["rows"]] == meter.codes(STANDARD)


def test_bits_of_a_cause_that_is_still_there_come_back_but_not_in_the_descriptor() -> None:
    meter = Polyphase("magnet")
    for code in (ERRORS, ALARM_1, DESCRIPTOR_1):
        assert meter.put(1, code, 2, u32(0)) == 0
    assert meter.number(ERRORS) == meter.number(ALARM_1) == 1 << 13
    assert meter.number(DESCRIPTOR_1) == 0
    meter.meter.supervision.alarms.end(meter.association.hand.now, "magnet")
    assert meter.number(ALARM_1) == 1 << 13  # until it is cleared
    assert meter.put(1, ALARM_1, 2, u32(0)) == 0
    assert meter.put(1, ERRORS, 2, u32(0)) == 0
    assert meter.number(ERRORS) == meter.number(ALARM_1) == 0
    assert meter.codes(STANDARD)[-3:] == [43, 11, 10]


def test_a_new_cause_sets_bits_while_the_meter_runs() -> None:
    meter = SinglePhase()
    assert meter.number(ALARM_1) == 0
    meter.single.supervision.alarms.begin(meter.association.hand.now, "cover-open")
    assert meter.number(DESCRIPTOR_1) == 1 << 13
    assert meter.codes("0-0:99.98.1.255")[-1] == 44


def test_a_filter_keeps_an_alarm_out_of_its_register_but_not_an_error() -> None:
    meter = Polyphase()
    assert meter.put(1, FILTER_1, 2, u32(0xFFFFDFFF)) == 0
    meter.meter.supervision.alarms.begin(meter.association.hand.now, "magnet")
    assert (meter.number(ALARM_1), meter.number(DESCRIPTOR_1)) == (0, 0)
    assert meter.number(ERRORS) == 1 << 13


@pytest.mark.parametrize("code", [ERRORS, ALARM_1, DESCRIPTOR_1])
def test_a_client_clears_bits_and_never_sets_them(code: str) -> None:
    assert Polyphase().put(1, code, 2, u32(1)) == 12


def test_disturbed_voltages_are_measured_too() -> None:
    assert Polyphase("undervoltage").get(3, "1-1:32.7.0.255").number() == 1950
    assert Polyphase("overvoltage").get(3, "1-1:52.7.0.255").number() == 2620
    lost = Polyphase("phase-lost")
    assert lost.get(3, "1-1:72.7.0.255").number() == 0
    assert lost.get(3, "1-0:71.7.0.255").number() == 0


# -- calendar and clock ------------------------------------------------------------------------


def test_an_activated_calendar_shows_in_the_parameterisation() -> None:
    meter = Polyphase()
    calendar = "0-0:13.0.0.255"
    assert meter.get(1, "1-0:0.2.1.255").octets() == b"17"
    assert meter.put(20, calendar, 6, axdr.text("41")) == 0
    due = axdr.octets(zmf100.ZONE.octets(START + timedelta(hours=1)))
    assert meter.put(20, calendar, 10, due) == 0
    assert meter.get(1, "1-0:0.2.1.255").octets() == b"17"
    meter.later(HOUR + 30)
    assert meter.get(1, "1-0:0.2.1.255").octets() == b"41"
    assert meter.codes(STANDARD)[-1] == 9
    meter.put(20, calendar, 6, axdr.text("WINTER"))
    assert meter.act(20, calendar, 1, hexed("0F 00")) == 0
    assert meter.get(1, "1-0:0.2.1.255").octets() == b"42"


def test_a_calendar_has_the_limits_of_the_reference_meter() -> None:
    meter = Polyphase()
    start = axdr.octets(hexed("FFFF0101FF000000008000FF"))
    season = axdr.structure(axdr.text("S"), start, axdr.text("W"))
    point = axdr.structure(
        axdr.octets(bytes(4)), axdr.octets(hexed("00000A0064FF")), axdr.integer(axdr.U16, 1)
    )

    def day(number: int, points: int) -> bytes:
        return axdr.structure(axdr.integer(axdr.U8, number), axdr.array([point] * points))

    def special(number: int) -> bytes:
        date = axdr.octets(hexed("07EA0101FF"))
        return axdr.structure(axdr.integer(axdr.U16, number), date, axdr.integer(axdr.U8, 1))

    for index, most, item in ((7, 4, season), (9, 8, day(1, 4))):
        assert meter.put(20, "0-0:13.0.0.255", index, axdr.array([item] * most)) == 0
        assert meter.put(20, "0-0:13.0.0.255", index, axdr.array([item] * (most + 1))) == 12
    assert meter.put(20, "0-0:13.0.0.255", 9, axdr.array([day(1, 5)])) == 12
    days = [special(number) for number in range(51)]
    assert meter.put(11, "0-0:11.0.0.255", 2, axdr.array(days[:50])) == 0
    assert meter.put(11, "0-0:11.0.0.255", 2, axdr.array(days)) == 12


def test_a_clock_that_ran_out_is_marked_until_it_is_set() -> None:
    meter = Polyphase("clock-lost")
    assert meter.get(8, "0-0:1.0.0.255").octets()[11] & 1
    assert meter.get(8, "0-0:1.0.0.255", 4).number() & 1
    rows = meter.get(7, "1-0:99.2.0.255").members()
    marked = [row.members()[1].number() & 2 for row in rows]
    assert marked[-1]
    assert not all(marked)
    now = axdr.octets(zmf100.ZONE.octets(START))
    assert meter.put(8, "0-0:1.0.0.255", 2, now) == 0
    assert not meter.get(8, "0-0:1.0.0.255").octets()[11] & 1
    meter.later(2 * HOUR)
    assert not meter.get(7, "1-0:99.1.0.255").members()[-1].members()[1].number() & 2
