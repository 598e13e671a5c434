"""The sync sign of a work order: how much of it the centre has.

Green is earned by counters, never by the absence of an error: every event acknowledged and every
file hashed at the centre.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models.blob import Blob
from app.models.database import Database
from app.models.journal import JournalEvent
from app.models.order import Attachment, WorkOrder

_AT_ONCE = 500


class ChipState(StrEnum):
    """Where an order's facts are."""

    LOCAL = "local"
    SENT = "sent"
    MEDIA_PENDING = "media pending"
    VERDICT = "verdict"
    ACKNOWLEDGED = "acknowledged"


_VERDICT_WORDS = {
    "late": "late, in review",
    "conflict": "conflict, in review",
    "duplicate_result": "done twice, in review",
    "orphan": "unknown at the centre, in review",
    "unknown_kind": "too new for the centre, kept",
    "invalid": "damaged, in review",
    "dismissed": "reviewed, another result stands",
}


@dataclass(frozen=True)
class Chip:
    """The sign of one order; ``sent`` of ``total`` events are acknowledged."""

    state: ChipState
    sent: int = 0
    total: int = 0
    media_pending: int = 0
    verdict: str = ""

    @property
    def green(self) -> bool:
        """Return whether everything is at the centre and was applied."""
        return self.state is ChipState.ACKNOWLEDGED

    @property
    def text(self) -> str:
        """Return the words on the chip."""
        if self.state is ChipState.SENT:
            return f"sent {self.sent} of {self.total}"
        if self.state is ChipState.MEDIA_PENDING:
            return f"media pending ({self.media_pending})"
        if self.state is ChipState.VERDICT:
            return _VERDICT_WORDS.get(self.verdict, self.verdict)
        return self.state.value


_OPEN_EVENTS = select(func.count()).select_from(JournalEvent).where(JournalEvent.acked_at.is_(None))
_OPEN_FILES = (
    select(func.count(func.distinct(Attachment.sha256)))
    .select_from(Attachment)
    .outerjoin(Blob, Blob.sha256 == Attachment.sha256)
    .where(Blob.verified_at.is_(None))
)


@dataclass(frozen=True)
class Pending:
    """What the centre does not have yet, for the connection bar."""

    events: int
    blobs: int

    @property
    def nothing(self) -> bool:
        """Return whether everything is at the centre."""
        return not self.events and not self.blobs


def chip(session: Session, order_id: str) -> Chip:
    """Return the sync sign of one order."""
    return chips(session, [order_id])[order_id]


def chips(session: Session, order_ids: Iterable[str]) -> dict[str, Chip]:
    """Return the sync signs of several orders, by order id."""
    wanted = list(dict.fromkeys(order_ids))
    found: dict[str, Chip] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        found |= _chips(session, wanted[start : start + _AT_ONCE])
    return found


def pending(db: Database) -> Pending:
    """Return how many events and files wait to be sent."""
    with db.read() as session:
        return pending_in(session)


def pending_in(session: Session) -> Pending:
    """Return how many events and files wait to be sent, in an open session."""
    return Pending(session.scalar(_OPEN_EVENTS) or 0, session.scalar(_OPEN_FILES) or 0)


def _chips(session: Session, order_ids: list[str]) -> dict[str, Chip]:
    counts = {
        order_id: (total, acked)
        for order_id, total, acked in session.execute(
            select(
                JournalEvent.order_id,
                func.count(),
                func.count(JournalEvent.acked_at),
            )
            .where(JournalEvent.order_id.in_(order_ids))
            .group_by(JournalEvent.order_id)
        )
    }
    for order_id, purged in session.execute(
        select(WorkOrder.order_id, WorkOrder.events_purged).where(
            WorkOrder.order_id.in_(order_ids), WorkOrder.events_purged > 0
        )
    ):
        total, acked = counts.get(order_id, (0, 0))
        counts[order_id] = (total + purged, acked + purged)
    verdicts: dict[str, str] = {}
    for order_id, verdict in session.execute(
        select(JournalEvent.order_id, JournalEvent.verdict)
        .where(JournalEvent.order_id.in_(order_ids), JournalEvent.verdict != "")
        .order_by(JournalEvent.incarnation, JournalEvent.seq)
    ):
        verdicts.setdefault(order_id, verdict)
    media: dict[str, int] = dict(
        session.execute(
            select(Attachment.order_id, func.count(func.distinct(Attachment.sha256)))
            .outerjoin(Blob, Blob.sha256 == Attachment.sha256)
            .where(Attachment.order_id.in_(order_ids), Blob.verified_at.is_(None))
            .group_by(Attachment.order_id)
        ).all()
    )
    return {
        order_id: _sign(
            *counts.get(order_id, (0, 0)), media.get(order_id, 0), verdicts.get(order_id, "")
        )
        for order_id in order_ids
    }


def _sign(total: int, acked: int, media: int, verdict: str) -> Chip:
    if not acked:
        state = ChipState.LOCAL
    elif acked < total:
        state = ChipState.SENT
    elif verdict:
        state = ChipState.VERDICT
    elif media:
        state = ChipState.MEDIA_PENDING
    else:
        state = ChipState.ACKNOWLEDGED
    return Chip(state, acked, total, media, verdict)
