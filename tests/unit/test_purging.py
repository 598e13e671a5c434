"""Tokens and decoder keys go when their order is over, whatever ends it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from app.errors import VaultLocked
from app.models.base import utc_now
from app.models.database import Database
from app.models.order import Incident, OrderState, WorkOrder
from app.models.people import Audit
from app.models.token import OVER, OrderToken, VendingRecord
from app.services.token_box import TokenBox
from app.sync.mailbox import _recall
from app.workorders.exchange.import_orders import import_orders
from app.workorders.incoming import bring
from app.workorders.lifecycle import RULES, transition
from app.workorders.purging import Cleared, clear_up
from drivers.sts.token import DecoderKey
from tests.prepayment_setup import box_in, campaign_list

S = OrderState


@dataclass
class Laptop:
    """Six key-change orders with their sets."""

    db: Database
    box: TokenBox
    path: Path

    def orders(self) -> list[WorkOrder]:
        with self.db.read() as session:
            return list(session.scalars(select(WorkOrder).order_by(WorkOrder.number)))

    def sealed(self, order_id: str) -> int:
        with self.db.read() as session:
            rows = session.scalars(select(OrderToken).where(OrderToken.order_id == order_id))
            return sum(bool(row.sealed) for row in rows)

    def drn(self, order_id: str) -> str:
        with self.db.read() as session:
            return session.get_one(VendingRecord, order_id).drn

    def move(self, order_id: str, to: OrderState, role: str) -> None:
        with self.db.write() as session:
            order = session.get_one(WorkOrder, order_id)
            transition(session, order, to, who="D. Ispatcher", role=role, reason="wrong meter")


@pytest.fixture
def laptop(tmp_path) -> Iterator[Laptop]:
    path = tmp_path / "campaign.csv"
    campaign_list(path)
    with Database.open(tmp_path / "data") as db:
        made = Laptop(db, box_in(tmp_path / "data"), path)
        bring(db, path, made.box, campaign="North")
        yield made


def state(laptop: Laptop, order_id: str, to: OrderState) -> None:
    with laptop.db.write() as session:
        session.get_one(WorkOrder, order_id).state = to
        session.add(Incident(order_id=order_id, code="ACCESS.absent"))


ENDS = [
    (before, rule.to, next(iter(sorted(rule.roles))))
    for before, rules in RULES.items()
    for rule in rules
    if rule.to in OVER and before not in OVER and rule.to is not S.DONE
]


@pytest.mark.parametrize(("before", "to", "role"), ENDS)
def test_every_way_in_which_an_order_ends_purges_its_tokens(laptop, before, to, role):
    one, other, *_ = laptop.orders()
    state(laptop, one.order_id, before)
    laptop.move(one.order_id, to, role)
    assert laptop.sealed(one.order_id) == 0
    assert laptop.sealed(other.order_id) == 4
    with laptop.db.read() as session:
        (row,) = session.scalars(select(Audit).where(Audit.act == "tokens.purged"))
    assert (row.who, row.body["tokens"], row.body["state"]) == ("D. Ispatcher", 4, to.value)


def test_a_recall_out_of_the_mailbox_purges_as_well(laptop):
    one = laptop.orders()[0]
    with laptop.db.write() as session:
        _recall(session, one.order_id, {"epoch": one.epoch + 1})
    assert laptop.orders()[0].state == S.RECALLED
    assert laptop.sealed(one.order_id) == 0


def test_a_file_that_cancels_an_order_takes_its_tokens(laptop, tmp_path):
    cancel = tmp_path / "cancel.csv"
    cancel.write_text("reference,action\nKC-2,cancel\n", encoding="utf-8")
    assert import_orders(laptop.db, cancel).cancelled == 1
    assert [laptop.sealed(order.order_id) for order in laptop.orders()] == [4, 0, 4, 4, 4, 4]


def test_a_decoder_key_goes_when_no_open_order_needs_it(laptop):
    one, two, *_ = laptop.orders()
    drn = laptop.drn(one.order_id)
    laptop.box.keep_decoder_key(drn, DecoderKey(bytes(16), 11))
    with laptop.db.write() as session:
        session.get_one(VendingRecord, two.order_id).drn = drn
    laptop.move(one.order_id, S.CANCELLED, "dispatcher")
    assert clear_up(laptop.db, laptop.box) == Cleared(), "order two still needs it"
    laptop.move(two.order_id, S.CANCELLED, "dispatcher")
    assert clear_up(laptop.db, laptop.box) == Cleared(1)
    assert laptop.box.decoder_key(drn) is None
    assert clear_up(laptop.db, laptop.box) == Cleared()


def test_a_locked_keyring_keeps_its_key_until_the_next_start(laptop):
    one = laptop.orders()[0]
    drn = laptop.drn(one.order_id)
    laptop.box.keep_decoder_key(drn, DecoderKey(bytes(16), 11))

    class Locked(TokenBox):
        def drop_decoder_key(self, _drn: str) -> bool:
            raise VaultLocked("locked")

    laptop.move(one.order_id, S.CANCELLED, "dispatcher")
    left = clear_up(laptop.db, Locked(laptop.box._keyring))
    assert left == Cleared(0, kept=1)
    assert "Unlock it" in str(left)
    assert str(Cleared(3)) == "", "nothing to tell where nothing is left"
    assert laptop.box.decoder_key(drn) is not None
    assert clear_up(laptop.db, laptop.box) == Cleared(1)


def test_what_an_older_version_left_is_found_at_the_next_start(laptop):
    one = laptop.orders()[0]
    with laptop.db.write() as session:
        session.get_one(WorkOrder, one.order_id).state = S.CLOSED
    assert laptop.sealed(one.order_id) == 4
    assert clear_up(laptop.db, None) == Cleared(4)
    assert laptop.sealed(one.order_id) == 0


def test_an_order_that_comes_again_takes_its_tokens_again(laptop):
    one = laptop.orders()[0]
    laptop.move(one.order_id, S.DECLINED, "installer")
    assert laptop.sealed(one.order_id) == 0
    with laptop.db.write() as session:
        session.get_one(WorkOrder, one.order_id).state = S.DOWNLOADED
        own = select(OrderToken).where(OrderToken.order_id == one.order_id)
        row = session.scalars(own.order_by(OrderToken.position)).all()[0]
        row.state, row.entered = "accepted", utc_now()
        entered = row.token_id
    assert bring(laptop.db, laptop.path, laptop.box, campaign="North").errors == ()
    assert laptop.sealed(one.order_id) == 3
    with laptop.db.read() as session:
        again = session.get_one(OrderToken, entered)
    assert again.sealed == "", "what the meter has is never kept again"
