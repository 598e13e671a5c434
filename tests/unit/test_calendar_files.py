"""Calendars in files: read strictly, kept whole, and what a broken write left in the meter."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app import paths
from app.errors import BadInput, NoRoom
from app.services import calendar_interrupted, calendar_keeping
from app.services.calendar_draft import Draft, new_draft
from app.services.calendar_files import draft_shape, load_calendar, load_draft
from app.services.calendar_interrupted import Interrupted, Outcome, begin, end, finding, told
from app.services.calendar_keeping import Kept, keep, kept_draft, save_draft
from drivers.calendar import (
    Calendar,
    CalendarReading,
    Day,
    Season,
    SpecialDay,
    SwitchingPoint,
    Week,
)

OLD = Calendar(
    "T1", (Season("S", "01-01", "W"),), (Week("W", (1,) * 7),),
    (Day(1, (SwitchingPoint("00:00", 1),)),),
)  # fmt: skip
NEW = replace(OLD, name="T2", days=(Day(1, (SwitchingPoint("00:00", 2),)),))
SINCE = datetime(2026, 11, 29, 10, tzinfo=UTC)
WANTED = Draft(NEW, (SpecialDay(1, "*-12-25", 1),), SINCE + timedelta(days=3))


# --- files ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "draft",
    [WANTED, new_draft(), Draft(OLD, ()), Draft(OLD, None, SINCE)],
)
def test_a_draft_that_was_saved_is_what_calendar_write_takes(draft, tmp_path):
    path = tmp_path / "T2.json"
    save_draft(path, draft)
    assert load_draft(path) == draft
    assert load_calendar(path) == (draft.table, draft.special_days, draft.activation)


def test_half_typed_rows_come_back_as_they_were(tmp_path):
    typed = replace(NEW, seasons=(Season("", "13-", "gone"),), weeks=(Week("W", (9,)),))
    save_draft(tmp_path / "T2.json", Draft(typed))
    assert load_draft(tmp_path / "T2.json").table == typed
    with pytest.raises(BadInput, match=r"T2\.json: season  wants week gone|form MM-DD"):
        load_calendar(tmp_path / "T2.json")


EMPTY = {"name": "T", "seasons": [], "weeks": [], "days": []}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"calendar": {"name": "T"}}',
        *(
            json.dumps({"calendar": {**EMPTY, **changes}})
            for changes in (
                {"seasons": {}},
                {"name": None},
                {"seasons": [{"name": "S", "start": [], "week": "W"}]},
                {"weeks": [{"name": "W", "days": [1.5]}]},
                {"days": [{"number": True, "points": []}]},
            )
        ),
        json.dumps({"calendar": EMPTY, "activation": "soon"}),
        json.dumps({"calendar": EMPTY, "special_days": 5}),
    ],
)
def test_a_file_that_is_no_calendar_is_told(text, tmp_path):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=r"bad\.json"):
        load_draft(path)


def test_a_file_that_is_too_large_or_has_too_many_rows_is_told(tmp_path):
    path = tmp_path / "huge.json"
    path.write_bytes(b" " * 2_000_001)
    with pytest.raises(BadInput, match="larger than"):
        load_draft(path)
    shape = draft_shape(WANTED)
    shape["special_days"] *= 1001
    path.write_text(json.dumps(shape))
    with pytest.raises(BadInput, match="1001 rows"):
        load_draft(path)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        load_draft(tmp_path / "nothing.json")


# --- the draft on the laptop ------------------------------------------------------------------


def test_a_draft_is_there_again_with_its_file_and_what_stood_in_it(tmp_path):
    assert kept_draft(tmp_path) is None
    kept = Kept(WANTED, tmp_path / "T2.json", Draft(OLD), "file T2.json")
    keep(tmp_path, kept)
    assert kept_draft(tmp_path) == kept


@pytest.mark.parametrize("text", ["{", "[]", '{"draft": 3}', '{"draft": {"calendar": {}}}'])
def test_a_damaged_draft_is_set_aside_and_told_once(text, tmp_path):
    paths.calendar_draft(tmp_path).write_text(text)
    with pytest.raises(BadInput, match="damaged"):
        kept_draft(tmp_path)
    assert kept_draft(tmp_path) is None
    assert (tmp_path / "calendar-draft.damaged.json").read_text() == text


def test_a_full_disk_leaves_the_draft_of_before(tmp_path, monkeypatch):
    keep(tmp_path, Kept(WANTED))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(calendar_keeping, "write_atomically", full)
    with pytest.raises(NoRoom):
        keep(tmp_path, Kept(new_draft()))
    assert kept_draft(tmp_path) == Kept(WANTED)


# --- a write that broke -----------------------------------------------------------------------


def broken() -> Interrupted:
    return Interrupted("46000755036", WANTED, "T1", SINCE)


def test_a_write_is_remembered_from_before_its_first_byte_until_its_end(tmp_path):
    begin(tmp_path, broken())
    assert calendar_interrupted.interrupted(tmp_path) == broken()
    end(tmp_path)
    end(tmp_path)
    assert calendar_interrupted.interrupted(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{}", '{"since": 4}'])
def test_what_is_no_memory_of_a_write_is_none(text, tmp_path):
    paths.calendar_write(tmp_path).write_text(text)
    assert calendar_interrupted.interrupted(tmp_path) is None


@pytest.mark.parametrize(
    ("reading", "outcome", "words"),
    [
        (CalendarReading(NEW, NEW, None, WANTED.special_days), Outcome.IN_FORCE, "nothing to do"),
        (CalendarReading(OLD, NEW, WANTED.activation, WANTED.special_days), Outcome.WAITING,
         "T1 is in force"),
        (CalendarReading(OLD, NEW, None, WANTED.special_days), Outcome.NOT_SET, "Write it again"),
        (CalendarReading(OLD, NEW, None), Outcome.IN_PART, "special days are not"),
        (CalendarReading(OLD, replace(OLD, name="T2"), None), Outcome.IN_PART,
         "name, seasons, weeks are new, days, special days are not"),
        (CalendarReading(OLD, replace(OLD, name="T2"), SINCE + timedelta(days=1)), Outcome.IN_PART,
         "before then"),
        (CalendarReading(OLD, Calendar("", (), (), ()), None), Outcome.NOTHING, "Nothing of T2"),
    ],
)  # fmt: skip
def test_what_stands_in_the_meter_is_said(reading, outcome, words):
    found = finding(broken(), reading)
    assert found.outcome is outcome
    assert words in told(broken(), found, reading)
