"""A plain TCP connection: a meter with an IP address, or a converter in front of a serial line."""

import select
import socket

from drivers.errors import PortProblem, PortUnavailable
from drivers.link import Check, Line
from drivers.stream_link import SLICE, StreamLink

CONNECT_S = 5.0  # longest wait for the connection
_CHUNK = 65536


def connected(name: str, host: str, port: int) -> socket.socket:
    """Return a connected socket that sends small pieces at once.

    Raises:
        PortUnavailable: Nobody answers there, or the host is unknown.
    """
    try:
        stream = socket.create_connection((host, port), CONNECT_S)
    except TimeoutError as error:
        text = f"{name} does not answer within {CONNECT_S:g} s"
        raise PortUnavailable(text, PortProblem.UNREACHABLE) from error
    except ConnectionRefusedError as error:
        raise PortUnavailable(f"nothing listens at {name}", PortProblem.UNREACHABLE) from error
    except PermissionError as error:
        raise PortUnavailable(f"{name} may not be reached", PortProblem.FORBIDDEN) from error
    except OSError as error:
        text = f"{name} cannot be reached: {error}"
        raise PortUnavailable(text, PortProblem.UNREACHABLE) from error
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    stream.setblocking(False)
    return stream


class TcpLink(StreamLink):
    """An open TCP connection.  Speed and format cannot be set: the far end decides them."""

    sets_line = False

    def __init__(self, name: str, host: str, port: int, line: Line, check: Check) -> None:
        super().__init__(name, line, check)
        self._stream = connected(name, host, port)

    def _use(self, line: Line) -> None:
        """Leave the line to the far end."""

    def _take(self, seconds: float) -> bytes:
        try:
            if not select.select([self._stream], [], [], seconds)[0]:
                return b""
            data = self._stream.recv(_CHUNK)
        except BlockingIOError:
            return b""
        except (OSError, ValueError) as error:
            raise self._lost(str(error)) from error
        if not data:
            raise self._lost("the other end closed the connection")
        return data

    def _put(self, data: bytes) -> int:
        try:
            if not select.select([], [self._stream], [], SLICE)[1]:
                return 0
            return self._stream.send(data)
        except BlockingIOError:
            return 0
        except (OSError, ValueError) as error:
            raise self._lost(str(error)) from error

    def _give_back(self) -> None:
        self._stream.close()

    def _lost(self, why: str) -> PortUnavailable:
        self.close()
        return PortUnavailable(f"{self.name} is gone: {why}", PortProblem.LOST)
