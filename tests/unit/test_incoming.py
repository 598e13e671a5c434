"""Files that come in from the window: what they are, what they would bring, and nothing more."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.errors import BadInput, VaultLocked
from app.models.database import Database
from app.models.order import WorkOrder
from app.models.token import OrderToken
from app.workorders.campaign import campaign_names, campaign_status
from app.workorders.incoming import FileKind, bring, file_kind, preview
from tests.prepayment_setup import box_in, campaign_list
from tests.visit_setup import add_order


@pytest.fixture
def db(tmp_path) -> Iterator[Database]:
    with Database.open(tmp_path / "data") as opened:
        yield opened


def rows_in(db: Database) -> tuple[int, int]:
    with db.read() as session:
        tables = (WorkOrder, OrderToken)
        orders, tokens = (session.scalar(select(func.count()).select_from(t)) for t in tables)
    return orders or 0, tokens or 0


def written(path: Path, **cells: str) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([cells, cells.values()])
    return path


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        (("reference", "kind", "street"), FileKind.ORDERS),
        (("Reference", "Type", "Address", "KCT 1"), FileKind.WITH_TOKENS),
        (("reference", "street", "kct_1", "kct_2"), FileKind.CAMPAIGN),
        (("reference", "token", "purpose"), FileKind.TOKENS),
        (("order", "new_sgc"), FileKind.TOKENS),
        (("reference", "action"), FileKind.ORDERS),
    ],
)
def test_the_columns_say_what_a_file_brings(columns, kind):
    assert file_kind(columns) is kind


def test_a_campaign_is_looked_into_before_it_is_taken_in(db, tmp_path):
    path = tmp_path / "North_2026.csv"
    tokens = campaign_list(path, damaged=True)
    told = preview(db, path, campaign="North 2026")
    assert (told.kind, told.created, told.tokens) == (FileKind.CAMPAIGN, 6, 20)
    (error,) = told.errors
    assert error.row == 7
    assert error.problem == "key change 2: a token has 20 digits"
    assert not any(token[:8] in repr(told) for token in tokens)
    assert rows_in(db) == (0, 0)
    assert campaign_names(db) == []
    made = bring(db, path, box_in(tmp_path / "data"), campaign="North 2026")
    assert (made.created, made.tokens, made.errors) == (6, 20, told.errors)
    assert campaign_status(db, "North 2026").counts["waiting"] == 6


def test_a_token_list_makes_no_orders(db, tmp_path):
    add_order(db, external_ref="WO-1")
    token = campaign_list(tmp_path / "list.csv", 1)[0]
    path = written(tmp_path / "t.csv", reference="WO-1", token=token, purpose="key change")
    assert preview(db, path).tokens == 1
    assert rows_in(db) == (1, 0)
    assert bring(db, path, box_in(tmp_path / "data")).tokens == 1
    assert rows_in(db) == (1, 1)


def test_a_token_for_an_order_that_is_not_there_is_named_in_the_preview(db, tmp_path):
    token = campaign_list(tmp_path / "list.csv", 1)[0]
    path = written(tmp_path / "t.csv", reference="WO-9", token=token, purpose="key change")
    told = preview(db, path)
    assert told.tokens == 0
    assert told.errors[0].problem == "there is no order 'WO-9'"


def test_orders_bring_their_tokens_from_the_window_too(db, tmp_path):
    token = campaign_list(tmp_path / "list.csv", 1)[0]
    path = written(
        tmp_path / "o.csv", reference="WO-2", kind="key_change", street="Quay 7", kct_1=token
    )
    told = preview(db, path)
    assert (told.kind, told.created, told.tokens) == (FileKind.WITH_TOKENS, 1, 1)
    assert told.remarks == (), "columns of tokens are used"
    made = bring(db, path, box_in(tmp_path / "data"))
    assert (made.created, made.tokens) == (1, 1)
    assert token.encode() not in (tmp_path / "data" / "local.sqlite").read_bytes()


def test_without_a_keyring_nothing_goes_in(db, tmp_path):
    path = tmp_path / "c.csv"
    campaign_list(path)
    with pytest.raises(VaultLocked):
        bring(db, path, None, campaign="North")
    assert rows_in(db) == (0, 0)


def test_a_campaign_without_a_name_is_refused(db, tmp_path):
    path = tmp_path / "c.csv"
    campaign_list(path)
    with pytest.raises(BadInput, match="needs a name"):
        bring(db, path, box_in(tmp_path / "data"), campaign="  ")
    assert rows_in(db) == (0, 0)
