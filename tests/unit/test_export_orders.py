"""Results out to files: what is refused, what spreadsheets must not do to them, what they hold."""

import csv
import hashlib
import json
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from app.errors import BadInput
from app.models.database import Database
from app.models.journal import append, event_hash
from app.models.measured import StoredReading
from app.models.order import Incident, WorkOrder
from app.workorders.exchange.export_orders import export_orders
from app.workorders.queue import QueueFilter


@pytest.fixture
def db(tmp_path):
    with Database.open(tmp_path / "data") as database:
        with database.write() as session:
            for number, state in (("0043", "done"), ("44", "accepted")):
                order = WorkOrder(
                    order_id=number,
                    number=number,
                    state=state,
                    title="=cmd|' /C calc'!A0",
                    meter_serial="00977311",
                    external_ref="@SUM(1)" if number == "44" else "NP-43",
                )
                session.add(order)
                append(session, "order.imported", {"title": "Öl\u2028"}, order_id=number, epoch=1)
            session.flush()
            session.add(
                StoredReading(
                    order_id="0043",
                    meter_serial="00977311",
                    code="1.8.0",
                    value=Decimal("012345.6780"),
                    unit="kWh",
                )
            )
            session.add(
                StoredReading(order_id="0043", meter_serial="00977311", code="P", value=Decimal(-5))
            )
            session.add(Incident(order_id="44", code="ADMIN.weather", note="+49 storm\n-x"))
        yield database


def table(path):
    return list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines(keepends=True)))


def named(rows):
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


@pytest.mark.parametrize("name", ["results", "results.pdf", "no-such-folder/results.csv"])
def test_a_place_that_cannot_be_written_is_refused(db, tmp_path, name):
    with pytest.raises(BadInput):
        export_orders(db, tmp_path / name)


@pytest.mark.parametrize("suffix", [".jsonl", ".xlsx"])
def test_a_target_that_is_a_folder_leaves_no_rest_behind(db, tmp_path, suffix):
    folder = tmp_path / "out"
    (folder / f"results{suffix}").mkdir(parents=True)
    with pytest.raises(BadInput, match="cannot be written"):
        export_orders(db, folder / f"results{suffix}")
    assert [path.name for path in folder.iterdir()] == [f"results{suffix}"]


def test_cells_that_look_like_formulas_are_escaped_in_csv(db, tmp_path):
    export_orders(db, tmp_path / "r.csv")
    by_number = {row["number"]: row for row in named(table(tmp_path / "r-orders.csv"))}
    assert by_number["44"]["reference"] == "'@SUM(1)"
    (incident,) = named(table(tmp_path / "r-incidents.csv"))
    assert incident["note"] == "'+49 storm\n-x"


def test_zeros_in_front_digits_and_minus_signs_are_kept(db, tmp_path):
    export_orders(db, tmp_path / "r.csv")
    registers = named(table(tmp_path / "r-registers.csv"))
    assert {row["value"] for row in registers} == {"12345.6780", "-5"}
    assert {row["meter_serial"] for row in registers} == {"00977311"}
    assert {row["number"] for row in registers} == {"0043"}


def test_a_workbook_holds_text_only(db, tmp_path):
    export_orders(db, tmp_path / "r.xlsx")
    book = load_workbook(tmp_path / "r.xlsx")
    assert book.sheetnames == ["orders", "registers", "incidents"]
    kinds = {cell.data_type for sheet in book for row in sheet for cell in row}
    assert kinds <= {"s", "n"}, "n is what an empty cell says"
    assert not any(
        isinstance(cell.value, int | float) for sheet in book for row in sheet for cell in row
    )


@pytest.mark.parametrize("name", ["r.csv", "r.xlsx", "r.jsonl"])
def test_the_hash_is_that_of_the_file_on_the_disk(db, tmp_path, name):
    written = export_orders(db, tmp_path / name)
    assert written
    for file, sha256 in written.items():
        assert hashlib.sha256((tmp_path / file).read_bytes()).hexdigest() == sha256


def test_the_filter_chooses_the_orders(db, tmp_path):
    export_orders(db, tmp_path / "r.csv", chosen=QueueFilter(states=frozenset({"done"})))
    assert [row["number"] for row in named(table(tmp_path / "r-orders.csv"))] == ["0043"]
    assert named(table(tmp_path / "r-incidents.csv")) == []


def test_the_journal_is_complete_and_its_hashes_can_be_computed_again(db, tmp_path):
    export_orders(db, tmp_path / "r.jsonl")
    lines = (tmp_path / "r.jsonl").read_bytes().decode().split("\n")
    events = [json.loads(line) for line in lines if line]
    assert [event["seq"] for event in events] == [1, 2]
    for event in events:
        names = ("event_id", "order_id", "epoch", "kind", "schema_v", "body")
        assert event_hash(**{name: event[name] for name in names}) == event["sha256"]


def test_an_empty_queue_gives_heads_only(tmp_path):
    with Database.open(tmp_path / "empty") as db:
        export_orders(db, tmp_path / "r.csv")
        export_orders(db, tmp_path / "r.jsonl")
    assert len(table(tmp_path / "r-orders.csv")) == 1
    assert (tmp_path / "r.jsonl").read_bytes() == b""
