"""A loopback RFC 2217 server that sees exactly which speed, size and parity the program sets.

A pseudo-terminal hides 7E1 (the kernel forces 8 bits, no parity), so this is the instrument for
parity and speed tests: let the virtual meter answer garbage when the settings differ from its own.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from serial.rfc2217 import PortManager


class RecordedPort:
    """Stands for the serial port; records each change of a setting."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, object]] = []
        self.baudrate, self.bytesize, self.parity, self.stopbits = 300, 8, "N", 1
        self.rts = self.dtr = self.cts = self.dsr = self.cd = True
        self.ri = self.rtscts = self.xonxoff = self.break_condition = False
        self.changes.clear()

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        if name in ("baudrate", "bytesize", "parity"):
            self.changes.append((name, value))

    @property
    def setting(self) -> str:
        """Speed and format as people write them, ``300 7E1``."""
        return f"{self.baudrate} {self.bytesize}{self.parity}{self.stopbits}"

    def reset_input_buffer(self) -> None:
        """Nothing is kept."""

    def reset_output_buffer(self) -> None:
        """Nothing is kept."""


@contextmanager
def rfc2217_meter(
    answer: Callable[[bytes, RecordedPort], bytes], port: RecordedPort | None = None
) -> Iterator[tuple[str, RecordedPort]]:
    """Yield URL and port of a running server; ``answer(data, port)`` returns the bytes to send."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = port or RecordedPort()

    def run() -> None:
        try:
            connection, _ = listener.accept()
        except OSError:  # closed before anybody came
            return
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            class Writer:
                write = staticmethod(connection.sendall)

            manager = PortManager(port, Writer())
            try:
                while data := connection.recv(4096):
                    if payload := b"".join(manager.filter(data)):
                        connection.sendall(b"".join(manager.escape(answer(payload, port))))
            except OSError:  # the program went without a goodbye
                return

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"rfc2217://127.0.0.1:{listener.getsockname()[1]}", port
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(2)
