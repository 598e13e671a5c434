"""Programming mode against a scripted meter: passwords, profiles, logs, and the way out."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import (
    AccessDenied,
    DriverError,
    GarbledReply,
    NoReply,
    NotSupported,
    PortUnavailable,
)
from drivers.iec62056 import frames
from drivers.iec62056.archive import ReadingPlan, range_text
from drivers.iec62056.frames import BREAK
from drivers.iec62056.meter import Iec62056Meter
from drivers.iec62056.times import MeterZone
from drivers.memory_link import MemoryLink
from drivers.metertype import load_meter_type
from drivers.secrets import Secret, Secrets
from drivers.values import Span

TYPE = load_meter_type("landisgyr-e650")
HEADER = "P.01({})(08)(15)(2)(1-0:1.5.0)(kW)(1-0:2.5.0)(kW)\r\n"
START, END = datetime(2026, 7, 20, 0, 15, tzinfo=UTC), datetime(2026, 7, 20, 1, 0, tzinfo=UTC)


def data(text, rule="xor", end=frames.ETX):
    covered = text.encode() + bytes([end])
    bcc = frames.sum_of(covered) if rule == "sum" else frames.exclusive_or(covered)
    return b"\x02" + covered + bytes([bcc])


class Meter:
    """Answers commands out of a table; keeps what it was sent."""

    def __init__(self, answers=(), *, p0=None, rule="xor"):
        self.answers = list(answers)
        self.p0 = frames.command("P0", b"(00000000)", rule) if p0 is None else p0
        self.heard = []
        self.link = MemoryLink(self.answer, delay=0.45)  # out at 300 Bd, and the reaction time

    def answer(self, sent):
        self.heard.append(sent)
        if sent[:1] == b"/":
            return b"/MWT5TEST\r\n"
        if sent[:1] == b"\x06" and len(sent) == 6:
            return self.p0
        if sent == BREAK:
            return b""
        return self.answers.pop(0) if self.answers else b""

    def orders(self):
        return [sent for sent in self.heard if sent[:1] == b"\x01"]


def opened(meter, secrets=None):
    return Iec62056Meter(meter.link, TYPE, secrets or Secrets())


def rows(meter, span):
    with opened(meter) as client:
        info = client.profile_info()
        blocks = list(client.profile(info, span))
    return info, [row for block in blocks for row in block.rows], blocks


PROFILE = data(HEADER.format("1260720021500") + "(1.0)(0)\r\n(2.0)(0)\r\n(3.0)(0)\r\n(4.0)(0)\r\n")


def test_a_profile_is_read_by_range_and_left_with_a_break():
    meter = Meter([PROFILE, PROFILE])
    info, found, blocks = rows(meter, Span(START, END))
    assert [c.obis for c in info.columns] == ["1-0:1.5.0.255", "1-0:2.5.0.255"]
    assert info.period_s == 900
    assert [row.values[0] for row in found] == [Decimal(n) for n in ("1.0", "2.0", "3.0", "4.0")]
    assert found[0].time == START
    assert blocks[0].expected == 4
    assert b"R5\x02P.01(12607200215;12607200300)" in meter.orders()[1]
    assert meter.heard[-1] == BREAK
    assert [line.speed for line in meter.link.lines][-1] == 9600


def test_the_last_rows_of_a_range_are_the_newest_of_it():
    meter = Meter([PROFILE, PROFILE])
    _, found, blocks = rows(meter, Span(START, START + timedelta(minutes=30), last=2))
    assert [row.values[0] for row in found] == [2, 3]
    assert blocks[0].held


def test_rows_outside_the_range_are_left_out():
    meter = Meter([PROFILE, PROFILE])
    _, found, _ = rows(meter, Span(START + timedelta(minutes=15), START + timedelta(minutes=30)))
    assert [row.values[0] for row in found] == [2, 3]


def test_an_answer_in_partial_blocks_is_joined_by_acknowledging_each():
    first = data(HEADER.format("1260720021500") + "(1.0)(0)\r\n", end=frames.EOT)
    second = data("(2.0)(0)\r\n(3.0)(0)\r\n")
    meter = Meter([first, second, first, second])
    _, found, _ = rows(meter, Span(START, END))
    assert [row.values[0] for row in found] == [1, 2, 3]
    assert meter.heard.count(b"\x06") == 2


def test_a_damaged_block_is_asked_for_again_and_never_given_out():
    bad = PROFILE.replace(b"(2.0)", b"(7.0)")
    meter = Meter([bad, PROFILE, PROFILE])
    _, found, _ = rows(meter, Span(START, END))
    assert found[1].values[0] == 2
    assert meter.heard.count(b"\x15") == 1


def test_a_check_that_stays_bad_ends_bounded_and_with_a_break():
    bad = PROFILE.replace(b"(2.0)", b"(7.0)")
    meter = Meter([bad] * 100)
    with opened(meter) as client, pytest.raises(GarbledReply):
        client.profile_info()
    assert meter.heard[-1] == BREAK
    assert len(meter.heard) < 30


def test_silence_is_no_reply_and_still_ends_with_a_break():
    meter = Meter()
    with opened(meter) as client, pytest.raises(NoReply):
        client.profile_info()
    assert meter.heard[-1] == BREAK


def test_a_refused_password_is_never_sent_twice():
    refusal = data("(ERROR)")
    meter = Meter([refusal])
    secrets = Secrets(password=Secret(b"12345678"))
    with opened(meter, secrets) as client, pytest.raises(AccessDenied):
        client.profile_info()
    sent = [order for order in meter.orders() if order[1:3] == b"P1"]
    assert len(sent) == 1
    assert meter.heard[-1] == BREAK


def test_an_accepted_password_opens_the_session_once_for_several_reads():
    meter = Meter([b"\x06", PROFILE, PROFILE])
    secrets = Secrets(password=Secret(b"12345678"))
    with opened(meter, secrets) as client:
        info = client.profile_info()
        assert list(client.profile(info, Span(START, END)))
    assert sum(sent[:1] == b"/" for sent in meter.heard) == 1
    assert meter.orders()[0].startswith(b"\x01P1\x02(12345678)\x03")


def test_the_check_rule_of_the_meter_is_taken_over_for_commands():
    meter = Meter([data("P.98(ERROR)", "sum")], rule="sum")
    with opened(meter) as client:
        assert list(client.events()) == []
    order = meter.orders()[0]
    assert order[-1] == frames.sum_of(order[1:-1])


def test_a_meter_that_answers_with_a_break_has_no_programming_mode():
    meter = Meter(p0=BREAK)
    with opened(meter) as client, pytest.raises(NotSupported, match="refuses"):
        list(client.events())


def test_a_session_that_the_meter_ends_is_a_question_of_access():
    meter = Meter([BREAK])
    with opened(meter) as client, pytest.raises(AccessDenied):
        list(client.events())


def test_a_type_without_profile_or_log_says_so_without_talking():
    meter = Meter()
    with Iec62056Meter(meter.link, load_meter_type("logarex-lk13"), Secrets()) as client:
        with pytest.raises(NotSupported):
            client.profile_info()
        with pytest.raises(NotSupported):
            list(client.events())
    assert meter.heard == []


def test_events_come_in_the_meters_order_in_utc():
    lines = (
        "P.98(1260720120000)(00002000)()(0)\r\n"
        "P.98(1260720115900)(00000080)()(0)\r\n"
        "P.98(1260720120500)(00)()(1)(0-0:C.11.0)()(17)\r\n"
    )
    meter = Meter([data(lines)])
    with opened(meter) as client:
        found = list(client.events())
    assert [event.code for event in found] == ["00002000", "00000080", "17"]
    assert found[0].time == datetime(2026, 7, 20, 10, 0, tzinfo=UTC)
    assert found[1].text == "Power down"


def test_a_probe_pulled_in_programming_mode_is_told_and_the_break_is_not_forced():
    meter = Meter([PROFILE])
    with opened(meter) as client:
        client.profile_info()

        def gone(data, *, secret=False):
            raise PortUnavailable("gone")

        meter.link.write = gone
        with pytest.raises(PortUnavailable):
            list(client.events())


def test_an_unwritten_range_end_stays_open_and_winter_and_summer_are_flagged():
    zone = MeterZone(name="Europe/Berlin")
    assert range_text(START, None, zone) == "12607200215;"
    winter = datetime(2026, 1, 20, 0, 15, tzinfo=UTC)
    assert range_text(None, winter, zone) == ";02601200115"
    assert range_text(START, None, MeterZone(60)) == "02607200115;"


def planned(span):
    plan, found = ReadingPlan(span, 900, END), []
    while (window := plan.window()) is not None:
        found.append(window)
        plan.done()
    return found


def test_windows_cover_a_span_without_gap_or_overlap():
    pieces = planned(Span(START, START + timedelta(days=60)))
    assert pieces[0][0] == START
    assert pieces[-1][1] == START + timedelta(days=60)
    assert all(b[0] - a[1] == timedelta(minutes=15) for a, b in pairwise(pieces))
    assert [(b - a).days for a, b in pieces[:3]] == [6, 13, 27], "they grow while all goes well"
    assert planned(Span()) == [(None, None)]
    assert planned(Span(START)) == [(START, None)], "the meter's clock may be ahead of ours"


def test_a_read_list_after_programming_mode_breaks_off_the_session_first():
    meter = Meter([PROFILE])
    quick = replace(TYPE, timing=replace(TYPE.timing, retries=0))
    with Iec62056Meter(meter.link, quick, Secrets()) as client:
        client.profile_info()
        with pytest.raises(GarbledReply):
            client.identity()  # this scripted meter answers the option select with P0 only
    assert BREAK in meter.heard[:-1]


@given(st.lists(st.integers(1, 60), max_size=30), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_chunking_of_an_answer_in_blocks_gives_the_same_rows(sizes, echo):
    first = data(HEADER.format("1260720021500") + "(1.0)(0)\r\n", end=frames.EOT)
    second = data("(2.0)(0)\r\n(3.0)(0)\r\n")
    meter = Meter([first, second, first, second])
    whole = meter.answer

    def in_pieces(sent):
        reply = (sent if echo else b"") + whole(sent)
        place = 0
        for size in (*sizes, len(reply)):
            if piece := reply[place : place + size]:
                meter.link.feed(piece, 0.45 if place == 0 else 0.0)
            place += size
        return b""

    meter.link._answer = in_pieces
    _, found, _ = rows(meter, Span(START, END))
    assert [row.values[0] for row in found] == [1, 2, 3]


@given(st.lists(st.binary(max_size=60), max_size=8))
@settings(max_examples=60, deadline=None)
def test_no_answer_in_programming_mode_raises_anything_but_a_driver_error(answers):
    meter = Meter(answers)
    with opened(meter) as client, suppress(DriverError):
        info = client.profile_info()
        list(client.profile(info, Span(START, END)))
    ended_by_the_meter = any(answer.startswith(b"\x01B0\x03") for answer in answers)
    assert meter.heard[-1] == BREAK or ended_by_the_meter
