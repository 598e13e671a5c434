"""The slave meters of the virtual ZMF100, and that it has every object of the reference list."""

from datetime import timedelta

import pytest

from drivers.simulator import zmf100
from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.objects import logical_name
from tests.unit.sim_talk import hexed
from tests.unit.test_sim_supervision import START, Polyphase, SinglePhase, named

GAS, THIRD = "0-1:24.1.0.255", "0-3:24.1.0.255"
INSTALL, TAKE_OFF = 1, 2
NOTHING = axdr.integer(axdr.U8, 0)
REFERENCE = """
    1-0:1.8.0 1-0:2.8.0 1-0:15.8.0 1-0:1.8.1 1-0:1.8.2 1-0:2.8.1 1-0:2.8.2 0-0:96.7.0 0-0:96.7.5
    1-1:32.7.0 1-1:52.7.0 1-1:72.7.0 1-0:0.0.0 0-0:42.0.0 0-1:96.1.9 1-0:0.2.0 1-1:0.2.0
    1-0:96.90.0 1-0:0.2.1 0-0:96.1.0 0-0:96.1.1 7-0:0.0.0 7-0:0.0.9 8-1:0.0.0 8-1:0.0.9 6-2:0.0.0
    6-2:0.0.9 9-3:0.0.0 9-3:0.0.9 0-1:96.1.0 0-2:96.1.0 0-3:96.1.0 0-4:96.1.0 1-0:99.1.0
    1-0:99.2.0 0-0:98.1.0 0-1:24.3.0 0-4:24.3.0 0-0:13.0.0 0-0:11.0.0 0-0:99.98.0 0-0:99.98.2
    0-0:96.3.10 0-0:1.0.0 0-0:97.97.0 0-0:97.98.0 0-0:97.98.10 0-0:97.98.20 0-0:17.0.0 0-0:16.0.0
"""
PREPAYMENT = """
    1-0:1.8.0 1-0:32.7.0 1-0:31.7.0 1-0:1.7.0 1-0:14.7.0 1-0:13.7.0 0-0:96.1.0 0-0:96.3.10
    1-0:99.1.0 0-0:97.97.0 0-0:17.0.0 0-0:13.0.0 0-0:19.0.0 0-0:19.40.0 0-0:97.98.0 0-0:97.98.1
    0-0:99.98.1
"""


def result(meter: Polyphase, class_id: int, code: str, index: int = 2) -> bytes:
    return meter.association.ask(hexed("C0 01 C1") + named(class_id, code, index) + b"\x00")[3:5]


@pytest.mark.parametrize(("kind", "codes"), [(Polyphase, REFERENCE), (SinglePhase, PREPAYMENT)])
def test_the_object_list_has_all_that_the_reference_names(
    kind: type[Polyphase], codes: str
) -> None:
    listed = kind().get(15, "0-0:40.0.0.255").members()
    found = {item.members()[2].octets() for item in listed}
    missing = [code for code in codes.split() if logical_name(code + ".255") not in found]
    assert not missing


def test_every_attribute_that_may_be_read_can_be_read() -> None:
    meter = Polyphase()
    empty = ("0-3:", "0-4:", "6-2:", "9-3:")  # channels with nothing on them
    for item in meter.get(15, "0-0:40.0.0.255").members():
        class_id, _, name, rights = item.members()
        code = "{}-{}:{}.{}.{}.{}".format(*name.octets())
        for attribute in rights.members()[0].members():
            index, mode, _ = (part.value for part in attribute.members())
            if mode and not code.startswith(empty):
                assert result(meter, class_id.number(), code, int(str(index)))[:1] == b"\x00", code


def test_the_profiles_have_the_depths_of_the_reference() -> None:
    meter = Polyphase()
    depths = {"1-0:99.1.0": 2160, "1-0:99.2.0": 366, "0-0:98.1.0": 13, "0-1:24.3.0": 240,
              "0-0:99.98.0": 200, "0-0:99.98.2": 20}  # fmt: skip
    for code, depth in depths.items():
        assert meter.get(7, f"{code}.255", 8).number() == depth
    assert len(meter.get(7, "0-1:24.3.0.255").members()) == 240
    assert len(meter.get(7, "1-0:99.2.0.255").members()) == 366


def test_an_installed_slave_tells_who_it_is_and_what_it_counts() -> None:
    meter = Polyphase()
    assert meter.get(72, GAS, 5).number() == 1
    assert meter.get(72, GAS, 6).number() == 0x40117263
    assert meter.get(72, GAS, 7).number() == (5 << 10 | 12 << 5 | 19)  # ELS
    assert meter.get(72, GAS, 9).number() == 3
    assert meter.get(1, "7-0:0.0.9.255").octets() == b"ELS40117263"
    assert meter.get(1, "0-1:96.1.0.255") == meter.get(1, "7-0:0.0.0.255")
    value = meter.get(4, "0-1:24.2.1.255").number()
    assert value == meter.get(3, "7-0:3.0.0.255").number() > 1_204_310
    rows = meter.get(7, "0-1:24.3.0.255").members()
    counts = [row.members()[2].number() for row in rows]
    assert counts == sorted(counts)
    assert counts[-1] <= value


def test_a_channel_is_installed_by_address_and_proved_by_its_value() -> None:
    meter = Polyphase()
    assert result(meter, 4, "0-3:24.2.1.255") == b"\x01\x0b"
    assert result(meter, 1, "6-2:0.0.9.255") == b"\x01\x0b"
    assert meter.get(7, "0-3:24.3.0.255").members() == ()
    assert meter.act(72, THIRD, INSTALL, NOTHING) == 250  # nobody is at address 0
    assert meter.put(72, THIRD, 5, axdr.integer(axdr.U8, 3)) == 0
    assert meter.act(72, THIRD, INSTALL, NOTHING) == 0
    assert meter.put(1, "0-3:96.1.0.255", 2, axdr.text("8004-KAM-1")) == 0
    assert meter.put(72, THIRD, 13, axdr.integer(axdr.U16, 7)) == 0
    assert meter.get(1, "6-2:0.0.0.255").octets() == b"8004-KAM-1"
    assert meter.get(1, "6-2:0.0.9.255").octets() == b"KAM68200417"
    assert meter.get(72, THIRD, 13).number() == 7
    before = meter.get(4, "0-3:24.2.1.255").number()
    meter.later(6 * 3600)
    assert meter.get(4, "0-3:24.2.1.255").number() > before
    assert 4 <= len(meter.get(7, "0-3:24.3.0.255").members()) <= 7
    assert meter.codes("0-0:99.98.0.255")[-1] == 125


def test_a_slave_is_on_one_channel_only_and_comes_off() -> None:
    meter = Polyphase()
    assert meter.put(72, THIRD, 5, axdr.integer(axdr.U8, 1)) == 0
    assert meter.act(72, THIRD, INSTALL, NOTHING) == 250
    assert meter.act(72, GAS, INSTALL, NOTHING) == 250  # installed already
    assert meter.put(72, GAS, 5, axdr.integer(axdr.U8, 4)) == 250
    assert meter.act(72, GAS, TAKE_OFF, NOTHING) == 0
    assert meter.get(72, GAS, 6).number() == 0
    assert result(meter, 4, "0-1:24.2.1.255") == b"\x01\x0b"
    assert meter.act(72, THIRD, INSTALL, axdr.integer(axdr.U8, 1)) == 0


@pytest.mark.parametrize(
    ("code", "class_id", "index", "value"),
    [
        (THIRD, 72, 5, axdr.integer(axdr.U8, 251)),
        (THIRD, 72, 5, axdr.integer(axdr.U16, 3)),
        ("0-3:96.1.0.255", 1, 2, axdr.octets(bytes(25))),
        ("0-3:96.1.0.255", 1, 2, axdr.octets(b"\xe4")),
    ],
)
def test_what_a_channel_cannot_be_is_refused(
    code: str, class_id: int, index: int, value: bytes
) -> None:
    assert Polyphase().put(class_id, code, index, value) == 12


def test_a_silent_slave_is_told_and_its_profile_stops() -> None:
    meter = Polyphase("slave-lost")
    assert meter.get(72, GAS, 12).number() == 1
    rows = meter.get(7, "0-1:24.3.0.255").members()
    newest = zmf100.ZONE.moment(rows[-1].members()[0].octets())
    assert newest < START - timedelta(hours=20)
    assert meter.act(72, GAS, 4, NOTHING) == 0  # resetting does not bring it back
    assert meter.get(72, GAS, 12).number() == 1
    assert meter.number("0-0:97.97.0.255") == 1 << 16
