"""Runs the window: it is painted first, the program behind it is opened afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.tasks import Worker
from app.views.collector import Collector
from app.views.fault_hooks import FaultHooks
from app.views.main_window import MainWindow
from app.views.task_runner import Fetcher

if TYPE_CHECKING:
    from app.views.desk_protocol import DeskLike


def make_application(arguments: list[str]) -> QApplication:
    """Give the application with the name that the system shows."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(arguments)
    app.setApplicationName("meterwright")
    app.setApplicationDisplayName("Meterwright")
    app.setDesktopFileName("meterwright")
    if app.findChild(Collector) is None:
        Collector(app)
    return app


def run_application(prepared: Callable[[], DeskLike], arguments: list[str]) -> int:
    """Show the window at once, open the desk behind it, and run until it is closed.

    Args:
        prepared: Opens the data and gives the desk; called in a worker thread.
        arguments: Those of the process, for Qt.
    """
    app = make_application(arguments)
    window = MainWindow()
    hooks = FaultHooks(window.show_fault, window)
    hooks.install()
    window.show()
    worker = Worker("opening")
    fetcher = Fetcher(worker, window)

    def refused(error: BaseException) -> None:
        window.show_fault(error)

    def begin() -> None:
        fetcher.fetch("desk", prepared, window.open_desk, refused)

    QTimer.singleShot(0, begin)
    code = app.exec()
    hooks.remove()
    worker.close()
    return code
