"""Events in words: a start and its end become one line with the duration.  No Qt."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from drivers.values import MeterEvent

# (what begins, what ends); "\1" stands for what both have in common
PAIRS = [
    (re.compile(r"power (?:down|failure)(.*)", re.IGNORECASE), r"power (?:up|returned)\1"),
    (re.compile(r"(.*?) (?:start|started|begin)", re.IGNORECASE), r"\1 (?:end|ended)"),
    (re.compile(r"(.*?)(?: cover)? (?:removed|opened)", re.IGNORECASE), r"\1(?: cover)? closed"),
    (re.compile(r"(?:under|over|missing )voltage (L\d)", re.IGNORECASE), r"voltage \1 normal"),
    (re.compile(r"(.*) threshold exceeded", re.IGNORECASE), r"\1 threshold OK"),
    (re.compile(r"strong (.*) field detected", re.IGNORECASE), r"no strong \1 field any more"),
]


@dataclass(frozen=True)
class EventLine:
    """One event, or one that began and ended."""

    text: str
    begin: datetime
    end: datetime | None
    code: str
    log: str
    details: tuple[str, ...] = ()


def event_lines(events: Iterable[MeterEvent]) -> list[EventLine]:
    """Give the events newest first; what began and ended is one line.

    A begin is paired with the next end of the same log that has no begin of its own.
    """
    lines: list[EventLine] = []
    open_at: dict[tuple[str, str], int] = {}  # (log, pattern of the end) -> line
    for event in sorted(events, key=lambda event: event.time):
        text = event.text or f"Code {event.code}"
        begun = _begun(open_at, event)
        if begun is not None:
            line = lines[begun]
            lines[begun] = EventLine(
                line.text, line.begin, event.time, line.code, line.log, line.details
            )
            continue
        ending = _ending(event.text)
        if ending:
            open_at[event.log, ending] = len(lines)
        lines.append(EventLine(text, event.time, None, event.code, event.log, event.details))
    return lines[::-1]


def _ending(text: str) -> str:
    for begin, end in PAIRS:
        if match := begin.fullmatch(text):
            return end.replace(r"\1", re.escape(match.group(1))).replace(
                r"\2", re.escape(match.group(2)) if match.re.groups > 1 else ""
            )
    return ""


def _begun(open_at: dict[tuple[str, str], int], event: MeterEvent) -> int | None:
    for log, pattern in list(open_at):
        if log == event.log and re.fullmatch(pattern, event.text, re.IGNORECASE):
            return open_at.pop((log, pattern))
    return None
