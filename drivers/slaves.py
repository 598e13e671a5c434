"""Gas, heat and water meters that hang on an electricity meter and are read through it.

Meters that have such slaves have the methods of `HasSlaves` beside those of `drivers.meter.Meter`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from drivers.objectmodel import ObjectEntry
from drivers.values import Reading


@dataclass(frozen=True, slots=True)
class SlaveMeter:
    """One channel of the master; None and "" for what it does not tell.

    ``identification`` is the number of the M-Bus header, ``maker_serial`` and ``utility_serial``
    what the master keeps of the slave.  ``configuration`` is its configuration id as the meter has
    it.  ``profile`` is the code of its load profile, to be read like any other.
    """

    channel: int
    obis: str
    installed: bool
    utility_serial: str = ""
    maker_serial: str = ""
    identification: str = ""
    manufacturer: str = ""  # three letters (flag id)
    medium: str = ""
    device_type: int | None = None
    version: int | None = None
    address: int | None = None  # primary address on the M-Bus
    configuration: str = ""
    capture_period_s: int | None = None
    access_number: int | None = None
    status: int | None = None
    alarm: int | None = None
    key_status: str = ""
    port: str = ""
    profile: str = ""
    values: tuple[Reading, ...] = ()


@runtime_checkable
class HasSlaves(Protocol):
    """A meter with slaves."""

    def slaves(self, entries: Sequence[ObjectEntry] = ()) -> tuple[SlaveMeter, ...]:
        """Return the channels for slaves, with the values of those that are installed.

        ``entries`` is the object list; without one the usual codes are tried.

        Raises:
            NotSupported: The meter has no channels for slaves.
        """
