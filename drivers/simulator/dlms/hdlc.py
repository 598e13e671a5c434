"""The HDLC secondary station of a virtual meter: speaks only when polled.  IEC 62056-46.

Theory of operation.  Normal response mode, unbalanced, two-way alternate.  Frames to another
address, damaged ones, and anything that is no frame get no answer at all::

    heard                             in disconnected mode     in normal response mode
    SNRM with poll                    UA, sizes agreed         UA, the link begins anew
    DISC with poll                    DM                       UA, disconnected
    I, next number                    DM when polled           taken; answered when polled
    I, another number                 DM when polled           dropped; last answer again
    RR                                DM when polled           what is not acknowledged yet, or RR
    RNR                               DM when polled           RR
    unknown, too long, N(R) of a      DM when polled           FRMR, disconnected
    frame never sent
    nothing for the inactivity time                            disconnected

What was sent and not acknowledged is sent again with the same numbers on each poll, so a lost
answer is had by asking again.
"""

from dataclasses import dataclass
from typing import Protocol

from drivers.simulator.device import WireFormat
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.frames import POLL, Address, Frame, FrameCutter
from drivers.simulator.dlms.notices import Notices
from drivers.simulator.dlms.outbox import Outbox

SNRM, DISC, UA, DM, FRMR, UI = 0x83, 0x43, 0x63, 0x0F, 0x87, 0x03
RR, RNR = 0x01, 0x05
BAD_CONTROL, TOO_LONG, BAD_NUMBER = 0x01, 0x04, 0x08  # why a frame is rejected
LLC_IN, LLC_OUT = b"\xe6\xe6\x00", b"\xe6\xe7\x00"
_MODULO = 8
_DEFAULT_INFO = 128
_LONGEST_APDU = 0x10000
_LATE_S, _VERY_LATE_S = 3.0, 10.0
_PUSHED = bytes.fromhex("E6E7000F000000010011 2A".replace(" ", ""))  # data-notification: 42


class Application(Protocol):
    """What answers the APDUs behind a link."""

    def answer(self, now: float, client: int, apdu: bytes) -> bytes:
        """Return the answer to ``apdu`` of ``client``; b"" for none."""

    def more(self, client: int) -> bytes:
        """Return the next APDU of the same turn; b"" when it is over."""

    def hang_up(self, client: int) -> None:
        """Learn that the link to ``client`` is down."""

    def expected(self) -> dict[str, object]:
        """What a correct reader must find."""


@dataclass(frozen=True, slots=True)
class StationSettings:
    """Where the station listens and how much it can take.

    ``lower`` is its physical address; ``upper_alone`` lets it answer to the one-octet form too, as
    on an optical port where there is nobody else.
    """

    upper: int = 1
    lower: int | None = None
    upper_alone: bool = False
    format: WireFormat = WireFormat(9600, 8, "N")  # noqa: RUF009 (frozen)
    max_info: int = 2030
    window: int = 7
    inactivity_s: float = 120.0
    reaction_s: float = 0.025


@dataclass(frozen=True, slots=True)
class Sizes:
    """What was agreed for one link, seen from the meter."""

    send_info: int = _DEFAULT_INFO
    receive_info: int = _DEFAULT_INFO
    send_window: int = 1
    receive_window: int = 1


class HdlcStation:
    """A `Device` that answers APDUs of ``application`` over HDLC."""

    def __init__(
        self, name: str, settings: StationSettings, application: Application, faults: Faults
    ) -> None:
        self.name = name
        self.settings = settings
        self._application = application
        self._faults = faults
        self._notices = Notices(faults)
        self._cutter = FrameCutter()
        self._outbox = Outbox(faults)
        self._client: int | None = None  # None: disconnected mode
        self._heard_at = 0.0
        self._sizes = Sizes()
        self._reset()

    def _reset(self) -> None:
        self._receive_number = 0  # V(R)
        self._oldest = 0  # number of the first frame not acknowledged
        self._in_flight = 0
        # parts of the answer, and whether the APDU goes on; the first has the number _oldest
        self._parts: list[tuple[bytes, bool]] = []
        self._request = bytearray()
        self._apdu: bytes | None = None  # a whole request, not answered yet

    # -- the device --------------------------------------------------------------------------

    @property
    def format(self) -> WireFormat:
        """What the station talks with."""
        return self.settings.format

    @property
    def inside(self) -> bool:
        """Whether a frame has begun."""
        return self._cutter.inside

    def receive(self, now: float, data: bytes) -> None:
        """Hear ``data``, whose last stop bit passed at ``now``."""
        if "echo" in self._faults:
            self._outbox.echo(now, data)
        if self._client is not None and now - self._heard_at > self.settings.inactivity_s:
            self._hang_up()
        for frame in self._cutter.feed(now, data):
            if self._is_mine(frame.destination) and frame.source.lower is None:
                self._heard_at = now
                self._frame(now, frame)

    def garbled(self, now: float, count: int) -> None:  # noqa: ARG002 (their time does not matter)
        """Hear characters at a wrong speed: a frame that has begun is spoilt."""
        if count:
            self._cutter.drop()

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

    # -- frames ------------------------------------------------------------------------------

    def _is_mine(self, address: Address) -> bool:
        if address.upper != self.settings.upper:
            return False
        if address.lower is None:
            return self.settings.lower is None or self.settings.upper_alone
        return address.lower == self.settings.lower

    def _frame(self, now: float, frame: Frame) -> None:
        control = frame.control & ~POLL
        if control == UI:
            return
        if control in {SNRM, DISC}:
            if frame.poll:
                (self._connect if control == SNRM else self._disconnect)(now, frame)
            return
        if self._client != frame.source.upper:
            if frame.poll:
                self._say(now, frame, DM)
            return
        if not control & 1:
            self._information(now, frame)
        elif control & 0x0F in {RR, RNR} and not frame.information:
            self._ready(now, frame, willing=control & 0x0F == RR)
        else:
            self._reject(now, frame, BAD_CONTROL)

    def _connect(self, now: float, frame: Frame) -> None:
        if self._client not in {None, frame.source.upper}:
            self._say(now, frame, DM)  # one link at a time
            return
        self._hang_up()
        self._reset()
        self._sizes = agreed(frame.information, self.settings)
        self._client = frame.source.upper
        self._say(now, frame, UA, parameters(self._sizes))

    def _disconnect(self, now: float, frame: Frame) -> None:
        known = self._client == frame.source.upper
        if known:
            self._hang_up()
        self._say(now, frame, UA if known else DM)

    def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            self._application.hang_up(client)

    def _reject(self, now: float, frame: Frame, reason: int) -> None:
        sending = (self._oldest + self._in_flight) % _MODULO
        numbers = self._receive_number << 5 | sending << 1
        self._hang_up()
        self._say(now, frame, FRMR, bytes([frame.control, numbers, reason]))

    def _acknowledge(self, number: int) -> bool:
        """Take N(R); False when it stands for a frame never sent."""
        done = (number - self._oldest) % _MODULO
        if done > self._in_flight:
            return False
        del self._parts[:done]
        self._in_flight -= done
        self._oldest = number
        return True

    def _information(self, now: float, frame: Frame) -> None:
        if len(frame.information) > self._sizes.receive_info:
            self._reject(now, frame, TOO_LONG)
            return
        if not self._acknowledge(frame.control >> 5):
            self._reject(now, frame, BAD_NUMBER)
            return
        if frame.control >> 1 & 7 == self._receive_number:
            self._receive_number = (self._receive_number + 1) % _MODULO
            self._take(frame)
        if frame.poll:
            self._turn(now, frame)

    def _take(self, frame: Frame) -> None:
        self._parts = []  # a new request: the rest of an old answer is not wanted any more
        self._in_flight = 0
        self._request += frame.information
        if frame.segmented and len(self._request) < _LONGEST_APDU:
            return
        whole = bytes(self._request)
        self._request.clear()
        if whole.startswith(LLC_IN) and not frame.segmented:
            self._apdu = whole[len(LLC_IN) :]

    def _ready(self, now: float, frame: Frame, *, willing: bool) -> None:
        if not self._acknowledge(frame.control >> 5):
            self._reject(now, frame, BAD_NUMBER)
        elif frame.poll and willing:
            self._turn(now, frame)
        elif frame.poll:
            self._supervise(now, frame, RR)

    def _turn(self, now: float, frame: Frame) -> None:
        """Use the turn: send what is owed, or say that there is nothing."""
        client = frame.source.upper
        if self._apdu is not None:
            if self._faults.happens("rnr", 1):
                self._supervise(now, frame, RNR)
                return
            apdu, self._apdu = self._apdu, None
            answer = self._application.answer(now, client, apdu)
            while answer:
                self._parts += self._cut(answer)
                answer = self._application.more(client)
            if self._interrupted(now, frame):
                return
        if self._parts:
            self._send_window(now, frame)
        else:
            self._supervise(now, frame, RR)

    def _cut(self, apdu: bytes) -> list[tuple[bytes, bool]]:
        """Return the parts of an APDU, each with whether more of it follows."""
        whole = (LLC_IN if "wrong-llc" in self._faults else LLC_OUT) + apdu
        size = self._sizes.send_info
        return [
            (whole[at : at + size], at + size < len(whole)) for at in range(0, len(whole), size)
        ]

    def _interrupted(self, now: float, frame: Frame) -> bool:
        """Let a fault end the link in the middle; tell whether it did."""
        if self._faults.happens("dm", 3):
            self._hang_up()
            self._say(now, frame, DM)
            return True
        if self._faults.happens("frmr", 3):
            self._reject(now, frame, BAD_CONTROL)
            return True
        return False

    # -- answers -----------------------------------------------------------------------------

    def _supervise(self, now: float, frame: Frame, kind: int) -> None:
        self._say(now, frame, self._receive_number << 5 | kind)

    def _send_window(self, now: float, frame: Frame) -> None:
        count = min(self._sizes.send_window, len(self._parts))
        self._in_flight = count
        data = b""
        for n in range(count):
            number = (self._oldest + n) % _MODULO
            control = self._receive_number << 5 | number << 1 | (POLL if n == count - 1 else 0)
            one = self._built(frame, control, *self._parts[n])
            data += one * (2 if "repeated-ns" in self._faults else 1)
        if self._faults.happens("lost-frame", 1):
            return
        if self._faults.happens("damaged-fcs", 1):
            data = data[:-2] + bytes([data[-2] ^ 0x20]) + data[-1:]
        at = now + self.settings.reaction_s
        if self._faults.happens("late-answer", 3):
            at += _LATE_S
        if self._faults.happens_every("ui-push", 3):
            self._outbox.put(at, self._built(frame, UI, _PUSHED))
        for block in self._notices.due():
            self._outbox.put(at, self._built(frame, UI, LLC_OUT + block))
        self._put(at, data)

    def _say(self, now: float, frame: Frame, control: int, information: bytes = b"") -> None:
        data = self._built(frame, control | POLL, information)
        self._put(now + self.settings.reaction_s, data)

    def _put(self, at: float, data: bytes) -> None:
        self._outbox.put(at + (_VERY_LATE_S if "every-answer-late" in self._faults else 0), data)

    def _built(
        self, frame: Frame, control: int, information: bytes = b"", segmented: bool = False
    ) -> bytes:
        own = frame.destination
        if "wrong-source-address" in self._faults:
            if own.lower is None:
                own = Address(own.upper + 1)
            else:
                own = Address(own.upper, own.lower + 1, own.width)
        return Frame(frame.source, own, control, information, segmented).octets()


def parameters(sizes: Sizes) -> bytes:
    """Return the information field of a UA: 5, 6 lengths, 7, 8 windows; sending, receiving."""
    items = b""
    for number, length in ((5, sizes.send_info), (6, sizes.receive_info)):
        size = 1 if length < 0x100 else 2  # noqa: PLR2004 (octets)
        items += bytes([number, size]) + length.to_bytes(size, "big")
    for number, window in ((7, sizes.send_window), (8, sizes.receive_window)):
        items += bytes([number, 4]) + window.to_bytes(4, "big")
    return b"\x81\x80" + bytes([len(items)]) + items


def agreed(information: bytes, settings: StationSettings) -> Sizes:
    """Return the sizes for an SNRM; what the client receives limits what the meter sends.

    An information field of another form counts as none: the defaults hold.
    """
    asked = {5: _DEFAULT_INFO, 6: _DEFAULT_INFO, 7: 1, 8: 1}
    if information[:2] == b"\x81\x80" and information[2:3] == bytes([len(information) - 3]):
        at = 3
        while at + 1 < len(information):
            size = information[at + 1]
            number = int.from_bytes(information[at + 2 : at + 2 + size], "big")
            if number and information[at] in asked:
                asked[information[at]] = number
            at += 2 + size
    return Sizes(
        send_info=min(asked[6], settings.max_info),
        receive_info=min(asked[5], settings.max_info),
        send_window=min(asked[8], settings.window),
        receive_window=min(asked[7], settings.window),
    )
