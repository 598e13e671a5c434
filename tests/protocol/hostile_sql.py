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
