"""Switching a customer's supply: what is asked of the switch, and what its mode allows.

Meters that can be switched have the method of `SwitchesSupply` beside those of
`drivers.meter.Meter`.
"""

from enum import StrEnum
from typing import Protocol, runtime_checkable

from drivers.values import RelayReading


class Switching(StrEnum):
    """What to do with the supply."""

    OPEN = "open"  # disconnect
    CLOSE = "close"  # connect
    ARM = "arm"  # let the customer connect with the meter's button


CONNECTS_AT_ONCE = frozenset({2, 4})  # modes in which a remote reconnection connects
ARMS = frozenset({1, 3, 5, 6})  # modes in which it waits for the button
NEVER_SWITCHES = 0

MODES = {
    0: "never switched",
    1: "remotely, by hand and locally off; remotely enabled, then by hand on",
    2: "remotely, by hand and locally off; remotely on",
    3: "remotely and locally off; remotely enabled, then by hand on",
    4: "remotely and locally off; remotely on",
    5: "remotely, by hand and locally off; enabled remotely or locally, then by hand on",
    6: "remotely and locally off; enabled remotely or locally, then by hand on",
}


def hindrance(action: Switching, mode: int) -> str:
    """Return why a switch in this mode cannot do that, "" when it can."""
    if mode == NEVER_SWITCHES:
        return "the supply switch is set never to switch (mode 0)"
    if action is Switching.CLOSE and mode in ARMS:
        return f"in mode {mode} the customer connects with the button; arm the switch instead"
    if action is Switching.ARM and mode in CONNECTS_AT_ONCE:
        return f"in mode {mode} enabling would connect the supply at once; close it instead"
    return ""


@runtime_checkable
class SwitchesSupply(Protocol):
    """A meter whose supply switch can be operated over the wire."""

    def switch(self, action: Switching) -> RelayReading:
        """Operate the switch, once, and return what reads back.

        Raises:
            NotSupported: The mode does not allow it, or there is no switch; nothing was sent.
            ValueRefused: The meter refused, or the switch did not follow.
            AccessDenied: This client may not switch.
        """
