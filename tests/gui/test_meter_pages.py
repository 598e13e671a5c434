"""Reading and finding meters without a job, faults that nobody caught, and sync by itself."""

import json
import logging
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from PySide6.QtCore import QSize, QtMsgType
from PySide6.QtWidgets import QDialog, QLabel, QWidget

from app.errors import CentreUnreachable
from app.services.connection import Overrides
from app.services.known_meters import keep_place
from app.tasks import Progress
from app.views import files
from app.views.auto_sync import AutoSync
from app.views.connect_sheet import ConnectSheet
from app.views.fault_hooks import FaultHooks
from app.views.line_panel import LinePanel
from app.views.main_window import first_size
from app.views.readout_view import ReadoutView
from app.views.registers_view import clock_and_meter
from app.views.shell import sync_face
from app.views.station import Standing
from drivers.errors import NoReply, NotSupported
from drivers.metertype import load_meter_type
from drivers.values import ClockReading, Identity, Reading, Statistics
from tests.gui.fake_meter import FakeMeter
from tests.gui.patience import PATIENCE

PORT = ("fake:optical", "Virtual optical port", "")


def words_of(widget: QWidget) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


@dataclass
class ListMeter(FakeMeter):
    """Tells its whole list, with raw texts and a value that its type does not name."""

    heard: list[str] = field(default_factory=list)

    def arriving(self):
        for code in ("1.8.0", "0.9.1", "XYZ"):
            self.heard.append(code)
            yield code

    def everything(self):
        yield Reading("0.9.1", "1-0:0.9.1.255", "Time", None, text="104512", raw="(104512)")
        yield Reading(
            "1.8.0*12", "1-0:1.8.0.12", "Active energy import", Decimal(7), "kWh", history="12"
        )
        yield Reading(
            "1.8.0", "1-0:1.8.0.255", "Active energy import", Decimal("10482.317"), "kWh",
            raw="(010482.317*kWh)",
        )  # fmt: skip
        yield Reading("XYZ", "", "XYZ", None, text="A1", raw="(A1)", check="bad")

    def profile_info(self, code=""):
        raise NotSupported("no load profile")


def read(window, qtbot):
    window.station.choose_port(*PORT)
    window.open_place(1)
    page, session = window.stack.currentWidget(), window.pages.reading
    page.start()
    qtbot.waitUntil(lambda: not session.running, timeout=PATIENCE)
    page.findings.turn_to("readings")
    return page, session


# --- the values -----------------------------------------------------------------------------


def test_all_values_of_a_list_are_shown_by_meaning_with_raw_code_and_text(window, desk, qtbot):
    desk.meter = ListMeter()
    page, session = read(window, qtbot)
    assert session.failure is None, "a part that the meter lacks is no failure"
    assert len(session.findings.events) == 6, "what follows the missing profile is read"
    view = page.findings._views["readings"]
    model = view.table.model()
    names = [model.cell(row, 0).text for row in range(model.rowCount())]
    assert names == ["Energy and volume", "Active energy import", "Clock", "Time",
                     "Of the maker", "XYZ", "History", "Active energy import"]  # fmt: skip
    assert [model.cell(1, column).text for column in range(5)][1:] == [
        "10482.317", "kWh", "1.8.0", "(010482.317*kWh)",
    ]  # fmt: skip
    assert "check bytes wrong" in model.cell(5, 5).text
    assert any("no profile" in sentence.lower() for sentence in page.line.sentences)


def test_two_values_in_one_stand_apart_and_the_raw_text_is_kept(look, qtbot):
    view = ReadoutView(look, None)
    qtbot.addWidget(view)
    raw = "098.5*C&096.1*C"
    view.show_readings(
        [("", Reading("9.4", "", "9.4", None, text=raw, raw=f"({raw})"))], None, None
    )
    model = view.table.model()
    assert model.cell(1, 1).text == "098.5 C & 096.1 C"
    assert model.cell(1, 4).text == f"({raw})"


def test_the_search_looks_at_names_codes_and_raw_text_and_says_how_many(look, qtbot):
    view = ReadoutView(look, None)
    qtbot.addWidget(view)
    view.show_readings([("", one) for one in ListMeter().everything()], None, None)
    assert view.count.text() == "4 values"
    view.search.setText("energy 10482")
    assert view.table.model().rowCount() == 2, "a heading and its value"
    assert view.count.text() == "1 of 4 values"
    view.search.setText("history")
    assert [row[4] for row in view.export()[1]] == ["1.8.0*12"]
    view.search.setText("nothing like it")
    assert view.table.model().rowCount() == 0


@pytest.mark.parametrize("ending", ["csv", "xlsx", "json"])
def test_values_are_exported_with_kind_raw_text_and_who_told_them(
    window, desk, qtbot, tmp_path, monkeypatch, ending
):
    desk.meter = ListMeter()
    page, _ = read(window, qtbot)
    path = tmp_path / f"values.{ending}"
    monkeypatch.setattr(files, "ask_save", lambda *_: path)
    with qtbot.waitSignal(window.station.noticed, timeout=PATIENCE):
        page.findings.export.click()
    if ending == "json":
        shape = json.loads(path.read_text(encoding="utf-8"))
        assert shape["identity"]["serial"] == "50284117"
        assert shape["registers"][0]["raw_text"] == "(010482.317*kWh)"
        assert shape["registers"][0]["kind"] == "Energy and volume"
    elif ending == "csv":
        assert "(010482.317*kWh)" in path.read_text(encoding="utf-8-sig")
    else:
        assert path.stat().st_size > 1000


def test_what_arrived_of_a_list_stays_when_it_is_stopped(window, desk, qtbot):
    class Slow(ListMeter):
        def arriving(self):
            yield "1.8.0"
            window.pages.reading.runner.cancel()
            while True:
                yield "0.9.1"

        def arrived(self):
            yield Reading("1.8.0", "1-0:1.8.0.255", "Active energy import", Decimal(7), check="bad")

    desk.meter = Slow()
    page, session = read(window, qtbot)
    assert session.stopped
    assert [one.value for _, one in session.findings.readings] == [7]
    qtbot.waitUntil(lambda: "1 value" in words_of(page), timeout=PATIENCE)


def test_a_clock_far_off_is_told_in_days(look, qtbot):
    shown = datetime(2026, 3, 1, 12, tzinfo=UTC)
    clock = ClockReading(shown, shown, Decimal(-306039245), Decimal("0.5"))
    strip = clock_and_meter(look, clock, None, UTC)
    qtbot.addWidget(strip)
    text = " ".join(label.text() for label in strip.findChildren(QLabel))
    assert "3542 d 2 h" in text
    assert "behind ours: it shows 2026-03-01 12:00:00" in text


def test_progress_is_shown_while_a_list_arrives(window, desk, qtbot):
    desk.meter = ListMeter()
    seen = []
    window.pages.reading.runner.progressed.connect(seen.append)
    read(window, qtbot)
    counts = [one.done for one in seen if one.text == "Reading the list of the meter"]
    assert counts == [1, 2, 3]


# --- the line -------------------------------------------------------------------------------


def test_the_line_is_described_after_a_read_and_noise_is_called_noise(look, qtbot):
    panel = LinePanel(look)
    qtbot.addWidget(panel)
    panel.show_line(None)
    assert not panel.isVisibleTo(None)
    panel.show_line(Statistics(bytes_sent=9, bytes_received=2000, round_trips=3, parity_errors=30))
    assert "15.0 parity errors per 1,000" in panel.sentences[0]
    panel.show_line(Statistics(bytes_sent=9, bytes_received=200))
    assert panel.sentences[0].startswith("I hear noise, not a meter")
    tight = Statistics(bytes_sent=9, bytes_received=900, round_trips=2, switch_margin_s=0.004)
    panel.show_line(tight)
    assert "4 ms" in panel.sentences[0]


def test_a_failure_says_what_the_line_showed(window, desk, qtbot):
    desk.meter.fault, desk.meter.fault_at = NoReply(2.0), "identity"
    desk.meter.statistics = Statistics(bytes_sent=40)
    page, session = read(window, qtbot)
    assert session.failure.title == "The meter does not answer"
    qtbot.waitUntil(lambda: "Nothing is heard" in words_of(page), timeout=PATIENCE)


# --- known meters ---------------------------------------------------------------------------


def test_an_order_whose_meter_is_known_starts_without_asking_for_the_port(window, desk, qtbot):
    kind = load_meter_type("landisgyr-zmf100")
    keep_place(desk.db.folder, "fake:optical", kind, Identity(serial="50284117"))
    window.pages.open_order(window.pages.queue.chosen)
    session = window.pages.order
    qtbot.waitUntil(lambda: session.detail is not None, timeout=PATIENCE)
    window.station.target = ""
    window.stack.currentWidget().start()
    qtbot.waitUntil(lambda: session.question is not None, timeout=PATIENCE)
    assert window.station.target == "fake:optical"
    assert not [s for s in window.findChildren(ConnectSheet) if s.isVisible()]


def test_reading_remembers_where_the_meter_answered(window, desk, qtbot):
    read(window, qtbot)
    assert desk.bench.place_of("50284117").link == "fake:optical"
    assert desk.bench.place_of("999") is None


# --- faults that nobody caught --------------------------------------------------------------


def test_a_defect_is_one_sentence_with_a_report_to_save(window, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "ask_save", lambda *_: tmp_path / "report.txt")
    sheet = window.show_fault(ZeroDivisionError("x"))
    qtbot.waitUntil(lambda: "defect" in words_of(sheet), timeout=PATIENCE)
    with qtbot.waitSignal(sheet.save.clicked, timeout=PATIENCE):
        sheet.save.click()
    assert "ZeroDivisionError" in (tmp_path / "report.txt").read_text()
    sheet.accept()
    assert window.show_fault(NoReply(1.0)).save is None, "a silent meter is no defect"


def test_hooks_bring_faults_of_threads_and_qt_and_the_second_goes_to_the_log(qtbot, caplog):
    shown = []

    def show(error):
        shown.append((error, QDialog()))
        return shown[-1][1]

    parent = QWidget()
    qtbot.addWidget(parent)
    hooks = FaultHooks(show, parent)
    caplog.set_level(logging.DEBUG)
    hooks._from_qt(QtMsgType.QtWarningMsg, None, "only a warning")
    hooks._from_thread(
        threading.ExceptHookArgs((ValueError, ValueError("in a thread"), None, None))
    )
    qtbot.waitUntil(lambda: bool(shown), timeout=PATIENCE)
    hooks._from_qt(QtMsgType.QtCriticalMsg, None, "and Qt too")
    hooks._from_python(KeyError, KeyError("k"), None)
    qtbot.wait(50)
    assert len(shown) == 1
    for text in ("only a warning", "in a thread", "and Qt too", "'k'"):
        assert text in caplog.text
    shown[0][1].deleteLater()
    qtbot.wait(50)
    hooks._from_qt(QtMsgType.QtCriticalMsg, None, "again")
    qtbot.waitUntil(lambda: len(shown) == 2, timeout=PATIENCE)
    assert str(shown[1][0]) == "again"
    shown[1][1].deleteLater()


# --- sync by itself -------------------------------------------------------------------------


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def auto(window, desk, monkeypatch):
    desk.settings.set("centre.url", "sqlite:///nowhere/centre.sqlite")
    clock = Clock()
    station = window.station
    station.auto.stop()
    station.auto = AutoSync(station, clock)
    station.auto.stop()
    station.auto.clock = clock
    return station


def test_it_syncs_after_its_pause_and_never_while_a_meter_is_worked_on(auto, monkeypatch):
    begun = []
    monkeypatch.setattr(auto, "sync_by_itself", lambda: begun.append(1))
    auto.auto.look()
    assert not begun, "nothing calls home at the start"
    auto.auto.clock.now = 15 * 60.0
    monkeypatch.setattr(auto, "busy", lambda: True)
    auto.auto.look()
    assert not begun
    monkeypatch.setattr(auto, "busy", lambda: False)
    auto.auto.look()
    assert begun == [1]
    auto.desk.settings.set("centre.every_minutes", 0)
    auto.auto.look()
    assert begun == [1], "0 switches it off"


def test_a_failure_is_quiet_in_the_chip_and_slows_it_down(window, auto, qtbot, monkeypatch):
    def broken(**_):
        yield Progress("Connecting")
        raise CentreUnreachable("no route")

    monkeypatch.setattr(auto.desk, "synchronise", broken)
    auto.sync_by_itself()
    qtbot.waitUntil(lambda: auto.sync_problem is not None, timeout=PATIENCE)
    assert not [d for d in window.findChildren(QDialog) if d.isVisible()]
    qtbot.waitUntil(lambda: "last sync broke off" in words_of(window.bar), timeout=PATIENCE)
    assert auto.auto._failed
    for _ in range(4):
        auto.auto.broke()
    assert auto.auto.batch < 500
    auto._synced(object())
    assert auto.sync_problem is None
    assert auto.auto.batch >= 500


def test_the_counter_says_what_is_unsent():
    assert sync_face(Standing(unsent=3)) == ("cloud-upload", "3 unsent")
    assert sync_face(Standing(unsent=3, syncing=True))[1] == "Sending…"


# --- the first size -------------------------------------------------------------------------


def test_the_window_never_begins_larger_than_its_screen():
    assert first_size(QSize(1366, 768), 24) == QSize(1280, 744)
    assert first_size(QSize(800, 480), 0) == QSize(800, 480)
    assert first_size(QSize(2560, 1440), 30) == QSize(1280, 800)


def test_settings_of_a_port_are_forgotten_with_the_port(window):
    window.station.choose_port(*PORT, Overrides(speed=2400))
    assert window.station.at().overrides.speed == 2400
    window.station.choose_port(*PORT)
    assert window.station.at().overrides is None
