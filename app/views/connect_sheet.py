"""Chooses the port and the meter type, and connects."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLineEdit, QWidget

from app.messages import explain
from app.views.controls import ActionButton
from app.views.fields import Choice
from app.views.page import Notice
from app.views.sheet import Sheet
from app.views.station import Station
from app.views.surfaces import Card, label, row_of
from app.views.tables import Cell, CellTable, Column, Rows
from app.views.theme import Look

if TYPE_CHECKING:
    from app.services.connection import Overrides
    from app.services.known_meters import Place
    from app.views.desk_protocol import PortLike

FIND = "Find it out"
SHOWN_ROWS = 3
NAMINGS = (("As the type says", ""), ("By logical names", "logical"), ("By short names", "short"))


class ConnectSheet(Sheet):
    """Ports in a list, the meter type below; accepted with ``target``, ``port_title``, ``kind``."""

    def __init__(self, look: Look, station: Station, parent: QWidget, verb: str) -> None:
        super().__init__(look, "Where is the meter", parent)
        self._station = station
        self._ports: Sequence[PortLike] = ()
        self._place: Place | None = None
        self._settings = _kept_settings(station)
        self.target, self.port_title, self.kind = "", "", station.meter_type
        model = Rows([Column("Port")])
        self.list = CellTable(look, "Ports", model, tall=True)
        self.list.horizontalHeader().hide()
        self.list.setMinimumHeight(SHOWN_ROWS * look.tall_row)
        self.list.selectionModel().currentRowChanged.connect(lambda *_: self._choose())
        card = Card(look, padded=False)
        card.add(self.list)
        self.body.addWidget(card, 1)
        self.note = Notice(look, "plug", "Looking for ports…")
        self.body.addWidget(self.note)
        self.other = QLineEdit()
        self.other.setPlaceholderText("Number of a known meter, or tcp://192.0.2.7:4059")
        self.other.setAccessibleName("Number of a known meter, or another address")
        self.other.textChanged.connect(self._typed)
        self.body.addWidget(self.other)
        self.body.addWidget(label(look, "Meter type", muted=True))
        self.types = Choice(look, "Meter type")
        self.types.addItem(FIND, "")
        self.finder = self._finder()
        self.naming = self._naming()
        self.go = ActionButton(look, verb, "primary", "plug", "Enter")
        self.go.setEnabled(False)
        self.go.clicked.connect(self._accept)
        again = ActionButton(look, "Look again", "secondary", "rotate-cw", "F5")
        again.setShortcut("F5")
        again.clicked.connect(self.look_for_ports)
        self.finish(self.go, again)
        station.fetcher.fetch("types", station.desk.meter_types, self._show_types, self._fail)
        self.look_for_ports()
        self.fit_to(parent)
        self.list.setFocus()

    def _finder(self) -> ActionButton:
        """Give the button that finds the settings out, in a line with the meter types."""
        look = self.look
        finder = ActionButton(look, "Find settings…", "secondary", "search")
        finder.setEnabled(False)
        finder.clicked.connect(self.find_settings)
        line = row_of(look, gap=max(look.space.s, look.gap))
        line.add(self.types, 1)
        line.add(finder)
        self.body.addWidget(line)
        return finder

    def _naming(self) -> Choice:
        """Give the choice of how a DLMS meter names its objects."""
        look = self.look
        naming = Choice(look, "How a DLMS meter names its objects")
        for words, value in NAMINGS:
            naming.addItem(words, value)
        line = row_of(look, label(look, "Objects (DLMS)", muted=True))
        line.add(naming, 1)
        self.body.addWidget(line)
        return naming

    def look_for_ports(self) -> None:
        """List what is attached now."""
        self._station.fetcher.fetch("ports", self._station.desk.ports, self._show_ports, self._fail)

    def find_settings(self) -> None:
        """Find out what answers at the chosen port, and take its settings over."""
        from app.views.find_sheet import FindSheet

        sheet = FindSheet(self.look, self._station, self, self.target, self.port_title)
        target = self.target

        def take() -> None:
            if sheet.settings is not None:
                self._settings[target] = (sheet.settings.meter_type, sheet.settings.overrides)
                self._show_settings()

        sheet.accepted.connect(take)
        sheet.open()

    def done(self, result: int) -> None:
        """Let answers that are still on their way come to nothing."""
        for kind in ("ports", "types", "place"):
            self._station.fetcher.forget(kind)
        super().done(result)

    def _show_types(self, types: Sequence[tuple[str, str]]) -> None:
        for name, title in types:
            self.types.addItem(title, name)
        place = self.types.findData(self._station.meter_type)
        self.types.setCurrentIndex(max(0, place))

    def _show_ports(self, ports: Sequence["PortLike"]) -> None:
        self._ports = ports
        rows = [[Cell(port.title, port.detail or port.target, strong=True)] for port in ports]
        model = self.list.model()
        if isinstance(model, Rows):
            model.replace(rows)
        self.note.setVisible(not ports)
        self.note.words.setText("No port is attached. Plug the probe in, or enter an address.")
        known = [port.target for port in ports]
        if ports:
            here = self._station.target
            self.list.selectRow(known.index(here) if here in known else 0)
        self._choose()

    def _fail(self, error: BaseException) -> None:
        message = explain(error)
        self.note.words.setText(f"{message.title}. {message.remedy}")
        self.note.show()

    def _typed(self) -> None:
        self._place = None
        text, bench = self.other.text().strip(), self._station.desk.bench
        self._choose()
        if text.isalnum():
            self._station.fetcher.fetch(
                "place", lambda: bench.place_of(text), self._show_place, self._fail
            )

    def _show_place(self, place: "Place | None") -> None:
        self._place = place
        if place is not None:
            self._settings[place.link] = (place.meter_type, place.overrides)
        self._choose()

    def _show_settings(self) -> None:
        """Show the settings that are known for the chosen place, if there are any."""
        known = self._settings.get(self.target)
        if known is None:
            return
        place = self.types.findData(known[0])
        self.types.setCurrentIndex(max(0, place))
        self.naming.setCurrentIndex(self.naming.findData(_told(known[1])))
        self.note.words.setText(f"{self.port_title}: {settings_words(known[1])}")
        self.note.show()

    def _choose(self) -> None:
        row = self.list.currentIndex().row()
        typed = self.other.text().strip()
        if self._place is not None:
            self.target = self._place.link
            self.port_title = f"Meter {typed}"
        elif typed:
            self.target = self.port_title = typed
        elif 0 <= row < len(self._ports):
            port = self._ports[row]
            self.target, self.port_title = port.target, port.title
        else:
            self.target = self.port_title = ""
        self.go.setEnabled(bool(self.target))
        self.finder.setEnabled(bool(self.target) and not self._station.line_busy())
        self._show_settings()

    def _accept(self) -> None:
        self.kind = str(self.types.currentData() or "")
        known = self._settings.get(self.target)
        found = known[1] if known is not None and known[0] == self.kind else None
        found = with_naming(found, str(self.naming.currentData() or ""))
        self._station.choose_port(self.target, self.port_title, self.kind, found)
        self.accept()


def _kept_settings(station: Station) -> "dict[str, tuple[str, Overrides]]":
    """Give the settings that were found for the port in use, by target."""
    if station.overrides is None:
        return {}
    return {station.target: (station.meter_type, station.overrides)}


def _told(overrides: "Overrides") -> str:
    """Give the choice that stands for settings: logical names are what nearly all meters have."""
    return "short" if overrides.referencing == "short" else ""


def with_naming(found: "Overrides | None", naming: str) -> "Overrides | None":
    """Give the settings with the chosen way of naming objects; "" leaves it to type and finding."""
    from app.services.connection import Overrides

    if not naming and found is not None and found.referencing == "short":
        return replace(found, referencing=None)
    if not naming:
        return found
    return replace(found or Overrides(), referencing=naming)


def settings_words(overrides: "Overrides") -> str:
    """Say which settings are used: "9600 Bd 8N1, address 17"."""
    parts = [f"{overrides.speed} Bd" if overrides.speed else "", overrides.format or ""]
    text = " ".join(part for part in parts if part)
    address = f"address {overrides.physical}" if overrides.physical else ""
    names = "short names" if overrides.referencing == "short" else ""
    return ", ".join(part for part in (text, address, names) if part) or "settings found"
