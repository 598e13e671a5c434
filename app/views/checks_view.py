"""Checks in a table: what was measured, the limit with its source, and the verdict."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views import words
from app.views.paint import Verdict
from app.views.surfaces import Banner, Card, label
from app.views.tables import Cell, CellTable, Column, Rows, verdict_cell
from app.views.theme import Look

if TYPE_CHECKING:
    from app.reports.model import Limit, Quantity

FINDINGS_SHOWN = 3


@dataclass(frozen=True)
class CheckLine:
    """One check in the words of the screen."""

    number: str
    title: str
    measured: str
    limit: str
    source: str
    verdict: Verdict
    note: str


def limit_words(limit: "Limit") -> str:
    """Give a limit as people read it: "207…253 V", "at most 20 s", or its own words."""
    if limit.words:
        return limit.words
    unit = f" {limit.unit}" if limit.unit else ""
    low, high = limit.low, limit.high
    if low is not None and high is not None:
        if low == -high:
            return f"±{words.number(high)}{unit}"
        return f"{words.number(low)}…{words.number(high)}{unit}"
    if high is not None:
        return f"≤ {words.number(high)}{unit}"
    return f"≥ {words.number(low)}{unit}" if low is not None else ""


def measured_words(measured: Sequence["Quantity"], seen: str) -> str:
    """Give what was measured, each value with its phase where there are several."""
    parts = []
    for item in measured:
        name = f"{item.label} " if item.label and len(measured) > 1 else ""
        parts.append(f"{name}{words.number(item.value, item.unit)}")
    return ", ".join(parts) or seen


def check_line(check: Any) -> CheckLine:
    """Put a check into words, whether it just happened or comes from the database."""
    verdict = words.verdict_of(str(check.verdict)) or Verdict.NOT_RUN
    if isinstance(check.limit, str):
        return CheckLine(
            "", check.title, check.measured, check.limit, check.source, verdict, check.note
        )
    return CheckLine(
        check.number,
        check.title,
        measured_words(check.measured, check.seen),
        limit_words(check.limit),
        check.limit.source,
        verdict,
        check.remark,
    )


def overall(lines: Iterable[CheckLine]) -> Verdict | None:
    """Give the gravest verdict; None when nothing was checked."""
    order = [Verdict.FAIL, Verdict.NOT_RUN, Verdict.WARN, Verdict.PASS, Verdict.NOT_APPLICABLE]
    return min((line.verdict for line in lines), key=order.index, default=None)


def finding_banner(look: Look, lines: Sequence[CheckLine]) -> Banner | None:
    """Give the finding that stands before the proof; None when all is well."""
    failed = [line for line in lines if line.verdict is Verdict.FAIL]
    if not failed:
        return None
    title = f"{failed[0].title} failed" if len(failed) == 1 else f"{len(failed)} checks failed"
    banner = Banner(look, "failed", title)
    for line in failed[:FINDINGS_SHOWN]:
        name = "" if len(failed) == 1 else f"<b>{line.title}.</b> "
        text = f"{name}Measured {line.measured or words.NOTHING}, allowed {line.limit}."
        note = f" {words.sentence(line.note)}" if line.note else ""
        banner.add(label(look, text + note, wrap=True))
    if len(failed) > FINDINGS_SHOWN:
        banner.add(label(look, f"and {len(failed) - FINDINGS_SHOWN} more below", muted=True))
    return banner


QUIET = {Verdict.PASS, Verdict.NOT_APPLICABLE}  # nobody has to do anything


class ChecksView(QWidget):
    """All checks of the order; the failed ones bold, and first when room is short."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._lines: Sequence[CheckLine] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        card = Card(look, padded=False)
        self.table = CellTable(look, "Checks", Rows(self._columns()), tall=True)
        card.add(self.table)
        column.addWidget(card)

    def show_lines(self, lines: Sequence[CheckLine]) -> None:
        """Show these checks."""
        tight = self._look.compact or self._look.gloves
        ordered = (
            sorted(lines, key=lambda line: line.verdict is not Verdict.FAIL) if tight else lines
        )
        self._lines = ordered
        model = self.table.model()
        if isinstance(model, Rows):
            model.replace([self._row(line) for line in ordered])

    def choose_next(self) -> None:
        """Choose the next check that is no pass, round and round; the next one when all passed."""
        here, count = self.table.currentIndex().row(), len(self._lines)
        round_trip = [(here + step) % count for step in range(1, count + 1)]
        wanting = [row for row in round_trip if self._lines[row].verdict not in QUIET]
        if round_trip:
            self.table.selectRow((wanting or round_trip)[0])
            self.table.setFocus()

    def _columns(self) -> list[Column]:
        if self._look.compact:
            return [Column("Check"), Column("Measured", 18), Column("Verdict", 15)]
        check, limit = (22, 24) if self._look.gloves else (30, 36)  # what is measured is never cut
        return [
            Column("No.", 5),
            Column("Check", check),
            Column("Measured"),
            Column("Limit", limit),
            Column("Verdict", 15),
        ]

    def _row(self, line: CheckLine) -> list[Cell]:
        failed = line.verdict is Verdict.FAIL
        note = "" if line.note == line.measured else line.note
        cells = [
            Cell(line.title, note, strong=failed),
            Cell(line.measured or words.NOTHING, strong=failed, muted=not line.measured),
            verdict_cell(line.verdict),
        ]
        if not self._look.compact:
            limit = Cell(line.limit or words.NOTHING, line.source, muted=True)
            cells = [Cell(line.number, muted=True), *cells[:2], limit, cells[2]]
        return cells
