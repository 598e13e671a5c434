"""How to talk to the meter: found out, chosen or typed, previewed, and tried before it is used."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from app.errors import BadInput, Cancelled
from app.messages import explain
from app.services.line_settings import line_words
from app.views import words
from app.views.controls import ActionButton
from app.views.fault_panel import note_lines, remedy_lines
from app.views.page import Notice
from app.views.settings_form import SettingsForm
from app.views.sheet import Sheet
from app.views.surfaces import Banner, facts
from app.views.task_runner import TaskRunner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.services.known_meters import Place
    from app.tasks import Progress
    from app.views.station import Station
    from app.views.theme import Look
    from drivers.values import Identity

WIDE = 104  # figures


class SettingsSheet(Sheet):
    """Accepted with ``place``: the settings that the operator wants to use."""

    def __init__(
        self, look: Look, station: Station, parent: QWidget, place: Place, title: str
    ) -> None:
        super().__init__(look, f"How to talk to it: {title}", parent)
        self._station, self._title = station, title
        self.place = place
        self._runner = TaskRunner(station.line, self)
        self._runner.progressed.connect(self._show_progress)
        self._runner.succeeded.connect(self._answered)
        self._runner.failed.connect(self._failed)
        self.form = SettingsForm(look, place)
        self.form.turned.connect(self._preview)
        self._room = QVBoxLayout()
        self._result: QWidget | None = None
        self.preview = Notice(look, "info")
        self.preview.words.setAccessibleName("What is used")
        inside = QWidget()
        inside.setProperty("part", "page")
        column = QVBoxLayout(inside)
        edge = look.theme.targets.focus_ring + 3
        column.setContentsMargins(edge, edge, edge, edge)
        column.setSpacing(look.space.m)
        column.addWidget(self.form)
        column.addStretch()
        area = QScrollArea()
        area.setAccessibleName("Settings of the connection")
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inside)
        self.body.addWidget(self.preview)
        self.body.addLayout(self._room)
        self.body.addWidget(area, 1)
        self._add_actions()
        window = parent.window().parentWidget() or parent.window()
        self.setMinimumWidth(min(look.width_of("0" * WIDE), round(window.width() * 0.94)))
        self.setMinimumHeight(round(window.height() * 0.86))
        fetch = station.fetcher.fetch
        fetch("types", station.desk.meter_types, self._show_types, self._say_fault, self)
        self._fetch_secrets(place.secret)
        self.fit_to(window)
        self.form.types.setFocus()
        self._preview()

    def _add_actions(self) -> None:
        look = self.look
        self.go = ActionButton(look, "Use these settings", "primary", "check", "Enter")
        self.go.clicked.connect(self._use)
        self.test = ActionButton(look, "Test", "secondary", "plug", "F5")
        self.test.setShortcut("F5")
        self.test.clicked.connect(self.try_it)
        self.finder = ActionButton(look, "Find…", "secondary", "search")
        self.finder.setAccessibleName("Find settings")
        self.finder.clicked.connect(self.find_settings)
        self.new_secret = ActionButton(look, "New secret…", "secondary", "lock")
        self.new_secret.clicked.connect(self.enter_secret)
        self.finish(self.go, self.test, self.finder, self.new_secret)

    def find_settings(self) -> None:
        """Find out what answers, and take its settings over."""
        from app.views.find_sheet import FindSheet

        sheet = FindSheet(self.look, self._station, self, self.place.link, self._title)

        def take() -> None:
            found = sheet.settings
            if found is not None:
                now = self._now() or self.place
                kind, given = found.meter_type, found.overrides
                serial = found.serial or now.serial
                taken = replace(now, meter_type=kind, overrides=given, serial=serial)
                self.form.show_place(taken)

        sheet.accepted.connect(take)
        sheet.open()

    def enter_secret(self) -> None:
        """Have a secret entered; it goes to the keyring and nowhere else."""
        from app.views.secret_sheet import SecretSheet

        place = self._now()
        if place is None:
            return
        name = f"meter {place.serial}" if place.serial else f"type {place.meter_type}"
        sheet = SecretSheet(self.look, self._station, self, name if place.meter_type else "")
        sheet.accepted.connect(lambda: self._fetch_secrets(sheet.kept))
        sheet.open()

    def try_it(self) -> None:
        """Sign on with these settings, read who is there, and say what came of it."""
        from app.workorders.bench import At

        place = self._now()
        if place is None or self._runner.busy:
            return
        at = At(place.link, place.meter_type, place.overrides, place.serial, place.secret)
        self._drop_result()
        self._station.start_on_line(self._runner, self._station.desk.bench.connect(at))
        self._judge()

    def done(self, result: int) -> None:
        """Stop a test that runs."""
        if self._runner.busy:
            self._runner.cancel()
            self._runner.setParent(self._station)  # it ends behind the window
        super().done(result)

    # --- what is shown ------------------------------------------------------------------------

    def _fetch_secrets(self, chosen: str) -> None:
        desk = self._station.desk

        def show(names: list[str]) -> None:
            self.form.show_secrets(names, chosen)

        fetch = self._station.fetcher.fetch
        fetch("secrets", lambda: list(desk.secret_names()), show, self._say_fault, self)

    def _show_types(self, types: Sequence[tuple[str, str]]) -> None:
        self.form.show_types(types, self.place.meter_type)

    def _now(self) -> Place | None:
        try:
            return self.form.place()
        except BadInput:
            return None

    def _preview(self) -> None:
        """Say in words what is used, and which octets that makes."""
        try:
            place = self.form.place()
            told = line_words(place.meter_type, place.overrides, place.serial)
        except BadInput as error:
            self._say(words.sentence(str(error)), wrong=True)
        else:
            start = "" if place.meter_type else "The type is found out; if it is DLMS: "
            note = told.kind.note if place.meter_type else ""
            self._say(" ".join((start + told.sentence, told.addresses, note)).strip())
        self._judge()

    def _say(self, text: str, *, wrong: bool = False) -> None:
        line = self.preview.words
        line.setText(text)
        line.setProperty("part", "problem" if wrong else "muted")
        line.style().unpolish(line)
        line.style().polish(line)
        self._wrong = wrong

    def _judge(self) -> None:
        busy = self._runner.busy
        self.go.setEnabled(not self._wrong and not busy)
        self.test.setEnabled(not self._wrong and not busy and not self._station.line_busy())
        self.finder.setEnabled(not busy and not self._station.line_busy())

    def _show_progress(self, progress: Progress) -> None:
        self._show_result(Banner(self.look, "accent", f"{progress.text}…", mark="activity"))

    def _answered(self, identity: Identity) -> None:
        place = self._now()
        self._station.changed.emit()
        serial = identity.serial or identity.utility_serial
        expected = place.serial if place is not None else ""
        if expected and serial and serial != expected:
            text = f"Meter {serial} answers, not {expected}."
            self._show_result(Banner(self.look, "warned", "This is another meter", text))
        else:
            banner = Banner(self.look, "passed", "The meter answers")
            listed = [
                ("Number", serial or "not told"),
                ("Maker and model", f"{identity.manufacturer} {identity.model}".strip()),
                ("Firmware", identity.firmware),
                ("Name", identity.logical_device_name),
            ]
            banner.add(facts(self.look, [(name, text) for name, text in listed if text], 2))
            self._show_result(banner)
        self._judge()
        self.go.setFocus()

    def _failed(self, error: BaseException) -> None:
        self._station.changed.emit()
        if isinstance(error, Cancelled):
            self._drop_result()
        else:
            self._say_fault(error)
        self._judge()
        self.test.setFocus()

    def _say_fault(self, error: BaseException) -> None:
        message = explain(error)
        banner = Banner(self.look, "failed", message.title, message.meaning)
        for line in remedy_lines(self.look, message.remedy):
            banner.add(line)
        for line in note_lines(self.look, getattr(error, "__notes__", ())):
            banner.add(line)
        self._show_result(banner)

    def _drop_result(self) -> None:
        if self._result is not None:
            self._result.hide()
            self._result.deleteLater()
            self._result = None

    def _show_result(self, banner: Banner) -> None:
        self._drop_result()
        self._result = banner
        self._room.addWidget(banner)

    def _use(self) -> None:
        place = self._now()
        if place is not None:
            self.place = place
            self.accept()
