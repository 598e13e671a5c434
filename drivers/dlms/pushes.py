"""What a meter sends unasked: whole, or in general blocks that are joined here.  Pure, no I/O.

A notification has no answer, so its blocks are not acknowledged and what is lost does not come
again: they follow each other, or the whole of it is dropped.  Which transfer a block belongs to is
told by what its first block begins with.
"""

from drivers.dlms.generalblocks import TAG, Block, parsed
from drivers.errors import GarbledReply
from drivers.values import Statistics

# pushed, not answers: data and event notifications, information reports, and ciphered forms
_NOTIFICATIONS = frozenset({0x0F, 0xC2, 0xCA, 0xDB, 0x18, 0x38})
_LONGEST = 0x40000  # octets of one notification
_MANY = 1000  # notifications that nobody has fetched


class Pushes:
    """Notifications of one meter, until they are fetched.

    What is damaged, or more than anybody could want, is counted as discarded.
    """

    def __init__(self, statistics: Statistics) -> None:
        self.whole: list[bytes] = []
        self._statistics = statistics
        self._have: Block | None = None  # the last block that was taken
        self._open = False  # whether more of them follow
        self._spoilt = False  # a block is lost, the rest only passes
        self._joined = bytearray()

    def takes(self, apdu: bytes) -> bool:
        """Take ``apdu`` where it is a notification or a block of one; False leaves it to others."""
        if apdu[:1] and apdu[0] in _NOTIFICATIONS:
            self._add(apdu)
            return True
        if apdu[:1] != bytes((TAG,)):
            return False
        try:
            block = parsed(apdu)
        except GarbledReply:
            return False
        return self._block(block)

    def foreign(self) -> None:
        """Count an APDU that nobody asked for and that is no notification."""
        self._statistics.discarded += 1

    def _block(self, block: Block) -> bool:
        before = self._have
        if block == before:  # sent twice
            return True
        if block.number == 1 and block.data[:1] and block.data[0] in _NOTIFICATIONS:
            self._end()
            self._open = True
            self._join(block)
            return True
        if not self._open or before is None:
            return False
        if block.number <= before.number:  # another transfer has begun
            self._end()
            return False
        self._spoilt |= block.number != before.number + 1
        self._join(block)
        return True

    def _join(self, block: Block) -> None:
        self._have = block
        self._spoilt |= len(self._joined) + len(block.data) > _LONGEST
        if not self._spoilt:
            self._joined += block.data
        if block.last:
            if not self._spoilt:
                self._add(bytes(self._joined))
                self._open = False
            self._end()

    def _end(self) -> None:
        """Be ready for another notification; one that is not whole is counted."""
        self._statistics.discarded += self._open
        self._open = self._spoilt = False
        self._joined.clear()

    def _add(self, apdu: bytes) -> None:
        if len(self.whole) < _MANY:
            self.whole.append(apdu)
        else:
            self._statistics.discarded += 1
