"""Profile rows in a CSV file, written block by block; a read that broke off is gone on with."""

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from app.errors import BadInput
from app.models.engine import translated
from app.services import shapes
from drivers.values import ProfileInfo, ProfileRow

_AFTER = timedelta(seconds=1)  # rows are named by whole seconds


def profile_head(info: ProfileInfo) -> list[str]:
    """Return the head of a profile's table."""
    columns = [f"{c.obis} {c.unit}".strip() for c in info.columns]
    return ["Time", "Status", "Status in words", *columns]


def profile_cells(row: ProfileRow) -> list[str]:
    """Return one row of a profile's table."""
    raw = "" if row.status_raw is None else str(row.status_raw)
    values = [shapes.number_text(value) or "" for value in row.values]
    return [shapes.time_text(row.time) or "", raw, ", ".join(row.status), *values]


class RowsFile:
    """A file that takes rows as they arrive.

    Args:
        path: Where it stands.
        resume: Whether rows that it has are kept and new ones put behind them.

    Raises:
        BadInput: It cannot be written, or what it holds is no profile.
    """

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        self._path = path
        self._head: list[str] = []
        self.last: datetime | None = None  # the newest row that it had
        self.kept = 0
        end = self._look() if resume and path.exists() else 0
        try:
            with translated(str(path)):
                self._file: IO[str] = path.open("r+" if end else "w", encoding="utf-8", newline="")
                self._file.truncate(end)
                self._file.seek(end)
        except OSError as error:
            raise BadInput(f"{path} cannot be written: {error.strerror}") from error

    def _look(self) -> int:
        """Learn head and newest row; return where the last whole line ends."""
        raw = self._path.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]  # a line that was being written is written anew
        try:
            lines = list(csv.reader(io.StringIO(whole.decode("utf-8"), newline="")))
            times = [datetime.fromisoformat(line[0]) for line in lines[1:]]
        except (ValueError, IndexError, csv.Error) as error:
            raise BadInput(f"{self._path} holds no profile to go on with") from error
        if lines:
            self._head = lines[0]
        self.last, self.kept = max(times, default=None), len(times)
        return len(whole)

    @property
    def start(self) -> datetime | None:
        """From when on rows are still wanted."""
        return None if self.last is None else self.last + _AFTER

    def write(self, info: ProfileInfo, rows: tuple[ProfileRow, ...]) -> None:
        """Put rows into the file.

        Raises:
            BadInput: The file has rows of another profile.
            NoRoom: The disk is full.
        """
        head = profile_head(info)
        if self._head and self._head != head:
            raise BadInput(f"{self._path} holds another profile; write to another file")
        with translated(str(self._path)):
            writer = csv.writer(self._file)
            if not self._head:
                writer.writerow(head)
                self._head = head
            writer.writerows(profile_cells(row) for row in rows)
            self._file.flush()  # so that a program that is killed leaves what arrived

    def close(self) -> None:
        """Close the file."""
        self._file.close()
