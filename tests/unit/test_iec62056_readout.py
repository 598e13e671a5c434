"""What can go wrong in a saved readout, and that it is never accepted silently."""

from contextlib import suppress
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drivers.errors import DriverError, GarbledReply
from drivers.iec62056 import frames
from drivers.iec62056.lines import cut_line
from drivers.iec62056.profile import ProfileReader
from drivers.iec62056.readout import decode_readout
from drivers.iec62056.readout_json import readout_json
from drivers.iec62056.times import MeterZone, parse_datetime

LINES = ["0.0.0(33112077)", "1.8.0(000123.456*kWh)", "1.8.0*01(000100.000)", "F.F(00)"]


def block(lines=LINES, check=frames.exclusive_or, mark=b"!\r\n"):
    content = "".join(f"{line}\r\n" for line in lines).encode("latin-1") + mark + b"\x03"
    return b"\x02" + content + bytes([check(content)])


def values(data):
    return {item.code: item for item in decode_readout(data).values}


READOUT = b"/MWT5TEST\r\n" + block()


def test_both_check_rules_and_the_vendor_start_are_recognised():
    assert decode_readout(READOUT).check == "xor"
    assert decode_readout(b"/MWT5TEST\r\n" + block(check=frames.sum_of)).check == "sum"
    seeded = block(check=lambda data: frames.exclusive_or(data, frames.VENDOR_START))
    readout = decode_readout(b"/EFR5TEST\r\n" + seeded[1:])  # EFR sends no STX
    assert readout.check == "xor"
    assert any("0C" in remark for remark in readout.remarks)


def test_a_damaged_character_shows_as_a_bad_check_and_the_values_stay_visible():
    readout = decode_readout(READOUT.replace(b"123.456", b"173.456"))
    assert readout.check == "bad"
    assert any("does not fit" in remark for remark in readout.remarks)
    assert readout.values[1].value == Decimal("173.456")


@pytest.mark.parametrize("wanted", [0x0A, 0x0D, 0x02, 0x03, 0x21])
def test_the_check_character_may_be_a_line_end_or_a_frame_character(wanted):
    letters = "0123456789@AHPQ`ahpq"
    blocks = (block([*LINES, f"0.2.0({a + b + c})"]) for a, b, c in product(letters, repeat=3))
    data = next(data for data in blocks if data[-1] == wanted)
    assert decode_readout(b"/MWT5TEST\r\n" + data).check == "xor"
    assert decode_readout(b"/MWT5TEST\r\n" + data + b"\r\n").check == "xor"


def test_a_missing_start_character_is_named_and_the_check_still_proves_the_data():
    readout = decode_readout(b"/MWT5TEST\r\n" + block()[1:])
    assert readout.check == "xor"
    assert "the start character is missing" in readout.remarks
    assert len(readout.values) == 4


def test_a_missing_end_character_leaves_the_check_absent():
    readout = decode_readout(b"/MWT5TEST\r\n" + block()[:-2])
    assert readout.check == "absent"
    assert "the end character is missing" in readout.remarks
    assert len(readout.values) == 4


def test_a_missing_exclamation_mark_does_not_matter_before_the_end_character():
    assert decode_readout(b"/MWT5TEST\r\n" + block(mark=b"")).check == "xor"


@pytest.mark.parametrize(
    "before", [b"\x7f\x7f\x7f", b"\x00\x00", b"\xff\xfe", b"garbage/", b"/?!\r\n", b"/?123!\r\n"]
)
def test_filler_noise_and_echo_before_the_identification_are_skipped(before):
    readout = decode_readout(before + READOUT)
    assert readout.identification == "/MWT5TEST"
    assert readout.check == "xor"


@pytest.mark.parametrize("before", [b"\x06050\r\n", b"\x06\r\n", b"\x06", b"\r\n\x06050\r\n"])
def test_an_echoed_option_select_or_a_leading_ack_is_skipped_and_named(before):
    readout = decode_readout(b"/MWT5TEST\r\n" + before + block())
    assert readout.check == "xor"
    assert len(readout.remarks) == 1


@pytest.mark.parametrize("ends", ["\n", "\n\n", "\r", " \r\n", ""])
def test_every_line_end_seen_in_the_field_parses(ends):
    data = "/MWT5TEST\r\n" + ends.join(LINES) + ends + "!\r\n"
    assert [item.code for item in decode_readout(data.encode()).values][:3] == [
        "0.0.0",
        "1.8.0",
        "1.8.0*01",
    ]


def test_parity_bits_are_stripped_and_errors_counted():
    wire = bytearray((c & 0x7F) | ((c & 0x7F).bit_count() & 1) << 7 for c in READOUT)
    assert decode_readout(bytes(wire)).check == "xor"
    wire[20] ^= 0x80
    remarks = decode_readout(bytes(wire)).remarks
    assert "1 characters with wrong parity" in remarks


def test_a_telegram_with_a_wrong_crc_is_bad_and_one_with_zeros_is_absent():
    text = b"/MWT5TEST\r\n\r\n1-0:1.8.0(000123.456*kWh)\r\n!"
    good = text + b"%04X\r\n" % frames.crc16(text)
    assert decode_readout(good).check == "crc16"
    assert decode_readout(good.replace(b"123", b"124")).check == "bad"
    assert decode_readout(text + b"0000\r\n").check == "absent"
    assert decode_readout(text + b"\r\n").check == "absent"


@pytest.mark.parametrize(
    ("group", "value", "unit", "text"),
    [
        ("012345.67kWh", "12345.67", "kWh", None),
        ("0000000 kWh", "0", "kWh", None),
        ("Prog0001", None, "", "Prog0001"),
        ("007,4*kW", "7.4", "kW", None),
        ("1,2,3", None, "", "1,2,3"),
        ("+001.5*V", "1.5", "V", None),
        (" 002.50*A", "2.50", "A", None),
        ("-001.25*A", "-1.25", "A", None),
        ("0000.00000000*kWh", "0.00000000", "kWh", None),
        ("-.--*kW", None, "kW", "-.--"),
        ("", None, "", ""),
        ("   ", None, "", "   "),
        ("5*", "5", "", None),
        ("03A1C2D4", None, "", "03A1C2D4"),
        ("12A", None, "", "12A"),
        ("230.1 V", "230.1", "V", None),
        ("1e5", None, "", "1e5"),
        ("\u0661\u0662", None, "", "\xd9\xa1\xd9\xa2"),
    ],
)
def test_values_are_numbers_only_when_they_are(group, value, unit, text):
    item = decode_readout(f"/MWT5TEST\r\n1.8.0({group})\r\n!\r\n".encode()).values[0]
    shown = None if item.value is None else f"{item.value:f}"
    assert (shown, item.unit, item.text) == (value, unit, text)


def test_a_history_row_takes_the_unit_of_its_current_register_even_when_it_comes_first():
    found = values(b"/MWT5T\r\n1.8.0*01(1.5)\r\n1.8.0(2.5*kWh)\r\n!\r\n")
    assert (found["1.8.0*01"].unit, found["1.8.0*01"].unit_inherited) == ("kWh", True)
    assert (found["1.8.0*01"].history, found["1.8.0*01"].obis) == ("01", "1-0:1.8.0.1")


def test_many_rows_with_the_suffix_00_never_become_the_current_value():
    sets = decode_readout(b"/MWT5T\r\n1.8.0*00(1.5)\r\n1.8.0*00(2.5)\r\n!\r\n").values
    assert [item.obis for item in sets] == ["1-0:1.8.0.0", "1-0:1.8.0.0"]


@pytest.mark.parametrize("line", ["*kW)", "1.8.0(12", "1.8.0(\x00\x01)", "junk", "@@(5)", "a b(5)"])
def test_a_damaged_line_is_counted_and_the_next_one_parses(line):
    readout = decode_readout(f"/MWT5T\r\n{line}\r\n2.8.0(7*kWh)\r\n!\r\n".encode("latin-1"))
    assert readout.damaged == 1
    assert any(remark.startswith("damaged") for remark in readout.remarks)
    assert readout.values[-1].value == 7


@pytest.mark.parametrize("error", ["ERROR", "ER23", "E12", "ERR05", "(ER11)"])
def test_an_error_answer_is_no_reading(error):
    item = decode_readout(f"/MWT5T\r\n1.8.0({error})\r\n!\r\n".encode()).values[0]
    assert (item.value, item.error, item.text) == (None, True, error)


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("2211120730", "2022-11-12 07:30:00"),
        ("1220823161500", "2022-08-23 16:15:00"),
        ("161116200000W", "2016-11-16 20:00:00"),
        ("201412201128", "2014-12-20 11:28:00"),
        ("17-11-02 08:30", "2017-11-02 08:30:00"),
        ("16-03-14,18:45", "2016-03-14 18:45:00"),
        ("2022-05-19&19:41:17", "2022-05-19 19:41:17"),
        ("0000000000", None),
        ("9999999999", None),
        ("00-00-00,00:00", None),
        ("99-99-99,99:99", None),
        ("2213120730", None),
        ("17-02-30 08:30", None),
        ("", None),
    ],
)
def test_every_time_form_parses_and_impossible_times_do_not(text, local):
    time = parse_datetime(text, MeterZone())
    assert (time and f"{time:%Y-%m-%d %H:%M:%S}") == local


def test_the_season_flag_decides_the_utc_time():
    zone = MeterZone(60)
    hours = [parse_datetime(f"{s}2208231615", zone).utcoffset().total_seconds() for s in "012"]
    assert hours == [3600, 7200, 0]
    berlin = MeterZone(name="Europe/Berlin")
    doubled = [parse_datetime(f"{s}2210300230", berlin).utcoffset().total_seconds() for s in "01"]
    assert doubled == [3600, 7200], "the repeated hour is told apart by the flag"


def test_a_repeated_header_restarts_the_rows_at_its_own_time():
    head = "P.01({})(08)(15)(1)(1.5)(kW)"
    lines = [head.format("0221030014500"), "(1)", "(2)", head.format("0221030040000"), "(3)"]
    profile = decode_readout("\r\n".join(lines).encode()).profile
    assert [f"{row.time:%H:%M}" for row in profile.rows] == ["00:45", "01:00", "03:00"]
    document = readout_json(decode_readout("\r\n".join(lines).encode()))
    assert document["profile"]["gaps"] == [
        {"from": "2022-10-30T01:00:00Z", "to": "2022-10-30T03:00:00Z", "intervals": 7}
    ]


def test_a_row_with_a_missing_value_is_counted_and_keeps_its_place():
    reader = ProfileReader("P.01")
    assert reader.header(("0221030014500", "00", "15", "2", "1.5", "kW", "2.5", "kW"))
    reader.row(("1", "2"))
    reader.row(("3",))
    reader.row(("5", "6"))
    assert [row.values[0] for row in reader.rows] == [1, 3, 5]
    assert reader.rows[1].values[1] is None
    assert not reader.data().complete


def test_the_json_document_has_the_shape_the_command_line_promises():
    document = readout_json(decode_readout(READOUT))
    assert document["identification"] == "/MWT5TEST"
    assert document["manufacturer"] == "MWT"
    promised = {
        "code": "1.8.0",
        "obis": "1-0:1.8.0.255",
        "value": "123.456",
        "unit": "kWh",
        "text": None,
        "history": None,
        "time": None,
    }
    assert promised.items() <= document["values"][1].items()
    assert document["profile"] is None


def test_bytes_that_are_no_readout_at_all_are_refused():
    for data in (b"", b"\x00" * 50, b"\r\n\r\n"):
        with pytest.raises(GarbledReply):
            decode_readout(data)


@given(st.binary(max_size=400))
@example(b"TX b'\\x01P1\\x02((((\\x03'\nRX b'")
@example(b"P.01(2208231615)(00)(99999999999)(1)(1.5)(kW)\r\n(1)\r\n")
@example(b"P.01(2208231615)(00)(15)(0)\r\n(1)\r\n")
@example(b"RX b'\\x02(01'\nRX b'\\x02()\\x03'\nTX b'\\x01R1\\x02A()\\x03 '\nRX b'\\x02(01\\x03 '")
@settings(max_examples=300, deadline=None)
def test_no_bytes_raise_anything_but_a_driver_error(data):
    for prefix in (b"", b"/MWT5T\r\n\x02", b"P.01(2208231615)(00)(15)(1)(1.5)(kW)\r\n"):
        with suppress(DriverError):
            readout_json(decode_readout(prefix + data))


@given(st.lists(st.sampled_from(list("()!*&.:0189ABCFP-, \x00\x7f\\")), max_size=120))
@settings(max_examples=300, deadline=None)
def test_no_line_raises_and_nothing_of_it_vanishes(characters):
    line = "".join(characters)
    cut = cut_line(line)
    if "(" in line and not cut.end:
        assert cut.sets or cut.damaged
    with suppress(DriverError):
        readout_json(decode_readout(b"1.8.0(1)\r\n" + line.encode("latin-1")))


def test_a_very_long_line_takes_no_longer_than_its_length():
    for piece in ("((", "a(", "!", "1.8.0(1)", "a(\x00)", "(()", "! "):
        decode_readout(("1.8.0(1)\r\n" + piece * 30_000).encode("latin-1"))
