"""Loading firmware into a meter: blocks, what is missing, verification, activation.

Meters that take it have the method of `TakesFirmware` beside those of `drivers.meter.Meter`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable


class LoadStage(StrEnum):
    """What is going on."""

    SENDING = "sending"
    VERIFYING = "verifying"
    VERIFIED = "verified"
    ACTIVATING = "activating"
    ACTIVATED = "activated"


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """How far the transfer is; ``resumed`` blocks were there from an earlier attempt."""

    stage: LoadStage
    done: int = 0
    total: int = 0
    resumed: int = 0


@runtime_checkable
class TakesFirmware(Protocol):
    """A meter that takes an image over the wire."""

    def load_firmware(
        self, identifier: bytes, image: bytes, *, activate: bool = True
    ) -> Iterator[LoadProgress]:
        """Send what the meter still lacks of ``image``, have it verified, and activate it.

        A transfer of the same image that was interrupted goes on where it ended.

        Raises:
            NotSupported: The meter takes no image, or not this way; nothing was sent.
            ValueRefused: It refused a block, the image, or its activation.
        """
