"""The order in which people read a window, and the Tab key through it.

Pages are made anew piece by piece while a job runs, and what is made last would be last in Qt's
own chain.  So the layouts say what comes next, each time that somebody asks.
"""

from collections.abc import Iterator
from typing import cast

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QDockWidget,
    QGridLayout,
    QLayout,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QStackedWidget,
    QWidget,
)

WHOLE = QAbstractItemView | QAbstractSpinBox | QComboBox | QLineEdit | QPlainTextEdit


def reading_order(root: QWidget, policy: Qt.FocusPolicy = Qt.FocusPolicy.TabFocus) -> list[QWidget]:
    """Return what below ``root`` takes the focus so, in the order it is read."""
    return [w for w in _below(root) if w.focusPolicy() & policy and w.isEnabled()]


def go_along(root: QWidget, *, onwards: bool) -> bool:
    """Move the focus to what is read next in ``root``, or before; False where nothing takes it."""
    order = reading_order(root)
    here: QWidget | None = root.focusWidget()
    while here is not None and here not in order and here is not root:
        here = here.parentWidget()  # the part of a field that has the focus for all of it
    if not order:
        return False
    start = order.index(here) if here in order else (-1 if onwards else 0)
    reason = Qt.FocusReason.TabFocusReason if onwards else Qt.FocusReason.BacktabFocusReason
    order[(start + (1 if onwards else -1)) % len(order)].setFocus(reason)
    return True


def _below(widget: QWidget) -> Iterator[QWidget]:
    for child in _children(widget):
        if child.isVisible() and not child.isWindow():
            yield child
            if not isinstance(child, WHOLE):
                yield from _below(child)


def _children(widget: QWidget) -> list[QWidget]:
    """Return the widgets in ``widget``: by its layout, what lies in none by its place."""
    if isinstance(widget, QStackedWidget):
        shown = widget.currentWidget()
        return [shown] if shown is not None else []
    layout = None if isinstance(widget, QMainWindow | QDockWidget) else widget.layout()
    placed = list(_placed(layout)) if layout is not None else []
    loose = [
        child
        for child in widget.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
        if child not in placed
    ]
    return placed + sorted(loose, key=lambda child: (child.y(), child.x()))


def _placed(layout: QLayout) -> Iterator[QWidget]:
    """Yield the widgets of a layout; those of a grid come from it line by line."""
    places = list(range(layout.count()))
    if isinstance(layout, QGridLayout):
        grid = layout
        places.sort(key=lambda place: cast(tuple[int, ...], grid.getItemPosition(place))[:2])
    for place in places:
        item = layout.itemAt(place)
        if item is None:
            continue
        if (widget := item.widget()) is not None:
            yield widget
        elif (inner := item.layout()) is not None:
            yield from _placed(inner)
