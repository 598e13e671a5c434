"""The queue as a table: the row numbers of one query, and pages of rows fetched when looked at.

There is no proxy model: SQLite sorts and filters.  Pages come from a worker, so that a busy
database never holds the window up; until a page is there its rows are shown as dots.
"""

from array import array
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

from app.views import words
from app.views.order_words import late_face, state_face, sync_face
from app.views.station import Station
from app.views.surfaces import ChipFace
from app.views.tables import NO_PARENT, Cell, CellModel, Column, Index
from app.views.theme import Look

if TYPE_CHECKING:
    from app.sync.chip import Chip
    from app.workorders.row import QueueRow

PAGE = 256
PAGES_KEPT = 64
MIDDLE_WIDTH, WIDEST = 1500, 1 << 20
WIDE_FIGURES = 165  # from this width on the place keeps enough room beside all columns
WAITING = Cell("…", muted=True)

NUMBER = Column("Job", 9, sort="number")
PLACE = Column("Place", sort="place")
WHEN = Column("When", 12, sort="when")
STATE = Column("State", 15, sort="state")
STEPS = Column("Steps", 11, sort="progress")
VERDICT = Column("Verdict", 11, sort="verdict")
SYNC = Column("Sync", 17)


def columns_for(look: Look, width: int) -> list[Column]:
    """Choose the columns that a window of this width has room for."""
    if look.compact:
        return [NUMBER, PLACE, STATE]
    if look.gloves and width < MIDDLE_WIDTH:
        return [NUMBER, PLACE, WHEN, STATE]
    wide = width > (1800 if look.gloves else WIDE_FIGURES * look.width_of("0"))
    columns = [NUMBER, PLACE, WHEN, STATE, STEPS]
    return [*columns, VERDICT, SYNC] if wide else columns


class QueueModel(CellModel):
    """Row numbers of a query, and at most 64 pages of 256 rows."""

    def __init__(self, look: Look, station: Station, columns: Sequence[Column]) -> None:
        super().__init__(columns)
        self._look, self._station = look, station
        self._ids: array[int] = array("q")
        self._pages: OrderedDict[int, list[tuple[QueueRow, Chip] | None]] = OrderedDict()
        self._wanted: list[int] = []
        self._asked: set[int] = set()
        self._generation = 0
        self._sorted_by, self._descending = "", False
        self._ask = QTimer(self)
        self._ask.setSingleShot(True)
        self._ask.setInterval(0)
        self._ask.timeout.connect(self._fetch)

    def show_ids(self, ids: "array[int]", sorted_by: str, *, descending: bool) -> None:
        """Show another query."""
        self.beginResetModel()
        self._ids, self._sorted_by, self._descending = ids, sorted_by, descending
        self._pages.clear()
        self._wanted.clear()
        self._asked.clear()
        self._generation += 1
        self.endResetModel()

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        """Number of orders that the query found."""
        return 0 if parent.isValid() else len(self._ids)

    def order(self, row: int) -> "QueueRow | None":
        """Give the order in a row; None while its page is on its way."""
        found = self._row(row)
        return found[0] if found else None

    def line_of(self, order_id: str) -> int:
        """Give the line of an order among the pages that are here; -1 when it is in none."""
        for page, rows in self._pages.items():
            for place, found in enumerate(rows):
                if found and found[0].order_id == order_id:
                    return page * PAGE + place
        return -1

    def cell(self, row: int, column: int) -> Cell:
        """Give one cell, or dots while its page is on its way."""
        found = self._row(row)
        if found is None:
            return WAITING
        return self._cell(self.columns[column], *found)

    def headerData(self, section: int, way: object, role: int = 0) -> object:
        """Titles; the sorted column says which way."""
        title = super().headerData(section, way, role)  # type: ignore[arg-type]
        if isinstance(title, str) and self.columns[section].sort == self._sorted_by:
            return f"{title} {'↓' if self._descending else '↑'}"
        return title

    def _cell(self, column: Column, order: "QueueRow", chip: "Chip") -> Cell:
        if column is NUMBER:
            return Cell(order.number, mono=True, strong=True)
        if column is PLACE:
            what = order.kind_words if order.title in {"", order.place} else order.title
            if order.late and WHEN not in self.columns:
                what = f"{order.when}, {what.lower()}"  # first, so that it is never cut
            return Cell(order.place or words.NOTHING, what, strong=True)
        if column is WHEN:
            return Cell(chip=late_face(self._look, order)) if order.late else _when(order.when)
        if column is STATE:
            return Cell(chip=state_face(self._look, order.state))
        return self._sign(column, order, chip)

    def _sign(self, column: Column, order: "QueueRow", chip: "Chip") -> Cell:
        if column is STEPS:
            if not order.steps_total:
                return Cell(words.NOTHING, muted=True)
            return Cell(count=(order.steps_done, order.steps_total))
        if column is VERDICT:
            verdict = words.verdict_of(order.verdict)
            if verdict is None:
                return Cell(words.NOTHING, muted=True)
            return Cell(chip=ChipFace(verdict.value, verdict=verdict))
        face = sync_face(self._look, chip)
        return Cell(chip=face) if face else Cell(words.NOTHING, muted=True)

    def _row(self, row: int) -> "tuple[QueueRow, Chip] | None":
        page, place = divmod(row, PAGE)
        rows = self._pages.get(page)
        if rows is None:
            self._want(page)
            return None
        self._pages.move_to_end(page)
        return rows[place] if place < len(rows) else None

    def _want(self, page: int) -> None:
        if page not in self._asked:
            self._asked.add(page)
            self._wanted.append(page)
            if not self._ask.isActive():
                self._ask.start()

    def _fetch(self) -> None:
        if not self._wanted:
            return
        page = self._wanted.pop()  # the newest wish first: older pages have scrolled away
        generation, db = self._generation, self._station.desk.db
        ids = list(self._ids[page * PAGE : (page + 1) * PAGE])

        def work() -> "list[tuple[QueueRow, Chip] | None]":
            from app.sync.chip import chips
            from app.workorders.queue import rows

            found = {row.rowid: row for row in rows(db, ids)}
            with db.read() as session:
                signs = chips(session, [row.order_id for row in found.values()])
            return [
                (found[rowid], signs[found[rowid].order_id]) if rowid in found else None
                for rowid in ids
            ]

        def take(rows: "list[tuple[QueueRow, Chip] | None]") -> None:
            if generation == self._generation:
                self._take(page, rows)

        self._station.fetcher.fetch(f"rows {id(self)} {page}", work, take, self._refused, self)
        if self._wanted:
            self._ask.start()

    def _take(self, page: int, rows: "list[tuple[QueueRow, Chip] | None]") -> None:
        self._pages[page] = rows
        self._asked.discard(page)
        while len(self._pages) > PAGES_KEPT:
            self._pages.popitem(last=False)
        first = page * PAGE
        last = min(first + PAGE, len(self._ids)) - 1
        if first <= last:
            corner = self.index(last, len(self.columns) - 1)
            self.dataChanged.emit(self.index(first, 0), corner)

    def _refused(self, error: BaseException) -> None:
        self._asked.clear()
        self._station.refused.emit(error)


def _when(text: str) -> Cell:
    """Give day and hours in two lines where there are both."""
    day, space, hours = text.rpartition(" ")
    if space and "–" in hours:
        return Cell(day, hours)
    return Cell(text)
