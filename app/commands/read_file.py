"""The file of ``read --out``: rows go in as they arrive, the rest when the reading has ended."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.errors import BadInput
from app.services.meter_readings import MeterReadingsFile
from app.services.reading import Sink, Told, Wish
from app.services.rows_file import RowsFile
from app.services.tables import Table, write_table

_ENDINGS = (".csv", ".json", ".xlsx", ".xml")
_IN_MESSAGES = frozenset({"identity", "registers", "quality", "object", "profile"})
Tables = dict[str, Table]


class ReadFile:
    """Takes what one command reads.

    Args:
        path: Where it is to stand; None keeps nothing.
        wish: What is read.
        resume: Whether a file that has rows of a profile is gone on with.

    Raises:
        BadInput: The file cannot be written, or there is nothing that could be gone on with.
    """

    def __init__(self, path: Path | None, wish: Wish, *, resume: bool) -> None:
        self._path = path
        self._wanted = set(wish.what)
        self.rows: RowsFile | None = None  # a profile alone, row by row
        self._message: MeterReadingsFile | None = None
        alone = "profile" in self._wanted and not self._wanted - {"profile", "identity", "clock"}
        if resume and not (path is not None and path.suffix == ".csv" and alone):
            raise BadInput("--resume goes on with a profile in a CSV file: profile --out FILE.csv")
        if path is None:
            return
        if path.suffix not in _ENDINGS:
            raise BadInput(f"{path.name}: write to a file that ends in {', '.join(_ENDINGS)}")
        if not path.absolute().parent.is_dir():
            raise BadInput(f"there is no folder {path.absolute().parent}")
        if path.suffix == ".csv" and alone:
            self.rows = RowsFile(path, resume=resume)
        elif path.suffix == ".xml":
            self._message = MeterReadingsFile(path)

    @property
    def sink(self) -> Sink | None:
        """What takes the rows of a profile as they arrive; None collects them."""
        file = self.rows or self._message
        return None if file is None else file.write

    def keep(
        self, told: Told, number: str, tables: Callable[[], Tables], shape: dict[str, Any]
    ) -> str:
        """Put the rest into the file and return what there is to say about it.

        Raises:
            NoRoom: The disk is full.
        """
        if self._path is None:
            return ""
        if self.rows is not None:
            return f"The rows are in {self._path}"
        said = f"Written to {self._path}"
        if self._message is None:
            write_table(self._path, tables(), shape)
            return said
        who = told.identity
        serial = (who.serial or who.utility_serial or who.logical_device_name) if who else ""
        registers = [*(told.registers or []), *(told.quality or []), *told.objects]
        read_at = told.read_at.replace(microsecond=0)
        self._message.meter(serial or number, [(one, "inquiry") for one in registers], read_at)
        self._message.finish()
        left = ", ".join(sorted(self._wanted - _IN_MESSAGES))
        return f"{said}; a MeterReadings message has no place for {left}" if left else said

    def close(self) -> None:
        """Close the file; a message that is not whole leaves none."""
        if self.rows is not None:
            self.rows.close()
        if self._message is not None:
            self._message.abandon()
