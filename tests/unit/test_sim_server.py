"""The virtual Hexcell's associations and services, with APDUs written by hand."""

from datetime import UTC, datetime

import pytest

from drivers.simulator import hexcell
from drivers.simulator.dlms import axdr
from tests.unit.sim_talk import AARQ, Association, Hand, aarq_low, framed, hexed

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
SERIAL = "46000755036"
NO_AUTHENTICATION = AARQ.format("04 00")
# class 3, 1-0:1.8.0.255; class 8; class 7, 1-0:99.1.0.255; class 70
ENERGY, CLOCK, PROFILE, RELAY = (
    "00 03 01 00 01 08 00 FF",
    "00 08 00 00 01 00 00 FF",
    "00 07 01 00 63 01 00 FF",
    "00 46 00 00 60 03 0A FF",
)
CLOCK_COLUMN = "02 04 12 00 08 09 06 00 00 01 00 00 FF 0F 02 12 00 00"
ENERGY_COLUMN = "02 04 12 00 03 09 06 01 00 01 08 00 FF 0F 02 12 00 00"


def opened(
    *faults: str, password: bytes = hexcell.PASSWORD, pdu: str = "04 00", rows: int = 100
) -> Association:
    device = hexcell.build(serial=SERIAL, rows=rows, faults=faults, start=START)
    return Association(device, 16, aarq_low(password, pdu))


def get(association: Association, what: str, selection: str = "00") -> bytes:
    return association.ask(f"C0 01 C1 {what} {selection}")


def value(answer: bytes) -> object:
    assert answer[:4] == hexed("C4 01 C1 00"), answer.hex()
    return axdr.value_of(answer[4:]).value


def date_time(text: str, tail: str = "FF FF C4 00") -> str:
    """A date-time of 12 octets; the tail is hundredths, deviation and status."""
    moment = datetime.fromisoformat(text)
    head = moment.year.to_bytes(2, "big") + bytes((moment.month, moment.day, 0xFF))
    return (head + bytes((moment.hour, moment.minute, moment.second))).hex() + tail


def by_range(low: str, high: str, columns: str = "01 00") -> str:
    return f"01 01 02 04 {CLOCK_COLUMN} 09 0C {low} 09 0C {high} {columns}"


def by_entry(first: int, last: int, left: int = 1, right: int = 0) -> str:
    return f"01 02 02 04 06 {first:08X} 06 {last:08X} 12 {left:04X} 12 {right:04X}"


def rows(answer: bytes) -> list[list[object]]:
    listed = value(answer)
    assert isinstance(listed, tuple)
    return [[cell.value for cell in row.members()] for row in listed]


# -- association -------------------------------------------------------------------------------


def test_the_right_password_opens_the_association() -> None:
    expected = (
        "61 36 A1 09 06 07 60 85 74 05 08 01 01 A2 03 02 01 00 A3 05 A1 03 02 01 00"
        "88 02 07 80 89 07 60 85 74 05 08 02 01"
        "BE 10 04 0E 08 00 06 5F 1F 04 00 00 1E 1D 04 00 00 07"
    )
    assert opened().aare == hexed(expected)


@pytest.mark.parametrize(
    ("aarq", "result", "diagnostic"),
    [
        (aarq_low(b"wrong"), 1, 13),
        (hexed(NO_AUTHENTICATION), 1, 14),
        (hexed(NO_AUTHENTICATION.replace("01 01 BE", "01 02 BE")), 1, 2),  # short names
        (aarq_low(hexcell.PASSWORD).replace(hexed("08 02 01 AC"), hexed("08 02 05 AC")), 1, 11),
        (hexed("60 03 A1 09 06"), 1, 1),
        (hexed("60 05 A1 03 06 01 60"), 1, 1),
        (aarq_low(hexcell.PASSWORD) + b"\x00", 1, 1),
    ],
)
def test_a_refused_association_says_why(aarq: bytes, result: int, diagnostic: int) -> None:
    association = Association(hexcell.build(serial=SERIAL, start=START), 16, aarq)
    assert association.aare[13:18] == hexed("A2 03 02 01") + bytes([result])
    assert association.aare[18:25] == hexed("A3 05 A1 03 02 01") + bytes([diagnostic])
    assert get(association, ENERGY + "02") == hexed("D8 01 01")


@pytest.mark.parametrize(
    ("before", "after", "error"),
    [("06 5F 1F", "05 5F 1F", 1), ("00 7E 1F", "00 60 00", 2), ("1F 04 00", "1F 00 0B", 3)],
)
def test_an_association_that_cannot_work_is_refused(before: str, after: str, error: int) -> None:
    aarq = aarq_low(hexcell.PASSWORD)
    place = aarq.rindex(hexed(before))
    aarq = aarq[:place] + hexed(after) + aarq[place + 3 :]
    association = Association(hexcell.build(serial=SERIAL, start=START), 16, aarq)
    assert association.aare[-4:] == bytes((0x0E, 1, 6, error))


def test_an_unknown_client_is_refused() -> None:
    association = Association(hexcell.build(start=START), 5, hexed(NO_AUTHENTICATION))
    assert association.aare[17] == 1


def test_three_wrong_passwords_lock_the_meter_for_a_quarter_of_an_hour() -> None:
    association = opened(password=b"one")
    association.ask(aarq_low(b"two"))
    association.ask(aarq_low(b"three"))
    locked = association.ask(aarq_low(hexcell.PASSWORD))
    assert (locked[17], locked[24]) == (2, 13)  # rejected for now
    association.hand.now += 901
    assert association.ask(aarq_low(hexcell.PASSWORD))[17] == 0
    log = rows(get(association, "00 07 00 00 63 62 01 FF 02"))
    assert log[-1][1] == 46


def test_a_right_password_in_between_starts_the_count_anew() -> None:
    association = opened(password=b"one")
    for password in (b"two", hexcell.PASSWORD, b"three", b"four"):
        association.ask(aarq_low(password))
    assert association.ask(aarq_low(hexcell.PASSWORD))[17] == 0


def test_the_public_client_sees_who_the_meter_is_and_its_clock_only() -> None:
    device = hexcell.build(serial=SERIAL, start=START)
    public = Association(device, hexcell.PUBLIC_CLIENT, NO_AUTHENTICATION)
    assert public.aare[17] == 0
    assert value(get(public, "00 01 00 00 60 01 00 FF 02")) == SERIAL.encode()
    assert get(public, CLOCK + "02")[3] == 0
    assert get(public, ENERGY + "02") == hexed("C4 01 C1 01 04")
    assert get(public, PROFILE + "02") == hexed("C4 01 C1 01 04")
    assert public.ask(f"C1 01 C1 {CLOCK} 02 00 09 0C {date_time('2026-11-20 10:00')}")[3] == 3


def test_a_release_ends_the_association() -> None:
    association = opened()
    assert association.ask("62 03 80 01 00") == hexed("63 03 80 01 00")
    assert get(association, ENERGY + "02") == hexed("D8 01 01")


def test_the_aare_can_come_without_user_information() -> None:
    assert b"\xbe" not in opened("aare-without-user-information").aare


def test_a_wrapper_message_to_another_port_gets_no_answer() -> None:
    device = hexcell.build(serial=SERIAL, start=START)
    assert Association(device, 16, aarq_low(hexcell.PASSWORD), port=2).aare == b""


def test_a_wrapper_message_may_come_in_pieces_and_after_rubbish() -> None:
    hand = Hand(hexcell.build(serial=SERIAL, start=START))
    message = hexed("00 01 00 10 00 01 00 03") + hexed("C0 01 C1")
    assert hand.say("00 02 00 10") == b""
    heard = b"".join(hand.say(message[at : at + 1]) for at in range(len(message)))
    assert heard == hexed("00 01 00 01 00 10 00 03 D8 01 01")


# -- GET ---------------------------------------------------------------------------------------


def test_a_register_is_an_integer_with_scaler_and_unit() -> None:
    association = opened()
    answer = get(association, ENERGY + "02")
    assert answer[:5] == hexed("C4 01 C1 00 06")
    assert get(association, ENERGY + "03") == hexed("C4 01 C1 00 02 02 0F 01 16 1E")
    assert value(get(association, ENERGY + "01")) == hexed("01 00 01 08 00 FF")


@pytest.mark.parametrize(
    ("what", "result"),
    [
        ("00 03 01 00 63 08 00 FF 02", 4),  # no such object
        ("00 01 01 00 01 08 00 FF 02", 9),  # another class
        (ENERGY + "09", 4),  # no such attribute
        (ENERGY + "02 01 02 02 04 06 00000001 06 00000001 12 0001 12 0000", 13),  # no selector
    ],
)
def test_what_is_not_there_is_refused_with_its_reason(what: str, result: int) -> None:
    answer = opened().ask(f"C0 01 C1 {what}" + ("" if "01 02 02" in what else "00"))
    assert answer == hexed("C4 01 C1 01") + bytes([result])


@pytest.mark.parametrize(
    "malformed",
    [
        "C0 01 C1",
        "C0 01 C1 00 03 01 00 01 08 00 FF 02",
        "C0 01 C1 00 03 01 00 01 08 00 FF 02 02",
        "C0 01 C1 00 03 01 00 01 08 00 FF 02 00 00",
        "C0 01 C1 00 07 01 00 63 01 00 FF 02 01 02 02 05 06",
        "C0 01 C1 00 07 01 00 63 01 00 FF 02 01 02 01 84 FF FF FF FF",
        "C1 01 C1 00 08 00 00 01 00 00 FF 02 00 09 0D 00",
    ],
)
def test_a_malformed_request_gets_an_exception_response(malformed: str) -> None:
    assert opened().ask(malformed) == hexed("D8 01 03")


@pytest.mark.parametrize("unknown", ["C0 07 C1", "05 01 02", "C3 03 C1", "0F 00", "C5 01 C1 00"])
def test_a_service_the_meter_lacks_is_told_so(unknown: str) -> None:
    assert opened().ask(unknown) == hexed("D8 02 02")


def test_a_service_that_was_not_agreed_on_is_refused() -> None:
    aarq = aarq_low(hexcell.PASSWORD).replace(hexed("00 7E 1F"), hexed("00 00 10"))  # GET alone
    association = Association(hexcell.build(serial=SERIAL, start=START), 16, aarq)
    assert association.aare[-7:-4] == hexed("00 00 10")
    assert association.ask(f"C3 01 C1 {RELAY} 01 01 0F 00") == hexed("D8 02 02")
    assert get(association, PROFILE + "02", by_entry(1, 2)) == hexed("C4 01 C1 01 0D")
    assert get(association, PROFILE + "02") == hexed("C4 01 C1 01 FA")  # too long without blocks


def test_the_clock_gives_local_time_and_its_deviation() -> None:
    octets = value(get(opened(), CLOCK + "02"))
    assert isinstance(octets, bytes)
    assert octets[:6] == hexed("07 EA 0B 14 05 0B")  # Friday 2026-11-20, 11 h in Lagos
    assert octets[8:] == hexed("FF FF C4 00")  # an hour east: -60


def test_a_list_answers_each_with_its_own_result() -> None:
    wanted = f"{ENERGY} 03 00 00 01 00 00 01 01 01 FF 02 00"
    answer = opened().ask(f"C0 03 C1 02 {wanted}")
    assert answer == hexed("C4 03 C1 02 00 02 02 0F 01 16 1E 01 04")


def test_long_values_come_in_blocks_of_the_agreed_size() -> None:
    association = opened(pdu="00 80")
    whole = value(get(opened(), PROFILE + "02", by_entry(1, 20)))
    answer, raw, number = get(association, PROFILE + "02", by_entry(1, 20)), b"", 1
    while True:
        assert len(answer) <= 128
        assert answer[:3] == hexed("C4 02 C1")
        assert answer[4:9] == number.to_bytes(4, "big") + b"\x00"
        assert answer[9] == len(answer) - 10
        raw += answer[10:]
        if answer[3]:
            break
        answer = association.ask(hexed("C0 02 C1") + number.to_bytes(4, "big"))
        number += 1
    assert axdr.value_of(raw).value == whole
    assert association.ask("C0 02 C1 00 00 00 09") == hexed("C4 02 C1 01 00 00 00 09 01 10")


def test_a_wrong_block_number_ends_the_transfer() -> None:
    association = opened(pdu="00 80")
    get(association, PROFILE + "02")
    assert association.ask("C0 02 C1 00 00 00 05") == hexed("C4 02 C1 01 00 00 00 05 01 13")
    assert association.ask("C0 02 C1 00 00 00 01") == hexed("C4 02 C1 01 00 00 00 01 01 10")


def test_the_object_list_names_every_object_the_client_sees() -> None:
    association = opened(pdu="FF FF")
    listed, answer, number = b"", get(association, "00 0F 00 00 28 00 00 FF 02"), 1
    while answer[1] == 2 and not answer[3]:
        at = 12 if answer[9] == 0x82 else 10
        listed += answer[at:]
        answer = association.ask(hexed("C0 02 C1") + number.to_bytes(4, "big"))
        number += 1
    listed += answer[(12 if answer[9] == 0x82 else 11 if answer[9] == 0x81 else 10) :]
    found = {
        (item.members()[0].value, item.members()[2].octets()): item.members()[3]
        for item in axdr.value_of(listed).members()
    }
    assert (3, hexed("01 00 01 08 00 FF")) in found
    assert (15, hexed("00 00 28 00 00 FF")) in found
    attributes = found[8, hexed("00 00 01 00 00 FF")].members()[0].members()
    assert [item.members()[1].value for item in attributes[:2]] == [1, 3]  # time may be written


# -- profiles ----------------------------------------------------------------------------------


def test_a_range_includes_both_its_ends() -> None:
    answer = get(
        opened(),
        PROFILE + "02",
        by_range(date_time("2026-11-20 09:00"), date_time("2026-11-20 10:30")),
    )
    assert [row[0][5:7] for row in rows(answer)] == [
        b"\x09\x00",
        b"\x09\x1e",
        b"\x0a\x00",
        b"\n\x1e",
    ]


def test_a_range_without_deviation_is_local_time() -> None:
    low, high = (
        date_time("2026-11-20 10:00", "FF 80 00 00"),
        date_time("2026-11-20 10:00", "00 80 00 FF"),
    )
    assert len(rows(get(opened(), PROFILE + "02", by_range(low, high)))) == 1


def test_a_range_outside_is_empty_and_turned_round_too() -> None:
    association = opened()
    old, new = date_time("2020-01-01 00:00"), date_time("2021-01-01 00:00")
    assert rows(get(association, PROFILE + "02", by_range(old, new))) == []
    assert rows(get(association, PROFILE + "02", by_range(new, old))) == []


def test_a_range_gives_the_wanted_columns_only() -> None:
    day = date_time("2026-11-20 10:00")
    answer = get(
        opened(), PROFILE + "02", by_range(day, day, f"01 02 {CLOCK_COLUMN} {ENERGY_COLUMN}")
    )
    assert [len(row) for row in rows(answer)] == [2]


@pytest.mark.parametrize(
    ("selection", "result"),
    [
        (by_range("07EA 02 1E FF 00 00 00 FF FFC4 00", date_time("2026-11-20 10:00")), 12),
        (by_range("FFFF FF FF FF FF FF FF FF 8000 FF", date_time("2026-11-20 10:00")), 12),
        (by_range(date_time("2026-11-20 10:00"), date_time("2026-11-20 10:00")).replace(
            CLOCK_COLUMN, ENERGY_COLUMN), 13),
        (by_entry(0, 1), 12),
        (by_entry(1, 1, right=9), 12),
        ("01 03 00", 250),
        ("01 01 00", 12),
    ],
)  # fmt: skip
def test_a_selector_that_makes_no_sense_is_refused(selection: str, result: int) -> None:
    answer = get(opened(), PROFILE + "02", selection)
    assert answer == hexed("C4 01 C1 01") + bytes([result])


def test_entries_count_from_the_oldest() -> None:
    association = opened(rows=10)
    every = rows(get(association, PROFILE + "02"))
    assert len(every) == 10
    assert rows(get(association, PROFILE + "02", by_entry(1, 3))) == every[:3]
    assert rows(get(association, PROFILE + "02", by_entry(9, 0))) == every[8:]
    assert rows(get(association, PROFILE + "02", by_entry(9, 99))) == every[8:]
    assert rows(get(association, PROFILE + "02", by_entry(11, 20))) == []
    assert rows(get(association, PROFILE + "02", by_entry(2, 2, 1, 2))) == [every[1][:2]]


# -- SET and ACTION ----------------------------------------------------------------------------


def test_the_clock_takes_a_new_time_and_logs_both() -> None:
    association = opened()
    wanted = date_time("2026-11-20 12:00:00")
    assert association.ask(f"C1 01 C1 {CLOCK} 02 00 09 0C {wanted}") == hexed("C5 01 C1 00")
    octets = value(get(association, CLOCK + "02"))
    assert isinstance(octets, bytes)
    assert octets[5:8] == hexed("0C 00 00")
    assert [row[1] for row in rows(get(association, "00 07 00 00 63 62 00 FF 02"))][-2:] == [4, 5]


@pytest.mark.parametrize(
    ("what", "result"),
    [
        (CLOCK + "02 00 06 00000000", 12),
        (CLOCK + "02 00 09 0C 07EA 0D 01 FF 00 00 00 FF FFC4 00", 12),
        (CLOCK + "02 00 09 0B 07EA 0B 01 FF 00 00 00 FF FFC4", 12),
        (CLOCK + "03 00 10 0000", 3),
        (ENERGY + "02 00 06 00000000", 3),
        ("00 03 01 00 63 08 00 FF 02 00 00", 4),
    ],
)
def test_a_write_that_cannot_be_is_refused(what: str, result: int) -> None:
    assert opened().ask(f"C1 01 C1 {what}") == hexed("C5 01 C1") + bytes([result])


def test_a_value_can_be_written_in_blocks() -> None:
    association = opened()
    time = hexed("09 0C" + date_time("2026-11-20 12:00:00"))
    first = f"C1 02 C1 {CLOCK} 02 00 00 00000001 05" + time[:5].hex()
    assert association.ask(first) == hexed("C5 02 C1 00 00 00 01")
    last = "C1 03 C1 01 00000002 09" + time[5:].hex()
    assert association.ask(last) == hexed("C5 03 C1 00 00 00 00 02")
    assert association.ask(last) == hexed("C5 03 C1 12 00 00 00 02")  # none in progress


def test_the_relay_opens_and_closes_and_logs_it() -> None:
    association = opened()
    assert association.ask(f"C3 01 C1 {RELAY} 01 01 0F 00") == hexed("C7 01 C1 00 00")
    assert value(get(association, RELAY + "02")) is False
    assert value(get(association, RELAY + "03")) == 0
    assert value(get(association, "00 03 01 00 1F 07 00 FF 02")) == 0  # no current flows
    assert association.ask(f"C3 01 C1 {RELAY} 02 01 0F 00") == hexed("C7 01 C1 00 00")
    assert value(get(association, RELAY + "02")) is True
    assert [row[1] for row in rows(get(association, "00 07 00 00 63 62 02 FF 02"))] == [62, 63]


@pytest.mark.parametrize(
    ("what", "result"),
    [("03 01 0F 00", 4), ("01 00", 12), ("01 01 11 00", 12), ("01 01 0F 01", 12)],
)
def test_an_action_that_cannot_be_is_refused(what: str, result: int) -> None:
    assert opened().ask(f"C3 01 C1 {RELAY} {what}") == hexed("C7 01 C1") + bytes([result, 0])


# -- faults ------------------------------------------------------------------------------------


def test_a_truncated_structure_announces_more_than_it_holds() -> None:
    answer = get(opened("truncated-structure"), PROFILE + "02", by_entry(1, 1))
    assert answer[4:8] == hexed("01 01 02 05")
    with pytest.raises(axdr.BadData):
        axdr.value_of(answer[4:])


def test_trailing_bytes_follow_a_whole_value() -> None:
    answer = get(opened("trailing-bytes"), ENERGY + "02")
    assert len(answer) == 12


def test_a_profile_announces_more_rows_than_it_sends() -> None:
    assert get(opened("wrong-row-count"), PROFILE + "02", by_entry(1, 1))[5] == 3


def test_entries_in_use_can_be_wrong() -> None:
    assert value(get(opened("wrong-entries-in-use"), PROFILE + "07")) == 1000


def test_selectors_can_be_refused() -> None:
    association = opened("refused-selector")
    assert get(association, PROFILE + "02", by_entry(1, 2)) == hexed("C4 01 C1 01 0D")
    assert get(association, PROFILE + "02")[1] == 2


def test_temporary_failure_passes() -> None:
    association = opened("temporary-failure")
    assert [get(association, ENERGY + "02")[3:5] for _ in range(2)] == [hexed("01 02")] * 2
    assert get(association, ENERGY + "02")[3] == 0


def test_null_data_stands_for_what_follows_from_the_row_before() -> None:
    first, second = rows(get(opened("null-data"), PROFILE + "02", by_entry(1, 2)))
    assert first[0] is not None
    assert second[:2] == [None, None]


def test_blocks_can_be_aborted() -> None:
    association = opened("no-more-blocks", pdu="00 80")
    get(association, PROFILE + "02")
    association.ask("C0 02 C1 00 00 00 01")
    assert association.ask("C0 02 C1 00 00 00 02") == hexed("C4 02 C1 01 00 00 00 03 01 0F")


def test_a_clock_can_be_ten_years_behind_or_twice_there() -> None:
    octets = value(get(opened("clock-off-10-years"), CLOCK + "02"))
    assert isinstance(octets, bytes)
    assert octets[:2] == (2016).to_bytes(2, "big")
    assert len(get(opened("doubled-clock"), CLOCK + "02")) == 4 + 28


def test_a_release_can_stay_unanswered() -> None:
    assert opened("no-release-answer").ask("62 00") == b""


def test_on_hdlc_the_meter_answers_only_to_the_address_made_of_its_serial() -> None:
    hand = Hand(hexcell.build(serial=SERIAL, start=START))
    physical = hexcell.physical_address(SERIAL)
    assert physical == 6036
    own = bytes((0, 1 << 1, physical >> 7 << 1, (physical & 0x7F) << 1 | 1)).hex() + "21"
    other = bytes((0, 1 << 1, physical >> 7 << 1, ((physical & 0x7F) + 1) << 1 | 1)).hex() + "21"
    assert hand.say(framed(other, 0x93)) == b""
    assert hand.say(framed(own, 0x93))[8] == 0x73
