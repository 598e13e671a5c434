"""The keys and the display of a virtual meter, as somebody standing before it has them.

It lies beside the window and does not block it: what is to be typed stands in the window.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QRegularExpression, Qt
from PySide6.QtGui import QKeySequence, QRegularExpressionValidator, QShortcut
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QSizePolicy, QWidget

from app.services.keypad import CODES, Keypad, keypad_of_type
from app.views import words
from app.views.controls import ActionButton
from app.views.fields import Choice
from app.views.sheet import Sheet
from app.views.surfaces import Card, label

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.views.station import Station
    from app.views.theme import Look

DIGITS = 20  # of a token: the meter takes it with the last one
FIGURES = ["1", "2", "3", "4", "5", "6", "7", "8", "9"]
WIDE = QSizePolicy.Policy.Expanding
SILENT = "(nothing)"


class MeterKeys(Sheet):
    """Display above, then what is typed, the keys, and the short codes of the make."""

    def __init__(
        self,
        look: Look,
        station: Station,
        press: Callable[[str, str], str],
        parent: QWidget,
        *,
        serial: str,
        kind: str,
    ) -> None:
        super().__init__(look, f"Keys of meter {serial}".strip(), parent)
        self._station, self._press, self._serial = station, press, serial
        self.display = QLabel(words.NOTHING)
        self.display.setFont(look.font("value", mono=True))
        self.display.setMinimumWidth(look.width_of("0" * 24, "value"))
        self.display.setAccessibleName("Display")
        shown = Card(look)
        shown.add(label(look, "Display", "caption", muted=True))
        shown.add(self.display)
        self.body.addWidget(shown)
        self.typed = QLineEdit()
        self.typed.setAccessibleName("Typed so far")
        self.typed.setPlaceholderText("Digits, then Enter")
        self.typed.setFont(look.font(mono=True))
        self.typed.setMaxLength(DIGITS)
        self.typed.setValidator(QRegularExpressionValidator(QRegularExpression("[0-9]*"), self))
        self.typed.textChanged.connect(self._count)
        self.body.addWidget(self.typed)
        self.body.addLayout(self._keys())
        self.codes = self._short_codes(keypad_of_type(kind))
        self.body.addWidget(self.codes)
        self.body.addStretch()
        self.go = ActionButton(look, "Enter", "primary", "", "Enter")
        self.go.clicked.connect(self.hand_in)
        self.finish(self.go, leave="Close")
        self._count()
        close = QShortcut(QKeySequence("F7"), self)
        close.activated.connect(self.reject)
        self._host = parent
        self.refit()
        corner = parent.frameGeometry().bottomRight()
        self.move(
            corner.x() - self.width() - look.space.l, corner.y() - self.height() - look.space.l
        )
        self.typed.setFocus()

    def hand_in(self) -> None:
        """Let the meter take what was typed, and show what its display says then."""
        keys = self.typed.text()
        if keys:
            self._tell(keys)

    def _keys(self) -> QGridLayout:
        look, grid = self.look, QGridLayout()
        grid.setSpacing(max(look.space.s, look.gap))
        clear = ActionButton(look, "Clear", "secondary")
        clear.setSizePolicy(WIDE, QSizePolicy.Policy.Fixed)
        clear.clicked.connect(self._clear)
        for place, figure in enumerate([*FIGURES, "", "0"]):
            if figure:
                button = ActionButton(look, figure)
                button.setSizePolicy(WIDE, QSizePolicy.Policy.Fixed)
                button.clicked.connect(partial(self._add, figure))
                grid.addWidget(button, *divmod(place, 3))
        grid.addWidget(clear, 3, 2)
        return grid

    def _short_codes(self, pad: Keypad) -> Choice:
        """Give the short codes of the make; choosing one presses it."""
        codes = Choice(self.look, "Short codes")
        codes.addItem("Short codes…" if pad.codes else "No short codes known", "")
        for name, code in pad.codes.items():
            codes.addItem(f"{code}: {CODES.get(name, name)}", code)
        codes.setEnabled(bool(pad.codes))
        codes.activated.connect(lambda index: self._tell(str(codes.itemData(index))))
        return codes

    def _add(self, figure: str) -> None:
        self.typed.insert(figure)
        self.typed.setFocus()

    def _clear(self) -> None:
        self.typed.clear()
        self.typed.setFocus()

    def _count(self) -> None:
        """Hand in what is whole: this meter waits for no key after the twentieth digit."""
        self.go.setEnabled(bool(self.typed.text()))
        if len(self.typed.text()) == DIGITS:
            self.hand_in()

    def _tell(self, keys: str) -> None:
        press, serial = self._press, self._serial
        self.typed.clear()
        if not keys:
            return  # the heading of the short codes
        self._station.fetcher.fetch(
            "meter keys", lambda: press(serial, keys), self._show, self._station.refused.emit, self
        )

    def _show(self, display: str) -> None:
        self.display.setText(display or SILENT)
        self.typed.setFocus(Qt.FocusReason.OtherFocusReason)
