"""Parameters and firmware in the window: read, compared, written in steps, taken back."""

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from sqlalchemy import select

from app.models.people import Audit
from app.services import users
from app.services.battery import Battery
from app.services.parameters import save_parameters
from app.services.users import SignedIn
from app.views import files, write_sheet
from app.views.act_sheet import ActSheet
from app.views.firmware_page import FirmwarePage
from app.views.firmware_session import FirmwareSession
from app.views.parameters_page import ParametersPage
from app.views.parameters_session import ParametersSession
from app.views.service_page import ServicePage
from app.views.service_session import ServiceSession
from app.views.station import Station
from drivers.dlms.meter import DlmsMeter
from drivers.errors import NoReply, ValueRefused
from drivers.simulator.dlms.images import signed
from drivers.switching import Switching
from tests.gui.object_desk import SERIAL, TYPE, ended, opened_desk
from tests.gui.patience import PATIENCE
from tests.gui.test_accessible import unnamed
from tests.gui.test_objects_page import settled, words_of

PASSWORD = "a long word of lena"
LIMIT = ("0-0:17.0.0.255", 71, 4)


@pytest.fixture
def desk(empty_folder, tmp_path):
    with opened_desk(empty_folder, tmp_path / "data") as desk:
        yield desk


@pytest.fixture
def station(desk, qtbot):
    station = Station(desk)
    station.choose_port("fake:bus", "Virtual RS-485 bus", TYPE)
    yield station
    ended(station, qtbot)


@pytest.fixture
def show(station, look, qtbot):
    def show(kind, session_kind):
        page = kind(look, session_kind(station))
        qtbot.addWidget(page)
        page.resize(1260, 700)
        page.show()
        page.opened()
        qtbot.waitExposed(page)
        page.go.click()
        settled(page.session, qtbot)
        qtbot.waitUntil(page.go.isEnabled, timeout=PATIENCE)
        return page

    return show


def go_through(page, qtbot, digits=SERIAL[-4:], approve=None):
    """Go through the steps of the act that was begun; the sheet is left at its end."""
    sheet = page.findChildren(ActSheet)[-1]
    qtbot.waitUntil(lambda: sheet._step == "form", timeout=PATIENCE)
    sheet.reason.setText("Tariff of January")
    sheet.go.click()
    if approve is not None:
        qtbot.waitUntil(lambda: sheet._step == "approve", timeout=PATIENCE)
        assert not sheet.go.isEnabled()
        assert list(unnamed(sheet)) == []
        sheet._approval.password.setText(approve)
        sheet.go.click()
    qtbot.waitUntil(lambda: sheet._step in {"confirm", "failed"}, timeout=PATIENCE)
    if sheet._step == "failed":
        return sheet
    sheet.digits.setText(digits)
    sheet.go.click()
    qtbot.waitUntil(lambda: sheet._step in {"written", "failed"}, timeout=PATIENCE)
    return sheet


def audit(desk):
    with desk.db.read() as opened:
        return [row.act for row in opened.scalars(select(Audit))]


def file_of(session, tmp_path, **values):
    """Write the parameters of the meter to a file, some with another value."""
    listed = json.loads(save_parameters(tuple(session.meter.values())))["parameters"]
    for item in listed:
        if item.get("value") in values:
            item["value"] = values[item["value"]]
    path = tmp_path / "T2.json"
    path.write_text(json.dumps({"parameters": listed}))
    return path


@pytest.fixture
def parameters(show, tmp_path, qtbot):
    """The page after a read, with a file that wants two limits otherwise."""
    page = show(ParametersPage, ParametersSession)
    session = page.session
    session.open_file(file_of(session, tmp_path, **{"13800": "9200", "6900": "4600"}))
    qtbot.waitUntil(lambda: bool(session.file), timeout=PATIENCE)
    return page


# --- parameters -----------------------------------------------------------------------------


def test_what_differs_is_marked_and_can_be_looked_at_alone(parameters, qtbot):
    page = parameters
    qtbot.waitUntil(lambda: "2 differ." in words_of(page), timeout=PATIENCE)
    assert page.table.model().rowCount() == 17
    page.ways._group.button(1).click()
    assert page.table.model().rowCount() == 2
    assert not page.write.isVisible(), "nothing is staged yet"
    assert page.table.hasFocus(), "the focus went from the strip to the result"
    assert list(unnamed(page)) == []


def test_the_staged_one_is_written_read_back_and_taken_back(parameters, desk, qtbot):
    page, session = parameters, parameters.session
    page.ways._group.button(1).click()
    page.table.selectRow(0)
    QTest.keyClick(page.table, Qt.Key.Key_Space)
    assert page.stage.text() == "Unstage 1 line"
    assert page.write.text() == "Write 1…"
    page.write.click()
    sheet = go_through(page, qtbot)
    qtbot.waitUntil(lambda: "13800 → 9200" in words_of(sheet), timeout=PATIENCE)
    sheet.go.click()
    assert session.meter[LIMIT].raw == "06000023F0"
    qtbot.waitUntil(lambda: "1 differs." in words_of(page), timeout=PATIENCE)
    assert not page.write.isVisible()
    (dump,) = (desk.db.folder / "dumps").iterdir()
    assert '"13800"' in dump.read_text()
    page.undo.click()
    go_through(page, qtbot).go.click()
    assert session.meter[LIMIT].raw == "06000035E8"
    assert audit(desk) == ["parameters.writing", "parameters.written"] * 2


def test_all_that_differ_are_staged_at_once_and_out_again(parameters):
    page = parameters
    page.table.clearSelection()
    page.stage.click()
    assert page.write.text() == "Write 2…"
    page.table.selectRow(0)
    assert page.stage.text() == "Unstage all", "what is the same is not staged, so all are meant"
    page.stage.click()
    assert not page.write.isVisible()


def test_a_refusal_in_the_middle_leaves_the_way_back(parameters, desk, qtbot, monkeypatch):
    page, session = parameters, parameters.session
    write = DlmsMeter.write_raw

    def refusing(meter, code, class_id, attribute, value):
        if attribute != LIMIT[2]:
            raise ValueRefused("not now")
        return write(meter, code, class_id, attribute, value)

    monkeypatch.setattr(DlmsMeter, "write_raw", refusing)
    page.table.clearSelection()
    page.stage.click()
    page.write.click()
    sheet = go_through(page, qtbot)
    qtbot.waitUntil(lambda: "1 of 2 are written" in words_of(sheet), timeout=PATIENCE)
    sheet.go.click()
    monkeypatch.undo()
    assert page.undo.isVisible()
    assert len(session.staged) == 1, "the refused one is still to be written"
    page.undo.click()
    go_through(page, qtbot).go.click()
    assert session.meter[LIMIT].raw == "06000035E8"
    assert audit(desk)[1] == "parameters.not_done"


def test_another_meter_is_noticed_before_anything_is_written(parameters, desk, qtbot):
    page = parameters
    page.stage.click()
    desk.put("46000755037")
    page.write.click()
    sheet = go_through(page, qtbot)
    qtbot.waitUntil(lambda: "46000755037 answers" in words_of(sheet), timeout=PATIENCE)
    sheet.go.click()
    assert audit(desk) == []
    assert not (desk.db.folder / "dumps").exists()


def test_a_file_that_is_none_is_told_and_nothing_is_lost(parameters, station, tmp_path, qtbot):
    path = tmp_path / "bad.json"
    path.write_text("{")
    with qtbot.waitSignal(station.refused, timeout=PATIENCE):
        parameters.session.open_file(path)
    assert parameters.session.file_name == "T2.json"


def test_parameters_are_saved_and_can_be_opened_again(parameters, tmp_path, qtbot, monkeypatch):
    path = tmp_path / "saved"
    monkeypatch.setattr(files, "ask_save", lambda *_: path)
    parameters.save.click()
    qtbot.waitUntil(path.with_suffix(".json").exists, timeout=PATIENCE)
    parameters.session.open_file(path.with_suffix(".json"))
    qtbot.waitUntil(lambda: parameters.session.file_name == "saved.json", timeout=PATIENCE)
    assert not parameters.stage.isVisible(), "nothing differs from itself"


def test_a_role_that_may_not_write_can_compare_but_sees_no_button(parameters, desk):
    desk.db.actor = SignedIn("eve", users.VERIFIER)
    parameters.opened()
    shown = [parameters.stage, parameters.write, parameters.undo]
    assert not any(button.isVisible() for button in shown)


# --- firmware and the second person -----------------------------------------------------------


@pytest.fixture
def firmware(show, tmp_path, qtbot):
    page = show(FirmwarePage, FirmwareSession)
    path = tmp_path / "HXE1088-V9.bin"
    path.write_bytes(signed(bytes(4000)))
    page.session.open_file(path)
    qtbot.waitUntil(lambda: bool(page.session.image), timeout=PATIENCE)
    return page


def test_firmware_is_loaded_and_reads_back(firmware, desk, qtbot):
    assert firmware.name.text() == "HXE1088-V9"
    assert list(unnamed(firmware)) == []
    firmware.load.click()
    sheet = go_through(firmware, qtbot)
    qtbot.waitUntil(lambda: "Read back HXE1088-V9" in words_of(sheet), timeout=PATIENCE)
    sheet.go.click()
    qtbot.waitUntil(lambda: "Firmware HXE1088-V9" in words_of(firmware), timeout=PATIENCE)
    assert audit(desk) == ["firmware.writing", "firmware.written"]


def test_a_transfer_that_broke_goes_on_where_it_ended(firmware, desk, qtbot, monkeypatch):
    load = DlmsMeter.load_firmware

    def breaking(meter, *given, **more):
        for step in load(meter, *given, **more):
            yield step
            if step.done == 10:
                raise NoReply(2.0)

    monkeypatch.setattr(DlmsMeter, "load_firmware", breaking)
    firmware.load.click()
    sheet = go_through(firmware, qtbot)
    qtbot.waitUntil(lambda: "it goes on from there" in words_of(sheet), timeout=PATIENCE)
    sheet.go.click()
    monkeypatch.undo()
    firmware.load.click()
    sheet = go_through(firmware, qtbot)
    qtbot.waitUntil(lambda: "of them from an earlier attempt" in words_of(sheet), timeout=PATIENCE)
    sheet.go.click()
    assert audit(desk)[1] == "firmware.unknown"


def test_a_nearly_empty_battery_is_said_and_stops_firmware(firmware, qtbot, monkeypatch):
    from app.services import firmware as service

    for module in (service, write_sheet):
        monkeypatch.setattr(module, "battery", lambda: Battery(9))
    firmware.load.click()
    sheet = firmware.findChildren(ActSheet)[-1]
    qtbot.waitUntil(lambda: sheet._step == "form", timeout=PATIENCE)
    qtbot.waitUntil(lambda: "The battery is at 9 %" in words_of(sheet), timeout=PATIENCE)
    sheet.reason.setText("x")
    sheet.go.click()
    qtbot.waitUntil(lambda: sheet._step == "failed", timeout=PATIENCE)
    qtbot.waitUntil(lambda: "firmware is loaded from 10 % on" in words_of(sheet), timeout=PATIENCE)
    sheet.go.click()


@pytest.fixture
def two_people(desk):
    """An installer at work, and a lead who can approve."""
    boss = SignedIn("boss", users.ADMINISTRATOR)
    users.add(desk.db, "boss", users.ADMINISTRATOR, "a long word of the boss")
    users.add(desk.db, "lena", users.LEAD, PASSWORD, by=boss)
    users.add(desk.db, "ana", users.INSTALLER, "a long word of ana", by=boss)
    desk.shared = True
    desk.sign_in("ana", "a long word of ana")
    return desk


def approving(page, sheet, qtbot, name, password):
    qtbot.waitUntil(lambda: sheet._step == "approve", timeout=PATIENCE)
    fields = sheet._approval
    fields.name.setCurrentText(name)
    fields.password.setText(password)
    sheet.go.click()
    assert fields.password.text() == ""


def switching_off(page, qtbot):
    page.acts[Switching.OPEN].click()
    sheet = page.findChildren(ActSheet)[-1]
    qtbot.waitUntil(lambda: sheet._step == "form", timeout=PATIENCE)
    sheet.reason.setText("Order 1043")
    sheet.go.click()
    return sheet


def test_where_people_are_entered_a_second_one_proves_that_the_supply_goes_off(
    two_people, show, qtbot
):
    page = show(ServicePage, ServiceSession)
    sheet = switching_off(page, qtbot)
    approving(page, sheet, qtbot, "lena", PASSWORD)
    qtbot.waitUntil(lambda: sheet._step == "confirm", timeout=PATIENCE)
    sheet.digits.setText(SERIAL[-4:])
    sheet.go.click()
    qtbot.waitUntil(lambda: sheet._step == "written", timeout=PATIENCE)
    sheet.go.click()
    assert not two_people.virtual.switch.output
    acts = audit(two_people)
    assert acts[-3:] == ["act.approved", "relay.switching", "relay.switched"]
    assert PASSWORD.encode() not in (two_people.db.folder / "local.sqlite").read_bytes()


def test_a_wrong_proof_switches_nothing(two_people, show, qtbot):
    page = show(ServicePage, ServiceSession)
    sheet = switching_off(page, qtbot)
    approving(page, sheet, qtbot, "lena", "another long word")
    qtbot.waitUntil(lambda: sheet._step == "failed", timeout=PATIENCE)
    sheet.go.click()
    assert two_people.virtual.switch.output
    assert "relay.switching" not in audit(two_people)


def test_switching_on_and_the_clock_need_nobody_else(two_people, show, qtbot):
    page = show(ServicePage, ServiceSession)
    page.set_clock.click()
    sheet = go_through(page, qtbot)
    assert sheet._step == "written"
    sheet.go.click()


def test_firmware_needs_a_second_person_too(two_people, firmware, qtbot):
    firmware.load.click()
    sheet = firmware.findChildren(ActSheet)[-1]
    qtbot.waitUntil(lambda: sheet._step == "form", timeout=PATIENCE)
    sheet.reason.setText("x")
    sheet.go.click()
    approving(firmware, sheet, qtbot, "lena", PASSWORD)
    qtbot.waitUntil(lambda: sheet._step == "confirm", timeout=PATIENCE)
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    settled(firmware.session, qtbot)
    assert audit(two_people)[-1] == "act.approved"
