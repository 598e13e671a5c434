"""A TCP port with virtual meters behind it, like a converter on a serial line."""

import select
import socket
from collections.abc import Iterator

from drivers.simulator.device import WireFormat
from drivers.simulator.wire import Medium, PlainMedium

_CHUNK = 65536


class TcpTransport:
    """A listening socket that serves one program at a time; a second one is turned away."""

    scheme = "tcp"

    def __init__(self, host: str, port: int, medium: Medium | None = None) -> None:
        self._listener = socket.create_server((host, port))
        self._stream: socket.socket | None = None
        self._pending = bytearray()
        shown, number = self._listener.getsockname()[:2]
        if shown == "0.0.0.0":  # noqa: S104 (asked for by whoever gave that host)
            shown = "127.0.0.1"
        self.link = f"{self.scheme}://{shown}:{number}"
        self.medium: Medium = medium if medium is not None else PlainMedium()

    def exchange(self, seconds: float) -> Iterator[bytes | WireFormat | None]:
        """Wait up to ``seconds`` for the program; yield what it sent, None when it has gone."""
        readers = [self._listener] + ([self._stream] if self._stream else [])
        writers = [self._stream] if self._stream and self._pending else []
        readable, writable, _ = select.select(readers, writers, [], seconds)
        if writable:
            self._push()
        if self._stream is not None and self._stream in readable:
            yield from self._received(self._stream)
        if self._listener in readable:
            self._accept()

    def send(self, data: bytes) -> None:
        """Hand ``data`` to the program, if there is one."""
        if self._stream is not None:
            self._pending += data
            self._push()

    def close(self) -> None:
        """Close the connection and stop listening."""
        self._hang_up()
        self._listener.close()

    def _accept(self) -> None:
        stream, _ = self._listener.accept()
        if self._stream is not None:
            stream.close()
            return
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.setblocking(False)
        self._stream = stream
        self._greet()

    def _greet(self) -> None:
        """Begin a connection; plain TCP has nothing to say."""

    def _received(self, stream: socket.socket) -> Iterator[bytes | WireFormat | None]:
        try:
            data = stream.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            yield from self._understood(data)
        else:
            self._hang_up()
            yield None

    def _understood(self, data: bytes) -> Iterator[bytes | WireFormat | None]:
        """Yield what the received bytes say; on plain TCP they are the characters."""
        yield data

    def _push(self) -> None:
        try:
            while self._pending and self._stream is not None:
                del self._pending[: self._stream.send(self._pending[:_CHUNK])]
        except BlockingIOError:
            return
        except OSError:
            self._pending.clear()  # the program is going; the next read says so

    def _hang_up(self) -> None:
        self._pending.clear()
        if self._stream is not None:
            self._stream.close()
            self._stream = None
