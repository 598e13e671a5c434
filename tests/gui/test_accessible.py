"""Everything that can be operated or read has a name that a screen reader can say."""

from collections.abc import Iterator

import pyqtgraph
import pytest
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QProgressBar,
    QWidget,
)

from app.views.maintenance import TOOLS
from tests.gui.keyboard import OPERABLE, parents
from tests.gui.test_order_page import asked, begin, order

__all__ = ["order"]

NAMED = (*OPERABLE, QProgressBar, pyqtgraph.PlotWidget)


def unnamed(root: QWidget) -> Iterator[str]:
    """Name every widget below ``root`` that says nothing, by its class and its parents."""
    for widget in root.findChildren(QWidget):
        if not isinstance(widget, NAMED) or not widget.isVisible():
            continue
        if isinstance(widget.parent(), QComboBox | QAbstractSpinBox):
            continue  # the parts of a field whose own name counts
        if isinstance(widget, QAbstractItemView) and widget.window() is not root.window():
            continue  # the list that a closed combo box keeps
        interface = QAccessible.queryAccessibleInterface(widget)
        said = interface.text(QAccessible.Text.Name) if interface is not None else ""
        if not (said or widget.accessibleName()).strip():
            above = [type(parent).__name__ for parent in parents(widget)]
            yield f"{type(widget).__name__} in {' < '.join(above[:3])}"


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_every_widget_of_every_place_has_a_name(window, qtbot, place):
    window.open_place(place)
    window.turn_trace()
    qtbot.wait(300)
    assert list(unnamed(window)) == []


@pytest.mark.parametrize("tool", range(len(TOOLS)))
def test_every_widget_of_every_tool_of_maintenance_has_a_name(window, qtbot, tool):
    window.open_place(1)
    window.pages.open_tool(tool)
    qtbot.wait(100)
    page = window.stack.currentWidget()
    assert page.first_focus.hasFocus(), "work begins without a mouse"
    assert list(unnamed(window)) == []


def test_every_widget_of_a_running_visit_has_a_name(window, desk, order, qtbot):
    assert list(unnamed(window)) == []
    begin(qtbot, order)
    asked(qtbot, order, "evidence.photo")
    assert list(unnamed(window)) == []
    for kind in order.findings._kinds:
        order.findings.turn_to(kind)
        qtbot.wait(100)
        assert list(unnamed(window)) == []
