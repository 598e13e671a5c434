"""Figures as vectors: phasor diagram, load profile, QR code, signature strokes, the mark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from reportlab.graphics.barcode.qrencoder import QRCode, QRErrorCorrectLevel

from app.reports.model import Phasors, Profile, ProfileRow, Signature, Verdict
from app.reports.sheet import (
    BOLD,
    HAIR,
    HEAVY,
    MM,
    NOTE,
    RULE,
    WHITE,
    Block,
    Pen,
    width_of,
    wrap,
)
from app.reports.words import Clock, Style

Point = tuple[float, float]
_BETWEEN = 3.0  # pt between two labels of the time axis
DASHES: tuple[tuple[float, ...], ...] = ((), (5.0, 2.2), (1.3, 1.7))


def polar(centre: Point, radius: float, angle: float) -> Point:
    """The point at `angle` degrees, 0 upwards and clockwise, as meter people draw it."""
    rad = math.radians(angle)
    return centre[0] + radius * math.sin(rad), centre[1] + radius * math.cos(rad)


def phasor_diagram(phasors: Phasors, left: float, size: float) -> Block:
    """Voltages as long hollow arrows, currents as short solid ones, one dash a phase."""
    outer = size / 2 - 6.5 * MM
    most_u = max((abs(p.voltage) for p in phasors.phases), default=Decimal(1)) or Decimal(1)
    most_i = max((abs(p.current) for p in phasors.phases), default=Decimal(1)) or Decimal(1)

    def draw(pen: Pen, top: float) -> None:
        centre = (left + size / 2, top - size / 2)
        for step in range(72):
            circle = [polar(centre, outer, step * 5 + part) for part in (0, 5)]
            pen.line(circle, HAIR)
        for tick in range(0, 360, 30):
            length = 4 if tick % 90 else 7
            pen.line([polar(centre, outer, tick), polar(centre, outer - length, tick)], HAIR)
        for number, phase in enumerate(phasors.phases):
            dash = DASHES[number % 3]
            angle = float(phase.voltage_angle)
            low, high = (angle + float(v) for v in (phasors.range_low, phasors.range_high))
            _range(pen, centre, outer * 0.62, (low, high), phase.name, dash)
            reach = outer * 0.95 * float(phase.voltage / most_u)
            _arrow(pen, centre, reach, angle, dash, hollow=True)
            _label(pen, polar(centre, outer + 9, angle), f"U{phase.name[1:]}")
        for number, phase in enumerate(phasors.phases):
            reach = outer * (0.24 + 0.28 * float(phase.current / most_i))
            if phase.current:
                angle = float(phase.current_angle)
                _arrow(pen, centre, reach, angle, DASHES[number % 3], hollow=False)
                _tag(pen, polar(centre, reach + 9, angle), phase.name, phase.verdict)
        pen.line([polar(centre, 1.6, a) for a in range(0, 360, 30)], HAIR, fill=WHITE)

    return Block(size, draw)


def _range(
    pen: Pen, centre: Point, radius: float, span: Point, name: str, dash: tuple[float, ...]
) -> None:
    """The arc in which the current of one phase is expected, with its phase at the end."""
    low, high = span
    steps = max(2, int((high - low) / 5))
    arc = [polar(centre, radius, low + (high - low) * i / steps) for i in range(steps + 1)]
    pen.line(arc, RULE, dash)
    for angle in (low, high):
        pen.line([polar(centre, radius - 3, angle), polar(centre, radius + 3, angle)], RULE)
    place = polar(centre, radius + 7.5, high - 7)
    pen.text(place[0], place[1] - 2.4, name[1:], NOTE[0], align="centre")


def _arrow(
    pen: Pen, centre: Point, reach: float, angle: float, dash: tuple[float, ...], hollow: bool
) -> None:
    """An arrow from the centre; hollow ones have an open head."""
    tip, long, wide = polar(centre, reach, angle), (9.0 if hollow else 7.0), (11 if hollow else 19)
    neck = max(reach - long, 0.0)
    stretch = long / math.cos(math.radians(wide))
    head = [tip] + [
        (tip[0] + dx, tip[1] + dy)
        for dx, dy in (polar((0, 0), stretch, angle + 180 + turn) for turn in (-wide, wide))
    ]
    pen.line([centre, polar(centre, neck, angle)], 1.0 if hollow else 1.9, dash)
    pen.line(head, 0.8, (), True, WHITE if hollow else (0.0, 0.0, 0.0))


def _label(pen: Pen, place: Point, text: str) -> None:
    pen.text(place[0], place[1] - 2.8, text, 8.0, BOLD, "centre")


def _tag(pen: Pen, place: Point, phase: str, verdict: Verdict) -> None:
    """The name of a current on white paper; boxed where the reading is wrong."""
    text = f"I{phase[1:]}"
    wide = width_of(text, 8.0, BOLD) + 3
    wrong = verdict is Verdict.FAIL
    pen.box(place[0] - wide / 2, place[1] - 5, wide, 10, RULE, WHITE, (0, 0, 0) if wrong else None)
    _label(pen, place, text)


@dataclass(frozen=True, slots=True)
class Axes:
    """Maps time and value to the paper."""

    left: float
    width: float
    base: float
    height: float
    first: datetime
    last: datetime
    most: float

    def x(self, time: datetime) -> float:
        """The x of `time`."""
        return self.left + self.width * ((time - self.first) / (self.last - self.first))

    def y(self, value: float) -> float:
        """The y of `value`."""
        return self.base + self.height * value / self.most


def nice_step(most: float) -> float:
    """A step of 1, 2 or 5 times a power of ten that cuts `most` into three to six parts."""
    power = 10.0 ** math.floor(math.log10(most / 5)) if most > 0 else 1.0
    return next((s * power for s in (1, 2, 5, 10) if most / (s * power) <= 6), 10 * power)


def flag_lanes(profile: Profile) -> list[str]:
    """The status words of a profile in the order in which they first appear."""
    return list(dict.fromkeys(flag for row in profile.rows for flag in row.flags))


def load_profile(profile: Profile, left: float, width: float, clock: Clock, style: Style) -> Block:
    """The profile as steps: a gap stays white and is named; status words stand as ribs below."""
    period = timedelta(minutes=profile.period_min)
    rows = sorted(profile.rows, key=lambda row: row.time)
    lanes = flag_lanes(profile)
    plot, gutter = 36 * MM, 24 * MM
    height = plot + 8 + 12 + len(lanes) * 8.6 + 6
    most = float(max((row.value for row in rows if row.value is not None), default=Decimal(1)))
    step = nice_step(most or 1.0)
    ceiling = step * math.ceil((most or 1.0) / step + 1e-9)

    def draw(pen: Pen, top: float) -> None:
        base = top - 8 - plot
        axes = Axes(
            left + gutter, width - gutter, base, plot, rows[0].time - period, rows[-1].time, ceiling
        )
        _value_axis(pen, axes, step, left, profile, style)
        for run in runs(rows, period):
            _steps(pen, axes, run, period)
        for start, end in gaps(rows, period):
            _gap(pen, axes, start, end)
        pen.rule(axes.left, axes.left + axes.width, base, RULE)
        _time_axis(pen, axes, clock)
        _ribs(pen, axes, rows, lanes, period, left)

    return Block(height, draw)


def runs(rows: Sequence[ProfileRow], period: timedelta) -> list[list[ProfileRow]]:
    """The rows cut wherever a value or an interval is missing."""
    found: list[list[ProfileRow]] = []
    for row in rows:
        if row.value is None:
            continue
        if not found or row.time - found[-1][-1].time != period:
            found.append([])
        found[-1].append(row)
    return found


def gaps(rows: Sequence[ProfileRow], period: timedelta) -> list[tuple[datetime, datetime]]:
    """The stretches without a value."""
    parts = runs(rows, period)
    if not parts:
        return [(rows[0].time - period, rows[-1].time)]
    edges = [rows[0].time - period]
    for part in parts:
        edges += [part[0].time - period, part[-1].time]
    edges.append(rows[-1].time)
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a]


def _value_axis(
    pen: Pen, axes: Axes, step: float, left: float, profile: Profile, style: Style
) -> None:
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    room = axes.left - left - 6 * MM  # the numbers of the axis stand between name and plot
    top = axes.base + axes.height - NOTE[0] + 2
    name = wrap(profile.channel, room, NOTE[0], BOLD, most=3)
    for place, line in enumerate(name):
        pen.text(left, top - place * NOTE[1], line, NOTE[0], BOLD)
    pen.text(left, top - len(name) * NOTE[1], profile.unit, NOTE[0])
    for count in range(round(axes.most / step) + 1):
        value = count * step
        y = axes.y(value)
        if count:
            pen.line([(axes.left, y), (axes.left + axes.width, y)], HAIR, (0.5, 2.5))
        label = style.number(Decimal(f"{value:.{places}f}"))
        pen.text(axes.left - 4, y - 2.4, label, NOTE[0], align="right")


def _steps(pen: Pen, axes: Axes, run: list[ProfileRow], period: timedelta) -> None:
    points: list[Point] = []
    for row in run:
        y = axes.y(float(row.value or 0))
        points += [(axes.x(row.time - period), y), (axes.x(row.time), y)]
    pen.line(points, 0.9)


def _gap(pen: Pen, axes: Axes, start: datetime, end: datetime) -> None:
    """Sloping lines over the missing stretch; named where the name fits."""
    x0, x1 = axes.x(start), axes.x(end)
    top = axes.base + axes.height
    x = x0 - axes.height
    while x < x1:
        low, high = max(x, x0), min(x + axes.height, x1)
        if high > low:
            pen.line([(low, axes.base + low - x), (high, axes.base + high - x)], HAIR)
        x += 5.0
    for edge in (x0, x1):
        pen.line([(edge, axes.base), (edge, top)], HAIR)
    if x1 - x0 > width_of("no data", NOTE[0], BOLD) + 8:
        middle = (x0 + x1) / 2
        pen.box(middle - 16, axes.base + axes.height / 2 - 5, 32, 11, 0, WHITE, None)
        pen.text(middle, axes.base + axes.height / 2 - 2, "no data", NOTE[0], BOLD, "centre")


def _time_axis(pen: Pen, axes: Axes, clock: Clock) -> None:
    """Marks at whole hours, a date at each midnight; the step follows the length shown.

    A mark whose label would pass the edge of the paper, or meet its neighbour, stands without.
    """
    hours = (axes.last - axes.first).total_seconds() / 3600
    step = next((s for s in (1, 2, 3, 6, 12, 24, 48, 168) if hours / s <= 13), 720)
    time = clock.local(axes.first).replace(minute=0, second=0)
    time -= timedelta(hours=time.hour)
    shift = clock.local(axes.first) - axes.first
    free = 0.0  # where the next label may begin
    while time - shift <= axes.last:
        x = axes.x(time - shift)
        if x >= axes.left - 0.1:
            pen.line([(x, axes.base), (x, axes.base - 3)], RULE)
            label = f"{time:%H:%M}" if time.hour else f"{time:%Y-%m-%d}"
            font = "Body" if time.hour else BOLD
            half = width_of(label, NOTE[0], font) / 2
            if free <= x - half and x + half <= axes.left + axes.width:
                pen.text(x, axes.base - 10.5, label, NOTE[0], font, "centre")
                free = x + half + _BETWEEN
        time += timedelta(hours=step)


def _ribs(
    pen: Pen, axes: Axes, rows: list[ProfileRow], lanes: list[str], period: timedelta, left: float
) -> None:
    for number, lane in enumerate(lanes):
        y = axes.base - 20 - number * 8.6
        pen.text(left, y - 2.0, lane, NOTE[0])
        pen.line([(axes.left, y), (axes.left + axes.width, y)], HAIR, (0.5, 2.5))
        for row in rows:
            if lane in row.flags:
                x0, x1 = axes.x(row.time - period), axes.x(row.time)
                pen.box(x0, y - 2.2, max(x1 - x0, 1.2), 4.4, 0, (0.0, 0.0, 0.0), None)


def qr_stream(text: str, size: float) -> str:
    """The QR code of `text` as path operators, `size` points wide, its corner at 0, 0."""
    code = QRCode(None, QRErrorCorrectLevel.M)
    code.addData(text)
    code.make()
    count = code.getModuleCount()
    found = []
    for row in range(count):
        column = 0
        while column < count:
            start = column
            while column < count and code.isDark(row, column):
                column += 1
            if column > start:
                found.append(f"{start} {count - 1 - row} {column - start} 1 re")
            column += 1
    scale = f"{size / count:.6f}"
    return f"0 0 0 rg {scale} 0 0 {scale} 0 0 cm\n" + "\n".join(found) + "\nf"


def strokes(pen: Pen, signature: Signature, x: float, y: float, width: float) -> None:
    """The drawn signature in a box as wide as `width` and three tenths as high."""
    scale = width / 1000
    for stroke in signature.strokes:
        points = list(zip(stroke[::2], stroke[1::2], strict=True))
        pen.line([(x + px * scale, y + py * scale) for px, py in points], 1.0)


def mark(pen: Pen, x: float, y: float, size: float) -> None:
    """The mark of the program: a dial with its needle."""
    centre = (x + size / 2, y + size / 2)
    dial = [polar(centre, size / 2, angle) for angle in range(0, 360, 12)]
    pen.line(dial, HEAVY, close=True)
    for angle in (-90, -45, 0, 45, 90):
        pen.line([polar(centre, size * a, angle) for a in (0.30, 0.40)], RULE)
    pen.line([polar(centre, size * 0.1, 215), polar(centre, size * 0.36, 35)], HEAVY)
