"""``centre review``, ``orders assign`` and their neighbours, as scripts use them."""

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from app.centre.contract import Enrolment
from app.cli import meterwright
from app.commands.centre import write_credentials
from app.errors import BadInput
from app.models.database import FILE, Database
from app.models.order import OrderState, WorkOrder
from app.models.people import Audit
from app.models.token import VendingRecord
from app.services import users
from app.services.users import SignedIn
from app.workorders.campaign import campaign_names
from resources import resource
from tests.protocol.sync_world import World, postgres_world

PASSWORD = "correct horse"


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def run(tmp_path, world):
    def command(*words, code=0, **environment):
        arguments = [*map(str, words), "--json", "--data", str(tmp_path / "office")]
        result = CliRunner(env=environment).invoke(meterwright, arguments, standalone_mode=False)
        exit_code = getattr(result.exception, "code", result.exit_code)
        assert exit_code == code, (result.output, result.exception)
        return json.loads(result.stdout) if result.stdout else {}

    return command


def test_a_visit_goes_through_review_from_the_command_line(world, run):
    url = world.centre.url
    ana, ben = world.laptop("ana"), world.laptop("ben")
    first, second = ana.take_orders(2)
    ana.record(first, "step.result", {"step": "photo"})
    ana.record(first, "order.done", {"verdict": "PASS", "who": "ana"})
    ana.move(first, OrderState.DONE)
    world.sync(ana)

    waiting = run("centre", "review", "list", url)
    assert [v["number"] for v in waiting["visits"]] == ["1"]
    shown = run("centre", "review", "show", url, "1")
    assert [e["kind"] for e in shown["events"]] == ["order.imported", "step.result", "order.done"]
    run("centre", "review", "approve", url, "1", "--as", "ana", code=20)
    run("centre", "review", "reject", url, "1", "--as", "vera", code=2)
    run("centre", "review", "reject", url, "1", "--step", "tango", "--reason", "r", code=2)
    back = run("centre", "review", "reject", url, "1", "--step", "photo", "--reason", "dark")
    assert (back["state"], back["epoch"]) == ("assigned", 2)

    (moved,) = run("orders", "assign", "2", "--to", "ben", "--centre", url)["orders"]
    assert moved["assignee"] == ben.device_id
    ana.complete(second)
    world.sync(ana)
    (dispute,) = run("centre", "review", "list", url)["disputes"]
    assert dispute["verdict"] == "late"
    item = f"#{dispute['item']}"
    run("centre", "review", "settle", url, item, "--reason", "r", code=2)
    settled = run("centre", "review", "settle", url, item, "--accept", "--reason", "was there")
    assert settled["decision"] == "accept"
    run("centre", "review", "approve", url, "2", "--as", "vera")
    groups = run("centre", "progress", url, "--by", "crew")["groups"]
    assert [(g["group"], g["planned"], g["approved"]) for g in groups] == [("ana", 1, 1)]
    assert run("centre", "maintain", url)["rejudged"] == 0
    assert run("centre", "restored", url)["generation"] > 1
    assert run("centre", "rebuild", url, "--check")["differences"] == []
    assert run("centre", "status", url)["review_open"] == 0


def test_an_order_is_recalled_with_a_reason_only(world, run):
    ana = world.laptop("ana")
    ana.take_orders(1)
    world.sync(ana)
    url = world.centre.url
    run("orders", "assign", "1", "--recall", "--centre", url, code=2)
    run("orders", "assign", "1", "--centre", url, code=2)
    run("orders", "assign", "1", "--to", "nobody", "--centre", url, code=2)
    (order,) = run("orders", "assign", "1", "--recall", "--reason", "plans", "--centre", url)[
        "orders"
    ]
    assert (order["state"], order["assignee"]) == ("recalled", "")


def test_once_people_are_entered_an_act_needs_a_sign_in(world, run):
    url = world.centre.url
    ana = world.laptop("ana")
    ana.take_orders(1)
    world.sync(ana)
    words = ("orders", "assign", "1", "--to", "ana", "--centre", url)
    result = CliRunner().invoke(
        meterwright,
        ["centre", "user", "add", "ada", "--new-role", "administrator", "--json", "--data",
         str(world.folder / "office")],
        input="correct horse\n",
    )  # fmt: skip
    assert json.loads(result.stdout) == {"added": "ada"}
    run(*words, "--role", "dispatcher", code=20)
    run(*words, "--as", "ada", code=20, METERWRIGHT_PASSWORD="wrong")
    run(*words, "--as", "ada", METERWRIGHT_PASSWORD="correct horse")
    assert [u["name"] for u in run("centre", "user", "list")["users"]] == ["ada"]
    assert run("centre", "audit")["troubles"] == []


def test_once_people_are_entered_work_and_secrets_need_a_sign_in_too(run, tmp_path):
    orders = tmp_path / "orders.csv"
    orders.write_bytes(resource("demo", "orders.csv").read_bytes())
    password = {"METERWRIGHT_PASSWORD": PASSWORD}
    run("orders", "import", orders)
    with Database.open(tmp_path / "office") as db:
        users.add(db, "ada", "administrator", PASSWORD)
        users.add(db, "carl", "agent", PASSWORD, by=SignedIn("ada", "administrator"))
    run("orders", "import", orders, code=20)
    run("vault", "delete", "centre", code=20)
    run("orders", "import", orders, code=20, METERWRIGHT_USER="carl", **password)
    run("vault", "delete", "centre", code=20, METERWRIGHT_USER="carl", **password)
    run("orders", "import", orders, METERWRIGHT_USER="ada", **password)


AT_THE_METER = [
    ("read", "LINK", "identity"),
    ("find", "LINK"),
    ("relay", "open", "LINK"),
    ("relay", "close", "LINK"),
    ("relay", "arm", "LINK"),
    ("clock", "set", "LINK", "--yes"),
    ("parameters", "read", "LINK", "p.toml"),
    ("parameters", "compare", "LINK", "FILE"),
    ("parameters", "write", "LINK", "FILE"),
    ("calendar", "read", "LINK"),
    ("calendar", "write", "LINK", "FILE"),
    ("firmware", "load", "LINK", "FILE", "--identifier", "x"),
    ("token", "enter", "LINK", "12345678901234567890", "--yes"),
    ("token", "settle", "1", "LINK"),
]


def test_once_people_are_entered_only_who_may_reaches_a_meter(run, tmp_path):
    file = tmp_path / "file.toml"
    file.write_text("")
    with Database.open(tmp_path / "office") as db:
        users.add(db, "ada", "administrator", PASSWORD)
        users.add(db, "carl", "agent", PASSWORD, by=SignedIn("ada", "administrator"))
    nowhere = {"LINK": "tcp://127.0.0.1:1", "FILE": str(file)}
    for words in AT_THE_METER:
        told = [nowhere.get(word, word) for word in words]
        run(*told, code=20)
        run(*told, code=20, METERWRIGHT_USER="carl", METERWRIGHT_PASSWORD=PASSWORD)


def key_changes(db, *orders):
    """Put orders in, each with its number, area and campaign."""
    with db.write() as session:
        for number, area, name in orders:
            order = WorkOrder(number=number, area=area)
            session.add(order)
            session.flush()
            session.add(VendingRecord(order_id=order.order_id, drn=number, campaign=name))


LOOKED_AT = [
    ("orders", "list"),
    ("orders", "show", "1"),
    ("token", "list", "1"),
    ("token", "campaign", "status", "North"),
]


def test_once_people_are_entered_looking_needs_one_sign_in_a_command(run, tmp_path):
    with Database.open(tmp_path / "office") as db:
        users.add(db, "ada", "administrator", PASSWORD)
        users.add(db, "carl", "agent", PASSWORD, by=SignedIn("ada", "administrator"))
        key_changes(db, ("1", "North", "North"), ("2", "South", "North"))
    carl = {"METERWRIGHT_USER": "carl", "METERWRIGHT_PASSWORD": PASSWORD}
    for words in LOOKED_AT:
        run(*words, code=20)
        run(*words, code=20, **{**carl, "METERWRIGHT_PASSWORD": "wrong horse"})
        run(*words, **carl)
    run("centre", "review", "list", "sqlite:///nowhere.sqlite", code=20, **carl)
    run("orders", "export", tmp_path / "out.csv", **carl)
    run("read", "tcp://127.0.0.1:1", "identity", code=20, **carl)
    with Database.open(tmp_path / "office") as db, db.read() as session:
        acts = [row.act for row in session.scalars(select(Audit).order_by(Audit.position))]
    signed_in = len(LOOKED_AT) + 3
    assert acts.count("user.signed_in") == signed_in
    assert acts.count("user.refused") == len(LOOKED_AT)


def test_a_campaign_shows_a_person_with_areas_the_meters_there(run, tmp_path):
    with Database.open(tmp_path / "office") as db:
        users.add(db, "ada", "administrator", PASSWORD)
        users.add(db, "ana", "installer", PASSWORD, by=SignedIn("ada", "administrator"),
                  areas=("North",))  # fmt: skip
        key_changes(db, ("1", "North", "all"), ("2", "South", "all"), ("3", "South", "far"))
        db.actor = SignedIn("ana", "installer", ("North",))
        assert campaign_names(db) == ["all"]
    ana = {"METERWRIGHT_USER": "ana", "METERWRIGHT_PASSWORD": PASSWORD}
    ada = {**ana, "METERWRIGHT_USER": "ada"}
    status = ("token", "campaign", "status")
    assert [m["order"] for m in run(*status, "all", **ana)["meters"]] == ["1"]
    assert [m["order"] for m in run(*status, "all", **ada)["meters"]] == ["1", "2"]
    run(*status, "far", code=2, **ana)
    run("token", "list", "2", code=2, **ana)


def test_a_laptop_without_people_makes_no_database_to_read_a_meter(run, tmp_path):
    run("read", "tcp://127.0.0.1:1", "identity", code=10)
    assert not (tmp_path / "office" / FILE).exists()


def test_a_person_with_areas_sees_works_and_exports_only_their_orders(run, tmp_path):
    with Database.open(tmp_path / "office") as db:
        users.add(db, "ada", "administrator", PASSWORD)
        users.add(db, "ana", "installer", PASSWORD, by=SignedIn("ada", "administrator"),
                  areas=("North",))  # fmt: skip
        with db.write() as session:
            for number, area in (("1", "North"), ("2", "North/Mill"), ("3", "Northern"), ("4", "")):
                session.add(WorkOrder(number=number, area=area, state=OrderState.ACCEPTED))
    ana = {"METERWRIGHT_USER": "ana", "METERWRIGHT_PASSWORD": PASSWORD}
    ada = {**ana, "METERWRIGHT_USER": "ada"}
    run("orders", "list", code=20)
    run("orders", "export", tmp_path / "out.csv", code=20)
    assert [row["number"] for row in run("orders", "list", **ana)["orders"]] == ["1", "2"]
    assert len(run("orders", "list", **ada)["orders"]) == 4
    run("orders", "show", "2", **ana)
    run("orders", "show", "3", code=2, **ana)
    run("run", "4", "tcp://127.0.0.1:1", code=2, **ana)
    run("orders", "export", tmp_path / "out.csv", **ana)
    rows = (tmp_path / "out-orders.csv").read_text("utf-8").splitlines()
    assert len(rows) == 3
    run("orders", "export", tmp_path / "out.jsonl", code=20, **ana)
    run("orders", "export", tmp_path / "out.jsonl", **ada)


def test_a_new_laptop_tells_the_number_that_enrolling_asks_for(tmp_path, run):
    url = f"sqlite:///{tmp_path / 'centre.sqlite'}"
    run("centre", "init", url)
    number = run("centre", "laptop")["device"]
    run("centre", "enrol", url, number, "--name", "ana")
    run("sync", "--centre", url)
    assert [one["device"] for one in run("centre", "status", url)["devices"]] == [number]


def test_credentials_are_for_their_owner_only_and_never_written_over(tmp_path):
    file = tmp_path / "laptop"
    write_credentials(file, Enrolment("d", "postgresql+pg8000://u@h/d", "secret"))
    assert file.stat().st_mode & 0o077 == 0
    assert "PASSWORD=secret" in file.read_text()
    with pytest.raises(BadInput):
        write_credentials(file, Enrolment("d", "x", "y"))


@pytest.mark.postgres
def test_a_laptop_is_enrolled_on_postgresql_with_a_file_for_its_password(tmp_path, run):
    world = postgres_world(tmp_path)
    try:
        url = world.centre.url
        ana = world.open(tmp_path / "ana")
        run("centre", "enrol", url, ana.device_id, code=2)
        enrolled = run(
            "centre", "enrol", url, ana.device_id, "--name", "ana", "--credentials", tmp_path / "c"
        )
        assert enrolled["url"].startswith("postgresql+pg8000://mwdev_")
        assert "PASSWORD" in (tmp_path / "c").read_text()
        assert run("centre", "status", url)["devices"][0]["name"] == "ana"
        assert run("centre", "maintain", url)["alarms"] == []
        run("centre", "revoke", url, ana.device_id)
    finally:
        world.close()
