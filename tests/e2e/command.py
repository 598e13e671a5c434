"""Runs the program as a user of its command line would: in processes of its own."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PASSWORD = {"MW_PASSWORD": "MW-TEST-1"}


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on standard output."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error that was reported as JSON."""
        found: dict[str, Any] = self.json["error"]
        return found


_OWN_FOLDER = tempfile.TemporaryDirectory(prefix="meterwright-e2e-")  # never the user's own


def environment(**more: str) -> dict[str, str]:
    own = {"METERWRIGHT_DATA": _OWN_FOLDER.name, "PYTHONPATH": str(ROOT)}
    return {**os.environ, **own, **more}


def meterwright(*arguments: object, env: dict[str, str] | None = None, wait: float = 90) -> Ended:
    """Run a command to its end; no standard input, as in a script."""
    ended = subprocess.run(
        [sys.executable, "-m", "app", *map(str, arguments)],
        cwd=ROOT, env=environment(**(env or {})), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=wait, check=False,
    )  # fmt: skip
    return Ended(ended.returncode, ended.stdout, ended.stderr)


@contextmanager
def started(
    *arguments: object, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Start a command and end it (SIGTERM, then SIGKILL) on the way out."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *map(str, arguments)],
        cwd=ROOT, env=environment(**(env or {})), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@contextmanager
def virtual_meter(kind: str, listen: str, *arguments: object) -> Iterator[str]:
    """Give the link of a virtual meter in a process of its own."""
    with started("simulate", kind, "--listen", listen, *arguments) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on "), line or process.communicate()[1]
        yield line.removeprefix("listening on ").strip()
