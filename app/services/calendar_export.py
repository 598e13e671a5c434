"""The tables of a calendar as rows of words, for spreadsheets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.services.calendar_checks import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.services.calendar_differences import Difference
    from drivers.calendar import Calendar, SpecialDay

EXPORTS = "Table for spreadsheets (*.csv);;Excel workbook (*.xlsx)"
Tables = dict[str, tuple[list[str], list[list[str]]]]


def calendar_tables(
    table: Calendar,
    special: tuple[SpecialDay, ...],
    lines: Sequence[Difference] | None = None,
) -> Tables:
    """Give all tables of a calendar, or only what differs where ``lines`` are given."""
    if lines is not None:
        head = ["What", "In the meter", "In the draft", "State"]
        rows = [[one.what, one.meter, one.draft, one.change.value] for one in lines]
        return {"Differences": (head, rows)}
    points = [
        [str(day.number), point.time, str(point.script)]
        for day in table.days
        for point in day.points
    ]
    return {
        "Seasons": (
            ["Season", "Begins", "Week"],
            [[one.name, one.start, one.week] for one in table.seasons],
        ),
        "Weeks": (
            ["Week", *WEEKDAYS],
            [[one.name, *map(str, one.days)] for one in table.weeks],
        ),
        "Switching points": (["Day table", "From", "Rate"], points),
        "Special days": (
            ["Number", "Date", "Day table"],
            [[str(one.index), one.date, str(one.day)] for one in special],
        ),
    }
