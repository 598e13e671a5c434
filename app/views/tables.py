"""Tables: cells as plain data, one model, one delegate that draws every kind of cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QKeySequence, QPainter, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from app.views.paint import Verdict, draw_icon
from app.views.surfaces import ChipFace, chip_height, chip_width, draw_chip
from app.views.theme import Look

CELL = Qt.ItemDataRole.UserRole
Index = QModelIndex | QPersistentModelIndex
NO_PARENT = QModelIndex()


class Drawn(Protocol):
    """A small drawing in a cell, whose text says the same."""

    def draw(self, painter: QPainter, look: Look, box: QRectF) -> None:
        """Draw it into ``box``."""


@dataclass(frozen=True)
class Cell:
    """One cell: a text, a second quiet line, a chip, an icon, n of m, or a drawing."""

    text: str = ""
    detail: str = ""
    chip: ChipFace | None = None
    icon: str = ""
    count: tuple[int, int] | None = None
    strong: bool = False
    muted: bool = False
    mono: bool = False
    drawn: Drawn | None = None

    def spoken(self) -> str:
        """Say what a screen reader says, and what is copied."""
        words = [self.text, self.detail, self.chip.word if self.chip else ""]
        if self.count:
            words.append(f"{self.count[0]} of {self.count[1]}")
        return ", ".join(word for word in words if word)


@dataclass(frozen=True)
class Column:
    """A column: its title, its width in characters (0 takes what is left), and its side.

    ``sort`` is what the query sorts by when the head is pressed, "" when it cannot.
    """

    title: str
    width: int = 0
    number: bool = False
    sort: str = ""


def verdict_cell(verdict: Verdict) -> Cell:
    """A verdict as a chip."""
    return Cell(chip=ChipFace(verdict.value, verdict=verdict, quiet=verdict is Verdict.PASS))


class CellModel(QAbstractTableModel):
    """A model whose items are cells; subclasses say how many rows there are and what is in them."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self.columns = list(columns)

    def cell(self, row: int, column: int) -> Cell:
        """Give one cell."""
        raise IndexError(f"no cell {row}, {column}")

    def columnCount(self, parent: Index = NO_PARENT) -> int:
        """Number of columns."""
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The cell, or its text."""
        if not index.isValid():
            return None
        cell = self.cell(index.row(), index.column())
        if role == CELL:
            return cell
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return cell.spoken()
        return None

    def headerData(self, section: int, way: Qt.Orientation, role: int = 0) -> object:
        """Titles, set on the side of their numbers."""
        if way != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.number else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None


class Rows(CellModel):
    """Rows that are all in memory; a queue fetches its rows page by page from a query."""

    def __init__(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]] = ()) -> None:
        super().__init__(columns)
        self._rows = list(rows)

    def cell(self, row: int, column: int) -> Cell:
        """Give one cell."""
        return self._rows[row][column]

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        """Number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def replace(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Show other rows; rows that were only added keep selection and scroll position."""
        count = len(self._rows)
        if count and len(rows) >= count and self._rows == list(rows[:count]):
            if len(rows) > count:
                self.beginInsertRows(NO_PARENT, count, len(rows) - 1)
                self._rows.extend(rows[count:])
                self.endInsertRows()
            return
        self.beginResetModel()
        self._rows = list(rows)
        self.endResetModel()


class RowDelegate(QStyledItemDelegate):
    """Draws cells: numbers to the right, one line under a row, a bar before the chosen one."""

    def __init__(self, look: Look, table: QTableView) -> None:
        super().__init__(table)
        self._look, self._table = look, table

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw ground, selection and content of one cell."""
        model = cast(CellModel, self._table.model())
        cell = model.cell(index.row(), index.column())
        box = QRectF(option.rect)
        painter.save()
        self._ground(painter, option, index, box)
        inner = box.adjusted(self._look.space.s, 0, -self._look.space.s, 0)
        if index.column() == 0:
            inner.setLeft(box.left() + self._look.space.l)
        if cell.icon:
            inner = self._draw_icon(painter, cell, inner)
        if cell.drawn:
            cell.drawn.draw(painter, self._look, inner)
        elif cell.chip:
            self._chip(painter, cell.chip, inner)
        elif cell.count:
            self._count(painter, cell.count, inner)
        else:
            self._text(painter, cell, inner, right=model.columns[index.column()].number)
        painter.restore()

    def _ground(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index, box: QRectF
    ) -> None:
        c, line = self._look.colours, self._look.theme.targets.line
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, QColor(c.accent.soft))
            if index.column() == 0:
                bar = QRectF(box.left(), box.top(), 4, box.height())
                painter.fillRect(bar, QColor(c.accent.solid))
        foot = QRectF(box.left(), box.bottom() - line, box.width(), line)
        painter.fillRect(foot, QColor(c.border))

    def _draw_icon(self, painter: QPainter, cell: Cell, box: QRectF) -> QRectF:
        edge = self._look.icon
        place = QRectF(box.left(), box.center().y() - edge / 2, edge, edge)
        draw_icon(painter, cell.icon, self._look.colours.muted, place)
        return box.adjusted(edge + self._look.space.s, 0, 0, 0)

    def _chip(self, painter: QPainter, face: ChipFace, box: QRectF) -> None:
        height, width = chip_height(self._look), chip_width(self._look, face)
        top = round(box.center().y() - height / 2)
        place = QRectF(box.left(), top, min(width, box.width()), height)
        draw_chip(painter, self._look, face, place)

    def _count(self, painter: QPainter, count: tuple[int, int], box: QRectF) -> None:
        look, (done, of) = self._look, count
        word = f"{done}/{of}"
        painter.setFont(look.font("caption"))
        painter.setPen(QColor(look.colours.muted))
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, word)
        left = box.left() + look.width_of("22/22", "caption") + look.space.s
        track = QRectF(left, box.center().y() - 3, box.right() - left, 6)
        painter.fillRect(track, QColor(look.colours.border))
        track.setWidth(track.width() * done / max(1, of))
        painter.fillRect(track, QColor(look.colours.accent.solid))

    def _text(self, painter: QPainter, cell: Cell, box: QRectF, *, right: bool) -> None:
        look = self._look
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        first = look.font(strong=cell.strong, mono=cell.mono)
        top = box
        if cell.detail:
            small = look.font("caption")
            heights = [QFontMetricsF(font).height() for font in (first, small)]
            start = box.center().y() - sum(heights) / 2
            top = QRectF(box.left(), start, box.width(), heights[0])
            below = QRectF(box.left(), start + heights[0], box.width(), heights[1])
            painter.setFont(small)
            painter.setPen(QColor(look.colours.muted))
            words = _cut(cell.detail, small, box)
            painter.drawText(below, side | Qt.AlignmentFlag.AlignVCenter, words)
        painter.setFont(first)
        painter.setPen(QColor(look.colours.muted if cell.muted else look.colours.text))
        painter.drawText(top, side | Qt.AlignmentFlag.AlignVCenter, _cut(cell.text, first, box))

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Rows have one height a table; see ``table``."""
        return QSize(option.rect.width(), self._look.row)


def _cut(text: str, font: QFont, box: QRectF) -> str:
    return QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, box.width())


class CellTable(QTableView):
    """A table of cells, one row chosen at a time; Ctrl+C copies it, as text with tabs."""

    def __init__(self, look: Look, name: str, model: CellModel, *, tall: bool = False) -> None:
        super().__init__()
        self.look = look
        self.setAccessibleName(name)
        self.setModel(model)
        model.setParent(self)
        self.setItemDelegate(RowDelegate(look, self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(look.tall_row if tall else look.row)
        _size_columns(look, self, model.columns)
        copy = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self)
        copy.setContext(Qt.ShortcutContext.WidgetShortcut)
        copy.activated.connect(self.copy)

    def copy(self) -> None:
        """Put the table on the clipboard: the chosen row, or all rows when none is chosen."""
        chosen = [index.row() for index in self.selectionModel().selectedRows()]
        head, rows = self.texts(chosen)
        QApplication.clipboard().setText("\n".join("\t".join(row) for row in [head, *rows]))

    def texts(self, chosen: Sequence[int] = ()) -> tuple[list[str], list[list[str]]]:
        """Give the heads and the rows as words; numbers with a plain minus, for spreadsheets."""
        model = cast(CellModel, self.model())
        places = range(len(model.columns))
        rows = [
            [_plain(model.cell(row, place), model.columns[place]) for place in places]
            for row in chosen or range(model.rowCount())
        ]
        return [column.title for column in model.columns], rows


def _plain(cell: Cell, column: Column) -> str:
    return cell.text.replace("−", "-") if column.number else cell.spoken()


def table(
    look: Look, name: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]] = ()
) -> CellTable:
    """A table of rows that are all in memory."""
    tall = any(cell.detail for row in rows for cell in row)
    return CellTable(look, name, Rows(columns, rows), tall=tall)


def _size_columns(look: Look, view: QTableView, columns: Sequence[Column]) -> None:
    header = view.horizontalHeader()
    header.setHighlightSections(False)
    header.setSectionsClickable(True)
    header.setFixedHeight(round(look.px(look.theme.type.caption) * 2.1))
    header.setFont(look.font("caption"))
    header.setMinimumSectionSize(24)
    header.setAccessibleName("Column heads")
    figure = look.width_of("0")
    for index, column in enumerate(columns):
        stretch = not column.width
        mode = QHeaderView.ResizeMode.Stretch if stretch else QHeaderView.ResizeMode.Fixed
        header.setSectionResizeMode(index, mode)
        if not stretch:
            view.setColumnWidth(index, column.width * figure + 2 * look.space.s)
