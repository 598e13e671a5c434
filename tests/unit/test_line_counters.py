"""The driver's counters of a serial port: what they say, and ports that have none."""

import os
import struct
import sys

import pytest

from drivers.iec62056.diagnosis import line_diagnosis, parity_words
from drivers.line_counters import SIZE, CounterWatch, LineCounts, growth, parse_counts
from drivers.link import Line
from drivers.values import Statistics


def record(*, frame=0, overrun=0, parity=0, buffer=0):
    """Return the kernel's record: modem lines, received, sent, then what was damaged."""
    return struct.pack("=20I", 1, 2, 3, 4, 50_000, 900, frame, overrun, parity, 7, buffer, *[0] * 9)


def test_the_kernels_record_tells_parity_framing_and_what_was_lost():
    found = parse_counts(record(frame=5, overrun=2, parity=11, buffer=1))
    assert found == LineCounts(parity=11, framing=5, overrun=3)


@pytest.mark.parametrize("data", [b"", bytes(SIZE - 1), bytes(SIZE + 4)])
def test_anything_else_is_no_record(data):
    assert parse_counts(data) is None


def test_a_number_that_has_wrapped_round_goes_on_counting():
    assert growth(LineCounts(2**32 - 2, 0, 0), LineCounts(3, 0, 0)).parity == 5


def watch(*answers):
    left = list(answers)
    statistics = Statistics(bytes_sent=9, bytes_received=1000, round_trips=1)
    return CounterWatch(lambda: left.pop(0), statistics), statistics


def test_only_what_a_session_adds_is_counted():
    found, statistics = watch(
        LineCounts(400, 9, 1), LineCounts(405, 9, 1), LineCounts(406, 30, 3), LineCounts(406, 30, 3)
    )
    for _ in range(3):
        found.look(parity=True)
    assert (statistics.parity_errors, statistics.framing_errors, statistics.overruns) == (6, 21, 2)
    assert parity_words(statistics) == "6.0 parity errors per 1,000"
    assert "without a stop bit" in line_diagnosis(statistics)[1]
    assert "too slow for 2 characters" in line_diagnosis(statistics)[2]


def test_parity_of_a_line_without_parity_is_nobodys_count():
    found, statistics = watch(LineCounts(), LineCounts(parity=8))
    found.look(parity=False)
    assert not statistics.parity_errors
    assert parity_words(statistics) == "parity errors not counted here"


def test_a_driver_without_counters_is_asked_once_and_nothing_is_claimed():
    found, statistics = watch(None)
    found.look(parity=True)
    found.look(parity=True)
    assert not statistics.parity_counted


def test_counters_that_go_away_with_the_port_end_quietly():
    found, statistics = watch(LineCounts(), LineCounts(parity=2), None)
    for _ in range(3):
        found.look(parity=True)
    assert statistics.parity_errors == 2


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such counters")
def test_a_pseudo_terminal_has_no_counters_and_is_read_all_the_same():
    from drivers.ports import open_link

    far, near = os.openpty()
    link = open_link(os.ttyname(near), Line.named(9600, "8N1"))
    try:
        os.write(far, b"abc")
        assert link.read(1.0) == b"abc"
        assert not link.statistics.parity_counted
    finally:
        link.close()
        os.close(far)
        os.close(near)
