"""What people type becomes a value of the type that stands in the meter, or is refused."""

import pytest

from app.services.typed_values import encoded, kind_of, text_of, typed
from drivers.errors import ValueRefused


@pytest.mark.parametrize(
    ("raw", "text", "expected"),
    [
        ("1200FF", "300", "12012C"),
        ("0F01", "-3", "0FFD"),
        ("0301", "off", "0300"),
        ("090401020304", "0A 0B", "09020A0B"),
        ("0A0141", "Oak", "0A034F616B"),
        ("0200", "hex: 0200", "0200"),
        ("0903414243", '"Oak"', "09034F616B"),
        ("0405F8", "10100", "0405A0"),
        ("0C0141", "ä", "0C02C3A4"),
        ("1741480000", "12,5", "1741480000"),
        ("090C07EA0B1C06160D0000FFC480", "2027-01-02 03:04:05", "090C07EB0102FF03040500FFC480"),
    ],
)
def test_the_type_in_the_meter_decides(raw, text, expected):
    assert encoded(bytes.fromhex(raw), text).hex().upper() == expected


@pytest.mark.parametrize(
    ("raw", "text"),
    [("1101", "256"), ("1101", "-1"), ("1101", "x"), ("0301", "maybe"), ("0901FF", "zz"),
     ("0A0141", "ä"), ("0200", "5"), ("0200", "hex: 5"), ("", "5"), ("0A0141", "x" * 128),
     ("0200", "hex:"), ("0405F8", "1010"), ("0405F8", "10102"), ("11FF", "hex: 1101 00"),
     ("090C07EA0B1C06160D0000FFC480", "2027-01-02T03:04:05Z")],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_words(raw, text):
    with pytest.raises(ValueRefused):
        encoded(bytes.fromhex(raw), text)


def test_a_structure_can_only_be_written_encoded():
    assert not kind_of(bytes.fromhex("0200"))
    assert kind_of(bytes.fromhex("1101")) == "a whole number, 0 to 255"


@pytest.mark.parametrize(
    "raw",
    ["1200FF", "0F81", "0301", "0405A0", "090400AABBCC", "0903544F55", "0A0141", "0C02C3A4",
     "1741480000", "020111FF", "090C07EA0B1CFF160D0000FFC480"],
)  # fmt: skip
def test_what_stands_there_can_be_typed_back(raw):
    value = bytes.fromhex(raw)
    assert encoded(value, typed(value)) == value


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("1200FF", "255"),
        ("0FFD", "-3"),
        ("0600002CEC", "11500"),
        ("0300", "off"),
        ("09020A0B", "0A 0B"),
        ("0A034F616B", "Oak"),
        ("0203", ""),
        ("06000E", ""),
        ("090301", ""),
        ("0A01FF", ""),
        ("", ""),
    ],
)
def test_a_value_is_shown_as_it_can_be_typed(raw, text):
    value = bytes.fromhex(raw)
    assert text_of(value) == text
    if text:
        assert encoded(value, text) == value
