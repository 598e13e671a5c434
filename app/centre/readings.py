"""Profile rows as day segments: one row a meter, channel, day and unbroken run of intervals.

``value[i] = (v0 + sum(delta[0..i])) * 10**scaler`` at ``first_s + i * step_s`` seconds of the day
in UTC; ``None`` in ``delta`` is a gap.  A run ends where the meter's clock leaves the grid, where
more than a quarter of a day is missing, or where a difference does not fit 32 bits.  Rows are
never changed: another read-out brings rows of its own, under its own capture id.
"""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

_INT4 = 2**31 - 1
_INT8 = 2**63 - 1
_MOST_GAP_S = 6 * 3600
_SMALLEST_SCALER = -9
_LARGEST_EXPONENT = 18


@dataclass
class DayRun:
    """One row of the table ``reading_day``; ``status`` is the raw status of each interval."""

    meter: str
    obis: str
    attribute: int
    unit: str
    day: date
    capture_id: str
    first_s: int
    step_s: int
    v0: int
    scaler: int
    delta: list[int | None] = field(default_factory=list)
    status: list[int | None] = field(default_factory=list)


@dataclass(frozen=True)
class Interval:
    """One value as it was read."""

    time: datetime
    value: Decimal
    status: int | None


def day_runs(body: dict[str, Any]) -> list[DayRun]:
    """Return the day segments of a ``profile.segment`` event.

    Raises:
        ValueError: The body is not what a laptop writes.
    """
    try:
        return list(_runs(body))
    except (KeyError, TypeError, ValueError, InvalidOperation, AttributeError) as error:
        raise ValueError(f"no profile: {error!r}") from error


def short_status(run: DayRun) -> list[int | None]:
    """Return the status as it is stored: one element where all intervals have the same."""
    told = {
        status for status, delta in zip(run.status, run.delta, strict=True) if delta is not None
    }
    return [*told] if len(told) == 1 else run.status


def whole_status(delta: list[int | None], stored: list[int | None]) -> list[int | None]:
    """Return the status of each interval from what is stored."""
    if len(stored) != 1:
        return stored
    return [None if value is None else stored[0] for value in delta]


def intervals(run: DayRun) -> Iterator[Interval]:
    """Yield the values of a row, without the gaps."""
    midnight = datetime(run.day.year, run.day.month, run.day.day, tzinfo=UTC)
    total = run.v0
    for index, delta in enumerate(run.delta):
        if delta is None:
            continue
        total += delta
        moment = midnight + timedelta(seconds=run.first_s + index * run.step_s)
        yield Interval(moment, Decimal(total).scaleb(run.scaler), run.status[index])


def _runs(body: dict[str, Any]) -> Iterator[DayRun]:
    profile = body["profile"]
    step = int(profile["period_s"] or 0)
    capture = str(uuid.UUID(str(body["capture_id"])))
    rows = sorted(
        (datetime.fromisoformat(row[0]).astimezone(UTC), _status(row[1]), row[4])
        for row in body["rows"]
    )
    for index, (obis, attribute, unit, _name) in enumerate(profile["columns"]):
        values = [
            (moment, status, Decimal(cells[index]))
            for moment, status, cells in rows
            if index < len(cells) and cells[index] is not None
        ]
        scaler = _scaler(value for _, _, value in values)
        run: DayRun | None = None
        last = 0
        for moment, status, value in values:
            number = int(value.scaleb(-scaler))
            if abs(number) > _INT8:
                raise ValueError(f"{value} is too large")
            second = moment.hour * 3600 + moment.minute * 60 + moment.second
            if run is None or not _fits(run, moment, second, number - last):
                if run is not None:
                    yield run
                run = DayRun(
                    meter=str(body["meter"]),
                    obis=str(obis),
                    attribute=int(attribute),
                    unit=str(unit),
                    day=moment.date(),
                    capture_id=capture,
                    first_s=second,
                    step_s=step,
                    v0=number,
                    scaler=scaler,
                    delta=[0],
                    status=[status],
                )
            else:
                missing = (second - run.first_s) // run.step_s - len(run.delta)
                run.delta += [None] * missing + [number - last]
                run.status += [None] * missing + [status]
            last = number
        if run is not None:
            yield run


def _fits(run: DayRun, moment: datetime, second: int, difference: int) -> bool:
    """Tell whether an interval goes on with ``run``."""
    if moment.date() != run.day or run.step_s <= 0 or abs(difference) > _INT4:
        return False
    slot, off = divmod(second - run.first_s, run.step_s)
    missing = slot - len(run.delta)
    return off == 0 and 0 <= missing <= _MOST_GAP_S // run.step_s


def _status(raw: Any) -> int | None:
    if raw is None:
        return None
    number = int(raw)
    return number if number <= _INT4 else number - 2 * (_INT4 + 1)  # 32 bits, kept as signed


def _scaler(values: Iterable[Decimal]) -> int:
    """Return the power of ten that keeps every digit of all values."""
    exponents = [0]
    for value in values:
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int) or not _SMALLEST_SCALER <= exponent <= _LARGEST_EXPONENT:
            raise ValueError(f"{value} cannot be kept")
        exponents.append(exponent)
    return min(exponents)
