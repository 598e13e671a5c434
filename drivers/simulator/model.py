"""What happens to a virtual meter: its event logs and its supply switch."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

EVENTS = {
    1: "Power down",
    2: "Power up",
    3: "Daylight saving time enabled or disabled",
    4: "Clock adjusted (old date/time)",
    5: "Clock adjusted (new date/time)",
    6: "Clock invalid",
    7: "Replace battery",
    9: "TOU activated (passive calendar became active)",
    10: "Error register cleared",
    11: "Alarm register cleared",
    17: "Firmware ready for activation",
    18: "Firmware activated",
    19: "Passive TOU programmed",
    40: "Terminal cover removed",
    41: "Terminal cover closed",
    42: "Strong DC (magnetic) field detected",
    43: "No strong DC field any more",
    44: "Meter cover removed",
    45: "Meter cover closed",
    46: "Association authentication failure (n times wrong password)",
    47: "One or more parameters changed",
    52: "Unexpected consumption (current flows while disconnector is open)",
    59: "Disconnector ready for manual reconnection",
    60: "Manual disconnection",
    61: "Manual connection",
    62: "Remote disconnection",
    63: "Remote connection",
    64: "Local disconnection (by the meter itself)",
    65: "Limiter threshold exceeded",
    66: "Limiter threshold OK",
    67: "Limiter threshold changed",
    69: "Local reconnection",
    70: "Supervision monitor 1 threshold exceeded",
    71: "Supervision monitor 1 threshold OK",
    76: "Undervoltage L1",
    80: "Overvoltage L2",
    84: "Missing voltage L3",
    85: "Voltage L1 normal",
    86: "Voltage L2 normal",
    87: "Voltage L3 normal",
    89: "Missing neutral",
    91: "Current reversal (unexpected energy export)",
    100: "M-Bus channel 1: communication error",
    101: "M-Bus channel 1: communication OK",
}
POWER_DOWN, POWER_UP, SUMMER_TIME, OLD_TIME, NEW_TIME = 1, 2, 3, 4, 5
FIRMWARE_ACTIVATED, CALENDAR_SET, PARAMETERS_CHANGED = 18, 19, 47
CALENDAR_ACTIVE = 9
COVER_OFF, COVER_ON, MAGNET, MAGNET_GONE, WRONG_PASSWORD = 44, 45, 42, 43, 46
READY, MANUAL_OFF, MANUAL_ON, REMOTE_OFF, REMOTE_ON = 59, 60, 61, 62, 63
LOCAL_OFF, LOCAL_ON = 64, 69
CLOCK_LOST, BATTERY, ERRORS_CLEARED, ALARMS_CLEARED = 6, 7, 10, 11
TERMINALS_OPEN, TERMINALS_CLOSED = 40, 41
BYPASS, NEUTRAL_MISSING, REVERSED = 52, 89, 91
LIMIT_OVER, LIMIT_UNDER, LIMIT_CHANGED = 65, 66, 67
DEMAND_OVER, DEMAND_OK = 70, 71
UNDERVOLTAGE_L1, OVERVOLTAGE_L2, MISSING_L3 = 76, 80, 84
NORMAL_L1, NORMAL_L2, NORMAL_L3 = 85, 86, 87
SLAVE_LOST, SLAVE_OK, SLAVE_INSTALLED = 100, 101, 105
SLAVE_EVENTS = 10  # from one channel to the next


@dataclass(frozen=True, slots=True)
class Event:
    """One row of a log."""

    time: datetime
    code: int


class EventLog:
    """The latest ``capacity`` events, the oldest first."""

    def __init__(self, capacity: int, events: Iterable[Event] = ()) -> None:
        self.capacity = capacity
        ordered = sorted(events, key=lambda event: event.time)
        self._events = deque(ordered, maxlen=capacity)

    def add(self, time: datetime, code: int) -> None:
        """Write an event; the oldest goes when the log is full."""
        self._events.append(Event(time, code))

    def events(self) -> tuple[Event, ...]:
        """Return what the log holds."""
        return tuple(self._events)


class Mode(IntEnum):
    """How the supply switch is operated, numbered as the disconnect control class does."""

    LOCAL = 1  # the customer's button connects and disconnects; remotely only disconnection
    REMOTE = 3  # remotely disconnected and enabled; then the customer presses the button
    DIRECT = 4  # remotely disconnected and connected; prepayment


class SwitchState(IntEnum):
    """What the control of the supply switch says."""

    DISCONNECTED = 0
    CONNECTED = 1
    READY = 2


STATE_WORDS = {
    SwitchState.DISCONNECTED: "disconnected",
    SwitchState.CONNECTED: "connected",
    SwitchState.READY: "ready for reconnection",
}


class Disconnector:
    """The supply switch with the rules of its mode; every change is told to ``changed``."""

    def __init__(self, mode: Mode, changed: Callable[[float, int], None]) -> None:
        self.mode = mode
        self.state = SwitchState.CONNECTED
        self._changed = changed

    @property
    def output(self) -> bool:
        """Whether the customer has supply."""
        return self.state is SwitchState.CONNECTED

    def disconnect(self, now: float) -> bool:
        """Disconnect remotely; allowed in every mode."""
        if self.state is not SwitchState.DISCONNECTED:
            self._to(now, SwitchState.DISCONNECTED, REMOTE_OFF)
        return True

    def reconnect(self, now: float) -> bool:
        """Reconnect or enable remotely; False where the mode does not allow it."""
        if self.mode is Mode.LOCAL:
            return False
        if self.state is SwitchState.DISCONNECTED:
            if self.mode is Mode.REMOTE:
                self._to(now, SwitchState.READY, READY)
            else:
                self._to(now, SwitchState.CONNECTED, REMOTE_ON)
        return True

    def act_by_itself(self, now: float, *, connect: bool) -> None:
        """Connect or disconnect by the meter's own rules: credit, tamper, a test of the switch."""
        wanted = SwitchState.CONNECTED if connect else SwitchState.DISCONNECTED
        if self.state is not wanted:
            self._to(now, wanted, LOCAL_ON if connect else LOCAL_OFF)

    def press(self, now: float) -> bool:
        """Press the customer's button; False where it has no effect."""
        if self.mode is Mode.LOCAL and self.output:
            self._to(now, SwitchState.READY, MANUAL_OFF)
            return True
        if self.state is SwitchState.READY or (self.mode is Mode.LOCAL and not self.output):
            self._to(now, SwitchState.CONNECTED, MANUAL_ON)
            return True
        return False

    def _to(self, now: float, state: SwitchState, code: int) -> None:
        self.state = state
        self._changed(now, code)
