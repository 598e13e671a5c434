"""What a visit or a reading has established so far, from the events of its task.  No Qt."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.tasks import Found
from drivers.values import (
    ClockReading,
    Identity,
    MeterEvent,
    ProfileBlock,
    ProfileInfo,
    ProfileRow,
    Reading,
    Statistics,
)

if TYPE_CHECKING:
    from app.views.desk_protocol import StoredLike
    from app.workorders.checks import Check
    from app.workorders.tokens import TokenView


@dataclass
class Findings:
    """Filled as it arrives; ``news`` counts changes of each kind, so that views know what to do."""

    identity: Identity | None = None
    clock: ClockReading | None = None
    readings: list[tuple[str, Reading]] = field(default_factory=list)
    info: ProfileInfo | None = None
    rows: list[ProfileRow] = field(default_factory=list)
    events: list[MeterEvent] = field(default_factory=list)
    checks: dict[str, "Check"] = field(default_factory=dict)
    tokens: "Sequence[TokenView]" = ()
    whole: bool = False  # the reading has come to its end
    line: Statistics | None = None  # how the line was, at the end
    latest: str = ""  # what came last: checks, readings, rows or events
    news: dict[str, int] = field(default_factory=dict)

    def take(self, found: Found, moment: str = "") -> None:
        """Add one thing that was found; ``moment`` is the step it was found in."""
        item: Any = found.item
        if found.what == "identity":
            self.identity = item
        elif found.what == "clock":
            self.clock = item
            self._changed("readings")
        elif found.what == "reading":
            self.readings.append((moment, item))
            self._changed("readings")
        elif found.what == "rows":
            self._take_rows(item)
        elif found.what == "event":
            self.events.append(item)
            self._changed("events")
        elif found.what == "line":
            self.line = item
        elif found.what == "check":
            self.checks[item.title] = item
            self._changed("checks")
        elif found.what == "tokens":
            self.tokens = tuple(item)
            self._changed("tokens")

    def take_stored(self, stored: "StoredLike") -> None:
        """Replace everything by what the laptop keeps of the order."""
        self.readings = list(stored.readings)
        self.events = list(stored.events)
        self.clock = stored.clock or self.clock
        self.checks = {check.title: check for check in stored.checks}
        self.tokens = tuple(stored.tokens)
        self.info, self.rows, self.whole = None, [], True
        if stored.profiles:
            info, rows = stored.profiles[-1]
            self.info, self.rows = info, sorted(rows, key=lambda row: row.time)
        for what in ("checks", "readings", "rows", "events", "tokens"):
            self.news[what] = self.news.get(what, 0) + 1

    def clear(self) -> None:
        """Forget everything, for the next meter."""
        self.identity = self.clock = self.info = self.line = None
        self.readings.clear()
        self.rows.clear()
        self.events.clear()
        self.checks.clear()
        self.tokens = ()
        self.latest, self.whole = "", False
        for what in ("checks", "readings", "rows", "events", "tokens"):
            self.news[what] = self.news.get(what, 0) + 1

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (
            self.readings or self.rows or self.events or self.checks or self.clock or self.tokens
        )

    def _take_rows(self, item: Any) -> None:
        info: ProfileInfo
        block: ProfileBlock
        info, block = (item.info, item.block) if hasattr(item, "block") else item
        if info != self.info:
            self.info, self.rows = info, []
        backwards = bool(self.rows and block.rows) and block.rows[0].time < self.rows[-1].time
        self.rows.extend(block.rows)
        if backwards:
            self.rows.sort(key=lambda row: row.time)
        self._changed("rows")

    def _changed(self, what: str) -> None:
        self.latest = what
        self.news[what] = self.news.get(what, 0) + 1
