"""The TCP wrapper of a virtual meter, and a port that takes it and HDLC alike.  IEC 62056-47.

version 00 01 | source port 2 | destination port 2 | length 2 | APDU
"""

from collections.abc import Callable

from drivers.simulator.device import WireFormat
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.hdlc import Application, HdlcStation
from drivers.simulator.dlms.notices import Notices
from drivers.simulator.dlms.outbox import Outbox

_HEADER = 8
_VERSION = b"\x00\x01"


class WrapperDevice:
    """A `Device` that answers APDUs of ``application`` behind the wrapper.

    What is for another port gets no answer; what does not begin with the version is dropped.
    """

    def __init__(
        self,
        name: str,
        application: Application,
        faults: Faults,
        *,
        port: int = 1,
        reaction_s: float = 0.01,
    ) -> None:
        self.name = name
        self.format = WireFormat(9600, 8, "N")
        self._application = application
        self._faults = faults
        self._notices = Notices(faults)
        self._port = port
        self._reaction_s = reaction_s
        self._held = bytearray()
        self._outbox = Outbox(faults)

    @property
    def inside(self) -> bool:
        """Whether a message has begun."""
        return bool(self._held)

    def receive(self, now: float, data: bytes) -> None:
        """Hear ``data``."""
        if "echo" in self._faults:
            self._outbox.echo(now, data)
        self._held += data
        while self._held:
            if not _VERSION.startswith(bytes(self._held[:2])):
                self._held.clear()
                return
            end = _HEADER + int.from_bytes(self._held[6:8], "big")
            if len(self._held) < max(end, _HEADER):
                return
            self._message(now, bytes(self._held[:end]))
            del self._held[:end]

    def _message(self, now: float, message: bytes) -> None:
        source, destination = message[2:4], message[4:6]
        if int.from_bytes(destination, "big") != self._port:
            return
        client = int.from_bytes(source, "big")
        answer = self._application.answer(now, client, message[_HEADER:])
        if "wrong-source-address" in self._faults:
            destination = (self._port + 1).to_bytes(2, "big")
        late = 10.0 if "every-answer-late" in self._faults else 0.0
        waiting = self._notices.due() if answer else []
        while answer:
            waiting.append(answer)
            answer = self._application.more(client)
        for apdu in waiting:
            head = _VERSION + destination + source + len(apdu).to_bytes(2, "big")
            self._outbox.put(now + self._reaction_s + late, head + apdu)

    def garbled(self, now: float, count: int) -> None:  # noqa: ARG002 (their time does not matter)
        """Hear characters at a wrong speed: a message that has begun is spoilt."""
        if count:
            self._held.clear()

    def wake_at(self) -> float | None:
        """When there will be something to send."""
        return self._outbox.next_at()

    def transmit(self, now: float) -> bytes:
        """Return what starts going out at ``now``."""
        return self._outbox.take(now)

    def sent(self, now: float) -> None:
        """Learn that everything transmitted is out: nothing depends on it."""

    def expected(self) -> dict[str, object]:
        """What a correct reader must find here."""
        return self._application.expected()


class TwoFramings:
    """A `Device` that hears HDLC or the wrapper, as the first octet of each message says.

    ``heard`` is told when characters arrive; the first time is when the meter's clock starts.
    ``keypad`` takes what is typed on the meter itself and returns what its display says.
    """

    def __init__(
        self,
        station: HdlcStation,
        wrapper: WrapperDevice,
        heard: Callable[[float], object],
        keypad: Callable[[float, str], str] | None = None,
    ) -> None:
        self.name = station.name
        self.station = station
        self.wrapper = wrapper
        self._heard = heard
        self._keypad = keypad
        self._wrapped = False

    @property
    def format(self) -> WireFormat:
        """What the device talks with."""
        return self.station.format

    def receive(self, now: float, data: bytes) -> None:
        """Hear ``data``: no HDLC frame begins with 00, every wrapper message does."""
        self._heard(now)
        if not (self.station.inside or self.wrapper.inside):
            self._wrapped = data[:1] == _VERSION[:1]
        (self.wrapper if self._wrapped else self.station).receive(now, data)

    def typed(self, now: float, keys: str) -> str:
        """Take what is typed on the meter's keypad; return what its display says."""
        if self._keypad is None:
            return ""
        self._heard(now)
        return self._keypad(now, keys)

    def garbled(self, now: float, count: int) -> None:
        """Hear characters at a wrong speed."""
        self.station.garbled(now, count)
        self.wrapper.garbled(now, count)

    def wake_at(self) -> float | None:
        """When there will be something to send."""
        times = [self.station.wake_at(), self.wrapper.wake_at()]
        return min((time for time in times if time is not None), default=None)

    def transmit(self, now: float) -> bytes:
        """Return what starts going out at ``now``."""
        return self.station.transmit(now) + self.wrapper.transmit(now)

    def sent(self, now: float) -> None:
        """Learn that everything transmitted is out: nothing depends on it."""

    def expected(self) -> dict[str, object]:
        """What a correct reader must find here."""
        return self.station.expected()
