"""Whatever nobody caught ends in one sentence on the screen and in the log."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QtMsgType, Signal, qInstallMessageHandler

if TYPE_CHECKING:
    from PySide6.QtCore import QMessageLogContext

_LOG = logging.getLogger("app.uncaught")
_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_FAULTS = frozenset({QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg})


class QtFault(RuntimeError):
    """Qt reports a fault of its own."""


class FaultHooks(QObject):
    """Takes the hooks of Python, its threads and Qt; `show` is called in the GUI thread.

    While one fault is on the screen, others go to the log only: a fault that repeats itself must
    not bury the window.
    """

    _caught = Signal(object)

    def __init__(self, show: Callable[[BaseException], QObject], parent: QObject) -> None:
        super().__init__(parent)
        self._show = show
        self._shown: QObject | None = None
        self._caught.connect(self._bring, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Take the hooks; those of before are given back by `remove`."""
        self._before = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._from_python
        threading.excepthook = self._from_thread
        self._qt_before = qInstallMessageHandler(self._from_qt)

    def remove(self) -> None:
        """Give the hooks back."""
        sys.excepthook, threading.excepthook = self._before
        qInstallMessageHandler(self._qt_before)

    def _from_python(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt | SystemExit):
            sys.__excepthook__(kind, error, trace)
            return
        _LOG.error("nobody caught this", exc_info=(kind, error, trace))
        self._caught.emit(error)

    def _from_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is None or issubclass(args.exc_type, SystemExit):
            return
        name = args.thread.name if args.thread is not None else "a thread"
        trace = (args.exc_type, args.exc_value, args.exc_traceback)
        _LOG.error("nobody caught this in %s", name, exc_info=trace)
        self._caught.emit(args.exc_value)

    def _from_qt(self, kind: QtMsgType, _: QMessageLogContext, text: str | None) -> None:
        _LOG.log(_LEVELS.get(kind, logging.WARNING), "Qt: %s", text)
        if kind in _FAULTS:
            self._caught.emit(QtFault(text))

    def _bring(self, error: BaseException) -> None:
        if self._shown is None:
            self._shown = self._show(error)
            self._shown.destroyed.connect(self._gone)

    def _gone(self) -> None:
        self._shown = None
