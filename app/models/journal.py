"""The journal: what this laptop did, numbered without gaps, until the centre acknowledges it.

`append` is called inside the transaction that changes the state, and by nothing else.  See
``sync`` in the documentation for the protocol.
"""

import hashlib
import time
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Index, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.models.base import Base, UtcTime, canonical, new_id, utc_now

SCHEMA_VERSION = 1  # of the event bodies
HLC_COUNTER_BITS = 16
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Laptop(Base):
    """This laptop, one row: its name in the journal, its counters, the centre it belongs to.

    ``hlc`` is the hybrid logical clock: milliseconds in the upper bits, a counter in the lower 16.
    It never runs back, so events can be shown in order even when the wall clock was set.
    """

    __tablename__ = "laptop"

    device_id: Mapped[str] = mapped_column(primary_key=True)
    incarnation: Mapped[int] = mapped_column(default=1)
    next_seq: Mapped[int] = mapped_column(default=1)
    centre_id: Mapped[str] = mapped_column(default="")
    generation: Mapped[int] = mapped_column(default=0)
    mail_cursor: Mapped[int] = mapped_column(default=0)
    clock_offset_s: Mapped[float | None] = mapped_column(default=None)  # centre minus laptop
    last_server_time: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    hlc: Mapped[int] = mapped_column(BigInteger, default=0)
    read_back: Mapped[str] = mapped_column(default="")  # "incarnation.seq" to fetch from; "" none


class JournalEvent(Base):
    """One fact on its way to the centre, named (laptop, incarnation, seq)."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_open", "incarnation", "seq", sqlite_where=text("acked_at IS NULL")),
    )

    incarnation: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[str] = mapped_column(default="", index=True)
    epoch: Mapped[int] = mapped_column(default=0)
    kind: Mapped[str]
    schema_v: Mapped[int] = mapped_column(default=SCHEMA_VERSION)
    body: Mapped[str]
    sha256: Mapped[str]
    wall: Mapped[datetime] = mapped_column(UtcTime)
    mono_ns: Mapped[int] = mapped_column(BigInteger)
    boot_id: Mapped[str] = mapped_column(default="")
    hlc: Mapped[int] = mapped_column(BigInteger, default=0)
    offset_s: Mapped[float | None] = mapped_column(default=None)  # centre minus laptop, last known
    acked_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    verdict: Mapped[str] = mapped_column(default="")


class InboxRaw(Base):
    """Mail this version cannot read; kept, never in the way."""

    __tablename__ = "inbox_raw"

    mail_seq: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str]
    problem: Mapped[str]


def event_hash(
    *, event_id: str, order_id: str, epoch: int, kind: str, schema_v: int, body: str
) -> str:
    """Return the SHA-256 (hex) that names the content of an event; the centre computes it too."""
    whole = canonical([event_id, order_id, epoch, kind, schema_v, body])
    return hashlib.sha256(whole.encode()).hexdigest()


_LAPTOP = select(Laptop)


def append(
    session: Session, kind: str, body: dict[str, Any], *, order_id: str = "", epoch: int = 0
) -> JournalEvent:
    """Add one event to the journal, in the caller's transaction.

    Args:
        session: An open transaction (BEGIN IMMEDIATE), which also writes the state.
        kind: Dotted name: "order.started", "step.result", "command.intent" ...
        body: Plain data; numbers that count as strings.
        order_id: The work order it belongs to, "" for none.
        epoch: The epoch of that order as this laptop knows it.
    """
    laptop = session.execute(_LAPTOP).scalar_one()
    content = canonical(body)
    event_id = new_id()
    laptop.hlc = max(laptop.hlc + 1, time.time_ns() // 1_000_000 << HLC_COUNTER_BITS)
    event = JournalEvent(
        incarnation=laptop.incarnation,
        seq=laptop.next_seq,
        event_id=event_id,
        order_id=order_id,
        epoch=epoch,
        kind=kind,
        body=content,
        sha256=event_hash(
            event_id=event_id,
            order_id=order_id,
            epoch=epoch,
            kind=kind,
            schema_v=SCHEMA_VERSION,
            body=content,
        ),
        wall=utc_now(),
        mono_ns=time.monotonic_ns(),
        boot_id=boot_id(),
        hlc=laptop.hlc,
        offset_s=laptop.clock_offset_s,
    )
    laptop.next_seq += 1
    session.add(event)
    return event


@cache
def boot_id() -> str:
    """Return what tells one run of the system from the next, so that ``mono_ns`` can be compared.

    Where the system has no such name, one is made for each start of the program.
    """
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return new_id()
