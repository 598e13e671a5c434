"""Files of orders as other systems send them, and a database that takes them in."""

import pytest
import xlsxwriter
from sqlalchemy import select

from app.models.database import Database
from app.models.journal import JournalEvent
from app.models.order import WorkOrder
from app.models.place import Customer, Site, UsagePoint
from app.workorders.queue import find_order, order_detail

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
