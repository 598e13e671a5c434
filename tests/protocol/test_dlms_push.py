"""What meters say unasked, sessions that must not fall asleep, and meters behind a gateway."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from drivers.dlms.addressing import with_serial
from drivers.dlms.meter import DlmsMeter
from drivers.dlms.push import notification
from drivers.errors import DriverError, GarbledReply
from drivers.metertype import load_meter_type
from drivers.secrets import Secret, Secrets
from drivers.simulator import hexcell
from drivers.simulator.memory import DeviceLink
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
