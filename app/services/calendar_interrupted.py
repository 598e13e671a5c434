"""A switching table that was on its way to a meter when the line or the program ended."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from app.models.engine import translated
from app.models.files import write_atomically
from app.paths import calendar_write
from app.services.calendar_draft import Draft
from app.services.calendar_files import draft_in, draft_shape, file_text
from app.services.shapes import time_text
from drivers.calendar import Calendar, CalendarReading, sorted_table


@dataclass(frozen=True, slots=True)
class Interrupted:
    """What was being written to which meter, and since when; no activation: at once."""

    meter: str
    wanted: Draft
    before: str  # the name of the table that was in force
    since: datetime


class Outcome(Enum):
    """What became of it, as the meter tells."""

    IN_FORCE = "in force"
    WAITING = "waiting"
    NOT_SET = "written, but not set to come into force"
    IN_PART = "in part"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Finding:
    """What stands in the meter: ``new`` and ``old`` name the parts of the waiting table."""

    outcome: Outcome
    new: tuple[str, ...] = ()
    old: tuple[str, ...] = ()


def begin(folder: Path, write: Interrupted) -> None:
    """Remember that a write begins, before the first byte of it goes out.

    Raises:
        NoRoom: The disk is full; nothing was written to the meter.
    """
    shape: dict[str, Any] = {
        "meter": write.meter,
        "before": write.before,
        "since": time_text(write.since),
        "wanted": draft_shape(write.wanted),
    }
    target = calendar_write(folder)
    with translated(str(target)):
        write_atomically(target, file_text(shape).encode())


def end(folder: Path) -> None:
    """Forget it: it went through, or somebody has seen what became of it."""
    calendar_write(folder).unlink(missing_ok=True)


def interrupted(folder: Path) -> Interrupted | None:
    """Return the write that has not ended well; None where every one did."""
    try:
        data = json.loads(calendar_write(folder).read_text(encoding="utf-8"))
        since = datetime.fromisoformat(data["since"])
        wanted = draft_in(data["wanted"])
        return Interrupted(str(data["meter"]), wanted, str(data["before"]), since)
    except FileNotFoundError:
        return None
    except (OSError, KeyError, ValueError, TypeError, AttributeError, OverflowError):
        return None  # written whole or not at all, so this is somebody else's


def finding(write: Interrupted, reading: CalendarReading) -> Finding:
    """Say what stands in the meter of a write that did not end well."""
    wanted, table = write.wanted, sorted_table(write.wanted.table)
    specials = wanted.special_days is None or reading.special_days == wanted.special_days
    if sorted_table(reading.active) == table and specials:
        return Finding(Outcome.IN_FORCE)
    new, old = _parts(table, sorted_table(reading.passive))
    if wanted.special_days is not None:
        (new if specials else old).append("special days")
    if not old:
        due = wanted.activation is not None and reading.activation == wanted.activation
        return Finding(Outcome.WAITING if due else Outcome.NOT_SET, tuple(new))
    return Finding(Outcome.IN_PART if new else Outcome.NOTHING, tuple(new), tuple(old))


def _parts(wanted: Calendar, there: Calendar) -> tuple[list[str], list[str]]:
    new: list[str] = []
    old: list[str] = []
    for part in ("name", "seasons", "weeks", "days"):
        same = getattr(wanted, part) == getattr(there, part)
        (new if same else old).append(part)
    return new, old


def told(write: Interrupted, found: Finding, reading: CalendarReading) -> str:
    """Say it in words, with what it means for what is billed and what to do."""
    name = write.wanted.table.name
    if found.outcome is Outcome.IN_FORCE:
        return f"{name} is in force: the write went through, there is nothing to do."
    still = f"What is billed has not changed: {reading.active.name or 'the old table'} is in force."
    if found.outcome is Outcome.WAITING:
        return f"{name} stands complete as the waiting table, with its time. {still}"
    if found.outcome is Outcome.NOT_SET:
        return (
            f"{name} stands complete as the waiting table, but it is not set to come into force"
            f" as wanted. {still} Write it again."
        )
    if found.outcome is Outcome.NOTHING:
        return f"Nothing of {name} stands in the meter. {still} Write it again."
    text = (
        f"{name} stands in the meter only in part: {', '.join(found.new)} are new,"
        f" {', '.join(found.old)} are not. {still}"
    )
    if reading.activation is not None and reading.activation > write.since:
        text += " The half table has a time to come into force: write it again before then."
        return text
    return f"{text} Write it again."
