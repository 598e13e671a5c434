"""Leaves a step out for one of the coded reasons that its procedure allows."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.views.controls import ActionButton
from app.views.fields import Choice
from app.views.sheet import Sheet
from app.views.surfaces import label
from app.views.theme import Look


class SkipSheet(Sheet):
    """Asks for the reason; it is printed on the report."""

    chosen = Signal(str)

    def __init__(
        self, look: Look, step: str, reasons: Sequence[tuple[str, str]], parent: QWidget
    ) -> None:
        super().__init__(look, f"Leave out: {step}", parent)
        self.reasons = Choice(look, "Reason")
        for reason, words in reasons:
            self.reasons.addItem(words, reason)
        self.body.addWidget(label(look, "The reason is printed on the report.", muted=True))
        self.body.addWidget(self.reasons)
        self.body.addStretch()
        go = ActionButton(look, "Leave out", "primary", "", "Enter")
        go.clicked.connect(self._choose)
        self.finish(go)
        self.fit_to(parent)

    def _choose(self) -> None:
        self.chosen.emit(str(self.reasons.currentData()))
        self.accept()
