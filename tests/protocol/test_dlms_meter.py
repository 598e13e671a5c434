"""What the driver makes of a meter's objects, refusals and buffers."""

import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from drivers.dlms.meter import DlmsMeter
from drivers.errors import (
    AccessDenied,
    DriverError,
    GarbledReply,
    NoReply,
    NotSupported,
    ValueRefused,
)
from drivers.metertype import LogType, MeterType, ProfileType, RegisterType, load_meter_type
from drivers.secrets import Secret, Secrets
from drivers.values import Span
from tests.protocol.dlms_meter import WrapperMeterLink

NOW = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
CLOCK = "0.0.1.0.0.255"
PROFILE = "1.0.99.1.0.255"
LOG = "0.0.99.98.0.255"


def octets(data: bytes) -> bytes:
    return b"\x09" + bytes((len(data),)) + data


def stamp(moment: datetime, deviation: int | None = -60, status: int = 0) -> bytes:
    local = moment if deviation is None else moment - timedelta(minutes=deviation)
    return struct.pack(
        ">HBBBBBBBHB",
        local.year, local.month, local.day, 255, local.hour, local.minute, local.second, 0,
        0x8000 if deviation is None else deviation & 0xFFFF, status,
    )  # fmt: skip


def u32(value: int) -> bytes:
    return b"\x06" + struct.pack(">I", value)


def captured(*columns: tuple[int, str, int]) -> bytes:
    items = b"".join(
        b"\x02\x04\x12" + struct.pack(">H", class_id)
        + octets(bytes(map(int, code.split("."))))
        + b"\x0f" + bytes((attribute,)) + b"\x12\x00\x00"
        for class_id, code, attribute in columns
    )  # fmt: skip
    return b"\x01" + bytes((len(columns),)) + items


def buffer(rows: list[bytes]) -> bytes:
    return b"\x01\x82" + struct.pack(">H", len(rows)) + b"".join(rows)


def row(moment: datetime | None, status: int | None, value: int) -> bytes:
    return (
        b"\x02\x03"
        + (b"\x00" if moment is None else octets(stamp(moment)))
        + (b"\x00" if status is None else b"\x11" + bytes((status,)))
        + u32(value)
    )


def objects() -> dict:
    return {
        (1, "0.0.42.0.0.255", 2): octets(b"LGZ00018438"),
        (1, "0.0.96.1.0.255", 2): octets(b"\x00\x01\x84\x38"),
        (1, "1.0.0.2.0.255", 2): b"\x0a\x04M26 ",
        (3, "1.0.1.8.0.255", 2): u32(61561289),
        (3, "1.0.1.8.0.255", 3): b"\x02\x02\x0f\x00\x16\x1e",
        (3, "1.0.32.7.0.255", 2): b"\x12\x08\xfd",
        (3, "1.0.32.7.0.255", 3): b"\x02\x02\x0f\xff\x16\x23",
        (3, "1.0.2.8.0.255", 2): 3,
        (4, "1.0.1.6.0.255", 2): u32(4200),
        (4, "1.0.1.6.0.255", 3): b"\x02\x02\x0f\x00\x16\x1b",
        (4, "1.0.1.6.0.255", 5): octets(stamp(NOW)),
        (8, CLOCK, 2): octets(stamp(NOW)),
        (70, "0.0.96.3.10.255", 2): b"\x03\x01",
        (70, "0.0.96.3.10.255", 3): b"\x16\x01",
        (70, "0.0.96.3.10.255", 4): b"\x16\x04",
        (7, PROFILE, 3): captured(
            (8, CLOCK, 2), (1, "0.0.96.10.1.255", 2), (3, "1.0.1.8.0.255", 2)
        ),
        (7, PROFILE, 4): u32(900),
        (7, PROFILE, 7): u32(999_999),
        (7, PROFILE, 8): u32(35040),
    }


def kind(**changes: object) -> MeterType:
    base = load_meter_type("generic-dlms")
    return replace(
        base,
        framing="wrapper",
        registers=(RegisterType("1-0:1.8.0.255"), RegisterType("1-0:32.7.0.255")),
        **{key: value for key, value in changes.items() if key != "dlms"},
        dlms=replace(base.dlms, **changes.get("dlms", {})),
    )


class Meter:
    """A driver on the little meter, entered and left by the test."""

    def __init__(self, found: dict | None = None, *, block: int = 0, **changes: object) -> None:
        self.link = WrapperMeterLink(objects() if found is None else found, block=block)
        start = self.link.now()
        self.driver = DlmsMeter(
            self.link,
            kind(**changes),
            Secrets(password=Secret(b"open sesame")),
            wall=lambda: NOW + timedelta(seconds=self.link.now() - start),
        )

    def __enter__(self) -> DlmsMeter:
        return self.driver.__enter__()

    def __exit__(self, *args: object) -> None:
        self.driver.__exit__(*args)


# --- signing on and off -------------------------------------------------------------------------


def test_a_session_begins_with_aarq_and_ends_with_release() -> None:
    meter = Meter()
    with meter:
        pass
    assert [apdu[0] for apdu in meter.link.heard] == [0x60, 0x62]


def test_a_password_is_written_as_a_secret() -> None:
    meter = Meter(dlms={"auth": "low"})
    with meter:
        pass
    assert meter.link.secrets == meter.link.heard[:1]
    assert b"open sesame" in meter.link.heard[0]


def test_a_refused_password_is_asked_for_once_only() -> None:
    meter = Meter(dlms={"auth": "low"})
    body = "A109060760857405080101A203020101A305A10302010D"
    meter.link.special[0x60] = bytes.fromhex("6117" + body)
    with pytest.raises(AccessDenied, match="authentication failure") as caught, meter:
        pass
    assert len(meter.link.heard) == 1
    assert "sesame" not in str(caught.value)


def test_silence_after_the_release_is_a_remark() -> None:
    meter = Meter()
    meter.link.special[0x62] = None
    with meter as driver:
        pass
    assert "release" in driver.statistics.remarks[0]


def test_a_silent_meter_is_told_after_its_time() -> None:
    meter = Meter()
    meter.link.special[0x60] = None
    with pytest.raises(NoReply), meter:
        pass


def test_a_late_answer_to_the_question_before_is_not_taken_for_this_one() -> None:
    meter = Meter()
    with meter as driver:
        meter.link.delay = 20
        with pytest.raises(NoReply):
            driver.object("1.8.0", 3)
        meter.link.delay = 0.2
        meter.link._now += 13
        assert driver.object("32.7.0", 3).value == Decimal("230.1")
    assert driver.statistics.discarded == 1


# --- objects ------------------------------------------------------------------------------------


def test_identity_is_text_or_hex_and_names_the_maker() -> None:
    with Meter() as driver:
        identity = driver.identity()
    assert identity.serial == "00018438"
    assert identity.logical_device_name == "LGZ00018438"
    assert identity.manufacturer == "LGZ"
    assert identity.firmware == "M26"


def test_the_serial_comes_from_the_device_name_where_the_type_says_no_other() -> None:
    codes = replace(load_meter_type("generic-dlms").identity, serial="")
    with Meter(identity=codes) as driver:
        assert driver.identity().serial == "00018438"


def test_registers_have_their_unit_and_all_digits() -> None:
    with Meter() as driver:
        energy, voltage = driver.registers()
    assert (str(energy.value), energy.unit, energy.obis) == ("61561.289", "kWh", "1-0:1.8.0.255")
    assert (str(voltage.value), voltage.unit) == ("230.1", "V")
    assert energy.name == "Active energy import"


def test_a_denied_or_missing_register_does_not_stop_the_others() -> None:
    meter = Meter()
    meter.driver.meter_type = replace(
        meter.driver.meter_type,
        registers=tuple(map(RegisterType, ("1-0:2.8.0.255", "1-0:3.8.0.255", "1-0:1.8.0.255"))),
    )
    with meter as driver:
        assert [reading.obis for reading in driver.registers()] == ["1-0:1.8.0.255"]
    assert "read-write denied" in driver.statistics.remarks[0]
    assert "object undefined" in driver.statistics.remarks[1]


def test_a_maximum_brings_its_time() -> None:
    with Meter() as driver:
        maximum = driver.object("1-0:1.6.0.255")
        (reading,) = [driver._objects.register("1-0:1.6.0.255")]
    assert (str(maximum.value), maximum.unit) == ("4.200", "kW")
    assert reading.time == NOW


def test_a_busy_meter_is_asked_again() -> None:
    answers = [2, 2, u32(5)]
    found = objects() | {(3, "1.0.1.8.0.255", 2): lambda _: answers.pop(0)}
    with Meter(found) as driver:
        assert driver.object("1.8.0").value == Decimal("0.005")


def test_any_attribute_comes_as_number_or_text() -> None:
    with Meter() as driver:
        assert driver.object("0-0:42.0.0").text == "LGZ00018438"
        assert driver.object("0-0:96.1.0.255", 1).text == "00 01 84 38"
        assert driver.object(PROFILE, 7, 4).value == 900


def test_what_is_no_obis_code_is_told() -> None:
    with Meter() as driver, pytest.raises(NotSupported):
        driver.object("nonsense")


def test_the_relay_tells_output_state_and_mode() -> None:
    with Meter() as driver:
        relay = driver.relay()
    assert (relay.output, relay.state, relay.mode) == (True, "connected", 4)


def test_a_meter_without_a_relay_says_so() -> None:
    with Meter({}) as driver, pytest.raises(NotSupported):
        driver.relay()


# --- clock --------------------------------------------------------------------------------------


def test_the_clock_is_compared_at_the_middle_of_the_round_trip() -> None:
    found = objects() | {(8, CLOCK, 2): octets(stamp(NOW + timedelta(seconds=60), -60, 0x81))}
    with Meter(found) as driver:
        clock = driver.clock()
    assert clock.meter_time == NOW + timedelta(seconds=60)
    # asked 0.2 s after NOW (the association), read 0.1 s later, and the second is half over
    assert clock.offset == Decimal("60.20")
    assert clock.uncertainty == Decimal("0.60")
    assert clock.status == ("invalid value", "daylight saving active")


def test_a_clock_that_was_set_reads_back() -> None:
    meter = Meter()
    with meter as driver:
        after = driver.set_clock(datetime(2026, 11, 20, 12, 30, tzinfo=UTC))
    assert after.meter_time == datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


def test_a_clock_that_does_not_keep_the_time_is_told() -> None:
    found = objects() | {(8, CLOCK, 2): lambda _: octets(stamp(NOW))}
    meter = Meter(found)
    meter.link._write = lambda key, data: 0  # accepted and forgotten
    with meter as driver, pytest.raises(ValueRefused, match="reads back"):
        driver.set_clock(NOW + timedelta(hours=1))


def test_a_meter_that_refuses_the_time_is_told() -> None:
    meter = Meter()
    meter.link._write = lambda key, data: 12
    with meter as driver, pytest.raises(ValueRefused, match="type unmatched"):
        driver.set_clock(NOW)


def test_a_clock_without_deviation_is_written_without_and_read_in_the_types_zone() -> None:
    found = objects() | {(8, CLOCK, 2): octets(stamp(NOW, None))}
    meter = Meter(found)
    with meter as driver:
        assert driver.clock().meter_time == NOW - timedelta(hours=1)
        driver.set_clock(NOW)
    written = found[(8, CLOCK, 2)]
    assert written[2 + 9 :] == b"\x80\x00\xff"


# --- profiles -----------------------------------------------------------------------------------

START = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
STEP = timedelta(minutes=15)


def profile(rows: list[bytes], **more: object) -> Meter:
    return Meter(objects() | {(7, PROFILE, 2): buffer(rows)}, **more)


def read(meter: Meter, span: Span | None = None) -> list:
    with meter as driver:
        info = driver.profile_info("1-0:99.1.0")
        return [one for block in driver.profile(info, span or Span()) for one in block.rows]


def test_a_profile_tells_columns_period_and_counts() -> None:
    with Meter() as driver:
        info = driver.profile_info()
    assert (info.period_s, info.entries, info.capacity) == (900, 999_999, 35040)
    (column,) = info.columns
    assert (column.obis, column.attribute, column.unit) == ("1-0:1.8.0.255", 2, "kWh")


def test_rows_have_time_status_in_words_and_scaled_values() -> None:
    rows = read(profile([row(START + STEP, 8, 123_456)], block=20))
    assert rows[0].time == START + STEP
    assert (rows[0].status_raw, rows[0].status) == (8, ("daylight saving",))
    assert rows[0].values == (Decimal("123.456"),)


def test_rows_come_with_the_blocks_and_are_not_collected() -> None:
    meter = profile([row(START + n * STEP, 0, n) for n in range(100)], block=300)
    with meter as driver:
        blocks = driver.profile(driver.profile_info(), Span())
        first = next(blocks)
        assert 0 < len(first.rows) < 20
        assert first.expected == 100
        assert sum(len(block.rows) for block in blocks) + len(first.rows) == 100


def test_null_data_repeats_the_row_before_and_the_clock_goes_on_by_the_period() -> None:
    rows = read(profile([row(START, 8, 1), row(None, None, 2), row(None, 0, 3)]))
    assert [one.time for one in rows] == [START, START + STEP, START + 2 * STEP]
    assert [one.reconstructed for one in rows] == [False, True, True]
    assert [one.status_raw for one in rows] == [8, 8, 0]


def test_null_data_can_mean_no_value() -> None:
    types = (ProfileType("1-0:99.1.0.255", null_is_previous=False),)
    rows = read(profile([row(START, 8, 1), row(START + STEP, None, 2)], profiles=types))
    assert [one.status_raw for one in rows] == [8, None]


def test_a_first_row_without_a_time_is_skipped_and_told() -> None:
    meter = profile([row(None, 0, 1), row(START, 0, 2)])
    assert len(read(meter)) == 1
    assert "1 rows without a time were skipped" in meter.driver.statistics.remarks


def test_the_repeated_hour_stays_two_rows() -> None:
    def at(moment: datetime, deviation: int) -> bytes:
        return b"\x02\x03" + octets(stamp(moment, deviation)) + b"\x11\x00" + u32(1)

    rows = read(profile([at(START, -120), at(START + timedelta(hours=1), -60)]))
    assert [one.time for one in rows] == [START, START + timedelta(hours=1)]


def test_differences_are_added_up() -> None:
    rows = [row(START, 0, 100), *[b"\x02\x03\x00\x00\x1c\x05"] * 3]
    assert [one.values[0] for one in read(profile(rows))] == [
        Decimal("0.100"), Decimal("0.105"), Decimal("0.110"), Decimal("0.115"),
    ]  # fmt: skip


def test_good_rows_come_before_a_wrong_count_is_told() -> None:
    found = objects() | {(7, PROFILE, 2): b"\x01\x05" + row(START, 0, 1)}
    with Meter(found) as driver:
        blocks = driver.profile(driver.profile_info(), Span())
        assert len(next(blocks).rows) == 1
        with pytest.raises(GarbledReply, match="1 of 5 rows are good"):
            next(blocks)


def test_a_skipped_block_is_told() -> None:
    meter = profile([row(START + n * STEP, 0, n) for n in range(30)], block=200)
    original = meter.link._block
    meter.link._block = lambda invoke, number: original(invoke, number + (number > 1))
    with meter as driver, pytest.raises(GarbledReply, match="block 3 came in place of block 2"):
        list(driver.profile(driver.profile_info(), Span()))


def sent_selector(meter: Meter) -> bytes:
    (request,) = [
        apdu for apdu in meter.link.heard if apdu[:2] == b"\xc0\x01" and apdu[3:5] == b"\x00\x07"
        and apdu[11] == 2
    ]  # fmt: skip
    return request[12:]


def test_a_range_goes_out_in_the_meters_local_time_with_its_deviation() -> None:
    meter = profile([row(START, 0, 1)])
    read(meter, Span(START, START + STEP))
    selector = sent_selector(meter)
    assert selector[:2] == b"\x01\x01"
    assert octets(bytes.fromhex("07EA0A19FF0100000 0FFC400".replace(" ", ""))) in selector


def test_a_range_can_go_out_without_deviation_and_seconds() -> None:
    meter = profile([row(START, 0, 1)], dlms={"range_deviation": False, "range_seconds": False})
    read(meter, Span(START, START + STEP))
    assert octets(bytes.fromhex("07EA0A19FF0100FF008000FF")) in sent_selector(meter)


def test_rows_a_generous_meter_adds_are_left_out_and_counted() -> None:
    meter = profile([row(START + n * STEP, 0, n) for n in range(10)])
    rows = read(meter, Span(START + 2 * STEP, START + 4 * STEP))
    assert len(rows) == 3
    assert "7 rows outside the range were skipped" in meter.driver.statistics.remarks


def test_a_refused_range_is_read_whole() -> None:
    everything = buffer([row(START + n * STEP, 0, n) for n in range(10)])
    found = objects() | {(7, PROFILE, 2): lambda selector: 250 if selector else everything}
    meter = Meter(found)
    assert len(read(meter, Span(START, START + STEP))) == 2
    assert any("refused the range" in remark for remark in meter.driver.statistics.remarks)


def test_the_last_rows_are_asked_for_by_entry_where_the_type_says_so() -> None:
    types = (ProfileType("1-0:99.1.0.255", selector="entry"),)
    found = objects() | {(7, PROFILE, 7): u32(2160), (7, PROFILE, 2): buffer([row(START, 0, 1)])}
    meter = Meter(found, profiles=types)
    read(meter, Span(last=10))
    assert (
        sent_selector(meter).hex() == "0102" + "0204" + "0600000867" + "0600000000" + "120001120000"
    )


def test_the_last_rows_are_asked_for_by_time_from_the_meters_clock() -> None:
    meter = profile([row(NOW - n * STEP, 0, n) for n in (5, 4, 3, 2, 1)])
    assert len(read(meter, Span(last=4))) == 4
    assert octets(stamp(NOW - 13 * STEP)) in sent_selector(meter)  # and some for power failures


def test_the_last_rows_of_a_meter_without_selectors_are_kept_from_the_whole() -> None:
    types = (ProfileType("1-0:99.1.0.255", selector="none"),)
    rows = [row(START + n * STEP, 0, n) for n in range(10)]
    got = read(profile(rows, profiles=types), Span(last=3))
    assert [one.time for one in got] == [START + n * STEP for n in (7, 8, 9)]


def test_the_last_rows_of_a_range_are_the_newest_of_it_however_the_meter_selects() -> None:
    rows = [row(START + n * STEP, 0, n) for n in range(10)]
    for selector in ("range", "entry", "none"):
        types = (ProfileType("1-0:99.1.0.255", selector=selector),)
        given = Span(START + STEP, START + 6 * STEP, last=3)
        got = read(profile(rows, profiles=types), given)
        assert [one.time for one in got] == [START + n * STEP for n in (4, 5, 6)]
        late = read(profile(rows, profiles=types), Span(START + 8 * STEP, last=3))
        assert [one.time for one in late] == [START + n * STEP for n in (8, 9)]


def test_an_error_in_mid_read_is_followed_by_a_new_request() -> None:
    meter = profile([row(START + n * STEP, 0, n) for n in range(30)], block=200)
    with meter as driver:
        info = driver.profile_info()
        meter.link.special[0xC0] = None
        with pytest.raises(DriverError):
            list(driver.profile(info, Span()))
        meter.link.special.clear()
        assert sum(len(block.rows) for block in driver.profile(info, Span())) == 30


# --- logs ---------------------------------------------------------------------------------------


def log(code: int = 40, table: str = "idis", obis: str = "0-0:99.98.1.255") -> list:
    name = obis.replace("-", ".").replace(":", ".")
    found = objects() | {
        (7, name, 3): captured((8, CLOCK, 2), (1, "0.0.96.11.1.255", 2)),
        (7, name, 2): buffer([b"\x02\x02" + octets(stamp(START)) + b"\x11" + bytes((code,))]),
    }
    with Meter(found, logs=(LogType(obis, events=table),)) as driver:
        return list(driver.events())


def test_an_event_has_time_code_and_words() -> None:
    (event,) = log()
    assert (event.time, event.code, event.text) == (START, "40", "Terminal cover removed")
    assert event.log == "0-0:99.98.1.255"


@pytest.mark.parametrize(
    ("code", "table"), [(40, ""), (29, "idis"), (235, "idis"), (40, "is15959")]
)
def test_an_unknown_code_stays_a_number(code, table) -> None:
    (event,) = log(code, table)
    assert (event.code, event.text) == (str(code), "")


def test_a_type_without_logs_says_so() -> None:
    with Meter(logs=()) as driver, pytest.raises(NotSupported):
        list(driver.events())
