"""The newest rows of a profile, where nobody tells beforehand how many there are.

Intervals without supply have no row, so the start of the last ``n`` rows cannot be reckoned.  They
are looked for backwards, in ranges that grow, until there are enough; nothing is read twice.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from drivers.values import ProfileBlock, ProfileRow, Span, newest

_SPARE = 8  # rows: what a few short power failures cost
_GROWTH = 8
_STEP = timedelta(seconds=1)  # both ends of a range belong to it


def newest_rows(
    read: Callable[[Span], Iterator[ProfileBlock]],
    span: Span,
    *,
    period_s: int,
    now: datetime,
    furthest: datetime,
) -> Iterator[ProfileBlock]:
    """Yield the newest ``span.last`` rows between its ends, in the order of the meter.

    They are held back until it is known which they are; until then empty blocks tell how many have
    come.  When the reading breaks off or is stopped, the newest of those come before the error.

    Args:
        read: Gives the rows of a range.
        span: Either end may be open.
        period_s: Of the profile; 0 reads all there is at once.
        now: The meter's time.
        furthest: Where to end looking when ``span`` has no start.
    """
    wanted = span.last
    limit = span.start or furthest
    end = span.end or now
    reach_s = (wanted + wanted // 4 + _SPARE) * period_s
    part = replace(span, last=0)
    rows: list[ProfileRow] = []
    while True:
        far = not reach_s or reach_s >= (end - limit).total_seconds()
        if reach_s:
            part = replace(part, start=limit if far else end - timedelta(seconds=reach_s))
        older: list[ProfileRow] = []
        try:
            for block in read(part):
                older += block.rows
                yield ProfileBlock((), wanted, held=min(len(older) + len(rows), wanted))
        except Exception:  # the line broke, or the operator stopped
            # what came of an older range is not known to reach the newer one
            yield ProfileBlock(tuple(newest(rows or older, wanted)), wanted)
            raise
        descending = bool(older) and older[0].time > older[-1].time
        rows = rows + older if descending else older + rows
        if len(rows) >= wanted or far or part.start is None:
            break
        part = replace(part, end=part.start - _STEP)
        reach_s *= _GROWTH
    yield ProfileBlock(tuple(newest(rows, wanted)), min(len(rows), wanted))
