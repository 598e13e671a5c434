"""The JSON shapes of the command line: the contract that scripts rely on."""

from collections.abc import Sequence
from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from drivers.prepayment import PrepaymentReading
from drivers.values import (
    ClockReading,
    Identity,
    MeterEvent,
    ProfileInfo,
    ProfileRow,
    Reading,
    RelayReading,
    Statistics,
    gaps,
)

Shape = dict[str, Any]


def time_text(moment: datetime | None) -> str | None:
    """Return ``moment`` in ISO 8601, UTC, with Z; fractions only where there are any."""
    if moment is None:
        return None
    text = moment.astimezone(UTC).isoformat()
    return text.replace("+00:00", "Z")


def number_text(value: Decimal | None) -> str | None:
    """Return all digits of ``value`` in fixed point."""
    return None if value is None else format(value, "f")


def identity_shape(identity: Identity) -> Shape:
    """Return who the meter is."""
    return asdict(identity)


def register_shape(reading: Reading) -> Shape:
    """Return one register; ``text`` and ``code`` only where they say more than the rest."""
    shape: Shape = {
        "obis": reading.obis or reading.code,
        "name": reading.name,
        "value": number_text(reading.value),
        "unit": reading.unit,
        "time": time_text(reading.time),
    }
    if reading.value is None:
        shape["text"] = reading.text
    if reading.history:
        shape["history"] = reading.history
    if reading.check != "ok":
        shape["check"] = reading.check
    return shape


def row_shape(row: ProfileRow) -> Shape:
    """Return one interval of a profile."""
    shape: Shape = {
        "time": time_text(row.time),
        "status_raw": row.status_raw,
        "status": list(row.status),
        "values": [number_text(value) for value in row.values],
    }
    if row.reconstructed:
        shape["reconstructed"] = True
    return shape


def profile_shape(info: ProfileInfo, rows: Sequence[ProfileRow], *, complete: bool) -> Shape:
    """Return a profile with its gaps; ``complete`` is false when the read ended early."""
    times = sorted({row.time for row in rows})
    return {
        "obis": info.obis,
        "period_s": info.period_s,
        "complete": complete,
        "columns": [
            {"obis": column.obis, "attribute": column.attribute, "unit": column.unit}
            for column in info.columns
        ],
        "rows": [row_shape(row) for row in rows],
        "gaps": [
            {"from": time_text(gap.start), "to": time_text(gap.end), "intervals": gap.intervals}
            for gap in gaps(times, info.period_s)
        ],
    }


def events_shape(log: str, events: Sequence[MeterEvent]) -> Shape:
    """Return the rows of a log; a code that is a number stays one."""
    return {"obis": log, "rows": [_event_shape(event) for event in events]}


def _event_shape(event: MeterEvent) -> Shape:
    shape: Shape = {
        "time": time_text(event.time),
        "code": int(event.code) if event.code.isdigit() else event.code,
        "text": event.text,
    }
    if event.details:
        shape["details"] = list(event.details)
    return shape


def clock_shape(clock: ClockReading) -> Shape:
    """Return the meter's clock against ours."""
    return {
        "meter_time": time_text(clock.meter_time),
        "offset_s": number_text(clock.offset),
        "uncertainty_s": number_text(clock.uncertainty),
        "status": list(clock.status),
    }


def relay_shape(relay: RelayReading) -> Shape:
    """Return the state of the supply switch."""
    return asdict(relay)


def prepayment_shape(reading: PrepaymentReading) -> Shape:
    """Return keys and credit; null and "" for what the meter does not tell."""
    return {
        "drn": reading.drn,
        "sgc": reading.sgc,
        "ti": reading.ti,
        "krn": reading.krn,
        "key_type": reading.key_type,
        "ken": reading.ken,
        "ea": reading.ea,
        "base_date": reading.base,
        "key_tokens": reading.key_tokens,
        "balance": number_text(reading.balance),
        "unit": reading.unit,
    }


def plain_shape(value: object) -> Any:
    """Return any of the drivers' plain values as JSON: fields by name, numbers with all digits."""
    if isinstance(value, Reading):
        return register_shape(value)
    if is_dataclass(value):
        return {field.name: plain_shape(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, list | tuple):
        return [plain_shape(item) for item in value]
    if isinstance(value, Decimal):
        return number_text(value)
    return time_text(value) if isinstance(value, datetime) else value


def statistics_shape(statistics: Statistics, elapsed: float) -> Shape:
    """Return what was counted on the line."""
    return {
        "bytes_sent": statistics.bytes_sent,
        "bytes_received": statistics.bytes_received,
        "round_trips": statistics.round_trips,
        "resends": statistics.resends,
        "parity_errors": statistics.parity_errors if statistics.parity_counted else None,
        "framing_errors": statistics.framing_errors,
        "overruns": statistics.overruns,
        "discarded": statistics.discarded,
        "echo_seen": statistics.echo_seen,
        "switch_margin_s": _seconds(statistics.switch_margin_s),
        "wire_s": f"{statistics.wire_s:.1f}",
        "elapsed_s": f"{elapsed:.1f}",
    }


def _seconds(span: float | None) -> str | None:
    return None if span is None else f"{span:.3f}"
