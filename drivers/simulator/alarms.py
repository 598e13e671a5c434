"""What is wrong with a virtual meter: error register, alarm registers, descriptors, filters.

Theory of operation.  A cause that begins sets its bit in the error register (where it has one) and,
where the filter lets it through, in the alarm register and its descriptor.  The client clears bits
by writing a value without them; the bit of a cause that is still there comes back in the registers,
but not in the descriptor, which tells what has begun since it was cleared.  Bits are those of
``resources/events/alarm_bits.csv``, profile IDIS; the error register has those of alarm register 1.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.axdr import BadData, Value
from drivers.simulator.dlms.objects import Attribute, CosemObject
from drivers.simulator.model import (
    ALARMS_CLEARED,
    BATTERY,
    BYPASS,
    CLOCK_LOST,
    COVER_OFF,
    COVER_ON,
    ERRORS_CLEARED,
    MAGNET,
    MAGNET_GONE,
    MISSING_L3,
    NEUTRAL_MISSING,
    NORMAL_L1,
    NORMAL_L2,
    NORMAL_L3,
    OVERVOLTAGE_L2,
    REVERSED,
    SLAVE_LOST,
    SLAVE_OK,
    TERMINALS_CLOSED,
    TERMINALS_OPEN,
    UNDERVOLTAGE_L1,
)

ERRORS = "0-0:97.97.0.255"
REGISTERS = ("0-0:97.98.0.255", "0-0:97.98.1.255")
FILTERS = ("0-0:97.98.10.255", "0-0:97.98.11.255")
DESCRIPTORS = ("0-0:97.98.20.255", "0-0:97.98.21.255")
_ALL = 0xFFFFFFFF
_FRAUD = 1 << 13


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that can be wrong: its bits, and what the logs say when it begins and ends."""

    error: int
    alarms: tuple[int, int]
    begins: int
    ends: int | None = None
    tamper: bool = True


CAUSES = {
    "cover-open": Cause(_FRAUD, (_FRAUD, 0), COVER_OFF, COVER_ON),
    "terminal-cover-open": Cause(_FRAUD, (_FRAUD, 0), TERMINALS_OPEN, TERMINALS_CLOSED),
    "magnet": Cause(_FRAUD, (_FRAUD, 0), MAGNET, MAGNET_GONE),
    "reverse-flow": Cause(0, (0, 1 << 10), REVERSED),
    "neutral-missing": Cause(0, (0, 1 << 8), NEUTRAL_MISSING, tamper=False),
    "bypass": Cause(0, (0, 1 << 12), BYPASS, tamper=False),
    "undervoltage": Cause(0, (0, 1 << 14), UNDERVOLTAGE_L1, NORMAL_L1, tamper=False),
    "overvoltage": Cause(0, (0, 1 << 15), OVERVOLTAGE_L2, NORMAL_L2, tamper=False),
    "phase-lost": Cause(0, (0, 1 << 4), MISSING_L3, NORMAL_L3, tamper=False),
    "clock-lost": Cause(1, (1, 0), CLOCK_LOST, tamper=False),
    "battery-low": Cause(1 << 1, (1 << 1, 0), BATTERY, tamper=False),
    "slave-lost": Cause(1 << 16, (1 << 16, 0), SLAVE_LOST, SLAVE_OK, tamper=False),
}
# when (None: before anybody asked), which event, whether it is tampering
Tell = Callable[[float | None, int, bool], None]


class Alarms:
    """The causes that are there now, and what is left of those that were.

    ``tell`` writes the logs.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._causes: set[str] = set()
        self._errors = 0
        self._alarms, self._filters, self._descriptors = [0, 0], [_ALL, _ALL], [0, 0]

    def begin(self, now: float | None, name: str) -> None:
        """Let a cause begin, None: before anybody asked; where it is there, nothing changes."""
        if name in self._causes:
            return
        self._causes.add(name)
        cause = CAUSES[name]
        self._errors |= cause.error
        for place, bits in enumerate(cause.alarms):
            let = bits & self._filters[place]
            self._descriptors[place] |= let & ~self._alarms[place]
            self._alarms[place] |= let
        self._tell(now, cause.begins, cause.tamper)

    def end(self, now: float, name: str) -> None:
        """Let a cause end; its bits stay until they are cleared."""
        if name not in self._causes:
            return
        self._causes.remove(name)
        cause = CAUSES[name]
        if cause.ends is not None:
            self._tell(now, cause.ends, cause.tamper)

    def objects(self) -> Iterator[CosemObject]:
        """Yield all registers."""
        yield CosemObject(1, ERRORS, {2: Attribute(self._errors_read, write=self._clear_errors)})
        for place in range(2):
            yield _register(REGISTERS[place], self._alarms, place, self._clear_alarms(place))
            yield _register(FILTERS[place], self._filters, place, self._set_filter(place))
            yield _register(DESCRIPTORS[place], self._descriptors, place, self._clear(place))

    def _errors_read(self, now: float) -> bytes:
        del now
        return axdr.integer(axdr.U32, self._errors)

    def _clear_errors(self, now: float, value: Value) -> None:
        self._errors = _cleared(self._errors, value)
        for name in self._causes:
            self._errors |= CAUSES[name].error
        self._tell(now, ERRORS_CLEARED, False)

    def _clear_alarms(self, place: int) -> Callable[[float, Value], None]:
        def write(now: float, value: Value) -> None:
            self._alarms[place] = _cleared(self._alarms[place], value)
            for name in self._causes:
                self._alarms[place] |= CAUSES[name].alarms[place] & self._filters[place]
            self._tell(now, ALARMS_CLEARED, False)

        return write

    def _clear(self, place: int) -> Callable[[float, Value], None]:
        def write(now: float, value: Value) -> None:
            del now
            self._descriptors[place] = _cleared(self._descriptors[place], value)

        return write

    def _set_filter(self, place: int) -> Callable[[float, Value], None]:
        def write(now: float, value: Value) -> None:
            del now
            self._filters[place] = value.number(axdr.U32)

        return write


def _cleared(before: int, value: Value) -> int:
    """Return what is left of some bits; a client may clear bits, not set them."""
    wanted = value.number(axdr.U32)
    if wanted & ~before:
        raise BadData("bits that are not set cannot be set")
    return wanted


def _register(
    code: str, held: list[int], place: int, write: Callable[[float, Value], None]
) -> CosemObject:
    def read(now: float) -> bytes:
        del now
        return axdr.integer(axdr.U32, held[place])

    return CosemObject(1, code, {2: Attribute(read, write=write)})
