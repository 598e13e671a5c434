"""What a laptop may forget, and what not (I7)."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.models.journal import JournalEvent, Laptop
from app.models.order import OrderState
from app.sync.retention import KEEP, purge
from tests.protocol.sync_world import World, check_centre


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


def later(field, days):
    """Let the centre's time pass, as the laptop heard it."""
    with field.db.write() as session:
        laptop = session.execute(select(Laptop)).scalar_one()
        laptop.last_server_time += timedelta(days=days)


def purged(field):
    with field.db.write() as session:
        return purge(session, field.folder)


def test_ended_orders_are_forgotten_after_their_time_and_the_sign_stays(world):
    ana = world.laptop("ana")
    done, open_ = ana.take_orders(2)
    sha256 = ana.photograph(done, b"photo")
    photo = ana.folder / world.attachment_path(ana, sha256)
    ana.complete(done)
    world.sync(ana)
    assert purged(ana) == 0
    later(ana, KEEP.days - 1)
    assert purged(ana) == 0
    later(ana, 2)
    assert purged(ana) == 3
    assert not photo.exists()
    assert ana.chip(done) == ana.chip(open_) == "acknowledged"
    assert [event.order_id for event in ana.events()] == [open_]
    assert world.sync(ana).in_step
    ana.complete(open_)
    assert world.sync(ana).in_step
    check_centre(world)


@pytest.mark.parametrize("missing", ["acknowledgement", "photo"])
def test_nothing_goes_that_the_centre_does_not_have(world, missing):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    sha256 = ana.photograph(order, b"photo")
    photo = ana.folder / world.attachment_path(ana, sha256)
    kept = photo.read_bytes()
    if missing == "photo":
        photo.write_bytes(b"damaged")
    ana.complete(order)
    world.sync(ana)
    ana.move(order, OrderState.SUBMITTED)
    if missing == "acknowledgement":
        ana.record(order, "step.result", {"step": "late"})
    later(ana, KEEP.days * 2)
    assert purged(ana) == 0
    photo.write_bytes(kept)


def test_a_wrong_clock_of_the_laptop_makes_it_forget_nothing(world):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    ana.complete(order)
    assert purged(ana) == 0  # it has never heard the centre
    world.sync(ana)
    with ana.db.write() as session:
        session.execute(update(JournalEvent).values(wall=JournalEvent.wall))
    assert purged(ana) == 0
