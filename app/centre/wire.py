"""PostgreSQL behind five calls: connect, call, query, script, close.

Only this module knows the driver.  After any error the connection is thrown away: whether the
statement took effect is then unknown, and replaying answers it.
"""

import socket
import ssl
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, NoReturn

from pg8000.converters import make_params
from pg8000.core import Context
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.centre.contract import Gap, Oversize, SeqReused
from app.errors import (
    AppError,
    BadInput,
    CentreRefused,
    CentreUnreachable,
    NotFound,
    NotPermitted,
)

DRIVER = "postgresql+pg8000"
_TIMEOUT_S = 30
_PORT = 5432
_UNNAMED = b"\x00"
_SYNC = b"S\x00\x00\x00\x04"
_OPTIONS = {"unix_sock", "sslrootcert", "sslcert", "sslkey", "timeout"}

# Refusals of our own functions (class MW) and of the server.
_REFUSED = {"MW004", "MW006", "28000", "28P01", "42501", "0LP01"}
_ABSENT = {"3F000", "42P01", "42883", "3D000"}  # no schema, table, function or database
_BROKEN = (
    InterfaceError, OSError, EOFError, struct.error, ssl.SSLError, IndexError, AttributeError,
)  # fmt: skip


@dataclass(frozen=True)
class Address:
    """Where a centre is and as whom to log in; never the password."""

    user: str
    host: str
    port: int
    database: str
    unix_sock: str = ""
    sslrootcert: str = ""
    sslcert: str = ""
    sslkey: str = ""
    timeout_s: float = _TIMEOUT_S

    @property
    def url(self) -> str:
        """Return the address as it is written in the settings."""
        query = {name: getattr(self, name) for name in sorted(_OPTIONS - {"timeout"})}
        port = None if self.port == _PORT else self.port
        made = URL.create(
            DRIVER, self.user, None, self.host or None, port, self.database,
            {name: value for name, value in query.items() if value},
        )  # fmt: skip
        return made.render_as_string()

    @property
    def local(self) -> bool:
        """Tell whether the line never leaves this machine."""
        if self.unix_sock or self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def address(url: str) -> Address:
    """Return the parts of a ``postgresql+pg8000://`` address.

    Raises:
        BadInput: It is of another kind, incomplete, or holds a password.
    """
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise BadInput(f"{url.partition('@')[2] or url} is no address of a centre") from error
    if parts.drivername != DRIVER:
        raise BadInput(
            f"{parts.drivername}:// is no centre this version can talk to; write {DRIVER}://"
        )
    if parts.password is not None:
        raise BadInput("a password does not belong into the address; keep it in the vault")
    unknown = set(parts.query) - _OPTIONS
    if unknown:
        raise BadInput(f"the address has unknown options: {', '.join(sorted(unknown))}")
    options = {name: str(value) for name, value in parts.query.items()}
    if not parts.username or not parts.database or not (parts.host or options.get("unix_sock")):
        raise BadInput(f"write the address as {DRIVER}://user@host/database")
    seconds = options.pop("timeout", str(_TIMEOUT_S))
    if not seconds.replace(".", "", 1).isdigit():
        raise BadInput(f"timeout={seconds} is no number of seconds")
    return Address(
        parts.username, parts.host or "", parts.port or _PORT, parts.database,
        timeout_s=float(seconds), **options,
    )  # fmt: skip


class _OneTrip(Connection):  # type: ignore[misc]  # the driver has no types
    """A connection that asks each question in one round trip.

    The driver waits after each of parse, describe and bind; over a far line every wait is felt.
    The protocol lets them go out together: after an error the server skips all up to the sync.
    """

    def execute_unnamed(
        self, statement: str, vals: Any = (), oids: Any = (), stream: Any = None
    ) -> Any:
        """Run a statement with its values."""
        context = Context(statement, stream=stream)
        self.send_PARSE(_UNNAMED, statement, oids)
        self.send_DESCRIBE_STATEMENT(_UNNAMED)
        self.send_BIND(_UNNAMED, make_params(self.py_types, vals))
        self.send_EXECUTE()
        self._sock.write(_SYNC)
        self._sock.flush()
        self.handle_messages(context)
        return context


class Wire:
    """One connection, made when first needed; every statement is a transaction of its own."""

    def __init__(self, where: Address, password: str = "", who: str = "") -> None:
        self.where = where
        self._who = who  # the laptop, for messages
        self._password = password
        self._connection: Any = None
        self._socket: socket.socket | None = None

    def call(self, statement: str, *values: object) -> Any:
        """Return the first value of the first row, None without a row; see `query`."""
        rows = self.query(statement, *values)
        return rows[0][0] if rows else None

    def query(self, statement: str, *values: object) -> list[list[Any]]:
        """Run one statement with ``:v0``, ``:v1`` … and return its rows.

        Raises:
            CentreUnreachable: No answer, or not now; trying again is safe.
            CentreRefused: This login may not, or was refused.
        """
        try:
            connection = self._connected()
            named = {f"v{index}": value for index, value in enumerate(values)}
            return list(connection.run(statement, **named) or [])
        except (DatabaseError, *_BROKEN) as error:
            self.close()
            raise_in_our_words(error, self.where, self._who)
        except BaseException:
            self.close()
            raise

    def script(self, statements: str) -> None:
        """Run several statements without values."""
        try:
            self._connected().execute_simple(statements)
        except (DatabaseError, *_BROKEN) as error:
            self.close()
            raise_in_our_words(error, self.where, self._who)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self, isolation: str = "read committed") -> Iterator[None]:
        """Make the statements inside one transaction; an error throws it away."""
        self.query(f"begin isolation level {isolation}")
        try:
            yield
        except BaseException:
            self.close()
            raise
        self.query("commit")

    def close(self) -> None:
        """Throw the connection away; a second call does nothing."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DatabaseError, *_BROKEN):
                connection.close()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self) -> Any:
        if self._connection is None:
            where = self.where
            self._socket = line = connected_socket(where)
            try:
                self._connection = _OneTrip(
                    where.user,
                    host=where.host or "localhost",
                    database=where.database,
                    password=self._password or None,
                    sock=line,
                    ssl_context=False if where.local else _tls(where),
                    application_name="meterwright",
                )
            except BaseException:
                line.close()
                raise
        return self._connection


def connected_socket(where: Address) -> socket.socket:
    """Return a connected socket; made here so that a refused login leaves none open."""
    if not where.unix_sock:
        line = socket.create_connection((where.host, where.port), where.timeout_s)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return line
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(where.timeout_s)
    try:
        line.connect(where.unix_sock)
    except OSError:
        line.close()
        raise
    return line


def _tls(where: Address) -> ssl.SSLContext:
    """Return the context of a line that leaves this machine: always TLS, always verified."""
    try:
        context = ssl.create_default_context(cafile=where.sslrootcert or None)
        if where.sslcert:
            context.load_cert_chain(where.sslcert, where.sslkey or None)
    except OSError as error:
        raise BadInput(f"a certificate of the centre's address cannot be read: {error}") from error
    return context


def raise_in_our_words(error: Exception, where: Address, who: str = "") -> NoReturn:
    """Raise the error an operator can act on."""
    place = where.host or where.unix_sock
    # When the server refuses a login, the driver's own goodbye fails and hides the reason.
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, DatabaseError):
        cause = cause.__context__
    if not isinstance(cause, DatabaseError):
        raise CentreUnreachable(f"{place}: {error}") from error
    error = cause
    fields: dict[str, str] = error.args[0] if isinstance(error.args[0], dict) else {}
    code, message = fields.get("C", ""), fields.get("M", str(error))
    known = _known(code, message, fields.get("D", ""))
    if known is not None:
        raise known from error
    if code in _ABSENT:
        raise CentreUnreachable(
            f"{place}/{where.database}: there is no centre (meterwright centre init makes one)"
        ) from error
    if code in _REFUSED:
        raise CentreRefused(f"{who}: {message}" if who else message) from error
    # Connections used up, server ending, time-out, deadlock, disk full at the centre …: later.
    if code[:2] in {"08", "40", "53", "55", "57", "58", "XX"}:
        raise CentreUnreachable(f"{place}: {message}") from error
    raise error


def _known(code: str, message: str, detail: str) -> AppError | None:
    """Return our own error behind a code of our functions."""
    if code == "MW001":
        return SeqReused(int(detail))
    if code == "MW002":
        return Gap(int(detail))
    kinds: dict[str, type[AppError]] = {
        "MW003": Oversize,
        "MW007": NotPermitted,
        "MW010": NotFound,
        "MW011": BadInput,
    }
    return kinds[code](message) if code in kinds else None


def array(values: Iterable[object]) -> str:
    """Return a list as an array literal, every text in quotes; text that no server keeps is marked.

    The driver would write the text ``null`` as NULL.  PostgreSQL keeps no NUL character and no
    half letters: such an event is sent with marks in their place; its hash does not fit then, so
    it is stored as invalid and blocks nothing.
    """
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    if not isinstance(value, str):
        return str(value)
    text = value.replace("\\", "\\\\").replace('"', '\\"').replace("\x00", "\ufffd")
    return f'"{text}"' if _whole(text) else f'"{text.encode("utf-8", "replace").decode()}"'


def _whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
