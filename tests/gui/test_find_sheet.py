"""Choosing a port, finding the settings of what answers there, and searching a bus."""

import threading
from dataclasses import replace

from PySide6.QtCore import Qt

from app.services.known_meters import keep_place
from app.tasks import Found, Progress
from app.views.connect_sheet import ConnectSheet
from app.views.find_sheet import FindSheet, of_bus_meter
from app.views.settings_sheet import SettingsSheet
from drivers.dlms.scan import BusMeter
from drivers.errors import NoReply
from drivers.find import Finding
from drivers.metertype import load_meter_type
from drivers.values import Identity
from tests.gui.patience import PATIENCE


def finding(_target):
    yield Progress("Trying 300 7E1", 0, 6, "ways")
    kind = load_meter_type("landisgyr-zmf100")
    return Finding(kind, "IEC 62056-21, mode C", 9600, "7E1", 300, echo=True,
                   identification="/LGZ5ZMF100")  # fmt: skip


def bus(_target, addresses, _meter_type=""):
    assert addresses == "1-50"
    kind = load_meter_type("hexcell-ddsy1088")
    found = BusMeter(36, "02 48", 9600, "8N1", kind, 16, Identity(serial="46000755036"))
    yield Found("meter", found)
    return [found]


def sheets(window, qtbot):
    ports = ConnectSheet(window.look, window.station, window, "Connect")
    ports.open()
    qtbot.waitUntil(lambda: ports.list.model().rowCount() == 2, timeout=PATIENCE)
    qtbot.waitUntil(ports.finder.isEnabled, timeout=PATIENCE)
    ports.list.selectRow(0)
    ports.finder.click()
    return ports, ports.findChildren(FindSheet)[-1]


def test_settings_are_found_shown_taken_over_and_used(window, desk, qtbot, monkeypatch):
    monkeypatch.setattr(desk.bench, "find", finding)
    ports, sheet = sheets(window, qtbot)
    qtbot.waitUntil(sheet.go.isEnabled, timeout=PATIENCE)
    cells = [sheet.table.model().cell(0, column) for column in range(2)]
    assert cells[0].detail == "/LGZ5ZMF100"
    assert (cells[1].text, cells[1].detail) == ("300 to 9600 Bd 7E1", "IEC 62056-21, mode C")
    assert "7 data bits, even parity. The probe returns" in sheet.note.words.text()
    sheet.go.click()
    assert ports.types.currentData() == "landisgyr-zmf100"
    assert "300 Bd 7E1" in ports.note.words.text()
    ports.go.click()
    at = window.station.at()
    assert (at.meter_type, at.overrides.speed) == ("landisgyr-zmf100", 300)


def test_a_bus_is_searched_and_each_meter_has_its_address(window, desk, qtbot, monkeypatch):
    def silent(_target):
        yield Progress("Trying")
        error = NoReply(2.0)
        error.add_note("300 7E1: no answer")
        raise error

    monkeypatch.setattr(desk.bench, "find", silent)
    monkeypatch.setattr(desk.bench, "search_bus", bus)
    ports, sheet = sheets(window, qtbot)
    qtbot.waitUntil(lambda: "300 7E1: no answer" in sheet.tried.text(), timeout=PATIENCE)
    assert sheet.note.words.text().startswith("The meter does not answer")
    assert not sheet.card.isVisible(), "an empty table would only take room"
    assert not sheet.go.isEnabled()
    sheet.along.click()
    qtbot.waitUntil(sheet.go.isEnabled, timeout=PATIENCE)
    assert sheet.table.model().cell(0, 2).text == "36"
    sheet.reject()
    ports.reject()


def test_leaving_stops_the_search(window, desk, qtbot, monkeypatch):
    stopped = threading.Event()

    def endless(_target):
        try:
            while True:
                yield Progress("Trying")
        finally:
            stopped.set()

    monkeypatch.setattr(desk.bench, "find", endless)
    ports, sheet = sheets(window, qtbot)
    sheet.reject()
    qtbot.waitUntil(stopped.is_set, timeout=PATIENCE)
    qtbot.waitUntil(lambda: not window.station.line_busy(), timeout=PATIENCE)
    ports.reject()


def test_escape_stops_a_search_and_leaves_only_then(window, desk, qtbot, monkeypatch):
    def endless(_target):
        while True:
            yield Progress("Trying")

    monkeypatch.setattr(desk.bench, "find", endless)
    ports, sheet = sheets(window, qtbot)
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: sheet.note.words.text() == "Stopped.", timeout=PATIENCE)
    assert sheet.isVisible()
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()
    ports.reject()


def test_a_port_in_the_list_and_a_typed_address_are_never_both_chosen(window, qtbot):
    ports = ConnectSheet(window.look, window.station, window, "Connect")
    ports.open()
    qtbot.waitUntil(lambda: ports.list.model().rowCount() == 2, timeout=PATIENCE)
    ports.other.setText("tcp://192.0.2.7:4059")
    assert ports.target == "tcp://192.0.2.7:4059"
    assert not ports.list.selectionModel().hasSelection()
    ports.look_for_ports()
    qtbot.wait(100)
    assert ports.target == "tcp://192.0.2.7:4059", "a fresh list does not take it away"
    ports.list.selectRow(1)
    assert not ports.other.text()
    assert ports.target == "fake:bus"
    ports.other.setText("x")
    ports.other.clear()
    assert ports.target == "fake:optical", "nothing typed: a port again"
    ports.reject()


def test_what_should_be_known_of_a_type_is_said_before_connecting(window, qtbot):
    ports = ConnectSheet(window.look, window.station, window, "Connect")
    ports.open()
    qtbot.waitUntil(lambda: ports.types.findData("landisgyr-ultraheat") > 0, timeout=PATIENCE)
    assert not ports.warning.isVisible()
    ports.types.setCurrentIndex(ports.types.findData("landisgyr-ultraheat"))
    assert ports.warning.isVisible()
    assert "battery" in ports.warning.words.text()
    ports.types.setCurrentIndex(0)
    assert not ports.warning.isVisible()
    ports.reject()


def test_an_address_that_was_typed_is_there_the_next_time(window, qtbot):
    window.station.choose_port("tcp://192.0.2.7:4059", "tcp://192.0.2.7:4059", "")
    ports = ConnectSheet(window.look, window.station, window, "Connect")
    ports.open()
    qtbot.waitUntil(lambda: ports.target == "tcp://192.0.2.7:4059", timeout=PATIENCE)
    assert ports.list.model().rowCount() == 2
    ports.reject()


def test_a_meter_on_a_bus_keeps_address_line_and_framing():
    kind = load_meter_type("hexcell-ddsy1088")
    found = of_bus_meter(BusMeter(36, "02 48", 2400, "8E1", kind, note="two meters answer"))
    assert (found.overrides.framing, found.overrides.speed) == ("hdlc", 2400)
    assert found.cells[0].detail == "two meters answer"


def test_a_known_number_is_enough_to_connect(window, desk, qtbot, tmp_path):
    kind = load_meter_type("landisgyr-zmf100")
    keep_place(desk.db.folder, "fake:bus", kind, Identity(serial="50284117"))
    ports = ConnectSheet(window.look, window.station, window, "Connect")
    ports.open()
    ports.other.setText("50284117")
    qtbot.waitUntil(lambda: ports.target == "fake:bus", timeout=PATIENCE)
    ports.go.click()
    assert window.station.at().overrides.speed == kind.line.speed


def test_short_names_are_found_shown_and_can_be_chosen(window, desk, qtbot):
    kind = load_meter_type("landisgyr-zmf100")
    kind = replace(kind, dlms=replace(kind.dlms, referencing="short"))
    found = of_bus_meter(BusMeter(36, "02 48", 9600, "8N1", kind))
    assert found.cells[1].detail == "DLMS/COSEM, HDLC, short names"
    keep_place(desk.db.folder, "fake:bus", kind, Identity(serial="50284117"))
    ports = ConnectSheet(window.look, window.station, window, "Connect")
    ports.open()
    ports.other.setText("50284117")
    qtbot.waitUntil(lambda: ports.target == "fake:bus", timeout=PATIENCE)
    assert "short names" in ports.note.words.text()
    ports.settings.click()
    sheet = ports.findChildren(SettingsSheet)[-1]
    qtbot.waitUntil(lambda: sheet.form.types.count() > 2, timeout=PATIENCE)
    assert sheet.form.naming.currentData() == "short"
    sheet.form.naming.setCurrentIndex(0)
    sheet.go.click()
    ports.go.click()
    assert window.station.at().overrides.referencing is None
