"""``firmware``: load an image into a meter."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from app.commands.options import common_options, needs
from app.commands.relay import acting, answering, write_options
from app.commands.target import link_options, target_from
from app.commands.terminal import reported
from app.errors import BadInput
from app.services.connection import connect
from app.services.firmware import load_firmware


@click.group()
def firmware() -> None:
    """Load firmware into meters."""


@firmware.command("load")
@click.argument("link")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--identifier", default="", help="name of the image; the file's name without ending")
@click.option("--verify-only", is_flag=True, help="do not activate it")
@write_options
@needs("meter.write")
@link_options
@common_options
def load(link: str, file: Path, identifier: str, verify_only: bool, **given: Any) -> None:
    """Send the image FILE to the meter on LINK, have it verified, and activate it."""
    terminal = answering(given)
    with reported(given["as_json"]), acting(given) as (book, approve):
        try:
            image = file.read_bytes()
        except OSError as error:
            raise BadInput(f"{file} cannot be read: {error.strerror}") from error
        target, trace = target_from(link, given["data"], given)
        loaded = terminal.run(
            load_firmware(
                lambda: connect(target, trace),
                (identifier or file.stem).encode("ascii", "replace"),
                image,
                activate=not verify_only,
                book=book,
                asked=not given["yes"],
                approve=approve,
            )
        )
        terminal.result(
            asdict(loaded),
            f"Meter {loaded.serial}: {loaded.before} -> {loaded.after}, {loaded.blocks} blocks,"
            f" {loaded.resumed} of them from an earlier attempt",
        )
