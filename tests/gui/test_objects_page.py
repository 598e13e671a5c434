"""The objects of a meter in the window: listed, read, put into words, written, taken along."""

import json
import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget

from app.tasks import checkpoint
from app.views import files
from app.views.maintenance import ToolTabs
from app.views.object_session import ObjectSession
from app.views.objects_page import ObjectsPage
from app.views.station import Station
from drivers.errors import NoReply
from tests.gui.object_desk import SERIAL, TYPE, ended, opened_desk
from tests.gui.patience import PATIENCE
from tests.gui.test_accessible import unnamed

CALENDAR = "0-0:13.0.0.255"


def words_of(widget: QWidget) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


@pytest.fixture
def desk(empty_folder, tmp_path):
    with opened_desk(empty_folder, tmp_path / "data") as desk:
        yield desk


@pytest.fixture
def session(desk, qtbot):
    """A session at a port, without the window around it: that is what most tests need."""
    station = Station(desk)
    station.choose_port("fake:bus", "Virtual RS-485 bus", TYPE)
    session = ObjectSession(station)
    yield session
    ended(station, qtbot)


@pytest.fixture
def page(session, look, qtbot):
    page = ObjectsPage(look, session)
    qtbot.addWidget(page)
    page.resize(1260, 700)
    page.show()
    page.activateWindow()
    page.opened()
    qtbot.waitExposed(page)
    return page


@pytest.fixture
def listed(page, session, qtbot):
    """The page with the object list."""
    page.read()
    settled(session, qtbot)
    assert session.failure is None
    return page


def settled(session, qtbot):
    qtbot.waitUntil(lambda: not session.running, timeout=PATIENCE)


def read(page, session, qtbot, *codes):
    page.tree.clearSelection()
    for code in codes:
        page.tree.choose(code)
    page.read()
    settled(session, qtbot)


def rows(page):
    model = page.attributes.table.model()
    return [
        [model.cell(row, column).text.strip() for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def groups(page):
    model = page.tree.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


# --- the list -------------------------------------------------------------------------------


def test_the_page_begins_empty_says_what_it_is_for_and_lists(page, session, qtbot):
    qtbot.waitUntil(
        lambda: "Every object of a DLMS/COSEM meter" in words_of(page), timeout=PATIENCE
    )
    assert page.go.text() == "List the objects"
    seen = []
    session.runner.progressed.connect(seen.append)
    QTest.keyClick(page, Qt.Key.Key_F3)
    settled(session, qtbot)
    assert len(session.entries) > 30
    assert [one.done for one in seen if one.unit == "octets"] == sorted(
        one.done for one in seen if one.unit == "octets"
    )
    assert groups(page)[0] == "Energy and volume, 1"
    assert f"{len(session.entries)} objects" in page.count.text()
    assert "cache" not in page.count.text()
    assert page.go.text() == "Read 1 object", "the first group is chosen"


def test_the_next_meter_of_the_kind_is_listed_from_the_cache_until_listed_anew(
    listed, session, qtbot
):
    session.list_objects()
    settled(session, qtbot)
    assert session.kept
    assert "from the cache" in listed.count.text()
    listed.anew.click()
    settled(session, qtbot)
    assert not session.kept
    assert "from the cache" not in listed.count.text()


def test_the_tree_is_sorted_by_purpose_or_by_class_and_searched_while_typing(listed, qtbot):
    listed.ways._group.button(1).click()
    assert any(group.startswith("Register (3), ") for group in groups(listed))
    QTest.keyClicks(listed.search, "volt")
    assert groups(listed) == ["Register (3), 1"]
    assert listed.count.text().startswith("1 of ")
    listed.search.clear()
    QTest.keyClicks(listed.search, "class 115")
    assert groups(listed) == ["Token gateway (115), 1"]


def test_listing_can_be_stopped_and_the_page_can_be_used_again(page, session, desk, qtbot):
    reached = threading.Event()

    def held():
        reached.set()
        while True:
            checkpoint()

    desk.on_open = held
    page.read()
    qtbot.waitUntil(reached.is_set, timeout=PATIENCE)
    page.strip.stop.click()
    settled(session, qtbot)
    assert session.stopped
    assert not session.entries
    desk.on_open = lambda: None
    page.read()
    settled(session, qtbot)
    assert session.entries


def test_a_silent_meter_is_told_with_its_remedy(page, session, desk, qtbot):
    desk.broken = NoReply(2.0)
    page.read()
    settled(session, qtbot)
    qtbot.waitUntil(lambda: "The meter does not answer" in words_of(page), timeout=PATIENCE)


def test_another_port_forgets_the_objects(listed, session):
    session.station.choose_port("fake:optical", "Virtual optical port", TYPE)
    listed.opened()
    assert not session.entries
    assert listed.go.text() == "List the objects"


# --- reading --------------------------------------------------------------------------------


def test_values_come_with_units_and_meaning(listed, session, qtbot):
    read(listed, session, qtbot, "1-0:32.7.0.255")
    assert rows(listed)[0][:2] == ["Voltage L1", "1-0:32.7.0.255"]
    value = rows(listed)[1]
    assert value[0] == "Value"
    assert value[1].endswith(" V")
    assert value[3] == "read"
    read(listed, session, qtbot, "0-0:96.3.10.255")
    assert ["State", "1", "connected", "read"] in rows(listed)
    read(listed, session, qtbot, "0-0:1.0.0.255")
    told = {row[0]: row for row in rows(listed)}
    assert "deviation" in told["Time"][2]
    assert told["Daylight saving begins"][1] == "last Sunday of March, 02:00:00"


def test_a_group_is_read_at_once_and_one_that_is_denied_stops_no_other(
    listed, session, desk, qtbot
):
    desk.put(SERIAL, ("access-denied",))
    listed.tree.clearSelection()
    model = listed.tree.model()
    at = next(row for row in range(model.rowCount()) if "Instant" in groups(listed)[row])
    listed.tree.setCurrentIndex(model.index(at, 0))
    assert listed.go.text() == "Read 5 objects"
    listed.read()
    settled(session, qtbot)
    assert session.failure is None
    values = [row for row in rows(listed) if row[0] == "Value"]
    assert [row[1] == "refused" for row in values].count(True) == 1
    refused = next(row for row in values if row[1] == "refused")
    assert "denied" in refused[2]
    assert len(values) == 5


def test_structures_are_unfolded_under_their_attribute(listed, session, qtbot):
    read(listed, session, qtbot, CALENDAR)
    texts = [row[1] for row in rows(listed)]
    assert "From 06:00:00, script table 0-0:10.0.100.255, script 1" in texts
    listed.attributes.choose(CALENDAR, 3)
    assert "Active seasons: 1 entry" in listed.attributes.full.text()


def test_secrets_are_neither_read_nor_shown(listed, session, qtbot):
    read(listed, session, qtbot, "0-0:19.40.0.255")
    told = {row[0]: row for row in rows(listed)}
    assert told["Last token"][1] == "not shown"
    assert ("0-0:19.40.0.255", 115, 2) not in session.values


def test_what_changed_since_the_last_read_is_told(listed, session, desk, qtbot):
    read(listed, session, qtbot, "0-0:43.1.0.255", "0-0:1.0.0.255")
    desk.link.wait(90.0)
    read(listed, session, qtbot, "0-0:1.0.0.255")
    time = next(row for row in rows(listed) if row[0] == "Time")
    assert "was 20" in time[2]


def test_another_meter_on_the_line_is_noticed_before_anything_is_mixed(
    listed, session, desk, qtbot
):
    desk.put("46000755037")
    read(listed, session, qtbot, "1-0:32.7.0.255")
    assert session.failure.title == "This is another meter"
    assert not session.values


def test_pressing_read_twice_reads_once(listed, session, qtbot):
    begun = []
    session.turned.connect(lambda: begun.append(session.running))
    listed.tree.choose("1-0:32.7.0.255")
    listed.read()
    listed.read()
    settled(session, qtbot)
    assert begun.count(True) == 1


# --- profiles -------------------------------------------------------------------------------


def test_a_profile_opens_as_plot_and_table_and_its_rows_are_exported(
    listed, session, qtbot, tmp_path, monkeypatch
):
    read(listed, session, qtbot, "1-0:99.1.0.255")
    assert ["Capture period", "1800 s", "", "read"] in rows(listed)
    listed.open_rows.click()
    assert listed.go.text() == "Read rows"
    listed.rows.span.setCurrentIndex(1)
    listed.go.click()
    settled(session, qtbot)
    assert len(session.findings.rows) > 2
    path = tmp_path / "profile.csv"
    monkeypatch.setattr(files, "ask_save", lambda *_: path)
    with qtbot.waitSignal(session.station.noticed, timeout=PATIENCE):
        listed.rows.save.click()
    assert len(path.read_text(encoding="utf-8-sig").splitlines()) >= len(session.findings.rows)
    listed.rows.back.click()
    assert listed.go.text() == "Read 1 object"


# --- files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "xlsx", "json"])
def test_what_is_shown_is_exported(listed, session, qtbot, tmp_path, monkeypatch, ending):
    read(listed, session, qtbot, "1-0:32.7.0.255")
    path = tmp_path / f"objects.{ending}"
    monkeypatch.setattr(files, "ask_save", lambda *_: path)
    with qtbot.waitSignal(session.station.noticed, timeout=PATIENCE):
        listed.export.click()
    if ending == "json":
        shape = json.loads(path.read_text(encoding="utf-8"))
        assert shape["meter"] == SERIAL
        assert shape["attributes"][0]["unit"] == "V"
    elif ending == "csv":
        head, first, *_ = path.read_text(encoding="utf-8-sig").splitlines()
        assert head.startswith("Object,Code,Class,Number,Attribute,Value,Unit,Meaning,Access")
        assert ",V,," in first
    else:
        assert path.stat().st_size > 1000


# --- keyboard and names ---------------------------------------------------------------------


def test_the_keyboard_alone_lists_chooses_reads_and_writes(page, session, qtbot):
    QTest.keyClick(page.go, Qt.Key.Key_F3)
    settled(session, qtbot)
    assert page.tree.hasFocus()
    page.tree.clearSelection()
    QTest.keyClick(page.tree, Qt.Key.Key_End)
    QTest.keyClick(page.tree, Qt.Key.Key_Home)
    QTest.keyClick(page.tree, Qt.Key.Key_Down)
    QTest.keyClick(page.tree, Qt.Key.Key_F3)
    settled(session, qtbot)
    assert [row for row in rows(page) if row[1].endswith("kWh")]
    page.attributes.table.setFocus()
    QTest.keyClick(page.attributes.table, Qt.Key.Key_Down)
    assert page.attributes.full.text()


def test_everything_has_a_name(listed, session, qtbot):
    assert list(unnamed(listed)) == []
    read(listed, session, qtbot, "1-0:99.1.0.255")
    listed.open_rows.click()
    listed.go.click()
    settled(session, qtbot)
    assert list(unnamed(listed)) == []


def test_what_was_read_stays_when_the_look_changes(desk, opened, qtbot):
    window = opened(desk)
    window.station.choose_port("fake:bus", "Virtual RS-485 bus", TYPE)
    window.open_place(1)
    window.stack.currentWidget().findChild(ToolTabs).segments._group.button(1).click()
    listed, session = window.stack.currentWidget(), window.pages.objects
    listed.read()
    settled(session, qtbot)
    read(listed, session, qtbot, "1-0:32.7.0.255")
    window.rebuild()
    again = window.stack.currentWidget()
    assert isinstance(again, ObjectsPage)
    assert again is not listed
    assert list(unnamed(window)) == []
    again.tree.choose("1-0:32.7.0.255")
    assert rows(again)[1][1].endswith(" V")
