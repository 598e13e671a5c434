"""The object list of a meter, cached: meters of one make and firmware have the same."""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.errors import AppError
from app.models.base import utc_now
from app.models.engine import translated
from app.models.files import write_atomically
from app.tasks import Found, Progress, Task
from drivers.errors import NotSupported
from drivers.meter import Meter
from drivers.objectmodel import AttributeReading, ObjectEntry, ShowsObjects

_LOG = logging.getLogger(__name__)
_FOLDER = "objects"
_TOGETHER = 8  # attributes in one request: also how soon a stop is heard
Address = tuple[str, int, int]  # code, class, attribute


@dataclass(frozen=True)
class ObjectList:
    """The objects of a meter; ``read_at`` is when, ``kept`` says that they come from the cache."""

    entries: tuple[ObjectEntry, ...]
    read_at: datetime
    kept: bool


class FileNames:
    """Object lists with short names, beside those with logical names; a damaged one is no list."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _FOLDER

    def kept(self, key: str) -> bytes:
        """Return the encoded list kept under ``key``, b"" where there is none."""
        try:
            return (self._folder / f"{key}.names").read_bytes()
        except OSError:
            return b""

    def keep(self, key: str, names: bytes) -> None:
        """Keep an encoded list; a reading does not fail because that cannot be done."""
        path = self._folder / f"{key}.names"
        try:
            with translated(str(path)):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(path, names)
        except (AppError, OSError) as error:
            _LOG.warning("the object list is not kept: %s", error)


def object_list(meter: Meter, folder: Path, *, anew: bool = False) -> Task[tuple[ObjectEntry, ...]]:
    """Return the object list of ``meter``, from the cache where its like was read before.

    The name of the cached file is a hash of maker, firmware and client; ``anew`` reads it again.

    Raises:
        NotSupported: This meter lists no objects.
    """
    shown = showing(meter)
    yield Progress("Reading the object list")
    path = folder / _FOLDER / f"{_hash(meter)}.json"
    if not anew and (known := _cached(path)) is not None:
        named = replace(known, entries=_named(meter, known.entries))
        yield Found("object list", named)
        return named.entries
    steps = shown.listing()
    while True:
        try:
            yield Progress("Reading the object list", next(steps), 0, "octets")
        except StopIteration as end:
            entries: tuple[ObjectEntry, ...] = end.value
            break
    with translated(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps([asdict(one) for one in entries]).encode())
    entries = _named(meter, entries)
    yield Found("object list", ObjectList(entries, utc_now(), kept=False))
    return entries


def _named(meter: Meter, entries: tuple[ObjectEntry, ...]) -> tuple[ObjectEntry, ...]:
    """Return the objects as the meter's type calls them: names are data, so none are kept."""
    return tuple(replace(one, name=meter.meter_type.name_of(one.code)) for one in entries)


def showing(meter: Meter) -> ShowsObjects:
    """Return the meter as one that shows its objects.

    Raises:
        NotSupported: It lists none.
    """
    if not isinstance(meter, ShowsObjects):
        raise NotSupported("this meter lists no objects")
    return meter


def read_attributes(meter: Meter, wanted: Sequence[Address]) -> Task[list[AttributeReading]]:
    """Read attributes and yield each; one that is denied or absent never stops the others."""
    shown = showing(meter)
    found: list[AttributeReading] = []
    for start in range(0, len(wanted), _TOGETHER):
        yield Progress("Reading objects", start, len(wanted), "values")
        for one in shown.read_objects(wanted[start : start + _TOGETHER]):
            found.append(one)
            yield Found("object", one)
    return found


def _hash(meter: Meter) -> str:
    who, dlms = meter.identity(), meter.meter_type.dlms
    parts: tuple[object, ...] = (who.manufacturer, meter.meter_type.name, who.firmware)
    parts = (*parts, dlms.client, dlms.server, dlms.referencing)
    if not who.firmware:
        parts = (*parts, who.serial, who.logical_device_name)  # nothing tells it from its like
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _cached(path: Path) -> ObjectList | None:
    try:
        entries = tuple(_entry(item) for item in json.loads(path.read_text(encoding="utf-8")))
        return ObjectList(entries, datetime.fromtimestamp(path.stat().st_mtime, UTC), kept=True)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # absent or damaged: it is read again


def _entry(item: dict[str, Any]) -> ObjectEntry:
    return ObjectEntry(
        int(item["class_id"]),
        int(item["version"]),
        str(item["code"]),
        tuple((int(index), int(access)) for index, access in item["attributes"]),
        tuple(map(int, item["methods"])),
    )
