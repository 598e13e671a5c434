"""Limiters, monitors, alarms and slaves as the driver reads them, from hand-made bytes."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from drivers.dlms.meter import DlmsMeter
from drivers.dlms.slaves import header_number, maker_letters
from drivers.errors import GarbledReply, NotSupported
from drivers.metertype import load_meter_type
from drivers.objectmodel import ObjectEntry
from drivers.secrets import Secrets
from tests.protocol.dlms_meter import WrapperMeterLink

LIMITER, MONITOR = (71, "0.0.17.0.0.255"), (21, "0.0.16.0.1.255")
POWER = "1.0.1.7.0.255"
ENTRY_POWER = "0003 0906 0100010700FF 0F02"
DISCONNECT, NOTHING = "0202 0906 00000A006AFF 120001", "0202 0906 00000A006AFF 120000"
CLOCK = "090C 07EA0B140601050000 000000"


def raw(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


WATCHED = f"0203 12{ENTRY_POWER}"
UNIT = {(3, POWER, 2): raw("06 00000BB8"), (3, POWER, 3): raw("0202 0F00 161B")}  # watts
LIMITER_OBJECT = {
    (*LIMITER, 2): raw(WATCHED),
    (*LIMITER, 3): raw("06 00002CEC"),
    (*LIMITER, 4): raw("06 00002CEC"),
    (*LIMITER, 5): raw("06 000003E8"),
    (*LIMITER, 6): raw("06 0000003C"),
    (*LIMITER, 7): raw("06 00000078"),
    (*LIMITER, 8): raw(f"0203 120007 {CLOCK} 0600000E10"),
    (*LIMITER, 9): raw("0102 120007 120008"),
    (*LIMITER, 10): raw("0300"),
    (*LIMITER, 11): raw(f"0202 {DISCONNECT} {NOTHING}"),
}


def meter(objects: dict[tuple[int, str, int], object], **kind: object) -> DlmsMeter:
    base = replace(load_meter_type("generic-dlms"), framing="wrapper", **kind)
    return DlmsMeter(WrapperMeterLink(objects), base, Secrets())


def data(code: str, value: str) -> dict[tuple[int, str, int], bytes]:
    return {(1, code, 2): raw(value)}


# --- limiters and monitors ----------------------------------------------------------------------


def test_a_limiter_has_its_thresholds_in_the_unit_of_what_it_watches() -> None:
    entry = ObjectEntry(71, 0, "0-0:17.0.0.255", ((3, 1), (4, 3), (11, 3)))
    with meter(LIMITER_OBJECT | UNIT) as opened:
        (found,) = opened.limiters([entry])
    assert (found.threshold_active, found.threshold_emergency) == (Decimal("11.500"), Decimal(1))
    assert found.monitored is not None
    assert (found.monitored.obis, found.monitored.unit) == ("1-0:1.7.0.255", "kW")
    assert (found.over_s, found.under_s, found.emergency_groups) == (60, 120, (7, 8))
    assert found.emergency is not None
    assert (found.emergency.number, found.emergency.duration_s) == (7, 3600)
    assert found.emergency.start == datetime(2026, 11, 20, 1, 5, tzinfo=UTC)
    assert found.emergency_active is False
    assert found.action_over is not None
    assert found.action_under is not None
    assert (found.action_over.text, found.action_under.text) == ("disconnect", "nothing")
    assert found.writable == (4, 11)


def test_a_limiter_without_an_object_list_is_found_at_its_usual_code() -> None:
    with meter(LIMITER_OBJECT) as opened:
        (found,) = opened.limiters()
    assert found.threshold_active == 11_500  # no unit is told: the bare number
    assert found.writable == ()


def test_a_limiter_that_hides_most_of_itself_tells_the_rest() -> None:
    hidden = dict.fromkeys(LIMITER_OBJECT, 3) | {(*LIMITER, 6): raw("06 0000003C")}
    with meter(hidden) as opened:
        (found,) = opened.limiters()
    assert (found.over_s, found.monitored, found.threshold_active) == (60, None, None)


@pytest.mark.parametrize("value", ["00", "0201 11 01", "0203 120003 0905 0100010700 0F02", "0100"])
def test_a_watched_value_of_another_form_is_left_out(value) -> None:
    with meter(LIMITER_OBJECT | {(*LIMITER, 2): raw(value)}) as opened:
        (found,) = opened.limiters()
    assert found.monitored is None


def test_a_value_cut_short_is_an_error_and_no_shorter_limiter() -> None:
    with (
        meter(LIMITER_OBJECT | {(*LIMITER, 11): raw(f"0202 {DISCONNECT}")}) as opened,
        pytest.raises(GarbledReply),
    ):
        opened.limiters()


def test_a_register_monitor_pairs_thresholds_with_actions() -> None:
    objects = {
        (*MONITOR, 2): raw("0102 06000007D0 06000003E8"),
        (*MONITOR, 3): raw(WATCHED),
        (*MONITOR, 4): raw(f"0101 0202 {DISCONNECT} {NOTHING}"),
    }
    with meter(objects | UNIT) as opened:
        (found,) = opened.monitors()
    assert [one.value for one in found.thresholds] == [Decimal(2), Decimal(1)]
    first, second = found.thresholds
    assert first.action_up is not None
    assert first.action_up.text == "disconnect"
    assert second.action_up is None  # fewer actions than thresholds


@pytest.mark.parametrize("what", ["limiters", "monitors", "alarms", "slaves", "account"])
def test_a_meter_without_any_says_so(what) -> None:
    with meter({}) as opened, pytest.raises(NotSupported):
        getattr(opened, what)()


# --- alarms -------------------------------------------------------------------------------------


def test_alarm_bits_are_words_of_the_companion_profile_and_unknown_ones_numbers() -> None:
    objects = data("0.0.97.98.0.255", "06 00002081") | data("0.0.97.98.1.255", "06 00000009")
    with meter(objects, alarms="idis") as opened:
        one, two = opened.alarms()
    assert (one.kind, one.number, one.raw) == ("alarm", 1, 0x2081)
    assert one.bits == ("Clock invalid", "bit 7", "Fraud attempt")
    assert two.bits == ("Total power failure", "Voltage phase failure L2")
    with meter(objects, alarms="smr") as opened:
        _, other = opened.alarms()
    assert other.bits == ("Voltage sag L1", "Voltage swell L1")
    with meter(objects) as opened:
        bare, _ = opened.alarms()
    assert bare.bits == ("bit 0", "bit 7", "bit 13")


def test_filters_and_error_registers_are_told_apart() -> None:
    objects = (
        data("0.0.97.97.0.255", "12 0804")
        | data("0.0.97.98.10.255", "06 FFFFFFFF")
        | data("0.0.97.98.20.255", "09 04 00000001")
    )
    with meter(objects, alarms="idis") as opened:
        errors, filter_, descriptor = opened.alarms()
    assert (errors.kind, errors.bits) == ("error", ("bit 2", "bit 11"))
    assert (filter_.kind, len(filter_.bits)) == ("alarm filter", 32)
    with meter(objects, alarms="idis", errors_like=1) as opened:
        errors, *_ = opened.alarms()
    assert errors.bits == ("bit 2", "Measurement system error")
    assert (descriptor.kind, descriptor.bits) == ("alarm descriptor", ("Clock invalid",))


def test_a_listed_register_that_is_denied_keeps_its_reason() -> None:
    listed = [ObjectEntry(1, 0, "0-0:97.98.0.255"), ObjectEntry(1, 0, "1-0:0.0.0.255")]
    with meter({(1, "0.0.97.98.0.255", 2): 3}) as opened:
        (denied,) = opened.alarms(listed)
    assert denied.raw is None
    assert "denied" in denied.text


# --- slaves -------------------------------------------------------------------------------------


def slave(channel: int, number: str) -> dict[tuple[int, str, int], bytes]:
    client = (72, f"0.{channel}.24.1.0.255")
    return {
        (*client, 2): raw("0906 0000180600FF"),
        (*client, 3): raw("0100"),
        (*client, 4): raw("06 00000E10"),
        (*client, 5): raw("11 02"),
        (*client, 6): raw(f"06 {number}"),
        (*client, 7): raw("12 15B3"),
        (*client, 8): raw("11 11"),
        (*client, 9): raw("11 03"),
        (*client, 10): raw("11 2A"),
        (*client, 11): raw("11 00"),
        (*client, 12): raw("11 00"),
        (*client, 13): raw("12 0105"),
        (*client, 14): raw("16 04"),
    }


GAS = {
    (4, "0.1.24.2.1.255", 2): raw("06 00BC614E"),
    (4, "0.1.24.2.1.255", 3): raw("0202 0FFE 160D"),
    (4, "0.1.24.2.1.255", 5): raw(CLOCK),
}


def test_a_slave_tells_who_it_is_and_its_values_come_through_the_master() -> None:
    texts = data("7.1.0.0.0.255", "0908 4741532D30303031") | data("0.1.96.1.0.255", "0904 37313131")
    with meter(slave(1, "12345678") | slave(2, "FFFFFFFF") | GAS | texts) as opened:
        gas, empty = opened.slaves()
    assert (gas.channel, gas.installed, gas.address) == (1, True, 2)
    assert (gas.utility_serial, gas.maker_serial) == ("GAS-0001", "7111")
    assert (gas.identification, gas.manufacturer, gas.medium) == ("12345678", "EMS", "gas")
    assert (gas.configuration, gas.capture_period_s) == ("0105", 3600)
    assert gas.key_status == "key in use"
    (volume,) = gas.values
    assert (volume.value, volume.unit) == (Decimal("123456.78"), "m3")
    assert volume.time == datetime(2026, 11, 20, 1, 5, tzinfo=UTC)
    assert (empty.installed, empty.identification, empty.values) == (False, "", ())


def test_values_that_the_master_maps_to_the_medium_are_found_in_its_object_list() -> None:
    listed = [
        ObjectEntry(72, 1, "0-1:24.1.0.255"),
        ObjectEntry(4, 0, "0-1:24.2.1.255"),
        ObjectEntry(3, 0, "7-1:3.0.0.255"),
        ObjectEntry(3, 0, "7-2:3.0.0.255"),
        ObjectEntry(7, 1, "0-1:24.3.0.255"),
    ]
    mapped = {(3, "7.1.3.0.0.255", 2): raw("06 00000064")}
    mapped[3, "7.1.3.0.0.255", 3] = raw("0202 0F00 160D")
    with meter(slave(1, "12345678") | GAS | mapped) as opened:
        (gas,) = opened.slaves(listed)
    assert [one.obis for one in gas.values] == ["0-1:24.2.1.255", "7-1:3.0.0.255"]
    assert gas.profile == "0-1:24.3.0.255"


def test_a_master_that_counts_its_channels_from_nought_mixes_no_two_slaves() -> None:
    listed = [
        ObjectEntry(72, 1, "0-1:24.1.0.255"),
        ObjectEntry(1, 0, "7-0:0.0.0.255"),
        ObjectEntry(3, 0, "7-0:3.0.0.255"),
        ObjectEntry(3, 0, "7-1:3.0.0.255"),  # the second channel's
        ObjectEntry(3, 0, "8-1:1.0.0.255"),
    ]
    register = {(3, "7.0.3.0.0.255", 2): raw("06 00000064")}
    register[3, "7.0.3.0.0.255", 3] = raw("0202 0F00 160D")
    texts = data("7.0.0.0.0.255", "0908 4741532D30303031")
    with meter(slave(1, "12345678") | register | texts, first_slave=0) as opened:
        (gas,) = opened.slaves(listed)
    assert [one.obis for one in gas.values] == ["7-0:3.0.0.255"]
    assert gas.utility_serial == "GAS-0001"


def test_a_number_kept_once_is_the_utilitys() -> None:
    texts = data("0.1.96.1.0.255", "0904 37313131")
    with meter(slave(1, "12345678") | texts) as opened:
        (gas,) = opened.slaves()
    assert (gas.utility_serial, gas.maker_serial) == ("7111", "")


def test_numbers_and_makers_of_the_m_bus_header_are_spelled_out() -> None:
    assert header_number(0x00012345) == "00012345"
    assert header_number(0x00BC614E) == "12345678"  # not packed decimal: a plain number
    assert maker_letters(0x15B3) == "EMS"
    assert maker_letters(0x0001) == "0001"


# --- what nobody told us ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("13 0202 1112 06 01 0002 02 0003", "[(1, 2), (2, 3)]"),
        ("13 01 0002 11 04 0102 0304", "[[1, 2], [3, 4]]"),
        ("0D 42", "66"),
        ("09 03 FF0001", "FF 00 01"),
    ],
)
def test_an_unknown_class_is_shown_as_it_stands(value, text) -> None:
    with meter({(8192, "0.0.128.1.0.255", 7): raw(value)}) as opened:
        shown = opened.object("0-0:128.1.0.255", 8192, 7)
        kept = opened.raw("0-0:128.1.0.255", 8192, 7)
    assert (shown.text or str(shown.value)) == text
    assert kept == raw(value)


@pytest.mark.parametrize(
    "value",
    [
        "13 00 01 00",  # entries of nothing
        "13 01 FFFF 00 01 00",
        "13 01 FFFF 01 0000 11 01 00",
        "13 02 02 11 12 04 01 0002 02",  # cut in the second entry
        "13 13 01 00",
    ],
)
def test_a_compact_array_that_lies_is_refused(value) -> None:
    with meter({(8192, "0.0.128.1.0.255", 7): raw(value)}) as opened, pytest.raises(GarbledReply):
        opened.object("0-0:128.1.0.255", 8192, 7)
