"""DLMS: how fast profiles decode, what ciphering and a million rows cost.

    .venv/bin/python bench/dlms.py            everything, about a minute
    .venv/bin/python bench/dlms.py decode     some of: decode, linear, ciphered, stream

Each figure stands beside its reference, measured in the same run.  How full the line is:
`dlms_line.py`.
"""

import csv
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from gurux_dlms import GXByteBuffer
from gurux_dlms.internal._GXCommon import _GXCommon
from gurux_dlms.internal._GXDataInfo import _GXDataInfo

from app.services.reading import Told, Wish, read_meter
from drivers.dlms.ciphering import (
    AUTHENTICATED,
    ENCRYPTED,
    Keys,
    length_octets,
    sealed,
    unsealed,
)
from drivers.dlms.clock import MeterZone
from drivers.dlms.meter import DlmsMeter
from drivers.dlms.rowmaker import Capture, Layout, RowMaker
from drivers.dlms.rows import RowDecoder
from drivers.link import Line
from drivers.metertype import ProfileType, load_meter_type
from drivers.secrets import Secret, Secrets
from drivers.values import ProfileInfo, ProfileRow, Span, Statistics

AARQ, RLRQ, INITIATED, NEXT_BLOCK = 0x60, 0x62, 0x08, 2
YEAR = 35_040  # quarter hours
WIDTH = 5
BLOCK = 1000  # octets of raw data in one answer, as meters with PDUs of 1,024 octets send
MILLION = 1_000_000
CHUNK = 10_000  # rows
WANTED_COST = 1.2  # of a row of the longest profile, against the shortest
WANTED_DECODE, WANTED_GROWTH_MB = 15.0, 60.0
WANTED_CIPHERED = 1.2
TITLE = b"MWRBENCH"  # system title of both ends
CODES = ("0.0.1.0.0.255", "0.0.96.10.1.255", "1.0.1.8.0.255", "1.0.2.8.0.255", "1.0.3.8.0.255")


def name(code: str) -> bytes:
    """Return the six octets of a logical name."""
    return bytes(map(int, code.split(".")))


def encoded(count: int, start: int = 0) -> Iterator[bytes]:
    """Yield the rows of a load profile: clock, status, three registers."""
    time_ = datetime(2025, 1, 1, tzinfo=UTC) + start * timedelta(minutes=15)
    for n in range(start, start + count):
        time_ += timedelta(minutes=15)
        clock = struct.pack(
            ">HBBBBBBBhB", time_.year, time_.month, time_.day, time_.isoweekday(),
            time_.hour, time_.minute, 0, 0xFF, -60, 0,
        )  # fmt: skip
        numbers = b"".join(b"\x06" + struct.pack(">I", n * k & 0xFFFFFFFF) for k in (37, 11, 1))
        yield b"\x02\x05\x09\x0c" + clock + b"\x11\x00" + numbers


def header(count: int) -> bytes:
    """Return the head of an array of ``count`` rows."""
    size = (count.bit_length() + 7) // 8
    return b"\x01" + bytes((0x80 | size,)) + count.to_bytes(size, "big")


def told(what: str, figure: str, wanted: str, good: bool) -> None:
    """Print one line of the result."""
    print(f"{what:58} {figure:>22}   wanted {wanted:12} {'ok' if good else 'MISSED'}", flush=True)


# --- decoding -------------------------------------------------------------------------------


def decode() -> None:
    """Decode a year of quarter hours with five columns, and the same octets with gurux-dlms."""
    data = header(YEAR) + b"".join(encoded(YEAR))
    reference = min(_cpu(lambda: _gurux(data)) for _ in range(2))
    ours = min(_cpu(lambda: _decoded(data, BLOCK)) for _ in range(3))
    whole = min(_cpu(lambda: _made(data, BLOCK)) for _ in range(3))
    assert _decoded(data, BLOCK)[YEAR // 2][1:] == tuple(_gurux(data)[YEAR // 2][1:])
    ratio = reference / ours
    figure = f"{ours * 1000:.0f} ms, {ratio:.1f} times"
    told(
        f"{YEAR:,} x {WIDTH} values, gurux-dlms {reference * 1000:.0f} ms",
        figure,
        f">= {WANTED_DECODE:g} times",
        ratio >= WANTED_DECODE,
    )
    print(f"    with times in UTC, scalers and states: {whole * 1000:.0f} ms,"
          f" {reference / whole:.1f} times gurux's bare values")  # fmt: skip


def _gurux(data: bytes) -> list[list[object]]:
    rows: list[list[object]] = _GXCommon.getData(None, GXByteBuffer(data), _GXDataInfo())
    return rows


def _decoded(data: bytes, block: int) -> list[tuple[object, ...]]:
    decoder = RowDecoder(WIDTH)
    rows = []
    for at in range(0, len(data), block):
        rows += decoder.feed(data[at : at + block])
    decoder.finish()
    return rows


def _made(data: bytes, block: int) -> int:
    captures = tuple(Capture((8, 1, 3, 3, 3)[n], name(code), 2, 0) for n, code in enumerate(CODES))
    maker = RowMaker(
        Layout(captures, 0, 1, (2, 3, 4), ((0, 30),) * 3),
        MeterZone(load_meter_type("generic-dlms")),
        900,
        ProfileType("1-0:99.1.0.255", status="idis"),
    )
    decoder = RowDecoder(WIDTH)
    count = 0
    for at in range(0, len(data), block):
        count += len(maker.rows(decoder.feed(data[at : at + block])))
    return count


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def linear() -> None:
    """Decode ever more rows: the cost of one must not grow."""
    costs = [
        statistics.median(cost for _ in range(again) for cost in _chunk_costs(count)) / CHUNK * 1e6
        for count, again in ((CHUNK, 9), (10 * CHUNK, 3), (MILLION, 1))
    ]
    growth = costs[-1] / costs[0]
    figure = ", ".join(f"{cost:.2f}" for cost in costs) + " µs"
    told(
        "a row of 10,000, 100,000 and 1,000,000 costs (median)",
        figure,
        f"growth <= {WANTED_COST}",
        growth <= WANTED_COST,
    )


def _chunk_costs(count: int) -> list[float]:
    """Return the seconds that each chunk of one long answer of `count` rows has taken."""
    pieces = b"".join(encoded(CHUNK))
    decoder = RowDecoder(WIDTH)
    decoder.feed(header(count))
    costs, rows = [], 0
    for _ in range(count // CHUNK):
        began = time.process_time()
        for at in range(0, len(pieces), BLOCK):
            rows += len(decoder.feed(pieces[at : at + BLOCK]))
        costs.append(time.process_time() - began)
    decoder.finish()
    assert rows == count
    return costs


def ciphered() -> None:
    """Read a year in clear and ciphered: authentication and encryption."""
    keys = Keys(Secret(bytes(range(16))), Secret(bytes(range(16, 32))))
    clear = min(_read_s(None) for _ in range(3))
    secure = min(_read_s(keys) for _ in range(3))
    told(
        f"{YEAR:,} rows ciphered {secure * 1000:.0f} ms, in clear {clear * 1000:.0f} ms",
        f"{secure / clear:.2f} times",
        f"<= {WANTED_CIPHERED:g} times",
        secure / clear <= WANTED_CIPHERED,
    )


def _read_s(keys: Keys | None) -> float:
    """Return the CPU seconds of the program for one read; those of the meter do not count."""
    link = EndlessLink(YEAR, keys)
    kind = replace(load_meter_type("generic-dlms"), framing="wrapper")
    security = "both" if keys else ""
    title = TITLE.hex()
    kind = replace(kind, dlms=replace(kind.dlms, security=security, counter="", system_title=title))
    secrets = Secrets(
        authentication_key=keys.authentication if keys else None,
        encryption_key=keys.encryption if keys else None,
    )
    began = time.process_time()
    with DlmsMeter(link, kind, secrets) as meter:
        rows = sum(len(one.rows) for one in meter.profile(meter.profile_info(), Span()))
    assert rows == YEAR
    return time.process_time() - began - link.spent


# --- a million rows into a file -------------------------------------------------------------


class EndlessLink:
    """A meter behind a TCP wrapper whose profile has as many rows as wanted; time is virtual."""

    name = "memory"
    sets_line = False
    _AARE = bytes.fromhex(
        "6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400001E1D04000007"
    )

    def __init__(self, rows: int, keys: Keys | None = None) -> None:
        self.statistics = Statistics()
        self.spent = 0.0  # CPU seconds of the meter, not of the program
        self._keys = keys
        self._sent = 0
        self._now = 0.0
        self._answer = b""
        self._rows = rows
        self._pieces = b"".join(encoded(10_000))
        self._at = 0
        self._left = b""
        captured = (
            b"\x02\x04\x12" + struct.pack(">H", (8, 1, 3, 3, 3)[n]) + b"\x09\x06" + name(code)
            + b"\x0f\x02\x12\x00\x00" for n, code in enumerate(CODES)
        )  # fmt: skip
        now = b"\x09\x0c\x07\xea\x01\x01\x04\x00\x00\x00\xff\xff\xc4\x00"
        self._values = {
            (7, 3): b"\x01\x05" + b"".join(captured),
            (7, 4): b"\x06" + struct.pack(">I", 900),
            (7, 7): b"\x06" + struct.pack(">I", rows),
            (7, 8): b"\x06" + struct.pack(">I", rows),
            (3, 3): b"\x02\x02\x0f\x00\x16\x1e",
            (8, 2): now,
        }

    def now(self) -> float:
        """Return the virtual time."""
        return self._now

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds

    def configure(self, line: Line) -> None:
        """Do nothing: there is no line."""

    def set_lines(self, *, rts: bool, dtr: bool) -> None:
        """Do nothing: there is no probe."""

    def close(self) -> None:
        """Do nothing."""

    def write(self, data: bytes, *, secret: bool = False) -> None:
        """Hear a request."""
        del secret
        began = time.process_time()
        answer = self._heard(data[8:])
        self.spent += time.process_time() - began
        self._answer = b"\x00\x01" + data[4:6] + data[2:4] + struct.pack(">H", len(answer)) + answer

    def read(self, timeout: float) -> bytes:
        """Return the answer."""
        del timeout
        self._now += 0.001
        answer, self._answer = self._answer, b""
        return answer

    def _heard(self, apdu: bytes) -> bytes:
        if self._keys is None or apdu[0] == RLRQ:
            return self._said(apdu)
        if apdu[0] == AARQ:
            user = self._sealed(self._AARE[-14:])
            name_ = b"\xa1\x09\x06\x07\x60\x85\x74\x05\x08\x01\x03"
            body = name_ + self._AARE[13:25] + b"\xa4\x0a\x04\x08" + TITLE
            body += bytes((0xBE, len(user) + 2, 4, len(user))) + user
            return bytes((0x61, len(body))) + body
        return self._sealed(self._said(unsealed(self._keys, TITLE, apdu[2:])))

    def _sealed(self, clear: bytes) -> bytes:
        assert self._keys is not None
        self._sent += 1
        body = sealed(self._keys, TITLE, self._sent, AUTHENTICATED | ENCRYPTED, clear)
        tag = clear[0] + (0x20 if clear[0] == INITIATED else 0x08)
        return bytes((tag,)) + length_octets(len(body)) + body

    def _said(self, apdu: bytes) -> bytes:
        if apdu[0] == AARQ:
            return self._AARE
        if apdu[0] == RLRQ:
            return b"\x63\x03\x80\x01\x00"
        invoke = apdu[2:3]
        if apdu[1] == NEXT_BLOCK:
            return self._block(invoke, int.from_bytes(apdu[3:7], "big") + 1)
        class_id, attribute = int.from_bytes(apdu[3:5], "big"), apdu[11]
        if (class_id, attribute) == (7, 2):
            self._left, self._at = header(self._rows), 0
            return self._block(invoke, 1)
        return b"\xc4\x01" + invoke + b"\x00" + self._values[class_id, attribute]

    def _block(self, invoke: bytes, number: int) -> bytes:
        row = len(self._pieces) // 10_000
        total = row * self._rows
        while len(self._left) < BLOCK and self._at < total:
            place = self._at % len(self._pieces)
            more = self._pieces[place : place + min(BLOCK, total - self._at)]
            self._left += more
            self._at += len(more)
        raw, self._left = self._left[:BLOCK], self._left[BLOCK:]
        last = not self._left and self._at >= total
        head = b"\xc4\x02" + invoke + bytes((last,)) + struct.pack(">I", number) + b"\x00\x82"
        return head + struct.pack(">H", len(raw)) + raw


def stream() -> None:
    """Write a million rows to a file in a process of its own, and see how it grows."""
    command = [sys.executable, __file__, "stream-child"]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    growth, seconds, size = map(float, ended.stdout.split())
    told(
        f"{MILLION:,} rows to a file of {size / 1e6:.0f} MB in {seconds:.0f} s, growth",
        f"{growth:.1f} MB",
        f"<= {WANTED_GROWTH_MB:g} MB",
        growth <= WANTED_GROWTH_MB,
    )


def _stream_child() -> None:
    _streamed(1000)  # what is imported and allocated once
    before = _peak_kb()
    began = time.perf_counter()
    size = _streamed(MILLION)
    growth = (_peak_kb() - before) / 1024
    print(growth, time.perf_counter() - began, size)


def _peak_kb() -> int:
    """Return the most memory this process has had (what `resource` tells survives an exec)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _streamed(rows: int) -> int:
    link = EndlessLink(rows)
    kind = replace(load_meter_type("generic-dlms"), framing="wrapper")
    written = 0

    @contextmanager
    def opened() -> Iterator[DlmsMeter]:
        with DlmsMeter(link, kind, Secrets()) as meter:
            yield meter

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "profile.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)

            def sink(info: ProfileInfo, block: tuple[ProfileRow, ...]) -> None:
                nonlocal written
                del info
                written += len(block)
                writer.writerows(
                    (row.time.isoformat(), row.status_raw, *row.values) for row in block
                )

            task = read_meter(opened, Wish(("profile",), profile="1-0:99.1.0.255"), Told(), sink)
            for _ in task:
                pass
        assert written == rows
        return path.stat().st_size


PARTS = {"decode": decode, "linear": linear, "ciphered": ciphered, "stream": stream}


def main() -> None:
    """Run the parts that are named, or all."""
    if sys.argv[1:] == ["stream-child"]:
        _stream_child()
        return
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()


if __name__ == "__main__":
    main()
