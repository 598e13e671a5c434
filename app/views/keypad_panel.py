"""A token on its way to the meter's keypad: five large groups of digits, then what it says.

The digits are on this screen and nowhere else.  The group to be typed stands out; before the key
that hands the token in, or before the last group where the meter has none, both are compared.
"""

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.services.keypad import KeypadAsk
from app.services.token import TokenAsk
from app.tasks import Ask
from app.views.controls import ActionButton
from app.views.paint import draw_icon
from app.views.question_panel import QuestionPanel
from app.views.surfaces import label, row_of
from app.views.theme import Look
from app.views.token_panel import TokenPanel
from app.views.work_session import Keys

DIGIT_MM, GLOVES_MM = 7.0, 10.0  # height of a figure: read at arm's length
FIGURE = 0.72  # height of a figure in a font, as a share of its size
GROUPS = 5
ACCEPTED = "Accepted"
VIRTUAL = "This meter is a virtual one: F7 shows its keys, or let the button below type on it."


class DigitGroups(QWidget):
    """The groups side by side, as large as the width allows; the one to be typed stands out."""

    chosen = Signal(int)

    def __init__(self, look: Look, groups: tuple[str, ...]) -> None:
        super().__init__()
        self._look, self._groups, self.here = look, groups, 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.show_here(0)

    def show_here(self, here: int) -> None:
        """Let another group stand out; one past the last lets all be compared."""
        self.here = here
        self.setAccessibleName("The digits of the token")
        shown = self._groups[here : here + 1] or self._groups
        spoken = ", ".join(" ".join(group) for group in shown)
        self.setAccessibleDescription(spoken)
        self.update()

    def sizeHint(self) -> QSize:
        """As high as the largest digits need."""
        return QSize(self._look.control * 8, self._high())

    def resizeEvent(self, _: object) -> None:
        """Take less height where the width makes the digits smaller."""
        self.setFixedHeight(self._high())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the group that was touched."""
        for index in range(len(self._groups)):
            if self._box(index).contains(event.position()):
                self.chosen.emit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go back and forth with the arrows."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.chosen.emit(min(len(self._groups), max(0, self.here + step)))

    def paintEvent(self, _: QPaintEvent) -> None:
        """Draw the groups."""
        c, line = self._look.colours, self._look.theme.targets.line
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for index, group in enumerate(self._groups):
                box = self._box(index)
                now, all_now = index == self.here, self.here >= len(self._groups)
                typed = index < self.here and not all_now
                ground = c.accent.solid if now else c.sunken if typed else c.surface
                ink = c.accent.on_solid if now else c.muted if typed else c.text
                edge = c.accent.solid if now or all_now else c.edge
                painter.setPen(QPen(QColor(edge), line + 1))
                painter.setBrush(QColor(ground))
                radius = self._look.theme.radii.card
                painter.drawRoundedRect(box, radius, radius)
                painter.setFont(self._font(strong=not typed))
                painter.setPen(QColor(ink))
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, group)
                if typed:
                    side = self._look.icon * 0.8
                    mark = QRectF(box.right() - side - 3, box.top() + 3, side, side)
                    draw_icon(painter, "check", c.passed.solid, mark)

    def _box(self, index: int) -> QRectF:
        gap = self._look.space.s
        wide = (self._width() - gap * (GROUPS - 1)) / GROUPS
        return QRectF(index * (wide + gap) + 1, 1, wide - 2, self.height() - 2)

    def _width(self) -> float:
        """As wide as the digits want, and no wider than there is room."""
        figures = QFontMetricsF(self._font(strong=True)).horizontalAdvance("0000")
        wanted = GROUPS * (figures + 2 * self._look.space.xl) + (GROUPS - 1) * self._look.space.s
        return min(self.width(), wanted)

    def _font(self, *, strong: bool) -> QFont:
        look = self._look
        height = GLOVES_MM if look.gloves else DIGIT_MM
        font = look.font("value", strong=strong, mono=True)
        font.setPixelSize(round(height * look.px_per_mm / FIGURE))
        gaps = (GROUPS - 1) * look.space.s + GROUPS * 2 * look.space.xl
        room = max(1.0, self.width() - gaps) / GROUPS
        wide = QFontMetricsF(font).horizontalAdvance("0000")
        if wide > room:
            font.setPixelSize(max(12, round(font.pixelSize() * room / wide)))
        return font

    def _high(self) -> int:
        return round(QFontMetricsF(self._font(strong=True)).height() + self._look.space.m)


class KeypadPanel(QuestionPanel):
    """Leads through the groups, then offers what the display may say."""

    keys_wanted = Signal()

    def __init__(self, look: Look, question: KeypadAsk, keys: Keys | None = None) -> None:
        self._ask, self._keys, self.display = question, keys, ""
        super().__init__(look, question)

    @property
    def first_focus(self) -> QWidget | None:
        """The digits: nothing is answered by an Enter too many."""
        return self.digits

    def _offer_choices(self) -> None:
        look, ask = self._look, self._ask
        self.digits = DigitGroups(look, ask.groups)
        self.digits.chosen.connect(self.go_to)
        self.add(self.digits)
        self.now = label(look, "", "title", strong=True, wrap=True)
        self.task = line = row_of(look)
        line.add(self.now, 1)
        self.add(line)
        if self._keys is not None:
            keys = ActionButton(look, "Its keys…", "ghost", key="" if look.compact else "F7")
            keys.setAccessibleName("The keys of the virtual meter")
            keys.clicked.connect(self.keys_wanted)
            line.add(keys)
        self.answers = self.choice_grid(
            ask.choices, lambda choice: "check" if choice.startswith(ACCEPTED) else ""
        )
        self.add(self.answers)
        self.read = ActionButton(look, "The display says something", "secondary")
        self.read.clicked.connect(self._turn)
        if look.gloves:
            self.read.setFixedHeight(look.primary)
        self.primary = self._button("Typed: next group", "primary", "Enter")
        self.primary.clicked.connect(lambda: self.go_to(self.digits.here + 1))
        self.buttons = [self.read, self.primary]
        if self._keys is not None:
            self.type = ActionButton(look, "Type it on the virtual meter", "secondary")
            self.type.clicked.connect(self._type)
            if look.gloves:
                self.type.setFixedHeight(look.primary)
            self.buttons.insert(0, self.type)
        self.go_to(0)

    def go_to(self, place: int) -> None:
        """Show which group comes next; behind the last one, what the display may say."""
        pad = self._ask.pad
        compares = bool(pad and pad.key)
        last = GROUPS if compares else GROUPS - 1
        if place > last:
            self._show(asking=True)
            return
        self.digits.show_here(place)
        correct = pad.correct if pad else ""
        head = f"Token {self._ask.place} of {self._ask.count}. " if self._ask.count > 1 else ""
        self.now.setText(head + self._task_words(place, pad.key if pad else ""))
        hint = f"A wrong digit: {correct}" if correct else ""
        self.set_text(VIRTUAL if self._keys is not None and not self.display else hint)
        if self.primary is not None:
            ready = "Compared and pressed" if compares else "Compared and typed"
            self.primary.relabel(ready if place == last else "Typed: next group")
        self._show(asking=False)

    @staticmethod
    def _task_words(place: int, key: str) -> str:
        if place == GROUPS:
            return f"Compare all five groups with the display, then press {key} on the meter."
        if place == GROUPS - 1 and not key:
            return (
                "Compare the first four groups with the display. The meter takes the token with"
                " the last digit of this group."
            )
        return f"Type group {place + 1} of {GROUPS} on the meter."

    def _type(self) -> None:
        """Type all digits where nobody can reach the keys; what the display says is still read."""
        if self._keys is not None:
            self.type.setEnabled(False)
            self._keys("".join(self._ask.groups), self._show_display, self)

    def _show_display(self, display: str) -> None:
        self.display = display
        self._show(asking=True)

    def _turn(self) -> None:
        if self.answers.isHidden():
            self._show(asking=True)
        else:
            self.go_to(0)

    def _show(self, *, asking: bool) -> None:
        self.digits.setVisible(not asking)
        self.answers.setVisible(asking)
        self.task.setVisible(not asking)  # the title asks already
        self.read.relabel("Show the digits again" if asking else "The display says something")
        if self.primary is not None and (asking or self.primary.parentWidget() is not None):
            self.primary.setVisible(not asking)  # without a parent it would be a window
        if asking:
            said = f"The virtual meter's display says: {self.display}. " if self.display else ""
            self.set_text(said + self._ask.detail)
            self.read.setFocus()
        else:
            self.digits.setFocus()


def panel_for(look: Look, question: Ask, keys: Keys | None = None) -> QuestionPanel:
    """Return the panel that fits a question; ``keys`` types on a virtual meter."""
    if isinstance(question, KeypadAsk):
        return KeypadPanel(look, question, keys)
    if isinstance(question, TokenAsk):
        return TokenPanel(look, question)
    return QuestionPanel(look, question)
