"""A meter in forty lines for the client's tests: objects as encoded bytes, behind a TCP wrapper.

It knows nothing of the virtual meters, so that a mistake there and a mistake here do not agree.
"""

from collections.abc import Callable

from drivers.link import Line
from drivers.values import Statistics

AARE = bytes.fromhex(
    "6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400001E1D02000007"
)
Value = bytes | int | Callable[[bytes], bytes | int]


class WrapperMeterLink:
    """A link to one meter; time is virtual, an answer takes ``delay`` seconds.

    ``objects`` maps (class, code, attribute) to encoded data, to a result code, or to a function of
    the selector.  ``heard`` has every request.
    """

    name = "fake"
    sets_line = False

    def __init__(self, objects: dict[tuple[int, str, int], Value], *, block: int = 0) -> None:
        self.objects = objects
        self.block = block
        self.delay = 0.2
        self.statistics = Statistics()
        self.heard: list[bytes] = []
        self.secrets: list[bytes] = []
        self.answers: list[tuple[float, bytes]] = []
        self.special: dict[int, bytes | None] = {}  # by first octet of the request
        self._now = 1000.0
        self._rest: list[bytes] = []

    def now(self) -> float:
        return self._now

    def wait(self, seconds: float) -> None:
        self._now += seconds

    def configure(self, line: Line) -> None: ...

    def set_lines(self, *, rts: bool, dtr: bool) -> None: ...

    def close(self) -> None: ...

    def write(self, data: bytes, *, secret: bool = False) -> None:
        apdu = data[8:]
        assert len(apdu) == int.from_bytes(data[6:8], "big")
        self.heard.append(apdu)
        if secret:
            self.secrets.append(apdu)
        answer = self.answer(apdu)
        if answer is not None:
            head = b"\x00\x01" + data[4:6] + data[2:4] + len(answer).to_bytes(2, "big")
            self.answers.append((self._now + self.delay, head + answer))

    def read(self, timeout: float) -> bytes:
        if not self.answers or self.answers[0][0] > self._now + timeout:
            self._now += timeout
            return b""
        at, data = self.answers.pop(0)
        self._now = max(self._now, at)
        return data

    def answer(self, apdu: bytes) -> bytes | None:
        if apdu[0] in self.special:
            return self.special[apdu[0]]
        if apdu[0] == 0x60:
            return AARE
        if apdu[0] == 0x62:
            return b"\x63\x03\x80\x01\x00"
        if apdu[0] == 0xC0 and apdu[1] == 2:
            return self._next(apdu)
        key = (int.from_bytes(apdu[3:5], "big"), ".".join(map(str, apdu[5:11])), apdu[11])
        if apdu[0] == 0xC1:
            return b"\xc5\x01" + apdu[2:3] + bytes((self._write(key, apdu[13:]),))
        return self._first(apdu[2:3], self._value(key, apdu[13:]))

    def _value(self, key: tuple[int, str, int], selector: bytes) -> bytes | int:
        value = self.objects.get(key, 4)
        return value(selector) if callable(value) else value

    def _write(self, key: tuple[int, str, int], data: bytes) -> int:
        if key not in self.objects:
            return 4
        self.objects[key] = data
        return 0

    def _first(self, invoke: bytes, value: bytes | int) -> bytes:
        if isinstance(value, int):
            return b"\xc4\x01" + invoke + bytes((1, value))
        if not self.block or len(value) <= self.block:
            return b"\xc4\x01" + invoke + b"\x00" + value
        self._rest = [value[at : at + self.block] for at in range(0, len(value), self.block)]
        return self._block(invoke, 1)

    def _next(self, apdu: bytes) -> bytes:
        number = int.from_bytes(apdu[3:7], "big")
        if number >= len(self._rest):
            return b"\xc4\x01" + apdu[2:3] + b"\x01\x10"
        return self._block(apdu[2:3], number + 1)

    def _block(self, invoke: bytes, number: int) -> bytes:
        raw = self._rest[number - 1]
        last = bytes((number == len(self._rest),))
        length = b"\x82" + len(raw).to_bytes(2, "big")
        return b"\xc4\x02" + invoke + last + number.to_bytes(4, "big") + b"\x00" + length + raw
