import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import obis


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("1-0:1.8.0.255", "1-0:1.8.0.255"),
        ("1-0:1.8.0*255", "1-0:1.8.0.255"),
        ("1.0.1.8.0.255", "1-0:1.8.0.255"),
        ("1-0:1.8.0", "1-0:1.8.0.255"),
        ("1.8.0", "1-0:1.8.0.255"),
        (" 1.8.0 ", "1-0:1.8.0.255"),
        ("31.7", "1-0:31.7.0.255"),
        ("1.8.0*15", "1-0:1.8.0.15"),
        ("0.1.0&12", "1-0:0.1.0.12"),
        ("2.35.0.01", "1-0:2.35.0.1"),
        ("C.7.1", "0-0:96.7.1.255"),
        ("0-0:C.1.0*255", "0-0:96.1.0.255"),
        ("F.F", "0-0:97.97.0.255"),
        ("F.F.1", "0-0:97.97.1.255"),
        ("P.01", "1-0:99.1.0.255"),
        ("P.98", "0-0:99.98.0.255"),
        ("96.1.0", "0-0:96.1.0.255"),
        ("0-1:24.2.1", "0-1:24.2.1.255"),
        ("100700FF", "1-0:16.7.0.255"),
    ],
)
def test_every_accepted_spelling_becomes_the_same_written_form(code, written):
    assert obis.parse(code) == written


@pytest.mark.parametrize(
    "code",
    [
        "",
        "VOLTA",
        "30D",
        "0.5.1.2",
        "1.6.0,5",
        "1-0:1.8.256",
        "1-0:1.8.0*999",
        "300.1",
        "1",
        "\u0661.\u0668.\u0660",
    ],
)
def test_a_makers_own_code_has_no_obis_form_and_no_name(code):
    assert obis.parse(code) == ""
    assert obis.name_of(code) == ""


def test_bytes_and_text_say_the_same():
    assert obis.to_bytes("1.8.0") == bytes((1, 0, 1, 8, 0, 255))
    assert obis.from_bytes(bytes((0, 0, 96, 1, 0, 255))) == "0-0:96.1.0.255"


def test_bytes_that_are_no_code_are_refused():
    with pytest.raises(ValueError, match="6 bytes, not 5"):
        obis.from_bytes(b"12345")
    with pytest.raises(ValueError, match="no OBIS code"):
        obis.to_bytes("VOLTA")


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("1-0:1.8.0.255", "Active energy import"),
        ("1.8.1", "Active energy import, tariff 1"),
        ("2.8.0", "Active energy export"),
        ("5.8.0", "Reactive energy quadrant I"),
        ("1.8.0*12", "Active energy import, stored value 12"),
        ("1.6.1", "Maximum of active power import, tariff 1"),
        ("32.7.0", "Voltage L1"),
        ("51.7", "Current L2"),
        ("14.7.0", "Frequency"),
        ("21.7.0", "Active power import L1"),
        ("1-0:1.7.255*255", "Active power import"),
        ("32.7.124", "Voltage L1, total harmonic distortion"),
        ("81.7.15", "Angle of I L2 against U L2"),
        ("1-0:32.32.0", "Voltage sags L1"),
        ("1.29.0", "Active energy import of the interval"),
        ("0-0:1.0.0.255", "Clock"),
        ("0-0:42.0.0.255", "Logical device name"),
        ("F.F", "Error register"),
        ("C.7.1", "Power failures L1"),
        ("0.9.1", "Time"),
        ("0-1:24.2.1", "Sub-meter 1 reading"),
        ("P.01", "Load profile"),
        ("0-0:99.98.2.255", "Event log 2"),
        ("131.7", ""),
    ],
)
def test_names_follow_from_the_meanings_of_the_groups(code, name):
    assert obis.name_of(code) == name


@given(st.binary(min_size=6, max_size=6))
def test_every_six_bytes_survive_the_way_through_text_and_have_a_harmless_name(data):
    written = obis.from_bytes(data)
    assert obis.to_bytes(written) == data
    assert "{" not in obis.name_of(written)


@given(st.text(max_size=20))
def test_no_text_breaks_the_parser(text):
    assert obis.parse(obis.parse(text)) == obis.parse(text)
    obis.name_of(text)
