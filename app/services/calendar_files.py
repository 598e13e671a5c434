"""Switching tables in files: what reading a meter gives, and what writing one takes."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from app.errors import BadInput
from app.services.calendar_draft import Draft
from app.services.shapes import time_text
from drivers.calendar import (
    BadCalendar,
    Calendar,
    CalendarReading,
    Day,
    Limits,
    Season,
    SpecialDay,
    SwitchingPoint,
    Week,
    check,
)

T = TypeVar("T")
LARGEST = 2_000_000  # octets; a table of a meter takes some thousand
MOST = 1000  # rows of a table


def calendar_shape(reading: CalendarReading) -> dict[str, Any]:
    """Return both tables as plain data."""
    shape = {
        "active": asdict(reading.active),
        "passive": asdict(reading.passive),
        "activation": time_text(reading.activation),
        "special_days": [asdict(day) for day in reading.special_days],
    }
    return shape | ({"parameters": reading.parameters} if reading.parameters else {})


def draft_shape(draft: Draft) -> dict[str, Any]:
    """Return a draft as plain data that `load_calendar` takes back."""
    shape: dict[str, Any] = {"calendar": asdict(draft.table)}
    if draft.special_days is not None:
        shape["special_days"] = [asdict(day) for day in draft.special_days]
    if draft.activation is not None:
        shape["activation"] = time_text(draft.activation)
    return shape


def file_text(shape: dict[str, Any]) -> str:
    """Return what stands in a file."""
    return json.dumps(shape, indent=1, ensure_ascii=False)


def load_calendar(
    path: Path,
) -> tuple[Calendar, tuple[SpecialDay, ...] | None, datetime | None]:
    """Return table, special days and activation in a JSON file.

    The file is what reading gives: ``{"calendar": {...}, "special_days": [...], "activation": …}``;
    in place of ``calendar`` the ``passive`` or ``active`` table of a reading is taken.

    Raises:
        BadInput: The file cannot be read, or no meter would take the table; the text says where.
    """
    draft = load_draft(path)
    try:
        check(draft.table, draft.special_days or (), Limits())
    except BadCalendar as error:
        raise BadInput(f"{path}: {error}") from error
    return draft.table, draft.special_days, draft.activation


def load_draft(path: Path) -> Draft:
    """Return what `load_calendar` does, to work on.

    Raises:
        BadInput: The file cannot be read; the text says where.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput(f"{path} is no switching table: it is larger than {LARGEST} octets")
        return draft_in(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    except KeyError as error:
        raise BadInput(f"{path} has no {error}") from error
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise BadInput(f"{path} is no switching table: {error}") from error


def draft_in(data: Any) -> Draft:
    """Return the draft in plain data.

    Raises:
        KeyError: Something is missing.
        ValueError, TypeError, AttributeError, OverflowError: It is something else.
    """
    table = data.get("calendar") or data.get("passive") or data["active"]
    calendar = Calendar(
        _text(table, "name"),
        _rows(table["seasons"], _season),
        _rows(table["weeks"], _week),
        _rows(table["days"], _day),
    )
    special = data.get("special_days")
    when = data.get("activation")
    return Draft(
        calendar,
        None if special is None else _rows(special, _special_day),
        None if when is None else datetime.fromisoformat(when).astimezone(),
    )


def _rows(listed: Any, build: Callable[[Any], T]) -> tuple[T, ...]:
    if not isinstance(listed, list):
        raise TypeError(f"a list is needed, not {listed!r:.40}")
    if len(listed) > MOST:
        raise ValueError(f"{len(listed)} rows in one table")
    return tuple(build(item) for item in listed)


def _season(item: Any) -> Season:
    return Season(_text(item, "name"), _text(item, "start"), _text(item, "week"))


def _week(item: Any) -> Week:
    return Week(_text(item, "name"), _rows(item["days"], _number))


def _day(item: Any) -> Day:
    return Day(_number(item["number"]), _rows(item["points"], _point))


def _point(item: Any) -> SwitchingPoint:
    return SwitchingPoint(_text(item, "time"), _number(item["script"]))


def _special_day(item: Any) -> SpecialDay:
    return SpecialDay(_number(item["index"]), _text(item, "date"), _number(item["day"]))


def _text(item: Any, key: str) -> str:
    value = item[key]
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise TypeError(f"{key}: {value!r:.40} is no text")
    return str(value)


def _number(value: Any) -> int:
    """Return a whole number, also one that is written as text."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(f"{value!r:.40} is no whole number")
    return int(value)
