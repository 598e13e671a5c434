"""Writing one attribute: in two steps, on record, read back, and nothing by accident."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from sqlalchemy import select

from app.models.people import Audit
from app.services.object_write import CONFIRM
from app.services.users import VERIFIER, SignedIn
from app.views.write_sheet import WriteSheet
from drivers.dlms.meter import DlmsMeter
from drivers.errors import NoReply
from tests.gui.object_desk import SERIAL
from tests.gui.patience import PATIENCE
from tests.gui.test_accessible import unnamed
from tests.gui.test_objects_page import (
    CALENDAR,
    desk,
    listed,
    page,
    read,
    rows,
    session,
    settled,
    words_of,
)

__all__ = ["desk", "listed", "page", "session"]


def begin_write(page, session, qtbot, attribute=6):
    read(page, session, qtbot, CALENDAR)
    page.attributes.choose(CALENDAR, attribute)
    page.write.click()
    sheet = page.findChildren(WriteSheet)[-1]
    qtbot.waitUntil(lambda: sheet._step == "form", timeout=PATIENCE)
    return sheet


def audit(desk):
    with desk.db.read() as opened:
        return [(row.act, row.subject, row.body) for row in opened.scalars(select(Audit))]


def test_a_value_is_written_in_two_steps_recorded_and_read_back(listed, session, desk, qtbot):
    sheet = begin_write(listed, session, qtbot)
    assert sheet.value.text() == '"TOU-1"', "what stands there, as it would be typed"
    sheet.value.setText('"TOU-2"')
    assert not sheet.go.isEnabled(), "a reason is asked for"
    sheet.reason.setText("New tariff")
    QTest.keyClick(sheet.reason, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: sheet._step == "confirm", timeout=PATIENCE)
    qtbot.waitUntil(
        lambda: 'Write "TOU-2" to Passive calendar' in words_of(sheet), timeout=PATIENCE
    )
    assert not sheet.go.isDefault(), "no default button before a meter is changed"
    sheet.digits.setText("5036")
    sheet.go.click()
    qtbot.waitUntil(lambda: sheet._step == "written", timeout=PATIENCE)
    told = ("Before", "TOU-1", "Written", "Read back", "TOU-2")
    qtbot.waitUntil(lambda: all(word in words_of(sheet) for word in told), timeout=PATIENCE)
    sheet.go.click()
    settled(session, qtbot)
    assert ["Passive calendar", "TOU-2"] in [row[:2] for row in rows(listed)]
    acts = audit(desk)
    assert [act for act, _, _ in acts] == ["object.writing", "object.written"]
    assert acts[0][1] == f"{SERIAL}/{CALENDAR}/20/6"
    assert acts[0][2]["reason"] == "New tariff"


def test_a_value_of_another_type_is_refused_while_typing(listed, session, qtbot):
    sheet = begin_write(listed, session, qtbot)
    sheet.reason.setText("x")
    sheet.value.setText("no hex")
    assert not sheet.go.isEnabled()
    qtbot.waitUntil(lambda: "cannot be written here" in words_of(sheet), timeout=PATIENCE)
    sheet.value.setText("544F552D32")
    assert sheet.go.isEnabled()
    sheet.reject()
    settled(session, qtbot)


def test_leaving_at_any_step_writes_nothing(listed, session, desk, qtbot):
    for step in ("form", "confirm"):
        sheet = begin_write(listed, session, qtbot)
        sheet.value.setText('"TOU-3"')
        sheet.reason.setText("x")
        if step == "confirm":
            sheet.go.click()
            qtbot.waitUntil(lambda s=sheet: s._step == "confirm", timeout=PATIENCE)
        QTest.keyClick(sheet, Qt.Key.Key_Escape)
        settled(session, qtbot)
        assert session.stopped
        assert session.failure is None
    assert audit(desk) == []
    read(listed, session, qtbot, CALENDAR)
    assert ["Passive calendar", "TOU-1"] in [row[:2] for row in rows(listed)]


def test_other_digits_write_nothing(listed, session, desk, qtbot):
    sheet = begin_write(listed, session, qtbot)
    sheet.value.setText('"TOU-2"')
    sheet.reason.setText("x")
    sheet.go.click()
    qtbot.waitUntil(lambda: sheet._step == "confirm", timeout=PATIENCE)
    sheet.digits.setText("1111")
    sheet.go.click()
    qtbot.waitUntil(lambda: sheet._step == "failed", timeout=PATIENCE)
    qtbot.waitUntil(lambda: "not the end of the number" in words_of(sheet), timeout=PATIENCE)
    assert audit(desk) == []
    sheet.go.click()


@pytest.mark.parametrize("lost", [True, False])
def test_a_line_that_breaks_says_whether_anything_can_have_been_written(
    listed, session, desk, qtbot, monkeypatch, lost
):
    real = DlmsMeter.write_raw

    def answer_lost(self, *arguments):
        real(self, *arguments)
        raise NoReply(2.0)

    sheet = begin_write(listed, session, qtbot)
    sheet.value.setText('"TOU-2"')
    sheet.reason.setText("x")
    sheet.go.click()
    qtbot.waitUntil(lambda: sheet._step == "confirm", timeout=PATIENCE)
    assert session.question.key == CONFIRM
    if lost:
        monkeypatch.setattr(DlmsMeter, "write_raw", answer_lost)
    else:
        desk.broken = NoReply(2.0)
    sheet.digits.setText("5036")
    sheet.go.click()
    qtbot.waitUntil(lambda: sheet._step == "failed", timeout=PATIENCE)
    unsure = "Nobody knows whether the meter took the value"
    qtbot.waitUntil(lambda: (unsure in words_of(sheet)) == lost, timeout=PATIENCE)
    ends = "object.unknown" if lost else "object.not_written"
    assert [act for act, _, _ in audit(desk)] == ["object.writing", ends]
    sheet.go.click()


def test_another_meter_is_noticed_before_it_is_written(listed, session, desk, qtbot):
    sheet = begin_write(listed, session, qtbot)
    sheet.value.setText('"TOU-2"')
    sheet.reason.setText("x")
    sheet.go.click()
    qtbot.waitUntil(lambda: sheet._step == "confirm", timeout=PATIENCE)
    desk.put("46000755037")
    sheet.digits.setText("5036")
    sheet.go.click()
    qtbot.waitUntil(lambda: sheet._step == "failed", timeout=PATIENCE)
    qtbot.waitUntil(lambda: "another meter" in words_of(sheet).lower(), timeout=PATIENCE)
    sheet.go.click()


def test_only_what_the_association_allows_can_be_written_and_the_reason_is_said(
    listed, session, qtbot
):
    read(listed, session, qtbot, CALENDAR)
    listed.attributes.choose(CALENDAR, 2)
    assert not listed.write.isEnabled()
    assert "This association may not write it." in listed.attributes.full.text()
    read(listed, session, qtbot, "0-0:1.0.0.255")
    listed.attributes.choose("0-0:1.0.0.255", 2)
    assert not listed.write.isEnabled()
    assert "Clock and supply" in listed.attributes.full.text()


def test_a_role_that_may_not_write_sees_no_button_and_is_refused(listed, session, desk, qtbot):
    desk.db.actor = SignedIn("eve", VERIFIER)
    listed.opened()
    qtbot.waitUntil(lambda: not listed.write.isVisible(), timeout=PATIENCE)
    session.write((CALENDAR, 20, 6))
    settled(session, qtbot)
    assert session.failure.title == "This is not allowed now"


def test_everything_on_the_way_has_a_name(listed, session, qtbot):
    sheet = begin_write(listed, session, qtbot)
    assert list(unnamed(sheet)) == []
    sheet.reject()
    settled(session, qtbot)
