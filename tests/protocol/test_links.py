"""Links over the real system: ports that fail, connections that break, waits that are stopped."""

import os
import pty
import socket
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers import serial_link
from drivers.errors import PortProblem, PortUnavailable
from drivers.link import Line
from drivers.ports import PortInfo, list_ports, open_link
from drivers.serial_link import holder_of, problem_of
from drivers.trace_link import Trace

ROOT = Path(__file__).parents[2]


class Stop(Exception):
    pass


class Far:
    """The far end of a pseudo-terminal."""

    def __init__(self) -> None:
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.name = os.ttyname(slave)
        os.close(slave)

    def hear(self) -> bytes:
        return os.read(self.master, 4096)

    def say(self, data: bytes) -> None:
        os.write(self.master, data)

    def hang_up(self) -> None:
        if self.master >= 0:
            os.close(self.master)
            self.master = -1


@pytest.fixture
def far() -> Iterator[Far]:
    end = Far()
    yield end
    end.hang_up()


def failure(act: Callable[[], object]) -> PortUnavailable:
    with pytest.raises(PortUnavailable) as caught:
        act()
    return caught.value


def after(seconds: float, act: Callable[[], object]) -> None:
    threading.Timer(seconds, act).start()


# -- ports that do not open ------------------------------------------------------------------


def test_a_missing_port_names_the_ports_that_exist(monkeypatch):
    found = [PortInfo("/dev/ttyUSB7", "Probe"), PortInfo("/dev/ttyS0")]
    monkeypatch.setattr(serial_link, "present_ports", lambda: found)
    error = failure(lambda: open_link("/dev/ttyUSB99", Line()))
    assert error.problem is PortProblem.MISSING
    assert error.present == ("/dev/ttyUSB7", "/dev/ttyS0")


def test_a_busy_port_names_the_program_that_holds_it(far):
    link = open_link(far.name, Line())
    error = failure(lambda: open_link(far.name, Line()))
    assert error.problem is PortProblem.BUSY
    if Path("/proc/self/fd").exists():
        assert f"(process {os.getpid()})" in error.holder
    link.close()
    assert holder_of(far.name) == ""
    open_link(far.name, Line()).close()


def test_a_forbidden_port_names_the_group_it_belongs_to(far):
    Path(far.name).chmod(0o600)
    script = (
        "import os, sys\n"
        "from drivers.ports import open_link\n"
        "from drivers.errors import PortUnavailable\n"
        "from drivers.link import Line\n"
        "if os.getuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "else: os.chmod(sys.argv[1], 0)\n"
        "try: open_link(sys.argv[1], Line())\n"
        "except PortUnavailable as error: print(error.problem.value, error)\n"
    )
    command = [sys.executable, "-c", script, far.name]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    if "Permission" in done.stderr:
        pytest.skip("an unprivileged account cannot read this checkout")
    assert done.stdout.startswith(f"forbidden {far.name} may not be opened"), done.stderr
    assert "belongs to the group" in done.stdout


@pytest.mark.parametrize("name", ["/dev/null", "/tmp"])
def test_something_else_than_a_port_is_unsuitable(name):
    error = failure(lambda: open_link(name, Line()))
    assert error.problem is PortProblem.UNSUITABLE
    assert "no serial port" in str(error)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("could not open port 'COM9': FileNotFoundError(2, 'x', None, 2)", PortProblem.MISSING),
        ("could not open port 'COM4': PermissionError(13, 'x', None, 5)", PortProblem.BUSY),
        ("could not open port 'COM4': OSError(22, 'x', None, 87)", PortProblem.UNSUITABLE),
        ("Could not configure port: (5, 'Input/output error')", PortProblem.MISSING),
        ("something new", PortProblem.UNSUITABLE),
    ],
)
def test_the_words_of_other_systems_are_understood(text, problem):
    assert problem_of(serial_link.serial.SerialException(text)) is problem


@pytest.mark.parametrize(
    "target", ["socket://127.0.0.1:1", "tcp://127.0.0.1", "tcp://:5", "tcp://h:99999", "loop://"]
)
def test_a_url_of_another_form_says_which_forms_there_are(target):
    assert failure(lambda: open_link(target, Line())).problem is PortProblem.MALFORMED


@pytest.mark.parametrize("scheme", ["tcp", "rfc2217"])
def test_nobody_listening_is_an_address_that_is_not_reached(scheme):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
    error = failure(lambda: open_link(f"{scheme}://127.0.0.1:{number}", Line()))
    assert error.problem is PortProblem.UNREACHABLE


def test_the_ports_listed_are_plain_values():
    assert all(isinstance(port, PortInfo) and port.name for port in list_ports())


# -- connections that break ------------------------------------------------------------------


def test_a_probe_pulled_within_a_read_is_lost(far):
    link = open_link(far.name, Line())
    far.say(b"half")
    assert link.read(1.0) == b"half"
    after(0.1, far.hang_up)
    assert failure(lambda: link.read(10.0)).problem is PortProblem.LOST
    assert failure(lambda: link.write(b"x")).problem is PortProblem.LOST
    link.close()


def test_setting_the_speed_of_a_pulled_probe_is_lost(far):
    link = open_link(far.name, Line())
    far.hang_up()
    assert failure(lambda: link.configure(Line(300))).problem is PortProblem.LOST


def test_a_peer_that_closes_ends_a_read_at_once():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        link = open_link(f"tcp://127.0.0.1:{listener.getsockname()[1]}", Line())
        peer, _ = listener.accept()
        peer.sendall(b"last words")
        after(0.1, peer.close)
        assert link.read(1.0) == b"last words"
        assert failure(lambda: link.read(10.0)).problem is PortProblem.LOST
        assert failure(lambda: link.read(10.0)).problem is PortProblem.LOST


# -- waits that are stopped ------------------------------------------------------------------


class StopAfter:
    """A stop button pressed after a while; notes when that was and when it was looked at."""

    def __init__(self, seconds: float) -> None:
        self.pressed = time.monotonic() + seconds
        self.looks = [time.monotonic()]

    def __call__(self) -> None:
        self.looks.append(time.monotonic())
        if self.looks[-1] >= self.pressed:
            raise Stop


def assert_looked_often(button: StopAfter) -> None:
    """The gaps between looks, without the few in which the machine did something else."""
    gaps = sorted(b - a for a, b in zip(button.looks, button.looks[1:], strict=False))
    assert len(gaps) > 3
    assert gaps[len(gaps) // 2] <= 0.05


def test_a_stopped_read_ends_within_fifty_milliseconds(far):
    button = StopAfter(0.3)
    link = open_link(far.name, Line(), check=button)
    with pytest.raises(Stop):
        link.read(60.0)
    assert_looked_often(button)
    link.close()


def test_a_stopped_wait_ends_within_fifty_milliseconds(far):
    button = StopAfter(0.3)
    link = open_link(far.name, Line(), check=button)
    with pytest.raises(Stop):
        link.wait(60.0)
    assert_looked_often(button)
    link.close()


def test_a_write_that_nobody_takes_can_be_stopped():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        button = StopAfter(0.5)
        link = open_link(url, Line(), check=button)
        with pytest.raises(Stop):
            link.write(bytes(50_000_000))
        link.close()


def test_opening_something_that_does_not_answer_can_be_stopped():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        button = StopAfter(0.3)
        url = f"rfc2217://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Stop):
            open_link(url, Line(), check=button)
        assert_looked_often(button)
        silent.accept()[0].close()
        late = [thread for thread in threading.enumerate() if thread.name == "opening"]
        for thread in late:
            thread.join(10)


# -- what works ------------------------------------------------------------------------------


def test_seven_bits_are_done_in_software_on_a_pseudo_terminal(far):
    link = open_link(far.name, Line(300, 7, "E"))
    link.write(b"/?!\r\n")
    assert far.hear() == b"\xaf\x3f\x21\x8d\x0a"
    far.say(b"\xaf\x41\x8d\x0a\xc1")  # the last one has wrong parity
    time.sleep(0.05)
    assert link.read(1.0) == b"/A\r\nA"
    assert link.statistics.parity_errors == 1
    link.configure(Line(9600))
    link.write(b"\xff\x01")
    assert far.hear() == b"\xff\x01"
    far.say(b"\xff\x01")
    assert link.read(1.0) == b"\xff\x01"
    link.close()


def test_a_symbolic_link_to_a_pseudo_terminal_is_recognised(far, tmp_path):
    (tmp_path / "probe").symlink_to(far.name)
    link = open_link(str(tmp_path / "probe"), Line(300, 7, "E"))
    link.write(b"/")
    assert far.hear() == b"\xaf"
    link.close()


def test_changing_the_line_keeps_what_has_arrived(far):
    link = open_link(far.name, Line(300, 7, "E"))
    far.say(b"\xc3")
    time.sleep(0.02)
    link.configure(Line(9600, 7, "E"))
    assert link.read(1.0) == b"C"
    link.close()


def test_modem_lines_of_a_pseudo_terminal_are_ignored(far):
    link = open_link(far.name, Line())
    link.set_lines(rts=False, dtr=False)
    link.set_lines(rts=True, dtr=False)
    link.close()
    link.close()


def test_bytes_are_counted_and_traced(far):
    trace = Trace()
    link = open_link(far.name, Line(), trace=trace)
    link.write(b"abc")
    far.say(b"de")
    time.sleep(0.02)
    link.read(1.0)
    assert (link.statistics.bytes_sent, link.statistics.bytes_received) == (3, 2)
    assert link.statistics.wire_s == pytest.approx(5 * 10 / 9600)
    assert [record.data for record in trace.records] == [b"abc", b"de"]
    link.close()


def test_software_parity_over_plain_tcp():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        link = open_link(url, Line(300, 7, "E", software=True))
        peer, _ = listener.accept()
        link.write(b"/")
        assert peer.recv(10) == b"\xaf"
        peer.sendall(b"\xaf")
        assert link.read(1.0) == b"/"
        assert not link.sets_line
        link.configure(Line(9600))  # the far end decides; the parity ends here
        peer.sendall(b"\xaf")
        assert link.read(1.0) == b"\xaf"
        link.close()
        peer.close()


def test_a_long_message_reaches_a_slow_reader_whole(far):
    link = open_link(far.name, Line(115200))
    message = bytes(range(256)) * 100
    got = bytearray()

    def hear() -> None:
        while len(got) < len(message):
            got.extend(os.read(far.master, 1000))

    reader = threading.Thread(target=hear)
    reader.start()
    link.write(message)
    reader.join(10)
    assert bytes(got) == message
    link.close()


def test_the_way_of_systems_without_select_works_too(far, monkeypatch):
    monkeypatch.setattr(serial_link, "_POSIX", False)
    link = open_link(far.name, Line(9600))
    message = bytes(range(200))
    link.write(message)
    got = b""
    while len(got) < len(message):
        got += far.hear()
    assert got == message
    far.say(message)
    time.sleep(0.02)
    assert link.read(1.0) == message
    assert link.read(0.05) == b""
    far.hang_up()
    assert failure(lambda: link.read(1.0)).problem is PortProblem.LOST
