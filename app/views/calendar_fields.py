"""The fields of one row of a switching table: typed, or moved with keys and large buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QWidget

from app.services.calendar_steps import Step
from app.views.controls import ActionButton
from app.views.fields import Choice

if TYPE_CHECKING:
    from app.views.theme import Look

STEPS = {
    Qt.Key.Key_Up: Step.ON,
    Qt.Key.Key_Down: Step.BACK,
    Qt.Key.Key_PageUp: Step.FAR,
    Qt.Key.Key_PageDown: Step.FAR_BACK,
}
ENDS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape)
LEAST_CHARACTERS, MOST_FIGURES = 6, 6


class TypedField(QLineEdit):
    """Enter and Escape go back to the table, arrow keys move the value, undo is the draft's."""

    ended = Signal()
    moved = Signal(object)  # a Step

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)

    def event(self, event: QEvent) -> bool:
        """Keep the keys of the field from the page, and leave undo to the page."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            undo = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)
            if any(event.matches(key) for key in undo):
                event.ignore()
                return False
            if event.key() in ENDS:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go back, move, or type."""
        if event.key() in ENDS:
            self.ended.emit()
        elif event.key() in STEPS and not event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self.moved.emit(STEPS[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)


class StepField(QWidget):
    """A typed field between two buttons that move it a little; held down, they go on."""

    typed = Signal(str)

    def __init__(
        self, look: Look, name: str, stepped: Callable[[str, Step], str], room: str
    ) -> None:
        super().__init__()
        self._stepped = stepped
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(look.gap if look.gloves else look.space.xs)
        self.edit = TypedField(name)
        self.edit.setMinimumWidth(look.width_of(room) + 2 * look.space.m)
        self.edit.textEdited.connect(self.typed)
        self.edit.moved.connect(self._move)
        self.setFocusProxy(self.edit)
        for sign, step, word in (("−", Step.BACK, "back"), ("+", Step.ON, "on")):
            button = ActionButton(look, sign, "secondary")
            button.setAccessibleName(f"{name}: {word}")
            button.setAutoRepeat(True)
            button.setFixedWidth(look.control)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the arrow keys do the same
            button.clicked.connect(partial(self._move, step))
            row.addWidget(button)
        row.insertWidget(1, self.edit, 1)

    def _move(self, step: Step) -> None:
        moved = self._stepped(self.edit.text().strip(), step)
        if moved and moved != self.edit.text():
            self.edit.setText(moved)
            self.typed.emit(moved)


@dataclass(frozen=True)
class FieldKind:
    """One field of a row: its key, its caption, and how it is filled."""

    key: str
    caption: str
    stepped: Callable[[str, Step], str] | None = None
    room: str = "0" * 10
    choices: bool = False
    number: bool = False


class RowField(QWidget):
    """A field with its value as text, whatever it is made of."""

    given = Signal(str, str)  # key, text
    ended = Signal()

    def __init__(self, look: Look, kind: FieldKind) -> None:
        super().__init__()
        self.kind = kind
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self._edit: QLineEdit | None = None
        self._choice: Choice | None = None
        part: QWidget
        if kind.choices:
            self._choice = part = RowChoice(look, kind.caption)
            self._choice.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            self._choice.setMinimumWidth(look.width_of("0" * LEAST_CHARACTERS) + look.icon * 2)
            self._choice.activated.connect(self._choose)
            self._choice.ended.connect(self.ended)
        elif kind.stepped is not None:
            part = step = StepField(look, kind.caption, kind.stepped, kind.room)
            self._edit = step.edit
            step.typed.connect(self._type)
        else:
            self._edit = part = TypedField(kind.caption)
            self._edit.setMinimumWidth(look.width_of(kind.room))
            self._edit.textEdited.connect(self._type)
        if self._edit is not None and kind.number:
            self._edit.setMaxLength(MOST_FIGURES)
        if isinstance(self._edit, TypedField):
            self._edit.ended.connect(self.ended)
        row.addWidget(part, 1)
        self.setFocusProxy(self.operated)

    @property
    def operated(self) -> QWidget:
        """The widget that takes the keys."""
        return self._choice or self._edit or self

    def show_value(self, text: str, choices: Sequence[tuple[str, str]] = ()) -> None:
        """Show a value; what is not among the choices is said to be missing."""
        edit = self._edit
        if edit is not None and edit.text() != text and not self._being_typed(text):
            edit.setText(text)
        if self._choice is None:
            return
        listed = list(choices)
        if text not in {value for value, _ in listed}:
            listed.append((text, f"{text} (missing)" if text else "none"))
        kept = [(self._choice.itemData(n), self._choice.itemText(n))
                for n in range(self._choice.count())]  # fmt: skip
        if kept != listed:
            self._choice.clear()
            for value, words in listed:
                self._choice.addItem(words, value)
        self._choice.setCurrentIndex([value for value, _ in listed].index(text))

    def _being_typed(self, text: str) -> bool:
        """Whether what is being typed is this number already, or no number yet."""
        if not self.kind.number or self._edit is None or not self._edit.hasFocus():
            return False
        typed = self._edit.text().strip()
        return not typed.isdecimal() or int(typed) == int(text)

    def _type(self, text: str) -> None:
        self.given.emit(self.kind.key, text if self.kind.key == "name" else text.strip())

    def _choose(self, index: int) -> None:
        if self._choice is not None:
            self.given.emit(self.kind.key, str(self._choice.itemData(index)))


class RowChoice(Choice):
    """A choice that gives Enter and Escape back to the table."""

    ended = Signal()

    def event(self, event: QEvent) -> bool:
        """Keep the keys of the field from the page."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() in ENDS
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go back, or choose."""
        if event.key() in ENDS:
            self.ended.emit()
        else:
            super().keyPressEvent(event)
