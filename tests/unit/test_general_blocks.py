"""General block transfer: windows, gaps, both directions, and numbers that cannot be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.dlms.generalblocks import Block, GeneralBlocks, followed, parsed
from drivers.errors import DriverError, GarbledReply, MeterBusy

ANSWER = bytes.fromhex("C401C10009") + bytes(range(12))


def blocks(answer: bytes, size: int) -> list[bytes]:
    return [answer[at : at + size] for at in range(0, len(answer), size)]


def meter(number: int, data: bytes, ack: int = 0, *, last=False, streaming=False, window=5):
    return Block(number, ack, data, last=last, streaming=streaming, window=window).encode()


# --- one block ----------------------------------------------------------------------------------


def test_a_block_has_the_bytes_of_the_standard() -> None:
    last = Block(3, 1, b"\x01\x02", last=True, window=5)
    assert last.encode() == bytes.fromhex("E0 85 0003 0001 02 0102")
    streaming = Block(2, 1, bytes(200), streaming=True, window=63)
    assert streaming.encode()[:9] == bytes.fromhex("E0 7F 0002 0001 81C8 00")
    assert parsed(last.encode()) == last
    assert followed(streaming.encode())
    assert not followed(last.encode())


def test_a_block_behind_a_gateway_is_followed_as_well() -> None:
    streaming = Block(2, 1, b"x", streaming=True).encode()
    assert followed(bytes.fromhex("E7 05 02 0011") + streaming)
    assert not followed(bytes.fromhex("E7 05 02 0011"))


@pytest.mark.parametrize(
    "data", ["", "E0", "E08500010000", "E0850001000005AA", "E085000100000 1AABB", "C401C100"]
)
def test_a_block_with_a_wrong_length_is_garbled(data) -> None:
    with pytest.raises(GarbledReply):
        parsed(bytes.fromhex(data.replace(" ", "")))


# --- answers ------------------------------------------------------------------------------------


def test_an_answer_is_asked_for_window_by_window() -> None:
    parts = blocks(ANSWER, 2)  # nine blocks
    exchange = GeneralBlocks(b"", 128, 5)
    assert exchange.first() == []
    found = exchange.receive(meter(1, parts[0]))
    assert exchange.due == [bytes.fromhex("E0 85 0001 0001 00")]
    for n in range(2, 6):
        found += exchange.receive(meter(n, parts[n - 1], 1, streaming=True))
        assert exchange.due == []
    found += exchange.receive(meter(6, parts[5], 1))
    assert exchange.due == [bytes.fromhex("E0 85 0002 0006 00")]
    for n in (7, 8):
        found += exchange.receive(meter(n, parts[n - 1], 2, streaming=True))
    assert not exchange.done
    found += exchange.receive(meter(9, parts[8], 2, last=True))
    assert exchange.done
    assert exchange.due == []
    assert found == ANSWER


def test_a_lost_block_alone_is_asked_for_again() -> None:
    parts = blocks(ANSWER, 3)  # six blocks
    exchange = GeneralBlocks(b"", 128, 5)
    found = exchange.receive(meter(1, parts[0]))
    found += exchange.receive(meter(2, parts[1], 1, streaming=True))
    found += exchange.receive(meter(4, parts[3], 1, streaming=True))
    found += exchange.receive(meter(5, parts[4], 1))
    assert found == parts[0] + parts[1]
    assert exchange.due == [bytes.fromhex("E0 81 0002 0002 00")]
    found += exchange.receive(meter(3, parts[2], 2))
    assert exchange.due == [bytes.fromhex("E0 85 0003 0005 00")]
    found += exchange.receive(meter(6, parts[5], 3, last=True))
    assert exchange.done
    assert found == ANSWER


def test_the_end_of_a_stream_that_was_lost_is_asked_for_after_silence() -> None:
    exchange = GeneralBlocks(b"", 128, 3)
    exchange.receive(meter(1, b"ab"))
    exchange.receive(meter(2, b"cd", 1, streaming=True))
    assert exchange.silence() == [bytes.fromhex("E0 83 0002 0002 00")]
    assert exchange.receive(meter(3, b"ef", 2, last=True)) == b"ef"
    assert exchange.done


def test_a_meter_that_stays_silent_is_not_asked_for_ever() -> None:
    exchange = GeneralBlocks(b"", 128, 3)
    exchange.receive(meter(1, b"ab"))
    for _ in range(4):
        exchange.silence()
    with pytest.raises(GarbledReply, match="stay away"):
        exchange.silence()


def test_a_block_that_comes_twice_counts_once() -> None:
    exchange = GeneralBlocks(b"", 128, 3)
    found = exchange.receive(meter(1, b"ab"))
    found += exchange.receive(meter(1, b"ab", streaming=True))
    found += exchange.receive(meter(2, b"cd", 1, last=True))
    assert found == b"abcd"


def test_a_meter_that_repeats_itself_is_given_up() -> None:
    exchange = GeneralBlocks(b"", 128, 3)
    exchange.receive(meter(1, b"ab"))
    for _ in range(4):
        exchange.receive(meter(1, b"ab"))
        assert exchange.due == [], "a repetition is not asked for: what follows it may come"
        assert exchange.silence()[0][4:6] == b"\x00\x01"
    exchange.receive(meter(1, b"ab"))
    with pytest.raises(GarbledReply, match="stay away"):
        exchange.silence()


def test_an_acknowledgement_that_comes_twice_sends_nothing_twice() -> None:
    exchange = GeneralBlocks(bytes(300), 128, 3)
    exchange.first()
    exchange.receive(meter(1, b"", 1))
    second = exchange.due
    exchange.receive(meter(1, b"", 1))
    assert second
    assert not exchange.due
    exchange.receive(meter(1, b"", 2))  # its number need not rise
    assert exchange.due


def test_a_stream_that_never_ends_is_given_up() -> None:
    exchange = GeneralBlocks(b"", 128, 3)
    exchange.receive(meter(1, b"ab"))
    for _ in range(126):
        exchange.receive(meter(1, b"ab", streaming=True))
    with pytest.raises(GarbledReply, match="for ever"):
        exchange.receive(meter(1, b"ab", streaming=True))


def test_number_zero_is_a_transfer_given_up() -> None:
    with pytest.raises(MeterBusy):
        GeneralBlocks(b"", 128, 3).receive(meter(0, b"", last=True))


# --- requests -----------------------------------------------------------------------------------


def test_a_long_request_goes_in_as_many_blocks_as_the_meter_takes() -> None:
    request = bytes(range(50))
    exchange = GeneralBlocks(request, 19, 4)  # ten octets in each block
    assert [parsed(one) for one in exchange.first()] == [Block(1, 0, request[:10], window=4)]
    exchange.receive(meter(1, b"", 1, window=3))
    sent = [parsed(one) for one in exchange.due]
    assert sent == [
        Block(2, 1, request[10:20], streaming=True, window=4),
        Block(3, 1, request[20:30], streaming=True, window=4),
        Block(4, 1, request[30:40], window=4),
    ]
    exchange.receive(meter(2, b"", 2, window=3))  # blocks 3 and 4 were lost
    sent = [parsed(one) for one in exchange.due]
    assert [(one.number, one.streaming, one.last) for one in sent] == [
        (3, True, False), (4, True, False), (5, False, True),
    ]  # fmt: skip
    assert exchange.receive(meter(3, b"\xc5\x01\xc1\x00", 5, last=True)) == b"\xc5\x01\xc1\x00"
    assert exchange.done


def test_an_acknowledgement_marked_as_last_ends_nothing() -> None:
    exchange = GeneralBlocks(bytes(15), 19, 4)
    exchange.first()
    exchange.receive(meter(1, b"", 1, last=True))
    assert not exchange.done
    exchange.receive(meter(2, b"", 2, last=True))
    assert not exchange.done
    assert parsed(exchange.due[0]) == Block(3, 2, last=True, window=4)
    assert exchange.receive(meter(3, b"ok", 3, last=True)) == b"ok"
    assert exchange.done


def test_a_block_that_was_never_sent_cannot_be_acknowledged() -> None:
    exchange = GeneralBlocks(bytes(50), 19, 4)
    exchange.first()
    with pytest.raises(GarbledReply, match="never sent"):
        exchange.receive(meter(1, b"", 4))


def test_a_meter_that_never_takes_our_block_is_given_up() -> None:
    exchange = GeneralBlocks(bytes(50), 19, 4)
    exchange.first()
    for n in range(1, 5):
        exchange.receive(meter(n, b"", 0))
    with pytest.raises(GarbledReply, match="does not take"):
        exchange.receive(meter(5, b"", 0))


# --- anything -----------------------------------------------------------------------------------


class Peer:
    """The other end in a few lines: takes a request in blocks and answers in blocks."""

    def __init__(self, answer: bytes, cut: int, window: int) -> None:
        self.parts = blocks(answer, cut)
        self.window = window
        self.have = 0
        self.request = b""
        self.began = False
        self.out: list[bytes] = []  # data of all blocks that it has to send

    def hears(self, apdus: list[bytes]) -> list[bytes]:
        last = Block(0, 0)
        for apdu in apdus:
            last = parsed(apdu)
            if last.number == self.have + 1:
                self.have += 1
                self.request += last.data
                if last.last and not self.began:
                    self.began = True
                    self.out += self.parts
        if not self.began and last.acknowledged == len(self.out):
            self.out.append(b"")
        at, end = last.acknowledged, min(len(self.out), last.acknowledged + last.window)
        return [
            meter(
                n + 1, self.out[n], self.have, last=self.began and n + 1 == len(self.out),
                streaming=n + 1 < end, window=self.window,
            )
            for n in range(at, end)
        ]  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(
    st.binary(min_size=1, max_size=300),
    st.binary(min_size=1, max_size=200),
    st.integers(1, 40),
    st.integers(1, 9),
    st.integers(1, 9),
    st.sets(st.integers(0, 40), max_size=3),
)
def test_any_cut_any_window_and_any_loss_give_the_whole(answer, request, cut, ours, theirs, lost):
    peer = Peer(answer, cut, theirs)
    exchange = GeneralBlocks(request, 9 + cut, ours)
    found, way, sent = b"", exchange.first(), 0
    while not exchange.done:
        reply = peer.hears(way)
        heard = False
        for one in reply:
            sent += 1
            if sent - 1 in lost:
                continue
            heard = not followed(one)
            found += exchange.receive(one)
        way = exchange.due if heard else [] if exchange.done else exchange.silence()
    assert found == answer
    assert peer.request == request


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 6), st.integers(0, 6)), max_size=30))
def test_any_numbers_end_in_the_whole_or_in_a_driver_error(steps) -> None:
    exchange = GeneralBlocks(bytes(30), 19, 4)
    exchange.first()
    for control, number, ack in steps:
        head = bytes((0xE0, control)) + number.to_bytes(2, "big") + ack.to_bytes(2, "big")
        try:
            exchange.receive(head + b"\x01x")
        except DriverError:
            return
