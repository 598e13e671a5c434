"""Keeps secrets out of traces when the line sends them back."""

_HEADER = 5  # characters that an answer may share with a secret message; more of them are its echo


class EchoMask:
    """Finds the echo of secret bytes in what comes back, whatever pieces it comes in.

    An answer may begin like the secret message did (start character, frame format).  So the first
    few matching characters are held back until it is clear which it is; from then on everything up
    to the length of the message is dots, damaged characters of the echo included.
    """

    def __init__(self) -> None:
        self._secret = b""
        self._held = bytearray()
        self._masking = 0  # characters of the echo still to come

    def expect(self, secret: bytes) -> None:
        """Look for ``secret`` (compared on seven bits) from now on."""
        self._secret = secret
        self._masking = 0

    def sift(self, data: bytes) -> list[tuple[bytes, bool]]:
        """Return ``data`` as pieces to record, each with whether it must be masked."""
        pieces: list[tuple[bytes, bool]] = []
        for character in data:
            self._look(character, pieces)
        return pieces

    def flush(self) -> bytes:
        """Return what was held back: no echo follows it any more."""
        held = bytes(self._held)
        self._held.clear()
        return held

    def _look(self, character: int, pieces: list[tuple[bytes, bool]]) -> None:
        if self._masking:
            self._masking -= 1
            _append(pieces, bytes([character]), masked=True)
            return
        if self._secret:
            self._held.append(character)
            place = len(self._held)
            if (character ^ self._secret[place - 1]) & 0x7F:
                last = self._held.pop()
                _append(pieces, self.flush(), masked=False)
                if last == self._secret[0]:
                    self._held.append(last)
                    return
                character = last
            elif place > _HEADER or place == len(self._secret):
                _append(pieces, self.flush(), masked=True)
                self._masking, self._secret = len(self._secret) - place, b""
                return
            else:
                return
        _append(pieces, bytes([character]), masked=False)


def _append(pieces: list[tuple[bytes, bool]], data: bytes, *, masked: bool) -> None:
    if data and pieces and pieces[-1][1] == masked:
        pieces[-1] = (pieces[-1][0] + data, masked)
    elif data:
        pieces.append((data, masked))
