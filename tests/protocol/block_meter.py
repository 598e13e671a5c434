"""A meter with general block transfer, behind a TCP wrapper or over HDLC, for the client's tests.

It takes requests in blocks and answers in blocks when an answer is longer than ``cut``; blocks are
built here, so that a mistake in the driver's does not agree with itself.
"""

from collections.abc import Callable

from drivers.dlms.frames import Deframer, Frame
from tests.protocol.dlms_meter import Value, WrapperMeterLink

AARE = bytes.fromhex(
    "6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400"
    "201E1D" "0080" "0007"
)  # fmt: skip
CLIENT, SERVER = b"\x21", b"\x03"


def block(control: int, number: int, ack: int, data: bytes) -> bytes:
    head = bytes((0xE0, control)) + number.to_bytes(2, "big") + ack.to_bytes(2, "big")
    return head + b"\x82" + len(data).to_bytes(2, "big") + data


class Blocks:
    """The meter's end: one APDU in, those that answer it out; ``answer`` gives whole answers."""

    def __init__(self, answer: Callable[[bytes], bytes | None], cut: int, window: int) -> None:
        self.answer = answer
        self.cut = cut
        self.window = window
        self.lost: set[int] = set()  # our blocks that never leave, by how many have left before
        self.left = 0
        self._begin()

    def _begin(self) -> None:
        self._have = 0
        self._request = b""
        self._out: list[bytes] = []
        self._whole = False

    def answers(self, apdu: bytes) -> list[bytes]:
        if apdu[0] != 0xE0:
            self._begin()
            answer = self.answer(apdu)
            if answer is None or apdu[0] == 0x60 or len(answer) <= self.cut:
                return [] if answer is None else [answer]
            self._answered(answer)
            return self._kept([block(1, 1, 0, self._out[0])])
        control, number = apdu[1], int.from_bytes(apdu[2:4], "big")
        ack = int.from_bytes(apdu[4:6], "big")
        if number == 1 and ack == 0:
            self._begin()
        if number == self._have + 1:
            self._have += 1
            at = 7 if apdu[6] < 0x80 else 7 + (apdu[6] & 0x7F)
            self._request += apdu[at:]
        if control & 0x40:
            return []  # another one follows
        if control & 0x80 and not self._whole and not self._out[ack:]:
            self._answered(self.answer(self._request) or b"")
        elif not self._whole and ack == len(self._out):
            self._out.append(b"")
        return self._kept(self._burst(ack, control & 0x3F))

    def _answered(self, answer: bytes) -> None:
        self._whole = True
        self._out += [answer[at : at + self.cut] for at in range(0, len(answer), self.cut)]

    def _burst(self, ack: int, window: int) -> list[bytes]:
        end = min(len(self._out), ack + window)
        burst = []
        for n in range(ack, end):
            last = 0x80 if self._whole and n + 1 == len(self._out) else 0
            streaming = 0x40 if n + 1 < end else 0
            burst.append(block(last | streaming | self.window, n + 1, self._have, self._out[n]))
        return burst

    def _kept(self, apdus: list[bytes]) -> list[bytes]:
        kept = []
        for one in apdus:
            if self.left not in self.lost:
                kept.append(one)
            self.left += 1
        return kept


class BlockMeterLink(WrapperMeterLink):
    """The little meter with blocks around all it says."""

    def __init__(
        self, objects: dict[tuple[int, str, int], Value], *, cut: int = 100, window: int = 3
    ) -> None:
        super().__init__(objects)
        self.aare = AARE
        self.blocks = Blocks(self._whole, cut, window)
        self.whole: list[bytes] = []  # requests, joined

    def _whole(self, apdu: bytes) -> bytes | None:
        self.whole.append(apdu)
        return self.aare if apdu[0] == 0x60 else WrapperMeterLink.answer(self, apdu)

    def write(self, data: bytes, *, secret: bool = False) -> None:
        self.heard.append(data[8:])
        if secret:
            self.secrets.append(data[8:])
        for n, answer in enumerate(self.blocks.answers(data[8:])):
            head = b"\x00\x01" + data[4:6] + data[2:4] + len(answer).to_bytes(2, "big")
            self.answers.append((self.now() + self.delay + n / 100, head + answer))


class HdlcBlockLink(BlockMeterLink):
    """The same over HDLC, window 1: every frame of the meter is final, and the client polls on."""

    def __init__(self, objects: dict, *, cut: int = 100, window: int = 3, size: int = 128) -> None:
        super().__init__(objects, cut=cut, window=window)
        self._deframer = Deframer()
        self._size = size
        self._segments = b""
        self._frames: list[tuple[bytes, bool]] = []
        self._sent = self._received = 0
        self.drops = False  # the link, at the next request

    def write(self, data: bytes, *, secret: bool = False) -> None:
        for frame in self._deframer.feed(data):
            self._heard(frame)

    def _heard(self, frame: Frame) -> None:
        control = frame.control & ~0x10
        if self.drops and not control & 1:
            self.drops = False
            self._say(0x1F)
        elif control in {0x83, 0x43}:
            self._sent = self._received = 0
            self._frames = []
            self._say(0x73)
        elif control & 1:
            self._next()  # RR: go on
        else:
            self._received = (self._received + 1) % 8
            self._segments += frame.information
            if frame.segmented:
                self._next()
                return
            apdu, self._segments = self._segments[3:], b""
            self.heard.append(apdu)
            for answer in self.blocks.answers(apdu):
                whole = b"\xe6\xe7\x00" + answer
                cuts = range(0, len(whole), self._size)
                self._frames += [
                    (whole[at : at + self._size], at + self._size < len(whole)) for at in cuts
                ]
            self._next()

    def _next(self) -> None:
        if not self._frames:
            self._say(self._received << 5 | 0x11)
            return
        information, segmented = self._frames.pop(0)
        control = self._received << 5 | 0x10 | self._sent << 1
        self._sent = (self._sent + 1) % 8
        self._say(control, information, segmented=segmented)

    def _say(self, control: int, information: bytes = b"", *, segmented: bool = False) -> None:
        frame = Frame(CLIENT, SERVER, control, information, segmented)
        self.answers.append((self.now() + self.delay, frame.encode()))
