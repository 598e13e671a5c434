"""One data block taken from the line character by character, in whatever pieces it arrives.

The block begins with STX or SOH, or, where that was lost or is never sent, with the first data
line.  It ends one character after ETX or EOT.  Line by line the data are handed on as they come.
"""

import re

from drivers.iec62056.frames import ACK, ENDS, STARTS, Message, message_of

_BREAK = re.compile(rb"[\r\n]")
_HARMLESS = frozenset(b"\r\n\x00\x7f") | {ACK}
_TEXT = frozenset(range(0x20, 0x7F)) | frozenset(b"\r\n\t\x00\x7f") | {ACK, *STARTS, *ENDS}
_SUSPICIOUS = 3  # characters that no meter sends, before the line counts as noise
_SHARE = 10  # one in so many


class BlockReader:
    """Collects one block; `lines` gives the data lines that are complete.

    After `done` the block is `message`; what followed it is `rest`.
    """

    def __init__(self) -> None:
        self.done = False
        self.rest = b""
        self._start: int | None = None
        self._content = bytearray()
        self._open = False
        self._end: int | None = None
        self._bcc: int | None = None
        self._shown = 0  # how much of the content was handed out as lines
        self._seen = 0
        self._odd = 0

    @property
    def started(self) -> bool:
        """Whether any character that belongs to data has come."""
        return self._open

    @property
    def noise(self) -> bool:
        """Whether what came cannot be 7-bit text: another speed, or no meter."""
        return self._odd >= _SUSPICIOUS and self._odd * _SHARE >= self._seen

    @property
    def ended(self) -> bool:
        """Whether the data's own end mark ``!`` has come, with or without ETX."""
        return bytes(self._content).rstrip(b"\r\n\x00 ").endswith(b"!")

    @property
    def message(self) -> Message:
        """The block as far as it came."""
        return message_of(self._start, bytes(self._content), self._end, self._bcc)

    def feed(self, data: bytes) -> list[str]:
        """Take 7-bit characters and return the lines they complete."""
        for place, character in enumerate(data):
            if self.done:
                self.rest += data[place:]
                break
            self._seen += 1
            self._odd += character not in _TEXT
            self._take(character)
        return self._new_lines()

    def _take(self, character: int) -> None:
        if self._end is not None:
            self._bcc = character
            self.done = True
        elif not self._open:
            if character in STARTS:
                self._start, self._open = character, True
            elif character not in _HARMLESS:
                self._open = True
                self._content.append(character)
        elif character in ENDS:
            self._end = character
        elif self._start is None and character in STARTS and b"(" not in self._content:
            self._start = character  # what came before it was no data
            self._content.clear()
        else:
            self._content.append(character)

    def _new_lines(self) -> list[str]:
        lines = []
        while found := _BREAK.search(self._content, self._shown):
            lines.append(self._content[self._shown : found.start()].decode("latin-1"))
            self._shown = found.end()
        if self._end is not None and self._shown < len(self._content):
            lines.append(self._content[self._shown :].decode("latin-1"))
            self._shown = len(self._content)
        return [line for line in lines if line.strip()]
