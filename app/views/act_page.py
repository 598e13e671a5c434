"""What the pages of Maintenance that change a meter share: progress, fault, role, two steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views import words
from app.views.act_sheet import ActSheet
from app.views.controls import ActionButton
from app.views.fault_panel import FaultRoom
from app.views.page import Page
from app.views.progress_strip import ProgressStrip
from app.views.service_session import ACTING

if TYPE_CHECKING:
    from app.views.service_session import ActSession
    from app.views.theme import Look


class ActPage(Page):
    """A column for the content, progress and fault above it; subclasses add the rest."""

    port_wanted = Signal()
    report_wanted = Signal(object)  # a defect

    def __init__(self, look: Look, session: ActSession, name: str) -> None:
        super().__init__(look, name)
        self.session = session
        self.zone = words.zone(session.station.desk.settings.text("look.timezone"))
        self.may_write = True
        self._ran = False
        edge = look.page_margin
        self._content = QWidget()
        self.column = QVBoxLayout(self._content)
        self.column.setContentsMargins(edge, look.space.m, edge, edge)
        self.column.setSpacing(look.space.m)
        self.strip = ProgressStrip(look)
        self.strip.stopped.connect(session.stop)
        self.column.addWidget(self.strip)
        self._fault = FaultRoom(look, self.report_wanted.emit)
        self.column.addLayout(self._fault)
        self.outer.addWidget(self._content, 1)
        self.port = ActionButton(look, "Port…", "secondary", "plug")
        self.port.clicked.connect(self.port_wanted)
        self.on_key(Qt.Key.Key_F3, self.read, "read from the meter")
        self.on_key(Qt.Key.Key_Escape, self.escape)

    def follow(self) -> None:
        """Show from now on what the session does."""
        self.session.turned.connect(self._turned)
        self.session.found.connect(self._turned)
        self.session.moved.connect(lambda: self.strip.show_forecast(self.session.forecast))
        self.show_session()

    def _turned(self) -> None:
        """Show it; when a read has ended, work goes on with what it gave."""
        ran, self._ran = self._ran, self.session.running and self.session.doing != ACTING
        self.show_session()
        if ran and not self.session.running and self.isVisible():
            self.focus_result()

    def focus_result(self) -> None:
        """Put the focus where work goes on after a read."""
        self.focus_first()

    def opened(self) -> None:
        """Forget another meter, and learn what this role may do."""
        self.session.check_place()
        self.may_write = self.session.station.desk.may("meter.write")
        self.show_session()

    def read(self) -> None:
        """Read; where there is no port yet, ask for it first."""
        if self.session.running:
            return
        if self.session.station.target:
            self.read_meter()
        else:
            self.port_wanted.emit()

    def escape(self) -> None:
        """Stop what runs."""
        self.session.stop()

    def read_meter(self) -> None:
        """Begin to read; subclasses say what."""

    def show_session(self) -> None:
        """Show what has turned or arrived; subclasses add their own."""
        running = self.session.running
        self.strip.setVisible(running and self.session.doing != ACTING)
        if running and self.has_focus(self._primary):
            self.strip.stop.setFocus()
        self.port.setEnabled(not running)
        self._fault.show_failure(self.session, here=self.session.doing != ACTING)

    def ask(self, title: str, consequence: str, kind: type[ActSheet] = ActSheet) -> None:
        """Show the steps of the act that has begun."""
        if self.session.running:
            kind(self.look, self.session, title, consequence, self).open()
