"""Errors and kills at system calls of a laptop's day, put in by strace; needs no root.

One failed call must not stop the process that met it: this is how a missing ROLLBACK shows.  Every
call of a kind is a point; the line is cut at every one, of the others some are tried, evenly
spread, and all with METERWRIGHT_FAULTS=all.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults import test_postgres_kill, test_sync_kill
from tests.faults.test_postgres_kill import morning as far_morning
from tests.faults.test_sync_kill import KILLED, Child, child, morning, place

__all__ = ["child", "far_morning", "morning", "place"]

STRACE = shutil.which("strace")
ALL = os.environ.get("METERWRIGHT_FAULTS") == "all"
pytestmark = [
    pytest.mark.skipif(STRACE is None, reason="strace is not installed"),
    pytest.mark.timeout(0 if ALL else 900),  # all of them take an hour or two
]
EVERY = 10_000
NEAR, FAR = (EVERY, EVERY) if ALL else (12, 5)  # of each kind, by where the centre is

# Which call of the process that does the day, and what happens at its n-th.
ON_DISK = [
    ("pwrite64", "error=ENOSPC"),
    ("pwrite64", "error=EIO"),
    ("fdatasync", "error=EIO"),
    ("pwrite64", "signal=SIGKILL"),
    ("fdatasync", "signal=SIGKILL"),
]
CUT = "error=ECONNRESET"  # tried at every send and receive
ON_THE_LINE = [
    ("sendto", CUT),
    ("recvfrom", CUT),
    ("sendto", "signal=SIGKILL"),
    ("recvfrom", "signal=SIGKILL"),
]


class Watch:
    """A system call of the day that is counted, or fails at its n-th time."""

    def __init__(self, call: str, action: str = "", at: int = 0) -> None:
        self.count = 0
        self._call = call
        self._inject = ["-e", f"inject={call}:{action}:when={at}"] if action else []

    @contextmanager
    def __call__(self, pid: int) -> Iterator[None]:
        command = [STRACE, "-f", "-s", "0", "-e", f"trace={self._call}", *self._inject]
        with tempfile.NamedTemporaryFile() as calls:  # a pipe would be full while nobody reads
            command += ["-o", calls.name, "-p", str(pid)]
            strace = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
            assert "attached" in strace.stderr.readline()
            yield
            strace.communicate(timeout=60)
            self.count = calls.read().count(f"{self._call}(".encode())


def points(count: int, most: int) -> list[int]:
    """Return which of so many calls are tried, evenly spread."""
    few = min(count, most)
    return sorted({1 + index * (count - 1) // max(1, few - 1) for index in range(few)})


def named(kinds: list[tuple[str, str]]) -> list[object]:
    return [pytest.param(*kind, id=" ".join(kind)) for kind in kinds]


def try_all(child: Child, call: str, action: str, most: int, begin, check) -> str:
    """Let a call fail at many of its places; return how many of how many were tried."""
    begin()
    counting = Watch(call)
    assert child.watched_day(counting) == 0
    check()
    assert counting.count, f"a day without {call}"
    tried = points(counting.count, EVERY if action == CUT else most)
    for at in tried:
        begin()
        status = child.watched_day(Watch(call, action, at))
        where = f"{call} {action} at {at} of {counting.count}"
        # How often an answer is read differs: the last points may not be reached.
        expected = {KILLED, 0} if action.startswith("signal") else {0}
        assert status in expected, f"{where}: status {status}\n{child.said()}"
        assert child.day()[0] == 0, f"stuck after {where}"
        check()
    return f"{call} {action}: {len(tried)} of {counting.count} points tried, failures 0"


@pytest.mark.parametrize(("call", "action"), named(ON_DISK))
def test_a_failing_disk_loses_nothing_and_stops_nobody(child, morning, call, action):
    def check() -> None:
        test_sync_kill.evening(child.folder)

    told = try_all(child, call, action, NEAR, lambda: child.begin(morning), check)
    sys.stdout.write(f"system calls, SQLite, {told}\n")


@pytest.mark.postgres
@pytest.mark.parametrize(("call", "action"), named([*ON_THE_LINE, *ON_DISK]))
def test_a_failing_line_or_disk_loses_nothing_with_postgresql(child, far_morning, call, action):
    def check() -> None:
        test_postgres_kill.evening(far_morning.world)

    told = try_all(child, call, action, FAR, lambda: far_morning.begin(child), check)
    sys.stdout.write(f"system calls, PostgreSQL, {told}\n")
