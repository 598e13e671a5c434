"""The name of a draft and when it comes into force, and what takes a step back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from app.services.calendar_checks import Problem, grave
from app.services.calendar_draft import Draft, Part, Row, changed
from app.views import words
from app.views.calendar_fields import TypedField
from app.views.calendar_reading import moment_in
from app.views.controls import ActionButton
from app.views.surfaces import label, row_of

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from app.views.calendar_session import CalendarSession
    from app.views.surfaces import Strip
    from app.views.theme import Look

FORM = "2027-01-01 00:00"
WITHOUT_TIME = "asked when written"
NO_TIME = f"In force from: type date and time like {FORM}."
PLACE = Row(Part.CALENDAR)


class HeadFields(QWidget):
    """Name and activation of the draft, beside each other or, in a small window, below."""

    ended = Signal()

    def __init__(
        self, look: Look, session: CalendarSession, zone: tzinfo | None, *, narrow: bool
    ) -> None:
        super().__init__()
        self._session, self._zone = session, zone
        self.untimed = False  # what is typed as the activation is no time
        self.name = TypedField("Name of the calendar")
        self.name.setFixedWidth(look.width_of("0" * 16))
        self.name.textEdited.connect(self._rename)
        self.start = TypedField("In force from, date and time")
        self.start.setPlaceholderText(WITHOUT_TIME)
        self.start.setFixedWidth(look.width_of(WITHOUT_TIME) + 2 * look.space.m)
        self.start.textEdited.connect(self._retime)
        grid = QGridLayout(self) if narrow else None
        row = None if narrow else QHBoxLayout(self)
        for number, (name, field) in enumerate(
            (("Name", self.name), ("In force from", self.start))
        ):
            field.ended.connect(self.ended)
            caption = label(look, name, muted=True)
            caption.setBuddy(field)
            if grid is not None:
                grid.addWidget(caption, number, 0)
                grid.addWidget(field, number, 1)
                grid.setColumnStretch(2, 1)
                grid.setContentsMargins(0, 0, 0, 0)
                grid.setHorizontalSpacing(look.space.m)
                grid.setVerticalSpacing(look.gap)
            elif row is not None:
                row.addWidget(caption)
                row.addWidget(field)
                row.setContentsMargins(0, 0, 0, 0)
                row.setSpacing(look.space.s)

    def show_draft(self, draft: Draft) -> None:
        """Show both, and leave alone what is being typed."""
        if self.name.text() != draft.table.name:
            self.name.setText(draft.table.name)
        if self.untimed and self.start.hasFocus():
            return
        self.untimed = False
        moment, text = draft.activation, self.start.text().strip()
        if moment is None:
            self.start.clear()
        elif moment_in(text, self._zone) != moment:
            self.start.setText(f"{moment.astimezone(self._zone):%Y-%m-%d %H:%M}")

    def _rename(self, name: str) -> None:
        self._session.change(lambda draft: changed(draft, PLACE, name=name), (PLACE, "name"))

    def _retime(self, text: str) -> None:
        """Take when it comes into force; nothing typed leaves it to whoever writes."""
        moment: datetime | None = moment_in(text, self._zone) if text.strip() else None
        was, self.untimed = self.untimed, bool(text.strip()) and moment is None
        if not self.untimed:
            field = (PLACE, "activation")
            self._session.change(lambda draft: changed(draft, PLACE, activation=moment), field)
        if was != self.untimed:
            self._session.edited.emit()


class HeadButtons:
    """Undo, redo, and the way to the next problem."""

    def __init__(self, look: Look, session: CalendarSession, *, narrow: bool) -> None:
        key = "" if narrow else "Ctrl+Z"
        self.undo = ActionButton(look, "Undo", "secondary", "undo-2", key)
        self.undo.clicked.connect(self._undo)
        self.redo = ActionButton(look, "Redo", "secondary")
        self.redo.clicked.connect(self._redo)
        face, key = ("Next", "") if narrow else ("Next problem", "F4")
        self.next = ActionButton(look, face, "secondary", "triangle-alert", key)
        self.next.setAccessibleName("Next problem")
        gap = max(look.space.s, look.gap)
        self.row: Strip = row_of(look, self.undo, self.redo, self.next, gap=gap)
        self._session = session

    def _undo(self) -> None:
        if self.undo.isVisible():  # the key is pressed with another table in front, too
            self._session.undo()

    def _redo(self) -> None:
        if self.redo.isVisible():
            self._session.redo()

    def show_draft(self, found: tuple[Problem, ...]) -> None:
        """Show what can be done."""
        history = self._session.history
        self.undo.setEnabled(history is not None and history.can_undo)
        self.redo.setEnabled(history is not None and history.can_redo)
        self.next.setEnabled(bool(found))


def summary(found: tuple[Problem, ...], *, untimed: bool) -> str:
    """Say how much is the matter, and what of it is about the calendar as a whole."""
    bad = len(grave(found)) + untimed
    odd = len(found) + untimed - bad
    told = []
    if bad:
        told.append(f"{bad} to put right before it can be written")
    if odd:
        told.append(words.count(odd, "remark"))
    named = [one.text for one in found if one.place.part is Part.CALENDAR]
    named = [NO_TIME, *named] if untimed else named
    return " ".join([f"{', '.join(told)}.", *named]) if told else "Nothing to put right."
