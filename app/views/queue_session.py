"""What the queue shows now: filter, order, found row numbers, counts, and the chosen order."""

from array import array
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.views.station import Station

if TYPE_CHECKING:
    from app.workorders.detail import OrderDetail

TYPING_MS = 160
SHARES = ["Today", "Open", "Done", "All"]


class QueueSession(QObject):
    """Asks the database behind the window; pages show what came of it."""

    listed = Signal()
    detailed = Signal()

    def __init__(self, station: Station) -> None:
        from app.workorders.queue import QueueFilter

        super().__init__(station)
        self.station = station
        self.share = 1
        self.state = ""
        self.filter: QueueFilter = QueueFilter(order_by="when")
        self.ids: array[int] = array("q")
        self.counts: dict[str, int] = {}
        self.due_today = 0
        self.campaigns = False  # whether there are key-change campaigns
        self.everything = -1  # orders on this laptop; -1 until it is known
        self.chosen = ""
        self.detail: OrderDetail | None = None
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_MS)
        self._typing.timeout.connect(self.reload)
        station.synced.connect(lambda _: self.reload())

    def search(self, text: str) -> None:
        """Look for these words when the typing pauses."""
        self.filter = replace(self.filter, text=text)
        self._typing.start()

    def choose_share(self, index: int) -> None:
        """Show today's, the open, the finished or all orders."""
        self.share, self.state = index, ""
        self.reload()

    def choose_state(self, state: str) -> None:
        """Show one state only; "" shows the share."""
        self.state = state
        self.reload()

    def sort(self, order_by: str) -> None:
        """Sort by a column; the same column again turns it round."""
        again = order_by == self.filter.order_by
        turned = again and not self.filter.descending
        self.filter = replace(self.filter, order_by=order_by, descending=turned)
        self.reload()

    def choose(self, order_id: str) -> None:
        """Choose an order and fetch everything about it."""
        self.chosen = order_id
        if not order_id:
            self.station.fetcher.forget("detail")
            self.detail = None
            self.detailed.emit()
            return
        db = self.station.desk.db

        def work() -> "OrderDetail":
            from app.workorders.detail import order_detail

            return order_detail(db, order_id)

        self.station.fetcher.fetch("detail", work, self._detailed, self.station.refused.emit)

    def reload(self) -> None:
        """Ask again: something has changed."""
        self._typing.stop()
        from app.workorders.campaign import has_campaigns
        from app.workorders.queue import DONE_STATES, OPEN_STATES, QueueFilter, count_by_state
        from app.workorders.queue import find_ids as found_by

        db, today = self.station.desk.db, datetime.now().astimezone().date()
        states = (OPEN_STATES, OPEN_STATES, DONE_STATES, frozenset[str]())[self.share]
        due = today if self.share == 0 and not self.state else None
        wanted = replace(
            self.filter, states=frozenset({self.state}) if self.state else states, due_to=due
        )
        text = QueueFilter(text=self.filter.text)

        def work() -> tuple[Any, ...]:
            counts = count_by_state(db, text)
            today_only = count_by_state(db, replace(text, due_to=today))
            in_all = counts if not text.text else count_by_state(db)
            due_today = sum(today_only.get(state, 0) for state in OPEN_STATES)
            campaigns = has_campaigns(db)
            return found_by(db, wanted), counts, due_today, sum(in_all.values()), campaigns

        self.station.fetcher.fetch("queue", work, self._listed, self.station.refused.emit)
        if self.chosen:
            self.choose(self.chosen)

    def names(self) -> list[str]:
        """Give the shares with their counts."""
        from app.workorders.queue import DONE_STATES, OPEN_STATES

        def total(states: frozenset[str]) -> int:
            return sum(count for state, count in self.counts.items() if state in states)

        numbers = [
            self.due_today,
            total(OPEN_STATES),
            total(DONE_STATES),
            sum(self.counts.values()),
        ]
        return [f"{name} {count:,}" for name, count in zip(SHARES, numbers, strict=True)]

    def _listed(self, answer: tuple[Any, ...]) -> None:
        self.ids, self.counts, self.due_today, self.everything, self.campaigns = answer
        self.listed.emit()

    def _detailed(self, detail: "OrderDetail") -> None:
        self.detail = detail
        self.detailed.emit()
