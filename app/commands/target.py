"""Options of every command that talks to a meter, and the target they describe."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.options import secrets_for
from app.errors import BadInput
from app.paths import data_folder
from app.services.connection import Overrides, Target
from drivers.trace_link import Trace

if TYPE_CHECKING:
    from app.services.known_meters import Place

Command = Callable[..., Any]

_ON_OFF = click.Choice(["on", "off"])

_LINK_OPTIONS = [
    click.option("--type", "meter_type", default="", help="meter type, or a path to its file"),
    click.option("--protocol", type=click.Choice(["dlms", "iec62056", "sml"])),
    click.option("--framing", type=click.Choice(["hdlc", "mode-e", "wrapper"])),
    click.option("--client", type=click.IntRange(1, 127)),
    click.option("--server", type=click.IntRange(0, 16_383)),
    click.option("--physical", type=click.IntRange(0, 16_383)),
    click.option("--address-size", type=click.Choice(["1", "2", "4"])),
    click.option("--iec-address", help="number that the meter wants to be called by"),
    click.option(
        "--iec-select", metavar="VZY", help="option select: 000, 0-0 (speed as told), 256"
    ),
    click.option("--iec-mode", type=click.Choice(["auto", "A", "B", "C", "D"])),
    click.option("--iec-check", type=click.Choice(["auto", "xor", "sum", "none"])),
    click.option("--auth", type=click.Choice(["none", "low", "high", "gmac"])),
    click.option("--referencing", type=click.Choice(["logical", "short"]), help="of objects"),
    click.option("--general-blocks", type=_ON_OFF, help="offer general block transfer"),
    click.option("--speed", type=click.IntRange(50, 4_000_000)),
    click.option("--format", "character_format", help="7E1, 8N1 or soft7E1"),
    click.option("--echo", type=click.Choice(["auto", "on", "off"])),
    click.option("--rts", type=_ON_OFF),
    click.option("--dtr", type=_ON_OFF),
    click.option("--reply-time", type=click.FloatRange(0, 600, min_open=True), help="seconds"),
    click.option("--retries", type=click.IntRange(0, 100)),
    click.option(
        "--max-info", type=click.IntRange(32, 2030), help="octets of an HDLC information field"
    ),
    click.option("--window", type=click.IntRange(1, 7)),
    click.option("--pdu", type=click.IntRange(64, 65_535), help="octets of the largest APDU"),
    click.option("--trace", "trace_file", type=click.Path(path_type=Path, dir_okay=False)),
    click.option("--secret", help="name of the keyring entry that holds the password or keys"),
    click.option("--secret-env", help="prefix of the environment variables that hold them"),
    click.option("--serial", default="", help="number of the meter; makes its address where known"),
]


def link_options(command: Command) -> Command:
    """Add the options of every command that talks to a meter; see `target_from`."""
    for option in reversed(_LINK_OPTIONS):
        command = option(command)
    return command


def target_from(link: str, data: Path | None, given: dict[str, Any]) -> tuple[Target, Trace | None]:
    """Return the target and the trace that the link options in ``given`` describe.

    Raises:
        BadInput: A secret cannot be found, or options contradict each other.
    """
    overrides = Overrides(
        protocol=given["protocol"],
        framing=given["framing"],
        client=given["client"],
        server=given["server"],
        physical=given["physical"],
        address_size=int(given["address_size"]) if given["address_size"] else None,
        iec_address=given["iec_address"],
        iec_select=given["iec_select"],
        iec_mode=given["iec_mode"],
        iec_check=given["iec_check"],
        auth=given["auth"],
        speed=given["speed"],
        format=given["character_format"],
        echo=given["echo"],
        rts=_on(given["rts"]),
        dtr=_on(given["dtr"]),
        reply_time=given["reply_time"],
        retries=given["retries"],
        max_info=given["max_info"],
        window=given["window"],
        pdu=given["pdu"],
        referencing=given["referencing"],
        general_blocks=_on(given["general_blocks"]),
    )
    meter_type, serial = given["meter_type"], given["serial"]
    number, secret = _number_in(link), given["secret"]
    if number:
        place = _remembered(number, data, meter_type, overrides)
        link, meter_type, overrides = place.link, place.meter_type, place.overrides
        if not given["secret_env"] and given["auth"] != "none":
            secret = secret or place.secret
    trace = _trace(given["trace_file"])
    target = Target(
        link=link,
        meter_type=meter_type,
        serial=serial or number,
        only=serial or number,
        overrides=overrides,
        secrets=secrets_for(data, secret, given["secret_env"]),
        data=data,
    )
    return target, trace


_BY_SERIAL = "serial:"


def _trace(path: Path | None) -> Trace | None:
    if path is None:
        return None
    try:
        return Trace(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}") from error


def _number_in(link: str) -> str:
    """Return the serial number that stands in place of a port or URL, "" for a port or URL.

    No port is named by digits alone; numbers with letters are written ``serial:NUMBER``.
    """
    if link == _BY_SERIAL:
        raise BadInput("serial: needs the number of a meter behind it")
    return link.removeprefix(_BY_SERIAL) if link.startswith(_BY_SERIAL) or link.isdecimal() else ""


def _remembered(number: str, data: Path | None, meter_type: str, overrides: Overrides) -> "Place":
    """Return link, type, address and name of the secret of the meter with this number.

    Options still win.
    """
    from app.services.finding import place_of
    from app.services.known_meters import CHOSEN, KEPT, Place

    place = place_of(data_folder(data), number)
    known = {
        name: place[name]
        for name in (*KEPT, *CHOSEN)
        if getattr(overrides, name) is None and place.get(name)
    }
    kind = meter_type or str(place["type"])
    secret = str(place.get("secret", ""))
    return Place(str(place["link"]), kind, replace(overrides, **known), number, secret)


def _on(word: str | None) -> bool | None:
    return None if word is None else word == "on"
