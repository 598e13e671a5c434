"""``calendar``: the switching table of a meter, read to a file and written from one."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from app.commands.options import common_options, needs
from app.commands.relay import acting, answering, write_options
from app.commands.target import link_options, target_from
from app.commands.terminal import Terminal, reported, text_table
from app.models.base import utc_now
from app.models.files import save_file
from app.services.calendar import read_calendar, write_calendar
from app.services.calendar_files import calendar_shape, file_text, load_calendar
from app.services.connection import connect
from app.services.shapes import time_text
from drivers.calendar import CalendarReading


@click.group()
def calendar() -> None:
    """Read and write switching tables (seasons, weeks, days, special days)."""


@calendar.command("read")
@click.argument("link")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@needs("meter.read")
@link_options
@common_options
def read(link: str, file: Path | None, **given: Any) -> None:
    """Read the switching tables of the meter on LINK, into FILE where one is named."""
    terminal = Terminal(given["as_json"])
    with reported(given["as_json"]):
        target, trace = target_from(link, given["data"], given)
        found = terminal.run(read_calendar(lambda: connect(target, trace)))
        shape = calendar_shape(found)
        if file is not None:
            save_file(file, file_text(shape).encode())
            terminal.say(f"Written to {file}")
        terminal.result(shape, lambda: _words(found))


@calendar.command("write")
@click.argument("link")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@write_options
@needs("meter.write")
@link_options
@common_options
def write(link: str, file: Path, **given: Any) -> None:
    """Write the switching table in FILE to the meter on LINK and read it back."""
    terminal = answering(given)
    with reported(given["as_json"]), acting(given) as (book, _):
        table, special, activation = load_calendar(file)
        target, trace = target_from(link, given["data"], given)
        before, after = terminal.run(
            write_calendar(
                lambda: connect(target, trace),
                table,
                special,
                activation,
                book=book,
                asked=not given["yes"],
            )
        )
        shape = {"before": calendar_shape(before), "after": calendar_shape(after)}
        terminal.result(shape, lambda: _words(after))


def _words(found: CalendarReading) -> str:
    table = found.active
    seasons = [[one.name, one.start, one.week] for one in table.seasons]
    days = [
        [str(day.number), "  ".join(f"{point.time}->{point.script}" for point in day.points)]
        for day in table.days
    ]
    weeks = [[one.name, " ".join(map(str, one.days))] for one in table.weeks]
    count = len(found.special_days)
    return "\n\n".join(
        (
            f"Active: {table.name}",
            text_table(["Season", "From", "Week"], seasons),
            text_table(["Week", "Mon to Sun"], weeks),
            text_table(["Day", "Switching points"], days),
            f"{count} special day{'' if count == 1 else 's'}. {waiting(found, utc_now())}",
        )
    )


def waiting(found: CalendarReading, now: datetime) -> str:
    """Say what becomes of the passive table: nothing, where it is the active one already."""
    text = f"Passive: {found.passive.name}"
    if found.passive == found.active:
        return f"{text}, the same as the active one"
    if found.activation is None:
        return f"{text}, no time set for it to come into force"
    when = time_text(found.activation)
    return f"{text}, in force from {when}" if found.activation > now else f"{text}, was due {when}"
