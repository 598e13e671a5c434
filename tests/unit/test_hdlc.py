"""What can go wrong on an HDLC line, case by case; no link, no clock, no meter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.dlms.frames import Deframer, Frame, address_bytes, decode, fcs16
from drivers.dlms.hdlc import Hdlc
from drivers.dlms.linkevents import Disconnected, Failed, Pushed, Received
from drivers.dlms.negotiation import Connected, HdlcSettings
from drivers.errors import GarbledReply, MeterBusy, NoReply
from drivers.values import Statistics

CLIENT = address_bytes(16)
SERVER = address_bytes(1, 1017, 4)
OTHER = address_bytes(1, 1018, 4)
UA = bytes.fromhex("81801405020080060200800704000000010804 00000001".replace(" ", ""))
REQUEST = b"\xc0\x01\xc1"
ANSWER = b"\xc4\x01\xc1\x00\x11\x2a"


def frame(control: int, information: bytes = b"", *, segmented: bool = False, source=SERVER):
    return Frame(CLIENT, source, control, information, segmented).encode()


class Line:
    """One link under test, and what it sent."""

    def __init__(self, **settings: object) -> None:
        self.statistics = Statistics()
        self.hdlc = Hdlc(HdlcSettings(CLIENT, SERVER, **settings), self.statistics)
        self.now = 0.0

    def hear(self, data: bytes, after: float = 0.1) -> list[object]:
        self.now += after
        self.hdlc.receive(self.now, data)
        return self.hdlc.take_events()

    def silence(self) -> list[object]:
        wake = self.hdlc.wake_at()
        assert wake is not None
        self.now = wake
        self.hdlc.tick(wake)
        return self.hdlc.take_events()

    def sent(self) -> list[Frame]:
        frames = []
        for data, _ in self.hdlc.take_output():
            frames += Deframer().feed(data)
        return frames

    def connected(self, ua: bytes = UA) -> "Line":
        self.hdlc.connect(self.now)
        self.hear(frame(0x1F))
        (agreed,) = self.hear(frame(0x73, ua))
        assert isinstance(agreed, Connected)
        self.sent()
        return self

    def asked(self, apdu: bytes = REQUEST) -> "Line":
        self.hdlc.send(self.now, apdu)
        return self


def answer(number: int = 0, acknowledges: int = 1, apdu: bytes = ANSWER, **more: object) -> bytes:
    control = acknowledges << 5 | 0x10 | number << 1
    return frame(control, b"\xe6\xe7\x00" + apdu, **more)


# --- frames -----------------------------------------------------------------------------------


def test_check_of_a_frame_is_the_published_one() -> None:
    assert fcs16(b"123456789") == b"\x6e\x90"  # CRC-16/X-25 of the check string is 906E


def test_disc_to_logical_device_one_has_the_known_bytes() -> None:
    disc = Frame(address_bytes(1), address_bytes(16), 0x53)
    assert disc.encode() == bytes.fromhex("7EA00703215303C77E")


@pytest.mark.parametrize(
    ("upper", "lower", "size", "octets"),
    [
        (1, 0, 0, "03"),
        (1, 17, 0, "0223"),
        (1, 1017, 0, "00020EF3"),
        (1, 0, 4, "00020001"),
        (200, 0, 0, "02900001"),
    ],
)
def test_addresses_take_the_smallest_form_that_fits(upper, lower, size, octets) -> None:
    assert address_bytes(upper, lower, size).hex().upper() == octets


@pytest.mark.parametrize(("upper", "lower", "size"), [(200, 0, 1), (1, 17, 1), (1, 200, 2)])
def test_an_address_that_does_not_fit_its_size_is_refused(upper, lower, size) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        address_bytes(upper, lower, size)


def test_a_single_wrong_bit_anywhere_never_passes_for_a_frame() -> None:
    good = answer()
    for bit in range(8, (len(good) - 1) * 8):
        damaged = bytearray(good)
        damaged[bit // 8] ^= 1 << bit % 8
        assert Deframer().feed(bytes(damaged)) == []


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=6), st.data())
def test_any_cut_and_noise_between_gives_the_same_frames(contents, data) -> None:
    stream, expected = b"", []
    for content in contents:
        noise = data.draw(st.binary(max_size=5)).replace(b"\x7e", b"")
        one = Frame(CLIENT, SERVER, 0x10, content)
        stream += noise + one.encode()
        expected.append(one)
    deframer, found, at = Deframer(), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, 9))
        found += deframer.feed(stream[at : at + size])
        at += size
    while deframer.inside:  # noise may look like the start of a longer frame
        found += deframer.give_up()
    assert found == expected


def test_frames_that_share_a_flag_are_both_read() -> None:
    assert len(Deframer().feed(answer() + answer(1)[1:])) == 2


def test_a_start_flag_in_noise_does_not_swallow_the_frame_behind_it() -> None:
    deframer = Deframer()
    assert len(deframer.feed(b"\x7e\xa7\xff" + answer())) == 1
    assert deframer.discarded == 1


def test_a_frame_that_never_ends_is_given_up() -> None:
    deframer = Deframer()
    assert deframer.feed(b"\x7e\xa7\xff" + answer()[:-3]) == []
    assert deframer.inside
    assert deframer.give_up() == []
    assert deframer.feed(answer()) != []


@given(st.binary(max_size=300))
def test_random_bytes_raise_nothing(data) -> None:
    deframer = Deframer()
    deframer.feed(data)
    deframer.give_up()
    decode(data)


# --- building and ending the link --------------------------------------------------------------


def test_a_stale_link_is_cleared_before_the_new_one() -> None:
    line = Line()
    line.hdlc.connect(0)
    assert [one.control for one in line.sent()] == [0x53]
    assert line.hear(frame(0x73)) == []  # UA: there was one
    (snrm,) = line.sent()
    assert snrm.control == 0x93
    assert snrm.information[:3] == b"\x81\x80\x14"


def test_after_a_mode_e_sign_on_nothing_is_cleared() -> None:
    line = Line(clear_first=False)
    line.hdlc.connect(0)
    assert [one.control for one in line.sent()] == [0x93]


def test_a_meter_that_ignores_the_clearing_is_asked_for_a_link_all_the_same() -> None:
    line = Line()
    line.hdlc.connect(0)
    line.sent()
    assert line.silence() == []
    assert [one.control for one in line.sent()] == [0x93]
    assert line.now == pytest.approx(1.0)


def test_a_meter_that_refuses_parameters_gets_an_snrm_without_them() -> None:
    line = Line(clear_first=False)
    line.hdlc.connect(0)
    line.sent()
    line.hear(frame(0x97))  # FRMR
    (snrm,) = line.sent()
    assert (snrm.control, snrm.information) == (0x93, b"")
    assert isinstance(line.hear(frame(0x73))[0], Connected)


def test_a_meter_that_is_silent_to_parameters_gets_one_snrm_without_them() -> None:
    line = Line(clear_first=False, retries=1)
    line.hdlc.connect(0)
    assert len(line.sent()) == 1
    line.silence()
    assert line.sent()[0].information
    line.silence()
    assert line.sent()[0].information == b""
    (failed,) = line.silence()
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, NoReply)


def test_limits_of_the_ua_are_honoured_in_both_directions() -> None:
    ua = bytes.fromhex("81801205 0180 0601 40 0704 00000003 0804 00000002".replace(" ", ""))
    line = Line(max_info=2030, window=7)
    line.hdlc.connect(0)
    line.hear(frame(0x1F))
    (agreed,) = line.hear(frame(0x73, ua))
    assert agreed == Connected(64, 2, 128, 3)


def test_a_link_refused_twice_is_a_busy_meter() -> None:
    line = Line(clear_first=False)
    line.hdlc.connect(0)
    line.hear(frame(0x1F))
    (failed,) = line.hear(frame(0x1F))
    assert isinstance(failed.error, MeterBusy)


def test_the_end_is_asked_for_twice_and_then_taken_for_granted() -> None:
    line = Line().connected()
    line.hdlc.disconnect(line.now)
    assert line.silence() == []
    assert line.silence() == [Disconnected(confirmed=False)]
    assert [one.control for one in line.sent()] == [0x53, 0x53]


# --- exchanges --------------------------------------------------------------------------------


def test_a_question_and_its_answer() -> None:
    line = Line().connected().asked()
    (asked,) = line.sent()
    assert (asked.control, asked.information) == (0x10, b"\xe6\xe6\x00" + REQUEST)
    assert line.hear(answer()) == [Received(ANSWER)]


def test_an_answer_of_another_meter_is_never_accepted() -> None:
    line = Line().connected().asked()
    assert line.hear(answer(source=OTHER)) == []
    assert line.statistics.discarded == 1
    assert line.hear(answer()) == [Received(ANSWER)]


def test_an_answer_to_another_client_is_never_accepted() -> None:
    line = Line().connected().asked()
    foreign = Frame(address_bytes(1), SERVER, 0x30, b"\xe6\xe7\x00" + ANSWER)
    assert line.hear(foreign.encode()) == []


def test_the_same_address_in_another_size_is_another_meter() -> None:
    line = Line().connected().asked()
    assert line.hear(answer(source=address_bytes(1, 17, 2))) == []


def test_an_echo_is_skipped_and_told() -> None:
    line = Line().connected().asked()
    (asked,) = line.sent()
    assert line.hear(asked.encode() + answer()) == [Received(ANSWER)]
    assert line.statistics.echo_seen


def test_only_an_echo_is_its_own_diagnosis() -> None:
    line = Line(clear_first=False, retries=0, parameters=False)
    line.hdlc.connect(0)
    (snrm,) = line.sent()
    line.hear(snrm.encode())
    (failed,) = line.silence()
    assert failed.error.hint == "echo"


def test_a_retry_sends_the_very_same_bytes() -> None:
    line = Line().connected().asked()
    first = line.hdlc.take_output()
    line.silence()
    assert line.hdlc.take_output() == first
    assert line.statistics.resends == 1


def test_a_damaged_answer_is_asked_for_again_and_then_told_as_damaged() -> None:
    line = Line(retries=1).connected().asked()
    damaged = bytearray(answer())
    damaged[-3] ^= 1
    line.hear(bytes(damaged))
    line.silence()
    line.hear(bytes(damaged))
    (failed,) = line.silence()
    assert isinstance(failed.error, GarbledReply)


def test_a_late_answer_after_the_retry_is_taken_once() -> None:
    line = Line().connected().asked()
    line.silence()
    assert line.hear(answer()) == [Received(ANSWER)]
    assert line.hear(answer()) == []  # the answer to the retry
    line.asked(b"\xc0\x01\xc2")
    assert line.hear(answer()) == []  # once more, numbered as before
    assert line.hear(answer(1, 2, b"\xc4\x01\xc2\x00\x00")) == [Received(b"\xc4\x01\xc2\x00\x00")]


def test_a_repeated_number_is_ignored_without_an_answer() -> None:
    line = Line().connected().asked()
    line.hear(answer())
    line.asked()
    line.sent()
    assert line.hear(answer()) == []
    assert line.sent() == []


def test_an_answer_that_acknowledges_what_was_never_sent_is_ignored() -> None:
    line = Line().connected().asked()
    assert line.hear(answer(acknowledges=5)) == []


def test_segments_are_joined_and_asked_for_one_by_one() -> None:
    line = Line().connected().asked()
    line.sent()
    whole = b"\xe6\xe7\x00" + bytes(range(90))
    assert line.hear(frame(0x30, whole[:40], segmented=True)) == []
    assert [one.control for one in line.sent()] == [0x31]  # RR, N(R) 1, poll
    assert line.hear(frame(0x32, whole[40:80], segmented=True)) == []
    assert [one.control for one in line.sent()] == [0x51]
    assert line.hear(frame(0x34, whole[80:])) == [Received(whole[3:])]


def test_a_window_of_segments_is_acknowledged_once() -> None:
    line = Line(window=7).connected(UA[:-1] + b"\x07").asked()
    line.sent()
    assert line.hear(frame(0x20, b"\xe6\xe7\x00a", segmented=True)) == []
    assert line.sent() == []
    assert line.hear(frame(0x32, b"b", segmented=True)) == []
    assert [one.control for one in line.sent()] == [0x51]
    assert line.hear(frame(0x34, b"c")) == [Received(b"abc")]


def test_a_segment_lost_inside_a_window_is_asked_for_at_its_end() -> None:
    ua = UA[:-7] + b"\x03" + UA[-6:]
    line = Line(window=7).connected(ua).asked()
    line.sent()
    line.hear(frame(0x20, b"\xe6\xe7\x00a", segmented=True))
    line.hear(frame(0x34, b"c"))  # b is missing
    assert [one.control for one in line.sent()] == [0x31]  # from 1 on
    line.hear(frame(0x22, b"b", segmented=True))
    assert line.hear(frame(0x34, b"c")) == [Received(b"abc")]


def test_a_long_request_goes_in_segments_and_keeps_its_order() -> None:
    line = Line().connected()
    apdu = bytes(range(250)) + bytes(100)
    line.asked(apdu)
    got = b""
    for number in range(3):
        (part,) = line.sent()
        assert part.segmented == (number < 2)
        assert (part.control >> 1 & 7) == number
        got += part.information
        if number < 2:
            line.hear(frame((number + 1) << 5 | 0x11))
    assert got == b"\xe6\xe6\x00" + apdu


def test_a_window_of_requests_has_the_poll_bit_on_its_last_frame_only() -> None:
    line = Line(window=3).connected(UA[:-1] + b"\x03")
    line.asked(bytes(128 * 4))
    sent = line.sent()
    assert [one.control for one in sent] == [0x00, 0x02, 0x14]
    line.hear(frame(0x51))  # the third was lost
    assert [one.control >> 1 & 7 for one in line.sent()] == [2, 3, 4]


def test_a_meter_that_is_not_ready_is_polled_until_it_is() -> None:
    line = Line().connected().asked()
    line.sent()
    line.hear(frame(0x35))  # RNR
    assert line.silence() == []
    assert [one.control for one in line.sent()] == [0x11]
    assert line.hear(answer()) == [Received(ANSWER)]


def test_a_meter_that_never_gets_ready_is_busy() -> None:
    line = Line(reply_s=1, retries=1).connected().asked()
    for _ in range(20):
        events = line.hear(frame(0x35))
        if events:
            break
        line.silence()
    assert isinstance(events[0].error, MeterBusy)


@pytest.mark.parametrize("control", [0x39, 0x97, 0x1F])
def test_rej_frmr_and_dm_end_the_link(control) -> None:
    line = Line().connected().asked()
    (failed,) = line.hear(frame(control))
    assert failed.lost


def test_pushed_data_in_the_middle_is_handed_on() -> None:
    line = Line().connected().asked()
    assert line.hear(frame(0x13, b"\xe6\xe7\x00\x0f\x01")) == [Pushed(b"\x0f\x01")]
    assert line.hear(answer()) == [Received(ANSWER)]


def test_the_clients_llc_bytes_are_accepted_with_a_remark() -> None:
    line = Line().connected().asked()
    assert line.hear(frame(0x30, b"\xe6\xe6\x00" + ANSWER)) == [Received(ANSWER)]
    assert line.statistics.remarks == ["the meter sends the client's LLC bytes"]


def test_the_reply_time_begins_after_the_last_bit_of_the_question() -> None:
    line = Line(character_s=10 / 300).connected()
    line.asked()
    size = len(line.hdlc.take_output()[0][0])
    assert line.hdlc.wake_at() == pytest.approx(line.now + size / 30 + 2.0)


def test_a_frame_that_has_begun_is_waited_for() -> None:
    line = Line().connected().asked()
    whole = answer()
    line.hear(whole[:6], after=1.9)
    assert line.hdlc.wake_at() == pytest.approx(line.now + 1.5)
    assert line.hear(whole[6:]) == [Received(ANSWER)]


def test_noise_without_end_does_not_hold_the_line_for_ever() -> None:
    line = Line(retries=0).connected().asked()
    for _ in range(100):
        if line.hear(b"\x7e\xa7\xff" + b"\x55" * 3, after=0.5):
            return
        if line.hdlc.wake_at() <= line.now and line.silence():
            return
    pytest.fail("still waiting")


def test_a_password_is_marked_secret_in_every_repetition() -> None:
    line = Line().connected()
    line.hdlc.send(line.now, REQUEST, secret=True)
    assert [secret for _, secret in line.hdlc.take_output()] == [True]
    line.silence()
    assert [secret for _, secret in line.hdlc.take_output()] == [True]
