"""Meters behind a gateway: each APDU carries the network and the address of the meter meant.

    E6 (to the meter) or E7 (from it) | network id | length | physical address | APDU

Source: IEC 62056-5-3 and the companion document on gateways (one prefix for every service).
"""

from collections.abc import Callable

from drivers.dlms.transport import Transport
from drivers.errors import GarbledReply

_TO, _FROM = 0xE6, 0xE7
_HEAD = 3


class GatewayTransport:
    """A transport whose APDUs go through a gateway to one meter behind it."""

    def __init__(self, inner: Transport, network: int, address: bytes) -> None:
        self._inner = inner
        self._place = bytes((network, len(address))) + address

    @property
    def lost(self) -> bool:
        """Whether the link has ended under us."""
        return self._inner.lost

    @property
    def pushed(self) -> list[bytes]:
        """APDUs nobody asked for, as the gateway hands them on."""
        return self._inner.pushed

    def connect(self) -> None:
        """Build the link to the gateway."""
        self._inner.connect()

    def exchange(
        self, apdu: bytes, fits: Callable[[bytes], bool], *, secret: bool = False
    ) -> bytes:
        """Send ``apdu`` to the meter and return its answer without the prefix.

        Raises:
            GarbledReply: The gateway answers for itself, or for another meter.
        """
        answer = self._inner.exchange(self._sent(apdu), self._ours(fits), secret=secret)
        return answer[len(self._place) + 1 :]

    def tell(self, apdu: bytes, *, secret: bool = False) -> None:
        """Send ``apdu``, which has no answer, to the meter."""
        self._inner.tell(self._sent(apdu), secret=secret)

    def receive(self, fits: Callable[[bytes], bool]) -> bytes:
        """Return the next APDU of the meter without the prefix.

        Raises:
            GarbledReply: The gateway answers for itself, or for another meter.
        """
        return self._inner.receive(self._ours(fits))[len(self._place) + 1 :]

    def _sent(self, apdu: bytes) -> bytes:
        return bytes((_TO,)) + self._place + apdu

    def _ours(self, fits: Callable[[bytes], bool]) -> Callable[[bytes], bool]:
        head = bytes((_FROM,)) + self._place

        def ours(answer: bytes) -> bool:
            if answer.startswith(head):
                return fits(answer[len(head) :])
            if answer[:1] != head[:1] or len(answer) < _HEAD:
                raise GarbledReply("the gateway answers without naming the meter behind it")
            return False  # late, of another meter

        return ours

    def disconnect(self) -> bool:
        """Take the link to the gateway down."""
        return self._inner.disconnect()
