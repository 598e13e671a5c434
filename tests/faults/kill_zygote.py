"""Kills a visit at its n-th database statement or meter call, then resumes it; run as a program.

The imports are made once; each visit runs in a forked process of its own, so that the kill is
true and the resume starts from the disk alone.  One JSON line per kill goes to standard output.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

from sqlalchemy import Engine, event

from app.models.database import Database
from app.tasks import collect
from app.workorders.runner import work
from tests.fake_meter import THREE_PHASE, Behaviour, Memory, rows
from tests.visit_setup import ANSWERS, add_order, camera_photo, context_for

ORDER = "order-1"
FEW = ("1.8.0.255", "32.7.0.255", "52.7.0.255", "72.7.0.255")
SPARSE, DENSE = 9, 2


class Countdown:
    """Ends the process at the n-th thing that happens; counts only, when n is 0."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.count = 0
        self.seen: list[str] = []

    def __call__(self, what: str) -> None:
        self.count += 1
        self.seen.append(what)
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def visit(folder: Path, countdown: Countdown) -> None:
    """Work the order to its end, counting every statement, commit and meter call."""
    # before each statement, and after: a COMMIT that just became durable is a place of its own
    event.listen(
        Engine, "before_cursor_execute", lambda _c, _u, statement, *_: countdown(statement[:40])
    )
    event.listen(Engine, "commit", lambda _connection: countdown("COMMIT"))
    event.listen(Engine, "checkin", lambda *_: countdown("after the transaction"))
    answers = {**ANSWERS, "evidence.photo": str(folder / "photo.jpg")}
    memory = Memory(folder / "meter.json")
    few = {code: value for code, value in THREE_PHASE.items() if code[4:] in FEW}
    behaviour = Behaviour(values=few, rows=rows(12), block=4, before_call=countdown)
    with Database.open(folder) as db:
        context = context_for(db, memory, behaviour, lambda _order: b"%PDF report")
        collect(work(context, ORDER), answers)


def forked(folder: Path, at: int) -> tuple[int, list[str]]:
    """Run `visit` in a child; return its wait status and, at its end, all it counted."""
    pid = os.fork()
    seen = folder / "seen.json"
    if pid == 0:
        countdown = Countdown(at)
        code = 1
        try:
            visit(folder, countdown)
            seen.write_text(json.dumps(countdown.seen), encoding="utf-8")
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(pid, 0)[1]
    return status, json.loads(seen.read_text(encoding="utf-8")) if seen.exists() else []


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


def main(root: Path) -> None:
    """Let one visit run unharmed, then kill one at each of the chosen places and resume it."""
    template(root / "template")
    whole = root / "whole"
    shutil.copytree(root / "template", whole)
    _, seen = forked(whole, 0)
    for at in places(seen):
        folder = root / f"visit-{at}"
        shutil.copytree(root / "template", folder)
        status, _ = forked(folder, at)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        resumed, _ = forked(folder, 0)
        line = {"at": at, "what": seen[at - 1], "killed": killed, "resumed": resumed}
        sys.stdout.write(json.dumps(line | {"folder": str(folder)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
