"""The tools of Maintenance, and the tabs above their pages."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.views.controls import Segments
from app.views.surfaces import label
from app.views.theme import Look

READ, OBJECTS, SERVICE, PARAMETERS, CALENDAR, FIRMWARE = range(6)
TOOLS = ["Read", "Objects", "Clock and supply", "Parameters", "Calendar", "Firmware"]


class ToolTabs(QWidget):
    """Says which tool of Maintenance is open; the others are one press away."""

    chosen = Signal(int)

    def __init__(self, look: Look, current: int) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(look.page_margin, look.space.m, look.page_margin, 0)
        row.setSpacing(look.space.l)
        if not look.compact:
            row.addWidget(label(look, "Maintenance", "heading", strong=True))
        self.segments = Segments(look, TOOLS, current)
        self.segments.chosen.connect(self.chosen)
        row.addWidget(self.segments)
        row.addStretch()
