"""Who may take token lists in, enter tokens and tell the vending office on a shared laptop."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from app.errors import NotPermitted
from app.models.database import Database
from app.models.order import WorkOrder
from app.models.token import OrderToken
from app.services.token import token_facts
from app.services.token_alone import enter_alone
from app.services.users import SignedIn, add
from app.tasks import collect
from app.workorders.campaign import export_accepted
from app.workorders.incoming import bring, preview
from app.workorders.token_on_order import enter_on_order, settle_on_order
from drivers.secrets import Secret
from drivers.simulator.tokenoffice import TokenOffice
from tests.fake_meter import Behaviour, Memory
from tests.prepayment_setup import DRN, ISSUED, box_in, campaign_list
from tests.visit_setup import context_for

PASSWORD = "correct horse battery"


@pytest.fixture
def db(tmp_path) -> Iterator[Database]:
    with Database.open(tmp_path / "data") as opened:
        campaign_list(tmp_path / "North.csv")
        yield opened


def shared(db: Database, role: str | None) -> None:
    """Enter people, and let somebody of this role sit there; nobody for None."""
    add(db, "root", "administrator", PASSWORD)
    db.actor = SignedIn("somebody", role) if role else None


def tokens_in(db: Database) -> tuple[int, int]:
    with db.read() as session:
        tables = (WorkOrder, OrderToken)
        orders, tokens = (session.scalar(select(func.count()).select_from(t)) for t in tables)
    return orders or 0, tokens or 0


@pytest.mark.parametrize("role", [None, "agent", "verifier"])
def test_a_token_list_is_neither_looked_into_nor_taken_in_without_the_right(db, tmp_path, role):
    shared(db, role)
    path, box = tmp_path / "North.csv", box_in(tmp_path / "data")
    alone = tmp_path / "tokens.csv"
    alone.write_text(f"reference,credit\nKC-1,{TokenOffice(DRN).credit(1, ISSUED)}\n", "utf-8")
    for file in (path, alone):
        with pytest.raises(NotPermitted):
            preview(db, file, campaign="North")
        with pytest.raises(NotPermitted):
            bring(db, file, box, campaign="North")
    assert tokens_in(db) == (0, 0)


@pytest.mark.parametrize("role", ["installer", "planner", "supervisor"])
def test_who_plans_and_who_works_takes_token_lists_in(db, tmp_path, role):
    shared(db, role)
    assert bring(db, tmp_path / "North.csv", box_in(tmp_path / "data"), campaign="N").tokens == 24


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (None, False),
        ("installer", False),
        ("agent", False),
        ("verifier", False),
        ("security officer", True),
        ("planner", True),
        ("administrator", True),
    ],
)
def test_a_role_is_needed_to_tell_the_vending_office(db, tmp_path, role, may):
    bring(db, tmp_path / "North.csv", box_in(tmp_path / "data"), campaign="North")
    shared(db, role)
    out = tmp_path / "accepted.csv"
    if may:
        assert export_accepted(db, "North", out)[0] == 0
    else:
        with pytest.raises(NotPermitted):
            export_accepted(db, "North", out)
    assert out.exists() is may


@pytest.mark.parametrize("role", [None, "security officer", "planner"])
def test_only_the_field_enters_tokens(db, tmp_path, role):
    bring(db, tmp_path / "North.csv", box_in(tmp_path / "data"), campaign="North")
    shared(db, role)
    digits = TokenOffice(DRN).credit(1, ISSUED)
    token, facts = Secret(digits.encode()), token_facts(digits)

    def opened() -> None:
        raise AssertionError("the meter was opened")

    with pytest.raises(NotPermitted):
        collect(enter_alone(db, opened, token, facts, "somebody"))
    context = context_for(db, Memory(tmp_path / "meter.json"), Behaviour())
    with db.read() as session:
        order_id = session.scalars(select(WorkOrder.order_id)).first()
    with pytest.raises(NotPermitted):
        collect(enter_on_order(context, order_id, token, facts, "reason"))
    with pytest.raises(NotPermitted):
        collect(settle_on_order(context, order_id))
