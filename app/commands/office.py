"""Who acts at the centre, and at which centre; every act goes into the record of this laptop."""

import getpass
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from app.centre.contract import Centre
from app.centre.opening import open_centre
from app.commands.options import PASSWORD_VARIABLE, Command, database
from app.errors import BadInput
from app.paths import data_folder, settings_file
from app.services import users
from app.services.audit import append
from app.services.centre_login import centre_password
from app.services.users import SignedIn
from app.settings import Settings


def opened(url: str, data: Path | None) -> Centre:
    """Return the centre at ``url``; its password comes from the environment or the vault."""
    return open_centre(url, partial(centre_password, data_folder(data)))


def centre_url(data: Path | None) -> str:
    """Return the centre's URL from the settings.

    Raises:
        BadInput: None is set.
    """
    address = Settings(settings_file(data_folder(data))).text("centre.url")
    if not address:
        raise BadInput("no centre is set; use --centre URL, or set it in the settings")
    return address


def acting_options(command: Command) -> Command:
    """Add ``--as`` and ``--role``; see `acting`."""
    command = click.option("--role", default="", help="as long as nobody is entered")(command)
    return click.option("--as", "name", default="", help="who acts; signs in")(command)


def acting(data: Path | None, name: str, role: str) -> SignedIn:
    """Return who acts: the person named, or the one who has signed in already.

    The password comes from METERWRIGHT_PASSWORD or is asked for.
    """
    with database(data) as db:
        if isinstance(db.actor, SignedIn) and name in {"", db.actor.name}:
            return db.actor
        password = ""
        if users.people(db):
            password = os.environ.get(PASSWORD_VARIABLE, "")
            if not password and sys.stdin.isatty():
                password = getpass.getpass(f"Password of {name}: ")
        return users.acting(db, name, password, role)


def note(data: Path | None, who: str, act: str, subject: str, body: Any = None) -> None:
    """Put a security-relevant act into the audit chain of this data folder."""
    with database(data) as db, db.write() as session:
        append(session, who, act, subject, body)
