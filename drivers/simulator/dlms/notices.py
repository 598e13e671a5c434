"""What a virtual meter says unasked that is too long for one APDU, cut into general blocks.

    E0 | control | block number 2 | acknowledged 2 | length | data
    control: 80 the last block, 40 more follow; a window of 0, because nobody acknowledges them

The notification is a structure of two: the logical name of the push set-up, and the profile that it
sends, an array of numbers.
"""

from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.general_blocks import LAST, STREAMING, TAG

VALUES = range(1, 41)
_SETUP = bytes((0, 1, 25, 9, 0, 255))
_SIZE = 48  # octets of data in one block
_EVERY = 3
_SECOND = 2


class Notices:
    """Counts the answers of one meter and tells what goes out before one of them."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._invoked = 0

    def due(self) -> list[bytes]:
        """Return the blocks that go out before the answer that is being sent."""
        gap = self._faults.happens_every("gbt-push-gap", _EVERY)
        if not (gap or self._faults.happens_every("gbt-push", _EVERY)):
            return []
        self._invoked += 1
        blocks = in_blocks(notification(self._invoked))
        return [one for number, one in enumerate(blocks, 1) if not (gap and number == _SECOND)]


def notification(invoked: int) -> bytes:
    """Return a data-notification without a time."""
    numbers = b"".join(b"\x06" + number.to_bytes(4, "big") for number in VALUES)
    array = b"\x01" + axdr.length(len(VALUES)) + numbers
    return b"\x0f" + invoked.to_bytes(4, "big") + b"\x00\x02\x02\x09\x06" + _SETUP + array


def in_blocks(apdu: bytes) -> list[bytes]:
    """Return ``apdu`` in general blocks."""
    parts = [apdu[at : at + _SIZE] for at in range(0, len(apdu), _SIZE)]
    blocks = []
    for number, part in enumerate(parts, 1):
        control = LAST if number == len(parts) else STREAMING
        head = bytes((TAG, control)) + number.to_bytes(2, "big") + bytes(2)
        blocks.append(head + axdr.length(len(part)) + part)
    return blocks
