"""Counters of ciphered meters survive the program and never go back."""

import pytest

from app.errors import BadInput
from app.services.counters import FileCounters


def test_a_counter_is_there_for_the_next_program(tmp_path) -> None:
    FileCounters(tmp_path / "new").keep("1/0", "abc", 41)
    assert FileCounters(tmp_path / "new").latest("1/0", "abc") == 41
    assert FileCounters(tmp_path / "new").latest("1/0", "other") == -1


def test_a_lower_counter_changes_nothing(tmp_path) -> None:
    counters = FileCounters(tmp_path)
    counters.keep("1/0", "abc", 41)
    counters.keep("1/0", "abc", 7)
    assert counters.latest("1/0", "abc") == 41


def test_a_key_that_two_meters_share_sees_no_counter_twice(tmp_path) -> None:
    counters = FileCounters(tmp_path)
    counters.keep("1/17", "abc", 41)
    counters.keep("1/18", "abc", 90)
    assert counters.latest("1/17", "abc") == 90


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '{"a": {"b": "x"}}'])
def test_a_damaged_file_is_told_and_not_taken_for_zero(tmp_path, text) -> None:
    (tmp_path / "counters.json").write_text(text)
    with pytest.raises(BadInput, match="cannot be read"):
        FileCounters(tmp_path).latest("1/0", "abc")
