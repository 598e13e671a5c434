"""A load profile as numbers to draw: which columns, gaps as holes, long times thinned out."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from drivers import obis
from drivers.values import ProfileColumn, ProfileInfo, ProfileRow

Numbers = npt.NDArray[np.float64]
TIME_INTEGRAL_TOTAL = 8  # group D of a register that counts up for ever
HOUR = 3600.0
MOST_POINTS = 1600
LONGEST = 1_000_000  # intervals on the axis
VOLTS = "V"


@dataclass(frozen=True)
class Series:
    """One drawn column: a value for each interval, nan where there is none."""

    title: str
    unit: str
    values: Numbers


@dataclass(frozen=True)
class Drawing:
    """All of a profile on one even time axis; ``edges`` are seconds since 1970."""

    edges: Numbers  # one more than intervals
    series: tuple[Series, ...]
    volts: tuple[Series, ...]
    row_of: npt.NDArray[np.int64]  # row of each interval, -1 where there is none

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return len(self.edges) < 2  # noqa: PLR2004


NO_DRAWING = Drawing(np.zeros(0), (), (), np.zeros(0, dtype=np.int64))


def drawing(info: ProfileInfo, rows: list[ProfileRow]) -> Drawing:
    """Put rows (ascending) on an even axis; intervals without a row stay empty."""
    if not rows:
        return NO_DRAWING
    ends = np.array([row.time.timestamp() for row in rows])
    period = float(info.period_s) or _usual_step(ends)
    first = int(np.searchsorted(ends, ends[-1] - period * LONGEST))  # a clock may have jumped
    rows, ends = rows[first:], ends[first:]
    last = round(float(ends[-1] - ends[0]) / period)
    place = np.rint((ends - ends[0]) / period).astype(np.int64)
    count = last + 1
    row_of = np.full(count, -1, dtype=np.int64)
    row_of[place] = np.arange(first, first + len(rows))
    edges = ends[0] + period * (np.arange(count + 1) - 1)
    series: list[Series] = []
    volts: list[Series] = []
    for index, column in enumerate(info.columns):
        raw = np.array([_float(row.values[index]) for row in rows])
        values = np.full(count, np.nan)
        values[place] = raw
        made = _series(column, values, period)
        (volts if column.unit == VOLTS else series).append(made)
    return Drawing(edges, tuple(series), tuple(volts[:3]), row_of)


def thinned(edges: Numbers, values: Numbers, most: int = MOST_POINTS) -> tuple[Numbers, Numbers]:
    """Give at most ``most`` intervals: of several the highest, a gap stays a gap."""
    count = len(values)
    step = -(-count // most)
    if step <= 1:
        return edges, values
    rest = -count % step
    padded = np.concatenate([values, np.full(rest, np.nan)]).reshape(-1, step)
    missing = np.isnan(padded).all(axis=1)
    highest = np.where(missing, np.nan, np.nanmax(np.where(np.isnan(padded), -np.inf, padded), 1))
    ends = edges[::step][: len(highest)]
    return np.append(ends, edges[-1]), highest


def holes(drawn: Drawing) -> list[tuple[int, int]]:
    """Give begin and end (exclusive) of every stretch of intervals without a row."""
    missing = np.concatenate(([False], drawn.row_of < 0, [False]))
    edges = np.flatnonzero(np.diff(missing.astype(int)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def runs(values: Numbers) -> list[tuple[int, int]]:
    """Give begin and end (exclusive) of every stretch without a gap."""
    good = np.concatenate(([False], np.isfinite(values), [False]))
    edges = np.flatnonzero(np.diff(good.astype(int)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def moment(seconds: float) -> datetime:
    """Give the time of a place on the axis."""
    return datetime.fromtimestamp(seconds, UTC)


def _series(column: ProfileColumn, values: Numbers, period: float) -> Series:
    title = column.name or column.obis
    unit = column.unit
    if unit.endswith("h") and _counts_up(column.obis):
        steps = np.diff(values, prepend=np.nan) * HOUR / period
        steps[steps < 0] = np.nan  # the register was reset or the meter exchanged
        return Series(f"{title}, mean of each interval", unit[:-1], steps)
    return Series(title, unit, values)


def _counts_up(code: str) -> bool:
    plain = obis.parse(code)
    return bool(plain) and obis.to_bytes(plain)[3] == TIME_INTEGRAL_TOTAL


def _usual_step(ends: Numbers) -> float:
    steps = np.diff(ends)
    steps = steps[steps > 0]
    return float(np.median(steps)) if len(steps) else HOUR


def _float(value: Decimal | None) -> float:
    return float("nan") if value is None else float(value)
