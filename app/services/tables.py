"""Writes tables to files that spreadsheets open: CSV, XLSX, and JSON beside them."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.errors import BadInput
from app.models.files import save_file

Table = tuple[Sequence[str], Sequence[Sequence[str]]]

LEADS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(text: str) -> str:
    """Return ``text`` so that no spreadsheet takes it for a formula; numbers stay numbers."""
    if text.startswith(LEADS) and not text.lstrip("+-").replace(".", "", 1).isdigit():
        return "'" + text
    return text


def write_table(path: Path, tables: Mapping[str, Table], shape: Any) -> None:
    """Write ``tables`` (name to head and rows) to a .csv or .xlsx file, or ``shape`` to .json.

    Raises:
        BadInput: The ending of ``path`` is none of these.
        NoRoom: The disk is full.
    """
    writers = {".csv": _csv, ".xlsx": _xlsx}
    if path.suffix == ".json":
        text = json.dumps(shape, ensure_ascii=False, indent=1) + "\n"
        save_file(path, text.encode())
        return
    if path.suffix not in writers:
        raise BadInput(f"{path.name}: write to a file that ends in .csv, .xlsx or .json")
    save_file(path, writers[path.suffix](tables))


def _csv(tables: Mapping[str, Table]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for place, (name, (head, rows)) in enumerate(tables.items()):
        if len(tables) > 1:
            writer.writerows([[]] * bool(place) + [[name]])
        writer.writerow(head)
        writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return ("\ufeff" + text.getvalue()).encode()


def _xlsx(tables: Mapping[str, Table]) -> bytes:
    import xlsxwriter  # noqa: PLC0415 (heavy, and needed here alone)

    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True})
        for name, (head, rows) in tables.items():
            sheet = book.add_worksheet(name[:31])
            sheet.freeze_panes(1, 0)
            sheet.write_row(0, 0, head, bold)
            for number, row in enumerate(rows, 1):
                for column, cell in enumerate(row):
                    sheet.write_string(number, column, cell)
    return data.getvalue()
