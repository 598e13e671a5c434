"""Several APDUs in a row over HDLC, and APDUs without an answer."""

from drivers.dlms.linkevents import Delivered, Failed, Received
from drivers.errors import NoReply
from tests.unit.test_hdlc import Line, frame

STREAMING = bytes.fromhex("E045000200010161")
LAST = bytes.fromhex("E085000300010162")
LLC = b"\xe6\xe7\x00"


def information(number: int, apdu: bytes, *, final: bool, segmented: bool = False) -> bytes:
    control = 1 << 5 | number << 1 | (0x10 if final else 0)
    return frame(control, LLC + apdu, segmented=segmented)


def test_the_apdus_of_one_window_come_one_after_the_other() -> None:
    line = Line(window=3).connected().asked()
    heard = line.hear(
        information(0, STREAMING, final=False) + information(1, STREAMING, final=False)
    )
    assert heard == [Received(STREAMING), Received(STREAMING)]
    assert line.hdlc.busy
    assert line.hear(information(2, LAST, final=True)) == [Received(LAST)]
    assert not line.hdlc.busy


def test_a_meter_that_ends_its_turn_in_a_stream_is_polled_on() -> None:
    line = Line().connected().asked()
    line.sent()
    assert line.hear(information(0, STREAMING, final=True)) == [Received(STREAMING)]
    (poll,) = line.sent()
    assert (poll.control & 0x1F, poll.control >> 5) == (0x11, 1)
    assert line.hear(information(1, LAST, final=True)) == [Received(LAST)]


def test_a_stream_that_breaks_off_ends_in_a_lost_link() -> None:
    line = Line(retries=1).connected().asked()
    line.hear(information(0, STREAMING, final=False))
    assert line.silence() == []
    (failed,) = line.silence()
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, NoReply)
    assert failed.lost


def test_an_apdu_without_an_answer_is_done_when_the_meter_has_it() -> None:
    line = Line().connected()
    line.hdlc.send(line.now, b"\x16\x01", answered=False)
    line.sent()
    assert line.hear(frame(1 << 5 | 0x11)) == [Delivered()]
    line.hdlc.send(line.now, b"\x16\x01", answered=False)
    assert line.sent()[0].control >> 1 & 7 == 1
    assert line.hear(frame(1 << 5 | 0x11)) == [], "it took nothing: the same bytes again"
    assert line.sent()[0].control >> 1 & 7 == 1


def test_an_apdu_without_an_answer_may_need_several_frames() -> None:
    line = Line().connected()
    line.hdlc.send(line.now, bytes(200), answered=False)
    assert len(line.sent()) == 1
    assert line.hear(frame(1 << 5 | 0x11)) == []
    assert len(line.sent()) == 1
    assert line.hear(frame(2 << 5 | 0x11)) == [Delivered()]


def test_a_meter_that_is_not_ready_is_polled_until_it_has_taken_it() -> None:
    line = Line().connected()
    line.hdlc.send(line.now, b"\x16\x01", answered=False)
    assert line.hear(frame(1 << 5 | 0x15)) == []
    line.sent()
    assert line.silence() == []
    assert line.sent()[0].control & 0x0F == 1
    assert line.hear(frame(1 << 5 | 0x11)) == [Delivered()]
