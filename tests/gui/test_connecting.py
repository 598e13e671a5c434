"""From nothing to a connected meter: where it is, how to talk to it, tried, and remembered."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from app.errors import BadInput
from app.services.connection import Overrides
from app.services.known_meters import Place, keep_place, known_place
from app.services.line_settings import line_words
from app.services.users import INSTALLER, SignedIn
from app.tasks import Found, Progress
from app.views.connect_sheet import ConnectSheet, settings_words
from app.views.find_sheet import FindSheet
from app.views.secret_sheet import KEYS, SecretSheet
from app.views.settings_sheet import SettingsSheet
from app.views.station import Station
from drivers.dlms.scan import BusMeter
from drivers.errors import AccessDenied, NoReply
from drivers.metertype import load_meter_type
from drivers.values import Identity
from tests.gui.object_desk import SERIAL, TYPE, ended, opened_desk
from tests.gui.patience import PATIENCE
from tests.gui.test_accessible import unnamed

PASSWORD = "geheim-4711"


def words_of(widget: QWidget) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


@pytest.fixture
def desk(empty_folder, tmp_path):
    with opened_desk(empty_folder, tmp_path / "data") as desk:
        yield desk


@pytest.fixture
def station(desk, qtbot):
    station = Station(desk)
    yield station
    ended(station, qtbot)


@pytest.fixture
def host(look, qtbot):
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(1366, 768)
    host.show()
    return host


@pytest.fixture
def ports(station, look, host, qtbot):
    sheet = ConnectSheet(look, station, host, "Connect")
    sheet.open()
    qtbot.waitUntil(lambda: sheet.list.model().rowCount() >= 2, timeout=PATIENCE)
    qtbot.waitUntil(lambda: sheet.types.count() > 2, timeout=PATIENCE)
    return sheet


def settings_of(ports, qtbot, row=1):
    ports.list.selectRow(row)
    ports.settings.click()
    sheet = ports.findChildren(SettingsSheet)[-1]
    qtbot.waitUntil(lambda: sheet.form.types.count() > 2, timeout=PATIENCE)
    return sheet


def choose(box, value):
    box.setCurrentIndex(box.findData(value))


def tried(sheet, qtbot):
    sheet.test.click()
    qtbot.waitUntil(lambda: not sheet._runner.busy, timeout=PATIENCE)


# --- in words -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "overrides", "serial", "words"),
    [
        (TYPE, Overrides(), SERIAL, "1/6036 by SN % 10000 + 1000 of 46000755036: server 00 02 5E"),
        (TYPE, Overrides(physical=17), SERIAL, "1/17: server 02 23, client 21"),
        (TYPE, Overrides(physical=17, address_size=4), "", "server 00 02 00 23"),
        (TYPE, Overrides(framing="wrapper", client=1), "", "client 1, server 1"),
        ("landisgyr-zmf100", Overrides(iec_address="50284117"), "", "/?50284117!"),
        ("generic-iec62056-21", Overrides(), "", "any meter on the line"),
        ("generic-sml", Overrides(), "", ""),
    ],
)
def test_addresses_are_shown_as_they_stand_in_frames(kind, overrides, serial, words):
    assert words in line_words(kind, overrides, serial).addresses


def test_settings_are_said_in_a_sentence():
    told = line_words(TYPE, Overrides(speed=2400, format="8E1", auth="gmac", client=1))
    assert told.sentence == (
        "DLMS/COSEM over HDLC, 2400 Bd 8E1, client 1, authentication: keys (GMAC)."
    )
    assert settings_words(Overrides()) == "as the type says"


@pytest.mark.parametrize(
    "overrides", [Overrides(physical=200, address_size=2), Overrides(client=999)]
)
def test_what_fits_no_frame_is_refused_before_anything_is_sent(overrides):
    with pytest.raises(BadInput, match="does not fit"):
        line_words(TYPE, overrides)


# --- the way through ------------------------------------------------------------------------


def test_from_nothing_to_a_connected_meter_and_back_by_its_number(
    ports, station, desk, look, host, qtbot
):
    sheet = settings_of(ports, qtbot)
    choose(sheet.form.types, TYPE)
    sheet.form.serial.setText(SERIAL)
    told = sheet.preview.words.text()
    assert "server 00 02 5E 29" in told
    assert "Have the meter's password" in told, "what the type says before connecting"
    tried(sheet, qtbot)
    qtbot.waitUntil(lambda: "The meter answers" in words_of(sheet), timeout=PATIENCE)
    qtbot.waitUntil(lambda: SERIAL in words_of(sheet), timeout=PATIENCE)
    sheet.go.click()
    assert ports.types.currentData() == TYPE
    ports.go.click()
    at = station.at()
    assert (at.target, at.meter_type, at.serial) == ("fake:bus", TYPE, SERIAL)
    station.connect_meter()
    qtbot.waitUntil(lambda: station.identity is not None, timeout=PATIENCE)
    again = ConnectSheet(look, station, host, "Connect")
    again.open()
    qtbot.waitUntil(lambda: again.list.model().rowCount() == 3, timeout=PATIENCE)
    assert again.list.model().cell(2, 0).text == f"Meter {SERIAL}"
    QTest.keyClicks(again.other, SERIAL[-4:])
    assert again.list.model().rowCount() == 3
    again.other.setText(SERIAL)
    assert (again.target, again.port_title) == ("fake:bus", f"Meter {SERIAL}")
    QTest.keyClick(again.other, Qt.Key.Key_Return)
    assert station.at().serial == SERIAL


def test_a_known_meter_is_chosen_from_the_list(desk, station, look, host, qtbot):
    keep_place(
        desk.db.folder, "tcp://192.0.2.7:4059", load_meter_type(TYPE), Identity(serial=SERIAL),
        chosen=Overrides(client=1, auth="gmac"), secret="plant keys",
    )  # fmt: skip
    ports = ConnectSheet(look, station, host, "Connect")
    ports.open()
    qtbot.waitUntil(lambda: ports.list.model().rowCount() == 3, timeout=PATIENCE)
    ports.list.selectRow(2)
    assert "client 1" in ports.note.words.text()
    ports.go.click()
    at = station.at()
    assert (at.target, at.serial, at.secret) == ("tcp://192.0.2.7:4059", SERIAL, "plant keys")
    assert (at.overrides.client, at.overrides.auth) == (1, "gmac")


def test_where_a_meter_was_is_kept_with_what_was_chosen_but_never_a_secret(desk):
    folder = desk.db.folder
    kind = load_meter_type(TYPE)
    keep_place(folder, "fake:bus", kind, Identity(serial="1"), chosen=Overrides(client=3))
    keep_place(folder, "fake:bus", kind, Identity(serial="2"), secret="type x")
    assert known_place(folder, "1").overrides.client == 3
    assert known_place(folder, "2") == Place(
        "fake:bus", TYPE,
        Overrides(
            server=1, speed=9600, format="8N1", framing="hdlc", referencing="logical"
        ),
        "2", "type x",
    )  # fmt: skip
    assert [place.serial for place in desk.bench.known()] in (["1", "2"], ["2", "1"])
    (folder / "meters_found.json").write_text("{", encoding="utf-8")
    assert desk.bench.known() == []


def test_another_port_than_the_known_one_can_still_be_typed(ports):
    ports.other.setText("tcp://127.0.0.1:4059")
    assert ports.target == "tcp://127.0.0.1:4059"
    ports.other.clear()
    ports.list.selectRow(0)
    assert ports.target == "fake:optical"


# --- trying ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (NoReply(2.0), "The meter does not answer"),
        (AccessDenied("refused"), "The meter refused access"),
    ],
)
def test_a_test_that_fails_says_what_to_do_and_changes_nothing(
    ports, station, desk, qtbot, error, title
):
    sheet = settings_of(ports, qtbot)
    choose(sheet.form.types, TYPE)
    desk.broken = error
    tried(sheet, qtbot)
    qtbot.waitUntil(lambda: title in words_of(sheet), timeout=PATIENCE)
    assert station.target == ""
    desk.broken = None
    tried(sheet, qtbot)
    assert title not in words_of(sheet)
    qtbot.waitUntil(lambda: "The meter answers" in words_of(sheet), timeout=PATIENCE)


def test_another_meter_than_the_number_typed_is_noticed(ports, qtbot):
    sheet = settings_of(ports, qtbot)
    choose(sheet.form.types, TYPE)
    sheet.form.serial.setText("46000755099")
    tried(sheet, qtbot)
    words = f"Meter {SERIAL} answers, not 46000755099."
    qtbot.waitUntil(lambda: words in words_of(sheet), timeout=PATIENCE)


def test_leaving_stops_a_test(ports, station, desk, qtbot, monkeypatch):
    def endless(_at):
        while True:
            yield Progress("Signing on")

    monkeypatch.setattr(desk.bench, "connect", endless)
    sheet = settings_of(ports, qtbot)
    sheet.test.click()
    assert not sheet.go.isEnabled()
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not station.line_busy(), timeout=PATIENCE)


def test_wrong_entries_are_told_and_cannot_be_used(ports, qtbot):
    sheet = settings_of(ports, qtbot)
    choose(sheet.form.types, TYPE)
    sheet.form.numbers["physical"].setText("x")
    assert "no whole number" in sheet.preview.words.text()
    assert not sheet.go.isEnabled()
    assert not sheet.test.isEnabled()
    sheet.form.numbers["physical"].setText("200")
    choose(sheet.form.address_size, 1)
    assert "does not fit" in sheet.preview.words.text()
    choose(sheet.form.address_size, 4)
    assert sheet.go.isEnabled()
    place = sheet.form.place()
    assert (place.overrides.physical, place.overrides.address_size) == (200, 4)


# --- a bus ----------------------------------------------------------------------------------


def test_all_meters_of_a_bus_are_listed_with_clashes_and_one_is_chosen(
    ports, desk, qtbot, monkeypatch
):
    kind = load_meter_type(TYPE)

    def silent(_target):
        yield Progress("Trying")
        raise NoReply(2.0)

    def bus(_target, _addresses, _meter_type=""):
        found = [
            BusMeter(17, "02 23", 9600, "8N1", kind, note="two meters may have this address"),
            BusMeter(36, "02 49", 9600, "8N1", kind, 16, Identity(serial=SERIAL)),
        ]
        for one in found:
            yield Found("meter", one)
        return found

    monkeypatch.setattr(desk.bench, "find", silent)
    monkeypatch.setattr(desk.bench, "search_bus", bus)
    sheet = settings_of(ports, qtbot)
    sheet.finder.click()
    finder = sheet.findChildren(FindSheet)[-1]
    qtbot.waitUntil(lambda: not finder._runner.busy, timeout=PATIENCE)
    finder.along.click()
    qtbot.waitUntil(lambda: not finder._runner.busy, timeout=PATIENCE)
    model = finder.table.model()
    assert model.cell(0, 0).detail == "two meters may have this address"
    finder.table.selectRow(1)
    finder.go.click()
    assert sheet.form.serial.text() == SERIAL
    assert sheet.form.place().meter_type == TYPE


# --- secrets --------------------------------------------------------------------------------


def new_secret(sheet, name=""):
    sheet.new_secret.click()
    secret = sheet.findChildren(SecretSheet)[-1]
    if name:
        secret.name.setText(name)
    return secret


def test_a_secret_goes_to_the_keyring_is_chosen_by_name_and_never_shown(
    ports, station, desk, qtbot
):
    sheet = settings_of(ports, qtbot)
    choose(sheet.form.types, TYPE)
    sheet.form.serial.setText(SERIAL)
    secret = new_secret(sheet)
    assert secret.name.text() == f"meter {SERIAL}"
    assert secret.first.echoMode() == QLineEdit.EchoMode.Password
    secret.first.setText(PASSWORD)
    secret.second.setText(PASSWORD + "x")
    secret.go.click()
    qtbot.waitUntil(lambda: "differ" in words_of(secret), timeout=PATIENCE)
    secret.second.setText(PASSWORD)
    secret.go.click()
    box = sheet.form.secret
    qtbot.waitUntil(lambda: box.currentData() == f"meter {SERIAL}", timeout=PATIENCE)
    assert desk.keyring.kept["meterwright", f"meter {SERIAL}"] == PASSWORD
    assert PASSWORD not in words_of(sheet)
    tried(sheet, qtbot)
    assert desk.asked[-1][-1] == f"meter {SERIAL}", "the name, for the desk to look up"
    for path in desk.db.folder.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path


def test_keys_are_checked_before_they_are_stored(ports, desk, qtbot):
    sheet = settings_of(ports, qtbot)
    secret = new_secret(sheet, "plant keys")
    secret.kinds.setCurrentIndex(KEYS)
    secret.first.setText("00" * 15)
    secret.second.setText("11" * 16)
    secret.go.click()
    qtbot.waitUntil(lambda: "32 digits" in words_of(secret), timeout=PATIENCE)
    secret.first.setText("00" * 16)
    secret.go.click()
    qtbot.waitUntil(lambda: bool(desk.keyring.kept), timeout=PATIENCE)
    assert desk.keyring.kept["meterwright", "plant keys"] == f"AK={'00' * 16}\nEK={'11' * 16}"


@pytest.mark.parametrize("refusal", ["loses", "role"])
def test_a_secret_that_is_not_kept_is_told(ports, desk, qtbot, refusal):
    desk.keyring.loses = refusal == "loses"
    if refusal == "role":
        desk.db.actor = SignedIn("eve", INSTALLER)
    sheet = settings_of(ports, qtbot)
    secret = new_secret(sheet, "x")
    secret.first.setText(PASSWORD)
    secret.second.setText(PASSWORD)
    secret.go.click()
    words = "store is locked" if refusal == "loses" else "not allowed"
    qtbot.waitUntil(lambda: words in words_of(secret), timeout=PATIENCE)
    assert PASSWORD not in words_of(secret)
    assert not desk.keyring.kept
    secret.reject()
    assert secret.first.text() == ""


# --- names ----------------------------------------------------------------------------------


def test_everything_has_a_name(ports, qtbot):
    assert list(unnamed(ports)) == []
    sheet = settings_of(ports, qtbot)
    assert list(unnamed(sheet)) == []
    assert list(unnamed(new_secret(sheet))) == []
