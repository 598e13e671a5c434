"""The audit chain: what was changed or taken out shows."""

import pytest

from app.models.database import Database
from app.services import audit


@pytest.fixture
def db(tmp_path):
    with Database.open(tmp_path) as opened:
        for number in range(5):
            with opened.write() as session:
                audit.append(session, "ana", "order.opened", str(number), {"n": number})
        yield opened


def troubles(db):
    with db.read() as session:
        return audit.check(session)


def test_an_untouched_chain_is_whole_also_when_empty(db, tmp_path):
    assert troubles(db) == []
    with Database.open(tmp_path / "other") as empty:
        assert troubles(empty) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit SET who = 'eve' WHERE position = 3", "Row 3"),
        ("UPDATE audit SET body = '{\"n\":9}' WHERE position = 2", "Row 2"),
        ("UPDATE audit SET at = '2020-01-01T00:00:00.000000Z' WHERE position = 5", "Row 5"),
        ("DELETE FROM audit WHERE position = 2", "Rows 2 to 2"),
        ("DELETE FROM audit WHERE position = 1", "Rows 1 to 1"),
    ],
)
def test_a_changed_or_removed_row_shows(db, statement, said):
    with db.write() as session:
        session.connection().exec_driver_sql(statement)
    found = troubles(db)
    assert len(found) == 1
    assert found[0].startswith(said)


def test_a_row_without_a_body_is_kept(db):
    with db.write() as session:
        audit.append(session, "system", "started")
    assert troubles(db) == []
