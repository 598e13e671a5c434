"""Maintenance, Clock and supply: compared and set, switched and read back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views import words
from app.views.act_page import ActPage
from app.views.act_sheet import relay_words
from app.views.controls import ActionButton, action_bar
from app.views.surfaces import Card, Strip, column_of, facts, label, row_of
from drivers.switching import MODES, Switching, hindrance

if TYPE_CHECKING:
    from app.views.service_session import ServiceSession
    from app.views.theme import Look
    from drivers.values import ClockReading

CONSEQUENCES = {
    Switching.OPEN: (
        "Switch off supply",
        "This switches the customer's supply off. Look who is there, and what must not stop.",
    ),
    Switching.CLOSE: (
        "Switch on supply",
        "This switches the customer's supply on at once. Nobody may work behind the meter.",
    ),
    Switching.ARM: (
        "Let the customer switch on",
        "The supply stays off until the customer presses the button of the meter.",
    ),
}
CLOCK_CONSEQUENCE = "The meter takes this computer's time. Intervals around now may be marked."


class ServicePage(ActPage):
    """Two cards: the clock beside ours, and the supply switch with what it allows."""

    session: ServiceSession

    def __init__(self, look: Look, session: ServiceSession) -> None:
        super().__init__(look, session, "Clock and supply")
        self.set_clock = ActionButton(look, "Set the clock…", "danger", "clock")
        self.set_clock.clicked.connect(self.ask_to_set)
        self._clock_room, self._supply_room = QVBoxLayout(), QVBoxLayout()
        self.column.addWidget(self._card("Clock", self._clock_room, [self.set_clock]))
        self.acts: dict[Switching, ActionButton] = {}
        for action, (verb, _) in CONSEQUENCES.items():
            button = ActionButton(look, f"{verb}…", "danger", "power")
            button.clicked.connect(partial(self.ask_to_switch, action))
            self.acts[action] = button
        self.column.addWidget(self._card("Supply", self._supply_room, list(self.acts.values())))
        self.column.addStretch(1)
        self.go = ActionButton(look, "Read clock and supply", "primary", "gauge", "F3")
        self.go.clicked.connect(self.read)
        self.outer.addWidget(action_bar(look, [self.port], [self.go]))
        self.set_primary(self.go)
        self.first_focus = self.go
        self._shown: list[QWidget] = []
        self.follow()

    def _card(self, title: str, room: QVBoxLayout, buttons: list[ActionButton]) -> Card:
        card = Card(self.look, title)
        card.body.addLayout(room)
        gap = max(self.look.space.s, self.look.gap)
        line = column_of if self.look.gloves else row_of
        row: Strip = line(self.look, *buttons, gap=gap)
        if not self.look.gloves:
            row.box.addStretch()
        card.add(row)
        return card

    def read_meter(self) -> None:
        """Read clock and switch."""
        self.session.compare()

    def ask_to_set(self) -> None:
        """Begin to set the clock."""
        self.session.set_clock()
        self.ask("Set the clock", CLOCK_CONSEQUENCE)

    def ask_to_switch(self, action: Switching) -> None:
        """Begin to operate the supply switch."""
        verb, consequence = CONSEQUENCES[action]
        self.session.switch(action)
        self.ask(verb, consequence)

    # --- what is shown ------------------------------------------------------------------------

    def show_session(self) -> None:
        """Show what has turned or arrived."""
        super().show_session()
        session = self.session
        running = session.running
        for widget in self._shown:
            widget.hide()
            widget.deleteLater()
        self._shown = [self._clock_part(), self._supply_part()]
        self._clock_room.addWidget(self._shown[0])
        self._supply_room.addWidget(self._shown[1])
        self.set_clock.setVisible(self.may_write and session.clock is not None)
        self.set_clock.setEnabled(not running)
        relay = session.relay
        for action, button in self.acts.items():
            fits = relay is not None and not hindrance(action, relay.mode)
            already = relay is not None and relay.output != (action is Switching.OPEN)
            button.setVisible(self.may_write and fits and not already)
            button.setEnabled(not running)
        self.go.setEnabled(not running)
        self.go.relabel("Read again" if session.looked_at else "Read clock and supply")

    def _clock_part(self) -> QWidget:
        clock = self.session.clock
        if clock is None:
            return label(self.look, self._nothing("clock"), muted=True)
        return facts(self.look, clock_facts(clock, self.zone), 2)

    def _supply_part(self) -> QWidget:
        relay = self.session.relay
        if relay is None:
            return label(self.look, self._nothing("supply switch"), muted=True)
        pairs = [("Switch", relay_words(relay)), ("Mode", MODES.get(relay.mode, str(relay.mode)))]
        if self.session.serial:
            pairs.insert(0, ("Meter", self.session.serial))
        return facts(self.look, pairs)

    def _nothing(self, what: str) -> str:
        read = self.session.looked_at is not None and not self.session.running
        return f"This meter shows no {what}." if read else "Not read yet."


def clock_facts(clock: ClockReading, zone: object) -> list[tuple[str, str]]:
    """Give the meter's time beside ours, and how far they are apart."""
    from datetime import tzinfo

    where = zone if isinstance(zone, tzinfo) else None
    offset = words.signed(round(clock.offset, 1))
    return [
        ("Meter", words.date_time(clock.meter_time, where)),
        ("This computer", words.date_time(clock.read_at, where)),
        ("Difference", f"{offset} s, ±{round(clock.uncertainty, 1)} s"),
        ("Status", ", ".join(clock.status) or "nothing set"),
    ]
