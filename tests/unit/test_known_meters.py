"""A meter that answered once is reached by its number."""

from dataclasses import replace

import pytest

from app.errors import BadInput
from app.services.known_meters import keep_place, known_place
from drivers.metertype import load_meter_type
from drivers.values import Identity


def test_link_type_address_and_line_come_back_by_the_number(tmp_path):
    kind = load_meter_type("hexcell-ddsy1088")
    kind = replace(
        kind, dlms=replace(kind.dlms, physical=1755), line=replace(kind.line, speed=2400)
    )
    keep_place(tmp_path, "COM4", kind, Identity(serial="46000755036"))
    place = known_place(tmp_path, "46000755036")
    assert (place.link, place.meter_type) == ("COM4", "hexcell-ddsy1088")
    assert place.overrides.physical == 1755
    assert (place.overrides.speed, place.overrides.framing) == (2400, kind.framing)


def test_the_way_of_naming_objects_comes_back_as_well(tmp_path):
    kind = load_meter_type("landisgyr-zmf100")
    kind = replace(kind, dlms=replace(kind.dlms, referencing="short"))
    keep_place(tmp_path, "COM4", kind, Identity(serial="50284117"))
    assert known_place(tmp_path, "50284117").overrides.referencing == "short"


def test_a_stranger_has_no_place(tmp_path):
    assert known_place(tmp_path, "1") is None
    keep_place(tmp_path, "COM4", load_meter_type("generic-dlms"), Identity())
    assert not list(tmp_path.iterdir()), "a meter without a number is not kept"


def test_a_damaged_file_is_said_and_does_not_end_a_reading(tmp_path, caplog):
    (tmp_path / "meters_found.json").write_text("{")
    with pytest.raises(BadInput):
        known_place(tmp_path, "1")
    keep_place(tmp_path, "COM4", load_meter_type("generic-dlms"), Identity(serial="1"))
    assert "not kept" in caplog.text
