"""Bytes in words: what is a frame is named, what is none is named as well, and nothing is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.dlms.frames import Frame
from drivers.framewords import frame_words

SNRM = Frame(b"\x03", b"\x21", 0x93).encode()
UA = Frame(b"\x21", b"\x03", 0x73).encode()
AARQ = Frame(b"\x03", b"\x21", 0x10, b"\xe6\xe6\x00\x60\x00").encode()


def test_hdlc_frames_are_named_with_addresses_and_what_they_carry():
    said = frame_words(SNRM + UA + AARQ)
    assert [item.kind for item in said] == ["hdlc"] * 3
    assert "SNRM" in said[0].words
    assert "UA" in said[1].words
    assert "AARQ" in said[2].words
    assert "to 03 from 21" in said[2].words


def test_a_damaged_frame_between_good_ones_is_named():
    spoilt = bytearray(SNRM)
    spoilt[4] ^= 1
    said = frame_words(SNRM + bytes(spoilt) + UA)
    assert [item.kind for item in said] == ["hdlc", "unknown", "hdlc"]


def test_wrapper_messages_are_named_and_what_is_missing_is_said():
    data = bytes.fromhex("0001001000010005c001810008")
    assert "from 16 to 1, 5 octets: GET request" in frame_words(data)[0].words
    assert "2 octets are missing" in frame_words(data[:-2])[0].words


def test_a_sign_on_is_named_message_by_message():
    said = frame_words(b"/?!\r\n/MWT5TEST\r\n\x06050\r\n\x021.8.0(1)\r\n!\r\n\x03\x00")
    assert [item.words.split(":")[0].split(",")[0] for item in said] == [
        "request message", "identification", "option select", "data message",
    ]  # fmt: skip


@given(st.binary(max_size=200))
def test_any_bytes_are_told_whole_and_in_order(data: bytes):
    said = frame_words(data)
    places = [item.at for item in said]
    assert places == sorted(places)
    assert sum(len(item.data) for item in said) >= len(data) - data.count(b"\x7e")


@pytest.mark.parametrize("data", [b"", b"\x7e", b"\x00\x01", b"\x7e\x7e\x7e"])
def test_hardly_anything_is_no_reason_to_fail(data: bytes):
    frame_words(data)
