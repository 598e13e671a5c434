"""The phasor drawing: U1 points up, lag turns clockwise, U long and hollow, I short and solid."""

from dataclasses import dataclass
from math import cos, radians, sin

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.views.paint import Verdict, draw_mark
from app.views.theme import Look

LINE_STYLES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DashDotLine)
DASHES: tuple[list[float], ...] = ([], [5, 2], [5, 1.6, 1.2, 1.6])  # in widths of the line
LOAD_RANGE = (-30.0, 60.0)  # degrees of lag a load may have
VOLTAGE_RADIUS, CURRENT_RADIUS = 0.80, 0.52  # of the ring


@dataclass(frozen=True)
class PhaseReading:
    """What one phase shows: voltage and current with their angles, in degrees of lag."""

    name: str
    volts: float
    volt_angle: float
    amps: float
    theta: float
    verdict: Verdict

    @property
    def kilowatts(self) -> float:
        """Active power."""
        return self.volts * self.amps * cos(radians(self.theta)) / 1000

    @property
    def amp_angle(self) -> float:
        """Angle of the current on the drawing."""
        return self.volt_angle + self.theta


class PhasorView(QWidget):
    """Three voltages, three currents, and the sector in which each current is expected."""

    def __init__(self, look: Look, phases: list[PhaseReading], summary: str) -> None:
        super().__init__()
        self._look, self._phases = look, phases
        self.setAccessibleName("Phasor drawing")
        self.setAccessibleDescription(summary)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(150, 130)

    def sizeHint(self) -> QSize:
        """As square as the room allows."""
        return QSize(360, 320)

    def paintEvent(self, _: QPaintEvent) -> None:
        """Draw from the quiet to the loud: ring, sectors, voltages, currents, fault."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        margin = self._look.px(self._look.theme.type.caption) * 0.4
        self._ring = min(self.width(), self.height()) / 2 - margin
        self._centre = QPointF(self.width() / 2, self.height() / 2)
        self._draw_ring(painter)
        for index, phase in enumerate(self._phases):
            self._draw_sector(painter, index, phase)
        for phase in self._phases:
            if phase.verdict is Verdict.FAIL:
                self._draw_fault_arc(painter, phase)
        for index, phase in enumerate(self._phases):
            self._draw_arrow(painter, index, f"U{index + 1}", phase.volt_angle, hollow=True)
        for index, phase in enumerate(self._phases):
            self._draw_arrow(painter, index, f"I{index + 1}", phase.amp_angle, hollow=False)
            if phase.verdict is Verdict.FAIL:
                self._draw_fault_mark(painter, phase)

    def _at(self, angle: float, share: float) -> QPointF:
        reach = self._ring * share
        turn = radians(angle)
        return self._centre + QPointF(reach * sin(turn), -reach * cos(turn))

    def _draw_ring(self, painter: QPainter) -> None:
        c = self._look.colours
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(c.border), self._look.theme.targets.line))
        painter.drawEllipse(self._centre, self._ring * 0.9, self._ring * 0.9)
        for angle in range(0, 360, 30):
            inner = 0.84 if angle % 90 == 0 else 0.875
            painter.drawLine(self._at(angle, inner), self._at(angle, 0.9))

    def _draw_sector(self, painter: QPainter, index: int, phase: PhaseReading) -> None:
        colour = QColor(self._look.colours.phases[index])
        colour.setAlphaF(0.14)
        reach = self._ring * (CURRENT_RADIUS + 0.05)
        box = QRectF(-reach, -reach, 2 * reach, 2 * reach).translated(self._centre)
        begin = 90 - (phase.volt_angle + LOAD_RANGE[0])
        path = QPainterPath(self._centre)
        path.arcTo(box, begin, -(LOAD_RANGE[1] - LOAD_RANGE[0]))
        path.closeSubpath()
        painter.fillPath(path, colour)

    def _draw_arrow(
        self, painter: QPainter, index: int, name: str, angle: float, *, hollow: bool
    ) -> None:
        look, colour = self._look, QColor(self._look.colours.phases[index])
        reach = VOLTAGE_RADIUS if hollow else CURRENT_RADIUS
        head = 0.085 if hollow else 0.105
        stroke = max(1.6, self._ring / (100 if hollow else 38))
        tip, neck = self._at(angle, reach), self._at(angle, reach - head)
        pen = QPen(colour, stroke, LINE_STYLES[index])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if DASHES[index]:
            pen.setDashPattern(DASHES[index])
        painter.setPen(pen)
        painter.drawLine(self._centre, neck)
        side = QPointF(tip.y() - neck.y(), neck.x() - tip.x()) * 0.5
        painter.setPen(QPen(colour, max(1.6, self._ring / 100)))
        painter.setBrush(QColor(look.colours.surface) if hollow else colour)
        painter.drawPolygon(QPolygonF([tip, neck + side, neck - side]))
        self._draw_name(painter, name, colour, self._at(angle, reach + 0.1))

    def _draw_name(self, painter: QPainter, name: str, colour: QColor, place: QPointF) -> None:
        look = self._look
        painter.setFont(look.font("body", strong=True))
        size = look.px(look.theme.type.body) * 1.5
        box = QRectF(place.x() - size, place.y() - size / 2, 2 * size, size)
        path = QPainterPath()
        path.addText(0, 0, painter.font(), name)
        bounds = path.boundingRect()
        path.translate(box.center() - bounds.center())
        painter.strokePath(path, QPen(QColor(look.colours.surface), 4))
        painter.fillPath(path, colour)

    def _draw_fault_arc(self, painter: QPainter, phase: PhaseReading) -> None:
        look = self._look
        fail = QColor(look.colours.failed.solid)
        reach = self._ring * 0.27
        box = QRectF(-reach, -reach, 2 * reach, 2 * reach).translated(self._centre)
        painter.setPen(QPen(fail, max(1.5, self._ring / 90)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawArc(box, round((90 - phase.volt_angle) * 16), round(-phase.theta * 16))
        middle = self._at(phase.volt_angle + phase.theta * 0.36, 0.44)
        self._draw_name(painter, f"{phase.theta:.0f}°", fail, middle)

    def _draw_fault_mark(self, painter: QPainter, phase: PhaseReading) -> None:
        edge = self._look.icon * 1.1
        place = self._at(phase.amp_angle, CURRENT_RADIUS + 0.24)
        box = QRectF(place.x() - edge / 2, place.y() - edge / 2, edge, edge)
        draw_mark(painter, Verdict.FAIL, self._look, box)
