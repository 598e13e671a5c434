"""Chooses the port and the meter type, and connects."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLineEdit, QWidget

from app.messages import explain
from app.views.controls import ActionButton
from app.views.fields import Choice
from app.views.page import Notice
from app.views.sheet import Sheet
from app.views.station import Station
from app.views.surfaces import Card, label
from app.views.tables import Cell, CellTable, Column, Rows
from app.views.theme import Look

if TYPE_CHECKING:
    from app.views.desk_protocol import PortLike

FIND = "Find it out"
SHOWN_ROWS = 5


class ConnectSheet(Sheet):
    """Ports in a list, the meter type below; accepted with ``target``, ``port_title``, ``kind``."""

    def __init__(self, look: Look, station: Station, parent: QWidget, verb: str) -> None:
        super().__init__(look, "Where is the meter", parent)
        self._station = station
        self._ports: Sequence[PortLike] = ()
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
        self.other.setPlaceholderText("Another address, such as tcp://192.0.2.7:4059")
        self.other.setAccessibleName("Another address")
        self.other.textChanged.connect(self._choose)
        self.body.addWidget(self.other)
        self.body.addWidget(label(look, "Meter type", muted=True))
        self.types = Choice(look, "Meter type")
        self.types.addItem(FIND, "")
        self.body.addWidget(self.types)
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

    def look_for_ports(self) -> None:
        """List what is attached now."""
        self._station.fetcher.fetch("ports", self._station.desk.ports, self._show_ports, self._fail)

    def done(self, result: int) -> None:
        """Let answers that are still on their way come to nothing."""
        for kind in ("ports", "types"):
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

    def _choose(self) -> None:
        row = self.list.currentIndex().row()
        typed = self.other.text().strip()
        if typed:
            self.target = self.port_title = typed
        elif 0 <= row < len(self._ports):
            port = self._ports[row]
            self.target, self.port_title = port.target, port.title
        else:
            self.target = self.port_title = ""
        self.go.setEnabled(bool(self.target))

    def _accept(self) -> None:
        self.kind = str(self.types.currentData() or "")
        self._station.choose_port(self.target, self.port_title, self.kind)
        self.accept()
