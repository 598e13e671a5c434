"""Finds all meters of a bus, and remembers where each serial number was found."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.errors import BadInput, NotFound
from app.models.base import utc_now
from app.models.engine import translated
from app.models.files import write_atomically
from app.tasks import Found, Progress, Task
from drivers.dlms.addressing import physical_from_serial, server_address
from drivers.dlms.scan import BusMeter, Plan, scan
from drivers.errors import NoReply, WrongMeter
from drivers.find import matching_type
from drivers.link import Link
from drivers.metertype import MeterType

_FILE = "meters_found.json"
_MOST = 16_384  # physical addresses there are


def addresses_in(text: str) -> list[int]:
    """Return the addresses in a text like ``1-50`` or ``17,20-22``, each once, in order.

    Raises:
        BadInput: It is no such list.
    """
    found: dict[int, None] = {}
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            raise BadInput(f"{text!r} is no range of addresses; write 1-50 or 17,20-22")
        low, high = int(first), int(last or first)
        if not low <= high < _MOST:
            raise BadInput(f"the addresses {part.strip()} are not between 0 and {_MOST - 1}")
        found.update(dict.fromkeys(range(low, high + 1)))
    return list(found)


def scan_bus(
    opened: Callable[[], AbstractContextManager[Link]],
    base: MeterType,
    plan: Plan,
    found: list[BusMeter],
) -> Task[list[BusMeter]]:
    """Ask every address of ``plan`` and return who answered, with the type of each.

    ``found`` is the caller's, so that after an error or a stop it holds who has answered by then.

    Raises:
        DriverError: The port cannot be used.
        BadInput: An address does not fit its size.
    """
    yield Progress("Opening the port")
    with opened() as link:
        try:
            for looked in scan(link, base, plan):
                text = f"Asking the addresses at {looked.line}"
                yield Progress(text, looked.done, looked.total, "addresses")
                if looked.found is not None:
                    found.append(_recognised(looked.found))
                    yield Found("meter", found[-1])
        except ValueError as error:
            raise BadInput(str(error)) from error
    return found


def _recognised(found: BusMeter) -> BusMeter:
    """Return the finding with the meter's own type, where its name tells it."""
    name = found.identity.logical_device_name
    known = matching_type(logical_device_name=name) if name else None
    if known is None:
        return found
    used = found.meter_type
    at = used.dlms
    dlms = replace(known.dlms, server=at.server, physical=at.physical, address_size=at.address_size)
    dlms = replace(dlms, referencing=at.referencing)
    return replace(found, meter_type=replace(known, framing="hdlc", line=used.line, dlms=dlms))


def demand(meters: list[BusMeter], serial: str, patience: float) -> None:
    """Make sure that the one meter looked for is the one that answers.

    Raises:
        NoReply: Nobody answers at the address of this serial.
        WrongMeter: Another one does.
    """
    if not meters:
        raise NoReply(patience)
    who = meters[0].identity
    if who.serial and serial not in {who.serial, who.utility_serial}:
        raise WrongMeter(
            f"meter {who.serial} answers at the address of {serial}", serial, who.serial
        )


@dataclass(frozen=True)
class Preview:
    """Which address a formula gives a serial number, and the octets in frames."""

    serial: str
    formula: str
    physical: int
    octets: str


def preview(meter_type: MeterType, serial: str, formula: str = "") -> Preview:
    """Return the address of a serial by the formula of the type, or by another.

    Raises:
        BadInput: There is no formula, or it cannot be used.
    """
    wanted = formula or meter_type.dlms.physical_from_serial
    if not wanted:
        raise BadInput(f"{meter_type.title} has no address formula; give one with --formula")
    try:
        physical = physical_from_serial(wanted, serial)
        octets = server_address(replace(meter_type.dlms, physical=physical))
    except ValueError as error:
        raise BadInput(str(error)) from error
    return Preview(serial, wanted, physical, octets.hex(" ").upper())


# --- where each meter was found -------------------------------------------------------------


def remember(
    folder: Path, link: str, found: BusMeter, chosen: dict[str, Any] | None = None
) -> None:
    """Keep where a serial number was found, in place of where it was before.

    ``chosen`` is what the operator set beside the meter's type: client, authentication, the name of
    a secret (never the secret).

    Raises:
        NoRoom: It cannot be written.
    """
    serial = found.identity.serial
    if not serial:
        return
    kept = _read(folder)
    dlms = found.meter_type.dlms
    kept[serial] = (chosen or {}) | {
        "link": link,
        "at": utc_now().isoformat(timespec="seconds"),
        "type": found.meter_type.name,
        "framing": found.meter_type.framing,
        "server": dlms.server,
        "physical": dlms.physical,
        "address_size": dlms.address_size,
        "referencing": dlms.referencing,
        "speed": found.speed,
        "format": found.format,
    }
    path = folder / _FILE
    with translated(str(path)):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(kept, indent=1, sort_keys=True).encode())


def places(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return all serial numbers that were found, each with its place; the newest first."""
    kept = _read(folder)
    return sorted(kept.items(), key=lambda item: str(item[1].get("at", "")), reverse=True)


def place_of(folder: Path, serial: str) -> dict[str, Any]:
    """Return where a serial number was found last.

    Raises:
        NotFound: It was never found from this data folder.
    """
    place = _read(folder).get(serial)
    if place is None:
        raise NotFound(f"meter {serial} was not found from here yet; look for it with find")
    return place


def _read(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / _FILE
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    return kept if isinstance(kept, dict) else {}
