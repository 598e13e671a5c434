"""``read``: identity, registers, profile, events, clock, relay and all else a meter tells."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from app.commands.options import common_options, needs
from app.commands.read_file import ReadFile, Tables
from app.commands.target import link_options, target_from
from app.commands.terminal import Terminal, reported, text_table
from app.errors import AppError, BadInput, Cancelled
from app.paths import data_folder
from app.services import shapes
from app.services.connection import Overrides, Target, connect, meter_type_named
from app.services.known_meters import keep_place_again
from app.services.reading import WHAT, Told, Wish, read_meter
from app.services.rows_file import profile_cells, profile_head
from app.services.token import key_words
from drivers.errors import DriverError
from drivers.iec62056.diagnosis import line_diagnosis
from drivers.meter import Meter
from drivers.values import MeterEvent, Reading, Span

Opened = Callable[[], AbstractContextManager[Meter]]
Broken = Cancelled | AppError | DriverError


@click.command()
@click.argument("link")
@click.argument("what", nargs=-1, required=True)
@click.option("--profile", default="", help="OBIS code or name of the profile")
@click.option("--log", default="", help="OBIS code or name of the event log")
@click.option("--from", "start", default="", help="ISO 8601; without a zone it is local time")
@click.option("--to", "end", default="")
@click.option("--last", type=click.IntRange(min=1), help="the last N rows of a profile or log")
@click.option("--entries", default="", help="rows by number, 1 is the oldest kept: 101-200")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="FILE.csv, .xlsx, .json or .xml (IEC 61968-9 MeterReadings)",
)
@click.option("--resume", is_flag=True, help="go on behind the last row in the --out file")
@needs("meter.read")
@link_options
@common_options
def read(link: str, what: tuple[str, ...], **given: Any) -> None:
    """Read WHAT from the meter on LINK: a port, a URL, or the number of a meter that answered once.

    WHAT: identity, registers, profile, events, clock, relay, quality, prepayment,
    limiter, monitor (register monitors), alarms (and error registers),
    slaves (meters on the M-Bus), account (with credits, charges and STS attributes),
    object CODE[/CLASS[/ATTRIBUTE]].

    --last N takes the newest N rows of those that --from and --to leave.

    What the meter has not, or does not show, does not stop the rest.
    An error or Ctrl-C in the middle loses nothing that arrived: it is shown, and in the --out file.
    With --json it stands beside the error, under the same keys as ever and with "complete": false.
    """
    terminal = Terminal(as_json=given["as_json"])
    arrived: dict[str, Any] = {}
    with reported(given["as_json"], arrived):
        folder = data_folder(given["data"])
        target, trace = target_from(link, given["data"], given)
        if target.meter_type and (note := meter_type_named(target.meter_type).note):
            terminal.say(note)
        wish = replace(_wish(what, given), folder=folder)
        told = Told()
        file = ReadFile(given["out"], wish, resume=given["resume"])
        if (kept := file.rows) is not None and kept.start is not None:
            terminal.say(f"{kept.kept:,} rows are kept; reading from {shapes.time_text(kept.last)}")
            wish = replace(wish, span=replace(wish.span, start=kept.start, last=0, entries=None))
        try:
            ended = _read(terminal, lambda: connect(target, trace), wish, told, file)
            shape = told_shape(target.link, told)
            if told_something := _arrived(shape):
                arrived |= {"complete": ended is None, **shape}
            if ended is None or told_something:
                ended = _keep(terminal, file, told, target.serial, shape) or ended
        finally:
            file.close()
            if trace is not None:
                trace.close()
        _remember(folder, target, told, given)
        if ended is None:
            terminal.result(shape, lambda: words(told))
            return
        if file.rows is not None and told_something:
            terminal.say("The same command with --resume goes on behind the last row")
        if not given["as_json"] and told_something:
            terminal.result(shape, lambda: words(told))
        for sentence in line_diagnosis(told.statistics):
            ended.add_note(sentence)
        raise ended


_ALWAYS = frozenset({"link", "type", "read_at", "statistics", "remarks"})


def _arrived(shape: dict[str, Any]) -> bool:
    """Tell whether anything of what was asked for is there."""
    return any(value for name, value in shape.items() if name not in _ALWAYS)


def _read(
    terminal: Terminal, opened: Opened, wish: Wish, told: Told, file: ReadFile
) -> Broken | None:
    """Read into ``told`` and the file; return what ended the reading early."""
    try:
        terminal.run(read_meter(opened, wish, told, file.sink))
    except (Cancelled, AppError, DriverError) as error:
        return error
    return None


def _keep(
    terminal: Terminal, file: ReadFile, told: Told, number: str, shape: dict[str, Any]
) -> AppError | None:
    """Put what was read into the file; return why that could not be done."""
    try:
        terminal.say(file.keep(told, number, lambda: tables_of(told), shape))
    except AppError as error:
        return error
    return None


def _remember(folder: Path, target: Target, told: Told, given: dict[str, Any]) -> None:
    """Keep where the meter answered.

    What needs a secret out of the environment is not kept: the next reading may lack it.
    """
    if told.used is not None and told.identity is not None:
        chosen = Overrides() if given["secret_env"] else target.overrides
        secret = given["secret"] or ""
        keep_place_again(
            folder, target.link, told.used, told.identity, chosen=chosen, secret=secret
        )


def _wish(what: tuple[str, ...], given: dict[str, Any]) -> Wish:
    names, objects, rest = [], [], list(what)
    while rest:
        name = rest.pop(0)
        if name == "object":
            if not rest:
                raise BadInput("object needs a code: object 1-0:1.8.0.255/3/2")
            objects.append(_object(rest.pop(0)))
        elif name not in WHAT:
            raise BadInput(f"{name!r} cannot be read; choose from {', '.join(WHAT)}")
        names.append(name)
    numbers = _entries(given["entries"])
    if numbers and (given["start"] or given["end"] or given["last"]):
        raise BadInput("use --entries alone, without --from, --to and --last")
    begin, end = moment(given["start"]), moment(given["end"])
    if begin is not None and end is not None and begin > end:
        raise BadInput("--from is later than --to")
    span = Span(begin, end, given["last"] or 0, numbers)
    return Wish(tuple(names), given["profile"], given["log"], span, tuple(objects))


def _entries(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    first, dash, last = text.partition("-")
    if not (dash and first.isdecimal() and last.isdecimal()) or not 1 <= int(first) <= int(last):
        raise BadInput(f"{text!r} is no range of rows; write 101-200")
    return min(int(first), _LAST_ENTRY), min(int(last), _LAST_ENTRY)


def _object(text: str) -> tuple[str, int, int]:
    code, *numbers = text.split("/")
    if len(numbers) > 2 or not all(n.isdigit() for n in numbers):  # noqa: PLR2004
        raise BadInput(f"{text!r} is no CODE/CLASS/ATTRIBUTE")
    class_id, attribute = (int(n) for n in [*numbers, "0", "2"][:2]) if numbers else (0, 2)
    return code, class_id, attribute if len(numbers) > 1 else 2


def moment(text: str) -> datetime | None:
    """Return the time in ``text``; a time without a zone is local.

    Raises:
        BadInput: It is no ISO 8601 time.
    """
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise BadInput(f"{text!r} is no time; write 2026-11-20T06:00 or 2026-11-20") from error


def told_shape(link: str, told: Told) -> dict[str, Any]:
    """Return the JSON shape of everything that was read."""
    shape: dict[str, Any] = {
        "link": link,
        "type": told.meter_type,
        "read_at": shapes.time_text(told.read_at.replace(microsecond=0)),
    }
    if told.identity is not None:
        shape["identity"] = shapes.identity_shape(told.identity)
    for name, listed in (("registers", told.registers), ("quality", told.quality)):
        if listed is not None:
            shape[name] = [shapes.register_shape(reading) for reading in listed]
    if told.info is not None:
        shape["profile"] = shapes.profile_shape(told.info, told.rows, complete=told.complete)
    if told.events is not None:
        shape["events"] = shapes.events_shape(told.log, told.events)
    if told.clock is not None:
        shape["clock"] = shapes.clock_shape(told.clock)
    shape |= _switch_and_credit(told)
    if told.objects:
        shape["objects"] = [shapes.register_shape(reading) for reading in told.objects]
    if told.pushed:
        shape["notifications"] = shapes.plain_shape(told.pushed)
    shape["statistics"] = shapes.statistics_shape(told.statistics, told.elapsed)
    said = {"remarks": told.statistics.remarks, "diagnosis": line_diagnosis(told.statistics)}
    return shape | {name: list(texts) for name, texts in said.items() if texts}


_PARTICULARS = {
    "limiter": "Limiter",
    "monitor": "Register monitor",
    "alarms": "Alarms and errors",
    "slaves": "Slave meters",
    "account": "Account",
}
_ACCOUNT = {
    "credits": "Credit",
    "charges": "Charge",
    "gateways": "Token gateway",
    "sts": "STS attributes",
}


def _switch_and_credit(told: Told) -> dict[str, Any]:
    shape: dict[str, Any] = {}
    if told.relay is not None:
        shape["relay"] = shapes.relay_shape(told.relay)
    if told.prepayment is not None:
        shape["prepayment"] = shapes.prepayment_shape(told.prepayment)
    for name in _PARTICULARS:
        if (value := getattr(told, name)) is not None:
            shape[name] = shapes.plain_shape(value)
    return shape


def words(told: Told) -> str:
    """Return what was read as tables for people."""
    parts = []
    if told.identity is not None:
        facts = shapes.identity_shape(told.identity)
        parts.append(
            text_table(["Meter", ""], [[n.replace("_", " "), v] for n, v in facts.items() if v])
        )
    for title, table in _tables(told).items():
        head, rows = table
        parts.append(f"{title}\n{text_table(head, rows)}")
    if told.complete and not told.row_count:
        parts.append("The profile holds no rows of that time")
    if told.clock is not None:
        clock = shapes.clock_shape(told.clock)
        state = ", ".join(told.clock.status)
        parts.append(
            f"Clock {clock['meter_time']}, off by {clock['offset_s']} s"
            f" (± {clock['uncertainty_s']} s) {state}".rstrip()
        )
    if told.relay is not None:
        flow = "supply on" if told.relay.output else "supply off"
        parts.append(f"Relay {told.relay.state}, {flow}, mode {told.relay.mode}")
    if told.prepayment is not None:
        parts.append(f"Prepayment: {key_words(told.prepayment)}")
    for name, title in _PARTICULARS.items():
        if (value := getattr(told, name)) is not None:
            parts += sections(title, shapes.plain_shape(value))
    for one in told.pushed:
        said = filter(None, (shapes.time_text(one.time), one.obis, one.text))
        parts.append(f"The meter said unasked: {' '.join(said)}")
    notes = (*told.statistics.remarks, *line_diagnosis(told.statistics))
    parts += [f"Note: {note}" for note in notes if parts]
    return "\n\n".join(parts)


def sections(title: str, shape: object) -> list[str]:
    """Return what a shape holds as tables for people: one for each object with a code."""
    if isinstance(shape, list):
        return [text for item in shape for text in sections(title, item)]
    if isinstance(shape, dict) and "obis" not in shape:
        names = {name: _ACCOUNT.get(name, title) for name in shape}
        return [text for name, items in shape.items() for text in sections(names[name], items)]
    lines = [[name, text] for name, text in spelled(shape) if name != "obis"]
    code = shape["obis"] if isinstance(shape, dict) else ""
    return [f"{title} {code}\n{text_table(['', ''], lines)}"]


def spelled(shape: object, name: str = "") -> list[list[str]]:
    """Return what a shape holds, one line a value; empty ones are left out."""
    if isinstance(shape, dict):
        if set(shape) >= {"obis", "value", "unit"}:  # a register
            text = f"{shape['value'] or shape.get('text', '')} {shape['unit']}".strip()
            return [[f"{shape['obis']} {shape['name']}".strip(), text]]
        pairs = ((f"{name} {key.replace('_', ' ')}".strip(), value) for key, value in shape.items())
        return [line for key, value in pairs for line in spelled(value, key)]
    if isinstance(shape, list):
        if all(isinstance(item, str | int) for item in shape):
            return [[name, ", ".join(map(str, shape))]] if shape else []
        numbered = enumerate(shape, 1) if len(shape) > 1 else (("", item) for item in shape)
        return [line for n, item in numbered for line in spelled(item, f"{name} {n}".strip())]
    if shape is None or shape == "":
        return []
    text = ("yes" if shape else "no") if isinstance(shape, bool) else str(shape)
    return [[name, text]]


_LAST_ENTRY = 0xFFFF_FFFF  # a request cannot name a later row


def _tables(told: Told) -> Tables:
    tables: Tables = {}
    readings = [*(told.registers or []), *(told.quality or []), *told.objects]
    if readings:
        proved = all(one.check == "ok" for one in readings)
        head = ["Code", "Name", "Value", "Unit", "Time"]
        tables["Registers"] = (
            head if proved else [*head, "Check"],
            [_register_cells(one) + ([] if proved else [one.check]) for one in readings],
        )
    if told.info is not None and told.rows:
        tables["Profile"] = (profile_head(told.info), [profile_cells(row) for row in told.rows])
    if told.events is not None:
        tables["Events"] = (
            ["Time", "Code", "Event"],
            [[shapes.time_text(e.time) or "", e.code, event_words(e)] for e in told.events],
        )
    return tables


def _register_cells(reading: Reading) -> list[str]:
    value = shapes.number_text(reading.value) or reading.text
    time = shapes.time_text(reading.time) or ""
    return [reading.full_code, reading.name, value, reading.unit, time]


def tables_of(told: Told) -> Tables:
    """Return all that was read as tables for a file."""
    return _tables(told) | _particulars(told)


def event_words(event: MeterEvent) -> str:
    """Return the event in words, with the values that were recorded with it."""
    return "; ".join(part for part in (event.text, *event.details) if part)


def _particulars(told: Told) -> Tables:
    """Return limits, alarms, slaves and accounts as tables for a file."""
    found = ((title, getattr(told, name)) for name, title in _PARTICULARS.items())
    head = ["Item", "Value"]
    return {title: (head, spelled(shapes.plain_shape(value))) for title, value in found if value}
