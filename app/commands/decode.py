"""``decode`` and ``diagnose``: what saved bytes and measured values mean, without a meter."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from app.commands.options import common_options
from app.commands.sts import decode_token
from app.commands.terminal import Terminal, reported, text_table
from app.errors import BadInput
from app.services.connection import meter_type_named
from drivers.errors import GarbledReply
from drivers.find import matching_type
from drivers.framewords import frame_words
from drivers.iec62056.log import in_words
from drivers.iec62056.meter import zone_of
from drivers.iec62056.readout import Readout, decode_readout
from drivers.iec62056.readout_json import readout_json
from drivers.metertype import MeterType
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
@click.option("--type", "meter_type", default="", help="meter type: its zone, status bits, events")
@common_options
def readout(file: Path, meter_type: str, as_json: bool, data: Path | None) -> None:
    """Decode a saved IEC 62056-21 readout, programming answer or P1/HAN telegram."""
    del data
    with reported(as_json):
        shape = readout_json(_whole(file, meter_type))
        Terminal(as_json).result(shape, lambda: _readout_words(shape))


def _whole(file: Path, meter_type: str) -> Readout:
    """Return what the file holds.

    Raises:
        BadInput: Nothing in it is of a meter.
    """
    try:
        found = _decoded(file_bytes(file), meter_type)
    except GarbledReply as error:
        raise BadInput(f"{file}: {error}") from error
    # among much noise a few bytes may look like a value
    sound = sum(bool(value.code) and not value.damaged for value in found.values) > found.damaged
    named = found.identification and found.identification.replace("\t", " ").isprintable()
    if not (sound or named or found.profile or found.log):
        raise BadInput(f"{file} holds no readout, no answer and no telegram of a meter")
    return found


def _decoded(saved: bytes, meter_type: str) -> Readout:
    """Decode by the type that is named; else by the one whose identification the bytes carry."""
    if meter_type:
        kind: MeterType | None = meter_type_named(meter_type)
        zone = zone_of(kind) if kind is not None else None
    else:
        kind = matching_type(identification=decode_readout(saved).identification)
        zone = None
    if kind is None:
        return decode_readout(saved)
    found = decode_readout(saved, zone, kind.iec62056)
    if found.log is None:
        return found
    rows = tuple(in_words(row, kind) for row in found.log.rows)
    return replace(found, log=replace(found.log, rows=rows))


def _readout_words(shape: dict[str, Any]) -> str:
    who = shape["identification"] or "no identification line"
    parts = [f"{who}  (check {shape['check']})"]
    rows = [
        [
            value["code"],
            value["name"] or "",
            value["value"] if value["value"] is not None else (value["text"] or ""),
            value["unit"] or "",
            value["time"] or "",
        ]
        for value in shape["values"]
    ]
    if rows:
        parts.append(text_table(["Code", "Name", "Value", "Unit", "Time"], rows))
    if shape["profile"]:
        parts.append(_profile_words(shape["profile"]))
    if shape["log"]:
        head = ["Time", "Code", "Event"]
        rows = [
            [
                row["time"],
                str(row["code"]),
                "; ".join(w for w in (row["text"], *row["details"]) if w),
            ]
            for row in shape["log"]["rows"]
        ]
        parts.append(f"Log {shape['log']['obis']}\n{text_table(head, rows)}")
    parts += [f"Note: {remark}" for remark in shape["remarks"]]
    return "\n\n".join(parts)


def _profile_words(profile: dict[str, Any]) -> str:
    columns = [f"{c['obis'] or c['name']} {c['unit']}".strip() for c in profile["columns"]]
    rows = [
        [row["time"], ", ".join(row["status"]), *(value or "" for value in row["values"])]
        for row in profile["rows"]
    ]
    table = text_table(["Time", "Status", *columns], rows)
    state = "complete" if profile["complete"] else "not complete"
    return f"Load profile, every {profile['period_s'] // 60} min, {state}\n{table}"


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
        if not shape:
            raise BadInput(f"there are no bytes in {source!r}")
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
