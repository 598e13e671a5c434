"""Reads what was asked for from a meter, in one session, keeping what arrived."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from app.errors import Cancelled, Interrupted
from app.models.base import utc_now
from app.services.objects import object_list
from app.services.profile import ProfileRows
from app.services.quality import quality_codes, quality_reading
from app.tasks import Found, Progress, Task
from drivers.account import AccountReading, KeepsAccount
from drivers.errors import AccessDenied, DriverError, KeysDoNotFit, NotSupported
from drivers.meter import Meter, Pushes
from drivers.metertype import MeterType
from drivers.objectmodel import ObjectEntry, ShowsObjects
from drivers.prepayment import Prepaid, PrepaymentReading
from drivers.slaves import HasSlaves, SlaveMeter
from drivers.supervision import AlarmRegister, Limiter, RegisterMonitor, Supervises
from drivers.values import (
    ClockReading,
    Identity,
    MeterEvent,
    ProfileInfo,
    ProfileRow,
    Pushed,
    Reading,
    RelayReading,
    Span,
    Statistics,
)

WHAT = (
    "identity", "registers", "profile", "events", "clock", "relay", "quality", "prepayment",
    "limiter", "monitor", "alarms", "slaves", "account", "object",
)  # fmt: skip
_LISTS = frozenset({"registers", "quality", "events"})  # filled one by one


@dataclass(frozen=True)
class Wish:
    """What to read: names out of `WHAT`, and which profile, log, rows and objects."""

    what: tuple[str, ...]
    profile: str = ""
    log: str = ""
    span: Span = field(default_factory=Span)
    objects: tuple[tuple[str, int, int], ...] = ()  # code, class (0: usual), attribute
    folder: Path | None = None  # where object lists are kept; None: read from the meter


@dataclass
class Told:
    """What the meter told so far; filled as it arrives."""

    meter_type: str = ""
    used: MeterType | None = None  # with all that was found and set by hand
    read_at: datetime = field(default_factory=utc_now)
    identity: Identity | None = None
    registers: list[Reading] | None = None
    info: ProfileInfo | None = None
    rows: list[ProfileRow] = field(default_factory=list)
    row_count: int = 0  # that came, also where they are not collected
    complete: bool = False
    log: str = ""
    events: list[MeterEvent] | None = None
    clock: ClockReading | None = None
    relay: RelayReading | None = None
    quality: list[Reading] | None = None
    prepayment: PrepaymentReading | None = None
    limiter: tuple[Limiter, ...] | None = None
    monitor: tuple[RegisterMonitor, ...] | None = None
    alarms: tuple[AlarmRegister, ...] | None = None
    slaves: tuple[SlaveMeter, ...] | None = None
    account: AccountReading | None = None
    objects: list[Reading] = field(default_factory=list)
    pushed: tuple[Pushed, ...] = ()  # said unasked in the meantime
    entries: tuple[ObjectEntry, ...] | None = None  # the object list, once it was needed
    refused: list[NotSupported | AccessDenied] = field(default_factory=list)
    statistics: Statistics = field(default_factory=Statistics)
    elapsed: float = 0.0


@runtime_checkable
class KeepsList(Protocol):
    """A meter that knows what came of its list when the reading of it was broken off."""

    def arrived(self) -> Iterator[Reading]:
        """What is there, without asking the meter."""


Sink = Callable[[ProfileInfo, tuple[ProfileRow, ...]], None]


def read_meter(
    opened: Callable[[], AbstractContextManager[Meter]],
    wish: Wish,
    told: Told,
    sink: Sink | None = None,
) -> Task[Told]:
    """Read all of ``wish`` into ``told`` and return it.

    ``told`` is the caller's, so that after an error or a stop it still holds what arrived.  With a
    ``sink`` profile rows go there block by block and are not collected.  What the meter has not, or
    does not show, does not stop the rest.

    Raises:
        Interrupted: A profile ended early; what arrived is in ``told``.
        NotSupported, AccessDenied: All was asked for, and this was refused first; the others are
            its notes.
        DriverError: Anything else on the way to and from the meter.
    """
    begun = time.monotonic()
    told.refused.clear()
    yield Progress("Signing on")
    try:
        with opened() as meter:
            told.statistics = meter.statistics
            told.meter_type, told.used = meter.meter_type.name, meter.meter_type
            try:
                for name in WHAT:
                    if name in wish.what:
                        yield from _asked(name, meter, wish, told, sink)
            except (Cancelled, DriverError):
                _list_so_far(meter, wish, told)
                raise
            _said_unasked(meter, told)
            yield Progress("Signing off")
    finally:
        told.elapsed = time.monotonic() - begun
    if told.refused:
        first, *others = told.refused
        for error in others:
            first.add_note(str(error))
        raise first
    return told


def _asked(name: str, meter: Meter, wish: Wish, told: Told, sink: Sink | None) -> Task[None]:
    try:
        yield from _READERS[name](meter, wish, told, sink)
    except (NotSupported, AccessDenied) as error:
        told.refused.append(error)
        if name in _LISTS and not getattr(told, name):
            setattr(told, name, None)


def _list_so_far(meter: Meter, wish: Wish, told: Told) -> None:
    """Keep what came of a list that broke off while it was read for something else."""
    if "registers" in wish.what and not told.registers and isinstance(meter, KeepsList):
        told.registers = list(meter.arrived()) or None


def _said_unasked(meter: Meter, told: Told) -> None:
    """Keep what the meter pushed in the meantime; one that is not its own is a remark."""
    if isinstance(meter, Pushes):
        try:
            told.pushed = meter.pushed()
        except KeysDoNotFit as error:
            meter.statistics.remarks.append(f"a notification was not taken: {error}")


def _identity(meter: Meter, wish: Wish, told: Told, sink: Sink | None) -> Task[None]:
    del wish, sink
    yield Progress("Reading who the meter is")
    told.identity = meter.identity()
    yield Found("identity", told.identity)


def _registers(meter: Meter, wish: Wish, told: Told, sink: Sink | None) -> Task[None]:
    del wish, sink
    told.registers = []
    total = len(meter.meter_type.registers)
    yield Progress("Reading registers", 0, total)
    for reading in meter.registers():
        told.registers.append(reading)
        yield Found("reading", reading)
        done = len(told.registers)
        yield Progress("Reading registers", done, max(done, total) if total else 0, "values")


def _profile(meter: Meter, wish: Wish, told: Told, sink: Sink | None) -> Task[None]:
    yield Progress("Reading what the profile holds")
    told.info = info = meter.profile_info(wish.profile)
    done = expected = 0
    try:
        for block in meter.profile(info, wish.span):
            if sink is None:
                told.rows.extend(block.rows)
            else:
                sink(info, block.rows)
            done += len(block.rows)
            told.row_count = done
            expected = max(expected, block.expected)
            yield Found("rows", ProfileRows(info, block, done))
            yield Progress("Reading the profile", done + block.held, expected, "rows")
    except DriverError as error:
        if not done:
            raise
        of = f" of {expected:,}" if expected else ""
        raise Interrupted(f"{done:,}{of} rows kept; {error}", done, expected) from error
    told.complete = True


def _events(meter: Meter, wish: Wish, told: Told, sink: Sink | None) -> Task[None]:
    del sink
    told.events = []
    logs = meter.meter_type.logs
    told.log = wish.log or (logs[0].code if logs else "")
    yield Progress("Reading the event log")
    for event in meter.events(wish.log, wish.span):
        told.log = event.log
        told.events.append(event)
        yield Found("event", event)
        yield Progress("Reading the event log", len(told.events), 0, "events")


def _clock(meter: Meter, wish: Wish, told: Told, sink: Sink | None) -> Task[None]:
    del wish, sink
    yield Progress("Reading the clock")
    told.clock = meter.clock()
    yield Found("clock", told.clock)


def _relay(meter: Meter, wish: Wish, told: Told, sink: Sink | None) -> Task[None]:
    del wish, sink
    yield Progress("Reading the supply switch")
    told.relay = meter.relay()
    yield Found("relay", told.relay)


def _quality(meter: Meter, wish: Wish, told: Told, sink: Sink | None) -> Task[None]:
    del wish, sink
    told.quality = []
    codes = quality_codes(meter)
    for done, wanted in enumerate(codes, 1):
        yield Progress("Reading the quality of the supply", done, len(codes))
        reading = quality_reading(meter, wanted)
        if reading is not None:
            told.quality.append(reading)
            yield Found("reading", reading)
    if not told.quality:
        raise NotSupported("this meter tells nothing of the quality of the supply")


def _prepayment(meter: Meter, wish: Wish, told: Told, sink: Sink | None) -> Task[None]:
    del wish, sink
    yield Progress("Reading keys and credit")
    if not isinstance(meter, Prepaid):
        raise NotSupported("this meter tells nothing of prepayment")
    told.prepayment = meter.prepayment()
    yield Found("prepayment", told.prepayment)


def _entries(meter: Meter, wish: Wish, told: Told) -> Task[tuple[ObjectEntry, ...]]:
    """Return the object list; an empty one where the meter does not show it."""
    if told.entries is None:
        try:
            if wish.folder is not None:
                told.entries = yield from object_list(meter, wish.folder)
            else:
                told.entries = meter.objects() if isinstance(meter, ShowsObjects) else ()
        except (NotSupported, AccessDenied) as error:
            told.entries = ()
            meter.statistics.remarks.append(f"only the usual objects were looked for: {error}")
    return told.entries


def _limiter(meter: Meter, wish: Wish, told: Told, sink: Sink | None) -> Task[None]:
    del sink
    yield Progress("Reading the limiters")
    entries = yield from _entries(meter, wish, told)
    told.limiter = _supervising(meter).limiters(entries)
    yield Found("limiter", told.limiter)


def _monitor(meter: Meter, wish: Wish, told: Told, sink: Sink | None) -> Task[None]:
    del sink
    yield Progress("Reading the register monitors")
    entries = yield from _entries(meter, wish, told)
    told.monitor = _supervising(meter).monitors(entries)
    yield Found("monitor", told.monitor)


def _alarms(meter: Meter, wish: Wish, told: Told, sink: Sink | None) -> Task[None]:
    del sink
    yield Progress("Reading alarm and error registers")
    entries = yield from _entries(meter, wish, told)
    told.alarms = _supervising(meter).alarms(entries)
    yield Found("alarms", told.alarms)


def _supervising(meter: Meter) -> Supervises:
    if not isinstance(meter, Supervises):
        raise NotSupported("this meter tells nothing of limits and alarms")
    return meter


def _slaves(meter: Meter, wish: Wish, told: Told, sink: Sink | None) -> Task[None]:
    del sink
    yield Progress("Reading the slave meters")
    if not isinstance(meter, HasSlaves):
        raise NotSupported("this meter has no slave meters")
    entries = yield from _entries(meter, wish, told)
    told.slaves = meter.slaves(entries)
    yield Found("slaves", told.slaves)


def _account(meter: Meter, wish: Wish, told: Told, sink: Sink | None) -> Task[None]:
    del sink
    yield Progress("Reading account, credits and charges")
    if not isinstance(meter, KeepsAccount):
        raise NotSupported("this meter keeps no account")
    entries = yield from _entries(meter, wish, told)
    told.account = meter.account(entries)
    yield Found("account", told.account)


def _objects(meter: Meter, wish: Wish, told: Told, sink: Sink | None) -> Task[None]:
    del sink
    for code, class_id, attribute in wish.objects:
        yield Progress(f"Reading {code}")
        try:
            told.objects.append(meter.object(code, class_id, attribute))
        except (NotSupported, AccessDenied) as error:
            told.refused.append(error)
        else:
            yield Found("reading", told.objects[-1])


_READERS = {
    "identity": _identity,
    "registers": _registers,
    "profile": _profile,
    "events": _events,
    "clock": _clock,
    "relay": _relay,
    "quality": _quality,
    "prepayment": _prepayment,
    "limiter": _limiter,
    "monitor": _monitor,
    "alarms": _alarms,
    "slaves": _slaves,
    "account": _account,
    "object": _objects,
}
