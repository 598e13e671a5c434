"""Short names: the bytes of Read and Write, places of attributes and methods, reports."""

import contextlib
import itertools
from datetime import UTC, datetime

import pytest
from gurux_dlms import GXByteBuffer, GXDLMSClient
from gurux_dlms.enums import InterfaceType, ObjectType
from hypothesis import given
from hypothesis import strategies as st

from drivers.dlms import basenames, shortapdu
from drivers.dlms.acse import OwnAssociating
from drivers.dlms.apdu import Attribute, answers
from drivers.dlms.basenames import BaseNames, Entry
from drivers.dlms.lists import listed
from drivers.dlms.push import information_report, notifications
from drivers.dlms.selectors import by_entry
from drivers.dlms.shortapdu import Variable
from drivers.errors import (
    AccessDenied,
    DriverError,
    GarbledReply,
    MeterBusy,
    NotSupported,
    ValueRefused,
)
from drivers.metertype import Dlms, MethodPlace, ShortName
from drivers.secrets import Secret

CLOCK = bytes((0, 0, 1, 0, 0, 255))
SHORT = Dlms(referencing="short")


def gurux() -> GXDLMSClient:
    client = GXDLMSClient(False, 16, 1, interfaceType=InterfaceType.PDU)
    client.proposedConformance = client.negotiatedConformance = 0xFFFFFF
    return client


# --- the association ----------------------------------------------------------------------------


def test_a_short_association_names_its_context_and_its_services() -> None:
    apdu = OwnAssociating(SHORT, None, None).request()
    assert apdu.hex() == (
        "601d" + "a109060760857405080102" + "be10040e" + "01000000065f1f0400" + "1c1b20" + "0400"
    )


def test_a_password_goes_with_short_names_as_with_logical_ones() -> None:
    own = OwnAssociating(Dlms(referencing="short", auth="low"), Secret(b"pw"), None)
    assert own.secret
    assert bytes.fromhex("8A0207808B0760857405080201AC0480027077") in own.request()


def test_the_answer_must_speak_of_short_names() -> None:
    def aare(initiate: str) -> bytes:
        fields = "A109060760857405080102A203020100A305A103020100BE10040E"
        body = bytes.fromhex(fields + initiate)
        return bytes((0x61, len(body))) + body

    agreed = OwnAssociating(SHORT, None, None).agreed(aare("0800065F1F04001C1A200200FA00"))
    assert agreed.max_pdu == 512
    assert agreed.parameterised
    assert agreed.lists
    assert agreed.unconfirmed
    with pytest.raises(NotSupported, match="way of naming"):
        OwnAssociating(SHORT, None, None).agreed(aare("0800065F1F04001C1A2002000007"))
    with pytest.raises(NotSupported, match="way of naming"):
        OwnAssociating(Dlms(), None, None).agreed(aare("0800065F1F04001C1A200200FA00"))


# --- requests -----------------------------------------------------------------------------------


def test_requests_have_the_bytes_of_the_standard() -> None:
    one, other = Variable(0x0128), Variable(0xFA08)
    assert shortapdu.read_request([one]).hex() == "0501020128"
    assert shortapdu.read_request([one, other]).hex() == "050202012802fa08"
    assert shortapdu.read_next_request(3).hex() == "0501050003"
    selected = Variable(0x0128, by_entry(1, 0))
    assert shortapdu.read_request([selected]).hex() == (
        "0501040128" + "02" + "0204" + "0600000001" + "0600000000" + "120001" + "120000"
    )
    assert shortapdu.write_request([one], [b"\x11\x05"]).hex() == "0601020128" + "011105"
    two = shortapdu.write_request([one, other], [b"\x11\x05", b"\x00"], confirmed=False)
    assert two.hex() == "160202012802fa08" + "02110500"


def test_requests_have_the_bytes_the_library_gives() -> None:
    read = gurux()._read(0x0100, ObjectType.CLOCK, 2)[0]
    assert shortapdu.read_request([Variable(0x0108)]) == bytes(read)
    selector = by_entry(1, 0)
    rows = gurux()._read(0x0200, ObjectType.PROFILE_GENERIC, 2, GXByteBuffer(selector))[0]
    assert shortapdu.read_request([Variable(0x0208, selector)]) == bytes(rows)


def test_a_long_write_is_its_own_coded_list_in_blocks() -> None:
    value = b"\x09\x20" + bytes(range(32))
    request = shortapdu.write_request([Variable(0x0128)], [value])
    sent = list(shortapdu.write_blocks(request, 26))
    assert sent[0].hex() == "060107" + "00" + "0001" + "01" + "090e" + request[1:15].hex()
    assert [one[3] for one in sent] == [0, 0, 1]
    assert b"".join(one[9:] for one in sent) == request[1:]
    assert all(len(one) <= 26 for one in sent)


def test_an_answer_fits_the_service_that_was_asked() -> None:
    read, write = b"\x05\x01\x02\x01\x28", b"\x06\x01\x02\x01\x28\x01\x00"
    assert answers(b"\x0c\x01\x00\x11\x05", read)
    assert answers(b"\x0d\x01\x00", write)
    assert answers(b"\x0e\x05\x05\x01", read)
    assert not answers(b"\x0d\x01\x00", read)
    assert not answers(b"\xc4\x01\xc1\x00\x00", read)


# --- answers ------------------------------------------------------------------------------------


def single(text: str) -> bytes:
    data = shortapdu.read_answer(bytes.fromhex(text), "it")
    return b"".join(shortapdu.single(iter([data.raw]), "it"))


def test_a_single_answer_is_its_data() -> None:
    assert single("0C 01 00 06 00000001") == bytes.fromhex("0600000001")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("0C 01 01 04", NotSupported),
        ("0C 01 01 03", AccessDenied),
        ("0C 01 01 02", MeterBusy),
        ("0E 05 05 01", AccessDenied),
        ("0E 05 04 01", NotSupported),
        ("0E 05 01 00", MeterBusy),
        ("0E 05", GarbledReply),
        ("D8 01 01", AccessDenied),
        ("D8 02 02", NotSupported),
        ("0C 02 00 00 00 00", GarbledReply),
        ("0C 01 03 00", GarbledReply),
        ("0C 01", GarbledReply),
        ("0D 01 00", GarbledReply),
        ("", GarbledReply),
    ],
)
def test_a_refused_read_is_told_by_its_remedy(text, kind) -> None:
    with pytest.raises(kind):
        single(text)


def test_a_block_of_a_read_has_its_number_and_its_end() -> None:
    data = shortapdu.read_answer(bytes.fromhex("0C 01 02 01 0003 02 AABB"), "it")
    assert (data.raw, data.number, data.last) == (b"\xaa\xbb", 3, True)
    for wrong in ("0C 01 02 01 0003 03 AABB", "0C 01 02 01 0003", "0C 01 02 01 0003 01 AABB"):
        with pytest.raises(GarbledReply):
            shortapdu.read_answer(bytes.fromhex(wrong), "it")


def test_several_values_are_listed_with_what_was_refused() -> None:
    data = shortapdu.read_answer(bytes.fromhex("0C 03 00 1105 01 03 00 00"), "it")
    five, denied, nothing = listed(data.raw, ["a", "b", "c"])
    assert (five, nothing) == (5, None)
    assert isinstance(denied, AccessDenied)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("0D 01 01 03", AccessDenied),
        ("0D 01 01 0C", ValueRefused),
        ("0D 01 01", GarbledReply),
        ("0D 02 00 00", GarbledReply),
        ("0D 01 00 00", GarbledReply),
        ("0D 01 05", GarbledReply),
        ("0E 06 05 02", AccessDenied),
    ],
)
def test_a_refused_write_is_told_by_its_remedy(text, kind) -> None:
    with pytest.raises(kind):
        shortapdu.write_answer(bytes.fromhex(text), ["it"])


def test_a_write_block_must_be_acknowledged_by_its_number() -> None:
    shortapdu.write_block_taken(bytes.fromhex("0D 01 02 0002"), 2, "it")
    with pytest.raises(GarbledReply, match="another block"):
        shortapdu.write_block_taken(bytes.fromhex("0D 01 02 0003"), 2, "it")
    with pytest.raises(GarbledReply, match="before its last"):
        shortapdu.write_block_taken(bytes.fromhex("0D 01 00"), 2, "it")
    with pytest.raises(AccessDenied):
        shortapdu.write_block_taken(bytes.fromhex("0D 01 01 03"), 2, "it")


@given(st.binary(max_size=40))
def test_random_answers_give_only_our_own_errors(data) -> None:
    for head in (b"", b"\x0c", b"\x0c\x01\x02", b"\x0d\x01", b"\x0e\x05", b"\xd8"):
        try:
            read = shortapdu.read_answer(head + data, "it")
            list(shortapdu.single(iter([read.raw]), "it"))
        except DriverError:
            pass
        with contextlib.suppress(DriverError):
            shortapdu.write_answer(head + data, ["it"])


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("class_id", "method", "offset"),
    [(3, 1, 0x28), (7, 2, 0x60), (8, 6, 0x88), (9, 1, 0x20), (12, 8, 0x58), (18, 4, 0x58),
     (20, 1, 0x50), (70, 1, 0x20), (70, 2, 0x28), (72, 1, 0x60)],
)  # fmt: skip
def test_methods_lie_where_their_class_says(class_id, method, offset) -> None:
    assert Entry(0x1000, class_id, 0, CLOCK).method(method, {}) == 0x1000 + offset


def test_methods_of_a_class_nobody_knows_are_refused_until_the_type_says_where() -> None:
    gateway = Entry(0x1000, 115, 0, CLOCK)
    with pytest.raises(NotSupported, match="class 115"):
        gateway.method(1, {})
    place = MethodPlace(115, 0x30)
    assert gateway.method(1, {place.class_id: place.offset}) == 0x1030
    assert Entry(0x1000, 72, 1, CLOCK).method(1, {}) == 0x1070


def test_attributes_lie_eight_apart_and_never_outside() -> None:
    entry = Entry(0xFFF0, 3, 0, CLOCK)
    assert entry.attribute(2) == 0xFFF8
    with pytest.raises(NotSupported):
        entry.attribute(3)


def test_the_object_list_is_read_with_its_signed_base_names() -> None:
    raw = bytes.fromhex(
        "0102" + "0204" "10FA00" "12000C" "1100" "09060000280000FF"
        + "0204" "100100" "120008" "1100" "09060000010000FF"
    )  # fmt: skip
    names = basenames.listed(raw)
    association, clock = names.entries
    assert association.base == 0xFA00
    assert names.get(8, CLOCK) is clock
    assert names.get(3, CLOCK) is None
    assert names.attribute_at(0x0108) == Attribute(8, CLOCK, 2)
    assert names.attribute_at(0x0109) is None
    assert BaseNames(()).attribute_at(1) is None


@pytest.mark.parametrize("raw", ["", "00", "0101 0203 100100 120008 1100", "0101 1105"])
def test_what_is_no_object_list_is_garbled(raw) -> None:
    with pytest.raises(GarbledReply):
        basenames.listed(bytes.fromhex(raw.replace(" ", "")))


def test_some_names_are_the_same_in_every_meter_and_some_the_type_knows() -> None:
    own = ShortName("1-1:0.2.0.255", 0xFF00)
    names = basenames.direct(Dlms(referencing="short", short_names=(own,)))
    assert names.get(12, bytes((0, 0, 40, 0, 0, 255))).base == 0xFA00
    assert names.get(1, bytes((0, 0, 42, 0, 0, 255))).base == 0xFD00
    assert names.get(1, bytes((1, 1, 0, 2, 0, 255))).attribute(2) == 0xFF08


def test_access_rights_are_told_by_base_name() -> None:
    value = [(-0x0600, [(1, 1, None), (2, 3, [1])], [(1, 1), (2, 0)])]
    assert basenames.rights(value) == {0xFA00: (((1, 1), (2, 3)), (1,))}
    for wrong in (None, [1], [(1, 2, 3)], [(1, [(1,)], [])]):
        with pytest.raises(GarbledReply):
            basenames.rights(wrong)


# --- information reports ------------------------------------------------------------------------


def test_an_information_report_tells_each_variable() -> None:
    apdu = bytes.fromhex("18 00 02 02 0108 02 0208 02 1105 1200FF")
    assert [(one.name, one.value) for one in information_report(apdu)] == [(264, 5), (520, 255)]
    assert len(notifications([apdu], None)) == 2


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("01 0F" + b"20261128221500Z".hex(), datetime(2026, 11, 28, 22, 15, tzinfo=UTC)),
        ("01 13" + b"20261128221500+0100".hex(), datetime(2026, 11, 28, 21, 15, tzinfo=UTC)),
        ("0C 07EA0B1CFF160F00FF000000", datetime(2026, 11, 28, 22, 15, tzinfo=UTC)),
        ("01 05" + b"later".hex(), None),
    ],
)
def test_a_report_may_have_its_time_as_text_or_as_octets(time, expected) -> None:
    (one,) = information_report(bytes.fromhex(f"18 {time} 01 02 0108 01 1105"))
    assert (one.time.utc() if one.time else None) == expected


@pytest.mark.parametrize(
    "data", ["", "18", "1800", "180001", "180001020108", "18000102010802110500", "180001050108",
             "18000102010801110500", "1801FF"]
)  # fmt: skip
def test_a_report_with_wrong_counts_is_garbled(data) -> None:
    with pytest.raises(GarbledReply):
        information_report(bytes.fromhex(data))


# --- any cut ------------------------------------------------------------------------------------


@given(st.binary(max_size=60), st.lists(st.integers(0, 70), max_size=5))
def test_a_result_cut_anywhere_is_the_same(value, cuts) -> None:
    body = b"\x01\x00\x09" + bytes((len(value),)) + value
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    parts = [body[a:b] for a, b in itertools.pairwise(places)]
    assert b"".join(shortapdu.single(iter(parts), "it")) == body[2:]


@given(st.binary(min_size=1, max_size=300), st.integers(1, 80))
def test_a_write_in_blocks_of_any_size_is_the_same_list(value, size) -> None:
    request = shortapdu.write_request([Variable(0x0128)], [value])
    sent = list(shortapdu.write_blocks(request, size))
    raw = b""
    for number, one in enumerate(sent, 1):
        assert int.from_bytes(one[4:6], "big") == number
        assert one[3] == (number == len(sent))
        raw += one[9:] if one[8] < 0x80 else one[10:]
    assert raw == request[1:]
