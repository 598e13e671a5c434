"""Ports and known meters in one list: typing narrows, arrows choose, never both at once."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.services.connection import Overrides
from app.services.known_meters import Place
from app.views.connect_sheet import MOST_KNOWN, ConnectSheet
from tests.gui.fake_desk import PORTS
from tests.gui.fake_meter import SERIAL
from tests.gui.patience import PATIENCE


@pytest.fixture
def sheet(window, qtbot, monkeypatch):
    """The dialog on a laptop that knows 500 meters."""
    known = [
        Place("tcp://192.0.2.7:4059", "landisgyr-zmf100", Overrides(speed=9600), f"5028{n:04}")
        for n in range(500)
    ]
    bench = window.station.desk.bench
    monkeypatch.setattr(bench, "known", lambda: known)
    monkeypatch.setattr(
        bench, "place_of", lambda text: next((p for p in known if p.serial == text), None)
    )
    sheet = ConnectSheet(window.look, window.station, window, "Connect")
    sheet.open()
    qtbot.waitUntil(lambda: sheet.list.model().rowCount() > MOST_KNOWN, timeout=PATIENCE)
    yield sheet
    sheet.reject()


def chosen(sheet):
    at = sheet.list.currentIndex().row()
    return sheet._rows[at] if at >= 0 else None


def test_a_part_of_a_number_narrows_and_arrows_choose_without_a_mouse(sheet, qtbot):
    assert sheet.list.model().rowCount() == len(sheet._ports) + MOST_KNOWN
    sheet.other.setFocus()
    QTest.keyClicks(sheet.other, "50280499")
    qtbot.waitUntil(lambda: sheet.port_title == "Meter 50280499", timeout=PATIENCE)
    assert sheet.list.model().rowCount() == len(sheet._ports) + 1
    sheet.other.clear()
    QTest.keyClicks(sheet.other, "049")
    qtbot.waitUntil(lambda: sheet.other.text() == "049", timeout=PATIENCE)  # no scan after all
    assert len(sheet._rows) == len(sheet._ports) + 11, "0049, and 0490 to 0499"
    QTest.keyClick(sheet.other, Qt.Key.Key_Down)
    first = chosen(sheet)
    assert isinstance(first, Place)
    assert sheet.target == first.link
    QTest.keyClick(sheet.other, Qt.Key.Key_Down)
    second = chosen(sheet)
    assert isinstance(second, Place)
    assert second is not first
    assert sheet.other.text() == "049", "what was typed stays"
    assert sheet.go.isEnabled()


def test_a_typed_address_and_a_port_are_never_both_chosen(sheet):
    sheet.list.selectRow(0)
    assert sheet.target == sheet._ports[0].target
    sheet.other.setText("tcp://192.0.2.9:4059")
    assert sheet.target == "tcp://192.0.2.9:4059"
    assert chosen(sheet) is None
    sheet.list.selectRow(0)
    assert sheet.other.text() == ""
    assert sheet.target == sheet._ports[0].target


def test_a_known_meter_then_other_digits_is_not_that_meter_any_more(sheet):
    sheet.other.setText("50280007")
    assert sheet.port_title == "Meter 50280007"
    sheet.other.setText("99999999")
    assert sheet.target == "99999999"
    assert sheet._place is None


def test_the_port_of_a_demo_is_called_by_its_name_after_the_next_start_as_well(desk, opened):
    desk.settings.set("connection.port", PORTS[1].target)
    window = opened(desk)
    assert window.station.standing().port == PORTS[1].title
    window.station.choose_port("tcp://192.0.2.7:4059", "tcp://192.0.2.7:4059", "")
    assert window.station.desk.title_of("tcp://192.0.2.7:4059") == "tcp://192.0.2.7:4059"


def test_where_the_meter_of_a_job_hangs_is_chosen_already(desk, opened, qtbot, monkeypatch):
    bus = replace(PORTS[1], meters=(SERIAL,))
    monkeypatch.setattr(desk, "_extra_ports", (PORTS[0], bus))
    monkeypatch.setattr(desk, "ports", lambda: [PORTS[0], bus])
    window = opened(desk)
    window.station.choose_port(PORTS[0].target, PORTS[0].title, "")
    qtbot.waitUntil(lambda: window.pages.queue.detail is not None, timeout=PATIENCE)
    window.pages.open_order(window.pages.queue.chosen)
    qtbot.waitUntil(lambda: bool(window.pages.order.steps), timeout=PATIENCE)
    window.stack.currentWidget().start()
    sheet = next(s for s in window.findChildren(ConnectSheet) if s.isVisible())
    qtbot.waitUntil(lambda: sheet.target == bus.target, timeout=PATIENCE)
    sheet.reject()
