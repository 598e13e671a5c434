"""The central store in one SQLite file: for one trusted host.  Never on a shared folder."""

import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from app.centre.contract import (
    CENTRE_DEVICE,
    Act,
    Count,
    Enrolment,
    Envelope,
    Maintained,
    Rebuilt,
    ReviewItem,
)
from app.centre.fold import ASSIGNED
from app.centre.order import CentreOrder
from app.centre.readings import DayRun
from app.centre.rebuild import FoldedLog, check_device_name, rejudge
from app.centre.sqlite_office import counts, find_orders, history, perform, review_items
from app.centre.sqlite_readings import fold_readings, readings_of
from app.centre.sqlite_session import SqliteSession
from app.centre.store import ORDER_COLUMNS, Store, in_centre_words, replace_orders
from app.centre.tables import CENTRE, DEVICE, EVENT, INCARNATION, METADATA, ORDER, REVIEW, VERSION
from app.errors import NotFound
from app.models.base import utc_now
from app.models.engine import sqlite_engine
from app.models.files import put_in_place, working_copy


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

    def enrol(self, device_id: str, name: str = "") -> Enrolment:
        """Let a laptop in; once more does no harm and takes a revocation back."""
        check_device_name(device_id)
        statement = upsert(DEVICE).values(device_id=device_id, name=name)
        changed = {"revoked": False, **({"name": name} if name else {})}
        with self._store.write() as connection:
            connection.execute(
                statement.on_conflict_do_update(index_elements=["device_id"], set_=changed)
            )
        return Enrolment(device_id, self.url)

    def revoke(self, device_id: str) -> None:
        """Shut a laptop out; what it has sent stays."""
        with self._store.write() as connection:
            done = connection.execute(
                update(DEVICE).where(DEVICE.c.device_id == device_id).values(revoked=True)
            )
            if not done.rowcount:
                raise NotFound(f"no laptop {device_id} is enrolled")

    def act(self, act: Act) -> None:
        """Do what the office wants: log, fold and mail it in one transaction."""
        with self._store.write() as connection:
            perform(connection, act)

    def assign(self, order_ids: Sequence[str], device_id: str) -> None:
        """Give orders to a laptop: epoch + 1, a recall to the one before, mail to the new one."""
        with self._store.write() as connection:
            for order_id in order_ids:
                perform(connection, Act(ASSIGNED, order_id, device=device_id))

    def orders(self, wanted: Sequence[str] = (), state: str = "") -> list[CentreOrder]:
        """Return orders by number or id, or all in a state."""
        with self._store.read() as connection:
            return find_orders(connection, wanted, state)

    def reviews(self, *, item: int | None = None, closed: bool = False) -> list[ReviewItem]:
        """Return the open review items, oldest first; with ``item`` that one alone."""
        with self._store.read() as connection:
            return review_items(connection, item, closed=closed)

    def history(self, order_id: str) -> list[tuple[str, str, Envelope]]:
        """Return device, verdict and event of everything about an order, as it arrived."""
        with self._store.read() as connection:
            return history(connection, order_id)

    def counts(self) -> list[Count]:
        """Return how many orders of each area, crew and day are in each state."""
        with self._store.read() as connection:
            return counts(connection)

    def readings(self, meter: str, obis: str) -> list[DayRun]:
        """Return the day segments of a meter's channel, by day."""
        with self._store.read() as connection:
            return readings_of(connection, meter, obis)

    def maintain(self) -> Maintained:
        """Do what upgrades ask for: readings into day segments, events judged again."""
        with self._store.write() as connection:
            readings = fold_readings(connection)
        return Maintained(readings=readings, rejudged=rejudge(self))

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
            columns = [EVENT.c[name] for name in Envelope.__slots__]
            log = connection.execute(
                select(EVENT.c.device_id, EVENT.c.incarnation, EVENT.c.verdict, *columns).order_by(
                    EVENT.c.position
                ),
                execution_options={"yield_per": 1000},
            )
            folded = FoldedLog(
                (device, incarnation, verdict, Envelope(*values))
                for device, incarnation, verdict, *values in log
            )
            kept = [CentreOrder(*row) for row in connection.execute(select(*ORDER_COLUMNS))]
            if not check:
                replace_orders(connection, folded.orders.values())
        return folded.compared(kept)

    def after_restore(self) -> int:
        """Start a new generation; to be called first after a backup was put back."""
        with self._store.write() as connection:
            before: int = connection.execute(select(CENTRE.c.generation)).scalar_one()
            # The clock makes it unique even when the same backup is put back twice.
            generation = max(before + 1, time.time_ns() // 1000)
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
        made = working_copy(self._path)
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
        put_in_place(made, self._path)

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


def _iso(moment: Any) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
