"""Carries APDUs of any length in general blocks, where meter and type have agreed on that.

Requests that fit in one APDU go as they are; a meter that answers in blocks sets the blocks going.
"""

from collections.abc import Callable, Iterator

from drivers.dlms.generalblocks import TAG, GeneralBlocks, followed, parsed
from drivers.dlms.transport import Transport
from drivers.errors import DriverError, GarbledReply, NoReply
from drivers.values import Statistics

_BLOCK = bytes((TAG,))


class BlockTransport:
    """A transport whose APDUs may be longer than the meter takes in one."""

    def __init__(self, inner: Transport, size: int, window: int, statistics: Statistics) -> None:
        self.inner = inner
        self._size = size
        self._window = window
        self._statistics = statistics
        # the block that ended the last transfer, not of number 1 as new answers are: where a meter
        # sends it twice, it answers nothing
        self._final = b""
        self._streaming = False  # blocks of a transfer that nobody waits for may be on the way

    @property
    def lost(self) -> bool:
        """Whether the link has ended under us."""
        return self.inner.lost

    @property
    def pushed(self) -> list[bytes]:
        """APDUs nobody asked for."""
        return self.inner.pushed

    def connect(self) -> None:
        """Build the link."""
        self._streaming = False
        self.inner.connect()

    def exchange(
        self, apdu: bytes, fits: Callable[[bytes], bool], *, secret: bool = False
    ) -> bytes:
        """Send ``apdu`` and return its answer, all blocks joined.

        Raises:
            NoReply, GarbledReply, MeterBusy: There was none, or not the whole of it.
        """
        whole, fitting = bytearray(), False

        def plain(answer: bytes) -> bool:
            nonlocal fitting
            fitting = fits(answer)
            return fitting

        for part in self.parts(apdu, plain, secret=secret):
            whole += part
        if not fitting and not fits(bytes(whole)):
            self._statistics.discarded += 1
            raise GarbledReply("the meter answered another question")
        return bytes(whole)

    def parts(
        self, apdu: bytes, fits: Callable[[bytes], bool], *, secret: bool = False
    ) -> Iterator[bytes]:
        """Send ``apdu`` and yield its answer, a piece per block as they arrive.

        Only an answer that comes in one piece has been asked whether it ``fits``.

        Raises:
            NoReply, GarbledReply, MeterBusy: There was none, or not the whole of it.
        """
        self._let_pass()
        long = len(apdu) > self._size
        blocks = GeneralBlocks(apdu if long else b"", self._size, self._window)

        def answers(answer: bytes) -> bool:
            if answer[:1] == _BLOCK:
                return begun or answer != self._final
            return fits(answer)

        begun = False
        answer = self._said(blocks.first() or [apdu], answers, secret=secret)
        while answer[:1] == _BLOCK:
            self._streaming = followed(answer)
            data = blocks.receive(answer)
            if data:
                begun = True
                yield data
            if blocks.done:
                self._final = answer if parsed(answer).number > 1 else b""
                return
            answer = self._after(blocks, answers, secret=secret)
        if begun:
            raise GarbledReply("the meter left its block transfer unfinished")
        yield answer

    def _after(
        self, blocks: GeneralBlocks, fits: Callable[[bytes], bool], *, secret: bool
    ) -> bytes:
        """Return the meter's next APDU; what is lost is asked for again."""
        try:
            return self._said(blocks.due, fits, secret=secret)
        except NoReply:
            if self.lost:
                raise
        self._statistics.resends += 1
        try:
            return self._said(blocks.silence(), fits, secret=secret)
        except NoReply as error:
            raise GarbledReply("the block transfer broke off") from error

    def _said(self, apdus: list[bytes], fits: Callable[[bytes], bool], *, secret: bool) -> bytes:
        """Send blocks, the last of which has an answer; without any, only listen."""
        if not apdus:
            return self.inner.receive(fits)
        for apdu in apdus[:-1]:
            self.inner.tell(apdu, secret=secret)
        return self.inner.exchange(apdus[-1], fits, secret=secret)

    def _let_pass(self) -> None:
        """Let a stream end that was given up, so that none of it passes for another answer."""
        while self._streaming and not self.lost:
            try:
                self._streaming = followed(self.inner.receive(bool))
            except DriverError:
                self._streaming = False

    def tell(self, apdu: bytes, *, secret: bool = False) -> None:
        """Send ``apdu``, which has no answer."""
        self.inner.tell(apdu, secret=secret)

    def receive(self, fits: Callable[[bytes], bool]) -> bytes:
        """Return the next APDU of the meter."""
        return self.inner.receive(fits)

    def disconnect(self) -> bool:
        """Take the link down."""
        return self.inner.disconnect()
