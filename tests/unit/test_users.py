"""Sign-in, roles and rights: who is refused, and what the audit chain then says."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.errors import BadInput, NotFound, NotPermitted
from app.models.base import utc_now
from app.models.database import Database
from app.models.people import Audit, User
from app.services import audit, users
from app.services.users import RIGHTS, SignedIn

PASSWORD = "correct horse"


@pytest.fixture
def db(tmp_path):
    with Database.open(tmp_path) as opened:
        users.add(opened, "ada", "administrator", PASSWORD)
        yield opened


@pytest.fixture
def ada(db):
    return users.sign_in(db, "ada", PASSWORD)


def acts(db):
    with db.read() as session:
        assert audit.check(session) == []
        return [(row.who, row.act, row.subject) for row in session.scalars(select(Audit))]


def test_the_first_person_must_be_able_to_enter_others(tmp_path):
    with Database.open(tmp_path) as db:
        with pytest.raises(BadInput, match="administrator"):
            users.add(db, "ana", "installer", PASSWORD)
        assert users.people(db) == []


def test_in_single_hands_everybody_may_act_in_any_role(tmp_path):
    with Database.open(tmp_path) as db:
        assert users.acting(db, "vera", "", "verifier") == SignedIn("vera", "verifier")
        with pytest.raises(BadInput, match="no role"):
            users.acting(db, "vera", "", "king")


def test_once_people_are_entered_the_role_is_theirs_whatever_is_claimed(db, ada):
    users.add(db, "ana", "installer", PASSWORD, by=ada, areas=("North",))
    signed = users.acting(db, "ana", PASSWORD, "administrator")
    assert signed == SignedIn("ana", "installer", ("North",))
    with pytest.raises(NotPermitted):
        users.acting(db, "ana", "", "administrator")


@pytest.mark.parametrize(
    ("name", "password"), [("ada", "wrong password"), ("ada", ""), ("nobody", PASSWORD), ("", "")]
)
def test_a_wrong_name_or_password_is_refused_alike_and_noted(db, name, password):
    with pytest.raises(NotPermitted, match="do not fit") as caught:
        users.sign_in(db, name, password)
    assert password == "" or password not in str(caught.value)
    assert acts(db)[-1] == (name, "user.refused", "")


def test_after_five_wrong_passwords_the_right_one_waits_five_minutes(db):
    for _ in range(5):
        with pytest.raises(NotPermitted):
            users.sign_in(db, "ada", "wrong password")
    with pytest.raises(NotPermitted):
        users.sign_in(db, "ada", PASSWORD)
    with db.write() as session:
        user = session.scalars(select(User)).one()
        assert user.locked_until > utc_now() + timedelta(minutes=4)
        user.locked_until = utc_now()
    assert users.sign_in(db, "ada", PASSWORD).role == "administrator"


def test_only_an_administrator_enters_people_and_keeps_them_out(db, ada):
    users.add(db, "ana", "installer", PASSWORD, by=ada)
    ana = users.sign_in(db, "ana", PASSWORD)
    for change in (
        lambda: users.add(db, "eve", "administrator", PASSWORD, by=ana),
        lambda: users.add(db, "eve", "administrator", PASSWORD),
        lambda: users.disable(db, "ada", by=ana),
        lambda: users.set_password(db, "ada", "another password", by=ana),
    ):
        with pytest.raises(NotPermitted):
            change()
    users.set_password(db, "ana", "another password", by=ana)
    users.disable(db, "ana", by=ada)
    with pytest.raises(NotPermitted):
        users.sign_in(db, "ana", "another password")
    with pytest.raises(BadInput, match="last administrator"):
        users.disable(db, "ada", by=ada)
    with pytest.raises(NotFound):
        users.disable(db, "nobody", by=ada)
    assert ("ada", "user.disabled", "ana") in acts(db)


@pytest.mark.parametrize(
    ("name", "role", "password"),
    [("ada", "installer", PASSWORD), (" ", "installer", PASSWORD), ("x", "king", PASSWORD),
     ("x", "installer", "short")],
)  # fmt: skip
def test_a_person_needs_a_name_a_role_and_a_long_password(db, ada, name, role, password):
    with pytest.raises(BadInput):
        users.add(db, name, role, password, by=ada)


def test_passwords_are_kept_as_argon2id_only(db):
    (user,) = users.people(db)
    assert user.password_hash.startswith("$argon2id$")
    assert PASSWORD.encode() not in (db.folder / "local.sqlite").read_bytes()


def test_every_right_is_somebodys_and_nobody_reviews_own_work():
    assert all(RIGHTS.values())
    assert RIGHTS["review.approve"] == {"verifier"}
    with pytest.raises(NotPermitted, match=r"review\.approve"):
        SignedIn("ana", "installer").demand("review.approve")


def test_an_area_is_seen_with_everything_below_it_and_nothing_beside():
    vera = SignedIn("vera", "verifier", ("North",))
    assert [vera.sees(area) for area in ("North", "North/4", "Northwest", "South")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert SignedIn("ada", "administrator").sees("anywhere")
