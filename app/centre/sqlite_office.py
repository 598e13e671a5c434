"""What the office does and sees on a SQLite centre."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, func, insert, or_, select, update

from app.centre.acts import Disputed, decided
from app.centre.contract import CENTRE_DEVICE, Act, Count, Envelope, ReviewItem, Verdict
from app.centre.fold import ASSIGNED, computed_hash, fold, parsed
from app.centre.order import CentreOrder
from app.centre.store import ORDER_COLUMNS, admit, orders_of, post, save_orders
from app.centre.tables import BLOB, DEVICE, EVENT, INCARNATION, ORDER, REVIEW
from app.errors import NotFound
from app.models.base import canonical, new_id, utc_now
from app.models.journal import SCHEMA_VERSION

ENVELOPE_COLUMNS = [EVENT.c[name] for name in Envelope.__slots__]


def perform(connection: Connection, act: Act) -> None:
    """Log, fold and mail an act in the caller's transaction; see `Centre.act`."""
    item = None
    order_id = act.order_id
    if act.item is not None:
        item = _disputed(connection, act.item)
        order_id = item.envelope.order_id
    order = orders_of(connection, [order_id]).get(order_id)
    if order is None and item is None:
        raise NotFound(f"the centre knows no order {order_id}")
    if act.kind == ASSIGNED:
        admit(connection, act.device)
    missing = order is not None and _media_missing(connection, order.order_id)
    done = decided(act, order, media_missing=missing, item=item)
    envelope = _own_event(connection, order_id, done.epoch, act.kind, done.body)
    after = fold(order, CENTRE_DEVICE, envelope, parsed(envelope.body) or {})
    if after is not None:
        save_orders(connection, [after])
    known = set(connection.scalars(select(DEVICE.c.device_id)))
    for device_id, kind, data in done.letters:
        if device_id in known:
            post(connection, device_id, [(kind, order_id, data)])
    if act.item is not None:
        connection.execute(
            update(REVIEW)
            .where(REVIEW.c.event_position == act.item)
            .values(closed=utc_now(), closed_by=act.who, decision=act.decision, reason=act.reason)
        )


def _disputed(connection: Connection, item: int) -> Disputed:
    row = connection.execute(
        select(EVENT.c.device_id, REVIEW.c.verdict, REVIEW.c.closed, *ENVELOPE_COLUMNS)
        .join(REVIEW, REVIEW.c.event_position == EVENT.c.position)
        .where(EVENT.c.position == item)
    ).first()
    if row is None:
        raise NotFound(f"there is no review item {item}")
    device_id, verdict, closed, *values = row
    return Disputed(Envelope(*values), device_id, verdict, closed is not None)


def _media_missing(connection: Connection, order_id: str) -> bool:
    bodies = connection.scalars(
        select(EVENT.c.body).where(
            EVENT.c.order_id == order_id,
            EVENT.c.kind == "attachment.added",
            EVENT.c.verdict == Verdict.APPLIED.value,
        )
    ).all()
    wanted = {str((parsed(body) or {}).get("sha256", "")) for body in bodies}
    there = connection.scalars(
        select(BLOB.c.sha256).where(BLOB.c.sha256.in_(wanted), BLOB.c.complete)
    )
    return bool(wanted - set(there))


def _own_event(
    connection: Connection, order_id: str, epoch: int, kind: str, data: dict[str, Any]
) -> Envelope:
    """Append an act of the centre itself to the log, under its own numbers."""
    of_centre = INCARNATION.c.device_id == CENTRE_DEVICE
    last = connection.execute(select(INCARNATION.c.last_seq).where(of_centre)).scalar_one()
    now = utc_now()
    envelope = Envelope(
        seq=last + 1,
        event_id=new_id(),
        order_id=order_id,
        epoch=epoch,
        kind=kind,
        schema_v=SCHEMA_VERSION,
        body=canonical(data),
        sha256="",
        wall=now,
    )
    envelope = replace(envelope, sha256=computed_hash(envelope))
    connection.execute(
        insert(EVENT).values(
            device_id=CENTRE_DEVICE,
            incarnation=1,
            verdict=Verdict.APPLIED.value,
            received_at=now,
            **{name: getattr(envelope, name) for name in Envelope.__slots__},
        )
    )
    connection.execute(update(INCARNATION).where(of_centre).values(last_seq=last + 1))
    return envelope


def find_orders(connection: Connection, wanted: Sequence[str], state: str) -> list[CentreOrder]:
    """Return orders by number or id, or all in a state."""
    statement: Select[Any] = select(*ORDER_COLUMNS).order_by(ORDER.c.number, ORDER.c.order_id)
    if wanted:
        statement = statement.where(or_(ORDER.c.order_id.in_(wanted), ORDER.c.number.in_(wanted)))
    if state:
        statement = statement.where(ORDER.c.state == state)
    return [CentreOrder(*row) for row in connection.execute(statement)]


def review_items(connection: Connection, item: int | None, *, closed: bool) -> list[ReviewItem]:
    """Return review items, oldest first."""
    statement = (
        select(
            EVENT.c.position,
            EVENT.c.event_id,
            EVENT.c.order_id,
            func.coalesce(ORDER.c.number, ""),
            EVENT.c.device_id,
            EVENT.c.kind,
            REVIEW.c.verdict,
            REVIEW.c.opened,
            EVENT.c.body,
            REVIEW.c.closed_by,
            REVIEW.c.decision,
            REVIEW.c.reason,
        )
        .join(REVIEW, REVIEW.c.event_position == EVENT.c.position)
        .outerjoin(ORDER, ORDER.c.order_id == EVENT.c.order_id)
        .order_by(EVENT.c.position)
    )
    if item is not None:
        statement = statement.where(EVENT.c.position == item)
    elif not closed:
        statement = statement.where(REVIEW.c.closed.is_(None))
    return [ReviewItem(*row) for row in connection.execute(statement)]


def history(connection: Connection, order_id: str) -> list[tuple[str, str, Envelope]]:
    """Return device, verdict and event of everything about an order, as it arrived."""
    rows = connection.execute(
        select(EVENT.c.device_id, EVENT.c.verdict, *ENVELOPE_COLUMNS)
        .where(EVENT.c.order_id == order_id)
        .order_by(EVENT.c.position)
    )
    return [(device, verdict, Envelope(*values)) for device, verdict, *values in rows]


def counts(connection: Connection) -> list[Count]:
    """Return how many orders of each area, crew and day are in each state."""
    crew = func.coalesce(func.nullif(DEVICE.c.name, ""), ORDER.c.assignee)
    rows = connection.execute(
        select(ORDER.c.area, crew, ORDER.c.ended, ORDER.c.state, func.count())
        .outerjoin(DEVICE, DEVICE.c.device_id == ORDER.c.assignee)
        .group_by(ORDER.c.area, crew, ORDER.c.ended, ORDER.c.state)
        .order_by(ORDER.c.area, crew, ORDER.c.ended, ORDER.c.state)
    )
    return [Count(*row) for row in rows]
