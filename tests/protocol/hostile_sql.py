"""Sentences a thief would try with a laptop's login: SQL that parses, from one start number."""

from random import Random

TABLES = ["mw.event", "mw.work_order", "mw.mail", "mw.device", "mw.incarnation", "mw.review",
          "mw.centre", "mw.person", "mw.blob", "mw.blob_chunk", "mw.reading_day",
          "pg_catalog.pg_authid", "mw.event_default"]  # fmt: skip
COLUMNS = ["device_id", "order_id", "assignee", "body", "state", "epoch", "seq", "tenant_id",
           "pg_role", "revoked", "verdict", "mail_head", "centre_id", "name", "areas"]  # fmt: skip
ROLES = ["mw_owner", "mw_office", "mw_field", "owner", "none"]
SETTINGS = ["role", "session_authorization", "search_path", "row_security", "is_superuser",
            "app.device", "default_transaction_read_only"]  # fmt: skip
CALLS = ["api.me()", "api.my_tenant()", "api.my_areas()", "api.pull(0, 100)",
         "api.own_events(1, 0, 100)", "mw.post('main', {him}, 'assign', {order}, '{{}}')",
         "mw.own_event('main', {order}, 1, 'centre.approved', '{{}}')", "mw.judge()",
         "api.act('centre.approved', {order}, 'x', 'verifier', '', '', null, '', null)",
         "api.enrol({him}, 'x')", "api.status()", "api.orders()", "api.history({order})",
         "pg_catalog.pg_read_file('/etc/passwd')", "pg_catalog.current_setting('role')",
         "pg_catalog.pg_ls_dir('.')", "pg_catalog.lo_import('/etc/passwd')",
         "pg_catalog.query_to_xml('select * from mw.mail', true, true, '')",
         "pg_catalog.table_to_xml('mw.device', true, true, '')"]  # fmt: skip
CONDITIONS = ["true", "device_id = {him}", "assignee = {him}", "order_id = {order}",
              "tenant_id = 'main'", "1 = 1 or api.me() = {him}"]  # fmt: skip
LEAK = (
    "create function pg_temp.leak(t anyelement) returns boolean cost 0.0000001"
    " language plpgsql as 'begin raise notice ''%'', t; return true; end'"
)
THROW = (
    "do $$ declare r record; begin for r in select * from {table} loop"
    " raise exception '%', r; end loop; end $$"
)

SHAPES = [
    "select {column} from {table} where {condition}",
    "select * from {table}",
    "select a.* from {table} a join {table2} b on true",
    "select count(*), max({column}::text) from {table} where {condition}",
    "table {table}",
    "with x as (select * from {table}) select * from x where {condition}",
    "with x as (delete from {table} where {condition} returning *) select * from x",
    "with x as (update {table} set {column} = {column} returning *) select * from x",
    "update {table} set {column} = {value} where {condition}",
    "update {table} set {column} = {value} from {table2}",
    "delete from {table} using {table2}",
    "delete from {table} where {condition}",
    "insert into {table} select * from {table2}",
    "insert into {table} ({column}) values ({value})",
    "insert into {table} ({column}) values ({value}) on conflict do nothing returning *",
    "merge into {table} a using {table2} b on true when matched then delete",
    "select {call}",
    "select * from {call} as f",
    "select {call} from {table}",
    "select pg_catalog.set_config('{setting}', '{role}', false)",
    "set {setting} = '{role}'",
    "set role {role}",
    "set session authorization {role}",
    "reset all",
    "discard all",
    "grant all on {table} to public",
    "grant {role} to session_user",
    "alter table {table} disable row level security",
    "alter table {table} no force row level security",
    "alter role session_user superuser",
    "create temp view v as select * from {table}",
    "create temp table stolen as select * from {table}",
    "create or replace function api.me() returns text language sql as 'select null::text'",
    "create policy open on {table} using (true)",
    "drop policy if exists own on {table}",
    "copy {table} to '/tmp/stolen'",
    "truncate {table}",
    "lock table {table}",
    "select * from {table} for update",
    "explain analyze select * from {table}",
    "do $$ begin perform {call}; end $$",
    "do $$ begin execute 'update {table} set {column} = {column}'; end $$",
    THROW,
    "prepare p as select * from {table}",
    "declare c cursor with hold for select * from {table}",
    "notify x, '{role}'",
    "select 1 from {table} where pg_temp.leak({column}::text)",
    LEAK,
]


def sentence(draw: Random, him: str, order: str) -> str:
    """Return one sentence; ``him`` is another laptop and ``order`` one of its orders."""
    names = {"him": f"'{him}'", "order": f"'{order}'"}
    values = ["null", "'x'", "0", "default", "true", names["him"], names["order"]]
    return draw.choice(SHAPES).format(
        table=draw.choice(TABLES),
        table2=draw.choice(TABLES),
        column=draw.choice(COLUMNS),
        condition=draw.choice(CONDITIONS).format(**names),
        value=draw.choice(values),
        call=draw.choice(CALLS).format(**names),
        setting=draw.choice(SETTINGS),
        role=draw.choice(ROLES),
    )
