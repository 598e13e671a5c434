"""What all pages share: content above, action bar below, Enter on the one primary button."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.views.controls import ActionButton
from app.views.surfaces import column_of, held_to, icon_label, label
from app.views.theme import Look

EVERYWHERE = {Qt.Key.Key_Escape, *(Qt.Key(Qt.Key.Key_F1 + place) for place in range(12))}


class Page(QWidget):
    """One work area; ``first_focus`` gets the focus when the page is opened."""

    def __init__(self, look: Look, name: str) -> None:
        super().__init__()
        self.look = look
        self.setProperty("part", "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(name)
        self.first_focus: QWidget | None = None
        self.outer = QVBoxLayout(self)
        self.outer.setContentsMargins(0, 0, 0, 0)
        self.outer.setSpacing(0)
        self.keys: list[tuple[str, str]] = []  # what F1 tells
        self._primary: ActionButton | None = None
        for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.on_key(key, self.press_primary)

    def minimumSizeHint(self) -> QSize:
        """Little, so that a page that turns never makes the window grow beyond its screen."""
        return QSize(self.look.control * 6, self.look.control * 4)

    def on_key(self, key: Qt.Key | QKeySequence, act: Callable[[], object], does: str = "") -> None:
        """Do ``act`` on a key, wherever on the page the focus is; ``does`` is what F1 says.

        Escape and the F-keys work from the frame around the page as well: nobody looks where the
        focus is before stopping something.
        """
        if does:
            self.keys.append((QKeySequence(key).toString(), does))
        shortcut = QShortcut(QKeySequence(key), self)
        here = Qt.ShortcutContext.WidgetWithChildrenShortcut
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut if key in EVERYWHERE else here)
        shortcut.activated.connect(act)

    def set_primary(self, button: ActionButton | None) -> None:
        """Name the button that Enter presses."""
        self._primary = button

    def press_primary(self) -> None:
        """Press the primary button if it can be pressed now."""
        if self._primary is not None and self._primary.isVisible() and self._primary.isEnabled():
            self._primary.click()

    def take_scan(self, text: str) -> bool:  # noqa: ARG002 (pages that know better use it)
        """Use what was scanned; False when this page has no use for it."""
        return False

    def opened(self) -> None:
        """Bring the page up to date when it comes to the front."""

    def has_focus(self, widget: QWidget | None) -> bool:
        """Whether the focus is there, or will be when a dialog over the window has gone."""
        return widget is not None and self.window().focusWidget() is widget

    def focus_first(self) -> None:
        """Put the focus where work begins."""
        if self.first_focus is not None:
            self.first_focus.setFocus()


class Notice(QWidget):
    """A page's one-line message with an icon, for empty and waiting states."""

    def __init__(self, look: Look, icon: str, text: str = "") -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(look.space.s)
        row.addWidget(icon_label(look, icon))
        self.words: QLabel = label(look, text, muted=True, wrap=True)
        row.addWidget(self.words, 1)


def purpose(look: Look, icon: str, title: str, text: str, more: str) -> QWidget:
    """Say in the middle of a page what it is for, while there is nothing to show."""
    block = column_of(
        look,
        icon_label(look, icon, look.colours.edge, 3.2),
        look.space.s,
        label(look, title, "heading", strong=True),
        label(look, text, wrap=True),
        label(look, more, muted=True, wrap=True),
    )
    held_to(block, min(look.width_of(max(text, more, key=len)) + 4, look.width_of("0" * 62)))
    host = QWidget()
    column = QVBoxLayout(host)
    column.addStretch(2)
    column.addWidget(block, 0, Qt.AlignmentFlag.AlignHCenter)
    column.addStretch(3)
    return host
