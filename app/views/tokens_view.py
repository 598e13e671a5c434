"""The tokens of an order, masked, and what became of each."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views import words
from app.views.paint import Verdict
from app.views.surfaces import Card, ChipFace
from app.views.tables import Cell, CellTable, Column, Rows
from app.views.theme import Look
from drivers.sts.results import result_words

if TYPE_CHECKING:
    from app.workorders.tokens import TokenView

STATES = {
    "open": ChipFace("Not entered", icon="circle"),
    "intended": ChipFace("Not known", verdict=Verdict.WARN),
    "part": ChipFace("Taken", verdict=Verdict.PASS, quiet=True),
    "accepted": ChipFace("Accepted", verdict=Verdict.PASS, quiet=True),
    "refused": ChipFace("Refused", verdict=Verdict.FAIL),
    "left out": ChipFace("Left out", icon="circle-dot"),
}
PURPOSES = {
    "old_credit": "Credit, old key",
    "key_change": "Key change",
    "credit": "Credit",
    "test": "Test",
    "clear_tamper": "Clear tamper",
    "engineering": "Engineering",
}


class TokensView(QWidget):
    """One row a token, in the order of their entry."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        card = Card(look, padded=False)
        self.table = CellTable(look, "Tokens", Rows(self._columns()), tall=True)
        card.add(self.table)
        column.addWidget(card)

    def show_tokens(self, tokens: Sequence["TokenView"]) -> None:
        """Show these tokens."""
        model = self.table.model()
        if isinstance(model, Rows):
            model.replace([self._row(token) for token in tokens])

    def _columns(self) -> list[Column]:
        if self._look.compact:
            return [Column("Token"), Column("State", 15)]
        return [Column("Token", 29), Column("For", 24), Column("Result"), Column("State", 16)]

    def _row(self, token: "TokenView") -> list[Cell]:
        purpose = PURPOSES.get(token.purpose, token.purpose)
        state = Cell(chip=STATES.get(token.state, ChipFace(token.state)))
        if self._look.compact:
            return [Cell(token.shown, purpose, mono=True), state]
        amount = _amount(token.amount, token.unit)
        return [
            Cell(token.shown, mono=True),
            Cell(purpose, amount),
            Cell(*_result(token)),
            state,
        ]


def _result(token: "TokenView") -> tuple[str, str]:
    """Say what the meter made of it, and what to do next where something is to be done."""
    if token.state == "open":
        return words.sentence(token.words).rstrip(".") or words.NOTHING, ""
    if token.state == "intended":
        return "Nobody saw what became of it", "Resume: it is found out before anything is entered"
    said = result_words(token.code)
    return said.title, said.remedy if token.state == "refused" else ""


def _amount(amount: Decimal | None, unit: str) -> str:
    return "" if amount is None else f"{words.number(amount)} {unit}".strip()
