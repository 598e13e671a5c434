"""Even parity in software: 7E1 over links that carry eight bits and know no parity."""

from dataclasses import replace

from drivers.link import Line, Link

_EVEN = bytes((c & 0x7F) | ((c & 0x7F).bit_count() & 1) << 7 for c in range(256))
_SEVEN = bytes(c & 0x7F for c in range(256))
_SEVEN_BITS = 7


def with_even_parity(data: bytes) -> bytes:
    """Return 7-bit ``data`` with even parity in bit 7."""
    return data.translate(_EVEN)


def without_parity(data: bytes) -> tuple[bytes, int]:
    """Return ``data`` without bit 7, and how many of its characters had wrong even parity."""
    return data.translate(_SEVEN), sum(c.bit_count() & 1 for c in data)


class ParityLink:
    """A link that does 7E1 in software over ``inner``, which stays at 8N1 meanwhile.

    It does so for lines that ask for it (`Line.software`), and with ``always`` for every 7E1 line.
    Damaged characters are passed on without bit 7 and counted.
    """

    def __init__(self, inner: Link, *, always: bool = False) -> None:
        self.name = inner.name
        self.statistics = inner.statistics  # the inner link counts
        self._inner = inner
        self._always = always
        self._on = False

    @property
    def sets_line(self) -> bool:
        """Whether the inner link can set speed and format."""
        return self._inner.sets_line

    def now(self) -> float:
        """Return the inner link's time."""
        return self._inner.now()

    def wait(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self._inner.wait(seconds)

    def configure(self, line: Line) -> None:
        """Use ``line``, with its parity in software where that is needed."""
        self._on = in_software(line, always=self._always)
        self._inner.configure(on_the_wire(line, always=self._always))

    def set_lines(self, *, rts: bool, dtr: bool) -> None:
        """Set the modem lines."""
        self._inner.set_lines(rts=rts, dtr=dtr)

    def write(self, data: bytes, *, secret: bool = False) -> None:
        """Send ``data``, with parity where it is on."""
        self._inner.write(with_even_parity(data) if self._on else data, secret=secret)

    def read(self, timeout: float) -> bytes:
        """Return what arrived, without parity where it is on."""
        data = self._inner.read(timeout)
        if self._on and data:
            data, wrong = without_parity(data)
            self.statistics.parity_counted = True
            self.statistics.parity_errors += wrong
        return data

    def close(self) -> None:
        """Close the inner link."""
        self._inner.close()


def in_software(line: Line, *, always: bool) -> bool:
    """Tell whether the parity of ``line`` is ours to do."""
    return line.data_bits == _SEVEN_BITS and (line.software or always)


def on_the_wire(line: Line, *, always: bool) -> Line:
    """Return the line that the port itself must have for ``line``."""
    if in_software(line, always=always):
        return Line(line.speed)
    return replace(line, software=False)
