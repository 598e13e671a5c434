"""The load profile as plot and table, sharing one selection."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.views import words
from app.views.controls import ActionButton, Segments
from app.views.fields import Choice
from app.views.profile_plot import Flag, ProfilePlot
from app.views.profile_series import NO_DRAWING, drawing, moment
from app.views.surfaces import Card, label, row_of
from app.views.tables import NO_PARENT, Cell, CellModel, CellTable, Column, Index
from app.views.theme import Look
from drivers.values import Gap, ProfileInfo, ProfileRow, gaps

DAY_S, WEEK_S = 86400.0, 7 * 86400.0
STATUS = "Status"
RANGES = ["Day", "Week", "All"]
ROOMY = 620  # px of height from which on voltages get a plot of their own


class ProfileModel(CellModel):
    """Rows of a profile, and one row for each gap; cells are made when they are looked at."""

    def __init__(self, zone: tzinfo | None, columns: Sequence[Column]) -> None:
        super().__init__(columns)
        self._zone = zone
        self._status_at = [column.title for column in columns].index(STATUS)
        self._rows: list[ProfileRow] = []
        self._lines: list[int | Gap] = []

    def show_rows(self, rows: list[ProfileRow], period_s: int) -> None:
        """Show these rows (ascending) with their gaps between them."""
        self.beginResetModel()
        self._rows = rows
        missing = {gap.end: gap for gap in gaps([row.time for row in rows], period_s)}
        self._lines = []
        for index, row in enumerate(rows):
            if row.time in missing:
                self._lines.append(missing[row.time])
            self._lines.append(index)
        self.endResetModel()

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        """Number of rows and gaps."""
        return 0 if parent.isValid() else len(self._lines)

    def time_of(self, line: int) -> datetime:
        """Give the end of the interval in a line; of a gap, its last missing one."""
        item = self._lines[line]
        return item.end if isinstance(item, Gap) else self._rows[item].time

    def line_at(self, time: datetime) -> int:
        """Give the line whose interval holds ``time``."""
        found = bisect_left(range(len(self._lines)), time, key=self.time_of)
        return min(found, len(self._lines) - 1)

    def cell(self, row: int, column: int) -> Cell:
        """Give one cell; a missing value is never an empty cell that could be zero."""
        item = self._lines[row]
        if isinstance(item, Gap):
            return self._gap_cell(item, column)
        shown = self._rows[item]
        if column == 0:
            mark = "~" if shown.reconstructed else ""
            return Cell(mark + words.date_time(shown.time, self._zone)[:-3])
        if column == self._status_at:
            return self._status(shown)
        place = column - (2 if self._status_at == 1 else 1)
        value = shown.values[place] if place < len(shown.values) else None
        return Cell(words.number(value), muted=value is None)

    def _gap_cell(self, gap: Gap, column: int) -> Cell:
        if column == 0:
            begin = words.date_time(gap.start, self._zone)[:-3]
            return Cell(f"from {begin}", muted=True)
        if column == self._status_at:
            return Cell(words.count(gap.intervals, "interval") + " missing", muted=True)
        return Cell("no row", muted=True)

    @staticmethod
    def _status(row: ProfileRow) -> Cell:
        if row.status:
            return Cell(", ".join(row.status))
        if row.status_raw is None:
            return Cell(words.NOTHING, muted=True)
        return Cell("OK", muted=True) if row.status_raw == 0 else Cell(f"status {row.status_raw}")


class ProfileView(QWidget):
    """A day, a week or everything; arrows move through time."""

    def __init__(self, look: Look, zone: tzinfo | None) -> None:
        super().__init__()
        self._look, self._zone = look, zone
        self._info: ProfileInfo | None = None
        self._rows: list[ProfileRow] = []
        self._drawn = NO_DRAWING
        self._voltages = False
        self._end = 0.0
        self._span: float = DAY_S
        self._moved = False
        self.plot: ProfilePlot | None = None
        self.table: CellTable | None = None
        self.model: ProfileModel | None = None
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(look.space.s if look.compact else look.space.l)
        self._card = Card(look)
        self._line.addWidget(self._card, 5)
        self.ranges = Segments(look, RANGES)
        self.ranges.chosen.connect(self._choose_range)
        self.earlier = ActionButton(look, "Earlier", "secondary")
        self.later = ActionButton(look, "Later", "secondary")
        self.earlier.clicked.connect(lambda: self._step(-1))
        self.later.clicked.connect(lambda: self._step(1))
        self.columns = Choice(look, "Drawn value")
        self.columns.activated.connect(lambda _: self._draw())
        head = row_of(look, self.columns, None, self.ranges, self.earlier, self.later)
        if look.gloves:
            head.box.setSpacing(look.gap)
        self._card.add(head)
        self.summary = label(look, "", muted=True, wrap=True)
        self._card.add(self.summary)
        self._plot_room = QVBoxLayout()
        self._card.body.addLayout(self._plot_room, 1)
        self._shell = Card(look, padded=False)
        self._line.addWidget(self._shell, 4)

    def show_profile(self, info: ProfileInfo, rows: list[ProfileRow]) -> None:
        """Show these rows (ascending); rows that were added keep the place in time."""
        fresh = info != self._info or self.plot is None
        if fresh:
            self._prepare(info)
        self._rows = rows
        self._drawn = drawing(info, rows)
        if self.model is not None:
            self.model.show_rows(rows, info.period_s)
        if fresh or not self._moved:
            self._end = self._natural_end()
            if self.table is not None and not self.table.currentIndex().isValid():
                self.table.scrollToBottom()
        self._draw()

    def _prepare(self, info: ProfileInfo) -> None:
        self._info, self._moved = info, False
        look = self._look
        voltages = any(column.unit == "V" for column in info.columns) and self.height() > ROOMY
        for old in (self.plot, self.table):
            if old is not None:
                old.hide()
                old.deleteLater()
        self.plot = ProfilePlot(look, self._zone, voltages=voltages)
        self.plot.chosen.connect(self._choose_time)
        self._plot_room.addWidget(self.plot)
        numbers = [self._head(info, index) for index in range(len(info.columns))]
        until, status = Column("Until", 17), Column(STATUS, 20)
        columns = [until, *numbers, status] if look.gloves else [until, status, *numbers]
        self.model = ProfileModel(self._zone, columns)
        self.table = CellTable(look, "Profile rows", self.model)
        self.table.selectionModel().currentRowChanged.connect(lambda now, _: self._mark(now.row()))
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self._shell.add(self.table)
        with QSignalBlocker(self.columns):
            self.columns.clear()
            for title in drawing_titles(info):
                self.columns.addItem(title)

    def _head(self, info: ProfileInfo, index: int) -> Column:
        column, look = info.columns[index], self._look
        name = column.name or column.obis
        title = f"{name}, {column.unit}" if column.unit else name
        wide = look.width_of(title, "caption") / look.width_of("0") + 1
        return Column(title, max(12, round(wide + 0.5)), number=True)

    def _natural_end(self) -> float:
        if self._drawn.empty:
            return 0.0
        last = float(self._drawn.edges[-1])
        if self._span >= DAY_S:
            local = moment(last - 1).astimezone(self._zone)
            midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
            return (midnight + timedelta(days=1)).timestamp()
        return last

    def _draw(self) -> None:
        if self.plot is None or self._drawn.empty:
            return
        first, last = float(self._drawn.edges[0]), float(self._drawn.edges[-1])
        low, high = (self._end - self._span, self._end) if self._span else (first, last)
        text = self.plot.show_drawing(
            self._drawn, max(0, self.columns.currentIndex()), low, high, self._flags(low, high)
        )
        shown = words.day(moment(high - 1), self._zone)
        if self._span > DAY_S or not self._span:
            shown = f"{words.day(moment(low), self._zone)} to {shown}"
        self.summary.setText(f"{shown}. {text}")
        self.summary.setVisible(not self._look.gloves)
        self.earlier.setEnabled(bool(self._span) and low > first)
        self.later.setEnabled(bool(self._span) and high < last)
        if self.table is not None and self.table.currentIndex().isValid():
            self._mark(self.table.currentIndex().row(), follow=False)

    def _flags(self, low: float, high: float) -> list[Flag]:
        """Give each status word with the spans of time in which it stands."""
        period = float(self._info.period_s if self._info else 0) or 900.0
        spans: dict[str, list[tuple[float, float]]] = {}
        for row in self._rows:
            end = row.time.timestamp()
            if not row.status or end <= low or end - period >= high:
                continue
            for word in row.status:
                found = spans.setdefault(word, [])
                if found and abs(found[-1][1] - (end - period)) < 1:
                    found[-1] = (found[-1][0], end)
                else:
                    found.append((end - period, end))
        return sorted(spans.items(), key=lambda item: len(item[1]))

    def _choose_range(self, index: int) -> None:
        self._span = (DAY_S, WEEK_S, 0.0)[index]
        if self._span:
            self._end = (
                max(self._end, float(self._drawn.edges[0]) + self._span)
                if not (self._drawn.empty)
                else 0.0
            )
        self._draw()

    def _step(self, way: int) -> None:
        self._moved = True
        self._end += way * (self._span or DAY_S)
        self._draw()

    def _choose_time(self, seconds: float) -> None:
        if self.table is not None and self.model is not None and self._rows:
            line = self.model.line_at(moment(seconds))
            self.table.selectRow(line)
            self.table.scrollTo(self.model.index(line, 0))

    def _mark(self, line: int, *, follow: bool = True) -> None:
        if self.plot is None or self.model is None or not 0 <= line < self.model.rowCount():
            return
        end = self.model.time_of(line).timestamp()
        period = float(self._info.period_s if self._info else 0) or 900.0
        if follow and self._span and not self._end - self._span < end <= self._end:
            local = moment(end - 1).astimezone(self._zone)
            midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
            self._end = (midnight + timedelta(days=1)).timestamp()
            self._moved = True
            self._draw()
            return
        self.plot.choose(end - period, end)


def drawing_titles(info: ProfileInfo) -> Iterable[str]:
    """Give the names of the columns that the upper plot can draw."""
    return [column.name or column.obis for column in info.columns if column.unit != "V"]
