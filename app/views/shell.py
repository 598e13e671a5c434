"""The frame around every page: what is connected above, the work areas on the left."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from app.views.controls import ActionButton, Place
from app.views.paint import Verdict
from app.views.station import Standing
from app.views.surfaces import Chip, ChipFace, icon_label, label, row_of
from app.views.theme import Look

PLACES = [
    Place("Jobs", "briefcase"),
    Place("Maintenance", "wrench", "meter.read"),
    Place("Settings", "settings", foot=True),
    Place("Centre", "monitor", "centre.look"),
]


class ConnectionBar(QFrame):
    """What is connected, as whom, and what is still unsent; visible on every page."""

    pressed = Signal()
    locked = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.setProperty("part", "connection")
        self.setAccessibleName("Connection")
        row = QHBoxLayout(self)
        row.setContentsMargins(look.page_margin, 6, look.page_margin, 6)
        row.setSpacing(look.space.m)
        self._left, self._right = QWidget(), QWidget()
        self._row = row
        row.addWidget(self._left)
        row.addStretch()
        row.addWidget(self._right)
        row.addSpacing(look.space.xs)
        self.button = ActionButton(look, "Connect", "secondary", "plug", self._key)
        self.button.clicked.connect(self.pressed)
        row.addWidget(self.button)
        self.lock = ActionButton(look, "Lock", "ghost", "lock")
        self.lock.clicked.connect(self.locked)
        row.addWidget(self.lock)
        self.show_standing(Standing())

    @property
    def _key(self) -> str:
        return "" if self._look.compact else "F2"

    def show_standing(self, standing: Standing) -> None:
        """Show what is connected now."""
        self._swap(self._left, left := self._connected(standing))
        self._left = left
        self._swap(self._right, right := self._standing(standing))
        self._right = right
        self.lock.setVisible(standing.person != "")
        self.button.setVisible(standing.may_connect)
        face = {
            "idle": ("Connect", "plug"),
            "connecting": ("Stop", "x"),
            "connected": ("End session", "unplug"),
            "working": ("Stop", "x"),
        }[standing.state]
        if self.button.text() != face[0]:
            self.button.relabel(*face)

    def _swap(self, old: QWidget, new: QWidget) -> None:
        self._row.replaceWidget(old, new)
        new.show()  # at once: the layout would only do it in the next turn, and leave a gap
        old.hide()
        old.deleteLater()

    def _connected(self, standing: Standing) -> QWidget:
        look = self._look
        parts: list[QWidget | int | None] = [Chip(look, state_face(look, standing.state))]
        if standing.meter:
            parts.append(label(look, standing.meter, "strong", strong=True, mono=True))
            if standing.kind and not look.compact:
                parts.append(label(look, standing.kind, muted=True))
        if standing.port and not (look.compact and standing.meter):
            parts.append(label(look, standing.port, muted=True))
        return row_of(look, *parts, gap=look.space.m)

    def _standing(self, standing: Standing) -> QWidget:
        look = self._look
        items = [sync_face(standing, short=look.compact)]
        if standing.role and not (look.compact and look.gloves):
            items.insert(0, ("user", who(standing, short=look.compact)))
        parts = [row_of(look, icon_label(look, icon), label(look, w), gap=6) for icon, w in items]
        problem = standing.sync_problem
        if problem is not None:
            parts[-1].setToolTip(f"{problem.title}. {problem.meaning} {problem.remedy}")
            parts[-1].setAccessibleName(items[-1][1])
            parts[-1].setAccessibleDescription(parts[-1].toolTip())
        return row_of(look, *parts, gap=look.space.m)


def who(standing: Standing, *, short: bool = False) -> str:
    """Say who works here: "Ada Marlow, lead"; the role alone where nobody signs in."""
    if not standing.person:
        return standing.role.capitalize()
    return standing.person if short else f"{standing.person}, {standing.role}"


def sync_face(standing: Standing, *, short: bool = False) -> tuple[str, str]:
    """Give icon and words of the counter: what is unsent, and that the last sync broke off."""
    unsent = f"{standing.unsent:,} unsent" if standing.unsent else "All sent"
    if standing.syncing:
        return "cloud-upload", "Sending…"
    if standing.sync_problem is None:
        return "cloud-upload", unsent
    return "triangle-alert", unsent if short else f"{unsent}, last sync broke off"


def state_face(look: Look, state: str) -> ChipFace:
    """Give the chip of a connection state."""
    tone = look.colours.accent
    return {
        "idle": ChipFace("Not connected", icon="unplug"),
        "connecting": ChipFace("Connecting…", icon="plug", tone=tone),
        "connected": ChipFace("Meter found", verdict=Verdict.PASS),
        "working": ChipFace("Reading live", icon="activity", tone=tone),
    }[state]
