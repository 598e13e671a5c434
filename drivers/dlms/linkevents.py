"""What a data link tells: an APDU has come, one was delivered, the link stands or is gone."""

from dataclasses import dataclass

from drivers.dlms.negotiation import Connected
from drivers.errors import DriverError


@dataclass(frozen=True, slots=True)
class Received:
    """A whole APDU, all its segments joined."""

    apdu: bytes


@dataclass(frozen=True, slots=True)
class Delivered:
    """The meter has an APDU that has no answer."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """An APDU nobody asked for, in a UI frame."""

    apdu: bytes


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The link is down; ``confirmed`` when the meter said so."""

    confirmed: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """The exchange is over without an answer; ``lost`` when a new link may help."""

    error: DriverError
    lost: bool = False


Event = Connected | Received | Delivered | Pushed | Disconnected | Failed
