"""Puts the program together: the only file that knows all of it."""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.models.database import Database
    from app.workorders.desk import Desk


def show_window(arguments: list[str]) -> int:
    """Open the window on the user's own data; return the exit code."""
    parser = argparse.ArgumentParser(prog="meterwright", description="Open the window.")
    parser.add_argument("--data", type=Path, help="folder of the local database and settings")
    parser.add_argument("--theme", choices=["light", "field", "dark"])
    options = parser.parse_args(arguments)

    def prepared() -> "Desk":
        desk = open_desk(options.data)
        if options.theme:
            desk.settings.set("look.theme", options.theme)
        return desk

    from app.views.application import run_application

    return run_application(prepared, sys.argv[:1])


def open_desk(data: Path | None) -> "Desk":
    """Return the desk on the data folder ``data`` (the user's own without it).

    Raises:
        DatabaseInUse: Another Meterwright works there.
    """
    from app.logs import start_logging
    from app.models.database import Database
    from app.paths import data_folder, log_file

    folder = data_folder(data)
    db = Database.open(folder)
    start_logging(log_file(folder))
    desk = desk_on(db)
    desk.clear_up()
    return desk


def desk_on(db: "Database") -> "Desk":
    """Return the desk on an open database, with the system's keyring behind it."""
    from app.paths import settings_file
    from app.services.connection import secrets_in_vault
    from app.services.token_box import TokenBox
    from app.services.vault import Vault
    from app.settings import Settings
    from app.workorders.desk import Desk

    vault = Vault(db.folder)
    return Desk(
        db,
        Settings(settings_file(db.folder)),
        secrets_of=partial(secrets_in_vault, vault),
        tokens=TokenBox(vault),
        vault=vault,
    )
