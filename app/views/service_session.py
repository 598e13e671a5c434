"""The clock and the supply switch of the meter at the chosen port."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.models.base import utc_now
from app.views.object_session import ObjectSession

if TYPE_CHECKING:
    from app.tasks import Found
    from app.views.station import Station
    from drivers.switching import Switching
    from drivers.values import ClockReading, RelayReading

COMPARING, ACTING = "comparing", "acting"


class ActSession(ObjectSession):
    """Something that is done to a meter in steps, and what it came to."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.outcome: Any = None  # of the last act: before and after, or what it returned

    def act(self, task: Any) -> None:
        """Begin an act; the task asks for reason and confirmation."""
        self.outcome = None
        self._begin(ACTING, task)

    def forget(self) -> None:
        """Forget the meter."""
        super().forget()
        self.outcome = None

    def ended(self, result: object) -> None:
        """Keep what an act has changed."""
        if self.doing == ACTING:
            self.outcome = result


class ServiceSession(ActSession):
    """Keeps what was read until another port or meter is chosen; one act at a time."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.clock: ClockReading | None = None
        self.relay: RelayReading | None = None
        self.looked_at: datetime | None = None

    def forget(self) -> None:
        """Forget the meter."""
        super().forget()
        self.clock = self.relay = self.looked_at = None

    def compare(self) -> None:
        """Read clock and supply switch."""
        self.clock = self.relay = self.outcome = None
        bench = self.station.desk.bench
        self._begin(COMPARING, bench.read(self.station.at(), ("clock", "relay")))

    def set_clock(self) -> None:
        """Set the clock; the task asks for reason and confirmation."""
        self.act(self.station.desk.bench.set_clock(self.station.at(), self.serial))

    def switch(self, action: Switching) -> None:
        """Operate the supply switch; the task asks for reason and confirmation."""
        self.act(self.station.desk.bench.switch(self.station.at(), action, self.serial))

    def absorb(self, found: Found) -> None:
        """Take one thing of the meter."""
        item: Any = found.item
        if found.what == "clock":
            self.clock, self.looked_at, self._place = item, utc_now(), self.station.at()
        elif found.what == "relay":
            self.relay, self.looked_at, self._place = item, utc_now(), self.station.at()
        else:
            super().absorb(found)
