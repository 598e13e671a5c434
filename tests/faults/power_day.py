"""A visit and a day's sync of a laptop, for a recorder; run as a program on a prepared folder.

After each transaction that was reported as done, a line in the file ``marks`` names whose it was.
With ``wal`` behind the folder, SQLite works as its newest versions do.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.centre.store import Store
from app.models import engine
from app.models.database import Database
from app.models.order import OrderState, WorkOrder
from app.tasks import collect
from app.workorders.runner import work
from tests.fake_meter import THREE_PHASE, Behaviour, Memory, rows
from tests.faults.kill_zygote import FEW, ORDER
from tests.faults.power_cut import MARKS
from tests.faults.sync_child import Steps, day
from tests.visit_setup import ANSWERS, context_for

LAPTOP, CENTRE = "laptop", "centre"
_TO_DO = (OrderState.ACCEPTED, OrderState.STARTED, OrderState.DONE)


def visit(root: Path) -> None:
    """Work the order to its end, unless that was done before a power cut."""
    memory = Memory(root / "meter" / "meter.json")
    few = {code: value for code, value in THREE_PHASE.items() if code[4:] in FEW}
    behaviour = Behaviour(values=few, rows=rows(12), block=4)
    answers = {**ANSWERS, "evidence.photo": str(root / "photo.jpg")}
    with Database.open(root / "ana") as db:
        with db.read() as session:
            state = session.get_one(WorkOrder, ORDER).state
        if state in _TO_DO:
            collect(
                work(context_for(db, memory, behaviour, lambda _: b"%PDF report"), ORDER), answers
            )


def whole_day(root: Path) -> None:
    """Do the visit, then the rest of the day and its sync, from wherever it stands."""
    visit(root)
    day(root, Steps("none", 0))


def marked(root: Path) -> None:
    """Let every transaction that has come to its end say so."""
    marks = os.open(root / MARKS, os.O_WRONLY | os.O_CREAT, 0o600)
    for owner, whose in ((Database, LAPTOP), (Store, CENTRE)):
        owner.write = _said(owner.write, marks, whose)  # type: ignore[attr-defined]


def _said(write: Callable[..., Any], marks: int, whose: str) -> Callable[..., Any]:
    @contextmanager
    def said(self: object) -> Iterator[object]:
        with write(self) as given:
            yield given
        os.write(marks, f"{whose}\n".encode())

    return said


if __name__ == "__main__":
    if "wal" in sys.argv[2:]:
        pragmas = engine.journal_pragmas(engine.WAL_SAFE_SINCE)
        engine.journal_pragmas = lambda: pragmas
    marked(Path(sys.argv[1]))
    whole_day(Path(sys.argv[1]))
