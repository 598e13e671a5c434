"""The chosen order beside the queue: where, what, hazards first, and how far it is."""

from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from app.views import words
from app.views.order_words import state_face
from app.views.paint import Verdict
from app.views.surfaces import (
    Banner,
    Card,
    Chip,
    CountBar,
    Mark,
    facts,
    icon_label,
    label,
    row_of,
)
from app.views.theme import Look

if TYPE_CHECKING:
    from app.workorders.detail import OrderDetail
    from app.workorders.row import QueueRow

STEPS_SHOWN = 6


class DetailPane(Card):
    """Scrolls when the order has more to say than there is room."""

    def __init__(self, look: Look) -> None:
        super().__init__(look, padded=False)
        self._look = look
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setAccessibleName("The chosen job")
        self.add(self._area, 1)
        self.show_detail(None)

    def show_detail(self, detail: "OrderDetail | None") -> None:
        """Show an order; None shows that none is chosen."""
        look = self._look
        inside = QWidget()
        inside.setProperty("part", "plain")
        column = QVBoxLayout(inside)
        edge = look.space.m if look.gloves else look.space.l
        column.setContentsMargins(edge, edge, edge, edge)
        column.setSpacing(look.space.s)
        if detail is None:
            column.addWidget(
                label(look, "Choose a job to see what it is about.", muted=True, wrap=True)
            )
        else:
            self._fill(column, detail)
        column.addStretch()
        self._area.setWidget(inside)

    def _fill(self, column: QVBoxLayout, detail: "OrderDetail") -> None:
        look, row = self._look, detail.row
        chip = Chip(look, state_face(look, row.state))
        column.addWidget(row_of(look, label(look, f"Job {row.number}", muted=True), None, chip))
        column.addWidget(label(look, row.place or words.NOTHING, "title", strong=True, wrap=True))
        what = row.title if row.title and row.title != row.place else row.kind_words
        column.addWidget(label(look, what, muted=True, wrap=True))
        for title, text, icon in _warnings(detail):
            column.addWidget(Banner(look, "warned", title, text, icon))
        column.addSpacing(look.space.xs)
        column.addWidget(facts(look, _pairs(detail), mono="Meter"))
        if detail.note:
            column.addWidget(label(look, detail.note, muted=True, wrap=True))
        self._progress(column, detail)

    def _progress(self, column: QVBoxLayout, detail: "OrderDetail") -> None:
        look, row = self._look, detail.row
        if not row.steps_total:
            return
        column.addSpacing(look.space.s)
        done = label(look, f"{row.steps_done} of {row.steps_total} steps", strong=True)
        column.addWidget(row_of(look, done, None, CountBar(look, row.steps_done, row.steps_total)))
        shown = [] if look.gloves else list(detail.steps)[-STEPS_SHOWN:]
        for step in shown:
            verdict = words.verdict_of(step.verdict)
            ended = step.state in {"done", "skipped"}
            mark: QWidget = (
                Mark(look, verdict or Verdict.PASS) if ended else icon_label(look, "circle")
            )
            line = row_of(look, mark)
            note = step.summary or step.state
            name = words.spaced(step.step)
            line.add(label(look, f"{name}: {note}", muted=True, wrap=True), 1)
            column.addWidget(line)


def _warnings(detail: "OrderDetail") -> list[tuple[str, str, str]]:
    found = []
    if detail.site and detail.site.hazards:
        dog = "dog" in detail.site.hazards.lower()
        found.append(("Take care", detail.site.hazards, "dog" if dog else "triangle-alert"))
    last = detail.incidents[-1:]
    found += [(item.title, f"{item.note} {item.next_words}".strip(), "ban") for item in last]
    return found


def day_of(row: "QueueRow") -> str:
    """Give the day on which an order was due."""
    from app.workorders.row import day_words

    return "" if row.due is None else day_words(row.due, datetime.now().astimezone().date())


def _pairs(detail: "OrderDetail") -> list[tuple[str, str]]:
    row, site = detail.row, detail.site
    wanted = [
        ("When", row.when),
        ("Due", day_of(row) if row.late else ""),
        ("Job type", row.kind_words),
        ("Customer", row.customer),
        ("Town", row.town),
        ("Access", site.access if site else ""),
        ("Meter", row.meter_serial or row.utility_serial),
        ("Meter type", row.meter_type),
        ("Transformers", detail.usage_point.transformers if detail.usage_point else ""),
        ("Procedure", words.spaced(detail.procedure)),
        ("Limits", detail.limit_pack),
    ]
    return [(name, value) for name, value in wanted if value]
