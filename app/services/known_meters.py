"""Where each meter answered last, so that a number is enough to reach it again."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.errors import AppError, NotFound
from app.services.connection import Overrides
from app.services.finding import place_of, places, remember
from drivers.dlms.scan import BusMeter
from drivers.metertype import MeterType
from drivers.values import Identity

_LOG = logging.getLogger(__name__)
KEPT = ("server", "physical", "address_size", "speed", "format", "framing", "referencing")
CHOSEN = ("protocol", "client", "auth", "iec_address")  # kept only where somebody set them


@dataclass(frozen=True)
class Place:
    """Where a meter answers, and how it is spoken to; ``secret`` is a name in the keyring."""

    link: str
    meter_type: str
    overrides: Overrides
    serial: str = ""
    secret: str = ""


def keep_place(
    folder: Path,
    link: str,
    meter_type: MeterType,
    identity: Identity,
    *,
    chosen: Overrides | None = None,
    secret: str = "",
) -> None:
    """Keep where and how a meter answered; a reading does not fail because that cannot be kept."""
    line = meter_type.line
    address = meter_type.dlms.physical
    found = BusMeter(address, "", line.speed, line.format, meter_type, identity=identity)
    given = {name: getattr(chosen, name) for name in CHOSEN} if chosen is not None else {}
    beside = {name: value for name, value in given.items() if value is not None}
    if secret:
        beside["secret"] = secret
    try:
        remember(folder, link, found, beside)
    except AppError as error:
        _LOG.warning("where meter %s answers is not kept: %s", identity.serial, error)


def keep_place_again(
    folder: Path,
    link: str,
    meter_type: MeterType,
    identity: Identity,
    *,
    chosen: Overrides,
    secret: str = "",
) -> None:
    """Keep where a meter answered and what was chosen now, beside what was chosen for it before."""
    try:
        before = known_place(folder, identity.serial)
    except AppError:
        before = None  # a damaged file is said below
    if before is not None and before.meter_type == meter_type.name:
        now = {name: getattr(chosen, name) for name in CHOSEN}
        told = {name: value for name, value in now.items() if value is not None}
        chosen = replace(before.overrides, **told)
        secret = secret or before.secret
    keep_place(folder, link, meter_type, identity, chosen=chosen, secret=secret)


def known_place(folder: Path, serial: str) -> Place | None:
    """Return where a meter answered last; None when it never did from this data folder.

    Raises:
        BadInput: What was kept cannot be read.
    """
    try:
        kept = place_of(folder, serial)
    except NotFound:
        return None
    return _place(serial, kept)


def known_places(folder: Path) -> list[Place]:
    """Return all meters that answered from this data folder, the newest first.

    Raises:
        BadInput: What was kept cannot be read.
    """
    return [_place(serial, kept) for serial, kept in places(folder) if "link" in kept]


def _place(serial: str, kept: dict[str, Any]) -> Place:
    known = {name: kept[name] for name in (*KEPT, *CHOSEN) if kept.get(name)}
    secret = str(kept.get("secret", ""))
    return Place(str(kept["link"]), str(kept["type"]), Overrides(**known), serial, secret)
