"""``orders``: the queue of this laptop."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from app.commands.office import acting, acting_options, centre_url, note, opened
from app.commands.options import common_options, database, looked_at
from app.commands.review import visit_shape
from app.commands.terminal import Terminal, reported, text_table
from app.errors import BadInput
from app.main import desk_on
from app.models.database import Database
from app.models.order import OrderState
from app.services.seat import demand
from app.services.token_box import TokenBox
from app.workorders.exchange.export_orders import export_orders
from app.workorders.exchange.import_orders import ImportResult, import_orders
from app.workorders.exchange.tablefile import read_table
from app.workorders.incoming import coming_tokens, used_remarks
from app.workorders.queue import (
    OrderDetail,
    QueueFilter,
    QueueRow,
    find_ids,
    find_order,
    order_detail,
    rows,
)
from app.workorders.shapes import detail_shape, row_shape
from app.workorders.tokens import has_tokens, import_tokens

PAGE = 256


@click.group()
def orders() -> None:
    """Import, list, show and export work orders."""


@orders.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--mapping", help="name of a saved mapping of columns")
@click.option("--dry-run", is_flag=True, help="say what would happen; change nothing")
@click.option(
    "--errors",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV file for the rows that did not go in, with their problems",
)
@common_options
def import_file(
    *,
    file: Path,
    mapping: str | None,
    dry_run: bool,
    errors: Path | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Take work orders from a CSV or XLSX FILE."""
    with reported(as_json), database(data) as db:
        if errors is not None and not errors.absolute().parent.is_dir():
            raise BadInput(f"there is no folder {errors.absolute().parent}")
        columns = read_table(file).columns
        box = None if dry_run or not has_tokens(columns) else desk_on(db).tokens
        if box is not None:
            box.fingerprint("")  # a locked keyring stops here, before any order went in
        result = import_orders(db, file, mapping=mapping, dry_run=dry_run, error_file=errors)
        if result.cancelled and not dry_run:
            desk_on(db).clear_up()  # their decoder keys
        if has_tokens(columns):
            result = _with_tokens(db, file, result, box)
        Terminal(as_json).result(_import_shape(result), lambda: _import_words(result))
        if result.errors:
            raise SystemExit(2)


def _with_tokens(
    db: Database, file: Path, result: ImportResult, box: TokenBox | None
) -> ImportResult:
    """Take the tokens that came in the same file to their orders, or say how many would come."""
    if box is not None:
        tokens = import_tokens(db, file, box, who=desk_on(db).who)
        errors, remark = tokens.errors, f"{tokens.tokens} tokens for {tokens.orders} orders"
    else:
        count, errors = coming_tokens(db, file)
        remark = f"{count} tokens"
    failed = {error.row for error in result.errors}
    more = tuple(error for error in errors if error.row not in failed)
    known = used_remarks(result.remarks)
    return replace(result, errors=(*result.errors, *more), remarks=(*known, remark))


def _import_shape(result: ImportResult) -> dict[str, Any]:
    return {
        "created": result.created,
        "changed": result.changed,
        "unchanged": result.unchanged,
        "errors": [
            {"row": e.row, "column": e.column, "value": e.value, "problem": e.problem}
            for e in result.errors
        ],
        "remarks": list(result.remarks),
    }


def _import_words(result: ImportResult) -> str:
    head = f"{result.created} new, {result.changed} changed, {result.unchanged} unchanged"
    parts = [head, *result.remarks]
    if result.errors:
        table = [[str(e.row), e.column, e.value, e.problem] for e in result.errors]
        parts.append(text_table(["Row", "Column", "Value", "Problem"], table))
    return "\n".join(parts)


@orders.command("list")
@click.option("--state", help="only orders in this state")
@click.option("--queue", default="", help="only orders of this queue")
@click.option("--search", default="", help="number, address, customer, serial, reference")
@common_options
def list_orders(
    *, state: str | None, queue: str, search: str, data: Path | None, as_json: bool
) -> None:
    """List the orders on this laptop."""
    with reported(as_json), looked_at(data, "orders.look") as db:
        if state and state not in {one.value for one in OrderState}:
            known = ", ".join(OrderState)
            raise BadInput(f"there is no state {state!r}; one of {known} is meant")
        states = frozenset([state]) if state else frozenset()
        ids = find_ids(db, QueueFilter(states=states, queue=queue, text=search))
        found: list[QueueRow] = []
        for start in range(0, len(ids), PAGE):
            found += rows(db, ids[start : start + PAGE])
        Terminal(as_json).result(
            {"orders": [row_shape(row) for row in found]}, lambda: _list_words(found)
        )


def _list_words(found: list[QueueRow]) -> str:
    table = [
        [
            row.number,
            row.state,
            row.kind,
            row.title,
            row.town,
            row.due.isoformat() if row.due else "",
            row.meter_serial,
            row.verdict,
        ]
        for row in found
    ]
    return text_table(["Order", "State", "Type", "Title", "Town", "Due", "Meter", "Verdict"], table)


@orders.command("show")
@click.argument("order")
@common_options
def show_order(*, order: str, data: Path | None, as_json: bool) -> None:
    """Show everything about one ORDER (its number or id)."""
    with reported(as_json), looked_at(data, "orders.look") as db:
        detail = order_detail(db, find_order(db, order))
        Terminal(as_json).result(detail_shape(detail), lambda: _detail_words(detail))


def _detail_words(detail: OrderDetail) -> str:
    shape = detail_shape(detail)
    facts = [
        [name.replace("_", " "), str(value)]
        for name, value in shape.items()
        if value and not isinstance(value, list | dict)
    ]
    parts = [text_table(["Order", detail.row.number], facts)]
    for name, rows_ in shape.items():
        if isinstance(rows_, list) and rows_ and isinstance(rows_[0], dict):
            head = list(rows_[0])
            table = [["" if r[h] is None else str(r[h]) for h in head] for r in rows_]
            parts.append(f"{name.capitalize()}\n{text_table(head, table)}")
    return "\n\n".join(parts)


@orders.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@common_options
def export_file(*, file: Path, data: Path | None, as_json: bool) -> None:
    """Write results to FILE: .xlsx, .csv (three files) or .jsonl (the journal)."""
    with reported(as_json), database(data) as db:
        demand(db, "orders.look")
        written = export_orders(db, file)
        Terminal(as_json).result({"file": str(file), "sha256": written}, f"Written to {file}")


@orders.command("assign")
@click.argument("wanted", nargs=-1, required=True, metavar="ORDER...")
@click.option("--to", "device", default="", help="laptop: its id or name")
@click.option("--recall", is_flag=True, help="call the orders back instead")
@click.option("--reason", default="", help="why they are called back")
@click.option("--centre", "url", default="", help="URL of the central store")
@acting_options
@common_options
def assign_orders(
    *,
    wanted: tuple[str, ...],
    device: str,
    recall: bool,
    reason: str,
    url: str,
    name: str,
    role: str,
    data: Path | None,
    as_json: bool,
) -> None:
    """Give orders at the centre to a laptop, or call them back; ORDER is a number or an id."""
    from app.services import dispatch, users

    with reported(as_json):
        if bool(device) == recall:
            raise BadInput("say who gets the orders with --to LAPTOP, or use --recall")
        who = acting(data, name, role or users.DISPATCHER)
        who.demand("orders.recall" if recall else "orders.assign")
        with opened(url or centre_url(data), data) as store:
            if recall:
                moved = dispatch.recall(store, wanted, reason, who.person)
            else:
                moved = dispatch.assign(store, wanted, device, who.person)
        done = "orders.recalled" if recall else "orders.assigned"
        note(data, who.name, done, " ".join(wanted), {"to": device, "reason": reason})
        Terminal(as_json).result(
            {"orders": [visit_shape(order) for order in moved]},
            "\n".join(f"{order.number}: {order.state.replace('_', ' ')}" for order in moved),
        )
