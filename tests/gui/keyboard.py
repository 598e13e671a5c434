"""Walks through a window with the Tab key and tells what cannot be reached or is out of order."""

from collections.abc import Iterator
from itertools import pairwise

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)
from shiboken6 import isValid

from app.views.controls import FocusRing
from app.views.key_tips import ALL, key_tips

OPERABLE = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
)


class Lost(Exception):
    """The focus does not come round."""


def walk(root: QWidget) -> list[QWidget]:
    """Press Tab until it comes round; return where the focus was, in order.

    Raises:
        Lost: It does not come round, or nobody sees where the focus is.
    """
    begin = QApplication.focusWidget()
    if begin is None:
        raise Lost("nothing has the focus")
    stops = [begin]
    while True:
        QTest.keyClick(QApplication.focusWidget() or root, Qt.Key.Key_Tab)
        now = QApplication.focusWidget()
        if now is begin:
            return stops
        if now is None:
            raise Lost("the focus is lost")
        if now in stops:
            raise Lost("Tab goes round without coming to where it began")
        if not any(ring.isVisible() for ring in root.findChildren(FocusRing)):
            raise Lost(f"nobody sees that {said(now)} has the focus")
        stops.append(now)


def operable(root: QWidget) -> Iterator[QWidget]:
    """Yield what can be operated now; the parts of a field are not operated on their own."""
    for widget in root.findChildren(QWidget):
        if not isinstance(widget, OPERABLE) or not widget.isVisible() or not widget.isEnabled():
            continue
        if widget.window() is root and not any(isinstance(p, OPERABLE) for p in parents(widget)):
            yield widget


def unreached(wanted: set[QWidget], stops: list[QWidget]) -> list[str]:
    """Name what Tab does not reach; of a group of which one is chosen, one is enough."""
    return [
        said(widget)
        for widget in wanted
        if widget.isEnabled()
        and widget not in stops
        and not any(_grouped(widget, stop) for stop in stops)
    ]


def _grouped(widget: QWidget, stop: QWidget) -> bool:
    buttons = isinstance(widget, QAbstractButton) and isinstance(stop, QAbstractButton)
    if not buttons or widget.parentWidget() != stop.parentWidget() or not stop.isChecked():
        return False
    return widget.autoExclusive() or (widget.group() is not None and widget.group() == stop.group())


def out_of_order(root: QWidget, stops: list[QWidget]) -> list[str]:
    """Name neighbours of which the second stands above or to the left of the first.

    Once that is right: where Tab comes round from the end to the beginning.
    """
    found = []
    for one, two in pairwise([*stops, stops[0]]):
        before, after = _parted(root, one, two)
        above = after.bottom() <= before.top()
        level = after.top() < before.bottom() and before.top() < after.bottom()
        if above or (level and after.right() <= before.left()):
            found.append(f"{said(two)} comes after {said(one)}")
    return found if len(found) > 1 else []


def _parted(root: QWidget, one: QWidget, two: QWidget) -> tuple[QRect, QRect]:
    """Return the places of the two largest parts of the window that hold one each."""
    first, second = [one, *parents(one)], [two, *parents(two)]
    shared = next(widget for widget in first if widget in second)
    places = []
    for chain in (first, second):
        part = chain[max(0, chain.index(shared) - 1)]
        places.append(QRect(part.mapTo(root, QPoint(0, 0)), part.size()))
    return places[0], places[1]


def parents(widget: QWidget) -> Iterator[QWidget]:
    above = widget.parentWidget()
    while above is not None:
        yield above
        above = above.parentWidget()


def said(widget: QWidget) -> str:
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return f"{type(widget).__name__} '{widget.accessibleName() or text}'"


def problems(root: QWidget) -> list[str]:
    """Name what keeps the keyboard alone from everything; a focus may let more be operated."""
    before = set(operable(root))
    try:
        stops, tips = walk(root), key_tips(root)
    except Lost as lost:
        return [str(lost)]
    # What the focus has made anew meanwhile was reached as well, but stands nowhere any more.
    stops = [widget for widget in stops if isValid(widget) and root.isAncestorOf(widget)]
    before = {widget for widget in before if isValid(widget) and root.isAncestorOf(widget)}
    found = [f"{what} is not reached" for what in unreached(before, stops)]
    found += out_of_order(root, stops)
    if len(tips) < len(ALL):  # a page may have more things than there are letters
        found += [f"{said(w)} has no letter" for w in operable(root) if w not in tips.values()]
    twice = len(tips) - len(set(tips.values()))
    return found + (["a thing has two letters"] if twice else [])
