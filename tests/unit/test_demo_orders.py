"""The sample orders are due around the day on which the demo is opened."""

from datetime import UTC, date, datetime, timedelta

import pytest

from app.demo import COMMISSION, FIXTURE_SERIAL, sample_orders
from app.models.database import Database
from app.workorders.exchange.import_orders import import_orders
from app.workorders.queue import find_ids, find_order, order_detail, rows
from resources import resource

DAY = date(2031, 3, 4)
READOUT = resource("demo", "readout.txt").read_bytes()


@pytest.fixture
def db(tmp_path):
    with Database.open(tmp_path / "data") as db:
        yield db


def opened_on(db, day):
    path = db.folder / "demo-orders.csv"
    path.write_text(sample_orders(day, READOUT), encoding="utf-8", newline="")
    return import_orders(db, path, who="demo")


def shown(db, day):
    """Give when each order of the queue is due, in words, at noon of a day."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return {row.number: row for row in rows(db, list(find_ids(db)), now=noon, zone=UTC)}


@pytest.mark.parametrize("day", [DAY, date(2028, 2, 29), date(2030, 12, 31)])
def test_a_demo_opened_on_any_day_shows_work_of_that_day_and_one_late_order(db, day):
    assert opened_on(db, day).created == 12
    orders = shown(db, day)
    due = [row.due - day for row in orders.values()]
    assert [row.number for row in orders.values() if row.late] == ["1046"]
    assert due.count(timedelta(0)) >= 3, "today"
    assert due.count(timedelta(1)) >= 2, "tomorrow"
    assert max(due) == timedelta(7), "next week"
    assert orders[COMMISSION].due == day


def test_what_nobody_has_begun_moves_on_with_a_demo_that_is_opened_later(db):
    opened_on(db, DAY)
    assert opened_on(db, DAY).changed == 0, "the same day changes nothing"
    later = DAY + timedelta(days=9)
    again = opened_on(db, later)
    assert (again.created, again.changed, again.errors) == (0, 12, ())
    assert [row.number for row in shown(db, later).values() if row.late] == ["1046"]


def test_the_sample_carries_the_meter_of_the_readout_that_is_played(db):
    opened_on(db, DAY)
    assert order_detail(db, find_order(db, "1044")).row.meter_serial == FIXTURE_SERIAL
