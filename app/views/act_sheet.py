"""Does something to a meter in two steps: a reason, then the number of the meter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.services.object_write import REASON
from app.views import words
from app.views.surfaces import Banner, column_of, facts
from app.views.write_sheet import WHY, WriteSheet
from drivers.values import ClockReading, RelayReading

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from app.tasks import Ask
    from app.views.service_session import ActSession
    from app.views.theme import Look


class ActSheet(WriteSheet):
    """As a write, without a value to type: the consequence is said before anything is done."""

    def __init__(
        self, look: Look, session: ActSession, title: str, consequence: str, parent: QWidget
    ) -> None:
        self._consequence, self._service = consequence, session
        super().__init__(look, session, title, session.serial, parent)
        self.setWindowTitle(title)

    def _is_done(self) -> bool:
        return self._service.outcome is not None

    def _show_form(self) -> None:
        look = self.look
        warning = Banner(look, "warned", "What it does", self._consequence)
        reason = self._field("Why it is done", self.reason, WHY)
        parts = (warning, *self._charge(), reason)
        self._turn("form", column_of(look, *parts, None, gap=look.space.m))
        self.reason.setFocus()

    def _show_confirm(self, question: Ask) -> None:
        look = self.look
        warning = Banner(look, "failed", question.text, self._consequence)
        field = self._field("Last digits of the meter's number", self.digits, question.detail)
        self.digits.clear()
        self._turn("confirm", column_of(look, warning, field, None, gap=look.space.m))
        self.go.relabel(self._title)
        self.digits.setFocus()

    def _show_written(self) -> None:
        outcome = self._service.outcome
        if outcome is None or self._step == "written":
            return
        banner = Banner(self.look, "passed", "Done, and read back")
        banner.add(facts(self.look, self._told()))
        self._turn("written", column_of(self.look, banner, None))

    def _told(self) -> list[tuple[str, str]]:
        """Say what the act came to, name by value."""
        before, after = (_said(one) for one in self._service.outcome or ("", ""))
        return [("Before", before), ("Read back", after)]

    def _given(self) -> dict[str, str]:
        return {REASON: self.reason.text().strip()}


def relay_words(relay: RelayReading) -> str:
    """Say what flows and what the control says, also that the customer must press the button."""
    flow = "supply on" if relay.output else "supply off"
    state = "enabled: the customer must press the button" if "ready" in relay.state else relay.state
    return f"{state}, {flow}"


def _said(one: object) -> str:
    if isinstance(one, ClockReading):
        return f"off by {words.signed(round(one.offset, 1))} s"
    return relay_words(one) if isinstance(one, RelayReading) else ""
