"""Maintenance: reading a meter without a job."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views.controls import ActionButton, action_bar
from app.views.fault_panel import FaultPanel
from app.views.findings_view import FindingsView
from app.views.line_panel import LinePanel
from app.views.page import Page
from app.views.progress_strip import ProgressStrip
from app.views.surfaces import column_of, held_to, icon_label, label
from app.views.theme import Look
from app.views.work_session import ReadSession


class ReadPage(Page):
    """Registers, profile and events of the meter at the chosen port; nothing is booked."""

    port_wanted = Signal()
    report_wanted = Signal(object)  # a defect

    def __init__(self, look: Look, session: ReadSession) -> None:
        super().__init__(look, "Read a meter")
        self._session = session
        edge = look.page_margin
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(edge, look.space.m, edge, edge)
        column.setSpacing(look.space.m)
        self.line = LinePanel(look)
        self.findings = FindingsView(
            look, session.station, session.findings, checks=False, title="Read a meter"
        )
        self.strip = ProgressStrip(look)
        self.strip.stopped.connect(session.stop)
        self._start = self._first_words()
        self._fault_room = QVBoxLayout()
        self._fault_room.addStretch()  # what stands alone stands at the top
        self._fault: QWidget | None = None
        column.addWidget(self.strip)
        column.addLayout(self._fault_room)
        column.addWidget(self._start, 1)
        column.addWidget(self.findings, 1)
        column.addWidget(self.line)
        self.outer.addWidget(content, 1)
        self.port = ActionButton(look, "Port…", "secondary", "plug")
        self.port.clicked.connect(self.port_wanted)
        self.read = ActionButton(look, "Read the meter", "primary", "gauge", "F3")
        self.read.clicked.connect(self.start)
        self.outer.addWidget(action_bar(look, [self.port], [self.read]))
        self.set_primary(self.read)
        self.first_focus = self.read
        session.turned.connect(self.show_session)
        session.moved.connect(self._show_progress)
        session.found.connect(self.show_session)
        self.on_key(Qt.Key.Key_F3, self.start)
        self.on_key(Qt.Key.Key_Escape, session.stop)
        self.show_session()

    def start(self) -> None:
        """Read; where there is no port yet, ask for it first."""
        if self._session.running:
            return
        if self._session.station.target:
            self._session.start()
        else:
            self.port_wanted.emit()

    def show_session(self) -> None:
        """Show what has turned or arrived."""
        session = self._session
        running, empty = session.running, session.findings.empty
        self.strip.setVisible(running)
        if running and not self.strip.stop.hasFocus() and self.read.hasFocus():
            self.strip.stop.setFocus()
        self.read.setEnabled(not running)
        self.read.relabel("Read the meter" if empty else "Read again")
        self.port.setEnabled(not running)
        self._show_fault()
        failed = session.failure is not None
        self.line.show_line(None if running or failed else session.findings.line)
        self._start.setVisible(empty and not running and session.failure is None)
        self.findings.setVisible(not empty or running)
        self.findings.refresh()

    def _show_progress(self) -> None:
        self.strip.show_forecast(self._session.forecast)

    def _show_fault(self) -> None:
        if self._fault is not None:
            self._fault.hide()
            self._fault.deleteLater()
            self._fault = None
        failure, defect = self._session.failure, self._session.defect
        if failure is None:
            return
        actions = []
        if defect is not None:
            save = ActionButton(self.look, "Save report…", "secondary", "download")
            save.clicked.connect(lambda: self.report_wanted.emit(defect))
            actions.append(save)
        self._fault = FaultPanel(self.look, failure, actions, self._session.notes)
        self._fault_room.insertWidget(0, self._fault)

    def _first_words(self) -> QWidget:
        look = self.look
        text = "Identity, clock, registers, load profile and event log, without a job."
        more = "Nothing is written to the meter, and nothing is booked. Tables can be exported."
        block = column_of(
            look,
            icon_label(look, "gauge", look.colours.edge, 3.2),
            look.space.s,
            label(look, "Read a meter", "heading", strong=True),
            label(look, text, wrap=True),
            label(look, more, muted=True, wrap=True),
        )
        held_to(block, min(look.width_of(more) + 4, look.width_of("0" * 62)))
        host = QWidget()
        column = QVBoxLayout(host)
        column.addStretch(2)
        column.addWidget(block, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        return host
