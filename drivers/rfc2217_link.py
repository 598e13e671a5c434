"""A serial port at the far end of a network: RFC 2217, which forwards speed, format and lines.

pySerial speaks the protocol; its waits are replaced by ones that can be stopped, and all settings
that change together are sent together (0.1 s apart otherwise, too slow for a speed switch).
"""

import queue
import socket
import struct
import time
from collections.abc import Callable, Iterable
from typing import Any

from serial import rfc2217

from drivers.errors import PortProblem, PortUnavailable
from drivers.link import Check, Line
from drivers.stream_link import StreamLink

ANSWER_S = 3.0  # longest wait for the far end to confirm a setting
_LOOK = 0.005  # s between two looks at the answer


class SettingRefused(Exception):
    """The far end refused a setting, or did not confirm it in time."""


class _RemotePort(rfc2217.Serial):
    """pySerial's RFC 2217 port: settings together, waits that can be stopped, a quick close."""

    check: Callable[[], None] = staticmethod(lambda: None)
    _read_buffer: Any
    _rfc2217_options: Any
    _rfc2217_port_settings: Any
    _socket: socket.socket | None
    _thread: Any

    def use(self, line: Line) -> None:
        """Set speed and format; return when the far end has confirmed all that changed."""
        wanted = {
            "baudrate": struct.pack("!I", line.speed),
            "datasize": struct.pack("!B", line.data_bits),
            "parity": struct.pack("!B", rfc2217.RFC2217_PARITY_MAP[line.parity]),
        }
        settings = self._rfc2217_port_settings
        changed = [settings[key] for key, value in wanted.items() if settings[key].value != value]
        for key, value in wanted.items():
            if settings[key] in changed:
                settings[key].set(value)
        self._confirmed(changed)
        self._baudrate, self._bytesize, self._parity = line.speed, line.data_bits, line.parity

    def use_lines(self, *, rts: bool, dtr: bool) -> None:
        """Set the modem lines; return when the far end has confirmed them."""
        control = self._rfc2217_options["control"]
        for on, yes, no in (
            (rts, rfc2217.SET_CONTROL_RTS_ON, rfc2217.SET_CONTROL_RTS_OFF),
            (dtr, rfc2217.SET_CONTROL_DTR_ON, rfc2217.SET_CONTROL_DTR_OFF),
        ):
            control.set(yes if on else no)
            self._confirmed([control])

    def _confirmed(self, settings: Iterable[Any]) -> None:
        end = time.monotonic() + ANSWER_S
        waiting = list(settings)
        while waiting:
            self.check()
            try:
                waiting = [setting for setting in waiting if not setting.is_ready()]
            except ValueError as error:
                raise SettingRefused(str(error)) from error
            if waiting and not self._thread.is_alive():
                raise ConnectionError("the other end closed the connection")
            if waiting and time.monotonic() > end:
                names = ", ".join(setting.name for setting in waiting)
                raise SettingRefused(f"{names} not confirmed within {ANSWER_S:g} s")
            if waiting:
                time.sleep(_LOOK)

    def arrived(self, seconds: float) -> bytes:
        """Return what has arrived, waiting up to ``seconds``.

        Raises:
            ConnectionError: The far end has closed and everything it sent was returned.
        """
        pieces = []
        try:
            piece = (
                self._read_buffer.get(True, seconds) if seconds else self._read_buffer.get(False)
            )
            while True:
                if piece is None:
                    self._read_buffer.put(None)  # found again by the next read
                    break
                pieces.append(piece)
                piece = self._read_buffer.get(False)
        except queue.Empty:
            pass
        else:
            if not pieces:
                raise ConnectionError("the other end closed the connection")
        return b"".join(pieces)

    def close(self) -> None:
        """Close the connection and its reader; no grace period as pySerial has it."""
        self.is_open = False
        stream, self._socket = self._socket, None
        if stream is not None:
            try:
                stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                stream.close()  # the far end was quicker
            if self._thread is not None:
                self._thread.join(1)
                self._thread = None
            stream.close()


class Rfc2217Link(StreamLink):
    """An open remote serial port."""

    sets_line = True

    def __init__(self, name: str, line: Line, check: Check) -> None:
        super().__init__(name, line, check)
        self._port = _RemotePort(
            None, baudrate=line.speed, bytesize=line.data_bits, parity=line.parity
        )
        self._port.port = name
        try:
            self._port.open()
        except (OSError, ValueError) as error:
            text = f"{name} cannot be opened: {error}"
            problem = PortProblem.UNREACHABLE
            if "support RFC2217" in str(error) or "parameter change" in str(error):
                problem = PortProblem.UNSUITABLE
            raise PortUnavailable(text, problem) from error

    def watch(self) -> None:
        """Let the stop button end waits for a confirmation, from now on."""
        self._port.check = self._check

    def set_lines(self, *, rts: bool, dtr: bool) -> None:
        """Set the modem lines of the remote port."""
        self._alive()
        self._guarded(lambda: self._port.use_lines(rts=rts, dtr=dtr))

    def _use(self, line: Line) -> None:
        self._guarded(lambda: self._port.use(line))

    def _guarded(self, setting: Callable[[], None]) -> None:
        try:
            setting()
        except SettingRefused as error:
            text = f"{self.name}: {error}"
            raise PortUnavailable(text, PortProblem.UNSUITABLE) from error
        except (OSError, AttributeError) as error:  # pySerial's socket is None once closed
            raise self._lost(error) from error

    def _take(self, seconds: float) -> bytes:
        try:
            return self._port.arrived(seconds)
        except OSError as error:
            raise self._lost(error) from error

    def _put(self, data: bytes) -> int:
        try:
            return self._port.write(data) or 0
        except OSError as error:
            raise self._lost(error) from error

    def _give_back(self) -> None:
        self._port.close()

    def _lost(self, error: Exception) -> PortUnavailable:
        self.close()
        return PortUnavailable(f"{self.name} is gone: {error}", PortProblem.LOST)
