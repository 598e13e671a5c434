"""What is wrong with a calendar is said at its row, before a meter hears of it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.services.calendar_checks import OUT_OF_ORDER, Problem, at_row, grave, problems
from app.services.calendar_draft import Draft, Part, Row, added
from drivers.calendar import (
    BadCalendar,
    Calendar,
    Day,
    Limits,
    Season,
    SpecialDay,
    SwitchingPoint,
    Week,
    check,
    limits_of,
)
from drivers.metertype import load_meter_type
from tests.unit.test_calendar_draft import TABLE, WHOLE, table


def said(draft: Draft, **given) -> list[str]:
    return [
        f"{one.place.part.name} {one.place.row} {one.short}" for one in problems(draft, **given)
    ]


@pytest.mark.parametrize(
    ("draft", "told"),
    [
        (table(name="Sommertarif Süd"), "CALENDAR 0 name"),
        (table(name=" T2"), "CALENDAR 0 name"),
        (table(name=""), "CALENDAR 0 no name"),
        (table(seasons=()), "SEASONS -1 none"),
        (table(seasons=(Season("A", "02-30", "W1"),)), "SEASONS 0 no such date"),
        (table(seasons=(Season("A", "02-29", "W1"),)), "SEASONS 0 leap years only"),
        (table(seasons=(Season("A", "13-01", "W1"),)), "SEASONS 0 no date"),
        (table(seasons=(Season("A", "01-01", "W9"),)), "SEASONS 0 no week W9"),
        (table(seasons=tuple(reversed(TABLE.seasons))), f"SEASONS 1 {OUT_OF_ORDER}"),
        (table(seasons=(TABLE.seasons[0],) * 2), "SEASONS 1 same start"),
        (table(weeks=(*TABLE.weeks, Week("W3", (1,) * 7))), "WEEKS 2 not used"),
        (table(weeks=(Week("W1", (1, 9, 9, 1, 1, 1, 1)), TABLE.weeks[1])), "WEEKS 0 no day 9"),
        (table(weeks=(Week("W1", (1,)), TABLE.weeks[1])), "WEEKS 0 not seven days"),
        (table(days=(*TABLE.days, Day(3, TABLE.days[0].points))), "DAYS 2 not used"),
        (table(days=(*TABLE.days, Day(256, TABLE.days[0].points))), "DAYS 2 number"),
        (table(days=(Day(1, ()), TABLE.days[1])), "DAYS 0 no switching point"),
        (table(days=(Day(1, (SwitchingPoint("06:00", 1),)), TABLE.days[1])),
         "DAYS 0 begins at 06:00"),
        (replace(WHOLE, special_days=(SpecialDay(1, "*-02-30", 1),)), "SPECIAL 0 no such date"),
        (replace(WHOLE, special_days=(SpecialDay(1, "2027-02-29", 1),)), "SPECIAL 0 no such date"),
        (replace(WHOLE, special_days=(SpecialDay(1, "2026-*-31", 9),)), "SPECIAL 0 no day 9"),
        (replace(WHOLE, special_days=(SpecialDay(1, "25 Dec", 1),)), "SPECIAL 0 no date"),
        (replace(WHOLE, special_days=(SpecialDay(1, "*-12-25", 1), SpecialDay(2, "*-12-25", 2))),
         "SPECIAL 1 date twice"),
        (replace(WHOLE, special_days=(SpecialDay(1, "*-12-25", 1), SpecialDay(1, "*-12-26", 2))),
         "SPECIAL 1 number twice"),
        (replace(WHOLE, special_days=(SpecialDay(1, "*-12-25", 1), SpecialDay(2, "2026-12-25", 2))),
         "SPECIAL 1 also in 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_row(draft, told):
    assert told in said(draft)


def test_points_are_checked_one_by_one():
    points = [("00:00", 1), ("6:00", 1), ("05:00", 0), ("05:00", 2), ("24:00", 99999)]
    day = Day(1, tuple(SwitchingPoint(time, script) for time, script in points))
    found = problems(table(days=(day, TABLE.days[1])))
    here = [[one.short for one in at_row(found, Row(Part.POINTS, row, 0))] for row in range(5)]
    assert here == [
        [],
        ["no time", "same rate"],
        [OUT_OF_ORDER, "rate 0"],
        ["time twice"],
        ["no time", "no rate"],
    ]


def test_dates_that_have_passed_are_only_remarked_on():
    draft = replace(
        WHOLE,
        special_days=(SpecialDay(1, "2026-11-28", 1), SpecialDay(2, "2026-11-29", 1)),
        activation=datetime(2026, 11, 29, tzinfo=UTC),
    )
    now = datetime(2026, 11, 29, 1, tzinfo=UTC)
    assert said(draft, today=now.date(), now=now) == [
        "CALENDAR 0 time has passed",
        "SPECIAL 0 has passed",
    ]
    assert grave(problems(draft, today=now.date(), now=now)) == ()


@pytest.mark.parametrize("kind", ["hexcell-ddsy1088", "landisgyr-zmf100"])
def test_the_room_of_the_meters_is_known_and_more_is_refused_in_words(kind):
    limits = limits_of(load_meter_type(kind).calendar)
    assert (limits.seasons, limits.days, limits.points, limits.special_days) == (4, 8, 4, 50)
    draft = WHOLE
    for part, times in ((Part.SEASONS, 3), (Part.DAYS, 7), (Part.POINTS, 3), (Part.SPECIAL, 50)):
        for _ in range(times):
            draft, _ = added(draft, Row(part, 99))
    texts = [one.text for one in problems(draft, limits) if one.place.row < 0 or "hold" in one.text]
    assert texts == [
        "5 seasons, but this meter holds 4: remove 1.",
        "9 day tables, but this meter holds 8: remove 1.",
        "5 switching points, but this meter holds 4 in a day: remove 1.",
        "51 special days, but this meter holds 50: remove 1.",
    ]


def test_names_that_are_too_long_for_the_meter_are_said():
    limits = Limits(name=2)
    assert said(WHOLE, limits=limits) == ["SEASONS 0 name too long", "SEASONS 1 name too long"]


WORDS = st.sampled_from(["", "A", "W1", "W2", "Ü", " x", "long name here"])
STARTS = st.sampled_from(["01-01", "02-29", "02-30", "04-31", "4-1", "12-01", ""])
TIMES = st.sampled_from(["00:00", "06:30", "23:59", "24:00", "7:00", ""])
DATES = st.sampled_from(["*-12-25", "2026-12-25", "2027-02-29", "*-02-30", "2026-*-31", "x", ""])
NUMBERS = st.sampled_from([0, 1, 2, 3, 256, 70000])
DAYS = st.lists(
    st.builds(
        Day,
        NUMBERS,
        st.lists(st.builds(SwitchingPoint, TIMES, NUMBERS), max_size=3).map(tuple),
    ),
    max_size=3,
).map(tuple)
WEEKS = st.lists(
    st.builds(Week, WORDS, st.lists(NUMBERS, min_size=6, max_size=7).map(tuple)), max_size=2
).map(tuple)
SEASONS = st.lists(st.builds(Season, WORDS, STARTS, WORDS), max_size=3).map(tuple)
SPECIALS = st.none() | st.lists(st.builds(SpecialDay, NUMBERS, DATES, NUMBERS), max_size=3).map(
    tuple
)
DRAFTS = st.builds(Draft, st.builds(Calendar, WORDS, SEASONS, WEEKS, DAYS), SPECIALS)


@settings(max_examples=80, deadline=None)
@given(DRAFTS)
def test_what_the_editor_lets_pass_the_driver_takes(draft):
    limits = Limits(2, 1, 2, 2, 2, 8)
    if not grave(problems(draft, limits)):
        check(draft.table, draft.special_days or (), limits)


@settings(max_examples=80, deadline=None)
@given(DRAFTS)
def test_what_the_driver_refuses_the_editor_has_said(draft):
    try:
        check(draft.table, draft.special_days or (), Limits())
    except BadCalendar:
        assert grave(problems(draft))


def test_the_grave_problems_of_a_row_come_first():
    found = (Problem(Row(Part.WEEKS), "odd", "", grave=False), Problem(Row(Part.WEEKS), "bad", ""))
    assert [one.short for one in at_row(found, Row(Part.WEEKS))] == ["bad", "odd"]
