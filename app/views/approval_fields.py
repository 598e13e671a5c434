"""Where a second person says who they are, and proves it with their own password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QVBoxLayout, QWidget

from app.views.fields import Choice
from app.views.surfaces import Banner, column_of, label

if TYPE_CHECKING:
    from app.tasks import Ask
    from app.views.theme import Look

PROOF = "It is checked on this laptop and kept nowhere."


class ApprovalFields(QWidget):
    """The name out of a few, or typed, and a password as dots."""

    changed = Signal()

    def __init__(self, look: Look, question: Ask) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.space.m)
        column.addWidget(Banner(look, "accent", question.text, question.detail, "user"))
        self.name: QLineEdit | Choice = QLineEdit()
        if question.choices:
            self.name = Choice(look, "Name")
            self.name.addItems(list(question.choices))
        else:
            self.name.textChanged.connect(self.changed)
        self.password = QLineEdit()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.password.textChanged.connect(self.changed)
        column.addWidget(_field(look, "Name", self.name))
        column.addWidget(_field(look, "Own password", self.password, PROOF))
        column.addStretch()

    @property
    def complete(self) -> bool:
        """Whether both are there."""
        return bool(self._name() and self.password.text())

    def take(self) -> tuple[str, str]:
        """Give name and password, and keep the password no longer."""
        taken = self._name(), self.password.text()
        self.password.clear()
        return taken

    def _name(self) -> str:
        if isinstance(self.name, QComboBox):
            return self.name.currentText()
        return self.name.text().strip()


def _field(look: Look, name: str, edit: QLineEdit | Choice, hint: str = "") -> QWidget:
    edit.setAccessibleName(name)
    edit.setAccessibleDescription(hint)
    caption = label(look, name, muted=True)
    caption.setBuddy(edit)
    parts = [caption, edit]
    if hint:
        parts.append(label(look, hint, "caption", muted=True, wrap=True))
    return column_of(look, *parts, gap=look.space.xs)
