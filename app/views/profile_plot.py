"""The load profile drawn with pyqtgraph: steps, voltages, gaps hatched, status flags as ribs."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

import numpy as np
import pyqtgraph
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QPen
from PySide6.QtWidgets import QGraphicsRectItem

from app.views import words
from app.views.phasor import LINE_STYLES
from app.views.profile_series import Drawing, holes, moment, runs, thinned
from app.views.theme import Look

DAY = 86400.0
NAME_ROOM = 0.035  # of the shown time, for the names of the lines
HEAD_ROOM = 1.22
RIBS_SHOWN = 5
Flag = tuple[str, Sequence[tuple[float, float]]]  # word, spans of time
FEW_DAYS, MANY_DAYS = 2, 40


class TimeAxis(pyqtgraph.AxisItem):  # type: ignore[misc]
    """Seconds since 1970 as clock times, or as dates when many days are shown."""

    def __init__(self, zone: tzinfo | None) -> None:
        super().__init__("bottom")
        self._zone = zone

    def show_range(self, low: float, high: float, *, sparse: bool) -> None:
        """Set ticks on local hours or midnights; days of 23 and 25 hours come out right."""
        days = (high - low) / DAY
        begin = moment(low).astimezone(self._zone).replace(minute=0, second=0, microsecond=0)
        ticks = []
        hours = (6 if sparse else 3) if days <= FEW_DAYS else 24
        every = 1 if days <= (7 if sparse else 14) else round(days / (4 if sparse else 9))
        if hours == 24:  # noqa: PLR2004
            begin = begin.replace(hour=0)
        at, count = begin, 0
        while at.timestamp() <= high:
            if at.timestamp() >= low and at.hour % hours == 0 and count % every == 0:
                ticks.append((at.timestamp(), self._word(at, hours)))
            count += hours == 24  # noqa: PLR2004
            at = self._next(at, hours)
        self.setTicks([ticks])

    def _next(self, at: datetime, hours: int) -> datetime:
        if hours == 24:  # noqa: PLR2004
            noon = at.replace(hour=12) + timedelta(days=1)
            return noon.replace(hour=0, tzinfo=self._zone) if self._zone else _local_midnight(noon)
        return moment(at.timestamp() + 3600).astimezone(self._zone)

    @staticmethod
    def _word(at: datetime, hours: int) -> str:
        return f"{at.day} {at:%b}" if hours == 24 or at.hour == 0 else f"{at:%H:%M}"  # noqa: PLR2004


def _local_midnight(noon: datetime) -> datetime:
    return datetime(noon.year, noon.month, noon.day).astimezone()


class ProfilePlot(pyqtgraph.GraphicsLayoutWidget):  # type: ignore[misc]
    """Power above, voltages and ribs below, on one time axis; a press chooses an interval."""

    chosen = Signal(float)  # seconds since 1970

    def __init__(self, look: Look, zone: tzinfo | None, *, voltages: bool) -> None:
        pyqtgraph.setConfigOptions(antialias=True)
        super().__init__()
        self._look, self._zone = look, zone
        self.setBackground(look.colours.surface)
        self.setMinimumHeight(look.px(look.theme.type.caption) * 8)
        self.setAccessibleName("Load profile")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAccessibleName("Load profile, drawing")
        self.ci.layout.setContentsMargins(0, 0, 0, 0)
        self.ci.layout.setSpacing(look.space.s)
        self._axes: list[TimeAxis] = []
        self._regions: list[Any] = []
        self._left = look.width_of("00000.0", "caption") + look.space.m
        self.power = self._plot(0)
        self.volts = self._plot(1) if voltages else None
        self.ribs = self._plot(2)
        self._range = (0.0, 1.0)
        self.scene().sigMouseClicked.connect(self._pressed)

    def show_drawing(
        self, drawn: Drawing, column: int, low: float, high: float, flags: Sequence[Flag]
    ) -> str:
        """Draw what lies between ``low`` and ``high``; return the summary in words."""
        self._range = (low, high)
        for plot in self._plots():
            plot.clear()
        self._regions.clear()
        first = int(np.clip(np.searchsorted(drawn.edges, low, "right") - 1, 0, None))
        last = int(np.clip(np.searchsorted(drawn.edges, high, "left"), 1, len(drawn.edges) - 1))
        edges = drawn.edges[first : last + 1]
        words_of = self._draw_power(drawn, column, first, last, edges)
        self._draw_volts(drawn, first, last, edges)
        self._draw_ribs(flags)
        self._draw_holes(drawn, low, high)
        room = (high - low) * NAME_ROOM
        for plot, axis in zip(self._plots(), self._axes, strict=True):
            plot.setXRange(low, high + (room if self.volts is not None else 0), padding=0)
            axis.show_range(low, high, sparse=self._look.compact)
        self.setAccessibleDescription(words_of)
        return words_of

    def choose(self, begin: float, end: float) -> None:
        """Mark the interval of the chosen table row in every plot."""
        colour = QColor(self._look.colours.accent.solid)
        ground = QColor(colour)
        ground.setAlphaF(0.22)
        for plot, region in self._regions:
            plot.removeItem(region)
        self._regions.clear()
        for plot in self._plots()[: 2 if self.volts is not None else 1]:
            region = pyqtgraph.LinearRegionItem(
                (begin, end), movable=False, brush=ground, pen=QPen(colour, 0)
            )
            plot.addItem(region)
            self._regions.append((plot, region))

    def _plots(self) -> list[Any]:
        return [plot for plot in (self.power, self.volts, self.ribs) if plot is not None]

    def _plot(self, row: int) -> Any:
        look, axis = self._look, TimeAxis(self._zone)
        plot = self.addPlot(row=row, col=0, axisItems={"bottom": axis})
        self._axes.append(axis)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setMouseEnabled(x=False, y=False)
        for side in ("left", "bottom"):
            self._style(plot.getAxis(side))
        plot.getAxis("left").setWidth(self._left)
        plot.getViewBox().setDefaultPadding(0)
        last = row == 2  # noqa: PLR2004
        if not last:
            plot.showGrid(y=True, alpha=0.35 if look.gloves else 0.9)
            axis.setStyle(showValues=False)
            axis.setHeight(6)
        return plot

    def _style(self, axis: Any) -> None:
        look = self._look
        axis.setTickFont(look.font("caption"))
        axis.setTextPen(look.colours.muted)
        axis.setPen(QPen(QColor(look.colours.border), look.theme.targets.line))
        axis.setStyle(tickLength=-4, tickTextOffset=6, maxTickLevel=0, hideOverlappingLabels=False)

    def _draw_power(self, drawn: Drawing, column: int, first: int, last: int, edges: Any) -> str:
        if not drawn.series:
            return "no values to draw"
        series, c = drawn.series[min(column, len(drawn.series) - 1)], self._look.colours
        values = series.values[first:last]
        if not np.isfinite(values).any():
            self.power.setYRange(0, 1, padding=0)
            return f"{series.title}: no values in this time"
        shown_edges, shown = thinned(edges, values)
        pen = QPen(QColor(c.plot_line), 1.6)
        pen.setCosmetic(True)
        low = min(0.0, float(np.nanmin(values)))
        top = float(np.nanmax(values))
        for begin, end in runs(shown):
            self.power.plot(
                shown_edges[begin : end + 1],
                shown[begin:end],
                stepMode="center",
                fillLevel=0,
                brush=QColor(c.plot_fill),
                pen=pen,
            )
        self.power.setYRange(low, (top or 1) * HEAD_ROOM, padding=0)
        peak = int(np.nanargmax(values))
        text = f"{top:.4g} {series.unit}".strip()
        middle = (edges[peak] + edges[peak + 1]) / 2
        share = (middle - self._range[0]) / (self._range[1] - self._range[0])
        most = self._tag(text, c.text, (float(np.clip(share, 0.1, 0.9)), 1))
        most.setPos(middle, top)
        self.power.addItem(most)
        self._unit(self.power, series.unit, (top or 1) * HEAD_ROOM)
        at = words.when(moment(edges[peak + 1]), where=self._zone)
        count = int(np.isfinite(values).sum())
        return (
            f"{series.title}: {words.count(count, 'interval')},"
            f" {last - first - count:,} missing, highest {text} {at}."
        )

    def _draw_volts(self, drawn: Drawing, first: int, last: int, edges: Any) -> None:
        if self.volts is None:
            return
        middles = (edges[:-1] + edges[1:]) / 2
        seen = [series.values[first:last] for series in drawn.volts]
        finite = [values[np.isfinite(values)] for values in seen]
        known = np.concatenate(finite) if finite else np.zeros(0)
        if not len(known):
            return
        low, high = float(known.min()) - 2, float(known.max()) + 2
        self.volts.setYRange(low, high + (high - low) * 0.15, padding=0)
        for index, values in enumerate(seen):
            colour = QColor(self._look.colours.phases[index])
            pen = QPen(colour, 1.8, LINE_STYLES[index])
            pen.setCosmetic(True)
            line = self.volts.plot(middles, values, pen=pen, connect="finite")
            line.setDownsampling(auto=True, method="peak")
            line.setClipToView(True)
            good = np.flatnonzero(np.isfinite(values))
            if len(good):
                name = self._tag(f"L{index + 1}", colour.name(), (0, 0.5))
                name.setPos(self._range[1], float(values[good[-1]]))
                self.volts.addItem(name)
        self._unit(self.volts, "V", high + (high - low) * 0.15)

    def _draw_holes(self, drawn: Drawing, low: float, high: float) -> None:
        labelled = False
        for begin, end in holes(drawn):
            left, right = drawn.edges[begin], drawn.edges[end]
            if right <= low or left >= high:
                continue
            for plot in self._plots()[: 2 if self.volts is not None else 1]:
                floor, top = plot.viewRange()[1]
                plot.addItem(self._hatched(QRectF(left, floor, right - left, top - floor)))
            if not labelled:
                labelled = True
                self._name_hole(left, right, low, high)

    def _name_hole(self, left: float, right: float, low: float, high: float) -> None:
        begin, end = (words.clock_time(moment(at), self._zone) for at in (left, right))
        late = (right - low) / (high - low) > 0.7  # noqa: PLR2004 (no room on the right)
        word = self._tag(f"no data {begin}–{end}", self._look.colours.text, (1 if late else 0, 0.5))
        room = (high - low) * 0.006
        word.setPos(left - room if late else right + room, self.power.viewRange()[1][1] * 0.62)
        self.power.addItem(word)

    def _draw_ribs(self, flags: Sequence[Flag]) -> None:
        look, low, high = self._look, *self._range
        shown = list(flags)[:RIBS_SHOWN]
        count = max(1, len(shown))
        self.ribs.setYRange(0, count, padding=0)
        ticks = [(count - index - 0.5, word) for index, (word, _) in enumerate(shown)]
        axis = self.ribs.getAxis("left")
        axis.setTicks([ticks])
        axis.setStyle(tickLength=0)
        names = [look.width_of(word, "caption") + look.space.m for word, _ in shown]
        left = max([self._left, *names])
        for plot in self._plots():
            plot.getAxis("left").setWidth(left)
        caption = look.px(look.theme.type.caption)
        self.ribs.setFixedHeight(round(caption * 1.6) * len(shown) + round(caption * 1.9))
        for index, (word, spans) in enumerate(shown):
            base = count - index - 1
            self.ribs.addItem(self._block(QRectF(low, base + 0.47, high - low, 0.06), "border"))
            least = (high - low) / 400
            for begin, end in spans:
                box = QRectF(begin, base + 0.2, max(least, end - begin), 0.6)
                item = self._block(box, "warned")
                item.setToolTip(word)
                self.ribs.addItem(item)

    def _block(self, box: QRectF, role: str) -> QGraphicsRectItem:
        tone = getattr(self._look.colours, role)
        item = QGraphicsRectItem(box)
        item.setBrush(QColor(tone if isinstance(tone, str) else tone.solid))
        item.setPen(QPen(Qt.PenStyle.NoPen))
        return item

    def _hatched(self, box: QRectF) -> QGraphicsRectItem:
        item = QGraphicsRectItem(box)
        item.setBrush(QBrush(QColor(self._look.colours.hatch), Qt.BrushStyle.BDiagPattern))
        item.setPen(QPen(Qt.PenStyle.NoPen))
        return item

    def _tag(self, text: str, colour: str, anchor: tuple[float, float]) -> Any:
        ground = QColor(self._look.colours.surface)
        ground.setAlphaF(0.92)
        item = pyqtgraph.TextItem(text, color=colour, anchor=anchor, fill=ground)
        item.setFont(self._look.font("caption", strong=True))
        item.setZValue(20)  # above hatching
        return item

    def _unit(self, plot: Any, unit: str, top: float) -> None:
        word = self._tag(unit, self._look.colours.muted, (0, 0))
        low, high = self._range
        word.setPos(low + (high - low) * 0.004, top)
        plot.addItem(word)

    def _pressed(self, event: Any) -> None:
        place: QPointF = self.power.getViewBox().mapSceneToView(event.scenePos())
        if self._range[0] <= place.x() <= self._range[1]:
            self.chosen.emit(place.x())
