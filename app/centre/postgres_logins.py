"""Logins of a PostgreSQL centre: one role for each laptop and each person of the office.

Names are random, because every role can read the list of roles.  The server gets a SCRAM
verifier, never the password.
"""

import base64
import hashlib
import hmac
import secrets

from app.centre.wire import Wire, array
from app.errors import NotFound

_SCRAM_ROUNDS = 4096


def let_in(wire: Wire, tenant: str, device_id: str, name: str) -> tuple[str, str]:
    """Give a laptop a role and a new password; return both."""
    password = secrets.token_urlsafe(24)
    with wire.transaction():
        known = wire.query(
            "select pg_role from mw.device where tenant_id = :v0 and device_id = :v1",
            tenant,
            device_id,
        )
        role = known[0][0] if known else f"mwdev_{secrets.token_hex(8)}"
        if not known:
            wire.script(f"create role {role} in role mw_field")
        wire.script(
            f"alter role {role} login connection limit 2 password '{scram(password)}';"
            f"alter role {role} set statement_timeout = '60s';"
            f"alter role {role} set lock_timeout = '20s';"
            f"alter role {role} set idle_in_transaction_session_timeout = '60s'"
        )
        wire.query(
            "insert into mw.device (tenant_id, device_id, name, pg_role)"
            " values (:v0, :v1, :v2, :v3) on conflict (tenant_id, device_id) do update set"
            " revoked = false,"
            " name = case when excluded.name = '' then mw.device.name else excluded.name end",
            tenant,
            device_id,
            name,
            role,
        )
    return role, password


def shut_out(wire: Wire, tenant: str, device_id: str) -> None:
    """Revoke a laptop at once: its row, its role, its sessions.

    Raises:
        NotFound: No such laptop is enrolled.
    """
    with wire.transaction():
        rows = wire.query(
            "update mw.device set revoked = true where tenant_id = :v0 and device_id = :v1"
            " returning pg_role",
            tenant,
            device_id,
        )
        if not rows:
            raise NotFound(f"no laptop {device_id} is enrolled")
        wire.script(f"alter role {rows[0][0]} nologin")
    wire.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = :v0", rows[0][0]
    )


def employ(wire: Wire, tenant: str, name: str, role: str, areas: list[str]) -> tuple[str, str]:
    """Give a person of the office a login; return it and its password."""
    login, password = f"mwusr_{secrets.token_hex(8)}", secrets.token_urlsafe(24)
    with wire.transaction():
        wire.script(
            f"create role {login} login in role mw_office connection limit 8"
            f" password '{scram(password)}'"
        )
        wire.query(
            "insert into mw.person (tenant_id, name, pg_role, role, areas)"
            " values (:v0, :v1, :v2, :v3, cast(:v4 as text[]))",
            tenant,
            name,
            login,
            role,
            array(areas),
        )
    return login, password


def scram(password: str) -> str:
    """Return the SCRAM-SHA-256 verifier of a password, as PostgreSQL keeps it."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _SCRAM_ROUNDS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    stored = base64.b64encode(hashlib.sha256(client).digest()).decode()
    server = base64.b64encode(hmac.digest(salted, b"Server Key", "sha256")).decode()
    return f"SCRAM-SHA-256${_SCRAM_ROUNDS}:{base64.b64encode(salt).decode()}${stored}:{server}"
