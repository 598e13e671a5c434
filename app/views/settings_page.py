"""Settings: one field for each declaration, saved as it is left."""

from collections.abc import Callable
from functools import partial
from zoneinfo import available_timezones

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.errors import AppError
from app.settings import DECLARATIONS, SECTIONS, Setting, SettingKind, checked
from app.views import words
from app.views.fields import Choice
from app.views.page import Page
from app.views.station import Station
from app.views.surfaces import Banner, Card, label
from app.views.theme import THEMES, Look

SYSTEM_ZONE = "As the system has it"


class SettingsPage(Page):
    """Every setting that is shown, in sections; a wrong value is refused beside its field."""

    look_changed = Signal()

    def __init__(self, look: Look, station: Station) -> None:
        super().__init__(look, "Settings")
        self._station = station
        self._problems: dict[str, QLabel] = {}
        self.fields: dict[str, QWidget] = {}
        edge = look.page_margin
        area = QScrollArea()
        area.setAccessibleName("Settings")
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidgetResizable(True)
        inside = QWidget()
        inside.setProperty("part", "page")
        column = QVBoxLayout(inside)
        column.setContentsMargins(edge, look.space.m, edge, edge)
        column.setSpacing(look.space.m)
        column.addWidget(label(look, "Settings", "heading", strong=True))
        for problem in station.desk.settings.problems:
            column.addWidget(Banner(look, "warned", "The settings file", problem))
        for section, title in SECTIONS.items():
            if section != "look" and not station.desk.may("settings.change"):
                continue
            shown = [item for item in DECLARATIONS if item.section == section and item.shown]
            if shown:
                column.addWidget(self._section(title, shown))
        column.addStretch()
        inside.setMaximumWidth(look.width_of("0" * 110))
        area.setWidget(inside)
        self.outer.addWidget(area)
        self.first_focus = next(iter(self.fields.values()), None)

    def _section(self, title: str, settings: list[Setting]) -> QWidget:
        look = self.look
        card = Card(look, title)
        host = QWidget()
        grid = QGridLayout(host)
        grid.setContentsMargins(0, look.space.xs, 0, 0)
        grid.setHorizontalSpacing(look.space.l)
        grid.setVerticalSpacing(look.space.xs)
        grid.setColumnStretch(1, 1)
        names = max(look.width_of(item.title) for item in DECLARATIONS) + look.space.s
        grid.setColumnMinimumWidth(0, names)
        for index, setting in enumerate(settings):
            name = label(look, setting.title)
            field = self._field(setting)
            field.setAccessibleName(setting.title)
            field.setAccessibleDescription(setting.help)
            field.setMaximumWidth(look.width_of("0" * 44))
            name.setBuddy(field)
            self.fields[setting.key] = field
            grid.addWidget(name, 3 * index, 0)
            grid.addWidget(field, 3 * index, 1)
            grid.addWidget(label(look, setting.unit, muted=True), 3 * index, 2)
            note = label(look, setting.help, "caption", muted=True, wrap=True)
            grid.addWidget(note, 3 * index + 1, 1, 1, 2)
            grid.setRowMinimumHeight(3 * index + 2, look.space.s)
            self._problems[setting.key] = note
        card.add(host)
        return card

    def _field(self, setting: Setting) -> QWidget:
        kind, value = setting.kind, self._station.desk.settings.get(setting.key)
        if kind is SettingKind.SWITCH:
            box = QCheckBox("On")
            box.setChecked(bool(value))
            box.toggled.connect(partial(self._keep, setting))
            return box
        if kind is SettingKind.CHOICE:
            names = {key: theme.title for key, theme in THEMES.items()}
            pairs = [(choice, names.get(choice, choice)) for choice in setting.choices]
            return self._choice(setting, pairs, str(value))
        if kind is SettingKind.TIMEZONE:
            zones = [(name, name) for name in sorted(available_timezones())]
            return self._choice(setting, [("", SYSTEM_ZONE), *zones], str(value))
        edit = QLineEdit(str(value))
        edit.editingFinished.connect(lambda: self._keep(setting, edit.text()))
        return edit

    def _choice(self, setting: Setting, pairs: list[tuple[str, str]], value: str) -> Choice:
        box = Choice(self.look, setting.title)
        for choice, title in pairs:
            box.addItem(title, choice)
        box.setCurrentIndex(max(0, box.findData(value)))
        keep: Callable[[int], None] = lambda _: self._keep(setting, box.currentData())  # noqa: E731
        box.activated.connect(keep)
        return box

    def _keep(self, setting: Setting, value: object) -> None:
        note = self._problems[setting.key]
        try:
            accepted = checked(setting, value)
        except AppError as error:
            note.setText(f"Not kept. {words.sentence(str(error))}")
            note.setProperty("part", "problem")
        else:
            note.setText(setting.help)
            note.setProperty("part", "muted")
            self._save(setting, accepted)
        note.style().unpolish(note)
        note.style().polish(note)

    def _save(self, setting: Setting, value: object) -> None:
        station = self._station
        settings = station.desk.settings
        if settings.get(setting.key) == value:
            return

        def kept(_: object) -> None:
            if setting.section == "look":
                self.look_changed.emit()

        station.fetcher.fetch(
            f"setting {setting.key}",
            lambda: settings.update({setting.key: value}),
            kept,
            station.refused.emit,
        )
