"""A line in virtual time: true pace, wrong speeds, several meters, a probe that is pulled."""

import pytest

from drivers.errors import PortProblem, PortUnavailable
from drivers.link import POLL, Line
from drivers.simulator.device import WireFormat
from drivers.simulator.iec62056 import with_parity
from drivers.simulator.memory import DeviceLink
from tests.instruments.parrot import Parrot

SLOW = WireFormat(300, 7, "E")
CHARACTER = 10 / 9600


class Stop(Exception):
    pass


def read_all(link: DeviceLink, timeout: float = 1.0) -> bytes:
    got = b""
    while data := link.read(timeout):
        got += data
    return got


def test_a_stopped_wait_ends_within_fifty_milliseconds():
    stopping_at = 1.0

    def stop() -> None:
        if link.now() >= stopping_at:
            raise Stop

    link = DeviceLink([Parrot()], check=stop)
    with pytest.raises(Stop):
        link.read(30.0)
    assert link.now() <= stopping_at + POLL
    stopping_at = 2.0
    with pytest.raises(Stop):
        link.wait(30.0)
    assert link.now() <= stopping_at + POLL


def test_a_pulled_probe_is_lost_for_every_call():
    link = DeviceLink([Parrot()])
    link.pull()
    for call in (lambda: link.read(1), lambda: link.write(b"x"), lambda: link.configure(Line())):
        with pytest.raises(PortUnavailable) as caught:
            call()
        assert caught.value.problem is PortProblem.LOST


def test_a_probe_can_be_pulled_in_the_middle_of_an_answer():
    link = DeviceLink([Parrot(answer=b"x" * 100)])
    link.pull_after(40)
    link.write(b"ping\n")
    got = []
    with pytest.raises(PortUnavailable):
        got.extend(iter(lambda: link.read(1.0), b""))
    assert b"".join(got) == b"x" * 40


def test_characters_take_their_time_both_ways():
    meter = Parrot(reaction=0.2)
    link = DeviceLink([meter], start=5.0)
    link.write(b"ping\n")
    assert link.now() == 5.0  # writing only queues
    assert link.read(1.0) == b"pong\n"
    assert meter.heard[-1][0] == pytest.approx(5.0 + 5 * CHARACTER)
    assert meter.finished == [pytest.approx(5.2 + 10 * CHARACTER)]
    assert link.now() == pytest.approx(meter.finished[0])
    assert link.statistics.bytes_sent == link.statistics.bytes_received == 5


def test_silence_takes_exactly_the_time_asked_for():
    link = DeviceLink([Parrot()])
    assert link.read(1.23) == b""
    assert link.now() == pytest.approx(1.23)


def test_long_answers_come_in_pieces_and_whole():
    answer = bytes(range(256)) * 4
    link = DeviceLink([Parrot(answer=answer)])
    link.write(b"\n")
    assert len(first := link.read(1.0)) < 20
    assert first + read_all(link) == answer


def test_a_meter_at_another_speed_hears_only_damage():
    meter = Parrot(form=SLOW)
    link = DeviceLink([meter])
    link.write(b"ping\n")
    assert read_all(link) == b""
    assert meter.damaged == 5


def test_an_answer_at_another_speed_is_noise():
    meter = Parrot(form=SLOW, answer=with_parity(b"/ABC5TEST\r\n"))
    link = DeviceLink([meter])
    meter.say(0.1, meter.answer)
    got = read_all(link)
    assert got
    assert b"ABC" not in bytes(c & 0x7F for c in got)


def test_the_port_adds_and_strips_parity_for_seven_bits():
    meter = Parrot(form=SLOW, answer=with_parity(b"pong\n"), end=with_parity(b"\n"))
    link = DeviceLink([meter])
    link.configure(Line(300, 7, "E"))
    link.write(b"ping\n")
    assert read_all(link) == b"pong\n"
    assert meter.text == with_parity(b"ping\n")
    assert link.statistics.parity_errors == 0


def test_wrong_parity_is_counted_and_passed_on():
    meter = Parrot(form=SLOW)
    link = DeviceLink([meter])
    link.configure(Line(300, 7, "E", software=True))
    meter.say(0.0, b"\x80\x01")
    assert read_all(link) == b"\x00\x01"
    assert link.statistics.parity_errors == 2


def test_eight_bits_towards_a_seven_bit_meter_show_its_parity():
    meter = Parrot(form=WireFormat(9600, 7, "E"))
    link = DeviceLink([meter])
    meter.say(0.0, with_parity(b"a"))
    assert read_all(link) == with_parity(b"a") == b"\xe1"


def test_switching_before_the_last_stop_bit_damages_the_last_character():
    meter = Parrot(form=SLOW, answer=b"")
    link = DeviceLink([meter])
    link.configure(Line(300, 7, "E"))
    link.write(b"\x06050\r\n")
    link.wait(0.199)
    link.configure(Line(9600, 7, "E"))
    link.wait(0.1)
    assert len(meter.text) == 5
    assert meter.damaged == 1


def test_switching_after_the_last_stop_bit_damages_nothing():
    meter = Parrot(form=SLOW, answer=b"")
    link = DeviceLink([meter])
    link.configure(Line(300, 7, "E"))
    link.write(b"\x06050\r\n")
    link.wait(6 * 10 / 300)
    link.configure(Line(9600, 7, "E"))
    link.wait(0.1)
    assert len(meter.text) == 6
    assert meter.damaged == 0


def test_switching_within_an_answer_damages_one_character_and_keeps_what_came_before():
    meter = Parrot()
    link = DeviceLink([meter])
    meter.say(0.0, b"abcdef")
    link.wait(2.5 * CHARACTER)
    link.configure(Line(9600, 7, "E"))
    link.configure(Line(9600, 8, "N"))
    got = read_all(link)
    assert (got[:2], got[3:]) == (b"ab", b"def")
    assert got[2:3] != b"c"


def test_all_meters_on_a_bus_hear_everything():
    first, second = Parrot(b"one\n"), Parrot(b"")
    link = DeviceLink([first, second])
    link.write(b"ask\n")
    assert read_all(link) == b"one\n"
    assert first.text == b"ask\n"
    assert second.text == b"ask\none\n"


def test_two_meters_that_send_together_spoil_each_other():
    first, second = Parrot(b"one\n"), Parrot(b"two\n")
    link = DeviceLink([first, second])
    link.write(b"ask\n")
    got = read_all(link)
    assert len(got) == 8
    assert b"one" not in got
    assert b"two" not in got
    assert first.damaged == second.damaged == 4


def test_a_meter_that_wakes_up_for_nothing_does_not_stop_the_clock():
    class Restless(Parrot):
        def wake_at(self) -> float | None:
            return 0.0

    link = DeviceLink([Restless()])
    assert link.read(0.5) == b""
    assert link.now() == pytest.approx(0.5)
