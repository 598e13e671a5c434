"""The virtual meter takes and gives in blocks, and refuses those that are out of order."""

import pytest

from drivers.dlms.acse import association_of
from drivers.dlms.actions import Call, perform
from drivers.dlms.apdu import Attribute
from drivers.dlms.data import octets
from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.axdr import Taker
from drivers.simulator.dlms.conformance import ACTION_BLOCKS
from drivers.simulator.dlms.longcalls import FIRST, NEXT, NORMAL, LongCalls

METHOD = Attribute(18, bytes((0, 0, 44, 0, 0, 255)), 2)
TARGET = (18, METHOD.code, 2)


class Meter:
    """Gives back what it is called with, through messages of at most ``size`` octets."""

    def __init__(self, size: int) -> None:
        self.calls = LongCalls(self._called, size)
        self.heard = 0

    def _called(self, now: float, target: object, parameter: axdr.Value | None) -> bytes:
        del now
        assert target == TARGET
        self.heard += 1
        return b"" if parameter is None else axdr.octets(parameter.octets())

    def __call__(self, apdu: bytes) -> bytes:
        taker = Taker(apdu)
        _, kind, invoke = taker.octet(), taker.octet(), taker.octet()
        if kind == NEXT:
            return self.calls.next(invoke, taker.number(4))
        if kind in {NORMAL, FIRST}:
            target = (taker.number(2), taker.octets(6), taker.octet())
            if kind == FIRST:
                return self.calls.first(0.0, invoke, target, taker)
            parameter = taker.value() if taker.flag() else None
            return self.calls.short(0.0, invoke, target, parameter)
        return self.calls.following(0.0, invoke, taker)


@pytest.mark.parametrize("size", [40, 64, 128, 1024])
@pytest.mark.parametrize("length", [0, 1, 27, 28, 100, 127])
def test_what_goes_in_by_blocks_comes_back_by_blocks(size, length) -> None:
    meter = Meter(size)
    value = octets(bytes(range(length)))
    agreed = association_of(ACTION_BLOCKS, size)
    assert perform(meter, Call(3, METHOD, value, "it"), size, agreed) == value
    assert meter.heard == 1


def test_a_block_out_of_order_ends_the_call() -> None:
    meter = Meter(64)
    first = bytes((0xC3, 4, 0xC1)) + METHOD.descriptor() + bytes.fromhex("00 00000001 02 0905")
    assert meter(first) == bytes.fromhex("C704C100000001")
    assert meter(bytes.fromhex("C306C1 01 00000003 01 00"))[3] == 19
    assert meter(bytes.fromhex("C306C1 01 00000002 01 00"))[3] == 16  # nothing is under way
    assert meter.heard == 0


def test_a_parameter_that_is_no_value_is_refused_as_one() -> None:
    meter = Meter(64)
    whole = bytes((0xC3, 4, 0xC1)) + METHOD.descriptor() + bytes.fromhex("01 00000001 02 0905")
    assert meter(whole)[3] == 12


def test_a_result_that_nobody_waits_for_is_not_given() -> None:
    assert Meter(64)(bytes.fromhex("C302C1 00000001"))[3] == 16
