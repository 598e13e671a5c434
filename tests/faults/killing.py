"""Kills a visit at its n-th database statement or meter call, then lets it go on.

Everything is imported and compiled once; each visit runs in a forked process of its own, so that
the kill is true and what comes after starts from the disk alone.  All visits run in one folder, so
that what was compiled for the first serves the others, and lie in a folder of their own after.
"""

import gc
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, event

from tests.faults.sync_child import keep_engines

LONGEST_VISIT = 90  # s for one visit, however many there are: a visit that hangs is a failure

Visit = Callable[[Path, Callable[[str], None]], None]


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

    def listen(self) -> None:
        """Count every statement and commit from now on.

        Before each statement, and after: a COMMIT that just became durable is a place of its own.
        """
        event.listen(
            Engine, "before_cursor_execute", lambda _c, _u, statement, *_: self(statement[:40])
        )
        event.listen(Engine, "commit", lambda _connection: self("COMMIT"))
        event.listen(Engine, "checkin", lambda *_: self("after the transaction"))


def _forked(visit: Visit, folder: Path, at: int) -> tuple[int, list[str]]:
    """Run ``visit`` in a child; return its wait status and, at its end, all it counted."""
    pid = os.fork()
    seen = folder / "seen.json"
    if pid == 0:
        countdown = Countdown(at)
        code = 1
        signal.alarm(LONGEST_VISIT)
        try:
            countdown.listen()
            visit(folder, countdown)
            seen.write_text(json.dumps(countdown.seen), encoding="utf-8")
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(pid, 0)[1]
    return status, json.loads(seen.read_text(encoding="utf-8")) if seen.exists() else []


def kill_everywhere(
    root: Path,
    visit: Visit,
    template: Callable[[Path], None],
    places: Callable[[list[str]], list[int]],
) -> None:
    """Let one visit run unharmed, then kill one at each of the chosen places and resume it.

    One JSON line per kill goes to standard output.

    Args:
        root: An empty folder.
        visit: Works the order in a folder, telling what it does.
        template: Makes the folder that all visits start from; also what belongs beside it.
        places: Chooses numbers of things that happen, out of all of them.
    """
    template(root / "template")
    run = root / "run"
    keep_engines()
    _copied(root, run)
    visit(run, lambda _what: None)
    gc.collect()
    gc.freeze()
    _copied(root, run)
    status, seen = _forked(visit, run, 0)
    if status:
        raise SystemExit("the unharmed visit fails")
    for at in places(seen):
        _copied(root, run)
        status, _ = _forked(visit, run, at)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        resumed, _ = _forked(visit, run, 0)
        folder = run.rename(root / f"visit-{at}")
        line = {"at": at, "what": seen[at - 1], "killed": killed, "resumed": resumed}
        sys.stdout.write(json.dumps(line | {"folder": str(folder)}) + "\n")
        sys.stdout.flush()


def _copied(root: Path, run: Path) -> None:
    """Let the next visit start from the template, with the keyring beside it where there is one."""
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(root / "template", run)
    for beside in root.glob("template-*"):
        shutil.copy(beside, root / beside.name.replace("template", "run", 1))
