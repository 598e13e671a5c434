"""Carries APDUs over an open link: the loops that wait, for HDLC and for the wrapper.

Everything that decides is sans-IO in `hdlc` and `wrapper`; here is only reading, writing and the
clock of the link.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from drivers.dlms.hdlc import Hdlc
from drivers.dlms.linkevents import Delivered, Disconnected, Event, Failed, Pushed, Received
from drivers.dlms.negotiation import Connected, HdlcSettings
from drivers.dlms.pushes import Pushes
from drivers.dlms.wrapper import Wrapper
from drivers.errors import GarbledReply, NoReply
from drivers.link import Link
from drivers.metertype import Timing

_QUIET_S = 0.1  # a line on which nothing came for so long is free
_TICK_S = 0.001
_LONGEST_S = 60.0  # an answer that drips in has this long
_DRAIN_S = 2.5  # the longest frame at 9600 Bd


class Transport(Protocol):
    """Carries APDUs to one logical device and back."""

    @property
    def lost(self) -> bool:
        """Whether the link ended under us, so that a new one may help."""

    @property
    def pushed(self) -> list[bytes]:
        """APDUs nobody asked for."""

    def connect(self) -> None:
        """Build the link."""

    def exchange(
        self, apdu: bytes, fits: Callable[[bytes], bool], *, secret: bool = False
    ) -> bytes:
        """Send ``apdu`` and return the first answer that ``fits``."""

    def tell(self, apdu: bytes, *, secret: bool = False) -> None:
        """Send ``apdu``, which has no answer."""

    def receive(self, fits: Callable[[bytes], bool]) -> bytes:
        """Return the next APDU that ``fits`` of a meter that sends several in a row."""

    def disconnect(self) -> bool:
        """Take the link down; False when the meter did not confirm."""


class HdlcTransport:
    """APDUs over an HDLC link."""

    def __init__(self, link: Link, settings: HdlcSettings) -> None:
        self._link = link
        self._hdlc = Hdlc(settings, link.statistics)
        self.lost = False
        self._pushes = Pushes(link.statistics)
        self.agreed: Connected | None = None
        self._events: deque[Event] = deque()

    @property
    def pushed(self) -> list[bytes]:
        """APDUs nobody asked for."""
        return self._pushes.whole

    def connect(self) -> None:
        """Build the link: DISC, SNRM, UA.

        Raises:
            NoReply, GarbledReply, MeterBusy: There is no link.
        """
        self._hdlc.connect(self._link.now())
        while not isinstance(event := self._next(), Connected):
            self._unexpected(event)
        self.agreed = event
        self.lost = False

    def exchange(
        self, apdu: bytes, fits: Callable[[bytes], bool], *, secret: bool = False
    ) -> bytes:
        """Send ``apdu`` and return its answer.

        Raises:
            NoReply, GarbledReply, MeterBusy: There was none; `lost` says whether the link is gone.
        """
        self._hdlc.send(self._link.now(), apdu, secret=secret)
        return self.receive(fits)

    def tell(self, apdu: bytes, *, secret: bool = False) -> None:
        """Send ``apdu`` and wait until the meter has it.

        Raises:
            NoReply, GarbledReply, MeterBusy: It did not confirm.
        """
        self._hdlc.send(self._link.now(), apdu, secret=secret, answered=False)
        while not isinstance(event := self._next(), Delivered):
            self._unexpected(event)

    def receive(self, fits: Callable[[bytes], bool]) -> bytes:
        """Return the next APDU of the meter.

        Raises:
            NoReply, GarbledReply, MeterBusy: There was none; `lost` says whether the link is gone.
        """
        if not (self._events or self._hdlc.busy):
            raise NoReply(0.0)  # the meter has ended its turn
        while not isinstance(event := self._next(), Received):
            self._unexpected(event)
        if not fits(event.apdu):
            # an answer that is eight frames late has the right number: both sides are out of step
            self._link.statistics.discarded += 1
            self.lost = True
            raise GarbledReply("the meter answered another question")
        return event.apdu

    def disconnect(self) -> bool:
        """Send DISC, after the line has gone quiet; return whether the meter confirmed."""
        if self._hdlc.busy:
            self._drain()
        self._hdlc.disconnect(self._link.now())
        while not isinstance(event := self._next(), Disconnected):
            self._unexpected(event)
        return event.confirmed

    def _unexpected(self, event: Event) -> None:
        if isinstance(event, Failed):
            self.lost = event.lost
            raise event.error
        if isinstance(event, Pushed) and not self._pushes.takes(event.apdu):
            self._pushes.foreign()

    def _drain(self) -> None:
        """Let the meter finish its frame: what is sent into it is lost."""
        end = self._link.now() + _DRAIN_S
        while self._link.now() < end and self._link.read(_QUIET_S):
            pass

    def _next(self) -> Event:
        while True:
            for data, secret in self._hdlc.take_output():
                self._link.write(data, secret=secret)
            self._events += self._hdlc.take_events()
            if self._events:
                return self._events.popleft()
            wake = self._hdlc.wake_at()
            if wake is None:
                raise RuntimeError("nothing is awaited")
            data = self._link.read(max(_TICK_S, wake - self._link.now()))
            if data:
                self._hdlc.receive(self._link.now(), data)
            self._hdlc.tick(self._link.now())


class WrapperTransport:
    """APDUs in TCP wrappers.

    Nothing is repeated: the network does that, and a repeated request would be carried out twice.
    """

    def __init__(self, link: Link, client: int, server: int, timing: Timing) -> None:
        self._link = link
        self._wrapper = Wrapper(client, server, link.statistics)
        self._timing = timing
        self.lost = False
        self._pushes = Pushes(link.statistics)
        self._waiting: deque[bytes] = deque()  # APDUs that came in one go with the one before

    @property
    def pushed(self) -> list[bytes]:
        """APDUs nobody asked for."""
        return self._pushes.whole

    def connect(self) -> None:
        """Nothing to build: the connection is the link."""

    def exchange(
        self, apdu: bytes, fits: Callable[[bytes], bool], *, secret: bool = False
    ) -> bytes:
        """Send ``apdu`` and return the first answer that ``fits``; late ones are counted.

        Raises:
            NoReply: None came in time.
            PortUnavailable: The meter closed the connection.
        """
        self._link.statistics.round_trips += 1
        self._link.statistics.discarded += len(self._waiting)
        self._waiting.clear()
        self.tell(apdu, secret=secret)
        return self.receive(fits)

    def tell(self, apdu: bytes, *, secret: bool = False) -> None:
        """Send ``apdu``; nothing tells whether it arrived."""
        self._link.write(self._wrapper.wrap(apdu), secret=secret)

    def receive(self, fits: Callable[[bytes], bool]) -> bytes:
        """Return the next APDU that ``fits``; late ones are counted.

        Raises:
            NoReply: None came in time.
            PortUnavailable: The meter closed the connection.
        """
        link = self._link
        wait = self._timing.reply_s * (self._timing.retries + 1)
        deadline = link.now() + wait
        limit = deadline + _LONGEST_S
        while True:
            while self._waiting:
                answer = self._waiting.popleft()
                if self._pushes.takes(answer):
                    continue
                if fits(answer):
                    return answer
                link.statistics.discarded += 1
            if (left := deadline - link.now()) <= 0:
                break
            data = link.read(left)
            if data:
                deadline = min(max(deadline, link.now() + self._timing.gap_s), limit)
            self._waiting += self._wrapper.feed(data)
        self._wrapper.give_up()
        raise NoReply(wait)

    def disconnect(self) -> bool:
        """Nothing to take down."""
        return True
