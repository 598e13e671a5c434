"""The report of a defect: what happened, which versions, the end of the log; no secrets."""

import platform
import sys
import traceback
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from app.logs import without_secrets
from app.models.base import utc_now
from app.models.files import write_atomically
from app.paths import log_file

_PACKAGES = (
    "meterwright", "PySide6-Essentials", "pyqtgraph", "numpy", "SQLAlchemy", "alembic",
    "pyserial", "gurux-dlms", "cryptography", "keyring", "reportlab",
)  # fmt: skip
_LOG_END = 100_000  # characters


def report_text(error: BaseException, folder: Path) -> str:
    """Return the report of ``error`` for whoever repairs it."""
    parts = [
        f"Meterwright, report of a defect, {utc_now().isoformat(timespec='seconds')}",
        f"Python {sys.version}\n{platform.platform()}",
        "\n".join(f"{name} {_version(name)}" for name in _PACKAGES),
        "".join(traceback.format_exception(error)),
        "End of the log:",
        _log_end(log_file(folder)),
    ]
    return without_secrets("\n\n".join(parts))


def save_report(path: Path, error: BaseException, folder: Path) -> None:
    """Write the report of ``error`` to ``path``.

    Raises:
        NoRoom: The disk is full.
    """
    write_atomically(path, report_text(error, folder).encode())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _log_end(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[-_LOG_END:]
    except OSError as problem:
        return f"(no log: {problem.strerror})"
