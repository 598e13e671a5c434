"""The laptop's side of the journal: what is open, what was acknowledged, new numbers.

Nothing is deleted when it is sent; it is marked after the centre said that it has committed.
"""

from collections.abc import Mapping

from sqlalchemy import Integer, bindparam, exists, func, or_, select, update
from sqlalchemy.orm import Session

from app.centre.contract import MAX_BYTES, Envelope
from app.models.base import utc_now
from app.models.blob import Blob
from app.models.journal import JournalEvent, Laptop
from app.models.order import Attachment, OrderState, WorkOrder

# Written once: making a statement costs more than running it, and every session runs these.
_LAPTOP = select(Laptop)
_OLDEST = select(func.min(JournalEvent.incarnation)).where(JournalEvent.acked_at.is_(None))
_OPEN = (
    select(JournalEvent)
    .where(JournalEvent.incarnation == bindparam("number"), JournalEvent.acked_at.is_(None))
    .order_by(JournalEvent.seq)
    .limit(bindparam("count", type_=Integer))
)
_OPEN_COUNT = select(func.count()).select_from(JournalEvent).where(JournalEvent.acked_at.is_(None))
_INCARNATIONS = select(JournalEvent.incarnation).distinct()


def laptop_of(session: Session) -> Laptop:
    """Return this laptop's row."""
    return session.execute(_LAPTOP).scalar_one()


def open_batch(session: Session, count: int) -> tuple[int, list[Envelope]]:
    """Return the next events to send, of one incarnation, oldest first, at most ``count``.

    Bytes are limited too, but one event is always sent, whatever its size.
    """
    incarnation = session.scalar(_OLDEST)
    if incarnation is None:
        return 0, []
    rows = session.scalars(_OPEN, {"number": incarnation, "count": count})
    batch: list[Envelope] = []
    size = 0
    for row in rows:
        size += len(row.body.encode())
        if batch and size > MAX_BYTES:
            break
        batch.append(_envelope(row))
    return incarnation, batch


def open_count(session: Session) -> int:
    """Return how many events wait to be sent."""
    return session.scalar(_OPEN_COUNT) or 0


def acknowledge(session: Session, incarnation: int, upto: int, last_sent: int) -> None:
    """Mark what the centre has committed: everything that was sent, and not beyond its answer.

    The time is the centre's: retention counts from it.
    """
    at = laptop_of(session).last_server_time or utc_now()
    session.execute(
        update(JournalEvent)
        .where(
            JournalEvent.incarnation == incarnation,
            JournalEvent.seq <= min(upto, last_sent),
            JournalEvent.acked_at.is_(None),
        )
        .values(acked_at=at)
    )


def forget_acknowledgements(session: Session, last_seqs: Mapping[int, int]) -> int:
    """Open again what the centre has lost; return how many events that are."""
    reopened = 0
    for incarnation in session.scalars(_INCARNATIONS).all():
        changed = session.execute(
            update(JournalEvent)
            .where(
                JournalEvent.incarnation == incarnation,
                JournalEvent.seq > last_seqs.get(incarnation, 0),
                JournalEvent.acked_at.is_not(None),
            )
            .values(acked_at=None, verdict="")
        )
        reopened += changed.rowcount  # type: ignore[attr-defined]
    return reopened


def reopen(session: Session) -> None:
    """Open everything again, so that the centre compares it with what it has.

    A centre that was put back may have taken other content under the same numbers since, from a
    clone of this laptop.
    """
    session.execute(update(JournalEvent).values(acked_at=None, verdict=""))


def renumber(session: Session, incarnation: int, from_seq: int, fresh: int) -> None:
    """Move what is not at the centre to the incarnation ``fresh``, numbered from 1.

    Does nothing when the laptop has moved on already (two sessions at once).

    Args:
        session: An open write transaction.
        incarnation: Where numbers turned out to be used with other content.
        from_seq: The first of them; everything before is proved to be at the centre.
        fresh: The number the centre gave.
    """
    laptop = laptop_of(session)
    if laptop.incarnation >= fresh:
        return
    session.execute(
        update(JournalEvent)
        .where(
            JournalEvent.incarnation == incarnation,
            JournalEvent.seq < from_seq,
            JournalEvent.acked_at.is_(None),
        )
        .values(acked_at=utc_now())
    )
    moved = session.execute(
        select(JournalEvent.incarnation, JournalEvent.seq)
        .where(
            or_(
                (JournalEvent.incarnation == incarnation) & (JournalEvent.seq >= from_seq),
                (JournalEvent.incarnation > incarnation) & JournalEvent.acked_at.is_(None),
            )
        )
        .order_by(JournalEvent.incarnation, JournalEvent.seq)
    ).all()
    for seq, (old_incarnation, old_seq) in enumerate(moved, 1):
        session.execute(
            update(JournalEvent)
            .where(JournalEvent.incarnation == old_incarnation, JournalEvent.seq == old_seq)
            .values(incarnation=fresh, seq=seq, acked_at=None)
        )
    laptop.incarnation = fresh
    laptop.read_back = laptop.read_back or f"{incarnation}.{from_seq}"
    laptop.next_seq = len(moved) + 1


def submit_finished(session: Session) -> int:
    """Turn *done* into *submitted* where the centre has everything; return how many orders."""
    of_order = JournalEvent.order_id == WorkOrder.order_id
    unsent = exists().where(of_order, JournalEvent.acked_at.is_(None))
    ended = exists().where(of_order, JournalEvent.kind == "order.done")
    verified = exists().where(Blob.sha256 == Attachment.sha256, Blob.verified_at.is_not(None))
    media = exists().where(Attachment.order_id == WorkOrder.order_id, ~verified)
    ids = session.scalars(
        select(WorkOrder.order_id).where(WorkOrder.state == OrderState.DONE, ended, ~unsent, ~media)
    ).all()
    for order_id in ids:
        session.execute(
            update(WorkOrder)
            .where(WorkOrder.order_id == order_id)
            .values(state=OrderState.SUBMITTED, updated=utc_now())
        )
    return len(ids)


def _envelope(row: JournalEvent) -> Envelope:
    return Envelope(
        seq=row.seq,
        event_id=row.event_id,
        order_id=row.order_id,
        epoch=row.epoch,
        kind=row.kind,
        schema_v=row.schema_v,
        body=row.body,
        sha256=row.sha256,
        wall=row.wall,
        mono_ns=row.mono_ns,
        boot_id=row.boot_id,
        hlc=row.hlc,
        offset_s=row.offset_s,
    )
