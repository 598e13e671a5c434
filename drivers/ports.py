"""Opens links by port name or URL, and lists the ports of this computer."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar
from urllib.parse import urlsplit

from drivers.errors import PortProblem, PortUnavailable
from drivers.link import Check, Line, Link
from drivers.parity import ParityLink, on_the_wire
from drivers.serial_link import PortInfo, SerialLink, is_pseudo_terminal, present_ports
from drivers.stream_link import SLICE, StreamLink, nothing
from drivers.tcp_link import TcpLink
from drivers.trace_link import Trace, TraceLink

__all__ = ["PortInfo", "list_ports", "open_link"]

_KINDS = "a port name, tcp://host:port or rfc2217://host:port"
OpenLink = TypeVar("OpenLink", bound=StreamLink)


def list_ports() -> list[PortInfo]:
    """Return the serial ports of this computer with what is plugged in, adapters first."""
    return present_ports()


def open_link(
    target: str, line: Line, *, check: Check = nothing, trace: Trace | None = None
) -> Link:
    """Return an open link to ``target``: a port name, ``tcp://host:port``, ``rfc2217://host:port``.

    Args:
        target: Where the meter is.
        line: The speed and format to begin with.
        check: Called at least every 50 ms of every wait; may raise to abandon it.
        trace: Where to record every byte.

    Raises:
        PortUnavailable: With the problem that says what to do about it.
    """
    always = "://" not in target and is_pseudo_terminal(target)
    wire = on_the_wire(line, always=always)
    if "://" in target:
        link: Link = _opened_url(target, wire, check)
    else:
        link = _stoppable(lambda: SerialLink(target, wire, check), check)
    link = ParityLink(link, always=always)
    link.configure(line)
    return link if trace is None else TraceLink(link, trace)


def _opened_url(target: str, line: Line, check: Check) -> Link:
    try:
        parts = urlsplit(target)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise PortUnavailable(f"{target}: {error}", PortProblem.MALFORMED) from error
    if parts.scheme not in ("tcp", "rfc2217") or not host or not port:
        text = f"{target} is no link; write {_KINDS}"
        raise PortUnavailable(text, PortProblem.MALFORMED)
    if parts.scheme == "tcp":
        return _stoppable(lambda: TcpLink(target, host, port, line, check), check)
    from drivers.rfc2217_link import Rfc2217Link  # noqa: PLC0415 (rarely needed)

    link = _stoppable(lambda: Rfc2217Link(target, line, check), check)
    link.watch()
    return link


def _stoppable(opening: Callable[[], OpenLink], check: Check) -> OpenLink:
    """Return what ``opening`` opens; when ``check`` raises, what opens later is closed at once."""
    result: Future[OpenLink] = Future()

    def work() -> None:
        try:
            link = opening()
        except BaseException as error:  # noqa: BLE001 (handed over to the caller)
            result.set_exception(error)
        else:
            result.set_result(link)

    worker = threading.Thread(target=work, name="opening", daemon=True)
    worker.start()
    try:
        while worker.is_alive():
            check()
            worker.join(SLICE)
    except BaseException:
        result.add_done_callback(_close_late)
        raise
    return result.result()


def _close_late(result: Future[OpenLink]) -> None:
    if result.exception() is None:
        result.result().close()
