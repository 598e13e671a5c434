"""The program is killed while tokens are entered; no token ever reaches the meter twice."""

import json
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.test_sync_kill import place

__all__ = ["place"]

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="fork and SIGKILL are POSIX"),
    # each visit has a limit of its own: how long all take together says how busy the machine is
    pytest.mark.timeout(0),
]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def visits(place: Path) -> list[dict[str, object]]:
    """Every kill with the folder of the visit that was resumed after it."""
    command = [sys.executable, "-m", "tests.faults.kill_tokens", str(place)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def found(visit: dict[str, object], sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(Path(str(visit["folder"])) / "local.sqlite")) as connection:
        return connection.execute(sql).fetchall()


def test_every_token_reached_the_meter_exactly_once_after_every_kill(visits):
    assert len(visits) > 40
    for visit in visits:
        assert visit["killed"], visit
        assert visit["resumed"] == 0, visit
        memory = json.loads((Path(str(visit["folder"])) / "meter.json").read_text("utf-8"))
        assert len(memory["entries"]) == len(set(memory["entries"])) == 6, visit
        assert found(visit, "SELECT state FROM work_order") == [("done",)], visit


def test_every_entry_ends_in_journal_and_audit_and_no_digits_stay(visits):
    for visit in visits:
        outcomes = [row[0] for row in found(visit, "SELECT outcome FROM meter_command")]
        assert outcomes.count("done") == 6, visit
        assert set(outcomes) <= {"done", "not written"}, visit
        kinds = Counter(row[0] for row in found(visit, "SELECT kind FROM outbox"))
        assert kinds["command.intent"] == kinds["command.result"], visit
        assert found(visit, "SELECT DISTINCT sealed FROM order_token") == [("",)], visit
        (verified,) = found(visit, "SELECT verified FROM vending_record")
        assert verified[0], visit
    sys.stdout.write(f"kills while tokens are entered: {len(visits)} points tried, failures 0\n")
