r"""The dialogue with a meter, sans-IO: time and bytes in; bytes, line settings and events out.

Theory of operation.  A dialogue is a generator.  It yields what it wants done (`Send`,
`Configure`, `Listen`) or what has happened (`Identified`, `DataLine`), and is sent back a `Heard`:
the time, and the bytes a `Listen` brought.  `drivers.iec62056.talk` performs it on a link; tests
perform it on a list of bytes.

::

    state        what is heard                        what follows
    asking       / M M m Z …  CR LF                   A: reading; B: speed Z, reading; C: choice
                 only our own bytes, or nothing       asked again, at most ``retries`` times
                 data without an identification       reading, as mode A
                 noise                                the same; at last GarbledReply
    choice       (reaction time passes)               ACK V Z Y sent -> leaving
                 STX or data                          it acts as mode A -> reading, same speed
    leaving      data before the last stop bit is out as mode A -> reading, same speed
                 (last stop bit is out)               speed Z -> reading
    reading      STX data ! ETX BCC, check good       done
                 the same, check bad                  NAK, reading again; at most ``retries`` times
                 noise, or nothing                    first speed again ("announced, not followed"),
                                                      reading; then asked again with ACK 0 0 0
                 data, then a gap                     done when ``!`` came; else asked again

The moment of the speed switch is computed: the option select has left when its characters' time
has passed since the write began, plus `SWITCH_MARGIN`; the meter answers no earlier than its
reaction time after that.  A new request never falls into the meter's own time-out: it comes after
at least `QUIET` seconds of silence.  All characters are looked at on seven bits.
"""

import re
from collections.abc import Generator
from dataclasses import dataclass, field, replace

from drivers.errors import GarbledReply, NoReply
from drivers.iec62056 import frames
from drivers.iec62056.frames import Identification
from drivers.link import Line
from drivers.metertype import MeterType
from drivers.values import Statistics

SWITCH_MARGIN = 0.005  # s after the last stop bit before the speed changes
QUIET = 1.6  # s of silence before a new request: the meter gives up after 1.5 s
WAKE_S, WAKE_PAUSE_S = 2.2, 1.6
LONGEST_NOISE = 10.0  # s of characters without an identification among them
LONGEST_BLOCK = 1800.0  # s; the longest list known takes 318 s at 300 Bd
_LINE_END_S = 0.2  # s after a lone CR, before the line counts as complete
_WHO = rb"/([A-Z]{2}[A-Za-z][ -.0-~]{1,61})"  # printable: noise seldom looks so
_IDENTIFICATION = re.compile(_WHO + rb"(?:\r\n|\n|\r(?=[^\n])|(?=\x02))")
_OPEN_LINE = re.compile(_WHO + rb"\r\Z")
_EARLY = re.compile(rb"\x02|\(")
_SHORT = 4  # characters that an answer may share with what was sent
_UNASKED = re.compile(rb"\x02[^\x03\x04]*\(")  # data where an identification belongs
_TOO_MUCH = 4096  # characters without an identification: noise, forgotten


@dataclass(frozen=True, slots=True)
class Send:
    """Put bytes on the line."""

    data: bytes
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Configure:
    """Use this line from now on."""

    line: Line


@dataclass(frozen=True, slots=True)
class Listen:
    """Bring what arrives until ``until``, as soon as there is any."""

    until: float


@dataclass(frozen=True, slots=True)
class Identified:
    """The meter said who it is."""

    identification: Identification


@dataclass(frozen=True, slots=True)
class DataLine:
    """A data line is complete; ``fresh`` marks the first of a (repeated) block.

    Whether it is right is known only with the block's check.
    """

    text: str
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One partial block of an answer, its check good or absent."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """The time, and what a `Listen` brought."""

    now: float
    data: bytes = b""


Step = Send | Configure | Listen | Identified | DataLine | Part


@dataclass(frozen=True, slots=True)
class Settings:
    """What a dialogue needs of a meter type, and whether the link can change its speed."""

    meter_type: MeterType
    sets_line: bool = True
    keep_first_speed: bool = False  # learned: the announced speed is not followed

    def line(self, attempt: int = 0) -> Line:
        """Return the first line for an attempt.

        Where the parity is done in software the far end may do it itself, so attempts alternate
        between software parity and plain characters.
        """
        own = self.meter_type.line
        name = own.format
        software = "soft7E1" if name == "7E1" and not self.sets_line else name
        other = "8N1" if name == "soft7E1" else software
        return Line.named(own.speed, other if attempt % 2 else name)


@dataclass(slots=True)
class Ear:
    """Takes away bit 7 and the echo of what was sent, compared byte by byte."""

    echo: str = "auto"
    statistics: Statistics = field(default_factory=Statistics)
    echoed: bool = False
    _expected: bytes = b""
    _held: bytearray = field(default_factory=bytearray)

    def sent(self, data: bytes) -> None:
        """Expect the echo of ``data``."""
        self._held.clear()
        self._expected = b"" if self.echo == "off" else bytes(c & 0x7F for c in data)

    def hear(self, data: bytes) -> bytes:
        """Return ``data`` on seven bits without the echo."""
        self._held += bytes(c & 0x7F for c in data)
        if not self._expected:
            return self.give_up()
        if self._expected.startswith(self._held):  # so far all of it is our own
            if len(self._held) == len(self._expected):
                self._seen()
            return b""
        if self._held.startswith(self._expected):
            del self._held[: len(self._expected)]
            self._seen(keep=True)
        elif len(self._expected) > _SHORT and self._held.startswith(self._expected[:-1]):
            del self._held[: len(self._expected) - 1]  # the last one fell into the speed switch
            self._seen(keep=True)
        self._expected = b""
        return self.give_up()

    def give_up(self) -> bytes:
        """Return what was held back as a possible echo."""
        data = bytes(self._held)
        self._held.clear()
        return data

    def _seen(self, *, keep: bool = False) -> None:
        self.echoed = self.statistics.echo_seen = True
        self._expected = b""
        if not keep:
            self._held.clear()


class Dialogue:
    """One sign-on: `sign_on` and `choose` are its generators; what follows is its subclasses'."""

    def __init__(self, settings: Settings, statistics: Statistics | None = None) -> None:
        self.settings = settings
        self.type = settings.meter_type
        self.statistics = statistics or Statistics()
        self.ear = Ear(self.type.line.echo, self.statistics)
        self.line = settings.line()
        self.keep_first_speed = settings.keep_first_speed
        self.identification = Identification()
        self.now = 0.0
        self.sent_end = 0.0
        self.early = b""  # heard before the reading began
        self._errors_before = (0, 0)  # of parity and framing, when the speed was changed

    # -- signing on ----------------------------------------------------------------------------

    def sign_on(self) -> Generator[Step, Heard, Identification]:
        """Ask until the meter identifies itself.

        Raises:
            NoReply: Nothing but perhaps our own echo came.
            GarbledReply: Something came, but no identification.
        """
        noise = b""
        for attempt in range(self.type.timing.retries + 1):
            self.statistics.resends += attempt > 0
            yield from self.configure(self.settings.line(attempt))
            yield from self._wake_up()
            yield from self.let_pass(self.type.timing.pause_s)
            yield from self.send(frames.request(self.type.iec62056.address))
            found, heard = yield from self.hear_identification()
            if found is not None:
                self.identification = found
                yield Identified(found)
                return found
            noise = noise or heard
        if noise:
            self.statistics.discarded += len(noise)
            text = "there are characters on the line, but no meter's identification"
            raise GarbledReply(text, "noise")
        waited = self.type.timing.reply_s
        raise NoReply(waited, "echo" if self.ear.echoed else "")

    def hear_identification(self) -> Generator[Step, Heard, tuple[Identification | None, bytes]]:
        """Listen for an identification; return it, and what else was heard."""
        buffer = b""
        until = self.sent_end + self.type.timing.reply_s
        latest = until + LONGEST_NOISE
        while True:
            if _OPEN_LINE.search(buffer):
                until = min(until, self.now + _LINE_END_S)
            data = yield from self.listen(until)
            if not data:
                buffer += self.ear.give_up()
                if _OPEN_LINE.search(buffer):
                    buffer += b"\n"
            buffer += data
            if match := _IDENTIFICATION.search(buffer):
                found = frames.parse_identification("/" + match[1].decode("latin-1"))
                if found is not None:
                    self.statistics.round_trips += 1
                    self.early = buffer[match.end() :]
                    return found, buffer[: match.start()]
            if unasked := _UNASKED.search(buffer):
                self.remark("data came in place of an identification")
                self.early = buffer[unasked.start() :]
                return Identification(), buffer[: unasked.start()]
            if not data or self.now > latest:
                return None, buffer.strip(b"\x00\x7f\r\n")
            until = max(self.now + max(self.type.timing.gap_s, QUIET), until)
            buffer = buffer[-_TOO_MUCH:]

    def _wake_up(self) -> Generator[Step, Heard, None]:
        if not self.type.iec62056.wake_up:
            return
        count = round(WAKE_S / self.line.character_s)
        yield from self.send(bytes(count))
        yield from self.let_pass(self.sent_end - self.now + WAKE_PAUSE_S)

    # -- choosing the speed --------------------------------------------------------------------

    def mode(self) -> str:
        """The mode to act by: the type's where it forces one, else the announced one."""
        forced = self.type.iec62056.mode
        return self.identification.mode if forced == "auto" else forced

    def rate(self) -> str:
        """The speed character to choose: the type's, or the announced one, capped."""
        if self.keep_first_speed:
            return "0"
        rate = self.type.iec62056.z or self.identification.rate
        cap = self.type.line.max_speed
        return frames.rate_of(cap) if cap and frames.speed_of(rate) > cap else rate

    def choose(self, v: str, y: str, form: str = "") -> Generator[Step, Heard, bool]:
        """Send the option select and follow the speed; False when data came before (mode A)."""
        rate = self.rate()
        reaction = min(self.type.timing.reaction_s, self.identification.reaction_s)
        if (yield from self.data_before(self.now + reaction)):
            return False
        yield from self.send(frames.option_select(v, rate, y))
        if (yield from self.data_before(self.sent_end)):
            return False
        first = self.line
        speed = frames.speed_of(rate) or first.speed
        line = Line.named(speed, form) if form else replace(first, speed=speed)
        if line != first:
            yield from self.follow(line)
            took = self.now - self.sent_end
            if took > self.identification.reaction_s:
                self.remark(
                    f"the speed change took {took:.2f} s, longer than this meter waits: a port on"
                    " this computer, or 300 Bd, is safer"
                )
        return True

    def data_before(self, moment: float) -> Generator[Step, Heard, bool]:
        """Listen until ``moment``; True as soon as data come."""
        while not _EARLY.search(self.early):
            if self.now >= moment:
                return False
            self.early += yield from self.listen(moment)
        self.remark("data came without being chosen: read as mode A")
        return True

    def remark(self, text: str) -> None:
        """Note something for whoever looks at the line, once."""
        if text not in self.statistics.remarks:
            self.statistics.remarks.append(text)

    # -- the line ------------------------------------------------------------------------------

    def send(self, data: bytes, *, secret: bool = False) -> Generator[Step, Heard, None]:
        """Send and compute when the last stop bit is out."""
        self.ear.sent(data)
        heard = yield Send(data, secret)
        self.now = heard.now
        self.sent_end = self.now + len(data) * self.line.character_s + SWITCH_MARGIN

    def listen(self, until: float) -> Generator[Step, Heard, bytes]:
        """Return what arrives until ``until``, echo and bit 7 removed; b"" when nothing did."""
        while self.now < until:
            heard = yield Listen(until)
            self.now = heard.now
            if data := self.ear.hear(heard.data):
                return data
            if not heard.data:
                break
        return b""

    def configure(self, line: Line) -> Generator[Step, Heard, None]:
        """Use ``line`` from now on."""
        self.line = line
        self.now = (yield Configure(line)).now

    def follow(self, line: Line) -> Generator[Step, Heard, None]:
        """Use ``line`` as the meter announced it."""
        counted = self.statistics
        self._errors_before = counted.parity_errors, counted.framing_errors
        yield from self.configure(line)

    def not_followed(self) -> None:
        """Count as foreign what was damaged since the speed changed: the line is not to blame."""
        counted = self.statistics
        parity, framing = self._errors_before
        counted.discarded += max(counted.parity_errors - parity, counted.framing_errors - framing)
        counted.parity_errors, counted.framing_errors = parity, framing

    def let_pass(self, seconds: float) -> Generator[Step, Heard, None]:
        """Let time pass; what arrives meanwhile is dropped."""
        until = self.now + seconds
        while self.now < until:
            self.now = (yield Listen(until)).now

    def quiet(self) -> Generator[Step, Heard, None]:
        """Wait until the line has been silent long enough for the meter to have given up."""
        latest = self.now + LONGEST_BLOCK
        while self.now < latest:
            heard = yield Listen(self.now + QUIET)
            self.now = heard.now
            if not heard.data:
                return
