"""Writes a switching table in steps; says before what it means, and after what stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.services.calendar_differences import differences
from app.views import words
from app.views.act_sheet import ActSheet

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from app.services.calendar_draft import Draft
    from drivers.calendar import CalendarReading

FEW = 4  # differences that are named


class CalendarSheet(ActSheet):
    """Says at its end which table stood there and which stands there now."""

    def _told(self) -> list[tuple[str, str]]:
        before, after = self._service.outcome
        when = after.activation
        now = [("In force", after.active.name), ("Waiting", after.passive.name)]
        if when is not None:
            now.append(("Waiting until", words.when(when)))
        days = words.count(len(after.special_days), "special day")
        told = [("Before", before.active.name), *now, ("Read back", f"both tables, {days}")]
        if after.parameters:
            same = before.parameters == after.parameters
            turned = "as before" if same else f"{before.parameters} before"
            told.append(("Parameter id", f"{after.parameters}, {turned}"))
        return told


def consequence(
    draft: Draft, reading: CalendarReading | None, when: datetime | None, zone: tzinfo | None
) -> str:
    """Say what writing the draft changes, and from when on it is billed otherwise."""
    moment = "at once" if when is None else f"from {words.when(when, where=zone)} on"
    begin = "The waiting table of the meter is replaced, then brought into force"
    text = [f"{begin} {moment}. What is billed at which rate changes with it."]
    if draft.special_days is not None:
        text.append(f"Its special days are replaced by {len(draft.special_days)}, at once.")
    if reading is not None:
        found = differences(draft, reading)
        named = ", ".join(one.what[0].lower() + one.what[1:] for one in found[:FEW])
        more = f" and {len(found) - FEW} more" if len(found) > FEW else ""
        text.append(f"Other than now: {named}{more}." if found else "It is the table in force now.")
    return " ".join(text)
