"""The HDLC data link of a DLMS client: bytes and time in, bytes and events out, no I/O.

The client polls and the meter answers (normal response mode, two-way alternate).  One exchange:

    client   I N(S) P ................ RR P .......... (next request: I)
    meter    ........ I segment F ........... I last F

Every frame must carry both addresses of this link; anything else is counted and dropped, so that a
late answer of another meter is never booked here.  A retry sends the very same bytes.  REJ, FRMR
and DM end the link: `Failed` with ``lost`` tells the caller to build a new one.
Source: IEC 62056-46, clauses 5 and 6.
"""

from collections.abc import Callable, Iterable
from enum import Enum, auto

from drivers.dlms.frames import Deframer, Frame
from drivers.dlms.generalblocks import followed
from drivers.dlms.linkevents import Delivered, Disconnected, Event, Failed, Pushed, Received
from drivers.dlms.negotiation import (
    DEFAULT_INFO,
    FRAME_MAX,
    Connected,
    HdlcSettings,
    limits,
    proposal,
)
from drivers.errors import DriverError, GarbledReply, MeterBusy, NoReply
from drivers.values import Statistics

_APDU_MAX = 0x11000  # a PDU has at most 65,535 octets; more is a meter that never ends
_POLL = 0x10
_RR, _RNR, _REJ = 0x01, 0x05, 0x09
_SNRM, _DISC, _UA, _DM, _FRMR, _UI = 0x83, 0x43, 0x63, 0x0F, 0x87, 0x03
_LLC_OUT = b"\xe6\xe6\x00"
_LLC_IN = b"\xe6\xe7\x00"
_LLC = len(_LLC_IN)
_POLL_PAUSE = 0.2  # s between two questions to a meter that is not ready
_CLEAR_S = 1.0  # longest wait for the answer to the DISC that clears a stale link
_SEQUENCE = 8
_TICK_S = 1e-6  # times are floats: a deadline may be missed by a rounding


class _State(Enum):
    DOWN = auto()
    CLEARING = auto()
    CONNECTING = auto()
    IDLE = auto()
    EXCHANGE = auto()
    LEAVING = auto()


class Hdlc:
    """One data link.  Call `receive` with what arrives and `tick` when `wake_at` has passed."""

    def __init__(self, settings: HdlcSettings, statistics: Statistics) -> None:
        self.settings = settings
        self._statistics = statistics
        self._state = _State.DOWN
        self._deframer = Deframer()
        self._output: list[tuple[bytes, bool]] = []
        self._events: list[Event] = []
        self._last: list[tuple[bytes, bool]] = []  # what a retry repeats
        self._attempts = 0
        self._deadline: float | None = None
        self._limit = 0.0  # a deadline is never moved past this
        self._poll_at: float | None = None
        self._patience = 0.0
        self._parameters = settings.parameters
        self._damaged = False
        self._agreed = Connected(DEFAULT_INFO, 1, DEFAULT_INFO, 1)
        self._next_send = 0  # V(S): number of the first frame not yet acknowledged
        self._next_receive = 0  # V(R)
        self._parts: list[bytes] = []  # of the APDU being sent; the first is not acknowledged
        self._in_flight = 0
        self._secret = False
        self._answered = True  # whether the APDU being sent has an answer
        self._segments: list[bytes] = []
        self._collected = 0  # octets in the segments

    # --- what the caller does ---------------------------------------------------------------

    def connect(self, now: float) -> None:
        """Build the link: DISC where wanted, then SNRM."""
        self._parameters = self.settings.parameters
        if self.settings.clear_first:
            self._say(now, _State.CLEARING, [self._unnumbered(_DISC)])
            self._deadline = min(self._deadline or now, now + self._wire_s() + _CLEAR_S)
        else:
            self._send_snrm(now)

    def send(self, now: float, apdu: bytes, *, secret: bool = False, answered: bool = True) -> None:
        """Send one APDU; its answer comes as `Received`, or `Delivered` where none is due."""
        if self._state is not _State.IDLE:
            raise RuntimeError(f"cannot send while {self._state.name}")
        whole = _LLC_OUT + apdu
        size = self._agreed.send_info
        self._parts = [whole[at : at + size] for at in range(0, len(whole), size)]
        self._segments = []
        self._collected = 0
        self._secret = secret
        self._answered = answered
        self._patience = 0.0
        self._statistics.round_trips += 1
        self._send_window(now)

    def disconnect(self, now: float) -> None:
        """Take the link down from whatever state it is in."""
        self._parts = []
        self._segments = []
        self._say(now, _State.LEAVING, [self._unnumbered(_DISC)])

    @property
    def busy(self) -> bool:
        """Whether an answer is still owed, so that the meter may be talking."""
        return self._state is _State.EXCHANGE

    def wake_at(self) -> float | None:
        """When `tick` wants to be called; None while nothing is awaited."""
        return self._deadline if self._poll_at is None else self._poll_at

    def take_output(self) -> list[tuple[bytes, bool]]:
        """Return the frames to write now, each with whether it carries a secret."""
        output, self._output = self._output, []
        return output

    def take_events(self) -> list[Event]:
        """Return what has happened since the last call."""
        events, self._events = self._events, []
        return events

    # --- what happens to it -----------------------------------------------------------------

    def receive(self, now: float, data: bytes) -> None:
        """Take in ``data``, which has arrived by ``now``."""
        before = self._deframer.discarded
        self._handle(now, self._deframer.feed(data), before)
        if self._deadline is not None and self._deframer.inside:
            self._deadline = min(
                max(self._deadline, now + self.settings.gap_s), max(self._limit, self._deadline)
            )

    def tick(self, now: float) -> None:
        """Act on a deadline that has passed: look again, ask again, or give up."""
        if self._poll_at is not None and now >= self._poll_at - _TICK_S:
            self._poll_at = None
            self._send_rr(now)
            return
        if self._deadline is None or now < self._deadline - _TICK_S:
            return
        deadline = self._deadline
        self._handle(now, self._deframer.give_up(), self._deframer.discarded)
        if self._deadline == deadline:
            self._silence(now)

    def _handle(self, now: float, frames: Iterable[Frame], discarded_before: int) -> None:
        damaged = self._deframer.discarded - discarded_before
        self._statistics.discarded += damaged
        self._damaged |= damaged > 0
        for frame in frames:
            self._frame(now, frame)

    def _silence(self, now: float) -> None:
        self._attempts += 1
        if self._state is _State.CLEARING:
            self._send_snrm(now)
        elif self._state is _State.LEAVING and self._attempts > 1:
            self._stop(Disconnected(confirmed=False))
        elif self._attempts <= self.settings.retries:
            self._statistics.resends += 1
            self._repeat(now)
        elif self._state is _State.CONNECTING and self._parameters:
            self._parameters = False  # some meters do not answer an SNRM with parameters
            self._send_snrm(now)
            self._attempts = self.settings.retries
        else:
            self._stop(Failed(self._no_answer(), lost=self._state is _State.EXCHANGE))

    def _no_answer(self) -> DriverError:
        if self._damaged:
            return GarbledReply("only damaged frames arrived", "noise")
        hint = "echo" if self._statistics.echo_seen else ""
        return NoReply(self.settings.reply_s * (self.settings.retries + 1), hint)

    def _frame(self, now: float, frame: Frame) -> None:
        ours = self.settings
        if (frame.destination, frame.source) != (ours.client, ours.server):
            echo = (frame.destination, frame.source) == (ours.server, ours.client)
            self._statistics.echo_seen |= echo
            self._statistics.discarded += 1
            return
        control = frame.control & ~_POLL
        if control == _UI:
            self._events.append(Pushed(self._without_llc(frame.information)))
        elif self._state in {_State.CLEARING, _State.CONNECTING, _State.LEAVING}:
            self._link_frame(now, control, frame)
        elif self._state is not _State.EXCHANGE:
            self._statistics.discarded += 1  # late, or after the end
        elif not frame.control & 1:
            self._information(now, frame)
        elif control & 0x0F in {_RR, _RNR}:
            self._acknowledged(now, frame)
        elif control & 0x0F == _REJ or control in {_FRMR, _DM}:
            name = {_DM: "DM", _FRMR: "FRMR"}.get(control, "REJ")
            self._stop(Failed(GarbledReply(f"the meter ended the link ({name})"), lost=True))
        else:
            self._statistics.discarded += 1

    def _link_frame(self, now: float, control: int, frame: Frame) -> None:
        if self._state is _State.LEAVING and control in {_UA, _DM}:
            self._stop(Disconnected(confirmed=True))
        elif self._state is _State.CLEARING and control in {_UA, _DM}:
            self._send_snrm(now)
        elif self._state is _State.CONNECTING and control == _UA:
            self._connected(frame.information)
        elif self._state is _State.CONNECTING and control in {_DM, _FRMR}:
            if not self._parameters:
                self._stop(Failed(MeterBusy("the meter refuses the link")))
                return
            self._parameters = False
            self._send_snrm(now)
        else:
            self._statistics.discarded += 1

    def _connected(self, information: bytes) -> None:
        theirs = limits(information)
        ours = self.settings
        self._agreed = Connected(
            send_info=min(theirs.get(6, DEFAULT_INFO), max(ours.max_info, DEFAULT_INFO)),
            send_window=min(theirs.get(8, 1), ours.window),
            receive_info=theirs.get(5, DEFAULT_INFO),
            receive_window=theirs.get(7, 1),
        )
        self._next_send = self._next_receive = 0
        self._stop(self._agreed, _State.IDLE)

    # --- numbered frames --------------------------------------------------------------------

    def _acknowledge(self, number: int) -> bool:
        """Take N(R) of a frame; False when it acknowledges what was never sent."""
        done = (number - self._next_send) % _SEQUENCE
        if done > self._in_flight:
            return False
        del self._parts[:done]
        self._in_flight -= done
        self._next_send = number
        return True

    def _acknowledged(self, now: float, frame: Frame) -> None:
        before = len(self._parts)
        if not self._acknowledge(frame.control >> 5):
            self._statistics.discarded += 1
            return
        if not frame.final:
            return
        ready = frame.control & 0x0F == _RR
        if ready and self._parts:
            if len(self._parts) == before:
                self._again(now, self._send_window)  # it took none of them: the same bytes
            else:
                self._send_window(now)
            return
        if ready and not self._answered:
            self._stop(Delivered(), _State.IDLE)
            return
        budget = self.settings.reply_s * (self.settings.retries + 1)
        self._patience = self._patience or now + budget
        if now >= self._patience:
            self._stop(Failed(MeterBusy("the meter is not ready"), lost=True))
        else:
            self._poll_at = now + _POLL_PAUSE

    def _information(self, now: float, frame: Frame) -> None:
        ahead = ((frame.control >> 1) - self._next_receive) % _SEQUENCE
        if ahead or not self._acknowledge(frame.control >> 5) or self._parts:
            self._statistics.discarded += 1
            if 0 < ahead < self._agreed.receive_window and frame.final and not self._parts:
                self._again(now, self._send_rr)  # one in the middle of its window was lost
            return
        self._next_receive = (self._next_receive + 1) % _SEQUENCE
        self._segments.append(frame.information)
        self._collected += len(frame.information) + 1
        self._patience = 0.0
        if self._collected > _APDU_MAX:
            self._stop(Failed(GarbledReply("an answer without an end"), lost=True))
        elif not frame.segmented:
            self._whole(now, final=frame.final)
        elif frame.final:
            self._send_rr(now)
        else:
            self._wait(now, 0)

    def _whole(self, now: float, *, final: bool) -> None:
        """Hand an APDU on, and go on listening where it says that another one follows."""
        apdu = self._without_llc(b"".join(self._segments))
        self._segments = []
        self._collected = 0
        if not followed(apdu):
            self._stop(Received(apdu), _State.IDLE)
            return
        self._events.append(Received(apdu))
        if final:
            self._send_rr(now)
        else:
            self._wait(now, 0)

    def _again(self, now: float, say: Callable[[float], None]) -> None:
        """Say something that counts as a retry."""
        attempts = self._attempts + 1
        if attempts > self.settings.retries:
            self._stop(Failed(GarbledReply("frames keep getting lost"), lost=True))
            return
        self._statistics.resends += 1
        say(now)
        self._attempts = attempts

    def _without_llc(self, information: bytes) -> bytes:
        head = information[:_LLC]
        if head == _LLC_OUT:
            remark = "the meter sends the client's LLC bytes"
            if remark not in self._statistics.remarks:
                self._statistics.remarks.append(remark)
        elif head != _LLC_IN:
            return information
        return information[_LLC:]

    # --- sending ----------------------------------------------------------------------------

    def _send_window(self, now: float) -> None:
        count = min(self._agreed.send_window, len(self._parts))
        frames = []
        for n in range(count):
            number = (self._next_send + n) % _SEQUENCE
            control = self._next_receive << 5 | number << 1 | (_POLL if n == count - 1 else 0)
            segmented = n + 1 < len(self._parts)
            frames.append(self._framed(control, self._parts[n], segmented=segmented))
        self._in_flight = count
        self._say(now, _State.EXCHANGE, frames, secret=self._secret)

    def _send_rr(self, now: float) -> None:
        control = self._next_receive << 5 | _RR | _POLL
        self._say(now, _State.EXCHANGE, [self._framed(control)])

    def _send_snrm(self, now: float) -> None:
        information = proposal(self.settings) if self._parameters else b""
        self._say(now, _State.CONNECTING, [self._framed(_SNRM | _POLL, information)])

    def _unnumbered(self, control: int) -> bytes:
        return self._framed(control | _POLL)

    def _framed(self, control: int, information: bytes = b"", *, segmented: bool = False) -> bytes:
        ours = self.settings
        return Frame(ours.server, ours.client, control, information, segmented).encode()

    def _say(self, now: float, state: _State, frames: list[bytes], *, secret: bool = False) -> None:
        self._state = state
        self._last = [(frame, secret) for frame in frames]
        self._attempts = 0
        self._damaged = False
        self._repeat(now)

    def _repeat(self, now: float) -> None:
        self._output += self._last
        self._wait(now, self._wire_s())

    def _wire_s(self) -> float:
        return sum(len(frame) for frame, _ in self._last) * self.settings.character_s

    def _wait(self, now: float, sending_s: float) -> None:
        self._poll_at = None
        self._deadline = now + sending_s + self.settings.reply_s
        longest = (FRAME_MAX + 20) * self.settings.character_s * self._agreed.receive_window
        self._limit = self._deadline + self.settings.gap_s + longest

    def _stop(self, event: Event, state: _State = _State.DOWN) -> None:
        self._state = state
        self._deadline = self._poll_at = None
        self._events.append(event)
