"""A stolen laptop's login on a PostgreSQL centre: what it may see and do, and what not (I9)."""

import re
import sys
from random import Random

import pytest
from pg8000.exceptions import DatabaseError

from app.centre.contract import CHUNK, Act, BlobFact
from app.centre.fold import APPROVED, ASSIGNED
from app.centre.opening import open_centre
from app.centre.wire import Wire, address, array
from app.errors import AppError, BadInput, CentreRefused, NotPermitted
from app.models.journal import append
from tests.protocol.hostile_sql import sentence
from tests.protocol.sync_world import check_centre, postgres_world

pytestmark = pytest.mark.postgres

SENTENCES = 10_000
SYNTAX_ERROR = "42601"
REFUSED = [
    "update mw.work_order set state = 'approved'",
    "insert into mw.mail values ('main', 'x', 1, 'k', 'o', '{}')",
    "delete from mw.work_order",
    "truncate mw.event",
    "select * from mw.event",
    "select * from mw.event_default",
    "select * from mw.device",
    "select * from mw.incarnation",
    "select * from mw.review",
    "select * from mw.blob_chunk",
    "select * from mw.person",
    "select * from mw.centre",
    "select * from mw.reading_day",
    "select pg_authid.rolpassword from pg_authid",
    "set role mw_owner",
    "set role mw_office",
    "set role owner",
    "set session authorization owner",
    "set row_security = off; select * from mw.work_order",
    "select mw.post('main', 'x', 'k', 'o', '{}')",
    "select mw.own_event('main', 'o', 1, 'centre.approved', '{}')",
    "select mw.save(null)",
    "select mw.admit()",
    "select mw.spend(null, -1000000, 0)",
    "select mw.partitions_ahead(900)",
    "select api.act('centre.approved', 'o', 'vera', 'verifier', '', '', '{}', null, '')",
    "create table mw.evil(i int)",
    "create table public.evil(i int)",
    "create temp table evil(i int)",
    "create schema evil",
    "create function mw.evil() returns int language sql as 'select 1'",
    "do $$ begin perform 1; end $$",
    "create role evil",
    "alter role mw_field superuser",
    "grant mw_owner to mw_field",
    "alter table mw.event disable row level security",
    "drop policy own_orders on mw.work_order",
    "create policy evil on mw.work_order using (true)",
    "copy mw.event to stdout",
    "copy (select 1) to program 'id'",
    "copy mw.work_order from '/etc/passwd'",
    "select pg_read_file('/etc/passwd')",
    "select pg_ls_dir('.')",
    "select lo_create(0)",
    "select lo_from_bytea(0, 'x')",
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'owner'",
    "select pg_reload_conf()",
    "alter system set fsync = off",
    "alter database postgres set x.y = 'z'",
    "create extension dblink",
    "security label on role mw_field is 'x'",
    "lock table mw.work_order in access exclusive mode",
    "select * from mw.work_order for update",
    "create trigger t before update on mw.work_order for each row execute function api.me()",
    "create view mw.v as select 1",
    "refresh materialized view mw.v",
    "comment on table mw.event is 'x'",
    "reindex table mw.event",
]


@pytest.fixture
def world(tmp_path):
    made = postgres_world(tmp_path)
    yield made
    made.close()


@pytest.fixture
def stolen(world):
    """A laptop with work of its own beside another, and its login in other hands."""
    ana, ben = world.laptop("ana"), world.laptop("ben")
    for field in (ana, ben):
        order_id, given = field.take_orders(2, source=field.device_id)
        field.record(order_id, "reading.taken", {"values": ["1"]})
        world.sync(field)
        world.centre.assign([given], field.device_id)
    wire = Wire(address(world.centre.logins[ana.device_id]))
    yield ana, ben, wire
    wire.close()


def state(world):
    return [
        world.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
        for table in ("event", "work_order", "mail", "review", "incarnation", "person", "blob")
    ]


def test_hostile_statements_are_refused_and_change_nothing(world, stolen):
    _, _, wire = stolen
    before = state(world)
    allowed = [statement for statement in REFUSED if not _refused(wire, statement)]
    assert allowed == []
    assert state(world) == before


def _refused(wire, statement):
    try:
        for part in statement.split("; "):
            wire.query(part)
    except (AppError, DatabaseError):
        return True
    finally:
        wire.close()
    return False


def test_a_laptop_reads_its_own_orders_and_mail_and_nothing_else(world, stolen):
    ana, _, wire = stolen
    owners = wire.query("select distinct assignee from mw.work_order")
    boxes = wire.query("select distinct device_id from mw.mail")
    assert owners == boxes == [[ana.device_id]]
    assert len(wire.query("select * from mw.work_order")) == 2
    wire.query("select set_config('role', 'none', false)")
    wire.query("select set_config('session_authorization', session_user, false)")
    assert wire.query("select distinct device_id from mw.mail") == [[ana.device_id]]


def test_a_revoked_laptop_reads_nothing_even_on_an_open_line(world, stolen):
    ana, _, wire = stolen
    assert wire.query("select 1 from mw.mail")
    world.change("UPDATE device SET revoked = true WHERE device_id = ?", ana.device_id)
    assert wire.query("select 1 from mw.mail") == []
    assert wire.query("select 1 from mw.work_order") == []
    with pytest.raises(CentreRefused, match="revoked"):
        wire.query("select api.new_incarnation()")


def test_a_result_forged_for_another_laptops_order_is_late(world, stolen):
    ana, ben, _ = stolen
    theirs = ben.events()[0].order_id
    forged = ana.record(theirs, "order.done", {"verdict": "PASS"})
    world.sync(ana)
    assert world.verdict(forged) == "late"
    assert world.rows("SELECT completed FROM work_order WHERE order_id = ?", theirs) == [(False,)]
    check_centre(world)


def test_a_laptop_cannot_spoil_the_upload_of_another(world, stolen):
    ana, ben, _ = stolen
    (order_id,) = ben.take_orders(1, source="x")
    sha256 = ben.photograph(order_id, b"photo" * 100_000)
    ours = world.centre.session(ben.device_id)
    assert ours.blob_missing([BlobFact(sha256, 500_000, "image/jpeg")]) == {sha256: 0}
    assert ours.blob_put(sha256, 0, (b"photo" * 100_000)[:CHUNK]) == CHUNK
    bad = world.centre.session(ana.device_id)
    assert bad.blob_missing([BlobFact(sha256, 7, "")]) == {sha256: 0}
    assert bad.blob_put(sha256, 0, b"garbage") == 0
    assert ours.blob_missing([BlobFact(sha256, 500_000, "image/jpeg")]) == {sha256: CHUNK}
    assert world.sync(ben).in_step


def test_a_laptop_over_its_daily_quota_comes_back_tomorrow(world, stolen):
    ana, _, _ = stolen
    world.change("UPDATE centre SET events_per_day = 5")
    ana.take_orders(9, source="q")
    with pytest.raises(AppError, match="quota"):
        world.sync(ana)
    world.change("UPDATE device SET used_on = used_on - 1")
    world.change("UPDATE centre SET events_per_day = 50")
    assert world.sync(ana).in_step


def test_no_sentence_of_a_thief_changes_anything_or_shows_another_laptop(world, stolen):
    _, ben, wire = stolen
    theirs = [event.order_id for event in ben.events()]
    before = state(world)
    draw = Random(9)
    line = wire._connected()
    ran = nonsense = 0
    for _ in range(SENTENCES):
        said = sentence(draw, ben.device_id, draw.choice(theirs))
        try:
            shown = repr(line.run(said))
            ran += 1
        except DatabaseError as error:
            fields = error.args[0]
            nonsense += fields["C"] == SYNTAX_ERROR
            shown = f"{fields.get('D', '')} {fields['M']}".replace(said, "")
        told = f"{shown} {[notice[b'M'] for notice in line.notices]}"
        line.notices.clear()
        for secret in (ben.device_id, *theirs):
            assert secret not in told or secret in said, said
    assert state(world) == before
    sys.stdout.write(f"stolen role: {SENTENCES} sentences tried, failures 0 ({ran} ran)\n")
    assert nonsense < SENTENCES // 100


def test_functions_of_the_owner_have_a_fixed_search_path_and_are_not_public(world):
    rows = world.rows(
        "SELECT p.proname, p.prosecdef, p.proconfig::text, p.proacl::text FROM pg_catalog.pg_proc p"
        " JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('mw', 'api')"
    )
    assert len(rows) > 20
    for name, definer, config, rights in rows:
        if definer:
            assert config == '{"search_path=pg_catalog, pg_temp"}', name
        assert rights is not None, f"{name} is public"
        assert not re.search(r"[{,]=X", rights), f"{name} is public"
    tables = world.rows(
        "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
        " ON n.oid = c.relnamespace WHERE n.nspname = 'mw' AND c.relkind IN ('r', 'p')"
        " AND NOT c.relrowsecurity"
    )
    assert tables == []


# -- the office ------------------------------------------------------------------------------------


def test_a_verifiers_login_says_who_acts_whatever_the_call_says(world, stolen):
    ana, _, _ = stolen
    (order_id, *_) = [event.order_id for event in ana.events()]
    ana.complete(order_id)
    world.sync(ana)
    vera = open_centre(world.centre.employ("vera", "verifier").url)
    try:
        with pytest.raises(NotPermitted):
            vera.act(Act(ASSIGNED, order_id, who="x", role="dispatcher", device=ana.device_id))
        vera.act(Act(APPROVED, order_id, who="somebody else", role="administrator"))
        assert vera.orders([order_id])[0].approved_by == "vera"
        assert vera.status()["work_orders"]
        with pytest.raises(AppError):
            vera.enrol("mine")
        with pytest.raises(AppError):
            vera.after_restore()
    finally:
        vera.close()
    check_centre(world)


def test_a_person_of_one_area_sees_and_moves_only_its_orders(world):
    ana = world.laptop("ana")
    for area in ("North/Feeder 4", "South", "Northwest"):
        with ana.db.write() as session:
            append(session, "order.imported", {"area": area}, order_id=area, epoch=1)
    world.sync(ana)
    dora = open_centre(world.centre.employ("dora", "dispatcher", ["North"]).url)
    try:
        assert [order.area for order in dora.orders()] == ["North/Feeder 4"]
        assert [order_id for order_id in ("South",) if dora.history(order_id)] == []
        assert dora.history("North/Feeder 4")
        with pytest.raises(NotPermitted, match="areas"):
            dora.assign(["South"], ana.device_id)
        dora.assign(["North/Feeder 4"], ana.device_id)
    finally:
        dora.close()


# -- addresses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+pg8000://u:secret@host/db",
        "postgresql+pg8000://host/db",
        "postgresql+pg8000://u@host",
        "postgresql+pg8000://u@host/db?sslmode=disable",
        "postgresql+pg8000://u@host/db?timeout=soon",
        "postgresql://u@host/db",
        "postgres://u@host/db",
        "postgresql+psycopg://u@host/db",
        "mysql://u@host/db",
    ],
)
def test_an_address_that_is_incomplete_unsafe_or_of_another_driver_is_refused(url):
    with pytest.raises(BadInput) as caught:
        open_centre(url)
    assert "secret" not in str(caught.value)


def test_array_literals_keep_every_text(world):
    texts = ["null", "NULL", "", "a,b", '"', "\\", "{}", "a\nb", "é😀", "\x01", "'", "$1"]
    found = world.reader.call("select cast(:v0 as text[])", array(texts))
    assert found == texts
    assert world.reader.call("select cast(:v0 as text[])", array(["a\x00b", "\ud800"])) == [
        "a\ufffdb",
        "?",
    ]
