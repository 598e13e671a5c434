"""One writing program per data folder, kept by a lock of the operating system.

The system drops the lock when the process ends, however it ends, so a killed program is no
obstacle.  The file holds the process number of the holder for the message, nothing else.
"""

import os
import sys
from pathlib import Path

from app.errors import DatabaseInUse

if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 20  # a locked byte cannot be read on Windows, so lock one behind the text

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FolderLock:
    """Holds ``folder`` for this program until `release`; refuses a folder that is held already."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "local.lock"
        self._descriptor: int | None = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._descriptor)
        except OSError as error:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            holder = os.read(self._descriptor, 32)
            self.release()
            pid = holder.decode("ascii", "replace").strip() or "unknown"
            raise DatabaseInUse(f"{folder} is held by process {pid}") from error
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let others in; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
