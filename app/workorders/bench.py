"""Meters without an order: who is there, what it tells, with which settings, its objects."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from app.errors import BadInput, NotPermitted
from app.services.approving import Approve, nobody_else
from app.services.calendar import read_calendar
from app.services.calendar_draft import Draft
from app.services.calendar_interrupted import Interrupted, end, interrupted
from app.services.connection import Overrides, meter_type_named, open_port
from app.services.finding import addresses_in, scan_bus
from app.services.firmware import Loaded
from app.services.known_meters import Place, keep_place, known_place, known_places
from app.services.object_write import Record, Written, no_record, write_attribute
from app.services.objects import Address, object_list, read_attributes
from app.services.parameters import Difference, Parameter, read_parameters
from app.services.reading import Told, Wish, read_meter
from app.services.service_acts import (
    adjust_clock,
    change_parameters,
    operate_supply,
    replace_calendar,
    replace_firmware,
)
from app.services.whole_readout import read_whole
from app.tasks import Found, Progress, Task
from drivers.calendar import CalendarReading, Limits, limits_of
from drivers.dlms.scan import BusMeter, Plan
from drivers.errors import DriverError, WrongMeter
from drivers.find import Finding, looking
from drivers.iec62056.diagnosis import line_diagnosis
from drivers.link import Line, Link
from drivers.meter import Meter
from drivers.objectmodel import AttributeReading, ObjectEntry
from drivers.switching import Switching
from drivers.trace_link import Trace
from drivers.values import ClockReading, Identity, RelayReading, Span, Statistics

_LOG = logging.getLogger(__name__)
T = TypeVar("T")
Opened = Callable[[str], AbstractContextManager[Meter]]


@dataclass(frozen=True)
class At:
    """Where a meter hangs, its type ("" lets it be found), and settings beside the type's own.

    ``serial`` is its number where that is known, ``secret`` the name of the keyring's entry to
    use; "" takes the entry of this meter, else that of its type.
    """

    target: str
    meter_type: str = ""
    overrides: Overrides | None = None
    serial: str = ""
    secret: str = ""


class Bench:
    """What is done at a meter without an order; nothing of it is booked.

    Args:
        folder: The data folder.
        trace: Where every byte on a line is recorded.
        opened: Gives what opens the meter at a place.
        may: Tells whether whoever works here has a right.
        record: Keeps what is written to meters.
        approve: Has a second person approve what one person may not do alone.
    """

    def __init__(
        self,
        folder: Path,
        trace: Trace,
        opened: Callable[[At], Opened],
        *,
        may: Callable[[str], bool] = lambda _right: True,
        record: Record = no_record,
        approve: Approve = nobody_else,
    ) -> None:
        self._folder = folder
        self._trace = trace
        self._opened = opened
        self._may = may
        self._record = record
        self._approve = approve
        self._line = Statistics()

    # --- who is there ---------------------------------------------------------------------

    def connect(self, at: At) -> Task[Identity]:
        """Sign on, read who the meter is, sign off."""
        return self.watched(self._connected(at))

    def _connected(self, at: At) -> Task[Identity]:
        yield Progress("Signing on")
        with self._opened(at)(at.meter_type) as meter:
            self._line = meter.statistics
            identity = meter.identity()
            yield Found("identity", identity)
            yield Progress("Signing off")
        self.keep(at, meter, identity)
        return identity

    def read(self, at: At, what: Sequence[str]) -> Task[Identity]:
        """Read all of ``what`` and yield it as it arrives; at the end how the line was."""
        return self.watched(self._read(at, what))

    def _read(self, at: At, what: Sequence[str]) -> Task[Identity]:
        @contextmanager
        def opened() -> Iterator[Meter]:
            with self._opened(at)(at.meter_type) as meter:
                self._line = meter.statistics
                yield meter
                self.keep(at, meter, told.identity or Identity())

        told = Told()
        yield from read_whole(opened, what, told)
        return told.identity or Identity()

    def watched(self, task: Task[T]) -> Task[T]:
        """Run ``task``; when the line fails, say what it showed."""
        self._line = Statistics()
        try:
            return (yield from task)
        except DriverError as error:
            yield Found("line", replace(self._line, remarks=list(self._line.remarks)))
            known = getattr(error, "__notes__", ())
            for sentence in line_diagnosis(self._line):
                if sentence not in known:
                    error.add_note(sentence)
            raise

    def line_opened(self, statistics: Statistics) -> None:
        """Take note of the counters of a line that was opened."""
        self._line = statistics

    # --- with which settings --------------------------------------------------------------

    def find(self, target: str) -> Task[Finding]:
        """Find out what answers at ``target``, with its settings; no password is sent.

        Raises:
            NoReply: Nothing answers; the notes of the error tell what was tried.
        """
        self._demand_reading()
        yield Progress("Opening the port")
        with self._port(target) as link:
            tries = looking(link)
            while True:
                try:
                    words, number, count = next(tries)
                except StopIteration as done:
                    found: Finding = done.value
                    return found
                yield Progress(f"Trying {words}", number, count, "ways")

    def search_bus(self, target: str, addresses: str, meter_type: str = "") -> Task[list[BusMeter]]:
        """Ask every address in ``addresses`` ("1-50") for a meter, and yield each one found.

        Raises:
            BadInput: ``addresses`` is no list of addresses.
        """
        self._demand_reading()
        plan = Plan(addresses_in(addresses))
        base = meter_type_named(meter_type or "generic-dlms")
        return (yield from scan_bus(lambda: self._port(target), base, plan, []))

    @contextmanager
    def _port(self, target: str) -> Iterator[Link]:
        link = open_port(target, Line.named(300, "7E1"), self._trace)
        try:
            yield link
        finally:
            link.close()

    def keep(self, at: At, meter: Meter, identity: Identity) -> None:
        """Keep where a meter answered and how, under its number."""
        if identity.serial and meter.meter_type.name:
            kind = meter.meter_type
            keep_place(
                self._folder, at.target, kind, identity, chosen=at.overrides, secret=at.secret
            )

    def place_of(self, serial: str) -> Place | None:
        """Where the meter of this number answered last; None when it never did."""
        try:
            return known_place(self._folder, serial) if serial else None
        except BadInput as error:
            _LOG.warning("%s", error)
            return None

    def known(self) -> list[Place]:
        """All meters that answered from here, the newest first."""
        try:
            return known_places(self._folder)
        except BadInput as error:
            _LOG.warning("%s", error)
            return []

    def note_of(self, meter_type: str) -> str:
        """What should be known before connecting to a meter of this type; "" for nothing."""
        return meter_type_named(meter_type).note if meter_type else ""

    # --- its objects ----------------------------------------------------------------------

    def objects(self, at: At, *, anew: bool = False) -> Task[tuple[ObjectEntry, ...]]:
        """List the objects of a meter, from what is kept of its like unless ``anew``.

        Raises:
            NotSupported: It lists none.
        """
        return self.watched(self._listed(at, anew=anew))

    def _listed(self, at: At, *, anew: bool) -> Task[tuple[ObjectEntry, ...]]:
        yield Progress("Signing on")
        with self._opened(at)(at.meter_type) as meter:
            identity = meter.identity()
            yield Found("identity", identity)
            entries = yield from object_list(meter, self._folder, anew=anew)
        self.keep(at, meter, identity)
        return entries

    def read_objects(
        self, at: At, wanted: Sequence[Address], expected: str = ""
    ) -> Task[list[AttributeReading]]:
        """Read attributes, and yield each; one that is denied or absent has its reason.

        Raises:
            WrongMeter: Another meter answers than ``expected``; nothing was read.
        """
        return self.watched(self._objects_read(at, wanted, expected))

    def _objects_read(
        self, at: At, wanted: Sequence[Address], expected: str
    ) -> Task[list[AttributeReading]]:
        yield Progress("Signing on")
        with self._opened(at)(at.meter_type) as meter:
            identity = meter.identity()
            if expected and identity.serial != expected:
                text = f"meter {identity.serial} answers, not {expected}"
                raise WrongMeter(text, expected, identity.serial)
            yield Found("identity", identity)
            return (yield from read_attributes(meter, wanted))

    def read_profile(self, at: At, code: str, span: Span | None = None) -> Task[Told]:
        """Read the rows of a profile in ``span`` (all), and yield them block by block."""
        opened, wish = self._opened(at), Wish(("profile",), code, span=span or Span())
        return self.watched(read_meter(lambda: opened(at.meter_type), wish, Told()))

    def write_object(self, at: At, address: Address, expected: str = "") -> Task[Written]:
        """Write one attribute, asked for step by step, and return what reads back.

        Raises:
            NotPermitted: Not in this role, or not by this association.
        """
        self._demand_writing()
        opened = self._opened(at)
        return (
            yield from self.watched(
                write_attribute(
                    lambda: opened(at.meter_type),
                    address,
                    self._folder,
                    expected=expected,
                    record=self._record,
                )
            )
        )

    # --- acts -----------------------------------------------------------------------------

    def set_clock(self, at: At, expected: str = "") -> Task[tuple[ClockReading, ClockReading]]:
        """Set the clock of the meter, asked for in two steps; return it before and after."""
        self._demand_writing()
        opened = self._opened(at)
        act = adjust_clock(lambda: opened(at.meter_type), self._record, expected)
        return (yield from self.watched(act))

    def switch(
        self, at: At, action: Switching, expected: str = ""
    ) -> Task[tuple[RelayReading, RelayReading]]:
        """Operate the supply switch, asked for in two steps; return it before and after."""
        self._demand_writing()
        opened = self._opened(at)
        act = operate_supply(
            lambda: opened(at.meter_type), action, self._record, expected, self._approve
        )
        return (yield from self.watched(act))

    def read_parameters(self, at: At) -> Task[tuple[Parameter, ...]]:
        """Read everything that may be set, and yield each value as it arrives."""
        opened = self._opened(at)
        return self.watched(read_parameters(lambda: opened(at.meter_type), self._folder))

    def write_parameters(
        self, at: At, wanted: tuple[Parameter, ...], expected: str = ""
    ) -> Task[tuple[Difference, ...]]:
        """Write what differs, asked for in two steps, and return what was changed."""
        self._demand_writing()
        opened = self._opened(at)
        act = change_parameters(
            lambda: opened(at.meter_type), wanted, self._folder, self._record, expected
        )
        return (yield from self.watched(act))

    def read_calendar(self, at: At) -> Task[CalendarReading]:
        """Read both switching tables and the special days."""
        opened = self._opened(at)
        return self.watched(read_calendar(lambda: opened(at.meter_type)))

    def write_calendar(
        self,
        at: At,
        wanted: Draft,
        expected: str = "",
    ) -> Task[tuple[CalendarReading, CalendarReading]]:
        """Write a switching table, asked for in two steps; return it before and after."""
        self._demand_writing()
        opened = self._opened(at)
        act = replace_calendar(
            lambda: opened(at.meter_type),
            wanted,
            self._folder,
            self._record,
            expected=expected,
        )
        return (yield from self.watched(act))

    def calendar_limits(self, at: At, serial: str = "") -> Limits:
        """Return how much the calendar of the meter there holds, 0 for what is not known."""
        place = self.place_of(serial) if serial else None
        kind = at.meter_type or (place.meter_type if place is not None else "")
        return limits_of(meter_type_named(kind).calendar) if kind else Limits()

    def broken_calendar(self) -> Interrupted | None:
        """Return the calendar that was on its way when a line or the program ended."""
        return interrupted(self._folder)

    def settle_calendar(self) -> None:
        """Forget it: somebody has seen what became of it."""
        end(self._folder)

    def load_firmware(
        self, at: At, name: str, image: bytes, expected: str = "", *, activate: bool = True
    ) -> Task[Loaded]:
        """Load firmware, approved by a second person and asked for in two steps."""
        self._demand_writing()
        opened = self._opened(at)
        act = replace_firmware(
            lambda: opened(at.meter_type),
            name,
            image,
            self._record,
            expected,
            activate=activate,
            approve=self._approve,
        )
        return (yield from self.watched(act))

    def _demand_reading(self) -> None:
        """Raise unless whoever works here may look for meters.

        Raises:
            NotPermitted: They may not.
        """
        if not self._may("meter.read"):
            raise NotPermitted("this role does not work at meters")

    def _demand_writing(self) -> None:
        """Raise unless whoever works here may change meters.

        Raises:
            NotPermitted: They may not.
        """
        if not self._may("meter.write"):
            raise NotPermitted("this role may read meters, not change them")
