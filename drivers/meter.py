"""What every meter can be asked, whatever it speaks; opened by `drivers.connect.open_meter`.

A meter is a context manager: leaving it signs off (release, DISC, break), also after errors and
after a stop.  Reads that take long are iterators, so that what arrived is kept when the line
breaks and the caller can show progress and stop between any two items.
"""

from collections.abc import Iterator
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from drivers.metertype import MeterType
from drivers.values import (
    ClockReading,
    Identity,
    MeterEvent,
    ProfileBlock,
    ProfileInfo,
    Pushed,
    Reading,
    RelayReading,
    Span,
    Statistics,
)


class Meter(Protocol):
    """An open session with one meter.

    Every method may raise `PortUnavailable`, `NoReply`, `GarbledReply`, `AccessDenied` or
    `MeterBusy`; `NotSupported` where this meter has no such thing.
    """

    meter_type: MeterType
    statistics: Statistics

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def identity(self) -> Identity:
        """Who the meter is."""

    def registers(self) -> Iterator[Reading]:
        """The billing and instantaneous values the type lists, one by one."""

    def profile_info(self, code: str = "") -> ProfileInfo:
        """What the load profile ``code`` captures; "" takes the type's first profile."""

    def profile(self, info: ProfileInfo, span: Span) -> Iterator[ProfileBlock]:
        """The rows of ``span`` in the order the meter sends them, block by block."""

    def events(self, code: str = "", span: Span | None = None) -> Iterator[MeterEvent]:
        """The rows of the log ``code``; "" takes the type's first log."""

    def clock(self) -> ClockReading:
        """The meter's clock, corrected by half the round trip."""

    def set_clock(self, to: datetime | None = None) -> ClockReading:
        """Set the clock (to now, when None) and return what reads back.

        Raises:
            ValueRefused: The meter refused, or the time did not stick.
        """

    def relay(self) -> RelayReading:
        """The state of the supply switch."""

    def object(self, code: str, class_id: int = 0, attribute: int = 2) -> Reading:
        """One attribute of one object (or one IEC 62056-21 register), raw text included."""


@runtime_checkable
class Pushes(Protocol):
    """A meter that may say something unasked while it is read."""

    def pushed(self) -> tuple[Pushed, ...]:
        """Return what it has said since the last call."""
