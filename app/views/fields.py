"""Fields: a choice with its arrow, a search field with its glass."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
)

from app.views.paint import draw_icon, token_icon
from app.views.theme import Look


class Choice(QComboBox):
    """One of several; the arrow is drawn from the tokens, the wheel changes nothing by accident."""

    def __init__(self, look: Look, name: str) -> None:
        super().__init__()
        self._look = look
        self.setAccessibleName(name)
        self.setFont(look.font())
        if look.gloves:
            self.setItemDelegate(_TallItems(look, self))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the field, then its arrow."""
        super().paintEvent(event)
        edge = self._look.icon
        left = self.width() - edge - self._look.space.s
        colours = self._look.colours
        with QPainter(self) as painter:
            box = QRectF(left, (self.height() - edge) / 2, edge, edge)
            ink = colours.text if self.isEnabled() else colours.disabled
            draw_icon(painter, "chevron-down", ink, box)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page that scrolls."""
        event.ignore()


class _TallItems(QStyledItemDelegate):
    """Choices as high as what a glove needs."""

    def __init__(self, look: Look, parent: QComboBox) -> None:
        super().__init__(parent)
        self._high = look.control

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """As wide as the words."""
        return QSize(super().sizeHint(option, index).width(), self._high)


def search_field(look: Look, hint: str, name: str, text: str = "") -> QLineEdit:
    """A field that says what can be searched for."""
    edit = QLineEdit(text)
    edit.setPlaceholderText(hint)
    edit.setAccessibleName(name)
    glass = edit.addAction(
        token_icon(look, "search", look.colours.muted), QLineEdit.ActionPosition.LeadingPosition
    )
    glass.setText(name)
    edit.setClearButtonEnabled(True)
    for button in edit.findChildren(QToolButton):  # Qt gives its own buttons no name
        button.setAccessibleName(name if button.defaultAction() is glass else "Clear the search")
    return edit
