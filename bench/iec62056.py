"""IEC 62056-21: how full the line is while a list, a profile and partial blocks are read.

    .venv/bin/python bench/iec62056.py             everything, about three minutes
    .venv/bin/python bench/iec62056.py readout     one of: readout, profile, blocks

The line is a pseudo-terminal whose far end delivers every character when its last stop bit would
have passed; the virtual meter behind it lives in a process of its own.  The lowest possible time
is the characters on the wire, the meter's reaction times and ours (200 ms each).  A plain reader
of the same bytes, which only counts them, stands beside each figure.
"""

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import serial

from drivers.connect import open_meter
from drivers.link import Line
from drivers.metertype import MeterType, load_meter_type
from drivers.ports import open_link
from drivers.simulator.iec62056 import OpticalPort, framed
from drivers.simulator.iecmeter import DIALECTS, Registers
from drivers.simulator.programming import ProgrammingMode
from drivers.values import Span
from tests.instruments.paced_pty import PacedPty

REACTION = 0.2  # s, the meter's and ours
ROWS, BLOCK_ROWS, BLOCK = 3360, 672, 1000
NOW = datetime.now(UTC).replace(microsecond=0)
SPEEDS = {"readout": (9600, "5"), "profile": (19200, "6"), "blocks": (19200, "6")}
LIST = [f"1.8.{n % 5}*{n:02d}({n * 7919 % 999999:06d}.{n * 31 % 1000:03d}*kWh)" for n in range(60)]


def store() -> Registers:
    """Return the virtual meter's memory: no outage among the rows, so one header is enough."""
    own = Registers(DIALECTS["emh"], "33000001", 1, ROWS, NOW)
    own.outage = (NOW - timedelta(days=999), NOW - timedelta(days=998))
    return own


def identification(part: str) -> bytes:
    """Return the identification line: its speed character is that of the part."""
    return b"/EMH" + SPEEDS[part][1].encode() + b"\\@01LZQJBENCH"


def meter(part: str) -> OpticalPort:
    """Return the virtual meter for one part."""
    mode = ProgrammingMode(store(), block=BLOCK, always_blocks=part == "blocks")
    return OpticalPort(
        name="bench", identification=identification(part), readout=framed(LIST), programming=mode
    )


def far_end(part: str) -> None:
    """Be the meter on a paced line until standard input ends; a plain part only sends."""
    with PacedPty() as line:
        print(line.name, flush=True)
        if part.startswith("plain:"):
            sys.stdin.readline()
            line.send(bytes(int(part.removeprefix("plain:"))))
            sys.stdin.readline()
            return
        device, place, free_at, sending = meter(part), 0, 0.0, False
        while not select.select([sys.stdin], [], [], 0.0005)[0]:
            now = time.perf_counter()
            while place < len(line.received):
                at, data = line.received[place]
                place += 1
                device.receive(at, data)
            if sending and now >= free_at:
                sending = False
                device.sent(free_at)
            wake = device.wake_at()
            if not sending and wake is not None and wake <= now and (data := device.transmit(now)):
                line.send(data)
                free_at, sending = now + len(data) * 10 / device.format.speed, True


@contextmanager
def served(part: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Yield the port of a far end in a process of its own."""
    child = subprocess.Popen(
        [sys.executable, __file__, "far-end", part],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        yield child.stdout.readline().strip(), child
    finally:
        child.communicate("\n\n")


def plain(count: int, speed: int) -> float:
    """Return the seconds in which a plain reader takes ``count`` characters at ``speed``."""
    with served(f"plain:{count}") as (name, child):
        port = serial.Serial(name, speed, timeout=1)
        assert child.stdin is not None
        begun = time.perf_counter()
        child.stdin.write("\n")
        child.stdin.flush()
        got = 0
        while got < count:
            select.select([port], [], [], 1)
            got += len(os.read(port.fileno(), 4096))
        took = time.perf_counter() - begun
        port.close()
    return took


def told(  # noqa: PLR0917 (one line of figures)
    what: str, lowest: float, took: float, count: int, speed: int, wanted: float
) -> None:
    """Print one figure beside that of the plain reader."""
    wire = count * 10 / speed
    alone = plain(count, speed)
    print(f"{what}: {count:,} characters at {speed} Bd")
    print(
        f"  lowest possible {lowest:8.3f} s   ours {took:8.3f} s   {lowest / took:.3f}"
        f"   (wanted {wanted:.2f})"
    )
    print(f"  plain reader    {wire:8.3f} s        {alone:8.3f} s   {wire / alone:.3f}\n")


def readout() -> None:
    """Time a mode C list of 60 lines from the request to its last character."""
    with served("readout") as (name, _):
        link = open_link(name, Line.named(300, "7E1"))
        begun = link.now()
        with open_meter(link, load_meter_type("generic-iec62056-21")) as client:
            assert len(list(client.registers())) == len(LIST)
            took = link.now() - begun
        link.close()
    count, handshake = len(framed(LIST)), len(b"/?!\r\n\x06050\r\n\r\n") + len(LZQJ)
    lowest = handshake * 10 / 300 + count * 10 / 9600 + 3 * REACTION
    told("readout of 60 lines", lowest, took, count, 9600, 0.95)


LZQJ = identification("readout")


def bench_type() -> MeterType:
    """Return the type as it is used here: the same session for all requests."""
    own = load_meter_type("emh-lzqj")
    return replace(own, iec62056=replace(own.iec62056, objects_direct=True))


def _profile(part: str, rows: int) -> tuple[float, int]:
    """Return the seconds for a profile of so many rows, and the fewest characters it takes."""
    own = store()
    last = own.times(0.0)[-1]
    span = Span(last - (rows - 1) * timedelta(minutes=15), last)
    answer = own.read(0.0, "P.01", "") or []
    with served(part) as (name, _):
        link = open_link(name, Line.named(300, "7E1"))
        with open_meter(link, bench_type()) as client:
            info = client.profile_info()
            begun = link.now()
            found = [row for block in client.profile(info, span) for row in block.rows]
            took = link.now() - begun
        link.close()
    assert len(found) == rows
    assert found[0].values == tuple(map(type(found[0].values[0]), own.row(found[0].time)))
    return took, sum(len(line) + 2 for line in [answer[0], *answer[-rows:]]) + 3


COMMAND = len("\x01R5\x02P.01(12607200215;12607200300)\x03b")


def profile() -> None:
    """Time an unblocked load profile of 35 days."""
    took, count = _profile("profile", ROWS)
    lowest = (COMMAND + count) * 10 / 19200 + 2 * REACTION
    told(f"P.01 of {ROWS:,} rows, unblocked", lowest, took, count, 19200, 0.98)


def blocks() -> None:
    """Time a week in partial blocks, each acknowledged."""
    took, count = _profile("blocks", BLOCK_ROWS)
    each = BLOCK // 38 * 38  # whole rows of four values in a block
    number = -(-count // each)
    count += number * 3
    lowest = (COMMAND + count + number - 1) * 10 / 19200 + 2 * number * REACTION
    told(f"P.01 of {BLOCK_ROWS} rows in {number} blocks", lowest, took, count, 19200, 0.95)


PARTS = {"readout": readout, "profile": profile, "blocks": blocks}


def main() -> None:
    """Run the parts that are named, or all."""
    if sys.argv[1:2] == ["far-end"]:
        far_end(sys.argv[2])
        return
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()


if __name__ == "__main__":
    main()
