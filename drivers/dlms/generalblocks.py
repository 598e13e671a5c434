"""General block transfer: one APDU of any length in numbered blocks, both ways.  Pure, no I/O.

    E0 | control | block number (2) | number acknowledged (2) | length | octets

The control octet holds: 80 the last block, 40 streaming (another block follows unasked), 3F how
many blocks the sender is ready to take.  The receiver acknowledges at the end of each stream the
last block before the first gap; what lies behind a gap is kept, and the gap alone is asked for.
Source: IEC 62056-5-3, clauses 7.3.13 and 9.4.6.13.
"""

from dataclasses import dataclass

from drivers.dlms.ciphering import length_octets
from drivers.dlms.data import Incomplete, length_at
from drivers.errors import GarbledReply, MeterBusy, NotSupported

TAG = 0xE0
LARGEST_WINDOW = 0x3F
_LAST, _STREAMING = 0x80, 0x40
_HEAD = 6  # tag, control and both numbers
_OVERHEAD = _HEAD + 3  # and the longest length
_HIGHEST = 0xFFFF
_GATEWAY = 0xE7
_STUCK = 4  # times the same block may be lost


@dataclass(frozen=True, slots=True)
class Block:
    """One block; ``number`` 0 aborts the transfer."""

    number: int
    acknowledged: int
    data: bytes = b""
    last: bool = False
    streaming: bool = False
    window: int = 1

    def encode(self) -> bytes:
        """Return it as an APDU."""
        control = (_LAST if self.last else 0) | (_STREAMING if self.streaming else 0) | self.window
        numbers = self.number.to_bytes(2, "big") + self.acknowledged.to_bytes(2, "big")
        return bytes((TAG, control)) + numbers + length_octets(len(self.data)) + self.data


def parsed(apdu: bytes) -> Block:
    """Return the block in ``apdu``.

    Raises:
        GarbledReply: It is none, or its length is wrong.
    """
    if len(apdu) <= _HEAD or apdu[0] != TAG:
        raise GarbledReply("a block of a general block transfer is cut short")
    try:
        length, begin = length_at(apdu, _HEAD)
    except Incomplete as error:
        raise GarbledReply("a block of a general block transfer is cut short") from error
    if begin + length != len(apdu):
        raise GarbledReply(f"a block of {length} octets has {len(apdu) - begin}")
    control = apdu[1]
    return Block(
        int.from_bytes(apdu[2:4], "big"),
        int.from_bytes(apdu[4:6], "big"),
        apdu[begin:],
        last=bool(control & _LAST),
        streaming=bool(control & _STREAMING),
        window=control & LARGEST_WINDOW,
    )


def followed(apdu: bytes) -> bool:
    """Return whether another APDU follows this one unasked: a block in the middle of a stream."""
    at = 3 + apdu[2] if apdu[:1] == bytes((_GATEWAY,)) and len(apdu) > 2 else 0  # noqa: PLR2004
    head = apdu[at : at + 2]
    return len(head) == 2 and head[0] == TAG and bool(head[1] & _STREAMING)  # noqa: PLR2004


class GeneralBlocks:
    """One request and its answer.

    Send what `first` gives (nothing, when the request goes as it is), hand each block of the meter
    to `receive` and send what `due` then holds, until `done`.
    """

    def __init__(self, request: bytes, size: int, window: int) -> None:
        """Prepare an exchange.

        Args:
            request: What goes out in blocks; b"" when it goes as it is.
            size: Octets of one of our blocks with its head.
            window: Blocks that we take in a row.

        Raises:
            NotSupported: The request is too long for the numbers of blocks.
        """
        room = max(1, size - _OVERHEAD)
        self._parts = [request[at : at + room] for at in range(0, len(request), room)]
        if len(self._parts) > _HIGHEST:
            raise NotSupported(f"{len(request)} octets are too long for the meter's blocks")
        self._window = min(max(window, 1), LARGEST_WINDOW)
        self._sent = 0  # our highest number
        self._taken = 0  # of our parts, by the meter
        self._attempts = 0
        self._heard = True  # something, since we asked last
        self._have = 0  # highest number of the meter's without a gap
        self._ahead: dict[int, Block] = {}  # behind a gap
        self._collected = 0
        self._idle = 0  # blocks in a row that brought nothing new
        self.done = False
        self.due: list[bytes] = []

    def first(self) -> list[bytes]:
        """Return what begins the exchange, [] when the request goes as it is."""
        return self._burst(1) if self._parts else []

    def receive(self, apdu: bytes) -> bytes:
        """Return the octets of the answer that ``apdu`` completes; `due` is what to send then.

        Raises:
            GarbledReply: It is no block, or its numbers cannot be.
            MeterBusy: The meter gave the transfer up.
        """
        block = parsed(apdu)
        if block.number == 0:
            raise MeterBusy("the meter gave the block transfer up")
        self._heard = True
        if self._came_before(block):
            self._waste()
            self.due = []
            return b""
        self._acknowledge(block)
        data = self._take(block)
        if data or self._unsent:
            self._idle = 0
        else:
            self._waste()
        self.due = [] if block.streaming or self.done else self._next(block)
        return data

    def _came_before(self, block: Block) -> bool:
        """Return whether a block is a repetition: what follows it comes, or `silence` asks."""
        tells_more = self._unsent and block.acknowledged != self._taken
        return block.number <= self._have and not tells_more

    def _waste(self) -> None:
        self._idle += 1
        if self._idle > 2 * LARGEST_WINDOW:
            raise GarbledReply("the meter sends the same blocks for ever")

    def silence(self) -> list[bytes]:
        """Return what to send when nothing came: what is wanted, once more.

        Raises:
            GarbledReply: That has been tried often enough.
        """
        self._again("the meter's blocks stay away")
        return self._burst(1) if self._unsent else self._asking()

    # --- ours -------------------------------------------------------------------------------

    @property
    def _unsent(self) -> bool:
        return self._taken < len(self._parts)

    def _acknowledge(self, block: Block) -> None:
        if not self._unsent:
            return  # nothing of ours is open: makers differ in what they acknowledge then
        if block.acknowledged > min(self._sent, len(self._parts)):
            raise GarbledReply(f"the meter acknowledges block {block.acknowledged}, never sent")
        if block.acknowledged > self._taken:
            self._taken, self._attempts = block.acknowledged, 0
        elif not block.streaming:
            self._again("the meter does not take our blocks")

    def _burst(self, window: int) -> list[bytes]:
        """Return our next blocks, as many as the meter takes in a row."""
        end = min(self._taken + max(window, 1), len(self._parts))
        self._sent = max(self._sent, end)
        return [
            Block(
                number,
                self._have,
                self._parts[number - 1],
                last=number == len(self._parts),
                streaming=number < end,
                window=self._window,
            ).encode()
            for number in range(self._taken + 1, end + 1)
        ]

    def _next(self, block: Block) -> list[bytes]:
        if self._unsent:
            return self._burst(block.window)
        return self._asking()

    def _asking(self) -> list[bytes]:
        """Return what acknowledges all before the first gap and asks for what is missing."""
        window = min(self._ahead) - self._have - 1 if self._ahead else self._window
        if self._heard:  # else the same once more
            self._sent += 1
        self._heard = False
        if self._sent > _HIGHEST:
            raise GarbledReply("a block transfer without an end")
        own = Block(self._sent, self._have, last=True, window=min(window, self._window))
        return [own.encode()]

    # --- the meter's ------------------------------------------------------------------------

    def _take(self, block: Block) -> bytes:
        """Return what is complete now; a block that came before is counted as no progress."""
        before = self._have
        if self._unsent:  # an acknowledgement: what counts is ours, and a lost one held nothing
            if before < block.number <= before + self._sent:
                self._have = block.number
            return b""
        if before < block.number <= before + 2 * LARGEST_WINDOW:
            self._ahead[block.number] = block
        data = b""
        while (following := self._ahead.pop(self._have + 1, None)) is not None:
            self._have += 1
            data += following.data
            if following.last and self._collected + len(data):
                self.done = True
                break
        self._collected += len(data)
        if self._have > before:
            self._attempts = 0
        elif not block.streaming:
            self._again("blocks keep getting lost")
        return data

    def _again(self, words: str) -> None:
        self._attempts += 1
        if self._attempts > _STUCK:
            raise GarbledReply(words)
