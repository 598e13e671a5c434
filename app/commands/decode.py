"""``decode`` and ``diagnose``: what saved bytes and measured values mean, without a meter."""

import json
from pathlib import Path
from typing import Any

import click

from app.commands.options import common_options
from app.commands.sts import decode_token
from app.commands.terminal import Terminal, reported, text_table
from app.errors import BadInput
from drivers.iec62056.readout import decode_readout
from drivers.iec62056.readout_json import readout_json


def file_bytes(path: Path) -> bytes:
    """Return the bytes of a file the operator named.

    Raises:
        BadInput: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error


@click.group()
def decode() -> None:
    """Say what bytes mean."""


@decode.command()
@click.argument("file", type=click.Path(path_type=Path))
@common_options
def readout(file: Path, as_json: bool, data: Path | None) -> None:
    """Decode a saved IEC 62056-21 readout, programming answer or P1/HAN telegram."""
    del data
    with reported(as_json):
        shape = readout_json(decode_readout(file_bytes(file)))
        Terminal(as_json).result(shape, lambda: _readout_words(shape))


def _readout_words(shape: dict[str, Any]) -> str:
    parts = [f"{shape['identification']}  (check {shape['check']})"]
    rows = [
        [
            value["code"],
            value["obis"] or "",
            value["value"] if value["value"] is not None else (value["text"] or ""),
            value["unit"] or "",
            value["time"] or "",
        ]
        for value in shape["values"]
    ]
    if rows:
        parts.append(text_table(["Code", "OBIS", "Value", "Unit", "Time"], rows))
    parts += [
        f"{name}: {len(shape[name]['rows'])} rows (use --json)"
        for name in ("profile", "log")
        if shape[name]
    ]
    parts += [f"Note: {remark}" for remark in shape["remarks"]]
    return "\n\n".join(parts)


decode.add_command(decode_token)


@click.group()
def diagnose() -> None:
    """Draw conclusions from measured values."""


@diagnose.command()
@click.argument("file", type=click.Path(path_type=Path))
@common_options
def wiring(file: Path, as_json: bool, data: Path | None) -> None:
    """Diagnose the wiring of a meter from its phasors (JSON, see the command line contract)."""
    from app.workorders.phasors import BadPhasors, diagnose_wiring

    del data
    with reported(as_json):
        try:
            given = json.loads(file_bytes(file))
            found = diagnose_wiring(given)
        except (json.JSONDecodeError, UnicodeDecodeError, BadPhasors) as error:
            raise BadInput(f"{file}: {error}") from error
        Terminal(as_json).result(found, f"{found['verdict']}: {found['text']}")
