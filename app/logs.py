"""The log file of the data folder: rotating, in UTC, without secrets."""

import logging
import re
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

SIZE = 1_000_000
KEPT = 5
DOTS = "•••"

_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(threadName)s %(name)s: %(message)s"
_HIDDEN = (
    # user:password@ in an address
    (re.compile(r"(://[^\s/:@]*:)[^\s/@]+(@)"), rf"\1{DOTS}\2"),
    # password=…, key: …, "token": "…"
    (
        re.compile(
            r"(?i)(\b\w*(?:password|passwd|secret|token|_key|_ak|_ek)\b[\"']?\s*[=:]\s*)"
            r"(\"[^\"]*\"|'[^']*'|[^\s,;)}]+)"
        ),
        rf"\1{DOTS}",
    ),
)


def without_secrets(text: str) -> str:
    """Return ``text`` with dots where it looks like a password, key or token."""
    for pattern, replacement in _HIDDEN:
        text = pattern.sub(replacement, text)
    return text


class SecretFreeFormatter(logging.Formatter):
    """Formats a record, traceback included, and hides what looks like a secret.

    The net under the rule that secrets are carried by `drivers.secrets.Secret`, which shows dots.
    """

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        """Return the finished lines."""
        return without_secrets(super().format(record))


def start_logging(path: Path, level: int = logging.INFO) -> logging.Handler:
    """Send everything that is logged to ``path``; return the handler, for `stop_logging`.

    A disk that is full costs log lines, never the work: the logging module notes such errors on
    the standard error output and goes on.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(
        path, maxBytes=SIZE, backupCount=KEPT, encoding="utf-8", delay=True
    )
    handler.setFormatter(SecretFreeFormatter(_FORMAT, "%Y-%m-%dT%H:%M:%S"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    return handler


def stop_logging(handler: logging.Handler) -> None:
    """Close the log file."""
    logging.getLogger().removeHandler(handler)
    handler.close()
