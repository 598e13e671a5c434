"""Readings of a SQLite centre: profile events into day segments."""

import json
from datetime import date

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from app.centre.fold import parsed
from app.centre.readings import DayRun, day_runs, short_status, whole_status
from app.centre.tables import EVENT, READING_DAY, READING_TODO

_AT_ONCE = 500


def fold_readings(connection: Connection) -> int:
    """Write the day segments of profile events that came in since; return how many rows."""
    written = 0
    while todo := _next(connection):
        rows = [_row(run) for _, body in todo for run in _runs(body)]
        if rows:
            connection.execute(upsert(READING_DAY).on_conflict_do_nothing(), rows)
        written += len(rows)
        connection.execute(
            delete(READING_TODO).where(READING_TODO.c.position.in_([at for at, _ in todo]))
        )
    return written


def readings_of(connection: Connection, meter: str, obis: str) -> list[DayRun]:
    """Return the day segments of a meter's channel, by day."""
    table = READING_DAY.c
    rows = connection.execute(
        select(READING_DAY)
        .where(table.meter == meter, table.obis == obis)
        .order_by(table.day, table.capture_id, table.first_s)
    ).mappings()
    return [
        DayRun(
            meter=row["meter"],
            obis=row["obis"],
            attribute=row["attribute"],
            unit=row["unit"],
            day=date.fromisoformat(row["day"]),
            capture_id=row["capture_id"],
            first_s=row["first_s"],
            step_s=row["step_s"],
            v0=row["v0"],
            scaler=row["scaler"],
            delta=json.loads(row["delta"]),
            status=whole_status(json.loads(row["delta"]), json.loads(row["status"])),
        )
        for row in rows
    ]


def _next(connection: Connection) -> list[tuple[int, str]]:
    rows = connection.execute(
        select(EVENT.c.position, EVENT.c.body)
        .join(READING_TODO, READING_TODO.c.position == EVENT.c.position)
        .order_by(EVENT.c.position)
        .limit(_AT_ONCE)
    )
    return [(position, body) for position, body in rows]


def _runs(body: str) -> list[DayRun]:
    """Return the segments; a body that holds no profile stays in the log and gives none."""
    try:
        return day_runs(parsed(body) or {})
    except ValueError:
        return []


def _row(run: DayRun) -> dict[str, object]:
    return {
        "meter": run.meter,
        "obis": run.obis,
        "attribute": run.attribute,
        "unit": run.unit,
        "day": run.day.isoformat(),
        "capture_id": run.capture_id,
        "first_s": run.first_s,
        "step_s": run.step_s,
        "v0": run.v0,
        "scaler": run.scaler,
        "delta": json.dumps(run.delta),
        "status": json.dumps(short_status(run)),
    }
