"""An answer that was lost: what the meter tells settles the entry, and nothing is entered twice."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.errors import NotPermitted
from app.models.people import Audit
from app.models.token import OrderToken, TokenStep
from app.services.token import token_facts
from app.services.token_alone import enter_alone
from app.services.token_settling import Settled, taken
from app.tasks import Ask, collect
from app.workorders.token_on_order import enter_on_order, settle_on_order
from app.workorders.tokens import token_views
from drivers.dlms.addressing import with_serial
from drivers.dlms.meter import DlmsMeter
from drivers.errors import PortUnavailable
from drivers.metertype import load_meter_type
from drivers.prepayment import PrepaymentReading, TokenAnswer
from drivers.secrets import Secret, Secrets
from drivers.simulator import hexcell
from tests.prepayment_setup import ISSUED, SERIAL, Place


class LosesTheAnswer(DlmsMeter):
    """The cable is pulled after the token went out."""

    def enter_token(self, token: Secret) -> TokenAnswer:
        super().enter_token(token)
        raise PortUnavailable("the cable was pulled")


class LosesTheToken(DlmsMeter):
    """The cable is pulled before the token went out."""

    def enter_token(self, token: Secret) -> TokenAnswer:
        raise PortUnavailable("the cable was pulled")


class TellsLittle(DlmsMeter):
    """A meter that tells neither its last token nor its credit."""

    def prepayment(self) -> PrepaymentReading:
        return PrepaymentReading(sgc="123456")


@pytest.fixture
def place(tmp_path) -> Iterator[Place]:
    made = Place(tmp_path / "data")
    yield made
    made.close()


def meter(place: Place, kind: type[DlmsMeter]) -> DlmsMeter:
    meter_type = with_serial(load_meter_type("hexcell-ddsy1088"), SERIAL)
    return kind(place.link, meter_type, Secrets(password=Secret(hexcell.PASSWORD)))


def context(place: Place, kind: type[DlmsMeter] = DlmsMeter):
    return replace(place.context(), open_meter=lambda _name: meter(place, kind))


def lost(place: Place, kind: type[DlmsMeter], token: str) -> None:
    with pytest.raises(PortUnavailable):
        collect(
            enter_on_order(
                context(place, kind), place.order, Secret(token.encode()), token_facts(token), ""
            )
        )


def entered(place: Place) -> list[str]:
    return [item.shown for item in place.account.history]


def test_a_token_that_the_meter_took_is_already_accepted_and_its_digits_go(place):
    token = place.office.credit(5, ISSUED)
    lost(place, LosesTheAnswer, token)
    facts = token_facts(token)
    with pytest.raises(NotPermitted, match="token settle"):
        collect(enter_on_order(context(place), place.order, Secret(token.encode()), facts, ""))
    (settled,), _ = collect(settle_on_order(context(place), place.order))
    assert settled.settled is Settled.ACCEPTED
    assert str(settled) == f"Token {facts.shown}: already accepted"
    with place.db.read() as session:
        (row,) = session.scalars(select(OrderToken))
    assert (row.state, row.sealed, row.code) == (TokenStep.ACCEPTED, "", 1)
    assert len(entered(place)) == 1
    assert collect(settle_on_order(context(place), place.order))[0] == []


def test_a_token_that_never_arrived_may_be_entered_again_and_is_not_by_itself(place):
    token = place.office.credit(5, ISSUED)
    lost(place, LosesTheToken, token)
    (settled,), _ = collect(settle_on_order(context(place), place.order))
    assert settled.settled is Settled.NOT_ENTERED
    assert entered(place) == []
    facts = token_facts(token)
    task = enter_on_order(context(place), place.order, Secret(token.encode()), facts, "")
    assert collect(task)[0].code == 1
    assert len(entered(place)) == 1


def test_what_nobody_can_tell_stays_open_and_is_for_the_vending_office(place):
    lost(place, LosesTheAnswer, place.office.credit(5, ISSUED))
    dumb = context(place, TellsLittle)
    with pytest.raises(NotPermitted, match="ask the vending office"):
        collect(settle_on_order(dumb, place.order), {"token.t1_unclear": "Nobody can tell"})
    assert token_views(place.db, place.order)[0].state == TokenStep.INTENDED
    (settled,), events = collect(
        settle_on_order(dumb, place.order), {"token.t1_unclear": "It was taken"}
    )
    assert settled.settled is Settled.ACCEPTED
    (question,) = [event for event in events if isinstance(event, Ask)]
    assert question.choices == ("It was not entered", "It was taken", "Nobody can tell")
    assert "Before: SGC 123456" in question.detail


def test_without_a_line_the_display_settles_it(place):
    lost(place, LosesTheAnswer, place.office.credit(5, ISSUED))
    (settled,), _ = collect(
        settle_on_order(place.context(wire=False), place.order), {"token.t1_unseen": "Used"}
    )
    assert settled.settled is Settled.REFUSED


def test_a_visit_settles_what_was_entered_outside_its_steps(place):
    place.tokens(**place.standard_set())
    lost(place, LosesTheAnswer, place.office.credit(5, ISSUED.replace(hour=12)))
    assert place.work().state == "done"
    notices = [event.item for event in place.events if getattr(event, "what", "") == "notice"]
    assert len(notices) == 1
    assert notices[0].endswith("already accepted")
    shown = entered(place)
    assert len(shown) == len(set(shown)) == 7


def alone(place: Place, kind: type[DlmsMeter], token: str):
    facts = token_facts(token)
    secret = Secret(token.encode())
    return collect(enter_alone(place.db, lambda: meter(place, kind), secret, facts, "A. Sample"))


def test_a_token_without_an_order_is_settled_before_it_is_entered_again(place):
    token = place.office.credit(5, ISSUED)
    with pytest.raises(PortUnavailable):
        alone(place, LosesTheAnswer, token)
    with pytest.raises(NotPermitted, match="already accepted"):
        alone(place, DlmsMeter, token)
    assert len(entered(place)) == 1
    with place.db.read() as session:
        acts = list(session.scalars(select(Audit).where(Audit.act == "token.entered")))
    assert [row.body["outcome"] for row in acts] == ["unknown", "already accepted"]


def test_a_token_without_an_order_that_never_arrived_is_entered(place):
    token = place.office.credit(5, ISSUED)
    with pytest.raises(PortUnavailable):
        alone(place, LosesTheToken, token)
    assert alone(place, DlmsMeter, token)[0].code == 1


READING = PrepaymentReading(sgc="600727", krn=1, balance=Decimal(10), last_token="a")


def row(purpose: str, amount: Decimal | None = None) -> OrderToken:
    return OrderToken(
        order_id="1", position=1, purpose=purpose, shown="", sealed="", fingerprint="",
        token_class=0, amount=amount,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("purpose", "amount", "change", "was"),
    [
        ("key_change", None, {"krn": 2, "last_token": ""}, True),
        ("key_change", None, {}, False),
        ("key_change", None, {"last_token": "b"}, True),
        ("credit", None, {"krn": 2, "last_token": ""}, None),
        ("credit", Decimal(5), {"last_token": "b", "balance": Decimal("14.8")}, True),
        ("credit", Decimal(5), {"last_token": "b", "balance": Decimal("9.9")}, None),
        ("credit", Decimal(5), {"last_token": "", "balance": Decimal("9.9")}, None),
        ("credit", Decimal(5), {"last_token": "", "balance": Decimal("14.8")}, True),
        ("credit", Decimal(5), {"last_token": "", "balance": Decimal("11.0")}, None),
    ],
)
def test_key_last_token_and_credit_are_the_evidence_in_this_order(purpose, amount, change, was):
    assert taken(READING, replace(READING, **change), row(purpose, amount)) is was


def test_a_token_of_the_key_change_set_is_not_entered_past_its_approval(place):
    listed = place.standard_set()
    place.tokens(**listed)
    token = listed["kct_1"]
    task = enter_on_order(
        context(place), place.order, Secret(token.encode()), token_facts(token), "in a hurry"
    )
    with pytest.raises(NotPermitted, match="part of a key-change set"):
        collect(task)
    assert entered(place) == []
