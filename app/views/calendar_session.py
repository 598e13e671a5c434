"""The switching table of the meter at the chosen port, and one of a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from app.models.base import utc_now
from app.services.calendar import calendar_shape, load_calendar
from app.views.service_session import ActSession

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from app.tasks import Found
    from app.views.station import Station
    from drivers.calendar import Calendar, CalendarReading, SpecialDay

READING = "reading the calendar"


class CalendarSession(ActSession):
    """Keeps what was read until another meter is chosen; the file stays until another is opened."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.reading: CalendarReading | None = None
        self.whole_at: datetime | None = None
        self.file: tuple[Calendar, tuple[SpecialDay, ...] | None, datetime | None] | None = None
        self.file_name = ""

    def forget(self) -> None:
        """Forget the meter; the file is for the next one too."""
        super().forget()
        self.reading = self.whole_at = None

    def read_meter(self) -> None:
        """Read both tables and the special days."""
        if not self.running:
            self.outcome = None
            self._begin(READING, self.station.desk.bench.read_calendar(self.station.at()))

    def open_file(self, path: Path) -> None:
        """Take a table from a file."""

        def take(
            found: tuple[Calendar, tuple[SpecialDay, ...] | None, datetime | None],
        ) -> None:
            self.file, self.file_name = found, path.name
            self.turned.emit()

        fetch, refused = self.station.fetcher.fetch, self.station.refused.emit
        fetch("calendar file", lambda: load_calendar(path), take, refused)

    def save(self, path: Path, say: Callable[[str], None]) -> None:
        """Keep what was read in a file."""
        reading = self.reading
        if reading is None:
            return

        def write() -> str:
            from app.models.engine import translated
            from app.models.files import write_atomically

            text = json.dumps(calendar_shape(reading), indent=1, ensure_ascii=False)
            with translated(str(path)):
                write_atomically(path, text.encode())
            return f"The calendar is in {path.name}."

        self.station.fetcher.fetch("save", write, say, self.station.refused.emit)

    def write_file(self, activation: datetime | None) -> None:
        """Write the table of the file, to be in force at once or from ``activation`` on."""
        if self.file is not None and not self.running:
            table, special, _ = self.file
            at, bench = self.station.at(), self.station.desk.bench
            self.act(bench.write_calendar(at, table, special, activation, self.serial))

    def absorb(self, found: Found) -> None:
        """Take one thing of the meter."""
        item: Any = found.item
        if found.what == "calendar":
            self.reading, self.whole_at, self._place = item, utc_now(), self.station.at()
        else:
            super().absorb(found)
