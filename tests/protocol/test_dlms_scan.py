"""A bus of meters: all found, each read at its own address, clashes told, no password sent."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from app.errors import BadInput, NotFound
from app.services.finding import addresses_in, place_of, preview, remember, scan_bus
from app.tasks import collect
from drivers.dlms.addressing import with_serial
from drivers.dlms.meter import DlmsMeter
from drivers.dlms.scan import BusMeter, Plan, scan
from drivers.errors import PortUnavailable
from drivers.metertype import load_meter_type
from drivers.secrets import Secret, Secrets
from drivers.simulator import hexcell
from drivers.simulator.memory import DeviceLink

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
SERIALS = [f"460007550{n:02}" for n in range(32)]
FIRST = hexcell.physical_address(SERIALS[0])


def bus(serials: list[str], **faults: list[str]) -> DeviceLink:
    return DeviceLink(
        [
            hexcell.build(serial=one, rows=4, seed=n, start=START, faults=faults.get(f"s{one}", ()))
            for n, one in enumerate(serials)
        ]
    )


def found_on(link: DeviceLink, plan: Plan) -> list[BusMeter]:
    looked = scan(link, load_meter_type("generic-dlms"), plan)
    return [one.found for one in looked if one.found is not None]


def test_32_meters_are_found_and_read_in_one_run() -> None:
    link = bus(SERIALS)
    expected = {one.expected()["identity"]["serial"]: one.expected() for one in link._wire._devices}

    plan = Plan(range(FIRST - 3, FIRST + 35))
    found, _ = collect(
        scan_bus(lambda: nullcontext(link), load_meter_type("generic-dlms"), plan, [])
    )
    assert [one.identity.serial for one in found] == SERIALS
    assert {one.meter_type.name for one in found} == {"hexcell-ddsy1088"}
    for one in found:
        secrets = Secrets(password=Secret(hexcell.PASSWORD))
        with DlmsMeter(link, one.meter_type, secrets) as meter:
            serial = meter.identity().serial
            readings = {item.obis: item.value for item in meter.registers()}
        wanted = expected[one.identity.serial]
        assert serial == one.identity.serial
        for item in wanted["registers"]:  # the run takes minutes of the meters' time
            assert abs(readings[item["obis"]] - Decimal(item["value"])) <= Decimal("0.2")


def test_who_has_answered_when_the_line_is_cut_is_not_forgotten() -> None:
    link = bus(SERIALS[:3])
    write = link.write
    found: list[BusMeter] = []

    def cut(data, **kw):
        if len(found) == 2:
            raise PortUnavailable("the cable is pulled")
        write(data, **kw)

    link.write = cut
    plan = Plan(range(FIRST, FIRST + 3))
    task = scan_bus(lambda: nullcontext(link), load_meter_type("generic-dlms"), plan, found)
    with pytest.raises(PortUnavailable):
        collect(task)
    assert [one.identity.serial for one in found] == SERIALS[:2]


def test_a_scan_sends_no_password(monkeypatch) -> None:
    link = bus(SERIALS[:2])
    sent = []
    write = link.write
    monkeypatch.setattr(link, "write", lambda data, **kw: (sent.append(data), write(data, **kw)))
    found_on(link, Plan([FIRST, FIRST + 1]))
    assert hexcell.PASSWORD not in b"".join(sent)
    assert not any(b"\x60\x85\x74\x05\x08\x02" in data for data in sent)  # no mechanism at all


def test_two_meters_at_one_address_are_a_clash() -> None:
    twin = "46000765000"  # the same last four digits
    assert hexcell.physical_address(twin) == FIRST
    (found,) = found_on(bus([SERIALS[0], twin]), Plan([FIRST]))
    assert "two meters" in found.note
    assert found.identity.serial == ""


def test_a_late_answer_lands_in_no_other_record() -> None:
    link = bus(SERIALS[:3], **{f"s{SERIALS[0]}": ["every-answer-late"]})
    found = found_on(link, Plan([FIRST, FIRST + 1, FIRST + 2]))
    assert {one.address: one.identity.serial for one in found if one.identity.serial} == {
        FIRST + 1: SERIALS[1],
        FIRST + 2: SERIALS[2],
    }


def test_the_speeds_are_tried_until_one_has_meters() -> None:
    link = bus(SERIALS[:1])
    (found,) = found_on(link, Plan([FIRST], lines=((19200, "8N1"), (9600, "8N1"), (2400, "8N1"))))
    assert (found.speed, found.format) == (9600, "8N1")


def test_a_meter_that_tells_nobody_its_name_is_shown_nevertheless() -> None:
    (found,) = found_on(bus(SERIALS[:1]), Plan([FIRST], clients=(16, 32)))
    assert found.client is None
    assert "without a password" in found.note


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("1-3", [1, 2, 3]), ("17, 20-22", [17, 20, 21, 22]), ("5,5,4-6", [5, 4, 6]), ("0", [0])],
)
def test_ranges_of_addresses_are_taken_as_written(text, numbers) -> None:
    assert addresses_in(text) == numbers


@pytest.mark.parametrize("text", ["", "x", "3-1", "1-99999", "-4", "1-", "1--2"])
def test_what_is_no_range_is_refused(text) -> None:
    with pytest.raises(BadInput):
        addresses_in(text)


def test_the_preview_shows_the_octets_of_a_serials_address() -> None:
    shown = preview(load_meter_type("hexcell-ddsy1088"), "46000755036")
    assert (shown.physical, shown.octets) == (6036, "00 02 5E 29")
    assert preview(load_meter_type("generic-dlms"), "123", "SN % 100 + 16").physical == 39
    with pytest.raises(BadInput):
        preview(load_meter_type("generic-dlms"), "123")


def test_a_meter_is_remembered_by_its_serial(tmp_path) -> None:
    (found,) = found_on(bus(SERIALS[:1]), Plan([FIRST]))
    remember(tmp_path, "tcp://concentrator:4059", found)
    place = place_of(tmp_path, SERIALS[0])
    assert (place["link"], place["physical"]) == ("tcp://concentrator:4059", FIRST)
    with pytest.raises(NotFound):
        place_of(tmp_path, "1")


def test_an_address_of_one_octet_is_found_where_it_is_asked_for() -> None:
    kind = with_serial(load_meter_type("hexcell-ddsy1088"), SERIALS[0])
    assert replace(kind.dlms).physical == FIRST
    assert found_on(bus(SERIALS[:1]), Plan([1], one_part=True)) == []
