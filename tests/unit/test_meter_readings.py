"""A MeterReadings message holds what was read, in the order of the schema, or does not exist."""

import errno
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import parse

from app.errors import BadInput, NoRoom
from app.services.meter_readings import MeterReadingsFile
from drivers.values import ProfileColumn, ProfileInfo, ProfileRow, Reading

START = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)
INFO = ProfileInfo(
    "1-0:99.1.0.255",
    900,
    (
        ProfileColumn("1-0:1.8.0.255", 2, "kWh", "Active energy import"),
        ProfileColumn("1-0:1.6.0.255", 5, "kW"),
    ),
)
NAMES = {
    "m": "http://iec.ch/TC57/2011/MeterReadings#",
    "e": "http://iec.ch/TC57/2011/schema/message",
}
IMPORT = Reading("1.8.0", "1-0:1.8.0.255", "Active energy import", Decimal("0012.500"), "kWh")
TEXT = Reading("0.0.0", "1-0:0.0.0.255", 'Name <&"', None, text="A<&>\x00B")
NOTHING = Reading("C.1", "", "Silent", None)
OLD = Reading("1.8.0", "1-0:1.8.0.255", "Import", Decimal(7), "kWh", history="03", time=START)


def rows(first: int, last: int) -> tuple[ProfileRow, ...]:
    step = timedelta(minutes=15)
    return tuple(
        ProfileRow(START + n * step, (Decimal(n), None if n == 1 else Decimal("0.10")), 8 * (n % 2),
                   ("daylight saving",) if n % 2 else ())
        for n in range(first, last)
    )  # fmt: skip


def texts(root: Element, path: str) -> list[str | None]:
    return [found.text for found in root.findall(path, NAMES)]


def order(element: Element) -> list[str]:
    return [child.tag.rpartition("}")[2] for child in element]


def whole(path) -> Element:
    file = MeterReadingsFile(path, START)
    file.write(INFO, rows(0, 2))
    file.write(INFO, rows(2, 3))
    file.meter("00977311", [(IMPORT, "inquiry"), (TEXT, "inquiry"), (NOTHING, "inquiry"),
                            (OLD, "inquiry")], START, "UP-7")  # fmt: skip
    file.finish()
    file.abandon()
    root: Element = parse(path).getroot()
    return root


def test_the_envelope_has_verb_and_noun(tmp_path) -> None:
    root = whole(tmp_path / "m.xml")
    assert root.tag == f"{{{NAMES['e']}}}EventMessage"
    assert texts(root, "e:Header/e:Verb") == ["created"]
    assert texts(root, "e:Header/e:Noun") == ["MeterReadings"]
    assert texts(root, "e:Header/e:Timestamp") == ["2026-10-25T00:15:00Z"]
    assert root.find("e:Payload/m:MeterReadings", NAMES) is not None


def test_elements_stand_in_the_order_of_the_schema(tmp_path) -> None:
    root = whole(tmp_path / "m.xml")
    readings = root.find("e:Payload/m:MeterReadings", NAMES)
    assert readings is not None
    assert order(readings) == ["MeterReading", *["ReadingQualityType"] * 2, *["ReadingType"] * 4]
    assert order(readings[0]) == [*["IntervalBlocks"] * 4, "Meter", *["Readings"] * 3, "UsagePoint"]


def test_every_number_keeps_all_its_digits_and_what_is_missing_stays_missing(tmp_path) -> None:
    root = whole(tmp_path / "m.xml")
    assert texts(root, ".//m:Readings/m:value") == ["12.500", "A<&> B", "7"]
    times = texts(root, ".//m:IntervalReadings/m:timeStamp")
    assert times[:2] == ["2026-10-25T00:15:00Z", "2026-10-25T00:30:00Z"]
    assert texts(root, ".//m:IntervalReadings/m:value") == ["0", "1", "0.10", "2", "0.10"]
    assert texts(root, ".//m:Meter/m:Names/m:name") == ["00977311"]


def test_every_reference_is_declared_with_its_unit(tmp_path) -> None:
    root = whole(tmp_path / "m.xml")
    for kind in ("ReadingType", "ReadingQualityType"):
        used = {found.get("ref") for found in root.findall(f".//m:{kind}[@ref]", NAMES)}
        declared = texts(root, f"e:Payload/m:MeterReadings/m:{kind}/m:mRID")
        assert used == set(declared)
        assert len(declared) == len(set(declared))
    assert "1-0:1.8.0.255*03" in texts(root, ".//m:ReadingType/m:mRID")
    assert texts(root, ".//m:ReadingType/m:multiplier") == ["k", "k", "k"]
    assert texts(root, ".//m:ReadingType/m:unit") == ["Wh", "W", "Wh"]


@pytest.mark.parametrize("finished", [False, True])
def test_a_message_that_was_given_up_leaves_no_file(tmp_path, finished) -> None:
    path = tmp_path / "m.xml"
    path.write_text("what was there")
    file = MeterReadingsFile(path)
    file.write(INFO, rows(0, 2))
    if finished:
        file.meter("1", [], START)
        file.finish()
    file.abandon()
    assert [one.name for one in tmp_path.iterdir()] == ["m.xml"]
    assert (path.read_text() == "what was there") is not finished


def test_a_folder_that_does_not_exist_is_said(tmp_path) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        MeterReadingsFile(tmp_path / "nowhere" / "m.xml")


def test_a_full_disk_is_said(tmp_path) -> None:
    class Full:
        def write(self, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "no space")

        def close(self) -> None:
            pass

    file = MeterReadingsFile(tmp_path / "m.xml")
    file._file.close()
    file._file = Full()
    with pytest.raises(NoRoom):
        file.write(INFO, rows(0, 1))
    file.abandon()
    assert not list(tmp_path.iterdir())
