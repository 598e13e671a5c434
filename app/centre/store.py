"""The file behind a SQLite centre: transactions, mailboxes, orders, trouble in plain words."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Integer,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from app.centre.contract import Mail
from app.centre.order import CentreOrder
from app.centre.tables import CENTRE, DEVICE, MAIL, ORDER, TENANT, VERSION
from app.errors import CentreRefused, CentreUnreachable, DatabaseDamaged, DatabaseInUse, NoRoom
from app.models.base import canonical
from app.models.engine import sqlite_engine, translated

# Written once: making a statement costs more than running it, and every call runs these.
_ADMITTED = select(DEVICE).where(DEVICE.c.device_id == bindparam("device_id"))
_MAIL_AFTER = (
    select(MAIL.c.seq, MAIL.c.kind, MAIL.c.order_id, MAIL.c.body)
    .where(MAIL.c.device_id == bindparam("device_id"), MAIL.c.seq > bindparam("after"))
    .order_by(MAIL.c.seq)
    .limit(bindparam("count", type_=Integer))
)
ORDER_COLUMNS = tuple(ORDER.c[field.name] for field in fields(CentreOrder))


@contextmanager
def in_centre_words(path: Path) -> Iterator[None]:
    """Turn trouble with the centre's file into `CentreUnreachable`: here it is another's disk."""
    try:
        with translated(f"centre {path}"):
            yield
    except (NoRoom, DatabaseInUse, DatabaseDamaged) as error:
        raise CentreUnreachable(str(error)) from error


class Store:
    """The open file of a centre."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine: Engine | None = None
        self._checked = False

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection inside BEGIN IMMEDIATE; COMMIT at the end, ROLLBACK on any error."""
        with in_centre_words(self.path), self._opened().begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the data."""
        with in_centre_words(self.path):
            engine = self._opened().execution_options(reading=True)
            with engine.connect() as connection:
                yield connection

    def close(self) -> None:
        """Close all connections; the next use opens the file anew and looks at it again."""
        self._checked = False
        if self._engine is not None:
            self._engine.dispose()  # the engine stays: its compiled statements are worth keeping

    def _opened(self) -> Engine:
        if self._engine is None:
            self._engine = sqlite_engine(self.path)
        if not self._checked:
            self._check(self._engine)
            self._checked = True
        return self._engine

    def _check(self, engine: Engine) -> None:
        """Raise unless the file is a centre of this version."""
        if not self.path.is_file():
            raise CentreUnreachable(
                f"{self.path}: there is no centre (meterwright centre init makes one)"
            )
        with engine.execution_options(reading=True).connect() as connection:
            if not engine.dialect.has_table(connection, CENTRE.name):
                raise CentreUnreachable(f"{self.path} is not a centre")
            version = connection.execute(select(CENTRE.c.version)).scalar_one()
        if version != VERSION:
            engine.dispose()
            raise CentreRefused(f"{self.path} is of version {version}, this program of {VERSION}")


def admit(connection: Connection, device_id: str) -> Mapping[str, Any]:
    """Return the device's row.

    Raises:
        CentreRefused: It is not enrolled, or was revoked.
    """
    row = connection.execute(_ADMITTED, {"device_id": device_id}).mappings().first()
    if row is None:
        raise CentreRefused(f"this laptop, {device_id}, is not enrolled at the centre")
    if row["revoked"]:
        raise CentreRefused(f"this laptop, {device_id}, was revoked at the centre")
    return dict(row)


def post(connection: Connection, device_id: str, letters: Iterable[tuple[str, str, Any]]) -> None:
    """Put letters (kind, order id, data) into a mailbox, in the caller's transaction.

    The numbers come from the device's own row, so they have no gaps and follow the commit order.
    """
    head = connection.execute(
        select(DEVICE.c.mail_head).where(DEVICE.c.device_id == device_id)
    ).scalar_one()
    rows = [
        {
            "device_id": device_id,
            "seq": seq,
            "kind": kind,
            "order_id": order_id,
            "body": canonical(data),
        }
        for seq, (kind, order_id, data) in enumerate(letters, head + 1)
    ]
    if rows:
        connection.execute(insert(MAIL), rows)
        connection.execute(
            update(DEVICE)
            .where(DEVICE.c.device_id == device_id)
            .values(mail_head=DEVICE.c.mail_head + len(rows))
        )


def mail_after(connection: Connection, device_id: str, after: int, count: int) -> list[Mail]:
    """Return up to ``count`` letters of a mailbox after number ``after``."""
    values = {"device_id": device_id, "after": after, "count": count}
    return [Mail(*row) for row in connection.execute(_MAIL_AFTER, values)]


def orders_of(connection: Connection, order_ids: Iterable[str]) -> dict[str, CentreOrder]:
    """Return the orders of these ids that the centre knows."""
    rows = connection.execute(
        select(*ORDER_COLUMNS).where(
            ORDER.c.tenant_id == TENANT, ORDER.c.order_id.in_(set(order_ids))
        )
    )
    return {row.order_id: CentreOrder(*row) for row in rows}


def save_orders(connection: Connection, orders: Iterable[CentreOrder]) -> None:
    """Write orders, new ones and known ones."""
    rows = [{"tenant_id": TENANT, **asdict(order)} for order in orders]
    if not rows:
        return
    statement = upsert(ORDER)
    changed = {
        column.name: statement.excluded[column.name] for column in ORDER.c if not column.primary_key
    }
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[ORDER.c.tenant_id, ORDER.c.order_id], set_=changed
        ),
        rows,
    )


def replace_orders(connection: Connection, orders: Iterable[CentreOrder]) -> None:
    """Throw the state of all orders away and write these."""
    connection.execute(delete(ORDER))
    save_orders(connection, orders)
