"""A file that comes again, changes or cancels orders, and what an import leaves behind."""

import csv
import json

import pytest
from sqlalchemy import func, select

from app.errors import Cancelled
from app.models.journal import JournalEvent
from app.models.order import OrderState
from app.models.place import Customer, Site, UsagePoint
from app.tasks import Cancel, run
from app.workorders import lifecycle
from app.workorders.exchange.import_orders import import_orders
from app.workorders.queue import QueueFilter, find_ids, find_order, rows
from resources import resource
from tests.unit.order_files import HEAD, counts, db, everything, one, written

__all__ = ["db", "written"]

# --- importing again --------------------------------------------------------------------------


@pytest.fixture
def sample(tmp_path):
    path = tmp_path / "sample.csv"
    path.write_text(resource("demo", "orders.csv").read_text(encoding="utf-8"), encoding="utf-8")
    return path


def test_importing_a_file_twice_changes_nothing(db, sample):
    assert counts(import_orders(db, sample, who="ada")) == (12, 0, 0, 0)
    before = everything(db)
    assert counts(import_orders(db, sample, who="ada")) == (0, 0, 12, 0)
    assert everything(db) == before


def test_importing_again_after_work_has_begun_is_no_error(db, sample):
    import_orders(db, sample)
    lifecycle.start(db, find_order(db, "1043"), who="ada")
    before = everything(db)
    assert counts(import_orders(db, sample)) == (0, 0, 12, 0)
    assert everything(db) == before


@pytest.mark.parametrize(
    ("column", "value"), [(1, "remove"), (2, "Mill 9"), (3, "Somebody else"), (4, "63 A")]
)
def test_an_order_that_was_started_is_never_overwritten(db, written, column, value):
    row = ["1", "install", "Oak 1", "Bakery", "40 A"]
    head = f"{HEAD},customer,fuse"
    import_orders(db, written([head, ",".join(row)]))
    lifecycle.start(db, find_order(db, "1"), who="ada")
    before = everything(db)
    row[column] = value
    result = import_orders(db, written([head, ",".join(row), "2,install,Oak 2,B,40 A"]))
    assert counts(result) == (1, 0, 0, 1)
    assert "order 1 is started" in result.errors[0].problem
    assert [table[: len(old)] for table, old in zip(everything(db), before, strict=True)] == before


def test_a_changed_row_changes_its_order_and_tells_the_journal(db, written):
    import_orders(db, written([f"{HEAD},note", "1,install,Oak 1,old", "2,install,Oak 2,same"]))
    result = import_orders(
        db, written([f"{HEAD},note", "1,install,Oak 1,new", "2,install,Oak 2,same"])
    )
    assert counts(result) == (0, 1, 1, 0)
    detail = one(db, "1")
    assert (detail.note, detail.revision) == ("new", 2)
    with db.read() as session:
        events = session.scalars(
            select(JournalEvent.body).where(JournalEvent.order_id == detail.row.order_id)
        ).all()
    assert [json.loads(body)["note"] for body in events] == ["old", "new"]


def test_a_column_that_is_not_in_the_file_takes_nothing_away(db, written):
    import_orders(db, written([f"{HEAD},town,meter,note", "1,install,Oak 1,Ashwick,007,call"]))
    import_orders(db, written([f"{HEAD},town", "1,install,Oak 1,Ashwick"]))
    detail = one(db, "1")
    assert (detail.row.meter_serial, detail.note) == ("007", "call")


def test_rows_that_contradict_each_other_about_a_site_settle_at_once(db, written):
    lines = [f"{HEAD},hazards", "1,install,Oak 1,Dog", "2,remove,Oak 1,Geese", "3,inspect,Oak 1,"]
    first = import_orders(db, written(lines))
    assert any("hazards Geese of the site contradicts Dog" in remark for remark in first.remarks)
    assert counts(import_orders(db, written(lines))) == (0, 0, 3, 0)
    assert one(db, "3").site.hazards == "Dog"


def test_news_about_a_site_reach_every_order_there(db, written):
    import_orders(db, written([f"{HEAD},hazards", "1,install,Oak 1,", "2,remove,Oak 1,"]))
    result = import_orders(db, written([f"{HEAD},hazards", "1,install,Oak 1,Dog"]))
    assert counts(result) == (0, 1, 0, 0)
    assert one(db, "2").site.hazards == "Dog"


def test_orders_at_one_site_share_it(db, sample):
    import_orders(db, sample)
    with db.read() as session:
        totals = [
            session.scalar(select(func.count()).select_from(table))
            for table in (Site, Customer, UsagePoint)
        ]
    assert totals == [5, 12, 12]


def test_a_dry_run_counts_and_changes_nothing(db, sample, written):
    assert counts(import_orders(db, sample, dry_run=True)) == (12, 0, 0, 0)
    assert everything(db) == [[], [], [], [], []]
    import_orders(db, sample)
    before = everything(db)
    cancel = written([f"{HEAD},source,action", "NP-2026-1043,commission,x,Northfield,cancel"])
    assert import_orders(db, cancel, dry_run=True).cancelled == 1
    assert everything(db) == before


def test_a_stopped_import_leaves_nothing_behind(db, sample):
    cancel = Cancel()

    def task():
        cancel.press()
        import_orders(db, sample)
        yield from ()

    with pytest.raises(Cancelled):
        run(task(), lambda event: None, cancel)
    assert everything(db) == [[], [], [], [], []]


# --- cancelling by file -----------------------------------------------------------------------


def test_a_cancel_file_cancels_what_was_not_begun(db, written):
    import_orders(db, written([HEAD, "1,install,a", "2,install,b", "3,install,c"]))
    lifecycle.start(db, find_order(db, "2"), who="ada")
    lines = ["reference,action", "1,cancel", "2,cancel", "9,cancel"]
    result = import_orders(db, written(lines), who="office")
    assert (result.cancelled, result.changed, len(result.errors)) == (1, 1, 2)
    assert one(db, "1").row.state == OrderState.CANCELLED
    assert one(db, "2").row.state == OrderState.STARTED
    again = import_orders(db, written(lines))
    assert (again.cancelled, again.unchanged) == (0, 1)


def test_an_order_that_was_cancelled_does_not_come_back_by_the_old_file(db, written):
    old = written([HEAD, "1,install,a"], name="old.csv")
    import_orders(db, old)
    import_orders(db, written(["reference,action", "1,cancel"]))
    assert counts(import_orders(db, old)) == (0, 0, 1, 0)
    assert one(db, "1").row.state == OrderState.CANCELLED


def test_an_unknown_action_is_an_error(db, written):
    result = import_orders(db, written([f"{HEAD},action", "1,install,a,explode"]))
    assert result.errors[0].column == "action"


# --- what is left behind ----------------------------------------------------------------------


def test_the_sample_shows_twelve_orders_ready_to_be_worked(db, sample):
    import_orders(db, sample, who="ada")
    found = rows(db, find_ids(db, QueueFilter(order_by="number")))
    assert [row.number for row in found] == [str(number) for number in range(1043, 1055)]
    assert {row.state for row in found} == {"downloaded"}
    assert found[0].meter_serial == "50284117"
    assert found[10].meter_serial == "00977311"
    by_name = rows(db, find_ids(db, QueueFilter(text="oberg lukasz")))
    assert [row.number for row in by_name] == ["1053"]


def test_the_journal_gets_the_whole_order(db, sample):
    import_orders(db, sample, who="ada")
    with db.read() as session:
        event = session.scalars(select(JournalEvent).order_by(JournalEvent.seq)).first()
    body = json.loads(event.body)
    assert event.kind == "order.imported"
    assert (body["number"], body["state"], body["priority"]) == ("1043", "downloaded", 1)
    assert body["site"]["hazards"] == "Dog in the yard"
    assert body["usage_point"]["fuse"] == "63 A"
    assert body["who"] == "ada"
    assert event.order_id == find_order(db, "1043")


def test_failing_rows_are_written_beside_with_their_problems(db, written, tmp_path):
    target = tmp_path / "errors.csv"
    path = written([f"{HEAD},due,note", "1,install,a,,", "2,x,b,soon,=HYPERLINK(1)"])
    import_orders(db, path, error_file=target)
    head, row = csv.reader(target.read_text(encoding="utf-8-sig").splitlines())
    assert head == ["reference", "type", "street", "due", "note", "row", "problem"]
    assert row[:6] == ["2", "x", "b", "soon", "'=HYPERLINK(1)", "3"]
    assert "due: write the date" in row[6]


def test_without_failing_rows_there_is_no_error_file(db, written, tmp_path):
    import_orders(db, written([HEAD, "1,install,a"]), error_file=tmp_path / "errors.csv")
    assert not (tmp_path / "errors.csv").exists()
