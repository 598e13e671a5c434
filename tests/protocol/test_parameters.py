"""Object lists, lists of values, and parameters in files."""

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.errors import BadInput
from app.services.calendar import read_calendar, write_calendar
from app.services.calendar_files import load_calendar
from app.services.firmware import load_firmware
from app.services.objects import object_list
from app.services.parameters import (
    Parameter,
    compare_parameters,
    load_parameters,
    read_parameters,
    save_parameters,
    write_parameters,
)
from app.tasks import collect
from drivers.dlms.addressing import with_serial
from drivers.dlms.meter import DlmsMeter
from drivers.metertype import load_meter_type
from drivers.secrets import Secret, Secrets
from drivers.simulator import hexcell
from drivers.simulator.dlms.images import signed
from drivers.simulator.memory import DeviceLink

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
SERIAL = "46000755036"


class Bench:
    def __init__(self, faults=(), **dlms) -> None:
        self.meter = hexcell.Hexcell(SERIAL, 4, 1, hexcell.Faults(faults), START)
        self.link = DeviceLink([self.meter.device()])
        kind = with_serial(load_meter_type("hexcell-ddsy1088"), SERIAL)
        self.kind = replace(kind, dlms=replace(kind.dlms, **dlms))

    @contextmanager
    def opened(self):
        secrets = Secrets(password=Secret(hexcell.PASSWORD))
        with DlmsMeter(self.link, self.kind, secrets) as meter:
            yield meter


def test_the_object_list_names_classes_and_access() -> None:
    with Bench().opened() as meter:
        entries = {(one.class_id, one.code): one for one in meter.objects()}
    assert entries[3, "1-0:1.8.0.255"].class_name == "Register"
    assert entries[8, "0-0:1.0.0.255"].writable() == (2,)
    assert entries[70, "0-0:96.3.10.255"].methods == (1, 2)
    assert entries[116, "0-0:19.60.0.255"].class_name == "STS attributes"


def test_the_object_list_is_read_once_for_meters_of_a_kind(tmp_path) -> None:
    bench = Bench()
    with bench.opened() as meter:
        first, _ = collect(object_list(meter, tmp_path))
        before = meter.statistics.bytes_received
        second, _ = collect(object_list(meter, tmp_path))
        assert second == first
        assert meter.statistics.bytes_received - before < 400  # who it is, and no list


def test_a_damaged_cache_is_read_anew(tmp_path) -> None:
    with Bench().opened() as meter:
        first, _ = collect(object_list(meter, tmp_path))
        (path,) = (tmp_path / "objects").iterdir()
        path.write_text("{")
        assert collect(object_list(meter, tmp_path))[0] == first


@pytest.mark.parametrize("pdu", [1024, 64])
def test_many_values_come_in_few_requests(pdu) -> None:
    bench = Bench(["access-denied"], pdu=pdu)
    wanted = [(code, 3, 2) for code in bench.kind.registers for code in (code.code,)]
    with bench.opened() as meter:
        single = {one.obis: one.value for one in meter.registers()}
        told = meter.read_objects([*wanted, ("1-0:99.99.9.255", 3, 2)])
    found = [one.reading for one in told]
    assert [bool(one.refused) for one in told] == [one.check == "bad" for one in found]
    assert {one.obis: one.value for one in found if one.value is not None} == single
    assert [one.check for one in found if one.value is None] == ["bad", "bad"]
    assert "denied" in next(one.text for one in found if one.obis == "1-0:32.7.0.255")


def test_parameters_go_to_a_file_and_back(tmp_path) -> None:
    bench = Bench()
    found, _ = collect(read_parameters(bench.opened, tmp_path))
    path = tmp_path / "p.json"
    path.write_bytes(save_parameters(found))
    wanted = load_parameters(path)
    assert wanted == found
    assert collect(compare_parameters(bench.opened, wanted))[0] == ()
    special = next(n for n, one in enumerate(wanted) if one.class_id == 11)
    day = replace(wanted[special], raw="010102031200010905" + "FFFF0C19FF" + "1101")
    changed = (*wanted[:special], day, *wanted[special + 1 :])
    (different,), _ = collect(compare_parameters(bench.opened, changed))
    assert different.found == "0100"
    collect(write_parameters(bench.opened, changed, asked=False))
    assert collect(compare_parameters(bench.opened, changed))[0] == ()
    assert collect(write_parameters(bench.opened, changed))[0] == ()  # nothing to ask about


def test_a_value_is_changed_without_touching_its_octets(tmp_path) -> None:
    path = tmp_path / "p.json"
    limit = Parameter("0-0:17.0.0.255", 71, 4, "0600002CEC")
    other = Parameter("0-0:17.0.0.255", 71, 11, "0202")
    path.write_bytes(save_parameters((limit, other)))
    listed = json.loads(path.read_text())["parameters"]
    assert [item.get("value") for item in listed] == ["11500", None]
    listed[0]["value"] = "9200"
    path.write_text(json.dumps({"parameters": listed}))
    assert load_parameters(path) == (replace(limit, raw="06000023F0"), other)
    listed[0]["value"] = "many"
    path.write_text(json.dumps({"parameters": listed}))
    with pytest.raises(BadInput, match="whole number"):
        load_parameters(path)


@pytest.mark.parametrize(
    "text", ["", "{}", '{"parameters": [{"code": 1}]}', "[]", '{"parameters": [1]}']
)
def test_what_is_no_file_of_parameters_is_told(tmp_path, text) -> None:
    path = tmp_path / "p.json"
    path.write_text(text)
    with pytest.raises(BadInput):
        load_parameters(path)


def test_a_calendar_that_was_read_can_be_written(tmp_path) -> None:
    import json

    from app.services.calendar_files import calendar_shape

    bench = Bench()
    found, _ = collect(read_calendar(bench.opened))
    path = tmp_path / "calendar.json"
    shape = calendar_shape(found)
    shape["passive"]["name"] = "TOU-9"
    path.write_text(json.dumps({**shape, "activation": None}))
    table, special, when = load_calendar(path)
    task = write_calendar(bench.opened, table, special, when)
    (_, after), _ = collect(task, {"calendar.confirm": "5036"})
    assert after.active.name == "TOU-9"


def test_firmware_is_loaded_with_its_progress() -> None:
    bench = Bench()
    image = signed(bytes(1000))
    loaded, _ = collect(load_firmware(bench.opened, b"HXE1088-V9", image, asked=False))
    assert (loaded.before, loaded.after) == (hexcell.FIRMWARE, "HXE1088-V9")
    assert (loaded.blocks, loaded.resumed) == (6, 0)
