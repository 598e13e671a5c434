"""What can go wrong: typing eaten, scan and typing mixed up, a scan of the wrong kind."""

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QWidget

from app.tasks import AnswerKind
from app.views.scanner import ScanKind, Scanner, kinds, luhn_fits, refusal
from tests.gui.patience import PATIENCE

NUMBER = "50284117"


class Keyboard:
    """Types into the focused widget at a speed that the scanner's clock believes."""

    def __init__(self, widget):
        self.now, self.widget = 100.0, widget

    def clock(self):
        return self.now

    def key(self, key, text="", modifiers=Qt.KeyboardModifier.NoModifier):
        override = QKeyEvent(QEvent.Type.ShortcutOverride, key, modifiers, text)
        override.ignore()
        QApplication.sendEvent(self.widget, override)
        QApplication.sendEvent(self.widget, QKeyEvent(QEvent.Type.KeyPress, key, modifiers, text))
        return override.isAccepted()

    def type(self, text, pause):
        for letter in text:
            self.now += pause
            self.key(Qt.Key(ord(letter.upper())), letter)

    def enter(self, pause, key=Qt.Key.Key_Return):
        self.now += pause
        return self.key(key, "\r")


@pytest.fixture
def field(qtbot):
    host = QWidget()
    edit = QLineEdit(host)
    qtbot.addWidget(host)
    host.show()
    host.activateWindow()
    qtbot.waitExposed(host)
    edit.setFocus()
    qtbot.waitUntil(edit.hasFocus, timeout=PATIENCE)
    yield edit
    host.close()


@pytest.fixture
def keyboard(field):
    return Keyboard(field)


@pytest.fixture
def scanner(qapp, keyboard, field):
    scanner = Scanner(qapp, keyboard.clock)
    yield scanner
    field.removeEventFilter(scanner)
    scanner.deleteLater()


@pytest.mark.parametrize("pause", [0.005, 0.020, 0.035])
@pytest.mark.parametrize("end", [Qt.Key.Key_Return, Qt.Key.Key_Tab])
def test_a_burst_that_ends_with_enter_or_tab_is_a_scan(scanner, keyboard, field, pause, end):
    seen = []
    scanner.scanned.connect(seen.append)
    keyboard.type(NUMBER, pause)
    taken = keyboard.enter(pause, end)
    assert taken, "the shortcut on Enter must not fire for a scan"
    assert seen == [NUMBER]
    assert field.text() == ""


@pytest.mark.parametrize("pause", [0.080, 0.120, 0.250])
def test_typing_arrives_whole_and_is_no_scan(scanner, keyboard, field, qtbot, pause):
    seen = []
    scanner.scanned.connect(seen.append)
    keyboard.type(NUMBER, pause)
    assert not keyboard.enter(pause)
    assert field.text() == NUMBER
    assert seen == []


def test_a_burst_without_an_end_is_given_back(scanner, keyboard, field, qtbot):
    keyboard.type(NUMBER, 0.005)
    assert field.text() == ""
    qtbot.waitUntil(lambda: field.text() == NUMBER, timeout=PATIENCE)


def test_a_short_burst_is_typing(scanner, keyboard, field):
    keyboard.type("12345", 0.005)
    assert not keyboard.enter(0.005)
    assert field.text() == "12345"


def test_an_end_that_comes_late_is_no_scan(scanner, keyboard, field):
    keyboard.type(NUMBER, 0.005)
    keyboard.enter(0.300)
    assert field.text() == NUMBER


def test_letters_keep_their_order_around_other_keys(scanner, keyboard, field):
    keyboard.type("AB", 0.005)
    keyboard.key(Qt.Key.Key_Left)
    keyboard.type("C", 0.2)
    scanner.give_back()
    assert field.text() == "ACB"


def test_a_change_of_focus_loses_nothing(scanner, keyboard, field, qtbot):
    other = QLineEdit(field.parentWidget())
    other.show()
    keyboard.type("AB", 0.005)
    other.setFocus()
    assert field.text() == "AB" or other.text() == "AB"
    assert field.text() + other.text() == "AB"


def test_prefix_and_suffix_are_taken_off(qapp, keyboard, field):
    scanner = Scanner(qapp, keyboard.clock, prefix="~", suffix="#")
    seen = []
    scanner.scanned.connect(seen.append)
    keyboard.type(f"~{NUMBER}#", 0.01)
    keyboard.enter(0.01)
    assert seen == [NUMBER]
    field.removeEventFilter(scanner)


def test_a_space_presses_a_button_once(scanner, field, qtbot):
    button, clicks = QPushButton("Go", field.parentWidget()), []
    button.clicked.connect(lambda: clicks.append(True))
    button.show()
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: clicks == [True], timeout=PATIENCE)
    assert not button.isDown()


def test_commands_are_not_held(scanner, keyboard, field):
    field.setText("old")
    field.selectAll()
    keyboard.key(Qt.Key.Key_X, "", Qt.KeyboardModifier.ControlModifier)
    assert field.text() == ""


def test_enter_still_reaches_a_shortcut_when_nothing_was_scanned(scanner, field, qtbot):
    pressed = []
    shortcut = QShortcut(QKeySequence(Qt.Key.Key_Return), field.parentWidget())
    shortcut.activated.connect(lambda: pressed.append(True))
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert pressed == [True]


def test_what_was_scanned_is_told_by_its_pattern():
    assert kinds("50284117") == {ScanKind.METER}
    assert ScanKind.METER in kinds("LGZ50284117")
    assert ScanKind.METER in kinds("(21)46000755036")
    assert kinds("AB 123456") == {ScanKind.SEAL}
    assert kinds("8944500208170005610") == {ScanKind.SIM}
    assert kinds("12345678901234567890") == {ScanKind.TOKEN}
    assert kinds("hello there") == {ScanKind.OTHER}


def test_a_scan_of_the_wrong_kind_is_refused_in_words():
    words = "This is a seal number. A meter number is needed."
    assert refusal("AB123456", AnswerKind.SERIAL) == words
    assert refusal("50284117", AnswerKind.SERIAL) == ""
    assert refusal("anything", AnswerKind.TEXT) == ""


def test_the_check_digit_of_a_sim_number_counts():
    assert luhn_fits("79927398713")  # the example of the standard
    assert luhn_fits("8944500208170005610")
    assert not luhn_fits("79927398710")
