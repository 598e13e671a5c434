"""The window: frame, pages, trace.  It can be shown before there is a desk behind it.

Pages are made anew when theme, size or room change; what they show is kept in the station and in
the sessions, so nothing that runs notices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QStyle,
    QWidget,
)
from PySide6.QtWidgets import QVBoxLayout as Column

from app.errors import NoRoom
from app.views.controls import FocusRing, NavRail
from app.views.key_tips import KeyTips
from app.views.page import Page
from app.views.reading_order import go_along
from app.views.scanner import Scanner
from app.views.shell import PLACES, ConnectionBar
from app.views.station import Station
from app.views.stylesheet import style_sheet
from app.views.surfaces import Toast, label
from app.views.theme import THEMES, Look, apply_theme, load_fonts, look_for

if TYPE_CHECKING:
    from app.views.desk_protocol import DeskLike
    from app.views.fault_panel import FaultSheet
    from app.views.pages import Pages

TOAST_MS = 4000
TRACE_SHARE = 0.3  # of the window
LOWEST_DPI, HIGHEST_DPI, USUAL_DPI = 60.0, 320.0, 96.0
FIRST_SIZE = (1280, 800)


class MainWindow(QMainWindow):
    """One window with connection bar, work areas, page and trace.

    Args:
        desk: The program behind the window; None shows a placeholder until `open_desk`.
        theme: Name of the theme until the settings are known.
        size: The user's factor for letters and targets until the settings are known.
        dots_per_inch: Of the panel; 0 asks the screen.
    """

    def __init__(
        self,
        desk: DeskLike | None = None,
        *,
        theme: str = "light",
        size: float = 1.0,
        dots_per_inch: float = 0.0,
    ) -> None:
        super().__init__()
        load_fonts()
        self.setWindowTitle("Meterwright")
        self.setAccessibleName("Meterwright")
        self._dpi, self._theme, self._size = dots_per_inch, theme, size
        self.station: Station | None = None
        self.pages: Pages | None = None
        self._place = 0
        self._closing = False
        self._toast: Toast | None = None
        self._toast_timer = QTimer(self)
        self._toast_timer.setSingleShot(True)
        self._toast_timer.timeout.connect(self._end_toast)
        self._rebuild_timer = QTimer(self)
        self._rebuild_timer.setSingleShot(True)
        self._rebuild_timer.timeout.connect(self.rebuild)
        room = self.screen().availableGeometry()
        title_bar = self.style().pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight)
        self.resize(first_size(room.size(), title_bar))
        self.look = self._wanted_look()
        self._build()
        for key, act in (
            ("F1", self.show_keys),
            ("F2", self._press_connection),
            ("F8", self.turn_trace),
        ):
            QShortcut(QKeySequence(key), self).activated.connect(act)
        if desk is not None:
            self.open_desk(desk)

    def open_desk(self, desk: DeskLike) -> None:
        """Show the program behind the window; heavy packages are loaded from here on."""
        from app.views.pages import Pages
        from app.views.sign_in import Doorkeeper

        self._theme = desk.settings.text("look.theme")
        self._size = float(desk.settings.number("look.size"))
        self.station = Station(desk)
        self.station.changed.connect(self._show_standing)
        self.station.noticed.connect(self.say)
        self.station.refused.connect(self.show_fault)
        self.door = Doorkeeper(self.station)
        self.door.turned.connect(self._door_turned)
        self.pages = Pages(self.station, self)
        self.pages.wanted.connect(self.open_place)
        self.pages.look_changed.connect(self._take_look)
        QShortcut(QKeySequence("F7"), self).activated.connect(self.pages.open_meter_keys)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            self.key_tips = KeyTips(app, self)
            self.scanner = Scanner(app, parent=self)
            self.scanner.scanned.connect(self.pages.take_scan)
        self.rebuild()
        # As long as the chain is whole nobody hears of it.
        refused = self.station.refused.emit
        self.station.fetcher.fetch("audit", desk.check_audit, lambda _: None, refused)

    def _door_turned(self) -> None:
        """Show the page to sign in on, or the work of who has come."""
        if self.pages is not None and not self.door.shut:
            self.pages.person_came()
            self._place = 0
        self.rebuild()

    def rebuild(self) -> None:
        """Make frame and pages anew in the look that is wanted now."""
        self.look = self._wanted_look()
        traced = self.trace.isVisible()
        self.trace.detach()
        self.removeDockWidget(self.trace)
        self.trace.deleteLater()
        self._ring.deleteLater()
        self._end_toast()
        self._build()
        if traced:
            self.trace.show()
        self._show_standing()
        QTimer.singleShot(0, self._refocus)

    def _refocus(self) -> None:
        """Put the focus where work begins, when that of the pages before has gone with them."""
        page = self.stack.currentWidget()
        if QApplication.focusWidget() is None and isinstance(page, Page):
            page.focus_first()

    def say(self, icon: str, text: str) -> None:
        """Show a short notice that goes away by itself."""
        self._end_toast()
        self._toast = Toast(self.look, icon, text, self._centre)
        self._toast.setAccessibleName(text)
        self._place_toast()
        self._toast.show()
        self._toast_timer.start(TOAST_MS)

    def show_fault(self, error: BaseException) -> FaultSheet:
        """Show an error that has no page of its own; the report of a defect can be saved."""
        from app.views.fault_panel import fault_sheet
        from app.views.station import is_defect

        sheet = fault_sheet(self.look, error, self, saves=is_defect(error))
        if sheet.save is not None:
            sheet.save.clicked.connect(lambda: self.save_report(error))
        sheet.open()
        return sheet

    def save_report(self, error: BaseException) -> None:
        """Write the report of a defect where the operator wants it."""
        from app.paths import data_folder
        from app.services.defect_report import save_report
        from app.views import files

        path = files.ask_save(self, "Save report", "meterwright-report.txt", "Text (*.txt)")
        if path is None:
            return
        folder = self.station.desk.db.folder if self.station is not None else data_folder(None)
        try:
            save_report(path, error, folder)
        except NoRoom as problem:
            self.show_fault(problem)
            return
        self.say("download", f"The report is in {path.name}.")

    def open_place(self, index: int) -> None:
        """Bring a work area to the front."""
        if self.pages is not None and self.door.shut:
            self._show_door()
            return
        self._place = index
        self.rail.choose(index)
        if self.pages is not None:
            page = self.pages.page(index, self.look)
            if self.stack.indexOf(page) < 0:
                self.stack.addWidget(page)
            self.stack.setCurrentWidget(page)
            page.opened()
            page.focus_first()

    def _show_door(self) -> None:
        """Show nothing but the page to sign in on."""
        from app.views.sign_in import SignInPage

        page = SignInPage(self.look, self.door)
        self.stack.addWidget(page)
        self.stack.setCurrentWidget(page)
        self.trace.hide()
        page.focus_first()

    def show_keys(self) -> None:
        """Show what the keys do on the page in front."""
        from app.views.help_sheet import HelpSheet

        page = self.stack.currentWidget()
        if isinstance(page, Page):
            HelpSheet(self.look, page.accessibleName(), page.keys, self).open()

    def focusNextPrevChild(self, onwards: bool) -> bool:
        """Let the Tab key follow the order in which the window is read."""
        return go_along(self, onwards=onwards)

    def turn_trace(self) -> None:
        """Show or hide the trace; it is for those who work at meters."""
        if self.station is not None and not self.station.desk.may("meter.read"):
            return
        self.trace.setVisible(not self.trace.isVisible())
        share = round(self.height() * TRACE_SHARE)
        self.resizeDocks([self.trace], [share], Qt.Orientation.Vertical)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let extras give way in a small window."""
        super().resizeEvent(event)
        if hasattr(self, "trace") and self._wanted_look() != self.look:
            self._rebuild_timer.start(0)
        self._place_toast()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop what runs, and close when the meter is signed off."""
        if self.station is None:
            return
        if self.station.busy():
            self._closing = True
            self.station.stop_all()
            self.say("clock", "Stopping. The window closes when the meter is signed off.")
            event.ignore()
            return
        self.trace.detach()
        self.station.close()
        self.station = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the toast in its corner."""
        if event.type() == QEvent.Type.Resize:
            self._place_toast()
        return super().eventFilter(watched, event)

    def _wanted_look(self) -> Look:
        dpi = self._dpi or self.screen().physicalDotsPerInch()
        if not LOWEST_DPI <= dpi <= HIGHEST_DPI:
            dpi = USUAL_DPI
        return look_for(THEMES[self._theme], self.width(), self.height(), dpi, self._size)

    def _take_look(self) -> None:
        if self.station is not None:
            settings = self.station.desk.settings
            self._theme = settings.text("look.theme")
            self._size = float(settings.number("look.size"))
            self._rebuild_timer.start(0)

    def _build(self) -> None:
        from app.views.trace_dock import TraceDock

        app = QApplication.instance()
        if isinstance(app, QApplication):
            apply_theme(app, self.look, style_sheet(self.look))
        self._centre = centre = QWidget()
        column = Column(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.bar = ConnectionBar(self.look)
        self.bar.pressed.connect(self._press_connection)
        column.addWidget(self.bar)
        below = QHBoxLayout()
        below.setSpacing(0)
        desk = self.station.desk if self.station is not None else None
        self.rail = NavRail(
            self.look, PLACES, self._place, lambda right: desk is None or desk.may(right)
        )
        if desk is not None and desk.locked:
            self.rail.hide()
        self.bar.locked.connect(self._lock)
        self.rail.opened.connect(self.open_place)
        self.stack = QStackedWidget()
        below.addWidget(self.rail)
        below.addWidget(self.stack, 1)
        column.addLayout(below, 1)
        if self.pages is not None:
            self.pages.drop()
        self.setCentralWidget(centre)
        self._ring = FocusRing(self.look, self)
        self.trace = TraceDock(self.look, self)
        self.trace.hide()
        self.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, self.trace)
        if self.station is None:
            self.stack.addWidget(_placeholder(self.look))
            self.bar.button.setEnabled(False)
        else:
            self.trace.attach(self.station)
            self.open_place(self._place)

    def _show_standing(self) -> None:
        if self.station is None:
            return
        self.bar.show_standing(self.station.standing())
        if self._closing and not self.station.busy():
            QTimer.singleShot(0, self.close)  # whoever told this has still something to do

    def _lock(self) -> None:
        if self.pages is not None:
            self.door.lock()

    def _press_connection(self) -> None:
        if self.station is None or not self.station.desk.may("meter.read"):
            return
        state = self.station.standing().state
        if state == "idle":
            self.ask_for_port("Connect", self.station.connect_meter)
        elif state == "working":
            self.station.stop_all()
        else:
            self.station.end_session()

    def ask_for_port(self, verb: str, then: object, serial: str = "") -> None:
        """Ask where the meter is (the one of this number, if it is known), then call ``then``."""
        from app.views.connect_sheet import ConnectSheet

        if self.station is None:
            return
        sheet = ConnectSheet(self.look, self.station, self, verb, self.station.desk.port_of(serial))
        if callable(then):
            sheet.accepted.connect(then)
        sheet.open()

    def _end_toast(self) -> None:
        if self._toast is not None:
            self._toast.hide()
            self._toast.deleteLater()
            self._toast = None

    def _place_toast(self) -> None:
        if self._toast is None:
            return
        room, margin = self._centre, self.look.page_margin
        self._toast.adjustSize()
        foot = self.look.primary + 2 * self.look.space.l + margin
        self._toast.move(
            room.width() - self._toast.width() - margin, room.height() - self._toast.height() - foot
        )
        self._toast.raise_()


def first_size(room: QSize, title_bar: int) -> QSize:
    """Give the size to begin with: never more than the screen has, with its title bar."""
    return QSize(*FIRST_SIZE).boundedTo(QSize(room.width(), room.height() - title_bar))


def _placeholder(look: Look) -> Page:
    page = Page(look, "Opening")
    words = label(look, "Opening your jobs…", "title", muted=True)
    page.outer.addStretch()
    page.outer.addWidget(words, 0, Qt.AlignmentFlag.AlignHCenter)
    page.outer.addStretch()
    return page
