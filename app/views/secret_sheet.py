"""Takes a password or keys, and hands them to the keyring; they are never shown again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QGridLayout, QLineEdit, QWidget

from app.errors import BadInput
from app.messages import explain
from app.views import words
from app.views.controls import ActionButton
from app.views.fields import Choice
from app.views.sheet import Sheet
from app.views.surfaces import column_of, label

if TYPE_CHECKING:
    from app.views.station import Station
    from app.views.theme import Look

PASSWORD, HEX, KEYS = range(3)
KINDS = ["Password, as text", "Password, in hex", "Keys, in hex"]
KEY_DIGITS = 32  # of suite 0
NOTE = (
    "It goes into the system's keyring, is read back once, and is never shown. Named after its"
    " meter or type it is used by itself."
)


class SecretSheet(Sheet):
    """Accepted when the keyring has given back what was put in; ``kept`` is its name."""

    def __init__(self, look: Look, station: Station, parent: QWidget, name: str) -> None:
        super().__init__(look, "New secret", parent)
        self._station = station
        self.kept = ""
        self.go = ActionButton(look, "Store it", "primary", "lock", "Enter")
        self.go.clicked.connect(self._store)
        self._problem = label(look, "", wrap=True)
        self._problem.setProperty("part", "problem")
        self.kinds = Choice(look, "Kind of secret")
        self.kinds.addItems(KINDS)
        self.first = self._edit("Secret")
        self.second = self._edit("Once more")
        self.name = self._edit("Name", shown=True)
        self.name.setText(name)
        self.kinds.currentIndexChanged.connect(lambda _: self._show_kind())
        self._first_name, self._second_name = (
            label(look, "", muted=True),
            label(look, "", muted=True),
        )
        grid = QGridLayout()
        grid.setHorizontalSpacing(look.space.l)
        grid.setVerticalSpacing(look.space.m)
        captions = (label(look, "Name", muted=True), label(look, "Kind of secret", muted=True))
        fields: tuple[tuple[QWidget, QWidget], ...] = (
            (captions[0], self.name),
            (captions[1], self.kinds),
            (self._first_name, self.first),
            (self._second_name, self.second),
        )
        for at, (caption, field) in enumerate(fields):
            row, column = divmod(at, 2)
            grid.addWidget(column_of(look, caption, field, gap=look.space.xs), row, column)
            grid.setColumnStretch(column, 1)
        self.body.addLayout(grid)
        self.body.addWidget(label(look, NOTE, muted=True, wrap=True))
        self.body.addWidget(self._problem)
        self.body.addStretch()
        self.finish(self.go)
        self._show_kind()
        window = parent.window()
        self.fit_to(window)
        (self.first if name else self.name).setFocus()

    def done(self, result: int) -> None:
        """Leave nothing of the secret in the fields."""
        self._station.fetcher.forget("keep secret")
        self.first.clear()
        self.second.clear()
        super().done(result)

    def _edit(self, name: str, *, shown: bool = False) -> QLineEdit:
        edit = QLineEdit()
        edit.setAccessibleName(name)
        if not shown:
            edit.setEchoMode(QLineEdit.EchoMode.Password)
        edit.textChanged.connect(lambda _: self._judge())
        return edit

    def _show_kind(self) -> None:
        keys = self.kinds.currentIndex() == KEYS
        names = ("Authentication key", "Encryption key") if keys else ("Secret", "Once more")
        pairs = zip((self.first, self.second), (self._first_name, self._second_name), strict=True)
        for (edit, caption), name in zip(pairs, names, strict=True):
            edit.clear()
            edit.setAccessibleName(name)
            caption.setText(name)
        self._judge()

    def _judge(self) -> None:
        self.go.setEnabled(not self._trouble(quiet=True))
        self._problem.setText("")

    def _trouble(self, *, quiet: bool = False) -> str:
        """Say why it cannot be stored yet; never with a part of it."""
        kind, first, second = self.kinds.currentIndex(), self.first.text(), self.second.text()
        if not (self.name.text().strip() and first and second):
            return "Name and both fields are needed."
        if quiet:
            return ""
        if kind == KEYS and not all(_is_key(key) for key in (first, second)):
            return f"A key has {KEY_DIGITS} digits 0 to 9 and A to F."
        if kind != KEYS and first != second:
            return "The two entries differ."
        if kind == HEX and not _is_hex(first):
            return "This is not hexadecimal."
        return ""

    def _store(self) -> None:
        if trouble := self._trouble():
            self._problem.setText(trouble)
            return
        name, value, desk = self.name.text().strip(), self._value(), self._station.desk

        def keep() -> str:
            desk.keep_secret(name, value)
            return name

        self.go.setEnabled(False)
        self._station.fetcher.fetch("keep secret", keep, self._done, self._refused, self)

    def _value(self) -> str:
        first, second = self.first.text(), self.second.text()
        return {
            PASSWORD: first,
            HEX: f"PASSWORD_HEX={first}",
            KEYS: f"AK={first}\nEK={second}",
        }[self.kinds.currentIndex()]

    def _done(self, name: str) -> None:
        self.kept = name
        self._station.noticed.emit("lock", f"The keyring keeps {name!r} and gave it back.")
        self.accept()

    def _refused(self, error: BaseException) -> None:
        message = explain(error)
        detail = words.sentence(message.detail) if isinstance(error, BadInput) else ""
        self._judge()
        self._problem.setText(f"{message.title}. {detail or message.remedy}")


def _is_hex(text: str) -> bool:
    try:
        return bool(bytes.fromhex(text))
    except ValueError:
        return False


def _is_key(text: str) -> bool:
    return _is_hex(text) and len("".join(text.split())) == KEY_DIGITS
