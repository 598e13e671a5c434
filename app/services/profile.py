"""Reads a load profile, keeps each block as it arrives, and goes on where a read broke off."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Interrupted
from app.models.database import Database
from app.models.journal import append
from app.models.measured import ProfileSegment
from app.tasks import Found, Progress, Task
from drivers.errors import DriverError, NotSupported
from drivers.meter import Meter
from drivers.values import ProfileBlock, ProfileColumn, ProfileInfo, ProfileRow, Span


@dataclass(frozen=True, slots=True)
class ProfileRows:
    """A block of rows that was just stored, with what its columns are."""

    info: ProfileInfo
    block: ProfileBlock
    kept: int  # rows of this read stored so far, this block among them


@dataclass(frozen=True, slots=True)
class Capture:
    """Everything stored of one read of one profile."""

    info: ProfileInfo
    rows: tuple[ProfileRow, ...]
    segments: int


def read_profile(
    db: Database,
    meter: Meter,
    info: ProfileInfo,
    span: Span,
    *,
    capture_id: str,
    order_id: str,
    epoch: int,
    meter_serial: str,
    clock: Callable[[], datetime],
) -> Task[Capture]:
    """Read the rows of ``span``; rows that ``capture_id`` holds already are not read again.

    Raises:
        Interrupted: The line broke after rows had arrived; they are kept, the cause is chained.
    """
    with db.read() as session:
        before = stored_capture(session, capture_id)
    kept = list(before.rows) if before else []
    position = before.segments if before else 0
    total = max(info.entries or 0, len(kept))
    known = {_key(row) for row in kept}
    yield Progress("Reading the load profile", len(kept), total, "rows")
    blocks = _blocks(meter, info, _rest(span, kept), lambda: (len(kept), total))
    for block in blocks:
        total = max(len(known) + block.expected, len(kept)) if block.expected else total
        fresh = tuple(row for row in block.rows if _key(row) not in known)
        if fresh:
            segment = _segment(
                info,
                fresh,
                capture_id=capture_id,
                order_id=order_id,
                meter_serial=meter_serial,
                position=position,
                at=clock(),
            )
            with db.write() as session:
                session.add(segment)
                append(
                    session,
                    "profile.segment",
                    {
                        "capture_id": capture_id,
                        "meter": meter_serial,
                        "position": position,
                        "profile": segment.columns,
                        "rows": segment.rows,
                    },
                    order_id=order_id,
                    epoch=epoch,
                )
            position += 1
            kept.extend(fresh)
        yield Found("rows", ProfileRows(info, replace(block, rows=fresh), len(kept)))
        yield Progress("Reading the load profile", len(kept), max(total, len(kept)), "rows")
    return Capture(info, tuple(kept), position)


def stored_capture(session: Session, capture_id: str) -> Capture | None:
    """Return what is stored of one read of a profile; None when there is nothing."""
    segments = session.scalars(
        select(ProfileSegment)
        .where(ProfileSegment.capture_id == capture_id)
        .order_by(ProfileSegment.position)
    ).all()
    if not segments:
        return None
    rows = tuple(_row(item) for segment in segments for item in segment.rows)
    return Capture(info_from(segments[0].columns), rows, len(segments))


def same_columns(one: ProfileInfo, other: ProfileInfo) -> bool:
    """Tell whether two profiles capture the same values, so that a read may go on."""
    return (one.obis, one.period_s, one.columns) == (other.obis, other.period_s, other.columns)


def info_data(info: ProfileInfo) -> dict[str, Any]:
    """Return what a profile captures as plain data."""
    return {
        "obis": info.obis,
        "period_s": info.period_s,
        "columns": [[item.obis, item.attribute, item.unit, item.name] for item in info.columns],
        "entries": info.entries,
        "capacity": info.capacity,
    }


def info_from(data: dict[str, Any]) -> ProfileInfo:
    """Return what a profile captures from its plain data."""
    return ProfileInfo(
        obis=data["obis"],
        period_s=data["period_s"],
        columns=tuple(ProfileColumn(*item) for item in data["columns"]),
        entries=data["entries"],
        capacity=data["capacity"],
    )


def _blocks(
    meter: Meter, info: ProfileInfo, span: Span, counted: Callable[[], tuple[int, int]]
) -> Iterator[ProfileBlock]:
    """Pass the blocks on; a broken line says how much is kept."""
    try:
        yield from meter.profile(info, span)
    except NotSupported:
        raise
    except DriverError as error:
        done, total = counted()
        if not done:
            raise
        of = f" of {total:,}" if total > done else ""
        raise Interrupted(
            f"{done:,}{of} rows are kept; Continue reads from there. {error}", done, total
        ) from error


def _rest(span: Span, kept: list[ProfileRow]) -> Span:
    """Return what is still to be read; meters send the oldest row first, or the newest."""
    if not kept:
        return span
    first, last = kept[0].time, kept[-1].time
    if last >= first:
        return Span(start=last, end=span.end)
    return Span(start=span.start, end=last)


def _key(row: ProfileRow) -> tuple[datetime, int | None, tuple[Decimal | None, ...]]:
    return row.time, row.status_raw, row.values


def _segment(
    info: ProfileInfo,
    rows: tuple[ProfileRow, ...],
    *,
    capture_id: str,
    order_id: str,
    meter_serial: str,
    position: int,
    at: datetime,
) -> ProfileSegment:
    return ProfileSegment(
        capture_id=capture_id,
        order_id=order_id,
        meter_serial=meter_serial,
        obis=info.obis,
        position=position,
        columns=info_data(info),
        rows=[
            [
                row.time.isoformat(),
                row.status_raw,
                list(row.status),
                row.reconstructed,
                [None if value is None else format(value, "f") for value in row.values],
            ]
            for row in rows
        ],
        first=min(row.time for row in rows),
        last=max(row.time for row in rows),
        read_at=at,
    )


def _row(data: list[Any]) -> ProfileRow:
    time, status_raw, status, reconstructed, values = data
    return ProfileRow(
        time=datetime.fromisoformat(time),
        values=tuple(None if value is None else Decimal(value) for value in values),
        status_raw=status_raw,
        status=tuple(status),
        reconstructed=reconstructed,
    )
