r"""Programming mode, sans-IO: single reads, load profiles and logs.

::

    state        what is sent             what is heard              what follows
    choice       ACK V Z 1                SOH P0 STX (operand) …     operand kept -> open
                                          SOH B0 …                   refused: NotSupported
    open         SOH P1 STX (password) …  ACK                        open
                                          anything else              AccessDenied, never again
                 SOH R5 STX code(…) …     STX data ETX BCC           answer
                                          … EOT BCC                  ACK sent, next block
                                          check bad                  NAK sent, block again
                                          NAK, or nothing            asked again
                 SOH W5 STX code(…) …     ACK                        taken
                                          NAK                        not heard well: the caller's
                                          STX (ERROR) …              ValueRefused
                 SOH B0 ETX BCC           (nothing)                  closed

Repetitions are bounded by the type's ``retries``.  A password is sent once.  A write is sent once:
what silence after it means is found out by reading back.  Once the first partial block of an
answer was handed on, the command is not repeated by itself: whoever asked knows what to resume.
Whoever entered leaves with B0 on every way out; `drivers.iec62056.access` sees to it.
"""

from collections.abc import Generator
from dataclasses import replace

from drivers.errors import AccessDenied, GarbledReply, NoReply, NotSupported
from drivers.iec62056 import frames
from drivers.iec62056.block import BlockReader
from drivers.iec62056.frames import Message
from drivers.iec62056.password import password_message, refusal
from drivers.iec62056.session import QUIET, Dialogue, Heard, Listen, Part, Settings, Step
from drivers.secrets import Secret
from drivers.values import Statistics

SENDING_S = 40.0  # s, longest wait for the end of an answer that nobody wants any more
_LONE_S = 0.3  # s of silence after ACK or NAK that prove it stands alone
_MOST_BLOCKS = 10_000
ACKNOWLEDGED = Message("ACK", b"", "absent")
REFUSED = Message("NAK", b"", "absent")
_LONE = {bytes([frames.ACK]): ACKNOWLEDGED, bytes([frames.NAK]): REFUSED}


class ProgrammingDialogue(Dialogue):
    """A session in programming mode: `enter`, any number of `ask`, `leave`."""

    def __init__(self, settings: Settings, statistics: Statistics | None = None) -> None:
        super().__init__(settings, statistics)
        self.open = False
        self.rule = "sum" if self.type.iec62056.check == "sum" else "xor"
        self.operand = b""
        self.password_given = False  # whatever came of it
        self.answered_at = 0.0  # when the first character of the last answer came
        self._parts = 0  # blocks of the answer that were handed on
        self._due = 0.0  # an answer is: so long the next of its characters may take

    def enter(self, password: Secret | None) -> Generator[Step, Heard, None]:
        """Sign on, choose programming mode, and give the password where there is one.

        Raises:
            NotSupported: The meter offers no programming mode.
            AccessDenied: It refused the password.
        """
        answer = yield from self._opened()
        if answer.command == "B0":
            self.open = False
            raise NotSupported(f"{self.identification.line} refuses programming mode")
        self.operand = answer.body
        if answer.rule in {"xor", "sum"}:
            self.rule = answer.rule
        if password and not self.type.iec62056.password_in_value:
            yield from self._password(password)

    def _opened(self) -> Generator[Step, Heard, Message]:
        """Sign on, choose programming mode, and return what the meter opens it with."""
        failure: NoReply | GarbledReply = NoReply(self.type.timing.reply_s)
        for _ in range(self.type.timing.retries + 1):
            found = yield from self.sign_on()
            if not found.line:  # the rest of an answer to somebody else, or a list
                failure = GarbledReply("data came in place of an identification")
                yield from self.quiet()
                continue
            if self.mode() != "C":
                raise NotSupported(f"{found.line} offers no programming mode")
            self.open = True
            if not (yield from self.choose(self.type.iec62056.v, "1")):
                raise NotSupported(f"{found.line} sends its list at once")
            try:
                return (yield from self._proved_answer())
            except (NoReply, GarbledReply) as error:
                failure = error
            self.statistics.resends += 1
            yield from self._abandon()
        raise failure

    def _abandon(self) -> Generator[Step, Heard, None]:
        """Bring a meter back to rest that may listen at either speed; stay at the first then."""
        yield from self.quiet()
        yield from self.send(frames.BREAK)
        yield from self.let_pass(self.sent_end - self.now)
        if self.line != self.settings.line():
            self.keep_first_speed = True  # perhaps the announced speed is not followed
            self.not_followed()
            yield from self.configure(self.settings.line())
            yield from self.send(frames.BREAK)
        yield from self.quiet()

    def _password(self, password: Secret) -> Generator[Step, Heard, None]:
        own = self.type.iec62056
        body = password_message(own, password, self.operand)
        yield from self._rest()
        self.password_given = True
        yield from self.send(frames.command(own.password_level, body, self.rule), secret=True)
        try:
            answer = yield from self._answer()
        except (NoReply, GarbledReply) as error:
            text = f"no clear answer to the password ({error}); it is not sent again by itself"
            raise AccessDenied(text) from error
        if answer != ACKNOWLEDGED:
            self.open = answer.command != "B0"
            raise AccessDenied(refusal(answer))

    def ask(self, name: str, data: str) -> Generator[Step, Heard, Message]:
        """Return the whole answer to one command; partial blocks come as `Part` and joined.

        Raises:
            AccessDenied: The meter ended the session instead of answering.
            NoReply: It stayed silent.
            GarbledReply: The check of its answer stayed bad.
        """
        order = frames.command(name, data.encode("ascii", "replace"), self.rule)
        failure: NoReply | GarbledReply = NoReply(self.type.timing.reply_s)
        for attempt in range(self.type.timing.retries + 1):
            self.statistics.resends += attempt > 0
            self._parts = 0
            yield from self._rest()
            yield from self.send(order)
            try:
                answer = yield from self._whole_answer()
            except GarbledReply:  # it was asked for by NAK often enough
                yield from self.quiet()
                raise
            except NoReply as error:
                failure = error
                yield from self.quiet()
                if self._parts:
                    break
                continue
            if answer == REFUSED:
                failure = GarbledReply("the meter did not take the command")
                continue
            self._still_open(answer)
            return answer
        raise failure

    def write(
        self, name: str, data: bytes, *, end_at: float = 0.0, secret: bool = False
    ) -> Generator[Step, Heard, Message]:
        """Send a write command once and return its answer; `ACKNOWLEDGED` means it was taken.

        ``end_at`` is when its last stop bit is to be out, for the setting of a clock.

        Raises:
            AccessDenied: The meter ended the session.
            NoReply: It stayed silent, which says nothing about what it did.
        """
        order = frames.command(name, data, self.rule)
        yield from self._rest()
        yield from self.let_pass(end_at - len(order) * self.line.character_s - self.now)
        yield from self.send(order, secret=secret)
        answer = yield from self._answer()
        self._still_open(answer)
        return answer

    def _still_open(self, answer: Message) -> None:
        if answer.command == "B0":
            self.open = False
            raise AccessDenied("the meter ended the session: it may want a password")

    def leave(self) -> Generator[Step, Heard, None]:
        """End the session with a break; the meter does not answer it.

        A meter that is in the middle of an answer may not hear it: it is said again when the meter
        has come to its end, within `SENDING_S`.
        """
        self.open = False
        yield from self._rest()
        yield from self.send(frames.BREAK)
        yield from self.let_pass(self.sent_end - self.now)
        latest = self.now + SENDING_S
        while self._due and self.now < latest:
            heard = yield Listen(self.now + self._due)
            self.now, self._due = heard.now, _LONE_S
            if not heard.data:
                self._due = 0.0
                yield from self.send(frames.BREAK)
                yield from self.let_pass(self.sent_end - self.now)
                return

    def _whole_answer(self) -> Generator[Step, Heard, Message]:
        first = yield from self._proved_answer()
        body, last = bytearray(first.body), first
        for _ in range(_MOST_BLOCKS):
            if not last.more:
                if self._parts:
                    yield Part(last.body)
                return replace(first, body=bytes(body), more=False)
            self._parts += 1
            yield Part(last.body)
            yield from self._rest()
            yield from self.send(bytes([frames.ACK]))
            last = yield from self._proved_answer()
            body += last.body
        raise GarbledReply("the answer has no end")

    def _proved_answer(self) -> Generator[Step, Heard, Message]:
        """Return one block whose check is good or absent, asking again by NAK."""
        for _ in range(self.type.timing.retries + 1):
            answer = yield from self._answer()
            if answer.rule != "bad":
                return answer
            self.statistics.resends += 1
            yield from self._rest()
            yield from self.send(bytes([frames.NAK]))
        raise GarbledReply("the check of the answer does not fit")

    def _answer(self) -> Generator[Step, Heard, Message]:
        reader = BlockReader()
        lone, self._due = b"", QUIET
        until = max(self.sent_end, self.now) + self.type.timing.reply_s
        while not reader.done:
            data = yield from self.listen(until)
            data = data or self.ear.give_up()
            if not data:
                self._due = 0.0
                if lone:
                    return _LONE[lone]
                if reader.started:
                    raise GarbledReply("the answer broke off", "broke-off")
                raise NoReply(self.type.timing.reply_s)
            if not reader.started and not lone:
                self._due = _LONE_S
                self.answered_at = self.now
                if self.statistics.switch_margin_s is None:
                    self.statistics.switch_margin_s = max(0.0, self.now - self.sent_end)
            stripped = data.strip(b"\r\n\x00\x7f")
            lone = stripped if not reader.started and stripped in _LONE else b""
            reader.feed(data)
            until = self.now + (_LONE_S if lone else self.type.timing.gap_s)
        self._due = 0.0
        self.statistics.round_trips += 1
        return reader.message

    def _rest(self) -> Generator[Step, Heard, None]:
        """Obey the shortest reaction time, counted from what was heard last."""
        reaction = min(self.type.timing.reaction_s, self.identification.reaction_s)
        yield from self.let_pass(reaction)
