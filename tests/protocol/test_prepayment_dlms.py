"""Keys, credit and tokens over DLMS, against the virtual Hexcell and against odd meters."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from drivers.dlms.addressing import with_serial
from drivers.dlms.meter import DlmsMeter
from drivers.dlms.prepayment import drn_in, encoded
from drivers.errors import NoReply, NotSupported
from drivers.metertype import load_meter_type
from drivers.prepayment import Prepaid, TakesTokens, TokenState
from drivers.secrets import Secret, Secrets
from drivers.simulator import hexcell
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.memory import DeviceLink
from drivers.simulator.tokenoffice import FIRST_KEY, TokenOffice, drn_of
from drivers.trace_link import Trace, TraceLink

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
ISSUED = datetime(2026, 11, 20, 11, 0)  # noqa: DTZ001 (a meter's clock has no zone)
SERIAL = "46000755036"


class Bench:
    """A virtual Hexcell, its vending office, and the driver on a traced line."""

    def __init__(self, *, encoding: str = "ascii20", ours: str = "ascii20", faults=()) -> None:
        self.virtual = hexcell.Hexcell(SERIAL, 20, 1, Faults(faults), START, encoding=encoding)
        self.account = self.virtual.prepayment
        self.office = TokenOffice(drn_of(SERIAL))
        self.trace = Trace()
        self.link = TraceLink(DeviceLink([self.virtual.device()]), self.trace)
        kind = with_serial(load_meter_type("hexcell-ddsy1088"), SERIAL)
        self.kind = replace(kind, prepayment=replace(kind.prepayment, token_encoding=ours))

    def meter(self) -> DlmsMeter:
        return DlmsMeter(self.link, self.kind, Secrets(password=Secret(hexcell.PASSWORD)))

    def traced(self) -> bytes:
        return b"\n".join(record.data for record in self.trace.records)


def test_the_meter_tells_its_keys_and_its_credit():
    bench = Bench()
    with bench.meter() as meter:
        assert isinstance(meter, Prepaid)
        assert isinstance(meter, TakesTokens)
        told = meter.prepayment()
    assert told.drn == drn_of(SERIAL)
    assert (told.sgc, told.ti, told.krn) == (FIRST_KEY.sgc, FIRST_KEY.ti, 1)
    assert (told.key_type, told.ken, told.ea, told.base, told.key_tokens) == (2, 255, 11, 2014, 4)
    assert (told.balance, told.unit) == (Decimal("61.3"), "kWh")


@pytest.mark.parametrize("encoding", ["ascii20", "bcd10"])
def test_a_token_is_entered_waited_for_and_masked_in_the_trace(encoding):
    bench = Bench(encoding=encoding, ours=encoding)
    token = bench.office.credit(Decimal("12.5"), ISSUED)
    with bench.meter() as meter:
        before = meter.prepayment()
        answer = meter.enter_token(Secret(token.encode()))
        after = meter.prepayment()
    assert (answer.state, answer.code, answer.status) == (TokenState.ACCEPTED, 1, 3)
    assert after.balance - before.balance == Decimal("12.5")
    assert after.last_token != before.last_token
    assert token.encode() not in bench.traced()
    assert bytes.fromhex(token) not in bench.traced()


@pytest.mark.parametrize(("theirs", "ours"), [("bcd10", "ascii20"), ("ascii20", "bcd10")])
def test_the_wrong_encoding_is_one_wrong_entry_and_no_other_is_tried(theirs, ours):
    bench = Bench(encoding=theirs, ours=ours)
    with bench.meter() as meter:
        answer = meter.enter_token(Secret(bench.office.credit(1, ISSUED).encode()))
    assert (answer.state, answer.code) == (TokenState.REFUSED, 6)
    assert len(bench.account.history) == 1


def test_nothing_is_sent_when_the_type_does_not_say_how():
    bench = Bench(ours="")
    with bench.meter() as meter, pytest.raises(NotSupported):
        meter.enter_token(Secret(bench.office.credit(1, ISSUED).encode()))
    assert not bench.account.history


def test_a_refusal_names_its_result():
    bench = Bench()
    token = bench.office.credit(1, ISSUED)
    with bench.meter() as meter:
        meter.enter_token(Secret(token.encode()))
        again = meter.enter_token(Secret(token.encode()))
        assert meter.token_answer() == again
    assert (again.state, again.code, again.status) == (TokenState.REFUSED, 10, 6)


def many(bench: Bench, meter: DlmsMeter) -> None:
    for minute in range(60):
        issued = ISSUED.replace(minute=minute)
        meter.enter_token(Secret(bench.office.credit(1, issued).encode()))


def test_a_token_whose_answer_is_lost_is_handed_over_once():
    bench = Bench(faults=["silent-after-5000"])
    with bench.meter() as meter:
        heard = bench.link.statistics.bytes_received
        while bench.link.statistics.bytes_received < heard + 3600:
            meter.clock()
        with pytest.raises(NoReply):
            many(bench, meter)
    shown = [entered.shown for entered in bench.account.history]
    assert shown
    assert len(shown) == len(set(shown))


@pytest.mark.parametrize(
    ("pan", "drn"),
    [
        (b"600727123456789032", "12345678903"),
        (b"000012345678901237", "1234567890123"),
        ((600727, 12345678903, 2), "12345678903"),
        ((0, 1234567890123, 7), "1234567890123"),
        (b"", ""),
        (None, ""),
        (b"60072712345678903", ""),
    ],
)
def test_the_meter_number_is_found_in_both_forms_of_the_pan(pan, drn):
    assert drn_in(pan) == drn


def test_the_encodings_are_what_their_names_say():
    token = Secret(b"12345678901234567890")
    assert encoded(token, "ascii20") == token.reveal()
    assert encoded(token, "bcd10").hex() == "12345678901234567890"
