"""The queue on the screen: large, empty, filtered, sorted, imported, not completed."""

import csv
import shutil
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from app.errors import CentreUnreachable
from app.models.database import Database
from app.models.order import OrderState, WorkOrder
from app.views.queue_model import NUMBER, PAGE, PAGES_KEPT, PLACE, STATE, SYNC, QueueModel
from app.workorders.queue import find_ids
from tests.gui.conftest import shut
from tests.gui.fake_desk import FakeDesk
from tests.gui.fit import misfits
from tests.gui.patience import PATIENCE
from tests.gui.test_meter_pages import words_of
from tests.protocol.sync_world import Field, World

MANY = 100_000


@pytest.fixture(scope="module")
def large_folder(empty_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large") / "data"
    shutil.copytree(empty_folder, folder)
    with Database.open(folder) as db, db.write() as session:
        sample = WorkOrder(number="0", state=OrderState.ACCEPTED, title="New, direct", search="")
        session.add(sample)
        session.flush()
        connection = session.connection()
        columns = [
            row[1] for row in connection.exec_driver_sql("PRAGMA table_info(work_order)").all()
        ]
        own = {
            "order_id": "printf('order-%06d', n)",
            "number": "CAST(n AS TEXT)",
            "external_ref": "CAST(n AS TEXT)",
            "search": "printf('%d street %d', n, n % 977)",
            "title": "printf('Street %d', n % 977)",
        }
        picked = ", ".join(own.get(name, f"w.{name}") for name in columns)
        connection.exec_driver_sql(
            f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {MANY})"
            f" INSERT INTO work_order ({', '.join(columns)})"
            f" SELECT {picked} FROM c, work_order w WHERE w.number = '0'"
        )
        connection.exec_driver_sql("DELETE FROM work_order WHERE number = '0'")
    return folder


def page_of(window):
    return window.stack.currentWidget()


def test_a_queue_of_100_000_orders_opens_and_jumps(large_folder, tmp_path, opened, qtbot):
    shutil.copytree(large_folder, tmp_path / "data")
    desk = FakeDesk(tmp_path / "data")
    window = opened(desk)
    page = page_of(window)
    qtbot.waitUntil(lambda: page.model.rowCount() == MANY, timeout=PATIENCE)
    for line in (0, 99_999, 50_000, 12_345):
        page.table.scrollTo(page.model.index(line, 0))
        qtbot.waitUntil(lambda line=line: page.model.order(line) is not None, timeout=PATIENCE)
    qtbot.wait(50)
    assert len(page.model._pages) <= PAGES_KEPT
    shut(qtbot, window)
    desk.db.close()


def test_pages_that_were_left_are_forgotten_and_come_back(large_folder, tmp_path, opened, qtbot):
    shutil.copytree(large_folder, tmp_path / "data")
    desk = FakeDesk(tmp_path / "data")
    window = opened(desk)
    model = page_of(window).model
    qtbot.waitUntil(lambda: model.rowCount() == MANY, timeout=PATIENCE)
    for page in range(PAGES_KEPT + 6):
        model.cell(page * PAGE, 0)
        qtbot.waitUntil(lambda page=page: page in model._pages, timeout=PATIENCE)
    assert len(model._pages) == PAGES_KEPT
    assert model.cell(PAGE + 1, 0).text == "…"
    qtbot.waitUntil(lambda: model.order(PAGE + 1) is not None, timeout=PATIENCE)
    shut(qtbot, window)
    desk.db.close()


def test_the_chosen_order_is_told_beside_the_queue(window, qtbot):
    page, pane = page_of(window), page_of(window).pane
    assert page.open.text() == "Start job 1043"
    texts = [label.text() for label in pane.findChildren(type(page._none))]
    assert "14 Oak Street, cellar" in texts
    assert "Dog in the yard. Ring first." in texts


def test_search_as_you_type_finds_by_any_word(window, qtbot):
    page = page_of(window)
    page.search.setFocus()
    qtbot.keyClicks(page.search, "mill", delay=60)
    qtbot.waitUntil(lambda: 0 < page.model.rowCount() < 12, timeout=PATIENCE)
    qtbot.waitUntil(lambda: page.model.order(0) is not None, timeout=PATIENCE)
    assert page.model.order(0).place == "3 Mill Road"
    page.search.setText("nobody lives here")
    qtbot.waitUntil(lambda: page.model.rowCount() == 0, timeout=PATIENCE)
    assert page._none.isVisible()
    assert not page.open.isEnabled()


def test_shares_and_states_carry_their_counts(window, desk, qtbot):
    page = page_of(window)
    assert [b.text() for b in page.shares._group.buttons()] == [
        "Today 6",
        "Open 12",
        "Done 0",
        "All 12",
    ]
    assert page.states.itemText(1) == "Accepted 12"
    page.shares._group.button(2).click()
    qtbot.waitUntil(lambda: page.model.rowCount() == 0, timeout=PATIENCE)
    page.shares._group.button(0).click()
    qtbot.waitUntil(lambda: page.model.rowCount() == 6, timeout=PATIENCE)


def test_a_press_on_a_head_sorts_and_a_second_press_turns_it_round(window, qtbot):
    page, session = page_of(window), window.pages.queue
    page._sort(0)
    qtbot.waitUntil(lambda: session.filter.order_by == "number", timeout=PATIENCE)
    assert (
        page.model.headerData(0, Qt.Orientation.Horizontal, 0) == "Job ↑"
        or qtbot.waitUntil(
            lambda: page.model.headerData(0, Qt.Orientation.Horizontal, 0) == "Job ↑",
            timeout=PATIENCE,
        )
        is None
    )
    page._sort(0)
    qtbot.waitUntil(
        lambda: page.model.order(0) is not None and page.model.order(0).number == "1054",
        timeout=PATIENCE,
    )
    assert session.filter.descending


def test_an_empty_laptop_says_what_brings_jobs(empty_desk, opened, qtbot):
    window = opened(empty_desk)
    page = page_of(window)
    qtbot.waitUntil(lambda: page._stack.currentWidget() is page._empty, timeout=PATIENCE)
    assert page._empty_first.text() == "Import a file…"
    # a layout shows its new children one turn later, and the focus comes with that
    qtbot.waitUntil(page._empty_first.hasFocus, timeout=PATIENCE)


def test_a_scan_on_the_queue_looks_for_the_meter(window, qtbot):
    window.pages.take_scan("50284117")
    page = page_of(window)
    assert page.search.text() == "50284117"


def test_an_order_that_cannot_be_completed_leaves_the_queue(window, desk, qtbot):
    page = page_of(window)
    page.report_incident()
    sheet = next(iter(window.findChildren(_sheet_kind())))
    place = sheet.codes.findData("ACCESS.no_access")
    sheet.codes.setCurrentIndex(max(0, place))
    sheet.note.setText("Nobody at home")
    sheet.no_photo.setText("dark")
    with qtbot.waitSignal(sheet.reported, timeout=PATIENCE):
        sheet.go.click()
    qtbot.waitUntil(lambda: page.model.rowCount() == 11, timeout=PATIENCE)


def test_a_locked_keyring_is_told_at_once_when_an_order_cannot_be_completed(window, desk, qtbot):
    from app.workorders.purging import Cleared

    desk.clear_up = lambda: str(Cleared(kept=2))
    told = []
    window.station.noticed.connect(lambda _icon, text: told.append(text))
    page_of(window).report_incident()
    sheet = next(iter(window.findChildren(_sheet_kind())))
    sheet.codes.setCurrentIndex(max(0, sheet.codes.findData("ACCESS.no_access")))
    sheet.no_photo.setText("dark")
    with qtbot.waitSignal(sheet.reported, timeout=PATIENCE):
        sheet.go.click()
    assert "decoder key of 2 meters" in told[-1]
    assert "Unlock it" in told[-1]


def _sheet_kind():
    from app.views.incident_sheet import IncidentSheet

    return IncidentSheet


def test_the_window_goes_on_while_the_database_is_slow(desk, opened, qtbot):
    gate, ticks = threading.Event(), []
    desk.pending = lambda: gate.wait(5) and 0
    window = opened_without_wait(opened, desk)
    for _ in range(5):
        qtbot.wait(20)
        ticks.append(True)
    assert len(ticks) == 5
    assert window.pages.queue.everything < 0
    gate.set()
    qtbot.waitUntil(lambda: window.pages.queue.everything == 12, timeout=PATIENCE)


def opened_without_wait(opened, desk):
    window = opened()
    window.open_desk(desk)
    return window


def test_an_import_is_shown_before_it_is_done_and_names_the_wrong_rows(
    empty_desk, opened, qtbot, tmp_path, monkeypatch
):
    from app.views import files
    from app.views.import_sheet import ImportSheet
    from resources import resource

    text = resource("demo", "orders.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    rows[0]["due"] = "not a day"
    path = tmp_path / "orders.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    monkeypatch.setattr(files, "ask_open", lambda *_: path)
    window = opened(empty_desk)
    page = page_of(window)
    qtbot.waitUntil(lambda: page._stack.currentWidget() is page._empty, timeout=PATIENCE)
    page._empty_first.click()
    qtbot.waitUntil(lambda: bool(window.findChildren(ImportSheet)), timeout=PATIENCE)
    sheet = window.findChildren(ImportSheet)[-1]
    qtbot.waitUntil(sheet.go.isEnabled, timeout=PATIENCE)
    model = sheet.table.model()
    assert {model.cell(line, 0).text for line in range(model.rowCount())} == {"2"}
    assert "without them" in sheet.go.text()
    assert window.pages.queue.everything == 0, "nothing before the operator has seen it"
    sheet.go.click()
    qtbot.waitUntil(lambda: window.pages.queue.everything == 11, timeout=PATIENCE)


class Cut:
    """A centre whose line breaks before files are asked for."""

    def __init__(self, centre):
        self._centre = centre

    def session(self, device_id):
        calls = self._centre.session(device_id)

        def cut(_wanted):
            raise CentreUnreachable("cut")

        calls.blob_missing = cut
        return calls


def test_the_sign_of_an_order_is_green_only_when_all_of_it_is_at_the_centre(
    empty_desk, opened, qtbot, tmp_path
):
    (tmp_path / "centre").mkdir()
    world = World(tmp_path / "centre")
    field = Field(empty_desk.db.folder, empty_desk.db)
    world.centre.enrol(field.device_id)
    (order_id,) = field.take_orders(1)
    field.photograph(order_id, b"photo")
    window = opened(empty_desk)
    model = page_of(window).model

    def sign():
        model.show_ids(find_ids(empty_desk.db), "number", descending=False)
        model.cell(0, 0)
        qtbot.waitUntil(lambda: model.order(0) is not None, timeout=PATIENCE)
        face = model.cell(0, model.columns.index(SYNC)).chip
        return face.word, face.tone == window.look.colours.passed

    assert sign() == ("Local", False)
    with pytest.raises(CentreUnreachable):
        world.sync(field, Cut(world.centre))
    assert sign() == ("Media pending (1)", False)
    field.record(order_id, "reading.taken", {"n": 1})
    assert sign() == ("Sent 2 of 3", False)
    assert world.sync(field).in_step
    assert sign() == ("Acknowledged", True)
    world.centre.close()


def test_in_a_narrower_window_the_queue_keeps_the_place_and_nothing_lies_over_another(
    window, qtbot
):
    page = page_of(window)
    verdict = [column.title for column in page.model.columns].index("Verdict")
    for width, hidden in ((1366, False), (1280, True), (1150, True), (1366, False)):
        window.resize(width, 744)
        qtbot.waitUntil(
            lambda hidden=hidden: page.table.isColumnHidden(verdict) is hidden, timeout=PATIENCE
        )
        qtbot.waitUntil(lambda: misfits(window, window.look) == [], timeout=PATIENCE)
        assert page.table.columnWidth(1) > window.look.width_of("16 Oak Street, ground floor")


def test_a_job_whose_day_is_past_says_so_in_amber_also_where_there_is_no_room_for_the_day(
    window, desk, qtbot
):
    with desk.db.write() as session:
        order = session.get(WorkOrder, window.pages.queue.chosen)
        order.due -= timedelta(days=3)
    page = page_of(window)
    page.opened()
    columns = [column.title for column in page.model.columns]

    def late():
        return page.model.cell(0, columns.index("When")).chip

    qtbot.waitUntil(lambda: late() is not None, timeout=PATIENCE)
    assert late().word == "3 days late"
    assert late().tone == window.look.colours.warned
    qtbot.waitUntil(lambda: "Due" in words_of(page.pane), timeout=PATIENCE)
    small = QueueModel(window.look, window.station, [NUMBER, PLACE, STATE])
    small.show_ids(window.pages.queue.ids, "when", descending=False)
    qtbot.waitUntil(lambda: "3 days late" in small.cell(0, 1).spoken(), timeout=PATIENCE)
    small.deleteLater()
