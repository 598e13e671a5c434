"""The row decoder: any cut gives the same rows, and no lie about counts passes."""

import contextlib
import struct
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.dlms.data import Bits, CosemTime, Delta
from drivers.dlms.rows import RowDecoder
from drivers.errors import GarbledReply

CLOCK = bytes.fromhex("07E80A1907021E0000FF8880")


def clock(minute: int) -> bytes:
    return CLOCK[:6] + bytes((minute % 60,)) + CLOCK[7:]


def plain(number: int) -> bytes:
    return (
        b"\x02\x03\x09\x0c" + clock(number) + b"\x11" + bytes((number % 7,))
        + b"\x06" + struct.pack(">I", number * 1000)
    )  # fmt: skip


def thinned(number: int) -> bytes:
    """A row whose clock and status are left out: as before."""
    return b"\x02\x03\x00\x00\x06" + struct.pack(">I", number * 1000)


def buffer(rows: list[bytes], count: int | None = None) -> bytes:
    return b"\x01\x82" + struct.pack(">H", len(rows) if count is None else count) + b"".join(rows)


def decoded(data: bytes, width: int = 3, step: int = 0) -> list[tuple[object, ...]]:
    decoder = RowDecoder(width)
    rows = []
    for at in range(0, len(data), step or len(data)):
        rows += decoder.feed(data[at : at + (step or len(data))])
    decoder.finish()
    return rows


def test_rows_of_one_layout_have_clock_status_and_number() -> None:
    rows = decoded(buffer([plain(n) for n in range(100)]))
    assert rows == [(clock(n), n % 7, n * 1000) for n in range(100)]


@pytest.mark.parametrize("step", range(1, 50))
def test_cuts_at_every_distance_give_the_same_rows(step) -> None:
    data = buffer([plain(n) if n % 5 == 0 else thinned(n) for n in range(40)])
    assert decoded(data, step=step) == decoded(data)


def test_one_cut_at_every_position_gives_the_same_rows() -> None:
    data = buffer([plain(n) if n % 9 else thinned(n) for n in range(12)])
    whole = decoded(data)
    for at in range(len(data) + 1):
        decoder = RowDecoder(3)
        assert decoder.feed(data[:at]) + decoder.feed(data[at:]) == whole
        decoder.finish()


def _tagged(tag: int, form: str, number: int) -> bytes:
    return bytes((tag,)) + struct.pack(form, number)


def _string(octets: bytes) -> bytes:
    length = bytes((len(octets),)) if len(octets) < 128 else b"\x81" + bytes((len(octets),))
    return b"\x09" + length + octets


def values() -> st.SearchStrategy[tuple[bytes, object]]:
    """Give octets and the value they are."""
    return st.one_of(
        st.just((b"\x00", None)),
        st.just((b"\x02\x02\x11\x05\x00", (5, None))),
        st.just((b"\x04\x0a\xa5\x40", Bits("1010010101"))),
        st.integers(0, 2**32 - 1).map(lambda n: (_tagged(6, ">I", n), n)),
        st.integers(-(2**63), 2**63 - 1).map(lambda n: (_tagged(20, ">q", n), n)),
        st.binary(max_size=140).map(lambda octets: (_string(octets), octets)),
        st.booleans().map(lambda flag: (b"\x03" + bytes((flag,)), flag)),
        st.integers(-128, 127).map(lambda n: (_tagged(28, ">b", n), Delta(n))),
    )


@settings(deadline=None)
@given(st.data())
def test_any_values_cut_anywhere_are_what_was_sent(data) -> None:
    width = data.draw(st.integers(1, 4))
    rows = data.draw(st.lists(st.lists(values(), min_size=width, max_size=width), max_size=12))
    repeat = data.draw(st.integers(1, 25))
    octets, expected = b"", []
    for row in rows:
        octets += (b"\x02" + bytes((width,)) + b"".join(raw for raw, _ in row)) * repeat
        expected += [tuple(value for _, value in row)] * repeat
    stream = buffer([], len(expected)) + octets
    decoder, found, at = RowDecoder(width), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, 400))
        found += decoder.feed(stream[at : at + size])
        at += size
    decoder.finish()
    assert found == expected
    assert [list(map(type, row)) for row in found] == [list(map(type, row)) for row in expected]


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(1, 5))
def test_random_bytes_give_only_our_own_error(data, width) -> None:
    decoder = RowDecoder(width)
    with contextlib.suppress(GarbledReply):
        decoder.feed(data)
        decoder.finish()


@pytest.mark.parametrize(
    "header", [b"\x01\x02", b"\x01\x81\x02", b"\x01\x82\x00\x02", b"\x01\x83\x00\x00\x02"]
)
def test_every_form_of_length_is_read(header) -> None:
    assert len(decoded(header + plain(1) + plain(2))) == 2


def test_more_rows_than_a_two_octet_length_can_say() -> None:
    rows = 70_000
    data = b"\x01\x83" + rows.to_bytes(3, "big") + (b"\x02\x01\x11\x07") * rows
    assert decoded(data, 1, 2048) == [(7,)] * rows


def test_a_structure_that_is_cut_short_is_an_incomplete_profile() -> None:
    decoder = RowDecoder(3)
    assert len(decoder.feed(buffer([plain(1), plain(2)[:-2]]))) == 1
    with pytest.raises(GarbledReply, match="1 of 2 rows are good"):
        decoder.finish()


def test_five_announced_and_one_present_is_incomplete() -> None:
    decoder = RowDecoder(3)
    assert len(decoder.feed(buffer([plain(1)], count=5))) == 1
    with pytest.raises(GarbledReply, match="1 of 5"):
        decoder.finish()


def test_bytes_after_the_last_row_are_an_error_and_the_rows_are_kept() -> None:
    decoder = RowDecoder(3)
    assert len(decoder.feed(buffer([plain(1)]) + b"\x00\x00")) == 1
    with pytest.raises(GarbledReply, match="2 octets follow"):
        decoder.finish()


def test_a_row_with_another_number_of_columns_ends_the_read_after_the_good_rows() -> None:
    decoder = RowDecoder(3)
    assert len(decoder.feed(buffer([plain(1), b"\x02\x02\x00\x00", plain(2)]))) == 1
    with pytest.raises(GarbledReply, match="row 2"):
        decoder.feed(b"")


def test_an_announced_million_allocates_nothing() -> None:
    decoder = RowDecoder(3)
    assert decoder.feed(b"\x01\x83\x0f\xff\xff") == []
    assert decoder.announced == 0x0FFFFF


@pytest.mark.parametrize("header", [b"\x01\x84\xff\xff\xff\xff", b"\x01\x85", b"\x01\x80"])
def test_impossible_lengths_are_refused(header) -> None:
    with pytest.raises(GarbledReply, match="impossible length"):
        RowDecoder(3).feed(header)


def test_a_string_that_claims_megabytes_is_refused() -> None:
    decoder = RowDecoder(1)
    with pytest.raises(GarbledReply, match="impossible length"):
        decoder.feed(b"\x01\x01\x02\x01\x09\x84\x7f\xff\xff\xff")


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(GarbledReply, match="nested"):
        RowDecoder(1).feed(b"\x01\x01\x02\x01" + b"\x02\x01" * 100)


def test_an_empty_profile_has_no_rows() -> None:
    assert decoded(b"\x01\x00") == []


def test_null_data_is_an_empty_profile() -> None:
    assert decoded(b"\x00") == []


def test_something_else_than_an_array_is_refused() -> None:
    with pytest.raises(GarbledReply, match="not an array"):
        RowDecoder(3).feed(b"\x02\x03\x00")


def test_nothing_at_all_is_incomplete() -> None:
    with pytest.raises(GarbledReply, match="incomplete"):
        RowDecoder(3).finish()


def test_a_layout_that_changes_in_mid_buffer_loses_no_row() -> None:
    rows = [plain(n) for n in range(300)]
    rows[150] = thinned(150)
    rows[151] = b"\x02\x03\x09\x00\x11\x00\x06\x00\x00\x00\x01"
    found = decoded(buffer(rows))
    assert found[150] == (None, None, 150_000)
    assert found[151] == (b"", 0, 1)
    assert found[299] == (clock(299), 299 % 7, 299_000)


def test_a_clock_that_ends_in_nul_keeps_its_last_octet() -> None:
    octets = CLOCK[:-1] + b"\x00"
    row = b"\x02\x01\x09\x0c" + octets
    assert decoded(buffer([row] * 40), 1) == [(octets,)] * 40


def test_compact_array_rows_have_bare_values() -> None:
    bare = b"".join(b"\x0c" + clock(n) + struct.pack(">I", n) for n in range(60))
    header = b"\x13\x02\x02\x09\x06\x82" + struct.pack(">H", len(bare))
    for step in (0, 1, 7, 100):
        assert decoded(header + bare, 2, step) == [(clock(n), n) for n in range(60)]


def test_a_compact_array_that_is_cut_is_incomplete() -> None:
    header = b"\x13\x02\x01\x06\x08"
    with pytest.raises(GarbledReply, match="incomplete"):
        decoded(header + b"\x00\x00\x00\x01\x00", 1)


def test_differences_come_marked_as_such() -> None:
    rows = decoded(buffer([b"\x02\x01\x1c\xff"] * 40), 1)
    assert rows == [(-1,)] * 40
    assert all(isinstance(row[0], Delta) for row in rows)


def test_floats_keep_the_digits_they_have() -> None:
    row = b"\x02\x02\x17" + struct.pack(">f", 230.1) + b"\x18" + struct.pack(">d", 0.1)
    assert decoded(buffer([row]), 2) == [(Decimal("230.1"), Decimal("0.1"))]


def test_a_tagged_time_is_a_time() -> None:
    assert decoded(buffer([b"\x02\x01\x19" + CLOCK]), 1) == [(CosemTime(CLOCK),)]
