"""What people type becomes a value of the type that stands in the meter, or is refused."""

import pytest

from app.services.typed_values import encoded, kind_of, text_of
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
    ],
)
def test_the_type_in_the_meter_decides(raw, text, expected):
    assert encoded(bytes.fromhex(raw), text).hex().upper() == expected


@pytest.mark.parametrize(
    ("raw", "text"),
    [("1101", "256"), ("1101", "-1"), ("1101", "x"), ("0301", "maybe"), ("0901FF", "zz"),
     ("0A0141", "ä"), ("0200", "5"), ("0200", "hex: 5"), ("", "5"), ("0A0141", "x" * 128),
     ("0200", "hex:")],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_words(raw, text):
    with pytest.raises(ValueRefused):
        encoded(bytes.fromhex(raw), text)


def test_a_structure_can_only_be_written_encoded():
    assert not kind_of(bytes.fromhex("0200"))
    assert kind_of(bytes.fromhex("1101")) == "whole number"


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
