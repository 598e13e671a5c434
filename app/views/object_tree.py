"""The objects of a meter as a tree: what they are for, or their class, then each object."""

from collections.abc import Iterable, Sequence

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
)

from app.services.object_groups import Group, title_of
from app.views.theme import Look
from drivers.objectmodel import ObjectEntry

ENTRY = Qt.ItemDataRole.UserRole
OPEN_AT_ONCE = 80  # objects; a longer list begins with its groups closed
Index = QModelIndex | QPersistentModelIndex


class ObjectTree(QTreeView):
    """One or many may be chosen; a group stands for all its objects."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.look = look
        self.setAccessibleName("Objects of the meter")
        self._items = QStandardItemModel(self)
        self.setModel(self._items)
        self.setItemDelegate(_Branches(look, self))
        self.setHeaderHidden(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUniformRowHeights(True)
        self.setIndentation(look.icon)
        self.setExpandsOnDoubleClick(True)

    def show_groups(self, groups: Sequence[Group], *, opened: bool) -> None:
        """Show these groups; what was chosen and is still there stays chosen."""
        chosen = {_key(entry) for entry in self.chosen()}
        closed = {group for group, is_open in self._open_groups() if not is_open}
        self._items.clear()
        few = sum(len(listed) for _, listed in groups) <= OPEN_AT_ONCE
        for title, listed in groups:
            top = QStandardItem(f"{title}, {len(listed)}")
            top.setData(None, ENTRY)
            for entry in listed:
                top.appendRow(_item(entry))
            self._items.appendRow(top)
            stays_closed = title in closed and not opened
            self.setExpanded(top.index(), (opened or few) and not stays_closed)
        self._choose(chosen)

    def chosen(self) -> list[ObjectEntry]:
        """Give the chosen objects in order; all objects of a chosen group."""
        found: dict[tuple[str, int], ObjectEntry] = {}
        for index in sorted(self.selectionModel().selectedIndexes(), key=_place):
            for entry in self._below(index):
                found.setdefault(_key(entry), entry)
        return list(found.values())

    def choose_first(self) -> None:
        """Choose the first group when nothing is chosen."""
        if not self.selectionModel().hasSelection() and self._items.rowCount():
            self.setCurrentIndex(self._items.index(0, 0))

    def choose(self, code: str, class_id: int = 0) -> None:
        """Choose one object alone, as the operator would."""
        for index in self._all():
            entry = index.data(ENTRY)
            if not isinstance(entry, ObjectEntry) or entry.code != code:
                continue
            if class_id in {0, entry.class_id}:
                self.setCurrentIndex(index)
                return

    def _open_groups(self) -> list[tuple[str, bool]]:
        tops = (self._items.index(row, 0) for row in range(self._items.rowCount()))
        return [(str(top.data()).rpartition(",")[0], self.isExpanded(top)) for top in tops]

    def _below(self, index: QModelIndex) -> Iterable[ObjectEntry]:
        entry = index.data(ENTRY)
        if isinstance(entry, ObjectEntry):
            yield entry
            return
        for row in range(self._items.rowCount(index)):
            yield from self._below(self._items.index(row, 0, index))

    def _all(self) -> Iterable[QModelIndex]:
        for row in range(self._items.rowCount()):
            top = self._items.index(row, 0)
            for inner in range(self._items.rowCount(top)):
                yield self._items.index(inner, 0, top)

    def _choose(self, wanted: set[tuple[str, int]]) -> None:
        model = self.selectionModel()
        for index in self._all():
            if _key(index.data(ENTRY)) in wanted:
                model.select(index, QItemSelectionModel.SelectionFlag.Select)


class _Branches(QStyledItemDelegate):
    """Draws a group in bold, an object with its name on the left and its code on the right."""

    def __init__(self, look: Look, tree: QTreeView) -> None:
        super().__init__(tree)
        self._look = look

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one line."""
        look, box = self._look, QRectF(option.rect)
        entry = index.data(ENTRY)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, QColor(look.colours.accent.soft))
        inner = box.adjusted(look.space.xs, 0, -look.space.s, 0)
        if isinstance(entry, ObjectEntry) and look.gloves and title_of(entry) != entry.code:
            half = inner.height() / 2
            self._name(painter, title_of(entry), inner.adjusted(0, 0, 0, -half), strong=False)
            painter.setFont(look.font("caption", mono=True))
            painter.setPen(QColor(look.colours.muted))
            painter.drawText(inner.adjusted(0, half, 0, 0), _LEFT, entry.code)
        elif isinstance(entry, ObjectEntry):
            font = look.font("caption", mono=True)
            wide = QFontMetricsF(font).horizontalAdvance(entry.code)
            if title_of(entry) != entry.code:
                painter.setFont(font)
                painter.setPen(QColor(look.colours.muted))
                painter.drawText(inner, _RIGHT, entry.code)
                inner.setRight(inner.right() - wide - look.space.s)
            self._name(painter, title_of(entry), inner, strong=False)
        else:
            self._name(painter, str(index.data()), inner, strong=True)
        painter.restore()

    def _name(self, painter: QPainter, text: str, box: QRectF, *, strong: bool) -> None:
        font = self._look.font(strong=strong)
        painter.setFont(font)
        painter.setPen(QColor(self._look.colours.text))
        shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, _LEFT, shown)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """As high as a row of a table, so that a finger finds it."""
        del option, index
        return QSize(self._look.control, self._look.row)


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def _item(entry: ObjectEntry) -> QStandardItem:
    item = QStandardItem(title_of(entry))
    item.setData(entry, ENTRY)
    said = f"{title_of(entry)}, {entry.code}, {entry.class_name}"
    item.setData(said, Qt.ItemDataRole.AccessibleTextRole)
    return item


def _key(entry: ObjectEntry) -> tuple[str, int]:
    return entry.code, entry.class_id


def _place(index: QModelIndex) -> tuple[int, int]:
    parent = index.parent()
    return (parent.row(), index.row()) if parent.isValid() else (index.row(), -1)
