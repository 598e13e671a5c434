"""Limit packs: every number a check is judged by, with its source (`resources/limits`).

No limit is in the code.  A pack may be stricter or looser than another, but it may not turn a
safety check into a remark.
"""

import tomllib
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from app.errors import BadInput
from resources import resource

SAFETY_CHECKS = frozenset({"identity", "voltage", "neutral", "sequence", "wiring"})


@dataclass(frozen=True, slots=True)
class PackLimit:
    """The limit of one check; a ``soft`` one gives a remark instead of a failure.

    ``low`` and ``high`` are in ``unit``; the unit "Un" means parts of the nominal voltage.
    ``words`` stand for limits that are no numbers, ``accepted`` for lists of good values.
    """

    check_id: str
    source: str
    low: Decimal | None = None
    high: Decimal | None = None
    unit: str = ""
    words: str = ""
    accepted: tuple[str, ...] = ()
    soft: bool = False
    mandatory: bool = True


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How well the meter itself measures, as parts in a hundred or in the unit named."""

    voltage_percent: Decimal = Decimal("1.0")
    current_percent: Decimal = Decimal("1.0")
    power_factor: Decimal = Decimal("0.02")
    frequency_hz: Decimal = Decimal("0.05")
    angle_deg: Decimal = Decimal("2.0")
    source: str = ""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Below what a check cannot be judged, and how sure the wiring diagnosis must be."""

    starting_current_direct_a: Decimal = Decimal("0.050")
    starting_current_ct_a: Decimal = Decimal("0.005")
    load_w: Decimal = Decimal(200)
    wiring_margin_deg: Decimal = Decimal(20)
    wiring_envelope_deg: Decimal = Decimal(45)
    source: str = ""


@dataclass(frozen=True, slots=True)
class LimitPack:
    """All limits of one utility or country, with version and the source of each number."""

    name: str
    version: str
    title: str
    nominal_voltage: Decimal
    accuracy: Accuracy = field(default_factory=Accuracy)
    thresholds: Thresholds = field(default_factory=Thresholds)
    limits: tuple[PackLimit, ...] = ()

    def limit(self, check_id: str) -> PackLimit | None:
        """Return the limit of one check; None when this pack does not make it."""
        return next((item for item in self.limits if item.check_id == check_id), None)


def load_pack(name: str) -> LimitPack:
    """Return the limit pack called ``name``, or the one in the file at that path.

    Raises:
        BadInput: There is no such pack, or its file is wrong; the text says where.
    """
    path = Path(name)
    source = path if path.suffix == ".toml" else resource("limits", f"{name}.toml")
    try:
        data = tomllib.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInput(
            f"there is no limit pack {name!r}; known: {', '.join(pack_names())}"
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"limit pack {name}: {error}") from error
    try:
        return _pack(data)
    except BadInput as error:
        raise BadInput(f"limit pack {name}: {error}") from error


def pack_names() -> list[str]:
    """Return the names of all limit packs that come with the program, sorted."""
    return sorted(
        item.name.removesuffix(".toml")
        for item in resource("limits").iterdir()
        if item.name.endswith(".toml")
    )


def _pack(data: dict[str, Any]) -> LimitPack:
    known = {"name", "version", "title", "nominal_voltage", "accuracy", "thresholds", "limits"}
    _only(data, known, "")
    for key in ("name", "version", "title", "nominal_voltage", "limits"):
        if key not in data:
            raise BadInput(f"{key} is missing")
    return LimitPack(
        name=str(data["name"]),
        version=str(data["version"]),
        title=str(data["title"]),
        nominal_voltage=_number(data["nominal_voltage"], "nominal_voltage"),
        accuracy=Accuracy(**_numbers(data.get("accuracy", {}), Accuracy, "accuracy")),
        thresholds=Thresholds(**_numbers(data.get("thresholds", {}), Thresholds, "thresholds")),
        limits=tuple(_limit(key, value) for key, value in data["limits"].items()),
    )


def _numbers(data: dict[str, Any], kind: type[Any], where: str) -> dict[str, Any]:
    _only(data, set(kind.__dataclass_fields__), where)
    return {
        key: str(value) if key == "source" else _number(value, f"{where}.{key}")
        for key, value in data.items()
    }


def _limit(check_id: str, data: dict[str, Any]) -> PackLimit:
    where = f"limits.{check_id}"
    _only(data, set(PackLimit.__dataclass_fields__) - {"check_id"}, where)
    if not data.get("source"):
        raise BadInput(f"{where} names no source")
    soft, mandatory = data.get("soft", False), data.get("mandatory", True)
    if check_id in SAFETY_CHECKS and (soft is not False or mandatory is not True):
        raise BadInput(f"{where} is a safety check and cannot become a remark or be left out")
    low, high = (
        None if key not in data else _number(data[key], f"{where}.{key}") for key in ("low", "high")
    )
    if low is not None and high is not None and low > high:
        raise BadInput(f"{where}: the lower limit is above the upper one")
    return PackLimit(
        check_id=check_id,
        source=str(data["source"]),
        low=low,
        high=high,
        unit=str(data.get("unit", "")),
        words=str(data.get("words", "")),
        accepted=tuple(str(item) for item in data.get("accepted", ())),
        soft=bool(soft),
        mandatory=bool(mandatory),
    )


def _only(data: dict[str, Any], known: set[str], where: str) -> None:
    strange = sorted(set(data) - known)
    if strange:
        text = ", ".join(f"{where}.{key}".lstrip(".") for key in strange)
        raise BadInput(f"{text} is not known here; {', '.join(sorted(known))} is")


def _number(value: object, where: str) -> Decimal:
    """Return the digits as written: a binary fraction would not be the number of the source."""
    if not isinstance(value, str):
        raise BadInput(f'{where} must be written as "text", so that its digits stay')
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise BadInput(f"{where} is no number: {value!r}") from error
    if not number.is_finite():
        raise BadInput(f"{where} is no number: {value!r}")
    return number
