"""The client reads virtual meters and scripted lines, whatever they make of the protocol."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.connect import open_meter
from drivers.errors import GarbledReply, NoReply, NotSupported, PortUnavailable
from drivers.iec62056 import frames
from drivers.iec62056.block import BlockReader
from drivers.iec62056.meter import Iec62056Meter
from drivers.iec62056.session import Ear
from drivers.iec62056.signon import sign_on_mode_e
from drivers.link import Line
from drivers.memory_link import MemoryLink
from drivers.metertype import BadMeterType, Iec62056, LineType, load_meter_type
from drivers.secrets import Secrets
from drivers.simulator.iec62056 import FAULTS, OpticalPort, framed
from drivers.simulator.memory import DeviceLink
from drivers.simulator.replay import build
from drivers.values import Statistics

TYPE = load_meter_type("generic-iec62056-21")
LINES = [
    "F.F(00000000)",
    "C.1.0(46000755)",
    "0.0.0(33112077)",
    "0.9.1(101112)",
    "0.9.2(260720)",
    "1.8.0(000123.456*kWh)",
    "1.8.0*01(000100.000)",
    "16.7.0(00250*W)",
    "32.7.0(229.8*V)",
]
READOUT = framed(LINES)


def port(*faults, identification=b"/MWT5TEST", readout=READOUT, address=""):
    return OpticalPort(
        name="virtual",
        identification=identification,
        readout=readout,
        address=address,
        faults=faults,
    )


def read(device, meter_type=TYPE):
    link = DeviceLink([device])
    with Iec62056Meter(link, meter_type, Secrets()) as meter:
        found = list(meter.registers())
    return found, link


def speeds(link):
    return [line.speed for line in link.lines]


@pytest.mark.parametrize("identification", [b"/MWT5TEST", b"/MWt5TEST", b"/MWT0TEST"])
def test_a_mode_c_list_is_read_at_the_announced_speed_and_proved(identification):
    found, link = read(port(identification=identification))
    assert [r.code for r in found] == [line.partition("(")[0] for line in LINES]
    assert {r.check for r in found} == {"ok"}
    assert link.lines[-1].speed == frames.speed_of(chr(identification[4]))
    assert link.statistics.remarks == []


def test_modes_a_and_b_are_read_without_an_option_select():
    found, link = read(port(identification=b"/MWT TEST"))
    assert (len(found), set(speeds(link))) == (len(LINES), {300})
    found, link = read(port(identification=b"/MWTETEST"))
    assert (len(found), speeds(link)[-1]) == (len(LINES), 9600)
    assert link.statistics.bytes_sent == len(b"/?!\r\n")


UNPROVED = {"silence", "wants-address", "wrong-check", "missing-etx", "silent-after-100"}


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - UNPROVED))
def test_a_disturbed_dialogue_still_gives_every_value_proved(fault):
    found, link = read(port(fault))
    codes = [r.code for r in found if r.code != "0.2.9"]  # one fault adds a line
    assert codes == [line.partition("(")[0] for line in LINES]
    assert {r.check for r in found} == {"ok"}
    assert link.statistics.echo_seen is fault.startswith("echo")


@pytest.mark.parametrize(
    ("fault", "option", "speed"),
    [
        ("", "6", 300),  # a mode of some maker: this meter has none
        ("", "9", 300),
        ("maker-option", "0", 300),
        ("maker-option", "6", 9600),
    ],
)
def test_an_option_that_the_meter_does_not_follow_brings_its_list_at_the_first_speed(
    fault, option, speed
):
    v = "2" if fault else "0"
    own = replace(TYPE, iec62056=replace(TYPE.iec62056, v=v, y=option))
    link = DeviceLink([port(*filter(None, [fault]))])
    with Iec62056Meter(link, own, Secrets()) as meter:
        found = list(meter.registers())
    assert [r.code for r in found] == [line.partition("(")[0] for line in LINES]
    assert {r.check for r in found} == {"ok"}
    assert speeds(link)[-1] == speed


def test_what_was_done_about_a_disturbance_is_remarked():
    wanted = {
        "keeps-300": "speed announced but not followed",
        "acts-as-mode-a": "data came without being chosen: read as mode A",
        "lost-stx": "the start character is missing",
    }
    for fault, remark in wanted.items():
        assert remark in read(port(fault))[1].statistics.remarks


def test_a_list_whose_first_characters_were_lost_in_a_fallback_is_never_taken_though_it_checks():
    # "0.0." vanishes from both sides of an exclusive-or, so the check alone would prove the rest.
    found, _ = read(port("keeps-300", readout=framed(["0.0.0(33112077)", *LINES])))
    assert found[0].code == "0.0.0"


def test_a_check_that_stays_wrong_gives_values_marked_bad_and_then_the_error():
    link = DeviceLink([port("wrong-check")])
    found = []
    with (
        Iec62056Meter(link, TYPE, Secrets()) as meter,
        pytest.raises(GarbledReply, match="does not fit"),
    ):
        found.extend(meter.registers())
    assert len(found) == len(LINES)
    assert {r.check for r in found} == {"bad"}
    with Iec62056Meter(link, TYPE, Secrets()) as meter, pytest.raises(GarbledReply):
        meter.identity()


def test_a_wrong_check_is_told_also_where_the_list_has_a_clock_and_is_never_the_same_twice():
    seconds = iter(range(20, 60))  # none of which fits another rule by chance
    telling = [line for line in LINES if not line.startswith("0.9.1")]
    device = port("wrong-check", readout=lambda _: framed([f"0.9.1({next(seconds)})", *telling]))
    link = DeviceLink([device])
    found = []
    with (
        Iec62056Meter(link, TYPE, Secrets()) as meter,
        pytest.raises(GarbledReply, match="does not fit"),
    ):
        found.extend(meter.registers())
    assert len(found) == len(LINES)
    assert {r.check for r in found} == {"bad"}
    assert next(seconds) - 20 <= 2 * (TYPE.timing.retries + 1), "repetitions are bounded"


def test_a_missing_end_character_leaves_the_values_without_proof():
    found, link = read(port("missing-etx"))
    assert {r.check for r in found} == {"absent"}
    assert "the end character is missing" in link.statistics.remarks


def test_a_meter_that_falls_silent_gives_what_arrived_as_bad():
    link = DeviceLink([port("silent-after-100")])
    found = []
    with (
        Iec62056Meter(link, TYPE, Secrets()) as meter,
        pytest.raises(GarbledReply, match="silence"),
    ):
        found.extend(meter.registers())
    assert found
    assert {r.check for r in found} == {"bad"}


def test_silence_is_no_reply_after_a_bounded_number_of_tries():
    link = DeviceLink([port("silence")])
    with Iec62056Meter(link, TYPE, Secrets()) as meter, pytest.raises(NoReply) as caught:
        meter.identity()
    assert caught.value.hint == ""
    assert link.statistics.resends == TYPE.timing.retries


def test_only_our_own_echo_is_no_reply_and_says_so():
    link = MemoryLink(lambda data: data)
    with Iec62056Meter(link, TYPE, Secrets()) as meter, pytest.raises(NoReply) as caught:
        meter.identity()
    assert caught.value.hint == "echo"


def test_noise_at_the_first_speed_is_garbled():
    link = MemoryLink(lambda _: bytes((n * 167) & 0xFF for n in range(60)))
    with Iec62056Meter(link, TYPE, Secrets()) as meter, pytest.raises(GarbledReply):
        meter.identity()


def test_endless_noise_ends_too():
    link = MemoryLink(lambda _: b"\x55" * 2000)
    for n in range(2000):
        link.feed(b"\xaa\x31", 0.05 * n)
    with Iec62056Meter(link, TYPE, Secrets()) as meter, pytest.raises(GarbledReply):
        meter.identity()


def test_a_new_request_never_falls_into_the_meters_time_out():
    link = DeviceLink([port("silence")])
    times = []
    write = link.write
    link.write = lambda data, *, secret=False: (times.append(link.now()), write(data))[1]
    with Iec62056Meter(link, TYPE, Secrets()) as meter, pytest.raises(NoReply):
        meter.identity()
    sent = len(b"/?!\r\n") * 10 / 300
    assert min(after - before for before, after in pairwise(times)) - sent > 1.5


def test_the_switch_is_after_the_last_stop_bit_and_before_the_first_answer():
    link = DeviceLink([port(identification=b"/MWt5TEST")])
    with Iec62056Meter(link, TYPE, Secrets()) as meter:
        list(meter.registers())
    assert 0 < link.statistics.switch_margin_s < 0.05


def test_identity_comes_from_the_line_and_the_list():
    link = DeviceLink([port()])
    with open_meter(link, TYPE) as meter:
        identity = meter.identity()
        sent = link.statistics.bytes_sent
        assert len(list(meter.registers())) == len(LINES)
        assert link.statistics.bytes_sent == sent, "the list is read once"
    assert identity.identification == "/MWT5TEST"
    assert (identity.manufacturer, identity.model) == ("MWT", "TEST")
    assert (identity.serial, identity.utility_serial) == ("46000755", "33112077")


def test_an_empty_or_nul_serial_is_passed_over_for_the_next_code():
    readout = framed(["C.1.0(        )", "0.0.0(33112077)"])
    link = DeviceLink([port(readout=readout)])
    with Iec62056Meter(link, TYPE, Secrets()) as meter:
        assert meter.identity().serial == "33112077"


def test_readings_carry_names_common_units_and_history():
    found, _ = read(port())
    by_code = {r.code: r for r in found}
    assert by_code["1.8.0"].name == "Active energy import"
    assert (by_code["1.8.0"].value, by_code["1.8.0"].unit) == (Decimal("123.456"), "kWh")
    assert (by_code["16.7.0"].value, by_code["16.7.0"].unit) == (Decimal("0.250"), "kW")
    assert (by_code["1.8.0*01"].history, by_code["1.8.0*01"].unit) == ("01", "kWh")
    assert by_code["F.F"].text == "00000000"


def test_the_clock_is_put_into_utc_by_the_types_zone():
    link = DeviceLink([port()])
    with Iec62056Meter(link, TYPE, Secrets()) as meter:
        clock = meter.clock()
    assert clock.meter_time == datetime(2026, 7, 20, 8, 11, 12, tzinfo=UTC)
    assert clock.uncertainty >= Decimal("0.5")
    shown = (clock.meter_time - clock.read_at).total_seconds()
    assert abs(float(clock.offset) - shown - 0.5) < 0.01, "half of the second it does not show"


def test_single_objects_come_from_the_list_in_any_spelling():
    link = DeviceLink([port()])
    with Iec62056Meter(link, TYPE, Secrets()) as meter:
        for code in ("1.8.0", "1-0:1.8.0.255", "1.0.1.8.0.255"):
            assert meter.object(code).value == Decimal("123.456")
        with pytest.raises(NotSupported):
            meter.object("2.8.0")
        with pytest.raises(NotSupported):
            meter.relay()


def test_values_are_shown_while_they_arrive_and_proved_afterwards():
    link = DeviceLink([port()])
    with Iec62056Meter(link, TYPE, Secrets()) as meter:
        arriving = meter.arriving()
        first = next(arriving)
        before = link.statistics.bytes_received
        rest = list(arriving)
        assert link.statistics.bytes_received > before, "the first came before the last was sent"
        assert [first.code, *(item.code for item in rest)] == [r.code for r in meter.registers()]


def test_a_pulled_probe_passes_through_and_what_arrived_is_kept():
    link = DeviceLink([port()])
    link.pull_after(120)
    found = []
    with Iec62056Meter(link, TYPE, Secrets()) as meter, pytest.raises(PortUnavailable):
        found.extend(meter.registers())
    assert {r.check for r in found} <= {"bad"}


def test_an_address_is_sent_and_a_capped_speed_is_chosen():
    device = port(address="33112077")
    capped = replace(
        TYPE, iec62056=Iec62056(address="33112077"), line=LineType(300, "7E1", max_speed=2400)
    )
    found, link = read(device, capped)
    assert len(found) == len(LINES)
    assert speeds(link)[-1] == 2400


def test_a_converter_that_needs_parity_bits_is_found_by_trying_both():
    sent = []

    class Converter(MemoryLink):
        sets_line = False
        soft = False

        def configure(self, line: Line) -> None:
            self.soft = line.software

    link = Converter()

    def answer(data):
        sent.append(link.soft)
        if not link.soft:
            return b""
        return b"/MWT TEST\r\n" + READOUT

    link._answer = answer
    with Iec62056Meter(link, TYPE, Secrets()) as meter:
        assert meter.identity().serial == "46000755"
    assert sent == [False, True]


def test_parity_bits_that_a_converter_lets_through_are_taken_off():
    wire = bytes((c & 0x7F) | ((c & 0x7F).bit_count() & 1) << 7 for c in b"/MWT T\r\n" + READOUT)
    link = MemoryLink(lambda _: wire)
    link.sets_line = False
    with Iec62056Meter(link, TYPE, Secrets()) as meter:
        assert {r.check for r in meter.registers()} == {"ok"}


def test_a_meter_that_sends_by_itself_is_listened_to():
    text = b"/MWT5TEST\r\n\r\n" + b"".join(f"{line}\r\n".encode() for line in LINES) + b"!\r\n"
    link = MemoryLink()
    link.feed(b"\x03\x31", 0.1)
    link.feed(text, 0.5)
    pushing = replace(TYPE, iec62056=Iec62056(mode="D"), line=LineType(2400, "7E1"))
    with Iec62056Meter(link, pushing, Secrets()) as meter:
        assert len(list(meter.registers())) == len(LINES)
    assert link.written == []


def test_a_battery_meter_is_woken_before_it_is_asked():
    link = MemoryLink()
    sleepy = replace(TYPE, iec62056=Iec62056(wake_up=True), timing=replace(TYPE.timing, retries=0))
    with Iec62056Meter(link, sleepy, Secrets()) as meter, pytest.raises(NoReply):
        meter.identity()
    assert 63 <= len(link.written[0]) <= 69
    assert set(link.written[0]) == {0}
    assert link.written[1] == b"/?!\r\n"


def test_a_zone_that_does_not_exist_is_refused_with_its_name():
    with pytest.raises(BadMeterType, match="Mars"):
        Iec62056Meter(
            MemoryLink(), replace(TYPE, iec62056=Iec62056(timezone="Mars/Base")), Secrets()
        )


def test_saved_readouts_play_back_to_the_same_values():
    saved = b"/LOG5LK13BE803039\r\n\x02" + READOUT[1:]
    found, _ = read(build(saved), load_meter_type("logarex-lk13"))
    assert len(found) == len(LINES)


class Silent:
    """A station that never speaks: only the sign-on before it is tested."""

    def __init__(self):
        self.heard = b""
        self.name = "silent"

    def receive(self, now, data):
        self.heard += data

    def garbled(self, now, count):
        self.heard += b"?" * count

    def wake_at(self):
        return None

    def transmit(self, now):
        return b""

    def sent(self, now):
        pass

    def expected(self):
        return {}


@pytest.mark.parametrize("fault", [(), ("echo",), ("filler",)])
def test_mode_e_ends_at_eight_bits_and_the_announced_speed(fault):
    station = Silent()
    device = OpticalPort(
        name="e", identification=b"/MWT5\\2TEST", readout=READOUT, hdlc=station, faults=fault
    )
    link = DeviceLink([device])
    found = sign_on_mode_e(link, TYPE)
    assert found.line == "/MWT5\\2TEST"
    assert found.speed == 9600
    assert link.lines[-1] == Line(9600, 8, "N")
    link.write(b"\x7e\xa0\x7e")
    link.wait(0.1)
    assert station.heard == b"\x7e\xa0\x7e"


def test_mode_e_over_a_link_without_a_line_does_the_same():
    link = MemoryLink(lambda data: b"/MWT5\\2TEST\r\n" if data[:1] == b"/" else b"")
    link.sets_line = False
    assert sign_on_mode_e(link, TYPE).offers_hdlc
    assert link.written == [b"/?!\r\n", b"\x06252\r\n"]


def test_mode_e_is_refused_by_a_meter_that_sends_its_list():
    with pytest.raises(NotSupported, match="at once"):
        sign_on_mode_e(DeviceLink([port("acts-as-mode-a")]), TYPE)
    with pytest.raises(NotSupported, match="announces no speed"):
        sign_on_mode_e(DeviceLink([port(identification=b"/MWT TEST")]), TYPE)


def cut(data, sizes):
    place = 0
    for size in sizes:
        yield data[place : place + size]
        place += size
    yield data[place:]


@given(st.lists(st.integers(1, 40), max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_chunking_of_a_block_gives_the_same_lines_and_the_same_check(sizes):
    reader = BlockReader()
    lines = [line for piece in cut(b"\x06\r\n" + READOUT, sizes) for line in reader.feed(piece)]
    assert lines == [*LINES, "!"]
    assert reader.done
    assert reader.message.rule == "xor"


@given(st.lists(st.integers(1, 12), max_size=12), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_chunking_of_a_dialogue_gives_the_same_values(sizes, echo):
    def answer(data):
        reply = b"\x7f\x7f/MWT5TEST\r\n" if data[:1] == b"/" else READOUT
        reply = (data if echo else b"") + reply
        for piece in cut(reply, sizes):
            if piece:
                link.feed(piece, 0.21 if data[:1] != b"/" else 0.0)
        return b""

    link = MemoryLink(answer)
    with Iec62056Meter(link, TYPE, Secrets()) as meter:
        assert [r.code for r in meter.registers()] == [line.partition("(")[0] for line in LINES]
    assert link.statistics.echo_seen is echo


@given(st.lists(st.binary(max_size=40), max_size=6))
@settings(max_examples=80, deadline=None)
def test_no_answer_raises_anything_but_a_driver_error(answers):
    left = iter(answers)
    link = MemoryLink(lambda _: next(left, b""))
    quick = replace(TYPE, timing=replace(TYPE.timing, retries=1))
    with Iec62056Meter(link, quick, Secrets()) as meter, suppress(NoReply, GarbledReply):
        list(meter.registers())


def test_an_echo_is_told_from_an_answer_that_begins_alike():
    ear = Ear("auto", Statistics())
    ear.sent(b"\x06050\r\n")
    assert ear.hear(b"\x06") == b""
    assert ear.hear(b"\r\n\x02") == b"\x06\r\n\x02"
    ear.sent(b"/?!\r\n")
    assert ear.hear(b"/?!\r\n/M") == b"/M"
    assert ear.echoed
    ear = Ear("off", Statistics())
    ear.sent(b"abc")
    assert ear.hear(b"abc") == b"abc"
