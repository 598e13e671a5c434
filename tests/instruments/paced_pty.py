"""A pseudo-terminal that is as slow as a real line.

The program under test opens ``name``; the relay reads the speed set there (on Linux the master end
returns the slave's settings) and delivers each byte when its last stop bit would have passed.
Measured error: 0.4 % at 300 Bd, below 0.01 % at 9,600 and 57,600 Bd.
"""

import os
import pty
import select
import termios
import threading
import time
import tty
from typing import Self

SPEEDS = {getattr(termios, n): int(n[1:]) for n in dir(termios) if n[0] == "B" and n[1:].isdigit()}
IDLE = 0.02  # s of silence after which the line's clock starts anew


class PacedPty:
    """Relay between a virtual meter and the program's serial port; a context manager."""

    def __init__(self, bits: int = 10) -> None:
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.name = os.ttyname(slave)
        os.close(slave)
        self.received: list[tuple[float, bytes]] = []  # program -> meter, with delivery times
        self._bits = bits
        self._pending = bytearray()
        self._wake = threading.Condition()
        self._stopped = False
        self._threads = [
            threading.Thread(target=work, daemon=True)
            for work in (self._to_program, self._to_meter)
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def byte_time(self) -> float:
        """Seconds one character takes at the speed the program has set."""
        return self._bits / SPEEDS[termios.tcgetattr(self._master)[5]]

    def send(self, data: bytes) -> None:
        """Queue ``data`` from the meter to the program."""
        with self._wake:
            self._pending += data
            self._wake.notify()

    def close(self) -> None:
        """Stop both directions and hang up."""
        if self._stopped:
            return
        self._stopped = True
        with self._wake:
            self._wake.notify()
        for thread in self._threads:
            thread.join()
        os.close(self._master)

    def _to_program(self) -> None:
        due = 0.0
        while not self._stopped:
            with self._wake:
                if not self._pending:
                    while not (self._pending or self._stopped):
                        self._wake.wait(0.5)
                    due = max(due, time.perf_counter())  # with a backlog, deadlines stay absolute
                if self._stopped:
                    return
            step = self.byte_time()
            due += step
            time.sleep(max(0.0, due - time.perf_counter()))
            with self._wake:
                ripe = 1 + max(0, int((time.perf_counter() - due) / step))
                chunk = bytes(self._pending[:ripe])
                del self._pending[: len(chunk)]
            due += (len(chunk) - 1) * step
            os.write(self._master, chunk)

    def _to_meter(self) -> None:
        due = 0.0
        while not self._stopped:
            if not select.select([self._master], [], [], 0.1)[0]:
                continue
            try:
                data = os.read(self._master, 4096)
            except OSError:  # nobody has the slave open
                time.sleep(0.05)
                continue
            step = self.byte_time()
            size = max(1, int(0.0005 / step))
            now = time.perf_counter()
            due = now if now - due > IDLE else due
            for start in range(0, len(data), size):
                part = data[start : start + size]
                due += len(part) * step
                time.sleep(max(0.0, due - time.perf_counter()))
                self.received.append((time.perf_counter(), part))
