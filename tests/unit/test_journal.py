"""The journal rows: their names, their hashes, what they carry as evidence."""

import json
import uuid

import pytest
from sqlalchemy import select

from app.models.base import canonical
from app.models.database import Database
from app.models.journal import JournalEvent, Laptop, append, event_hash


@pytest.fixture
def db(tmp_path):
    with Database.open(tmp_path) as opened:
        yield opened


def rows(db):
    with db.read() as session:
        return list(session.scalars(select(JournalEvent).order_by(JournalEvent.seq)))


def test_events_of_one_transaction_are_numbered_in_their_order(db):
    with db.write() as session:
        for kind in ("order.imported", "step.result", "order.done"):
            append(session, kind, {}, order_id="o", epoch=2)
    assert [(r.incarnation, r.seq, r.kind, r.epoch) for r in rows(db)] == [
        (1, 1, "order.imported", 2),
        (1, 2, "step.result", 2),
        (1, 3, "order.done", 2),
    ]
    with db.read() as session:
        assert session.execute(select(Laptop.next_seq)).scalar_one() == 4


def test_an_event_that_cannot_be_written_uses_up_no_number(db):
    for body in ({"x": float("nan")}, {"x": object()}):

        def write(unfit=body):
            with db.write() as session:
                append(session, "step.result", unfit)

        with pytest.raises((ValueError, TypeError)):
            write()
    with db.write() as session:
        append(session, "step.result", {})
    assert [row.seq for row in rows(db)] == [1]


def test_the_hash_covers_every_part_of_the_content():
    content = {
        "event_id": "e",
        "order_id": "o",
        "epoch": 1,
        "kind": "k",
        "schema_v": 1,
        "body": "{}",
    }
    hashes = {event_hash(**content)}
    for name, value in content.items():
        changed = {**content, name: 2 if isinstance(value, int) else "x"}
        hashes.add(event_hash(**changed))
    hashes.add(event_hash(**{**content, "event_id": "eo", "order_id": ""}))
    assert len(hashes) == len(content) + 2


def test_the_body_is_kept_as_canonical_text_with_its_hash(db):
    with db.write() as session:
        append(session, "reading.taken", {"b": "0012.50", "a": "Straße"})
    (row,) = rows(db)
    assert row.body == canonical({"a": "Straße", "b": "0012.50"})
    assert json.loads(row.body)["b"] == "0012.50"
    assert row.sha256 == event_hash(
        event_id=row.event_id,
        order_id="",
        epoch=0,
        kind="reading.taken",
        schema_v=row.schema_v,
        body=row.body,
    )


def test_an_event_carries_its_clocks_as_evidence(db):
    with db.write() as session:
        session.execute(select(Laptop)).scalar_one().clock_offset_s = 2.5
    for _ in range(2):
        with db.write() as session:
            append(session, "step.result", {})
    first, second = rows(db)
    assert uuid.UUID(first.event_id).version == 7
    assert first.wall.tzinfo is not None
    assert first.boot_id == second.boot_id != ""
    assert first.mono_ns < second.mono_ns
    assert first.hlc < second.hlc
    assert first.offset_s == 2.5
