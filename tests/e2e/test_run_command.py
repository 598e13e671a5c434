"""``run`` on an order: wrong meters, kills, two programs at once, full disks, missing answers."""

import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command import ROOT, environment, meterwright, started, virtual_meter

SAMPLE = ROOT / "resources" / "demo" / "orders.csv"
ZMF100, OTHER = "50284117", "50284118"
PASSWORD = {"MW_PASSWORD": "MW-TEST-2"}
ANSWERS = """
[identify]
serial = "50284117"
[clock]
set = "Set"
[evidence]
seal = "NP-1"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    ended = meterwright("orders", "import", SAMPLE, "--data", data, "--json")
    assert ended.code == 0, ended.out + ended.err
    assert ended.json["created"] == 12
    (tmp_path / "answers.toml").write_text(ANSWERS)
    return data


@pytest.fixture
def zmf100() -> Iterator[str]:
    """A meter whose clock is far off, so that the visit asks for a write."""
    with virtual_meter(
        "landisgyr-zmf100", "tcp:0", "--serial", ZMF100, "--fault", "clock-off-10-years"
    ) as link:
        yield link


def run_order(folder: Path, link: str, *more: object):
    return meterwright(
        "run", "1043", link, "--data", folder, "--answers", folder.parent / "answers.toml",
        "--json", "--secret-env", "MW", *more, env=PASSWORD, wait=180,
    )  # fmt: skip


def test_importing_the_sample_twice_changes_nothing(folder: Path):
    again = meterwright("orders", "import", SAMPLE, "--data", folder, "--json")
    assert (again.json["created"], again.json["changed"], again.json["unchanged"]) == (0, 0, 12)


def test_rows_that_did_not_go_in_come_back_in_a_file(tmp_path: Path):
    orders, data, back = tmp_path / "o.csv", tmp_path / "data", tmp_path / "back.csv"
    orders.write_text(
        "reference,source,number,type,due,street\n"
        "R1,X,1,commission,2026-13-99,A\nR4,X,4,read_out,2026-01-01,D\n"
    )
    nowhere = meterwright(
        "orders", "import", orders, "--data", data, "--errors", "/nowhere/back.csv", "--json"
    )
    assert (nowhere.code, nowhere.error["name"]) == (2, "BadInput")
    ended = meterwright("orders", "import", orders, "--data", data, "--errors", back, "--json")
    assert (ended.code, ended.json["created"]) == (2, 1), "nothing had gone in before"
    head, *rows = back.read_text(encoding="utf-8-sig").splitlines()
    assert head.endswith("row,problem")
    assert [row.split(",")[0] for row in rows] == ["R1"]


def test_a_state_that_does_not_exist_is_no_empty_list(folder: Path):
    ended = meterwright("orders", "list", "--state", "finished", "--data", folder, "--json")
    assert (ended.code, ended.error["name"]) == (2, "BadInput")
    assert "downloaded" in ended.error["detail"]


def test_an_order_is_worked_to_its_end_and_stops_where_it_is_told(folder: Path, zmf100: str):
    first = run_order(folder, zmf100, "--stop-after", "clock")
    assert first.code == 0, first.out + first.err
    assert (first.json["state"], first.json["step"]) == ("started", "clock")
    whole = run_order(folder, zmf100)
    assert whole.code == 0, whole.out + whole.err
    assert whole.json["state"] == "done"
    assert [step["state"] for step in whole.json["steps"]] == ["done"] * len(whole.json["steps"])
    lost = meterwright("report", "1043", "--out", "/nowhere/r.pdf", "--data", folder, "--json")
    assert (lost.code, lost.error["name"]) == (2, "BadInput")


def test_the_wrong_meter_on_the_probe_is_refused_and_nothing_is_written(folder: Path):
    with virtual_meter("landisgyr-zmf100", "tcp:0", "--serial", OTHER) as link:
        ended = run_order(folder, link)
        assert ended.code == 14, ended.out + ended.err
        assert ended.error["name"] == "WrongMeter"
        assert OTHER in ended.error["detail"]
    shown = meterwright("orders", "show", "1043", "--data", folder, "--json").json
    assert shown["state"] == "started"


def test_a_missing_answer_is_named_with_its_choices(folder: Path, zmf100: str):
    (folder.parent / "answers.toml").write_text('[identify]\nserial = "50284117"\n')
    ended = run_order(folder, zmf100)
    assert ended.code == 2
    assert "clock.set" in ended.error["detail"]
    assert "Leave" in ended.error["detail"]
    (folder.parent / "answers.toml").write_text("not toml at all [")
    assert run_order(folder, zmf100).code == 2


def test_a_silent_meter_and_a_missing_port_leave_the_order_where_it_was(folder: Path):
    with virtual_meter("landisgyr-zmf100", "tcp:0", "--fault", "silence") as link:
        assert run_order(folder, link, "--reply-time", "0.3").code == 11
    assert run_order(folder, "/dev/ttyNoSuchPort").code == 10


def test_a_second_program_on_the_same_data_is_told_so(folder: Path, zmf100: str):
    arguments = ["run", "1043", zmf100, "--data", folder, "--secret-env", "MW", "--answers"]
    with started(*arguments, folder.parent / "answers.toml", env=PASSWORD) as first:
        time.sleep(1.5)
        second = run_order(folder, zmf100)
        assert second.code == 25, second.out + second.err
        assert str(first.pid) in second.error["detail"]
        assert meterwright("orders", "list", "--data", folder).code == 0, "looking is allowed"
        first.communicate(timeout=120)
    assert first.returncode == 0


def test_killed_again_and_again_it_goes_on_and_sets_the_clock_once(folder: Path, zmf100: str):
    arguments = ["run", "1043", zmf100, "--data", folder, "--secret-env", "MW", "--answers"]
    for moment in (0.8, 1.2, 1.6, 2.0, 2.4, 2.8, 3.2):
        with started(*arguments, folder.parent / "answers.toml", env=PASSWORD) as process:
            time.sleep(moment)
            process.kill()
            process.communicate()
        time.sleep(0.2)
    ended = run_order(folder, zmf100)
    for _ in range(3):  # the meter may still wait for the one that was killed
        if ended.code == 0:
            break
        time.sleep(5)
        ended = run_order(folder, zmf100)
    assert ended.code == 0, ended.out + ended.err
    assert ended.json["state"] == "done"
    exported = folder.parent / "journal.jsonl"
    assert meterwright("orders", "export", exported, "--data", folder).code == 0
    lines = exported.read_text().splitlines()
    assert sum('"command.intent"' in line for line in lines) <= 2
    assert sum('"order.done"' in line for line in lines) <= 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs RLIMIT_FSIZE")
def test_a_full_disk_is_told_and_what_was_saved_stays(folder: Path, zmf100: str):
    size = (folder / "local.sqlite").stat().st_size

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 8192, size + 8192))

    ended = subprocess.run(
        [
            sys.executable, "-m", "app", "run", "1043", zmf100, "--data", str(folder), "--json",
            "--answers", str(folder.parent / "answers.toml"), "--secret-env", "MW",
        ],
        cwd=ROOT, env=environment(**PASSWORD), preexec_fn=small, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert ended.returncode == 24, ended.stdout + ended.stderr
    assert (folder / "local.sqlite").stat().st_size <= size + 8192
    whole = run_order(folder, zmf100)
    assert whole.code == 0, whole.out + whole.err
    assert whole.json["state"] == "done"


def test_a_cannot_complete_order_and_an_unknown_one_cannot_be_worked(folder: Path, zmf100: str):
    assert meterwright("run", "4711", zmf100, "--data", folder).code == 2
