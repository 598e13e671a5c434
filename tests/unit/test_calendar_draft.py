"""A calendar that is worked on: linked rows, steps back, and how it differs from a meter's."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.services.calendar_checks import grave, problems
from app.services.calendar_differences import Change, day_words, differences, week_words
from app.services.calendar_draft import (
    Draft,
    History,
    Part,
    Row,
    added,
    changed,
    count,
    new_draft,
    ordered,
    removed,
)
from app.services.calendar_export import calendar_tables
from app.services.calendar_steps import (
    Step,
    stepped_date,
    stepped_number,
    stepped_start,
    stepped_time,
)
from drivers.calendar import (
    Calendar,
    CalendarReading,
    Day,
    Limits,
    Season,
    SpecialDay,
    SwitchingPoint,
    Week,
    check,
    sorted_table,
)

TABLE = Calendar(
    "T2",
    (Season("WIN", "01-01", "W1"), Season("SUM", "04-01", "W2")),
    (Week("W1", (1, 1, 1, 1, 1, 2, 2)), Week("W2", (2,) * 7)),
    (
        Day(1, (SwitchingPoint("00:00", 2), SwitchingPoint("06:00", 1))),
        Day(2, (SwitchingPoint("00:00", 2),)),
    ),
)
WHOLE = Draft(TABLE, (SpecialDay(1, "*-12-25", 2),))
ROOM = Limits(4, 4, 8, 4, 50, 8)
EDITED = (Part.SEASONS, Part.WEEKS, Part.DAYS, Part.POINTS, Part.SPECIAL)


def table(**changes) -> Draft:
    return replace(WHOLE, table=replace(TABLE, **changes))


# --- rows -----------------------------------------------------------------------------------


def test_a_new_calendar_is_whole_and_leaves_the_special_days_of_the_meter_alone():
    draft = new_draft()
    assert problems(draft) == ()
    assert draft.special_days is None
    check(draft.table, (), Limits())


def test_seasons_follow_a_week_and_weeks_and_special_days_a_day_table_to_another_name():
    draft = changed(WHOLE, Row(Part.WEEKS, 0), name="WORK")
    assert draft.table.seasons[0].week == "WORK"
    draft = changed(draft, Row(Part.DAYS, 1), number=7)
    assert draft.table.weeks[0].days == (1, 1, 1, 1, 1, 7, 7)
    assert draft.special_days == (SpecialDay(1, "*-12-25", 7),)
    assert problems(draft) == ()


def test_a_name_that_two_weeks_have_leads_nobody_astray():
    twice = changed(WHOLE, Row(Part.WEEKS, 1), name="W1")
    assert changed(twice, Row(Part.WEEKS, 0), name="W3").table.seasons[0].week == "W1"


@pytest.mark.parametrize("part", EDITED)
def test_a_row_is_added_with_something_sensible_in_it_and_removed_again(part):
    draft, place = added(WHOLE, Row(part))
    assert count(draft, part) == count(WHOLE, part) + 1
    assert grave(problems(draft)) == ()
    assert removed(draft, place) == WHOLE


def test_a_week_and_a_day_begin_as_copies_of_the_chosen_row():
    draft, place = added(WHOLE, Row(Part.WEEKS, 0))
    assert draft.table.weeks[place.row] == Week("W3", TABLE.weeks[0].days)
    draft, place = added(WHOLE, Row(Part.DAYS, 0))
    assert draft.table.days[place.row] == Day(3, TABLE.days[0].points)


def test_rows_can_be_added_to_a_calendar_that_has_lost_all_of_them():
    draft = Draft(Calendar("", (), (), ()))
    for part in (Part.DAYS, Part.WEEKS, Part.SEASONS, Part.POINTS, Part.SPECIAL):
        draft, _ = added(draft, Row(part))
    assert grave(problems(draft)) == ()


def test_more_special_days_than_a_year_has_can_be_added():
    draft = replace(WHOLE, special_days=(SpecialDay(1, "*-*-31", 1),))
    for _ in range(40):  # every 31st, every 1st and so on come round again
        draft, _ = added(draft, Row(Part.SPECIAL, 0))
    assert count(draft, Part.SPECIAL) == 41


def test_points_come_in_order_and_the_row_that_was_typed_is_found_again():
    draft, place = added(WHOLE, Row(Part.POINTS, 1, 0))
    draft = changed(draft, place, time="03:00")
    after, there = ordered(draft, place)
    assert [point.time for point in after.table.days[0].points] == ["00:00", "03:00", "06:00"]
    assert there.row == 1
    assert ordered(WHOLE, Row(Part.WEEKS)) == (WHOLE, Row(Part.WEEKS))


# --- steps back -----------------------------------------------------------------------------


def renamed(name: str):
    return lambda draft: changed(draft, Row(Part.WEEKS, 0), name=name)


def test_what_is_typed_into_one_field_is_one_step_and_meets_no_namesake_on_its_way():
    history = History(WHOLE)
    for text in ("W", "W2", "W2X"):  # W2 is there: its season must not be drawn along
        history.change(renamed(text), "name")
    assert [season.week for season in history.now.table.seasons] == ["W2X", "W2"]
    history.undo()
    assert history.now == WHOLE
    assert not history.can_undo
    history.redo()
    assert history.now.table.weeks[0].name == "W2X"


def test_typing_back_what_stood_there_leaves_no_step():
    history = History(WHOLE)
    history.change(renamed("W"), "name")
    history.change(renamed("W1"), "name")
    assert history.now == WHOLE
    assert not history.can_undo
    history.change(renamed("W9"), "name")
    history.undo()
    assert history.now == WHOLE


def test_a_field_that_was_left_begins_a_new_step():
    history = History(WHOLE)
    history.change(renamed("A"), "name")
    history.seal()
    history.change(renamed("B"), "name")
    history.undo()
    assert history.now.table.weeks[0].name == "A"
    history.change(renamed("C"), "name")
    assert not history.can_redo, "another way was taken"


OPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "remove", "rename", "undo", "redo", "seal", "order"]),
        st.sampled_from(EDITED),
        st.integers(0, 3),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(OPS)
def test_whatever_is_done_undo_leads_back_to_the_beginning_and_redo_to_the_end(ops):
    history = History(WHOLE)
    for verb, part, number in ops:
        _do(history, verb, part, number)
        if not grave(problems(history.now, ROOM, today=date(2026, 11, 29))):
            check(history.now.table, history.now.special_days or (), ROOM)
    while history.can_redo:
        history.redo()
    end = history.now
    while history.can_undo:
        history.undo()
    assert history.now == WHOLE
    while history.can_redo:
        history.redo()
    assert history.now == end


def _do(history: History, verb: str, part: Part, number: int) -> None:
    draft = history.now
    if verb in {"undo", "redo", "seal"}:
        getattr(history, verb)()
        return
    days = len(draft.table.days)
    if part is Part.POINTS and not days:
        return
    place = Row(part, 0, number % days if part is Part.POINTS else 0)
    total = count(draft, part, place.day)
    place = place._replace(row=number % total if total else 0)
    if verb == "add":
        history.change(lambda now: added(now, place)[0])
    elif verb == "order":
        history.change(lambda now: ordered(now, place)[0])
    elif not total:
        return
    elif verb == "remove":
        history.change(lambda now: removed(now, place))
    else:
        key = {Part.DAYS: "number", Part.POINTS: "script", Part.SPECIAL: "day"}.get(part, "name")
        value = number if key != "name" else f"N{number}"
        history.change(lambda now: changed(now, place, **{key: value}), (place, key))


# --- beside the meter -----------------------------------------------------------------------

READING = CalendarReading(TABLE, replace(TABLE, name="T1"), None, (SpecialDay(3, "*-12-25", 2),))


def test_only_what_differs_from_the_meter_is_listed():
    assert differences(WHOLE, READING) == ()
    draft = changed(WHOLE, Row(Part.SEASONS, 1), start="05-01")
    draft = removed(changed(draft, Row(Part.SEASONS, 0), name="COLD"), Row(Part.SPECIAL, 0))
    found = differences(draft, READING)
    assert [(one.what, one.change) for one in found] == [
        ("Season WIN", Change.GONE),
        ("Season SUM", Change.CHANGED),
        ("Season COLD", Change.NEW),
        ("Special day *-12-25", Change.GONE),
    ]
    assert found[1].draft == "from 05-01, week W2"
    assert [one.what for one in differences(WHOLE, READING, waiting=True)] == ["Name"]


def test_special_days_that_are_left_alone_are_no_difference():
    assert differences(replace(WHOLE, special_days=None), READING) == ()


def test_the_order_of_rows_is_no_difference():
    turned = table(seasons=tuple(reversed(TABLE.seasons)), weeks=tuple(reversed(TABLE.weeks)))
    assert differences(turned, READING) == ()
    assert sorted_table(turned.table) == sorted_table(TABLE)


def test_weeks_and_days_are_told_in_runs():
    assert week_words(TABLE.weeks[0]) == "Mon to Fri 1, Sat, Sun 2"
    assert week_words(Week("W", (1, 2, 1, 1, 1, 1, 3))) == "Mon 1, Tue 2, Wed to Sat 1, Sun 3"
    assert day_words(TABLE.days[0]) == "00:00 rate 2, 06:00 rate 1"
    assert day_words(Day(9, ())) == "no switching point"


def test_all_tables_go_to_a_spreadsheet():
    tables = calendar_tables(TABLE, WHOLE.special_days or ())
    assert list(tables) == ["Seasons", "Weeks", "Switching points", "Special days"]
    assert tables["Switching points"][1] == [
        ["1", "00:00", "2"],
        ["1", "06:00", "1"],
        ["2", "00:00", "2"],
    ]
    only = calendar_tables(TABLE, (), differences(table(name="T9"), READING))
    assert only["Differences"][1] == [["Name", "T2", "T9", "differs"]]


# --- small steps ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stepped", "text", "step", "after"),
    [
        (stepped_time, "06:00", Step.ON, "06:15"),
        (stepped_time, "06:20", Step.ON, "06:30"),
        (stepped_time, "06:20", Step.BACK, "06:15"),
        (stepped_time, "06:20", Step.FAR, "07:00"),
        (stepped_time, "00:00", Step.BACK, "00:00"),
        (stepped_time, "23:50", Step.FAR, "23:45"),
        (stepped_time, "24:00", Step.ON, ""),
        (stepped_start, "12-31", Step.ON, "01-01"),
        (stepped_start, "01-01", Step.BACK, "12-31"),
        (stepped_start, "01-31", Step.FAR, "02-28"),
        (stepped_start, "02-30", Step.BACK, "02-28"),
        (stepped_start, "nothing", Step.ON, ""),
        (stepped_date, "2026-12-31", Step.ON, "2027-01-01"),
        (stepped_date, "2027-02-29", Step.ON, "2027-03-01"),
        (stepped_date, "2027-01-31", Step.FAR, "2027-02-28"),
        (stepped_date, "9999-12-31", Step.ON, "9999-12-31"),
        (stepped_date, "9999-12-31", Step.FAR, "9999-12-31"),
        (stepped_date, "0000-01-01", Step.BACK, "0000-01-01"),
        (stepped_date, "*-12-31", Step.ON, "*-01-01"),
        (stepped_date, "2026-*-31", Step.ON, "2026-*-01"),
        (stepped_date, "2026-12-*", Step.ON, "2026-01-*"),
        (stepped_date, "*-*-*", Step.ON, "*-*-*"),
        (stepped_date, "x", Step.ON, ""),
        (stepped_number, "9", Step.FAR, "19"),
        (stepped_number, "255", Step.ON, "255"),
        (stepped_number, "0", Step.BACK, "0"),
        (stepped_number, "", Step.ON, "0"),
    ],
)
def test_a_value_is_moved_a_little(stepped, text, step, after):
    assert stepped(text, step) == after
