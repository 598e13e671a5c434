"""A TCP proxy to a unix socket that cuts connections after a drawn number of bytes, or delays them.

The cut may fall into either direction, in the middle of a message.
"""

import random
import selectors
import socket
import threading
import time
from collections import deque
from contextlib import suppress


class CuttingProxy:
    """Listens on ``port`` of the loopback; ``share`` of the connections are cut.

    ``delay_s`` is the time a byte travels in one direction, as over a long line.
    """

    def __init__(
        self, target: str, *, seed: int = 1, share: float = 0.0, most: int = 20_000,
        delay_s: float = 0.0,
    ) -> None:  # fmt: skip
        self.share = share
        self.cuts = 0
        self._target = target
        self._chance = random.Random(seed)
        self._most = most
        self._delay = delay_s
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening; open connections end with their clients."""
        self._open = False
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while self._open:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            cut = self._chance.randint(1, self._most) if self._chance.random() < self.share else 0
            threading.Thread(target=self._carry, args=(client, cut), daemon=True).start()

    def _carry(self, client: socket.socket, cut: int) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with suppress(OSError):
                server.connect(self._target)
                self._pump(client, server, cut)
        finally:
            client.close()
            server.close()

    def _pump(self, client: socket.socket, server: socket.socket, cut: int) -> None:
        """Carry bytes both ways until one side ends or the cut is reached."""
        carried = 0
        travelling: deque[tuple[float, socket.socket, bytes]] = deque()
        with selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while True:
                wait = max(0.0, travelling[0][0] - time.monotonic()) if travelling else None
                for key, _ in ready.select(wait):
                    data = key.fileobj.recv(65536)
                    if not data:
                        return
                    if cut and carried + len(data) >= cut:
                        key.data.sendall(data[: cut - carried])
                        self.cuts += 1
                        return
                    carried += len(data)
                    travelling.append((time.monotonic() + self._delay, key.data, data))
                while travelling and travelling[0][0] <= time.monotonic():
                    _, to, data = travelling.popleft()
                    to.sendall(data)
