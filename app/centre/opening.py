"""From the address in the settings to a central store."""

from pathlib import Path

from app.centre.contract import Centre
from app.centre.sqlite import SqliteCentre
from app.errors import BadInput

_SQLITE = ("sqlite:///", "sqlite+pysqlite:///")


def open_centre(url: str) -> Centre:
    """Return the store at ``url``: ``sqlite:///path`` or a plain path.

    Nothing is contacted yet; the first call does that.

    Raises:
        BadInput: The address is empty or of a kind this version does not know.
    """
    address = url.strip()
    if not address:
        raise BadInput("no address of a centre is set")
    for prefix in _SQLITE:
        if address.startswith(prefix) and len(address) > len(prefix):
            return SqliteCentre(Path(address[len(prefix) :]).expanduser().absolute())
    if "://" in address:
        kind = address.partition("://")[0]
        raise BadInput(
            f"{kind}:// is no centre this version can talk to; use a path or sqlite:///path"
        )
    return SqliteCentre(Path(address).expanduser().absolute())
