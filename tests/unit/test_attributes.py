"""Attributes have names, meanings and rules; every value finds words, whatever the meter sends."""

import tomllib
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.services.attribute_words import Line, date_time, shown
from app.services.attributes import (
    access_of,
    attributes_of,
    name_of,
    why_not_written,
    words_of,
    worth_reading,
)
from app.services.object_groups import by_class, by_purpose, fits, title_of
from drivers.dlms.data import Bits
from drivers.objectmodel import CLASS_NAMES, ObjectEntry
from resources import resource

KINDS = {"name", "time", "date", "clock", "clock-status", "text", "unit", "secret", "buffer"}


def entry(class_id=3, code="1-0:1.8.0.255", attributes=((1, 1), (2, 1), (3, 1))):
    return ObjectEntry(class_id, 0, code, tuple(attributes))


def test_the_table_of_classes_is_whole():
    data = tomllib.loads(resource("classes", "attributes.toml").read_text(encoding="utf-8"))
    assert set(CLASS_NAMES) - {int(number) for number in data} <= {68}
    for number, listed in data.items():
        last = len(listed["names"]) + 1
        for table in ("kinds", "enums", "bits", "parts", "units"):
            for path in listed.get(table, {}):
                assert 2 <= int(path.split(".")[0]) <= last, f"class {number}: {path}"
        assert set(listed.get("kinds", {}).values()) <= KINDS


def test_attributes_have_names_and_unknown_classes_keep_their_numbers():
    assert name_of(8, 1) == "Logical name"
    assert name_of(8, 5) == "Daylight saving begins"
    assert name_of(8, 40) == "Attribute 40"
    assert name_of(9999, 2) == "Attribute 2"
    assert attributes_of(ObjectEntry(9999, 0, "0-0:1.0.0.255")) == (1, 2)
    assert attributes_of(ObjectEntry(3, 0, "1-0:1.8.0.255")) == (1, 2, 3)
    assert access_of(ObjectEntry(3, 0, "1-0:1.8.0.255"), 2) is None


def test_secrets_buffers_and_denied_attributes_are_not_asked_for():
    association = entry(15, "0-0:40.0.0.255", [(index, 3) for index in range(1, 9)])
    assert not worth_reading(association, 7), "the secret of the association"
    assert not worth_reading(association, 2), "the object list itself"
    assert worth_reading(association, 8)
    assert not worth_reading(entry(attributes=[(1, 1), (2, 0)]), 2)
    assert not worth_reading(entry(115, "0-0:19.40.0.255", [(2, 1)]), 2), "a token"


@pytest.mark.parametrize(
    ("class_id", "attribute", "access", "words"),
    [
        (1, 2, 3, ""),
        (20, 6, 3, ""),
        (1, 1, 3, "never"),
        (1, 2, 1, "association"),
        (1, 2, 0, "association"),
        (8, 2, 3, "delay"),
        (8, 3, 3, ""),
        (70, 4, 3, "of its own"),
        (115, 3, 3, "of its own"),
        (15, 7, 3, "Passwords"),
        (7, 2, 3, "never"),
    ],
)
def test_what_may_be_written_here_and_why_not(class_id, attribute, access, words):
    refused = why_not_written(entry(class_id, attributes=[(attribute, access)]), attribute)
    assert (words in refused) if words else (refused == "")


def test_rights_that_are_not_told_do_not_allow_writing():
    assert "not tell" in why_not_written(ObjectEntry(1, 0, "0-0:96.1.0.255"), 2)


def test_enumerations_bits_and_units_are_put_into_words():
    assert shown(70, 3, 2).meaning == "ready for reconnection"
    assert shown(70, 3, 9).meaning == "", "a number that nobody listed stays a number"
    assert shown(70, 2, value=True).text == "yes"
    assert shown(111, 4, Bits("10100000")).meaning == "in credit, next credit enabled"
    assert shown(111, 4, Bits("0000000001")).meaning == "bit 9"
    assert shown(3, 3, (-1, 35)).meaning == "steps of 0.1 V"
    assert shown(23, 8, 120).text == "120 s"
    assert shown(8, 4, 0x80).meaning == "daylight saving active"
    assert shown(15, 7, b"secret").text == "not shown"
    assert shown(9999, 2, b"\x01\x02").text == "01 02"
    assert shown(1, 2, b"").text == "empty"


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ("07EA0B1C06160D0000FFC480", "2026-11-28 22:13:00"),
        ("FFFF03FE0702000000800000", "last Sunday of March, 02:00:00"),
        ("FFFFFDFD01FFFFFFFF800000", "second last Monday of the month it ends"),
        ("FFFFFFFFFFFFFFFFFF8000FF", "not set"),
        ("FFFFFFFF0500FFFFFF800000", "every Friday of each month, 00:*:*"),
        ("FFFF0101FFFFFFFFFF8000FF", "day 1 of January"),
        ("07EAFF01FFFFFFFFFF8000FF", "day 1 of each month 2026"),
        ("FFFF0A080702000000800000", "Sunday on or after day 8 of October, 02:00:00"),
    ],
)
def test_times_are_said_also_where_they_repeat(octets, words):
    assert date_time(bytes.fromhex(octets)) == words


def test_deviation_and_status_of_a_time_are_told():
    told = shown(8, 2, bytes.fromhex("07EA0B1C06160D0000FFC480"))
    assert told.meaning == "deviation -60 min, daylight saving active"
    told = shown(8, 2, bytes.fromhex("07EA0B1C06160D0000800000"))
    assert told.meaning == "status clear"


def test_structures_are_unfolded_with_the_names_of_their_parts():
    days = [(1, [(b"\x06\x00\x00\x00", bytes.fromhex("00000A0064FF"), 1)])]
    told = shown(20, 5, days)
    assert told.text == "1 entry"
    assert told.lines == (
        Line(0, "1", "Day table 1"),
        Line(1, "1", "From 06:00:00, script table 0-0:10.0.100.255, script 1"),
    )
    columns = [(8, bytes.fromhex("0000010000FF"), 2, 0)]
    assert "code 0-0:1.0.0.255 (Clock)" in shown(7, 3, columns).lines[0].text
    account = shown(111, 2, (2, 2))
    assert [line.text for line in account.lines] == ["2 (prepayment mode)", "2 (active)"]
    nested = shown(113, 5, ((2, 0), (3, bytes.fromhex("0100010800FF"), 2), [(b"", 1)]))
    assert Line(1, "Code", "1-0:1.8.0.255 (Active energy import)") in nested.lines


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.binary(max_size=14)
    | st.text(max_size=6) | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text("01", max_size=40).map(Bits),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([*sorted(CLASS_NAMES), 9999]), st.integers(1, 20), values)
def test_whatever_a_meter_sends_finds_words(class_id, attribute, value):
    told = shown(class_id, attribute, value)
    assert isinstance(told.text, str)
    assert all(line.depth >= 0 for line in told.lines)


def test_a_number_keeps_its_digits():
    assert shown(1, 2, Decimal("1E+3")).text == "1000"
    assert words_of(9999).names == ()


# --- the tree -------------------------------------------------------------------------------


def test_objects_are_sorted_by_what_they_are_for():
    listed = [
        entry(1, "0-0:96.1.0.255"), entry(3, "1-0:1.8.0.255"), entry(7, "1-0:99.1.0.255"),
        entry(3, "1-0:32.7.0.255"), entry(70, "0-0:96.3.10.255"), entry(8193, "0-0:128.0.0.255"),
    ]  # fmt: skip
    titles = [title for title, _ in by_purpose(listed)]
    assert titles == [
        "Energy and volume", "Instantaneous", "Identification", "Profiles and logs",
        "Supply and limits", "Of the maker",
    ]  # fmt: skip


def test_objects_are_sorted_by_class_and_code_and_unknown_classes_stay_numbers():
    listed = [entry(8193, "0-0:128.0.0.255"), entry(3, "1-0:2.8.0.255"), entry(3, "1-0:1.8.0.255")]
    groups = by_class(listed)
    assert [title for title, _ in groups] == ["Register (3)", "Class 8193"]
    assert [one.code for one in groups[0][1]] == ["1-0:1.8.0.255", "1-0:2.8.0.255"]


def test_a_search_looks_at_name_code_and_class():
    one = entry(3, "1-0:1.8.0.255")
    assert fits(one, ["energy", "1.8"])
    assert fits(one, ["register"])
    assert not fits(one, ["voltage"])
    assert title_of(entry(11, "0-0:11.0.0.255")) == "Special days"
    assert title_of(entry(8193, "0-0:128.0.0.255")) == "0-0:128.0.0.255"
