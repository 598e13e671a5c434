"""Options that many commands share, and what they turn into."""

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from app.commands.terminal import reported
from app.errors import BadInput, NotPermitted
from app.models.database import FILE, Database
from app.paths import data_folder
from app.services.seat import demand, demand_somebody, shared
from drivers.secrets import Secrets

Command = Callable[..., Any]

# Who works and their password, for commands that cannot ask.
USER_VARIABLE = "METERWRIGHT_USER"
PASSWORD_VARIABLE = "METERWRIGHT_PASSWORD"  # noqa: S105 - a name, not a password


def common_options(command: Command) -> Command:
    """Add ``--json`` and ``--data``."""
    command = click.option(
        "--data",
        "data",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="METERWRIGHT_DATA",
        help="folder of the local database, settings and logs",
    )(command)
    return click.option("--json", "as_json", is_flag=True, help="one JSON document")(command)


def secrets_for(data: Path | None, name: str | None, prefix: str | None) -> Secrets:
    """Return the secrets from the keyring entry ``name`` or the environment; none without both."""
    if name and prefix:
        raise BadInput("use --secret or --secret-env, not both")
    if prefix:
        from app.services.connection import secrets_from_environment

        return secrets_from_environment(prefix)
    if name:
        from app.services.connection import secrets_in_entry
        from app.services.vault import Vault

        return secrets_in_entry(Vault(data_folder(data)).get(name))
    return Secrets()


def database(data: Path | None, *, read_only: bool = False) -> Database:
    """Open the local database of the data folder ``data`` (the user's own without it)."""
    db = Database.open(data_folder(data), read_only=read_only)
    name = os.environ.get(USER_VARIABLE, "")
    if name and not read_only:
        from app.services.users import sign_in

        try:
            db.actor = sign_in(db, name, os.environ.get(PASSWORD_VARIABLE, ""))
        except BaseException:
            db.close()
            raise
    return db


def looked_at(data: Path | None) -> Database:
    """Open the local database to be read; where people are entered, for one who has signed in.

    Raises:
        NotPermitted: METERWRIGHT_USER names nobody, or the password does not fit.
    """
    db = database(data, read_only=True)
    if not shared(db):
        return db
    db.close()
    db = database(data)  # a sign-in is written down
    try:
        demand_somebody(db)
    except NotPermitted:
        db.close()
        raise
    return db


def needs(right: str) -> Callable[[Command], Command]:
    """Let a command run only for who has a right; it asks nobody in single hands."""

    def guarded(command: Command) -> Command:
        @wraps(command)
        def allowed(*arguments: Any, **given: Any) -> Any:
            with reported(given["as_json"]):
                permitted(given["data"], right)
            return command(*arguments, **given)

        return allowed

    return guarded


def permitted(data: Path | None, right: str) -> None:
    """Raise unless who calls has a right; in single hands everybody has.

    Raises:
        NotPermitted: The person named by METERWRIGHT_USER has it not, or nobody is named.
    """
    if people_entered(data):
        with database(data) as db:
            demand(db, right)


def people_entered(data: Path | None) -> bool:
    """Tell whether several people share this laptop; asking makes no database."""
    if not (data_folder(data) / FILE).exists():
        return False
    with database(data, read_only=True) as db:
        return shared(db)
