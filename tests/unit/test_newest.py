"""The newest rows of a profile with holes: looked for backwards, nothing read twice."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Cancelled
from drivers.errors import NoReply
from drivers.newest import newest_rows
from drivers.values import ProfileBlock, ProfileRow, Span

NOW = datetime(2026, 11, 20, 10, 7, tzinfo=UTC)
LATEST = datetime(2026, 11, 20, 10, tzinfo=UTC)
PERIOD = 900
YEAR = timedelta(days=366)


def kept(*quarters: int) -> list[ProfileRow]:
    """Rows so many quarters of an hour before the latest, the oldest first."""
    return [
        ProfileRow(LATEST - timedelta(seconds=PERIOD * n), (Decimal(n),))
        for n in sorted(quarters, reverse=True)
    ]


class Profile:
    """Answers ranges, a few rows at a time; keeps what it was asked for."""

    def __init__(self, rows, breaks_after=None, error=None):
        self.rows, self.asked, self.given = rows, [], 0
        self.breaks_after, self.error = breaks_after, error

    def read(self, part):
        self.asked.append(part)
        low, high = part.start or self.rows[0].time, part.end or NOW
        for row in self.rows:
            if low <= row.time <= high:
                if self.given == self.breaks_after:
                    raise self.error
                self.given += 1
                yield ProfileBlock((row,), 0)

    def newest(self, span, period_s=PERIOD, furthest=LATEST - YEAR):
        found = newest_rows(self.read, span, period_s=period_s, now=NOW, furthest=furthest)
        return [int(row.values[0]) for block in found for row in block.rows]


def test_the_rows_before_an_outage_are_found_when_there_are_too_few_after_it() -> None:
    profile = Profile(kept(0, 1, *range(500, 5000)))
    assert profile.newest(Span(last=4)) == [501, 500, 1, 0]
    assert profile.given < 400, "not the whole profile was read"


def test_what_from_and_to_leave_out_is_not_among_the_last() -> None:
    profile = Profile(kept(*range(100)))
    start, end = (LATEST - timedelta(seconds=PERIOD * n) for n in (20, 10))
    assert profile.newest(Span(start, end, last=3)) == [12, 11, 10]
    assert profile.newest(Span(start, end, last=30)) == list(range(20, 9, -1))
    assert all(part.start >= start and part.end <= end for part in profile.asked)


def test_an_open_end_stays_open_because_the_meters_clock_may_be_ahead() -> None:
    profile = Profile(kept(*range(100)))
    profile.newest(Span(last=3))
    assert [part.end for part in profile.asked] == [None]


def test_a_profile_without_a_period_is_read_once_and_whole() -> None:
    profile = Profile(kept(*range(100)))
    assert profile.newest(Span(end=LATEST, last=2), period_s=0) == [1, 0]
    assert [part.start for part in profile.asked] == [None]


def test_any_number_of_rows_can_be_asked_for() -> None:
    profile = Profile(kept(*range(5)))
    assert profile.newest(Span(last=10**15)) == [4, 3, 2, 1, 0]
    assert profile.newest(Span(last=10**15), period_s=2**32 - 1) == [4, 3, 2, 1, 0]


def test_the_newest_row_may_come_first() -> None:
    profile = Profile(kept(*range(40))[::-1])
    profile.rows = [*profile.rows[:3], *profile.rows[30:]]  # 0, 1, 2, then an outage
    assert profile.newest(Span(LATEST - timedelta(days=2), last=5)) == [0, 1, 2, 30, 31]


@pytest.mark.parametrize("error", [NoReply(1.0), Cancelled()])
def test_what_came_before_a_break_is_given_out_and_then_the_error(error) -> None:
    profile = Profile(kept(*range(50)), breaks_after=7, error=error)
    got = []

    def reading() -> None:
        past = LATEST - YEAR
        span = Span(last=20)
        for block in newest_rows(profile.read, span, period_s=PERIOD, now=NOW, furthest=past):
            got.extend(block.rows)

    with pytest.raises(type(error)):
        reading()
    assert [int(row.values[0]) for row in got] == [32, 31, 30, 29, 28, 27, 26]


@given(st.sets(st.integers(0, 3000), min_size=1), st.integers(1, 60))
def test_they_are_the_newest_and_none_twice(quarters, last) -> None:
    profile = Profile(kept(*quarters))
    assert profile.newest(Span(last=last)) == sorted(quarters, reverse=True)[-last:]
    assert profile.given <= len(quarters)
