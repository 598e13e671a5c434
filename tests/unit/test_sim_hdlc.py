"""The virtual meter's HDLC station against frames written by hand from the standard."""

import pytest

from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.frames import check_sequence
from drivers.simulator.dlms.hdlc import HdlcStation, StationSettings
from tests.unit.sim_talk import Hand, framed, hexed, x25

SNRM = "7E A0 07 03 21 93 0F 01 7E"  # to server 1 from client 16, the standard's example
UA = (
    "7E A0 1E 21 03 73 C3 7A 81 80 12 05 01 80 06 01 80 07 04 00 00 00 01 08 04 00 00 00 0153 3B 7E"
)
TO, BACK = "03 21", "21 03"
DISC = framed(TO, 0x53)
DM = framed(BACK, 0x1F)
RR1 = framed(TO, 0x31)


class Echoing:
    """Answers every APDU with what it was told to."""

    def __init__(self, answer: bytes = b"\xc4answer") -> None:
        self.reply = answer
        self.heard: list[tuple[int, bytes]] = []
        self.gone: list[int] = []

    def answer(self, now: float, client: int, apdu: bytes) -> bytes:
        self.heard.append((client, apdu))
        return self.reply

    def more(self, client: int) -> bytes:
        return b""

    def hang_up(self, client: int) -> None:
        self.gone.append(client)

    def expected(self) -> dict[str, object]:
        return {}


class Line:
    def __init__(
        self, *faults: str, answer: bytes = b"\xc4answer", settings: StationSettings | None = None
    ) -> None:
        self.application = Echoing(answer)
        station = HdlcStation("x", settings or StationSettings(), self.application, Faults(faults))
        self.hand = Hand(station)
        self.say = self.hand.say

    def connected(self, snrm: bytes | str = SNRM) -> "Line":
        assert self.say(snrm)[5:6] == b"\x73"
        return self


def request(control: int = 0x10, apdu: bytes = b"\xc0request", more: int = 0) -> bytes:
    return framed(TO, control, hexed("E6 E6 00") + apdu, more)


def answer(control: int, apdu: bytes = b"\xc4answer", more: int = 0) -> bytes:
    return framed(BACK, control, hexed("E6 E7 00") + apdu, more)


def snrm_with(**sizes: int) -> bytes:
    items = b""
    for number, key in enumerate(("send", "receive", "send_window", "receive_window"), 5):
        if key in sizes:
            items += bytes([number, 2]) + sizes[key].to_bytes(2, "big")
    return framed(TO, 0x93, b"\x81\x80" + bytes([len(items)]) + items)


def test_the_check_is_that_of_the_standard() -> None:
    assert check_sequence(b"123456789") == hexed("6E 90")
    assert x25(b"123456789") == hexed("6E 90")


def test_the_standards_example_of_a_link_is_answered_octet_by_octet() -> None:
    assert Line().say(SNRM) == hexed(UA)


def test_what_the_client_receives_limits_what_the_meter_sends() -> None:
    ua = Line().say(snrm_with(send=256, receive=512, send_window=3, receive_window=7))
    assert ua[8:11] == hexed("81 80 14")
    items = "05 02 02 00 06 02 01 00 07 04 00 00 00 07 08 04 00 00 00 03"
    assert ua[11:31] == hexed(items)


def test_sizes_stay_within_what_the_meter_can_take() -> None:
    small = StationSettings(max_info=200, window=2)
    ua = Line(settings=small).say(snrm_with(send=2030, receive=2030, send_window=7))
    assert hexed("05 01 C8 06 01 C8 07 04 00 00 00 01 08 04 00 00 00 02") in ua


@pytest.mark.parametrize("chunk", [1, 2, 5, 100])
def test_a_request_is_answered_with_right_numbers_in_any_pieces(chunk: int) -> None:
    line = Line().connected()
    whole, heard = request(), b""
    for at in range(0, len(whole), chunk):
        heard += line.say(whole[at : at + chunk])
    assert heard == answer(0x30)  # V(R)=1, N(S)=0, final
    assert line.application.heard == [(16, b"\xc0request")]
    assert line.say(request(0x32)) == answer(0x52)  # N(R)=1, N(S)=1 -> N(R)=2, N(S)=1


def test_a_request_that_comes_again_is_served_once_and_answered_again() -> None:
    line = Line().connected()
    first = line.say(request())
    assert line.say(request()) == first
    assert len(line.application.heard) == 1


def test_a_poll_brings_the_same_answer_until_it_is_acknowledged() -> None:
    line = Line().connected()
    first = line.say(request())
    assert line.say(framed(TO, 0x11)) == first  # RR, N(R)=0
    assert line.say(RR1) == framed(BACK, 0x31)  # acknowledged: nothing is left but RR


def test_a_long_answer_comes_in_segments() -> None:
    line = Line(answer=bytes(200)).connected()
    first = line.say(request())
    assert first == answer(0x30, bytes(125), more=1)
    second = line.say(RR1)
    assert second == framed(BACK, 0x32, bytes(75))


def test_a_window_of_frames_passes_the_turn_with_its_last() -> None:
    line = Line(answer=bytes(300)).connected(snrm_with(receive=128, receive_window=7))
    frames = answer(0x20, bytes(125), more=1)
    frames += framed(BACK, 0x22, bytes(128), more=1) + framed(BACK, 0x34, bytes(47))
    assert line.say(request()) == frames


def test_after_a_lost_frame_of_a_window_it_goes_on_from_there() -> None:
    line = Line(answer=bytes(300)).connected(snrm_with(receive=128, receive_window=7))
    line.say(request())
    rest = framed(BACK, 0x22, bytes(128), more=1) + framed(BACK, 0x34, bytes(47))
    assert line.say(RR1) == rest


def test_a_request_in_segments_is_put_together() -> None:
    line = Line().connected()
    assert line.say(framed(TO, 0x10, hexed("E6 E6 00 C0 01"), more=1)) == framed(BACK, 0x31)
    assert line.say(framed(TO, 0x12, hexed("02 03"))) == answer(0x50)
    assert line.application.heard == [(16, hexed("C0 01 02 03"))]


def test_frames_without_poll_are_taken_and_not_answered() -> None:
    line = Line().connected(snrm_with(send_window=3))
    assert line.say(framed(TO, 0x00, hexed("E6 E6 00 C0"), more=1)) == b""
    assert line.say(framed(TO, 0x12, b"\x01")) == answer(0x50)


@pytest.mark.parametrize(
    "wrong",
    [
        framed("05 21", 0x93),  # another server
        framed("02 03 21", 0x93),  # another physical address in two octets
        framed("FF 21", 0x93),  # all stations: never answered
        framed("03 21", 0x83),  # no poll
        framed("03 00 03", 0x93),  # a client address of two octets
        hexed("7E A0 07 03 21 93 0F 02 7E"),  # wrong check
        hexed("7E A0 08 03 21 93 0F 01 7E"),  # wrong length
        hexed("7E B0 07 03 21 93 0F 01 7E"),  # another frame type
        hexed("03 21 93 0F 01"),
    ],
)
def test_what_is_not_for_the_meter_gets_no_answer(wrong: bytes) -> None:
    assert Line().say(wrong) == b""


def test_without_a_link_every_poll_is_told_so() -> None:
    line = Line()
    assert line.say(request()) == DM
    assert line.say(RR1) == DM
    assert line.say(DISC) == DM


def test_disc_ends_the_link() -> None:
    line = Line().connected()
    assert line.say(DISC) == framed(BACK, 0x73)
    assert line.application.gone == [16]
    assert line.say(request()) == DM


def test_a_new_snrm_begins_the_link_and_its_numbers_anew() -> None:
    line = Line().connected()
    line.say(request())
    line.connected()
    assert line.say(request()) == answer(0x30)


def test_a_second_client_must_wait() -> None:
    line = Line().connected()
    assert line.say(framed("03 41", 0x93)) == framed("41 03", 0x1F)
    assert line.say(framed("03 41", 0x11)) == framed("41 03", 0x1F)
    assert line.say(request()) == answer(0x30)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (framed(TO, 0x19), 1),  # REJ is not in the repertoire
        (framed(TO, 0x9B), 1),
        (framed(TO, 0x10, bytes(129)), 4),  # longer than agreed
        (framed(TO, 0xB1), 8),  # acknowledges what was never sent
    ],
)
def test_a_frame_against_the_rules_is_rejected_and_ends_the_link(wrong: bytes, reason: int) -> None:
    line = Line().connected()
    rejected = line.say(wrong)
    assert rejected[5] == 0x97
    assert rejected[8] == wrong[5]
    assert rejected[10] == reason
    assert line.say(RR1) == DM


def test_silence_for_the_inactivity_time_ends_the_link() -> None:
    line = Line(settings=StationSettings(inactivity_s=30.0)).connected()
    line.hand.now += 29
    assert line.say(request()) == answer(0x30)
    line.hand.now += 31
    assert line.say(RR1) == DM
    assert line.application.gone == [16]


def test_half_a_frame_is_forgotten_after_a_pause() -> None:
    line = Line()
    assert line.say(hexed(SNRM)[:5]) == b""
    line.hand.now += 1
    assert line.say(SNRM) == hexed(UA)


def test_characters_at_a_wrong_speed_spoil_the_frame() -> None:
    line = Line()
    line.say(hexed(SNRM)[:5])
    line.hand.device.garbled(line.hand.now, 3)
    assert line.say(hexed(SNRM)[5:]) == b""


def test_noise_before_a_frame_is_skipped() -> None:
    assert Line().say(hexed("00 7E FF 55 7E 7E B1 7E") + hexed(SNRM)) == hexed(UA)


def test_the_answer_does_not_come_at_once() -> None:
    station = HdlcStation("x", StationSettings(), Echoing(), Faults())
    station.receive(5.0, hexed(SNRM))
    assert station.wake_at() == 5.0 + StationSettings().reaction_s
    assert station.transmit(5.0) == b""


def test_a_foreign_llc_gets_no_answer_but_an_acknowledgement() -> None:
    line = Line().connected()
    assert line.say(framed(TO, 0x10, hexed("E6 E7 00 C0"))) == framed(BACK, 0x31)
    assert line.application.heard == []


@pytest.mark.parametrize(
    ("address", "width"),
    [(hexed("02 23"), 2), (hexed("00 02 00 23"), 4)],
)
def test_a_meter_on_a_bus_answers_to_its_own_physical_address_only(
    address: bytes, width: int
) -> None:
    line = Line(settings=StationSettings(lower=17))
    to = address.hex() + "21"
    ua = line.say(framed(to, 0x93))
    assert ua[3 : 4 + width] == b"\x21" + address
    assert line.say(SNRM) == b""  # the one-octet form is somebody else
    assert Line(settings=StationSettings(lower=18)).say(framed(to, 0x93)) == b""


# -- faults ------------------------------------------------------------------------------------


def test_a_silent_meter_stays_silent() -> None:
    assert Line("silence").say(SNRM) == b""


def test_a_meter_falls_silent_in_the_middle() -> None:
    line = Line("silent-after-40", answer=bytes(100)).connected()
    assert len(line.say(request())) == 40 - len(hexed(UA))
    assert line.say(SNRM) == b""


def test_a_damaged_answer_is_right_when_asked_for_again() -> None:
    line = Line("damaged-fcs").connected()
    assert line.say(request()) != answer(0x30)
    assert line.say(request()) == answer(0x30)


def test_a_lost_answer_comes_when_asked_for_again() -> None:
    line = Line("lost-frame").connected()
    assert line.say(request()) == b""
    assert line.say(request()) == answer(0x30)


def test_an_answer_with_a_foreign_address_has_a_right_check() -> None:
    assert Line("wrong-source-address").say(SNRM)[:5] == hexed("7E A0 1E 21 05")


def test_a_meter_that_is_not_ready_answers_when_polled_again() -> None:
    line = Line("rnr").connected()
    assert line.say(request()) == framed(BACK, 0x35)
    assert line.say(framed(TO, 0x11)) == answer(0x30)


def test_a_repeated_frame_comes_twice() -> None:
    assert Line("repeated-ns").connected().say(request()) == answer(0x30) * 2


def test_noise_comes_before_the_frame() -> None:
    heard = Line("noise").say(SNRM)
    assert heard.endswith(hexed(UA))
    assert heard != hexed(UA)


def test_the_echo_comes_before_the_answer() -> None:
    assert Line("echo").say(SNRM) == hexed(SNRM) + hexed(UA)


@pytest.mark.parametrize(("fault", "control"), [("dm", 0x1F), ("frmr", 0x97)])
def test_a_link_breaks_once_in_the_middle(fault: str, control: int) -> None:
    line = Line(fault).connected()
    assert line.say(request(0x10)) == answer(0x30)
    assert line.say(request(0x32)) == answer(0x52)
    assert line.say(request(0x54))[5] == control
    assert line.say(request(0x54)) == DM
    line.connected()
    for number in (0x10, 0x32, 0x54, 0x76):
        assert line.say(request(number))[5] & 1 == 0


def test_a_notification_comes_before_every_third_answer() -> None:
    line = Line("ui-push").connected()
    line.say(request(0x10))
    line.say(request(0x32))
    heard = line.say(request(0x54))
    assert heard[5] == 0x03
    assert heard.endswith(answer(0x74))


def test_an_unknown_fault_is_named() -> None:
    with pytest.raises(ValueError, match="no fault 'typo'"):
        Faults(["typo"])
