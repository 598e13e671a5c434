"""``parameters``: what can be set in a meter, read to a file, compared with one, written."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from app.commands.options import common_options, needs
from app.commands.relay import acting, answering, write_options
from app.commands.target import link_options, target_from
from app.commands.terminal import Terminal, reported, text_table
from app.models.files import save_file
from app.paths import data_folder
from app.services.connection import connect
from app.services.parameters import (
    Difference,
    compare_parameters,
    keep_dump,
    load_parameters,
    read_parameters,
    save_parameters,
    write_parameters,
)

_DIFFERENT = 23


@click.group()
def parameters() -> None:
    """Read, compare and write the parameters of a meter."""


@parameters.command("read")
@click.argument("link")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@needs("meter.read")
@link_options
@common_options
def read(link: str, file: Path, **given: Any) -> None:
    """Read what can be written in the meter on LINK into FILE."""
    terminal = Terminal(given["as_json"])
    with reported(given["as_json"]):
        target, trace = target_from(link, given["data"], given)
        folder = data_folder(given["data"])
        found = terminal.run(read_parameters(lambda: connect(target, trace), folder))
        save_file(file, save_parameters(found))
        shape = {"parameters": [asdict(one) for one in found]}
        terminal.result(shape, f"{len(found)} parameters are in {file}")


@parameters.command("compare")
@click.argument("link")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@needs("meter.read")
@link_options
@common_options
def compare(link: str, file: Path, **given: Any) -> None:
    """Compare the meter on LINK with FILE; exit 23 when something differs."""
    terminal = Terminal(given["as_json"])
    with reported(given["as_json"]):
        wanted = load_parameters(file)
        target, trace = target_from(link, given["data"], given)
        found = terminal.run(compare_parameters(lambda: connect(target, trace), wanted))
        terminal.result({"different": [asdict(one) for one in found]}, lambda: _words(found))
        if found:
            raise SystemExit(_DIFFERENT)


@parameters.command("write")
@click.argument("link")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@write_options
@needs("meter.write")
@link_options
@common_options
def write(link: str, file: Path, **given: Any) -> None:
    """Write what differs from FILE to the meter on LINK, each read back."""
    terminal = answering(given)
    with reported(given["as_json"]), acting(given) as (book, _):
        wanted = load_parameters(file)
        target, trace = target_from(link, given["data"], given)
        folder = data_folder(given["data"])

        def keep(serial: str, found: tuple[Difference, ...]) -> None:
            kept = keep_dump(folder, serial, found, datetime.now(UTC))
            terminal.say(f"What stands there now is kept in {kept}")

        changed = terminal.run(
            write_parameters(
                lambda: connect(target, trace),
                wanted,
                book=book,
                asked=not given["yes"],
                intended=keep,
            )
        )
        terminal.result({"changed": [asdict(one) for one in changed]}, lambda: _words(changed))


def _words(found: tuple[Difference, ...]) -> str:
    if not found:
        return "Nothing differs"
    rows = [
        [one.code, str(one.class_id), str(one.attribute), one.wanted, one.found] for one in found
    ]
    return text_table(["Code", "Class", "Attribute", "File", "Meter"], rows)
