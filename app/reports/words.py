"""Numbers, times and verdicts as they stand on paper, and the refusal of what cannot be printed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from app.reports.model import Limit, Quantity, Record, Verdict

MINUS = "\u2212"
THIN = "\u2009"
SIGNS = {
    Verdict.PASS: "\u2713",
    Verdict.WARN: "!",
    Verdict.FAIL: "\u2715",
    Verdict.NOT_RUN: "\u2013",
    Verdict.NOT_APPLICABLE: "n/a",
}
# Scripts that need no shaping and run from left to right.
PLAIN_SCRIPTS = {"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "GEORGIAN"}
TOKEN = re.compile(r"(?<![0-9A-Fa-f])\d(?:[ \u2009-]?\d){19}(?![0-9A-Fa-f])")
KEY = re.compile(r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40})(?![0-9A-Fa-f])")


class RefusedText(ValueError):
    """The record holds text that must not or cannot be printed; the message says which."""


@dataclass(frozen=True, slots=True)
class Style:
    """How one language writes numbers. Times are ISO everywhere: nobody misreads them."""

    decimal: str
    group: str

    def number(self, value: Decimal | None, sign: bool = False) -> str:
        """`value` with all its digits; a dash where there is none."""
        if value is None:
            return "\u2013"
        whole, _, part = format(abs(value), "f").partition(".")
        if len(whole) > 4:
            whole = f"{int(whole):,}".replace(",", self.group)
        lead = MINUS if value < 0 else "+" if sign and value > 0 else ""
        return lead + whole + (self.decimal + part if part else "")

    def quantity(self, item: Quantity) -> str:
        """Number and unit on one line."""
        return f"{self.number(item.value)} {item.unit}".strip()

    def limit(self, limit: Limit) -> str:
        """The limit in words a reader can hold the measured value against."""
        if limit.words:
            return limit.words
        unit = f" {limit.unit}" if limit.unit else ""
        low, high = limit.low, limit.high
        if low is not None and high is not None:
            if low == -high:
                return f"\u00b1{self.number(high)}{unit}"
            return f"{self.number(low)} to {self.number(high)}{unit}"
        if high is not None:
            return f"\u2264 {self.number(high)}{unit}"
        return f"\u2265 {self.number(low)}{unit}" if low is not None else "\u2013"


STYLES = {
    "en": Style(".", THIN),
    "de": Style(",", THIN),
    "fr": Style(",", THIN),
    "es": Style(",", THIN),
    "pt": Style(",", THIN),
}


def style_for(language: str) -> Style:
    """The number style of `language`, or a refusal in words."""
    try:
        return STYLES[language.split("-", maxsplit=1)[0]]
    except KeyError:
        raise RefusedText(
            f"No number style is known for the report language {language!r}. "
            f"Known: {', '.join(sorted(STYLES))}."
        ) from None


@dataclass(frozen=True, slots=True)
class Clock:
    """Turns UTC into the local time of the place."""

    offset_min: int

    @property
    def zone(self) -> str:
        """The offset as `UTC+02:00`."""
        hours, minutes = divmod(abs(self.offset_min), 60)
        return f"UTC{'-' if self.offset_min < 0 else '+'}{hours:02d}:{minutes:02d}"

    def local(self, time: datetime) -> datetime:
        """`time` shifted to local; its tzinfo stays UTC and is not to be printed."""
        return time + timedelta(minutes=self.offset_min)

    def minute(self, time: datetime) -> str:
        """Date and time to the minute."""
        return self.local(time).strftime("%Y-%m-%d %H:%M")

    def second(self, time: datetime) -> str:
        """Date and time to the second."""
        return self.local(time).strftime("%Y-%m-%d %H:%M:%S")


def duration(start: datetime, end: datetime) -> str:
    """A duration in the two largest useful units."""
    seconds = int((end - start).total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        rest = seconds % 60
        return f"{seconds // 60} min" + (f" {rest} s" if rest else "")
    rest = seconds % 3600 // 60
    return f"{seconds // 3600} h" + (f" {rest} min" if rest else "")


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text of the record with the name of its field."""
    if isinstance(value, str):
        yield path, str(value)
    elif isinstance(value, tuple):
        for index, item in enumerate(value, 1):
            yield from texts(item, f"{path} {index}")
    elif is_dataclass(value):
        for field in fields(value):
            name = f"{path}, {field.name}" if path else field.name
            yield from texts(getattr(value, field.name), name.replace("_", " "))


def refuse_unprintable(record: Record, glyphs: frozenset[int]) -> None:
    """Raise `RefusedText` for the first text that this engine would print wrongly."""
    for path, raw in texts(record):
        for sign in sorted(set(unicodedata.normalize("NFC", raw))):
            reason = _trouble(sign, glyphs)
            if reason:
                raise RefusedText(
                    f"The report was not made. In \u201c{path}\u201d the sign {sign!r} {reason}. "
                    "Write it in Latin letters or choose the engine for complex scripts."
                )


def _trouble(sign: str, glyphs: frozenset[int]) -> str:
    """Why `sign` cannot be printed rightly, or nothing."""
    if sign < " ":
        return "is a control character"
    if unicodedata.category(sign) in ("Mn", "Mc", "Me"):
        return "is a combining mark that this engine cannot place"
    if unicodedata.bidirectional(sign) in ("R", "AL", "AN"):
        return f"belongs to {_script(sign)}, written from right to left and joined"
    if unicodedata.category(sign)[0] == "L" and _script(sign).upper() not in PLAIN_SCRIPTS:
        named = unicodedata.name(sign, "").split(" ")[0] not in ("MICRO", "OHM", "DEGREE")
        if named and not unicodedata.name(sign, "").startswith(("MODIFIER", "FEMININE", "MASC")):
            return f"belongs to {_script(sign)}, a script this engine cannot set rightly"
    if ord(sign) not in glyphs:
        return "is not in the fonts of this program"
    return ""


def _script(sign: str) -> str:
    """The script's name, from the Unicode name of the character."""
    return unicodedata.name(sign, "an unknown script").split(" ")[0].capitalize()


def refuse_secrets(record: Record) -> None:
    """Raise `RefusedText` where a text looks like a whole token or a key."""
    for path, raw in texts(record):
        if "sha256" in path:
            continue
        found = TOKEN.search(raw)
        if found and not (path.endswith("communication, sim") and is_sim(found.group())):
            raise RefusedText(f"\u201c{path}\u201d holds twenty digits: that looks like a token.")
        if KEY.search(raw) and "firmware" not in path:
            raise RefusedText(f"\u201c{path}\u201d looks like a key. Keys are never printed.")


def is_sim(text: str) -> bool:
    """Whether `text` is a SIM number: it starts with 89 and its check digit is right."""
    digits = [int(sign) for sign in text if sign.isdigit()]
    doubled = [d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits[::-1])]
    return digits[:2] == [8, 9] and sum(doubled) % 10 == 0
