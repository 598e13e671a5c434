"""The queue: which orders a filter shows, how many there are, and what their rows say.

Built for a million orders.  `find_ids` asks SQLite once and keeps nothing but row numbers; the
table on the screen then fetches pages of rows by number.  SQLite filters and sorts, never Python.
Search words are looked for with ``instr`` in a folded column, so no character is a wildcard.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from itertools import chain
from typing import Any

from sqlalchemy import literal_column, or_, select
from sqlalchemy.orm import Session

from app.errors import BadInput, NotFound
from app.models.database import Database
from app.models.order import WorkOrder
from app.models.place import Customer, Site
from app.models.search import search_words
from app.workorders.detail import OrderDetail, order_detail
from app.workorders.row import DONE_STATES, OPEN_STATES, QueueRow, queue_row

__all__ = [
    "DONE_STATES",
    "OPEN_STATES",
    "ORDERS",
    "PAGE",
    "OrderDetail",
    "QueueFilter",
    "QueueRow",
    "count_by_state",
    "find_ids",
    "find_order",
    "order_detail",
    "rows",
]

PAGE = 256
# Each order ends in the row number, so that equal rows never change places.
_ORDERS: dict[str, tuple[str, ...]] = {
    "priority": ("priority", "due IS NULL", "due"),  # as an index has it
    "when": ("due NULLS LAST", "window_from NULLS LAST", "priority"),
    "due": ("due NULLS LAST", "priority"),
    "number": ("length(number)", "number"),
    "place": ("title",),
    "kind": ("kind", "priority"),
    "state": ("state", "priority", "due NULLS LAST"),
    "progress": ("steps_done",),
    "verdict": ("verdict",),
    "meter": ("meter_serial",),
    "queue": ("queue", "priority"),
    "area": ("area", "priority"),
    "updated": ("updated",),
}
ORDERS = tuple(_ORDERS)
# What the index of an order answers alone.  For any other filter SQLite would walk some index and
# fetch each row apart, ten times slower than reading the table; so it is told what to read.
_INDEXED = {
    "priority": ("ix_work_order_urgent", {"states", "due_to", "area"}),
    "place": ("ix_work_order_title", {"states"}),
}


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What the queue shows; an empty field does not restrict.

    ``text`` holds words that must all occur, in any order, in number, address, customer, serial
    numbers or reference.  ``area`` takes everything below it as well.  ``order_by`` is one of
    `ORDERS`; ``descending`` turns its first column round.
    """

    states: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    queue: str = ""
    area: str = ""
    text: str = ""
    due_to: date | None = None  # this day or before
    order_by: str = "priority"
    descending: bool = False


def count_by_state(db: Database, chosen: QueueFilter | None = None) -> dict[str, int]:
    """Return how many orders there are in each state, those of ``chosen`` but for its states."""
    where, values = _where(chosen or QueueFilter(), _own_areas(db), with_states=False)
    read = " NOT INDEXED" if where else ""
    sql = f"SELECT state, count(*) FROM work_order{read}{where} GROUP BY state"  # noqa: S608
    with db.read() as session:
        return dict(_cursor(session, sql, values))


def find_ids(db: Database, chosen: QueueFilter | None = None) -> "array[int]":
    """Return the row numbers of the orders that ``chosen`` shows, in its order.

    Raises:
        BadInput: The queue cannot be sorted like that.
    """
    wanted, own = chosen or QueueFilter(), _own_areas(db)
    where, values = _where(wanted, own)
    read = f" {_read(wanted, own)}" if where else ""
    sql = f"SELECT rowid FROM work_order{read}{where} ORDER BY {_order(wanted)}"  # noqa: S608
    with db.read() as session:
        return array("q", chain.from_iterable(_cursor(session, sql, values)))


def rows(
    db: Database,
    rowids: Sequence[int],
    *,
    now: datetime | None = None,
    zone: tzinfo | None = None,
) -> list[QueueRow]:
    """Return the rows with these numbers, in their order; a number without an order is left out.

    Args:
        db: The local database.
        rowids: Up to `PAGE` numbers out of `find_ids`.
        now: The present time, for "today" and "late".
        zone: The zone in which times are told; None for the system's.
    """
    found = {}
    with db.read() as session:
        for start in range(0, len(rowids), PAGE):
            page = list(rowids[start : start + PAGE])
            for rowid, order, site, customer in session.execute(
                select(_ROWID, WorkOrder, Site, Customer)
                .outerjoin(Site, Site.site_id == WorkOrder.site_id)
                .outerjoin(Customer, Customer.customer_id == WorkOrder.customer_id)
                .where(_ROWID.in_(page))
            ):
                found[rowid] = queue_row(rowid, order, site, customer, now=now, zone=zone)
    return [found[rowid] for rowid in rowids if rowid in found]


def find_order(db: Database, number_or_id: str) -> str:
    """Return the id of the order with this number, id or reference.

    Raises:
        NotFound: There is none, or none in the areas of who has signed in.
        BadInput: Several orders have this number; the text names their ids.
    """
    wanted = number_or_id.strip().lstrip("#").strip()
    sees = db.actor.sees if db.actor is not None else lambda _area: True
    with db.read() as session:
        by_id = session.get(WorkOrder, wanted) if wanted else None
        if by_id is not None and sees(by_id.area):
            return wanted
        found = session.execute(
            select(WorkOrder.order_id, WorkOrder.number, WorkOrder.source, WorkOrder.area)
            .where(or_(WorkOrder.number == wanted, WorkOrder.external_ref == wanted))
            .order_by(WorkOrder.created)
            .limit(10)
        ).all()
    found = [row for row in found if sees(row.area)]
    exact = [row for row in found if row.number == wanted] or found
    if not wanted or not exact:
        raise NotFound(f"there is no work order {number_or_id!r}")
    if len(exact) > 1:
        ids = ", ".join(f"{row.order_id} ({row.source or 'no source'})" for row in exact)
        raise BadInput(f"{wanted} is the number of several orders; name one of {ids}")
    return str(exact[0].order_id)


_ROWID: Any = literal_column("work_order.rowid")


def _own_areas(db: Database) -> tuple[str, ...]:
    """Return the data segment of who has signed in, empty for everything."""
    return db.actor.areas if db.actor is not None else ()


def _where(
    chosen: QueueFilter, own: Sequence[str], *, with_states: bool = True
) -> tuple[str, list[Any]]:
    """Return the WHERE clause and its values; every value that people give is bound."""
    terms: list[str] = []
    values: list[Any] = []
    choices = [("kind", chosen.kinds)]
    if with_states:
        choices.insert(0, ("state", chosen.states))
    for column, wanted in choices:
        if wanted:
            terms.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            values += sorted(str(item) for item in wanted)
    if chosen.queue:
        terms.append("queue = ?")
        values.append(chosen.queue)
    for areas in filter(None, ([chosen.area.rstrip("/")] if chosen.area else [], own)):
        terms.append(f"({' OR '.join(['area = ? OR substr(area, 1, ?) = ?'] * len(areas))})")
        for area in areas:
            values += [area, len(area) + 1, f"{area}/"]
    if chosen.due_to is not None:
        terms.append("due <= ?")
        values.append(chosen.due_to.isoformat())
    for word in search_words(chosen.text):
        terms.append("instr(search, ?) > 0")
        values.append(word)
    return (f" WHERE {' AND '.join(terms)}" if terms else ""), values


def _read(chosen: QueueFilter, own: Sequence[str]) -> str:
    """Return whether SQLite is to read an index or the table."""
    fields = ("states", "kinds", "queue", "area", "text", "due_to")
    asked = {name for name in fields if getattr(chosen, name)} | ({"area"} if own else set())
    index, held = _INDEXED.get(chosen.order_by, ("", set()))
    return f"INDEXED BY {index}" if index and asked <= held else "NOT INDEXED"


def _order(chosen: QueueFilter) -> str:
    columns = _ORDERS.get(chosen.order_by)
    if columns is None:
        raise BadInput(f"cannot sort by {chosen.order_by!r}; one of {', '.join(ORDERS)} is known")
    first, *others = columns
    last = "rowid"
    if chosen.descending:
        head, _, nulls = first.partition(" ")
        first = f"{head} DESC {nulls}".strip()
        others = [f"{other} DESC" if head.startswith("length(") else other for other in others]
        if all(other.endswith(" DESC") for other in others):
            last = "rowid DESC"  # the index read backwards
    return ", ".join((first, *others, last))


def _cursor(session: Session, sql: str, values: list[Any]) -> Any:
    """Run ``sql`` on the driver itself: a million rows as tuples, without objects around them."""
    connection: Any = session.connection().connection.driver_connection
    return connection.execute(sql, values)
