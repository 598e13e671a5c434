"""A token typed from paper: grouped and counted while it comes, told what it is, compared."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.services.keypad import grouped
from app.services.token import TokenAsk
from app.views.keypad_panel import panel_for
from app.views.token_panel import TokenPanel
from drivers.secrets import Secret
from drivers.sts.token import parse
from tests.gui.fit import misfits

CREDIT = "03602411829108395503"
TOO_LARGE = "73786976294838206464"  # 2 to the power of 66


@pytest.fixture
def panel(look, qtbot):
    return shown(look, qtbot)


def shown(look, qtbot, *, first: str = "", classes: tuple[int, ...] = (0, 1)) -> TokenPanel:
    assert parse(CREDIT)[0] == 0
    made = panel_for(
        look,
        TokenAsk(
            "Type the 20 digits of the token",
            key="test_credit.token",
            classes=frozenset(classes),
            way_back="Begin again" if first else "No token here",
            first=Secret(first.encode()) if first else None,
        ),
    )
    assert isinstance(made, TokenPanel)
    qtbot.addWidget(made)
    made.resize(900, 240)
    made.show()
    made.answers = []
    made.answered.connect(made.answers.append)
    return made


def said(panel: TokenPanel) -> str:
    return panel._hint.text()


def test_digits_are_grouped_and_counted_while_they_are_typed(panel, qtbot):
    field = panel.fields[0]
    qtbot.keyClicks(field, CREDIT[:10])
    assert field.text() == "0360 2411 82"
    assert said(panel) == "10 of 20 digits"
    assert not panel.primary.isEnabled()
    qtbot.keyClicks(field, CREDIT[10:])
    assert field.text() == grouped(CREDIT)
    assert said(panel).startswith("20 of 20 digits: ")
    assert "credit" in said(panel)
    panel.primary.click()
    assert panel.answers == [CREDIT]


def test_a_digit_is_put_in_and_taken_out_in_the_middle_with_the_cursor_staying_there(panel, qtbot):
    field = panel.fields[0]
    qtbot.keyClicks(field, CREDIT[:3] + CREDIT[4:10])
    field.setCursorPosition(3)
    qtbot.keyClicks(field, CREDIT[3])
    assert field.text() == grouped(CREDIT[:10])
    assert field.cursorPosition() == 4
    field.setCursorPosition(5)  # behind a space: the first key takes only that
    qtbot.keyClick(field, Qt.Key.Key_Backspace)
    qtbot.keyClick(field, Qt.Key.Key_Backspace)
    assert field.text() == grouped(CREDIT[:3] + CREDIT[4:10])
    qtbot.keyClicks(field, "x")
    assert field.text() == grouped(CREDIT[:3] + CREDIT[4:10]), "letters are no digits"


def test_what_is_pasted_may_have_spaces_and_dashes(panel, qtbot):
    QApplication.clipboard().setText("-".join(grouped(CREDIT).split()))
    panel.fields[0].paste()
    assert panel.fields[0].text() == grouped(CREDIT)


def test_too_many_digits_are_seen_and_not_cut_off(panel, qtbot):
    qtbot.keyClicks(panel.fields[0], CREDIT + "7")
    assert said(panel) == "21 digits are 1 too many: a token has 20."
    assert not panel.primary.isEnabled()


def test_a_number_no_token_can_have_is_refused_at_the_last_digit(panel, qtbot):
    qtbot.keyClicks(panel.fields[0], TOO_LARGE)
    assert "too large for a token" in said(panel)
    panel.primary.click()
    assert not panel.answers


def test_a_token_of_a_class_the_step_does_not_take_is_named(look, qtbot):
    panel = shown(look, qtbot, classes=(2,))
    qtbot.keyClicks(panel.fields[0], CREDIT)
    assert said(panel).startswith("This is credit")
    assert said(panel).endswith("not a token for this step.")
    assert not panel.primary.isEnabled()


def test_the_second_entry_is_compared_group_by_group(look, qtbot):
    panel = shown(look, qtbot, first=CREDIT)
    wrong = str((int(CREDIT[6]) + 1) % 10)
    qtbot.keyClicks(panel.fields[0], CREDIT[:6] + wrong)
    assert said(panel).startswith("Group 2 is not as it was typed first")
    qtbot.keyClick(panel.fields[0], Qt.Key.Key_Backspace)
    qtbot.keyClicks(panel.fields[0], CREDIT[6:])
    assert said(panel).endswith("The same digits both times.")
    qtbot.keyClick(panel.fields[0], Qt.Key.Key_Return)
    panel.primary.click()
    assert panel.answers == [CREDIT]


def test_there_is_a_way_back_from_both_entries(look, qtbot):
    for first, words in (("", "No token here"), (CREDIT, "Begin again")):
        panel = shown(look, qtbot, first=first)
        back = panel.buttons[0]
        assert back.text() == words
        back.click()
        assert panel.answers == [""]


def test_a_scanned_receipt_answers_and_a_scanned_seal_does_not(panel):
    assert panel.take_scan("AB123456")
    assert "other signs" in said(panel)
    assert panel.take_scan(TOO_LARGE)
    assert not panel.answers
    assert panel.take_scan(grouped(CREDIT))
    assert panel.answers == [CREDIT]


def test_the_digits_of_the_first_entry_are_in_no_text_of_the_question():
    ask = TokenAsk("Type them once more", first=Secret(CREDIT.encode()))
    assert CREDIT not in repr(ask)


def test_it_fits_a_narrow_window(look, qtbot):
    panel = shown(look, qtbot, first=CREDIT)
    panel.resize(560, 240)
    qtbot.keyClicks(panel.fields[0], CREDIT)
    qtbot.wait(20)
    assert not misfits(panel, look)
