"""Tables of text out of CSV and XLSX files, row by row; nothing in them is ever evaluated.

A cell is text.  What a spreadsheet made of it is kept as its class: `NumberText` may have lost
leading zeros, `FormulaText` is a formula that nobody has worked out.
"""

import csv
import hashlib
import io
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any

from app.errors import BadInput

LARGEST = 100_000_000  # bytes of a file
LARGEST_UNPACKED = 1_000_000_000  # bytes of an XLSX file's parts
WIDEST = 300  # columns
DELIMITERS = (";", "\t", ",")
_ZIP, _OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class NumberText(str):
    """A number as a spreadsheet keeps it: zeros in front are gone, if there were any."""

    __slots__ = ()


class FormulaText(str):
    """A formula; its result is unknown here."""

    __slots__ = ()


class FaultText(str):
    """What a spreadsheet shows where a formula failed: #REF!, #N/A."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row with its number in the file; ``problem`` says why it cannot be used at all."""

    number: int
    cells: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TableFile:
    """The head of a table, its rows as they are read, and what is remarkable about the file."""

    columns: tuple[str, ...]
    rows: Iterator[TableRow]
    remarks: tuple[str, ...]
    sha256: str


def read_table(path: Path) -> TableFile:
    """Return the table in a CSV or XLSX file; the ending of its name does not matter.

    Raises:
        BadInput: It cannot be read, is no such file, is empty or far too large.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput(f"{path.name} is larger than {LARGEST // 1_000_000} MB")
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from error
    if not data.strip():
        raise BadInput(f"{path.name} is empty")
    if data.startswith(_OLD_EXCEL):
        raise BadInput(f"{path.name} is an old or protected Excel file; save it as .xlsx or .csv")
    rows: Iterator[TableRow]
    remarks: tuple[str, ...] = ()
    if data.startswith(_ZIP):
        rows = _xlsx_rows(data, path.name)
    else:
        text, remarks = _decoded(data, path.name)
        rows = _csv_rows(text)
    head = next(rows, None)
    if head is None or head.problem:
        raise BadInput(f"{path.name}: {head.problem if head else 'there is no row with names'}")
    columns = tuple(cell.strip() for cell in head.cells)
    while columns and not columns[-1]:
        columns = columns[:-1]
    if not columns or len(columns) > WIDEST:
        raise BadInput(f"{path.name}: {len(columns)} columns cannot be a list of orders")
    sha256 = hashlib.sha256(data).hexdigest()
    return TableFile(columns, _fitted(rows, len(columns)), remarks, sha256)


def _fitted(rows: Iterator[TableRow], width: int) -> Iterator[TableRow]:
    """Give every row as many cells as the head has, and say where it had more or less."""
    for row in rows:
        cells = row.cells
        while len(cells) > width and not cells[-1].strip():
            cells = cells[:-1]
        problem = row.problem
        if not problem and len(cells) > width:
            problem = f"there are {len(cells)} cells under {width} columns"
        elif not problem and len(cells) < width:
            problem = f"there are only {len(cells)} of {width} cells; is the file whole?"
        yield TableRow(row.number, (*cells, *[""] * (width - len(cells))), problem)


def _decoded(data: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    encodings = [encoding for mark, encoding in _BOMS if data.startswith(mark)] or ["utf-8"]
    for encoding in [*encodings, "cp1252"]:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        if encoding != "cp1252":
            return text, ()
        return text, (f"{name} is not in UTF-8; it was read as Windows-1252",)
    raise BadInput(f"{name} is neither text nor an XLSX file")


def _csv_rows(text: str) -> Iterator[TableRow]:
    """Yield the rows of a CSV text that are not blank; a cut quotation ends them with a problem."""
    first, _, rest = text.partition("\n")
    begin = 1
    if first.strip().lower().startswith("sep="):
        delimiter, text, begin = first.strip()[4:5] or ",", rest, 2
    else:
        delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + begin
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield TableRow(number, (), f"from here on the file cannot be read: {error}")
            return
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield TableRow(number, tuple(_text(cell) for cell in cells))


def _text(cell: str) -> str:
    return FormulaText(cell) if cell.startswith("=") else cell


def _xlsx_rows(data: bytes, name: str) -> Iterator[TableRow]:
    """Yield the rows of the first visible sheet that are not blank."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
        sheet = _sheet(data) if unpacked <= LARGEST_UNPACKED else None
    except Exception as error:  # openpyxl raises whatever a damaged file makes it stumble over
        raise BadInput(f"{name} is no XLSX file that can be read: {error!r}") from error
    if sheet is None:
        raise BadInput(f"{name} is far too large when unpacked")
    width = 0
    for number, values in enumerate(sheet, 1):
        if any(value.strip() for value in values):
            width = width or len(values)
            # a row ends with its last cell in such a file, so a short one is no sign of damage
            yield TableRow(number, (*values, *[""] * (width - len(values))))


def _sheet(data: bytes) -> list[tuple[str, ...]]:
    from openpyxl import load_workbook  # noqa: PLC0415 (heavy, and needed for this file only)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about decorations that play no part here
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False)
        visible = [one for one in book.worksheets if one.sheet_state == "visible"]
        sheet: Any = (visible or book.worksheets)[0]
        sheet.reset_dimensions()  # what the file says about its size may be wrong
        rows = [tuple(_cell(cell) for cell in cells) for cells in sheet.iter_rows()]
        book.close()
    return rows


def _cell(cell: Any) -> str:
    """Return a cell as text: dates in ISO form, whole numbers without a fraction."""
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        return FormulaText(value if isinstance(value, str) else "=")
    return FaultText(value) if cell.data_type == "e" else _value(value)


def _value(value: object) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return NumberText(int(value) if float(value).is_integer() else repr(value))
