"""``ports`` and ``clock``: what is plugged in, and the one write that needs no order."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import click

from app.commands.options import common_options, needs
from app.commands.target import link_options, target_from
from app.commands.terminal import Terminal, reported, text_table
from app.errors import Cancelled
from app.services import shapes
from app.services.connection import connect
from app.tasks import Ask, Progress, Task
from drivers.meter import Meter
from drivers.ports import list_ports
from drivers.values import ClockReading


@click.command()
@common_options
def ports(as_json: bool, **given: Any) -> None:
    """List the serial ports and what is plugged into them."""
    del given
    with reported(as_json):
        found = list_ports()
        rows = [[p.name, p.description, p.manufacturer, p.serial_number] for p in found]
        shape = [
            dict(zip(("name", "description", "manufacturer", "serial"), row, strict=True))
            for row in rows
        ]
        Terminal(as_json).result(shape, text_table(["Port", "What", "Maker", "Serial"], rows))


@click.group()
def clock() -> None:
    """Look after the meter's clock."""


@clock.command("set")
@click.argument("link")
@click.option("--yes", is_flag=True, help="do not ask")
@needs("meter.write")
@link_options
@common_options
def set_clock(link: str, yes: bool, **given: Any) -> None:
    """Set the clock of the meter on LINK to this laptop's time, and read it back."""
    terminal = Terminal(given["as_json"], answers={"clock.set": "Set"} if yes else {})
    with reported(given["as_json"]):
        target, trace = target_from(link, given["data"], given)
        before, after = terminal.run(_set_clock(lambda: connect(target, trace)))
        shape = {"before": shapes.clock_shape(before), "after": shapes.clock_shape(after)}
        said = f"The clock was off by {before.offset} s; it reads back off by {after.offset} s"
        terminal.result(shape, said)


def _set_clock(
    opened: Callable[[], AbstractContextManager[Meter]],
) -> Task[tuple[ClockReading, ClockReading]]:
    yield Progress("Reading the clock")
    with opened() as meter:
        before = meter.clock()
    question = f"The meter's clock is off by {before.offset} s. Set it?"
    answer = yield Ask(question, ("Set", "Leave"), key="clock.set")
    if answer != "Set":
        raise Cancelled
    yield Progress("Setting the clock")
    with opened() as meter:
        return before, meter.set_clock()
