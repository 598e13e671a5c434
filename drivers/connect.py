"""Opens a meter of a known type on an open link."""

from contextlib import AbstractContextManager

from drivers.dlms.ciphering import CounterStore
from drivers.dlms.meter import DlmsMeter
from drivers.dlms.shortnames import NameStore
from drivers.errors import NotSupported
from drivers.iec62056.meter import Iec62056Meter
from drivers.link import Link
from drivers.meter import Meter
from drivers.metertype import MeterType
from drivers.secrets import Secrets
from drivers.sml.meter import SmlMeter


def open_meter(
    link: Link,
    meter_type: MeterType,
    secrets: Secrets | None = None,
    counters: CounterStore | None = None,
    names: NameStore | None = None,
) -> AbstractContextManager[Meter]:
    """Return the meter on ``link``; entering it signs on, leaving it signs off.

    ``counters`` keeps the counters of ciphered sessions, ``names`` the object lists of meters with
    short names; without them, while the program runs.

    Raises:
        NotSupported: The type speaks a protocol that has no driver.
    """
    if meter_type.protocol == "dlms":
        return DlmsMeter(link, meter_type, secrets or Secrets(), counters=counters, names=names)
    if meter_type.protocol == "iec62056":
        return Iec62056Meter(link, meter_type, secrets or Secrets())
    if meter_type.protocol == "sml":
        return SmlMeter(link, meter_type)
    raise NotSupported(f"there is no driver for {meter_type.protocol}")
