"""Which column of a file is which field of an order, and saved mappings for files of others.

A mapping is a TOML file in the folder ``mappings`` of the data folder::

    source = "Northfield"              # the system the orders come from
    zone = "Europe/London"             # of times without their own
    [columns]                          # our field = their column
    external_ref = "Order No."
    [values.kind]                      # their word = ours
    "Meter swap" = "exchange"
    [defaults]                         # where a cell is empty or there is no such column
    queue = "North"

Without one, columns are found by the names below, whatever their case, spaces and underlines.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from app.errors import BadInput
from app.models.engine import translated
from app.models.files import write_atomically
from app.models.search import folded

FOLDER = "mappings"

# Every field with the names under which its column is known.
FIELDS: dict[str, tuple[str, ...]] = {
    "action": ("action",),
    "external_ref": ("external_ref", "reference", "external reference", "ref", "order reference"),
    "source": ("source", "source system", "system"),
    "number": ("number", "order", "order number", "order no", "job"),
    "kind": ("kind", "type", "order type"),
    "title": ("title", "place"),
    "queue": ("queue",),
    "area": ("area",),
    "priority": ("priority",),
    "due": ("due", "due date", "date"),
    "window_from": ("window_from", "from", "earliest"),
    "window_to": ("window_to", "to", "latest"),
    "site": ("site", "site id"),
    "street": ("street", "address"),
    "town": ("town", "city"),
    "postcode": ("postcode", "post code", "zip"),
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "lon", "long"),
    "access": ("access", "access notes"),
    "hazards": ("hazards", "hazard"),
    "containment": ("containment",),
    "customer": ("customer", "customer name"),
    "phone": ("phone", "telephone"),
    "contract": ("contract", "contract number"),
    "tariff": ("tariff",),
    "agreed": ("agreed", "agreed demand"),
    "usage_point": ("usage_point", "service point", "point of supply", "mpan"),
    "phases": ("phases",),
    "fuse": ("fuse",),
    "ct_primary": ("ct_primary",),
    "ct_secondary": ("ct_secondary",),
    "vt_primary": ("vt_primary",),
    "vt_secondary": ("vt_secondary",),
    "meter_serial": ("meter_serial", "meter", "meter number", "serial", "serial number"),
    "utility_serial": ("utility_serial", "utility number", "asset number"),
    "meter_type": ("meter_type",),
    "procedure": ("procedure",),
    "limit_pack": ("limit_pack", "limits"),
    "note": ("note", "notes", "remark", "remarks"),
}
MANDATORY = ("external_ref", "kind", "street")
_TABLES = ("columns", "values", "defaults")
_NAME = re.compile(r"[\w-]{1,60}")


@dataclass(frozen=True, slots=True)
class MappingProfile:
    """A saved mapping; see the head of this file."""

    name: str = ""
    source: str = ""
    zone: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Matched:
    """Where each field stands in the rows of one file, and the columns that mean nothing here."""

    places: Mapping[str, int]
    unknown: tuple[str, ...]


def match(columns: tuple[str, ...], profile: MappingProfile) -> Matched:
    """Return which column is which field.

    Raises:
        BadInput: A mandatory column is missing, or two columns are the same field.
    """
    by_name = {_plain(name): key for key, names in FIELDS.items() for name in names}
    theirs = {_plain(column): key for key, column in profile.columns.items()}
    places: dict[str, int] = {}
    unknown: list[str] = []
    for index, column in enumerate(columns):
        key = theirs.get(_plain(column))
        if key is None and by_name.get(_plain(column)) not in profile.columns:
            key = by_name.get(_plain(column))
        if key is None:
            unknown += [column] if column else []
        elif key in places:
            raise BadInput(
                f"the columns {columns[places[key]]!r} and {column!r} are both the {_words(key)}"
            )
        else:
            places[key] = index
    wanted = ("external_ref",) if "action" in places else MANDATORY
    missing = [key for key in wanted if key not in places and key not in profile.defaults]
    if missing:
        raise BadInput(
            f"no column for {', '.join(map(_words, missing))}; the columns found are"
            f" {', '.join(repr(column) for column in columns)}; wanted are"
            f" {', '.join(MANDATORY)}, and known besides"
            f" {', '.join(key for key in FIELDS if key not in MANDATORY)}"
        )
    return Matched(places, tuple(unknown))


def find_mapping(folder: Path, mapping: MappingProfile | str | Path | None) -> MappingProfile:
    """Return the mapping given, or the one of that name or path; None is the plain one.

    Raises:
        BadInput: There is no such mapping, or its file is wrong.
    """
    if mapping is None:
        return MappingProfile()
    if isinstance(mapping, MappingProfile):
        return mapping
    path = Path(mapping)
    if path.suffix != ".toml":
        path = _file(folder, str(mapping))
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(mapping_names(folder)) or "none"
        raise BadInput(f"there is no mapping {str(mapping)!r}; saved are: {known}") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"the mapping {path} cannot be read: {error}") from error
    return _profile(path, data)


def save_mapping(folder: Path, profile: MappingProfile) -> Path:
    """Keep a mapping under its name in the data folder.

    Raises:
        BadInput: Its name or its fields cannot be used.
        NoRoom: The disk is full.
    """
    import tomlkit  # noqa: PLC0415 (only needed to write)

    path = _file(folder, profile.name)
    data = {key: value for key, value in asdict(profile).items() if value and key != "name"}
    _profile(path, data)
    with translated(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, tomlkit.dumps(data).encode())
    return path


def mapping_names(folder: Path) -> list[str]:
    """Return the names of the saved mappings, sorted."""
    return sorted(path.stem for path in (folder / FOLDER).glob("*.toml"))


def _file(folder: Path, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise BadInput(f"{name!r} cannot name a mapping: letters, digits, _ and - can")
    return folder / FOLDER / f"{name}.toml"


def _profile(path: Path, data: dict[str, Any]) -> MappingProfile:
    """Build the mapping and name the place of whatever does not fit."""
    place = f"mapping {path.name}"
    strange = sorted(set(data) - {"source", "zone", *_TABLES})
    tables = [data.get(name, {}) for name in _TABLES]
    if not all(isinstance(table, dict) for table in [*tables, *data.get("values", {}).values()]):
        raise BadInput(f"{place}: {', '.join(_TABLES)} must be tables")
    strange += [
        f"{name}.{key}"
        for name, table in zip(_TABLES, tables, strict=True)
        for key in table
        if key not in FIELDS
    ]
    if strange:
        raise BadInput(
            f"{place}: {', '.join(strange)} is not known; fields are {', '.join(FIELDS)}"
        )
    columns, values, defaults = tables
    texts = [data.get("source", ""), data.get("zone", ""), *columns.values(), *defaults.values()]
    texts += [word for words in values.values() for word in words.values()]
    if not all(isinstance(text, str) for text in texts):
        raise BadInput(f"{place}: every value must be a text in quotes")
    return MappingProfile(
        name=path.stem,
        source=data.get("source", ""),
        zone=data.get("zone", ""),
        columns=columns,
        values={
            key: {folded(theirs): ours for theirs, ours in words.items()}
            for key, words in values.items()
        },
        defaults=defaults,
    )


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", folded(name))


def _words(key: str) -> str:
    return key.replace("_", " ")
