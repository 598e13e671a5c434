"""Methods with long parameters and long answers go in blocks that follow each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.dlms.acse import BLOCK_ACTION, association_of
from drivers.dlms.actions import Call, action_blocks, perform
from drivers.dlms.apdu import Attribute
from drivers.dlms.data import octets
from drivers.errors import AccessDenied, GarbledReply, NotSupported, ValueRefused

METHOD = Attribute(18, bytes((0, 0, 44, 0, 0, 255)), 2)
BLOCKS = association_of(BLOCK_ACTION, 128)
DONE = bytes.fromhex("C701C30000")


class BlockMeter:
    """A meter that puts blocks together, and sends what it gives back in blocks of ``size``."""

    def __init__(self, given_back: bytes = b"", size: int = 0) -> None:
        self.heard: list[bytes] = []
        self.parameter = b""
        self._parts = [given_back[at : at + size] for at in range(0, len(given_back), size or 1)]

    def __call__(self, apdu: bytes) -> bytes:
        self.heard.append(apdu)
        kind = apdu[1]
        if kind == 2:
            return self._block(int.from_bytes(apdu[3:7], "big") + 1)
        at = 3 if kind == 6 else 12
        if kind in {4, 6}:
            last, number = apdu[at], apdu[at + 1 : at + 5]
            length, begin = apdu[at + 5], at + 6
            if length == 0x81:
                length, begin = apdu[at + 6], at + 7
            assert begin + length == len(apdu)
            self.parameter += apdu[begin:]
            if not last:
                return b"\xc7\x04\xc3" + number
        return self._block(1) if self._parts else DONE

    def _block(self, number: int) -> bytes:
        raw = self._parts[number - 1]
        last = bytes((number == len(self._parts),))
        return b"\xc7\x02\xc3" + last + number.to_bytes(4, "big") + bytes((len(raw),)) + raw


@given(st.binary(min_size=120, max_size=4000), st.integers(64, 240))
def test_a_long_parameter_arrives_whole_in_messages_that_fit(parameter, room) -> None:
    meter = BlockMeter()
    assert perform(meter, Call(3, METHOD, parameter, "a method"), room, BLOCKS) == b""
    if len(meter.heard) > 1:
        assert meter.parameter == parameter
    assert max(map(len, meter.heard)) <= room


def test_a_short_parameter_goes_in_one_message() -> None:
    meter = BlockMeter()
    perform(meter, Call(3, METHOD, b"\x11\x05", "a method"), 128, BLOCKS)
    assert [apdu[1] for apdu in meter.heard] == [1]


def test_a_meter_that_takes_no_blocks_is_not_sent_half_a_parameter() -> None:
    meter = BlockMeter()
    with pytest.raises(NotSupported, match="too long"):
        perform(meter, Call(3, METHOD, bytes(300), "a method"), 128, association_of(0, 128))
    assert meter.heard == []


@pytest.mark.parametrize("head", [b"", b"\x00\x01\x00"])
def test_a_long_answer_is_put_together(head) -> None:
    value = octets(bytes(range(120)))
    meter = BlockMeter(head + value, 50)
    assert perform(meter, Call(3, METHOD, b"", "a method"), 128, BLOCKS) == value


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("C70103 03 00", AccessDenied),
        ("C70103 0C 00", ValueRefused),
        ("C70103 00 00", GarbledReply),  # before it has all
        ("C70403 00000007", GarbledReply),  # acknowledges another block
        ("C70403 00", GarbledReply),
    ],
)
def test_a_refusal_between_blocks_ends_the_call(answer, error) -> None:
    asked = []

    def meter(apdu: bytes) -> bytes:
        asked.append(apdu)
        return bytes.fromhex(answer)

    with pytest.raises(error):
        perform(meter, Call(3, METHOD, bytes(300), "a method"), 128, BLOCKS)
    assert len(asked) == 1


@pytest.mark.parametrize(
    "answer", ["C70203 00 00000002 01 11", "C70203 01 00000001 05 11", "C70203 01"]
)
def test_answer_blocks_that_do_not_follow_are_refused(answer) -> None:
    with pytest.raises(GarbledReply):
        perform(lambda _: bytes.fromhex(answer), Call(3, METHOD, b"", "x"), 128, BLOCKS)


def test_every_block_but_the_last_says_that_more_comes() -> None:
    blocks = list(action_blocks(5, METHOD, bytes(500), 128))
    assert [block[1] for block in blocks] == [4, *[6] * (len(blocks) - 1)]
    assert blocks[0][3:12] == METHOD.descriptor()
