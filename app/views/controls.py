"""Things that can be operated: buttons, segments, rail, stepper, and the ring of the focus."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QEvent, QObject, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from app.views.paint import draw_icon, draw_keycap, keycap_width, token_icon
from app.views.theme import Look


class ActionButton(QPushButton):
    """A button with an icon, a verb, and the key that does the same.

    ``kind`` is primary, secondary, danger or ghost. One page has at most one primary button.
    """

    def __init__(
        self, look: Look, text: str, kind: str = "secondary", icon: str = "", key: str = ""
    ):
        super().__init__(text)
        self._look, self._kind, self._icon, self._key = look, kind, icon, key
        self.setProperty("kind", kind)
        self._role = "strong" if kind == "primary" else "body"
        self.setFixedHeight(look.primary if kind == "primary" else look.control)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(text.replace("&", ""))
        if key:
            self.setAccessibleDescription(f"Key {key}")

    def relabel(self, text: str, icon: str = "", key: str = "") -> None:
        """Make it a button for something else, in the same place."""
        self._icon, self._key = icon or self._icon, key or self._key
        self.setText(text)
        self.setAccessibleName(text.replace("&", ""))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as its parts, and never narrower than high: a thumb in a glove is round."""
        wide = round(sum(self._widths())) + 2 * self._padding
        return QSize(max(wide, self.height()), self.height())

    def minimumSizeHint(self) -> QSize:
        """Never cut a verb."""
        return self.sizeHint()

    @property
    def _padding(self) -> int:
        generous = self._kind == "primary" or self._look.theme.name == "field"
        return self._look.space.l if generous else self._look.space.m

    def _widths(self) -> tuple[float, float, float]:
        look, gap = self._look, self._look.space.s
        icon = look.icon + gap if self._icon else 0
        key = keycap_width(self._key, look) + look.space.m if self._key else 0
        return icon, look.width_of(self.text(), self._role, strong=self._is_strong), key

    @property
    def _is_strong(self) -> bool:
        return self._kind in {"primary", "danger"}

    def _ink(self) -> str:
        colours = self._look.colours
        if not self.isEnabled():
            return colours.disabled
        return {"primary": colours.accent.on_solid, "danger": colours.failed.on_soft}.get(
            self._kind, colours.text
        )

    def paintEvent(self, _: QPaintEvent) -> None:
        """Let the style draw the plate, then set icon, verb and key in one line."""
        painter, option = QStylePainter(self), QStyleOptionButton()
        self.initStyleOption(option)
        option.text = ""
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        icon, text, key = self._widths()
        left, middle = (self.width() - icon - text - key) / 2, self.height() / 2
        if self._icon:
            edge = self._look.icon
            box = QRectF(left, middle - edge / 2, edge, edge)
            draw_icon(painter, self._icon, self._ink(), box)
        painter.setFont(self._look.font(self._role, strong=self._is_strong))
        painter.setPen(QColor(self._ink()))
        place = QRectF(left + icon, 0, text + 2, self.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, self.text())
        if self._key:
            end = QPointF(left + icon + text + key, middle)
            draw_keycap(painter, self._key, self._ink(), self._look, end)


class Segments(QFrame):
    """One of a few views, all visible: a tab bar that looks like a switch."""

    chosen = Signal(int)

    def __init__(self, look: Look, names: list[str], current: int = 0) -> None:
        super().__init__()
        self._look = look
        self.setProperty("part", "segments")
        row, inset = QHBoxLayout(self), 2
        gloves = look.theme.name == "field"
        row.setContentsMargins(inset, inset, inset, inset)
        row.setSpacing(look.gap if gloves else inset)
        self._group = QButtonGroup(self)
        for index, name in enumerate(names):
            button = QPushButton(name)
            button.setProperty("part", "segment")
            button.setCheckable(True)
            button.setFont(look.font())
            button.setFixedHeight(look.control)
            button.setMinimumWidth(self._wide(name))
            self._group.addButton(button, index)
            row.addWidget(button)
        _one_stop(self._group.buttons())
        self._group.button(current).setChecked(True)
        self._group.idClicked.connect(self.chosen)
        self.setAccessibleName("Views: " + ", ".join(names))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def rename(self, names: list[str]) -> None:
        """Give the views other words: a count has changed."""
        for index, name in enumerate(names):
            button = self._group.button(index)
            button.setText(name)
            button.setMinimumWidth(self._wide(name))

    def _wide(self, name: str) -> int:
        """Room for the word, and never less than a finger needs."""
        words = self._look.width_of(name, strong=True) + 2 * self._look.space.m + 4
        return max(words, self._look.control)

    def choose(self, index: int) -> None:
        """Show which view is open, without a signal."""
        self._group.button(index).setChecked(True)

    def show_view(self, index: int, *, shown: bool) -> None:
        """Offer a view, or not while there is nothing in it."""
        self._group.button(index).setVisible(shown)


@dataclass(frozen=True)
class Place:
    """One work area of the program."""

    name: str
    icon: str
    right: str = ""  # what a person must be allowed to do to see it; "" is for everybody
    foot: bool = False  # stands apart


class NavRail(QFrame):
    """The work areas that exist; Settings stands apart at the foot."""

    opened = Signal(int)

    def __init__(
        self, look: Look, places: list[Place], current: int, may: Callable[[str], bool]
    ) -> None:
        super().__init__()
        self.setProperty("part", "rail")
        self.setAccessibleName("Work areas")
        self._buttons: dict[int, QToolButton] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(look.space.s, look.space.s, look.space.s, look.space.s)
        column.setSpacing(look.gap if look.theme.name == "field" else look.space.xs)
        for index, place in sorted(enumerate(places), key=lambda pair: pair[1].foot):
            if place.foot:
                column.addStretch()
            if place.right and not may(place.right):
                continue
            button = self._button(look, place, checked=index == current)
            button.clicked.connect(partial(self.opened.emit, index))
            self._buttons[index] = button
            column.addWidget(button)
        _one_stop(self._buttons.values())

    def choose(self, index: int) -> None:
        """Show which area is open, without a signal."""
        self._buttons[index].setChecked(True)

    @staticmethod
    def _button(look: Look, place: Place, *, checked: bool) -> QToolButton:
        button = QToolButton()
        button.setProperty("part", "rail")
        button.setText(place.name)
        button.setFont(look.font("caption"))
        colours = look.colours
        button.setIcon(token_icon(look, place.icon, colours.muted, colours.accent.on_soft))
        button.setIconSize(QSize(round(look.icon * 1.25), round(look.icon * 1.25)))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        if look.compact:
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        button.setCheckable(True)
        button.setAutoExclusive(True)
        button.setChecked(checked)
        button.setAccessibleName(place.name)
        wide = look.width_of("Maintenance", "caption", strong=True) + look.space.s
        height = round(look.icon * 1.25 + look.px(look.theme.type.caption) * 1.4 + 18)
        square = max(look.control, round(look.icon * 1.25) + 14)
        button.setFixedSize(
            *((square, square) if look.compact else (wide, max(height, look.control)))
        )
        return button


def _one_stop(buttons: Iterable[QAbstractButton]) -> None:
    """Let the Tab key stop at that one of the buttons which is chosen; arrows go to the others.

    Qt itself stops at the first one, from where the arrows choose nothing.
    """
    together = list(buttons)

    def stop_at(chosen: QAbstractButton, checked: bool) -> None:
        for button in together if checked else ():
            only = Qt.FocusPolicy.StrongFocus if button is chosen else Qt.FocusPolicy.ClickFocus
            button.setFocusPolicy(only)

    for button in together:
        button.toggled.connect(partial(stop_at, button))
        stop_at(button, button.isChecked())


class FocusRing(QWidget):
    """One ring for every widget, outside it, so that it never fights with the widget's colour.

    It lies on the window, above everything, so that no container cuts it. In a table it
    surrounds the current row, and the table only where there is none.
    """

    GAP = 2

    def __init__(self, look: Look, window: QWidget) -> None:
        super().__init__(window)
        self._look = look
        self._target: QWidget | None = None
        self._window = window
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        if isinstance(app := QApplication.instance(), QApplication):
            app.focusChanged.connect(self.follow)

    def follow(self, _: QWidget | None, now: QWidget | None) -> None:
        """Go to the widget that has the focus now."""
        if self._target is not None and isValid(self._target):
            self._part(self._target).removeEventFilter(self)
        inside = now is not None and self._window.isAncestorOf(now)
        self._target = now if inside else None
        if self._target:
            self._part(self._target).installEventFilter(self)
            self._place()
        else:
            self.hide()

    @staticmethod
    def _part(widget: QWidget) -> QWidget:
        return widget.viewport() if isinstance(widget, QAbstractItemView) else widget

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        """Stay where the widget is, also while it scrolls or grows."""
        if event.type() in {QEvent.Type.Paint, QEvent.Type.Resize, QEvent.Type.Move}:
            self._place()
        return False

    def _place(self) -> None:
        if self._target is None or not isValid(self._target):
            return
        part = self._part(self._target)
        box, margin = part.rect(), self.GAP + self._look.theme.targets.focus_ring
        if isinstance(self._target, QAbstractItemView):
            row = self._target.visualRect(self._target.currentIndex())
            if row.height() > 1:
                box = QRect(0, row.top(), part.width(), row.height() - 1)
            margin = 0
        corner = part.mapTo(self._window, box.topLeft())
        place = QRect(corner, box.size()).adjusted(-margin, -margin, margin, margin)
        if place != self.geometry():
            self.setGeometry(place)
            self.raise_()
        self.setVisible(box.height() > 1)

    def paintEvent(self, _: QPaintEvent) -> None:
        """Draw the ring."""
        width = self._look.theme.targets.focus_ring
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._look.colours.focus), width))
        half, radius = width / 2, self._look.theme.radii.control + self.GAP
        box = QRectF(self.rect()).adjusted(half, half, -half, -half)
        painter.drawRoundedRect(box, radius, radius)


def action_bar(look: Look, left: list[QWidget], right: list[QWidget]) -> QFrame:
    """The foot of a page: what may be added on the left, what comes next on the right."""
    bar = QFrame()
    bar.setProperty("part", "actions")
    row = QHBoxLayout(bar)
    edge = look.page_margin
    tall = look.space.s if look.theme.name == "field" or look.compact else look.space.m
    row.setContentsMargins(edge, tall, edge, tall)
    row.setSpacing(max(look.space.s, look.gap))
    for widget in left:
        row.addWidget(widget)
    row.addStretch()
    for widget in right:
        row.addWidget(widget)
    return bar
