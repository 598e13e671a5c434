"""Reading the whole list of a meter: modes A to D, with fall-back, repetition and checks.

The states and what leads from one to the next stand in `drivers.iec62056.session`.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace

from drivers.errors import GarbledReply, NoReply
from drivers.iec62056 import frames
from drivers.iec62056.block import BlockReader
from drivers.iec62056.frames import Identification, Message
from drivers.iec62056.session import (
    LONGEST_BLOCK,
    DataLine,
    Dialogue,
    Heard,
    Identified,
    Settings,
    Step,
)
from drivers.link import Line
from drivers.values import Statistics

LONGEST_NAKS = 5


@dataclass(frozen=True, slots=True)
class Block:
    """A whole readout: who sent it, the message with its check, and what was learned."""

    identification: Identification
    message: Message
    keep_first_speed: bool = False


class ReadoutDialogue(Dialogue):
    """Signs on and reads the list; `readout` is its generator."""

    def __init__(self, settings: Settings, statistics: Statistics | None = None) -> None:
        super().__init__(settings, statistics)
        self._naks = 0
        self._changed_inside = False  # the speed was changed while the meter was sending

    def readout(self) -> Generator[Step, Heard, Block]:
        """Sign on and read the whole list; the block's check may be bad, which is the last word.

        Raises:
            NoReply: Nothing came, or nothing after the identification.
            GarbledReply: What came was noise, or broke off every time.
        """
        if self.type.iec62056.mode == "D":
            return (yield from self._push())
        failure: NoReply | GarbledReply | None = None
        last: Message | None = None
        for _ in range(self.type.timing.retries + 1):
            yield from self.sign_on()
            try:
                message = yield from self._list()
            except (NoReply, GarbledReply) as error:
                failure = error
                yield from self.quiet()
                continue
            if message.rule != "bad" or (last is not None and last.body == message.body):
                if not message.opened:
                    self.remark("the start character is missing")
                return Block(self.identification, message, self.keep_first_speed)
            last = message
            yield from self.quiet()
        if last is not None:
            return Block(self.identification, last, self.keep_first_speed)
        raise failure or NoReply(self.type.timing.reply_s)

    def _list(self) -> Generator[Step, Heard, Message]:
        mode = self.mode()
        first = self.line
        if mode == "C":
            own = self.type.iec62056
            yield from self.choose(own.v, own.y)
        elif mode == "B":
            yield from self.follow(replace(self.line, speed=self.identification.speed))
        reader = yield from self._block(stop_at_noise=self.line != first)
        if self.line != first and (reader.noise or not reader.started):
            yield from self._fall_back(first, heard=reader.noise)
            reader = yield from self._block()
        message = self._judged(reader, after_nak=False)
        if self._changed_inside and not message.opened:
            # Its first characters were lost at the other speed; a weak check may fit all the
            # same, so the block is asked for again whatever the check says.
            message = replace(message, rule="bad")
        self._changed_inside = False
        return (yield from self._proved(message))

    def _proved(self, message: Message) -> Generator[Step, Heard, Message]:
        """Have a block repeated while its check is bad and the meter does so; return the last.

        A list with a clock in it is never the same twice, so repetitions are counted over all
        sign-ons.
        """
        while message.rule == "bad" and self._naks < min(self.type.timing.retries, LONGEST_NAKS):
            self._naks += 1
            self.statistics.resends += 1
            yield from self.send(bytes([frames.NAK]))
            repeated = yield from self._block()
            if not repeated.started:
                return message  # it does not repeat: a new sign-on may help
            again = self._judged(repeated, after_nak=True)
            if again.body == message.body:
                return again
            message = again
        return message

    def _judged(self, reader: BlockReader, *, after_nak: bool) -> Message:
        """Return the block; by the type's rule its check may count as absent.

        Raises:
            NoReply: Nothing came.
            GarbledReply: It was noise, or broke off before its end.
        """
        if not reader.started:
            raise NoReply(self.type.timing.reply_s)
        message = reader.message
        if message.command:
            raise GarbledReply(f"the meter answered {message.command!r} instead of its list")
        if not message.closed and not reader.ended and not after_nak:
            if reader.noise:
                raise GarbledReply("the data message broke off: noise", "noise")
            count = len(message.body)
            text = f"the data message broke off: {count} characters, then silence"
            raise GarbledReply(text, "broke-off")
        rule = self.type.iec62056.check
        if rule == "none":
            return replace(message, rule="absent")
        if rule in {"xor", "sum"} and message.rule not in {rule, "absent"}:
            return replace(message, rule="bad")
        return message

    def _fall_back(self, first: Line, *, heard: bool) -> Generator[Step, Heard, None]:
        """Listen at the first speed: the announced one was not followed, or nothing was heard."""
        if heard:
            self.keep_first_speed = True
            self.not_followed()
            self.remark("speed announced but not followed")
        self.early = b""
        self._changed_inside = True
        self.sent_end = self.now
        yield from self.configure(first)

    def _block(self, *, stop_at_noise: bool = False) -> Generator[Step, Heard, BlockReader]:
        """Listen to one block, line by line, until its end, a gap, or (if asked) noise."""
        reader = BlockReader()
        fresh = True
        data, self.early = self.early, b""
        latest = self.now + LONGEST_BLOCK
        until = max(self.sent_end, self.now) + self.type.timing.reply_s
        while True:
            for line in reader.feed(data):
                yield DataLine(line, fresh)
                fresh = False
            if reader.done or (stop_at_noise and reader.noise) or self.now > latest:
                return reader
            data = yield from self.listen(until)
            if not data:
                data = self.ear.give_up()
                if not data:
                    return reader
            if not reader.started and self.statistics.switch_margin_s is None:
                self.statistics.switch_margin_s = max(0.0, self.now - self.sent_end)
            until = self.now + self.type.timing.gap_s

    def _push(self) -> Generator[Step, Heard, Block]:
        """Wait for a meter that sends by itself (mode D) and take one whole telegram."""
        yield from self.configure(self.line)
        found, noise = None, b""
        for _ in range(self.type.timing.retries + 1):
            self.sent_end = self.now
            found, heard = yield from self.hear_identification()
            if found is not None:
                break
            noise = noise or heard
        if found is None:
            if noise:
                raise GarbledReply("there are characters on the line, but no telegram", "noise")
            raise NoReply(self.type.timing.reply_s)
        self.identification = found
        yield Identified(found)
        reader = yield from self._block()
        return Block(found, self._judged(reader, after_nak=False))
