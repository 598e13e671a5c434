"""A dialog in the look of the window: heading, content, and the action bar at its foot."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialog, QPushButton, QVBoxLayout, QWidget

from app.views.controls import ActionButton, FocusRing, action_bar
from app.views.reading_order import go_along
from app.views.surfaces import label
from app.views.theme import Look

ROOM = 0.94  # of the window


class Sheet(QDialog):
    """One thing to decide; Escape leaves without doing it."""

    def __init__(self, look: Look, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.look = look
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setProperty("part", "page")
        self.finished.connect(self.deleteLater)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        content = QWidget()
        self.body = QVBoxLayout(content)
        edge = look.page_margin
        self.body.setContentsMargins(edge, look.space.m, edge, edge)
        self.body.setSpacing(look.space.m)
        self.body.addWidget(label(look, title, "heading", strong=True))
        outer.addWidget(content, 1)
        self._outer = outer
        self._host: QWidget | None = None

    def finish(self, primary: ActionButton, *left: ActionButton, leave: str = "Leave") -> None:
        """Add the action bar, with ``primary`` on Enter and a button that leaves on Escape."""
        self.leave = ActionButton(self.look, leave, "secondary", key="Esc")
        self.leave.clicked.connect(self.reject)
        if self.look.gloves:
            self.leave.setFixedHeight(self.look.primary)
        self._outer.addWidget(action_bar(self.look, list(left), [self.leave, primary]))
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)
        primary.setAutoDefault(True)
        primary.setDefault(True)
        FocusRing(self.look, self)
        self.setMinimumWidth(self.look.width_of("0" * 56))

    def focusNextPrevChild(self, onwards: bool) -> bool:
        """Let the Tab key follow the order in which the dialog is read."""
        return go_along(self, onwards=onwards)

    def fit_to(self, window: QWidget) -> None:
        """Stay inside the window it belongs to."""
        self._host = window
        self.refit()
        self.setWindowModality(Qt.WindowModality.WindowModal)

    def refit(self) -> None:
        """Be as high as what is shown by now needs, inside the window."""
        if self._host is None:
            return
        for part in self.findChildren(QWidget):
            part.ensurePolished()  # the style sheet says how high fields are
        self._outer.activate()
        self.adjustSize()  # which stays below two thirds of the screen, also where more is needed
        wanted = QSize(self.width(), self._outer.totalHeightForWidth(self.width()))
        self.resize(self.size().expandedTo(wanted).boundedTo(self._host.size() * ROOM))
