"""The program is killed in every step of a visit; the next start goes on and repeats no write."""

import json
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

# some hundred visits, one after the other: minutes on a machine that does other things beside
pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).resolve().parents[2]
STEPS = {
    "identify",
    "before",
    "clock",
    "registers",
    "profile",
    "events",
    "checks",
    "evidence",
    "handover",
    "signature",
    "complete",
}


@pytest.fixture(scope="module")
def visits(tmp_path_factory) -> list[dict[str, object]]:
    """Every kill with the folder of the visit that was resumed after it."""
    command = [sys.executable, "-m", "tests.faults.kill_zygote", str(tmp_path_factory.mktemp("k"))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def found(visit: dict[str, object], sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(Path(str(visit["folder"])) / "local.sqlite")) as connection:
        return connection.execute(sql).fetchall()


def test_every_killed_visit_was_killed_and_ran_to_its_end_afterwards(visits):
    assert len(visits) > 60
    for visit in visits:
        assert visit["killed"], visit
        assert visit["resumed"] == 0, visit
        assert found(visit, "SELECT state, verdict FROM work_order") == [("done", "PASS")], visit


def test_the_clock_was_set_exactly_once_whenever_the_program_was_killed(visits):
    for visit in visits:
        memory = json.loads((Path(str(visit["folder"])) / "meter.json").read_text("utf-8"))
        assert memory["writes"] == 1, visit
        outcomes = [row[0] for row in found(visit, "SELECT outcome FROM meter_command")]
        assert outcomes.count("done") == 1, visit
        assert set(outcomes) <= {"done", "not written"}, visit


def test_all_results_exist_once_after_every_kill(visits):
    for visit in visits:
        steps = found(visit, "SELECT step, state FROM step_result")
        assert {step for step, state in steps if state == "done"} == STEPS, visit
        read = Counter(row[0] for row in found(visit, "SELECT moment FROM reading"))
        assert read == {"before": 4, "after": 4, "handover": 4}, visit
        rows = [
            row[0]
            for (text,) in found(visit, "SELECT rows FROM profile_segment ORDER BY position")
            for row in json.loads(str(text))
        ]
        assert len(rows) == len(set(rows)) == 12, visit
        for table, count in (("event", 2), ("check_result", 17), ("seal", 1), ("draft", 0)):
            assert found(visit, f"SELECT count(*) FROM {table}") == [(count,)], (table, visit)
        kinds = Counter(row[0] for row in found(visit, "SELECT kind FROM attachment"))
        assert kinds == {"photo": 1, "report": 1}, visit


def test_the_journal_has_no_gap_and_tells_each_step_once_after_every_kill(visits):
    for visit in visits:
        events = found(visit, "SELECT seq, kind, body FROM outbox ORDER BY seq")
        assert [row[0] for row in events] == list(range(1, len(events) + 1)), visit
        told = Counter(json.loads(str(body))["step"] for _, k, body in events if k == "step.result")
        assert told == dict.fromkeys(STEPS, 1), visit
        kinds = Counter(row[1] for row in events)
        assert kinds["order.done"] == 1, visit
        assert kinds["command.intent"] == kinds["command.result"], visit
