"""Parameters of a meter beside those of a file: same, different, only on one side."""

from dataclasses import replace

from app.services.parameter_lines import Line, State, compared, differing, value_words
from app.services.parameters import Parameter

LIMIT = Parameter("0-0:17.0.0.255", 71, 4, "06000035E8")
TIME = Parameter("0-0:17.0.0.255", 71, 6, "060000003C")
ALARM = Parameter("0-0:97.98.0.255", 1, 2, "0600000000")


def test_each_side_has_its_place_and_the_order_is_the_meters():
    file = (ALARM, replace(LIMIT, raw="060000" + "23f0"))
    lines = compared((LIMIT, TIME), file)
    assert [line.state for line in lines] == [
        State.DIFFERS,
        State.NOT_IN_FILE,
        State.NOT_IN_METER,
    ]
    (line,) = differing(lines)
    assert (line.words(line.meter), line.words(line.file)) == ("13800", "9200")
    assert (line.title, line.name) == ("Limiter threshold", "Normal threshold")
    assert line.wanted == replace(LIMIT, raw="06000023F0")


def test_small_letters_are_no_difference():
    lines = compared((LIMIT,), (replace(LIMIT, raw=LIMIT.raw.lower()),))
    assert [line.state for line in lines] == [State.SAME]


def test_a_structure_is_told_in_short_and_rubbish_as_it_is():
    assert value_words(71, 11, "0202" + "0202090600000A006AFF120001" * 2).startswith("2 parts: ")
    assert value_words(71, 4, "FFFF") == "FFFF"
    assert value_words(71, 4, "") == ""
    assert Line("x", 1, 2).state is State.NOT_IN_METER
