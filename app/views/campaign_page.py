"""A key-change campaign: how far every meter is, and what goes back to the vending office."""

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views import files, words
from app.views.controls import ActionButton, action_bar
from app.views.fields import Choice, search_field
from app.views.page import Page
from app.views.paint import Verdict
from app.views.station import Station
from app.views.surfaces import (
    Card,
    ChipFace,
    ForecastBar,
    column_of,
    icon_label,
    label,
    row_of,
)
from app.views.tables import Cell, CellTable, Column, Rows
from app.views.theme import Look

if TYPE_CHECKING:
    from app.workorders.campaign import CampaignMeter, CampaignStatus

FACES = {
    "waiting": ChipFace("Waiting", icon="circle"),
    "first entered": ChipFace("First entered", icon="circle-play"),
    "complete": ChipFace("Not verified", verdict=Verdict.WARN),
    "verified": ChipFace("Verified", verdict=Verdict.PASS, quiet=True),
    "refused": ChipFace("Refused", verdict=Verdict.FAIL),
    "no access": ChipFace("No access", verdict=Verdict.NOT_RUN),
}
NEXT = {
    "waiting": "No token of the set was entered yet.",
    "first entered": "The set is not complete: the meter is still on its old key.",
    "complete": "All tokens accepted; the meter did not show its new key.",
    "refused": "Ask the vending office for a set that fits.",
    "no access": "Plan another visit.",
}
NO_SET = "Its set is not on this laptop: import the list again."
EXPORTS = "Table for spreadsheets (*.csv);;Excel workbook (*.xlsx);;For programs (*.json)"
ALL = ""


class CampaignSession(QObject):
    """Which campaign is looked at, how far it is, and which of its meters are shown."""

    loaded = Signal()

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.station = station
        self.names: list[str] = []
        self.name = ""
        self.status: CampaignStatus | None = None
        self.state, self.text = ALL, ""

    def load(self) -> None:
        """Fetch the campaigns of this laptop, and the chosen one or the first."""
        db, chosen = self.station.desk.db, self.name

        def work() -> tuple[list[str], Any]:
            from app.workorders.campaign import campaign_names, campaign_status

            names = campaign_names(db)
            name = chosen if chosen in names else next(iter(names), "")
            return names, campaign_status(db, name) if name else None

        self.station.fetcher.fetch("campaign", work, self._loaded, self.station.refused.emit)

    def choose(self, name: str) -> None:
        """Look at another campaign."""
        self.name = name
        self.load()

    def shown(self) -> list["CampaignMeter"]:
        """Give the meters of the chosen state that have the words looked for."""
        meters = self.status.meters if self.status is not None else ()
        text = self.text.casefold()
        return [
            meter
            for meter in meters
            if (not self.state or meter.status.value == self.state)
            and text in f"{meter.number} {meter.drn} {meter.serial} {meter.place}".casefold()
        ]

    @property
    def to_send(self) -> int:
        """How many verified key changes the vending office has not been told."""
        meters = self.status.meters if self.status is not None else ()
        return sum(m.status.value == "verified" and m.exported is None for m in meters)

    def export(self, path: Any) -> None:
        """Write the accepted key changes for the vending system."""
        desk, name, station = self.station.desk, self.name, self.station

        def work() -> int:
            from app.workorders.campaign import export_accepted

            return export_accepted(desk.db, name, path, who=desk.who)[0]

        def done(count: int) -> None:
            changes = words.count(count, "key change")
            station.noticed.emit("download", f"{changes} written. Send {path.name} today.")
            self.load()

        station.fetcher.fetch("campaign export", work, done, station.refused.emit)

    def _loaded(self, answer: tuple[list[str], Any]) -> None:
        self.names, self.status = answer
        self.name = self.status.name if self.status is not None else ""
        self.loaded.emit()


class CampaignPage(Page):
    """One row a meter; the counts filter, Enter opens the order."""

    left = Signal()
    wanted = Signal(str)  # order to open
    import_wanted = Signal()

    def __init__(self, look: Look, session: CampaignSession) -> None:
        super().__init__(look, "Key-change campaigns")
        self._session = session
        content = QWidget()
        column = QVBoxLayout(content)
        edge = look.page_margin
        column.setContentsMargins(edge, look.space.s, edge, edge)
        column.setSpacing(look.space.s)
        for part in self._head():
            column.addWidget(part)
        card = Card(look, padded=False)
        self.table = CellTable(look, "Meters of the campaign", Rows(self._columns()), tall=True)
        self.table.selectionModel().currentRowChanged.connect(self._show_buttons)
        card.add(self.table, 1)
        self.none = label(look, "", muted=True)
        icon = icon_label(look, "inbox", look.colours.edge, 2.4)
        self._nothing = column_of(look, None, row_of(look, None, icon, self.none, None), None)
        card.add(self._nothing, 1)
        column.addWidget(card, 1)
        self.outer.addWidget(content, 1)
        self.outer.addWidget(self._actions())
        self.first_focus = self.table
        self.on_key(Qt.Key.Key_Escape, self.left.emit, "back to the jobs")
        self.on_key(Qt.Key.Key_F5, session.load, "look again")
        session.loaded.connect(self.show_status)
        self.show_status()

    def opened(self) -> None:
        """Ask again how far it is."""
        self._session.load()

    def take_scan(self, text: str) -> bool:
        """Look for the meter that was scanned."""
        self.search.setText(text)
        self.table.setFocus()
        return True

    def show_status(self) -> None:
        """Show counts, progress and rows."""
        session, status = self._session, self._session.status
        with QSignalBlocker(self.names):
            self.names.clear()
            self.names.addItems(session.names)
            self.names.setCurrentIndex(max(0, self.names.findText(session.name)))
        counts = status.counts if status is not None else {}
        total, done = sum(counts.values()), counts.get("verified", 0)
        self.progress.show_done(done / total if total else 0)
        self.done.setText(f"{done:,} of {words.count(total, 'meter')} verified")
        with QSignalBlocker(self.states):
            self.states.clear()
            self.states.addItem(f"All meters {total:,}", ALL)
            for state, count in counts.items():
                self.states.addItem(f"{FACES[state].word} {count:,}", state)
            self.states.setCurrentIndex(max(0, self.states.findData(session.state)))
        self._show_rows()

    def _head(self) -> list[QWidget]:
        look, session = self.look, self._session
        back = ActionButton(look, "Jobs", "ghost", "undo-2")
        back.setAccessibleName("Back to the jobs")
        back.clicked.connect(self.left)
        self.names = Choice(look, "Campaign")
        self.names.setMinimumWidth(look.width_of("0" * 22) + look.icon)
        self.names.textActivated.connect(session.choose)
        self.done = label(look, "", muted=True)
        self.progress = ForecastBar(look, name="Verified")
        self.progress.setMaximumWidth(look.width_of("0" * 24))
        self.states = Choice(look, "State of the meters")
        self.states.setMinimumWidth(look.width_of("First entered 00,000") + look.icon)
        self.states.activated.connect(self._choose_state)
        self.search = search_field(look, "Meter, place or job", "Filter meters", session.text)
        self.search.textChanged.connect(self._look_for)
        title = label(look, "Key changes", "heading", strong=True)
        if look.compact:
            return [row_of(look, back, self.names, None), row_of(look, self.states, self.search)]
        first = row_of(look, back, title, self.names, None, self.done, gap=look.space.m)
        first.add(self.progress, 1)
        second = row_of(look, self.states, gap=max(look.gap, look.space.s))
        second.add(self.search, 1)
        return [first, second]

    def _columns(self) -> list[Column]:
        if self.look.compact:
            return [Column("Meter"), Column("State", 17)]
        columns = [Column("Job", 9), Column("Meter", 18), Column("Place"), Column("State", 19)]
        if self.look.gloves:
            return columns
        return [*columns, Column("Accepted", 22), Column("Told the office", 22)]

    def _actions(self) -> QWidget:
        look = self.look
        bring = ActionButton(look, "Import…", "secondary", "download")
        bring.clicked.connect(self.import_wanted)
        self.take = ActionButton(look, "Export table…", "secondary", "download")
        self.take.clicked.connect(self._export_table)
        self.send = ActionButton(look, "Export accepted…", "secondary", "send")
        self.send.clicked.connect(self._export_accepted)
        self.open = ActionButton(look, "Open job", "primary", "arrow-right", "Enter")
        self.open.clicked.connect(self._open)
        if look.gloves:
            self.send.setFixedHeight(look.primary)
        self.set_primary(self.open)
        desk = self._session.station.desk
        left: list[QWidget] = [] if look.compact else [self.take]
        if desk.may("tokens.import") and desk.may("orders.import"):
            left.insert(0, bring)
        right: list[QWidget] = (
            [self.send, self.open] if desk.may("campaign.export") else [self.open]
        )
        return action_bar(look, left, right)

    def _show_rows(self) -> None:
        session = self._session
        meters = session.shown()
        model = self.table.model()
        if isinstance(model, Rows):
            model.replace([self._row(meter) for meter in meters])
        self.table.setVisible(bool(meters))
        self._nothing.setVisible(not meters)
        if session.status is None:
            text = "No campaign is on this laptop. Import its list: one meter a row, with its set."
        else:
            text = "No meter of this campaign has this state and these words."
        self.none.setText(text)
        if meters and not self.table.currentIndex().isValid():
            self.table.selectRow(0)
        self._show_buttons()

    def _show_buttons(self, *_: object) -> None:
        session = self._session
        self.open.setEnabled(self._chosen() is not None)
        self.take.setEnabled(bool(session.shown()))
        waiting = session.to_send
        status = session.status
        self.send.setEnabled(bool(status and status.counts.get("verified")))
        short = self.look.compact
        self.send.relabel(
            ("Accepted" if short else "Export accepted")
            + (f" ({waiting:,} new)…" if waiting else "…")
        )

    def _row(self, meter: "CampaignMeter") -> list[Cell]:
        face = Cell(chip=FACES[meter.status.value])
        number = meter.drn or meter.serial
        if self.look.compact:
            return [Cell(number, meter.place or meter.number), face]
        cells = [
            Cell(meter.number, muted=True),
            Cell(number, meter.serial if meter.serial != number else "", mono=True),
            Cell(meter.place, NEXT.get(meter.status.value, "") if meter.tokens else NO_SET),
            face,
        ]
        if self.look.gloves:
            return cells
        times = [words.when(at) if at else words.NOTHING for at in (meter.changed, meter.exported)]
        return [*cells, *(Cell(text, muted=text == words.NOTHING) for text in times)]

    def _chosen(self) -> "CampaignMeter | None":
        meters, index = self._session.shown(), self.table.currentIndex()
        return meters[index.row()] if index.isValid() and index.row() < len(meters) else None

    def _open(self) -> None:
        if (meter := self._chosen()) is not None:
            self.wanted.emit(meter.order_id)

    def _choose_state(self, index: int) -> None:
        self._session.state = str(self.states.itemData(index) or ALL)
        self._show_rows()

    def _look_for(self, text: str) -> None:
        self._session.text = text.strip()
        self._show_rows()

    def _export_accepted(self) -> None:
        name = f"{self._session.name.lower().replace(' ', '-')}-accepted.csv"
        path = files.ask_save(self, "Accepted key changes", name, "Table (*.csv)")
        if path is not None:
            self._session.export(path if path.suffix else path.with_suffix(".csv"))

    def _export_table(self) -> None:
        title, station = self._session.name, self._session.station
        name = f"{title.lower().replace(' ', '-')}.csv"
        path = files.ask_save(self, "Export", name, EXPORTS)
        if path is None:
            return
        path = path if path.suffix else path.with_suffix(".csv")
        head, rows = self.table.texts()
        keys = [key.lower().replace(" ", "_") for key in head]
        shape = {"campaign": title, "meters": [dict(zip(keys, r, strict=True)) for r in rows]}

        def write() -> str:
            from app.services.tables import write_table

            write_table(path, {title: (head, rows)}, shape)
            return f"{words.count(len(rows), 'row')} written to {path.name}."

        station.fetcher.fetch(
            "export", write, lambda text: station.noticed.emit("download", text),
            station.refused.emit,
        )  # fmt: skip
