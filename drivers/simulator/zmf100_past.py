"""What has happened to a virtual ZMF100 before it is read, and what is wrong with its voltages."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from drivers.simulator import past
from drivers.simulator.household import Outage
from drivers.simulator.meterclock import Zone
from drivers.simulator.model import (
    CALENDAR_SET,
    FIRMWARE_ACTIVATED,
    NEW_TIME,
    OLD_TIME,
    PARAMETERS_CHANGED,
    Event,
)

OUTAGES = ((2, 10, 41, 227), (16, 7, 14, 9), (58, 13, 33, 84), (170, 15, 2, 41), (301, 9, 20, 6))
DISTURBED = {"undervoltage": (0, 195.0), "overvoltage": (1, 262.0), "phase-lost": (2, 0.0)}
LONG_OUTAGE = (11, 6, 12, 8 * 1440 + 47)  # longer than the clock runs without supply


def events(born: datetime, zone: Zone, outages: Sequence[Outage]) -> list[Event]:
    """Return what the standard log holds."""
    installed = past.daily(born, 380, 8, 15)
    return [
        *past.outage_events(outages),
        *past.summer_time_events(zone, born),
        Event(installed, FIRMWARE_ACTIVATED),
        Event(installed + timedelta(minutes=4), CALENDAR_SET),
        Event(installed + timedelta(minutes=6), PARAMETERS_CHANGED),
        Event(installed + timedelta(minutes=9), OLD_TIME),
        Event(installed + timedelta(minutes=9, seconds=31), NEW_TIME),
    ]
