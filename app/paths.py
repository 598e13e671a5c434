"""Where things lie on this machine: the data folder and what is in it."""

import os
from pathlib import Path

import platformdirs

DATA_VARIABLE = "METERWRIGHT_DATA"


def data_folder(given: str | Path | None = None) -> Path:
    """Return the data folder: as given, else from METERWRIGHT_DATA, else the user's own."""
    chosen = given or os.environ.get(DATA_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    return platformdirs.user_data_path("meterwright", appauthor=False)


def settings_file(folder: Path) -> Path:
    """Return the settings file in the data ``folder``."""
    return folder / "settings.toml"


def log_file(folder: Path) -> Path:
    """Return the newest log file in the data ``folder``."""
    return folder / "logs" / "meterwright.log"


def vault_index(folder: Path) -> Path:
    """Return the file that lists the names, never the values, of the secrets in the keyring."""
    return folder / "vault.json"


def reports_folder(folder: Path) -> Path:
    """Return the folder for finished reports in the data ``folder``."""
    return folder / "reports"


def traces_folder(folder: Path) -> Path:
    """Return the folder for saved traces in the data ``folder``."""
    return folder / "traces"


def calendar_draft(folder: Path) -> Path:
    """Return the file that keeps the switching table somebody works on."""
    return folder / "calendar-draft.json"


def calendar_write(folder: Path) -> Path:
    """Return the file that is there while a switching table is written to a meter."""
    return folder / "calendar-write.json"
