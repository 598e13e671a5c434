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
                 SOH B0 ETX BCC           (nothing)                  closed

Repetitions are bounded by the type's ``retries``.  Whoever entered leaves with B0 on every way
out; `drivers.iec62056.meter` sees to it.
"""

from collections.abc import Generator
from dataclasses import replace

from drivers.errors import AccessDenied, GarbledReply, NoReply, NotSupported
from drivers.iec62056 import frames
from drivers.iec62056.block import BlockReader
from drivers.iec62056.frames import Message
from drivers.iec62056.session import Dialogue, Heard, Settings, Step
from drivers.secrets import Secret
from drivers.values import Statistics

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

    def enter(self, password: Secret | None) -> Generator[Step, Heard, None]:
        """Sign on, choose programming mode, and give the password where there is one.

        Raises:
            NotSupported: The meter offers no programming mode.
            AccessDenied: It refused the password.
        """
        found = yield from self.sign_on()
        if self.mode() != "C":
            raise NotSupported(f"{found.line} offers no programming mode")
        self.open = True
        if not (yield from self.choose(self.type.iec62056.v, "1")):
            raise NotSupported(f"{found.line} sends its list at once")
        answer = yield from self._answer()
        if answer.command == "B0":
            self.open = False
            raise NotSupported(f"{found.line} refuses programming mode")
        self.operand = answer.body
        if answer.rule in {"xor", "sum"}:
            self.rule = answer.rule
        if password:
            yield from self._password(password)

    def _password(self, password: Secret) -> Generator[Step, Heard, None]:
        data = frames.command("P1", b"(" + password.reveal() + b")", self.rule)
        yield from self._rest()
        yield from self.send(data, secret=True)
        answer = yield from self._answer()
        if answer != ACKNOWLEDGED:
            self.open = answer.command != "B0"
            raise AccessDenied("the meter refused the password")

    def ask(self, name: str, data: str) -> Generator[Step, Heard, Message]:
        """Return the whole answer to one command; partial blocks are joined.

        Raises:
            AccessDenied: The meter ended the session instead of answering.
            NoReply: It stayed silent.
            GarbledReply: The check of its answer stayed bad.
        """
        order = frames.command(name, data.encode("ascii", "replace"), self.rule)
        failure: NoReply | GarbledReply = NoReply(self.type.timing.reply_s)
        for attempt in range(self.type.timing.retries + 1):
            self.statistics.resends += attempt > 0
            yield from self._rest()
            yield from self.send(order)
            try:
                answer = yield from self._whole_answer()
            except (NoReply, GarbledReply) as error:
                failure = error
                yield from self.quiet()
                continue
            if answer == REFUSED:
                failure = GarbledReply("the meter did not take the command")
                continue
            if answer.command == "B0":
                self.open = False
                raise AccessDenied("the meter ended the session: it may want a password")
            return answer
        raise failure

    def leave(self) -> Generator[Step, Heard, None]:
        """End the session with a break; the meter does not answer it."""
        self.open = False
        yield from self._rest()
        yield from self.send(frames.BREAK)
        yield from self.let_pass(self.sent_end - self.now)

    def _whole_answer(self) -> Generator[Step, Heard, Message]:
        first = yield from self._proved_answer()
        body, last = bytearray(first.body), first
        for _ in range(_MOST_BLOCKS):
            if not last.more:
                return replace(first, body=bytes(body), more=False)
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
        lone = b""
        until = max(self.sent_end, self.now) + self.type.timing.reply_s
        while not reader.done:
            data = yield from self.listen(until)
            data = data or self.ear.give_up()
            if not data:
                if lone:
                    return _LONE[lone]
                if reader.started:
                    raise GarbledReply("the answer broke off")
                raise NoReply(self.type.timing.reply_s)
            stripped = data.strip(b"\r\n\x00\x7f")
            lone = stripped if not reader.started and stripped in _LONE else b""
            reader.feed(data)
            until = self.now + (_LONE_S if lone else self.type.timing.gap_s)
        self.statistics.round_trips += 1
        return reader.message

    def _rest(self) -> Generator[Step, Heard, None]:
        """Obey the shortest reaction time, counted from what was heard last."""
        reaction = min(self.type.timing.reaction_s, self.identification.reaction_s)
        yield from self.let_pass(reaction)
