"""People at one laptop: who may see and do what, the lock, the record of acts, the centre."""

import sqlite3
from contextlib import closing

import pytest

from app.errors import AuditBroken, NotPermitted
from app.messages import explain
from app.models.database import FILE
from app.views import files
from app.views.fault_panel import FaultSheet
from app.views.order_page import OrderPage
from app.views.queue_page import QueuePage
from app.views.shell import PLACES
from app.views.sign_in import SignInPage
from app.workorders.desk import Desk
from tests.gui.fake_desk import FakeDesk
from tests.gui.keyboard import problems
from tests.gui.patience import PATIENCE
from tests.gui.shared_desk import PASSWORD, busy_centre, people

JOBS, MAINTENANCE, SETTINGS, CENTRE = range(4)


@pytest.fixture
def shared(desk, tmp_path):
    """The filled desk, with people entered; nobody has signed in."""
    people(desk)
    desk.db.close()
    desk = FakeDesk(tmp_path / "data")
    yield desk
    desk.db.close()


@pytest.fixture
def door(shared, opened):
    return opened(shared)


def page(window):
    return window.stack.currentWidget()


def enter(qtbot, window, name, password=PASSWORD):
    shown = page(window)
    shown.name.setText(name)
    shown.password.setText(password)
    shown.go.click()
    qtbot.waitUntil(lambda: shown is not page(window) or shown.go.isEnabled(), timeout=PATIENCE)


def places(window):
    return [PLACES[index].name for index in window.rail._buttons]


def test_a_laptop_without_people_asks_for_nothing(window):
    assert isinstance(page(window), QueuePage)
    assert places(window) == ["Jobs", "Maintenance", "Centre", "Settings"]
    assert not window.bar.lock.isVisible()


def test_nothing_is_seen_before_somebody_has_signed_in(door, shared, qtbot):
    assert isinstance(page(door), SignInPage)
    qtbot.waitUntil(page(door).name.hasFocus, timeout=PATIENCE)
    assert problems(door) == []
    assert not door.rail.isVisible()
    assert not door.bar.button.isVisible()
    for place in range(len(PLACES)):
        door.open_place(place)
        assert isinstance(page(door), SignInPage)
    door.turn_trace()
    assert not door.trace.isVisible()
    with pytest.raises(NotPermitted):
        next(shared.work("any", ""))
    enter(qtbot, door, "ana", "wrong password")
    assert isinstance(page(door), SignInPage)
    assert "do not fit" in page(door).problem.text()
    assert page(door).password.text() == ""


def test_an_installer_works_under_the_own_name(door, shared, qtbot):
    enter(qtbot, door, "ana")
    assert isinstance(page(door), QueuePage)
    assert places(door) == ["Jobs", "Maintenance", "Settings"]
    assert (shared.who, shared.role) == ("Ana Berg", "installer")
    assert door.station.standing().person == "Ana Berg"
    with pytest.raises(NotPermitted):
        shared.centre_standing()


def test_an_agent_sees_jobs_and_never_keys_or_parameters(door, shared, order_ids, qtbot):
    enter(qtbot, door, "carl")
    assert places(door) == ["Jobs", "Settings"]
    assert not door.bar.button.isVisible()
    door.open_place(SETTINGS)
    assert set(page(door).fields) == {"look.theme", "look.size", "look.timezone"}
    door.pages.open_order(order_ids[0])
    session = door.pages.order
    qtbot.waitUntil(lambda: session.detail is not None, timeout=PATIENCE)
    assert isinstance(page(door), OrderPage)
    session.start()
    qtbot.waitUntil(lambda: not session.running and session.failure is not None, timeout=PATIENCE)
    with pytest.raises(NotPermitted), Desk._opened(shared, "fake:optical", "")(""):
        pass


@pytest.fixture
def order_ids(shared):
    from app.workorders.queue import QueueFilter, find_ids, rows

    return [row.order_id for row in rows(shared.db, find_ids(shared.db, QueueFilter()))]


def test_the_laptop_locks_when_nobody_is_there_and_not_while_a_meter_is_read(
    door, shared, order_ids, qtbot
):
    enter(qtbot, door, "ana")
    clock = [0.0]
    door.door._now = lambda: clock[0]
    door.door._last = 0.0
    clock[0] = 599.0
    door.door.look()
    assert not door.door.shut
    clock[0] = 601.0
    door.door.look()
    qtbot.waitUntil(lambda: isinstance(page(door), SignInPage), timeout=PATIENCE)
    assert page(door).name.text() == "ana"
    enter(qtbot, door, "ana")
    door.station.choose_port("fake:optical", "Virtual optical port", "")
    door.pages.open_order(order_ids[0])
    session = door.pages.order
    qtbot.waitUntil(lambda: bool(session.steps), timeout=PATIENCE)
    session.start()
    qtbot.waitUntil(lambda: session.question is not None, timeout=PATIENCE)
    clock[0] = 99_999.0
    door.door.look()
    assert not door.door.shut
    session.stop()
    qtbot.waitUntil(lambda: not session.running, timeout=PATIENCE)


def test_the_lock_button_sends_the_person_away_and_says_so_in_the_record(door, shared, qtbot):
    enter(qtbot, door, "vera")
    assert places(door) == ["Jobs", "Centre", "Settings"]
    door.bar.lock.click()
    qtbot.waitUntil(lambda: isinstance(page(door), SignInPage), timeout=PATIENCE)
    assert shared.locked
    with closing(sqlite3.connect(shared.db.folder / FILE)) as connection:
        acts = connection.execute("SELECT who, act FROM audit ORDER BY position").fetchall()
    assert acts[-2:] == [("vera", "user.signed_in"), ("vera", "user.signed_out")]


def test_a_record_of_acts_that_was_changed_is_told_at_the_start(shared, opened, qtbot):
    with closing(sqlite3.connect(shared.db.folder / FILE)) as connection, connection:
        connection.execute("UPDATE audit SET who = 'nobody' WHERE position = 2")
    with pytest.raises(AuditBroken, match="Row 2"):
        shared.check_audit()
    window = opened(shared)
    qtbot.waitUntil(lambda: window.findChildren(FaultSheet) != [], timeout=PATIENCE)
    (sheet,) = window.findChildren(FaultSheet)
    assert sheet.windowTitle() == explain(AuditBroken()).title
    sheet.reject()


# -- the centre's page -----------------------------------------------------------------------------


@pytest.fixture
def supervised(desk, tmp_path, opened):
    desk.settings.set("centre.url", busy_centre(tmp_path / "centre"))
    return opened(desk)


def told(table):
    return table.texts()[1]


def test_the_page_lists_laptops_reviews_and_orders_by_group(supervised, qtbot):
    supervised.open_place(CENTRE)
    session, shown = supervised.pages.centre, page(supervised)
    qtbot.waitUntil(lambda: session.standing is not None, timeout=PATIENCE)
    states = {row[0]: row[1] for row in told(shown.laptops)}
    assert problems(supervised) == []
    assert states == {"crew north": "In touch", "crew south": "In touch", "crew west": "Silent",
                      "crew east": "Never seen", "lost laptop": "Revoked"}  # fmt: skip
    assert session.standing.reviews_open == 3
    assert session.standing.visits_in_review == 6
    assert [row[0] for row in told(shown.groups)] == ["North/Feeder 4", "South", "West/Harbour"]
    shown.by.chosen.emit(1)
    assert [row[0] for row in told(shown.groups)] == ["crew north", "crew south", "crew west"]


def test_the_page_is_written_to_a_file(supervised, qtbot, monkeypatch, tmp_path):
    supervised.open_place(CENTRE)
    session, shown = supervised.pages.centre, page(supervised)
    qtbot.waitUntil(lambda: session.standing is not None, timeout=PATIENCE)
    for name in ("centre.csv", "centre.xlsx", "centre.json"):
        monkeypatch.setattr(files, "ask_save", lambda *_, name=name: tmp_path / name)
        shown.export.click()
        qtbot.waitUntil(lambda name=name: (tmp_path / name).exists(), timeout=PATIENCE)
    assert "crew west" in (tmp_path / "centre.csv").read_text("utf-8-sig")
    assert '"reviews_open": 3' in (tmp_path / "centre.json").read_text("utf-8")


def test_the_page_says_why_there_is_nothing_and_keeps_what_it_had(supervised, desk, qtbot):
    supervised.open_place(CENTRE)
    session = supervised.pages.centre
    qtbot.waitUntil(lambda: session.standing is not None, timeout=PATIENCE)
    before = session.standing
    desk.settings.set("centre.url", f"sqlite:///{desk.db.folder}/absent.sqlite")
    page(supervised).refresh.click()
    qtbot.waitUntil(lambda: session.error is not None, timeout=PATIENCE)
    assert session.standing is before
    assert "cannot be reached" in page(supervised)._said.text()
    session.standing = None
    page(supervised).show_session()
    assert page(supervised)._stack.currentWidget() is page(supervised)._note
    desk.settings.set("centre.url", "")
    page(supervised).show_session()
    assert not page(supervised).refresh.isVisible()
