"""The measured part of a record: registers side by side, the load profile, the event log."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from app.reports import model
from app.services.event_lines import event_lines
from app.services.events import stored_events
from app.services.profile import Capture, stored_capture
from app.services.readout import stored_readings
from drivers import obis
from drivers.values import ProfileColumn, ProfileRow, Reading, gaps

SHOWN = timedelta(days=10)  # of the load profile on paper
MOMENTS = ("before", "after", "handover")
_ELECTRICITY, _CUMULATIVE = 1, 8
_ON_PAPER = frozenset({2, 6, 8, 9})  # totals, maxima, time integrals
_IMPORT = (1, 15, 16)  # active import first, then its sums, then whatever there is


def record_registers(session: Session, order_id: str) -> tuple[model.Register, ...]:
    """Return the billing registers of a visit with their values before, after and at hand-over."""
    read = [_by_code(stored_readings(session, order_id, moment)) for moment in MOMENTS]
    known: dict[str, Reading] = {}
    for values in read:
        for code, reading in values.items():
            known.setdefault(code, reading)
    billing = [code for code, reading in known.items() if _is_billing(reading)]
    before, after, handover = read
    return tuple(
        model.Register(
            obis=_short(known[code]),
            name=known[code].name,
            unit=known[code].unit,
            meter="",
            before=_value(before, code),
            after=_value(after, code),
            handover=_value(handover, code),
        )
        for code in billing or known
    )


def record_events(session: Session, order_id: str) -> tuple[model.Event, ...]:
    """Return the log of the meter in words, the oldest first; what began and ended is one line.

    An unknown code shows its number.
    """
    lines = event_lines(stored_events(session, order_id))
    return tuple(
        model.Event(line.begin, line.code, line.text, until=line.end) for line in reversed(lines)
    )


def record_profile(session: Session, read: dict[str, Any]) -> model.Profile | None:
    """Return the channel of the load profile that goes on paper; None when none was read."""
    capture = stored_capture(session, read["capture_id"]) if "capture_id" in read else None
    if capture is None or not capture.info.columns or not capture.info.period_s:
        return None
    place = _channel(capture.info.columns)
    column = capture.info.columns[place]
    cumulative = _groups(column.obis)[3] == _CUMULATIVE
    rows = _shown(capture)
    shown = tuple(
        _with_gaps(
            list(_advances(rows, place) if cumulative else _values(rows, place)),
            capture.info.period_s,
        )
    )
    if not shown:
        return None
    minutes = max(1, capture.info.period_s // 60)
    name = column.name or obis.name_of(column.obis)
    return model.Profile(
        channel=name,
        unit=f"{column.unit}, {minutes} min",
        period_min=minutes,
        rows=shown,
        sentence=_sentence(rows, capture),
    )


def _by_code(readings: tuple[Reading, ...]) -> dict[str, Reading]:
    found: dict[str, Reading] = {}
    for item in readings:
        if item.history is None and item.value is not None:
            found.setdefault(item.code, item)
    return found


def _value(readings: dict[str, Reading], code: str) -> Decimal | None:
    return readings[code].value if code in readings else None


def _is_billing(reading: Reading) -> bool:
    groups = _groups(reading.obis or obis.parse(reading.code))
    return groups[0] == _ELECTRICITY and groups[3] in _ON_PAPER


def _short(reading: Reading) -> str:
    """Return the code as it stands on a display: C.D.E."""
    groups = _groups(reading.obis or obis.parse(reading.code))
    if groups[0] != _ELECTRICITY:
        return reading.code
    return ".".join(str(group) for group in groups[2:5])


def _groups(code: str) -> tuple[int, ...]:
    written = obis.parse(code)
    return tuple(obis.to_bytes(written)) if written else (255,) * 6


def _channel(columns: tuple[ProfileColumn, ...]) -> int:
    """Return the place of active import, or of the first column where there is none."""
    groups = [_groups(column.obis)[2] for column in columns]
    return next((groups.index(c) for c in _IMPORT if c in groups), 0)


def _shown(capture: Capture) -> list[ProfileRow]:
    """Return the last days of a profile, each time once, the oldest first."""
    if not capture.rows:
        return []
    once = {row.time: row for row in capture.rows}
    newest = max(once)
    return [once[time] for time in sorted(once) if time > newest - SHOWN]


def _values(rows: list[ProfileRow], place: int) -> Iterable[model.ProfileRow]:
    return (model.ProfileRow(row.time, row.values[place], row.status) for row in rows)


def _advances(rows: list[ProfileRow], place: int) -> Iterable[model.ProfileRow]:
    """Return what a cumulative register moved in each interval."""
    last: Decimal | None = None
    for n, row in enumerate(rows):
        value = row.values[place]
        moved = value - last if value is not None and last is not None else None
        last = value
        if n:
            yield model.ProfileRow(row.time, moved, row.status)


def _with_gaps(rows: list[model.ProfileRow], period_s: int) -> list[model.ProfileRow]:
    """Return the rows with one without a value where a gap begins: a gap is drawn as a gap."""
    step = timedelta(seconds=period_s)
    holes = [
        model.ProfileRow(gap.start + step, None)
        for gap in gaps([row.time for row in rows], period_s)
    ]
    begins = {hole.time for hole in holes}
    # what a cumulative register moved over a whole gap belongs to no single interval
    return sorted((*(row for row in rows if row.time not in begins), *holes), key=lambda r: r.time)


def _sentence(rows: list[ProfileRow], capture: Capture) -> str:
    times = [row.time for row in rows]
    missing = sum(gap.intervals for gap in gaps(times, capture.info.period_s))
    whole = len(times) + missing
    text = f"{len(times)} of {whole} intervals are there."
    flagged = sum(bool(row.status) for row in rows)
    if flagged:
        text += f" {flagged} carry a status mark."
    if len(rows) < len(capture.rows):
        text += f" The read-out holds {len(capture.rows)} rows; the last 10 days are shown."
    return text
