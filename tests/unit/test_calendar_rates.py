"""Which rate runs when: special days first, then the season that began last, its week, its day."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.services.calendar_rates import day_at, rate_at, table_at, uses
from drivers.calendar import (
    Calendar,
    CalendarReading,
    Day,
    Season,
    SpecialDay,
    SwitchingPoint,
    Week,
)

TABLE = Calendar(
    "T2",
    (Season("WIN", "11-01", "W1"), Season("SUM", "04-01", "W2")),
    (Week("W1", (1, 1, 1, 1, 1, 2, 2)), Week("W2", (3,) * 7)),
    (
        Day(1, (SwitchingPoint("06:00", 1), SwitchingPoint("22:00", 2))),
        Day(2, (SwitchingPoint("00:00", 2),)),
        Day(3, (SwitchingPoint("00:00", 3), SwitchingPoint("12:30", 1))),
    ),
)
SPECIAL = (SpecialDay(1, "*-12-25", 2), SpecialDay(2, "2026-*-13", 3))


@pytest.mark.parametrize(
    ("when", "script", "since"),
    [
        ("2026-12-24 06:00", 1, "06:00"),
        ("2026-12-24 05:59", 2, ""),  # goes on from 22:00 the day before
        ("2026-12-24 22:00", 2, "22:00"),
        ("2026-12-25 12:00", 2, "00:00"),  # a special day beats the week
        ("2026-01-13 13:00", 1, "12:30"),  # on every 13th of that year
        ("2027-01-13 13:00", 1, "06:00"),
        ("2026-02-02 12:00", 1, "06:00"),  # the season of the year before goes on
        ("2026-04-01 12:29", 3, "00:00"),
        ("2026-10-31 12:30", 1, "12:30"),
    ],
)
def test_the_rate_at_a_time_is_found(when, script, since):
    found = rate_at(TABLE, SPECIAL, datetime.fromisoformat(when))
    assert (found.script, found.since) == (script, since)


def test_it_says_why():
    told = str(rate_at(TABLE, SPECIAL, datetime.fromisoformat("2026-12-24 07:30")))
    assert told == "Rate 1, since 06:00. Season WIN, week W1, day table 1."
    told = str(rate_at(TABLE, SPECIAL, datetime.fromisoformat("2026-12-24 05:00")))
    assert told.startswith("Rate 2, from the day before on.")


@pytest.mark.parametrize(
    "broken",
    [
        replace(TABLE, seasons=()),
        replace(TABLE, weeks=()),
        replace(TABLE, days=()),
        replace(TABLE, days=(Day(1, ()), Day(2, ()), Day(3, ()))),
    ],
)
def test_a_table_with_holes_gives_no_rate(broken):
    assert rate_at(broken, (), datetime.fromisoformat("2026-12-24 07:30")) is None


def test_a_special_day_with_a_table_that_is_not_there_is_none():
    special = (SpecialDay(1, "2026-12-24", 9),)
    day, because = day_at(TABLE, special, datetime.fromisoformat("2026-12-24 07:30").date())
    assert (day.number, because) == (1, "Season WIN, week W1")


def test_the_waiting_table_counts_from_its_activation_on():
    start = datetime(2027, 1, 1, tzinfo=UTC)
    reading = CalendarReading(TABLE, replace(TABLE, name="T3"), start)
    assert table_at(reading, start).name == "T3"
    assert table_at(reading, datetime(2026, 12, 31, tzinfo=UTC)).name == "T2"
    assert table_at(replace(reading, activation=None), start).name == "T2"


def test_the_days_that_use_a_table_are_told():
    assert uses(TABLE, 2) == "week W1: Sat, Sun"
    assert uses(TABLE, 3) == "all of week W2"
    assert uses(TABLE, 9) == ""
