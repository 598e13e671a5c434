"""What is said of the passive switching table: it waits, is overdue, or is in force already."""

from datetime import UTC, datetime, timedelta

import pytest

from app.commands.calendar import waiting
from drivers.calendar import Calendar, CalendarReading

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
OLD, NEW = Calendar("OLD", (), (), ()), Calendar("NEW", (), (), ())


@pytest.mark.parametrize(
    ("passive", "activation", "words"),
    [
        (OLD, None, "Passive: OLD, the same as the active one"),
        (OLD, NOW + timedelta(days=1), "Passive: OLD, the same as the active one"),
        (NEW, None, "Passive: NEW, no time set for it to come into force"),
        (NEW, NOW + timedelta(days=1), "Passive: NEW, in force from 2026-11-29T12:00:00Z"),
        (NEW, NOW - timedelta(days=1), "Passive: NEW, was due 2026-11-27T12:00:00Z"),
    ],
)
def test_the_passive_table_in_words(passive, activation, words) -> None:
    assert waiting(CalendarReading(OLD, passive, activation), NOW) == words
