"""A serial port: optical probe, RS-485 adapter, or a pseudo-terminal of a virtual meter."""

import contextlib
import errno
import os
import re
import select
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import serial
from serial.tools import list_ports as serial_ports

from drivers.errors import PortProblem, PortUnavailable
from drivers.line_counters import SIZE, CounterWatch, LineCounts, parse_counts
from drivers.link import POLL, Check, Line
from drivers.stream_link import SLICE, StreamLink

_POSIX = os.name == "posix"
_PORT_ERRORS: tuple[type[Exception], ...] = (OSError, ValueError)
if sys.platform != "win32":
    import fcntl
    import grp
    import termios

    _PORT_ERRORS = (*_PORT_ERRORS, termios.error)

_PROBLEMS = {
    errno.ENOENT: PortProblem.MISSING,
    errno.ENXIO: PortProblem.MISSING,
    errno.ENODEV: PortProblem.MISSING,
    errno.EIO: PortProblem.MISSING,  # a port in name only, without hardware behind it
    errno.EACCES: PortProblem.FORBIDDEN,
    errno.EPERM: PortProblem.FORBIDDEN,
    errno.EBUSY: PortProblem.BUSY,
    errno.EAGAIN: PortProblem.BUSY,
    errno.ENOTTY: PortProblem.UNSUITABLE,
    errno.EISDIR: PortProblem.UNSUITABLE,
    errno.EINVAL: PortProblem.UNSUITABLE,
}
_WINDOWS_WORDS = {
    "FileNotFoundError(": PortProblem.MISSING,
    "PermissionError(": PortProblem.BUSY,  # ports are exclusive on Windows; it says so thus
    "OSError(": PortProblem.UNSUITABLE,
}


@dataclass(frozen=True, slots=True)
class PortInfo:
    """A serial port of this computer and what is plugged in; "" for what it does not tell."""

    name: str
    description: str = ""
    manufacturer: str = ""
    serial_number: str = ""


def present_ports() -> list[PortInfo]:
    """Return the serial ports that have hardware behind them, adapters first."""
    found = [port for port in serial_ports.comports() if not _is_ghost(port.device)]
    found.sort(key=lambda port: (port.vid is None, _natural(port.device)))
    return [
        PortInfo(
            port.device,
            "" if port.description in (None, "n/a", port.name) else port.description,
            port.manufacturer or "",
            port.serial_number or "",
        )
        for port in found
    ]


def _natural(name: str) -> list[tuple[str, int]]:
    """Return a sort key that puts COM10 after COM9."""
    return [(word, int(digits or 0)) for word, digits in re.findall(r"(\D+)(\d*)", name)]


def _is_ghost(name: str) -> bool:
    """Tell whether ``name`` is one of the kernel's placeholders for ports that are not built in."""
    kind = Path("/sys/class/tty") / Path(name).name / "type"
    try:
        return kind.read_text(encoding="ascii").strip() == "0"
    except (OSError, ValueError):
        return False


def is_pseudo_terminal(name: str) -> bool:
    """Tell whether ``name`` is a pseudo-terminal, or a link to one."""
    target = os.path.realpath(name)
    return target.startswith("/dev/pts/") or re.fullmatch(r"/dev/ttys\d+", target) is not None


class _Port(serial.Serial):
    """pySerial's port with one setting call for all that changes together."""

    _reconfigure_port: Callable[[], None]
    _baudrate: int
    _bytesize: int
    _parity: str

    def use(self, line: Line) -> None:
        """Set speed and format at once; received bytes are kept."""
        before = self._baudrate, self._bytesize, self._parity
        self._baudrate, self._bytesize, self._parity = line.speed, line.data_bits, line.parity
        try:
            self._reconfigure_port()
        except Exception:
            self._baudrate, self._bytesize, self._parity = before
            raise


class SerialLink(StreamLink):
    """An open serial port, used by this program alone."""

    sets_line = True

    def __init__(self, name: str, line: Line, check: Check) -> None:
        super().__init__(name, line, check)
        try:
            self._port = _Port(
                name,
                baudrate=line.speed,
                bytesize=line.data_bits,
                parity=line.parity,
                timeout=SLICE,
                exclusive=True if _POSIX else None,
            )
        except _PORT_ERRORS as error:
            raise not_opened(name, error) from error
        if sys.platform == "linux" and not is_pseudo_terminal(name):
            self._claim()
        self._watch = CounterWatch(self._counts, self.statistics)

    def _claim(self) -> None:
        """Keep other programs out and ask the adapter to hand bytes over without delay."""
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._port.fileno(), termios.TIOCEXCL)
        with contextlib.suppress(OSError, ValueError):  # not every adapter has the setting
            self._port.set_low_latency_mode(True)

    def _counts(self) -> LineCounts | None:
        """Return what the driver has counted; None where it does not count."""
        if sys.platform != "linux":
            return None
        try:
            return parse_counts(fcntl.ioctl(self._port.fileno(), termios.TIOCGICOUNT, bytes(SIZE)))
        except (OSError, ValueError):  # a port that is gone says so when it is read
            return None

    def set_lines(self, *, rts: bool, dtr: bool) -> None:
        """Set the modem lines; a pseudo-terminal has none."""
        self._alive()
        try:
            if self._port.rts != rts:
                self._port.rts = rts
            if self._port.dtr != dtr:
                self._port.dtr = dtr
        except OSError as error:
            if error.errno not in (errno.ENOTTY, errno.EINVAL):
                raise self._lost(error) from error

    def _use(self, line: Line) -> None:
        try:
            self._port.use(line)
        except _PORT_ERRORS as error:
            if _number(error) in (errno.EIO, errno.ENXIO, errno.ENODEV, errno.EBADF):
                raise self._lost(error) from error
            text = f"{self.name} cannot be set to {line}: {error}"
            raise PortUnavailable(text, PortProblem.UNSUITABLE) from error

    def _take(self, seconds: float) -> bytes:
        try:
            if _POSIX and not select.select([self._port], [], [], seconds)[0]:
                return b""
            first = self._port.read(1)
            data = first + self._port.read(self._port.in_waiting) if first else b""
        except (OSError, TypeError) as error:  # pySerial's handle is None once it has failed
            raise self._lost(error) from error
        if data:
            self._watch.look(parity=self._line.parity != "N")
        return data

    def _put(self, data: bytes) -> int:
        try:
            if _POSIX:
                if not select.select([], [self._port], [], SLICE)[1]:
                    return 0
                return os.write(self._port.fileno(), data)
            piece = data[: max(1, int(POLL / self._line.character_s))]
            return self._port.write(piece) or 0
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._lost(error) from error

    def _give_back(self) -> None:
        self._port.close()

    def _lost(self, error: Exception) -> PortUnavailable:
        self.close()
        return PortUnavailable(f"{self.name} is gone: {error}", PortProblem.LOST)


def _number(error: Exception) -> int | None:
    """Return the system's error number, wherever the exception carries it."""
    number = getattr(error, "errno", None)
    if number is None and error.args and isinstance(error.args[0], int):
        number = error.args[0]
    if number is None and (found := re.search(r"\((\d+),", str(error))):
        number = int(found[1])
    return number


def problem_of(error: Exception) -> PortProblem:
    """Return which remedy fits an error from opening a port."""
    for word, problem in _WINDOWS_WORDS.items():
        if word in str(error):
            return problem
    return _PROBLEMS.get(_number(error) or 0, PortProblem.UNSUITABLE)


def not_opened(name: str, error: Exception) -> PortUnavailable:
    """Return the error for a port that does not open, with what helps to mend it."""
    problem = problem_of(error)
    if problem is PortProblem.MISSING:
        present = tuple(port.name for port in present_ports())
        return PortUnavailable(f"there is no port {name}", problem, present)
    if problem is PortProblem.BUSY:
        return PortUnavailable(f"{name} is in use", problem, holder=holder_of(name))
    if problem is PortProblem.FORBIDDEN:
        return PortUnavailable(f"{name} may not be opened{_owner(name)}", problem)
    if _number(error) in (errno.ENOTTY, errno.EISDIR):
        return PortUnavailable(f"{name} is no serial port", problem)
    return PortUnavailable(f"{name} cannot be opened: {error}", problem)


def _owner(name: str) -> str:
    """Return which group may use the port, as the end of a sentence."""
    if sys.platform == "win32":
        return ""
    try:
        return f"; it belongs to the group {grp.getgrgid(Path(name).stat().st_gid).gr_name}"
    except (OSError, KeyError):
        return ""


def holder_of(name: str) -> str:
    """Return which program has the port open, "" where the system does not tell."""
    target = os.path.realpath(name)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            held = any(str(item.readlink()) == target for item in (process / "fd").iterdir())
            if held:
                title = (process / "comm").read_text(encoding="utf-8").strip()
                found.append(f"{title} (process {process.name})")
        except (OSError, ValueError):
            continue  # another user's program, or one that has just ended
    return ", ".join(sorted(found))
