"""``relay``: switch a customer's supply off and on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from app.commands.options import common_options, database, needs, people_entered
from app.commands.target import link_options, target_from
from app.commands.terminal import APPROVAL_VARIABLE, Terminal, reported
from app.services import shapes
from app.services.approving import ACT, Approve, by_second_person, nobody_else
from app.services.booking import Book
from app.services.connection import connect
from app.services.relay import switch_supply, words
from app.workorders.queue import find_order
from drivers.switching import Switching

_APPROVER = (
    "who approves it, where people are entered; their password is asked for, or taken from"
    f" {APPROVAL_VARIABLE}"
)


@click.group()
def relay() -> None:
    """Switch the customer's supply; each act is read back."""


def write_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of every command that writes to a meter."""
    command = click.option("--approver", default="", help=_APPROVER)(command)
    command = click.option("--order", default="", help="work order to book it on")(command)
    return click.option("--yes", is_flag=True, help="do not ask")(command)


@contextmanager
def acting(given: dict[str, Any]) -> Iterator[tuple[Book | None, Approve]]:
    """Hand out the book of the order, if one is given, and what asks a second person."""
    order, many = given["order"], people_entered(given["data"])
    if not many and not order:
        yield None, nobody_else
        return
    with database(given["data"]) as db:
        yield Book(db, find_order(db, order)) if order else None, by_second_person(db)


def answering(given: dict[str, Any]) -> Terminal:
    """Return the terminal of an act, which knows the second person where one was named."""
    return Terminal(given["as_json"], {ACT: given["approver"]} if given["approver"] else {})


def _act(action: Switching, link: str, given: dict[str, Any]) -> None:
    terminal = answering(given)
    with reported(given["as_json"]), acting(given) as (book, approve):
        target, trace = target_from(link, given["data"], given)
        identity, before, after = terminal.run(
            switch_supply(
                lambda: connect(target, trace),
                action,
                book=book,
                expected=given["serial"],
                asked=not given["yes"],
                approve=approve,
            )
        )
        shape = {
            "identity": shapes.identity_shape(identity),
            "before": shapes.relay_shape(before),
            "after": shapes.relay_shape(after),
        }
        terminal.result(shape, f"Meter {identity.serial}: {words(before)} -> {words(after)}")


@relay.command("open")
@click.argument("link")
@write_options
@needs("meter.write")
@link_options
@common_options
def open_(link: str, **given: Any) -> None:
    """Disconnect the supply behind the meter on LINK."""
    _act(Switching.OPEN, link, given)


@relay.command("close")
@click.argument("link")
@write_options
@needs("meter.write")
@link_options
@common_options
def close(link: str, **given: Any) -> None:
    """Connect the supply behind the meter on LINK."""
    _act(Switching.CLOSE, link, given)


@relay.command("arm")
@click.argument("link")
@write_options
@needs("meter.write")
@link_options
@common_options
def arm(link: str, **given: Any) -> None:
    """Let the customer connect the supply with the meter's button."""
    _act(Switching.ARM, link, given)
