"""A person with areas at a shared laptop: nothing of the others in lists, counts and pages."""

import pytest

from app.errors import NotFound
from app.models.order import OrderState, WorkOrder
from app.models.token import VendingRecord
from app.services import users
from app.services.users import SignedIn
from app.views.queue_page import QueuePage
from app.views.sign_in import SignInPage
from app.workorders.queue import QueueFilter, find_ids, order_detail, rows
from tests.gui.fake_desk import FakeDesk
from tests.gui.patience import PATIENCE
from tests.gui.shared_desk import PASSWORD, busy_centre, people

JOBS, CENTRE, CAMPAIGN = 0, 3, "North keys"
AREAS = ("North", "North/Feeder 4", "Northern", "South", "", "South/Mill")


@pytest.fixture
def door(desk, tmp_path, opened):
    """The sign-in page of a laptop with two orders of each area; nora is of North."""
    people(desk)
    ada = SignedIn("ada", "administrator")
    users.add(desk.db, "nora", "dispatcher", PASSWORD, by=ada, areas=("North",))
    with desk.db.write() as session:
        for place, order in enumerate(session.query(WorkOrder).order_by(WorkOrder.number)):
            order.area = AREAS[place % len(AREAS)]
            order.state = OrderState.DONE if place >= len(AREAS) else OrderState.ACCEPTED
            if order.area == "South":
                record = VendingRecord(order_id=order.order_id, drn=str(place), campaign=CAMPAIGN)
                session.add(record)
    desk.db.close()
    shared = FakeDesk(tmp_path / "data")
    yield opened(shared)
    shared.db.close()


def page(window):
    return window.stack.currentWidget()


def enter(qtbot, window, name):
    shown = page(window)
    shown.name.setText(name)
    shown.password.setText(PASSWORD)
    shown.go.click()
    qtbot.waitUntil(lambda: isinstance(page(window), QueuePage), timeout=PATIENCE)


def listed(qtbot, window, count, *, share=3, text=""):
    """Wait until the queue shows so many orders of a share and a search; return their numbers."""
    session = window.pages.queue
    session.choose_share(share)
    page(window).search.setText(text)
    qtbot.waitUntil(
        lambda: session.filter.text == text and len(session.ids) == count, timeout=PATIENCE
    )
    qtbot.waitUntil(lambda: not session._typing.isActive(), timeout=PATIENCE)
    db = window.station.desk.db
    return [row.number for row in rows(db, session.ids)]


def everything(window):
    """Return the ids of all orders of the laptop by number, whoever sits there."""
    db = window.station.desk.db
    actor, db.actor = db.actor, None
    try:
        return {row.number: row.order_id for row in rows(db, find_ids(db, QueueFilter()))}
    finally:
        db.actor = actor


def test_the_queue_its_counts_and_its_search_know_the_own_areas_only(door, qtbot):
    enter(qtbot, door, "nora")
    assert sorted(listed(qtbot, door, 4)) == ["1043", "1044", "1049", "1050"]
    session = door.pages.queue
    assert [name.rpartition(" ")[2] for name in session.names()[1:]] == ["2", "2", "4"]
    assert session.everything == 4
    assert not session.campaigns
    assert listed(qtbot, door, 1, text="1044") == ["1044"]
    listed(qtbot, door, 0, text="1045")
    assert session.names()[3] == "All 0"
    assert session.everything == 4
    page(door).take_scan("1046")
    qtbot.waitUntil(lambda: not session._typing.isActive(), timeout=PATIENCE)
    qtbot.waitUntil(lambda: session.filter.text == "1046" and not session.ids, timeout=PATIENCE)


def test_an_order_of_another_area_opens_for_nobody_who_does_not_see_it(door, qtbot):
    enter(qtbot, door, "ada")
    ids = everything(door)
    assert len(listed(qtbot, door, 12)) == 12
    assert door.pages.queue.campaigns
    door.pages.queue.choose(ids["1046"])
    qtbot.waitUntil(lambda: door.pages.queue.detail is not None, timeout=PATIENCE)
    door.pages.open_order(ids["1046"])
    qtbot.waitUntil(lambda: door.pages.order.detail is not None, timeout=PATIENCE)
    door.bar.lock.click()
    qtbot.waitUntil(lambda: isinstance(page(door), SignInPage), timeout=PATIENCE)
    enter(qtbot, door, "nora")
    assert isinstance(page(door), QueuePage)
    assert door.pages.queue.detail is None
    listed(qtbot, door, 4)
    with qtbot.waitSignal(door.station.refused, timeout=PATIENCE) as refused:
        door.pages.open_order(ids["1046"])
    assert isinstance(refused.args[0], NotFound)
    assert door.pages.order.detail is None
    with pytest.raises(NotFound):
        order_detail(door.station.desk.db, ids["1046"])


def test_the_centre_page_counts_the_orders_and_reviews_of_the_own_areas(door, qtbot, tmp_path):
    door.station.desk.settings.set("centre.url", busy_centre(tmp_path / "centre"))
    enter(qtbot, door, "nora")
    door.open_place(CENTRE)
    session = door.pages.centre
    qtbot.waitUntil(lambda: session.standing is not None, timeout=PATIENCE)
    assert [row[0] for row in page(door).groups.texts()[1]] == ["North/Feeder 4"]
    assert session.standing.visits_in_review == 2
    assert session.standing.reviews_open == 0
    page(door).by.chosen.emit(1)
    assert [row[0] for row in page(door).groups.texts()[1]] == ["crew north"]
    assert len(session.standing.laptops) == 5
