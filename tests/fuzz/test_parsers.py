"""A short run of the fuzz target in the normal tests: any bytes, and real ones with damage."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.simulator.iec62056 import framed
from drivers.simulator.iecmeter import build
from drivers.simulator.sml import PushMeter
from tests.fuzz.parsers import TARGETS, feed

METER = build(rows=30)
SEEDS = [
    framed(METER.programming.store.lines(0.0)),
    framed(METER.programming.store.read(0.0, "P.01", "")),
    framed(METER.programming.store.read(0.0, "P.98", "")),
    framed(build(rows=9, dialect="mass").programming.store.read(0.0, "P.01", "")),
    b"\x01P0\x02(00000000)\x03\x60",
    b"/EMH5\\@\\201LZQJL0013F\r\n",
    PushMeter().telegram(),
]


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_end_in_a_value_or_a_driver_error(data):
    feed(data)


@pytest.mark.parametrize("target", range(len(TARGETS)))
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_damaged_messages_end_in_a_value_or_a_driver_error(target, data):
    message = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(0, 5))):
        place = data.draw(st.integers(0, len(message) - 1))
        message[place] = data.draw(st.integers(0, 255))
    first, last = data.draw(st.integers(0, 40)), data.draw(st.integers(1, len(message)))
    feed(bytes([target]) + bytes(message[first:last]))
