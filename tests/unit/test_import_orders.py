"""Orders in from files: broken files and rows are told, good ones are read."""

import csv
import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from app.errors import BadInput
from app.workorders.exchange.import_orders import import_orders
from app.workorders.exchange.mapping import (
    MappingProfile,
)
from tests.unit.order_files import HEAD, book, counts, day, db, everything, formula, one, written

__all__ = ["book", "db", "written"]

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
