"""Reads the registers of a meter and keeps each value as it arrives."""

from collections.abc import Callable, Generator
from contextlib import closing
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.models.database import Database
from app.models.measured import StoredReading
from app.tasks import Found, Progress, Task
from drivers.meter import Meter
from drivers.values import Reading


@runtime_checkable
class Listing(Protocol):
    """A meter that tells its whole list at once; what arrives can be shown before it is proved."""

    def arriving(self) -> Generator[object, None, None]:
        """Read the list, yielding its values as they arrive."""


def hear_list(meter: Meter) -> Task[None]:
    """Read the list of a meter that has one, showing how far it came.

    Identity, registers and clock then come from it without asking the meter once more.
    """
    if not isinstance(meter, Listing):
        return
    total = len(meter.meter_type.registers)
    with closing(meter.arriving()) as values:  # what arrived is kept also when it is stopped
        for count, _ in enumerate(values, 1):
            known = total if total >= count else 0  # a list may be longer than the type says
            yield Progress("Reading the list of the meter", count, known, "values")


def read_registers(
    db: Database,
    meter: Meter,
    *,
    order_id: str,
    meter_serial: str,
    moment: str,
    clock: Callable[[], datetime],
) -> Task[tuple[Reading, ...]]:
    """Read all registers of the type; each is stored before the next is awaited.

    What an earlier, broken attempt at the same ``moment`` left is replaced when the first value
    of this one is there.
    """
    total = len(meter.meter_type.registers)
    yield Progress("Reading the registers", 0, total, "values")
    readings: list[Reading] = []
    for reading in meter.registers():
        with db.write() as session:
            if not readings:
                _forget(session, order_id, moment)
            session.add(
                _row(
                    reading,
                    order_id=order_id,
                    meter_serial=meter_serial,
                    moment=moment,
                    position=len(readings),
                    at=clock(),
                )
            )
        readings.append(reading)
        yield Found("reading", reading)
        yield Progress("Reading the registers", len(readings), max(total, len(readings)), "values")
    return tuple(readings)


def stored_readings(session: Session, order_id: str, moment: str) -> tuple[Reading, ...]:
    """Return the registers of one moment of an order, in the order in which they were read."""
    rows = session.scalars(
        select(StoredReading)
        .where(StoredReading.order_id == order_id, StoredReading.moment == moment)
        .order_by(StoredReading.position)
    )
    return tuple(
        Reading(
            code=row.code,
            obis=row.obis,
            name=row.name,
            value=row.value,
            unit=row.unit,
            text=row.text,
            history=row.history,
            time=row.time,
            check=row.proof,
        )
        for row in rows
    )


def read_at(session: Session, order_id: str, moment: str) -> datetime | None:
    """Return when the last register of one moment was read; None when none was."""
    return session.scalar(
        select(StoredReading.read_at)
        .where(StoredReading.order_id == order_id, StoredReading.moment == moment)
        .order_by(StoredReading.position.desc())
        .limit(1)
    )


def reading_facts(readings: tuple[Reading, ...]) -> list[dict[str, Any]]:
    """Return readings as plain data for the journal, numbers with all their digits as text."""
    return [
        {
            "code": item.code,
            "obis": item.obis,
            "value": None if item.value is None else format(item.value, "f"),
            "unit": item.unit,
            "text": item.text,
            "history": item.history,
            "time": None if item.time is None else item.time.isoformat(),
            "check": item.check,
        }
        for item in readings
    ]


def _forget(session: Session, order_id: str, moment: str) -> None:
    session.execute(
        delete(StoredReading).where(
            StoredReading.order_id == order_id, StoredReading.moment == moment
        )
    )


def _row(
    reading: Reading, *, order_id: str, meter_serial: str, moment: str, position: int, at: datetime
) -> StoredReading:
    return StoredReading(
        order_id=order_id,
        meter_serial=meter_serial,
        moment=moment,
        position=position,
        code=reading.code,
        obis=reading.obis,
        name=reading.name,
        value=reading.value,
        unit=reading.unit,
        text=reading.text,
        history=reading.history,
        time=reading.time,
        proof=reading.check,
        read_at=at,
    )
