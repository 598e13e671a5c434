"""Builds the folder that an installer packs: `python installers/build.py` with PyInstaller at hand.

Bundles are made with Python 3.12 or later: below it two packages come along whose licence does not
fit (see the licence test).
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
OLDEST = (3, 12)


def main() -> int:
    """Build ``build/meterwright`` and try that it starts; return an exit code."""
    if sys.version_info < OLDEST:
        sys.stderr.write("Bundles are built with Python 3.12 or later\n")
        return 2
    if importlib.util.find_spec("PyInstaller") is None:
        sys.stderr.write("PyInstaller is missing; type: pip install pyinstaller\n")
        return 2
    folder = HERE.parent / "build"
    command = [
        sys.executable, "-m", "PyInstaller", "--noconfirm",
        "--distpath", str(folder), "--workpath", str(folder / "work"), str(HERE / "app.spec"),
    ]  # fmt: skip
    if subprocess.run(command, check=False).returncode:
        return 1
    program = folder / "meterwright" / "meterwright"
    return subprocess.run([str(program), "--version"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
