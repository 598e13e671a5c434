"""A long answer while it is sent: made piece by piece, never held whole."""

from collections.abc import Iterator

from drivers.simulator.dlms.objects import Content


class Pieces:
    """Octets that are made when they are asked for."""

    def __init__(self, content: Content) -> None:
        self._rest: Iterator[bytes] = iter((content,)) if isinstance(content, bytes) else content
        self._held = bytearray()

    def fit(self, size: int) -> bool:
        """Tell whether what is left has at most ``size`` octets."""
        while len(self._held) <= size:
            piece = next(self._rest, None)
            if piece is None:
                return True
            self._held += piece
        return False

    def take(self, size: int) -> bytes:
        """Return the next ``size`` octets, fewer where there are no more."""
        self.fit(size)
        data = bytes(self._held[:size])
        del self._held[:size]
        return data

    def all(self) -> Iterator[bytes]:
        """Yield everything that is left."""
        yield bytes(self._held)
        self._held.clear()
        yield from self._rest
