"""The optical port of a virtual meter, driven by hand: what it answers, and what it refuses."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from drivers.simulator.device import WireFormat
from drivers.simulator.iec62056 import FAULTS, OpticalPort, block_check, framed, with_parity
from drivers.simulator.iecmeter import build as build_meter
from drivers.simulator.replay import NotAReadout, build, split_readout

LINES = [
    "0.0.0(33112077)",
    "1.8.0(000123.456*kWh)",
    "2.8.0(000000.001*kWh)",
    "32.7.0(229.8*V)",
    "0.9.1(101112)",
    "F.F(00000000)",
]
READOUT = framed(LINES)
BORN = datetime(2026, 7, 20, 12, 0, tzinfo=UTC)


class Hand:
    """Sends characters at the true speed and collects what comes back, with its times."""

    def __init__(self, port: OpticalPort) -> None:
        self.port, self.now = port, 100.0
        self.heard: list[tuple[float, bytes, WireFormat]] = []

    def send(self, data: bytes, speed: int = 300, *, parity: bool = True) -> None:
        wire = with_parity(data) if parity else data
        if speed != self.port.format.speed:
            self.now += len(wire) * 10 / speed
            self.port.garbled(self.now, len(wire))
            return
        for character in wire:
            self.now += 10 / speed
            self.port.receive(self.now, bytes([character]))

    def listen(self, seconds: float) -> bytes:
        end, got = self.now + seconds, b""
        while (wake := self.port.wake_at()) is not None and wake <= end:
            self.now = max(self.now, wake)
            if data := self.port.transmit(self.now):
                form = self.port.format
                self.heard.append((self.now, data, form))
                self.now += len(data) * 10 / form.speed
                got += data
                self.port.sent(self.now)
        self.now = max(self.now, end)
        return bytes(c & 0x7F for c in got)


def port(*faults: str, identification: bytes = b"/MWT5TEST") -> OpticalPort:
    return OpticalPort(
        name="test",
        identification=identification,
        readout=READOUT,
        address="33112077",
        faults=faults,
    )


def signed_on(*faults: str, identification: bytes = b"/MWT5TEST") -> Hand:
    hand = Hand(port(*faults, identification=identification))
    hand.send(b"/?!\r\n")
    assert hand.listen(1.2) == identification + b"\r\n"
    return hand


def test_a_mode_c_dialogue_switches_speed_and_ends_at_rest():
    hand = signed_on()
    hand.send(b"\x06050\r\n")
    assert hand.listen(1.0) == READOUT
    assert hand.heard[-1][2] == WireFormat(9600, 7, "E")
    hand.listen(2.0)
    assert hand.port.format == WireFormat(300, 7, "E")


def test_the_reaction_time_is_two_hundred_milliseconds_or_twenty_with_a_lower_case_letter():
    for identification, reaction in ((b"/MWT5X", 0.2), (b"/MWt5X", 0.02)):
        hand = Hand(port(identification=identification))
        hand.send(b"/?!\r\n")
        asked = hand.now
        hand.listen(1.5)
        assert hand.heard[0][0] - asked == pytest.approx(reaction)


def test_a_request_with_wrong_parity_or_speed_or_for_another_meter_gets_no_answer():
    hand = Hand(port())
    hand.send(b"/?!\r\n", parity=False)
    assert hand.listen(3) == b""
    hand.send(b"/?!\r\n", speed=9600)
    assert hand.listen(3) == b""
    hand.send(b"/?11111111!\r\n")
    assert hand.listen(3) == b""
    hand.send(b"/?00033112077!\r\n")  # its own, leading zeros do not count
    assert hand.listen(1.2).startswith(b"/MWT5TEST")


def test_an_option_select_sent_too_early_is_not_heard():
    hand = Hand(port())
    hand.send(b"/?!\r\n")
    hand.listen(0.2 + 11 * 10 / 300)  # the identification is just out
    hand.send(b"\x06050\r\n")
    hand.listen(2.0)
    assert hand.heard[-1][2].speed == 300, "it went on as mode A"


def test_without_an_option_select_the_data_come_at_300_baud():
    hand = signed_on()
    assert hand.listen(10.0) == READOUT
    assert hand.heard[-1][2].speed == 300


def test_modes_a_and_b_send_without_an_option_select():
    hand = Hand(port(identification=b"/MWT TEST"))
    hand.send(b"/?!\r\n")
    assert hand.listen(10) == b"/MWT TEST\r\n" + READOUT
    hand = Hand(port(identification=b"/MWTDTEST"))
    hand.send(b"/?!\r\n")
    assert hand.listen(10) == b"/MWTDTEST\r\n" + READOUT
    assert hand.heard[-1][2].speed == 4800


def test_a_refused_readout_is_sent_again():
    hand = signed_on("wrong-check-once")
    hand.send(b"\x06050\r\n")
    first = hand.listen(0.6)
    hand.send(b"\x15", speed=9600)
    assert hand.listen(0.6) == READOUT != first


def test_programming_mode_is_answered_with_a_break():
    hand = signed_on()
    hand.send(b"\x06051\r\n")
    assert hand.listen(1) == b"\x01B0\x03" + bytes([block_check(b"B0\x03")])


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_each_fault_shows_and_the_port_comes_back_to_rest(fault: str):
    hand = Hand(port(fault))
    hand.send(b"/?!\r\n")
    answer = hand.listen(1.2)
    hand.send(b"\x06050\r\n")
    answer += hand.listen(8.0)
    good = b"/MWT5TEST\r\n" + READOUT
    unseen = {"parity-errors", "no-parity"}  # in bit 7
    unseen |= {"early-data", "late-data", "gap-in-data"}  # in time
    spoilt = answer != good or fault in unseen
    assert spoilt or hand.heard[-1][2].speed == 300 or len(hand.heard) > 20
    hand.listen(30.0)
    assert hand.port.format == WireFormat(300, 7, "E")


def test_parity_errors_and_slow_characters_are_on_the_wire():
    hand = signed_on("parity-errors", identification=b"/MWT5T")
    hand.port._readout = framed(LINES * 10)
    hand.send(b"\x06050\r\n")
    hand.listen(2)
    assert sum(c.bit_count() & 1 for c in hand.heard[-1][1]) >= 2
    slow = signed_on("slow-characters", identification=b"/MWT5T")
    slow.send(b"\x06050\r\n")
    slow.listen(10)
    times = [at for at, _, form in slow.heard if form.speed == 9600]
    assert all(after - before > 0.02 for before, after in pairwise(times))


def saved() -> Iterator[tuple[bytes, bytes]]:
    yield b"/MWT5TEST\r\n" + READOUT, READOUT
    yield b"/?!\r\n/MWT5TEST\r\n" + READOUT, READOUT
    yield b"/MWT5TEST\r\n\x06050\r\n" + READOUT, READOUT
    yield b"/MWT5TEST\r\n\r\n" + "\r\n".join([*LINES, "!"]).encode() + b"\r\n", READOUT
    yield with_parity(b"/MWT5TEST\r\n" + READOUT), READOUT


@pytest.mark.parametrize(("file", "message"), list(saved()))
def test_a_saved_readout_is_played_with_its_own_or_a_made_framing(file: bytes, message: bytes):
    assert split_readout(file) == (b"/MWT5TEST", message)


@pytest.mark.parametrize("file", [b"", b"1.8.0(1)\r\n", b"/MWT5TEST\r\n", b"/?!\r\n"])
def test_a_file_that_is_no_readout_is_refused(file: bytes):
    with pytest.raises(NotAReadout):
        build(file)


# -- programming mode ----------------------------------------------------------------------------


def framed_command(text: str, wrong: int = 0) -> bytes:
    covered = text.encode() + b"\x03"
    return b"\x01" + covered + bytes([block_check(covered) ^ wrong])


def programmed(*faults: str, password: bytes = b"Sesame42", dialect: str = "metcom") -> Hand:
    hand = Hand(build_meter(rows=40, password=password, faults=faults, dialect=dialect, block=90))
    hand.send(b"/?!\r\n")
    hand.listen(1.7)
    hand.send(b"\x06051\r\n")
    assert hand.listen(0.5).startswith(b"\x01P0\x02(00000000)\x03")
    assert hand.port.format == WireFormat(9600, 7, "E")
    return hand


def asked(hand: Hand, message: bytes, seconds: float = 0.8) -> bytes:
    hand.send(message, speed=9600)
    return hand.listen(seconds)


def test_a_command_sent_too_early_is_not_heard():
    hand = programmed()
    hand.send(framed_command("R5\x020.0.0()"), speed=9600)
    hand.listen(0.2 + 27 * 10 / 9600)  # the answer is just out
    assert asked(hand, framed_command("R5\x020.0.0()")) == b""
    assert b"(33000001)" in asked(hand, framed_command("R5\x020.0.0()"))


def test_a_wrong_check_a_wrong_parity_and_a_wrong_speed_are_refused_as_badly_heard():
    hand = programmed()
    assert asked(hand, framed_command("R5\x020.0.0()", wrong=1)) == b"\x15"
    hand.now += 0.3
    command = bytearray(with_parity(framed_command("R5\x020.0.0()")))
    command[4] ^= 0x80
    for character in command:
        hand.now += 10 / 9600
        hand.port.receive(hand.now, bytes([character]))
    assert hand.listen(0.5) == b"\x15"
    hand.send(framed_command("R5\x020.0.0()"), speed=300)
    assert hand.listen(1.0) == b""


def test_blocks_are_acknowledged_repeated_and_given_up():
    hand = programmed()
    first = asked(hand, framed_command("R6\x02P.01(;)"))
    assert first[-2] == 4
    assert asked(hand, b"\x15") == first
    second = asked(hand, b"\x06")
    assert second != first
    assert b"(33000001)" in asked(hand, framed_command("R5\x020.0.0()"))
    assert asked(hand, b"\x06") == b"", "the transfer was given up"


def test_a_session_ends_by_a_break_and_after_a_minute_of_silence():
    hand = programmed()
    hand.send(framed_command("B0"), speed=9600)
    hand.listen(0.5)
    assert hand.port.format == WireFormat(300, 7, "E")
    hand = programmed()
    hand.listen(59.0)
    assert hand.port.format == WireFormat(9600, 7, "E")
    hand.listen(3.0)
    assert hand.port.format == WireFormat(300, 7, "E")


def test_three_wrong_passwords_lock_and_writes_need_the_right_one():
    hand = programmed()
    assert b"(ERROR)" in asked(hand, framed_command("W5\x020.9.1(120000)"))
    assert b"(ERROR)(2)" in asked(hand, framed_command("P1\x02(wrong)"))
    assert asked(hand, framed_command("P1\x02(Sesame42)")) == b"\x06"
    assert asked(hand, framed_command("W5\x020.9.1(120000)")) == b"\x06"
    assert b"(ERROR)" in asked(hand, framed_command("W5\x020.9.1(256161)"))
    assert b"(ERROR)" in asked(hand, framed_command("W5\x021.8.0(0)"))
    for left in (2, 1):
        assert b"(%d)" % left in asked(hand, framed_command("P1\x02(wrong)"))
    assert asked(hand, framed_command("P1\x02(wrong)")).startswith(b"\x01B0")
    hand = programmed("locked")
    assert asked(hand, framed_command("P1\x02(Sesame42)")).startswith(b"\x01B0")


def test_the_same_seed_gives_the_same_meter_and_another_one_another():
    one, same, other = (build_meter(rows=40, seed=n, start=BORN) for n in (4, 4, 5))
    assert one.expected() == same.expected()
    assert one.expected() != other.expected()
