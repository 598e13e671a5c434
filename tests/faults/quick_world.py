"""A world that is set up in a millisecond, for thousands of simulations in one process.

The code between laptops and centre is the product's own, with real files.  What is kept from one
run to the next is what costs most and holds no facts: the engines, with the statements they have
compiled.  So the places of the files are the same in every run; the files are fresh copies.
"""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from app.centre.opening import open_centre
from app.models.database import FILE, Database
from app.models.engine import sqlite_engine
from app.models.lock import FolderLock
from tests.protocol.sync_world import CENTRE_FILE, Field, World

_ENGINES: dict[Path, Engine] = {}
_CENTRES: dict[Path, Any] = {}


class QuickWorld(World):
    """A SQLite centre in ``folder``, which must be the same, and empty, for every run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / CENTRE_FILE
        self.fields: list[Field] = []
        shutil.copyfile(prepared() / CENTRE_FILE, self.path)
        if self.path not in _CENTRES:
            _CENTRES[self.path] = open_centre(f"sqlite:///{self.path}")
        self.centre = _CENTRES[self.path]

    def open(self, folder: Path) -> Field:
        path = folder / FILE
        if path not in _ENGINES:
            _ENGINES[path] = sqlite_engine(path)
        field = Field(folder, Database(folder, _ENGINES[path], FolderLock(folder)))
        self.fields.append(field)
        return field


@cache
def prepared() -> Path:
    """Return a folder to copy from: making tables takes longer than a simulation."""
    temporary = tempfile.TemporaryDirectory()
    atexit.register(temporary.cleanup)
    place = Path(temporary.name) / "prepared"
    Database.open(place).close()
    with open_centre(f"sqlite:///{place / CENTRE_FILE}") as centre:
        centre.init()
    return place
