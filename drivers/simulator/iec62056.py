"""The optical port of a virtual meter: sign-on, speed switch, readout, and the way into HDLC.

Theory of operation.  The port rests at 300 Bd 7E1.  It leaves rest by a request message and comes
back to it at the end of every dialogue, after too long a silence, and after a break::

    state        what is heard                       what follows
    rest         / ? [address] ! CR LF               identification line -> choice
    choice       ACK 0 Z 0 CR LF  (not too early)    speed Z, readout -> heard out
                 ACK 2 Z 2 CR LF                     speed Z 8N1, HDLC station  -> hdlc
                 ACK 0 Z 1 CR LF                     speed Z, P0 -> programming; a break -> rest
                                                     where the meter offers no programming
                 ACK 0 Z 6 to ACK 0 Z 9 CR LF        readout at 300 Bd: the maker's own modes, of
                                                     which this meter has none
                 nothing for 1.5 s                   readout at 300 Bd (as mode A)
    heard out    NAK                                 the readout once more
                 nothing for 1.5 s                   -> rest
    programming  commands (not too early)            what `ProgrammingMode` answers
                 B0, or 60 s of silence              -> rest
    hdlc         frames                              the inner station's business
                 DISC answered, or 30 s of silence   -> rest

A mode A or B meter goes from the identification straight to its readout, B after its speed switch.
Characters with wrong parity, or sent at another speed, spoil the message they stand in.

The timing limits are those of the driver notes.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from drivers.simulator.device import Device, WireFormat
from drivers.simulator.iecfaults import (
    FAULTS,
    LATE,
    NOISE,
    block_check,
    on_the_wire,
    pieces,
    spoilt,
    with_parity,
)
from drivers.simulator.linkwatch import LinkWatch
from drivers.simulator.programming import ProgrammingMode

__all__ = ["FAULTS", "OpticalPort", "block_check", "framed", "with_parity"]

ACK, NAK, SOH, STX, ETX = 0x06, 0x15, 0x01, 0x02, 0x03
SPEEDS = {c: 300 << n for n, c in enumerate("0123456")}
SPEEDS |= {c: 600 << n for n, c in enumerate("ABCDEF")}
REST = WireFormat(300, 7, "E")
CHOICE_LIMIT = 1.5  # s, longest wait for the option select
HDLC_FIRST = 5.0  # s, longest wait for the first frame after the speed switch
PROGRAMMING_IDLE = 60.0  # s without a command, after which the port rests again
HDLC_IDLE = 30.0  # s without a frame, after which the port rests again
_READOUTS = "06789"  # what is not followed brings the list at the first speed, as silence does
OPTION_SELECT = 6  # characters of ACK V Z Y CR LF
LONGEST_REQUEST = 64  # characters; noise never fills the memory


class State(Enum):
    """Where the dialogue stands; see the module's theory of operation."""

    REST = auto()
    CHOICE = auto()
    HEARD_OUT = auto()
    PROGRAMMING = auto()
    HDLC = auto()


@dataclass(frozen=True, slots=True)
class Burst:
    """Something to send: not before ``at``, at ``format``; ``then`` runs when it is out."""

    at: float
    data: bytes
    format: WireFormat
    then: Callable[[float], None] | None = None


def framed(lines: Sequence[str]) -> bytes:
    """Return a readout message: STX, data lines, ``!``, ETX and its check character."""
    body = "".join(f"{line}\r\n" for line in lines).encode("ascii") + b"!\r\n" + bytes([ETX])
    return bytes([STX]) + body + bytes([block_check(body)])


class OpticalPort:
    r"""A virtual meter's optical port (also its current loop or RS-485 in the same protocol).

    Args:
        name: What the meter is called in a list of ports.
        identification: The line as sent, ``/LGZ5\2ZMF100AC.M26``, without its line end.
        readout: The whole data message as sent, or a function of the time that returns it.
        hdlc: The station behind ``ACK 2 Z 2``; None where the meter has none.
        programming: What stands behind ``ACK 0 Z 1``; None where the meter has none.
        address: The device address it answers to beside the empty one.
        expected: What a correct reader must find, for `expected`.
        faults: Names out of `FAULTS`.
    """

    def __init__(
        self,
        *,
        name: str,
        identification: bytes,
        readout: bytes | Callable[[float], bytes],
        hdlc: Device | None = None,
        programming: ProgrammingMode | None = None,
        address: str = "",
        expected: Callable[[], dict[str, object]] | None = None,
        faults: Sequence[str] = (),
    ) -> None:
        self.name = name
        self._identification = identification
        self._readout = readout
        self._hdlc = hdlc
        self.programming = programming
        self._address = address
        self._expected = expected
        self._faults = frozenset(faults)
        self._announced = identification[4:5].decode("latin-1")
        self._reaction = 0.02 if identification[3:4].islower() else 0.2  # third letter of the maker
        self._state = State.REST
        self._format = REST
        self._heard = bytearray()
        self._queue: deque[Burst] = deque()
        self._on_air: list[Burst] = []
        self._deadline: float | None = None
        self._in_time = True  # the command being heard did not begin too early
        self._answering = False  # a command's answer is on its way
        self._ready_at = 0.0  # earliest time at which an option select may start
        self._done_once: set[str] = set()
        self._watch = LinkWatch()

    @property
    def format(self) -> WireFormat:
        """What the port listens and talks with now."""
        return self._format

    # -- hearing -----------------------------------------------------------------------------

    def receive(self, now: float, data: bytes) -> None:
        """Hear ``data``, whose last stop bit passed at ``now``."""
        self._expire(now)
        if self._state is State.HDLC and self._hdlc is not None:
            self._deadline = now + HDLC_IDLE
            self._watch.hear(data)
            self._hdlc.receive(now, data)
            return
        if self._echoes():
            self._queue.append(Burst(now, data, self._format))
        for raw in data:
            if self._state is State.PROGRAMMING and self.programming is not None:
                self._command(now, raw, self.programming)
            elif raw.bit_count() & 1:  # wrong parity: the message it stands in is spoilt
                self._heard.clear()
            else:
                self._hear(now, raw & 0x7F)

    def _echoes(self) -> bool:
        when = {State.REST: "echo-request", State.CHOICE: "echo-select"}
        return bool({"echo", when.get(self._state, "echo")} & self._faults)

    def garbled(self, now: float, count: int) -> None:
        """Hear ``count`` characters at a wrong speed: they spoil what was being received."""
        self._expire(now)
        if count:
            self._heard.clear()
            if self.programming is not None:
                self.programming.spoil()

    def _hear(self, now: float, character: int) -> None:
        if self._state is State.HEARD_OUT:
            if character == NAK:
                self._send_readout(now, self._format)
            return
        if character == ord("/") or (character == ACK and self._state is State.CHOICE):
            self._heard.clear()
        self._heard.append(character)
        del self._heard[:-LONGEST_REQUEST]
        if not self._heard.endswith(b"\r\n"):
            return
        message = bytes(self._heard)
        self._heard.clear()
        if self._state is State.REST and self._asked(message):
            self._identify(now)
        elif self._state is State.CHOICE and message[:1] == bytes([ACK]):
            self._choose(now, message)

    def _command(self, now: float, raw: int, mode: ProgrammingMode) -> None:
        """Hear a character in programming mode; what began too early is not heard."""
        if raw & 0x7F in {SOH, ACK, NAK}:
            self._in_time = now - 10 / self._format.speed >= self._ready_at - 0.005
        if not self._in_time or self._answering:
            return
        if raw.bit_count() & 1:
            mode.spoil()
        self._deadline = now + PROGRAMMING_IDLE
        answer = mode.take(now, raw & 0x7F)
        if answer:
            self._deadline, self._answering = None, True
            wire = with_parity(answer)
            self._queue.append(Burst(now + self._reaction, wire, self._format, self._go_on))
        elif answer is not None and mode.over:
            self._rest()

    def _go_on(self, now: float) -> None:
        """Wait for the next command, which must leave the reaction time."""
        self._ready_at = now + self._reaction
        self._deadline, self._answering = now + PROGRAMMING_IDLE, False
        if self.programming is None or self.programming.over:
            self._rest()

    def _asked(self, message: bytes) -> bool:
        if not (message.startswith(b"/?") and message.endswith(b"!\r\n")):
            return False
        wanted = message[2:-3].decode("ascii", "replace")
        if not wanted:
            return "wants-address" not in self._faults
        return wanted.lstrip("0") == self._address.lstrip("0")

    def _identify(self, now: float) -> None:
        if "silence" in self._faults or ("deaf-once" in self._faults and self._first("request")):
            return
        if "no-identification" in self._faults:
            self._send_readout(now, REST)
            return
        if "noise" in self._faults:
            self._queue.append(Burst(now + 0.05, NOISE, REST))
        filler = b"\x7f\x7f\x7f" if "filler" in self._faults else b""
        line = filler + self._identification + b"\r\n"
        self._state = State.CHOICE
        self._deadline = None
        after = self._offer
        if self._announced not in SPEEDS or "acts-as-mode-a" in self._faults:
            after = self._as_mode_a
        elif self._announced in "ABCDEF":
            after = self._as_mode_b
        noise_s = len(NOISE) * 10 / REST.speed if "noise" in self._faults else 0.0
        at = now + self._reaction + noise_s
        self._queue.append(Burst(at, with_parity(line), REST, after))

    def _offer(self, now: float) -> None:
        """Wait for the option select; it must not come before the reaction time has passed."""
        self._ready_at = now + self._reaction
        self._deadline = now + CHOICE_LIMIT

    def _as_mode_a(self, now: float) -> None:
        self._send_readout(now, REST)

    def _as_mode_b(self, now: float) -> None:
        self._send_readout(now, WireFormat(SPEEDS[self._announced], 7, "E"))

    def _choose(self, now: float, message: bytes) -> None:
        """Follow the option select ``ACK V Z Y CR LF``."""
        started = now - len(message) * 10 / REST.speed
        if "deaf-to-first-select" in self._faults and self._first("select"):
            return
        if len(message) != OPTION_SELECT or started < self._ready_at - 0.005:
            return  # too early or malformed: a meter that still sends does not hear it
        protocol, speed_name, choice = (chr(c) for c in message[1:4])
        speed = SPEEDS.get(speed_name, 0)
        if not speed or SPEEDS.get(self._announced, 300) < speed:
            speed = 300
        if "keeps-300" in self._faults:
            speed = 300
        self._deadline = None
        if protocol == "2" and choice == "2" and self._hdlc is not None:
            self._state = State.HDLC
            self._format = WireFormat(speed, 8, "N")
            self._deadline = now + HDLC_FIRST
            self._watch.begin()
        elif choice in _READOUTS:
            own = "maker-option" in self._faults
            followed = (protocol, choice) == ("2", "6") if own else choice == "0"
            self._send_readout(now, WireFormat(speed, 7, "E") if followed else REST)
        elif choice == "1" and self.programming is not None:
            self._state = State.PROGRAMMING
            wire = with_parity(self.programming.opening())
            form = WireFormat(speed, 7, "E")
            self._queue.append(Burst(now + self._reaction, wire, form, self._go_on))
        else:
            stop = bytes([SOH]) + b"B0" + bytes([ETX])
            stop += bytes([block_check(stop[1:])])
            self._queue.append(
                Burst(now + self._reaction, with_parity(stop), REST, lambda _: self._rest())
            )

    # -- sending -----------------------------------------------------------------------------

    def _send_readout(self, now: float, form: WireFormat) -> None:
        data = self._readout(now) if callable(self._readout) else self._readout
        wrong_once = "wrong-check-once" in self._faults and self._first("check")
        wrong = wrong_once or "wrong-check" in self._faults
        data = spoilt(data, self._faults, wrong_check=wrong)
        self._state = State.HEARD_OUT
        self._deadline = None
        at = now + (0.0 if "early-data" in self._faults else self._reaction)
        if "late-data" in self._faults:
            at = now + LATE
        self._format = form
        parts = pieces(on_the_wire(data, self._faults), self._faults, 10 / form.speed)
        for after, piece in parts[:-1]:
            self._queue.append(Burst(at + after, piece, form))
        after, piece = parts[-1]
        self._queue.append(Burst(at + after, piece, form, self._wait_for_nak))

    def _first(self, what: str) -> bool:
        """Tell whether something is to happen that happens once."""
        new = what not in self._done_once
        self._done_once.add(what)
        return new

    def _wait_for_nak(self, now: float) -> None:
        self._deadline = now + CHOICE_LIMIT

    def _rest(self) -> None:
        self._state = State.REST
        self._format = REST
        self._deadline = None
        self._heard.clear()
        self._queue.clear()  # an echo under way
        self._watch.begin()

    def _expire(self, now: float) -> None:
        """Let a silence that has lasted too long have its effect."""
        if self._deadline is None or now < self._deadline or self._on_air:
            return
        if self._state is State.CHOICE:
            self._send_readout(now, REST)
        else:
            self._rest()

    def wake_at(self) -> float | None:
        """When there will next be something to send or to give up."""
        times = [self._deadline] if self._deadline is not None else []
        if self._state is State.HDLC and self._hdlc is not None:
            inner = self._hdlc.wake_at()
            times += [inner] if inner is not None else []
        elif self._queue:
            times.append(self._queue[0].at)
        return min(times, default=None)

    def transmit(self, now: float) -> bytes:
        """Return what starts going out at ``now``."""
        self._expire(now)
        if self._state is State.HDLC and self._hdlc is not None:
            data = self._hdlc.transmit(now)
            if data:
                self._deadline = now + HDLC_IDLE
            return data
        if self._queue and self._queue[0].at <= now:
            burst = self._queue.popleft()
            self._on_air.append(burst)
            self._format = burst.format
            return burst.data
        return b""

    def sent(self, now: float) -> None:
        """Learn that everything transmitted is out."""
        if self._state is State.HDLC and self._hdlc is not None:
            self._hdlc.sent(now)
            if self._watch.leaving:
                self._rest()
            return
        done, self._on_air = self._on_air, []
        for burst in done:
            if burst.then is not None:
                burst.then(now)

    def expected(self) -> dict[str, object]:
        """What a correct reader must find here."""
        if self._expected is not None:
            return self._expected()
        return self._hdlc.expected() if self._hdlc is not None else {}
