"""A pseudo-terminal with virtual meters behind it: the raw wire, parity bits in bit 7."""

import contextlib
import errno
import os
import pty
import select
import termios
import time
import tty
from collections.abc import Iterator
from pathlib import Path

from drivers.simulator.device import WireFormat
from drivers.simulator.wire import Medium, RawMedium

_SPEEDS = {
    getattr(termios, name): int(name[1:])
    for name in dir(termios)
    if name[0] == "B" and name[1:].isdigit()
}
_CHUNK = 4096
_NOBODY_S = 0.01  # s between two looks at a terminal that no program has open


class PtyTransport:
    """The far end of a pseudo-terminal; programs open and close the near end as they like.

    Args:
        link_name: A symbolic link to set on the terminal; "" for none.

    Raises:
        FileExistsError: Something else than an old link to a terminal has that name.
    """

    def __init__(self, link_name: str) -> None:
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        name = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(self._master, False)
        self._pending = bytearray()
        self._used = False
        self._symlink = Path(link_name).absolute() if link_name else None
        if self._symlink is not None:
            try:
                self._set_symlink(self._symlink, name)
            except OSError:
                os.close(self._master)
                raise
        self.link = str(self._symlink or name)
        self.medium: Medium = RawMedium(self.speed)

    @staticmethod
    def _set_symlink(symlink: Path, name: str) -> None:
        if symlink.is_symlink() and str(symlink.readlink()).startswith("/dev/"):
            symlink.unlink()  # left behind by a simulator that was killed
        symlink.symlink_to(name)

    def speed(self) -> int:
        """Return the speed that the program has set; 0 when the terminal is gone."""
        try:
            return _SPEEDS.get(termios.tcgetattr(self._master)[5], 0)
        except (termios.error, OSError):
            return 0

    def exchange(self, seconds: float) -> Iterator[bytes | WireFormat | None]:
        """Wait up to ``seconds`` for the program; yield what it sent, None when it has gone."""
        writers = [self._master] if self._pending else []
        readable, writable, _ = select.select([self._master], writers, [], seconds)
        if writable:
            self._push()
        if not readable:
            self._used = True
            return
        try:
            data = os.read(self._master, _CHUNK)
        except OSError as error:
            if error.errno not in (errno.EIO, errno.EAGAIN):
                raise
            self._pending.clear()
            if self._used:
                yield None
            self._used = False
            time.sleep(min(seconds, _NOBODY_S))
        else:
            self._used = True
            yield data

    def send(self, data: bytes) -> None:
        """Hand ``data`` to the program, as far as the terminal takes it; the rest follows."""
        if self._used:
            self._pending += data
            self._push()

    def _push(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._pending:
                del self._pending[: os.write(self._master, self._pending[:_CHUNK])]

    def close(self) -> None:
        """Hang up: a program that has the terminal open finds it gone."""
        if self._symlink is not None:
            self._symlink.unlink(missing_ok=True)
        os.close(self._master)
