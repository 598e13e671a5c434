"""Readings of a PostgreSQL centre: profile events into day segments, many in one statement."""

import json
from datetime import date
from typing import Any

from app.centre.fold import parsed
from app.centre.readings import DayRun, day_runs, short_status, whole_status
from app.centre.wire import Wire, array

_AT_ONCE = 200
_EARLIEST = date(2000, 1, 1)

# Deltas go as text of an array each: an array of arrays would have to be rectangular.
_INSERT = """
with given as (
  select * from unnest(cast(:v0 as text[]), cast(:v1 as text[]), cast(:v2 as int2[]),
    cast(:v3 as text[]), cast(:v4 as date[]), cast(:v5 as uuid[]), cast(:v6 as int4[]),
    cast(:v7 as int4[]), cast(:v8 as int8[]), cast(:v9 as text[]), cast(:v10 as text[]),
    cast(:v11 as int2[]))
    as g(meter, obis, attribute, unit, day, capture_id, first_s, step_s, v0, delta, status, scaler)
)
insert into mw.reading_day
select 'main', m.meter_id, c.channel_id, g.day, g.capture_id, g.first_s, g.step_s, g.v0,
       cast(g.delta as int4[]), cast(g.status as int4[]), g.scaler
  from given g
  join mw.meter m on m.tenant_id = 'main' and m.serial = g.meter
  join mw.channel c on c.obis = g.obis and c.attribute = g.attribute and c.unit = g.unit
on conflict do nothing
"""


def fold_readings(wire: Wire) -> int:
    """Write the day segments of profile events that came in since; return how many rows."""
    written = 0
    while todo := wire.query(
        "select e.position, e.body from mw.reading_todo t join mw.event e"
        " on e.position = t.position order by e.position limit cast(:v0 as int4)",
        _AT_ONCE,
    ):
        runs = [run for _, body in todo for run in _runs(body)]
        if runs:
            store(wire, runs)
        written += len(runs)
        # Only after the rows are there: a fold that is cut off is done again and adds nothing.
        wire.query(
            "delete from mw.reading_todo where position = any (cast(:v0 as int8[]))",
            array(position for position, _ in todo),
        )
    return written


def store(wire: Wire, runs: list[DayRun]) -> None:
    """Write day segments in one statement; rows that are there already stay as they are."""
    for month in sorted({run.day.replace(day=1) for run in runs}):
        if month >= _EARLIEST:
            _month(wire, month)
    wire.query(
        "insert into mw.meter (tenant_id, serial) select 'main', s from"
        " unnest(cast(:v0 as text[])) s on conflict do nothing",
        array(sorted({run.meter for run in runs})),
    )
    channels = sorted({(run.obis, run.attribute, run.unit) for run in runs})
    wire.query(
        "insert into mw.channel (obis, attribute, unit) select * from unnest(cast(:v0 as text[]),"
        " cast(:v1 as int2[]), cast(:v2 as text[])) x on conflict do nothing",
        array(obis for obis, _, _ in channels),
        array(attribute for _, attribute, _ in channels),
        array(unit for _, _, unit in channels),
    )
    wire.query(
        _INSERT,
        array(run.meter for run in runs),
        array(run.obis for run in runs),
        array(run.attribute for run in runs),
        array(run.unit for run in runs),
        array(run.day.isoformat() for run in runs),
        array(run.capture_id for run in runs),
        array(run.first_s for run in runs),
        array(run.step_s for run in runs),
        array(run.v0 for run in runs),
        array(_literal(run.delta) for run in runs),
        array(_literal(short_status(run)) for run in runs),
        array(run.scaler for run in runs),
    )


def readings_of(wire: Wire, meter: str, obis: str) -> list[DayRun]:
    """Return the day segments of a meter's channel, by day."""
    rows = wire.query(
        "select m.serial, c.obis, c.attribute, c.unit, r.day, r.capture_id, r.first_s, r.step_s,"
        " r.v0, r.scaler, r.delta, r.status from mw.reading_day r"
        " join mw.meter m on m.tenant_id = r.tenant_id and m.meter_id = r.meter_id"
        " join mw.channel c on c.channel_id = r.channel_id"
        " where m.tenant_id = 'main' and m.serial = :v0 and c.obis = :v1"
        " order by r.day, r.capture_id, r.first_s",
        meter,
        obis,
    )
    return [_run(row) for row in rows]


def _run(row: list[Any]) -> DayRun:
    row[5] = str(row[5])
    row[11] = whole_status(row[10], row[11])
    return DayRun(*row)


def _month(wire: Wire, month: date) -> None:
    there = wire.call("select to_regclass(:v0)::text", f"mw.reading_day_{month:%Y%m}")
    stray = not there and wire.call(
        "select count(*) from mw.reading_day_default where day >= cast(:v0 as date)"
        " and day < cast(:v0 as date) + interval '1 month'",
        month.isoformat(),
    )
    if not there and not stray:
        wire.query("select mw.month_partition('reading_day', cast(:v0 as date))", month.isoformat())


def _runs(body: str) -> list[DayRun]:
    """Return the segments; a body that holds no profile stays in the log and gives none."""
    try:
        return day_runs(parsed(body) or {})
    except ValueError:
        return []


def _literal(values: list[int | None]) -> str:
    return json.dumps(values).replace("null", "NULL").replace("[", "{").replace("]", "}")
