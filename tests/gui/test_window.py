"""The window as a whole: paint before import, names for screen readers, settings, trace, ports."""

import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QWidget,
)

from app.errors import CentreUnreachable
from app.views import files
from app.views.connect_sheet import ConnectSheet
from app.views.fault_panel import remedies
from app.views.incident_sheet import IncidentSheet
from app.views.sheet import Sheet
from app.views.skip_sheet import SkipSheet
from drivers.trace_link import Direction, Record
from tests.gui.patience import PATIENCE
from tests.gui.test_order_page import asked, begin

HEAVY = ["sqlalchemy", "numpy", "pyqtgraph", "gurux_dlms", "reportlab", "keyring", "openpyxl"]


def test_the_window_is_painted_before_anything_heavy_is_imported():
    code = (
        "import sys\n"
        "from app.views.application import make_application\n"
        "from app.views.main_window import MainWindow\n"
        "app = make_application([])\n"
        "window = MainWindow(); window.show(); app.processEvents()\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_a_window_without_a_desk_says_that_it_is_opening(opened):
    window = opened()
    assert window.stack.currentWidget().accessibleName() == "Opening"
    assert not window.bar.button.isEnabled()


def nameless(root: QWidget) -> list[str]:
    """Every widget that can be operated or read and has no name for a screen reader."""
    kinds = (QAbstractButton, QLineEdit, QComboBox, QAbstractItemView)
    found = []
    for widget in [root, *root.findChildren(QWidget)]:
        if widget.objectName().startswith("qt_") or not widget.isVisibleTo(root):
            continue
        if isinstance(widget.parentWidget(), QLineEdit | QComboBox):
            continue
        told = isinstance(widget, kinds) or widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        face = QAccessible.queryAccessibleInterface(widget)
        name = face.text(QAccessible.Text.Name) if face else ""
        if told and not name:
            parent = widget.parentWidget()
            found.append(f"{type(widget).__name__} in {type(parent).__name__}")
    return found


def test_every_widget_of_every_page_has_a_name(window, desk, qtbot):
    assert nameless(window) == []
    for place in (1, 2):
        window.open_place(place)
        assert nameless(window) == []
    window.turn_trace()
    assert nameless(window) == []


def test_every_widget_of_a_running_job_has_a_name(window, desk, qtbot):
    window.station.choose_port("fake:optical", "Virtual optical port", "")
    window.pages.open_order(window.pages.queue.chosen)
    qtbot.waitUntil(lambda: bool(window.pages.order.steps), timeout=PATIENCE)
    page = window.stack.currentWidget()
    assert nameless(window) == []
    desk.meter.hold = threading.Event()
    begin(qtbot, page)
    qtbot.waitUntil(lambda: bool(window.pages.order.findings.rows), timeout=PATIENCE)
    qtbot.waitUntil(lambda: page.findings.table() is not None, timeout=PATIENCE)
    assert nameless(window) == []
    desk.meter.hold.set()
    asked(qtbot, page, "evidence.photo")
    for kind in ("checks", "readings", "rows", "events"):
        page.findings.turn_to(kind)
        assert nameless(window) == []


def test_every_widget_of_every_dialog_has_a_name(window, look, qtbot):
    detail = window.pages.queue.detail
    sheets: list[Sheet] = [
        ConnectSheet(look, window.station, window, "Connect"),
        IncidentSheet(look, window.station, detail, window),
        SkipSheet(look, "Load profile", [("no_time", "No time")], window),
    ]
    for sheet in sheets:
        sheet.open()
        assert nameless(sheet) == []
        sheet.reject()


def test_f2_lists_the_ports_and_enter_connects(window, desk, qtbot):
    qtbot.keyClick(window, Qt.Key.Key_F2)
    qtbot.waitUntil(lambda: bool(window.findChildren(ConnectSheet)), timeout=PATIENCE)
    sheet = window.findChildren(ConnectSheet)[-1]
    qtbot.waitUntil(lambda: sheet.list.model().rowCount() == 2, timeout=PATIENCE)
    qtbot.waitUntil(sheet.go.isEnabled, timeout=PATIENCE)
    sheet.list.selectRow(1)
    assert sheet.target == "fake:bus"
    sheet.list.selectRow(0)
    sheet.go.click()
    qtbot.waitUntil(lambda: window.station.identity is not None, timeout=PATIENCE)
    assert window.station.standing().meter == "50284117"
    qtbot.waitUntil(
        lambda: desk.settings.text("connection.port") == "fake:optical", timeout=PATIENCE
    )
    assert window.bar.button.text() == "End session"
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
    qtbot.keyClick(window, Qt.Key.Key_F2)
    qtbot.waitUntil(lambda: window.bar.button.text() == "Connect", timeout=PATIENCE)


def test_no_port_is_said_and_an_address_can_be_typed(window, desk, look, qtbot):
    desk.ports = list
    sheet = ConnectSheet(look, window.station, window, "Connect")
    sheet.open()
    qtbot.waitUntil(sheet.note.isVisible, timeout=PATIENCE)
    qtbot.waitUntil(lambda: "No port" in sheet.note.words.text(), timeout=PATIENCE)
    assert not sheet.go.isEnabled()
    sheet.other.setText("tcp://127.0.0.1:4059")
    assert sheet.go.isEnabled()
    sheet.reject()


def test_a_setting_is_kept_and_a_wrong_one_is_refused_beside_its_field(window, desk, qtbot):
    window.open_place(2)
    page = window.stack.currentWidget()
    field = page.fields["centre.every_minutes"]
    field.setText("99999")
    field.editingFinished.emit()
    note = page._problems["centre.every_minutes"]
    assert note.text().startswith("Not kept.")
    assert desk.settings.whole("centre.every_minutes") == 15
    field.setText("30")
    field.editingFinished.emit()
    qtbot.waitUntil(lambda: desk.settings.whole("centre.every_minutes") == 30, timeout=PATIENCE)
    assert not note.text().startswith("Not kept.")


@pytest.mark.parametrize("theme", ["field", "dark"])
def test_the_theme_switches_at_once(window, desk, qtbot, theme):
    window.open_place(2)
    field = window.stack.currentWidget().fields["look.theme"]
    field.setCurrentIndex(field.findData(theme))
    field.activated.emit(field.currentIndex())
    qtbot.waitUntil(lambda: window.look.theme.name == theme, timeout=PATIENCE)
    assert window.stack.currentWidget().accessibleName() == "Settings"
    assert window.rail._buttons[2].isChecked()


def test_the_size_factor_scales_letters_and_targets(window, desk, qtbot):
    before = window.look.control
    desk.settings.set("look.size", "1.5")
    window._take_look()
    qtbot.waitUntil(lambda: window.look.size == 1.5, timeout=PATIENCE)
    assert window.look.control == pytest.approx(before * 1.5, abs=2)


def test_a_small_window_lets_extras_give_way(window, qtbot):
    window.resize(1000, 600)
    qtbot.waitUntil(lambda: window.look.compact, timeout=PATIENCE)
    assert not window.stack.currentWidget().pane.isVisible()


def test_the_trace_shows_bytes_and_text_and_never_a_secret(window, desk, qtbot):
    qtbot.keyClick(window, Qt.Key.Key_F8)
    assert window.trace.isVisible()
    now = datetime.now(UTC)
    desk.trace.add(Record(0.0, now, Direction.OUT, b"/?!\r\n"))
    desk.trace.add(Record(0.1, now, Direction.OUT, b"......", masked=True))
    model = window.trace.model
    qtbot.waitUntil(lambda: model.rowCount() == 2, timeout=PATIENCE)
    assert model.cell(0, 3).text == "2F 3F 21 0D 0A"
    window.trace.views._group.button(1).click()
    assert model.cell(0, 3).text == "/?!␍␊"
    assert model.cell(1, 3).text == "6 secret bytes, not shown"
    qtbot.keyClick(window, Qt.Key.Key_F8)
    assert not window.trace.isVisible()


def test_the_trace_can_be_saved_and_a_full_disk_is_said(window, desk, qtbot, tmp_path, monkeypatch):
    desk.trace.add(Record(0.0, datetime.now(UTC), Direction.OUT, b"/?!\r\n"))
    monkeypatch.setattr(files, "ask_save", lambda *_: tmp_path / "t.jsonl")
    with qtbot.waitSignal(window.station.noticed, timeout=PATIENCE):
        window.trace.save.click()
    assert (tmp_path / "t.jsonl").read_text().count("\n") == 1
    monkeypatch.setattr(files, "ask_save", lambda *_: tmp_path / "no" / "t.jsonl")
    window.station.refused.disconnect(window.show_fault)
    with qtbot.waitSignal(window.station.refused, timeout=PATIENCE):
        window.trace.save.click()


def test_a_meter_is_read_without_a_job_and_its_tables_exported(
    window, desk, qtbot, tmp_path, monkeypatch
):
    window.station.choose_port("fake:optical", "Virtual optical port", "")
    window.open_place(1)
    page, session = window.stack.currentWidget(), window.pages.reading
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_F3)
    qtbot.waitUntil(lambda: not session.running and bool(session.findings.events), timeout=PATIENCE)
    assert len(session.findings.readings) == 10
    assert len(session.findings.rows) == 477
    page.findings.turn_to("rows")
    view = page.findings._views["rows"]
    assert view.model.rowCount() == 478, "a gap has a row of its own"
    assert "3 missing" in view.summary.text() or "missing" in view.summary.text()
    path = tmp_path / "profile.csv"
    monkeypatch.setattr(files, "ask_save", lambda *_: path)
    with qtbot.waitSignal(window.station.noticed, timeout=PATIENCE):
        page.findings.export.click()
    assert "no row" in path.read_text(encoding="utf-8-sig")
    page.findings.turn_to("readings")
    table = page.findings.table()
    table.selectRow(0)
    table.setFocus()
    table.selectRow(1)  # below its heading
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert "12345.678" in QApplication.clipboard().text()


def test_plot_and_table_share_the_selection(window, desk, qtbot):
    window.station.choose_port("fake:optical", "Virtual optical port", "")
    window.open_place(1)
    page, session = window.stack.currentWidget(), window.pages.reading
    page.start()
    qtbot.waitUntil(lambda: not session.running and bool(session.findings.rows), timeout=PATIENCE)
    page.findings.turn_to("rows")
    view = page.findings._views["rows"]
    view.table.selectRow(3)
    begin, end = view.plot._regions[0][1].getRegion()
    assert view.model.time_of(3).timestamp() == end
    assert end - begin == 900
    view.plot.chosen.emit(session.findings.rows[-5].time.timestamp() - 10)
    assert view.model.time_of(view.table.currentIndex().row()) == session.findings.rows[-5].time
    for index in (1, 2):
        view.ranges._group.button(index).click()
    assert not view.earlier.isEnabled()


def test_a_sync_without_a_centre_says_what_is_missing(window, qtbot):
    window.station.sync()
    qtbot.waitUntil(lambda: bool(window.findChildren(QDialog)), timeout=PATIENCE)
    sheet = window.findChildren(QDialog)[-1]
    assert "cannot be used" in sheet.windowTitle()
    sheet.accept()


def test_a_refusal_without_a_page_is_a_dialog_in_plain_words(window, qtbot):
    window.show_fault(CentreUnreachable("no route to host"))
    sheet = window.findChildren(QDialog)[-1]
    assert sheet.windowTitle() == "The centre cannot be reached"
    qtbot.waitUntil(sheet.isActiveWindow, timeout=PATIENCE)
    with qtbot.waitSignal(sheet.accepted, timeout=PATIENCE):
        qtbot.keyClick(sheet, Qt.Key.Key_Return)


def test_a_remedy_is_split_into_steps_in_the_order_to_try():
    text = "Seat the probe: magnet on the port. Clean the window. Wait 2 minutes."
    steps = ["Seat the probe: magnet on the port.", "Clean the window.", "Wait 2 minutes."]
    assert remedies(text) == steps


def test_the_focus_ring_follows_the_focus(window, qtbot):
    page = window.stack.currentWidget()
    page.search.setFocus()
    qtbot.waitUntil(window._ring.isVisible, timeout=PATIENCE)
    box = window._ring.geometry()
    corner = page.search.mapTo(window, page.search.rect().center())
    assert box.contains(corner)
