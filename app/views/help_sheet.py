"""F1: what the keys do on the page in front, and everywhere."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QWidget

from app.views.controls import ActionButton
from app.views.sheet import Sheet
from app.views.surfaces import Card, label
from app.views.tables import Cell, Column, table
from app.views.theme import Look

EVERYWHERE = [
    ("Enter", "the blue button, bottom right"),
    ("Esc", "stop what is running, or leave"),
    ("Tab, arrows", "go on, choose in a list"),
    ("Alt", "hold it: a letter stands at everything that can be pressed"),
    ("F2", "connect, stop, end the session"),
    ("F7", "in the demo: the keys of the virtual meter"),
    ("F8", "trace: every byte on the line"),
    ("Ctrl+C", "copy the table that has the focus"),
    ("F1", "this list"),
]
LEAST_ROWS = 6
GUIDE = Path(__file__).parents[2] / "docs" / "user-guide.md"  # in a checkout


class HelpSheet(Sheet):
    """The keys of a page, then those that work on every page; changes nothing."""

    def __init__(
        self, look: Look, page: str, keys: Sequence[tuple[str, str]], parent: QWidget
    ) -> None:
        super().__init__(look, f"Keys on this page: {page}", parent)
        rows = [[Cell(key, strong=True), Cell(does)] for key, does in [*keys, *EVERYWHERE]]
        self.table = table(look, "Keys", [Column("Key", 14), Column("Does")], rows)
        self.table.setMinimumHeight((LEAST_ROWS if look.gloves else len(rows) + 1) * look.row)
        card = Card(look, padded=False)
        card.add(self.table)
        self.body.addWidget(card, 1)
        if GUIDE.is_file():
            text = f"The user guide shows every screen with its picture: {GUIDE}"
            self.body.addWidget(label(look, text, muted=True, wrap=True))
        go = ActionButton(look, "Close", "primary", "", "Enter")
        go.clicked.connect(self.accept)
        self.finish(go)
        self.leave.hide()  # it would do the same
        self.setMinimumWidth(look.width_of("0" * 72))
        self.fit_to(parent)
        self.table.selectRow(0)
        self.table.setFocus()
