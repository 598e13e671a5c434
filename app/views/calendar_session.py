"""The switching tables of the meter at the chosen port, and the draft somebody works on."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal

from app.errors import AppError
from app.messages import explain
from app.models.base import utc_now
from app.services.calendar_checks import Problem, problems
from app.services.calendar_draft import Draft, History, Part, new_draft
from app.services.calendar_files import calendar_shape, file_text, load_draft
from app.services.calendar_interrupted import Finding, Interrupted, finding
from app.services.calendar_keeping import Kept, keep, kept_draft, save_draft
from app.tasks import Cancel
from app.views import words
from app.views.service_session import ACTING, ActSession
from app.views.task_runner import call
from drivers.calendar import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.tasks import Found
    from app.views.station import Station
    from drivers.calendar import CalendarReading

READING = "reading the calendar"
FOLDER = "calendar.folder"


class CalendarSession(ActSession):
    """Keeps what was read until another meter is chosen; the draft stays until it is replaced."""

    edited = Signal()  # the draft is another one, or was typed into
    taken = Signal()  # another draft is worked on
    _unkept = Signal(object)

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.reading: CalendarReading | None = None
        self.whole_at: datetime | None = None
        self.limits = Limits()
        self.history: History | None = None
        self.rows: dict[Part, int] = {}  # that are chosen
        self.origin = ""
        self.path: Path | None = None
        self.saved: Draft | None = None
        self.keep_trouble = ""
        self.broken: Interrupted | None = None
        self._numbers, self._newest = itertools.count(1), 0
        self._unkept.connect(self._not_kept)
        self._look_back()

    # --- the meter ----------------------------------------------------------------------------

    def forget(self) -> None:
        """Forget the meter; the draft is for the next one too."""
        super().forget()
        self.reading = self.whole_at = None
        self.limits = Limits()

    def check_place(self) -> None:
        """Forget another meter, and learn how much the one that is chosen holds."""
        super().check_place()
        self._learn_limits()

    def read_meter(self) -> None:
        """Read both tables and the special days."""
        if not self.running:
            self.outcome = None
            self._begin(READING, self.station.desk.bench.read_calendar(self.station.at()))

    def write_draft(self, activation: datetime | None) -> None:
        """Write the draft, to be in force at once or from ``activation`` on."""
        if self.draft is not None and not self.running:
            wanted = replace(self.draft, activation=activation)
            bench = self.station.desk.bench
            self.act(bench.write_calendar(self.station.at(), wanted, self.serial))

    @property
    def failed_to_read(self) -> bool:
        """Whether the last read failed and nobody has left its error yet."""
        return self.failure is not None and not self.running and self.doing != ACTING

    def dismiss_failure(self) -> None:
        """Leave the error of the last read: there is a calendar to go on with."""
        if self.failed_to_read and (self.draft is not None or self.reading is not None):
            self.failure, self.defect, self.notes = None, None, ()
            self.turned.emit()

    def absorb(self, found: Found) -> None:
        """Take one thing of the meter."""
        item: Any = found.item
        if found.what == "calendar":
            self.reading, self.whole_at, self._place = item, utc_now(), self.station.at()
            self._learn_limits()
        else:
            super().absorb(found)

    def _settle(self) -> None:
        super()._settle()
        if self.doing == ACTING:
            self._look_for_broken()

    def _learn_limits(self) -> None:
        bench, at, serial = self.station.desk.bench, self.station.at(), self.serial
        unknown = Limits()  # a type that cannot be loaded is told when the meter is read
        self.station.fetcher.fetch(
            "calendar limits",
            lambda: bench.calendar_limits(at, serial),
            self._take_limits,
            lambda _: self._take_limits(unknown),
        )

    def _take_limits(self, limits: Limits) -> None:
        if limits != self.limits:
            self.limits = limits
            self.edited.emit()

    # --- a write that did not end well --------------------------------------------------------

    @property
    def finding(self) -> Finding | None:
        """What a broken write left in the meter; None until that meter has been read."""
        broken, reading, read_at = self.broken, self.reading, self.whole_at
        if broken is None or reading is None or read_at is None or broken.meter != self.serial:
            return None
        return finding(broken, reading) if read_at > broken.since else None

    def settle_broken(self) -> None:
        """Forget the broken write: somebody has seen what became of it."""
        self.broken = None
        self.turned.emit()
        settle = self.station.desk.bench.settle_calendar
        fetch, refused = self.station.fetcher.fetch, self.station.refused.emit
        fetch("calendar settled", settle, lambda _: None, refused)

    def _look_for_broken(self) -> None:
        fetch, refused = self.station.fetcher.fetch, self.station.refused.emit
        bench = self.station.desk.bench
        fetch("calendar broken", bench.broken_calendar, self._take_broken, refused)

    def _take_broken(self, broken: Interrupted | None) -> None:
        self.broken = broken
        self.turned.emit()

    # --- the draft ----------------------------------------------------------------------------

    @property
    def draft(self) -> Draft | None:
        """What is worked on."""
        return self.history.now if self.history is not None else None

    @property
    def unsaved(self) -> bool:
        """Whether the draft stands in no file."""
        return self.draft is not None and self.draft != self.saved

    def problems(self) -> tuple[Problem, ...]:
        """Give what is the matter with the draft, for the meter that is chosen."""
        if self.draft is None:
            return ()
        now = utc_now()
        zone = words.zone(self.station.desk.settings.text("look.timezone"))
        return problems(self.draft, self.limits, today=now.astimezone(zone).date(), now=now)

    def change(self, step: Callable[[Draft], Draft], field: object = None) -> None:
        """Take one step; what is typed into one ``field`` is one."""
        if self.history is not None and self.history.change(step, field):
            self._turn_draft()

    def settle(self, step: Callable[[Draft], Draft]) -> None:
        """Put in order what was typed last."""
        if self.history is not None and self.history.settle(step):
            self._turn_draft()

    def seal(self) -> None:
        """Let the next change be a step of its own."""
        if self.history is not None:
            self.history.seal()

    def undo(self) -> None:
        """Take the last step back."""
        if self.history is not None:
            self.history.undo()
            self._turn_draft()

    def redo(self) -> None:
        """Take it again."""
        if self.history is not None:
            self.history.redo()
            self._turn_draft()

    def begin_new(self) -> None:
        """Begin with the smallest table that is whole."""
        self.take(new_draft(), "new")

    def edit_reading(self, *, waiting: bool) -> None:
        """Begin with a table of the meter."""
        reading = self.reading
        if reading is None:
            return
        table = reading.passive if waiting else reading.active
        name = "the waiting table" if waiting else "the table in force"
        self.take(Draft(table, reading.special_days or None), f"{name} of meter {self.serial}")

    def take(
        self, draft: Draft, origin: str, path: Path | None = None, saved: Draft | None = None
    ) -> None:
        """Work on another draft from now on; the one before is one undo away."""
        if self.history is None:
            self.history = History(draft)
        else:
            if self.draft not in {draft, self.saved}:
                note = "The draft before is one Undo away."
                self.station.noticed.emit("undo-2", note)
            self.history.change(lambda _: draft)
            self.history.seal()
        self.origin, self.path, self.saved = origin, path, saved
        self.rows.clear()
        self.dismiss_failure()
        self._turn_draft()
        self.taken.emit()

    def _turn_draft(self) -> None:
        self._keep()
        self.edited.emit()

    # --- what is kept -------------------------------------------------------------------------

    def _look_back(self) -> None:
        folder = self.station.desk.db.folder
        fetch, refused = self.station.fetcher.fetch, self.station.refused.emit
        fetch("calendar kept", lambda: kept_draft(folder), self._take_kept, refused)
        self._look_for_broken()

    def _take_kept(self, kept: Kept | None) -> None:
        if kept is None or self.history is not None:
            return
        self.history = History(kept.draft)
        self.origin, self.path, self.saved = kept.origin, kept.path, kept.saved
        self.edited.emit()

    def _keep(self) -> None:
        """Keep the draft behind the window; what is newer by then is kept in its place."""
        if self.draft is None:
            return
        number = self._newest = next(self._numbers)
        kept = Kept(self.draft, self.path, self.saved, self.origin)
        folder, told = self.station.desk.db.folder, self._unkept.emit

        def write() -> None:
            if number != self._newest:
                return
            try:
                keep(folder, kept)
            except (AppError, OSError) as error:
                told(error)
            else:
                told(None)

        # Not by the fetcher: that drops what still waits when the window closes.
        self.station.data.start(call(write), lambda _: None, Cancel())

    def _not_kept(self, error: BaseException | None) -> None:
        trouble = explain(error).title if error is not None else ""
        if trouble != self.keep_trouble:
            self.keep_trouble = trouble
            self.edited.emit()

    # --- files --------------------------------------------------------------------------------

    def folder(self) -> str:
        """Give the folder of the last file, "" for none."""
        return self.station.desk.settings.text(FOLDER)

    def place_for(self, name: str) -> str:
        """Give what a dialog proposes: ``name`` in the folder of the last file."""
        folder = self.folder()
        return str(Path(folder) / name) if folder else name

    def open_file(self, path: Path) -> None:
        """Work on the table of a file."""

        def take(draft: Draft) -> None:
            self.take(draft, f"file {path.name}", path, draft)
            self._remember(path)

        fetch, refused = self.station.fetcher.fetch, self.station.refused.emit
        fetch("calendar file", lambda: load_draft(path), take, refused)

    def save_draft(self, path: Path, say: Callable[[str], None]) -> None:
        """Keep the draft in a file, as `calendar write` takes it."""
        draft = self.draft
        if draft is None:
            return

        def done(_: None) -> None:
            self.path, self.saved, self.origin = path, draft, f"file {path.name}"
            self._remember(path)
            self._turn_draft()
            say(f"The calendar is in {path.name}.")

        fetch, refused = self.station.fetcher.fetch, self.station.refused.emit
        fetch("save", lambda: save_draft(path, draft), done, refused)

    def save_reading(self, path: Path, say: Callable[[str], None]) -> None:
        """Keep both tables of the meter in a file."""
        reading = self.reading
        if reading is None:
            return

        def write() -> str:
            from app.models.files import save_file

            save_file(path, file_text(calendar_shape(reading)).encode())
            return f"The calendar is in {path.name}."

        self._remember(path)
        self.station.fetcher.fetch("save", write, say, self.station.refused.emit)

    def _remember(self, path: Path) -> None:
        self.station.keep({FOLDER: str(path.parent)})
