"""The calendar in the window: a meter's tables, a draft changed row by row, and its way there."""

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.paths import calendar_draft, calendar_write
from app.services import calendar_keeping, users
from app.services.calendar_draft import Part, Row, changed
from app.services.users import SignedIn
from app.views.act_sheet import ActSheet
from app.views.activation_sheet import ActivationSheet
from app.views.calendar_page import WAITING, CalendarPage
from app.views.calendar_reading import special_date
from app.views.calendar_session import CalendarSession
from app.views.day_strip import blocks
from app.views.station import Station
from drivers.calendar import Day, SwitchingPoint
from drivers.dlms.meter import DlmsMeter
from drivers.dlms.session import Session
from drivers.errors import NoReply
from tests.gui.object_desk import SERIAL
from tests.gui.patience import PATIENCE
from tests.gui.test_accessible import unnamed
from tests.gui.test_objects_page import settled, words_of
from tests.gui.test_tools import audit, desk, go_through, show, station
from tests.tour_tools import TABLE

__all__ = ["desk", "show", "station"]


@pytest.fixture
def page(show):
    """The page after the calendar was read."""
    return show(CalendarPage, CalendarSession)


@pytest.fixture
def editing(page, qtbot):
    """The page with a draft that began as the table in force."""
    page.edit.click()
    qtbot.waitUntil(lambda: page.session.limits.seasons == 4, timeout=PATIENCE)
    return page


def table_file(tmp_path, name="T2.json", **changes):
    path = tmp_path / name
    path.write_text(json.dumps({**TABLE, **changes}))
    return path


def opened(page, path, qtbot):
    page.session.open_file(path)
    qtbot.waitUntil(lambda: page.session.path == path, timeout=PATIENCE)


# --- the meter's tables -----------------------------------------------------------------------


def test_the_calendar_is_shown_and_asked_for_a_rate(page, qtbot):
    qtbot.waitUntil(lambda: "TOU-1, meter 46000755036" in words_of(page), timeout=PATIENCE)
    page.moment.setText("2026-12-24 07:30")
    assert page.rate.text().startswith("Rate 1, since 06:00.")
    page.moment.setText("tomorrow")
    assert page.rate.text() == "Type date and time like 2026-12-25 07:30."
    page.turn(WAITING)
    assert "no date set" in words_of(page) or "in force from" in words_of(page)
    assert not page.write.isVisible(), "there is nothing to write yet"
    assert list(unnamed(page)) == []


@pytest.mark.parametrize("later", [False, True])
def test_a_calendar_of_a_file_is_written_and_waits_or_runs(page, desk, tmp_path, qtbot, later):
    opened(page, table_file(tmp_path), qtbot)
    page.write.click()
    ask = page.findChildren(ActivationSheet)[-1]
    assert list(unnamed(ask)) == []
    if later:
        ask.way._group.button(1).click()
        ask.time.setText("2020-01-01 00:00")
        assert not ask.go.isEnabled(), "this time has passed"
        ask.time.setText("2099-01-01 00:00")
    ask.go.click()
    sheet = go_through(page, qtbot)
    told = words_of(sheet)
    assert ("In force TOU-1" in told and "Waiting T2-2026" in told) if later else (
        "In force T2-2026" in told
    )  # fmt: skip
    sheet.go.click()
    assert audit(desk) == ["calendar.writing", "calendar.written"]
    assert not calendar_write(desk.db.folder).exists()


def test_the_consequence_names_what_changes(page, tmp_path, qtbot):
    opened(page, table_file(tmp_path), qtbot)
    page._begin(None)
    sheet = page.findChildren(ActSheet)[-1]
    qtbot.waitUntil(lambda: sheet._step == "form", timeout=PATIENCE)
    assert "brought into force at once" in words_of(sheet)
    assert "Its special days are replaced by 1" in words_of(sheet)
    assert "Other than now: name, season ALL, season WIN" in words_of(sheet)
    sheet.reject()
    settled(page.session, qtbot)


def test_the_strip_begins_with_the_rate_of_the_day_before():
    day = Day(1, (SwitchingPoint("06:00", 1), SwitchingPoint("18:00", 2)))
    assert blocks(day) == [(0.0, 0.25, 0), (0.25, 0.75, 1), (0.75, 1.0, 2)]
    assert blocks(Day(1, ())) == [(0.0, 1.0, 0)]


def test_the_strip_of_a_half_typed_day_shows_what_is_whole():
    day = Day(1, (SwitchingPoint("18:00", 2), SwitchingPoint("6", 3), SwitchingPoint("00:00", 1)))
    assert blocks(day) == [(0.0, 0.75, 1), (0.75, 1.0, 2)]


def test_a_special_day_is_told_in_words():
    assert special_date("*-12-25") == "12-25 every year"
    assert special_date("2026-12-25") == "2026-12-25"
    assert special_date("2026-*-13") == "2026-13 every month"


# --- what is never lost -----------------------------------------------------------------------


def test_what_was_typed_last_is_kept_when_the_window_closes(desk, qapp):
    station = Station(desk)
    session = CalendarSession(station)
    session.begin_new()
    for name in ("T", "T2", "T2-2027"):
        session.change(lambda draft, name=name: changed(draft, Row(Part.CALENDAR), name=name), "n")
    station.close()
    assert calendar_keeping.kept_draft(desk.db.folder).draft == session.draft
    assert session.draft.table.name == "T2-2027"


def test_the_draft_of_before_opens_with_the_page(desk, station, look, qtbot, tmp_path):
    first = CalendarSession(station)
    first.begin_new()
    qtbot.waitUntil(calendar_draft(desk.db.folder).exists, timeout=PATIENCE)
    page = CalendarPage(look, CalendarSession(station))
    qtbot.addWidget(page)
    page.resize(1260, 700)
    page.show()
    page.opened()
    qtbot.waitUntil(page.editor.isVisible, timeout=PATIENCE)
    assert "From new: not saved to a file." in words_of(page)
    assert page.write.isVisible()


def test_an_error_stands_in_the_place_of_the_calendar_until_it_is_left(page, desk, qtbot):
    page.edit.click()
    desk.broken = NoReply(2.0)
    page.go.click()
    settled(page.session, qtbot)
    qtbot.waitUntil(lambda: "The meter does not answer" in words_of(page), timeout=PATIENCE)
    assert not page.editor.isVisible()
    assert list(unnamed(page)) == []
    QTest.keyClick(page, Qt.Key.Key_Escape)
    assert page.editor.isVisible()
    assert "does not answer" not in words_of(page)


def test_a_full_disk_is_said_and_the_work_goes_on(editing, qtbot, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(calendar_keeping, "write_atomically", full)
    editing.editor.add(Part.WEEKS)
    qtbot.waitUntil(lambda: "Not kept on this laptop" in words_of(editing), timeout=PATIENCE)
    monkeypatch.undo()
    editing.editor.add(Part.WEEKS)
    qtbot.waitUntil(lambda: "Not kept on this laptop" not in words_of(editing), timeout=PATIENCE)


def test_a_cable_pulled_in_the_middle_leaves_word_of_what_stands_in_the_meter(
    page, desk, tmp_path, qtbot, monkeypatch
):
    opened(page, table_file(tmp_path), qtbot)
    write, sent = Session.set, []

    def pulled(session, attribute, value, what):
        if len(sent) == 2:
            raise NoReply(2.0)
        assert calendar_write(desk.db.folder).exists(), "remembered before the first byte"
        sent.append(attribute)
        return write(session, attribute, value, what)

    monkeypatch.setattr(Session, "set", pulled)
    page._begin(None)
    sheet = go_through(page, qtbot)
    assert sheet._step == "failed"
    sheet.go.click()
    monkeypatch.undo()
    qtbot.waitUntil(lambda: "nobody knows how far it came" in words_of(page), timeout=PATIENCE)
    assert not page.seen.isVisible(), "the meter has not been read since"
    page.go.click()
    settled(page.session, qtbot)
    qtbot.waitUntil(
        lambda: "name, seasons are new, weeks, days, special days are not" in words_of(page),
        timeout=PATIENCE,
    )
    assert "TOU-1 is in force" in words_of(page)
    assert list(unnamed(page)) == []
    page.seen.click()
    qtbot.waitUntil(lambda: not calendar_write(desk.db.folder).exists(), timeout=PATIENCE)
    assert not page.seen.isVisible()


def test_a_program_that_was_killed_in_the_middle_says_so_at_its_next_start(
    show, desk, tmp_path, qtbot, monkeypatch
):
    wanted = TABLE | {"activation": None}
    memory = {"meter": SERIAL, "before": "TOU-1", "since": "2026-01-01T00:00:00Z", "wanted": wanted}
    calendar_write(desk.db.folder).write_text(json.dumps(memory))
    page = show(CalendarPage, CalendarSession)
    qtbot.waitUntil(
        lambda: "Nothing of T2-2026 stands in the meter" in words_of(page), timeout=PATIENCE
    )
    page.again.click()
    assert page.session.draft.table.name == "T2-2026"
    page._begin(None)
    go_through(page, qtbot).go.click()
    qtbot.waitUntil(lambda: not page.again.isVisible(), timeout=PATIENCE)


def test_stop_in_the_middle_is_no_success(page, desk, tmp_path, qtbot, monkeypatch):
    opened(page, table_file(tmp_path), qtbot)
    begun = DlmsMeter.write_calendar

    def stopping(meter, *given):
        page.session.runner.cancel()
        return begun(meter, *given)

    monkeypatch.setattr(DlmsMeter, "write_calendar", stopping)
    page._begin(None)
    sheet = page.findChildren(ActSheet)[-1]
    qtbot.waitUntil(lambda: sheet._step == "form", timeout=PATIENCE)
    sheet.reason.setText("Tariff of January")
    sheet.go.click()
    qtbot.waitUntil(lambda: sheet._step == "confirm", timeout=PATIENCE)
    sheet.digits.setText(SERIAL[-4:])
    sheet.go.click()
    settled(page.session, qtbot)
    assert audit(desk)[-1] != "calendar.written"
    assert calendar_write(desk.db.folder).exists()


def test_a_role_that_may_not_write_can_work_on_a_draft_but_sees_no_button(editing, desk):
    desk.db.actor = SignedIn("eve", users.VERIFIER)
    editing.opened()
    assert not editing.write.isVisible()
    editing.editor.add(Part.WEEKS)
    assert len(editing.session.draft.table.weeks) == 2
