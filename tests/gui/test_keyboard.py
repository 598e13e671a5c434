"""Everything can be done without a mouse: Tab in reading order, letters with Alt, F-keys.

Signing in, the centre and campaigns are walked in the tests of their own pages, and every screen
that there is by the picture tour.
"""

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.services.token import TokenAsk
from app.tasks import AnswerKind, Ask
from app.views.connect_sheet import ConnectSheet
from app.views.find_sheet import FindSheet
from app.views.help_sheet import HelpSheet
from app.views.import_sheet import ImportSheet
from app.views.incident_sheet import IncidentSheet
from app.views.key_tips import key_tips
from app.views.maintenance import TOOLS
from app.views.queue_page import QueuePage
from app.views.secret_sheet import SecretSheet
from app.views.settings_sheet import SettingsSheet
from app.views.sheet import Sheet
from app.views.skip_sheet import SkipSheet
from app.workorders.entering import KEYPAD_ANSWERS
from drivers.errors import NoReply
from tests.gui.fit import misfits
from tests.gui.keyboard import problems
from tests.gui.patience import PATIENCE
from tests.gui.test_order_page import asked, begin, order
from tests.gui.test_prepayment_pages import question
from tests.prepayment_setup import campaign_list

__all__ = ["order"]


def sheet_of(window, kind):
    return next(sheet for sheet in window.findChildren(kind) if sheet.isVisible())


def in_front(qtbot, sheet):
    qtbot.waitUntil(lambda: QApplication.activeWindow() is sheet, timeout=PATIENCE)
    return sheet


def test_the_keyboard_reaches_everything_on_every_place_and_of_every_tool(window, qtbot):
    for place in range(4):
        window.open_place(place)
        qtbot.wait(20)
        assert problems(window) == []
    for tool in range(len(TOOLS)):
        window.open_place(1)
        window.pages.open_tool(tool)
        qtbot.wait(20)
        assert problems(window) == []
    window.turn_trace()
    qtbot.wait(20)
    assert problems(window) == []


def test_the_keyboard_reaches_everything_of_a_visit(window, desk, order, qtbot):
    assert problems(window) == []
    desk.meter.fault, desk.meter.fault_at = NoReply(2.0), "identity"
    begin(qtbot, order)
    qtbot.waitUntil(lambda: order.fault is not None, timeout=PATIENCE)
    assert problems(window) == [], "it went wrong"
    desk.meter.fault = None
    order.start()
    asked(qtbot, order, "evidence.photo")
    for kind in order.findings._kinds:
        order.findings.turn_to(kind)
        qtbot.wait(20)
        assert problems(window) == []


ASKED = [
    Ask("Which one?", ("This", "That", "None of them"), "x.choice"),
    Ask("What does it show?", tuple(KEYPAD_ANSWERS), "x.many"),
    Ask("How much?", key="x.number", kind=AnswerKind.NUMBER),
    Ask("The number of the meter", key="x.serial", kind=AnswerKind.SERIAL),
    Ask("A photo", key="x.photo", kind=AnswerKind.FILE),
    Ask("Own password", key="x.password", kind=AnswerKind.PROOF),
    TokenAsk("The token", key="x.token", classes=frozenset({0}), way_back="No token here"),
    question(),
]


def test_the_keyboard_reaches_everything_of_every_question(window, order, qtbot):
    for ask in ASKED:
        order._session.question = ask
        order._session.turned.emit()
        assert order.question is not None
        qtbot.wait(20)
        assert problems(window) == [], ask.key
        assert misfits(window, window.look) == [], ask.key
    order._session.question = None
    order._session.turned.emit()


def test_the_keyboard_reaches_everything_on_the_way_to_a_meter(window, qtbot):
    window.ask_for_port("Connect", None)
    ports = in_front(qtbot, sheet_of(window, ConnectSheet))
    qtbot.waitUntil(lambda: ports.list.model().rowCount() > 0, timeout=PATIENCE)
    qtbot.waitUntil(lambda: ports.types.count() > 2, timeout=PATIENCE)
    assert problems(ports) == []
    ports.settings.click()
    settings = in_front(qtbot, sheet_of(ports, SettingsSheet))
    qtbot.waitUntil(lambda: settings.form.types.count() > 2, timeout=PATIENCE)
    assert problems(settings) == []
    settings.new_secret.click()
    secret = in_front(qtbot, sheet_of(settings, SecretSheet))
    assert problems(secret) == []
    secret.reject()
    settings.reject()
    ports.finder.click()
    found = in_front(qtbot, sheet_of(ports, FindSheet))
    qtbot.waitUntil(lambda: not found._runner.busy, timeout=PATIENCE)
    assert problems(found) == []
    found.reject()
    ports.reject()


def test_the_keyboard_reaches_everything_of_the_dialogs_of_a_job(window, order, qtbot, tmp_path):
    look, station = window.look, window.station
    path = tmp_path / "campaign.csv"
    campaign_list(path, damaged=True)
    for sheet in (
        ImportSheet(look, station, path, window),
        IncidentSheet(look, station, order._session.detail, window),
        SkipSheet(look, "Photo and seal", [("no_time", "No time")], window),
    ):
        sheet.open()
        in_front(qtbot, sheet)
        if isinstance(sheet, ImportSheet):
            qtbot.waitUntil(sheet.go.isEnabled, timeout=PATIENCE)
        assert problems(sheet) == []
        sheet.reject()


# --- letters --------------------------------------------------------------------------------


def test_alt_shows_letters_and_a_letter_presses_what_it_stands_at(window, qtbot):
    letter = next(key for key, widget in key_tips(window).items() if widget is window.bar.button)
    focus = QApplication.focusWidget()
    QTest.keyPress(focus, Qt.Key.Key_Alt)
    assert window.key_tips._signs.isVisible()
    assert not window.key_tips._signs.grab().toImage().isNull()
    QTest.keyClick(focus, Qt.Key(ord(letter)), Qt.KeyboardModifier.AltModifier)
    assert sheet_of(window, ConnectSheet)
    assert window.key_tips._signs is None


def test_letters_go_when_alt_is_let_go_and_one_that_stands_nowhere_does_nothing(window, qtbot):
    focus = QApplication.focusWidget()
    QTest.keyPress(focus, Qt.Key.Key_Alt)
    QTest.keyRelease(focus, Qt.Key.Key_Alt)
    assert window.key_tips._signs is None
    free = next(letter for letter in "QXZWVYK" if letter not in key_tips(window))
    QTest.keyClick(focus, Qt.Key(ord(free)), Qt.KeyboardModifier.AltModifier)
    assert QApplication.focusWidget() is focus
    assert not any(sheet.isVisible() for sheet in window.findChildren(Sheet))


def test_the_work_areas_keep_their_letters_on_every_page(window, qtbot):
    def areas():
        tips = key_tips(window).items()
        return {letter for letter, widget in tips if widget.property("part") == "rail"}

    first = areas()
    assert first == {"J", "M", "S", "C"}
    for place in range(4):
        window.open_place(place)
        assert areas() == first


def test_letters_work_in_a_dialog(window, qtbot):
    window.ask_for_port("Connect", None)
    sheet = in_front(qtbot, sheet_of(window, ConnectSheet))
    letter = next(key for key, widget in key_tips(sheet).items() if widget is sheet.other)
    QTest.keyClick(sheet.list, Qt.Key(ord(letter)), Qt.KeyboardModifier.AltModifier)
    assert sheet.other.hasFocus()
    assert sheet.other.text() == ""
    sheet.reject()


# --- F-keys ---------------------------------------------------------------------------------


def test_f1_tells_the_keys_of_the_page_and_pressed_twice_opens_one_list(window, qtbot):
    for _ in range(2):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_F1)
    shown = [sheet for sheet in window.findChildren(HelpSheet) if sheet.isVisible()]
    assert len(shown) == 1
    in_front(qtbot, shown[0])
    assert problems(shown[0]) == []
    rows = [row[0] for row in shown[0].table.texts()[1]]
    assert rows[:2] == ["F5", "F6"]
    assert {"F1", "F2", "F8", "Enter", "Esc", "Alt"} < set(rows)
    QTest.keyClick(shown[0].table, Qt.Key.Key_Return)
    assert not shown[0].isVisible()
    assert isinstance(window.stack.currentWidget(), QueuePage)


def test_f4_goes_from_one_check_that_is_no_pass_to_the_next(window, desk, order, qtbot):
    QTest.keyClick(order, Qt.Key.Key_F4)  # nothing is checked yet
    begin(qtbot, order)
    asked(qtbot, order, "evidence.photo")
    order.findings.turn_to("events")
    wanting = []
    for _ in range(3):
        QTest.keyClick(order, Qt.Key.Key_F4)
        table = order.findings.table()
        wanting.append(table.texts([table.currentIndex().row()])[1][0][4])
    assert "Pass" not in wanting
    assert table.hasFocus()


def test_the_tab_key_stops_at_the_chosen_of_several_and_arrows_choose_another(window, qtbot):
    shares = window.stack.currentWidget().shares
    buttons = shares._group.buttons()
    stops = [b for b in buttons if b.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert stops == [buttons[1]]
    buttons[1].setFocus()
    QTest.keyClick(buttons[1], Qt.Key.Key_Right)
    assert buttons[2].isChecked()
    assert buttons[2].hasFocus()
    assert window.pages.queue.share == 2


def test_escape_stops_what_runs_wherever_the_focus_is(window, desk, qtbot):
    window.station.choose_port("fake:optical", "Virtual optical port", "")
    window.open_place(1)
    page, session = window.stack.currentWidget(), window.pages.reading
    desk.meter.pause = 0.2
    window.bar.button.setFocus()
    QTest.keyClick(window.bar.button, Qt.Key.Key_F3)
    qtbot.waitUntil(lambda: len(session.findings.rows) > 0, timeout=PATIENCE)
    QTest.keyClick(window.bar.button, Qt.Key.Key_Escape)
    desk.meter.pause = 0.0
    qtbot.waitUntil(lambda: not session.running, timeout=PATIENCE)
    assert session.stopped
    assert not session.findings.whole
    assert page is window.stack.currentWidget()


def test_when_reading_begins_behind_a_dialog_the_focus_goes_to_its_stop(window, desk, qtbot):
    window.open_place(1)
    page, session = window.stack.currentWidget(), window.pages.reading
    desk.meter.pause = 0.2
    page.press_primary()
    ports = in_front(qtbot, sheet_of(window, ConnectSheet))
    qtbot.waitUntil(ports.go.isEnabled, timeout=PATIENCE)
    ports.go.click()
    qtbot.waitUntil(lambda: session.running, timeout=PATIENCE)
    qtbot.waitUntil(lambda: window.focusWidget() is page.strip.stop, timeout=PATIENCE)
    desk.meter.pause = 0.0
    session.stop()
    qtbot.waitUntil(lambda: not session.running, timeout=PATIENCE)
