"""Virtual meters on real lines: opened, garbled, paced, left, reopened, pulled."""

import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.errors import PortProblem, PortUnavailable
from drivers.link import Line, Link
from drivers.ports import open_link
from drivers.simulator.device import WireFormat
from drivers.simulator.iec62056 import OpticalPort, framed, with_parity
from drivers.simulator.serve import serve
from tests.instruments.parrot import Parrot
from tests.instruments.rfc2217_meter import RecordedPort, rfc2217_meter

READOUT = framed([f"1.8.{n}(000123.456*kWh)" for n in range(20)])
EVERYWHERE = ["pty", "tcp:0", "rfc2217:0"]
SLOW = WireFormat(300, 7, "E")


def optical_port() -> OpticalPort:
    """Give a port with the long reaction time: a busy machine needs more margin than 20 ms."""
    return OpticalPort(name="optical", identification=b"/MWT5TEST", readout=READOUT)


def read_until(link: Link, end: bytes, seconds: float = 5.0) -> bytes:
    got = b""
    limit = time.monotonic() + seconds
    while not got.endswith(end) and time.monotonic() < limit:
        got += link.read(0.2)
    return got


def failure(act: Callable[[], object]) -> PortUnavailable:
    with pytest.raises(PortUnavailable) as caught:
        act()
    return caught.value


# -- what goes wrong -------------------------------------------------------------------------


@pytest.mark.parametrize("listen", ["", "udp:1", "tcp", "tcp:x", "tcp:70000", "rfc2217:"])
def test_another_place_to_listen_is_refused_with_the_ones_there_are(listen):
    with pytest.raises(ValueError, match=r"use pty, pty:LINKNAME, tcp:\[HOST:\]PORT"):
        serve([Parrot()], listen)


def test_a_taken_port_or_name_is_refused(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        serve([Parrot()], f"tcp:{taken.getsockname()[1]}")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileExistsError):
        serve([Parrot()], f"pty:{tmp_path / 'file'}")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("listen", EVERYWHERE)
def test_a_pulled_probe_ends_a_read_and_cannot_be_opened_again(listen):
    with serve([Parrot()], listen) as server:
        link = open_link(server.link, Line())
        link.write(b"ping\n")
        assert read_until(link, b"\n") == b"pong\n"
        server.pull()
        assert failure(lambda: link.read(5.0)).problem is PortProblem.LOST
        gone = PortProblem.UNREACHABLE if "://" in server.link else PortProblem.MISSING
        assert failure(lambda: open_link(server.link, Line())).problem is gone
        link.close()


def test_a_device_that_fails_ends_the_line_and_is_reported(caplog):
    class Broken(Parrot):
        def receive(self, now: float, data: bytes) -> None:
            raise ZeroDivisionError("a defect")

    server = serve([Broken()], "tcp:0")
    link = open_link(server.link, Line())
    link.write(b"x")
    assert failure(lambda: link.read(5.0)).problem is PortProblem.LOST
    with pytest.raises(RuntimeError, match="a defect"):
        server.close()
    assert not server.running
    server.close()
    assert "ended" in caplog.text


def test_a_second_program_is_turned_away_and_the_first_goes_on():
    with serve([Parrot()], "tcp:0") as server:
        first = open_link(server.link, Line())
        first.write(b"ping\n")
        assert read_until(first, b"\n") == b"pong\n"
        second = open_link(server.link, Line())
        assert failure(lambda: second.read(5.0)).problem is PortProblem.LOST
        first.write(b"ping\n")
        assert read_until(first, b"\n") == b"pong\n"
        first.close()


@pytest.mark.parametrize("listen", EVERYWHERE)
def test_a_program_may_leave_and_come_back(listen):
    meter = Parrot()
    with serve([meter], listen) as server:
        for _ in range(3):
            link = open_link(server.link, Line())
            link.write(b"ping\n")
            assert read_until(link, b"\n") == b"pong\n"
            link.close()
    assert meter.text == b"ping\n" * 3
    assert meter.damaged == 0


def test_a_program_that_leaves_in_the_middle_disturbs_nothing():
    meter = Parrot(answer=b"x" * 1000 + b"\n")
    with serve([meter], "tcp:0", real_time=True) as server:
        link = open_link(server.link, Line())
        link.write(b"ping\n")
        link.read(1.0)
        link.close()
        meter.answer = b"pong\n"
        time.sleep(1.2)  # the meter has said its say into the void
        link = open_link(server.link, Line())
        link.write(b"ping\n")
        assert read_until(link, b"\n") == b"pong\n"
        link.close()


def test_closing_removes_the_name_of_the_terminal(tmp_path):
    name = tmp_path / "probe"
    name.symlink_to("/dev/pts/99999")  # left behind by a killed simulator
    with serve([Parrot()], f"pty:{name}") as server:
        assert server.link == str(name)
        assert name.exists()
        open_link(server.link, Line()).close()
    assert not name.is_symlink()


# -- speed, size and parity ------------------------------------------------------------------


@pytest.mark.parametrize("listen", ["pty", "rfc2217:0"])
def test_another_speed_is_garbled_both_ways(listen):
    meter = Parrot(form=SLOW)
    with serve([meter], listen) as server:
        link = open_link(server.link, Line(9600))
        link.write(b"ping\n")
        time.sleep(0.1)
        assert meter.damaged == 5
        assert meter.text == b""
        meter.say(0.0, with_parity(b"/ABC5TEST\r\n"))
        got = link.read(2.0)
        assert got
        assert b"ABC" not in bytes(c & 0x7F for c in got)
        link.close()


def test_eight_bits_without_parity_do_not_reach_a_seven_bit_meter_over_rfc_2217():
    with serve([optical_port()], "rfc2217:0") as server:
        link = open_link(server.link, Line(300))
        link.write(b"/?!\r\n")
        assert link.read(1.0) == b""
        link.configure(Line(300, 7, "E"))
        link.write(b"/?!\r\n")
        assert read_until(link, b"\n") == b"/MWT5TEST\r\n"
        link.close()


@pytest.mark.parametrize("listen", EVERYWHERE)
@pytest.mark.parametrize("software", [False, True])
def test_a_sign_on_and_readout_works_on_every_line(listen, software):
    with serve([optical_port()], listen) as server:
        link = open_link(server.link, Line(300, 7, "E", software=software))
        link.write(b"/?!\r\n")
        assert read_until(link, b"\n") == b"/MWT5TEST\r\n"
        link.wait(0.25)
        link.write(b"\x06050\r\n")
        link.wait(6 * 10 / 300 + 0.05)
        link.configure(Line(9600, 7, "E", software=software))
        assert read_until(link, READOUT[-3:]) == READOUT
        assert link.statistics.parity_errors == 0
        link.close()


def test_the_far_port_sees_each_setting_of_the_switch_once():
    heard: list[tuple[str, bytes]] = []

    def answer(data: bytes, port: RecordedPort) -> bytes:
        heard.append((port.setting, data))
        return data

    with rfc2217_meter(answer) as (url, port):
        link = open_link(url, Line(300, 7, "E"))
        link.write(b"/?!\r\n")
        assert read_until(link, b"\n") == b"/?!\r\n"
        port.changes.clear()
        link.configure(Line(9600, 7, "E"))
        link.write(b"a")
        assert read_until(link, b"a") == b"a"
        link.configure(Line(9600, 8, "N"))
        link.write(b"\xff")
        assert read_until(link, b"\xff") == b"\xff"
        link.configure(Line(9600, 8, "N"))
        link.close()
    assert [setting for setting, _ in heard] == ["300 7E1", "9600 7E1", "9600 8N1"]
    assert port.changes == [("baudrate", 9600), ("bytesize", 8), ("parity", "N")]


def test_modem_lines_reach_the_far_port():
    with rfc2217_meter(lambda _data, _port: b"") as (url, port):
        link = open_link(url, Line())
        link.set_lines(rts=False, dtr=True)
        assert (port.rts, port.dtr) == (False, True)
        link.set_lines(rts=True, dtr=False)
        assert (port.rts, port.dtr) == (True, False)
        link.close()


def test_a_setting_that_the_far_port_refuses_is_unsuitable():
    class Stubborn(RecordedPort):
        def __setattr__(self, name: str, value: object) -> None:
            if (name, value) != ("baudrate", 19200):
                super().__setattr__(name, value)

    with rfc2217_meter(lambda _data, _port: b"", port=Stubborn()) as (url, _):
        link = open_link(url, Line())
        error = failure(lambda: link.configure(Line(19200)))
        assert error.problem is PortProblem.UNSUITABLE
        assert "baudrate" in str(error)
        link.close()


def test_waiting_for_a_setting_to_be_confirmed_can_be_stopped():
    free, pressed = threading.Event(), threading.Event()

    class Stuck(RecordedPort):
        def __setattr__(self, name: str, value: object) -> None:
            if (name, value) == ("baudrate", 19200):
                pressed.set()
                free.wait(10)
            super().__setattr__(name, value)

    class Stop(Exception):
        pass

    def check() -> None:
        if pressed.is_set():
            raise Stop

    with rfc2217_meter(lambda _data, _port: b"", port=Stuck()) as (url, _):
        link = open_link(url, Line(), check=check)
        with pytest.raises(Stop):
            link.configure(Line(19200))
        assert not free.is_set()
        free.set()
        link.close()


# -- time ------------------------------------------------------------------------------------


@pytest.mark.parametrize("listen", ["pty", "rfc2217:0"])
def test_a_real_time_line_delivers_at_the_speed_of_the_line(listen):
    """Bytes must not come early; how late they come is the machine's affair."""
    meter = Parrot(bytes(range(120)), form=WireFormat(2400, 8, "N"))
    step = 10 / 2400
    with serve([meter], listen, real_time=True) as server:
        link = open_link(server.link, Line(2400))
        written = time.monotonic()
        link.write(b"ping\n")
        arrived: list[float] = []
        while len(arrived) < 120 and time.monotonic() < written + 10:
            data = link.read(1.0)
            arrived += [time.monotonic()] * len(data)
        link.close()
    begun = meter.heard[-1][0] + meter.reaction
    assert len(arrived) == 120
    assert begun > written + 5 * step
    assert all(at >= begun + (n + 1) * step - 0.002 for n, at in enumerate(arrived))


def test_requests_of_sign_on_protocols_take_their_time_on_every_line():
    meter = Parrot(form=SLOW, end=with_parity(b"\n"))
    with serve([meter], "tcp:0") as server:
        link = open_link(server.link, Line(300, 7, "E"))
        link.write(b"/?!\r\n")
        begun = time.monotonic()
        read_until(link, b"\n")
        link.close()
    assert meter.heard[-1][0] - begun > 5 * 10 / 300 - 0.02


# -- several meters --------------------------------------------------------------------------


def test_all_meters_on_a_line_hear_everything():
    first, second = Parrot(b"one\n", name="first"), Parrot(b"", name="second")
    with serve([first, second], "tcp:0") as server:
        assert server.name == "first, second"
        link = open_link(server.link, Line())
        link.write(b"ask\n")
        assert read_until(link, b"\n") == b"one\n"
        link.close()
    assert second.text == b"ask\none\n"


def test_a_long_answer_arrives_whole_on_a_terminal_that_holds_little():
    answer = os.urandom(100_000).replace(b"\n", b"") + b"\n"
    with serve([Parrot(answer)], "pty") as server:
        link = open_link(server.link, Line())
        link.write(b"ping\n")
        assert read_until(link, b"\n", 20.0) == answer
        link.close()


def test_telnet_command_characters_survive_the_remote_port():
    answer = b"\xff\xff\xf0\xfa\n"
    meter = Parrot(answer)
    with serve([meter], "rfc2217:0") as server:
        link = open_link(server.link, Line())
        link.write(b"\xff\xfa\xf0\n")
        assert read_until(link, b"\n") == answer
        link.close()
    assert meter.text == b"\xff\xfa\xf0\n"


def test_the_terminal_of_a_closed_server_is_gone():
    server = serve([Parrot()], "pty")
    server.close()
    assert not Path(server.link).exists()
