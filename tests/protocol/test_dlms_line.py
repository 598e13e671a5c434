"""The driver on an HDLC line that misbehaves: lost links, stops, pulled probes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from drivers.dlms.frames import Deframer, Frame, address_bytes
from drivers.dlms.meter import DlmsMeter
from drivers.errors import AccessDenied, MeterBusy, NoReply, PortProblem, PortUnavailable
from drivers.metertype import load_meter_type
from drivers.secrets import Secrets
from drivers.values import Span
from tests.protocol.dlms_meter import WrapperMeterLink
from tests.protocol.test_dlms_meter import PROFILE, START, STEP, buffer, objects, row

SNRM, DISC, UA, DM, RR = 0x93, 0x53, 0x73, 0x1F, 0x11


class Stopped(Exception):
    """What a pressed Stop raises out of a link."""


class HdlcMeterLink(WrapperMeterLink):
    """The little meter behind an HDLC station with window 1 and frames of 128 octets.

    ``instead`` may replace the station's answer to a frame: bytes, or None for the usual one.
    """

    sets_line = True

    def __init__(self, *args: object, **more: object) -> None:
        super().__init__(*args, **more)
        self.controls: list[int] = []
        self.written: list[bytes] = []
        self.instead: Callable[[Frame], bytes | None] = lambda frame: None
        self.raises: list[BaseException] = []
        self._deframer = Deframer()
        self._parts: list[bytes] = []
        self._up = False
        self._sending = self._receiving = 0

    def write(self, data: bytes, *, secret: bool = False) -> None:
        self.written.append(data)
        for frame in self._deframer.feed(data):
            self.controls.append(frame.control)
            answer = self.instead(frame)
            answer = self._station(frame) if answer is None else answer
            if answer:
                self.answers.append((self._now + self.delay, answer))

    def read(self, timeout: float) -> bytes:
        if self.raises and self.controls[-1:] != [DISC]:
            raise self.raises.pop(0)
        return super().read(timeout)

    def _reply(self, frame: Frame, control: int, information: bytes = b"", **more: bool) -> bytes:
        return Frame(frame.source, frame.destination, control, information, **more).encode()

    def _station(self, frame: Frame) -> bytes:
        if frame.control == SNRM:
            self._up, self._sending, self._receiving = True, 0, 0
            return self._reply(frame, UA)
        if frame.control == DISC:
            was_up, self._up = self._up, False
            return self._reply(frame, UA if was_up else DM)
        if not self._up:
            return self._reply(frame, DM)
        if not frame.control & 1:
            self.heard.append(frame.information[3:])
            self._receiving = (self._receiving + 1) % 8
            whole = b"\xe6\xe7\x00" + (self.answer(frame.information[3:]) or b"")
            self._parts = [whole[at : at + 128] for at in range(0, len(whole), 128)]
        part = self._parts.pop(0)
        control = self._receiving << 5 | 0x10 | self._sending << 1
        self._sending = (self._sending + 1) % 8
        return self._reply(frame, control, part, segmented=bool(self._parts))


def opened(link: HdlcMeterLink, **changes: object) -> DlmsMeter:
    kind = load_meter_type("generic-dlms")
    kind = replace(kind, dlms=replace(kind.dlms, physical=1017))
    return DlmsMeter(
        link,
        replace(kind, **changes),
        Secrets(),
        wall=lambda: datetime(2026, 11, 20, 10, tzinfo=UTC) + timedelta(seconds=link.now() - 1000),
    )


def profile_link(rows: int = 60, block: int = 300) -> HdlcMeterLink:
    data = buffer([row(START + n * STEP, 0, n) for n in range(rows)])

    def ranged(selector: bytes) -> bytes:
        if not selector:
            return data
        text = selector[selector.index(b"\x09\x0c") + 2 :]
        hour, minute = text[5], text[6]
        first = (hour * 60 + minute - 60) // 15 % 96
        return buffer([row(START + n * STEP, 0, n) for n in range(first, rows)])

    return HdlcMeterLink(objects() | {(7, PROFILE, 2): ranged}, block=block)


def test_the_line_is_cleared_first_and_taken_down_at_the_end() -> None:
    link = HdlcMeterLink(objects())
    with opened(link) as meter:
        assert str(meter.object("1.8.0").value) == "61561.289"
    assert link.controls[:2] == [DISC, SNRM]
    assert link.controls[-1] == DISC


def test_every_frame_names_the_meter_in_four_octets() -> None:
    link = HdlcMeterLink(objects())
    with opened(link):
        pass
    address = address_bytes(1, 1017, 4)
    assert all(data[3:7] == address for data in link.written)


def test_a_segmented_answer_is_one_value() -> None:
    link = HdlcMeterLink(objects() | {(1, "0.0.96.1.1.255", 2): b"\x09\x82\x01\x2c" + b"A" * 300})
    with opened(link) as meter:
        assert meter.object("0-0:96.1.1").text == "A" * 300
    assert link.controls.count(RR | 2 << 5) == 1  # second segment asked for after N(S) 0 and 1


def test_a_refused_association_still_takes_the_link_down() -> None:
    link = HdlcMeterLink(objects())
    link.special[0x60] = bytes.fromhex("6117A109060760857405080101A203020101A305A10302010D")
    with pytest.raises(AccessDenied), opened(link):
        pass
    assert link.controls[-1] == DISC


def test_a_silent_meter_gets_a_disc_all_the_same() -> None:
    link = HdlcMeterLink(objects())
    link.instead = lambda frame: b""
    with pytest.raises(NoReply), opened(link):
        pass
    assert link.controls[-1] == DISC


def test_a_meter_that_dropped_the_link_gets_a_new_one_and_the_same_question() -> None:
    link = HdlcMeterLink(objects())
    with opened(link) as meter:
        link._up = False  # its inactivity time has passed
        assert str(meter.object("1.8.0").value) == "61561.289"
    assert link.controls.count(SNRM) == 2
    assert any("built anew" in remark for remark in meter.statistics.remarks)


def test_a_write_is_never_repeated_on_a_new_link() -> None:
    link = HdlcMeterLink(objects())
    with opened(link) as meter:
        meter.clock()
        link.instead = lambda frame: (
            link._reply(frame, DM) if frame.information[3:4] == b"\xc1" else None
        )
        with pytest.raises(Exception, match="ended the link"):
            meter.set_clock()
    assert sum(one[:1] == b"\xc1" for one in link.heard) == 0


def test_a_profile_goes_on_after_the_last_good_row_when_the_link_breaks() -> None:
    link = profile_link()
    count = [0]

    def breaking(frame: Frame) -> bytes | None:
        count[0] += frame.information[3:5] == b"\xc0\x02"
        if count[0] == 4:
            count[0] += 1
            return link._reply(frame, DM)
        return None

    link.instead = breaking
    with opened(link) as meter:
        info = meter.profile_info("1-0:99.1.0")
        times = [one.time for block in meter.profile(info, Span()) for one in block.rows]
    assert times == [START + n * STEP for n in range(60)]
    assert link.controls.count(SNRM) == 2


def test_a_meter_that_refuses_every_link_is_busy() -> None:
    link = HdlcMeterLink(objects())
    link.instead = lambda frame: link._reply(frame, DM)
    with pytest.raises(MeterBusy), opened(link):
        pass


def test_a_stop_in_mid_profile_signs_off_and_keeps_the_rows() -> None:
    link = profile_link()
    rows: list[object] = []

    def read() -> None:
        with opened(link) as meter:
            for block in meter.profile(meter.profile_info("1-0:99.1.0"), Span()):
                rows.extend(block.rows)
                if len(rows) > 20:
                    link.raises.append(Stopped())

    with pytest.raises(Stopped):
        read()
    assert len(rows) > 20
    assert link.controls[-1] == DISC
    assert link.heard[-1][0] == 0xC0  # no release in the middle of an answer


def test_a_second_stop_abandons_the_sign_off() -> None:
    link = HdlcMeterLink(objects())
    meter = opened(link).__enter__()
    link.raises += [Stopped(), Stopped()]
    with pytest.raises(Stopped) as first:
        meter.object("1.8.0")
    with pytest.raises(Stopped):
        meter.__exit__(Stopped, first.value, None)
    assert DISC not in link.controls[1:]


def test_a_pulled_probe_passes_through_without_a_sign_off() -> None:
    link = HdlcMeterLink(objects())
    meter = opened(link).__enter__()
    link.raises.append(PortUnavailable("pulled", PortProblem.LOST))
    with pytest.raises(PortUnavailable) as pulled:
        meter.object("1.8.0")
    meter.__exit__(PortUnavailable, pulled.value, None)
    assert link.controls[-1] != DISC


def test_bytes_that_arrive_one_by_one_are_the_same_answer() -> None:
    link = HdlcMeterLink(objects())
    original = link.read

    def slowly(timeout: float) -> bytes:
        data = original(timeout)
        if len(data) > 1:
            at = link.now() + 0.001
            link.answers[:0] = [(at + n * 0.001, data[n : n + 1]) for n in range(1, len(data))]
            return data[:1]
        return data

    link.read = slowly
    with opened(link) as meter:
        assert str(meter.object("1.8.0").value) == "61561.289"
    assert meter.statistics.resends == 0
