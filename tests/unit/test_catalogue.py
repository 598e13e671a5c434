"""Virtual meters by name: what there is, what is refused, several on one line."""

from pathlib import Path

import pytest

from drivers.simulator.catalogue import build, fault_names, type_names

READOUT = b"/MWT5REPLAY\r\n\x021.8.0(000123.4*kWh)\r\n!\r\n\x03\x00"
BUILT = (
    "hexcell-ddsy1088", "landisgyr-zmf100", "emh-lzqj", "metcom-mcs301", "turkish-mass",
    "iec-mode-a", "iec-mode-b", "iec-mode-d", "generic-sml",
)  # fmt: skip


@pytest.fixture
def saved(tmp_path: Path) -> str:
    (tmp_path / "a.dat").write_bytes(READOUT)
    return f"replay:{tmp_path / 'a.dat'}"


@pytest.mark.parametrize("name", ["", "hexcell", "hexcell-ddsy1088*", "x*2", "hexcell-ddsy1088*0"])
def test_an_unknown_meter_is_refused_with_the_known_ones(name):
    with pytest.raises(ValueError, match=r"known: hexcell-ddsy1088|number from 1 to 100"):
        build(name)


@pytest.mark.parametrize("name", BUILT)
def test_an_unknown_fault_is_refused_with_the_known_ones(name):
    with pytest.raises(ValueError, match=f"no fault rust of {name}; known: "):
        build(name, faults=("rust",))


def test_a_file_that_is_no_readout_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="identification"):
        build(f"replay:{tmp_path / 'x'}")
    with pytest.raises(FileNotFoundError):
        build(f"replay:{tmp_path / 'y'}")


def test_a_replayed_meter_is_named_after_its_file(saved):
    (meter,) = build(saved)
    assert meter.name == "replay a.dat"
    assert "silence" in fault_names(saved)


def test_a_replayed_meter_may_have_a_star_in_its_path(tmp_path):
    (tmp_path / "a*2").write_bytes(READOUT)
    assert len(build(f"replay:{tmp_path / 'a*2'}")) == 1


@pytest.mark.parametrize(("name", "serial"), [(BUILT[0], "46000755036"), (BUILT[1], "12345678")])
def test_each_type_is_built_with_the_serial_asked_for(name, serial):
    (meter,) = build(name, serial=serial, rows=10)
    identity = meter.expected()["identity"]
    assert isinstance(identity, dict)
    assert serial in identity.values()
    assert serial in meter.name


@pytest.mark.parametrize("serial", ["", "46000755098"])
def test_several_meters_on_one_line_have_consecutive_serials(serial):
    meters = build("hexcell-ddsy1088*5", serial=serial, rows=10)
    numbers = [int(meter.expected()["identity"]["serial"]) for meter in meters]
    assert numbers == list(range(numbers[0], numbers[0] + 5))
    if serial:
        assert numbers[0] == int(serial)


@pytest.mark.parametrize("name", BUILT)
def test_every_fault_of_every_type_can_be_built_and_says_what_it_does(name):
    for fault, text in fault_names(name).items():
        assert text
        assert len(build(name, rows=10, faults=(fault,))) == 1


def test_all_types_are_named():
    assert type_names() == (*BUILT, "replay:FILE")
