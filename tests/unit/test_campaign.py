"""Key-change campaigns: a list becomes orders, each meter has its status, what is done goes out."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from app.errors import BadInput, NotFound, VaultLocked
from app.models.base import utc_now
from app.models.database import Database
from app.models.order import Incident, WorkOrder
from app.models.token import OrderToken, TokenStep, VendingRecord
from app.services.token_box import TokenBox
from app.workorders.campaign import (
    MeterStatus,
    campaign_names,
    campaign_status,
    export_accepted,
    import_campaign,
)
from drivers.simulator.tokenoffice import TokenOffice, drn_of
from tests.prepayment_setup import SECOND_KEY, box_in, campaign_list

SERIALS = [f"4600075{n:04}" for n in range(1, 7)]


@dataclass
class Office:
    """A data folder with a campaign of six meters."""

    folder: Path
    db: Database
    box: TokenBox
    path: Path
    tokens: list[str]


@pytest.fixture
def office(tmp_path) -> Iterator[Office]:
    path = tmp_path / "campaign.csv"
    tokens = campaign_list(path)
    with Database.open(tmp_path / "data") as db:
        yield Office(tmp_path, db, box_in(tmp_path / "data"), path, tokens)


def test_a_list_of_meters_becomes_key_change_orders_with_their_sets(office):
    made = import_campaign(office.db, office.path, "North 2026", office.box)
    assert (made.created, made.tokens, made.errors) == (6, 24, ())
    with office.db.read() as session:
        orders = list(session.scalars(select(WorkOrder)))
    assert {(order.kind, order.procedure, order.queue) for order in orders} == {
        ("key_change", "key_change", "North 2026")
    }
    assert campaign_names(office.db) == ["North 2026"]


def test_importing_a_campaign_twice_changes_nothing(office):
    import_campaign(office.db, office.path, "North 2026", office.box)
    again = import_campaign(office.db, office.path, "North 2026", office.box)
    assert (again.created, again.tokens, again.errors) == (0, 0, ())


def test_each_meter_has_its_status(office):
    import_campaign(office.db, office.path, "North", office.box)
    meters = campaign_status(office.db, "North").meters
    ways = {
        0: [TokenStep.PART, TokenStep.OPEN, TokenStep.OPEN, TokenStep.OPEN],
        1: [TokenStep.PART] * 3 + [TokenStep.ACCEPTED],
        2: [TokenStep.PART] * 3 + [TokenStep.ACCEPTED],
        3: [TokenStep.PART, TokenStep.REFUSED, TokenStep.OPEN, TokenStep.OPEN],
    }
    with office.db.write() as session:
        for place, states in ways.items():
            rows = session.scalars(
                select(OrderToken)
                .where(OrderToken.order_id == meters[place].order_id)
                .order_by(OrderToken.position)
            )
            for row, state in zip(rows, states, strict=True):
                row.state, row.entered = state, utc_now()
        session.get_one(VendingRecord, meters[2].order_id).verified = utc_now()
        session.add(Incident(order_id=meters[4].order_id, code="ACCESS.absent"))
    status = campaign_status(office.db, "North")
    assert [meter.status for meter in status.meters] == [
        MeterStatus.BEGUN,
        MeterStatus.COMPLETE,
        MeterStatus.VERIFIED,
        MeterStatus.REFUSED,
        MeterStatus.NO_ACCESS,
        MeterStatus.WAITING,
    ]
    assert set(status.counts.values()) == {1}
    path = office.folder / "accepted.csv"
    count, sha256 = export_accepted(office.db, "North", path)
    assert (count, len(sha256)) == (1, 64)
    (row,) = csv.DictReader(path.read_text("utf-8-sig").splitlines())
    assert row["drn"] == drn_of(SERIALS[2])
    assert (row["old_krn"], row["new_krn"], row["new_sgc"], row["new_ti"]) == (
        "1", "2", SECOND_KEY.sgc, "07",
    )  # fmt: skip
    assert row["verified_at"].endswith("Z")
    assert not any(token in path.read_text("utf-8-sig") for token in office.tokens)
    assert campaign_status(office.db, "North").meters[2].exported is not None


def test_a_row_with_a_damaged_token_is_reported_without_its_digits(office):
    text = office.path.read_text("utf-8")
    broken = text.replace(office.tokens[5], office.tokens[5][:-1])
    office.path.write_text(broken, encoding="utf-8")
    made = import_campaign(office.db, office.path, "North", office.box)
    assert made.created == 6
    assert [error.row for error in made.errors] == [3]
    assert office.tokens[5][:-1] not in repr(made.errors)


def test_a_number_cell_and_a_token_of_the_wrong_class_are_refused(office):
    credit = TokenOffice(drn_of(SERIALS[0])).test(5)
    text = office.path.read_text("utf-8").replace(office.tokens[0], credit)
    office.path.write_text(text, encoding="utf-8")
    (error,) = import_campaign(office.db, office.path, "North", office.box).errors
    assert "no token for key change" in error.problem
    assert credit not in error.problem


def test_a_locked_keyring_makes_no_order(office):
    class Locked:
        def list(self):
            raise VaultLocked("locked")

    with pytest.raises(VaultLocked):
        import_campaign(office.db, office.path, "North", TokenBox(Locked()))
    with office.db.read() as session:
        assert session.scalars(select(WorkOrder)).all() == []


def test_a_campaign_needs_a_name_and_must_exist(office):
    with pytest.raises(BadInput):
        import_campaign(office.db, office.path, " ", office.box)
    with pytest.raises(NotFound):
        campaign_status(office.db, "South")
