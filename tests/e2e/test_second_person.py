"""Where people are entered, acts on the command line need a sign-in, and some a second person."""

import pytest

from app.models.database import Database
from app.services import users
from app.services.users import SignedIn
from tests.e2e.command import PASSWORD, meterwright, virtual_meter

FIRST, SECOND = "a long word of ana", "a long word of lena"
METER = ("--type", "hexcell-ddsy1088", "--framing", "wrapper", "--serial", "46000755036",
         "--secret-env", "MW", "--yes", "--json")  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    boss = SignedIn("boss", users.ADMINISTRATOR)
    with Database.open(tmp_path) as db:
        users.add(db, "boss", users.ADMINISTRATOR, "a long word of the boss")
        users.add(db, "lena", users.LEAD, SECOND, by=boss)
        users.add(db, "ana", users.INSTALLER, FIRST, by=boss)
    return tmp_path


def test_the_supply_goes_off_only_with_the_proof_of_a_second_person(folder):
    ana = {"METERWRIGHT_DATA": str(folder), "METERWRIGHT_USER": "ana",
           "METERWRIGHT_PASSWORD": FIRST, **PASSWORD}  # fmt: skip
    nobody = {"METERWRIGHT_DATA": str(folder), **PASSWORD}
    proof = {"METERWRIGHT_APPROVAL_PASSWORD": SECOND}
    with virtual_meter("hexcell-ddsy1088", "tcp:0", "--serial", "46000755036") as link:
        refused = meterwright("relay", "open", link, *METER, env=nobody)
        assert refused.error["name"] == "NotPermitted"
        alone = meterwright("relay", "open", link, *METER, env=ana)
        assert "act.approve" in alone.error["detail"]
        named = ("relay", "open", link, *METER, "--approver")
        wrong = meterwright(*named, "lena", env=ana | {"METERWRIGHT_APPROVAL_PASSWORD": "wrong"})
        assert wrong.error["name"] == "NotPermitted"
        herself = meterwright(*named, "ana", env=ana | proof)
        assert herself.code != 0
        read = meterwright("read", link, "relay", *METER[:-2], "--json", env=ana)
        assert read.json["relay"]["output"] is True, "so far nothing was switched"
        done = meterwright(*named, "lena", env=ana | proof)
        assert done.json["after"]["output"] is False
        on = meterwright("relay", "close", link, *METER, env=ana)
        assert on.json["after"]["output"] is True, "switching on needs nobody else"
    with Database.open(folder, read_only=True) as db:
        from sqlalchemy import select

        from app.models.people import Audit

        with db.read() as session:
            rows = list(session.scalars(select(Audit).where(Audit.act == "act.approved")))
    assert [(row.who, row.subject) for row in rows] == [("lena", "46000755036")]
