"""``centre review`` and ``centre user``: people, and what they decide at the centre."""

import getpass
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from app.centre.contract import Centre, ReviewItem
from app.centre.order import CentreOrder
from app.commands.office import acting, acting_options, note, opened
from app.commands.options import common_options, database, needs
from app.commands.terminal import Terminal, reported, text_table
from app.errors import BadInput, NotFound
from app.services import review as desk
from app.services import users
from app.services.users import SignedIn


@click.group()
def review() -> None:
    """Approve visits, send them back, settle disputed events."""


@review.command("list")
@click.argument("url")
@common_options
@needs("review.look")
def list_waiting(url: str, data: Path | None, as_json: bool) -> None:
    """List what waits for a person: visits, and events that were not applied."""
    with reported(as_json), opened(url, data) as store:
        found = desk.waiting(store)
        shape = {
            "visits": [visit_shape(order) for order in found.visits],
            "disputes": [item_shape(item) for item in found.disputes],
        }
        Terminal(as_json).result(shape, lambda: _desk_words(found))


@review.command("show")
@click.argument("url")
@click.argument("order")
@common_options
@needs("review.look")
def show(url: str, order: str, data: Path | None, as_json: bool) -> None:
    """Show everything the centre has about ORDER (its number or id), or item ID of the list."""
    with reported(as_json), opened(url, data) as store:
        found = desk.dossier(store, _order_of(store, order))
        events = [
            {
                "laptop": device,
                "at": envelope.wall.isoformat(),
                "kind": envelope.kind,
                "verdict": verdict,
                "epoch": envelope.epoch,
                "body": envelope.body,
            }
            for device, verdict, envelope in found.history
        ]
        disputes = [item_shape(item) for item in found.disputes]
        shape = {"order": visit_shape(found.order), "events": events, "disputes": disputes}
        rows = [[str(event[k]) for k in ("at", "laptop", "kind", "verdict")] for event in events]
        Terminal(as_json).result(
            shape, lambda: text_table(["At", "Laptop", "What", "Verdict"], rows)
        )


def _order_of(store: Centre, wanted: str) -> str:
    """Return the order of a review item; anything else is an order already."""
    if not wanted.startswith("#"):
        return wanted
    items = store.reviews(item=_number(wanted))
    if not items:
        raise NotFound(f"there is no review item {wanted}")
    return items[0].order_id


@review.command("approve")
@click.argument("url")
@click.argument("order")
@acting_options
@common_options
def approve(
    *, url: str, order: str, name: str, role: str, data: Path | None, as_json: bool
) -> None:
    """Approve the visit of ORDER; never by the one who did it."""
    with reported(as_json):
        who = acting(data, name, role or users.VERIFIER)
        who.demand("review.approve")
        with opened(url, data) as store:
            after = desk.approve(store, order, who.person)
        note(data, who.name, "review.approved", after.order_id)
        _told(as_json, after)


@review.command("reject")
@click.argument("url")
@click.argument("order")
@click.option("--step", "steps", multiple=True, help="a step to do again; all without")
@click.option("--reason", default="", help="what is wrong")
@acting_options
@common_options
def reject(
    *,
    url: str,
    order: str,
    steps: tuple[str, ...],
    reason: str,
    name: str,
    role: str,
    data: Path | None,
    as_json: bool,
) -> None:
    """Send the visit of ORDER back; only the steps named are open again."""
    with reported(as_json):
        who = acting(data, name, role or users.VERIFIER)
        who.demand("review.approve")
        with opened(url, data) as store:
            after = desk.reject(store, order, who.person, reason=reason, steps=steps)
        note(data, who.name, "review.rejected", after.order_id, {"reason": reason})
        _told(as_json, after)


@review.command("settle")
@click.argument("url")
@click.argument("item")
@click.option("--accept", "decision", flag_value="accept", help="apply the event now")
@click.option("--dismiss", "decision", flag_value="dismiss", help="what stands stays")
@click.option("--reason", default="", help="why")
@acting_options
@common_options
def settle(
    *,
    url: str,
    item: str,
    decision: str | None,
    reason: str,
    name: str,
    role: str,
    data: Path | None,
    as_json: bool,
) -> None:
    """Decide on the event ITEM of the list, which was not applied."""
    with reported(as_json):
        who = acting(data, name, role or users.VERIFIER)
        who.demand("review.settle")
        if not decision:
            raise BadInput("use --accept or --dismiss")
        with opened(url, data) as store:
            closed = desk.settle(store, _number(item), decision, who.person, reason=reason)
        note(data, who.name, "review.settled", closed.event_id, {"decision": decision})
        Terminal(as_json).result(item_shape(closed), f"Item {item}: {decision}")


def visit_shape(order: CentreOrder) -> dict[str, Any]:
    """Return an order as the command line shows it."""
    shape = asdict(order)
    del shape["body"]
    return shape


def item_shape(item: ReviewItem) -> dict[str, Any]:
    """Return a review item as the command line shows it."""
    return {**asdict(item), "opened": item.opened.isoformat()}


def _told(as_json: bool, order: CentreOrder) -> None:
    words = order.state.replace("_", " ")
    Terminal(as_json).result(visit_shape(order), f"Order {order.number} is {words}")


def _number(text: str) -> int:
    try:
        return int(text.removeprefix("#"))
    except ValueError:
        raise BadInput(f"{text} is no number of a review item") from None


def _desk_words(found: desk.Desk) -> str:
    visits = [[o.number, o.kind, o.verdict, o.worker, o.ended] for o in found.visits]
    disputes = [
        [f"#{i.item}", i.order_number, i.kind, i.verdict, i.device_id[:8], f"{i.opened:%Y-%m-%d}"]
        for i in found.disputes
    ]
    parts = []
    if visits:
        parts.append(text_table(["Order", "Type", "Verdict", "Done by", "On"], visits))
    if disputes:
        parts.append(text_table(["Item", "Order", "What", "Verdict", "Laptop", "Since"], disputes))
    return "\n\n".join(parts) or "Nothing waits"


# -- people ----------------------------------------------------------------------------------------


@click.group()
def user() -> None:
    """Enter people, their roles and areas; without any, the program is in single hands."""


def _new_password(name: str) -> str:
    """Return a password from the terminal, twice, or from standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass(f"Password of {name}: ")
    if password != getpass.getpass("Once more: "):
        raise BadInput("the two entries differ; nothing was changed")
    return password


@user.command("add")
@click.argument("new")
@click.option("--new-role", required=True, type=click.Choice(users.ROLES))
@click.option("--area", "areas", multiple=True, help="sees only this area; may be repeated")
@acting_options
@common_options
def add_user(
    *,
    new: str,
    new_role: str,
    areas: tuple[str, ...],
    name: str,
    role: str,
    data: Path | None,
    as_json: bool,
) -> None:
    """Enter the person NEW; the password is asked for, or read from standard input."""
    with reported(as_json):
        by = _administrator(data, name, role)
        password = _new_password(new)
        with database(data) as db:
            users.add(db, new, new_role, password, by=by, areas=areas)
        Terminal(as_json).result({"added": new}, f"{new} is {new_role}")


@user.command("list")
@common_options
def list_users(data: Path | None, as_json: bool) -> None:
    """List everybody who is entered."""
    with reported(as_json), database(data, read_only=True) as db:
        found = users.people(db)
        shape = [
            {"name": u.name, "role": u.role, "areas": u.areas.split(), "active": u.active}
            for u in found
        ]
        table = [[u.name, u.role, u.areas.replace("\n", ", "), str(u.active)] for u in found]
        Terminal(as_json).result(
            {"users": shape}, lambda: text_table(["Name", "Role", "Areas", "Active"], table)
        )


@user.command("password")
@click.argument("whose")
@acting_options
@common_options
def change_password(*, whose: str, name: str, role: str, data: Path | None, as_json: bool) -> None:
    """Change the password of WHOSE."""
    _changed(data, as_json, name, role, lambda db, by: users.set_password(
        db, whose, _new_password(whose), by=by))  # fmt: skip


@user.command("disable")
@click.argument("whose")
@acting_options
@common_options
def disable_user(*, whose: str, name: str, role: str, data: Path | None, as_json: bool) -> None:
    """Keep WHOSE out from now on; what they did keeps their name."""
    _changed(data, as_json, name, role, lambda db, by: users.disable(db, whose, by=by))


def _administrator(data: Path | None, name: str, role: str) -> SignedIn:
    return acting(data, name, role or users.ADMINISTRATOR)


def _changed(
    data: Path | None, as_json: bool, name: str, role: str, change: Callable[[Any, SignedIn], None]
) -> None:
    with reported(as_json):
        by = _administrator(data, name, role)
        with database(data) as db:
            change(db, by)
        Terminal(as_json).result({"changed": True}, "Done")
