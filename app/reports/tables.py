"""Tables: heads repeated on every page, rows never split, numbers aligned on the decimal sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.reports.model import Verdict
from app.reports.sheet import (
    BLACK,
    BODY,
    BOLD,
    MM,
    NOTE,
    QUIET,
    RULE,
    TEXT,
    WHITE,
    Block,
    Flow,
    Pen,
    width_of,
    wrap,
)
from app.reports.words import SIGNS

PAD = 2.4  # above and below the text of a row
GAP = 2.2 * MM  # between columns
MOST_LINES = 14  # of one cell; the rest is in the attached record


@dataclass(frozen=True, slots=True)
class Column:
    """One column: title, width in millimetres and how its cells are set.

    `how` is left, right, decimal, verdict or mono. A width of 0 takes what is left over.
    """

    title: str
    width: float = 0.0
    how: str = "left"


@dataclass(frozen=True, slots=True)
class Small:
    """A line in the small size, below the main lines of a cell."""

    text: str


@dataclass(frozen=True, slots=True)
class Wide:
    """Words that run over this column and the next `over` ones, which are left empty."""

    text: str
    over: int


Item = str | Small | Wide | Verdict
Cell = Item | tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """Cells, and notes that run below them as (bold lead, text), from column `indent` on."""

    cells: tuple[Cell, ...]
    notes: tuple[tuple[str, str], ...] = ()
    indent: int = 1


@dataclass(slots=True)
class Table:
    """A table that knows its columns' places and draws itself into a flow."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    left: float
    width: float
    edges: list[tuple[float, float]] = field(default_factory=list)
    dots: list[float] = field(default_factory=list)
    decimal: str = "."

    def __post_init__(self) -> None:
        fixed = sum(column.width * MM for column in self.columns)
        flexible = sum(1 for column in self.columns if not column.width)
        x = self.left
        for column in self.columns:
            share = column.width * MM or (self.width - fixed) / flexible
            self.edges.append((x, x + share - GAP))
            x += share
        last = self.edges[-1]
        self.edges[-1] = (last[0], last[1] + GAP)
        self.dots = [self._dot(index) for index in range(len(self.columns))]

    def _dot(self, index: int) -> float:
        """Where the decimal sign of a column stands: the widest numbers end at its right edge."""
        tail = 0.0
        for row in self.rows:
            for item in items(row.cells[index]):
                if isinstance(item, str) and not isinstance(item, Verdict):
                    tail = max(tail, width_of(self._parts(item)[1], TEXT[0]))
        return self.edges[index][1] - tail

    def _parts(self, text: str) -> tuple[str, str]:
        whole, sign, part = text.partition(self.decimal)
        return whole, sign + part

    def blocks(self) -> list[Block]:
        """Every row as a block."""
        return [self._row(row, last=row is self.rows[-1]) for row in self.rows]

    def head(self, again: str = "") -> Block:
        """The column titles over a rule; a second line holds units. `again`: on a later page."""
        titles = [c.title.split("\n") for c in self.columns]
        deep = max(len(lines) for lines in titles)
        extra = NOTE[1] + 2 * PAD if again else 0.0
        height = deep * NOTE[1] + 2 * PAD + extra

        def draw(pen: Pen, top: float) -> None:
            if again:
                pen.rule(self.left, self.left + self.width, top, RULE)
                pen.text(self.left, top - PAD - NOTE[0], again, NOTE[0], BOLD)
            pen.rule(self.left, self.left + self.width, top - height, RULE)
            for column, (x0, x1), lines in zip(self.columns, self.edges, titles, strict=True):
                right = column.how in ("decimal", "right")
                for number, line in enumerate(lines):
                    y = top - extra - PAD - NOTE[0] - (deep - len(lines) + number) * NOTE[1]
                    font, align = BODY if number else BOLD, "right" if right else "left"
                    pen.text(x1 if right else x0, y, line, NOTE[0], font, align)

        return Block(height, draw)

    def _row(self, row: Row, last: bool) -> Block:
        cells = [self._lines(index, cell) for index, cell in enumerate(row.cells)]
        body = max(sum(leading for _, _, leading in lines) for lines in cells)
        notes = self._notes(row)
        height = body + len(notes) * NOTE[1] + 2 * PAD + (1.0 if notes else 0.0)

        def draw(pen: Pen, top: float) -> None:
            for index, lines in enumerate(cells):
                y = top - PAD
                for item, size, leading in lines:
                    self._item(pen, index, item, size, y - size)
                    y -= leading
            y = top - PAD - body - 1.0
            for x, lead, text in notes:
                pen.text(x, y - NOTE[0], lead, NOTE[0], BOLD)
                shift = width_of(lead + " ", NOTE[0], BOLD) if lead else 0
                pen.text(x + shift, y - NOTE[0], text, NOTE[0])
                y -= NOTE[1]
            pen.rule(
                self.left,
                self.left + self.width,
                top - height,
                RULE if last else 0.5,
                BLACK if last else QUIET,
            )

        return Block(height, draw)

    def _lines(self, index: int, cell: Cell) -> list[tuple[Item, float, float]]:
        """The lines of a cell with size and leading."""
        x0, x1 = self.edges[index]
        lines: list[tuple[Item, float, float]] = []
        for item in items(cell):
            if isinstance(item, Small):
                broken = wrap(item.text, x1 - x0, NOTE[0], most=MOST_LINES)
                lines += [(line, NOTE[0], NOTE[1]) for line in broken]
            elif isinstance(item, Wide):
                reach = self.edges[index + item.over][1] - x0
                broken = wrap(item.text, reach, TEXT[0], most=MOST_LINES)
                lines += [(Wide(line, 0), *TEXT) for line in broken]
            elif isinstance(item, Verdict) or self.columns[index].how in ("decimal", "right"):
                lines.append((item, *TEXT))
            else:
                broken = wrap(item, x1 - x0, TEXT[0], most=MOST_LINES)
                lines += [(line, *TEXT) for line in broken]
        return lines

    def _item(self, pen: Pen, index: int, item: Item, size: float, y: float) -> None:
        x0, x1 = self.edges[index]
        how = self.columns[index].how
        if isinstance(item, Verdict):
            verdict_mark(pen, x0, y, item)
        elif isinstance(item, Wide | Small):
            pen.text(x0, y, item.text, size)
        elif how == "decimal" and size == TEXT[0]:
            whole, part = self._parts(item)
            pen.text(self.dots[index] - width_of(whole, size), y, whole + part, size)
        else:
            right = how == "right"
            pen.text(x1 if right else x0, y, item, size, BODY, "right" if right else "left")

    def _notes(self, row: Row) -> list[tuple[float, str, str]]:
        """The notes as lines: x, bold lead, text."""
        x = self.edges[row.indent][0]
        room = self.left + self.width - x
        found = []
        for lead, text in row.notes:
            shift = width_of(lead + " ", NOTE[0], BOLD)
            lines = wrap(text, room - shift, NOTE[0], most=MOST_LINES)
            found.append((x, lead, lines[0]))
            found += [(x + shift, "", line) for line in lines[1:]]
        return found

    def into(self, flow: Flow, name: str = "Table") -> None:
        """Draw into `flow`, with the head again, marked as continued, on every new page."""
        head, blocks, again = self.head(), self.blocks(), self.head(f"{name}, continued")
        flow.need(head.height + sum(block.height for block in blocks[:2]))
        flow.put(head)
        for place, block in enumerate(blocks):
            tail = blocks[place : place + 2] if place == len(blocks) - 2 else [block]
            if flow.need(sum(item.height for item in tail)):
                flow.put(again)
            flow.put(block)

    def start(self) -> float:
        """The height of the head and the first rows: what a heading must stay with."""
        return self.head().height + sum(block.height for block in self.blocks()[:4])


def items(cell: Cell) -> tuple[Item, ...]:
    """A cell as its items."""
    return cell if isinstance(cell, tuple) else (cell,)


def verdict_mark(pen: Pen, x: float, y: float, verdict: Verdict) -> None:
    """Sign and word. FAIL is reversed and WARN is boxed, so a fax keeps them apart."""
    size = TEXT[0]
    wide = width_of(verdict, size, BOLD)
    sign, box_x, text_x = SIGNS[verdict], x, x + 5.2 * MM
    colour, quiet = BLACK, verdict is Verdict.NOT_APPLICABLE
    if verdict is Verdict.FAIL:
        pen.box(box_x - 1.5, y - 2.3, text_x - x + wide + 4, 10.2, 0, BLACK, None)
        colour = WHITE
    elif verdict is Verdict.WARN:
        pen.box(box_x - 1.5, y - 2.3, text_x - x + wide + 4, 10.2, RULE)
    pen.text(x + 1.6 * MM, y, sign, NOTE[0] if len(sign) > 1 else size, BOLD, "centre", colour)
    pen.text(text_x, y, verdict, size, BODY if quiet else BOLD, colour=colour)
