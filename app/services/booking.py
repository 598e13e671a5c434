"""Writes to meters that are booked on a work order: the intent before, the outcome after.

The intent is durable before the first byte goes out.  An intent without an outcome means that the
program or the line ended in between, and that whoever comes next reads the meter first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.errors import NotPermitted
from app.models.base import new_id, utc_now
from app.models.database import Database
from app.models.journal import append
from app.models.order import MeterCommand, WorkOrder
from app.services.clock import DONE, REFUSED, UNKNOWN, settle
from drivers.errors import AccessDenied, NotSupported, ValueRefused

_REFUSALS = (ValueRefused, NotSupported, AccessDenied)
_CLOSED = frozenset({"completed", "approved", "cancelled", "cannot_complete"})


@dataclass(frozen=True)
class Book:
    """The order that a write belongs to."""

    db: Database
    order_id: str
    step: str = ""  # "" outside of a procedure
    clock: Callable[[], datetime] = utc_now


@dataclass(frozen=True)
class Entry:
    """One write that was announced; `done` or `failed` ends it."""

    book: Book | None
    command_id: str = ""
    epoch: int = 0

    def done(self, read_back: str) -> None:
        """Record that the meter holds what was wanted."""
        self._settle(DONE, read_back)

    def failed(self, error: BaseException, read_back: str = "") -> None:
        """Record a refusal, or that nobody knows whether the meter took it."""
        self._settle(REFUSED if isinstance(error, _REFUSALS) else UNKNOWN, read_back)

    def _settle(self, outcome: str, read_back: str) -> None:
        if self.book is None:
            return
        with self.book.db.write() as session:
            settle(
                session,
                self.command_id,
                outcome,
                read_back=read_back,
                at=self.book.clock(),
                epoch=self.epoch,
            )


def announce(book: Book | None, kind: str, *, meter: str, before: str, wanted: str) -> Entry:
    """Record what is about to be written and return the entry; without a book nothing is kept.

    Raises:
        NotPermitted: The order is closed.
    """
    if book is None:
        return Entry(None)
    command_id = new_id()
    with book.db.write() as session:
        order = session.get_one(WorkOrder, book.order_id)
        if order.state in _CLOSED:
            raise NotPermitted(f"order {order.number} is {order.state}: nothing is booked on it")
        session.add(
            MeterCommand(
                command_id=command_id,
                order_id=book.order_id,
                step=book.step,
                kind=kind,
                before=before,
                wanted=wanted,
                intended=book.clock(),
            )
        )
        append(
            session,
            "command.intent",
            {
                "command_id": command_id,
                "kind": kind,
                "step": book.step,
                "meter": meter,
                "before": before,
                "wanted": wanted,
            },
            order_id=book.order_id,
            epoch=order.epoch,
        )
        return Entry(book, command_id, order.epoch)
