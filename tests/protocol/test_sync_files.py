"""Photos and reports on their way to the centre: whole, resumed, never in the way."""

import pytest

from app.centre.contract import (
    CHUNK,
    BlobFact,
)
from app.errors import Cancelled, CentreRefused
from app.models.blob import Blob
from app.models.order import Attachment, OrderState
from app.sync.session import synchronise
from app.tasks import Cancel, Progress, collect, run


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_a_file_of_any_size_arrives_whole(world, size):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    sha256 = ana.photograph(order, b"p" * size)
    result = world.sync(ana)
    assert (result.blobs, result.in_step) == (1, True)
    chunks = world.rows("SELECT data FROM blob_chunk WHERE sha256 = ? ORDER BY ix", sha256)
    assert b"".join(row[0] for row in chunks) == b"p" * size


def test_a_broken_transfer_goes_on_where_it_stopped(world):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    ana.photograph(order, b"p" * 5 * CHUNK)
    ana.complete(order)
    cancel = Cancel()

    def press(event):
        if isinstance(event, Progress) and event.unit == "bytes":
            cancel.press()

    with pytest.raises(Cancelled):
        run(synchronise(ana.db, world.centre), press, cancel)
    assert ana.chip(order) == "media pending (1)"
    assert ana.state(order) == OrderState.DONE
    _, events = collect(synchronise(ana.db, world.centre))
    steps = [e.done // CHUNK for e in events if isinstance(e, Progress) and e.unit == "bytes"]
    assert steps == [3, 4]
    assert ana.state(order) == OrderState.SUBMITTED
    assert ana.chip(order) == "acknowledged"


@pytest.mark.parametrize("damage", ["missing", "changed", "shorter"])
def test_a_damaged_file_is_noted_and_holds_up_nothing(world, damage):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    bad = ana.photograph(order, b"bad" * 100)
    good = ana.photograph(order, b"good")
    with ana.db.read() as session:
        path = ana.folder / session.query(Attachment).filter_by(sha256=bad).one().path
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b"BAD" * 100 if damage == "changed" else b"bad")
    result = world.sync(ana)
    assert not result.in_step
    assert result.pending.blobs == 1
    assert ana.chip(order) == "media pending (1)"
    assert world.rows("SELECT sha256 FROM blob WHERE complete") == [(good,)]
    with ana.db.read() as session:
        assert session.get_one(Blob, bad).problem


def test_a_file_damaged_on_the_way_is_sent_again(world):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    sha256 = ana.photograph(order, b"p" * 2 * CHUNK)
    calls = world.centre.session(ana.device_id)
    assert calls.blob_missing([BlobFact(sha256, 2 * CHUNK, "image/jpeg")]) == {sha256: 0}
    assert calls.blob_put(sha256, 0, b"X" * CHUNK) == CHUNK
    assert world.sync(ana).in_step
    chunks = world.rows("SELECT data FROM blob_chunk WHERE sha256 = ? ORDER BY ix", sha256)
    whole = b"".join(bytes(row[0]) for row in chunks)
    assert whole == b"p" * 2 * CHUNK


def test_chunks_that_do_not_fit_are_refused_or_pointed_on(world):
    ana = world.laptop("ana")
    calls = world.centre.session(ana.device_id)
    name = "ab" * 32
    with pytest.raises(CentreRefused):
        calls.blob_put(name, 0, b"x")
    calls.blob_missing([BlobFact(name, 2 * CHUNK, "")])
    assert calls.blob_put(name, CHUNK, b"x" * CHUNK) == 0
    with pytest.raises(CentreRefused):
        calls.blob_put(name, 0, b"x" * 7)
    assert calls.blob_put(name, 0, b"x" * CHUNK) == CHUNK
    assert calls.blob_put(name, 0, b"x" * CHUNK) == CHUNK
    with pytest.raises(CentreRefused):
        calls.blob_put(name, CHUNK, b"x" * (CHUNK + 1))
