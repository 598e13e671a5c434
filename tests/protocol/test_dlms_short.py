"""A meter with short names gives the same as one with logical names, and is asked as little."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.services.connection import Overrides, Target, connect
from drivers.calendar import Calendar, Day, Season, SpecialDay, SwitchingPoint, Week
from drivers.dlms.acse import transformed
from drivers.dlms.apdu import Attribute
from drivers.dlms.ciphering import length_octets, sealed, unsealed
from drivers.dlms.meter import DlmsMeter
from drivers.dlms.scan import Plan, scan
from drivers.dlms.shortnames import RememberedNames
from drivers.errors import AccessDenied, GarbledReply, NoReply, NotSupported, ValueRefused
from drivers.find import by_dlms as find_by_dlms
from drivers.metertype import LogType, MeterType, RegisterType, ShortName, load_meter_type
from drivers.secrets import Secret, Secrets
from drivers.switching import Switching
from drivers.values import Span
from tests.protocol.block_meter import HdlcBlockLink
from tests.protocol.dlms_meter import WrapperMeterLink
from tests.protocol.short_meter import (
    ALL,
    BLOCKS,
    KEYED_CONTEXT,
    LISTS,
    READ,
    SELECTORS,
    UNCONFIRMED,
    WRITE,
    ShortMeterLink,
)
from tests.protocol.test_dlms_blocks import BOTH, KEYS, TITLE
from tests.protocol.test_dlms_meter import CLOCK, LOG, PROFILE, buffer, captured, octets, row
from tests.protocol.test_dlms_meter import objects as logical_objects

NOW = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
RELAY = "0.0.96.3.10.255"
MODULE = "1.1.0.2.0.255"


def objects() -> dict:
    rows = [row(NOW + timedelta(minutes=15 * n), 0, 1000 + n) for n in range(40)]
    events = [b"\x02\x02" + octets(rows[n][4:16]) + b"\x11" + bytes((n,)) for n in range(3)]
    return logical_objects() | {
        (1, MODULE, 2): b"\x0a\x05G12.3",
        (7, PROFILE, 2): buffer(rows),
        (7, LOG, 2): buffer(events),
        (7, LOG, 3): captured((8, CLOCK, 2), (1, "0.0.96.11.0.255", 2)),
        (7, LOG, 4): b"\x06\x00\x00\x00\x00",
        (1, "0.0.96.11.0.255", 2): b"\x11\x00",
    }


def kind(framing: str = "wrapper", **dlms: object) -> MeterType:
    base = load_meter_type("generic-dlms")
    return replace(
        base,
        framing=framing,
        registers=(RegisterType("1-0:1.8.0.255"), RegisterType("1-0:32.7.0.255")),
        logs=(LogType("0-0:99.98.0.255"),),
        dlms=replace(base.dlms, **{"referencing": "short", **dlms}),
    )


def driver(
    link: WrapperMeterLink, *, names: RememberedNames | None = None, **dlms: object
) -> DlmsMeter:
    start = link.now()
    return DlmsMeter(
        link,
        kind(**dlms),
        Secrets(Secret(b"open sesame"), KEYS.authentication, KEYS.encryption),
        wall=lambda: NOW + timedelta(seconds=link.now() - start),
        names=names,
    )


def everything(meter: DlmsMeter) -> list[object]:
    info = meter.profile_info("1-0:99.1.0.255")
    rows = [one for block in meter.profile(info, Span()) for one in block.rows]
    return [
        meter.identity(),
        list(meter.registers()),
        meter.object("1-0:1.6.0.255"),
        info,
        rows,
        list(meter.events()),
        meter.relay(),
        [meter.raw("1-0:1.8.0.255", 3, 2), meter.raw("0-0:1.0.0.255", 8, 2)],
    ]


# --- the same -----------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [0, 40])
@pytest.mark.parametrize("conformance", [ALL, ALL & ~LISTS, READ | BLOCKS])
def test_callers_see_no_difference_to_logical_names(block, conformance) -> None:
    short, logical = ShortMeterLink(objects(), block=block, conformance=conformance), objects()
    with driver(WrapperMeterLink(logical), referencing="logical") as meter:
        expected = everything(meter)
    with driver(short) as meter:
        assert everything(meter) == expected
    assert {apdu[0] for apdu in short.heard} == {0x60, 0x05, 0x62}


def test_several_values_come_in_one_request() -> None:
    link = ShortMeterLink(objects())
    with driver(link) as meter:
        meter.objects()
        before = len(link.heard)
        wanted = [("1-0:1.8.0.255", 3, 2), ("1-0:2.8.0.255", 3, 2), ("9-9:9.9.9.9", 1, 2)]
        found = meter.read_objects([*wanted, ("0-0:1.0.0.255", 8, 2)])
    (asked,) = [apdu for apdu in link.heard[before:] if apdu[0] == 5 and apdu[1] > 1]
    assert asked[:2] == b"\x05\x03"
    assert [bool(one.refused) for one in found] == [False, True, True, False]
    assert found[0].reading.value == Decimal("61561.289")


def test_a_range_goes_as_a_parameterised_access() -> None:
    asked: list[bytes] = []
    found = objects()
    rows = [row(NOW + timedelta(minutes=15 * n), 0, n) for n in range(4)]
    found[7, PROFILE, 2] = lambda selector: asked.append(selector) or buffer(rows[1:3])
    link = ShortMeterLink(found)
    with driver(link) as meter:
        info = meter.profile_info("1-0:99.1.0.255")
        span = Span(start=NOW + timedelta(minutes=15), end=NOW + timedelta(minutes=30))
        got = [one for block in meter.profile(info, span) for one in block.rows]
    assert [one.values[0] for one in got] == [Decimal("0.001"), Decimal("0.002")]
    assert asked[0][:5] == bytes.fromhex("0102040204")


def test_without_selectors_all_rows_are_read_and_sorted_out() -> None:
    link = ShortMeterLink(objects(), conformance=ALL & ~SELECTORS)
    with driver(link) as meter:
        info = meter.profile_info("1-0:99.1.0.255")
        span = Span(start=NOW + timedelta(minutes=15), end=NOW + timedelta(minutes=30))
        assert sum(len(block.rows) for block in meter.profile(info, span)) == 2
    assert any("takes no selectors" in remark for remark in link.statistics.remarks)


# --- writes and methods -------------------------------------------------------------------------


def test_the_clock_is_set_with_a_write_and_read_back() -> None:
    link = ShortMeterLink(objects())
    with driver(link) as meter:
        after = meter.set_clock(NOW + timedelta(seconds=7))
    assert after.meter_time == NOW + timedelta(seconds=7)
    assert next(apdu for apdu in link.heard if apdu[0] == 6)[:3] == bytes.fromhex("060102")


def test_a_meter_that_takes_only_unconfirmed_writes_is_read_back_all_the_same() -> None:
    link = ShortMeterLink(objects(), conformance=READ | UNCONFIRMED | LISTS)
    with driver(link) as meter:
        assert meter.set_clock(NOW).meter_time == NOW
    assert {apdu[0] for apdu in link.heard} == {0x60, 0x05, 0x16, 0x62}


def test_the_supply_switch_is_worked_through_its_methods() -> None:
    found = objects()
    link = ShortMeterLink(found)
    state = {0x1020: b"\x03\x00", 0x1028: b"\x03\x01"}
    base = link.bases[70, RELAY]

    def output(_selector: bytes) -> bytes:
        called = [name - base + 0x1000 for name, _ in link.written]
        return state[called[-1]] if called else b"\x03\x01"

    found[70, RELAY, 2] = output
    found[70, RELAY, 3] = lambda selector: b"\x16" + output(selector)[1:]
    with driver(link) as meter:
        assert not meter.switch(Switching.OPEN).output
        assert meter.switch(Switching.CLOSE).output
    assert link.written == [(base + 0x20, b"\x0f\x00"), (base + 0x28, b"\x0f\x00")]


def test_a_long_value_is_written_in_blocks() -> None:
    found = objects() | {(1, "0.0.96.50.0.255", 2): b"\x00"}
    link = ShortMeterLink(found, pdu=64)
    value = b"\x09\x78" + bytes(range(120))
    with driver(link) as meter:
        assert meter.write_raw("0-0:96.50.0.255", 1, 2, value) == value
    sent = [apdu for apdu in link.heard if apdu[0] == 6]
    assert [apdu[2] for apdu in sent] == [7, 7, 7]
    assert max(map(len, sent)) <= 64


def test_without_blocks_a_long_value_is_refused_before_anything_is_sent() -> None:
    found = objects() | {(1, "0.0.96.50.0.255", 2): b"\x00"}
    link = ShortMeterLink(found, pdu=64, conformance=READ | WRITE)
    with driver(link) as meter, pytest.raises(NotSupported, match="too long"):
        meter.write_raw("0-0:96.50.0.255", 1, 2, bytes(120))
    assert not [apdu for apdu in link.heard if apdu[0] == 6]


@pytest.mark.parametrize(
    ("class_id", "code", "method", "offset"),
    [(20, "0.0.13.0.0.255", 1, 0x50), (18, "0.0.44.0.0.255", 3, 0x50), (70, RELAY, 2, 0x28)],
)
def test_methods_are_written_to_where_their_class_has_them(class_id, code, method, offset) -> None:
    link = ShortMeterLink(objects() | {(class_id, code, 4): b"\x16\x04"})
    name = bytes(map(int, code.split(".")))
    with driver(link) as meter:
        assert meter._session.action(Attribute(class_id, name, method), "it", b"\x0f\x00") == b""
    assert link.written == [(link.bases[class_id, code] + offset, b"\x0f\x00")]


class ReadsMethods(ShortMeterLink):
    """Takes a call of a method as a Read with a parameter only."""

    def _kept(self, name: int, data: bytes) -> bytes:
        count = len(self.written)
        result = super()._kept(name, data)
        if len(self.written) == count:
            return result
        self.written.pop()
        return b"\x01\x04"


@pytest.mark.parametrize("conformance", [ALL, ALL & ~WRITE])
def test_methods_that_cannot_be_written_to_are_read_with_their_parameter(conformance) -> None:
    link = ReadsMethods(objects(), conformance=conformance)
    with driver(link) as meter:
        call = Attribute(70, bytes((0, 0, 96, 3, 10, 255)), 1)
        assert meter._session.action(call, "the switch", b"\x0f\x00") == b"\x09\x02ok"
    assert link.written == [(link.bases[70, RELAY] + 0x20, b"\x0f\x00")]


def test_a_method_that_is_denied_is_not_tried_in_another_way() -> None:
    class Denying(ShortMeterLink):
        def _kept(self, name: int, data: bytes) -> bytes:
            return b"\x01\x03"

    link = Denying(objects())
    call = Attribute(70, bytes((0, 0, 96, 3, 10, 255)), 1)
    with driver(link) as meter, pytest.raises(AccessDenied):
        meter._session.action(call, "the switch", b"\x0f\x00")
    assert link.written == []


def test_a_switching_table_is_written_activated_and_read_back() -> None:
    code = "0.0.13.0.0.255"
    found = objects()
    link = ShortMeterLink(found)
    for n in range(4):
        found[20, code, 6 + n] = b"\x01\x00" if n else octets(b"")
        found[20, code, 2 + n] = lambda _selector, n=n: found[20, code, 6 + n]
    found[20, code, 10] = octets(b"\xff" * 12)
    found[11, "0.0.11.0.0.255", 2] = b"\x01\x00"
    link.bases = link.placed(0x1000)
    table = Calendar(
        "SUMMER",
        (Season("S1", "04-01", "W1"),),
        (Week("W1", (1,) * 7),),
        (Day(1, (SwitchingPoint("06:00", 1), SwitchingPoint("22:00", 2))),),
    )
    with driver(link) as meter:
        after = meter.write_calendar(table, (SpecialDay(1, "2026-12-25", 1),), None)
    assert after.active == table
    assert link.written == [(link.bases[20, code] + 0x50, b"\x0f\x00")]
    assert [apdu[0] for apdu in link.heard].count(6) == 6


def test_a_method_that_answers_is_read_with_its_parameter() -> None:
    link = ShortMeterLink(objects() | {(115, "0.0.19.40.0.255", 6): b"\x00"})
    place = kind().dlms
    with driver(link, method_places=()) as meter, pytest.raises(NotSupported, match="class 115"):
        meter._session.action(Attribute(115, bytes((0, 0, 19, 40, 0, 255)), 1), "the gateway")
    assert place.method_places == ()


# --- names --------------------------------------------------------------------------------------


def test_the_name_of_the_device_is_read_without_the_list() -> None:
    link = ShortMeterLink(objects())
    with driver(link, short_names=(ShortName("1-1:0.2.0.255", 0xFF00),)) as meter:
        assert meter.object("0-0:42.0.0.255").text == "LGZ00018438"
        assert meter.object("1-1:0.2.0.255", 1).text == "G12.3"
    assert [apdu.hex() for apdu in link.heard if apdu[0] == 5] == ["050102fd08", "050102ff08"]


def test_a_fixed_name_that_holds_nothing_is_looked_up_in_the_list() -> None:
    link = ShortMeterLink(objects())
    link.bases[1, "0.0.42.0.0.255"] = 0x0500
    with driver(link) as meter:
        assert meter.identity().logical_device_name == "LGZ00018438"


def lists_read(link: ShortMeterLink) -> int:
    return sum(apdu.hex() == "050102fa08" for apdu in link.heard)


def test_a_list_is_kept_for_meters_of_the_same_make_and_firmware() -> None:
    names, own = RememberedNames(), (ShortName("1-1:0.2.0.255", 0xFF00),)
    for count in (1, 0):
        link = ShortMeterLink(objects())
        with driver(link, names=names, short_names=own) as meter:
            assert next(one.value for one in meter.registers()) == Decimal("61561.289")
        assert lists_read(link) == count


def test_a_list_is_kept_in_the_data_folder_from_program_to_program(tmp_path) -> None:
    wanted = Overrides(framing="wrapper", referencing="short", general_blocks=False)
    target = Target("fake", "generic-dlms", overrides=wanted, data=tmp_path)
    for count in (1, 0):
        link = ShortMeterLink(objects())
        with connect(target, opener=lambda *_, link=link: link) as meter:
            assert meter.relay().output
        assert lists_read(link) == count
    (kept,) = (tmp_path / "objects").iterdir()
    assert kept.read_bytes() == link.object_list()


def test_a_list_that_cannot_be_kept_does_not_end_a_reading(tmp_path, caplog) -> None:
    (tmp_path / "objects").write_text("in the way")
    wanted = Overrides(framing="wrapper", referencing="short", general_blocks=False)
    target = Target("fake", "generic-dlms", overrides=wanted, data=tmp_path)
    link = ShortMeterLink(objects())
    with connect(target, opener=lambda *_: link) as meter:
        assert meter.relay().output
    assert "not kept" in caplog.text


def test_an_object_of_a_kept_list_shows_its_name_before_it_is_believed() -> None:
    names, own = RememberedNames(), (ShortName("1-1:0.2.0.255", 0xFF00),)
    with driver(ShortMeterLink(objects()), names=names, short_names=own) as meter:
        meter.relay()
    moved = ShortMeterLink(dict(reversed(objects().items())))
    with driver(moved, names=names, short_names=own) as meter:
        assert next(one.value for one in meter.registers()) == Decimal("61561.289")
    assert lists_read(moved) == 1


def test_a_damaged_kept_list_is_read_anew() -> None:
    class Damaged(RememberedNames):
        def kept(self, key: str) -> bytes:
            return super().kept(key)[:20]

    names = Damaged()
    for _ in range(2):
        link = ShortMeterLink(objects())
        with driver(link, names=names) as meter:
            assert meter.relay().output
        assert lists_read(link) == 1


def test_the_object_list_tells_class_and_code_and_rights_where_there_are_any() -> None:
    link = ShortMeterLink(objects())
    with driver(link) as meter:
        listed = meter.objects()
    assert {(one.class_id, one.code) for one in listed} >= {
        (12, "0-0:40.0.0.255"),
        (8, "0-0:1.0.0.255"),
    }
    assert all(one.attributes == () for one in listed)


# --- finding ------------------------------------------------------------------------------------


def test_a_meter_that_refuses_logical_names_is_found_with_short_ones() -> None:
    link = ShortMeterLink(objects())
    found = find_by_dlms(link, "wrapper")
    assert found.logical_device_name == "LGZ00018438"
    assert found.meter_type.dlms.referencing == "short"
    assert found.protocol == "DLMS/COSEM, TCP wrapper, short names"
    assert [apdu[0] for apdu in link.heard].count(0x60) == 2


def test_a_meter_with_logical_names_is_asked_once() -> None:
    link = WrapperMeterLink(logical_objects())
    assert find_by_dlms(link, "wrapper").meter_type.dlms.referencing == "logical"
    assert [apdu[0] for apdu in link.heard].count(0x60) == 1


def over_hdlc(conformance: int = ALL) -> HdlcBlockLink:
    """A meter with short names and one-octet addresses, over HDLC; it offers no general blocks."""
    inner = ShortMeterLink(objects(), block=90, conformance=conformance)
    link = HdlcBlockLink(objects(), cut=60_000)
    link.blocks.answer = inner.answer
    return link


def test_a_meter_on_a_bus_is_asked_for_short_names_as_well() -> None:
    link = over_hdlc()
    plan = Plan([1], one_part=True, clients=(16,))
    (looked,) = scan(link, load_meter_type("generic-dlms"), plan)
    assert looked.found.identity.logical_device_name == "LGZ00018438"
    assert looked.found.meter_type.dlms.referencing == "short"


@pytest.mark.parametrize("conformance", [ALL, READ | UNCONFIRMED | LISTS | BLOCKS])
def test_short_names_go_over_hdlc_as_over_a_network(conformance) -> None:
    with driver(over_hdlc(conformance), framing="hdlc") as meter:
        assert next(one.value for one in meter.registers()) == Decimal("61561.289")
        assert meter.set_clock(NOW).meter_time == NOW
        info = meter.profile_info("1-0:99.1.0.255")
        assert sum(len(block.rows) for block in meter.profile(info, Span())) == 40


# --- ciphered -----------------------------------------------------------------------------------


class CipheredShortLink(ShortMeterLink):
    """Answers ciphered to requests that are; its context is that of short names with ciphering."""

    counter = 0

    def answer(self, apdu: bytes) -> bytes | None:
        self.counter += 1
        if apdu[0] == 0x60:
            assert KEYED_CONTEXT in apdu
            initiate = self._sealed(bytes.fromhex("0800065F1F04001C1A200200FA00"))
            fields = bytes.fromhex("A109060760857405080104A203020100A305A103020100A40A0408")
            fields += TITLE + b"\xbe" + bytes((len(initiate) + 2, 4, len(initiate))) + initiate
            return b"\x61" + bytes((len(fields),)) + fields
        if apdu[0] == 0x62:
            return b"\x63\x03\x80\x01\x00"
        assert apdu[0] in {0x25, 0x26}
        clear = unsealed(KEYS, b"MWR\x00\x00\x00\x00\x01", apdu[2 if apdu[1] < 0x80 else 3 :])
        assert clear[0] == apdu[0] - 0x20
        return self._sealed(super().answer(clear) or b"")

    def _sealed(self, clear: bytes) -> bytes:
        body = sealed(KEYS, TITLE, self.counter, BOTH, clear)
        return bytes((clear[0] + 0x20,)) + length_octets(len(body)) + body


def test_short_names_go_ciphered_as_well() -> None:
    link = CipheredShortLink(objects(), block=90)
    with driver(link, security="both", counter="") as meter:
        assert next(one.value for one in meter.registers()) == Decimal("61561.289")
        assert meter.set_clock(NOW).meter_time == NOW
    assert {apdu[0] for apdu in link.heard} == {0x60, 0x25, 0x26, 0x62}


def test_a_challenge_is_answered_by_a_read_with_a_parameter() -> None:
    """HLS 2: the answer to the meter's challenge goes to the association's eighth method."""

    class Challenging(ShortMeterLink):
        def answer(self, apdu: bytes) -> bytes | None:
            if apdu[0] == 0x60:
                self.ours = apdu[apdu.index(b"\xac\x12\x80\x10") + 4 :][:16]
                head = bytes.fromhex("A109060760857405080102A203020100A305A10302010E")
                head += b"\x88\x02\x07\x80\x89\x07" + bytes.fromhex("60857405080202")
                head += b"\xaa\x12\x80\x10" + bytes(range(16))
                head += bytes.fromhex("BE10040E0800065F1F04001C1A200200FA00")
                return b"\x61" + bytes((len(head),)) + head
            return super().answer(apdu)

        def _called(self, name: int, selector: bytes) -> bytes:
            super()._called(name, selector)
            return octets(transformed(Secret(b"open sesame"), self.ours))

    link = Challenging(objects())
    with driver(link, auth="high"):
        pass
    wanted = octets(transformed(Secret(b"open sesame"), bytes(range(16))))
    assert link.written == [(0xFA58, wanted)]
    assert link.secrets[-1][:5] == bytes.fromhex("050104FA58")


# --- what goes wrong ----------------------------------------------------------------------------


def test_an_absent_object_is_not_asked_for() -> None:
    link = ShortMeterLink(objects())
    with driver(link) as meter, pytest.raises(NotSupported):
        meter.object("1-0:99.99.0.255")


def test_a_meter_that_answers_for_logical_names_is_refused() -> None:
    with pytest.raises(NotSupported, match="way of naming"):
        driver(WrapperMeterLink(objects())).__enter__()


def test_a_late_answer_never_passes_for_the_next() -> None:
    """Read answers have no number: behind one that stayed away the association is built anew."""
    found = objects()
    link = ShortMeterLink(found)
    with driver(link) as meter:
        meter.objects()
        link.delay = 10.0  # longer than the client waits
        with pytest.raises(NoReply):
            meter.raw("1-0:1.8.0.255", 3, 2)
        link.delay = 0.2
        assert meter.raw("1-0:32.7.0.255", 3, 2) == found[3, "1.0.32.7.0.255", 2]
    assert [apdu[0] for apdu in link.heard].count(0x60) == 2


def test_a_denied_object_does_not_stop_the_others() -> None:
    found = objects()
    found[3, "1.0.1.8.0.255", 2] = 3
    with driver(ShortMeterLink(found)) as meter:
        assert [one.obis for one in meter.registers()] == ["1-0:32.7.0.255"]
        with pytest.raises(AccessDenied):
            meter.raw("1-0:1.8.0.255", 3, 2)


def test_a_block_out_of_order_is_garbled() -> None:
    class Skipping(ShortMeterLink):
        def _block(self, number: int) -> bytes:
            return super()._block(number + (number > 1))

    with driver(Skipping(objects(), block=40)) as meter, pytest.raises(GarbledReply, match="block"):
        meter.objects()


def test_what_reads_back_otherwise_is_refused() -> None:
    class Forgetful(ShortMeterLink):
        def _kept(self, name: int, data: bytes) -> bytes:
            return b"\x00"

    with driver(Forgetful(objects())) as meter, pytest.raises(ValueRefused):
        meter.write_raw("1-0:1.8.0.255", 3, 2, b"\x06\x00\x00\x00\x00")


def test_an_information_report_in_between_is_handed_on_with_its_object() -> None:
    class Talking(ShortMeterLink):
        def write(self, data: bytes, *, secret: bool = False) -> None:
            super().write(data, secret=secret)
            if data[8] == 5:
                name = self.bases[3, "1.0.1.8.0.255"] + 8
                report = b"\x18\x00\x01\x02" + name.to_bytes(2, "big") + b"\x01\x11\x07"
                head = b"\x00\x01\x00\x01\x00\x10" + len(report).to_bytes(2, "big")
                self.answers.insert(0, (self.now() + 0.1, head + report))

    with driver(Talking(objects())) as meter:
        meter.relay()
        found = meter.notifications()
    assert found[-1].value == 7
    assert found[-1].source == (3, bytes((1, 0, 1, 8, 0, 255)), 2)
