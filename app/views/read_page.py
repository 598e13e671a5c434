"""Maintenance: reading a meter without a job."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views.controls import ActionButton, action_bar
from app.views.fault_panel import FaultRoom
from app.views.findings_view import FindingsView
from app.views.line_panel import LinePanel
from app.views.page import Page, purpose
from app.views.progress_strip import ProgressStrip
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
        self._start = purpose(
            look,
            "gauge",
            "Read a meter",
            "Identity, clock, registers, load profile and event log, without a job.",
            "Nothing is written to the meter, and nothing is booked. Tables can be exported.",
        )
        self._fault = FaultRoom(look, self.report_wanted.emit)
        self._fault.addStretch()  # what stands alone stands at the top
        column.addWidget(self.strip)
        column.addLayout(self._fault)
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
        self.on_key(Qt.Key.Key_F3, self.start, "read the meter")
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
        if running and self.has_focus(self.read):
            self.strip.stop.setFocus()
        self.read.setEnabled(not running)
        self.read.relabel("Read the meter" if empty else "Read again")
        self.port.setEnabled(not running)
        self._fault.show_failure(self._session)
        failed = session.failure is not None
        self.line.show_line(None if running or failed else session.findings.line)
        self._start.setVisible(empty and not running and session.failure is None)
        self.findings.setVisible(not empty or running)
        self.findings.refresh()

    def _show_progress(self) -> None:
        self.strip.show_forecast(self._session.forecast)
