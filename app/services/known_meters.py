"""Where each meter answered last, so that a number is enough to reach it again."""

import logging
from dataclasses import dataclass
from pathlib import Path

from app.errors import AppError, NotFound
from app.services.connection import Overrides
from app.services.finding import place_of, remember
from drivers.dlms.scan import BusMeter
from drivers.metertype import MeterType
from drivers.values import Identity

_LOG = logging.getLogger(__name__)
_KEPT = ("server", "physical", "address_size", "speed", "format", "framing", "referencing")


@dataclass(frozen=True)
class Place:
    """Where a meter answers, and how it is spoken to."""

    link: str
    meter_type: str
    overrides: Overrides


def keep_place(folder: Path, link: str, meter_type: MeterType, identity: Identity) -> None:
    """Keep where and how a meter answered; a reading does not fail because that cannot be kept."""
    line = meter_type.line
    address = meter_type.dlms.physical
    found = BusMeter(address, "", line.speed, line.format, meter_type, identity=identity)
    try:
        remember(folder, link, found)
    except AppError as error:
        _LOG.warning("where meter %s answers is not kept: %s", identity.serial, error)


def known_place(folder: Path, serial: str) -> Place | None:
    """Return where a meter answered last; None when it never did from this data folder.

    Raises:
        BadInput: What was kept cannot be read.
    """
    try:
        kept = place_of(folder, serial)
    except NotFound:
        return None
    known = {name: kept[name] for name in _KEPT if kept.get(name)}
    return Place(str(kept["link"]), str(kept["type"]), Overrides(**known))
