"""Proof that a page fits its window: nothing is cut, every target is as large as promised."""

from collections.abc import Iterator

from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QLabel,
    QLineEdit,
    QMainWindow,
    QWidget,
)

from app.views.theme import Look

SLACK = 1  # pixels lost to rounding


def misfits(window: QMainWindow, look: Look) -> list[str]:
    """Name everything on the window that is cut or too small for a finger."""
    found = []
    for widget in window.findChildren(QWidget):
        ours = not widget.objectName().startswith("qt_")
        if ours and widget.isVisible() and not _scrolls(widget, window):
            found += _cut(widget, window)
            found += _squeezed(widget)
            if isinstance(widget, QAbstractButton) and not _ornament(widget):
                found += _too_small(widget, look)
                found += _covered(widget)
    return found


def _scrolls(widget: QWidget, window: QWidget) -> bool:
    """Whether the widget lies inside something that scrolls, where being cut is normal."""
    parent = widget.parentWidget()
    while parent is not None and parent is not window:
        if isinstance(parent, QAbstractScrollArea):
            return True
        parent = parent.parentWidget()
    return False


def _ornament(button: QAbstractButton) -> bool:
    """Whether the button is only the magnifier inside a field."""
    return isinstance(button.parentWidget(), QLineEdit)


def _name(widget: QWidget) -> str:
    text = widget.text() if isinstance(widget, QAbstractButton | QLabel) else ""
    return f"{type(widget).__name__} '{widget.accessibleName() or text}'"


def _cut(widget: QWidget, window: QWidget) -> Iterator[str]:
    corner = widget.mapTo(window, QPoint(0, 0))
    room = window.rect().adjusted(-SLACK, -SLACK, SLACK, SLACK)
    parent = widget.parentWidget()
    inside = parent.rect().adjusted(-SLACK, -SLACK, SLACK, SLACK).contains(widget.geometry())
    if not room.contains(QRect(corner, widget.size())) or not inside:
        yield f"{_name(widget)} is cut"


def _squeezed(widget: QWidget) -> Iterator[str]:
    if not isinstance(widget, QLabel) or not widget.text():
        return
    if not widget.wordWrap() and widget.width() + SLACK < widget.sizeHint().width():
        yield f"{_name(widget)} has {widget.width()} px, needs {widget.sizeHint().width()}"
    if widget.wordWrap() and widget.height() + SLACK < widget.heightForWidth(widget.width()):
        yield f"{_name(widget)} is lower than its text"


def _covered(button: QAbstractButton) -> Iterator[str]:
    """Name what lies over a button beside it: a row that is too narrow for what is in it."""
    parent = button.parentWidget()
    for other in parent.findChildren(QAbstractButton) if parent is not None else ():
        lost = button.geometry().intersected(other.geometry())
        beside = other is not button and other.parentWidget() is parent and other.isVisible()
        if beside and lost.width() > SLACK and lost.height() > SLACK:
            yield f"{_name(button)} is covered by {_name(other)}"


def _too_small(button: QAbstractButton, look: Look) -> Iterator[str]:
    needed = look.theme.targets.control_mm
    if button.property("kind") == "primary":
        needed = look.theme.targets.primary_mm
    pixels = round(needed * look.px_per_mm)
    if button.height() < pixels:
        yield f"{_name(button)} is {button.height() / look.px_per_mm:.1f} mm high, not {needed} mm"
    if button.width() < pixels:
        yield f"{_name(button)} is {button.width() / look.px_per_mm:.1f} mm wide, not {needed} mm"
