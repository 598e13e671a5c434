"""``find``: what answers on a link, and all meters of an RS-485 bus."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import click

from app.commands.options import common_options, needs
from app.commands.read import told_shape, words
from app.commands.target import link_options, target_from
from app.commands.terminal import Terminal, reported, text_table
from app.errors import AppError, Cancelled
from app.paths import data_folder
from app.services import finding, shapes
from app.services.connection import Target, connect, meter_type_named, open_port
from app.services.reading import WHAT, Told, Wish, read_meter
from app.tasks import Progress, Task
from drivers.dlms.scan import LINES, SAFE_CLIENTS, BusMeter, Plan
from drivers.errors import DriverError, PortUnavailable
from drivers.find import Finding, find_meter
from drivers.link import Line, Link
from drivers.trace_link import Trace


@click.command()
@click.argument("link", default="")
@click.option("--addresses", default="", help="physical HDLC addresses of a bus: 1-50 or 17,20-22")
@click.option("--one-part", is_flag=True, help="addresses of one octet, without a logical device")
@click.option("--clients", default="", help="clients to ask without a password, in this order")
@click.option("--formula", default="", help="address of a serial number: SN % 10000 + 1000")
@click.option("--preview", is_flag=True, help="show the address of --serial and ask nobody")
@click.option("--read", "wanted", default="", help="read from each meter found: identity,registers")
@needs("meter.read")
@link_options
@common_options
def find(link: str, **given: Any) -> None:
    """Find what answers on LINK; with --addresses all meters of an RS-485 bus.

    With --serial the one address is asked that the formula of the meter's type, or the one given
    with --formula, makes of the number.

    No password is sent while looking.  Where each serial number was found is remembered.

    When a bus is left early by an error or Ctrl-C, who has answered by then is shown all the same;
    with --json beside the error, as "meters" with "complete": false.
    """
    terminal = Terminal(given["as_json"])
    arrived: dict[str, Any] = {}
    with reported(given["as_json"], arrived):
        if given["preview"]:
            _preview(terminal, given)
            return
        if not link:
            raise click.UsageError("find needs a LINK (or --preview with --serial and --type)")
        target, trace = target_from(link, given["data"], given)
        try:
            if given["addresses"] or given["serial"]:
                _bus(terminal, target, trace, given, arrived)
            else:
                _one(terminal, target, trace)
        finally:
            if trace is not None:
                trace.close()


def _preview(terminal: Terminal, given: dict[str, Any]) -> None:
    kind = meter_type_named(given["meter_type"] or "generic-dlms")
    shown = finding.preview(kind, given["serial"], given["formula"])
    shape = {
        "serial": shown.serial,
        "formula": shown.formula,
        "physical": shown.physical,
        "address": shown.octets,
    }
    terminal.result(shape, f"{shown.serial}: physical address {shown.physical}, {shown.octets}")


# --- one meter ------------------------------------------------------------------------------


def _one(terminal: Terminal, target: Target, trace: Trace | None) -> None:
    found = terminal.run(_found(target, trace))
    shape = {
        "link": target.link,
        "type": found.meter_type.name,
        "protocol": found.protocol,
        "speed": found.speed,
        "format": found.format,
        "first_speed": found.first_speed,
        "echo": found.echo,
        "identification": found.identification,
        "logical_device_name": found.logical_device_name,
        "tried": list(found.tried),
        "diagnosis": list(found.diagnosis),
    }
    terminal.result(shape, lambda: text_table(["Found", ""], _found_words(found, target.link)))


def _found_words(found: Finding, link: str) -> list[list[str]]:
    line = f"{found.speed} Bd {format_words(found.format)}"
    if found.first_speed != found.speed:
        line = f"{found.first_speed} Bd for the sign-on, then {line}"
    rows = [
        ["link", link],
        ["type", f"{found.meter_type.name} ({found.meter_type.title})"],
        ["protocol", found.protocol],
        ["line", line if found.speed else "as the converter has it"],
        ["echo", "the probe returns what is sent" if found.echo else "none"],
        ["identification", found.identification],
        ["logical device name", found.logical_device_name],
        *([("tried" if not n else ""), text] for n, text in enumerate(found.tried)),
        *(["note", text] for text in found.diagnosis),
    ]
    return [row for row in rows if row[1]]


def format_words(form: str) -> str:
    """Return a character format with its parity in words: "7E1 (even parity)"."""
    parity = {"N": "no", "E": "even", "O": "odd"}.get(form[-2:-1], "")
    by_us = ", done by this program" if form.startswith("soft") else ""
    return f"{form} ({parity} parity{by_us})" if parity else form


def _found(target: Target, trace: Trace | None) -> Task[Finding]:
    yield Progress("Looking for a meter")
    link = open_port(target.link, Line.named(300, "7E1"), trace)
    try:
        return find_meter(link)
    finally:
        link.close()


# --- a bus ----------------------------------------------------------------------------------


def _bus(
    terminal: Terminal,
    target: Target,
    trace: Trace | None,
    given: dict[str, Any],
    arrived: dict[str, Any],
) -> None:
    base = meter_type_named(target.meter_type or "generic-dlms")
    if given["addresses"]:
        addresses = finding.addresses_in(given["addresses"])
    else:
        addresses = [finding.preview(base, target.serial, given["formula"]).physical]
    plan = _plan(target, addresses, given)
    wish = _wish(given["wanted"])
    meters: list[BusMeter] = []
    shapes_found: list[dict[str, Any]] = []
    texts: list[str] = []
    shape = {"link": target.link, "asked": len(plan.addresses), "meters": shapes_found}

    def table() -> str:
        return "\n\n".join([_table(meters, plan), *texts])

    folder = data_folder(given["data"])
    try:
        terminal.run(finding.scan_bus(_opened(target, trace), base, plan, meters))
        if not given["addresses"]:
            finding.demand(meters, target.serial, plan.patience)
        for meter in meters:
            finding.remember(folder, target.link, meter)
            shapes_found.append(_shape(meter))
            if wish is not None and not meter.note:
                told, error = _read(terminal, target, trace, meter, wish)
                failed = {"error": error} if error else {}
                shapes_found[-1]["read"] = told_shape(target.link, told) | failed
                texts.append(f"{meter.identity.serial}\n{error or words(told)}")
    except (Cancelled, DriverError, AppError):
        rest = meters[len(shapes_found) :]
        shapes_found += map(_shape, rest)
        if meters:
            arrived |= {"complete": False, **shape}
            if not given["as_json"]:
                terminal.result(shape, table)
        for meter in rest:
            finding.remember(folder, target.link, meter)
        raise
    terminal.result(shape, table)


def _plan(target: Target, addresses: Sequence[int], given: dict[str, Any]) -> Plan:
    wanted = target.overrides
    lines: Sequence[tuple[int, str]] = LINES
    if wanted.speed or wanted.format:
        lines = ((wanted.speed or LINES[0][0], wanted.format or LINES[0][1]),)
    clients: Sequence[int] = SAFE_CLIENTS
    if given["clients"]:
        clients = tuple(finding.addresses_in(given["clients"]))
    elif wanted.client is not None:
        clients = (wanted.client,)
    plan = Plan(
        addresses,
        lines,
        clients,
        server=wanted.server or 1,
        address_size=wanted.address_size or 0,
        one_part=given["one_part"],
    )
    return plan if wanted.reply_time is None else replace(plan, patience=wanted.reply_time)


def _wish(text: str) -> Wish | None:
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if unknown := [name for name in names if name not in WHAT or name == "object"]:
        raise click.UsageError(f"{', '.join(unknown)} cannot be read from a bus")
    return Wish(names) if names else None


def _opened(target: Target, trace: Trace | None) -> Callable[[], Any]:
    @contextmanager
    def opened() -> Iterator[Link]:
        link = open_port(target.link, Line.named(9600, "8N1"), trace)
        try:
            yield link
        finally:
            link.close()

    return opened


def _read(
    terminal: Terminal, target: Target, trace: Trace | None, meter: BusMeter, wish: Wish
) -> tuple[Told, str]:
    """Return what one meter tells, and what went wrong: that does not stop the others."""
    dlms = meter.meter_type.dlms
    place = replace(
        target.overrides,
        framing="hdlc",
        server=dlms.server,
        physical=dlms.physical,
        speed=meter.speed,
        format=meter.format,
    )
    at = replace(target, meter_type=meter.meter_type.name, overrides=place)
    told = Told()
    try:
        terminal.run(read_meter(lambda: connect(at, trace), wish, told))
    except PortUnavailable:
        raise
    except (DriverError, AppError) as error:
        return told, f"{type(error).__name__}: {error}"
    return told, ""


def _shape(meter: BusMeter) -> dict[str, Any]:
    dlms = meter.meter_type.dlms
    return {
        "address": meter.address,
        "octets": meter.octets,
        "server": dlms.server,
        "physical": dlms.physical,
        "client": meter.client,
        "speed": meter.speed,
        "format": meter.format,
        "type": meter.meter_type.name,
        "identity": shapes.identity_shape(meter.identity),
        "note": meter.note,
    }


def _table(meters: list[BusMeter], plan: Plan) -> str:
    rows = [
        [
            str(one.address),
            one.octets,
            one.identity.serial,
            one.meter_type.title if one.identity.serial else "",
            f"{one.speed} {one.format}",
            "" if one.client is None else str(one.client),
            one.note,
        ]
        for one in meters
    ]
    head = ["Address", "Octets", "Serial", "Type", "Line", "Client", "Note"]
    return f"{len(meters)} of {len(plan.addresses)} addresses answer\n{text_table(head, rows)}"
