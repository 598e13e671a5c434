"""What the pages of Maintenance that change a meter share: progress, fault, role, two steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views import words
from app.views.act_sheet import ActSheet
from app.views.controls import ActionButton
from app.views.fault_panel import FaultPanel
from app.views.page import Page
from app.views.progress_strip import ProgressStrip
from app.views.service_session import ACTING
from app.views.surfaces import column_of, held_to, icon_label, label

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
        self._fault: QWidget | None = None
        self._ran = False
        edge = look.page_margin
        self._content = QWidget()
        self.column = QVBoxLayout(self._content)
        self.column.setContentsMargins(edge, look.space.m, edge, edge)
        self.column.setSpacing(look.space.m)
        self.strip = ProgressStrip(look)
        self.strip.stopped.connect(session.stop)
        self.column.addWidget(self.strip)
        self._fault_room = QVBoxLayout()
        self.column.addLayout(self._fault_room)
        self.outer.addWidget(self._content, 1)
        self.port = ActionButton(look, "Port…", "secondary", "plug")
        self.port.clicked.connect(self.port_wanted)
        self.on_key(Qt.Key.Key_F3, self.read)
        self.on_key(Qt.Key.Key_Escape, session.stop)

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

    def read_meter(self) -> None:
        """Begin to read; subclasses say what."""

    def show_session(self) -> None:
        """Show what has turned or arrived; subclasses add their own."""
        running = self.session.running
        self.strip.setVisible(running and self.session.doing != ACTING)
        if running and self._primary is not None and self._primary.hasFocus():
            self.strip.stop.setFocus()
        self.port.setEnabled(not running)
        self._show_fault()

    def ask(self, title: str, consequence: str, kind: type[ActSheet] = ActSheet) -> None:
        """Show the steps of the act that has begun."""
        if self.session.running:
            kind(self.look, self.session, title, consequence, self).open()

    def first_words(self, icon: str, title: str, text: str, more: str) -> QWidget:
        """Say in the middle of the page what it is for, while there is nothing to show."""
        look = self.look
        block = column_of(
            look,
            icon_label(look, icon, look.colours.edge, 3.2),
            look.space.s,
            label(look, title, "heading", strong=True),
            label(look, text, wrap=True),
            label(look, more, muted=True, wrap=True),
        )
        held_to(block, min(look.width_of(text) + 4, look.width_of("0" * 62)))
        host = QWidget()
        column = QVBoxLayout(host)
        column.addStretch(2)
        column.addWidget(block, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        return host

    def _show_fault(self) -> None:
        if self._fault is not None:
            self._fault.hide()
            self._fault.deleteLater()
            self._fault = None
        session = self.session
        if session.failure is None or session.doing == ACTING:
            return
        actions = []
        defect = session.defect
        if defect is not None:
            save = ActionButton(self.look, "Save report…", "secondary", "download")
            save.clicked.connect(lambda: self.report_wanted.emit(defect))
            actions.append(save)
        self._fault = FaultPanel(self.look, session.failure, actions, session.notes)
        self._fault_room.addWidget(self._fault)
