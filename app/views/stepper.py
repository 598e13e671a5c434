"""The steps of a procedure in one line, as many of them named as there is room for."""

from enum import Enum
from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QSizePolicy, QWidget

from app.views.paint import Verdict, draw_mark
from app.views.theme import Look


class StepState(Enum):
    """Where a step of the procedure stands."""

    DONE = "done"
    FAILED = "failed"
    CURRENT = "current"
    TODO = "to do"


class StepButton(QAbstractButton):
    """One step: a mark, a name, and the line that leads to the next one."""

    def __init__(self, look: Look, number: int, name: str, state: StepState, *, here: bool):
        super().__init__()
        self._look, self._number, self._state, self._here = look, number, state, here
        self.room = 0
        self.setText(name)
        self.setAccessibleName(f"Step {number}, {name}, {state.value}")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedHeight(look.control)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)

    @property
    def _disc(self) -> float:
        return round(self._look.px(self._look.theme.type.body) * 1.6)

    @property
    def _named(self) -> bool:
        done = self._state is StepState.DONE
        return self._here or self.room == 0 or (self.room == 1 and not done)

    def width_at(self, room: int) -> int:
        """Width when room is ample (0), short (1: done steps have no name) or scarce (2)."""
        self.room, before = room, self.room
        name = self._look.width_of(self.text(), strong=True) if self._named else -6
        self.room = before
        return max(round(self._disc + 8 + name + self._look.space.s), self._look.control)

    def sizeHint(self) -> QSize:
        """Disc and name; where room is short only the current step is named."""
        return QSize(self.width_at(self.room), self.height())

    def paintEvent(self, _: QPaintEvent) -> None:
        """Draw disc and name."""
        look, c = self._look, self._look.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        disc = QRectF(2, (self.height() - self._disc) / 2, self._disc, self._disc)
        inner = disc.adjusted(2, 2, -2, -2)
        if self._state is StepState.DONE:
            draw_mark(painter, Verdict.PASS, look, inner)
        elif self._state is StepState.FAILED:
            draw_mark(painter, Verdict.FAIL, look, inner)
        else:
            self._number_disc(painter, inner)
        if self._named:
            painter.setFont(look.font(strong=self._here))
            painter.setPen(QColor(c.text if self._here else c.muted))
            left = disc.right() + 6
            box = QRectF(left, 0, self.width() - left, self.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, self.text())
        if self._here:
            bar = QRectF(2, self.height() - 3, self.width() - 4, 3)
            painter.fillRect(bar, QColor(c.accent.solid))

    def _number_disc(self, painter: QPainter, box: QRectF) -> None:
        c = self._look.colours
        current = self._state is StepState.CURRENT
        painter.setPen(QPen(QColor(c.accent.solid if current else c.edge), 1.5))
        painter.setBrush(QColor(c.accent.solid if current else c.surface))
        painter.drawEllipse(box)
        painter.setFont(self._look.font("caption", strong=True))
        painter.setPen(QColor(c.accent.on_solid if current else c.muted))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(self._number))


class Stepper(QWidget):
    """The steps of a procedure in one line; any of them can be opened."""

    opened = Signal(int)

    def __init__(self, look: Look, steps: list[tuple[str, StepState]], here: int) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(look.space.xs)
        self._look = look
        self._buttons: list[StepButton] = []
        for index, (name, state) in enumerate(steps):
            if index:
                row.addWidget(self._link(look), 1)
            button = StepButton(look, index + 1, name, state, here=index == here)
            button.clicked.connect(partial(self.opened.emit, index))
            self._buttons.append(button)
            row.addWidget(button)

    def minimumSizeHint(self) -> QSize:
        """Room for the discs and the name of the current step."""
        return QSize(self._width_at(2), self._look.control)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Name as many steps as there is room for."""
        room = next((r for r in (0, 1) if self._width_at(r) <= self.width()), 2)
        for button in self._buttons:
            button.room = room
            button.updateGeometry()
        super().resizeEvent(event)

    def _width_at(self, room: int) -> int:
        links = 3 * self._look.space.xs * max(0, len(self._buttons) - 1)
        return sum(button.width_at(room) for button in self._buttons) + links

    @staticmethod
    def _link(look: Look) -> QFrame:
        line = QFrame()
        line.setProperty("part", "rule")
        line.setFixedHeight(look.theme.targets.line)
        line.setMinimumWidth(look.space.xs)
        return line
