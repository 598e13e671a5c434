"""The main job as a new user meets it: ``demo --headless`` in an empty folder."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.e2e.command import Ended, meterwright


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    folder = tmp_path_factory.mktemp("demo")
    return folder, meterwright("demo", "--headless", "--dir", folder, "--json", wait=240)


def test_it_works_its_three_orders_and_ends_with_0(demo: tuple[Path, Ended]):
    _, ended = demo
    assert ended.code == 0, ended.out + ended.err
    orders = {job["order"]: job for job in ended.json["orders"]}
    assert set(orders) == {"1043", "1044", "1047"}
    assert all(job["verdict"] in {"PASS", "PASS WITH REMARKS"} for job in orders.values())
    assert "PASS" in ended.err, "the steps and verdicts are printed"
    assert "token does not fit this meter" in ended.err, "a refusal is explained"
    assert "the display says Accept" in ended.err, "and the same token typed rightly"
    assert ended.json["sync"]["sent"] > 10
    assert ended.json["sync"]["sent_again"] == 0, "a second sync sends nothing"
    assert ended.json["sync"]["in_step"]


def test_it_leaves_reports_that_prove_themselves(demo: tuple[Path, Ended]):
    folder, _ = demo
    reports = sorted((folder / "reports").glob("*.pdf"))
    assert [report.stem for report in reports] == ["1043", "1044", "1047"]
    for report in reports:
        proof = meterwright("report", "verify", report, "--json")
        assert proof.code == 0, proof.out
        assert proof.json["sound"]


def test_the_centre_has_every_order_exactly_once(demo: tuple[Path, Ended]):
    folder, _ = demo
    status = meterwright("centre", "status", folder / "centre.sqlite", "--json").json
    assert status["work_orders"]["in_review"] == 3
    assert sum(status["work_orders"].values()) == 12
    with sqlite3.connect(folder / "centre.sqlite") as centre:
        numbers = [row[0] for row in centre.execute("select order_id from work_order")]
    assert len(numbers) == len(set(numbers)) == 12
    check = meterwright("centre", "rebuild", folder / "centre.sqlite", "--check", "--json")
    assert check.code == 0, check.out


def test_working_an_order_again_changes_nothing(demo: tuple[Path, Ended]):
    folder, _ = demo
    again = meterwright("run", "1043", "--data", folder, "--json")
    assert again.code == 0, again.out + again.err
    assert again.json["state"] == "submitted"


def test_the_report_can_be_made_again_with_the_same_bytes(demo: tuple[Path, Ended], tmp_path: Path):
    folder, _ = demo
    out = tmp_path / "again.pdf"
    assert meterwright("report", "1043", "--out", out, "--data", folder).code == 0
    assert out.read_bytes() == (folder / "reports" / "1043.pdf").read_bytes()


def test_the_queue_lists_and_shows_the_orders(demo: tuple[Path, Ended]):
    folder, _ = demo
    listed = meterwright("orders", "list", "--data", folder, "--json").json["orders"]
    assert len(listed) == 12
    assert len({order["kind"] for order in listed}) >= 3
    waiting = meterwright("orders", "list", "--state", "submitted", "--data", folder, "--json")
    assert {order["number"] for order in waiting.json["orders"]} == {"1043", "1044", "1047"}
    shown = meterwright("orders", "show", "1043", "--data", folder, "--json")
    assert shown.code == 0, shown.out + shown.err
    assert shown.json["verdict"].startswith("PASS")
    assert meterwright("orders", "show", "9999", "--data", folder).code == 2


def test_results_go_out_as_a_spreadsheet_and_as_the_journal(
    demo: tuple[Path, Ended], tmp_path: Path
):
    folder, _ = demo
    for name in ("out.xlsx", "out.jsonl"):
        ended = meterwright("orders", "export", tmp_path / name, "--data", folder)
        assert ended.code == 0, ended.out + ended.err
        assert (tmp_path / name).stat().st_size > 1000
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert all(json.loads(line) for line in lines)


def test_no_password_is_in_anything_the_demo_leaves(demo: tuple[Path, Ended]):
    folder, ended = demo
    found = [
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and b"MW-TEST-1" in path.read_bytes()
    ]
    assert found == []
    assert "MW-TEST-1" not in ended.out + ended.err
