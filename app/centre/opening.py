"""From the address in the settings to a central store."""

import os
from collections.abc import Callable
from pathlib import Path

from app.centre.contract import Centre
from app.centre.sqlite import SqliteCentre
from app.errors import BadInput

PASSWORD_VARIABLE = "METERWRIGHT_CENTRE_PASSWORD"  # noqa: S105 - a name, not a password

_SQLITE = ("sqlite:///", "sqlite+pysqlite:///")


def password_from_environment() -> str:
    """Return the centre's password where nobody can be asked; "" when the login needs none."""
    return os.environ.get(PASSWORD_VARIABLE, "")


def open_centre(url: str, password: Callable[[], str] = password_from_environment) -> Centre:
    """Return the store at ``url``: ``postgresql+pg8000://…``, ``sqlite:///path`` or a plain path.

    Nothing is contacted yet; the first call does that.

    Args:
        url: The address; it holds no password.
        password: Asked when a connection is made.

    Raises:
        BadInput: The address is empty, or of a kind this version does not know.
    """
    address = url.strip()
    if not address:
        raise BadInput("no address of a centre is set")
    for prefix in _SQLITE:
        if address.startswith(prefix) and len(address) > len(prefix):
            return SqliteCentre(Path(address[len(prefix) :]).expanduser().absolute())
    if address.startswith("postgresql+pg8000://"):
        from app.centre.postgres import PostgresCentre  # noqa: PLC0415 - loads the driver

        return PostgresCentre(address, password)
    if "://" in address:
        kind = address.partition("://")[0]
        raise BadInput(
            f"{kind}:// is no centre this version can talk to; use a path, sqlite:///path or"
            " postgresql+pg8000://user@host/database"
        )
    return SqliteCentre(Path(address).expanduser().absolute())
