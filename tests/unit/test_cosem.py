"""The association, error answers in words, values, and what keeps the library in its place."""

import contextlib
import re
import struct
import threading
from decimal import Decimal
from pathlib import Path

import pytest
from gurux_dlms import GXByteBuffer, GXDLMSClient, GXReplyData
from gurux_dlms.enums import InterfaceType
from hypothesis import given
from hypothesis import strategies as st

from drivers.dlms.addressing import physical_from_serial, server_address, with_serial
from drivers.dlms.apdu import (
    Attribute,
    action_answer,
    action_request,
    answers,
    get_answer,
    get_next_request,
    get_request,
    set_answer,
    set_request,
)
from drivers.dlms.cosem import Associating
from drivers.dlms.data import CosemTime, as_text, decode, time_octets
from drivers.dlms.selectors import by_entry, by_range
from drivers.dlms.units import scaled, scaler_unit
from drivers.errors import (
    AccessDenied,
    DriverError,
    GarbledReply,
    MeterBusy,
    NotSupported,
    ValueRefused,
)
from drivers.metertype import Dlms, load_meter_type
from drivers.secrets import Secret

ROOT = Path(__file__).parents[2]
ENERGY = Attribute(3, bytes.fromhex("0100010800FF"), 2)
INITIATE = "BE10040E0800065F1F0400001E1D020000 07".replace(" ", "")


def aare(result: int, diagnostic: int, user: str = INITIATE, *, provider: bool = False) -> bytes:
    source = "A2" if provider else "A1"
    body = bytes.fromhex(
        f"A109060760857405080101A2030201{result:02X}A305{source}030201{diagnostic:02X}{user}"
    )
    return bytes((0x61, len(body))) + body


# --- the library stays where it is --------------------------------------------------------------


def test_only_one_module_imports_the_library() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("app", "drivers", "resources")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(
            r"^\s*(from|import) gurux_dlms", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    assert found == {"drivers/dlms/cosem.py"}


def test_the_library_prints_nothing(capfd) -> None:
    association = Associating(Dlms(), None)
    association.request()
    unknown = "DF0101"  # a field that the library reports on standard output
    association.agreed(aare(0, 0, unknown + INITIATE))
    assert capfd.readouterr() == ("", "")


def test_other_threads_keep_their_standard_output(capfd) -> None:
    printer = threading.Thread(target=print, args=("ours",))
    association = Associating(Dlms(), None)
    printer.start()
    association.request()
    printer.join()
    assert capfd.readouterr().out == "ours\n"


# --- the association ----------------------------------------------------------------------------


def test_request_without_authentication_names_no_mechanism() -> None:
    apdu = Associating(Dlms(pdu=512), None).request()
    assert apdu[:13] == bytes.fromhex("601DA10906076085740508 0101".replace(" ", ""))
    assert b"\x8b" not in apdu[:20]
    assert apdu.endswith(struct.pack(">H", 512))


def test_request_with_a_password_carries_its_octets_with_nul() -> None:
    association = Associating(Dlms(auth="low"), Secret(b"12\x0045"))
    assert association.secret
    assert b"\xac\x07\x80\x0512\x0045" in association.request()


def test_a_missing_password_is_told_before_anything_is_sent() -> None:
    with pytest.raises(AccessDenied, match="password"):
        Associating(Dlms(auth="low"), None)


@pytest.mark.parametrize("changes", [{"auth": "gmac"}, {"auth": "high"}, {"referencing": "short"}])
def test_what_is_not_built_is_refused_clearly(changes) -> None:
    with pytest.raises(NotSupported):
        Associating(Dlms(**changes), Secret(b"x"))


def test_an_accepted_association_tells_sizes_and_services() -> None:
    association = Associating(Dlms(), None)
    association.request()
    agreed = association.agreed(aare(0, 0))
    assert agreed.max_pdu == 512
    assert agreed.selective_access
    assert association.release() == bytes.fromhex("6203800100")


def test_the_protocol_version_bit_string_is_accepted() -> None:
    body = bytes.fromhex("80020284" + "A109060760857405080101A203020100A305A103020100" + INITIATE)
    association = Associating(Dlms(), None)
    association.request()
    assert association.agreed(bytes((0x61, len(body))) + body).max_pdu == 512


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (aare(1, 13), AccessDenied, "authentication failure"),
        (aare(1, 13, ""), AccessDenied, "authentication failure"),
        (aare(1, 14, ""), AccessDenied, "authentication required"),
        (aare(1, 11), AccessDenied, "mechanism not recognised"),
        (aare(1, 2), NotSupported, "context name not supported"),
        (aare(2, 1), MeterBusy, "no reason given"),
        (aare(1, 77), AccessDenied, "diagnostic 77"),
        (aare(1, 2, "", provider=True), NotSupported, "no common ACSE version"),
        (aare(1, 13, "BE0604040E010601"), AccessDenied, "authentication failure"),
        (b"\x0e\x01\x06\x01", AccessDenied, "refuses the association"),
        (b"\xd8\x01\x01", AccessDenied, "refuses the association"),
    ],
)
def test_a_refusal_is_told_in_words(answer, kind, words) -> None:
    association = Associating(Dlms(auth="low"), Secret(b"secret!"))
    association.request()
    with pytest.raises(kind, match=words) as caught:
        association.agreed(answer)
    assert "secret!" not in str(caught.value)


@pytest.mark.parametrize("cut", range(len(aare(0, 0))))
def test_an_answer_that_is_cut_short_is_garbled(cut) -> None:
    association = Associating(Dlms(), None)
    association.request()
    with pytest.raises(GarbledReply):
        association.agreed(aare(0, 0)[:cut])


@given(st.binary(max_size=60))
def test_a_random_answer_gives_only_our_own_errors(answer) -> None:
    association = Associating(Dlms(), None)
    association.request()
    with pytest.raises(DriverError):
        association.agreed(b"\x61" + answer[:1] + answer)


# --- services -----------------------------------------------------------------------------------


def test_requests_have_the_bytes_the_library_gives() -> None:
    client = GXDLMSClient(True, 16, 1, interfaceType=InterfaceType.PDU)
    client.proposedConformance = client.negotiatedConformance = 0xFFFFFF
    plain = client._read("1.0.1.8.0.255", 3, 2)[0]
    assert get_request(1, ENERGY) == bytes(plain)
    selector = by_entry(1, 0)
    assert get_request(1, ENERGY, selector) == bytes(
        client._read("1.0.1.8.0.255", 3, 2, GXByteBuffer(selector))[0]
    )
    reply = GXReplyData()
    client.getData(bytes.fromhex("C402C1000000000100038011FF"[:-2] + "12"), reply)
    assert get_next_request(1, 1) == bytes(client.receiverReady(reply.moreData))


def test_set_and_action_have_the_bytes_of_the_standard() -> None:
    assert set_request(2, ENERGY, b"\x11\x05").hex() == "c101c200030100010800ff02001105"
    assert action_request(3, ENERGY, b"\x0f\x00").hex() == "c301c300030100010800ff02010f00"
    assert action_request(3, ENERGY).hex() == "c301c300030100010800ff0200"


def test_a_range_selector_has_the_bytes_of_the_standard() -> None:
    start, end = bytes(range(12)), bytes(range(12, 24))
    made = by_range(bytes.fromhex("0000010000FF"), start, end)
    assert made.hex() == (
        "010204" + "0204" + "120008" + "09060000010000ff" + "0f02" + "120000"
        + "090c" + start.hex() + "090c" + end.hex() + "0100"
    )  # fmt: skip


def test_answers_are_matched_by_service_and_invoke_number() -> None:
    request = get_request(5, ENERGY)
    assert answers(b"\xc4\x01\xc5\x00\x00", request)
    assert not answers(b"\xc4\x01\xc4\x00\x00", request)
    assert not answers(b"\xc5\x01\xc5\x00", request)
    assert answers(b"\xd8\x02\x01", request)
    assert not answers(b"", request)


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (2, MeterBusy, "temporary failure"),
        (3, AccessDenied, "read-write denied"),
        (4, NotSupported, "object undefined"),
        (11, NotSupported, "object unavailable"),
        (250, NotSupported, "other reason"),
        (77, NotSupported, "result 77"),
    ],
)
def test_a_refused_read_is_told_in_words(code, kind, words) -> None:
    for answer in (
        bytes((0xC4, 1, 0xC1, 1, code)),
        bytes((0xC4, 2, 0xC1, 1, 0, 0, 0, 1, 1, code)),
    ):
        with pytest.raises(kind, match=words):
            get_answer(answer, "1-0:1.8.0.255")


@pytest.mark.parametrize(
    ("code", "kind"), [(3, AccessDenied), (12, ValueRefused), (250, ValueRefused)]
)
def test_a_refused_write_is_told(code, kind) -> None:
    with pytest.raises(kind):
        set_answer(bytes((0xC5, 1, 0xC1, code)), "clock")


def test_an_action_gives_back_data_or_nothing() -> None:
    assert action_answer(b"\xc7\x01\xc1\x00\x00", "x") == b""
    assert action_answer(b"\xc7\x01\xc1\x00\x01\x00\x11\x05", "x") == b"\x11\x05"
    with pytest.raises(AccessDenied):
        action_answer(b"\xc7\x01\xc1\x03\x00", "x")


@pytest.mark.parametrize(
    "answer",
    ["C4", "C401C1", "C402C1000000000100", "C402C10000000001000500", "C403C10000", "C50101"],
)
def test_a_cut_or_foreign_answer_is_garbled(answer) -> None:
    with pytest.raises(GarbledReply):
        get_answer(bytes.fromhex(answer), "x")


def test_a_block_with_a_three_octet_length_is_read() -> None:
    raw = bytes(70_000)
    head = bytes.fromhex("C402C1010000000100 83".replace(" ", ""))
    assert get_answer(head + (70_000).to_bytes(3, "big") + raw, "x").raw == raw


@given(st.binary(max_size=40))
def test_random_answers_give_only_our_own_errors(answer) -> None:
    for parse in (get_answer, set_answer, action_answer):
        with contextlib.suppress(DriverError):
            parse(answer, "x")


# --- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        ("00", None),
        ("0301", True),
        ("0500000001", 1),
        ("05FFFFFFFF", -1),
        ("14FFFFFFFFFFFFFFFE", -2),
        ("15FFFFFFFFFFFFFFFE", 2**64 - 2),
        ("0A03414243", "ABC"),
        ("0903414243", b"ABC"),
        ("020211051203E8", (5, 1000)),
        ("010211051106", [5, 6]),
        ("1601", 1),
        ("174048F5C3", Decimal("3.14")),
    ],
)
def test_values_of_every_kind(octets, value) -> None:
    assert decode(bytes.fromhex(octets)) == value


@pytest.mark.parametrize("octets", ["", "0205110511", "0903AA", "FF", "110500", "02820A"])
def test_values_that_are_cut_or_followed_by_more_are_garbled(octets) -> None:
    with pytest.raises(GarbledReply):
        decode(bytes.fromhex(octets))


@given(st.binary(max_size=80))
def test_random_values_give_only_our_own_error(octets) -> None:
    with contextlib.suppress(GarbledReply):
        as_text(decode(octets))


def test_a_doubled_clock_is_told_by_its_rest() -> None:
    clock = b"\x09\x0c" + bytes.fromhex("07E80A1907021E0000FF8880")
    with pytest.raises(GarbledReply, match="14 octets follow"):
        decode(clock * 2)


def test_deviation_is_added_to_local_time_and_its_sign_can_be_turned() -> None:
    summer = CosemTime(bytes.fromhex("07E80719050C000000FF8880"))
    assert summer.deviation == -120
    assert summer.utc().isoformat() == "2024-07-25T10:00:00+00:00"
    assert summer.utc(-1).isoformat() == "2024-07-25T14:00:00+00:00"


def test_open_fields_of_a_time_are_no_faults() -> None:
    moment = CosemTime(bytes.fromhex("07E80719FF0CFFFFFF8000FF"))
    assert moment.local() is None
    assert (moment.deviation, moment.status) == (None, None)
    assert as_text(moment.raw) == "07 E8 07 19 FF 0C FF FF FF 80 00 FF"


def test_a_time_goes_out_as_it_would_come_in() -> None:
    moment = CosemTime(bytes.fromhex("07E80719050C000000FF8880"))
    sent = time_octets(moment.local(), -120, summer=True)
    assert CosemTime(sent).utc() == moment.utc()
    assert time_octets(moment.local(), None)[9:] == b"\x80\x00\xff"


@pytest.mark.parametrize(
    ("value", "scaler", "unit", "text"),
    [
        (61561289, 0, 30, "61561.289 kWh"),
        (61561289, -3, 30, "61.561289 kWh"),
        (615, 3, 30, "615 kWh"),
        (615, 5, 30, "61500 kWh"),
        (2301, -1, 35, "230.1 V"),
        (-5, 0, 27, "-0.005 kW"),
        (0, 0, 30, "0.000 kWh"),
        (Decimal("230.1"), 0, 35, "230.1 V"),
    ],
)
def test_numbers_keep_all_their_digits(value, scaler, unit, text) -> None:
    assert "{} {}".format(*scaled(value, scaler, unit)) == text


def test_a_scaler_that_is_none_scales_nothing() -> None:
    assert scaler_unit((-3, 30)) == (-3, 30)
    assert scaler_unit(b"\x00") == (0, 255)
    assert scaler_unit((120, 30)) == (0, 255)


# --- addresses ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "serial", "address"),
    [
        ("SN % 10000 + 1000", "46000755036", 6036),
        ("SN % 10000 + 16", "HXE-00120034", 50),
        ("sn % 100000 / 2", "12345678", 22839),
    ],
)
def test_addresses_come_from_serials_by_formula(formula, serial, address) -> None:
    assert physical_from_serial(formula, serial) == address


@pytest.mark.parametrize(
    "formula", ["__import__('os')", "SN ** 99999", "SN / 0", "", "SN.real", "'a'"]
)
def test_a_formula_can_only_compute(formula) -> None:
    with pytest.raises(ValueError, match="formula"):
        physical_from_serial(formula, "1")


def test_the_hexcell_gets_a_four_octet_address_from_its_number() -> None:
    kind = with_serial(load_meter_type("hexcell-ddsy1088"), "46000755036")
    assert server_address(kind.dlms).hex() == "00025e29"
