"""One day of a switching table as a strip of 24 hours, each rate with its number."""

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.views.theme import Look
from drivers.calendar import SWITCHING_TIME, Day

HOURS, MARK_EVERY = 24, 6


class DayStrip(QWidget):
    """Blocks from one switching point to the next; what comes before the first goes on."""

    def __init__(self, look: Look, day: Day) -> None:
        super().__init__()
        self._look = look
        self._caption = round(look.px(look.theme.type.caption) * 1.5)
        self.setFixedHeight(look.control + self._caption)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.show_day(day)

    def show_day(self, day: Day) -> None:
        """Show another day."""
        self._day = day
        self.setAccessibleName(f"Day table {day.number}: {spoken(day)}")
        self.update()

    def minimumSizeHint(self) -> QSize:
        """Wide enough for the hours below it."""
        return QSize(self._look.width_of("00:00") * 5, self.height())

    def paintEvent(self, _: QPaintEvent) -> None:
        """Draw the blocks, then the hours."""
        look, high = self._look, self._look.control
        wide = self.width() - 1
        with QPainter(self) as painter:
            draw_day(painter, look, self._day, QRectF(0, 0, wide, high))
            painter.setFont(look.font("caption"))
            painter.setPen(QColor(look.colours.muted))
            for hour in range(0, HOURS + 1, MARK_EVERY):
                self._mark(painter, hour, wide)

    def _mark(self, painter: QPainter, hour: int, wide: int) -> None:
        text = f"{hour:02}:00"
        room = self._look.width_of(text, "caption") + 2
        left = min(max(0.0, hour / HOURS * wide - room / 2), wide - room)
        place = QRectF(left, self._look.control, room, self._caption)
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, text)


@dataclass(frozen=True)
class DayFace:
    """A day as a strip in the cell of a table, with words below it where there are any."""

    day: Day
    words: str = ""

    def draw(self, painter: QPainter, look: Look, box: QRectF) -> None:
        """Draw the blocks, a little lower than the row."""
        inset = look.space.xs
        strip = box.adjusted(0, inset, 0, -inset - 1)
        if self.words:
            below = tall_day(look) - look.row
            strip.setHeight(strip.height() - below)
            painter.setFont(look.font("caption"))
            painter.setPen(QColor(look.colours.text))
            place = QRectF(box.left(), strip.bottom(), box.width(), below + inset)
            words = painter.fontMetrics().elidedText(
                self.words, Qt.TextElideMode.ElideRight, round(box.width())
            )
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)
        draw_day(painter, look, self.day, strip)


def tall_day(look: Look) -> int:
    """Give the height of a row with a strip and words below it."""
    return look.row + round(look.px(look.theme.type.caption) * 1.4)


def draw_day(painter: QPainter, look: Look, day: Day, place: QRectF) -> None:
    """Draw the blocks of a day, each with its rate in figures."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for begin, end, rate in blocks(day):
        left = place.left() + begin * place.width()
        box = QRectF(left, place.top() + 0.5, (end - begin) * place.width(), place.height() - 1)
        ground, ink = _tones(look, rate)
        painter.setPen(QPen(QColor(look.colours.edge), look.theme.targets.line))
        painter.setBrush(QColor(ground))
        painter.drawRect(box)
        painter.setPen(QColor(ink))
        painter.setFont(look.font(strong=True))
        word = f"Rate {rate}" if rate else "as before"
        if look.width_of(word, strong=True) > box.width() - look.space.s:
            word = str(rate) if rate else "…"
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, word)


def blocks(day: Day) -> list[tuple[float, float, int]]:
    """Give begin and end of each block as a share of the day, and its rate.

    Rate 0 is that of the day before, which goes on until the first switching point.
    """
    whole = [point for point in day.points if SWITCHING_TIME.fullmatch(point.time)]
    starts = sorted((_share(point.time), point.script) for point in whole)
    ends = [*(start for start, _ in starts), 1.0][1:]
    found = [(begin, end, rate) for (begin, rate), end in zip(starts, ends, strict=True)]
    if not found or found[0][0] > 0:
        found.insert(0, (0.0, found[0][0] if found else 1.0, 0))
    return found


def spoken(day: Day) -> str:
    """Say the switching points: "rate 1 from 06:00, rate 2 from 22:00"."""
    return ", ".join(f"rate {point.script} from {point.time}" for point in day.points)


def _share(time: str) -> float:
    hour, minute = time.split(":")
    return (int(hour) + int(minute) / 60) / HOURS


def _tones(look: Look, rate: int) -> tuple[str, str]:
    """Give ground and ink of a rate; its number is written on it, the colour only helps."""
    c = look.colours
    if not rate:
        return c.surface, c.muted
    grounds = [
        (c.accent.solid, c.accent.on_solid),
        (c.accent.soft, c.accent.on_soft),
        (c.idle.soft, c.idle.on_soft),
        (c.idle.solid, c.idle.on_solid),
    ]
    return grounds[(rate - 1) % len(grounds)]
