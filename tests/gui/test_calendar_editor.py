"""A calendar is changed in the window, row by row: by keyboard, checked, undone, compared."""

import json

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from app.services.calendar_draft import Part, Row
from app.views import files
from app.views.activation_sheet import ActivationSheet
from app.views.calendar_page import DIFFERENCES, IN_FORCE
from drivers.calendar import SwitchingPoint
from tests.gui.patience import PATIENCE
from tests.gui.test_accessible import unnamed
from tests.gui.test_calendar_page import desk, editing, opened, page, show, station, table_file
from tests.gui.test_objects_page import words_of

__all__ = ["desk", "editing", "page", "show", "station"]


def press(key, text="", modifier=Qt.KeyboardModifier.NoModifier):
    """Press a key where the focus is, then type."""
    widget = QApplication.focusWidget()
    QTest.keyClick(widget, key, modifier)
    if text:
        QTest.keyClicks(QApplication.focusWidget(), text)


def told(page):
    return page.editor.summary


def test_a_tariff_is_made_by_keyboard_alone(page, desk, qtbot, monkeypatch, tmp_path):
    """From the meter's table to a peak rate in summer, a file, and the question of when."""
    assert page.edit.hasFocus(), "after the read, work goes on with the table"
    press(Qt.Key.Key_Space)
    tables = page.editor.tables
    assert tables[Part.SEASONS].table.hasFocus()
    press(Qt.Key.Key_Insert)  # a second season
    press(Qt.Key.Key_A, "", Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(QApplication.focusWidget(), "SUM")
    press(Qt.Key.Key_Tab, "04-01")
    assert page.session.draft.table.seasons[1].start == "04-01"
    press(Qt.Key.Key_Return)
    assert tables[Part.SEASONS].table.hasFocus()
    walk_to(tables[Part.DAYS].table)
    press(Qt.Key.Key_Return)
    assert QApplication.focusWidget().accessibleName() == "Number"
    press(Qt.Key.Key_Escape)
    walk_to(tables[Part.POINTS].table)
    press(Qt.Key.Key_Insert)  # a third switching point, an hour after the last
    assert QApplication.focusWidget().text() == "23:00"
    press(Qt.Key.Key_A, "17:00", Qt.KeyboardModifier.ControlModifier)
    press(Qt.Key.Key_Tab)
    press(Qt.Key.Key_Up)
    press(Qt.Key.Key_Up)
    press(Qt.Key.Key_Return)
    assert page.session.draft.table.days[0].points == (
        SwitchingPoint("06:00", 1),
        SwitchingPoint("17:00", 3),
        SwitchingPoint("22:00", 2),
    ), "put in the order of time when the row was left"
    target = tmp_path / "SUMMER"
    monkeypatch.setattr(files, "ask_save", lambda *_: target)
    press(Qt.Key.Key_S, "", Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not page.session.unsaved, timeout=PATIENCE)
    assert json.loads(target.with_suffix(".json").read_text())["calendar"]["name"] == "TOU-1"
    for _ in range(9):
        press(Qt.Key.Key_Z, "", Qt.KeyboardModifier.ControlModifier)
    assert page.session.draft.table == page.session.reading.active
    assert page.session.unsaved


def test_tab_goes_from_the_tables_to_the_fields_and_on_to_the_question(editing):
    editing.editor._go_to(Row(Part.DAYS, 0))
    walk_to(editing.editor.tables[Part.SPECIAL].table)
    press(Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is editing.moment, "no special day, so no fields"
    editing.editor.add(Part.SPECIAL)
    names = []
    for _ in range(4):
        names.append(QApplication.focusWidget().accessibleName())
        press(Qt.Key.Key_Tab)
    assert names[:3] == ["Date (* for every)", "Day table", "Number"]
    assert names[3].startswith("Date and time")


def walk_to(widget):
    """Go on with Tab, as who has no mouse does."""
    for _ in range(40):
        press(Qt.Key.Key_Tab)
        if widget.hasFocus():
            return
    raise AssertionError("Tab never came there")


def test_a_row_is_followed_to_what_it_uses(page, tmp_path, qtbot):
    opened(page, table_file(tmp_path), qtbot)
    rows = page.session.rows
    page.editor.tables[Part.SEASONS].table.selectRow(1)
    assert rows[Part.WEEKS] == 1, "the summer has the second week"
    page.editor.tables[Part.SPECIAL].table.setFocus()
    assert rows[Part.DAYS] == 1, "the special day has the second day table"
    assert page.editor.tables[Part.POINTS].title.text() == "Day table 2"
    assert "Special day *-12-25" in words_of(page.editor.form)


def test_what_is_wrong_is_said_while_it_is_typed_and_nothing_is_written(editing, qtbot):
    page = editing
    page.editor.add(Part.SPECIAL)
    date = next(one for one in page.editor.form.findChildren(QLineEdit))
    date.selectAll()
    QTest.keyClicks(date, "*-02-30")
    assert "There is no *-02-30: that month is shorter." in words_of(page.editor.form)
    assert "1 to put right before it can be written" in told(page)
    assert not page.write.isEnabled()
    page.ask_to_write()
    assert page.findChildren(ActivationSheet) == []
    QTest.keyClick(date, Qt.Key.Key_Backspace)
    QTest.keyClicks(date, "1")
    assert page.session.draft.special_days[0].date == "*-02-31"
    date.selectAll()
    QTest.keyClicks(date, "*-05-01")
    assert page.write.isEnabled()
    assert list(unnamed(page)) == []


def test_more_than_the_meter_holds_is_said_before_anything_is_written(editing):
    for _ in range(4):
        editing.editor.add(Part.SEASONS)
    assert "5 seasons, but this meter holds 4: remove 1." in words_of(editing)
    assert editing.editor.tables[Part.SEASONS].room.text() == "5 of 4"
    assert not editing.write.isEnabled()
    QTest.keyClick(editing.editor.tables[Part.SEASONS].table, Qt.Key.Key_Delete)
    assert editing.write.isEnabled()


def test_a_number_that_is_none_yet_changes_nothing_and_is_said(editing):
    editing.editor._go_to(Row(Part.POINTS, 0, 0))
    editing.editor.form.focus_first()
    press(Qt.Key.Key_Tab)
    press(Qt.Key.Key_A, "x", Qt.KeyboardModifier.ControlModifier)
    assert "Rate: x is no number." in words_of(editing.editor.form)
    assert editing.session.draft.table.days[0].points[0].script == 1
    press(Qt.Key.Key_Backspace, "4")
    assert editing.session.draft.table.days[0].points[0].script == 4
    assert "is no number" not in words_of(editing.editor.form)


def test_the_next_problem_is_one_key_away(editing):
    editing.editor.add(Part.WEEKS)
    editing.editor._go_to(Row(Part.SEASONS, 0))
    QTest.keyClick(editing, Qt.Key.Key_F4)
    assert editing.editor.tables[Part.WEEKS].table.hasFocus()
    QTest.keyClick(editing, Qt.Key.Key_F4)
    assert "It begins at 06:00" in words_of(editing.editor.form)
    QTest.keyClick(editing, Qt.Key.Key_F4)
    assert editing.editor.tables[Part.WEEKS].table.hasFocus(), "and round again"


def test_the_time_it_comes_into_force_is_part_of_the_draft(editing):
    field = editing.editor.fields.start
    field.setFocus()
    QTest.keyClicks(field, "next year")
    assert "type date and time like" in told(editing)
    assert not editing.write.isEnabled()
    field.selectAll()
    QTest.keyClicks(field, "2099-01-01 00:00")
    assert editing.session.draft.activation is not None
    editing.write.click()
    assert editing.findChildren(ActivationSheet)[-1].time.text() == "2099-01-01 00:00"


def test_the_draft_is_asked_for_a_rate_while_it_is_changed(editing):
    editing.moment.setText("2026-12-24 07:30")
    editing.session.change(
        lambda draft: draft.__class__(
            draft.table.__class__("X", (), draft.table.weeks, draft.table.days)
        )
    )
    assert editing.rate.text() == "This table gives no rate then."
    editing.session.undo()
    assert editing.rate.text().startswith("Rate 1, since 06:00.")


def test_what_differs_from_the_meter_is_listed_and_goes_to_a_spreadsheet(
    page, tmp_path, qtbot, monkeypatch
):
    opened(page, table_file(tmp_path), qtbot)
    page.turn(DIFFERENCES)
    assert "9 lines differ from the table in force." in words_of(page)
    page.differ.table.selectRow(0)
    assert page.differ.full.text() == "Name: TOU-1 in the meter, T2-2026 in the draft."
    target = tmp_path / "table"
    monkeypatch.setattr(files, "ask_save", lambda *_: target)
    page.export.click()
    qtbot.waitUntil(target.with_suffix(".csv").exists, timeout=PATIENCE)
    assert "Name,TOU-1,T2-2026,differs" in target.with_suffix(".csv").read_text("utf-8-sig")
    assert list(unnamed(page)) == []
    page.turn(IN_FORCE)
    page.export.click()
    qtbot.waitUntil(
        lambda: "Switching points" in target.with_suffix(".csv").read_text("utf-8-sig"),
        timeout=PATIENCE,
    )


def test_a_new_calendar_replaces_the_draft_and_undo_brings_it_back(editing):
    before = editing.session.draft
    editing.new.click()
    assert editing.editor.fields.name.hasFocus()
    assert told(editing) == "Nothing to put right."
    assert "Not in this calendar: the meter keeps its own." in words_of(editing)
    editing.editor.buttons.undo.click()
    assert editing.session.draft == before


def test_a_file_that_is_none_is_told_and_the_draft_stays(editing, station, tmp_path, qtbot):
    path = tmp_path / "bad.json"
    path.write_text("{")
    before = editing.session.draft
    with qtbot.waitSignal(station.refused, timeout=PATIENCE):
        editing.session.open_file(path)
    assert editing.session.draft == before


def test_the_folder_of_the_last_file_is_proposed_again(page, station, tmp_path, qtbot, monkeypatch):
    asked = []

    def ask(_parent, _title, place, _kinds):
        asked.append(place)

    opened(page, table_file(tmp_path), qtbot)
    qtbot.waitUntil(lambda: page.session.folder() == str(tmp_path), timeout=PATIENCE)
    monkeypatch.setattr(files, "ask_save", ask)
    page.save.click()
    assert asked == [str(tmp_path / "T2.json")]
