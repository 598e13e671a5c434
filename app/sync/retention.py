"""What a laptop may forget: journal rows and photos that are safe at the centre and old enough.

Acknowledged rows and photo originals stay at least 90 days, so that a centre put back from a
backup is filled again by the laptops.  Only orders that have ended are touched, and the number of
rows that went is kept, so that the sync sign stays what it was.
"""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from app.models.blob import Blob
from app.models.journal import JournalEvent
from app.models.order import Attachment, OrderState, WorkOrder
from app.sync.journal import laptop_of

KEEP = timedelta(days=90)

_ENDED = (
    OrderState.SUBMITTED,
    OrderState.APPROVED,
    OrderState.EXPORTED,
    OrderState.CLOSED,
    OrderState.CANCELLED,
    OrderState.SUPERSEDED,
    OrderState.RECALLED,
)


def purge(session: Session, folder: Path) -> int:
    """Forget what is old and safe, in the caller's write transaction; return how many events.

    Nothing of an order goes before all of it is acknowledged, verified and past its time.  Time
    is what the centre said last: a wrong clock of this laptop makes it forget nothing.
    """
    now = laptop_of(session).last_server_time
    if now is None:
        return 0
    border = now - KEEP
    of_order = JournalEvent.order_id == WorkOrder.order_id
    young = exists().where(
        of_order, JournalEvent.acked_at.is_(None) | (JournalEvent.acked_at > border)
    )
    of_media = Attachment.order_id == WorkOrder.order_id
    verified = exists().where(Blob.sha256 == Attachment.sha256, Blob.verified_at.is_not(None))
    unsafe = exists().where(of_media, ~verified)
    ids = session.scalars(
        select(WorkOrder.order_id).where(
            WorkOrder.state.in_(_ENDED), exists().where(of_order), ~young, ~unsafe
        )
    ).all()
    return sum(_forget(session, folder, order_id) for order_id in ids)


def _forget(session: Session, folder: Path, order_id: str) -> int:
    of_order = JournalEvent.order_id == order_id
    count = session.scalar(select(func.count()).select_from(JournalEvent).where(of_order)) or 0
    session.execute(delete(JournalEvent).where(of_order))
    session.execute(
        update(WorkOrder)
        .where(WorkOrder.order_id == order_id)
        .values(events_purged=WorkOrder.events_purged + count)
    )
    photos = session.scalars(
        select(Attachment).where(Attachment.order_id == order_id, Attachment.kind == "photo")
    )
    for photo in photos:
        shared = session.scalar(
            select(func.count())
            .select_from(Attachment)
            .where(Attachment.sha256 == photo.sha256, Attachment.order_id != order_id)
        )
        if not shared:
            (folder / photo.path).unlink(missing_ok=True)
    return count
