"""While Alt is held a letter stands at everything that can be pressed; with Alt it presses that.

The letters are found when they are asked for, from what is on the screen then, so that two things
never have the same one and nothing has to be kept free when a page changes.
"""

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QMainWindow, QWidget
from shiboken6 import isValid

from app.views.controls import ActionButton
from app.views.reading_order import reading_order
from app.views.sheet import Sheet
from app.views.theme import Look

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALL = LETTERS + "123456789"


class KeyTips(QObject):
    """Watches the keys of whatever has the focus in a window or in a dialog over it."""

    def __init__(self, app: QApplication, parent: QObject) -> None:
        super().__init__(parent)
        self._watched: QWidget | None = None
        self._signs: _Signs | None = None
        app.focusChanged.connect(self._follow)
        self._follow(None, app.focusWidget())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show the letters when Alt goes down, press what a letter stands at, hide them again."""
        if watched is not self._watched or not isinstance(event, QKeyEvent):
            return False
        if event.type() == QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Alt and not event.isAutoRepeat():
                self._show()
            elif event.modifiers() == Qt.KeyboardModifier.AltModifier:
                return self._press(event)
            else:
                self._hide()
        elif event.type() == QEvent.Type.KeyRelease and event.key() == Qt.Key.Key_Alt:
            self._hide()
        return False

    def _follow(self, _: QWidget | None, now: QWidget | None) -> None:
        self._hide()
        if self._watched is not None and isValid(self._watched):
            self._watched.removeEventFilter(self)
        self._watched = now
        if now is not None:
            now.installEventFilter(self)

    def _show(self) -> None:
        self._hide()
        root = self._watched.window() if self._watched is not None else None
        look = getattr(root, "look", None)
        if isinstance(root, QMainWindow | Sheet) and look is not None:
            self._signs = _Signs(look, root, key_tips(root))
            self._signs.show()

    def _hide(self) -> None:
        signs, self._signs = self._signs, None
        if signs is not None and isValid(signs):
            signs.hide()
            signs.deleteLater()

    def _press(self, event: QKeyEvent) -> bool:
        key = event.key()
        letter = chr(key).upper() if 0 < key < 128 else ""  # noqa: PLR2004 (ASCII)
        widget = self._signs.tips.get(letter) if self._signs is not None else None
        if widget is None or not isValid(widget) or not widget.isVisible():
            return False
        self._hide()
        widget.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if isinstance(widget, QAbstractButton) and widget.isEnabled():
            widget.click()
        return True


def key_tips(root: QWidget) -> dict[str, QWidget]:
    """Give each thing below ``root`` that can be pressed or filled in a letter of its own.

    A letter out of its name if one is free, the first of a word before others.  The work areas
    come first, and keep their letters on every page; then what does something.  Where there are
    more things than letters and figures, the Tab key alone reaches the last of them.
    """
    found: dict[str, QWidget] = {}
    for widget in sorted(_pressed(root), key=_turn):
        for letter in _wished(_name(widget)):
            if letter not in found:
                found[letter] = widget
                break
    return found


def _turn(widget: QWidget) -> int:
    if widget.property("part") == "rail":
        return 0
    return 1 if isinstance(widget, ActionButton) else 2


def _pressed(root: QWidget) -> Sequence[QWidget]:
    return [w for w in reading_order(root, Qt.FocusPolicy.StrongFocus) if _name(w)]


def _name(widget: QWidget) -> str:
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return (text or widget.accessibleName()).upper()


def _wished(name: str) -> Iterator[str]:
    yield from (word[0] for word in name.split() if word[0] in LETTERS)
    yield from (letter for letter in name if letter in LETTERS)
    yield from ALL


class _Signs(QWidget):
    """The letters, on the window itself, so that no container cuts them."""

    def __init__(self, look: Look, window: QWidget, tips: dict[str, QWidget]) -> None:
        super().__init__(window)
        self.tips, self._look, self._window = tips, look, window
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setGeometry(window.rect())
        self.raise_()

    def paintEvent(self, _: QPaintEvent) -> None:
        """Draw each letter at the lower left corner of what it stands for."""
        look, window = self._look, self._window
        font = look.font("caption", strong=True)
        edge = round(look.px(look.theme.type.caption) * 1.7)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setFont(font)
            for letter, widget in self.tips.items():
                seen = widget.visibleRegion().boundingRect() if isValid(widget) else QRect()
                if seen.isEmpty():
                    continue  # scrolled away
                foot = seen.top() + min(seen.height(), look.control)
                corner = widget.mapTo(window, QPoint(seen.left(), foot))
                place = QRect(corner.x(), corner.y() - edge * 2 // 3, edge, edge)
                place = _inside(place, self.rect())
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(look.colours.text))
                radius = look.theme.radii.small
                painter.drawRoundedRect(QRectF(place), radius, radius)
                painter.setPen(QColor(look.colours.surface))
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, letter)


def _inside(place: QRect, room: QRect) -> QRect:
    """Move a place so far that nothing of it is cut."""
    x = max(0, min(place.x(), room.width() - place.width()))
    y = max(0, min(place.y(), room.height() - place.height()))
    return QRect(x, y, place.width(), place.height())
