"""Puts virtual meters where programs can open them: pseudo-terminal, TCP port, RFC 2217 port."""

import logging
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Protocol, Self

from drivers.simulator.device import Device, HasKeypad, WireFormat
from drivers.simulator.wire import Medium, PortMedium, Wire

log = logging.getLogger(__name__)

_FORMS = "pty, pty:LINKNAME, tcp:[HOST:]PORT or rfc2217:[HOST:]PORT (port 0: any free one)"
_LOCAL = "127.0.0.1"
_LOOK_S = 0.02  # longest wait before the server looks whether it is to end
_PIECE_S = 0.001  # characters are handed over in pieces of at most this long
_LAST_PORT = 65535
_TYPING_S = 10.0  # longest wait for a display; the line looks at the keypad every turn


class Transport(Protocol):
    """Where programs connect: bytes and changes of the setting in, bytes out."""

    link: str
    medium: Medium

    def exchange(self, seconds: float) -> Iterator[bytes | WireFormat | None]:
        """Wait up to ``seconds``; yield characters, settings, and None for a program that left."""

    def send(self, data: bytes) -> None:
        """Hand characters to the program."""

    def close(self) -> None:
        """Cut the connection and let nobody connect any more."""


class Server:
    """Virtual meters on a line that programs open as `link`; a thread of its own moves it.

    A context manager.  A defect of a device ends the line and is raised by `close`.
    """

    def __init__(self, devices: Sequence[Device], transport: Transport, wire: Wire, name: str):
        self.devices = list(devices)
        self.name = name or ", ".join(device.name for device in devices)
        self.link = transport.link
        self._transport = transport
        self._wire = wire
        self._ending = threading.Event()
        self._typed: queue.SimpleQueue[tuple[str, str, Future[str]]] = queue.SimpleQueue()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name=f"line {self.link}", daemon=True)
        self._thread.start()

    def press(self, keys: str, serial: str = "") -> str:
        """Type on the keypad of a meter (the first, or the one of ``serial``); return its display.

        Raises:
            ValueError: No such meter, or it has no keypad.
        """
        display: Future[str] = Future()
        self._typed.put((keys, serial, display))
        return display.result(_TYPING_S)

    def pull(self) -> None:
        """Unplug the probe: programs find the port gone, and later opens fail."""
        self._ending.set()
        self._thread.join()

    def close(self) -> None:
        """End the line; a second call changes nothing.

        Raises:
            RuntimeError: A device failed while it was served.
        """
        self.pull()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise RuntimeError(f"{self.name} failed: {failure!r}") from failure

    @property
    def running(self) -> bool:
        """Whether the line still works."""
        return self._thread.is_alive()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self.pull()

    def _work(self) -> None:
        try:
            while not self._ending.is_set():
                self._turn()
        except Exception as error:
            log.exception("the line %s ended", self.link)
            self._failure = error
        finally:
            self._transport.close()

    def _turn(self) -> None:
        """Move the line up to now, then wait for whatever comes first."""
        while not self._typed.empty():
            self._type(*self._typed.get())
        self._wire.run(time.monotonic())
        if data := self._wire.take():
            self._transport.send(data)
        due = self._wire.next_at()
        left = _LOOK_S if due is None else min(_LOOK_S, max(0.0, due - time.monotonic()))
        for item in self._transport.exchange(left):
            now = time.monotonic()
            if item is None:
                self._wire.drop()
            elif isinstance(item, bytes):
                self._wire.put(now, item)
            elif isinstance(self._transport.medium, PortMedium):
                self._set(now, self._transport.medium, item)

    def _type(self, keys: str, serial: str, display: Future[str]) -> None:
        """Press keys in the thread of the line: a meter does one thing at a time."""
        for device in self.devices:
            if isinstance(device, HasKeypad) and device.name.endswith(serial):
                display.set_result(device.typed(time.monotonic(), keys))
                return
        display.set_exception(ValueError(f"no meter {serial} with a keypad"))

    def _set(self, now: float, medium: PortMedium, line: WireFormat) -> None:
        if line != medium.line:
            self._wire.before_change(now)
            medium.line = line


def serve(
    devices: Sequence[Device], listen: str, *, real_time: bool = False, name: str = ""
) -> Server:
    """Return a running server for ``devices``, all on one line.

    Args:
        devices: The meters; each hears everything that is sent on the line.
        listen: ``pty[:LINKNAME]``, ``tcp:[HOST:]PORT`` or ``rfc2217:[HOST:]PORT``.
        real_time: Characters take their true time on the line.  Where not, only the program's
            7-bit characters do, because sign-on protocols compute with it.
        name: What to call the line; the names of the devices by default.

    Raises:
        ValueError: ``listen`` has another form, or cannot be had on this system.
        OSError: The port or the name is taken.
    """
    transport = _transport(listen)
    wire = Wire(
        devices,
        transport.medium,
        paced=real_time,
        latency=_PIECE_S,
        out_latency=_PIECE_S,
        start=time.monotonic(),
    )
    return Server(devices, transport, wire, name)


def _transport(listen: str) -> Transport:
    kind, _, place = listen.partition(":")
    if kind == "pty":
        try:
            from drivers.simulator.serve_pty import PtyTransport  # noqa: PLC0415 (not on Windows)
        except ImportError as error:
            raise ValueError(f"there is no {listen!r} on this system; use tcp:0") from error
        return PtyTransport(place)
    if kind not in ("tcp", "rfc2217"):
        raise ValueError(f"cannot listen on {listen!r}; use {_FORMS}")
    host, _, number = place.rpartition(":")
    if not number.isdigit() or int(number) > _LAST_PORT:
        raise ValueError(f"{listen!r} has no port number; use {_FORMS}")
    if kind == "tcp":
        from drivers.simulator.serve_tcp import TcpTransport  # noqa: PLC0415 (one of three)

        return TcpTransport(host or _LOCAL, int(number))
    from drivers.simulator.serve_rfc2217 import Rfc2217Transport  # noqa: PLC0415 (one of three)

    return Rfc2217Transport(host or _LOCAL, int(number))
