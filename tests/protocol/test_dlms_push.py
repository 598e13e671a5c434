"""What meters say unasked, sessions that must not fall asleep, and meters behind a gateway."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.dlms.addressing import with_serial
from drivers.dlms.meter import DlmsMeter
from drivers.dlms.push import Notification, notification
from drivers.dlms.pushes import Pushes
from drivers.errors import DriverError, GarbledReply
from drivers.metertype import load_meter_type
from drivers.secrets import Secret, Secrets
from drivers.simulator import hexcell
from drivers.simulator.dlms.notices import VALUES
from drivers.simulator.memory import DeviceLink
from drivers.values import Reading, Span, Statistics
from tests.protocol.dlms_meter import WrapperMeterLink
from tests.protocol.test_dlms_meter import objects

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
TIME = bytes.fromhex("07EA0B14050A0A00FFFFC400")


def driver(link, **dlms) -> DlmsMeter:
    kind = with_serial(load_meter_type("hexcell-ddsy1088"), "46000755036")
    kind = replace(kind, dlms=replace(kind.dlms, **dlms))
    return DlmsMeter(link, kind, Secrets(password=Secret(hexcell.PASSWORD)))


def test_a_data_notification_has_its_time_and_value() -> None:
    found = notification(b"\x0f\x00\x00\x00\x01\x0c" + TIME + b"\x11\x2a")
    assert (found.value, found.time.raw) == (42, TIME)
    assert notification(b"\x0f\x00\x00\x00\x01\x00\x11\x2a").time is None


def test_an_event_notification_names_its_object() -> None:
    found = notification(b"\xc2\x00\x00\x01\x00\x00\x60\x0b\x00\xff\x02\x11\x07")
    assert (found.value, found.source) == (7, (1, bytes((0, 0, 96, 11, 0, 255)), 2))


@pytest.mark.parametrize("data", [b"", b"\x0f", b"\x0f\0\0\0\0\x0c\x11", b"\xc2\x01", b"\xc4\x01"])
def test_what_is_no_notification_is_told(data) -> None:
    with pytest.raises(GarbledReply):
        notification(data)


def test_what_is_pushed_in_the_middle_is_handed_on() -> None:
    link = DeviceLink(
        [hexcell.build(serial="46000755036", rows=4, start=START, faults=["ui-push"])]
    )
    with driver(link) as meter:
        assert len(list(meter.registers())) == 6
        assert {one.value for one in meter.notifications()} == {42}
        assert meter.notifications() == []


def values_of(notes: list[Notification]) -> list[list[int]]:
    return [one.value[1] for one in notes]


@pytest.mark.parametrize("framing", ["hdlc", "wrapper"])
@pytest.mark.parametrize("blocks", [False, True])
def test_a_long_notification_in_blocks_is_joined_and_the_answers_are_untouched(
    framing, blocks
) -> None:
    def read(*faults: str) -> tuple[list[Reading], list[Notification], int]:
        kind = hexcell.build(serial="46000755036", rows=40, start=START, faults=faults)
        link = DeviceLink([kind])
        meter = driver(link, general_blocks=blocks)
        meter.meter_type = replace(meter.meter_type, framing=framing)
        meter = DlmsMeter(link, meter.meter_type, Secrets(password=Secret(hexcell.PASSWORD)))
        with meter:
            found = list(meter.registers())
            rows = [len(block.rows) for block in meter.profile(meter.profile_info(), Span())]
            assert sum(rows) == 40
            return found, meter.notifications(), link.statistics.discarded

    right = read("gbt")[0]
    found, notes, discarded = read("gbt-push")
    assert [one.value for one in found] == [one.value for one in right]
    assert notes
    assert all(one == list(VALUES) for one in values_of(notes))
    assert discarded == 0
    found, notes, discarded = read("gbt-push-gap")
    assert [one.value for one in found] == [one.value for one in right]
    assert notes == []
    assert discarded


def block(number: int, data: bytes, *, last: bool = False, control: int = 0) -> bytes:
    head = bytes((0xE0, control or (0x80 if last else 0x40))) + number.to_bytes(2, "big")
    return head + bytes(2) + bytes((len(data),)) + data


FIRST, SECOND = block(1, b"\x0f\x00\x00"), block(2, b"\x00\x01\x00\x11\x2a", last=True)
WHOLE = b"\x0f\x00\x00\x00\x01\x00\x11\x2a"
ANSWER = block(1, b"\xc4\x01\xc1\x00\x11\x07", last=True)


@pytest.mark.parametrize(
    ("heard", "whole", "left", "discarded"),
    [
        ([FIRST, SECOND], [WHOLE], [], 0),
        ([FIRST, FIRST, SECOND, SECOND], [WHOLE], [], 0),  # every block twice
        ([block(1, WHOLE, last=True)], [WHOLE], [], 0),
        ([ANSWER], [], [ANSWER], 0),  # blocks of an answer are nobody's notification
        ([FIRST, ANSWER, SECOND], [], [ANSWER, SECOND], 1),
        ([FIRST, FIRST[:-1], SECOND], [WHOLE], [FIRST[:-1]], 0),  # cut short: not taken
        ([FIRST, block(1, b"\xdb\x00"), block(2, b"\x01", last=True)], [b"\xdb\x00\x01"], [], 1),
        ([FIRST, block(3, b"\x00"), block(4, b"", last=True)], [], [], 1),  # one is lost
        ([SECOND, WHOLE], [WHOLE], [SECOND], 0),
        (
            [FIRST, block(0, b"", control=0x80), SECOND],
            [],
            [block(0, b"", control=0x80), SECOND],
            1,
        ),
    ],
)
def test_blocks_of_a_notification_are_told_from_those_of_an_answer(
    heard, whole, left, discarded
) -> None:
    pushes = Pushes(statistics := Statistics())
    assert [apdu for apdu in heard if not pushes.takes(apdu)] == left
    assert pushes.whole == whole
    assert statistics.discarded == discarded


def test_a_notification_without_an_end_takes_no_memory() -> None:
    pushes = Pushes(statistics := Statistics())
    pushes.takes(FIRST)
    for number in range(2, 0xFFFF):
        assert pushes.takes(block(number, bytes(100)))
    pushes.takes(block(0xFFFF, b"", last=True))
    assert (pushes.whole, statistics.discarded) == ([], 1)
    for _ in range(2000):
        pushes.takes(WHOLE)
    assert len(pushes.whole) == 1000


@given(st.lists(st.sampled_from([FIRST, SECOND, ANSWER, WHOLE, b"", b"\xe0"]) | st.binary()))
def test_nothing_that_a_meter_pushes_raises(heard) -> None:
    pushes = Pushes(Statistics())
    for apdu in heard:
        pushes.takes(apdu)


def test_a_session_is_kept_alive_only_when_it_must() -> None:
    link = DeviceLink([hexcell.build(serial="46000755036", rows=4, start=START)])
    with driver(link, keep_alive_s=30.0) as meter:
        assert not meter.keep_alive()
        for _ in range(12):  # longer than the meter's inactivity time of 120 s
            link.wait(16)
            assert meter.keep_alive()
        assert meter.relay().output
    assert not any("anew" in remark for remark in link.statistics.remarks)


class GatewayLink(WrapperMeterLink):
    """A gateway: answers for the meter with its own prefix."""

    prefix = b"\xe7\x05\x02\x00\x11"

    def answer(self, apdu: bytes) -> bytes | None:
        assert apdu[:5] == b"\xe6\x05\x02\x00\x11"
        inner = super().answer(apdu[5:])
        return None if inner is None else self.prefix + inner


def gateway_driver(link: GatewayLink) -> DlmsMeter:
    kind = load_meter_type("generic-dlms")
    dlms = replace(kind.dlms, gateway_network=5, gateway_address="0011")
    return DlmsMeter(link, replace(kind, framing="wrapper", dlms=dlms), Secrets())


def test_a_meter_behind_a_gateway_is_read_through_it() -> None:
    with gateway_driver(GatewayLink(objects())) as meter:
        assert str(meter.object("1-0:1.8.0.255").value) == "61561.289"


@pytest.mark.parametrize("prefix", [b"\xe7\x05\x02\x00\x12", b"\xe7\x06\x02\x00\x11", b""])
def test_an_answer_of_another_meter_or_of_the_gateway_is_not_taken(prefix) -> None:
    link = GatewayLink(objects())
    link.prefix = prefix
    with pytest.raises(DriverError), gateway_driver(link):
        pass
