"""The sheet: fonts, type scale, grid, and the flow of blocks over pages.

Blocks are laid out first and drawn afterwards, so every page knows how many there are.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from reportlab.lib.pagesizes import A4, LETTER
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from resources import resource

MM = 72 / 25.4
BODY, BOLD, MONO = "Body", "Bold", "Mono"
FACES = {
    BODY: "DejaVuSansCondensed.ttf",
    BOLD: "DejaVuSansCondensed-Bold.ttf",
    MONO: "DejaVuSansMono.ttf",
}
# The type scale: size and leading in points. Nothing is smaller than NOTE.
NOTE, TEXT, HEAD, TITLE, VERDICT = (6.8, 8.6), (8.0, 10.4), (10.0, 13.0), (15.0, 18.0), (25.0, 28.0)
HAIR, RULE, HEAVY = 0.35, 0.7, 1.4
# Letters are black or white only: a fax dithers every colour, and small letters drown in dots.
# Colour is one band beside the verdict and repeats what word, sign and shape already say.
BLACK, WHITE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
GREEN, AMBER, RED = (0.0, 0.45, 0.2), (0.9, 0.6, 0.0), (0.75, 0.05, 0.05)
QUIET = (0.6, 0.6, 0.6)  # rules between rows: a reader loses nothing when a fax drops them
UNITS = "%|°|V|A|W|kW|kWh|kvar|kvarh|VA|kVA|Hz|s|min|h|d|dBm|m|mm|imp/kWh"
GLUE = re.compile(rf"(?<=\d) (?=(?:{UNITS})(?![\w/]))|(?<=[±≤≥]) (?=\S)|(?<=\u2013) (?=\d)")
Colour = tuple[float, float, float]


@cache
def load_fonts() -> frozenset[int]:
    """Register the shipped fonts once; the code points that the text faces hold."""
    fonts = {
        name: TTFont(name, io.BytesIO(resource("fonts", file).read_bytes()))
        for name, file in FACES.items()
    }
    for font in fonts.values():
        pdfmetrics.registerFont(font)
    return frozenset.intersection(
        *(frozenset(fonts[name].face.charToGlyph) for name in (BODY, BOLD))
    )


def width_of(text: str, size: float, font: str = BODY) -> float:
    """Width of `text` in points."""
    return float(pdfmetrics.stringWidth(text, font, size))


def wrap(text: str, width: float, size: float, font: str = BODY, most: int = 99) -> list[str]:
    """`text` in lines no wider than `width`; numbers keep their units, overlong words break."""
    lines: list[str] = []
    line = ""
    for glued in GLUE.sub("\0", text).split(" "):
        word = glued.replace("\0", " ")
        trial = f"{line} {word}" if line else word
        if width_of(trial, size, font) <= width:
            line = trial
            continue
        if line:
            lines.append(line)
        while width_of(word, size, font) > width:
            cut = max(
                (n for n in range(1, len(word)) if width_of(word[:n], size, font) <= width),
                default=1,
            )
            lines.append(word[:cut])
            word = word[cut:]
        line = word
    lines.append(line)
    if len(lines) > most:
        lines = [*lines[: most - 1], "\u2026 (whole text in the attached record)"]
    return lines


def fit(text: str, room: float, size: float, font: str = BODY) -> str:
    """`text` on one line, cut with an ellipsis where it is too long for its place."""
    if width_of(text, size, font) <= room:
        return text
    while text and width_of(text + "\u2026", size, font) > room:
        text = text[:-1]
    return text + "\u2026"


class Pen:
    """Draws on a canvas in the words of this layout; y grows upwards from the page's foot."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = TEXT[0],
        font: str = BODY,
        align: str = "left",
        colour: Colour = BLACK,
    ) -> None:
        """One line of text with its baseline at `y`."""
        if not text:
            return
        width = width_of(text, size, font)
        x -= {"left": 0.0, "right": width, "centre": width / 2}[align]
        self.canvas.setFillColorRGB(*colour)
        self.canvas.setFont(font, size)
        self.canvas.drawString(x, y, text)

    def line(
        self,
        points: list[tuple[float, float]],
        width: float = HAIR,
        dash: tuple[float, ...] = (),
        close: bool = False,
        fill: Colour | None = None,
        stroke: Colour | None = BLACK,
    ) -> None:
        """A line through `points`, or a filled shape."""
        self.canvas.setLineWidth(width)
        self.canvas.setDash(list(dash))
        self.canvas.setLineJoin(0 if fill else 1)
        if stroke:
            self.canvas.setStrokeColorRGB(*stroke)
        if fill:
            self.canvas.setFillColorRGB(*fill)
        path = self.canvas.beginPath()
        path.moveTo(*points[0])
        for point in points[1:]:
            path.lineTo(*point)
        if close or fill:
            path.close()
        self.canvas.drawPath(path, stroke=1 if stroke else 0, fill=1 if fill else 0)

    def rule(
        self, x0: float, x1: float, y: float, width: float = HAIR, colour: Colour = BLACK
    ) -> None:
        """A horizontal rule."""
        self.line([(x0, y), (x1, y)], width, stroke=colour)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        line: float = RULE,
        fill: Colour | None = None,
        stroke: Colour | None = BLACK,
        dash: tuple[float, ...] = (),
    ) -> None:
        """A rectangle with its lower left corner at x, y."""
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
        self.line(corners, line, dash, True, fill, stroke)


Draw = Callable[[Pen], None]


@dataclass(frozen=True, slots=True)
class Block:
    """Something of a known height that is never split; `draw` gets the pen and its top edge."""

    height: float
    draw: Callable[[Pen, float], None]


@dataclass(slots=True)
class Sheet:
    """The page's measures. The wide left margin leaves room for filing holes."""

    size: tuple[float, float]
    left: float = 20 * MM
    margin: float = 14 * MM
    head: float = 14.5 * MM
    foot: float = 8 * MM

    @property
    def right(self) -> float:
        """The right edge of the text."""
        return self.size[0] - self.margin

    @property
    def width(self) -> float:
        """The width of the text."""
        return self.right - self.left

    @property
    def top(self) -> float:
        """The first y below the header."""
        return self.size[1] - 10 * MM - self.head

    @property
    def bottom(self) -> float:
        """The last y above the footer."""
        return 10 * MM + self.foot


SHEETS = {"A4": A4, "Letter": LETTER}


@dataclass(slots=True)
class Flow:
    """Puts blocks one below the other and turns the page when there is no room."""

    sheet: Sheet
    pages: list[list[Draw]] = field(default_factory=lambda: [[]])
    marks: list[tuple[int, float, str]] = field(default_factory=list)
    y: float = 0.0

    def __post_init__(self) -> None:
        self.y = self.sheet.top

    @property
    def room(self) -> float:
        """The height left on this page."""
        return self.y - self.sheet.bottom

    def turn(self) -> None:
        """Begin a new page."""
        self.pages.append([])
        self.y = self.sheet.top

    def need(self, height: float) -> bool:
        """Turn the page unless `height` fits; whether it was turned."""
        if height <= self.room or self.y == self.sheet.top:
            return False
        self.turn()
        return True

    def put(self, block: Block) -> None:
        """The block at the current place, on the next page if it does not fit here."""
        self.need(block.height)
        top = self.y
        self.pages[-1].append(lambda pen: block.draw(pen, top))
        self.y -= block.height

    def side_by_side(self, *blocks: Block) -> None:
        """Blocks that share one top edge (each knows its own x)."""
        self.put(Block(max(b.height for b in blocks), lambda pen, y: _each(blocks, pen, y)))

    def skip(self, height: float) -> None:
        """White space; none at the top of a page."""
        if self.y < self.sheet.top:
            self.y -= height

    def heading(self, text: str, follows: float, note: str = "") -> None:
        """A section heading that stays with the first `follows` points after it."""
        self.skip(4.2 * MM)
        height = HEAD[1] + 6
        self.need(height + follows)
        sheet = self.sheet
        self.marks.append((len(self.pages) - 1, self.y, text))

        def draw(pen: Pen, top: float) -> None:
            pen.rule(sheet.left, sheet.right, top, HEAVY)
            pen.text(sheet.left, top - 12.5, text, HEAD[0], BOLD)
            pen.text(sheet.right, top - 12.5, note, NOTE[0], align="right")

        self.put(Block(height, draw))

    def paragraph(self, text: str, font: str = BODY, style: tuple[float, float] = TEXT) -> None:
        """Running text over the full width, line by line so that it may break anywhere."""
        left = self.sheet.left
        for line in wrap(text, self.sheet.width, style[0], font):
            self.put(text_line(left, line, style, font))


def text_line(x: float, text: str, style: tuple[float, float], font: str = BODY) -> Block:
    """One line of text as a block."""
    return Block(style[1], lambda pen, top: pen.text(x, top - style[0], text, style[0], font))


def _each(blocks: tuple[Block, ...], pen: Pen, top: float) -> None:
    for block in blocks:
        block.draw(pen, top)
