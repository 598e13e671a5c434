"""The central store in one SQLite file: for one trusted host.  Never on a shared folder."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from app.centre.contract import CENTRE_DEVICE, Envelope, Rebuilt, Verdict
from app.centre.fold import ASSIGNED, CentreOrder, computed_hash, fold, parsed
from app.centre.sqlite_session import SqliteSession
from app.centre.store import (
    ORDER_COLUMNS,
    Store,
    admit,
    in_centre_words,
    orders_of,
    post,
    replace_orders,
    save_orders,
)
from app.centre.tables import (
    CENTRE,
    DEVICE,
    EVENT,
    INCARNATION,
    METADATA,
    ORDER,
    REVIEW,
    VERSION,
)
from app.errors import BadInput, NotFound
from app.models.base import canonical, new_id, utc_now
from app.models.engine import sqlite_engine
from app.models.files import flush_folder
from app.models.journal import SCHEMA_VERSION

_SHOWN_DIFFERENCES = 20


class SqliteCentre:
    """The store at ``path``; see `app.centre.contract.Centre`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._store = Store(path)

    @property
    def url(self) -> str:
        """Its address."""
        return f"sqlite:///{self._path}"

    def init(self) -> str:
        """Make the store if there is none; return the centre's id."""
        if not self._path.exists():
            with in_centre_words(self._path):
                self._create()
        with self._store.read() as connection:
            centre_id: str = connection.execute(select(CENTRE.c.centre_id)).scalar_one()
        return centre_id

    def enrol(self, device_id: str, name: str = "") -> None:
        """Let a laptop in; once more does no harm and takes a revocation back."""
        if not device_id.strip() or device_id == CENTRE_DEVICE:
            raise BadInput(f"{device_id!r} cannot be the name of a laptop")
        statement = upsert(DEVICE).values(device_id=device_id, name=name)
        changed = {"revoked": False, **({"name": name} if name else {})}
        with self._store.write() as connection:
            connection.execute(
                statement.on_conflict_do_update(index_elements=["device_id"], set_=changed)
            )

    def revoke(self, device_id: str) -> None:
        """Shut a laptop out; what it has sent stays."""
        with self._store.write() as connection:
            done = connection.execute(
                update(DEVICE).where(DEVICE.c.device_id == device_id).values(revoked=True)
            )
            if not done.rowcount:
                raise NotFound(f"no laptop {device_id} is enrolled")

    def assign(self, order_ids: Sequence[str], device_id: str) -> None:
        """Give orders to a laptop: epoch + 1, a recall to the one before, mail to the new one."""
        with self._store.write() as connection:
            admit(connection, device_id)
            orders = orders_of(connection, order_ids)
            for order_id in order_ids:
                if order_id not in orders:
                    raise NotFound(f"the centre knows no order {order_id}")
                self._assign(connection, orders[order_id], device_id)

    def status(self) -> dict[str, Any]:
        """Return the counters in the shape of ``centre status --json``."""
        with self._store.read() as connection:
            centre = connection.execute(select(CENTRE)).mappings().one()
            verdicts = connection.execute(
                select(EVENT.c.verdict, func.count())
                .where(EVENT.c.device_id != CENTRE_DEVICE)
                .group_by(EVENT.c.verdict)
                .order_by(EVENT.c.verdict)
            )
            states = connection.execute(
                select(ORDER.c.state, func.count()).group_by(ORDER.c.state).order_by(ORDER.c.state)
            )
            return {
                "centre_id": centre["centre_id"],
                "generation": centre["generation"],
                "devices": self._devices(connection),
                "events": dict(verdicts.all()),
                "work_orders": dict(states.all()),
                "review_open": connection.execute(
                    select(func.count()).select_from(REVIEW).where(REVIEW.c.closed.is_(None))
                ).scalar_one(),
            }

    def rebuild(self, *, check: bool) -> Rebuilt:
        """Fold the log anew; with ``check`` only compare, else also put the state right."""
        with self._store.read() if check else self._store.write() as connection:
            orders, events, differences = _folded_log(connection)
            kept = {
                row.order_id: CentreOrder(*row)
                for row in connection.execute(select(*ORDER_COLUMNS))
            }
            for order_id in sorted(orders.keys() | kept.keys()):
                if orders.get(order_id) != kept.get(order_id):
                    differences.append(
                        f"order {order_id}: log says {_words(orders.get(order_id))},"
                        f" store says {_words(kept.get(order_id))}"
                    )
            if not check:
                replace_orders(connection, orders.values())
        return Rebuilt(events, len(orders), tuple(differences[:_SHOWN_DIFFERENCES]))

    def after_restore(self) -> int:
        """Start a new generation; to be called first after a backup was put back."""
        with self._store.write() as connection:
            before: int = connection.execute(select(CENTRE.c.generation)).scalar_one()
            # The clock makes it unique even when the same backup is put back twice.
            generation = max(before + 1, int(time.time()))
            connection.execute(update(CENTRE).values(generation=generation))
        return generation

    def session(self, device_id: str) -> SqliteSession:
        """Return the calls of one laptop."""
        return SqliteSession(self._store, device_id)

    def close(self) -> None:
        """Let go of connections."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _create(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        made = self._path.with_name(f"{self._path.name}.new")
        made.unlink(missing_ok=True)
        engine = sqlite_engine(made)
        try:
            with engine.begin() as connection:
                METADATA.create_all(connection)
                connection.execute(
                    insert(CENTRE).values(
                        centre_id=str(uuid.uuid4()), generation=1, version=VERSION
                    )
                )
                connection.execute(
                    insert(INCARNATION).values(
                        device_id=CENTRE_DEVICE, incarnation=1, begun=utc_now()
                    )
                )
        finally:
            engine.dispose()
        made.replace(self._path)
        flush_folder(self._path.parent)

    def _devices(self, connection: Connection) -> list[dict[str, Any]]:
        newest = (
            select(INCARNATION.c.device_id, func.max(INCARNATION.c.incarnation).label("newest"))
            .group_by(INCARNATION.c.device_id)
            .subquery()
        )
        rows = connection.execute(
            select(DEVICE, INCARNATION.c.incarnation, INCARNATION.c.last_seq)
            .outerjoin(newest, newest.c.device_id == DEVICE.c.device_id)
            .outerjoin(
                INCARNATION,
                (INCARNATION.c.device_id == DEVICE.c.device_id)
                & (INCARNATION.c.incarnation == newest.c.newest),
            )
            .order_by(DEVICE.c.device_id)
        ).mappings()
        return [
            {
                "device": row["device_id"],
                "name": row["name"],
                "incarnation": row["incarnation"] or 1,
                "last_seq": row["last_seq"] or 0,
                "mail_head": row["mail_head"],
                "mail_acked": row["mail_acked"],
                "revoked": row["revoked"],
                "last_seen": _iso(row["last_seen"]),
            }
            for row in rows
        ]

    def _assign(self, connection: Connection, order: CentreOrder, device_id: str) -> None:
        """Write the act to the log, fold it, and post the letters it causes."""
        if order.completed:
            raise BadInput(f"order {order.number or order.order_id} is completed already")
        epoch = order.epoch + 1
        envelope = _own_event(
            connection, order.order_id, epoch, {"device": device_id, "before": order.assignee}
        )
        body = parsed(envelope.body) or {}
        after = fold(order, CENTRE_DEVICE, envelope, body)
        if after is not None:
            save_orders(connection, [after])
        known = connection.execute(
            select(DEVICE.c.device_id).where(DEVICE.c.device_id == order.assignee)
        ).first()
        if known is not None and order.assignee != device_id:
            post(connection, order.assignee, [("recall", order.order_id, {"epoch": epoch})])
        letter = {"epoch": epoch, "revision": order.revision, "order": parsed(order.body) or {}}
        post(connection, device_id, [("assign", order.order_id, letter)])


def _own_event(connection: Connection, order_id: str, epoch: int, data: dict[str, Any]) -> Envelope:
    """Append an act of the centre itself to the log, under its own numbers."""
    of_centre = INCARNATION.c.device_id == CENTRE_DEVICE
    last = connection.execute(select(INCARNATION.c.last_seq).where(of_centre)).scalar_one()
    now = utc_now()
    envelope = Envelope(
        seq=last + 1,
        event_id=new_id(),
        order_id=order_id,
        epoch=epoch,
        kind=ASSIGNED,
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


def _folded_log(connection: Connection) -> tuple[dict[str, CentreOrder], int, list[str]]:
    """Fold all applied events again; return the orders, the count and what is wrong in the log."""
    orders: dict[str, CentreOrder] = {}
    last: dict[tuple[str, int], int] = {}
    differences: list[str] = []
    count = 0
    columns = [EVENT.c[name] for name in Envelope.__slots__]
    rows = connection.execute(
        select(EVENT.c.device_id, EVENT.c.incarnation, EVENT.c.verdict, *columns).order_by(
            EVENT.c.position
        ),
        execution_options={"yield_per": 1000},
    )
    for device_id, incarnation, verdict, *values in rows:
        envelope = Envelope(*values)
        count += 1
        key = (device_id, incarnation)
        if envelope.seq != last.get(key, 0) + 1:
            differences.append(f"laptop {device_id}: a gap before {incarnation}/{envelope.seq}")
        last[key] = envelope.seq
        if computed_hash(envelope) != envelope.sha256:
            differences.append(f"event {envelope.event_id} does not fit its hash")
        body = parsed(envelope.body)
        if verdict == Verdict.APPLIED and body is not None:
            order = fold(orders.get(envelope.order_id), device_id, envelope, body)
            if order is not None:
                orders[order.order_id] = order
    return orders, count, differences


def _words(order: CentreOrder | None) -> str:
    if order is None:
        return "nothing"
    return f"{order.state}, epoch {order.epoch}, {order.assignee}, revision {order.revision}"


def _iso(moment: Any) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
