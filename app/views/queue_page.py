"""Jobs: the queue with its detail pane, and the same place when there is nothing in it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.views import files
from app.views.controls import ActionButton, Segments, action_bar
from app.views.fields import Choice, search_field
from app.views.order_words import WORKABLE, state_word, verb
from app.views.page import Page
from app.views.queue_detail import DetailPane
from app.views.queue_model import WIDEST, QueueModel, columns_for
from app.views.queue_session import SHARES, QueueSession
from app.views.station import Station
from app.views.surfaces import Card, Strip, column_of, held_to, icon_label, label, row_of
from app.views.tables import CellTable
from app.views.theme import Look

if TYPE_CHECKING:
    from app.workorders.row import QueueRow

TABLES = "Tables (*.csv *.xlsx)"


class QueuePage(Page):
    """The queue, the chosen order beside it, and what to do next."""

    wanted = Signal(str)  # order to open
    reading_wanted = Signal()
    campaigns_wanted = Signal()

    def __init__(self, look: Look, session: QueueSession, width: int) -> None:
        super().__init__(look, "Jobs")
        self._session, self._station = session, session.station
        self._columns = columns_for(look, WIDEST)
        self._width = width  # of the window
        self._lines: tuple[Strip, Strip] | None = None  # of the head, where there are two
        self._stack = QStackedWidget()
        self.outer.addWidget(self._stack)
        self._full, self._empty = self._queue(), self._nothing()
        self._stack.addWidget(self._full)
        self._stack.addWidget(self._empty)
        session.listed.connect(self._show_list)
        session.detailed.connect(self._show_detail)
        self._station.changed.connect(self._show_unsent)
        self.on_key(Qt.Key.Key_F5, self._station.sync, "sync with the centre")
        self.on_key(Qt.Key.Key_F6, self.campaigns_wanted.emit, "key changes")
        self.first_focus = self.table
        self._show_list()
        self._show_detail()
        self._show_unsent()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let head and columns follow the room."""
        super().resizeEvent(event)
        self._width = self.window().width()
        self._fit_columns()
        self._fit_head()

    def opened(self) -> None:
        """Ask again what there is."""
        self._session.reload()

    def take_scan(self, text: str) -> bool:
        """Look for what was scanned: a meter, a job."""
        self.search.setText(text)
        self.table.setFocus()
        return True

    def _queue(self) -> QWidget:
        look = self.look
        host = QWidget()
        outer = QVBoxLayout(host)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        content = QWidget()
        line = QHBoxLayout(content)
        edge = look.page_margin
        line.setContentsMargins(edge, look.space.m, edge, edge)
        line.setSpacing(look.space.l)
        self.model = QueueModel(look, self._station, self._columns)
        self.table = CellTable(look, "Jobs", self.model, tall=True)
        self.table.selectionModel().currentRowChanged.connect(self._chosen)
        self.table.horizontalHeader().sectionClicked.connect(self._sort)
        self._fit_columns()
        card = Card(look, padded=False)
        card.add(self.table)
        self._none = label(look, "", muted=True)
        self._none.hide()
        card.add(self._none)
        left = column_of(look, *self._head(), gap=look.space.s)
        left.add(card, 1)
        line.addWidget(left, 1)
        self.pane = DetailPane(look)
        self.pane.setFixedWidth(look.width_of("0" * (38 if look.gloves else 42)))
        line.addWidget(self.pane)
        self.pane.setVisible(not look.compact)  # only now: before it would be a window
        outer.addWidget(content, 1)
        outer.addWidget(self._actions())
        return host

    def _head(self) -> list[QWidget]:
        look = self.look
        self.shares = Segments(look, SHARES, self._session.share)
        self.shares.chosen.connect(self._session.choose_share)
        self.search = search_field(look, "Place, number or meter", "Filter jobs")
        self.search.setText(self._session.filter.text)
        self.search.textChanged.connect(self._session.search)
        self.states = Choice(look, "State")
        self.states.activated.connect(
            lambda index: self._session.choose_state(self.states.itemData(index) or "")
        )
        key = "" if look.compact else "F6"
        self.campaigns = ActionButton(look, "Key changes…", "secondary", key=key)
        self.campaigns.clicked.connect(self.campaigns_wanted)
        self.campaigns.hide()  # until there are some
        first = row_of(look, label(look, "Jobs", "heading", strong=True), look.space.s, self.shares)
        if look.compact:
            return [row_of(look, self.shares, None, self.campaigns), self.search]
        if look.gloves:
            first.add(self.search, 1)
            return [first]
        self.sorting = Choice(look, "Sorted by")
        for column in self._columns:
            if column.sort:
                self.sorting.addItem(f"by {column.title.lower()}", column.sort)
        self.sorting.setCurrentIndex(max(0, self.sorting.findData(self._session.filter.order_by)))
        self.sorting.activated.connect(
            lambda index: self._session.sort(str(self.sorting.itemData(index)))
        )
        for choice, widest in ((self.states, "With the office 00"), (self.sorting, "by verdict")):
            choice.setMinimumWidth(look.width_of(widest) + 3 * look.icon)
        first.box.addStretch()
        first.add(self.states)
        first.add(self.sorting)
        self.search.setMinimumWidth(look.width_of("Place, number or meter") + 4 * look.icon)
        self._lines = first, row_of(look, self.search)
        return list(self._lines)

    def _fit_columns(self) -> None:
        shown = columns_for(self.look, self._width)
        for place, column in enumerate(self._columns):
            self.table.setColumnHidden(place, column not in shown)

    def _fit_head(self) -> None:
        """Let the search stand in a line of its own where counts and choices need the room."""
        if self._lines is None:
            return
        first, second = self._lines
        own = self.search.parentWidget() is second
        needed = first.box.minimumSize().width()
        needed += (self.search.minimumWidth() + self.look.space.s) * own
        if (needed > self.table.width()) != own:
            (first if own else second).add(self.search, 1)
            second.setVisible(not own)

    def _actions(self) -> QWidget:
        look = self.look
        key = "" if look.compact else "F5"
        self.sync = ActionButton(look, "Sync", "secondary", "cloud-upload", key)
        self.sync.clicked.connect(self._station.sync)
        bring = ActionButton(look, "Import…", "secondary", "download")
        bring.clicked.connect(self.import_file)
        self.cannot = ActionButton(look, "Cannot complete…", "ghost")
        self.cannot.clicked.connect(self.report_incident)
        self.open = ActionButton(look, "Open job", "primary", "arrow-right", "Enter")
        self.open.clicked.connect(lambda: self.wanted.emit(self._session.chosen))
        self.open.setEnabled(False)
        self.set_primary(self.open)
        left = [self.sync]
        if self._station.desk.may("orders.import"):
            left.append(bring)
        if not look.compact:
            left.append(self.campaigns)
        if self._station.desk.may("orders.work") and not look.compact:
            left.append(self.cannot)
        return action_bar(look, list(left), [self.open])

    def _nothing(self) -> QWidget:
        look = self.look
        host = QWidget()
        outer = QVBoxLayout(host)
        outer.setContentsMargins(look.page_margin, look.space.m, look.page_margin, look.page_margin)
        outer.addWidget(label(look, "Jobs", "heading", strong=True))
        bring = ActionButton(look, "Import a file…", "primary", "download")
        bring.clicked.connect(self.import_file)
        sync = ActionButton(look, "Sync", "secondary", "cloud-upload", "F5")
        sync.clicked.connect(self._station.sync)
        if look.gloves:
            sync.setFixedHeight(look.primary)
        read = ActionButton(look, "Read a meter", "ghost", "gauge")
        read.clicked.connect(self.reading_wanted)
        self._empty_first = bring
        text = "Your office has not sent any, or this laptop has not fetched them yet."
        more = "Jobs that you import stay on this laptop until they are sent."
        meanwhile: list[QWidget | int | None] = [
            look.space.xl,
            label(look, "Without a job you can still", muted=True),
            row_of(look, read, None),
        ]
        block = column_of(
            look,
            icon_label(look, "inbox", look.colours.edge, 3.2),
            look.space.s,
            label(look, "No jobs yet", "heading", strong=True),
            label(look, text, wrap=True),
            label(look, more, muted=True, wrap=True),
            look.space.m,
            row_of(look, bring, sync, None, gap=look.space.m),
            *([] if look.compact else meanwhile),
        )
        held_to(block, min(look.width_of(text) + 4, look.width_of("0" * 60)))
        outer.addStretch(2)
        outer.addWidget(block, 0, Qt.AlignmentFlag.AlignHCenter)
        outer.addStretch(3)
        return host

    def _show_list(self) -> None:
        session = self._session
        empty = session.everything == 0
        self._stack.setCurrentWidget(self._empty if empty else self._full)
        self.first_focus = self._empty_first if empty else self.table
        if session.everything < 0:
            return
        if empty:
            self._empty_first.setFocus()
        self.shares.rename(session.names())
        self.shares.choose(session.share)
        QTimer.singleShot(0, self, self._fit_head)  # the counts have their room by then
        self._show_states()
        with QSignalBlocker(self.table.selectionModel()):
            self.model.show_ids(
                session.ids, session.filter.order_by, descending=session.filter.descending
            )
        self.campaigns.setVisible(session.campaigns)
        there = bool(session.ids)
        self._none.setVisible(not there)
        words = "No job has these words." if session.filter.text else "Nothing here now."
        self._none.setText(f"   {words}")
        if there:
            self.model.dataChanged.connect(
                self._select_again, Qt.ConnectionType.SingleShotConnection
            )
            self.model.cell(0, 0)  # asks for the first page
        else:
            session.choose("")

    def _select_again(self, *_: object) -> None:
        line = self.model.line_of(self._session.chosen) if self._session.chosen else -1
        self.table.selectRow(max(0, line))
        self._choose_line(max(0, line))

    def _show_states(self) -> None:
        session = self._session
        with QSignalBlocker(self.states):
            self.states.clear()
            self.states.addItem("Any state", "")
            for state, count in sorted(session.counts.items(), key=lambda item: -item[1]):
                self.states.addItem(f"{state_word(state)} {count:,}", state)
            self.states.setCurrentIndex(max(0, self.states.findData(session.state)))

    def _show_detail(self) -> None:
        detail = self._session.detail
        self.pane.show_detail(detail)
        self.open.setEnabled(detail is not None)
        self.cannot.setEnabled(detail is not None and detail.row.state in WORKABLE)
        if detail is not None:
            row = detail.row
            number = row.number
            works = self._station.desk.may("orders.work")
            words = verb(row.state, number, row.steps_done) if works else f"Open job {number}"
            self.open.relabel(words)

    def _show_unsent(self) -> None:
        standing = self._station.standing()
        text = "Sending…" if standing.syncing else "Sync"
        if standing.unsent and not standing.syncing:
            text = f"Sync {standing.unsent:,}"
        if self.sync.text() != text:
            self.sync.relabel(text)

    def _chosen(self, now: QModelIndex, _: QModelIndex) -> None:
        if now.isValid():
            self._choose_line(now.row())

    def _choose_line(self, line: int) -> None:
        order: QueueRow | None = self.model.order(line)
        if order is not None and order.order_id != self._session.chosen:
            self._session.choose(order.order_id)

    def _sort(self, section: int) -> None:
        if key := self._columns[section].sort:
            self._session.sort(key)

    def import_file(self) -> None:
        """Ask for a file of orders, show what it would bring, and bring it."""
        import_into(self, self._station, self._session.reload)

    def report_incident(self) -> None:
        """Ask why the chosen order cannot be completed."""
        from app.views.incident_sheet import IncidentSheet

        if self._session.detail is not None:
            sheet = IncidentSheet(self.look, self._station, self._session.detail, self.window())
            sheet.reported.connect(self._session.reload)
            sheet.open()


def import_into(page: Page, station: Station, then: Callable[[], object]) -> None:
    """Ask for a file of orders or tokens, show what it would bring, and bring it."""
    from app.views.import_sheet import ImportSheet

    path = files.ask_open(page, "Import jobs", TABLES)
    if path is not None:
        sheet = ImportSheet(page.look, station, path, page.window())
        sheet.imported.connect(then)
        sheet.open()
