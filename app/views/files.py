"""Asks for files with the system's own dialogs, and opens files with the system's own programs."""

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget


def ask_open(parent: QWidget, title: str, kinds: str, folder: str = "") -> Path | None:
    """Ask for a file that exists, in ``folder`` first; None when the operator thought better."""
    name, _ = QFileDialog.getOpenFileName(parent, title, folder, kinds)
    return Path(name) if name else None


def ask_save(parent: QWidget, title: str, name: str, kinds: str) -> Path | None:
    """Ask where to write; None when the operator thought better of it."""
    chosen, _ = QFileDialog.getSaveFileName(parent, title, name, kinds)
    return Path(chosen) if chosen else None


def show_file(path: Path) -> bool:
    """Open ``path`` with the program that the system has for it."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
