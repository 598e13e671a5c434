"""A token over IEC 62056-21: one write command, dots in the trace, no digits in an error."""

from dataclasses import replace

import pytest

from drivers.errors import AccessDenied, GarbledReply, NoReply, NotSupported
from drivers.iec62056 import frames
from drivers.iec62056.meter import Iec62056Meter
from drivers.memory_link import MemoryLink
from drivers.metertype import PrepaymentType, load_meter_type
from drivers.prepayment import TakesTokens, TokenState
from drivers.secrets import Secret, Secrets
from drivers.trace_link import Trace, TraceLink
from tests.protocol.test_iec62056_programming import Meter, data

TOKEN = "70631234567890126114"
TYPE = replace(load_meter_type("landisgyr-e650"), prepayment=PrepaymentType(token_register="C.90"))
ACK, NAK = b"\x06", b"\x15"


class Bench:
    """The scripted meter on a traced line."""

    def __init__(self, *answers: bytes, kind=TYPE, secrets: Secrets | None = None) -> None:
        self.meter = Meter(answers)
        assert isinstance(self.meter.link, MemoryLink)
        self.trace = Trace()
        link = TraceLink(self.meter.link, self.trace)
        self.client = Iec62056Meter(link, kind, secrets or Secrets(password=Secret(b"12345678")))

    def enter(self):
        with self.client as meter:
            assert isinstance(meter, TakesTokens)
            return meter.enter_token(Secret(TOKEN.encode()))

    def writes(self) -> list[bytes]:
        return [order for order in self.meter.orders() if order[1:3] == b"W5"]

    def traced(self) -> bytes:
        return b"".join(record.data for record in self.trace.records)


def test_a_token_is_written_once_and_an_acknowledgement_is_acceptance():
    bench = Bench(ACK, ACK)
    assert bench.enter().state is TokenState.ACCEPTED
    assert bench.writes() == [frames.command("W5", f"C.90({TOKEN})".encode(), "xor")]
    assert TOKEN.encode() not in bench.traced()


def test_a_refusal_is_a_refusal_without_a_reason():
    answer = Bench(ACK, data("(ER12)")).enter()
    assert (answer.state, answer.code) == (TokenState.REFUSED, 0)


@pytest.mark.parametrize(("answers", "error"), [((ACK, NAK), GarbledReply), ((ACK,), NoReply)])
def test_a_token_that_was_not_heard_is_not_sent_again(answers, error):
    bench = Bench(*answers)
    with pytest.raises(error) as failed:
        bench.enter()
    assert len(bench.writes()) == 1
    assert TOKEN not in str(failed.value)


def test_a_refused_password_is_told_before_the_token_goes_out():
    bench = Bench(data("(ERROR)"))
    with pytest.raises(AccessDenied):
        bench.enter()
    assert bench.writes() == []


def test_a_type_without_a_register_sends_nothing():
    bench = Bench(kind=load_meter_type("landisgyr-e650"))
    with pytest.raises(NotSupported):
        bench.enter()
    assert bench.meter.heard == []
