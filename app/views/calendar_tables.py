"""The tables of a switching table that is worked on, each with the buttons that change its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QSizePolicy

from app.services.calendar_checks import ALL_ROWS, OUT_OF_ORDER, Problem, at_row
from app.services.calendar_differences import day_words
from app.services.calendar_draft import Draft, Part, Row, count
from app.views.controls import ActionButton
from app.views.day_strip import DayFace, tall_day
from app.views.surfaces import Card, label, row_of
from app.views.tables import Cell, CellTable, Column, Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.views.theme import Look
    from drivers.calendar import Limits

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
TITLES = {
    Part.SEASONS: "Seasons",
    Part.WEEKS: "Weeks",
    Part.DAYS: "Day tables",
    Part.POINTS: "Switching points",
    Part.SPECIAL: "Special days",
}
COLUMNS = {
    Part.SEASONS: (Column("Season", 11), Column("Begins", 8), Column("Week")),
    Part.WEEKS: (Column("Week", 11), Column("Monday to Sunday")),
    Part.DAYS: (Column("Day", 5), Column("Rates over 24 hours")),
    Part.POINTS: (Column("From", 10), Column("Rate")),
    Part.SPECIAL: (Column("Date", 14), Column("Day table")),
}
GRAVE, ODD = "triangle-alert", "info"


class RowTable(CellTable):
    """One row chosen; Enter goes to its fields, Insert and Delete add and remove rows."""

    entered = Signal()
    add_wanted = Signal()
    remove_wanted = Signal()
    came = Signal()

    def event(self, event: QEvent) -> bool:
        """Keep Enter from the page's primary button."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            if event.key() in ENTER:
                event.accept()
                return True
        elif event.type() == QEvent.Type.FocusIn:
            self.came.emit()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the fields, add, remove, or move."""
        acts = {
            Qt.Key.Key_Insert: self.add_wanted,
            Qt.Key.Key_Delete: self.remove_wanted,
            **dict.fromkeys(ENTER, self.entered),
        }
        if event.key() in acts:
            acts[Qt.Key(event.key())].emit()
        else:
            super().keyPressEvent(event)


class PartTable(Card):
    """One table with its title, how much of the meter's room it takes, and its buttons."""

    chosen = Signal(object)  # the part

    def __init__(self, look: Look, part: Part) -> None:
        super().__init__(look, padded=False)
        self._look, self.part = look, part
        self._quiet = False
        self.title = label(look, TITLES[part], "strong", strong=True)
        self.room = label(look, "", "caption", muted=True)
        self.add_row = ActionButton(look, "Add")
        self.add_row.setAccessibleName(f"Add to {TITLES[part].lower()}")
        self.remove_row = ActionButton(look, "Remove")
        self.remove_row.setAccessibleName(f"Remove from {TITLES[part].lower()}")
        self.sort_rows = ActionButton(look, "Sort")
        self.sort_rows.setAccessibleName(f"Sort {TITLES[part].lower()}")
        gap = max(look.space.s, look.gap) if look.gloves else look.space.s
        head = row_of(
            look,
            self.title,
            self.room,
            None,
            self.sort_rows,
            self.add_row,
            self.remove_row,
            gap=gap,
        )
        head.box.setContentsMargins(look.space.l, look.space.s, look.space.s, 0)
        self.add(head)
        self.matter = label(look, "", "caption", wrap=True)
        self.matter.setContentsMargins(look.space.l, 0, look.space.s, 0)
        self.add(self.matter)
        self.table = RowTable(look, TITLES[part], Rows(COLUMNS[part]))
        self.table.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.table.came.connect(self._choose)
        self.table.clicked.connect(self._choose)
        self.table.selectionModel().currentRowChanged.connect(self._choose)
        self.add(self.table, 1)

    def row(self) -> int:
        """Give the chosen row; -1 for none."""
        return self.table.currentIndex().row()

    def show_rows(
        self, draft: Draft, found: Sequence[Problem], limits: Limits, row: int, day: int
    ) -> None:
        """Show the rows of the draft, and choose one."""
        look, part = self._look, self.part
        model = self.table.model()
        total = count(draft, part, day)
        places = [Row(part, number, day if part is Part.POINTS else 0) for number in range(total)]
        marked = [at_row(found, place) for place in places]
        self._quiet = True
        if isinstance(model, Rows):
            model.replace([_cells(draft, place, here) for place, here in zip(
                places, marked, strict=True)])  # fmt: skip
        for number, here in enumerate(marked):
            high = (tall_day(look) if part is Part.DAYS else look.tall_row) if here else look.row
            if self.table.rowHeight(number) != high:
                self.table.setRowHeight(number, high)
        if total and self.row() != row:
            self.table.selectRow(min(row, total - 1))
        self._quiet = False
        limit = limit_of(limits, part)
        self.room.setText(f"{total} of {limit}" if limit else str(total))
        if part is Part.POINTS and day < len(draft.table.days):
            self.title.setText(f"Day table {draft.table.days[day].number}")
            self.title.setAccessibleDescription("Switching points")
        self._say([one for one in found if one.place == Row(part, ALL_ROWS)], draft)
        self.sort_rows.setVisible(any(one.short == OUT_OF_ORDER for here in marked for one in here))
        self.remove_row.setEnabled(bool(total))
        self.add_row.setEnabled(part is not Part.POINTS or day < len(draft.table.days))

    def _say(self, found: Sequence[Problem], draft: Draft) -> None:
        text = " ".join(problem.text for problem in found)
        if self.part is Part.SPECIAL and not text and not draft.special_days:
            text = (
                "Not in this calendar: the meter keeps its own."
                if draft.special_days is None
                else "None: those of the meter are removed."
            )
        self.matter.setProperty("part", "problem" if found else "muted")
        self.matter.style().polish(self.matter)
        self.matter.setText(text)
        self.matter.setVisible(bool(text))

    def _choose(self) -> None:
        if not self._quiet:
            self.chosen.emit(self.part)


def limit_of(limits: Limits, part: Part) -> int:
    """Give how many rows the meter holds, 0 where that is not known."""
    return {
        Part.SEASONS: limits.seasons,
        Part.WEEKS: limits.weeks,
        Part.DAYS: limits.days,
        Part.POINTS: limits.points,
        Part.SPECIAL: limits.special_days,
    }.get(part, 0)


def _cells(draft: Draft, place: Row, found: tuple[Problem, ...]) -> list[Cell]:
    first, last = _texts(draft, place)
    worst = found[0] if found else None
    icon = (GRAVE if worst.grave else ODD) if worst else ""
    detail = ", ".join(problem.short for problem in found)
    cells = [Cell(text, icon=icon if not number else "") for number, text in enumerate(first)]
    if place.part is Part.DAYS:
        face = DayFace(draft.table.days[place.row], detail)
        return [*cells, Cell(last, detail=detail, drawn=face)]
    return [*cells, Cell(last, detail=detail)]


def _texts(draft: Draft, place: Row) -> tuple[list[str], str]:
    """Give the texts of a row: all columns but the last, and the last."""
    table = draft.table
    if place.part is Part.SEASONS:
        season = table.seasons[place.row]
        return [season.name, season.start], season.week
    if place.part is Part.WEEKS:
        week = table.weeks[place.row]
        return [week.name], "  ".join(map(str, week.days))
    if place.part is Part.DAYS:
        day = table.days[place.row]
        return [str(day.number)], day_words(day)
    if place.part is Part.POINTS:
        point = table.days[place.day].points[place.row]
        return [point.time], f"Rate {point.script}"
    special = (draft.special_days or ())[place.row]
    return [special.date], str(special.day)
