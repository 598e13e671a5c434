"""Orders in from files: broken files and rows first, then what a good one leaves behind."""

import csv
import io
import json
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import xlsxwriter
from sqlalchemy import func, select

from app.errors import BadInput, Cancelled
from app.models.database import Database
from app.models.journal import JournalEvent
from app.models.order import OrderState, WorkOrder
from app.models.place import Customer, Site, UsagePoint
from app.tasks import Cancel, run
from app.workorders import lifecycle
from app.workorders.exchange.import_orders import import_orders
from app.workorders.exchange.mapping import (
    MappingProfile,
    find_mapping,
    mapping_names,
    save_mapping,
)
from app.workorders.queue import QueueFilter, find_ids, find_order, order_detail, rows
from resources import resource

HEAD = "reference,type,street"


@pytest.fixture
def db(tmp_path):
    with Database.open(tmp_path / "data") as database:
        yield database


@pytest.fixture
def written(tmp_path):
    """Write a file of the given text, lines or bytes and return its path."""

    def write(content, name="orders.csv", encoding="utf-8"):
        path = tmp_path / name
        if isinstance(content, list):
            content = "\n".join(content) + "\n"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


@pytest.fixture
def book(tmp_path):
    """Write an XLSX file; a cell may be a function that writes itself."""

    def write(table, name="orders.xlsx"):
        path = tmp_path / name
        with xlsxwriter.Workbook(path) as workbook:
            sheet = workbook.add_worksheet()
            for row, cells in enumerate(table):
                for column, cell in enumerate(cells):
                    if callable(cell):
                        cell(workbook, sheet, row, column)
                    elif isinstance(cell, str):
                        sheet.write_string(row, column, cell)
                    elif cell is not None:
                        sheet.write_number(row, column, cell)
        return path

    return write


def formula(text, shown=0):
    return lambda _book, sheet, row, column: sheet.write_formula(row, column, text, None, shown)


def day(value):
    def write(workbook, sheet, row, column):
        style = workbook.add_format({"num_format": "dd.mm.yyyy"})
        sheet.write_datetime(row, column, value, style)

    return write


def counts(result):
    return result.created, result.changed, result.unchanged, len(result.errors)


def one(db, number):
    return order_detail(db, find_order(db, number))


def everything(db):
    """Return all that an import may touch, for comparing before and after."""
    with db.read() as session:
        return [
            [tuple(row) for row in session.execute(select(*table.__table__.columns))]
            for table in (WorkOrder, Site, Customer, UsagePoint, JournalEvent)
        ]


# --- files that cannot be used at all ---------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"  \r\n \n",
        b"\x00\x01\x02\x03" * 50,
        b"\xd0\xcf\x11\xe0old excel",
        b"PK\x03\x04 half a file",
        b"\xff\xfex",
        b"reference,type,street\n\x81\x8d\x8f,a,b\n",
        b'"reference,type,street\n1,install,x\n',
    ],
)
def test_a_file_that_is_no_table_is_refused_and_changes_nothing(db, written, content):
    with pytest.raises(BadInput):
        import_orders(db, written(content))
    assert everything(db) == [[], [], [], [], []]


def test_a_file_that_is_not_there_is_refused(db, tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        import_orders(db, tmp_path / "nothing.csv")
    with pytest.raises(BadInput, match="cannot be read"):
        import_orders(db, tmp_path)


def test_missing_columns_are_named_with_those_found(db, written):
    with pytest.raises(BadInput) as told:
        import_orders(db, written(["reference,colour", "1,red"]))
    assert "kind, street" in str(told.value)
    assert "'colour'" in str(told.value)


def test_two_columns_of_one_meaning_are_refused(db, written):
    with pytest.raises(BadInput, match="both the kind"):
        import_orders(db, written(["reference,type,kind,street", "1,install,install,x"]))


def test_a_zip_that_is_no_workbook_is_refused(db, tmp_path):
    path = tmp_path / "orders.xlsx"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("hello.txt", "hello")
    with pytest.raises(BadInput, match="no XLSX file"):
        import_orders(db, path)


def test_half_a_workbook_is_refused(db, book, tmp_path):
    whole = book([["reference", "type", "street"], ["1", "install", "x"]]).read_bytes()
    path = tmp_path / "half.xlsx"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput):
        import_orders(db, path)


# --- rows that cannot be used -----------------------------------------------------------------


def test_a_file_cut_in_the_last_row_loses_only_that_row(db, written):
    result = import_orders(db, written(f"{HEAD},town\n1,install,Oak 1,Ashwick\n2,install,Oa"))
    assert counts(result) == (1, 0, 0, 1)
    assert result.errors[0].row == 3
    assert "is the file whole" in result.errors[0].problem


def test_a_file_cut_inside_quotes_says_from_where_it_cannot_be_read(db, written):
    result = import_orders(db, written(f'{HEAD}\n1,install,Oak 1\n2,install,"Oak 2\n3,install,x\n'))
    assert counts(result) == (1, 0, 0, 1)
    assert (result.errors[0].row, result.errors[0].problem[:17]) == (3, "from here on the ")


def test_a_row_with_too_many_cells_is_not_guessed_at(db, written):
    result = import_orders(db, written([HEAD, "1,install,14, Oak Street"]))
    assert "4 cells under 3 columns" in result.errors[0].problem


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("type", "instal"),
        ("type", ""),
        ("street", "  "),
        ("reference", ""),
        ("due", "11/25/2026"),
        ("due", "31.02.2026"),
        ("due", "soon"),
        ("from", "8 o'clock"),
        ("from", "25:00"),
        ("from", "08:30"),  # without a due date
        ("priority", "0"),
        ("priority", "high"),
        ("phases", "4"),
        ("latitude", "91"),
        ("latitude", "north"),
        ("latitude", "NaN"),
        ("latitude", "1.234,5"),
        ("latitude", "51.5"),  # without a longitude
        ("ct_primary", "0"),
        ("ct_primary", "200"),  # without the secondary side
        ("meter_type", "no-such-meter"),
        ("limits", "no-such-pack"),
        ("meter", "12\x0134"),
        ("meter", "=A1"),
        ("note", "x" * 2001),
    ],
)
def test_a_bad_cell_is_named_by_row_column_and_value(db, written, column, value):
    cells = {"reference": "1", "type": "install", "street": "Oak 1", column: value}
    text = io.StringIO()
    good = ["2", "install", "Oak 2", ""][: len(cells)]
    csv.writer(text).writerows([cells.keys(), cells.values(), good])
    result = import_orders(db, written(text.getvalue()))
    assert counts(result) == (1, 0, 0, 1)
    (error,) = result.errors
    assert error.row == 2
    assert error.column in {column, "longitude", "ct_secondary"}
    assert error.problem


def test_every_problem_of_a_row_is_told_at_once(db, written):
    result = import_orders(db, written([f"{HEAD},due,priority", "1,x,,y,z"]))
    assert {error.column for error in result.errors} == {"type", "due", "priority", "street"}


def test_a_reference_that_comes_twice_goes_in_once(db, written):
    result = import_orders(db, written([HEAD, "1,install,Oak 1", "1,remove,Oak 2"]))
    assert counts(result) == (1, 0, 0, 1)
    assert "row 2 has the same reference" in result.errors[0].problem
    assert one(db, "1").row.kind == "install"


def test_the_same_reference_of_two_systems_is_two_orders(db, written):
    result = import_orders(db, written([f"{HEAD},source", "1,install,a,N", "1,install,a,S"]))
    assert counts(result) == (2, 0, 0, 0)


def test_a_window_that_ends_before_it_begins_is_refused(db, written):
    result = import_orders(
        db, written([f"{HEAD},due,from,to", "1,install,a,2026-11-25,10:00,09:00"])
    )
    assert "ends before it begins" in result.errors[0].problem


def test_formula_cells_are_errors_of_their_row_whatever_they_show(db, book):
    path = book(
        [
            ["reference", "type", "street", "meter"],
            ["1", "install", "Oak 1", formula('="00"&"12"', "0012")],
            ["2", "install", formula('=HYPERLINK("http://x")', "Oak 2"), "0013"],
            ["3", "install", "Oak 3", "0014"],
        ]
    )
    result = import_orders(db, path)
    assert counts(result) == (1, 0, 0, 2)
    assert {error.column for error in result.errors} == {"meter", "street"}
    assert all("formula" in error.problem for error in result.errors)


def test_a_formula_in_a_column_that_is_not_used_does_no_harm(db, book):
    path = book([["reference", "type", "street", "sum"], ["1", "install", "x", formula("=1+1", 2)]])
    assert counts(import_orders(db, path)) == (1, 0, 0, 0)


def test_a_serial_number_kept_as_a_number_is_refused_because_zeros_may_be_lost(db, book):
    path = book(
        [
            ["reference", "type", "street", "meter"],
            [1043, "install", "Oak 1", 12],
            [1044, "install", "Oak 2", "0012"],
        ]
    )
    result = import_orders(db, path)
    assert counts(result) == (1, 0, 0, 1)
    assert "zeros in front may be lost" in result.errors[0].problem
    assert one(db, "1044").row.meter_serial == "0012"


# --- encodings and forms ----------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_delimiter_encoding_and_line_ending_are_found_out(db, written, delimiter, encoding, ending):
    table = [["reference", "type", "street", "meter"], ["1", "install", "Ö, Straße 1", "007"]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=ending).writerows(table)
    result = import_orders(db, written(text.getvalue(), encoding=encoding))
    assert counts(result) == (1, 0, 0, 0)
    row = one(db, "1").row
    assert (row.place, row.meter_serial) == ("Ö, Straße 1", "007")
    assert any("Windows-1252" in remark for remark in result.remarks) == (encoding == "cp1252")


def test_a_line_that_names_the_delimiter_is_understood(db, written):
    result = import_orders(db, written(["sep=|", HEAD.replace(",", "|"), "1|wrong|Oak"]))
    assert [error.row for error in result.errors] == [3]


def test_rows_are_numbered_as_an_editor_numbers_lines(db, written):
    result = import_orders(
        db, written([f"{HEAD},note", "", '1,install,a,"two', 'lines"', "", "2,x,a,"])
    )
    assert [error.row for error in result.errors] == [6]


def test_dates_numbers_and_times_are_read_in_their_usual_forms(db, written):
    result = import_orders(
        db,
        written(
            [
                "reference;type;street;due;from;to;latitude;longitude;ct_primary;ct_secondary",
                "1;Read out;a;25.11.2026;08:30;2026-11-25T10:00+01:00;51,5;-0,125;200;5",
            ]
        ),
        mapping=MappingProfile(zone="Europe/Berlin"),
    )
    assert counts(result) == (1, 0, 0, 0)
    detail = one(db, "1")
    assert detail.row.kind == "read_out"
    assert detail.row.due == date(2026, 11, 25)
    assert detail.row.window_from == datetime(2026, 11, 25, 7, 30, tzinfo=UTC)
    assert detail.row.window_to == datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
    assert detail.site.latitude == Decimal("51.5")
    assert detail.usage_point.transformers == "200/5 A"


def test_dates_and_short_rows_of_a_workbook_are_read(db, book):
    path = book(
        [
            ["reference", "type", "street", "due", "note"],
            [None],
            ["1", "install", "Oak 1", day(datetime(2026, 11, 25))],  # noqa: DTZ001 - a spreadsheet's
        ]
    )
    assert counts(import_orders(db, path)) == (1, 0, 0, 0)
    assert one(db, "1").row.due == date(2026, 11, 25)


def test_columns_that_mean_nothing_are_named(db, written):
    result = import_orders(db, written([f"{HEAD},colour", "1,install,a,red"]))
    assert "columns that are not used: colour" in result.remarks


def test_types_without_a_procedure_are_named(db, written):
    result = import_orders(db, written([HEAD, "1,firmware,a", "2,commission,a"]))
    assert any("no procedure yet for firmware:" in remark for remark in result.remarks)


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


# --- mappings ---------------------------------------------------------------------------------


def test_a_saved_mapping_reads_the_file_of_another_system(db, written):
    save_mapping(
        db.folder,
        MappingProfile(
            name="northfield",
            source="Northfield",
            columns={"external_ref": "Order No.", "kind": "Work", "street": "Where"},
            values={"kind": {"Meter swap": "exchange"}},
            defaults={"queue": "North"},
        ),
    )
    path = written(["Order No.;Work;Where;type", "7;meter SWAP;Oak 1;whatever"])
    result = import_orders(db, path, mapping="northfield")
    assert counts(result) == (1, 0, 0, 0)
    detail = one(db, "7")
    assert (detail.row.kind, detail.source, detail.row.queue) == ("exchange", "Northfield", "North")
    assert mapping_names(db.folder) == ["northfield"]


@pytest.mark.parametrize("name", ["", "../up", "a/b", "a b", ".hidden"])
def test_a_mapping_cannot_be_named_like_a_path(db, name):
    with pytest.raises(BadInput):
        save_mapping(db.folder, MappingProfile(name=name))


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        "[columns]\nno_such_field = 'x'",
        "columns = 3",
        "[columns]\nkind = 3",
        "strange = 'x'",
        "[values]\nkind = 'x'",
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(db, tmp_path, text):
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput):
        find_mapping(db.folder, path)


def test_a_mapping_that_is_not_there_names_those_that_are(db):
    save_mapping(db.folder, MappingProfile(name="one"))
    with pytest.raises(BadInput, match="saved are: one"):
        find_mapping(db.folder, "two")


def test_a_mapping_with_an_unknown_time_zone_is_refused(db, written):
    with pytest.raises(BadInput, match="time zone"):
        import_orders(
            db, written([HEAD, "1,install,a"]), mapping=MappingProfile(zone="Mars/Olympus")
        )
