"""The password of this laptop's login at the centre."""

from pathlib import Path

from app.centre.opening import password_from_environment
from app.errors import NotFound, VaultLocked

VAULT_ENTRY = "centre"


def centre_password(folder: Path) -> str:
    """Return it from the environment or the vault, "" where the login needs none."""
    given = password_from_environment()
    if given:
        return given
    from app.services.vault import Vault  # noqa: PLC0415 - the keyring is loaded when needed

    try:
        text = Vault(folder).get(VAULT_ENTRY)
    except (NotFound, VaultLocked):
        return ""
    lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return lines.get("PASSWORD", text)
