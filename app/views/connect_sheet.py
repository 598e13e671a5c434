"""Chooses where the meter is, how it is spoken to, and connects."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from app.messages import explain
from app.services.connection import Overrides
from app.services.known_meters import Place
from app.views.controls import ActionButton
from app.views.fields import Choice
from app.views.page import Notice
from app.views.settings_form import FIND
from app.views.sheet import Sheet
from app.views.station import Station
from app.views.surfaces import Card, label, row_of
from app.views.tables import Cell, CellTable, Column, Rows
from app.views.theme import Look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.views.desk_protocol import PortLike

SHOWN_ROWS = 5
MOST_KNOWN = 200  # meters in the list; more are reached by typing their number


class ConnectSheet(Sheet):
    """Ports and known meters in a list, the meter type below; accepted with ``target``."""

    def __init__(
        self, look: Look, station: Station, parent: QWidget, verb: str, likely: str = ""
    ) -> None:
        super().__init__(look, "Where is the meter", parent)
        self._station, self._likely = station, likely
        self._ports: Sequence[PortLike] = ()
        self._known: Sequence[Place] = ()
        self._rows: list[PortLike | Place] = []
        self._place: Place | None = None
        self._settings = _kept_settings(station)
        self.target, self.port_title, self.kind = "", "", station.meter_type
        model = Rows([Column("Port or meter")])
        self.list = CellTable(look, "Ports and known meters", model, tall=True)
        self.list.horizontalHeader().hide()
        self.list.setMinimumHeight((SHOWN_ROWS - 2 * look.gloves) * look.tall_row)
        self.list.selectionModel().currentRowChanged.connect(self._row_chosen)
        card = Card(look, padded=False)
        card.add(self.list)
        self.other = QLineEdit()
        self.other.setPlaceholderText("Number of a known meter, or tcp://192.0.2.7:4059")
        self.other.setAccessibleName("Number of a known meter, or another address")
        self.other.textChanged.connect(self._typed)
        self.body.addWidget(self.other)
        self.body.addWidget(card, 1)
        self.note = Notice(look, "plug", "Looking for ports…")
        self.body.addWidget(self.note)
        self.types = Choice(look, "Meter type")
        self.types.addItem(FIND, "")
        self.settings = ActionButton(look, "Settings…", "secondary", "settings")
        self.finder = self._finder()
        self.warning = self._warning()
        self.go = ActionButton(look, verb, "primary", "plug", "Enter")
        self.go.setEnabled(False)
        self.go.clicked.connect(self._accept)
        again = ActionButton(look, "Look again", "secondary", "rotate-cw", "F5")
        again.setShortcut("F5")
        again.clicked.connect(self.look_for_ports)
        self.finish(self.go, again)
        station.fetcher.fetch("types", station.desk.meter_types, self._show_types, self._fail)
        self.look_for_ports()
        self.setMinimumWidth(look.width_of("0" * 68))
        self.fit_to(parent)
        self.list.setFocus()

    def _finder(self) -> ActionButton:
        """Give the button that finds the settings out, in a line with the meter types."""
        look = self.look
        self.settings.setEnabled(False)
        self.settings.clicked.connect(self.open_settings)
        finder = ActionButton(look, "Find settings…", "secondary", "search")
        finder.setEnabled(False)
        finder.clicked.connect(self.find_settings)
        line = row_of(look, gap=max(look.space.s, look.gap))
        self.types.setMinimumContentsLength(12)
        self.types.setSizeAdjustPolicy(_SHORT)
        line.add(self.types, 1)
        line.add(finder)
        line.add(self.settings)
        self.body.addWidget(label(look, "Meter type", muted=True))
        self.body.addWidget(line)
        return finder

    def _warning(self) -> Notice:
        """Give the line for what should be known of the chosen type."""
        warning = Notice(self.look, "info")
        warning.hide()
        self.body.addWidget(warning)
        self.types.currentIndexChanged.connect(lambda _: self._show_warning())
        return warning

    def look_for_ports(self) -> None:
        """List what is attached now, and the meters that answered before."""
        desk = self._station.desk

        def look() -> tuple[Sequence[PortLike], Sequence[Place]]:
            return desk.ports(), desk.bench.known()

        self._station.fetcher.fetch("ports", look, self._show_ports, self._fail)

    def find_settings(self) -> None:
        """Find out what answers at the chosen port, and take its settings over."""
        from app.views.find_sheet import FindSheet

        sheet = FindSheet(self.look, self._station, self, self.target, self.port_title)
        target = self.target

        def take() -> None:
            found = sheet.settings
            if found is not None:
                place = Place(target, found.meter_type, found.overrides, found.serial)
                self._use(place)

        sheet.accepted.connect(take)
        sheet.open()

    def open_settings(self) -> None:
        """Show how the meter is spoken to, to be changed and tried."""
        from app.views.settings_sheet import SettingsSheet

        kind = str(self.types.currentData() or "")
        known = self._chosen_place() or Place(self.target, kind, Overrides())
        if known.meter_type != kind and self.types.count() > 1:
            known = replace(known, meter_type=kind, overrides=Overrides())
        sheet = SettingsSheet(self.look, self._station, self, known, self.port_title)
        sheet.accepted.connect(lambda: self._use(sheet.place))
        sheet.open()

    def done(self, result: int) -> None:
        """Let answers that are still on their way come to nothing."""
        for kind in ("ports", "types", "place"):
            self._station.fetcher.forget(kind)
        super().done(result)

    def _use(self, place: Place) -> None:
        self._settings[place.link] = place
        if self._place is not None and self._place.link == place.link:
            self._place = place
        self._show_settings()
        self.go.setFocus()

    def _show_types(self, types: Sequence[tuple[str, str]]) -> None:
        for name, title in types:
            self.types.addItem(title, name)
        place = self.types.findData(self._station.meter_type)
        self.types.setCurrentIndex(max(0, place))
        self._list_rows()

    def _show_warning(self) -> None:
        """Show what should be known before connecting to a meter of the chosen type."""
        text = self._station.desk.bench.note_of(str(self.types.currentData() or ""))
        self.warning.words.setText(text)
        self.warning.setVisible(bool(text))
        QTimer.singleShot(0, self, self.refit)

    def _show_ports(self, found: tuple[Sequence[PortLike], Sequence[Place]]) -> None:
        self._ports, self._known = found
        self.note.setVisible(not self._ports)
        self.note.words.setText("No port is attached. Plug the probe in, or enter an address.")
        self._list_rows()
        if not self.other.text() and not self.list.currentIndex().isValid():
            self._choose_last()
        self._choose()

    def _choose_last(self) -> None:
        """Choose the likely port, else what was used last: a port, a known meter, an address."""
        at = self._station.at()
        likely = [n for n, port in enumerate(self._ports) if port.target == self._likely]
        if likely:
            self.list.selectRow(likely[0])
            return
        used = [
            number
            for number, row in enumerate(self._rows)
            if (row.serial == at.serial and row.link == at.target
                if isinstance(row, Place) else row.target == at.target)
        ]  # fmt: skip
        if used:
            self.list.selectRow(used[-1])
        elif at.target:
            self.other.setText(at.target)
        elif self._rows:
            self.list.selectRow(0)

    def _list_rows(self) -> None:
        """Show ports, then known meters; what is typed narrows the meters."""
        typed = self.other.text().strip()
        kept = self._place or self._row()
        if typed and not isinstance(kept, Place):
            kept = None  # a port and a typed address are never both chosen
        meters = [place for place in self._known if typed in place.serial] if typed else self._known
        self._rows = [*self._ports, *meters[:MOST_KNOWN]]
        model = self.list.model()
        if isinstance(model, Rows):
            model.replace([[self._cell(row)] for row in self._rows])
        if kept is not None and kept in self._rows:
            self.list.selectRow(self._rows.index(kept))
        else:
            self.list.setCurrentIndex(QModelIndex())
            self.list.clearSelection()

    def _row(self) -> PortLike | Place | None:
        """Give what is chosen in the list."""
        at = self.list.currentIndex().row()
        return self._rows[at] if 0 <= at < len(self._rows) else None

    def _cell(self, row: PortLike | Place) -> Cell:
        if not isinstance(row, Place):
            return Cell(row.title, row.detail or row.target, strong=True)
        at = self.types.findData(row.meter_type)
        kind = self.types.itemText(at) if at > 0 else row.meter_type
        ports = {port.target: port.title for port in self._ports}
        where = ports.get(row.link, row.link)
        detail = f"{kind}, {where}, {settings_words(row.overrides)}"
        return Cell(f"Meter {row.serial}", detail, strong=True)

    def _fail(self, error: BaseException) -> None:
        message = explain(error)
        self.note.words.setText(f"{message.title}. {message.remedy}")
        self.note.show()

    def _row_chosen(self) -> None:
        """Take what is chosen; an address that was typed before a port was chosen is gone."""
        row = self._row()
        if row is not None and not isinstance(row, Place) and self.other.text():
            self.other.clear()
        self._choose()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let the arrow keys choose in the list while a number is typed."""
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
        if step and self.other.hasFocus():
            self._step(step)
        else:
            super().keyPressEvent(event)

    def _step(self, step: int) -> None:
        """Choose the next row; of the meters alone where a number narrows them."""
        typed, here = self.other.text().strip(), self.list.currentIndex().row()
        rows = [n for n, row in enumerate(self._rows) if not typed or isinstance(row, Place)]
        beyond = [n for n in rows if (n > here if step > 0 else n < here)]
        if beyond:
            self.list.selectRow(beyond[0] if step > 0 else beyond[-1])

    def _typed(self) -> None:
        text, bench = self.other.text().strip(), self._station.desk.bench
        self._place = next((one for one in self._known if one.serial == text), None)
        self._list_rows()
        if not text and self._rows and not self.list.currentIndex().isValid():
            self.list.selectRow(0)
        self._choose()
        if text.isalnum() and self._place is None:
            self._station.fetcher.fetch(
                "place", lambda: bench.place_of(text), self._show_place, self._fail
            )

    def _show_place(self, place: Place | None) -> None:
        self._place = place
        self._choose()

    def _show_settings(self) -> None:
        """Show the settings that are known for the chosen place, if there are any."""
        known = self._chosen_place()
        if known is None:
            if self._ports:
                self.note.hide()
            return
        place = self.types.findData(known.meter_type)
        self.types.setCurrentIndex(max(0, place))
        self.note.words.setText(f"{self.port_title}: {settings_words(known.overrides)}")
        self.note.show()

    def _chosen_place(self) -> Place | None:
        """Give the settings for what is chosen: of a known meter, or set here for the port."""
        return self._place or self._settings.get(self.target)

    def _choose(self) -> None:
        row, typed = self._row(), self.other.text().strip()
        if isinstance(row, Place) and typed in row.serial:
            self._place = row
        elif typed and self._place is None:
            self.target = self.port_title = typed
        elif not typed:
            self._place = None
        if self._place is not None:
            self.target, self.port_title = self._place.link, f"Meter {self._place.serial}"
        elif row is not None and not isinstance(row, Place) and not typed:
            self.target, self.port_title = row.target, row.title
        elif not typed:
            self.target = self.port_title = ""
        self.go.setEnabled(bool(self.target))
        self.finder.setEnabled(bool(self.target) and not self._station.line_busy())
        self.settings.setEnabled(bool(self.target))
        self._show_settings()

    def _accept(self) -> None:
        self.kind = str(self.types.currentData() or "")
        known = self._chosen_place()
        if known is not None and self.types.count() == 1:
            self.kind = known.meter_type  # the types are still on their way
        if known is not None and known.meter_type != self.kind:
            known = None
        given = known or Place(self.target, self.kind, Overrides())
        overrides = given.overrides if known is not None else None
        self._station.choose_port(
            self.target,
            self.port_title,
            self.kind,
            overrides,
            serial=given.serial,
            secret=given.secret,
        )
        self.accept()


_SHORT = Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon


def _kept_settings(station: Station) -> dict[str, Place]:
    """Give the settings that were found for the port in use, by target."""
    if station.overrides is None:
        return {}
    at = station.at()
    kept = Place(at.target, at.meter_type, station.overrides, at.serial, at.secret)
    return {station.target: kept}


def settings_words(overrides: Overrides) -> str:
    """Say which settings are used: "9600 Bd 8N1, address 17"."""
    parts = [f"{overrides.speed} Bd" if overrides.speed else "", overrides.format or ""]
    text = " ".join(part for part in parts if part)
    address = f"address {overrides.physical}" if overrides.physical else ""
    client = f"client {overrides.client}" if overrides.client else ""
    names = "short names" if overrides.referencing == "short" else ""
    told = (text, address, client, names)
    return ", ".join(part for part in told if part) or "as the type says"
