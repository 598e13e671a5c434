"""SML telegrams: damage first, then what a whole one says; the virtual push meter end to end."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.connect import open_meter
from drivers.errors import GarbledReply, NoReply, NotSupported
from drivers.metertype import load_meter_type
from drivers.simulator.memory import DeviceLink
from drivers.simulator.sml import FAULTS, PushMeter, crc, entry, listed, number, octets
from drivers.sml.frames import ESCAPE, START, FrameReader, crc_kermit, crc_x25
from drivers.sml.telegram import decode_file, decode_sml, server_text
from drivers.sml.tlv import Malformed, parse
from drivers.values import Span

TYPE = load_meter_type("generic-sml")
WHOLE = PushMeter(seed=3).telegram()


def frames_of(data, sizes=()):
    reader, found, place = FrameReader(), [], 0
    for size in sizes:
        found += reader.feed(data[place : place + size])
        place += size
    return found + reader.feed(data[place:])


# -- damage --------------------------------------------------------------------------------------


def test_every_single_damaged_octet_is_noticed():
    good = [(r.obis, r.value, r.text) for r in decode_sml(WHOLE).readings]
    for place in range(len(START), len(WHOLE)):
        data = bytearray(WHOLE)
        data[place] ^= 0x40
        with suppress(GarbledReply):
            found = decode_sml(bytes(data))
            same = [(r.obis, r.value, r.text) for r in found.readings] == good
            assert found.check == "bad" or same, place


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_no_octets_raise_anything_but_a_driver_error(data):
    with suppress(GarbledReply):
        decode_sml(data)
    with suppress(GarbledReply):
        decode_sml(START + data + ESCAPE + b"\x1a\x00\x00\x00")
    decode_file(data)
    with suppress(Malformed):
        parse(data or b"\x76")


@given(st.lists(st.integers(0, len(WHOLE) - 1), max_size=6), st.binary(min_size=6, max_size=6))
@settings(max_examples=150, deadline=None)
def test_a_damaged_telegram_never_raises_anything_else(places, octets_in_place):
    data = bytearray(WHOLE)
    for place, octet in zip(places, octets_in_place, strict=False):
        data[place] = octet
    with suppress(GarbledReply):
        decode_sml(bytes(data) + WHOLE)
    decode_file(bytes(data[8:-8]))


@pytest.mark.parametrize(
    "data",
    [
        b"\x7f" * 200,  # lists in lists
        b"\xff\x8f\x8f\x0f" + bytes(40),  # a list of millions
        b"\x8f\x8f\x8f\x8f\x0f",  # an endless length
        b"\x65\x01",  # cut off
        b"\x71" * 30 + b"\x01",  # too deep
        b"\x61",  # an integer without octets
        b"\x42",
        b"\x10",
        b"",
    ],
)
def test_lengths_that_lie_are_refused(data):
    with pytest.raises(Malformed):
        parse(data)


def test_a_file_that_is_cut_off_does_not_swallow_the_next():
    found = frames_of(WHOLE[: len(WHOLE) // 2] + WHOLE)
    assert [frame.rule for frame in found] == ["x25"]
    assert len(frames_of(WHOLE * 3)) == 3


def test_endless_data_without_an_end_are_dropped():
    reader = FrameReader()
    for _ in range(40):
        assert reader.feed(bytes(4096)) == []
    reader.feed(START)
    for _ in range(40):
        assert reader.feed(bytes(4096)) == []
    assert [frame.rule for frame in reader.feed(WHOLE)] == ["x25"]
    assert reader.discarded > 100_000


def test_without_a_file_there_is_no_telegram():
    with pytest.raises(GarbledReply):
        decode_sml(b"/LGZ4ZMF100\r\n\x021.8.0(1)\r\n!\r\n\x03\x10")


# -- framing -------------------------------------------------------------------------------------


def test_the_checks_have_their_known_values():
    assert crc_x25(b"123456789") == 0x906E
    assert crc_kermit(b"123456789") == 0x2189


@pytest.mark.parametrize(
    ("sent", "data"),
    [
        ("1b1b1b1b01010101123456781b1b1b1b1a00b87b", "12345678"),
        ("1b1b1b1b01010101123456001b1b1b1b1a0191a5", "123456"),
        ("1b1b1b1b01010101121b1b1b1b1b1b1b1b0000001b1b1b1b1a03be25", "121b1b1b1b"),
        ("09871b1b1b1b01010101123456781b1b1b1b1a00b87b", "12345678"),
    ],
)
def test_escapes_and_fill_are_taken_off(sent, data):
    found = frames_of(bytes.fromhex(sent))
    assert [(frame.data.hex(), frame.rule) for frame in found] == [(data, "x25")]


@given(st.lists(st.integers(1, 30), max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_chunking_gives_the_same_files(sizes):
    data = b"\x1b\x1b\x00" + WHOLE + b"\x1b" + WHOLE
    assert frames_of(data, sizes) == frames_of(data)
    assert len(frames_of(data)) == 2
    escapes = START + b"\x01" + b"\x1b" * 43 + b"\xff\x1b\x1b" + b"\x1b" * 17 + b"15" + WHOLE
    assert frames_of(escapes, sizes) == frames_of(escapes)


@given(st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_data_come_back_from_the_framing(inner):
    fill = -len(inner) % 4
    data = inner.replace(ESCAPE, ESCAPE * 2)
    fill = -len(data) % 4
    covered = START + data + bytes(fill) + ESCAPE + bytes([0x1A, fill])
    found = frames_of(covered + crc(covered))
    if b"\x1b" not in inner[-3:]:
        assert [frame.data for frame in found] == [inner]


# -- what it says --------------------------------------------------------------------------------


def test_a_telegram_says_who_sends_it_and_its_values_in_common_units():
    telegram = decode_sml(WHOLE)
    wanted = PushMeter(seed=3).expected()
    by_code = {r.obis: r for r in telegram.readings}
    assert telegram.check == "ok"
    assert telegram.remarks == []
    for item in wanted["registers"]:
        reading = by_code[item["obis"]]
        assert (reading.value, reading.unit) == (Decimal(item["value"]), item["unit"])
    assert by_code["1-0:1.8.0.255"].text == "status 182"
    assert by_code["1-0:1.8.0.255"].name == "Active energy import"
    assert by_code["129-129:199.130.5.255"].name == "Public key"
    assert by_code["129-129:199.130.5.255"].text.startswith("1A1B1C")


def test_server_ids_are_written_as_on_the_label():
    assert server_text(bytes.fromhex("0a01454d480000bc614e")) == "1EMH0012345678"
    assert server_text(bytes.fromhex("0649534b01027a20e68a")) == "0649534B01027A20E68A"
    assert server_text(b"") == ""


def test_values_without_unit_time_stamps_and_short_names_are_read():
    values = listed(
        entry(b"\x01\x00\x60\x05\x05\xff", number(1, 1)),
        entry(b"\x01\x00", number(1, 1)),
        entry(b"\x01\x00\x00\x02\x00\xff", octets(b"V1.2")),
        entry(b"\x01\x00\x00\x02\x02\xff", b"\x42\x01"),
        listed(
            octets(b"\x01\x00\x01\x08\x01\xff"),
            b"\x01",
            listed(number(2, 1), number(60, 4)),
            number(30, 1),
            number(3, 1, signed=True),
            number(12, 2),
            b"\x01",
        ),
    )
    body = listed(b"\x01", octets(b"id"), b"\x01", b"\x01", values, b"\x01", b"\x01")
    message = b"\x76" + octets(b"1") + number(0, 1) * 2 + listed(number(0x0701, 2), body)
    found = decode_file(message + b"\x63" + crc(message) + b"\x00")
    assert found.check == "ok"
    assert [(r.value, r.text) for r in found.readings] == [
        (1, ""),
        (None, "V1.2"),
        (None, "true"),
        (12, ""),
    ]
    assert found.readings[-1].time.isoformat() == "1970-01-01T00:01:00+00:00"
    assert "without a code" in found.remarks[0]


# -- the virtual push meter ----------------------------------------------------------------------


@pytest.mark.parametrize("fault", [*sorted(set(FAULTS) - {"silence", "wrong-check"}), None])
def test_a_push_meter_is_heard_under_every_disturbance(fault):
    device = PushMeter(seed=5, faults=[fault] if fault else [])
    with open_meter(DeviceLink([device]), TYPE) as meter:
        found = {r.obis: r for r in meter.registers()}
        assert meter.identity().serial == device.expected()["identity"]["serial"]
        assert meter.identity().manufacturer == "EMH"
        for item in device.expected()["registers"]:
            assert found[item["obis"]].value == Decimal(item["value"])
            assert found[item["obis"]].check == "ok"
        assert meter.object("1.8.0").value is not None


def test_silence_and_a_check_that_never_fits_end_bounded():
    link = DeviceLink([PushMeter(faults=["silence"])])
    with open_meter(link, TYPE) as meter, pytest.raises(NoReply):
        meter.identity()
    assert link.now() < 10
    link = DeviceLink([PushMeter(faults=["wrong-check"])])
    with open_meter(link, TYPE) as meter, pytest.raises(GarbledReply, match="none was whole"):
        list(meter.registers())
    assert link.now() < 25
    assert link.statistics.remarks


def test_a_meter_that_is_only_listened_to_refuses_the_rest():
    with open_meter(DeviceLink([PushMeter()]), TYPE) as meter:
        for ask in (meter.clock, meter.set_clock, meter.relay, meter.profile_info, meter.events):
            with pytest.raises(NotSupported):
                ask()
        with pytest.raises(NotSupported):
            meter.profile(None, Span())
        with pytest.raises(NotSupported):
            meter.object("99.99.0")


def test_an_unknown_fault_is_refused():
    with pytest.raises(ValueError, match="moon"):
        PushMeter(faults=["moon"])
