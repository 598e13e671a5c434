"""Things that show: text, cards, banners, chips, facts, progress with its forecast, toasts."""

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.views.paint import Verdict, draw_icon, draw_mark, tone_of
from app.views.theme import Look, Tone

FIXED = QSizePolicy.Policy.Fixed


def label(
    look: Look,
    text: str,
    role: str = "body",
    *,
    strong: bool = False,
    muted: bool = False,
    mono: bool = False,
    wrap: bool = False,
) -> QLabel:
    """Text in a role of the type scale."""
    result = QLabel(text)
    result.setFont(look.font(role, strong=strong, mono=mono))
    result.setWordWrap(wrap)
    if muted:
        result.setProperty("part", "muted")
    if not wrap:
        result.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
    return result


def icon_label(look: Look, name: str, colour: str = "", scale: float = 1.0) -> QWidget:
    """An icon beside a text that says the same; screen readers skip it."""
    return _Icon(name, colour or look.colours.muted, round(look.icon * scale))


class _Icon(QWidget):
    def __init__(self, name: str, colour: str, edge: int) -> None:
        super().__init__()
        self._name, self._colour = name, colour
        self.setFixedSize(edge, edge)

    def paintEvent(self, _: QPaintEvent) -> None:
        with QPainter(self) as painter:
            draw_icon(painter, self._name, self._colour, QRectF(self.rect()))


class Mark(QWidget):
    """The mark of a verdict on its own, beside the word."""

    def __init__(self, look: Look, verdict: Verdict, scale: float = 1.0) -> None:
        super().__init__()
        self._look, self._verdict = look, verdict
        edge = round(look.icon * scale)
        self.setFixedSize(edge, edge)
        self.setAccessibleName(verdict.value)

    def paintEvent(self, _: QPaintEvent) -> None:
        """Draw the mark."""
        with QPainter(self) as painter:
            draw_mark(
                painter, self._verdict, self._look, QRectF(self.rect()).adjusted(1, 1, -1, -1)
            )


@dataclass(frozen=True)
class ChipFace:
    """What a chip shows: a word, and an icon or a verdict's mark."""

    word: str
    icon: str = ""
    verdict: Verdict | None = None
    tone: Tone | None = None
    loud: bool = False
    quiet: bool = False


def chip_width(look: Look, face: ChipFace) -> int:
    """Width of a chip, for layouts and for table cells."""
    mark = look.px(look.theme.type.caption) * 1.25 + 5 if face.icon or face.verdict else 0
    return round(look.width_of(face.word, "caption", strong=True) + mark + 2 * look.space.s + 1)


def chip_height(look: Look) -> int:
    """Height of a chip."""
    return round(look.px(look.theme.type.caption) * 1.85)


def draw_chip(painter: QPainter, look: Look, face: ChipFace, box: QRectF) -> None:
    """Draw a chip; failures are loud, everything else is quiet."""
    tone = tone_of(face.verdict, look.colours) if face.verdict else face.tone or look.colours.idle
    loud = face.loud or face.verdict is Verdict.FAIL
    ground, ink = (tone.solid, tone.on_solid) if loud else (tone.soft, tone.on_soft)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    edge_colour = QColor(tone.solid)
    edge_colour.setAlphaF(1.0 if look.theme.name == "field" else 0.4)
    if not face.quiet:
        painter.setPen(QPen(edge_colour, 1))
        painter.setBrush(QColor(ground))
        radius = look.theme.radii.small
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
    left, edge = box.left() + look.space.s, look.px(look.theme.type.caption) * 1.25
    place = QRectF(left, box.center().y() - edge / 2, edge, edge)
    if face.verdict and not loud:
        draw_mark(painter, face.verdict, look, place)
    elif face.verdict:
        draw_icon(painter, "x", ink, place)
    elif face.icon:
        draw_icon(painter, face.icon, ink, place)
    if face.verdict or face.icon:
        left += edge + 5
    painter.setFont(look.font("caption", strong=True))
    painter.setPen(QColor(ink))
    text = QRectF(left, box.top(), box.right() - left, box.height())
    painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, face.word)
    painter.restore()


class Chip(QWidget):
    """A state or a verdict in a word, a shape and a colour."""

    def __init__(self, look: Look, face: ChipFace) -> None:
        super().__init__()
        self._look, self._face = look, face
        self.setFixedSize(chip_width(look, face), chip_height(look))
        self.setAccessibleName(face.word)

    def paintEvent(self, _: QPaintEvent) -> None:
        """Draw the chip."""
        with QPainter(self) as painter:
            draw_chip(painter, self._look, self._face, QRectF(self.rect()))


class Strip(QWidget):
    """Widgets in a line or in a column, without a frame; ``box`` is the layout."""

    def __init__(self, look: Look, way: QBoxLayout.Direction, gap: int = -1) -> None:
        super().__init__()
        self.box = QBoxLayout(way, self)
        self.box.setContentsMargins(0, 0, 0, 0)
        self.box.setSpacing(look.space.s if gap < 0 else gap)

    def add(self, widget: QWidget, stretch: int = 0) -> None:
        """Append a widget."""
        self.box.addWidget(widget, stretch)


def row_of(look: Look, *parts: QWidget | int | None, gap: int = -1) -> Strip:
    """Widgets in a line; a number is a gap, None takes the free room."""
    result = Strip(look, QBoxLayout.Direction.LeftToRight, gap)
    _fill(result.box, parts)
    return result


def column_of(look: Look, *parts: QWidget | int | None, gap: int = -1) -> Strip:
    """Widgets one below the other; a number is a gap, None takes the free room."""
    result = Strip(look, QBoxLayout.Direction.TopToBottom, gap)
    _fill(result.box, parts)
    return result


def _fill(box: QBoxLayout, parts: tuple[QWidget | int | None, ...]) -> None:
    for part in parts:
        if part is None:
            box.addStretch()
        elif isinstance(part, int):
            box.addSpacing(part)
        else:
            box.addWidget(part)


def held_to(widget: Strip, width: int) -> Strip:
    """Fix a width and make sure that wrapped text still gets its height."""
    widget.setFixedWidth(width)
    widget.setMinimumHeight(widget.box.totalHeightForWidth(width))
    return widget


class Card(QFrame):
    """Things that belong together, with a title and, on its right, what can be chosen."""

    def __init__(self, look: Look, title: str = "", *extras: QWidget, padded: bool = True) -> None:
        super().__init__()
        self.setProperty("part", "card")
        self.body = QVBoxLayout(self)
        edge = look.space.m if look.compact else look.space.l
        self.body.setContentsMargins(*((edge,) * 4 if padded else (1, 1, 1, 1)))
        self.body.setSpacing(look.space.s)
        if title:
            head = row_of(look, label(look, title, "strong", strong=True), None, *extras)
            if not padded:
                head.box.setContentsMargins(edge, look.space.s, edge, 0)
            self.body.addWidget(head)

    def add(self, widget: QWidget, stretch: int = 0) -> None:
        """Append a widget to the card's body."""
        self.body.addWidget(widget, stretch)


class Banner(QFrame):
    """Something to know before going on: mark, title, meaning; remedy and actions below."""

    def __init__(self, look: Look, tone: str, title: str, text: str = "", mark: str = "") -> None:
        super().__init__()
        self.setProperty("part", "banner")
        self.setProperty("tone", tone)
        self.setAccessibleName(title)
        self._look, self._tone = look, getattr(look.colours, tone)
        edge = look.space.m if look.compact else look.space.l
        outer = QHBoxLayout(self)
        outer.setContentsMargins(edge + 2, look.space.m, edge, look.space.m)
        outer.setSpacing(look.space.m)
        sign: QWidget = icon_label(look, mark, self._tone.solid, 1.4) if mark else QWidget()
        if not mark:
            verdict = {"failed": Verdict.FAIL, "warned": Verdict.WARN}.get(tone, Verdict.PASS)
            sign = Mark(look, verdict, 1.5)
        outer.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        self.body = QVBoxLayout()
        self.body.setSpacing(look.space.xs)
        outer.addLayout(self.body, 1)
        self.body.addWidget(
            label(look, title, "title" if tone == "failed" else "strong", strong=True, wrap=True)
        )
        self._words = label(look, text, wrap=True)
        self.body.addWidget(self._words)
        if not text:
            self._words.hide()

    def set_text(self, text: str) -> None:
        """Say something else below the title."""
        self._words.setText(text)
        self._words.setVisible(bool(text))

    def paintEvent(self, _: QPaintEvent) -> None:
        """Draw the tint, and the bar on the left that can be seen from afar."""
        radius, line = self._look.theme.radii.card, self._look.theme.targets.line
        box = QRectF(self.rect()).adjusted(line / 2, line / 2, -line / 2, -line / 2)
        shape = QPainterPath()
        shape.addRoundedRect(box, radius, radius)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillPath(shape, QColor(self._tone.soft))
            painter.setClipPath(shape)
            painter.fillRect(QRectF(0, 0, 6, self.height()), QColor(self._tone.solid))
            painter.setClipping(False)
            painter.strokePath(shape, QPen(QColor(self._tone.solid), line))

    def add(self, widget: QWidget) -> None:
        """Append a widget below the text."""
        self.body.addWidget(widget)


def facts(look: Look, pairs: list[tuple[str, str]], columns: int = 1, *, mono: str = "") -> QWidget:
    """Names and values in aligned columns; names are quiet, values are not."""
    result = QWidget()
    grid = QGridLayout(result)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(look.space.l)
    grid.setVerticalSpacing(look.space.xs + 2)
    for index, (name, value) in enumerate(pairs):
        row, column = divmod(index, columns)
        grid.addWidget(label(look, name, muted=True), row, 2 * column, Qt.AlignmentFlag.AlignTop)
        text = label(look, value, mono=name in mono, wrap=True)
        grid.addWidget(text, row, 2 * column + 1, Qt.AlignmentFlag.AlignTop)
        grid.setColumnStretch(2 * column + 1, 1)
    return result


class ForecastBar(QWidget):
    """Progress with its forecast: what is done, and a tick where it usually ends."""

    def __init__(self, look: Look, done: float = 0.0, usual: float = 1.0, name: str = "") -> None:
        super().__init__()
        self._look, self._done, self._usual = look, done, usual
        self.setFixedHeight(round(look.px(look.theme.type.body) * 0.75))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, FIXED)
        self.setAccessibleName(name or f"{done:.0%} done")

    def show_done(self, done: float) -> None:
        """Move the bar to ``done``, a share of 1."""
        self._done = min(1.0, max(0.0, done))
        self.setAccessibleName(f"{self._done:.0%} done")
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        """Draw track, progress, and the tick of the forecast."""
        c, height = self._look.colours, self.height() - 4
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            track = QRectF(0.5, 2.5, self.width() - 1, height - 1)
            painter.setPen(QPen(QColor(c.edge), 1))
            painter.setBrush(QColor(c.sunken))
            painter.drawRoundedRect(track, height / 2, height / 2)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(c.accent.solid))
            filled = QRectF(0, 2, max(height, self.width() * self._done), height)
            painter.drawRoundedRect(filled, height / 2, height / 2)
            if self._usual < 1:
                x = self.width() * self._usual
                painter.fillRect(QRectF(x - 1, 0, 2, self.height()), QColor(c.text))


class CountBar(QWidget):
    """n of m as blocks while they can be counted, as a bar when they cannot."""

    def __init__(self, look: Look, done: int, of: int) -> None:
        super().__init__()
        self._look, self._done, self._of = look, done, of
        self.setFixedSize(QSize(max(96, of * 6), round(look.px(look.theme.type.caption) * 0.6)))
        self.setAccessibleName(f"{done} of {of} steps done")

    def paintEvent(self, _: QPaintEvent) -> None:
        """Draw one block a check."""
        c = self._look.colours
        step = self.width() / max(1, self._of)
        with QPainter(self) as painter:
            for index in range(self._of):
                colour = c.accent.solid if index < self._done else c.border
                box = QRectF(index * step, 0, step - 2, self.height())
                painter.fillRect(box, QColor(colour))


class Toast(QFrame):
    """A short notice that goes away by itself; never the only place where something is said."""

    def __init__(self, look: Look, icon: str, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("part", "toast")
        row = QHBoxLayout(self)
        row.setContentsMargins(look.space.l, look.space.m, look.space.l, look.space.m)
        row.setSpacing(look.space.m)
        row.addWidget(icon_label(look, icon, look.colours.surface))
        row.addWidget(label(look, text))
        self.adjustSize()
