"""Syncs by itself every so many minutes, and slower where the centre does not answer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.sync.backoff import Backoff
    from app.views.station import Station

LOOK_MS = 5000
MINUTE = 60.0


class AutoSync(QObject):
    """Looks every few seconds whether it is time; a meter that is being worked on goes first.

    The first sync comes one pause after the start: nothing calls home when the program opens.
    """

    def __init__(self, station: Station, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(station)
        self._station, self._now = station, now
        self._last = now()
        self._failed = False
        self._backoff: Backoff | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(LOOK_MS)

    @property
    def backoff(self) -> Backoff:
        """What decides on the pause after a failure."""
        if self._backoff is None:
            from app.sync.backoff import Backoff

            self._backoff = Backoff()
        return self._backoff

    @property
    def batch(self) -> int:
        """How many events to send at once: fewer after repeated failures."""
        return self.backoff.batch

    def look(self) -> None:
        """Sync when it is time and no meter is being worked on."""
        settings = self._station.desk.settings
        minutes = settings.whole("centre.every_minutes")
        if not minutes or not settings.text("centre.url") or self._station.busy():
            return
        pause = self.backoff.delay() if self._failed else minutes * MINUTE
        if self._now() - self._last >= pause:
            self._station.sync_by_itself()

    def went_through(self) -> None:
        """Note a sync that came to its end."""
        self._last, self._failed = self._now(), False
        self.backoff.succeeded()

    def broke(self) -> None:
        """Note a sync that broke off; the next pause is drawn."""
        self._last, self._failed = self._now(), True
        self.backoff.failed()

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()
