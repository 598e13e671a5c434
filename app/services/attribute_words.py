"""Puts attribute values into words: enumerations, date-times, bit strings, structures unfolded."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from app.services.attributes import SECRET, UNIT, ClassWords, words_of
from drivers.dlms.data import Bits, CosemTime, as_text, as_time, printable
from drivers.dlms.units import scaler_unit, unit_name
from drivers.eventwords import status_words
from drivers.obis import from_bytes, name_of

HIDDEN = "not shown"
_OPEN = 0xFF
_OPEN_YEAR = 0xFFFF
_LAST_DAY, _LAST_BUT_ONE, _SUMMER_BEGINS, _SUMMER_ENDS = 0xFE, 0xFD, 0xFE, 0xFD
_TIME, _DATE, _CLOCK, _CODE = 12, 5, 4, 6  # octets
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One line of a value: how deep it lies, what it is called, and its text."""

    depth: int
    name: str
    text: str


@dataclass(frozen=True)
class Shown:
    """A value for people: in short, what it means, and its parts line by line."""

    text: str
    meaning: str = ""
    lines: tuple[Line, ...] = ()


def shown(class_id: int, attribute: int, value: object) -> Shown:
    """Return a decoded value in words; a class that nobody listed keeps its raw form."""
    words, path = words_of(class_id), str(attribute)
    if words.kind(path) == SECRET:
        return Shown(HIDDEN)
    if words.kind(path) == UNIT:
        return _unit(value)
    if isinstance(value, list):
        return Shown(_count(len(value), "entry"), "", tuple(_entries(words, path, value, 0)))
    if isinstance(value, tuple):
        return Shown(_count(len(value), "part"), "", tuple(_members(words, path, value, 0)))
    return Shown(as_plain(words, path, value), _meaning(words, path, value))


def as_plain(words: ClassWords, path: str, value: object) -> str:
    """Return one value without its meaning: the number, the code, the time."""
    kind = words.kind(path)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, CosemTime):
        return date_time(value.raw)
    if isinstance(value, bytes):
        return _octets(kind, value)
    unit = words.units.get(path, "")
    text = format(value, "f") if isinstance(value, Decimal) else as_text(value)
    return f"{text} {unit}" if unit and isinstance(value, int | Decimal) else text


def _count(number: int, noun: str) -> str:
    plural = {"entry": "entries"}.get(noun, f"{noun}s")
    return f"{number} {noun if number == 1 else plural}"


def _octets(kind: str, value: bytes) -> str:
    form = _FORMS.get((kind, len(value)))
    if form is not None:
        return form(value)
    if kind == "text" and printable(value):
        return printable(value)
    if len(value) == _TIME and (kind == "time" or CosemTime(value).local() is not None):
        return date_time(value)
    return as_text(value) or "empty"


def _scalar(words: ClassWords, path: str, value: object) -> str:
    """Return a value with its meaning, short enough to stand in a line with others."""
    if isinstance(value, list):
        return _count(len(value), "entry")
    if isinstance(value, tuple):
        return ", ".join(_scalar(words, f"{path}.{at}", one) for at, one in enumerate(value))
    meaning = _meaning(words, path, value)
    text = as_plain(words, path, value)
    return f"{text} ({meaning})" if meaning else text


def _meaning(words: ClassWords, path: str, value: object) -> str:
    listed = words.enums.get(path)
    if listed is not None and isinstance(value, int) and not isinstance(value, bool):
        return listed[value] if 0 <= value < len(listed) else ""
    if isinstance(value, Bits):
        names = words.bits.get(path, [])
        on = [
            names[at] if at < len(names) and names[at] else f"bit {at}"
            for at, bit in enumerate(value.text)
            if bit == "1"
        ]
        return ", ".join(on) or "none set"
    kind = words.kind(path)
    if kind == "clock-status" and isinstance(value, int):
        return ", ".join(status_words("clock", value)) or "nothing set"
    if kind == "name" and isinstance(value, bytes) and len(value) == _CODE:
        return name_of(from_bytes(value))
    moment = as_time(value)
    return _deviation_and_status(moment) if moment is not None else ""


def _unit(value: object) -> Shown:
    scaler, unit = scaler_unit(value)
    if not isinstance(value, tuple):
        return Shown(as_text(value))
    name = unit_name(unit)
    return Shown(as_text(value), f"steps of {Decimal(1).scaleb(scaler):f} {name}".rstrip())


# --- structures -----------------------------------------------------------------------------


def _entries(words: ClassWords, path: str, value: list[object], depth: int) -> Iterator[Line]:
    for number, item in enumerate(value, 1):
        if not isinstance(item, list | tuple):
            yield Line(depth, str(number), _scalar(words, f"{path}.*", item))
        elif isinstance(item, list):
            yield Line(depth, str(number), _count(len(item), "entry"))
            yield from _entries(words, path, item, depth + 1)
        elif any(isinstance(part, list) for part in item):
            flat = [part for part in item if not isinstance(part, list)]
            yield Line(depth, str(number), _named(words, path, item) if flat else "")
            yield from _nested(words, path, item, depth + 1)
        else:
            yield Line(depth, str(number), _named(words, path, item))


def _named(words: ClassWords, path: str, item: tuple[object, ...]) -> str:
    """Return the parts of a structure in one line, each with its name."""
    names = words.parts.get(path, [])
    found: list[str] = []
    for at, part in enumerate(item):
        if not isinstance(part, list):
            name = f"{names[at]} " if at < len(names) else ""
            if found and name[1:2].islower() and name.strip() not in _WEEKDAYS:
                name = name[0].lower() + name[1:]
            found.append(name + _scalar(words, f"{path}.{at}", part))
    return ", ".join(found)


def _nested(words: ClassWords, path: str, item: tuple[object, ...], depth: int) -> Iterator[Line]:
    for at, part in enumerate(item):
        if isinstance(part, list):
            yield from _entries(words, f"{path}.{at}", part, depth)


def _members(words: ClassWords, path: str, value: tuple[object, ...], depth: int) -> Iterator[Line]:
    names = words.parts.get(path, [])
    for at, part in enumerate(value):
        inner = f"{path}.{at}"
        name = names[at] if at < len(names) else str(at + 1)
        yield Line(depth, name, "" if isinstance(part, tuple) else _scalar(words, inner, part))
        if isinstance(part, list):
            yield from _entries(words, inner, part, depth + 1)
        elif isinstance(part, tuple):
            yield from _members(words, inner, part, depth + 1)


# --- times ----------------------------------------------------------------------------------


def date_time(raw: bytes) -> str:
    """Return a date-time, also a repeated or an open one: "last Sunday of March, 02:00:00"."""
    if raw[:9].count(_OPEN) == len(raw[:9]):
        return "not set"
    day, hour = _date(raw[:5]), _time_of_day(raw[5:9])
    if hour == "any time":
        return day
    return f"{day} {hour}" if raw[0:2] != b"\xff\xff" else f"{day}, {hour}"


def _date(raw: bytes) -> str:
    year, month, day, weekday = int.from_bytes(raw[:2], "big"), raw[2], raw[3], raw[4]
    if year != _OPEN_YEAR and 1 <= month <= len(_MONTHS) and day < _SUMMER_ENDS:
        return f"{year}-{month:02}-{day:02}"
    which = _day_words(day, weekday)
    months = {_SUMMER_BEGINS: "the month summer time begins", _SUMMER_ENDS: "the month it ends"}
    name = _MONTHS[month - 1] if 1 <= month <= len(_MONTHS) else months.get(month, "each month")
    when = "" if year == _OPEN_YEAR else f" {year}"
    if which == "every day" and name == "each month":
        return f"every day{when}"
    return f"{which} of {name}{when}"


def _day_words(day: int, weekday: int) -> str:
    name = _WEEKDAYS[weekday - 1] if 1 <= weekday <= len(_WEEKDAYS) else ""
    if day == _LAST_DAY:
        return f"last {name or 'day'}"
    if day == _LAST_BUT_ONE:
        return f"second last {name or 'day'}"
    if day == _OPEN:
        return f"every {name or 'day'}"
    return f"{name} on or after day {day}" if name else f"day {day}"


def _time_of_day(raw: bytes) -> str:
    if raw[:3] == b"\xff\xff\xff":
        return "any time"
    return ":".join("*" if part == _OPEN else f"{part:02}" for part in raw[:3])


def _deviation_and_status(moment: CosemTime) -> str:
    parts = []
    if moment.local() is not None and moment.deviation is not None:
        parts.append(f"deviation {moment.deviation} min")
    if moment.local() is not None and moment.status is not None:
        parts.append(", ".join(status_words("clock", moment.status)) or "status clear")
    return ", ".join(parts)


_FORMS: dict[tuple[str, int], Callable[[bytes], str]] = {  # kind and octets -> words
    ("clock", _CLOCK): _time_of_day,
    ("date", _DATE): _date,
    ("name", _CODE): from_bytes,
}
