"""The record of every byte: secrets masked, bounded, saved and played back strictly."""

from pathlib import Path

import pytest

from drivers.errors import PortUnavailable
from drivers.link import Line
from drivers.memory_link import MemoryLink
from drivers.trace_link import (
    KEPT,
    BadTrace,
    Direction,
    ReplayLink,
    Trace,
    TraceDiffers,
    TraceLink,
)

PASSWORD = b"(00004711)"
MESSAGE = b"\x01P1\x02" + PASSWORD + b"\x03\x61"


def shown(trace: Trace) -> bytes:
    return b"|".join(record.data for record in trace.records)


def heard(trace: Trace) -> bytes:
    return b"".join(record.data for record in trace.records if record.direction is Direction.IN)


def read_all(link: TraceLink) -> bytes:
    got = b""
    while data := link.read(1.0):
        got += data
    return got


def test_a_secret_write_is_dots_of_the_same_length():
    trace, inner = Trace(), MemoryLink()
    TraceLink(inner, trace).write(MESSAGE, secret=True)
    assert inner.written == [MESSAGE]
    assert trace.records[0].data == b"." * len(MESSAGE)
    assert trace.records[0].masked


@pytest.mark.parametrize("size", [1, 2, 5, 6, 7, 100])
def test_the_echo_of_a_secret_is_masked_in_whatever_pieces_it_comes(size):
    trace, inner = Trace(), MemoryLink()
    link = TraceLink(inner, trace)
    link.write(MESSAGE, secret=True)
    answer = MESSAGE + b"\x06"
    for start in range(0, len(answer), size):
        inner.feed(answer[start : start + size])
    assert read_all(link) == answer  # the protocol sees everything
    assert b"4711" not in shown(trace)
    assert heard(trace) == b"." * len(MESSAGE) + b"\x06"


def test_noise_before_the_echo_and_damage_within_it_leak_nothing():
    trace, inner = Trace(), MemoryLink()
    link = TraceLink(inner, trace)
    link.write(MESSAGE, secret=True)
    inner.feed(b"\x00\x01" + MESSAGE[:8] + b"\xff" + MESSAGE[9:] + b"\x06")
    read_all(link)
    assert b"4711" not in shown(trace)
    assert b"04" not in shown(trace)
    assert heard(trace).endswith(b"\x06")


def test_an_echo_with_parity_bits_is_masked_too():
    trace, inner = Trace(), MemoryLink()
    link = TraceLink(inner, trace)
    link.write(MESSAGE, secret=True)
    inner.feed(bytes(c | 0x80 for c in MESSAGE))
    read_all(link)
    assert heard(trace) == b"." * len(MESSAGE)


def test_an_answer_that_begins_like_the_secret_message_is_recorded_whole():
    trace, inner = Trace(), MemoryLink()
    link = TraceLink(inner, trace)
    link.write(b"\x7e\xa0\x20secret\x7e", secret=True)
    answer = b"\x7e\xa0\x1eaare\x7e"
    for character in answer:
        inner.feed(bytes([character]))
    read_all(link)
    link.close()
    assert heard(trace) == answer


def test_what_was_held_back_is_recorded_when_the_link_closes():
    trace, inner = Trace(), MemoryLink()
    link = TraceLink(inner, trace)
    link.write(MESSAGE, secret=True)
    inner.feed(b"\x01P")
    read_all(link)
    assert heard(trace) == b""
    link.close()
    assert heard(trace) == b"\x01P"


def test_everything_is_recorded_with_direction_and_told_to_listeners():
    trace, told = Trace(), []
    trace.listeners.append(told.append)
    link = TraceLink(MemoryLink(lambda data: data.upper()), trace)
    link.configure(Line(300, 7, "E"))
    link.write(b"ping")
    link.read(1.0)
    assert [(r.direction.value, r.data) for r in trace.records] == [
        ("line", b"300 7E1"),
        ("out", b"ping"),
        ("in", b"PING"),
    ]
    assert told == list(trace.records)
    assert all(record.time.utcoffset() is not None for record in told)


def test_memory_keeps_the_last_records_and_the_file_gets_all(tmp_path: Path):
    path = tmp_path / "trace.jsonl"
    trace = Trace(path)
    link = TraceLink(MemoryLink(), trace)
    for number in range(KEPT + 10):
        link.write(b"%d" % number)
    trace.close()
    assert len(trace.records) == KEPT
    assert trace.records[0].data == b"10"
    assert len(path.read_text().splitlines()) == KEPT + 10


def test_a_trace_survives_saving_and_loading(tmp_path: Path):
    trace = Trace()
    link = TraceLink(MemoryLink(lambda _: b"\x00\xff"), trace)
    link.write(b"out")
    link.write(b"hidden", secret=True)
    link.read(1.0)
    trace.save(tmp_path / "t")
    loaded = Trace.load(tmp_path / "t").records
    assert [(r.direction, r.data, r.masked) for r in loaded] == [
        (r.direction, r.data, r.masked) for r in trace.records
    ]
    assert b"hidden" not in (tmp_path / "t").read_bytes()
    assert b"hidden".hex() not in (tmp_path / "t").read_text()


@pytest.mark.parametrize(
    "line", ["{", '{"at": 1}', '{"at":1,"time":"x","direction":"in","hex":""}']
)
def test_a_damaged_trace_file_names_its_line(tmp_path: Path, line):
    (tmp_path / "bad").write_text("\n" + line)
    with pytest.raises(BadTrace, match="bad, line 2"):
        Trace.load(tmp_path / "bad")


def test_a_full_disk_ends_the_file_and_not_the_session():
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    trace = Trace(full)
    link = TraceLink(MemoryLink(), trace)
    link.write(b"one")
    link.write(b"two")
    assert "space" in trace.failure
    assert len(trace.records) == 2


def test_a_replay_gives_back_what_was_recorded_at_its_pace():
    link = ReplayLink(Trace.of(("out", b"/?!\r\n"), ("in", b"/LGZ5"), ("in", b"X\r\n"), gap=0.5))
    link.write(b"/?")
    link.write(b"!\r\n")
    assert link.read(0.1) == b""
    assert link.read(1.0) == b"/LGZ5"
    assert link.now() == pytest.approx(0.5)
    assert link.read(1.0) == b"X\r\n"
    assert link.finished
    with pytest.raises(PortUnavailable):
        link.read(1.0)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (b"/?1!", "written byte 2: recorded 21 0d 0a, written now 31 21"),
        (b"/?!\r\n\x06", "written byte 5: recorded nothing more, written now 06"),
        (b"X", "written byte 0"),
    ],
)
def test_a_replay_names_the_first_byte_that_differs(written, text):
    link = ReplayLink(Trace.of(("out", b"/?!\r\n"), ("in", b"/LGZ5")))
    with pytest.raises(TraceDiffers, match=text):
        link.write(written)


def test_a_replay_waits_for_the_write_that_comes_next():
    link = ReplayLink(Trace.of(("out", b"a"), ("in", b"b")))
    assert link.read(3.0) == b""
    assert link.now() == pytest.approx(3.0)
    link.write(b"a")
    assert link.read(1.0) == b"b"


def test_a_replayed_secret_needs_only_the_right_length():
    trace = Trace()
    TraceLink(MemoryLink(), trace).write(b"1234", secret=True)
    ReplayLink(trace).write(b"9876", secret=True)
    with pytest.raises(TraceDiffers, match="secret of 4 bytes"):
        ReplayLink(trace).write(b"987", secret=True)


def test_a_masked_record_does_not_pass_for_its_neighbours():
    trace = Trace()
    link = TraceLink(MemoryLink(), trace)
    link.write(b"1234", secret=True)
    link.write(b"go")
    replay = ReplayLink(trace)
    replay.write(b"0000")
    with pytest.raises(TraceDiffers):
        replay.write(b"no")
