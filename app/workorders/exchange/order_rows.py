"""One row of a file as the plan of one order: every cell checked, every problem named."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.errors import BadInput
from app.models.search import folded
from app.workorders.exchange.mapping import FIELDS, MappingProfile, Matched
from app.workorders.exchange.tablefile import FaultText, FormulaText, NumberText, TableRow
from app.workorders.kinds import KINDS
from app.workorders.limits import pack_names
from drivers.metertype import meter_type_names

LONGEST = 2000  # characters of a cell
OWN_SOURCE = "file"  # of orders whose file names no system
_SERIALS = ("meter_serial", "utility_serial")
_LONG_TEXTS = ("note", "access", "hazards")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")
_PAIRS = (
    ("latitude", "longitude"),
    ("ct_primary", "ct_secondary"),
    ("vt_primary", "vt_secondary"),
)
_CANCEL_WORDS = ("cancel",)
_KEEP_WORDS = ("", "add", "change", "update", "new")


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row did not go in; ``column`` is "" when the row as a whole is the problem."""

    row: int
    column: str
    value: str
    problem: str


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """What one row says, by the names of the tables' columns; only what the file has."""

    row: TableRow
    source: str
    external_ref: str
    cancel: bool = False
    order: Mapping[str, Any] = field(default_factory=dict)
    site: Mapping[str, Any] = field(default_factory=dict)
    customer: Mapping[str, Any] = field(default_factory=dict)
    point: Mapping[str, Any] = field(default_factory=dict)


_SITE = {
    "site": "external_id",
    "street": "street",
    "town": "town",
    "postcode": "postcode",
    "area": "area",
    "latitude": "latitude",
    "longitude": "longitude",
    "access": "access",
    "hazards": "hazards",
    "containment": "containment",
}
_CUSTOMER = {
    "customer": "name",
    "phone": "phone",
    "contract": "contract",
    "tariff": "tariff",
    "agreed": "agreed",
}
_POINT = {
    "usage_point": "external_id",
    "phases": "phases",
    "fuse": "fuse",
    "ct_primary": "ct_primary",
    "ct_secondary": "ct_secondary",
    "vt_primary": "vt_primary",
    "vt_secondary": "vt_secondary",
}
_ORDER = (
    "number",
    "kind",
    "title",
    "queue",
    "area",
    "priority",
    "due",
    "window_from",
    "window_to",
    "meter_serial",
    "utility_serial",
    "meter_type",
    "procedure",
    "limit_pack",
    "note",
)


class RowReader:
    """Turns the rows of one file into plans.

    Raises:
        BadInput: The mapping names a time zone that does not exist.
    """

    def __init__(self, columns: tuple[str, ...], matched: Matched, profile: MappingProfile) -> None:
        self._columns = columns
        self._places = matched.places
        self._profile = profile
        self._zone = _zone(profile.zone)

    def plan(self, row: TableRow) -> OrderPlan | list[RowError]:
        """Return what the row says, or everything that is wrong with it."""
        if row.problem:
            return [RowError(row.number, "", "", row.problem)]
        errors: list[RowError] = []
        values: dict[str, Any] = {}
        for key, text in self._texts(row):
            try:
                values[key] = _read(key, self._word(key, text))
            except ValueError as error:
                errors.append(self._error(row, key, text, str(error)))
        errors += self._whole(row, values)
        return errors or self._built(row, values)

    def _texts(self, row: TableRow) -> Iterator[tuple[str, str]]:
        """Yield each field that the file or the mapping gives, with its text."""
        for key in FIELDS:
            place = self._places.get(key)
            text = row.cells[place] if place is not None else ""
            if not text.strip():
                text = self._profile.defaults.get(key, "")
            if place is not None or text:
                yield key, text

    def _word(self, key: str, text: str) -> str:
        """Return our word for theirs; the class of the cell is kept."""
        words = self._profile.values.get(key)
        return words.get(folded(text), text) if words else text

    def _error(self, row: TableRow, key: str, value: str, problem: str) -> RowError:
        place = self._places.get(key)
        column = self._columns[place] if place is not None else key
        return RowError(row.number, column, value, problem)

    def _whole(self, row: TableRow, values: dict[str, Any]) -> list[RowError]:
        """Check what concerns several cells."""
        errors = []
        cancel = values.get("action", False)
        for key in ("external_ref",) if cancel else ("external_ref", "kind", "street"):
            if values.get(key) == "":
                errors.append(self._error(row, key, "", "this must not be empty"))
            elif key not in values and key not in self._places:
                errors.append(RowError(row.number, key, "", "there is no such column"))
        for one, other in _PAIRS:
            if (values.get(one) is None) != (values.get(other) is None):
                key, known = (one, other) if values.get(one) is None else (other, one)
                errors.append(self._error(row, key, "", f"{known} is given, so this is needed too"))
        return errors or self._window(row, values)

    def _window(self, row: TableRow, values: dict[str, Any]) -> list[RowError]:
        """Turn times of day into times of the due date."""
        for key in ("window_from", "window_to"):
            moment = values.get(key)
            if isinstance(moment, time) and values.get("due") is None:
                return [self._error(row, key, str(moment), "a time of day needs a due date")]
            if moment is not None:
                values[key] = self._moment(moment, values.get("due"))
        first, last = values.get("window_from"), values.get("window_to")
        if first and last and first >= last:
            return [self._error(row, "window_to", "", "the window ends before it begins")]
        return []

    def _moment(self, given: time | datetime, due: date | None) -> datetime:
        moment = given if isinstance(given, datetime) else datetime.combine(due or date.min, given)
        if moment.tzinfo is None:
            # without a zone in the mapping, times of day are those of this laptop
            moment = moment.replace(tzinfo=self._zone) if self._zone else moment.astimezone()
        return moment.astimezone(UTC)

    def _built(self, row: TableRow, values: dict[str, Any]) -> OrderPlan:
        source = values.get("source") or self._profile.source or OWN_SOURCE
        reference = values["external_ref"]
        if values.get("action", False):
            return OrderPlan(row, source, reference, cancel=True)
        order = {key: values[key] for key in _ORDER if key in values}
        _complete(order, values, reference)
        return OrderPlan(
            row,
            source,
            reference,
            order=order,
            site=_part(values, _SITE),
            customer=_part(values, _CUSTOMER),
            point=_part(values, _POINT),
        )


def _complete(order: dict[str, Any], values: dict[str, Any], reference: str) -> None:
    """Fill what follows from other cells: an empty cell is as good as none."""
    for key in ("number", "title", "procedure", "limit_pack", "priority"):
        if not order.get(key):
            order.pop(key, None)
    order.setdefault("number", reference)
    order.setdefault("title", values["street"])
    order.setdefault("procedure", order["kind"])


def _part(values: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Return the cells of one table that say something; an empty one takes nothing away."""
    return {
        column: values[key]
        for key, column in names.items()
        if values.get(key) is not None and values[key] != ""
    }


def _read(key: str, text: str) -> Any:
    """Return the value of a cell.

    Raises:
        ValueError: It cannot be used; the text says why.
    """
    if problem := _unreadable(key, text):
        raise ValueError(problem)
    bare = text.strip()
    if len(bare) > LONGEST:
        raise ValueError(f"the text is longer than {LONGEST} characters")
    if _CONTROL.search(bare):
        raise ValueError("there are control characters in the text")
    if key not in _LONG_TEXTS:
        bare = " ".join(bare.split())
    reader = _READERS.get(key)
    return reader(bare) if reader else bare


def _unreadable(key: str, text: str) -> str:
    """Return why a cell's text cannot be taken for its value, or ""."""
    if isinstance(text, FormulaText):
        return "the cell holds a formula; formulas are not worked out, paste its value"
    if isinstance(text, FaultText):
        return "the cell holds a fault of the spreadsheet"
    if key in _SERIALS and isinstance(text, NumberText):
        return "the cell holds a number, so zeros in front may be lost; format the column as text"
    return ""


def _action(text: str) -> bool:
    if text.casefold() in _CANCEL_WORDS:
        return True
    if text.casefold() in _KEEP_WORDS:
        return False
    raise ValueError("the action is cancel, or empty")


def _kind(text: str) -> str:
    kind = re.sub(r"[\s-]+", "_", text.casefold())
    if text and kind not in KINDS:
        raise ValueError(f"there is no such type; one of {', '.join(KINDS)} is meant")
    return kind


def _priority(text: str) -> int | None:
    if text and text not in set("123456789"):
        raise ValueError("the priority is a number from 1, the most urgent, to 9")
    return int(text) if text else None


def _phases(text: str) -> int | None:
    if text and text not in set("123"):
        raise ValueError("there are 1, 2 or 3 phases")
    return int(text) if text else None


def _day(text: str) -> date | None:
    if not text:
        return None
    found = _GERMAN_DATE.fullmatch(text)
    try:
        if found:
            return date(int(found[3]), int(found[2]), int(found[1]))
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError("write the date as 2026-11-25 or 25.11.2026") from error


def _time(text: str) -> datetime | time | None:
    if not text:
        return None
    try:
        if _CLOCK.fullmatch(text):
            return time.fromisoformat(text.zfill(5))
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("write the time as 08:30, or as 2026-11-25T08:30+01:00") from error


def _number(text: str) -> Decimal | None:
    if not text:
        return None
    both = "," in text and "." in text
    try:
        number = Decimal("NaN" if both else text.replace(",", "."))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValueError("this is no number; write 51.5074 or 51,5074")
    return number


def _within(limit: int) -> Callable[[str], Decimal | None]:
    def read(text: str) -> Decimal | None:
        number = _number(text)
        if number is not None and abs(number) > limit:
            raise ValueError(f"degrees lie between -{limit} and {limit}")
        return number

    return read


def _ratio(text: str) -> Decimal | None:
    number = _number(text)
    if number is not None and number <= 0:
        raise ValueError("one side of a transformer is larger than 0")
    return number


def _meter_type(text: str) -> str:
    if text and text not in _types():
        raise ValueError(f"there is no such meter type; known are {', '.join(_types())}")
    return text


def _limit_pack(text: str) -> str:
    if text and text not in pack_names():
        raise ValueError(f"there are no such limits; known are {', '.join(pack_names())}")
    return text


@cache
def _types() -> tuple[str, ...]:
    return tuple(meter_type_names())


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadInput(f"there is no time zone {name!r}") from error


_READERS: dict[str, Callable[[str], Any]] = {
    "action": _action,
    "kind": _kind,
    "priority": _priority,
    "due": _day,
    "window_from": _time,
    "window_to": _time,
    "latitude": _within(90),
    "longitude": _within(180),
    "phases": _phases,
    "ct_primary": _ratio,
    "ct_secondary": _ratio,
    "vt_primary": _ratio,
    "vt_secondary": _ratio,
    "meter_type": _meter_type,
    "limit_pack": _limit_pack,
}
