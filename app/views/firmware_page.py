"""Maintenance, Firmware: which one runs, and another one loaded, verified and activated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.views import files, words
from app.views.act_page import ActPage
from app.views.act_sheet import ActSheet
from app.views.controls import ActionButton, Segments, action_bar
from app.views.progress_strip import ProgressStrip
from app.views.surfaces import Card, column_of, facts, label, row_of

if TYPE_CHECKING:
    from app.views.firmware_session import FirmwareSession
    from app.views.theme import Look

KINDS = "Firmware (*.bin *.img *.hex);;All files (*)"
ACTIVATE, VERIFY = range(2)
WAYS = ["Verify and activate", "Verify only"]
CONSEQUENCE = (
    "The image is sent and verified by the meter. When it is activated, the meter starts anew and"
    " may not answer for some minutes."
)


class FirmwarePage(ActPage):
    """Two cards: what the meter runs, and the image to load."""

    session: FirmwareSession

    def __init__(self, look: Look, session: FirmwareSession) -> None:
        super().__init__(look, session, "Firmware")
        self._activate = True
        self._runs = QVBoxLayout()
        self._shown: list[QWidget] = []
        card = Card(look, "In the meter")
        card.body.addLayout(self._runs)
        self.column.addWidget(card)
        self.column.addWidget(self._image_card())
        self.column.addStretch(1)
        self.open = ActionButton(look, "Open a file…", "secondary", "inbox")
        self.open.clicked.connect(self._open)
        self.load = ActionButton(look, "Load the firmware…", "danger", "send")
        self.load.clicked.connect(self.ask_to_load)
        self.load.setFixedHeight(look.primary if look.gloves else look.control)
        self.go = ActionButton(look, "Look at the meter", "primary", "gauge", "F3")
        self.go.clicked.connect(self.read)
        self.outer.addWidget(action_bar(look, [self.port, self.open], [self.load, self.go]))
        self.set_primary(self.go)
        self.first_focus = self.go
        self.follow()

    def _image_card(self) -> QWidget:
        look = self.look
        card = Card(look, "To load")
        self._file = label(look, "", wrap=True)
        self.name = QLineEdit()
        self.name.setAccessibleName("Name of the image, as the maker gives it")
        self.name.textEdited.connect(self._rename)
        caption = label(look, "Name of the image, as the maker gives it", muted=True)
        caption.setBuddy(self.name)
        self.ways = Segments(look, WAYS)
        self.ways.chosen.connect(self._choose_way)
        self._fields = column_of(
            look, caption, self.name, row_of(look, self.ways, None), gap=look.space.s
        )
        card.add(self._file)
        card.add(self._fields)
        return card

    # --- what the operator does ---------------------------------------------------------------

    def read_meter(self) -> None:
        """Find out which firmware runs."""
        self.session.look_up()

    def ask_to_load(self) -> None:
        """Begin to load; the task asks for everything else."""
        self.session.load(activate=self._activate)
        self.ask("Load the firmware", CONSEQUENCE, LoadSheet)

    def _open(self) -> None:
        path = files.ask_open(self, "Open firmware", KINDS)
        if path is not None:
            self.session.open_file(path)

    def _rename(self, text: str) -> None:
        self.session.name = text.strip()
        self._judge()

    def _choose_way(self, way: int) -> None:
        self._activate = way == ACTIVATE

    # --- what is shown ------------------------------------------------------------------------

    def show_session(self) -> None:
        """Show what runs, what is to be loaded, and what can be done."""
        super().show_session()
        session = self.session
        for widget in self._shown:
            widget.hide()
            widget.deleteLater()
        who = session.findings.identity
        if who is None or not session.serial:
            self._shown = [label(self.look, "Not looked at yet.", muted=True)]
        else:
            kind = " ".join(part for part in (who.manufacturer, who.model) if part)
            pairs = [("Meter", who.serial), ("Type", kind or words.NOTHING)]
            pairs.append(("Firmware", who.firmware or "not told"))
            self._shown = [facts(self.look, pairs)]
        self._runs.addWidget(self._shown[0])
        size = f"{session.file_name}, {len(session.image):,} octets"
        none = "No file is open. The image comes from the maker, for exactly this type."
        self._file.setText(size if session.image else none)
        self._fields.setVisible(bool(session.image))
        if self.name.text().strip() != session.name:
            self.name.setText(session.name)
        self._judge()

    def _judge(self) -> None:
        session, running = self.session, self.session.running
        self.load.setVisible(self.may_write)
        ready = bool(session.image and session.name and session.serial)
        self.load.setEnabled(ready and not running)
        self.open.setEnabled(not running)
        self.go.setEnabled(not running)
        self.go.relabel("Look again" if session.serial else "Look at the meter")


class LoadSheet(ActSheet):
    """Shows the blocks while they are sent; a transfer that broke goes on where it ended."""

    def _show_acting(self) -> None:
        super()._show_acting()
        self._bar = ProgressStrip(self.look)
        self._bar.stop.hide()  # the one of the sheet does it
        self._bar.show_forecast(self._session.forecast)
        self._waiting.hide()
        shown = self.stack.currentWidget()
        page = shown.layout() if shown is not None else None
        if page is not None:
            page.addWidget(self._bar)

    def _show_progress(self) -> None:
        super()._show_progress()
        if self._step == "acting":
            self._bar.show_forecast(self._session.forecast)

    def _told(self) -> list[tuple[str, str]]:
        loaded = self._service.outcome
        sent = f"{loaded.blocks:,} blocks"
        if loaded.resumed:
            sent += f", {loaded.resumed:,} of them from an earlier attempt"
        told = [("Before", loaded.before or "not told"), ("Sent", sent)]
        if loaded.active:
            return [*told, ("Read back", loaded.after or "not told")]
        return [*told, ("State", "verified, not activated")]
