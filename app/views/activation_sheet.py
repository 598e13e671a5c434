"""Asks from when on a switching table shall be in force."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit

from app.views.controls import ActionButton, Segments
from app.views.sheet import Sheet
from app.views.surfaces import label

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from app.views.theme import Look

AT_ONCE, LATER = range(2)


class ActivationSheet(Sheet):
    """At once, or at a time to come; ``chosen`` carries the time, None for at once."""

    chosen = Signal(object)

    def __init__(
        self, look: Look, proposed: datetime | None, zone: tzinfo | None, parent: QWidget
    ) -> None:
        super().__init__(look, "From when on", parent)
        self._zone = zone
        now = datetime.now(UTC).astimezone(zone)
        coming = proposed is not None and proposed > now
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0)
        first = proposed if proposed is not None and coming else midnight
        self.way = Segments(look, ["At once", "At this time"], LATER if coming else AT_ONCE)
        self.way.chosen.connect(self._turn)
        self._later = coming
        self.time = QLineEdit(f"{first.astimezone(zone):%Y-%m-%d %H:%M}")
        self.time.setAccessibleName("In force from")
        self.time.textChanged.connect(self._judge)
        self.body.addWidget(self.way)
        self.body.addWidget(self.time)
        self._problem = label(look, "", wrap=True)
        self._problem.setProperty("part", "problem")
        self.body.addWidget(self._problem)
        self.body.addStretch()
        self.go = ActionButton(look, "Continue", "primary", "", "Enter")
        self.go.clicked.connect(self._choose)
        self.finish(self.go)
        self._judge()
        self.fit_to(parent)

    def _turn(self, way: int) -> None:
        self._later = way == LATER
        self._judge()

    def _judge(self) -> None:
        self.time.setEnabled(self._later)
        moment = self._moment()
        trouble = ""
        if self._later and moment is None:
            trouble = "Type date and time like 2026-12-25 07:30."
        elif self._later and moment is not None and moment <= datetime.now(UTC):
            trouble = "This time has passed."
        self._problem.setText(trouble)
        self.go.setEnabled(not trouble)

    def _moment(self) -> datetime | None:
        from app.views.calendar_reading import moment_in

        return moment_in(self.time.text(), self._zone) if self._later else None

    def _choose(self) -> None:
        self.accept()
        self.chosen.emit(self._moment())
