"""What a meter watches over: limiters, register monitors, alarm and error registers.

Meters that have some of it have the methods of `Supervises` beside those of `drivers.meter.Meter`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol, runtime_checkable

from drivers.objectmodel import ObjectEntry


@dataclass(frozen=True, slots=True)
class Monitored:
    """The attribute that is watched, and the unit of its thresholds."""

    obis: str
    class_id: int
    attribute: int
    name: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """What the meter does: a script of a table; ``text`` in words where the table is a known one.

    Selector 0 does nothing.
    """

    script: str
    selector: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class EmergencyProfile:
    """For how long and from when the emergency threshold holds."""

    number: int
    start: datetime | None
    duration_s: int


@dataclass(frozen=True, slots=True)
class Limiter:
    """One limiter; None and "" for what it does not tell.

    ``writable`` names the attributes that this association may write.
    """

    obis: str
    monitored: Monitored | None = None
    threshold_active: Decimal | None = None
    threshold_normal: Decimal | None = None
    threshold_emergency: Decimal | None = None
    over_s: int | None = None  # how long the value must stay above before the action
    under_s: int | None = None  # how long below, before it is taken back
    emergency: EmergencyProfile | None = None
    emergency_groups: tuple[int, ...] = ()
    emergency_active: bool | None = None
    action_over: ScriptCall | None = None
    action_under: ScriptCall | None = None
    writable: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Threshold:
    """One threshold of a register monitor, with what is done when the value crosses it."""

    value: Decimal | None
    action_up: ScriptCall | None = None
    action_down: ScriptCall | None = None


@dataclass(frozen=True, slots=True)
class RegisterMonitor:
    """One register monitor."""

    obis: str
    monitored: Monitored | None = None
    thresholds: tuple[Threshold, ...] = ()
    writable: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AlarmRegister:
    """One alarm or error register; ``bits`` in words, unknown ones as "bit n", lowest first.

    ``kind`` is "error", "alarm", "alarm filter" or "alarm descriptor", ``number`` counts the
    registers of a kind from 1.  ``raw`` is None, and ``text`` says why, where it cannot be read.
    """

    obis: str
    kind: str
    number: int
    raw: int | None
    bits: tuple[str, ...] = ()
    text: str = ""


@runtime_checkable
class Supervises(Protocol):
    """A meter that tells what it watches over.

    ``entries`` is its object list; without one the usual codes are tried.
    """

    def limiters(self, entries: Sequence[ObjectEntry] = ()) -> tuple[Limiter, ...]:
        """Return the limiters."""

    def monitors(self, entries: Sequence[ObjectEntry] = ()) -> tuple[RegisterMonitor, ...]:
        """Return the register monitors."""

    def alarms(self, entries: Sequence[ObjectEntry] = ()) -> tuple[AlarmRegister, ...]:
        """Return the alarm and error registers."""
