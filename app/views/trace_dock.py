"""The trace below every page (F8): what went over the line, as text or as bytes."""

from collections import deque

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QDockWidget, QFrame, QHBoxLayout, QWidget

from app.errors import NoRoom
from app.views import files, words
from app.views.controls import ActionButton, Segments
from app.views.station import Station
from app.views.surfaces import icon_label, label
from app.views.tables import NO_PARENT, Cell, CellModel, CellTable, Column, Index
from app.views.theme import Look
from drivers.trace_link import Direction, Record

KEPT = 10_000
BATCH_MS = 100
HEX_SHOWN = 48  # bytes in one line
TEXT_SHOWN = 120
COLUMNS = [Column("Time", 15), Column("", 8), Column("Length", 8, number=True), Column("Content")]
WAYS = {Direction.OUT: "Sent", Direction.IN: "Heard", Direction.LINE: "Line"}
PRINTABLE = range(0x20, 0x7F)
CONTROL = {0x0D: "␍", 0x0A: "␊", 0x06: "␆", 0x15: "␕", 0x01: "␁", 0x02: "␂", 0x03: "␃", 0x04: "␄"}


def as_text(data: bytes) -> str:
    """Show bytes as characters; those without a shape as their sign or a dot."""
    shown = "".join(
        chr(byte) if byte in PRINTABLE else CONTROL.get(byte, "·") for byte in data[:TEXT_SHOWN]
    )
    return shown + ("…" if len(data) > TEXT_SHOWN else "")


def as_hex(data: bytes) -> str:
    """Show bytes as hexadecimal figures."""
    return data[:HEX_SHOWN].hex(" ").upper() + (" …" if len(data) > HEX_SHOWN else "")


class TraceModel(CellModel):
    """The last records; new ones are taken over in batches, so that a fast line costs little."""

    arrived = Signal()

    def __init__(self) -> None:
        super().__init__(COLUMNS)
        self.plain = False
        self._rows: list[Record] = []
        self._waiting: deque[Record] = deque()
        self._timer = QTimer(self)
        self._timer.setInterval(BATCH_MS)
        self._timer.timeout.connect(self.take_over)
        self._timer.start()

    def note(self, record: Record) -> None:
        """Remember a record; called in the thread that talks to the meter."""
        self._waiting.append(record)

    def take_over(self) -> None:
        """Show what has arrived since the last time."""
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not batch:
            return
        start = len(self._rows)
        self.beginInsertRows(NO_PARENT, start, start + len(batch) - 1)
        self._rows.extend(batch)
        self.endInsertRows()
        if (over := len(self._rows) - KEPT) > 0:
            self.beginRemoveRows(NO_PARENT, 0, over - 1)
            del self._rows[:over]
            self.endRemoveRows()
        self.arrived.emit()

    def show_plain(self, *, plain: bool) -> None:
        """Choose text or bytes."""
        self.plain = plain
        if self._rows:
            last = self.index(len(self._rows) - 1, len(COLUMNS) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        """Number of records."""
        return 0 if parent.isValid() else len(self._rows)

    def cell(self, row: int, column: int) -> Cell:
        """Give time, direction, length or content of a record."""
        record = self._rows[row]
        sent = record.direction is Direction.OUT
        if column == 0:
            moment = record.time.astimezone()
            return Cell(
                f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}", mono=True, muted=True
            )
        if column == 1:
            return Cell(WAYS[record.direction], strong=sent, muted=not sent)
        if record.direction is Direction.LINE:
            return Cell(record.data.decode("ascii", "replace") if column == 3 else "")  # noqa: PLR2004
        if column == 2:  # noqa: PLR2004
            return Cell(f"{len(record.data)}", muted=True)
        if record.masked:
            return Cell(f"{len(record.data)} secret bytes, not shown", muted=True)
        return Cell(as_text(record.data) if self.plain else as_hex(record.data), mono=True)


class TraceDock(QDockWidget):
    """The last exchanges on the line; no secret is ever in them."""

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__("Trace", parent)
        self.setAccessibleName("Trace")
        self.setFeatures(QDockWidget.DockWidgetFeature.DockWidgetClosable)
        self._station: Station | None = None
        self.model = TraceModel()
        self.table = CellTable(look, "Trace", self.model)
        self.views = Segments(look, ["Hex", "Plain"])
        self.views.chosen.connect(lambda index: self.model.show_plain(plain=index == 1))
        self.follow = ActionButton(look, "Follow", "ghost", "activity")
        self.follow.setCheckable(True)
        self.follow.setChecked(True)
        self.save = ActionButton(look, "Save…", "ghost", "download")
        self.save.clicked.connect(self._save)
        hide = ActionButton(look, "Hide", "ghost", "x", "F8")
        hide.clicked.connect(self.hide)
        self._count = label(look, "nothing yet", muted=True)
        head = QFrame()
        head.setProperty("part", "dock-title")
        row = QHBoxLayout(head)
        row.setContentsMargins(look.page_margin, 3, look.space.s, 3)
        row.setSpacing(max(look.space.s, look.gap if look.gloves else 0))
        row.addWidget(icon_label(look, "square-terminal"))
        row.addWidget(label(look, "Trace", strong=True))
        if not look.compact:
            row.addWidget(self._count)
        row.addStretch()
        for part in (self.views, self.follow, self.save, hide):
            row.addWidget(part)
        self.setTitleBarWidget(head)
        self.setWidget(self.table)
        line = min(look.row, round(look.px(look.theme.type.body) * 1.9))  # nothing to touch here
        self.table.verticalHeader().setDefaultSectionSize(line)
        self.table.setMinimumHeight(line * 3)
        self.model.arrived.connect(self._arrived)

    def attach(self, station: Station) -> None:
        """Show the trace of this station."""
        self._station = station
        for record in station.desk.trace.records:
            self.model.note(record)
        station.desk.trace.listeners.append(self.model.note)
        self.model.take_over()

    def detach(self) -> None:
        """Let the trace go; the dock is about to be replaced."""
        if self._station is not None and self.model.note in self._station.desk.trace.listeners:
            self._station.desk.trace.listeners.remove(self.model.note)

    def _arrived(self) -> None:
        self._count.setText(words.count(self.model.rowCount(), "record"))
        if self.follow.isChecked():
            self.table.scrollToBottom()

    def _save(self) -> None:
        if self._station is None:
            return
        path = files.ask_save(self, "Save the trace", "trace.jsonl", "Trace (*.jsonl)")
        if path is None:
            return
        station = self._station
        trace = station.desk.trace

        def write() -> str:
            try:
                trace.save(path)
            except OSError as error:
                raise NoRoom(str(error)) from error
            return f"Trace saved as {path.name}."

        def say(text: str) -> None:
            station.noticed.emit("download", text)

        station.fetcher.fetch("save trace", write, say, station.refused.emit)
