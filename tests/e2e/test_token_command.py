"""``token enter`` against the virtual Hexcell, in processes of their own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest

from app.services.keypad import grouped
from drivers.simulator.tokenoffice import FIRST_KEY, TokenOffice, drn_of
from tests.e2e.command import PASSWORD, ROOT, Ended, environment, meterwright, virtual_meter

SERIAL = "46000755036"
HEXCELL = ["--type", "hexcell-ddsy1088", "--serial", SERIAL, "--secret-env", "MW", "--json"]
ISSUED = datetime(2026, 11, 20, 11, 0)  # noqa: DTZ001 (a meter's clock has no zone)


@dataclass
class Counter:
    """A meter on TCP and the vending office of its owner."""

    link: str
    office: TokenOffice
    data: Path

    def enter(self, token: str, *more: object) -> Ended:
        arguments = ["token", "enter", self.link, token, *HEXCELL, "--data", self.data, *more]
        return meterwright(*arguments, env=PASSWORD)


@pytest.fixture
def counter(tmp_path) -> Iterator[Counter]:
    with virtual_meter("hexcell-ddsy1088", "tcp:0", "--serial", SERIAL, "--rows", 20) as link:
        yield Counter(link, TokenOffice(drn_of(SERIAL)), tmp_path / "data")


def test_a_credit_token_is_entered_and_read_back_and_refused_the_second_time(counter, tmp_path):
    token = counter.office.credit(12, ISSUED)
    trace = tmp_path / "trace.jsonl"
    first = counter.enter(token, "--yes", "--trace", trace)
    assert first.code == 0, first.out + first.err
    found = first.json
    assert found["result"] == {"code": 1, "verdict": "accepted", "title": "Accepted"}
    assert float(found["after"]["balance"]) - float(found["before"]["balance"]) == pytest.approx(
        12, abs=0.3
    )
    assert token not in first.out + first.err
    assert token.encode().hex() not in trace.read_text()
    again = counter.enter(token, "--yes")
    assert again.code == 16
    assert again.error["name"] == "TokenRefused"
    assert "used token" in again.error["title"]
    assert "last-token" in again.error["remedy"]
    assert token not in again.out + again.err


def test_the_digits_come_from_standard_input_and_stand_in_no_command_line(counter):
    token = counter.office.credit(2, ISSUED)
    arguments = ["token", "enter", counter.link, "-", *HEXCELL, "--data", counter.data, "--yes"]
    ended = subprocess.run(
        [sys.executable, "-m", "app", *map(str, arguments)],
        cwd=ROOT, env=environment(**PASSWORD), input=grouped(token) + "\n",
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert json.loads(ended.stdout)["result"]["title"] == "Accepted"
    assert token not in ended.stdout + ended.stderr
    assert counter.enter("-", "--yes").code == 2, "without any input nothing is entered"


def test_what_needs_an_order_or_an_answer_is_not_entered(counter):
    quad = counter.office.key_change(replace(FIRST_KEY, krn=2))
    without_order = counter.enter(quad[0], "--yes")
    assert without_order.code == 20
    assert "needs a work order" in without_order.error["detail"]
    opens = counter.enter(counter.office.test(1), "--yes")
    assert opens.code == 20
    assert "opens the load switch" in opens.error["detail"]
    unanswered = counter.enter(counter.office.credit(1, ISSUED))
    assert unanswered.code == 2
    damaged = counter.enter("1234 5678", "--yes")
    assert damaged.code == 2
    assert counter.enter(counter.office.test(16), "--yes").code == 0


def test_keys_and_credit_are_read_as_the_virtual_meter_has_them(tmp_path):
    expected = tmp_path / "expected.json"
    with virtual_meter(
        "hexcell-ddsy1088", "tcp:0", "--serial", SERIAL, "--rows", 20, "--expected", expected
    ) as link:
        ended = meterwright("read", link, "prepayment", *HEXCELL, env=PASSWORD)
    assert ended.code == 0, ended.out + ended.err
    found, wanted = ended.json["prepayment"], json.loads(expected.read_text())["prepayment"]
    assert {name: found[name] for name in wanted} == wanted
    assert found["key_tokens"] == 4
