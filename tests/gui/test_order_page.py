"""A visit in the window: keyboard alone, questions, failures, stop, and the theme in between."""

import threading

import pytest
from PySide6.QtCore import Qt

from app.tasks import AnswerKind, Ask
from app.views import files
from app.views.question_panel import QuestionPanel
from drivers.errors import NoReply, PortProblem, PortUnavailable
from tests.gui.fake_meter import SERIAL, FakeMeter
from tests.gui.patience import PATIENCE


@pytest.fixture
def order(window, qtbot):
    """The page of the first order, with a port chosen."""
    window.station.choose_port("fake:optical", "Virtual optical port", "")
    window.pages.open_order(window.pages.queue.chosen)
    qtbot.waitUntil(lambda: bool(window.pages.order.steps), timeout=PATIENCE)
    return window.stack.currentWidget()


def asked(qtbot, page, key):
    def there():
        session = page._session
        now = page.question.question.key if page.question else None
        assert now == key, (now, session.running, session.failure, session.forecast.what())

    qtbot.waitUntil(there, timeout=PATIENCE)
    return page.question


def press(qtbot, window, key, text=""):
    widget = window.focusWidget() or window
    if text:
        for letter in text:
            qtbot.keyClick(window.focusWidget(), letter)
            qtbot.wait(50)
    qtbot.keyClick(window.focusWidget() or widget, key)


def begin(qtbot, order):
    order.press_primary()
    panel = asked(qtbot, order, "identify.serial")
    panel.take_scan(SERIAL)
    panel.take_scan(SERIAL)


def test_a_whole_job_by_keyboard_alone(window, desk, qtbot, monkeypatch):
    shown = []
    monkeypatch.setattr(files, "show_file", lambda path: shown.append(path) or True)
    window.station.choose_port("fake:optical", "Virtual optical port", "")
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.pages.order is not None, timeout=PATIENCE)
    session = window.pages.order
    qtbot.waitUntil(lambda: bool(session.steps), timeout=PATIENCE)
    page = window.stack.currentWidget()
    press(qtbot, window, Qt.Key.Key_Return)
    asked(qtbot, page, "identify.serial")
    press(qtbot, window, Qt.Key.Key_Tab, SERIAL)
    press(qtbot, window, Qt.Key.Key_Return, SERIAL)
    desk.settings.set("installer.name", "Ada Marlow")
    for key, keys in (
        ("evidence.photo", "leave"),
        ("evidence.seal", "SEAL 4711"),
        ("evidence.note", ""),
        ("signature.installer", "keep"),
        ("signature.customer", "keep"),
    ):
        panel = asked(qtbot, page, key)
        if keys == "leave" or not keys:
            skip = next(b for b in panel.buttons if b.text() == "Leave out")
            skip.setFocus()
            press(qtbot, window, Qt.Key.Key_Space)
        elif keys == "keep":
            press(qtbot, window, Qt.Key.Key_Return)
        else:
            press(qtbot, window, Qt.Key.Key_Return, keys)
    qtbot.waitUntil(lambda: session.finished and not session.running, timeout=PATIENCE)
    qtbot.waitUntil(lambda: session.detail.row.state == "done", timeout=PATIENCE)
    assert desk.meter.closed >= 1
    press(qtbot, window, Qt.Key.Key_F9)
    qtbot.waitUntil(lambda: bool(shown), timeout=PATIENCE)
    assert shown[0].read_bytes().startswith(b"%PDF")


def test_what_is_found_is_shown_as_it_arrives(window, desk, order, qtbot):
    desk.meter.hold = threading.Event()
    begin(qtbot, order)
    session = window.pages.order
    qtbot.waitUntil(lambda: bool(session.findings.rows), timeout=PATIENCE)
    qtbot.waitUntil(lambda: order.findings.table() is not None, timeout=PATIENCE)
    assert session.running
    assert order.strip.isVisible()
    assert "rows" in session.forecast.what()
    qtbot.waitUntil(lambda: order.findings._current == "rows", timeout=PATIENCE)
    desk.meter.hold.set()
    asked(qtbot, order, "evidence.photo")
    qtbot.waitUntil(lambda: order.findings._current == "checks", timeout=PATIENCE)


def test_escape_stops_and_what_arrived_is_kept(window, desk, order, qtbot):
    desk.meter.hold = threading.Event()
    begin(qtbot, order)
    session = window.pages.order
    qtbot.waitUntil(lambda: bool(session.findings.rows), timeout=PATIENCE)
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not session.running, timeout=PATIENCE)
    assert session.failure is None
    assert session.stopped
    qtbot.waitUntil(lambda: session.done == 4, timeout=PATIENCE)
    assert session.findings.rows
    desk.meter.hold.set()
    order.press_primary()
    asked(qtbot, order, "evidence.photo")


@pytest.mark.parametrize(
    ("fault", "title"),
    [
        (NoReply(2.0), "The meter does not answer"),
        (PortUnavailable("gone", PortProblem.LOST), "The probe is gone"),
        (ZeroDivisionError("x"), "Something unexpected went wrong"),
    ],
)
def test_a_failure_says_what_happened_and_what_to_do(window, desk, order, qtbot, fault, title):
    desk.meter.fault, desk.meter.fault_at = fault, "identity"
    begin(qtbot, order)
    qtbot.waitUntil(lambda: order.fault is not None, timeout=PATIENCE)
    assert order.fault.message.title == title
    assert not order.fault.technical.words.isVisible(), "the technical line is folded"
    order.fault.technical.fold.click()
    assert order.fault.technical.words.isVisible()
    desk.meter.fault = None
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_F3)
    asked(qtbot, order, "evidence.photo")


def test_the_wrong_meter_is_a_question_with_words(window, desk, order, qtbot):
    desk.meter.serial = "99999999"
    begin(qtbot, order)
    panel = asked(qtbot, order, "identify.wrong")
    assert "99999999" in panel.question.text
    assert [button.text() for button in panel.buttons][-1] == panel.question.choices[0]


def test_a_change_of_theme_disturbs_nothing_that_runs(window, desk, order, qtbot):
    desk.meter.hold = threading.Event()
    begin(qtbot, order)
    session = window.pages.order
    qtbot.waitUntil(lambda: bool(session.findings.rows), timeout=PATIENCE)
    desk.settings.set("look.theme", "field")
    window._take_look()
    qtbot.waitUntil(lambda: window.look.theme.name == "field", timeout=PATIENCE)
    page = window.stack.currentWidget()
    assert page is not order
    assert session.running
    qtbot.waitUntil(page.strip.isVisible, timeout=PATIENCE)
    desk.meter.hold.set()
    asked(qtbot, page, "evidence.photo")


def test_the_window_closes_when_the_meter_is_signed_off(window, desk, order, qtbot):
    desk.meter.hold = threading.Event()
    begin(qtbot, order)
    session = window.pages.order
    qtbot.waitUntil(lambda: bool(session.findings.rows), timeout=PATIENCE)
    window.close()
    assert window.isVisible()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=PATIENCE)
    assert desk.meter.closed >= 1


def test_a_second_start_on_a_busy_probe_is_refused_in_words(window, desk, order, qtbot):
    desk.meter.hold = threading.Event()
    begin(qtbot, order)
    qtbot.waitUntil(lambda: bool(window.pages.order.findings.rows), timeout=PATIENCE)
    with qtbot.waitSignal(window.station.noticed, timeout=PATIENCE) as told:
        window.pages.reading.start()
    assert "in use" in told.args[1]
    assert not window.pages.reading.running
    desk.meter.hold.set()
    asked(qtbot, order, "evidence.photo")


class TestQuestions:
    @pytest.fixture
    def panel(self, look, qtbot):
        shown = []

        def made(ask):
            panel = QuestionPanel(look, ask)
            qtbot.addWidget(panel)
            panel.show()
            shown.append(panel)
            panel.answers = []
            panel.answered.connect(panel.answers.append)
            return panel

        yield made
        for panel in shown:
            for button in panel.buttons:
                button.deleteLater()

    def test_a_typed_serial_is_typed_twice(self, panel):
        shown = panel(Ask("Serial?", kind=AnswerKind.SERIAL))
        shown.fields[0].setText("123")
        assert not shown.primary.isEnabled()
        shown.fields[1].setText("124")
        assert not shown.primary.isEnabled()
        shown._submit()
        assert shown._hint.text() == "The two numbers differ."
        shown.fields[1].setText("123")
        shown.primary.click()
        assert shown.answers == ["123"]

    def test_two_equal_scans_answer_and_two_different_ones_do_not(self, panel):
        shown = panel(Ask("Serial?", kind=AnswerKind.SERIAL))
        shown.take_scan("50284117")
        assert shown.answers == []
        shown.take_scan("50284118")
        assert shown.answers == []
        assert "Another number" in shown._hint.text()
        shown.take_scan("50284118")
        assert shown.answers == ["50284118"]

    def test_a_scan_with_a_check_digit_answers_at_once(self, panel):
        shown = panel(Ask("Serial?", kind=AnswerKind.SERIAL))
        shown.take_scan("4006381333931")
        assert shown.answers == ["4006381333931"]

    def test_a_seal_scanned_for_a_meter_is_refused(self, panel):
        shown = panel(Ask("Serial?", kind=AnswerKind.SERIAL))
        told = []
        shown.noticed.connect(told.append)
        shown.take_scan("AB 123456")
        assert told == ["This is a seal number. A meter number is needed."]
        assert shown.fields[0].text() == ""

    def test_a_number_takes_a_comma_and_refuses_words(self, panel):
        shown = panel(Ask("How many?", kind=AnswerKind.NUMBER))
        shown.fields[0].setText("many")
        assert not shown.primary.isEnabled()
        shown.fields[0].setText("12,50")
        shown.primary.click()
        assert shown.answers == ["12.50"]

    def test_a_photo_must_exist(self, panel, tmp_path):
        shown = panel(Ask("Photo?", kind=AnswerKind.FILE))
        shown.fields[0].setText(str(tmp_path / "none.jpg"))
        shown.primary.click()
        assert shown.answers == []
        assert shown._hint.text() == "No such file."

    def test_a_dangerous_question_has_no_default_button(self, panel):
        ask = Ask("Switch off?", ("Switch off", "Leave"), dangerous=True)
        shown = panel(ask)
        assert shown.primary is None
        assert {button.property("kind") for button in shown.buttons} == {"secondary"}

    def test_an_optional_question_can_be_left_out(self, panel):
        shown = panel(Ask("A note", kind=AnswerKind.TEXT, optional=True))
        next(b for b in shown.buttons if b.text() == "Leave out").click()
        assert shown.answers == [""]


def test_a_meter_that_fails_a_check_is_said_before_the_table(window, desk, order, qtbot):
    from decimal import Decimal

    desk.meter.volts = Decimal("261.0")
    begin(qtbot, order)
    panel = asked(qtbot, order, "evidence.photo")
    for _ in range(5):
        session = window.pages.order
        key = panel.question.key
        session.answer(panel.question.default if key.startswith("signature") else "")
        if key == "signature.customer":
            break
        qtbot.waitUntil(
            lambda key=key: order.question is not None and order.question.question.key != key,
            timeout=PATIENCE,
        )
        panel = order.question
    qtbot.waitUntil(lambda: not session.running and session.finished, timeout=PATIENCE)
    assert "failed" in order._now.accessibleName()


def test_the_fake_meter_has_a_gap_and_flags():
    meter = FakeMeter()
    from drivers.values import Span, gaps

    rows = [row for block in meter.profile(meter.profile_info(), Span()) for row in block.rows]
    assert len(gaps([row.time for row in rows], 900)) == 1
