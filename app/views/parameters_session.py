"""The parameters of the meter at the chosen port, beside those of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.models.base import utc_now
from app.services.parameter_lines import Line, compared, differing
from app.services.parameters import Parameter, load_parameters, save_parameters
from app.views.service_session import ACTING, ActSession

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from app.tasks import Found
    from app.views.station import Station

READING = "reading parameters"
Address = tuple[str, int, int]


class ParametersSession(ActSession):
    """Keeps both sides until another meter is chosen; the file stays until another is opened."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.meter: dict[Address, Parameter] = {}
        self.file: tuple[Parameter, ...] = ()
        self.file_name = ""
        self.whole_at: datetime | None = None  # once all were read
        self.staged: set[Address] = set()
        self.undo: tuple[Parameter, ...] = ()  # what stood in the meter before the last write
        self._at_stake: tuple[Parameter, ...] = ()

    def forget(self) -> None:
        """Forget the meter; the file is for the next one too."""
        super().forget()
        self.meter, self.whole_at, self.undo = {}, None, ()
        self.staged.clear()

    @property
    def lines(self) -> tuple[Line, ...]:
        """Both sides, line by line."""
        return compared(self.meter.values(), self.file)

    def read_meter(self) -> None:
        """Read everything that may be set."""
        if not self.running:
            self.meter, self.whole_at, self.outcome = {}, None, None
            self.staged.clear()
            bench = self.station.desk.bench
            self._begin(READING, bench.read_parameters(self.station.at()))

    def open_file(self, path: Path) -> None:
        """Take the other side from a file."""

        def take(found: tuple[Parameter, ...]) -> None:
            self.file, self.file_name = found, path.name
            self.staged.clear()
            self.turned.emit()

        fetch, refused = self.station.fetcher.fetch, self.station.refused.emit
        fetch("parameter file", lambda: load_parameters(path), take, refused)

    def save(self, path: Path, say: Callable[[str], None]) -> None:
        """Keep what was read from the meter in a file."""
        found = tuple(self.meter.values())

        def write() -> str:
            from app.models.engine import translated
            from app.models.files import write_atomically

            with translated(str(path)):
                write_atomically(path, save_parameters(found))
            return f"{len(found):,} parameters written to {path.name}."

        self.station.fetcher.fetch("save", write, say, self.station.refused.emit)

    def stage(self, lines: tuple[Line, ...]) -> None:
        """Put lines among those to be written, or take them out where all are among them."""
        addresses = {_address(line) for line in differing(lines)}
        if addresses <= self.staged:
            self.staged -= addresses
        else:
            self.staged |= addresses
        self.turned.emit()

    def is_staged(self, line: Line) -> bool:
        """Whether a line is to be written."""
        return _address(line) in self.staged

    def write_staged(self) -> None:
        """Write the staged lines; the task asks for reason and confirmation."""
        chosen = [line for line in self.lines if self.is_staged(line)]
        self._write(tuple(line.wanted for line in chosen))

    def write_back(self) -> None:
        """Write what stood there before the last write."""
        self._write(self.undo)

    def _write(self, wanted: tuple[Parameter, ...]) -> None:
        if wanted and not self.running:
            before = (self.meter.get((p.code, p.class_id, p.attribute)) for p in wanted)
            self._at_stake = tuple(one for one in before if one is not None)
            bench = self.station.desk.bench
            self.act(bench.write_parameters(self.station.at(), wanted, self.serial))

    def absorb(self, found: Found) -> None:
        """Take one thing of the meter; the first one written makes an undo possible."""
        item: Any = found.item
        if found.what != "parameter":
            super().absorb(found)
            return
        address = (item.code, item.class_id, item.attribute)
        self.meter[address] = item
        self._place = self.station.at()
        if self.doing == ACTING:
            self.undo = self._at_stake
            self.staged.discard(address)

    def ended(self, result: object) -> None:
        """Note that all was read, or what was changed."""
        if self.doing == READING:
            self.whole_at = utc_now()
        super().ended(result)


def _address(line: Line) -> Address:
    return line.code, line.class_id, line.attribute
