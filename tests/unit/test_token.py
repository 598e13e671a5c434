"""Token lists, the box they are sealed in, keypads, and the rules around an entry."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from app.errors import BadInput, NotFound, VaultLocked
from app.models.database import Database
from app.models.journal import JournalEvent
from app.models.token import OrderToken, VendingRecord
from app.services.keypad import grouped, keypad_names, keypad_of, load_keypad
from app.services.token import (
    differences,
    key_words,
    plain_digits,
    reading_data,
    reading_from,
    token_facts,
)
from app.services.token_entry import locked_for
from app.services.token_settling import taken
from app.workorders.tokens import import_tokens, token_views
from drivers.metertype import load_meter_type
from drivers.prepayment import PrepaymentReading
from drivers.simulator.tokenoffice import FIRST_KEY, TokenOffice, virtual_key
from tests.prepayment_setup import DRN, ISSUED, SECOND_KEY, box_in
from tests.visit_setup import add_order

OFFICE = TokenOffice(DRN)
CREDIT = OFFICE.credit(5, ISSUED)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def db(tmp_path) -> Iterator[Database]:
    with Database.open(tmp_path / "data") as made:
        add_order(made, external_ref="WO-1")
        yield made


def listed(folder: Path, *rows: dict[str, str]) -> Path:
    path = folder / "tokens.csv"
    lines = [";".join(rows[0]), *(";".join(row.values()) for row in rows)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


# -- the box -------------------------------------------------------------------------------------


def test_what_is_sealed_opens_again_and_looks_like_nothing(tmp_path):
    box = box_in(tmp_path / "data")
    sealed = box.seal(CREDIT)
    assert CREDIT not in sealed
    assert box.open(sealed).reveal() == CREDIT.encode()
    assert box.seal(CREDIT) != sealed
    assert box.fingerprint(CREDIT) == box_in(tmp_path / "data").fingerprint(CREDIT)


def test_digits_sealed_with_another_key_stay_closed(tmp_path):
    sealed = box_in(tmp_path / "one").seal(CREDIT)
    with pytest.raises(VaultLocked):
        box_in(tmp_path / "other").open(sealed)
    with pytest.raises(NotFound):
        box_in(tmp_path / "other").open("")


def test_a_decoder_key_is_shown_as_a_check_value_and_can_be_dropped(tmp_path):
    box = box_in(tmp_path / "data")
    key = virtual_key(DRN, FIRST_KEY)
    check = box.keep_decoder_key(DRN, key)
    assert len(check) == 6
    assert key.value.hex() not in check + repr(key)
    assert box.decoder_key(DRN) == key
    assert box.drop_decoder_key(DRN)
    assert not box.drop_decoder_key(DRN)
    with pytest.raises(BadInput):
        box.keep_decoder_key("12345678904", key)


# -- lists ---------------------------------------------------------------------------------------


def test_a_list_of_one_token_a_row_is_taken_with_its_record(db, tmp_path):
    box = box_in(tmp_path / "data")
    path = listed(
        tmp_path,
        {
            "Reference": "WO-1", "Purpose": "credit", "Token": grouped(CREDIT), "Amount": "5,0",
            "Receipt": "R-7", "DRN": DRN, "Old SGC": "123456", "Old KRN": "1", "Old base": "2014",
        },
    )  # fmt: skip
    made = import_tokens(db, path, box, who="Ana")
    assert (made.orders, made.tokens, made.unchanged, made.errors) == (1, 1, 0, ())
    again = import_tokens(db, path, box, who="Ana")
    assert (again.tokens, again.unchanged) == (0, 1)
    (view,) = token_views(db, "order-1")
    assert (view.amount, view.unit, view.state) == (Decimal("5.0"), "kWh", "open")
    assert CREDIT not in repr(view)
    with db.read() as session:
        record = session.get(VendingRecord, "order-1")
        assert (record.drn, record.old) == (DRN, {"sgc": "123456", "krn": 1, "base": 2014})
        events = [e.body for e in session.scalars(select(JournalEvent))]
    assert not any(CREDIT in body for body in events)


def test_a_workbook_keeps_its_digits_only_as_text(db, tmp_path):
    book = Workbook()
    book.active.append(["reference", "credit"])
    book.active.append(["WO-1", CREDIT])
    book.active.append(["WO-1", int(CREDIT)])
    path = tmp_path / "tokens.xlsx"
    book.save(path)
    made = import_tokens(db, path, box_in(tmp_path / "data"))
    assert made.tokens == 1
    assert [(error.row, "loses digits" in error.problem) for error in made.errors] == [(3, True)]


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({"reference": "WO-2", "credit": CREDIT}, "there is no order"),
        ({"reference": "WO-1", "credit": CREDIT[:-1]}, "20 digits"),
        ({"reference": "WO-1", "test": CREDIT}, "no token for test"),
        ({"reference": "WO-1", "token": CREDIT, "purpose": "gift"}, "no purpose"),
        ({"reference": "WO-1", "credit": CREDIT, "drn": "12345678904"}, "check digit"),
        ({"reference": "WO-1", "credit": CREDIT, "new_base": "2000"}, "1993"),
        ({"reference": "WO-1", "credit": CREDIT, "old_krn": "x"}, "is a number"),
        ({"reference": "WO-1", "credit": CREDIT, "amount": "much"}, "no number"),
    ],
)
def test_a_row_that_cannot_be_used_is_reported_and_leaves_nothing(db, tmp_path, cells, problem):
    made = import_tokens(db, listed(tmp_path, cells), box_in(tmp_path / "data"))
    (error,) = made.errors
    assert problem in error.problem
    assert CREDIT not in repr(error)
    with db.read() as session:
        assert session.scalars(select(OrderToken)).all() == []


def test_a_file_without_an_order_or_a_token_column_is_no_token_list(db, tmp_path):
    for cells in ({"credit": CREDIT}, {"reference": "WO-1", "street": "Oak"}):
        with pytest.raises(BadInput):
            import_tokens(db, listed(tmp_path, cells), box_in(tmp_path / "data"))


# -- what a token is -----------------------------------------------------------------------------


def test_without_a_key_the_class_is_told_and_with_it_what_is_inside():
    assert token_facts(CREDIT).words == "credit"
    assert token_facts(CREDIT, OFFICE.key).words.startswith("credits 5.0")
    quad = OFFICE.key_change(SECOND_KEY)
    assert token_facts(quad[0]).destructive
    assert token_facts(quad[0], OFFICE.key).key_change
    assert not token_facts(OFFICE.test(4)).engineering
    assert token_facts(OFFICE.test(0)).opens_switch
    with pytest.raises(BadInput):
        token_facts(CREDIT, virtual_key(DRN, SECOND_KEY))


def test_digits_may_come_in_groups():
    assert plain_digits(grouped(CREDIT)) == CREDIT
    assert plain_digits(grouped(CREDIT).replace(" ", "-")) == CREDIT


# -- what the meter tells ------------------------------------------------------------------------


def test_the_record_is_compared_in_the_order_of_the_procedure():
    reading = PrepaymentReading(drn=DRN, sgc="000000", ti="01", krn=2, key_type=2)
    wanted = {"drn": "12345678903", "sgc": "123456", "ti": "01", "krn": 1, "ken": 255}
    assert [item.name for item in differences(wanted, reading)] == ["meter number", "SGC", "KRN"]
    assert differences({}, reading) == ()


def test_a_reading_survives_the_database():
    reading = PrepaymentReading(drn=DRN, sgc="123456", krn=1, balance=Decimal("12.50"), unit="kWh")
    assert reading_from(reading_data(reading)) == reading
    assert "credit 12.50 kWh" in key_words(reading)


@pytest.mark.parametrize(
    ("before", "now", "was"),
    [
        (PrepaymentReading(last_token="a"), PrepaymentReading(last_token="a"), False),
        (PrepaymentReading(last_token="a"), PrepaymentReading(last_token="b"), True),
        (PrepaymentReading(balance=Decimal(1)), PrepaymentReading(balance=Decimal(6)), True),
        (PrepaymentReading(balance=Decimal(6)), PrepaymentReading(balance=Decimal(6)), None),
        (PrepaymentReading(), PrepaymentReading(), None),
    ],
)
def test_whether_a_token_was_taken_is_told_by_the_meter_or_not_at_all(before, now, was):
    assert taken(before, now) is was


@pytest.mark.parametrize(
    ("count", "after_s", "left_s"),
    [(0, 0, 0), (2, 0, 0), (3, 0, 10), (3, 4, 6), (3, 11, 0), (4, 0, 20), (20, 0, 1280)],
)
def test_the_pause_after_wrong_entries_doubles(count, after_s, left_s):
    left = locked_for(count, NOW, NOW + timedelta(seconds=after_s))
    assert left == timedelta(seconds=left_s)


# -- keypads -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", keypad_names())
def test_every_keypad_can_be_read_and_says_whether_it_was_verified(name):
    pad = load_keypad(name)
    assert pad.name == name
    assert pad.enter
    if pad.codes and not pad.verified:
        assert "not verified" in pad.hint(*pad.codes)


def test_the_makers_of_the_design_have_their_codes():
    assert load_keypad("hexing").codes["balance"] == "801"
    assert load_keypad("hexing").codes["drn"] == "804"
    assert "054 to 060" in load_keypad("landisgyr").hint("key_data")
    assert load_keypad("conlog").codes["key_data"] == "078"
    assert keypad_of(load_meter_type("hexcell-ddsy1088")).name == "hexcell"
    assert keypad_of(None).name == "generic"
    with pytest.raises(BadInput, match="hexing"):
        load_keypad("nobody")
