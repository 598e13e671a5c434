"""The JSON shape of a decoded readout, as the command line promises it."""

from datetime import UTC, datetime
from decimal import Decimal

from drivers import obis
from drivers.iec62056.dataset import DataSet
from drivers.iec62056.profile import ProfileData
from drivers.iec62056.readout import LogData, Readout
from drivers.values import gaps

Json = dict[str, object]


def readout_json(readout: Readout) -> Json:
    """Return the document of ``decode readout --json``.

    ``meter_time`` beside each ``time`` is what the meter printed, in its own zone; the contract's
    UTC time rests on the zone the decoder was given.
    """
    return {
        "identification": readout.identification,
        "manufacturer": readout.manufacturer,
        "model": readout.model,
        "check": readout.check,
        "clock": _utc(readout.clock),
        "values": [_value(item) for item in readout.values],
        "profile": _profile(readout.profile),
        "log": _log(readout.log),
        "damaged_lines": readout.damaged,
        "remarks": list(readout.remarks),
    }


def _value(item: DataSet) -> Json:
    return {
        "code": item.code,
        "obis": item.obis or None,
        "name": obis.name_of(item.obis) or None,
        "value": _number(item.value),
        "unit": item.unit or None,
        "text": item.text,
        "history": item.history,
        "time": _utc(item.time),
        "meter_time": _local(item.time),
        "unit_inherited": item.unit_inherited,
        "groups": list(item.groups),
        "damaged": item.damaged,
        "error": item.error,
    }


def _profile(profile: ProfileData | None) -> Json | None:
    if profile is None:
        return None
    missing = gaps([row.time for row in profile.rows], profile.info.period_s)
    return {
        "obis": profile.info.obis,
        "period_s": profile.info.period_s,
        "complete": profile.complete,
        "columns": [
            {"obis": c.obis, "attribute": c.attribute, "unit": c.unit, "name": c.name}
            for c in profile.info.columns
        ],
        "rows": [
            {
                "time": _utc(row.time),
                "status_raw": row.status_raw,
                "status": list(row.status),
                "values": [_number(value) for value in row.values],
            }
            for row in profile.rows
        ],
        "gaps": [
            {"from": _utc(g.start), "to": _utc(g.end), "intervals": g.intervals} for g in missing
        ],
        "headers": [
            {
                "time": _utc(header.time),
                "meter_time": _local(header.time),
                "status_raw": header.status_raw,
                "status": list(header.status),
            }
            for header in profile.headers
        ],
    }


def _log(log: LogData | None) -> Json | None:
    if log is None:
        return None
    return {
        "obis": log.obis,
        "rows": [
            {
                "time": _utc(row.time),
                "meter_time": _local(row.time),
                "code": _event_code(row.code),
                "text": row.text,
                "details": list(row.details),
            }
            for row in log.rows
        ],
    }


def _event_code(code: str) -> int | str:
    """Return a number where the meter printed one; a status word keeps its zeros."""
    return int(code) if code.isdecimal() and code == str(int(code[:9])) else code


def _number(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _utc(time: datetime | None) -> str | None:
    if time is None:
        return None
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _local(time: datetime | None) -> str | None:
    return None if time is None else time.replace(tzinfo=None).isoformat()
