"""Results out: one row per order, per register and per incident; or the whole journal.

Text stays text: in XLSX every cell is a string, which no spreadsheet evaluates; in CSV a cell
that begins like a formula gets an apostrophe in front.  Times carry their offset.  Every file is
whole or absent.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

from app.errors import BadInput
from app.models.database import Database
from app.models.engine import translated
from app.models.files import flush_folder
from app.models.journal import JournalEvent
from app.models.measured import StoredReading
from app.models.order import Incident, WorkOrder
from app.models.place import Customer, Site, UsagePoint
from app.services.tables import Table, write_table
from app.tasks import checkpoint
from app.workorders.incidents import incident_code
from app.workorders.queue import QueueFilter, find_ids

SHEET_ROWS = 1_048_575  # what a spreadsheet holds below its head
_BLOCK = 500

_ORDER_HEAD = (
    "number",
    "source",
    "reference",
    "type",
    "state",
    "verdict",
    "due",
    "started",
    "ended",
    "street",
    "town",
    "postcode",
    "customer",
    "usage_point",
    "meter_serial",
    "utility_serial",
    "meter_type",
    "steps_done",
    "steps_total",
    "report_sha256",
    "order_id",
)
_REGISTER_HEAD = (
    "number",
    "reference",
    "meter_serial",
    "moment",
    "code",
    "obis",
    "name",
    "value",
    "unit",
    "text",
    "history",
    "time",
    "read_at",
    "proof",
)
_INCIDENT_HEAD = (
    "number",
    "reference",
    "code",
    "title",
    "note",
    "step",
    "next_action",
    "billable",
    "at",
)


def export_orders(db: Database, path: Path, *, chosen: QueueFilter | None = None) -> dict[str, str]:
    """Write results and return the SHA-256 (hex) of each file by its name.

    Args:
        db: The local database.
        path: ``.xlsx`` gives one file of three sheets, ``.csv`` three files whose names end in
            ``-orders``, ``-registers`` and ``-incidents``, ``.jsonl`` the whole journal.
        chosen: Which orders; all without it.  The journal is always complete.

    Raises:
        BadInput: The ending of ``path`` is none of these, its folder does not exist, or there is
            more than a spreadsheet holds.
        NoRoom: The disk is full or cannot be written.
    """
    writers: dict[str, Callable[[], dict[str, str]]] = {
        ".xlsx": lambda: _sheets(path, _tables(db, chosen)),
        ".csv": lambda: _files(path, _tables(db, chosen)),
        ".jsonl": lambda: _journal(db, path),
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise BadInput(f"{path.name}: write to a file that ends in .xlsx, .csv or .jsonl")
    if not path.absolute().parent.is_dir():
        raise BadInput(f"there is no folder {path.absolute().parent}")
    try:
        with translated(str(path)):
            return writer()
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}") from error


def _sheets(path: Path, tables: dict[str, Table]) -> dict[str, str]:
    for name, (_, rows) in tables.items():
        if len(rows) > SHEET_ROWS:
            raise BadInput(f"{len(rows)} {name} do not fit in a spreadsheet; export to .csv")
    write_table(path.with_suffix(".xlsx"), tables, None)
    return _hashes([path.with_suffix(".xlsx")])


def _files(path: Path, tables: dict[str, Table]) -> dict[str, str]:
    written = []
    for name, table in tables.items():
        file = path.with_name(f"{path.stem}-{name}.csv")
        write_table(file, {name: table}, None)
        written.append(file)
    return _hashes(written)


def _hashes(files: Iterable[Path]) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _tables(db: Database, chosen: QueueFilter | None) -> dict[str, Table]:
    orders: list[list[str]] = []
    registers: list[list[str]] = []
    incidents: list[list[str]] = []
    ids = find_ids(db, chosen)
    for start in range(0, len(ids), _BLOCK):
        checkpoint()
        with db.read() as session:
            known = {}
            for row in _orders(session, ids[start : start + _BLOCK]):
                orders.append(_order_cells(*row))
                known[row[0].order_id] = row[0]
            registers += _registers(session, known)
            incidents += _incidents(session, known)
    return {
        "orders": (_ORDER_HEAD, orders),
        "registers": (_REGISTER_HEAD, registers),
        "incidents": (_INCIDENT_HEAD, incidents),
    }


_Row = tuple[WorkOrder, Site | None, Customer | None, UsagePoint | None]


def _orders(session: Session, rowids: Sequence[int]) -> list[_Row]:
    """Return the orders of one block with their places, in the order asked for."""
    rowid: Any = literal_column("work_order.rowid")
    found = session.execute(
        select(rowid, WorkOrder, Site, Customer, UsagePoint)
        .outerjoin(Site, Site.site_id == WorkOrder.site_id)
        .outerjoin(Customer, Customer.customer_id == WorkOrder.customer_id)
        .outerjoin(UsagePoint, UsagePoint.usage_point_id == WorkOrder.usage_point_id)
        .where(rowid.in_(list(rowids)))
    )
    by_id: dict[int, _Row] = {row[0]: (row[1], row[2], row[3], row[4]) for row in found}
    return [by_id[rowid] for rowid in rowids if rowid in by_id]


def _order_cells(
    order: WorkOrder, site: Site | None, customer: Customer | None, point: UsagePoint | None
) -> list[str]:
    return _texts(
        order.number,
        order.source,
        order.external_ref,
        order.kind,
        order.state,
        order.verdict,
        order.due,
        order.started,
        order.ended,
        site.street if site else "",
        site.town if site else "",
        site.postcode if site else "",
        customer.name if customer else "",
        point.external_id if point else "",
        order.meter_serial,
        order.utility_serial,
        order.meter_type,
        order.steps_done,
        order.steps_total,
        order.report_sha256,
        order.order_id,
    )


def _registers(session: Session, orders: dict[str, WorkOrder]) -> Iterator[list[str]]:
    readings = session.scalars(
        select(StoredReading)
        .where(StoredReading.order_id.in_(orders))
        .order_by(StoredReading.order_id, StoredReading.read_at, StoredReading.position)
    )
    for item in readings:
        order = orders[item.order_id or ""]
        yield _texts(
            order.number,
            order.external_ref,
            item.meter_serial,
            item.moment,
            item.code,
            item.obis,
            item.name,
            item.value,
            item.unit,
            item.text,
            item.history,
            item.time,
            item.read_at,
            item.proof,
        )


def _incidents(session: Session, orders: dict[str, WorkOrder]) -> Iterator[list[str]]:
    found = session.scalars(
        select(Incident)
        .where(Incident.order_id.in_(orders))
        .order_by(Incident.order_id, Incident.at)
    )
    for item in found:
        order, code = orders[item.order_id], incident_code(item.code)
        yield _texts(
            order.number,
            order.external_ref,
            item.code,
            code.title,
            item.note,
            item.step,
            code.next_action,
            "yes" if code.billable else "no",
            item.at,
        )


def _texts(*values: object) -> list[str]:
    return [_text(value) for value in values]


def _text(value: object) -> str:
    """Return a cell: numbers with all their digits, times in ISO form with their offset."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat(" ", "seconds") if isinstance(value, datetime) else value.isoformat()
    return str(value)


def _journal(db: Database, path: Path) -> dict[str, str]:
    """Write every event as one line; ``body`` is the text that its hash was made over."""
    columns = [column.key for column in JournalEvent.__table__.columns]
    digest = hashlib.sha256()
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("wb") as file, db.read() as session:
            events = session.scalars(
                select(JournalEvent)
                .order_by(JournalEvent.incarnation, JournalEvent.seq)
                .execution_options(yield_per=_BLOCK)
            )
            for count, event in enumerate(events):
                if count % _BLOCK == 0:
                    checkpoint()
                line = {name: _jsonable(getattr(event, name)) for name in columns}
                data = (json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n").encode()
                digest.update(data)
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush_folder(path.absolute().parent)
    return {path.name: digest.hexdigest()}


def _jsonable(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
