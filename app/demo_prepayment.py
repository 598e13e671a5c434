"""The prepayment order of the demo: tokens for a virtual meter, from its virtual vending office.

The key that seals them lies in a file of the demo folder, not in the system's password store: the
tokens are worth nothing, and the demo must run where there is no such store.  What somebody types
into the demo as a secret is kept until the demo ends, and nowhere on the disk.
"""

import csv
import io
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from app.models.database import Database
from app.models.files import write_atomically
from app.models.order import WorkOrder
from app.services.token_box import KEY_NAME, TokenBox
from app.services.vault import Vault
from app.workorders.tokens import import_tokens
from drivers.simulator.tokenoffice import FIRST_KEY, TokenOffice, drn_of

ORDER = "1047"
NEW_KEY = replace(FIRST_KEY, sgc="600717", ti="07", krn=2)
_ISSUED = datetime(2026, 11, 20, 9, 0)  # noqa: DTZ001 (a meter's local clock has no zone)
_KEYRING = "demo-keyring.json"
_LIST = "demo-tokens.csv"


class DemoKeyring:
    """Keeps the key of the demo's token lists in a file, all else in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._typed: dict[str, str] = {}

    def get_password(self, service: str, name: str, /) -> str | None:
        """Return the secret, None when there is none."""
        del service
        return self._typed.get(name) or self._lasting().get(name)

    def set_password(self, service: str, name: str, value: str, /) -> None:
        """Keep the secret."""
        del service
        if name == KEY_NAME:
            write_atomically(self._path, json.dumps({name: value}).encode())
        else:
            self._typed[name] = value

    def delete_password(self, service: str, name: str, /) -> None:
        """Remove the secret."""
        del service
        self._typed.pop(name, None)
        if name == KEY_NAME:
            self._path.unlink(missing_ok=True)

    def _lasting(self) -> dict[str, str]:
        if not self._path.exists():
            return {}
        loaded: dict[str, str] = json.loads(self._path.read_text(encoding="utf-8"))
        return loaded


def demo_vault(folder: Path) -> Vault:
    """Return the demo's own password store; the user's is neither read nor written."""
    vault = Vault(folder, DemoKeyring(folder / _KEYRING))
    for name in vault.list():
        if name != KEY_NAME:
            vault.delete(name)  # typed into a demo that has ended
    return vault


def prepare_prepayment(db: Database, box: TokenBox) -> None:
    """Give the key-change order of the demo its tokens and its vending record.

    The list that they came in is removed: it holds them in clear.
    """
    with db.read() as session:
        order = session.scalar(select(WorkOrder).where(WorkOrder.number == ORDER))
    if order is None or not order.meter_serial:
        return
    path = db.folder / _LIST
    try:
        write_atomically(path, token_list(order.meter_serial).encode())
        import_tokens(db, path, box, who="demo")
    finally:
        path.unlink(missing_ok=True)


def token_list(serial: str) -> str:
    """Return the list that a vending office would send for the virtual meter ``serial``."""
    office = TokenOffice(drn_of(serial))
    old = office.credit(3, _ISSUED)
    quad = office.key_change(NEW_KEY)
    cells = {
        "number": ORDER,
        "drn": office.drn,
        **{f"old_{name}": str(getattr(FIRST_KEY, name)) for name in ("sgc", "ti", "krn", "ea")},
        **{f"new_{name}": str(getattr(NEW_KEY, name)) for name in ("sgc", "ti", "krn", "ea")},
        "old_credit": old,
        **{f"kct_{place}": token for place, token in enumerate(quad, 1)},
        "credit": office.after(NEW_KEY).credit(25, _ISSUED),
    }
    text = io.StringIO(newline="")
    csv.writer(text).writerows([list(cells), list(cells.values())])
    return text.getvalue()
