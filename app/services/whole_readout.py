"""Reads a meter without an order: all that it tells, the most useful first."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Protocol, runtime_checkable

from app.errors import Cancelled
from app.services.reading import KeepsList, Told, Wish, read_meter
from app.services.readout import hear_list
from app.tasks import Found, Progress, Task
from drivers.errors import DriverError, NotSupported
from drivers.meter import Meter
from drivers.values import Reading

_ORDER = ("registers", "clock", "relay", "quality", "prepayment", "profile", "events")


@runtime_checkable
class TellsAll(Protocol):
    """A meter whose list holds more than its type names."""

    def everything(self) -> Iterator[Reading]:
        """Every value of the list."""


def read_whole(
    opened: Callable[[], AbstractContextManager[Meter]], what: Sequence[str], told: Told
) -> Task[Told]:
    """Read who the meter is, then all of ``what``, into ``told``.

    A part that the meter does not have is left out, with a remark.

    Raises:
        Interrupted: A profile ended early; what arrived is in ``told``.
        DriverError: Anything else on the way to and from the meter.
    """
    yield Progress("Signing on")
    with opened() as meter:
        told.statistics = meter.statistics
        told.meter_type = meter.meter_type.name
        try:
            yield from hear_list(meter)
            yield Progress("Reading who the meter is")
            told.identity = meter.identity()
        except (Cancelled, DriverError):
            yield from _arrived(meter, told)
            raise
        yield Found("identity", told.identity)
        for part in sorted(set(what), key=_ORDER.index):
            try:
                yield from _part(meter, part, told)
            except NotSupported as error:
                meter.statistics.remarks.append(f"no {part}: {error}")
        yield Progress("Signing off")
        yield Found("line", replace(meter.statistics, remarks=list(meter.statistics.remarks)))
    return told


def _arrived(meter: Meter, told: Told) -> Task[None]:
    """Keep what came of a list that broke off or was stopped; nothing of it is proved."""
    if isinstance(meter, KeepsList):
        told.registers = list(meter.arrived())
        for reading in told.registers:
            yield Found("reading", reading)


def _part(meter: Meter, part: str, told: Told) -> Task[None]:
    if part == "registers" and isinstance(meter, TellsAll):
        told.registers = []
        for reading in meter.everything():
            told.registers.append(reading)
            yield Found("reading", reading)
        return
    rest = read_meter(lambda: nullcontext(meter), Wish((part,)), told)
    for event in rest:
        if not (isinstance(event, Progress) and event.text.startswith("Signing")):
            yield event  # one session reads all parts
