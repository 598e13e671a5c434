"""Work orders in the words and signs of the screen."""

from typing import TYPE_CHECKING

from app.views import words
from app.views.surfaces import ChipFace
from app.views.theme import Look

if TYPE_CHECKING:
    from app.sync.chip import Chip
    from app.workorders.row import QueueRow

# state: word, icon, tone
STATES: dict[str, tuple[str, str, str]] = {
    "assigned": ("Assigned", "inbox", "idle"),
    "downloaded": ("Downloaded", "download", "idle"),
    "accepted": ("Accepted", "circle-check", "idle"),
    "started": ("Started", "circle-play", "accent"),
    "paused": ("Paused", "circle-pause", "accent"),
    "rejected": ("Sent back", "undo-2", "warned"),
    "partly_done": ("Partly done", "circle-pause", "warned"),
    "cannot_complete": ("Not completed", "ban", "warned"),
    "triage": ("With the office", "ban", "idle"),
    "recall_requested": ("Called back", "undo-2", "warned"),
    "declined": ("Declined", "ban", "idle"),
    "done": ("Done", "check", "passed"),
    "submitted": ("Submitted", "send", "passed"),
    "in_review": ("In review", "send", "idle"),
    "approved": ("Approved", "circle-check", "passed"),
    "exported": ("Exported", "circle-check", "passed"),
    "closed": ("Closed", "lock", "passed"),
}
WORKABLE = {"downloaded", "accepted", "started", "paused"}


def state_word(state: str) -> str:
    """Give the word for an order's state."""
    return STATES.get(state, (words.spaced(state), "", ""))[0]


def state_face(look: Look, state: str) -> ChipFace:
    """Give the chip of an order's state: the word, and an icon of its own."""
    word, icon, tone = STATES.get(state, (words.spaced(state), "circle", "idle"))
    return ChipFace(word, icon=icon, tone=getattr(look.colours, tone))


def late_face(look: Look, order: "QueueRow") -> ChipFace:
    """Give the chip of an order whose day is past."""
    return ChipFace(order.when, icon="clock", tone=look.colours.warned)


def sync_face(look: Look, chip: "Chip") -> ChipFace | None:
    """Give the sign of how much of an order the centre has; None when there is nothing to send."""
    if not chip.total and not chip.media_pending:
        return None
    text = chip.text[0].upper() + chip.text[1:]
    if chip.green:
        return ChipFace(text, icon="check", tone=look.colours.passed)
    if chip.state.value == "verdict":
        return ChipFace(text, icon="triangle-alert", tone=look.colours.warned)
    icon = "monitor" if chip.state.value == "local" else "cloud-upload"
    return ChipFace(text, icon=icon, tone=look.colours.idle)


def verb(state: str, number: str, steps_done: int) -> str:
    """Give what the primary button of an order says."""
    if state in WORKABLE:
        return f"{'Resume' if steps_done or state == 'started' else 'Start'} job {number}"
    return f"Open job {number}"
