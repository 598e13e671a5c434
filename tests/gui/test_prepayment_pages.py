"""Prepayment in the window: digits on their way to the keypad, tokens, campaigns, their import."""

import csv
from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from app.services.keypad import KeypadAsk, load_keypad
from app.tasks import AnswerKind, Ask, Found
from app.views import files
from app.views.controls import ActionButton
from app.views.findings import Findings
from app.views.findings_view import FindingsView
from app.views.import_sheet import ImportSheet
from app.views.keypad_panel import KeypadPanel, panel_for
from app.views.meter_keys import MeterKeys
from app.views.question_panel import QuestionPanel
from app.workorders.entering import KEYPAD_ANSWERS
from app.workorders.tokens import TokenView
from drivers.secrets import Secret
from tests.gui.fake_meter import SERIAL
from tests.gui.fit import misfits
from tests.gui.keyboard import problems
from tests.gui.patience import PATIENCE
from tests.prepayment_setup import box_in, campaign_list, campaign_states

DIGITS = "70631234567890126114"


def question(name: str = "generic") -> KeypadAsk:
    return KeypadAsk(
        "Type token 7063 •••• •••• •••• 6114 on the keypad. What does the display say?",
        tuple(KEYPAD_ANSWERS),
        "keychange.t101_result",
        digits=Secret(DIGITS.encode()),
        pad=load_keypad(name),
        place=2,
        count=4,
    )


@pytest.fixture
def panel(look, qtbot):
    made = panel_for(look, question())
    qtbot.addWidget(made)
    made.resize(900, 300)
    made.show()
    return made


def test_the_digits_are_typed_group_by_group_then_compared_then_the_display_is_asked(panel):
    assert isinstance(panel, KeypadPanel)
    said = []
    for _ in range(5):
        said.append((panel.digits.accessibleDescription(), panel.now.text()))
        panel.primary.click()
    assert said[0] == ("7 0 6 3", "Token 2 of 4. Type group 1 of 5 on the meter.")
    assert said[4][0] == "6 1 1 4"
    assert "press the enter key" in panel.now.text()
    assert panel.answers.isHidden()
    panel.primary.click()
    assert panel.answers.isVisible()
    assert panel.digits.isHidden()
    assert not panel.primary.isVisible(), "an Enter too many answers nothing"


def test_a_meter_without_an_enter_key_is_compared_before_the_last_group(look, qtbot):
    made = panel_for(look, question("hexcell"))
    qtbot.addWidget(made)
    made.show()
    for _ in range(4):
        made.primary.click()
    assert made.now.text().startswith("Token 2 of 4. Compare the first four groups")
    made.primary.click()
    assert made.answers.isVisible()


def test_what_the_display_says_is_answered_in_words(panel, qtbot):
    panel.read.click()
    given = []
    panel.answered.connect(given.append)
    grid = panel.answers.layout()
    assert grid.count() == len(KEYPAD_ANSWERS)
    used = next(
        grid.itemAt(n).widget()
        for n in range(grid.count())
        if grid.itemAt(n).widget().text() == "Used"
    )
    used.click()
    assert given == ["Used"]


def test_the_way_back_to_the_digits_and_the_arrows(panel, qtbot):
    panel.read.click()
    panel.read.click()
    assert panel.digits.isVisible()
    assert panel.digits.here == 0
    qtbot.keyClick(panel.digits, Qt.Key.Key_Right)
    assert panel.digits.here == 1
    qtbot.keyClick(panel.digits, Qt.Key.Key_Left)
    qtbot.keyClick(panel.digits, Qt.Key.Key_Left)
    assert panel.digits.here == 0
    qtbot.mouseClick(
        panel.digits, Qt.MouseButton.LeftButton, pos=panel.digits._box(3).center().toPoint()
    )
    assert panel.digits.here == 3


def test_the_digits_fit_a_narrow_window(look, qtbot):
    made = panel_for(look, question())
    qtbot.addWidget(made)
    made.resize(420, 260)
    made.show()
    qtbot.wait(20)
    assert made.digits._box(4).right() <= made.digits.width()


def test_the_digits_are_in_no_text_of_the_question():
    ask = question()
    assert DIGITS not in repr(ask)
    assert not any(group in f"{ask.text}{ask.detail}{ask!r}" for group in ask.groups[1:4])


def test_a_password_of_a_second_person_shows_as_dots(look, qtbot):
    made = panel_for(look, Ask("Approve", (), "k", AnswerKind.PROOF))
    qtbot.addWidget(made)
    assert isinstance(made, QuestionPanel)
    assert made.fields[0].echoMode() == QLineEdit.EchoMode.Password


def view(state: str, code: int = 0) -> TokenView:
    shown = "7063 •••• •••• •••• 6114"
    return TokenView("1", 1, "credit", shown, "credit", Decimal("12.5"), "kWh", state, code)


def test_tokens_come_as_a_view_of_their_own_with_what_to_do_next(window, look, qtbot):
    findings = Findings()
    made = FindingsView(look, window.station, findings, checks=True)
    qtbot.addWidget(made)
    assert "Tokens" not in made.segments.accessibleName()
    findings.take(Found("tokens", (view("accepted", 1), view("refused", 10), view("intended"))))
    made.refresh()
    assert "Tokens" in made.segments.accessibleName()
    _, rows = made.table().texts()
    assert rows[0] == ["7063 •••• •••• •••• 6114", "Credit, 12.5 kWh", "Accepted", "Accepted"]
    assert rows[1][2].startswith("Used token, Look at the balance")
    assert rows[2][3] == "Not known"


@pytest.fixture
def office(desk, opened, qtbot, tmp_path):
    """A window whose laptop has a keyring, and the list of a campaign."""
    desk.tokens = box_in(tmp_path / "data")
    path = tmp_path / "North_2026.csv"
    campaign_list(path, damaged=True)
    window = opened(desk)
    return window, path


def imported(window, path, qtbot, monkeypatch):
    monkeypatch.setattr(files, "ask_open", lambda *_: path)
    window.stack.currentWidget().import_file()
    sheet = window.findChildren(ImportSheet)[-1]
    qtbot.waitUntil(sheet.go.isEnabled, timeout=PATIENCE)
    return sheet


def test_a_campaign_is_imported_after_a_look_into_it(office, desk, qtbot, monkeypatch):
    window, path = office
    before = window.pages.queue.everything
    sheet = imported(window, path, qtbot, monkeypatch)
    assert sheet.summary.text().startswith("6 new jobs, 20 tokens, 1 problem")
    assert sheet.name.text() == "North 2026"
    assert sheet.table.model().cell(0, 2).text == "key change 2: a token has 20 digits"
    assert window.pages.queue.everything == before
    assert misfits(sheet, window.look) == []
    sheet.go.click()
    qtbot.waitUntil(lambda: window.pages.queue.everything == before + 6, timeout=PATIENCE)
    qtbot.waitUntil(window.stack.currentWidget().campaigns.isVisible, timeout=PATIENCE)


@pytest.fixture
def campaign(office, desk, qtbot, monkeypatch):
    window, path = office
    sheet = imported(window, path, qtbot, monkeypatch)
    sheet.go.click()
    qtbot.waitUntil(lambda: window.pages.queue.campaigns, timeout=PATIENCE)
    campaign_states(desk.db)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
    window.stack.currentWidget().table.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_F6)
    session = window.pages.campaign
    qtbot.waitUntil(lambda: session.status is not None, timeout=PATIENCE)
    return window, session, window.stack.currentWidget()


def test_the_campaign_tells_how_far_each_meter_is_and_filters(campaign, qtbot):
    window, session, page = campaign
    assert problems(window) == []
    assert page.done.text() == "1 of 6 meters verified"
    assert page.states.itemText(0) == "All meters 6"
    assert session.status.counts == {
        "waiting": 2, "first entered": 1, "complete": 1, "verified": 1, "refused": 1,
        "no access": 0,
    }  # fmt: skip
    assert misfits(window, window.look) == []
    page.states.setCurrentIndex(page.states.findData("refused"))
    page.states.activated.emit(page.states.currentIndex())
    assert page.table.model().rowCount() == 1
    page.search.setText("nowhere")
    assert page.table.isHidden()
    assert "No meter of this campaign" in page.none.text()
    assert not page.open.isEnabled()
    page.search.setText("")
    page.states.setCurrentIndex(0)
    page.states.activated.emit(0)
    assert page.table.model().rowCount() == 6
    page.table.setFocus()
    page.table.copy()
    assert "Verified" in QApplication.clipboard().text()


def test_accepted_changes_go_to_the_vending_office_once_marked(
    campaign, qtbot, monkeypatch, tmp_path
):
    _, session, page = campaign
    target = tmp_path / "accepted.csv"
    monkeypatch.setattr(files, "ask_save", lambda *_: target)
    assert page.send.text() == "Export accepted (1 new)…"
    page.send.click()
    qtbot.waitUntil(lambda: session.to_send == 0 and target.exists(), timeout=PATIENCE)
    qtbot.waitUntil(lambda: page.send.text() == "Export accepted…", timeout=PATIENCE)
    with target.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["new_krn"] == "2"
    table = tmp_path / "table.csv"
    monkeypatch.setattr(files, "ask_save", lambda *_: table)
    page.take.click()
    qtbot.waitUntil(table.exists, timeout=PATIENCE)
    assert len(table.read_text(encoding="utf-8-sig").splitlines()) == 7


def test_an_order_opened_from_a_campaign_closes_back_to_it(campaign, qtbot):
    window, session, page = campaign
    page.press_primary()
    qtbot.waitUntil(lambda: window.pages.order is not None, timeout=PATIENCE)
    order = window.pages.order
    qtbot.waitUntil(lambda: bool(order.steps), timeout=PATIENCE)
    assert len(order.findings.tokens) == 4
    window.pages.close_order()
    assert window.stack.currentWidget() is page
    window.pages.close_campaigns()
    assert window.pages.campaign is None
    assert session.status is not None


def test_a_virtual_meter_is_typed_on_once_and_its_display_is_read(look, qtbot):
    typed = []

    def keys(digits, then, _owner):
        typed.append(digits)
        then("Reject, result 10")

    made = panel_for(look, question(), keys)
    qtbot.addWidget(made)
    made.resize(900, 300)
    made.show()
    assert "F7 shows its keys" in made._words.text()
    made.type.click()
    made.type.click()
    assert typed == [DIGITS], "pressing twice types once"
    assert made.answers.isVisible()
    assert "display says: Reject, result 10" in made._words.text()


def test_key_changes_are_reached_without_a_key_in_a_small_window(desk, opened, qtbot, tmp_path):
    from app.workorders.incoming import bring

    campaign_list(tmp_path / "North.csv")
    bring(desk.db, tmp_path / "North.csv", box_in(tmp_path / "box"), campaign="North")
    window = opened(desk)
    window.resize(1024, 600)
    qtbot.waitUntil(lambda: window.look.compact, timeout=PATIENCE)
    qtbot.waitUntil(lambda: window.pages.queue.campaigns, timeout=PATIENCE)
    page = window.stack.currentWidget()
    qtbot.waitUntil(page.campaigns.isVisible, timeout=PATIENCE)
    assert not misfits(window, window.look)
    qtbot.mouseClick(page.campaigns, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.pages.campaign.status is not None, timeout=PATIENCE)


@pytest.mark.parametrize(("role", "shown"), [("security officer", True), ("installer", False)])
def test_what_goes_to_the_vending_office_is_offered_to_who_may_send_it(
    desk, window, look, qtbot, role, shown
):
    from app.services.users import SignedIn
    from app.views.campaign_page import CampaignPage, CampaignSession

    desk.db.actor = SignedIn("somebody", role)
    page = CampaignPage(look, CampaignSession(window.station))
    qtbot.addWidget(page)
    page.show()
    assert page.send.isVisible() is shown
    qtbot.wait(50)


# --- the keys of a virtual meter ----------------------------------------------------------------


@pytest.fixture
def keys(desk, opened, qtbot):
    """The keys of a virtual meter beside the window, and what was pressed on it."""
    pressed = []

    def press(serial, digits):
        pressed.append((serial, digits))
        return "" if digits == "000" else f"answer to {digits}"

    desk.keypad = press
    window = opened(desk)
    qtbot.waitUntil(lambda: window.pages.queue.detail is not None, timeout=PATIENCE)
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_F7)
    return window, sheet_of_keys(window), pressed


def sheet_of_keys(window):
    return next(sheet for sheet in window.findChildren(MeterKeys) if sheet.isVisible())


def test_keys_are_pressed_one_by_one_and_the_display_answers_enter(keys, qtbot):
    _, sheet, pressed = keys
    assert not sheet.isModal(), "what is to be typed stands in the window"
    for figure in "801":
        next(b for b in sheet.findChildren(ActionButton) if b.text() == figure).click()
    assert sheet.typed.text() == "801"
    QTest.keyClick(sheet.typed, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: sheet.display.text() == "answer to 801", timeout=PATIENCE)
    assert sheet.typed.text() == ""
    QTest.keyClick(sheet.typed, Qt.Key.Key_Return)  # once too often
    assert pressed == [(SERIAL, "801")]
    assert problems(sheet) == []


def test_the_twentieth_digit_hands_the_token_in_and_a_silent_display_says_so(keys, qtbot):
    _, sheet, pressed = keys
    for figure in DIGITS:
        QTest.keyClick(sheet.typed, Qt.Key(ord(figure)))
        QTest.keyClick(sheet.typed, Qt.Key.Key_X)  # no digit
    qtbot.waitUntil(lambda: pressed == [(SERIAL, DIGITS)], timeout=PATIENCE)
    sheet.typed.setText("000")
    sheet.go.click()
    qtbot.waitUntil(lambda: sheet.display.text() == "(nothing)", timeout=PATIENCE)


def test_a_short_code_is_one_press_and_the_same_key_closes_the_keys(keys, qtbot):
    window, sheet, pressed = keys
    QTest.keyClick(sheet.typed, Qt.Key.Key_F7)
    assert not sheet.isVisible()
    station, press = window.station, window.station.desk.keypad
    prepaid = MeterKeys(window.look, station, press, window, serial="1", kind="hexcell-ddsy1088")
    prepaid.show()
    prepaid.codes.activated.emit(0)  # the heading
    prepaid.codes.activated.emit(prepaid.codes.findData("901"))
    qtbot.waitUntil(lambda: prepaid.display.text() == "answer to 901", timeout=PATIENCE)
    assert pressed == [("1", "901")]
    window.pages.open_meter_keys()
    window.pages.open_meter_keys()
    assert sum(sheet.isVisible() for sheet in window.findChildren(MeterKeys)) == 1
    sheet_of_keys(window).close()


def test_where_meters_are_real_there_are_no_keys_to_show(window):
    window.pages.open_meter_keys()
    assert window.findChildren(MeterKeys) == []
