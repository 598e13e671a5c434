"""The second person: proves it with their own password, or is noted as a mere name."""

import pytest
from sqlalchemy import select

from app.errors import BadInput, NotPermitted
from app.models.database import Database
from app.models.people import Audit
from app.services import users
from app.services.approving import KEY_CHANGE, Approval, approved
from app.tasks import AnswerKind, Ask, collect

FIRST, PASSWORD = "Ada Marlow", "a long word of the officer"


@pytest.fixture
def db(tmp_path):
    with Database.open(tmp_path) as opened:
        yield opened


def enter(db: Database) -> None:
    users.add(db, "boss", users.ADMINISTRATOR, "a long word of the boss")
    boss = users.sign_in(db, "boss", "a long word of the boss")
    users.add(db, "officer", users.SECURITY, PASSWORD, by=boss)
    users.add(db, "ada", users.INSTALLER, "a long word of ada", by=boss, full_name=FIRST)
    users.add(db, "vera", users.VERIFIER, "a long word of vera", by=boss)


def ask(db: Database, name: str, password: str = "", first: str = FIRST):
    task = approved(db, KEY_CHANGE, "k.by", "Who?", first=first, subject="46000755036")
    return collect(task, {"k.by": name, "k.by_password": password})


def acts(db: Database) -> list[Audit]:
    with db.read() as session:
        return list(session.scalars(select(Audit).order_by(Audit.position)))


def test_in_single_hands_a_name_is_noted_as_not_proven(db):
    approval, events = ask(db, "S. Officer")
    assert approval == Approval("S. Officer")
    assert str(approval) == "S. Officer (name not proven)"
    (question,) = [event for event in events if isinstance(event, Ask)]
    assert "not proven" in question.detail
    (row,) = acts(db)
    assert (row.who, row.act, row.subject) == ("S. Officer", "act.approved", "46000755036")
    assert row.body["proven"] is False


@pytest.mark.parametrize("name", [FIRST, FIRST.upper(), f" {FIRST} "])
def test_nobody_approves_their_own_act(db, name):
    with pytest.raises(NotPermitted, match="somebody else"):
        ask(db, name)
    assert acts(db) == []


def test_a_person_of_the_right_role_proves_it_with_their_own_password(db, tmp_path):
    enter(db)
    approval, events = ask(db, "officer", PASSWORD)
    assert approval == Approval("officer", users.SECURITY, proven=True)
    name, proof = [event for event in events if isinstance(event, Ask)]
    assert name.choices == ("boss", "officer"), "neither the installer nor the verifier"
    assert proof.kind is AnswerKind.PROOF
    last = acts(db)[-1]
    assert (last.who, last.act) == ("officer", "act.approved")
    assert last.body == {
        "right": KEY_CHANGE, "approved_for": FIRST, "role": "security officer", "proven": True,
    }  # fmt: skip
    for path in tmp_path.iterdir():
        assert PASSWORD.encode() not in (path.read_bytes() if path.is_file() else b"")


def test_a_wrong_password_approves_nothing(db):
    enter(db)
    with pytest.raises(NotPermitted):
        ask(db, "officer", "another long word")
    assert "act.approved" not in [row.act for row in acts(db)]


@pytest.mark.parametrize("name", ["vera", "ada", "nobody"])
def test_a_person_without_the_right_is_not_asked_for_a_password(db, name):
    enter(db)
    with pytest.raises(BadInput, match="one of boss, officer"):
        ask(db, name, "a long word of vera")


@pytest.mark.parametrize("first", ["boss", "Boss"])
def test_where_only_the_one_who_acts_has_the_role_nobody_can_approve(db, first):
    users.add(db, "boss", users.ADMINISTRATOR, "a long word of the boss")
    with pytest.raises(NotPermitted, match="nobody else on this laptop"):
        ask(db, "boss", "a long word of the boss", first=first)


def test_a_person_who_was_kept_out_approves_no_more(db):
    enter(db)
    users.disable(db, "officer", by=users.sign_in(db, "boss", "a long word of the boss"))
    with pytest.raises(BadInput, match="one of boss is"):
        ask(db, "officer", PASSWORD)
