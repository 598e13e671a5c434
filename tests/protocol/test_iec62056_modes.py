"""Every mode of IEC 62056-21 by its virtual meter, and meters that want a number or a password."""

from dataclasses import replace
from decimal import Decimal

import pytest

from drivers.connect import open_meter
from drivers.errors import AccessDenied, NoReply
from drivers.find import find_meter
from drivers.iec62056.diagnosis import line_diagnosis
from drivers.iec62056.session import _IDENTIFICATION
from drivers.link import Line
from drivers.metertype import Iec62056, LineType, MeterType, load_meter_type
from drivers.secrets import Secret, Secrets
from drivers.simulator import catalogue
from drivers.simulator.memory import DeviceLink
from drivers.values import Span

GENERIC, EMH = load_meter_type("generic-iec62056-21"), load_meter_type("emh-lzqj")
PUSHED = replace(GENERIC, line=LineType(2400, "7E1"), iec62056=Iec62056(mode="D"))
RIGHT, WRONG = Secrets(Secret(b"12345678")), Secrets(Secret(b"87654321"))
COMPUTED = replace(
    EMH,
    iec62056=replace(
        EMH.iec62056, password_level="P2", password_method="a1700", password_in_value=False
    ),
)


def played(name: str, *faults: str):
    (device,) = catalogue.build(name, seed=3, faults=faults)
    return device, DeviceLink([device])


def registers(link: DeviceLink, kind: MeterType) -> dict[str, tuple[str, str]]:
    with open_meter(link, kind) as meter:
        found = list(meter.registers())
    return {one.code: (f"{one.value:.3f}", one.unit) for one in found if one.unit}


@pytest.mark.parametrize(
    ("name", "kind", "lines"),
    [
        ("iec-mode-a", GENERIC, {300}),
        ("iec-mode-b", GENERIC, {300, 2400}),
        ("emh-lzqj", GENERIC, {300, 9600}),
        ("iec-mode-d", PUSHED, {2400}),
    ],
)
def test_the_list_of_every_mode_is_what_the_meter_holds(name, kind, lines):
    device, link = played(name)
    wanted = {one["code"]: (one["value"], one["unit"]) for one in device.expected()["registers"]}
    found = registers(link, kind)
    assert found.keys() == wanted.keys()
    for code, (value, unit) in wanted.items():
        assert abs(Decimal(found[code][0]) - Decimal(value)) < 1, "energy grows meanwhile"
        assert found[code][1] == unit
    assert {line.speed for line in link.lines} == lines


@pytest.mark.parametrize(
    ("name", "protocol", "speed"),
    [
        ("iec-mode-a", "IEC 62056-21, mode A", 300),
        ("iec-mode-b", "IEC 62056-21, mode B", 2400),
        ("iec-mode-d", "IEC 62056-21, mode D", 2400),
        ("generic-sml", "SML telegrams", 9600),
    ],
)
def test_each_mode_is_found_and_tries_at_wrong_settings_do_not_blame_the_line(
    name, protocol, speed
):
    _, link = played(name)
    found = find_meter(link)
    form = "8N1" if name == "generic-sml" else "7E1"
    assert (found.protocol, found.speed, found.format) == (protocol, speed, form)
    assert not found.diagnosis


@pytest.mark.parametrize("fault", ["noise", "parity-errors"])
def test_a_disturbed_push_meter_is_still_heard(fault):
    _, link = played("iec-mode-d", fault)
    assert "1.8.0" in registers(link, PUSHED)


def test_a_silent_push_meter_and_an_unknown_fault_are_told():
    _, link = played("iec-mode-d", "silence")
    with pytest.raises(NoReply):
        registers(link, PUSHED)
    with pytest.raises(ValueError, match="no fault"):
        played("iec-mode-d", "wrong-check")


def test_a_meter_that_wants_its_number_answers_nothing_else():
    device, link = played("emh-lzqj", "wants-address")
    with pytest.raises(NoReply):
        registers(link, EMH)
    number = str(device.expected()["identity"]["serial"])
    named = replace(EMH, iec62056=replace(EMH.iec62056, address=number))
    assert "1.8.0" in registers(link, named)


def test_a_speed_that_is_not_followed_is_no_fault_of_the_line():
    _, link = played("emh-lzqj", "keeps-300")
    assert "1.8.0" in registers(link, GENERIC)
    assert link.statistics.remarks == ["speed announced but not followed"]
    assert link.statistics.parity_errors == 0
    assert line_diagnosis(link.statistics) == ()


@pytest.mark.parametrize(
    ("name", "fault", "kind"),
    [
        ("metcom-mcs301", "wants-password", load_meter_type("metcom-mcs301")),
        ("emh-lzqj", "wants-computed-password", COMPUTED),
    ],
)
def test_a_password_opens_the_meter_and_a_wrong_one_tells_the_attempts_left(name, fault, kind):
    _, link = played(name, fault)
    with open_meter(link, kind) as meter, pytest.raises(AccessDenied, match="may want a password"):
        meter.object("1.8.0")
    with (
        open_meter(link, kind, WRONG) as meter,
        pytest.raises(AccessDenied, match="2 attempts are left"),
    ):
        meter.object("1.8.0")
    with open_meter(link, kind, RIGHT) as meter:
        assert meter.object("1.8.0").unit == "kWh"
        assert abs(meter.set_clock().offset) < 2
    for left in ("2 attempts", "1 attempt ", "may be locked"):
        with (
            open_meter(link, kind, WRONG) as meter,
            pytest.raises(AccessDenied, match=left),
        ):
            meter.object("1.8.0")
    with (
        open_meter(link, kind, RIGHT) as meter,
        pytest.raises(AccessDenied, match="may be locked"),
    ):
        meter.object("1.8.0")


def read_profile(link: DeviceLink) -> None:
    with open_meter(link, EMH) as meter:
        info = meter.profile_info()
        list(meter.profile(info, Span(last=300)))


class Stopped(Exception):
    """The operator's stop button."""


@pytest.mark.parametrize("after_s", [0.5, 0.9, 1.2, 3.0, 5.0, 9.0])
def test_a_meter_stopped_in_the_middle_of_a_long_answer_is_signed_off_when_it_ends(after_s):
    (device,) = catalogue.build("emh-lzqj", rows=400)
    stop = {"at": after_s}

    def check():
        if link.now() > stop["at"]:
            stop["at"] = 1e9
            raise Stopped

    link = DeviceLink([device], check=check)
    with pytest.raises(Stopped):
        read_profile(link)
    assert link.now() < after_s + 30
    with open_meter(link, EMH) as meter:
        assert meter.object("1.8.0").unit == "kWh", "it is at rest again"
    assert link.statistics.resends <= 1, "its list, where the stop came before the option select"


def test_noise_that_looks_a_little_like_an_identification_is_none():
    for text in (b"/waa?P\r\n", b"/AB\x1bC5X\r\n", b"/A1C5X\r\n"):
        assert _IDENTIFICATION.search(text) is None
    assert _IDENTIFICATION.search(b"/ISk5MT174-0001\r\n")


def test_a_break_sent_just_before_the_port_is_closed_still_reaches_the_meter():
    from drivers.simulator.wire import PortMedium, Wire

    (device,) = catalogue.build("emh-lzqj")
    heard = []
    device.receive = lambda now, data: heard.append(data)
    medium = PortMedium(device.format)
    wire = Wire([device], medium)
    wire.put(0.0, b"B0")
    wire.drop()
    wire.run(1.0)
    assert b"".join(heard).translate(bytes(c & 0x7F for c in range(256))) == b"B0"
    assert Line(300).speed == medium.line.speed
