"""Meters without an order: who is there, what it tells, with which settings, its objects."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from app.errors import BadInput
from app.services.confirming import confirm
from app.services.connection import Overrides, meter_type_named, open_port
from app.services.finding import addresses_in, scan_bus
from app.services.known_meters import Place, keep_place, known_place
from app.services.objects import object_list
from app.services.reading import Told, Wish, read_meter
from app.services.typed_values import encoded
from app.services.whole_readout import read_whole
from app.tasks import Found, Progress, Task
from drivers.dlms.scan import BusMeter, Plan
from drivers.errors import DriverError, NotSupported
from drivers.find import Finding, looking
from drivers.iec62056.diagnosis import line_diagnosis
from drivers.link import Line, Link
from drivers.meter import Meter
from drivers.objectmodel import ObjectEntry, ShowsObjects
from drivers.trace_link import Trace
from drivers.values import Identity, Reading, Statistics

_LOG = logging.getLogger(__name__)
_TOGETHER = 8  # attributes in one request
T = TypeVar("T")
Opened = Callable[[str], AbstractContextManager[Meter]]
Address = tuple[str, int, int]  # code, class, attribute


@dataclass(frozen=True)
class At:
    """Where a meter hangs, its type ("" lets it be found), and settings beside the type's own."""

    target: str
    meter_type: str = ""
    overrides: Overrides | None = None


@dataclass(frozen=True)
class ObjectValue:
    """One attribute as it was read; its reading tells the reason where it was denied."""

    address: Address
    reading: Reading


class Bench:
    """What is done at a meter without an order; nothing of it is booked.

    Args:
        folder: The data folder.
        trace: Where every byte on a line is recorded.
        opened: Gives what opens the meter at a place.
    """

    def __init__(self, folder: Path, trace: Trace, opened: Callable[[At], Opened]) -> None:
        self._folder = folder
        self._trace = trace
        self._opened = opened
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
        plan = Plan(addresses_in(addresses))
        base = meter_type_named(meter_type or "generic-dlms")
        return (yield from scan_bus(lambda: self._port(target), base, plan))

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
            keep_place(self._folder, at.target, meter.meter_type, identity)

    def place_of(self, serial: str) -> Place | None:
        """Where the meter of this number answered last; None when it never did."""
        try:
            return known_place(self._folder, serial) if serial else None
        except BadInput as error:
            _LOG.warning("%s", error)
            return None

    def note_of(self, meter_type: str) -> str:
        """What should be known before connecting to a meter of this type; "" for nothing."""
        return meter_type_named(meter_type).note if meter_type else ""

    # --- its objects ----------------------------------------------------------------------

    def objects(self, at: At, *, anew: bool = False) -> Task[tuple[ObjectEntry, ...]]:
        """List the objects of a meter, from what is kept of its like unless ``anew``.

        Raises:
            NotSupported: It lists none.
        """
        yield Progress("Signing on")
        with self._opened(at)(at.meter_type) as meter:
            identity = meter.identity()
            yield Found("identity", identity)
            return (yield from object_list(meter, self._folder, anew=anew))

    def read_objects(self, at: At, wanted: Sequence[Address]) -> Task[list[ObjectValue]]:
        """Read attributes, and yield each; one that is denied or absent has its reason as text."""
        values = []
        yield Progress("Signing on")
        with self._opened(at)(at.meter_type) as meter:
            shown = _shown(meter)
            for start in range(0, len(wanted), _TOGETHER):
                yield Progress("Reading objects", start, len(wanted), "values")
                some = wanted[start : start + _TOGETHER]
                for address, reading in zip(some, shown.read_objects(some), strict=True):
                    values.append(ObjectValue(address, reading))
                    yield Found("object", values[-1])
        return values

    def read_profile(self, at: At, code: str) -> Task[Told]:
        """Read all rows of a profile, and yield them block by block."""
        opened = self._opened(at)
        return read_meter(lambda: opened(at.meter_type), Wish(("profile",), code), Told())

    def write_object(self, at: At, address: Address, text: str) -> Task[ObjectValue]:
        """Write one attribute after its meter was confirmed, and return what reads back.

        Raises:
            ValueRefused: It is no value for this attribute, or the meter did not take it.
        """
        yield Progress("Reading what stands there")
        with self._opened(at)(at.meter_type) as meter:
            serial = meter.identity().serial
            value = encoded(_shown(meter).raw(address[0], address[1], address[2]), text)
        yield from confirm("object.confirm", f"Write {text} to {address[0]}?", serial)
        yield Progress("Writing")
        with self._opened(at)(at.meter_type) as meter:
            if meter.identity().serial != serial:
                raise BadInput("another meter answers than the one that was confirmed")
            shown = _shown(meter)
            shown.write_raw(address[0], address[1], address[2], value)
            written = ObjectValue(address, shown.read_objects([address])[0])
        _LOG.info("%s/%s/%s of meter %s written and read back", *address, serial)
        yield Found("object", written)
        return written


def _shown(meter: Meter) -> ShowsObjects:
    if not isinstance(meter, ShowsObjects):
        raise NotSupported("this meter lists no objects")
    return meter
