"""Serials in a normal form: what is the same device, and what only looks like it."""

import pytest

from app.workorders.serials import any_same, normal_forms, same_serial


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12345678903", "12345678903"),
        ("00018438", "18438"),
        ("(8004)12345678903", "12345678903"),
        ("800412345678903", "12345678903"),
        ("]C1800412345678903", "(8004)12345678903"),
        ("(01)05412345000013(21)00018438", "18438"),
        (" lgz 000-18438 ", "LGZ00018438"),
    ],
)
def test_the_same_device_in_two_spellings(one, other):
    assert same_serial(one, other)
    assert same_serial(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("", ""),
        ("   ", "0"),
        ("12345678903", "12345678904"),
        ("12345678903", "2345678903"),
        ("80041234", "1234"),  # too short to be an identifier and a serial
        ("18438", "LGZ18438"),
        ("(8004)8004123456", "123456"),
    ],
)
def test_what_only_looks_alike_is_another_device(one, other):
    assert not same_serial(one, other)


def test_a_serial_of_zeros_is_still_one():
    assert normal_forms("0000") == {"0"}


def test_one_common_device_among_several_names_is_enough():
    assert any_same(("", "ABC"), ("abc", "9"))
    assert not any_same((), ("1",))
