"""Limits, alarms, slaves and the account of the virtual meters, which share no code with us."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from drivers.dlms.meter import DlmsMeter
from drivers.errors import AccessDenied, NotSupported
from drivers.metertype import load_meter_type
from drivers.secrets import Secret, Secrets
from drivers.simulator import hexcell, zmf100
from drivers.simulator.memory import DeviceLink
from drivers.values import Span
from tests.protocol.test_dlms_simulated import hexcell_type

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)


def opened(kind: str) -> DlmsMeter:
    if kind == "hexcell":
        link = DeviceLink([hexcell.build(serial="46000755036", rows=20, start=START)])
        secrets = Secrets(password=Secret(hexcell.PASSWORD))
        return DlmsMeter(link, hexcell_type(), secrets, wall=lambda: _now(link))
    link = DeviceLink([zmf100.build(serial="00018438", rows=20, start=START)])
    known = load_meter_type("landisgyr-zmf100")
    return DlmsMeter(link, known, Secrets(), wall=lambda: _now(link))


def _now(link: DeviceLink) -> datetime:
    return START + timedelta(seconds=link.now())


@pytest.mark.parametrize("kind", ["hexcell", "zmf100"])
@pytest.mark.parametrize("listed", [True, False], ids=["listed", "by the usual codes"])
def test_limiter_monitor_and_alarms_are_read_whole(kind, listed) -> None:
    with opened(kind) as meter:
        entries = meter.objects() if listed else ()
        (limiter,) = meter.limiters(entries)
        (monitor,) = meter.monitors(entries)
        alarms = meter.alarms(entries)
    assert limiter.monitored is not None
    assert (limiter.monitored.obis, limiter.monitored.unit) == ("1-0:1.7.0.255", "kW")
    assert limiter.threshold_active == limiter.threshold_normal
    assert limiter.action_over is not None
    assert limiter.action_over.text == "disconnect"
    assert [one.value for one in monitor.thresholds] == [limiter.threshold_normal]
    assert {one.kind for one in alarms} == {"error", "alarm", "alarm filter", "alarm descriptor"}
    assert "Program memory error" in next(one for one in alarms if one.kind == "alarm filter").bits


def test_a_threshold_that_is_written_reads_back_in_kilowatts() -> None:
    with opened("hexcell") as meter:
        code = "0-0:17.0.0.255"
        raw = meter.raw(code, 71, 4)
        meter.write_raw(code, 71, 4, raw[:1] + (9200).to_bytes(len(raw) - 1, "big"))
        (limiter,) = meter.limiters(meter.objects())
    assert limiter.threshold_normal == Decimal("9.200")
    assert 4 in limiter.writable


def test_a_reader_writes_no_threshold() -> None:
    with opened("zmf100") as meter:
        raw = meter.raw("0-0:17.0.0.255", 71, 4)
        with pytest.raises(AccessDenied):
            meter.write_raw("0-0:17.0.0.255", 71, 4, raw)


def test_every_slave_has_its_own_numbers_and_values() -> None:
    with opened("zmf100") as meter:
        gas, water, *empty = meter.slaves(meter.objects())
        rows = [
            row
            for block in meter.profile(meter.profile_info(gas.profile), Span(last=5))
            for row in block.rows
        ]
    assert (gas.medium, water.medium) == ("gas", "water")
    assert [one.obis for one in gas.values] == ["0-1:24.2.1.255", "7-0:3.0.0.255"]
    assert [one.obis for one in water.values] == ["0-2:24.2.1.255", "8-1:1.0.0.255"]
    for slave in (gas, water):
        assert slave.utility_serial
        assert slave.maker_serial.startswith(slave.manufacturer)
        assert slave.identification in slave.maker_serial
        assert len({one.value for one in slave.values}) == 1  # the same counter twice
    assert [slave.installed for slave in empty] == [False, False]
    assert len(rows) == 5
    assert 0 <= gas.values[0].value - rows[-1].values[0] < 1  # of the last full hour


def test_a_meter_without_slaves_says_so() -> None:
    with opened("hexcell") as meter, pytest.raises(NotSupported):
        meter.slaves(meter.objects())


def test_the_account_is_whole() -> None:
    with opened("hexcell") as meter:
        found = meter.account(meter.objects())
        credit = meter.prepayment()
    (account,) = found.accounts
    assert (account.mode, account.status, account.currency) == ("prepayment", "active", "kWh")
    assert account.available_credit == credit.balance
    assert [one.kind for one in found.credits] == ["token credit", "emergency credit"]
    assert found.credits[0].configuration == ("takes tokens",)
    assert [share.credit for share in account.gateways] == [found.credits[0].obis]
    assert [one.obis for one in found.charges] == list(account.charges)
    (sts,) = found.sts
    assert (sts.supply_group_code, sts.tariff_index) == (credit.sgc, credit.ti)
    assert credit.drn in sts.meter_pan
    (gateway,) = found.gateways
    assert (gateway.status_code, gateway.status) == (3, "executed")
