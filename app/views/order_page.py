"""A job: stepper, what happens now, what was found, and what to do next."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from app.views import files, words
from app.views.checks_view import check_line, finding_banner, overall
from app.views.controls import ActionButton, action_bar
from app.views.fault_panel import FaultPanel
from app.views.findings_view import FindingsView
from app.views.keypad_panel import KeypadPanel, panel_for
from app.views.order_words import WORKABLE
from app.views.page import Page
from app.views.paint import Verdict
from app.views.progress_strip import ProgressStrip
from app.views.question_panel import QuestionPanel
from app.views.stepper import Stepper, StepState
from app.views.surfaces import Banner, Chip, ChipFace, CountBar, Strip, label, row_of
from app.views.theme import Look
from app.views.work_session import WorkSession

VIEW_OF = {
    "registers": "readings",
    "identify": "readings",
    "clock": "readings",
    "profile": "rows",
    "events": "events",
    "tokens": "tokens",
    "key_change": "tokens",
}
REASONS = {
    "no_access": "The meter does not give it",
    "no_time": "No time",
    "customer_refused": "The customer refused",
    "not_needed": "Not needed",
    "faulty_device": "It fails again and again",
}


class OrderPage(Page):
    """One order while it is worked, and afterwards."""

    left = Signal()
    report_wanted = Signal(object)  # a defect
    port_wanted = Signal()  # before the order can be started
    incident_wanted = Signal()
    keys_wanted = Signal()  # of a virtual meter

    def __init__(self, look: Look, session: WorkSession) -> None:
        super().__init__(look, "Job")
        self._session = session
        edge = look.page_margin
        content = QWidget()
        self._column = QVBoxLayout(content)
        tight = look.compact or look.gloves
        self._column.setContentsMargins(edge, look.space.s, edge, look.space.s if tight else edge)
        self._column.setSpacing(look.space.s)
        self._head: QWidget = QWidget()
        self._stepper: QWidget = QWidget()
        self._now: QWidget = QWidget()
        self.strip = ProgressStrip(look)
        self.strip.stopped.connect(session.stop)
        self.question: QuestionPanel | None = None
        self.fault: FaultPanel | None = None
        self.findings = FindingsView(look, session.station, session.findings, checks=True)
        for part in (self._head, self._stepper, self._now, self.strip):
            self._column.addWidget(part)
        self._column.addWidget(self.findings, 1)
        self._room = QWidget()  # takes the room of findings that are not there
        self._column.addWidget(self._room, 1)
        self.outer.addWidget(content, 1)
        self._bar: QWidget = QWidget()
        self.outer.addWidget(self._bar)
        session.turned.connect(self.show_session)
        session.moved.connect(self._show_progress)
        session.found.connect(self._show_found)
        self.on_key(Qt.Key.Key_Escape, self._escape)
        self.on_key(Qt.Key.Key_F3, self._repeat, "go on, or repeat the step")
        self.on_key(Qt.Key.Key_F9, self.open_report, "make and open the report")
        self.on_key(Qt.Key.Key_F4, self.findings.next_check, "next check that is no pass")
        self.show_session()

    def opened(self) -> None:
        """Fetch what the laptop keeps of the order."""
        if not self._session.running:
            self._session.load()

    def take_scan(self, text: str) -> bool:
        """Answer the open question with what was scanned."""
        return self.question is not None and self.question.take_scan(text)

    def show_session(self) -> None:
        """Make head, stepper, question and action bar anew: something has turned."""
        session, look = self._session, self.look
        focus = self.focusWidget()
        self.strip.setVisible(session.running and session.question is None)
        self._show_room()  # what goes makes room before anything comes, or the window would grow
        self._head = self._swap(self._head, self._made_head())
        self._stepper = self._swap(self._stepper, self._made_stepper())
        self._show_now()
        self.strip.show_forecast(session.forecast)
        left, right = self._buttons()
        self._bar.hide()
        self.outer.removeWidget(self._bar)
        self._bar.deleteLater()
        if look.compact and len(right) > 1:
            left = left[:1]
        self._bar = action_bar(look, list(left), list(right))
        self._bar.setMinimumHeight(look.primary + 2 * look.space.m)  # so that nothing jumps
        if look.gloves and not left and not right:
            self._bar.setFixedHeight(0)  # the room is needed
        self.outer.addWidget(self._bar)
        self._bar.show()  # at once: the next key may be on its way
        self._focus(focus)

    def focus_first(self) -> None:
        """Put the focus where the next answer is given."""
        self._focus(None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let the tables give way in a low window."""
        super().resizeEvent(event)
        self._show_room()

    def open_report(self) -> None:
        """Make the report if need be, and open it with the system's program."""
        desk, station = self._session.station.desk, self._session.station
        order_id = self._session.order_id

        def opened(path: object) -> None:
            files.show_file(path)  # type: ignore[arg-type]
            station.noticed.emit("printer", f"The report is {path}")

        station.fetcher.fetch(
            "report", lambda: desk.render_report(order_id), opened, station.refused.emit
        )

    def _swap(self, old: QWidget, new: QWidget) -> QWidget:
        self._column.replaceWidget(old, new)
        old.hide()
        new.show()
        old.deleteLater()
        return new

    def _show_progress(self) -> None:
        self.strip.show_forecast(self._session.forecast)

    def _show_found(self) -> None:
        self.findings.refresh()
        self._show_room()

    def _made_head(self) -> Strip:
        look, session, detail = self.look, self._session, self._session.detail
        row = detail.row if detail else None
        place = row.place if row else "Opening…"
        parts: list[QWidget | int | None] = []
        if not look.compact:
            back = ActionButton(look, "Jobs", "ghost", "undo-2")
            back.setAccessibleName("Back to the jobs")
            back.clicked.connect(self.left)
            parts.append(back)
        parts.append(label(look, place, "title", strong=True))
        if row and not look.compact:
            parts.append(label(look, f"Job {row.number}, {row.kind_words.lower()}", muted=True))
        parts.append(None)
        if session.steps:
            total = len(session.steps)
            parts.append(label(look, f"{session.done} of {total} steps"))
            if not look.compact:
                parts.append(CountBar(look, session.done, total))
        if face := self._verdict_face():
            parts.append(Chip(look, face))
        return row_of(look, *parts, gap=look.space.m)

    def _verdict_face(self) -> ChipFace | None:
        detail = self._session.detail
        whole = detail.row.verdict if detail and self._session.finished else ""
        if (verdict := words.verdict_of(whole)) is not None:
            return ChipFace(words.verdict_word(whole), verdict=verdict)
        lines = [check_line(check) for check in self._session.findings.checks.values()]
        worst = overall(lines)
        if worst is None:
            return None
        count = sum(line.verdict is worst for line in lines)
        word = {Verdict.FAIL: f"{count} failed", Verdict.NOT_RUN: f"{count} not run"}
        return ChipFace(word.get(worst, worst.value), verdict=worst)

    def _made_stepper(self) -> QWidget:
        session = self._session
        steps = []
        for step in session.steps:
            state = StepState.TODO
            if step.state in {"done", "skipped"}:
                state = StepState.FAILED if step.verdict == "FAIL" else StepState.DONE
            elif step.position == session.here:
                failed = session.failure is not None
                state = StepState.FAILED if failed else StepState.CURRENT
            steps.append((step.title, state))
        stepper = Stepper(self.look, steps, session.here)
        stepper.opened.connect(self._open_step)
        return stepper

    def _open_step(self, index: int) -> None:
        step = self._session.steps[index]
        self.findings.turn_to(VIEW_OF.get(step.kind, "checks"))
        if step.summary:
            self._session.station.noticed.emit("info", f"{step.title}: {step.summary}")

    def _show_now(self) -> None:
        """Show what stands before the proof: question, failure, finding, or what comes next."""
        session, look = self._session, self.look
        self.question, self.fault = None, None
        now: QWidget
        if session.question is not None:
            self.question = panel_for(look, session.question, session.virtual_keypad())
            self.question.answered.connect(session.answer)
            self.question.noticed.connect(self._refuse_scan)
            if isinstance(self.question, KeypadPanel):
                self.question.keys_wanted.connect(self.keys_wanted)
            now = self.question
        elif session.running:
            now = QFrame()
            now.setFixedHeight(0)
        elif session.failure is not None:
            self.fault = FaultPanel(look, session.failure, self._report_action(), session.notes)
            now = _scrolling(look, self.fault) if look.compact else self.fault
        else:
            now = self._standing_banner()
        self._now = self._swap(self._now, now)

    def _report_action(self) -> list[ActionButton]:
        defect = self._session.defect
        if defect is None:
            return []
        save = ActionButton(self.look, "Save report…", "secondary", "download")
        save.clicked.connect(lambda: self.report_wanted.emit(defect))
        return [save]

    def _show_room(self) -> None:
        session, tight = self._session, self.look.compact or self.look.gloves
        there = not session.findings.empty or session.running
        if tight and (session.question is not None or (session.failure and not session.running)):
            there = False  # what is asked or went wrong has the room
        rest = sum(part.sizeHint().height() for part in (self._head, self._stepper, self._now))
        least = rest + self._bar.sizeHint().height() + self.findings.minimumSizeHint().height()
        if tight and self.height() < least:
            there = False  # the trace is open in a low window
        self.findings.setVisible(there)
        self._room.setVisible(not there)

    def _standing_banner(self) -> QWidget:
        lines = [check_line(check) for check in self._session.findings.checks.values()]
        if (banner := finding_banner(self.look, lines)) is not None:
            return banner
        said = standing_words(self._session)
        return Banner(self.look, *said) if said else QFrame()

    def _refuse_scan(self, reason: str) -> None:
        self._session.station.noticed.emit("scan-barcode", reason)

    def _buttons(self) -> tuple[list[ActionButton], list[ActionButton]]:
        session, look = self._session, self.look
        cannot = ActionButton(look, "Cannot complete…", "ghost")
        cannot.clicked.connect(self.incident_wanted)
        port = ActionButton(look, "Port…", "secondary", "plug")
        port.clicked.connect(self.port_wanted)
        self.set_primary(None)
        if self.question is not None:
            stop = self._button("Stop", "secondary", "x", "Esc")
            stop.clicked.connect(session.stop)
            self.set_primary(self.question.primary)
            return [stop], self.question.buttons
        if session.running:
            return [], []
        state = session.detail.row.state if session.detail else ""
        if session.finished or (state and state not in WORKABLE):
            report = self._button("Open the report", "primary", "printer", "F9")
            report.clicked.connect(self.open_report)
            report.setEnabled(session.finished)
            sync = self._button("Sync", "secondary", "cloud-upload", "")
            sync.clicked.connect(session.station.sync)
            self.set_primary(report)
            return [sync], [report]
        if not session.station.desk.may("orders.work"):
            return [], []
        left = [port, *self._skip_buttons()] if session.failure else [port]
        begun = bool(session.done)
        verb, icon = ("Repeat", "rotate-cw") if session.failure else ("Start", "arrow-right")
        verb = "Resume" if begun and not session.failure else verb
        if session.steps and session.failure:
            verb = f"Repeat {session.steps[session.here].title.lower()}"
        go = self._button(verb, "primary", icon, "Enter")
        go.clicked.connect(self.start)
        go.setEnabled(bool(session.steps))
        self.set_primary(go)
        return [*left, cannot], [go]

    def _skip_buttons(self) -> list[ActionButton]:
        session = self._session
        if not session.steps:
            return []
        step = session.steps[session.here]
        if not step.may_skip:
            return []
        skip = self._button("Leave out…", "secondary", "", "")
        skip.clicked.connect(self._ask_skip)
        return [skip]

    def _ask_skip(self) -> None:
        from app.views.skip_sheet import SkipSheet

        session = self._session
        step = session.steps[session.here]
        reasons = [(reason, REASONS.get(reason, reason)) for reason in step.may_skip]
        sheet = SkipSheet(self.look, step.title, reasons, self.window())
        sheet.chosen.connect(lambda reason: session.leave_out(step.key, reason))
        sheet.open()

    def _button(self, text: str, kind: str, icon: str, key: str) -> ActionButton:
        button = ActionButton(self.look, text, kind, icon, "" if self.look.compact else key)
        if self.look.gloves and kind != "primary":
            button.setFixedHeight(self.look.control)
        return button

    def start(self) -> None:
        """Start or go on; a meter that answered before is reached by its number, without asking."""
        target, virtual = self._session.station.target, self._session.virtual_port()
        if target and virtual in {"", target}:
            self._session.start()
        elif virtual:
            self.port_wanted.emit()  # at the port in use hangs another meter of the demo
        else:
            self._session.reach(self.port_wanted.emit)

    def _repeat(self) -> None:
        if not self._session.running and not self._session.finished and self._session.steps:
            self.start()

    def _escape(self) -> None:
        if self._session.running:
            self._session.stop()
        else:
            self.left.emit()

    def _focus(self, before: QWidget | None) -> None:
        wanted: QWidget | None = None
        if self.question is not None:
            wanted = self.question.first_focus
        elif self._session.running:
            wanted = self.strip.stop
        else:
            wanted = self._primary_button() or before
        self.first_focus = wanted
        if wanted is not None:
            wanted.setFocus()

    def _primary_button(self) -> QWidget | None:
        found = [b for b in self._bar.findChildren(ActionButton) if b.property("kind") == "primary"]
        return found[0] if found else None


def standing_words(session: WorkSession) -> tuple[str, str, str, str] | None:
    """Say how an order stands while nothing runs: tone, title, text, icon."""
    state = session.detail.row.state if session.detail else ""
    if session.finished:
        verdict = session.detail.row.verdict if session.detail else ""
        word = f": {words.verdict_word(verdict).lower()}" if verdict else ""
        text = "Everything is kept on this laptop. The report is ready; sync sends it."
        tone = "passed" if verdict == "PASS" else "warned"
        return tone, f"This job is done{word}", text, ""
    if state and state not in WORKABLE:
        return "warned", "This job is closed", "It cannot be worked any more.", ""
    if not session.steps:
        return None
    step = session.steps[session.here]
    if session.stopped:
        text = f"What arrived is kept. It goes on at: {step.title}."
        return "accent", "Stopped", text, "circle-pause"
    if session.done or step.state == "running":
        text = "What was found before is kept; nothing is asked twice."
        return "accent", f"It goes on at: {step.title}", text, "circle-play"
    text = "Put the probe on the meter. Everything is kept as it happens."
    return "accent", f"Ready: {step.title} comes first", text, "circle-play"


def _scrolling(look: Look, panel: QWidget) -> QWidget:
    area = QScrollArea()
    area.setAccessibleName("What happened")
    area.setWidgetResizable(True)
    area.setWidget(panel)
    panel.setProperty("part", "page")
    area.setMinimumHeight(look.control * 3)
    return area
