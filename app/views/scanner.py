"""Tells a scanner from a typist: a burst of keys that ends with Enter or Tab is a scan.

A scanner types like a keyboard, only faster.  Keys are therefore held for a moment: when the next
one follows at once and the burst ends with Enter or Tab, it was a scan; otherwise all held keys
are given back, in order, to the widget that has the focus.  Nothing that was typed is lost.
"""

import re
import time
from collections.abc import Callable
from enum import StrEnum

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from app.tasks import AnswerKind

LONGEST_PAUSE = 0.0355  # s between two keys of one scan; clocks of keys count milliseconds
SHORTEST = 6  # characters of a scan
HOLD_MS = 45  # a little longer than the pause, so that a late key is still in time

ENDS = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab}
COMMANDS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier


class Scanner(QObject):
    """Watches the keys of whatever widget has the focus; ``scanned`` carries the text of a scan.

    ``prefix`` and ``suffix`` are characters that the scanner adds and that are taken off.
    """

    scanned = Signal(str)

    def __init__(
        self,
        app: QApplication,
        clock: Callable[[], float] = time.monotonic,
        *,
        prefix: str = "",
        suffix: str = "",
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._clock, self._prefix, self._suffix = clock, prefix, suffix
        self._held: list[QKeyEvent] = []
        self._last = 0.0
        self._giving_back = False
        self._watched: QWidget | None = None
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(HOLD_MS)
        self._wait.timeout.connect(self.give_back)
        app.focusChanged.connect(self._follow)
        self._follow(None, app.focusWidget())

    def _follow(self, _: QWidget | None, now: QWidget | None) -> None:
        self.give_back()
        if self._watched is not None and isValid(self._watched):
            self._watched.removeEventFilter(self)
        self._watched = now
        if now is not None:
            now.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hold printable keys, recognise the end of a burst, let all else pass."""
        if self._giving_back or watched is not self._watched:
            return False
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if event.key() in ENDS and self._is_scan(event):
                event.accept()  # so that Enter arrives as a key and not as a shortcut
                return True
            return False
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._take(event)
        if event.type() == QEvent.Type.KeyRelease and isinstance(event, QKeyEvent):
            return self._take_release(event)
        return False

    def give_back(self) -> None:
        """Give all held keys to the widget that has the focus: they were typed."""
        self._wait.stop()
        held, self._held = self._held, []
        if not held or self._watched is None or not isValid(self._watched):
            return
        self._giving_back = True
        try:
            for event in held:
                QApplication.sendEvent(self._watched, event)
        finally:
            self._giving_back = False

    def _take(self, event: QKeyEvent) -> bool:
        if event.key() in ENDS:
            if self._is_scan(event):
                self._finish()
                return True
            self.give_back()
            return False
        printable = len(event.text()) == 1 and event.text().isprintable()
        if not printable or event.modifiers() & COMMANDS or event.isAutoRepeat():
            if event.text() or not _is_modifier(event):
                self.give_back()
            return False
        if self._held and self._pause(event) > LONGEST_PAUSE:
            self.give_back()
        self._held.append(event.clone())
        self._last = self._at(event)
        self._wait.start()
        return True

    def _take_release(self, event: QKeyEvent) -> bool:
        """Hold a release with its press, so that a button sees both in order."""
        if any(held.key() == event.key() for held in self._presses()):
            self._held.append(event.clone())
            return True
        return False

    def _presses(self) -> list[QKeyEvent]:
        return [event for event in self._held if event.type() == QEvent.Type.KeyPress]

    def _at(self, event: QKeyEvent) -> float:
        return event.timestamp() / 1000 if event.timestamp() else self._clock()

    def _pause(self, event: QKeyEvent) -> float:
        return self._at(event) - self._last

    def _is_scan(self, event: QKeyEvent) -> bool:
        return len(self._presses()) >= SHORTEST and self._pause(event) <= LONGEST_PAUSE

    def _finish(self) -> None:
        self._wait.stop()
        text = "".join(event.text() for event in self._presses())
        self._held.clear()
        text = text.removeprefix(self._prefix).removesuffix(self._suffix).strip()
        self.scanned.emit(text)


def _is_modifier(event: QKeyEvent) -> bool:
    return event.key() in {
        Qt.Key.Key_Shift,
        Qt.Key.Key_Control,
        Qt.Key.Key_Alt,
        Qt.Key.Key_AltGr,
        Qt.Key.Key_Meta,
        Qt.Key.Key_CapsLock,
    }


class ScanKind(StrEnum):
    """What a scanned text can be; the value is what it is called on the screen."""

    METER = "meter number"
    SEAL = "seal number"
    SIM = "SIM number"
    TOKEN = "token"  # noqa: S105 (what a prepayment customer types)
    OTHER = "text"


_GS1_SERIAL = re.compile(r"(?:\]C1|\(21\)|21(?=\d{10,}$))")
_SIM = re.compile(r"89\d{17,18}")
_TOKEN = re.compile(r"\d{20}")
_SEAL = re.compile(r"[A-Z]{1,4}[- ]?\d{4,9}|\d{5,7}")
_METER = re.compile(r"[0-9]{7,18}|[A-Z]{3}[0-9A-Z]{8,15}|[0-9][0-9A-Z]{2,3}[0-9A-Z]{7,12}")


def kinds(text: str) -> set[ScanKind]:
    """Tell what ``text`` can be by its pattern alone; several answers are possible."""
    plain = text.strip().upper()
    found = set()
    if _SIM.fullmatch(plain) and luhn_fits(plain):
        found.add(ScanKind.SIM)
    elif _TOKEN.fullmatch(plain):
        found.add(ScanKind.TOKEN)
    if _METER.fullmatch(_GS1_SERIAL.sub("", plain, count=1)):
        found.add(ScanKind.METER)
    if _SEAL.fullmatch(plain):
        found.add(ScanKind.SEAL)
    return found or {ScanKind.OTHER}


WANTED = {
    AnswerKind.SERIAL: ScanKind.METER,
    AnswerKind.SEAL: ScanKind.SEAL,
    AnswerKind.TOKEN: ScanKind.TOKEN,
}


def refusal(text: str, wanted: AnswerKind) -> str:
    """Say why a scan does not answer a question of this kind; "" when it does."""
    kind = WANTED.get(wanted)
    seen = kinds(text)
    if kind is None or kind in seen or seen == {ScanKind.OTHER}:
        return ""
    is_now = min(seen)
    return f"This is a {is_now}. A {kind} is needed."


def luhn_fits(digits: str) -> bool:
    """Tell whether the last digit is the check digit of the others (ISO/IEC 7812-1 annex B)."""
    total = 0
    for place, figure in enumerate(reversed(digits)):
        value = int(figure) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 (sum of both digits)
    return total % 10 == 0
