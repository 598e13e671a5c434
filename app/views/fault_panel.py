"""An error with its remedy: what happened, what it means, what to do; the technical line folded."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFrame, QVBoxLayout, QWidget

from app.messages import Message, explain
from app.views.controls import ActionButton
from app.views.paint import Verdict
from app.views.sheet import Sheet
from app.views.surfaces import Mark, Strip, column_of, icon_label, label, row_of
from app.views.theme import Look

if TYPE_CHECKING:
    from app.views.work_session import LineSession

SENTENCE = re.compile(r"(?<=[.?]) +(?=[A-Z])")


def remedies(text: str) -> list[str]:
    """Give the remedy as steps, one a sentence, in the order to try."""
    return [part for part in SENTENCE.split(text) if part]


class TechnicalLine(QWidget):
    """The line for whoever repairs it: folded, and to be copied."""

    def __init__(self, look: Look, detail: str) -> None:
        super().__init__()
        self._look = look
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.space.xs)
        self.fold = ActionButton(look, "Technical line", "ghost", "chevron-right")
        self.fold.setCheckable(True)
        self.fold.toggled.connect(self._turn)
        copy = ActionButton(look, "Copy", "ghost", "copy")
        copy.setAccessibleName("Copy the technical line")
        copy.clicked.connect(lambda: QApplication.clipboard().setText(detail))
        column.addWidget(row_of(look, self.fold, None, copy))
        self.words = label(look, detail, "caption", mono=True, muted=True, wrap=True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.words.hide()
        column.addWidget(self.words)

    def _turn(self, shown: bool) -> None:
        self.words.setVisible(shown)
        self.fold.relabel("Technical line", "chevron-down" if shown else "chevron-right")


def remedy_lines(look: Look, text: str) -> list[Strip]:
    """Number the steps of a remedy; one step alone needs no number."""
    steps = remedies(text)
    lines = []
    for number, step in enumerate(steps, start=1):
        words = label(look, step, wrap=True)
        line = row_of(look, gap=look.space.m)
        if len(steps) > 1:
            count = label(look, str(number), strong=True, muted=True)
            line.box.addWidget(count, 0, Qt.AlignmentFlag.AlignTop)
        line.add(words, 1)
        lines.append(line)
    return lines


def note_lines(look: Look, notes: Sequence[str]) -> list[Strip]:
    """Give what the line showed and what was tried, quietly, a line each."""
    lines = []
    for note in notes:
        line = row_of(look, icon_label(look, "activity"), gap=look.space.s)
        line.add(label(look, note, muted=True, wrap=True), 1)
        lines.append(line)
    return lines


class FaultPanel(QWidget):
    """What became of the last try, and what to do about it."""

    def __init__(
        self,
        look: Look,
        message: Message,
        actions: Sequence[ActionButton] = (),
        notes: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.message = message
        self.setAccessibleName(message.title)
        self.setAccessibleDescription(f"{message.meaning} {message.remedy}")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.space.s if look.compact else look.space.m)
        title = label(look, message.title, "heading", strong=True, wrap=True)
        head = row_of(look, Mark(look, Verdict.FAIL, 2.0), gap=look.space.m)
        head.add(title, 1)
        column.addWidget(head)
        column.addWidget(label(look, message.meaning, wrap=True))
        for line in remedy_lines(look, message.remedy):
            column.addWidget(line)
        for line in note_lines(look, notes):
            column.addWidget(line)
        if actions:
            column.addWidget(row_of(look, *actions, None, gap=max(look.space.m, look.gap)))
        if message.detail:
            rule = QFrame()
            rule.setProperty("part", "rule")
            rule.setFixedHeight(look.theme.targets.line)
            column.addWidget(rule)
            self.technical = TechnicalLine(look, message.detail)
            column.addWidget(self.technical)


class FaultRoom(QVBoxLayout):
    """The place on a page for what became of the last try; a defect can be saved as a report."""

    def __init__(self, look: Look, report: Callable[[BaseException], object]) -> None:
        super().__init__()
        self._look, self._report = look, report
        self._panel: FaultPanel | None = None

    def show_failure(self, session: "LineSession", *, here: bool = True) -> None:
        """Show the failure of a session, or nothing; ``here`` says that no sheet shows it."""
        if self._panel is not None:
            self._panel.hide()
            self._panel.deleteLater()
            self._panel = None
        defect = session.defect
        if session.failure is None or not here:
            return
        actions = []
        if defect is not None:
            save = ActionButton(self._look, "Save report…", "secondary", "download")
            save.clicked.connect(lambda: self._report(defect))
            actions.append(save)
        self._panel = FaultPanel(self._look, session.failure, actions, session.notes)
        self.insertWidget(0, self._panel)


class FaultSheet(Sheet):
    """The dialog for an error that has no page of its own; ``save`` is there for a defect."""

    def __init__(self, look: Look, title: str, parent: QWidget, *, saves: bool) -> None:
        super().__init__(look, title, parent)
        self.save = ActionButton(look, "Save report…", "secondary", "download") if saves else None


def fault_sheet(
    look: Look, error: BaseException, parent: QWidget, *, saves: bool = False
) -> FaultSheet:
    """Give the dialog for an error that has no page of its own."""
    message = explain(error)
    sheet = FaultSheet(look, message.title, parent, saves=saves)
    parts: list[QWidget] = [label(look, message.meaning, wrap=True)]
    parts += remedy_lines(look, message.remedy)
    parts += note_lines(look, getattr(error, "__notes__", ()))
    if message.detail:
        parts.append(TechnicalLine(look, message.detail))
    sheet.body.addWidget(column_of(look, *parts, gap=look.space.m))
    understood = ActionButton(look, "Understood", "primary", key="Enter")
    understood.clicked.connect(sheet.accept)
    sheet.finish(understood, *([sheet.save] if sheet.save else []), leave="Close")
    sheet.fit_to(parent)
    return sheet
