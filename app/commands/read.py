"""``read``: identity, registers, profile, events, clock, relay, prepayment, objects."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from app.commands.options import common_options, link_options, target_from
from app.commands.terminal import Terminal, reported, text_table
from app.errors import BadInput, Interrupted
from app.services import shapes
from app.services.connection import connect
from app.services.reading import WHAT, Told, Wish, read_meter
from app.services.tables import write_table
from app.services.token import key_words
from drivers.values import ProfileInfo, ProfileRow, Span


@click.command()
@click.argument("link")
@click.argument("what", nargs=-1, required=True)
@click.option("--profile", default="", help="OBIS code or name of the profile")
@click.option("--log", default="", help="OBIS code or name of the event log")
@click.option("--from", "start", default="", help="ISO 8601; without a zone it is local time")
@click.option("--to", "end", default="")
@click.option("--last", type=click.IntRange(min=1), help="the last N rows of a profile or log")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False))
@link_options
@common_options
def read(link: str, what: tuple[str, ...], **given: Any) -> None:
    """Read WHAT from the meter on LINK.

    WHAT: identity, registers, profile, events, clock, relay, quality, prepayment,
    object CODE[/CLASS[/ATTRIBUTE]].
    """
    terminal = Terminal(as_json=given["as_json"])
    with reported(given["as_json"]):
        wish = _wish(what, given)
        target, trace = target_from(link, given["data"], given)
        told = Told()
        sink, finish = _rows_out(given["out"], wish)
        interrupted = None
        try:
            terminal.run(read_meter(lambda: connect(target, trace), wish, told, sink))
        except Interrupted as error:
            interrupted = error
        finally:
            if trace is not None:
                trace.close()
        finish(told)
        if sink is not None:
            terminal.say(f"The rows are in {given['out']}")
        shape = told_shape(link, told)
        if given["out"] is not None and sink is None:
            write_table(given["out"], _tables(told), shape)
            terminal.say(f"Written to {given['out']}")
        if interrupted is not None:
            if not given["as_json"]:
                terminal.result(shape, lambda: words(told))
            raise interrupted
        terminal.result(shape, lambda: words(told))


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
    span = Span(moment(given["start"]), moment(given["end"]), given["last"] or 0)
    return Wish(tuple(names), given["profile"], given["log"], span, tuple(objects))


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
    shape["statistics"] = shapes.statistics_shape(told.statistics, told.elapsed)
    if told.statistics.remarks:
        shape["remarks"] = list(told.statistics.remarks)
    return shape


def _switch_and_credit(told: Told) -> dict[str, Any]:
    shape: dict[str, Any] = {}
    if told.relay is not None:
        shape["relay"] = shapes.relay_shape(told.relay)
    if told.prepayment is not None:
        shape["prepayment"] = shapes.prepayment_shape(told.prepayment)
    return shape


def words(told: Told) -> str:
    """Return what was read as tables for people."""
    parts = []
    if told.identity is not None:
        facts = shapes.identity_shape(told.identity)
        parts.append(
            text_table(["Meter", ""], [[n.replace("_", " "), v] for n, v in facts.items()])
        )
    for title, table in _tables(told).items():
        head, rows = table
        parts.append(f"{title}\n{text_table(head, rows)}")
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
    parts += [f"Note: {remark}" for remark in told.statistics.remarks]
    return "\n\n".join(parts)


Tables = dict[str, tuple[list[str], list[list[str]]]]


def _tables(told: Told) -> Tables:
    tables: Tables = {}
    readings = [*(told.registers or []), *(told.quality or []), *told.objects]
    if readings:
        tables["Registers"] = (
            ["Code", "Name", "Value", "Unit", "Time"],
            [
                [
                    f"{r.obis or r.code}{'*' + r.history if r.history else ''}",
                    r.name,
                    shapes.number_text(r.value) or r.text,
                    r.unit,
                    shapes.time_text(r.time) or "",
                ]
                for r in readings
            ],
        )
    if told.info is not None and told.rows:
        tables["Profile"] = (profile_head(told.info), [profile_cells(row) for row in told.rows])
    if told.events is not None:
        tables["Events"] = (
            ["Time", "Code", "Event"],
            [[shapes.time_text(e.time) or "", e.code, e.text] for e in told.events],
        )
    return tables


def profile_head(info: ProfileInfo) -> list[str]:
    """Return the head of a profile's table."""
    columns = [f"{c.obis} {c.unit}".strip() for c in info.columns]
    return ["Time", "Status", "Status in words", *columns]


def profile_cells(row: ProfileRow) -> list[str]:
    """Return one row of a profile's table."""
    raw = "" if row.status_raw is None else str(row.status_raw)
    values = [shapes.number_text(value) or "" for value in row.values]
    return [shapes.time_text(row.time) or "", raw, ", ".join(row.status), *values]


def _rows_out(
    out: Path | None, wish: Wish
) -> tuple[Callable[[ProfileInfo, tuple[ProfileRow, ...]], None] | None, Callable[[Told], None]]:
    """Return a sink that streams profile rows into a CSV file, where only a profile is read."""
    if out is None or out.suffix != ".csv" or "profile" not in wish.what:
        return None, lambda _told: None
    if set(wish.what) - {"profile", "identity", "clock"}:
        return None, lambda _told: None
    try:
        file = out.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise BadInput(f"{out} cannot be written: {error.strerror}") from error
    writer = csv.writer(file)
    begun = False

    def sink(info: ProfileInfo, rows: tuple[ProfileRow, ...]) -> None:
        nonlocal begun
        if not begun:
            writer.writerow(profile_head(info))
            begun = True
        writer.writerows(profile_cells(row) for row in rows)

    return sink, lambda _told: file.close()
