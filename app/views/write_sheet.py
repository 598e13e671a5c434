"""Writes one attribute in two steps: value and reason, then the number of the meter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from app.services.approving import ACT, ACT_PASSWORD
from app.services.battery import battery
from app.services.object_write import REASON, VALUE
from app.services.typed_values import encoded, kind_of, typed
from app.views import words
from app.views.approval_fields import ApprovalFields
from app.views.controls import ActionButton
from app.views.fault_panel import note_lines, remedy_lines
from app.views.object_session import value_text
from app.views.sheet import Sheet
from app.views.surfaces import Banner, column_of, facts, label
from drivers.errors import ValueRefused

if TYPE_CHECKING:
    from app.tasks import Ask
    from app.views.object_session import ObjectSession
    from app.views.theme import Look

WRITE = "Write to the meter"
WHY = "Kept in the record of what was written."
CONFIRM = ".confirm"  # how the key of the last question ends
HOLD = "Do not lift the probe"


class WriteSheet(Sheet):
    """Follows the task that writes: it asks, this shows; Escape leaves the meter as it was."""

    def __init__(
        self, look: Look, session: ObjectSession, title: str, meter: str, parent: QWidget
    ) -> None:
        super().__init__(look, title, parent)
        self._session, self._meter, self._title = session, meter, title
        self._answers: dict[str, str] = {}
        self._step = ""
        self.stack = QStackedWidget()
        self.body.addWidget(self.stack, 1)
        self.value, self.reason, self.digits = QLineEdit(), QLineEdit(), QLineEdit()
        self._approval: ApprovalFields | None = None
        self._problem = label(look, "", wrap=True)
        self._problem.setProperty("part", "problem")
        self._waiting = label(look, "Reading what stands there…", muted=True)
        self.go = ActionButton(look, "Continue", "primary")
        self.go.clicked.connect(self._press)
        self.finish(self.go)
        self.setMinimumWidth(look.width_of("0" * 64))
        for field in (self.value, self.reason, self.digits):
            field.textChanged.connect(self._judge)
        session.turned.connect(self._follow)
        session.moved.connect(self._show_progress)
        self._turn("busy", column_of(look, self._waiting, None))
        self._follow()
        self.fit_to(parent)

    def done(self, result: int) -> None:
        """Stop what still asks; nothing is written then."""
        self._session.turned.disconnect(self._follow)
        self._session.moved.disconnect(self._show_progress)
        if self._session.running:
            self._session.stop()
        super().done(result)

    # --- what the task is at ------------------------------------------------------------------

    def _follow(self) -> None:
        session = self._session
        question = session.question
        if question is not None:
            self._take(question)
        elif session.running:
            if self._step not in {"form", "busy", "acting"}:
                self._turn("busy", column_of(self.look, self._waiting, None))
        elif self._is_done():
            self._show_written()
        elif session.failure is not None:
            self._show_failure()
        elif session.stopped:
            self.reject()
        self._judge()

    def _take(self, question: Ask) -> None:
        if question.key in self._answers:
            answer = self._answers.pop(question.key)
            self._session.answer(answer)
        elif question.key.endswith(CONFIRM):
            self._show_confirm(question)
        elif question.key == ACT:
            self._show_approval(question)
        elif self._step != "form":
            self._show_form()

    def _show_progress(self) -> None:
        self._waiting.setText(self._session.forecast.what() or "Starting")

    def _is_done(self) -> bool:
        return self._session.written is not None

    # --- steps --------------------------------------------------------------------------------

    def _show_form(self) -> None:
        standing = self._session.standing
        if standing is None:
            return
        look = self.look
        one = standing.before
        now = value_text(one) or words.NOTHING
        self.value.setText(typed(standing.raw))
        self.value.selectAll()
        kind = kind_of(standing.raw)
        hint = f"Type {kind}." if kind else "Type hex: and the value as the meter encodes it."
        scaled = now != typed(standing.raw) and one.reading.unit
        if scaled:
            hint += f" It is the meter's own number, without scaler: {now} is written like this."
        pairs = [("Meter", self._meter), ("Stands there now", now)]
        parts: list[QWidget] = [
            *self._charge(),
            facts(look, pairs),
            self._field("New value", self.value, hint),
            self._field("Why it is changed", self.reason, WHY),
            self._problem,
        ]
        self._turn("form", column_of(look, *parts, None, gap=look.space.m))
        self.value.setFocus()

    def _show_confirm(self, question: Ask) -> None:
        look = self.look
        standing = self._session.standing
        now = value_text(standing.before) if standing is not None else ""
        text = f"{question.text} It stands at {now or words.NOTHING} now."
        warning = Banner(look, "failed", "This changes the meter", text)
        self.digits.clear()
        field = self._field("Last digits of the meter's number", self.digits, question.detail)
        self._turn("confirm", column_of(look, warning, field, None, gap=look.space.m))
        self.digits.setFocus()

    def _show_approval(self, question: Ask) -> None:
        fields = self._approval = ApprovalFields(self.look, question)
        fields.changed.connect(self._judge)
        self._turn("approve", fields)
        fields.name.setFocus()

    def _show_acting(self) -> None:
        """Say that the line must hold: what is sent now changes the meter."""
        self._waiting.setText("Signing on…")
        hold = Banner(self.look, "warned", HOLD, "The meter is being changed, then read back.")
        self._turn("acting", column_of(self.look, hold, self._waiting, None))

    def _charge(self) -> list[QWidget]:
        """Give the warning of a battery that is nearly empty, where it is."""
        warning = battery().warning
        return [Banner(self.look, "warned", "Little charge", warning)] if warning else []

    def _show_written(self) -> None:
        written = self._session.written
        if written is None or self._step == "written":
            return
        before, after = value_text(written.before), value_text(written.after)
        pairs = [("Before", before), ("Written", written.wanted), ("Read back", after)]
        banner = Banner(self.look, "passed", "The meter has taken the value")
        banner.add(facts(self.look, [(name, text or words.NOTHING) for name, text in pairs]))
        self._turn("written", column_of(self.look, banner, None))

    def _show_failure(self) -> None:
        message = self._session.failure
        if message is None or self._step == "failed":
            return
        banner = Banner(self.look, "failed", message.title, message.meaning)
        detail = words.sentence(message.detail)
        if detail:
            banner.add(label(self.look, detail, muted=True, wrap=True))
        for line in remedy_lines(self.look, message.remedy):
            banner.add(line)
        for line in note_lines(self.look, self._session.notes):
            banner.add(line)
        self._turn("failed", column_of(self.look, banner, None))

    def _field(self, name: str, edit: QLineEdit, hint: str) -> QWidget:
        look = self.look
        edit.setAccessibleName(name)
        edit.setAccessibleDescription(hint)
        caption = label(look, name, muted=True)
        caption.setBuddy(edit)
        quiet = label(look, hint, "caption", muted=True, wrap=True)
        return column_of(look, caption, edit, quiet, gap=look.space.xs)

    def _turn(self, step: str, page: QWidget) -> None:
        """Show the next step; the fields move with it, the page before goes."""
        old = self.stack.currentWidget()
        host = QWidget()
        column = QVBoxLayout(host)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(page)
        self._step = step
        for part in host.findChildren(QWidget):
            part.ensurePolished()
        room = max(self.width(), self.minimumWidth()) - 2 * self.look.page_margin
        lowest = column.totalMinimumSize().height()
        self.stack.setMinimumHeight(max(lowest, column.totalHeightForWidth(room)))
        self.stack.addWidget(host)
        self.stack.setCurrentWidget(host)
        if old is not None:
            for kept in (self.value, self.reason, self.digits, self._problem, self._waiting):
                if old.isAncestorOf(kept):
                    kept.setParent(self)
                    kept.hide()
            self.stack.removeWidget(old)
            old.deleteLater()
        for kept in (self.value, self.reason, self.digits, self._problem, self._waiting):
            if page.isAncestorOf(kept):
                kept.show()
        face = {
            "confirm": WRITE,
            "approve": "Approve",
            "written": "Done",
            "failed": "Understood",
        }.get(step, "Continue")
        self.go.relabel(face)
        self.go.setDefault(step != "confirm")
        self.go.setAutoDefault(step != "confirm")
        self.leave.relabel("Stop" if step == "acting" else "Leave")
        self.leave.setVisible(step not in {"written", "failed"})
        if step in {"written", "failed"}:
            self.go.setEnabled(True)
            self.go.setFocus()
        elif step in {"busy", "acting"}:
            self.leave.setFocus()

    # --- what the operator does ---------------------------------------------------------------

    def _trouble(self) -> str:
        """Say why it cannot go on yet; "" when it can."""
        standing = self._session.standing
        if self._step == "form" and standing is not None:
            try:
                encoded(standing.raw, self.value.text())
            except ValueRefused as error:
                return words.sentence(str(error))
        return ""

    def _complete(self) -> bool:
        if self._step == "approve":
            return self._approval is not None and self._approval.complete
        needed = {"form": self.reason, "confirm": self.digits}.get(self._step)
        return needed is None or bool(needed.text().strip())

    def _judge(self) -> None:
        trouble = self._trouble()
        self._problem.setText(trouble if self._step == "form" else "")
        self.go.setEnabled(
            self._step not in {"busy", "acting"} and not trouble and self._complete()
        )

    def _given(self) -> dict[str, str]:
        """Give the answers of the first step, by the keys of the questions."""
        return {VALUE: self.value.text().strip(), REASON: self.reason.text().strip()}

    def _press(self) -> None:
        if self._step in {"written", "failed"}:
            self.accept()
        elif self._trouble() or not self._complete():
            self._judge()
        elif self._step == "form":
            self._answers = self._given()
            question = self._session.question
            if question is not None:
                self._take(question)
        elif self._step == "approve" and self._approval is not None:
            name, password = self._approval.take()
            self._answers |= {ACT_PASSWORD: password}
            self._turn("busy", column_of(self.look, self._waiting, None))
            self._session.answer(name)
        elif self._step == "confirm":
            self._show_acting()
            self._session.answer(self.digits.text().strip())
