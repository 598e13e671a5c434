"""``token``: enter prepayment tokens, and take token lists to the orders they belong to."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.options import common_options, database, looked_at
from app.commands.target import link_options, target_from
from app.commands.terminal import Terminal, reported, text_table
from app.errors import BadInput, Cancelled
from app.main import desk_on
from app.models.database import Database
from app.services.confirming import confirm
from app.services.connection import connect
from app.services.seat import demand
from app.services.token import TokenFacts, key_words, plain_digits, reading_data, token_facts
from app.services.token_alone import TokenOutcome, enter_alone
from app.tasks import AnswerKind, Ask, Task
from app.workorders.campaign import (
    campaign_status,
    export_accepted,
    import_campaign,
)
from app.workorders.incoming import Incoming, preview
from app.workorders.queue import find_order, order_detail
from app.workorders.steps.tokens import consequence
from app.workorders.token_on_order import enter_on_order, settle_on_order
from app.workorders.tokens import import_tokens, token_views
from drivers.secrets import Secret
from drivers.sts.results import result_words

if TYPE_CHECKING:
    from app.services.token_box import TokenBox
    from app.workorders.desk import Desk
    from app.workorders.exchange.order_rows import RowError

ENTER, LEAVE = "Enter", "Leave"
TYPED = "-"


@click.group()
def token() -> None:
    """Enter prepayment tokens and look after token lists."""


@token.command("enter")
@click.argument("link")
@click.argument("digits", metavar="TOKEN")
@click.option("--order", default="", help="book it on this work order")
@click.option("--reason", default="", help="why an engineering token is entered")
@click.option("--yes", is_flag=True, help="do not ask")
@link_options
@common_options
def enter(link: str, digits: str, order: str, reason: str, yes: bool, **given: Any) -> None:
    """Enter a TOKEN of 20 digits at the meter on LINK, once, and read back what came of it.

    With - as TOKEN its digits are typed twice, or come from standard input, so that they stand in
    no history of commands.
    """
    terminal = Terminal(given["as_json"])
    with reported(given["as_json"]), database(given["data"]) as db:
        demand(db, "meter.write")
        plain = plain_digits(_typed() if digits == TYPED else digits)
        facts = token_facts(plain)
        desk = desk_on(db)
        target, trace = target_from(link, given["data"], given)
        if facts.engineering and order and not reason.strip():
            raise BadInput("an engineering token needs a reason; give --reason")
        order_id = find_order(db, order) if order else ""
        if not yes:
            terminal.run(_confirmed(db, facts, order_id))
        secret = Secret(plain.encode("ascii"))
        if order:
            context = desk.context(lambda _type: connect(target, trace))
            task = enter_on_order(context, order_id, secret, facts, reason)
        else:
            task = enter_alone(db, lambda: connect(target, trace), secret, facts, desk.who)
        outcome = terminal.run(task)
        terminal.result(_shape(outcome, facts), lambda: _words(outcome))


def _typed() -> str:
    """Return the digits from standard input; who sits at a terminal types them twice."""
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    first = str(click.prompt("The 20 digits of the token", err=True))
    if plain_digits(first) != plain_digits(str(click.prompt("Once more", err=True))):
        raise BadInput("the digits were typed twice and differ; nothing was entered")
    return first


def _confirmed(db: Database, facts: TokenFacts, order_id: str) -> Task[None]:
    """Ask before a token is entered, and a second time where it may do harm."""
    answer = yield Ask(
        f"Enter token {facts.shown}: {facts.words}?",
        (ENTER, LEAVE),
        key="token.enter",
        kind=AnswerKind.CHOICE,
        dangerous=facts.destructive,
    )
    if answer != ENTER:
        raise Cancelled
    if facts.destructive and order_id:
        serial = order_detail(db, order_id).row.meter_serial
        yield from confirm("token.confirm", consequence(facts), serial, asked=bool(serial))


def _shape(outcome: TokenOutcome, facts: TokenFacts) -> dict[str, Any]:
    words = result_words(outcome.code)
    return {
        "token": outcome.shown,
        "class": facts.token_class,
        "words": facts.words,
        "result": {"code": outcome.code, "verdict": words.verdict.value, "title": words.title},
        "before": reading_data(outcome.before),
        "after": reading_data(outcome.after),
    }


def _words(outcome: TokenOutcome) -> str:
    words = result_words(outcome.code)
    return f"{outcome.shown}: {words.title}. {words.remedy}\nNow: {key_words(outcome.after)}"


@token.command("settle")
@click.argument("order")
@click.argument("link", required=False, default="")
@link_options
@common_options
def settle(order: str, link: str, **given: Any) -> None:
    """Find out what became of tokens of ORDER whose entry nobody saw end; enters nothing.

    With LINK the meter's key, last token and credit are compared with those before the entry;
    without it you are asked what the display shows.
    """
    terminal = Terminal(given["as_json"])
    with reported(given["as_json"]), database(given["data"]) as db:
        demand(db, "meter.write")
        desk = desk_on(db)
        target, trace = target_from(link, given["data"], given)
        context = desk.context((lambda _type: connect(target, trace)) if link else None)
        ended = terminal.run(settle_on_order(context, find_order(db, order)))
        shape = [
            {
                "token": item.shown,
                "purpose": item.purpose,
                "step": item.step,
                "outcome": item.settled.name.lower(),
                "words": item.settled.value,
            }
            for item in ended
        ]
        said = "\n".join(map(str, ended)) or "No entry of this order is open."
        terminal.result({"settled": shape}, said)


@token.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="say what would happen; change nothing")
@common_options
def import_file(*, file: Path, dry_run: bool, data: Path | None, as_json: bool) -> None:
    """Take the tokens in a CSV or XLSX FILE to the orders they belong to."""
    with reported(as_json), database(data) as db:
        if dry_run:
            _previewed(preview(db, file), as_json=as_json)
            return
        desk = desk_on(db)
        result = import_tokens(db, file, _box(desk), who=desk.who)
        shape = {
            "orders": result.orders,
            "tokens": result.tokens,
            "unchanged": result.unchanged,
        }
        said = f"{result.tokens} tokens for {result.orders} orders, {result.unchanged} unchanged"
        _brought(shape, said, result.errors, as_json=as_json)


def _box(desk: "Desk") -> "TokenBox":
    if desk.tokens is None:
        raise BadInput("there is no keyring to seal the tokens with")
    return desk.tokens


def _brought(
    shape: dict[str, Any], said: str, errors: "Sequence[RowError]", *, as_json: bool
) -> None:
    """Say what came in and which rows could not be used; ends with 2 when there are such rows."""
    rows = [{"row": error.row, "problem": error.problem} for error in errors]
    said += "".join(f"\nrow {error.row}: {error.problem}" for error in errors)
    Terminal(as_json).result({**shape, "errors": rows}, said)
    if errors:
        raise SystemExit(2)


def _previewed(told: Incoming, *, as_json: bool) -> None:
    """Say what a file would bring."""
    shape = {
        "kind": told.kind.value,
        "created": told.created,
        "changed": told.changed,
        "unchanged": told.unchanged,
        "tokens": told.tokens,
    }
    said = f"Would bring {told.created} orders and {told.tokens} tokens; nothing was changed"
    _brought(shape, said, told.errors, as_json=as_json)


@token.command("list")
@click.argument("order")
@common_options
def list_tokens(*, order: str, data: Path | None, as_json: bool) -> None:
    """List the tokens of an ORDER, masked, with what became of them."""
    with reported(as_json), looked_at(data) as db:
        views = token_views(db, find_order(db, order))
        shape = [
            {
                "token": view.shown,
                "purpose": view.purpose,
                "words": view.words,
                "amount": None if view.amount is None else format(view.amount, "f"),
                "unit": view.unit,
                "state": view.state,
                "result": view.code,
            }
            for view in views
        ]
        rows = [[v.shown, v.purpose, v.words, v.state] for v in views]
        Terminal(as_json).result(
            {"tokens": shape}, lambda: text_table(["Token", "For", "What", "State"], rows)
        )


@token.group()
def campaign() -> None:
    """Change the keys of many meters with sets that the vending office has issued."""


@campaign.command("import")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="say what would happen; change nothing")
@common_options
def campaign_import(
    *, name: str, file: Path, dry_run: bool, data: Path | None, as_json: bool
) -> None:
    """Make a key-change order of each meter in FILE, for the campaign NAME."""
    with reported(as_json), database(data) as db:
        if dry_run:
            _previewed(preview(db, file, campaign=name), as_json=as_json)
            return
        desk = desk_on(db)
        result = import_campaign(db, file, name, _box(desk), who=desk.who)
        shape = {"created": result.created, "tokens": result.tokens}
        said = f"{result.created} orders, {result.tokens} tokens"
        _brought(shape, said, result.errors, as_json=as_json)


@campaign.command("status")
@click.argument("name")
@common_options
def campaign_show(*, name: str, data: Path | None, as_json: bool) -> None:
    """Show how far each meter of the campaign NAME is."""
    with reported(as_json), database(data, read_only=True) as db:
        status = campaign_status(db, name)
        shape = {
            "campaign": name,
            "counts": status.counts,
            "meters": [
                {"order": m.number, "drn": m.drn, "serial": m.serial, "status": m.status.value}
                for m in status.meters
            ],
        }
        rows = [[m.number, m.drn, m.serial, m.status.value] for m in status.meters]
        Terminal(as_json).result(
            shape, lambda: text_table(["Order", "Meter", "Serial", "Status"], rows)
        )


@campaign.command("export")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@common_options
def campaign_export(*, name: str, file: Path, data: Path | None, as_json: bool) -> None:
    """Write the accepted key changes of the campaign NAME to FILE, for the vending system."""
    with reported(as_json), database(data) as db:
        count, sha256 = export_accepted(db, name, file, who=desk_on(db).who)
        shape = {"file": str(file), "accepted": count, "sha256": sha256}
        Terminal(as_json).result(shape, f"{count} accepted key changes written to {file}")
