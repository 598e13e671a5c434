"""The queue: odd search texts and odd orders first, then what its rows and details say."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from app.errors import BadInput, NotFound
from app.models.database import Database
from app.models.order import CheckResult, Incident, OrderState, StepResult, WorkOrder
from app.models.place import Customer, Device, Site, UsagePoint
from app.models.search import folded, search_text
from app.workorders.queue import (
    OPEN_STATES,
    ORDERS,
    PAGE,
    QueueFilter,
    count_by_state,
    find_ids,
    find_order,
    order_detail,
    rows,
)

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.fixture
def db(tmp_path):
    with Database.open(tmp_path) as database:
        yield database


def add(db, number, text="", **values):
    order = WorkOrder(
        number=number, search=search_text(number, text), **{"state": "accepted", **values}
    )
    with db.write() as session:
        session.add(order)
    return order.order_id


def numbers(db, **chosen):
    return [row.number for row in rows(db, find_ids(db, QueueFilter(**chosen)), now=NOW, zone=UTC)]


@pytest.mark.parametrize("text", ["%", "_", "100_", "*", "?", "[a-z]", "' OR 1=1 --", "\\", '"'])
def test_no_character_of_a_search_is_a_wildcard(db, text):
    add(db, "1043", "Oak Street 100 x")
    assert numbers(db, text=text) == []


@pytest.mark.parametrize("text", ["100%", "a_b", "c\\d", "o'neil", '"quoted"', "[x]"])
def test_such_characters_are_found_where_they_stand(db, text):
    add(db, "1", f"before {text} after")
    add(db, "2", "100 axb cxd oneil quoted x")
    assert numbers(db, text=text) == ["1"]


@pytest.mark.parametrize(
    "text", ["Łukasz Øberg", "lukasz oberg", "OBERG  łuk", "bäckerei", "backerei", "BÄCKEREI"]
)
def test_accents_capitals_and_order_of_words_do_not_matter(db, text):
    add(db, "1", "Łukasz Øberg, Bäckerei")
    assert numbers(db, text=text) == ["1"]


def test_all_words_must_occur(db):
    add(db, "1", "Oak Street")
    assert numbers(db, text="oak mill") == []
    assert numbers(db, text="  ") == ["1"]


def test_folding_keeps_digits_and_leading_zeros():
    assert folded("  Nº 007\tß ") == "no 007 ss"


def test_an_unknown_order_of_sorting_is_refused(db):
    with pytest.raises(BadInput, match="priority"):
        find_ids(db, QueueFilter(order_by="state; DROP TABLE work_order"))


@pytest.mark.parametrize("order_by", ORDERS)
@pytest.mark.parametrize("descending", [False, True])
def test_every_order_of_sorting_shows_every_order_once(db, order_by, descending):
    for number in range(5):
        add(db, str(number), due=date(2026, 11, 20 + number) if number % 2 else None)
    found = numbers(db, order_by=order_by, descending=descending)
    assert sorted(found) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("order_by", ORDERS)
@pytest.mark.parametrize(
    "chosen",
    [
        QueueFilter(),
        QueueFilter(states=OPEN_STATES),
        QueueFilter(states=OPEN_STATES, due_to=date(2026, 12, 1)),
        QueueFilter(text="oak 14"),
        QueueFilter(area="North", states=frozenset({"done"})),
        QueueFilter(queue="crew 1", kinds=frozenset({"install"})),
    ],
    ids=["all", "open", "due", "words", "area", "queue"],
)
def test_no_filter_walks_an_index_and_fetches_row_by_row(db, order_by, chosen):
    asked = []
    with db.read() as session:
        session.connection().connection.driver_connection.set_trace_callback(asked.append)
    find_ids(db, replace(chosen, order_by=order_by))
    count_by_state(db, chosen)
    with db.read() as session:
        line = session.connection().connection.driver_connection
        line.set_trace_callback(None)
        questions = [sql for sql in asked if "FROM work_order" in sql]
        plans = [row[3] for sql in questions for row in line.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert len(questions) == 2
    walked = [plan for plan in plans if " USING " in plan and "COVERING" not in plan]
    assert [plan for plan in walked if "TEMP B-TREE" not in plan] == []


def test_the_most_urgent_come_first_and_those_without_a_date_last(db):
    add(db, "undated", priority=1)
    add(db, "later", priority=1, due=date(2026, 12, 1))
    add(db, "sooner", priority=1, due=date(2026, 11, 1))
    add(db, "unimportant", priority=5, due=date(2026, 1, 1))
    assert numbers(db) == ["sooner", "later", "undated", "unimportant"]


def test_numbers_sort_as_people_count(db):
    for number in ("1043", "998", "10001"):
        add(db, number)
    assert numbers(db, order_by="number") == ["998", "1043", "10001"]
    assert numbers(db, order_by="number", descending=True) == ["10001", "1043", "998"]


def test_an_area_takes_everything_below_it_and_nothing_beside_it(db):
    add(db, "1", area="North")
    add(db, "2", area="North/Feeder 4")
    add(db, "3", area="Northwest")
    add(db, "4", area="North_/x")
    assert sorted(numbers(db, area="North")) == ["1", "2"]


def test_the_filter_restricts_by_state_kind_queue_and_date(db):
    add(db, "1", state="started", kind="install", queue="A", due=date(2026, 11, 21))
    add(db, "2", state="done", kind="install", queue="A", due=date(2026, 11, 21))
    add(db, "3", state="started", kind="remove", queue="A", due=date(2026, 11, 21))
    add(db, "4", state="started", kind="install", queue="B", due=date(2026, 11, 21))
    add(db, "5", state="started", kind="install", queue="A", due=date(2026, 11, 22))
    chosen = QueueFilter(
        states=frozenset({"started"}),
        kinds=frozenset({"install"}),
        queue="A",
        due_to=date(2026, 11, 21),
    )
    assert [row.number for row in rows(db, find_ids(db, chosen))] == ["1"]


def test_the_counts_follow_the_filter_but_for_its_states(db):
    add(db, "1", "oak", state="started")
    add(db, "2", "oak", state="done")
    add(db, "3", "mill", state="done")
    assert count_by_state(db) == {"started": 1, "done": 2}
    chosen = QueueFilter(text="oak", states=frozenset({"started"}))
    assert count_by_state(db, chosen) == {"started": 1, "done": 1}


def test_an_empty_queue_has_no_rows(db):
    assert list(find_ids(db)) == []
    assert count_by_state(db) == {}
    assert rows(db, []) == []


def test_rows_keep_the_order_asked_for_and_leave_out_what_is_not_there(db):
    add(db, "1")
    add(db, "2")
    first, second = find_ids(db, QueueFilter(order_by="number"))
    found = rows(db, [second, 10_000, first], now=NOW, zone=UTC)
    assert [row.number for row in found] == ["2", "1"]


def test_more_rows_than_a_page_are_fetched_in_pages(db):
    with db.write() as session:
        session.add_all(WorkOrder(number=str(n)) for n in range(PAGE + 10))
    assert len(rows(db, find_ids(db))) == PAGE + 10


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "Any day"),
        ({"due": date(2026, 11, 21)}, "Today"),
        ({"due": date(2026, 11, 22)}, "Tomorrow"),
        ({"due": date(2026, 11, 20)}, "1 day late"),
        ({"due": date(2026, 11, 1)}, "20 days late"),
        ({"due": date(2027, 3, 4)}, "4 Mar 2027"),
        ({"state": "rejected"}, "Rework"),
        (
            {
                "due": date(2026, 11, 21),
                "window_from": NOW - timedelta(minutes=30),
                "window_to": NOW + timedelta(hours=1),
            },
            "08:30–10:00",
        ),
        ({"window_from": NOW + timedelta(days=1)}, "Tomorrow from 09:00"),
        ({"state": "done", "verdict": "PASS", "ended": NOW}, "Done 09:00"),
        ({"state": "cannot_complete", "ended": NOW}, "Ended 09:00"),
        ({"state": "done", "ended": NOW - timedelta(days=1), "due": date(2026, 1, 1)}, "Yesterday"),
        ({"state": "cancelled", "due": date(2026, 11, 20)}, "Yesterday"),
    ],
)
def test_a_row_says_when_as_people_do(db, values, words):
    add(db, "1", **values)
    (row,) = rows(db, find_ids(db), now=NOW, zone=UTC)
    assert row.when == words


def test_an_order_is_found_by_number_id_and_reference(db):
    order_id = add(db, "1043", source="N", external_ref="NP-1")
    assert {find_order(db, text) for text in ("1043", " #1043 ", "NP-1", order_id)} == {order_id}


@pytest.mark.parametrize("text", ["", " ", "#", "104", "%", "nowhere"])
def test_an_order_that_is_not_there_is_not_found(db, text):
    add(db, "1043")
    with pytest.raises(NotFound):
        find_order(db, text)


def test_a_number_of_two_orders_is_asked_back(db):
    first, second = add(db, "1043"), add(db, "1043")
    with pytest.raises(BadInput, match="several orders") as told:
        find_order(db, "1043")
    assert first in str(told.value)
    assert second in str(told.value)


def test_the_detail_of_a_bare_order_has_nothing_around_it(db):
    detail = order_detail(db, add(db, "1043"))
    assert (detail.site, detail.customer, detail.usage_point, detail.device) == (None,) * 4
    assert detail.number == "1043"
    with pytest.raises(NotFound):
        order_detail(db, "nowhere")


def test_the_detail_shows_place_point_meter_and_what_was_found(db):
    with db.write() as session:
        session.add(Site(site_id="s", street="14 Oak Street", town="Ashwick", hazards="Dog"))
        session.add(Customer(customer_id="c", name="Bakery"))
        session.flush()
        session.add(
            UsagePoint(
                usage_point_id="u",
                site_id="s",
                phases=3,
                ct_primary=Decimal(200),
                ct_secondary=Decimal(5),
            )
        )
        session.flush()
        session.add(Device(serial="0050", usage_point_id="u", firmware="1.0"))
    order_id = add(
        db,
        "1043",
        site_id="s",
        customer_id="c",
        usage_point_id="u",
        meter_serial="0050",
        state="started",
    )
    with db.write() as session:
        session.add(
            StepResult(order_id=order_id, step="identify", state="done", value={"summary": "0050"})
        )
        session.add(
            CheckResult(
                order_id=order_id,
                check_id="clock",
                position=1,
                verdict="PASS",
                body={"title": "Clock", "seen": "+1 s"},
            )
        )
        session.add(Incident(order_id=order_id, code="ADMIN.weather"))
    detail = order_detail(db, order_id, now=NOW, zone=UTC)
    assert (detail.row.place, detail.row.town, detail.row.customer) == (
        "14 Oak Street",
        "Ashwick",
        "Bakery",
    )
    assert detail.site.hazards == "Dog"
    assert (detail.usage_point.transformers, str(detail.usage_point.multiplier)) == (
        "200/5 A",
        "40",
    )
    assert detail.device.serial == "0050"
    assert detail.steps[0].summary == "0050"
    assert detail.checks[0].seen == "+1 s"
    assert detail.check_counts == {"PASS": 1}
    assert detail.incidents[0].title
    assert OrderState.PAUSED in detail.moves
