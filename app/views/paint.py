"""Shapes that carry meaning: icons in any colour, verdict marks, keycaps.

A mark differs in outline as well as in colour, so that it survives grey printing and colour
blindness: circle = pass, triangle = warning, octagon = fail, ring = not run or not applicable.
"""

from enum import Enum
from functools import cache
from math import cos, pi, sin

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPen, QPixmap, QPolygonF
from PySide6.QtSvg import QSvgRenderer

from app.views.theme import Colours, Look, Tone
from resources import resource

LARGE = 32  # pixels


class Verdict(Enum):
    """What became of a check; the value is the word on the screen."""

    PASS = "Pass"  # noqa: S105 (a verdict)
    WARN = "Warn"
    FAIL = "Fail"
    NOT_RUN = "Not run"
    NOT_APPLICABLE = "Not applicable"


def tone_of(verdict: Verdict, colours: Colours) -> Tone:
    """The tone that goes with a verdict."""
    return {
        Verdict.PASS: colours.passed,
        Verdict.WARN: colours.warned,
        Verdict.FAIL: colours.failed,
        Verdict.NOT_RUN: colours.idle,
        Verdict.NOT_APPLICABLE: colours.idle,
    }[verdict]


@cache
def _renderer(name: str, colour: str, stroke: str) -> QSvgRenderer:
    text = resource("icons", f"{name}.svg").read_text(encoding="utf-8")
    text = text.replace("currentColor", colour).replace('stroke-width="2"', stroke)
    return QSvgRenderer(text.encode())


def draw_icon(painter: QPainter, name: str, colour: str, box: QRectF) -> None:
    """Draw a Lucide icon in one colour of the theme; a large one gets a finer stroke."""
    stroke = "1.25" if box.width() > LARGE else "1.9"
    _renderer(name, colour, f'stroke-width="{stroke}"').render(painter, box)


class TokenIcon(QIconEngine):
    """An icon that is drawn anew for every size and resolution, in the colours it was given."""

    def __init__(self, name: str, normal: str, checked: str, disabled: str) -> None:
        super().__init__()
        self._name, self._normal, self._checked, self._disabled = name, normal, checked, disabled

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw into ``rect``."""
        colour = self._checked if state == QIcon.State.On else self._normal
        if mode == QIcon.Mode.Disabled:
            colour = self._disabled
        draw_icon(painter, self._name, colour, QRectF(rect))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Draw onto a transparent pixmap of ``size`` device pixels."""
        result = QPixmap(size)
        result.fill(Qt.GlobalColor.transparent)
        with QPainter(result) as painter:
            self.paint(painter, result.rect(), mode, state)
        return result

    def clone(self) -> QIconEngine:
        """Qt copies icons freely."""
        return TokenIcon(self._name, self._normal, self._checked, self._disabled)


def token_icon(look: Look, name: str, colour: str = "", checked: str = "") -> QIcon:
    """An icon in the text colour, or in ``colour``."""
    normal = colour or look.colours.text
    return QIcon(TokenIcon(name, normal, checked or normal, look.colours.disabled))


def _octagon(box: QRectF) -> QPolygonF:
    radius, centre = box.width() / 2 * 1.06, box.center()
    corners = (pi / 8 + pi / 4 * step for step in range(8))
    return QPolygonF([centre + QPointF(radius * cos(a), radius * sin(a)) for a in corners])


def _triangle(box: QRectF) -> QPolygonF:
    foot = box.bottom() - box.height() * 0.04
    return QPolygonF(
        [
            QPointF(box.center().x(), box.top()),
            QPointF(box.right(), foot),
            QPointF(box.left(), foot),
        ]
    )


def draw_mark(painter: QPainter, verdict: Verdict, look: Look, box: QRectF) -> None:
    """Draw the mark of a verdict, filled, with its sign cut out."""
    tone, unit = tone_of(verdict, look.colours), box.width() / 16
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(tone.solid))
    sign = QPen(QColor(tone.on_solid), 2.2 * unit)
    sign.setCapStyle(Qt.PenCapStyle.RoundCap)
    sign.setJoinStyle(Qt.PenJoinStyle.RoundJoin)

    def at(x: float, y: float) -> QPointF:
        return QPointF(box.left() + x * unit, box.top() + y * unit)

    if verdict is Verdict.PASS:
        painter.drawEllipse(box)
        painter.setPen(sign)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline([at(4.4, 8.4), at(7, 11), at(11.6, 5.4)])
    elif verdict is Verdict.WARN:
        painter.drawPolygon(_triangle(box))
        painter.setPen(sign)
        painter.drawLine(at(8, 6.2), at(8, 9.8))
        painter.drawPoint(at(8, 12.8))
    elif verdict is Verdict.FAIL:
        painter.drawPolygon(_octagon(box))
        painter.setPen(sign)
        painter.drawLine(at(5.2, 5.2), at(10.8, 10.8))
        painter.drawLine(at(10.8, 5.2), at(5.2, 10.8))
    else:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(tone.solid), 2 * unit))
        painter.drawEllipse(box.adjusted(unit, unit, -unit, -unit))
        painter.drawLine(at(5, 8), at(11, 8))
    painter.restore()


def draw_keycap(painter: QPainter, text: str, colour: str, look: Look, right: QPointF) -> float:
    """Draw the key that does the same, its right edge at ``right``; return its width."""
    font = look.font("caption")
    painter.save()
    painter.setFont(font)
    height = look.px(look.theme.type.caption) * 1.45
    width = max(height, look.width_of(text, "caption") + height * 0.6)
    box = QRectF(right.x() - width, right.y() - height / 2, width, height)
    edge = QColor(colour)
    edge.setAlphaF(0.55)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(edge, 1))
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
    painter.setPen(QColor(colour))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()
    return width


def keycap_width(text: str, look: Look) -> int:
    """Room a keycap needs."""
    height = look.px(look.theme.type.caption) * 1.45
    return round(max(height, look.width_of(text, "caption") + height * 0.6))
