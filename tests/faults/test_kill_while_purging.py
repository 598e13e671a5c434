"""The program is killed while an order ends: its tokens stay with it or go with it, never between.

Each kill is a forked process that dies at its n-th database statement.
"""

import os
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from app.models.database import Database
from app.models.order import OrderState, WorkOrder
from app.models.token import VendingRecord
from app.workorders.incoming import bring
from app.workorders.lifecycle import transition
from app.workorders.purging import clear_up
from drivers.sts.token import DecoderKey
from tests.prepayment_setup import box_in, campaign_list

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fork and SIGKILL are POSIX")


def cancel(folder: Path, order_id: str, at: int) -> int:
    """Cancel the order and clear up after it in a child that dies at statement ``at``."""
    pid = os.fork()
    if pid == 0:
        count = [0]

        def counted(*_: object) -> None:
            count[0] += 1
            if count[0] == at:
                os.kill(os.getpid(), signal.SIGKILL)

        code = 1
        try:
            for what in ("before_cursor_execute", "commit", "checkin"):
                event.listen(Engine, what, counted)
            with Database.open(folder) as db:
                with db.write() as session:
                    order = session.get_one(WorkOrder, order_id)
                    transition(
                        session, order, OrderState.CANCELLED, who="D", role="dispatcher",
                        reason="gone",
                    )  # fmt: skip
                clear_up(db, box_in(folder))
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1]


def test_digits_go_with_the_order_and_decoder_keys_at_the_next_start(tmp_path):
    morning, folder = tmp_path / "morning", tmp_path / "run"
    keyring, kept_keyring = tmp_path / "run-keyring.json", tmp_path / "morning-keyring.json"
    listed = tmp_path / "campaign.csv"
    campaign_list(listed, 1)
    with Database.open(morning) as db:
        box = box_in(morning)
        bring(db, listed, box, campaign="North")
        with db.read() as session:
            record = session.query(VendingRecord).one()
        box.keep_decoder_key(record.drn, DecoderKey(bytes(16), 11))
    killed, at, status = 0, 0, -1
    while status != 0:
        at += 1
        shutil.copytree(morning, folder)
        shutil.copy(kept_keyring, keyring)
        status = cancel(folder, record.order_id, at)
        killed += bool(os.WIFSIGNALED(status))
        with closing(sqlite3.connect(folder / "local.sqlite")) as connection:
            (state,) = connection.execute("SELECT state FROM work_order").fetchone()
            (left,) = connection.execute(
                "SELECT count(*) FROM order_token WHERE sealed <> ''"
            ).fetchone()
        assert (state, left) in {("downloaded", 4), ("cancelled", 0)}, at
        with Database.open(folder) as db:
            clear_up(db, box_in(folder))
        kept = box_in(folder).decoder_key(record.drn)
        assert (kept is None) == (state == "cancelled"), at
        shutil.rmtree(folder)
    assert killed > 10
