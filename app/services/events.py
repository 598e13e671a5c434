"""Reads an event log of a meter and keeps each row as it arrives."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.models.database import Database
from app.models.measured import StoredEvent
from app.tasks import Found, Progress, Task
from drivers.meter import Meter
from drivers.values import MeterEvent


def read_events(
    db: Database,
    meter: Meter,
    *,
    order_id: str,
    meter_serial: str,
    clock: Callable[[], datetime],
    code: str = "",
) -> Task[tuple[MeterEvent, ...]]:
    """Read a whole log; each row is stored before the next is awaited.

    What an earlier, broken attempt left is replaced when the first row of this one is there.
    """
    yield Progress("Reading the event log")
    found: list[MeterEvent] = []
    for event in meter.events(code):
        with db.write() as session:
            if not found:
                session.execute(delete(StoredEvent).where(StoredEvent.order_id == order_id))
            session.add(
                StoredEvent(
                    order_id=order_id,
                    meter_serial=meter_serial,
                    log=event.log,
                    position=len(found),
                    time=event.time,
                    code=event.code,
                    text=event.text,
                    details=list(event.details),
                    read_at=clock(),
                )
            )
        found.append(event)
        yield Found("event", event)
        yield Progress("Reading the event log", len(found), 0, "events")
    return tuple(found)


def stored_events(session: Session, order_id: str) -> tuple[MeterEvent, ...]:
    """Return the log rows of an order in the order in which the meter gave them."""
    rows = session.scalars(
        select(StoredEvent).where(StoredEvent.order_id == order_id).order_by(StoredEvent.position)
    )
    return tuple(
        MeterEvent(
            log=row.log,
            time=row.time,
            code=row.code,
            text=row.text,
            details=tuple(row.details or ()),
        )
        for row in rows
    )


def event_facts(events: tuple[MeterEvent, ...]) -> list[dict[str, Any]]:
    """Return log rows as plain data for the journal."""
    return [
        {
            "log": item.log,
            "time": item.time.isoformat(),
            "code": item.code,
            "text": item.text,
            "details": list(item.details),
        }
        for item in events
    ]
