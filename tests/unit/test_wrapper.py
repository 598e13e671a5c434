"""The TCP wrapper: lengths, foreign ports, cuts and junk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.dlms.wrapper import Wrapper
from drivers.values import Statistics


def from_meter(apdu: bytes, server: int = 1, client: int = 16) -> bytes:
    head = b"\x00\x01" + server.to_bytes(2, "big") + client.to_bytes(2, "big")
    return head + len(apdu).to_bytes(2, "big") + apdu


def test_header_has_version_ports_and_length() -> None:
    wrapper = Wrapper(16, 1, Statistics())
    assert wrapper.wrap(b"abc") == bytes.fromhex("0001001000010003") + b"abc"


@pytest.mark.parametrize(("server", "client"), [(2, 16), (1, 17), (16, 1)])
def test_another_port_pair_is_discarded_and_counted(server, client) -> None:
    statistics = Statistics()
    wrapper = Wrapper(16, 1, statistics)
    assert wrapper.feed(from_meter(b"x", server, client) + from_meter(b"y")) == [b"y"]
    assert statistics.discarded == 1


@given(st.lists(st.binary(max_size=300), max_size=4), st.data())
def test_any_cut_gives_the_same_answers(apdus, data) -> None:
    stream = b"".join(map(from_meter, apdus))
    wrapper, found, at = Wrapper(16, 1, Statistics()), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, 50))
        found += wrapper.feed(stream[at : at + size])
        at += size
    assert found == apdus
    assert not wrapper.inside


def test_junk_before_a_header_is_skipped() -> None:
    statistics = Statistics()
    wrapper = Wrapper(16, 1, statistics)
    assert wrapper.feed(b"HTTP/1.1 400\r\n\r\n" + from_meter(b"ok")) == [b"ok"]
    assert statistics.discarded == 1


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing(data) -> None:
    Wrapper(16, 1, Statistics()).feed(data)


def test_an_unfinished_answer_can_be_given_up() -> None:
    wrapper = Wrapper(16, 1, Statistics())
    assert wrapper.feed(from_meter(b"long answer")[:-1]) == []
    assert wrapper.inside
    wrapper.give_up()
    assert wrapper.feed(from_meter(b"next")) == [b"next"]
