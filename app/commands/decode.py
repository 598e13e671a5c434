"""``decode`` and ``diagnose``: what saved bytes and measured values mean, without a meter."""

import json
import re
from pathlib import Path
from typing import Any

import click

from app.commands.options import common_options
from app.commands.sts import decode_token
from app.commands.terminal import Terminal, reported, text_table
from app.errors import BadInput
from drivers.errors import GarbledReply
from drivers.framewords import frame_words
from drivers.iec62056.readout import Readout, decode_readout
from drivers.iec62056.readout_json import readout_json
from drivers.trace_link import BadTrace, Trace


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
        shape = readout_json(_decoded(file))
        Terminal(as_json).result(shape, lambda: _readout_words(shape))


def _decoded(file: Path) -> Readout:
    """Return what the file holds.

    Raises:
        BadInput: Nothing in it is of a meter.
    """
    try:
        found = decode_readout(file_bytes(file))
    except GarbledReply as error:
        raise BadInput(f"{file}: {error}") from error
    sound = any(value.code and not value.damaged for value in found.values)
    named = found.identification and found.identification.replace("\t", " ").isprintable()
    if not (sound or named or found.profile or found.log):
        raise BadInput(f"{file} holds no readout, no answer and no telegram of a meter")
    return found


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


@decode.command()
@click.argument("source", metavar="FILE/HEX")
@common_options
def frames(source: str, as_json: bool, data: Path | None) -> None:
    """Say what the frames in a FILE (bytes, hex, or a trace) or in HEX digits mean."""
    del data
    with reported(as_json):
        shape = [
            {"direction": direction, "at": said.at, "hex": said.data.hex(), "kind": said.kind,
             "words": said.words}
            for direction, chunk in chunks_in(source)
            for said in frame_words(chunk)
        ]  # fmt: skip
        rows = [[item["direction"], item["kind"], item["words"], item["hex"]] for item in shape]
        table = [[str(cell)[:60] for cell in row] for row in rows]
        Terminal(as_json).result(
            {"frames": shape}, lambda: text_table(["", "Kind", "Meaning", "Bytes"], table)
        )


def chunks_in(source: str) -> list[tuple[str, bytes]]:
    """Return the runs of bytes in a file or in hex digits, with their direction where known.

    Raises:
        BadInput: It is neither a file nor hex digits.
    """
    path = Path(source)
    digits = re.sub(r"[\s:,-]|0x", "", source)
    if not path.is_file():
        try:
            return [("", bytes.fromhex(digits))]
        except ValueError as error:
            raise BadInput(f"{source!r} is neither a file nor hex digits") from error
    saved = file_bytes(path)
    if saved.lstrip()[:1] == b"{":
        return _traced(path)
    text = re.sub(rb"[\s:,-]", b"", saved)
    if text and len(text) % 2 == 0 and re.fullmatch(rb"[0-9A-Fa-f]+", text):
        return [("", bytes.fromhex(text.decode("ascii")))]
    return [("", saved)]


def _traced(path: Path) -> list[tuple[str, bytes]]:
    """Return a trace with what went the same way without a change put together."""
    try:
        records = Trace.load(path).records
    except BadTrace as error:
        raise BadInput(str(error)) from error
    runs: list[tuple[str, bytes]] = []
    for record in records:
        way = record.direction.value
        if way not in {"in", "out"}:
            continue
        if runs and runs[-1][0] == way:
            runs[-1] = (way, runs[-1][1] + record.data)
        else:
            runs.append((way, record.data))
    return runs


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
