"""General block transfer of a virtual meter: APDUs in numbered blocks, several in one turn.

    E0 | control | block number 2 | acknowledged 2 | length | data
    control: 80 the last block, 40 more follow in this turn, 3F window (blocks taken in one turn)

Theory of operation.  A message is a clear or ciphered APDU cut into blocks, numbered from 1 in
each direction.  Whoever has received the last block of a turn acknowledges the last number before
the first gap, and the other side goes on after it: lost blocks come again so.  A block without
data only acknowledges.  A request in blocks is answered in blocks; a clear request is answered in
blocks when the answer is too long for one APDU, in turns of one until the client tells its window.
What makes no sense ends the transfer on both sides (the last block, both numbers 0, no data).
Source: IEC 62056-5-3, the protocol of general block transfer.
"""

from collections import deque

from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.axdr import BadData, Taker
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.objects import Content
from drivers.simulator.dlms.pieces import Pieces

TAG = 0xE0
LAST, STREAMING, WINDOW = 0x80, 0x40, 0x3F
OUR_WINDOW = 6
_HEAD = 9  # octets of a block beside its data
_LONGEST = 0x40000  # octets of a request
_NUMBERS = 0x10000
_ABORT = bytes((TAG, LAST, 0, 0, 0, 0, 0))
_THIRD = 3


class GeneralBlocks:
    """Both directions of one association.

    Args:
        max_send: Largest APDU the client takes.
        faults: What the meter does wrong.
    """

    def __init__(self, max_send: int, faults: Faults) -> None:
        self._size = max_send - _HEAD
        self._faults = faults
        self._queue: deque[bytes] = deque()
        self._reset()

    def _reset(self) -> None:
        self._queue.clear()
        self._request = bytearray()
        self._theirs = 0  # the client's last block before a gap
        self._told = 0  # what we last acknowledged
        self._answer: Pieces | None = None
        self._ended = False  # whether the last block of the answer was made
        self._kept: list[bytes] = []  # blocks not acknowledged
        self._acknowledged = 0  # our last block that the client has
        self._sent = 0  # our highest number
        self._window = 1

    def more(self) -> bytes:
        """Return the next APDU of this turn; b"" when it is over."""
        return self._queue.popleft() if self._queue else b""

    def take(self, apdu: bytes) -> bytes | None:
        """Take a block; return the whole request once it is there.

        What is to be answered to a block that is not the last of a request waits in `more`.
        """
        self._queue.clear()
        try:
            return self._taken(apdu)
        except BadData:
            self._reset()
            self._queue.append(_ABORT)
            return None

    def begin(self, content: Content) -> None:
        """Begin to answer with ``content``; the first blocks wait in `more`."""
        self._answer = Pieces(content)
        self._send()

    def answer_long(self, content: Content) -> None:
        """Begin to answer a request that came outside of blocks."""
        self._reset()
        self.begin(content)

    def silent(self) -> None:
        """Leave a request without answer."""
        self._reset()

    def _taken(self, apdu: bytes) -> bytes | None:
        taker = Taker(apdu)
        taker.octet()
        control, number, acknowledged = taker.octet(), taker.number(2), taker.number(2)
        data = taker.octets(taker.length())
        taker.end()
        if not number:
            if data or acknowledged or not control & LAST:
                raise BadData("block 0")
            self._reset()
            return None
        if data and number == 1 and not acknowledged:
            self._reset()
        if not self._acknowledged <= acknowledged <= self._sent:
            raise BadData("an acknowledgement of what was not sent, or of less than before")
        self._forget(acknowledged)
        self._window = control & WINDOW or 1
        if data:
            return self._part(control, number, data)
        self._acknowledgement(number)
        return None

    def _forget(self, acknowledged: int) -> None:
        del self._kept[: acknowledged - self._acknowledged]
        self._acknowledged = acknowledged

    def _acknowledgement(self, number: int) -> None:
        if self._answer is None or number - self._theirs not in {0, 1}:
            raise BadData("a block without data that acknowledges nothing")
        self._theirs = number
        self._send()

    def _part(self, control: int, number: int, data: bytes) -> bytes | None:
        """Take a block with data; what is behind a gap is dropped and asked for again."""
        if self._answer is not None:
            raise BadData("more of a request that is being answered")
        if number == self._theirs + 1:
            self._theirs = number
            self._request += data
            if len(self._request) > _LONGEST:
                raise BadData("a request too long")
            if control & LAST:
                whole = bytes(self._request)
                self._request.clear()
                return whole
        if control & STREAMING and not control & LAST:
            return None  # the client goes on
        self._acknowledge()
        return None

    def _acknowledge(self) -> None:
        """Say what has come so far; the same again keeps its number."""
        if self._told != self._theirs or not self._sent:
            self._sent += 1
            self._acknowledged = self._sent - 1
            self._kept = [b""]
        self._told = self._theirs
        self._queue.append(self._built(OUR_WINDOW, self._sent, b""))

    # -- sending -----------------------------------------------------------------------------

    def _send(self) -> None:
        """Queue one turn: from the first block that is not acknowledged, up to the window."""
        if self._answer is None:
            return
        if self._kept == [b""]:  # our own acknowledgement went before
            self._forget(self._sent)
        many = self._window + 1 if "gbt-too-many" in self._faults else self._window
        numbers: list[int] = []
        while len(numbers) < many and self._make(len(numbers) + 1):
            numbers.append(self._acknowledged + len(numbers) + 1)
        for number in numbers:
            if number == _THIRD and self._faults.happens("gbt-abort", 1):
                self._abort()
                return
            last = self._ended and number == self._sent
            control = OUR_WINDOW | (LAST if last else 0)
            control |= STREAMING if number != numbers[-1] else 0
            data = self._kept[number - self._acknowledged - 1]
            self._emit(control, number, data)

    def _abort(self) -> None:
        """End the transfer behind what is queued already."""
        queued = (*self._queue, _ABORT)
        self._reset()
        self._queue.extend(queued)

    def _make(self, count: int) -> bool:
        """Have ``count`` blocks ready; False when there are not so many."""
        while self._answer is not None and len(self._kept) < count and not self._ended:
            if self._sent + 1 >= _NUMBERS:
                raise BadData("more blocks than there are numbers: they do not go round")
            self._ended = self._answer.fit(self._size)
            self._kept.append(self._answer.take(self._size))
            self._sent += 1
        return len(self._kept) >= count

    def _emit(self, control: int, number: int, data: bytes) -> None:
        """Queue one block as the faults let it."""
        if number == _THIRD and self._faults.happens("gbt-wrong-number", 1):
            number += 2
        if control & STREAMING and self._faults.happens("gbt-lost-block", 2):
            return
        block = self._built(control, number, data)
        self._queue.append(block)
        if "gbt-repeat" in self._faults:
            self._queue.append(block)

    def _built(self, control: int, number: int, data: bytes) -> bytes:
        theirs = self._theirs
        if "gbt-wrong-ack" in self._faults:
            theirs += 7
        head = bytes((TAG, control)) + number.to_bytes(2, "big") + theirs.to_bytes(2, "big")
        return head + axdr.length(len(data)) + data
