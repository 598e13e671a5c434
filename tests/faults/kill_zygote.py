"""Kills a visit at its n-th database statement or meter call, then resumes it; run as a program."""

import sys
from collections.abc import Callable
from pathlib import Path

from app.models.database import Database
from app.tasks import collect
from app.workorders.runner import work
from tests.fake_meter import THREE_PHASE, Behaviour, Memory, rows
from tests.faults.killing import kill_everywhere
from tests.visit_setup import ANSWERS, add_order, camera_photo, context_for

ORDER = "order-1"
FEW = ("1.8.0.255", "32.7.0.255", "52.7.0.255", "72.7.0.255")
SPARSE, DENSE = 9, 2


def visit(folder: Path, tell: Callable[[str], None]) -> None:
    """Work the order to its end, telling every meter call."""
    answers = {**ANSWERS, "evidence.photo": str(folder / "photo.jpg")}
    memory = Memory(folder / "meter.json")
    few = {code: value for code, value in THREE_PHASE.items() if code[4:] in FEW}
    behaviour = Behaviour(values=few, rows=rows(12), block=4, before_call=tell)
    with Database.open(folder) as db:
        context = context_for(db, memory, behaviour, lambda _order: b"%PDF report")
        collect(work(context, ORDER), answers)


def template(folder: Path) -> None:
    """Make the database with one order that all visits start from."""
    with Database.open(folder) as db:
        add_order(db, ORDER)
    camera_photo(folder)


def places(seen: list[str]) -> list[int]:
    """Return where to kill: at each meter call, around each commit while the clock is set.

    A kill inside a transaction is the same as one before it, as far as the database goes; so of
    the other places every n-th must do.
    """
    first = next(n for n, what in enumerate(seen, 1) if what == "clock")
    last = next(n for n, what in enumerate(seen, 1) if n > first and what.startswith("register"))
    chosen = set(range(1, len(seen) + 1, SPARSE)) | set(range(first, last, DENSE))
    calls = {"set_clock", "clock was set", "clock", "profile 4", "profile 8", "relay", "event"}
    return sorted(chosen | {n for n, what in enumerate(seen, 1) if what in calls})


if __name__ == "__main__":
    kill_everywhere(Path(sys.argv[1]), visit, template, places)
