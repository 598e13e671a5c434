"""What the fuzzer feeds, fed by Hypothesis in every run."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.dlms_parsers import ROW, feed

PIECES = st.sampled_from(
    [b"\x7e", b"\xa0", ROW, b"\x01\x82", b"\x02\x03", b"\x09\x0c", b"\x83\xff\xff\xff", b"\x13",
     b"\x0c\x01", b"\x02\x04\x10", b"\xe0\x45", b"\x18\x00\x01\x02",
     b"\x12\x00\x0c\x11\x00\x09\x06",
     b"\x00", b"\xc4\x02", b"\x61", b"\xbe", b"\x28", b"\x30\x00\x00\x00\x01", b"\xff" * 12]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES | st.binary(max_size=20), max_size=12).map(b"".join))
def test_any_bytes_end_in_values_or_in_a_driver_error(data) -> None:
    feed(data)


@pytest.mark.parametrize(
    "data",
    [
        bytes.fromhex("1302030000000A01"),  # a compact array whose rows hold nothing
        b"\x01\x84\xff\xff\xff\xff",
        b"\x01\x00",  # a list in place of the number of a slave meter
        b"\x02" * 64,
        b"\x01\x83\x0f\xff\xff" + b"\x00" * 200,
    ],
)
def test_what_was_found_once_stays_found(data) -> None:
    feed(data)
