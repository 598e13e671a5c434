"""Errors and kills at system calls of a laptop's day, put in by strace; needs no root.

One failed call must not stop the process that met it: this is how a missing ROLLBACK shows.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.faults import test_postgres_kill, test_sync_kill
from tests.faults.sync_child import COLD, URL_FILE
from tests.protocol.sync_world import World

STRACE = shutil.which("strace")
pytestmark = [
    pytest.mark.skipif(STRACE is None, reason="strace is not installed"),
    pytest.mark.timeout(600),
]
ALL = os.environ.get("METERWRIGHT_FAULTS") == "all"

# Which call of the process that does the day, and what happens at its n-th.
ON_DISK = [
    ("pwrite64", "error=ENOSPC", (3, 40)),
    ("pwrite64", "error=EIO", (12,)),
    ("fdatasync", "error=EIO", (2, 9)),
    ("pwrite64", "signal=SIGKILL", (25,)),
    ("fdatasync", "signal=SIGKILL", (5,)),
]
ON_DISK_FAR = [  # the laptop's own disk, while the centre is a PostgreSQL server
    ("pwrite64", "error=ENOSPC", (4,)),
    ("pwrite64", "error=EIO", (17,)),
    ("fdatasync", "error=EIO", (4,)),
    ("fdatasync", "signal=SIGKILL", (6,)),
]
ON_THE_LINE = [
    ("sendto", "error=ECONNRESET", (1, 9)),
    ("recvfrom", "error=ECONNRESET", (6,)),
    ("sendto", "signal=SIGKILL", (5,)),
]


@pytest.fixture
def place():
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def day(folder: Path, call: str = "", action: str = "", at: int = 0) -> int:
    """Do a day in a process of its own; return its exit status."""
    inject = ["-e", f"trace={call}", "-e", f"inject={call}:{action}:when={at}"] if call else []
    strace = [STRACE, "-f", "-qq", "-o", os.devnull, *inject] if call else []
    command = [*strace, sys.executable, "-m", "tests.faults.sync_child"]
    done = subprocess.run(
        command,
        cwd=test_sync_kill.ROOT,
        env={**os.environ, COLD: "1"},
        input=f"none 0 {folder}\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout, done.stderr[-2000:]
    return int(done.stdout.split()[0])


def points(table):
    chosen = [(call, action, at) for call, action, ats in table for at in ats]
    if ALL:
        chosen = [(c, a, at) for c, a, _ in table for at in range(1, 60, 2)]
    return chosen


def test_a_failing_disk_loses_nothing_and_stops_nobody(place):
    for number, (call, action, at) in enumerate(points(ON_DISK)):
        folder = place / f"d{number}"
        folder.mkdir()
        test_sync_kill.begin(World(folder))
        status = day(folder, call, action, at)
        killed = action.startswith("signal")
        assert status == (test_sync_kill.KILLED if killed else 0), f"{call} {action} {at}"
        assert day(folder) == 0 if killed else True, f"stuck after {call} {action} {at}"
        test_sync_kill.evening(folder)
    sys.stdout.write(f"system calls, SQLite: {len(points(ON_DISK))} points tried, failures 0\n")


@pytest.mark.postgres
def test_a_failing_line_or_disk_loses_nothing_with_a_centre_on_postgresql(place):
    tried = [*points(ON_THE_LINE), *points(ON_DISK_FAR)]
    for number, (call, action, at) in enumerate(tried):
        world = test_postgres_kill.morning(place / f"l{number}")
        assert (world.folder / URL_FILE).exists()
        status = day(world.folder, call, action, at)
        killed = action.startswith("signal")
        assert status == (test_sync_kill.KILLED if killed else 0), f"{call} {action} {at}"
        assert day(world.folder) == 0 if killed else True, f"stuck after {call} {action} {at}"
        test_postgres_kill.evening(world)
        world.close()
    sys.stdout.write(f"system calls, PostgreSQL: {len(tried)} points tried, failures 0\n")
