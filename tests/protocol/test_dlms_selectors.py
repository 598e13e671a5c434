"""Rows by number and by another clock: what is asked, and what is kept when it is refused."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from drivers.dlms.meter import DlmsMeter
from drivers.metertype import ProfileType
from drivers.secrets import Secret, Secrets
from drivers.simulator import hexcell
from drivers.simulator.memory import DeviceLink
from drivers.values import ProfileRow, Span
from tests.protocol.test_dlms_meter import (
    PROFILE,
    START,
    STEP,
    Meter,
    buffer,
    objects,
    read,
    row,
    sent_selector,
)
from tests.protocol.test_dlms_meter import profile as profile_of
from tests.protocol.test_dlms_simulated import hexcell_type

NOON = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)


def rows_of(faults: list[str], span: Span, **dlms: object) -> list[ProfileRow]:
    device = hexcell.build(serial="46000755036", rows=200, faults=faults, start=NOON)
    link = DeviceLink([device])
    secrets = Secrets(password=Secret(hexcell.PASSWORD))
    with DlmsMeter(link, hexcell_type(**dlms), secrets) as meter:
        blocks = meter.profile(meter.profile_info(), span)
        return [one for block in blocks for one in block.rows]


def test_rows_are_asked_for_by_number() -> None:
    meter = profile_of([row(START, 0, 1)])
    read(meter, Span(entries=(101, 200)))
    assert (
        sent_selector(meter).hex() == "0102" + "0204" + "0600000065" + "06000000c8" + "120001120000"
    )


@pytest.mark.parametrize(("first", "last"), [(1, 1), (1, 10), (4, 7), (10, 10), (8, 99)])
def test_numbers_that_are_refused_are_counted_here(first, last) -> None:
    everything = buffer([row(START + n * STEP, 0, n) for n in range(10)])
    found = objects() | {(7, PROFILE, 2): lambda selector: 250 if selector else everything}
    meter = Meter(found, block=40)
    meter.link.block = 40
    got = read(meter, Span(entries=(first, last)))
    assert [one.time for one in got] == [START + n * STEP for n in range(first - 1, min(last, 10))]


@pytest.mark.parametrize("fault", ["no-more-blocks", "dm", "frmr", "refused-selector", "rnr"])
def test_a_fault_in_the_middle_loses_and_repeats_no_number(fault) -> None:
    right = rows_of([], Span())
    assert rows_of([fault], Span(entries=(11, 190)), pdu=256) == right[10:190]


def test_numbers_behind_the_last_row_are_no_rows() -> None:
    assert rows_of([], Span(entries=(5000, 6000))) == []


def test_a_range_is_compared_with_the_clock_that_the_type_names() -> None:
    kind = ProfileType("1-0:99.1.0.255", selector_column="0-1:1.0.0.255")
    meter = profile_of([row(START, 0, 1)], profiles=(kind,))
    read(meter, Span(START, START + STEP))
    assert bytes((9, 6, 0, 1, 1, 0, 0, 255)) in sent_selector(meter)
    usual = profile_of([row(START, 0, 1)], profiles=(replace(kind, selector_column=""),))
    read(usual, Span(START, START + STEP))
    assert bytes((9, 6, 0, 0, 1, 0, 0, 255)) in sent_selector(usual)
