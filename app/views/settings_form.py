"""The fields of a connection's settings; what is left open is as the meter type says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QWidget

from app.errors import BadInput
from app.services.connection import Overrides
from app.services.line_settings import (
    AUTHS,
    FORMATS,
    FRAMINGS,
    NAMINGS,
    PROTOCOLS,
    SPEEDS,
    line_words,
)
from app.views.fields import Choice
from app.views.surfaces import column_of, label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.services.known_meters import Place
    from app.views.theme import Look
    from drivers.metertype import MeterType

FIND = "Find it out"
OWN_SECRET = "Of the meter or its type"  # noqa: S105 (a choice, no secret)
SIZES = {1: "1 octet", 2: "2 octets", 4: "4 octets"}
_NUMBERS = {"client": "Client", "server": "Logical device", "physical": "Meter address"}


class SettingsForm(QWidget):
    """Choices and fields in a grid; ``place`` gives what they say together."""

    turned = Signal()

    def __init__(self, look: Look, place: Place) -> None:
        super().__init__()
        self._look, self._link = look, place.link
        self._filling = True
        self.types = Choice(look, "Meter type")
        self.types.addItem(FIND, "")
        self.serial = self._edit("Meter number", place.serial, "gives the address by formula")
        self.protocol = self._choice("Protocol", PROTOCOLS)
        self.framing = self._choice("Framing", FRAMINGS)
        self.speed = self._choice("Speed", {speed: f"{speed} Bd" for speed in SPEEDS})
        self.format = self._choice("Characters", {name: name for name in FORMATS})
        self.numbers = {key: self._edit(name, "", "") for key, name in _NUMBERS.items()}
        self.address_size = self._choice("Address size", SIZES)
        self.auth = self._choice("Authentication", AUTHS)
        self.naming = self._choice("Objects are named by", NAMINGS)
        self.iec_address = self._edit("Address in the sign-on", "", "any meter")
        self.secret = Choice(look, "Secret from the keyring")
        self.secret.addItem(OWN_SECRET, "")
        self._lay_out(3)
        self.show_place(place)

    def show_types(self, types: Sequence[tuple[str, str]], chosen: str) -> None:
        """Offer the meter types."""
        self._filling = True
        for name, title in types:
            self.types.addItem(title, name)
        self.types.setCurrentIndex(max(0, self.types.findData(chosen)))
        self._filling = False
        self._changed()

    def show_secrets(self, names: Sequence[str], chosen: str) -> None:
        """Offer the names of the secrets; never what they are."""
        self._filling = True
        while self.secret.count() > 1:
            self.secret.removeItem(1)
        for name in dict.fromkeys([*names, *([chosen] if chosen else [])]):
            self.secret.addItem(name, name)
        self.secret.setCurrentIndex(max(0, self.secret.findData(chosen)))
        self._filling = False
        self._changed()

    def show_place(self, place: Place) -> None:
        """Take over what is known."""
        self._filling = True
        given = place.overrides
        self.types.setCurrentIndex(max(0, self.types.findData(place.meter_type)))
        self.serial.setText(place.serial)
        for key, edit in self.numbers.items():
            value = getattr(given, key)
            edit.setText("" if value is None else str(value))
        self.iec_address.setText(given.iec_address or "")
        for box, value in (
            (self.protocol, given.protocol),
            (self.framing, given.framing),
            (self.speed, given.speed),
            (self.format, given.format),
            (self.address_size, given.address_size),
            (self.auth, given.auth),
            (self.naming, given.referencing),
        ):
            box.setCurrentIndex(max(0, box.findData(value)) if value is not None else 0)
        self._filling = False
        self._changed()

    def place(self) -> Place:
        """Give what the fields say.

        Raises:
            BadInput: A number is none.
        """
        from app.services.known_meters import Place

        numbers = {key: self._number(key) for key in self.numbers}
        overrides = Overrides(
            protocol=self.protocol.currentData(),
            framing=self.framing.currentData(),
            speed=self.speed.currentData(),
            format=self.format.currentData(),
            address_size=self.address_size.currentData(),
            auth=self.auth.currentData(),
            referencing=self.naming.currentData(),
            iec_address=self.iec_address.text().strip() or None,
            client=numbers["client"],
            server=numbers["server"],
            physical=numbers["physical"],
        )
        kind, secret = str(self.types.currentData() or ""), str(self.secret.currentData() or "")
        return Place(self._link, kind, overrides, self.serial.text().strip(), secret)

    def _number(self, key: str) -> int | None:
        text = self.numbers[key].text().strip()
        if text and not text.isdecimal():
            raise BadInput(f"{_NUMBERS[key]}: {text!r} is no whole number")
        return int(text) if text else None

    def _changed(self) -> None:
        if self._filling:
            return
        try:
            base = line_words(str(self.types.currentData() or ""), Overrides()).kind
        except BadInput:
            return
        self._say_defaults(base)
        self.turned.emit()

    def _say_defaults(self, base: MeterType) -> None:
        """Say in each field what the type says, so that an open one is no riddle."""
        known = bool(self.types.currentData())
        line, dlms = base.line, base.dlms
        firsts = (
            (self.protocol, PROTOCOLS.get(base.protocol, "")),
            (self.framing, FRAMINGS.get(base.framing, "none")),
            (self.speed, f"{line.speed} Bd"),
            (self.format, line.format),
            (self.address_size, SIZES.get(dlms.address_size, "smallest that fits")),
            (self.auth, AUTHS.get(dlms.auth, "")),
            (self.naming, NAMINGS.get(dlms.referencing, "")),
        )
        for box, text in firsts:
            box.setItemText(0, f"{text} (of the type)" if known else "found out")
        physical = dlms.physical_from_serial or (str(dlms.physical) if dlms.physical else "none")
        for key, text in (
            ("client", str(dlms.client)),
            ("server", str(dlms.server)),
            ("physical", physical),
        ):
            self.numbers[key].setPlaceholderText(text)

    # --- fields -------------------------------------------------------------------------------

    def _edit(self, name: str, text: str, hint: str) -> QLineEdit:
        edit = QLineEdit(text)
        edit.setAccessibleName(name)
        edit.setPlaceholderText(hint)
        edit.textChanged.connect(lambda _: self._changed())
        return edit

    def _choice(self, name: str, listed: Mapping[Any, str]) -> Choice:
        box = Choice(self._look, name)
        box.addItem("As the type says", None)
        for value, text in listed.items():
            box.addItem(text, value)
        box.currentIndexChanged.connect(lambda _: self._changed())
        return box

    def _lay_out(self, columns: int) -> None:
        for box in (self.types, self.secret):
            box.currentIndexChanged.connect(lambda _: self._changed())
        look = self._look
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(look.space.l)
        grid.setVerticalSpacing(look.space.m)
        fields: list[QWidget] = [
            self.types, self.serial, self.secret,
            self.protocol, self.framing, self.auth,
            self.speed, self.format, self.iec_address,
            *self.numbers.values(), self.address_size, self.naming,
        ]  # fmt: skip
        for at, field in enumerate(fields):
            caption = label(look, field.accessibleName(), "caption", muted=True)
            caption.setBuddy(field)
            row, column = divmod(at, columns)
            grid.addWidget(column_of(look, caption, field, gap=2), row, column)
            grid.setColumnStretch(column, 1)
            if isinstance(field, Choice):
                field.setMinimumContentsLength(12)
                field.setSizeAdjustPolicy(_SHORT)


_SHORT = Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
