"""Work orders in from a CSV or XLSX file.

An order is known by its source system and reference; importing a file twice changes nothing.
Good rows go in, all in one transaction; each bad row is reported with its column and problem and
can be written to an error file.  An order that was begun is never overwritten, and an empty cell
takes nothing away from a site or customer.  A file with the column *action* can cancel orders.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import BadInput
from app.models.base import utc_now
from app.models.database import Database
from app.models.engine import translated
from app.models.files import write_atomically
from app.models.journal import Laptop, append
from app.models.order import OrderState, WorkOrder
from app.models.place import Customer, Site, UsagePoint
from app.models.search import search_text
from app.services.seat import demand
from app.services.tables import safe_cell
from app.tasks import checkpoint
from app.workorders.exchange.mapping import MappingProfile, find_mapping, match
from app.workorders.exchange.order_rows import OrderPlan, RowError, RowReader
from app.workorders.exchange.places import Linked, Places, among, differs, take_over
from app.workorders.exchange.tablefile import TableFile, TableRow, read_table
from app.workorders.kinds import kind_words
from app.workorders.lifecycle import DISPATCHER, NOT_BEGUN, transition
from app.workorders.procedure import procedure_names
from app.workorders.token_columns import without_tokens

__all__ = ["ImportResult", "RowError", "import_orders"]

_EACH = 500  # rows between two looks at the Stop button


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, or would do; cancelled orders are among the changed ones."""

    created: int
    changed: int
    unchanged: int
    cancelled: int
    errors: tuple[RowError, ...]
    remarks: tuple[str, ...]
    sha256: str
    dry_run: bool = False


def import_orders(
    db: Database,
    path: Path,
    *,
    mapping: MappingProfile | str | Path | None = None,
    dry_run: bool = False,
    who: str = "",
    error_file: Path | None = None,
) -> ImportResult:
    """Take the orders of a file into the queue, as downloaded.

    Args:
        db: The local database.
        path: A CSV or XLSX file.
        mapping: A saved mapping's name or path, or a mapping; None goes by our own column names.
        dry_run: Say what would happen; change nothing.
        who: Who imports, for the journal.
        error_file: Where the failing rows are written with their problems, if there are any.

    Raises:
        BadInput: The file or the mapping cannot be used at all; the text says why.
        NoRoom: The disk is full; nothing of the file went in.
    """
    demand(db, "orders.import")
    profile = find_mapping(db.folder, mapping)
    table = read_table(path)
    matched = match(table.columns, profile)
    remarks = list(table.remarks)
    if matched.unknown:
        remarks.append(f"columns that are not used: {', '.join(matched.unknown)}")
    failures = _Failures()
    plans = _plans(table, RowReader(table.columns, matched, profile), failures)
    with db.read() if dry_run else db.write() as session, session.no_autoflush:
        work = _Import(session, plans, failures, _Origin(path.name, table.sha256, who))
        work.run(keep=not dry_run)
    remarks += work.places.remarks
    remarks += _procedure_remarks(plans)
    if error_file is not None and failures.errors:
        _write_errors(error_file, table.columns, failures)
    return ImportResult(
        created=work.created,
        changed=work.changed + work.cancelled,
        unchanged=work.unchanged,
        cancelled=work.cancelled,
        errors=tuple(sorted(failures.errors, key=lambda error: error.row)),
        remarks=tuple(remarks),
        sha256=table.sha256,
        dry_run=dry_run,
    )


class _Failures:
    """The rows that did not go in, with their cells for the error file."""

    def __init__(self) -> None:
        self.errors: list[RowError] = []
        self.rows: dict[int, TableRow] = {}

    def add(self, row: TableRow, *errors: RowError) -> None:
        self.errors += errors
        self.rows[row.number] = row

    def refuse(self, plan: OrderPlan, problem: str) -> None:
        self.add(plan.row, RowError(plan.row.number, "", plan.external_ref, problem))


def _plans(table: TableFile, reader: RowReader, failures: _Failures) -> list[OrderPlan]:
    """Return the rows that can be used; a reference that comes twice is used once."""
    plans: dict[tuple[str, str], OrderPlan] = {}
    for count, row in enumerate(table.rows):
        if count % _EACH == 0:
            checkpoint()
        plan = reader.plan(row)
        if isinstance(plan, list):
            failures.add(row, *plan)
            continue
        first = plans.setdefault((plan.source, plan.external_ref), plan)
        if first is not plan:
            failures.refuse(plan, f"row {first.row.number} has the same reference")
    return list(plans.values())


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where an import comes from, for the journal."""

    file: str
    sha256: str
    who: str


class _Import:
    """One file going into one transaction; without a commit it only counts."""

    def __init__(
        self, session: Session, plans: list[OrderPlan], failures: _Failures, origin: _Origin
    ) -> None:
        self.created = self.changed = self.unchanged = self.cancelled = 0
        self._session = session
        self._plans = plans
        self._failures = failures
        self._origin = origin
        self._at = utc_now()
        self._known = self._orders()
        self._laptop = session.execute(select(Laptop.device_id)).scalar_one()
        self.places = Places(session, plans, self._known.values())

    def run(self, *, keep: bool) -> None:
        """Put every plan where it belongs; places first, since orders refer to them."""
        wanted = []
        for count, plan in enumerate(self._plans):
            if count % _EACH == 0:
                checkpoint()
            order = self._known.get((plan.source, plan.external_ref))
            if plan.cancel:
                self._cancel(plan, order)
            elif order is not None and order.state not in NOT_BEGUN:
                self._begun(plan, order)
            else:
                wanted.append((plan, order))
        placed = [(plan, order, *self.places.of(plan, order)) for plan, order in wanted]
        if keep:
            self.places.write()
        for count, (plan, order, links, moved) in enumerate(placed):
            if count % _EACH == 0:
                checkpoint()
            self._put(plan, order, links, moved=moved)

    def _orders(self) -> dict[tuple[str, str], WorkOrder]:
        references = {plan.external_ref for plan in self._plans}
        found = self._session.scalars(
            select(WorkOrder).where(among(WorkOrder.external_ref, references))
        )
        return {(order.source, order.external_ref): order for order in found}

    def _cancel(self, plan: OrderPlan, order: WorkOrder | None) -> None:
        if order is None:
            self._failures.refuse(plan, "there is no such order to cancel")
        elif order.state == OrderState.CANCELLED:
            self.unchanged += 1
        elif order.state not in NOT_BEGUN:
            self._failures.refuse(plan, f"{_state(order)}; it can no longer be cancelled by a file")
        else:
            transition(
                self._session,
                order,
                OrderState.CANCELLED,
                who=self._origin.who,
                role=DISPATCHER,
                reason=f"cancelled by {self._origin.file}",
                at=self._at,
            )
            self.cancelled += 1

    def _begun(self, plan: OrderPlan, order: WorkOrder) -> None:
        """Leave an order that was begun as it is; say so if the file would change it."""
        if differs(order, plan.order) or self.places.differ(plan, order):
            self._failures.refuse(plan, f"{_state(order)}; it is not overwritten")
        else:
            self.unchanged += 1

    def _put(
        self, plan: OrderPlan, order: WorkOrder | None, links: dict[str, Any], *, moved: bool
    ) -> None:
        values = {**plan.order, **links}
        if order is None:
            order = WorkOrder(
                source=plan.source,
                external_ref=plan.external_ref,
                state=OrderState.DOWNLOADED.value,
                assignee=self._laptop,
                created=self._at,
                updated=self._at,
                **values,
            )
            self._session.add(order)
            self.created += 1
        elif moved or differs(order, values):
            take_over(order, values)
            order.revision += 1
            order.updated = self._at
            self.changed += 1
        else:
            self.unchanged += 1
            return
        linked = self.places.linked(order)
        order.search = _searched(order, linked)
        body = _body(order, linked, self._origin, self._at)
        append(self._session, "order.imported", body, order_id=order.order_id, epoch=order.epoch)


def _searched(order: WorkOrder, linked: Linked) -> str:
    """Return everything people search an order by."""
    site, customer, point = linked
    return search_text(
        order.number,
        order.external_ref,
        order.title,
        kind_words(order.kind),
        order.meter_serial,
        order.utility_serial,
        *((site.street, site.postcode, site.town, site.external_id) if site else ()),
        *((customer.name, customer.phone, customer.contract) if customer else ()),
        point.external_id if point else "",
    )


_BODY = (
    "number",
    "source",
    "external_ref",
    "kind",
    "title",
    "state",
    "queue",
    "area",
    "assignee",
    "revision",
    "priority",
    "due",
    "window_from",
    "window_to",
    "meter_serial",
    "utility_serial",
    "meter_type",
    "procedure",
    "limit_pack",
    "note",
)


def _body(order: WorkOrder, linked: Linked, origin: _Origin, at: datetime) -> dict[str, Any]:
    """Return the whole order as plain data, for the centre."""
    body = {name: _plain(getattr(order, name)) for name in _BODY}
    for name, part in zip(("site", "customer", "usage_point"), linked, strict=True):
        body[name] = None if part is None else _columns(part)
    body |= {"file": origin.file, "file_sha256": origin.sha256, "who": origin.who}
    return body | {"at": at.isoformat()}


def _columns(part: Site | Customer | UsagePoint) -> dict[str, Any]:
    return {column.key: _plain(getattr(part, column.key)) for column in part.__table__.columns}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, int):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _state(order: WorkOrder) -> str:
    began = f", started {order.started:%Y-%m-%d}" if order.started else ""
    return f"order {order.number} is {order.state.replace('_', ' ')}{began}"


def _procedure_remarks(plans: list[OrderPlan]) -> Iterator[str]:
    """Name the types of order that this version can show, but not work."""
    known = set(procedure_names())
    wanted = {str(plan.order["procedure"]) for plan in plans if plan.order}
    missing = sorted(wanted - known)
    if missing:
        yield (
            f"there is no procedure yet for {', '.join(missing)}:"
            " these orders can be shown and reported on, but not worked step by step"
        )


def _write_errors(path: Path, columns: tuple[str, ...], failures: _Failures) -> None:
    """Write the failing rows, tokens masked, each with everything that is wrong with it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*columns, "row", "problem"])
    problems: dict[int, list[str]] = {}
    for error in failures.errors:
        place = f"{error.column}: " if error.column else ""
        problems.setdefault(error.row, []).append(place + error.problem)
    for number, row in sorted(failures.rows.items()):
        cells = [*without_tokens(columns, row.cells), str(number), "; ".join(problems[number])]
        writer.writerow([safe_cell(cell) for cell in cells])
    if not path.parent.is_dir():
        raise BadInput(f"there is no folder {path.parent} to write {path.name} to")
    with translated(str(path)):
        write_atomically(path, ("\ufeff" + text.getvalue()).encode())
