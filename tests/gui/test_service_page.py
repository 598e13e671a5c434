"""Clock and supply in the window: compared, set and switched in two steps, recorded, read back."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from sqlalchemy import select

from app.models.people import Audit
from app.services.users import VERIFIER, SignedIn
from app.views.act_sheet import ActSheet, relay_words
from app.views.service_page import ServicePage
from app.views.service_session import ServiceSession
from app.views.station import Station
from drivers.dlms.meter import DlmsMeter
from drivers.errors import NoReply, NotSupported
from drivers.switching import Switching
from drivers.values import RelayReading
from tests.gui.object_desk import SERIAL, TYPE, ended, opened_desk
from tests.gui.patience import PATIENCE
from tests.gui.test_accessible import unnamed
from tests.gui.test_objects_page import settled, words_of


@pytest.fixture
def desk(empty_folder, tmp_path):
    with opened_desk(empty_folder, tmp_path / "data") as desk:
        yield desk


@pytest.fixture
def session(desk, qtbot):
    station = Station(desk)
    station.choose_port("fake:bus", "Virtual RS-485 bus", TYPE)
    session = ServiceSession(station)
    yield session
    ended(station, qtbot)


@pytest.fixture
def page(session, look, qtbot):
    page = ServicePage(look, session)
    qtbot.addWidget(page)
    page.resize(1260, 700)
    page.show()
    page.opened()
    qtbot.waitExposed(page)
    return page


@pytest.fixture
def looked(page, session, qtbot):
    """The page after a look at the meter."""
    page.go.click()
    settled(session, qtbot)
    qtbot.waitUntil(page.acts[Switching.OPEN].isVisible, timeout=PATIENCE)
    return page


def act(page, button, qtbot, digits="5036"):
    """Go through both steps; the sheet is left at its end."""
    button.click()
    sheet = page.findChildren(ActSheet)[-1]
    qtbot.waitUntil(lambda: sheet._step == "form", timeout=PATIENCE)
    assert not sheet.go.isEnabled(), "a reason is asked for"
    sheet.reason.setText("Order 1043")
    sheet.go.click()
    qtbot.waitUntil(lambda: sheet._step == "confirm", timeout=PATIENCE)
    assert not sheet.go.isDefault()
    sheet.digits.setText(digits)
    sheet.go.click()
    qtbot.waitUntil(lambda: sheet._step in {"written", "failed"}, timeout=PATIENCE)
    return sheet


def audit(desk):
    with desk.db.read() as opened:
        return [(row.act, row.subject) for row in opened.scalars(select(Audit))]


def test_clock_and_supply_are_shown_with_what_can_be_done(page, looked, qtbot):
    told = ("Difference", "connected, supply on", "remotely and locally off; remotely on")
    qtbot.waitUntil(lambda: all(word in words_of(looked) for word in told), timeout=PATIENCE)
    assert looked.set_clock.isVisible()
    shown = {action for action, button in looked.acts.items() if button.isVisible()}
    assert shown == {Switching.OPEN}, "what is on cannot be switched on, what mode forbids is gone"
    assert list(unnamed(looked)) == []


def test_the_supply_is_switched_off_and_on_in_two_steps_and_read_back(looked, session, desk, qtbot):
    sheet = act(looked, looked.acts[Switching.OPEN], qtbot)
    told = ("Before connected, supply on", "Read back disconnected, supply off")
    qtbot.waitUntil(lambda: all(word in words_of(sheet) for word in told), timeout=PATIENCE)
    assert not desk.virtual.switch.output
    sheet.go.click()
    settled(session, qtbot)
    qtbot.waitUntil(looked.acts[Switching.CLOSE].isVisible, timeout=PATIENCE)
    assert not looked.acts[Switching.OPEN].isVisible()
    act(looked, looked.acts[Switching.CLOSE], qtbot).go.click()
    assert desk.virtual.switch.output
    acts = ["relay.switching", "relay.switched"]
    assert audit(desk) == [(act, SERIAL) for act in acts * 2]


def test_the_clock_is_set_and_reads_back(looked, session, desk, qtbot):
    sheet = act(looked, looked.set_clock, qtbot)
    qtbot.waitUntil(lambda: "Read back off by" in words_of(sheet), timeout=PATIENCE)
    sheet.go.click()
    assert audit(desk) == [("clock.setting", SERIAL), ("clock.set", SERIAL)]


def test_other_digits_and_leaving_do_nothing(looked, session, desk, qtbot):
    sheet = act(looked, looked.acts[Switching.OPEN], qtbot, "1111")
    qtbot.waitUntil(lambda: "not the end of the number" in words_of(sheet), timeout=PATIENCE)
    sheet.go.click()
    looked.acts[Switching.OPEN].click()
    sheet = looked.findChildren(ActSheet)[-1]
    qtbot.waitUntil(lambda: sheet._step == "form", timeout=PATIENCE)
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    settled(session, qtbot)
    assert desk.virtual.switch.output
    assert audit(desk) == []


@pytest.mark.parametrize("which", ["supply", "clock"])
def test_an_answer_that_is_lost_leaves_a_record_that_nobody_knows(
    looked, session, desk, qtbot, monkeypatch, which
):
    def lost(*_arguments):
        raise NoReply(2.0)

    monkeypatch.setattr(DlmsMeter, "switch" if which == "supply" else "set_clock", lost)
    button = looked.acts[Switching.OPEN] if which == "supply" else looked.set_clock
    sheet = act(looked, button, qtbot)
    qtbot.waitUntil(
        lambda: "Nobody knows whether the meter did it" in words_of(sheet), timeout=PATIENCE
    )
    assert audit(desk)[-1][0] == ("relay.unknown" if which == "supply" else "clock.unknown")
    sheet.go.click()


def test_another_meter_is_noticed_before_anything_is_switched(looked, session, desk, qtbot):
    desk.put("46000755037")
    looked.set_clock.click()
    sheet = looked.findChildren(ActSheet)[-1]
    qtbot.waitUntil(lambda: sheet._step == "failed", timeout=PATIENCE)
    qtbot.waitUntil(lambda: "46000755037 answers" in words_of(sheet), timeout=PATIENCE)
    sheet.go.click()
    looked.acts[Switching.OPEN].click()
    other = looked.findChildren(ActSheet)[-1]
    qtbot.waitUntil(lambda: other._step == "form", timeout=PATIENCE)
    other.reason.setText("x")
    other.go.click()
    qtbot.waitUntil(lambda: other._step == "failed", timeout=PATIENCE)
    qtbot.waitUntil(lambda: "46000755037 answers" in words_of(other), timeout=PATIENCE)
    other.go.click()
    assert desk.virtual.switch.output
    assert audit(desk) == []


def test_a_meter_without_a_switch_says_so(page, session, desk, qtbot, monkeypatch):
    def none(_self):
        raise NotSupported("no supply switch")

    monkeypatch.setattr(DlmsMeter, "relay", none)
    page.go.click()
    settled(session, qtbot)
    qtbot.waitUntil(
        lambda: "This meter shows no supply switch." in words_of(page), timeout=PATIENCE
    )
    assert not any(button.isVisible() for button in page.acts.values())


def test_a_role_that_may_not_act_sees_no_button_and_is_refused(looked, session, desk, qtbot):
    desk.db.actor = SignedIn("eve", VERIFIER)
    looked.opened()
    qtbot.waitUntil(lambda: not looked.set_clock.isVisible(), timeout=PATIENCE)
    session.switch(Switching.OPEN)
    settled(session, qtbot)
    assert session.failure.title == "This is not allowed now"
    assert desk.virtual.switch.output


def test_a_switch_that_waits_for_the_button_is_called_so():
    words = relay_words(RelayReading(False, "ready for reconnection", 1))
    assert words == "enabled: the customer must press the button, supply off"
