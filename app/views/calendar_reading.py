"""A switching table of a meter to look at: strips of its days, seasons and weeks in words."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.services.calendar_differences import season_words, week_words
from app.services.calendar_rates import uses
from app.views import words
from app.views.day_strip import DayStrip
from app.views.surfaces import Card, facts, label

if TYPE_CHECKING:
    from app.views.theme import Look
    from drivers.calendar import Calendar, SpecialDay


def drawn(look: Look, table: Calendar, special: tuple[SpecialDay, ...]) -> QWidget:
    """Show the whole table in cards."""
    host = QWidget()
    column = QVBoxLayout(host)
    column.setContentsMargins(0, 0, look.space.s, 0)
    column.setSpacing(look.space.m)
    days = Card(look, "Days")
    for day in table.days:
        used = uses(table, day.number) or "used on special days only"
        days.add(label(look, f"Day table {day.number}, {used}", muted=True, wrap=True))
        days.add(DayStrip(look, day))
    if not table.days:
        days.add(label(look, "This table holds no days.", muted=True))
    column.addWidget(days)
    seasons = [(f"Season {one.name}", season_words(one)) for one in table.seasons]
    weeks = [(f"Week {one.name}", week_words(one)) for one in table.weeks]
    card = Card(look, "Seasons and weeks")
    card.add(facts(look, [*seasons, *weeks] or [("Seasons", words.NOTHING)]))
    column.addWidget(card)
    listed = [(f"{one.index}", f"{special_date(one.date)}, day table {one.day}")
              for one in special]  # fmt: skip
    card = Card(look, "Special days")
    card.add(facts(look, listed) if listed else label(look, "None.", muted=True))
    column.addWidget(card)
    column.addStretch()
    return host


def special_date(pattern: str) -> str:
    """Say on which dates a special day falls: "12-25 every year"."""
    year, month, day = pattern.split("-")
    every = [noun for noun, part in (("day", day), ("month", month), ("year", year)) if part == "*"]
    date = "-".join(part for part in (year, month, day) if part != "*")
    return " ".join(part for part in (date, f"every {every[0]}" if every else "") if part)


def moment_in(text: str, zone: tzinfo | None) -> datetime | None:
    """Give the time that was typed, in the meter's zone; None where it is none."""
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is not None:
            return moment
        return moment.replace(tzinfo=zone) if zone is not None else moment.astimezone()
    except (ValueError, OverflowError):
        return None
