"""Sign-in where people are entered: the page, and the lock after a time without anybody there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.errors import NotPermitted
from app.messages import explain
from app.views import words
from app.views.controls import ActionButton
from app.views.page import Page
from app.views.surfaces import Card, icon_label, label, row_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.views.station import Station
    from app.views.theme import Look

LOOK_MS = 5000
MINUTE = 60.0
SIGNS_OF_LIFE = {
    QEvent.Type.KeyPress,
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseMove,
    QEvent.Type.Wheel,
    QEvent.Type.TouchBegin,
}


class Doorkeeper(QObject):
    """Knows whether somebody must sign in, and locks when nobody has been there for long.

    What runs at a meter goes on, and keeps the door open until it has ended.
    """

    turned = Signal()  # somebody came or went

    def __init__(self, station: Station, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(station)
        self._station, self._now = station, now
        self._last = now()
        self.last_name = ""
        self.reason = ""
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        app = QApplication.instance()
        if station.desk.shared and app is not None:
            app.installEventFilter(self)
            self._timer.start(LOOK_MS)

    @property
    def shut(self) -> bool:
        """Whether nothing may be shown before somebody signs in."""
        return self._station.desk.locked

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note that somebody is there."""
        if event.type() in SIGNS_OF_LIFE:
            self._last = self._now()
        return super().eventFilter(watched, event)

    def look(self) -> None:
        """Lock when it is time."""
        minutes = self._station.desk.settings.whole("installer.lock_minutes")
        if self._station.busy():
            self._last = self._now()
        elif minutes and not self.shut and self._now() - self._last >= minutes * MINUTE:
            self.lock("Nobody was here for a while.")

    def lock(self, reason: str = "") -> None:
        """Let nobody do anything until somebody signs in."""
        desk = self._station.desk
        if self.shut or not desk.shared:
            return
        self.reason = reason
        # The person goes at once; the row about it is written behind the window.
        self._station.fetcher.fetch(
            "sign out", lambda: desk.sign_out(reason), lambda _: self.turned.emit(), self._broke
        )

    def try_to_enter(
        self, name: str, password: str, refused: Callable[[BaseException], None]
    ) -> None:
        """Check name and password behind the window."""
        desk = self._station.desk

        def entered(_: object) -> None:
            self._last, self.reason, self.last_name = self._now(), "", name
            self.turned.emit()

        self._station.fetcher.fetch(
            "sign in", lambda: desk.sign_in(name, password), entered, refused
        )

    def _broke(self, error: BaseException) -> None:
        self._station.refused.emit(error)
        self.turned.emit()


class SignInPage(Page):
    """Name and password; nothing else of the program can be seen."""

    def __init__(self, look: Look, door: Doorkeeper) -> None:
        super().__init__(look, "Sign in")
        self._door = door
        self.name, self.password = QLineEdit(door.last_name), QLineEdit()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        card = Card(look)
        card.setFixedWidth(look.width_of("0" * 48))
        form = QWidget()
        column = QVBoxLayout(form)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.space.s)
        head = row_of(look, icon_label(look, "lock"), label(look, "Sign in", "title", strong=True))
        column.addWidget(head)
        if door.reason:
            said = f"{door.reason} Sign in again to go on."
            column.addWidget(label(look, said, muted=True, wrap=True))
        for words_, field in (("Name", self.name), ("Password", self.password)):
            title = label(look, words_)
            title.setBuddy(field)
            field.setAccessibleName(words_)
            field.setFixedHeight(look.control)
            column.addWidget(title)
            column.addWidget(field)
        self.problem = label(look, "", wrap=True)
        self.problem.setProperty("part", "problem")
        self.problem.setMinimumHeight(2 * self.problem.fontMetrics().lineSpacing() + 2)
        self.problem.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(self.problem)  # its room is there from the start, so that nothing jumps
        self.go = ActionButton(look, "Sign in", "primary", "arrow-right", "Enter")
        self.go.clicked.connect(self._enter)
        foot = QHBoxLayout()
        foot.addStretch()
        foot.addWidget(self.go)
        column.addLayout(foot)
        card.add(form)
        self.outer.addStretch(2)
        self.outer.addWidget(card, 0, Qt.AlignmentFlag.AlignHCenter)
        self.outer.addStretch(3)
        self.set_primary(self.go)
        self.first_focus = self.password if door.last_name else self.name

    def _enter(self) -> None:
        if not self.name.text().strip():
            self.name.setFocus()
            return
        if not self.password.text():
            self.password.setFocus()
            return
        self.go.setEnabled(False)
        self.problem.setText("")
        self._door.try_to_enter(self.name.text().strip(), self.password.text(), self._refused)

    def _refused(self, error: BaseException) -> None:
        self.go.setEnabled(True)
        self.password.clear()
        self.password.setFocus()
        message = explain(error)
        said = message.detail if isinstance(error, NotPermitted) else message.title
        self.problem.setText(words.sentence(said))
