"""Every setting once: declared below, kept in a TOML file, shown by the settings page.

The file holds only what differs from the defaults.  Keys that this version does not know are
kept, so that an older and a newer program can share a data folder.
"""

import os
import secrets
import tomllib
import zoneinfo
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from app.errors import BadInput, NoRoom

Value = str | int | bool | Decimal


class SettingKind(StrEnum):
    """What a setting holds, so that the settings page knows which field to show."""

    TEXT = "text"
    CHOICE = "choice"
    WHOLE = "whole"  # int
    NUMBER = "number"  # Decimal
    SWITCH = "switch"  # bool
    TIMEZONE = "timezone"  # IANA name, "" for the system's


@dataclass(frozen=True)
class Setting:
    """One setting: ``key`` is "section.name", ``shown`` tells whether the page offers it."""

    key: str
    title: str
    help: str
    default: Value
    kind: SettingKind = SettingKind.TEXT
    choices: tuple[str, ...] = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    unit: str = ""
    shown: bool = True

    @property
    def section(self) -> str:
        """Return the name of the group it belongs to."""
        return self.key.partition(".")[0]

    @property
    def name(self) -> str:
        """Return its name within the group."""
        return self.key.partition(".")[2]


SECTIONS = {
    "installer": "You",
    "centre": "Centre",
    "connection": "Connection",
    "calendar": "Calendar",
    "look": "Look",
    "report": "Report",
}

DECLARATIONS: tuple[Setting, ...] = (
    Setting("installer.name", "Your name", "Printed on reports and kept with every result.", ""),
    Setting("installer.role", "Your role", "Printed under the signature.", "Installer"),
    Setting(
        "installer.licence", "Licence number", "Of the installer, as the utility wants it.", ""
    ),
    Setting("installer.contractor", "Contractor", "The company you work for.", ""),
    Setting("installer.utility", "Utility", "Whose meters these are; printed on reports.", ""),
    Setting(
        "installer.lock_minutes",
        "Lock after",
        "Where people sign in: how long nobody may be here. 0 never locks.",
        10,
        SettingKind.WHOLE,
        minimum=Decimal(0),
        maximum=Decimal(240),
        unit="min",
    ),
    Setting(
        "centre.url",
        "Address of the centre",
        "Where finished work goes: a path or sqlite:///path, or postgresql+pg8000://host/name.",
        "",
    ),
    Setting(
        "centre.every_minutes",
        "Sync by itself every",
        "0 switches it off; the Sync button always works.",
        15,
        SettingKind.WHOLE,
        minimum=Decimal(0),
        maximum=Decimal(1440),
        unit="min",
    ),
    Setting("connection.port", "Last port", "Chosen again at the next start.", "", shown=False),
    Setting(
        "connection.meter_type",
        "Last meter type",
        "Chosen again at the next start.",
        "",
        shown=False,
    ),
    Setting(
        "connection.reply_time",
        "Reply time",
        "How long to wait for a meter; 0 takes the time of the meter type.",
        Decimal(0),
        SettingKind.NUMBER,
        minimum=Decimal(0),
        maximum=Decimal(60),
        unit="s",
    ),
    Setting("calendar.folder", "Folder of calendars", "Where the last one is.", "", shown=False),
    Setting(
        "look.theme",
        "Theme",
        "Field has large targets and the strongest contrast for sunlight and gloves.",
        "light",
        SettingKind.CHOICE,
        choices=("light", "field", "dark"),
    ),
    Setting(
        "look.size",
        "Size",
        "Scales letters and targets.",
        Decimal(1),
        SettingKind.NUMBER,
        minimum=Decimal("0.75"),
        maximum=Decimal(3),
        unit="times",
    ),
    Setting(
        "look.timezone",
        "Time zone",
        "For times on the screen and on reports; empty takes the system's.",
        "",
        SettingKind.TIMEZONE,
    ),
    Setting(
        "report.language",
        "Language of reports",
        "May differ from the language of the window.",
        "en",
        SettingKind.CHOICE,
        choices=("en",),
    ),
    Setting(
        "report.paper",
        "Paper",
        "Size of the pages of a report.",
        "A4",
        SettingKind.CHOICE,
        choices=("A4", "Letter"),
    ),
)

_BY_KEY = {setting.key: setting for setting in DECLARATIONS}
_NUMERIC = {SettingKind.WHOLE, SettingKind.NUMBER}


def declaration(key: str) -> Setting:
    """Return the declaration of ``key``.

    Raises:
        BadInput: There is no such setting.
    """
    if key not in _BY_KEY:
        raise BadInput(f"there is no setting {key!r}")
    return _BY_KEY[key]


def checked(setting: Setting, value: object) -> Value:
    """Return ``value`` in the type of ``setting``.

    Raises:
        BadInput: It is of the wrong kind, out of range or none of the choices.
    """
    if setting.kind is SettingKind.SWITCH:
        if isinstance(value, bool):
            return value
        raise BadInput(f"{setting.title}: true or false is needed, not {value!r}")
    if setting.kind in _NUMERIC:
        return _checked_number(setting, value)
    if not isinstance(value, str):
        raise BadInput(f"{setting.title}: text is needed, not {value!r}")
    text = value.strip()
    if setting.kind is SettingKind.CHOICE and text not in setting.choices:
        raise BadInput(f"{setting.title}: {', '.join(setting.choices)}, not {text!r}")
    if setting.kind is SettingKind.TIMEZONE and text:
        _check_timezone(setting, text)
    return text


def _checked_number(setting: Setting, value: object) -> Value:
    try:
        number = Decimal(str(value).strip().replace(",", "."))
    except ArithmeticError as error:
        raise BadInput(f"{setting.title}: a number is needed, not {value!r}") from error
    if not number.is_finite():
        raise BadInput(f"{setting.title}: a number is needed, not {value!r}")
    if setting.kind is SettingKind.WHOLE and number != number.to_integral_value():
        raise BadInput(f"{setting.title}: a whole number is needed, not {value!r}")
    low, high = setting.minimum, setting.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        raise BadInput(f"{setting.title}: {low} to {high} {setting.unit}, not {number}")
    return int(number) if setting.kind is SettingKind.WHOLE else number


def _check_timezone(setting: Setting, name: str) -> None:
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError) as error:
        raise BadInput(f"{setting.title}: no time zone is called {name!r}") from error


class Settings:
    """The settings of one data folder.

    ``problems`` says in plain words what of the file could not be used; the defaults stand in.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []
        self._values: dict[str, Value] = {}
        self._damaged = False
        self._load()

    def get(self, key: str) -> Value:
        """Return the value of ``key``, or its default."""
        setting = declaration(key)
        return self._values.get(key, setting.default)

    def text(self, key: str) -> str:
        """Return the value of ``key`` as text."""
        return str(self.get(key))

    def whole(self, key: str) -> int:
        """Return the value of ``key`` as a whole number."""
        return int(self.get(key))

    def number(self, key: str) -> Decimal:
        """Return the value of ``key`` as a decimal number."""
        return Decimal(self.get(key))

    def switch(self, key: str) -> bool:
        """Return whether ``key`` is on."""
        return bool(self.get(key))

    def set(self, key: str, value: object) -> None:
        """Check and save one value.

        Raises:
            BadInput: There is no such setting, or it cannot hold this value.
            NoRoom: The file cannot be written; the old one is untouched.
        """
        self.update({key: value})

    def update(self, values: dict[str, object]) -> None:
        """Check and save several values at once, all or none."""
        accepted = {key: checked(declaration(key), value) for key, value in values.items()}
        if all(self.get(key) == value for key, value in accepted.items()):
            return
        self._save({**self._values, **accepted})

    def reset(self, key: str) -> None:
        """Go back to the default of ``key``."""
        declaration(key)
        if key in self._values:
            self._save({name: value for name, value in self._values.items() if name != key})

    def _load(self) -> None:
        try:
            document = tomllib.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            self._damaged = True
            self.problems.append(f"The settings file cannot be read ({error}); defaults are used.")
            return
        for setting in DECLARATIONS:
            table = document.get(setting.section)
            if not isinstance(table, dict) or setting.name not in table:
                continue
            try:
                self._values[setting.key] = checked(setting, table[setting.name])
            except BadInput as error:
                self.problems.append(f"{error}; the default is used.")

    def _save(self, values: dict[str, Value]) -> None:
        import tomlkit  # noqa: PLC0415 - needed to write, not to start

        try:
            document = self._document_to_change()
            for setting in DECLARATIONS:
                table = document.get(setting.section)
                if setting.key in values:
                    if not isinstance(table, dict):
                        document[setting.section] = table = tomlkit.table()
                    table[setting.name] = _plain(values[setting.key])
                elif isinstance(table, dict) and setting.name in table and self._knew(setting):
                    del table[setting.name]
            _write(self.path, tomlkit.dumps(document))
        except OSError as error:
            raise NoRoom(f"{self.path}: {error}") from error
        self._values = values

    def _knew(self, setting: Setting) -> bool:
        """Tell whether the file's value was usable; one that was not is left for a person."""
        return setting.key in self._values

    def _document_to_change(self) -> Any:
        """Return the file as it is now; an unreadable one is kept under another name."""
        import tomlkit  # noqa: PLC0415 - needed to write, not to start

        if self._damaged and self.path.exists():
            self.path.replace(self.path.with_suffix(".damaged.toml"))
            self._damaged = False
        if not self.path.exists():
            return tomlkit.document()
        return tomlkit.parse(self.path.read_text(encoding="utf-8"))


def _plain(value: Value) -> str | int | bool:
    """Return what TOML keeps: decimal numbers go in as text, with all their digits."""
    return format(value, "f") if isinstance(value, Decimal) else value


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
