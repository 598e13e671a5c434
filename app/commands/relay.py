"""``relay``: switch a customer's supply off and on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from app.commands.options import common_options, database, link_options, needs, target_from
from app.commands.terminal import Terminal, reported
from app.services import shapes
from app.services.booking import Book
from app.services.connection import connect
from app.services.relay import switch_supply, words
from app.workorders.queue import find_order
from drivers.switching import Switching


@click.group()
def relay() -> None:
    """Switch the customer's supply; each act is read back."""


def write_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of every command that writes to a meter."""
    command = click.option("--order", default="", help="work order to book it on")(command)
    return click.option("--yes", is_flag=True, help="do not ask")(command)


@contextmanager
def booked(order: str, data: Path | None) -> Iterator[Book | None]:
    """Hand out the book of an order, None without one."""
    if not order:
        yield None
        return
    with database(data) as db:
        yield Book(db, find_order(db, order))


def _act(action: Switching, link: str, given: dict[str, Any]) -> None:
    terminal = Terminal(given["as_json"])
    with reported(given["as_json"]), booked(given["order"], given["data"]) as book:
        target, trace = target_from(link, given["data"], given)
        identity, before, after = terminal.run(
            switch_supply(
                lambda: connect(target, trace),
                action,
                book=book,
                expected=given["serial"],
                asked=not given["yes"],
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
