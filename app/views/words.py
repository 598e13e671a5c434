"""Values in the words of the screen: states, times, durations, numbers, verdicts."""

from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from app.views.paint import Verdict

NOTHING = "–"
MINUTE, HOUR, DAY = 60, 3600, 86400
FEW = 10  # seconds or rows below which fractions are shown

VERDICTS = {
    "PASS": Verdict.PASS,
    "WARN": Verdict.WARN,
    "FAIL": Verdict.FAIL,
    "NOT RUN": Verdict.NOT_RUN,
    "NOT APPLICABLE": Verdict.NOT_APPLICABLE,
    "PASS WITH REMARKS": Verdict.WARN,
    "INCOMPLETE": Verdict.NOT_RUN,
}


def verdict_of(word: str) -> Verdict | None:
    """Give the mark for a verdict as the records spell it; None for none."""
    return VERDICTS.get(str(word).upper().replace("_", " "))


def verdict_word(word: str) -> str:
    """Give a verdict as a sentence begins: "Pass with remarks"."""
    return str(word).replace("_", " ").capitalize()


def zone(name: str) -> tzinfo | None:
    """Give the time zone of a setting; None is the system's."""
    return ZoneInfo(name) if name else None


def day(moment: datetime, where: tzinfo | None = None) -> str:
    """Give the date: "4 March 2031"."""
    local = moment.astimezone(where)
    return f"{local.day} {local:%B %Y}"


def date_time(moment: datetime, where: tzinfo | None = None) -> str:
    """Give date and time to the second, in figures: "2031-03-04 09:15:00"."""
    return f"{moment.astimezone(where):%Y-%m-%d %H:%M:%S}"


def clock_time(moment: datetime, where: tzinfo | None = None) -> str:
    """Give the time to the minute."""
    return f"{moment.astimezone(where):%H:%M}"


def when(moment: datetime, now: datetime | None = None, where: tzinfo | None = None) -> str:
    """Give a time as people say it: "today 09:15", "yesterday 22:40", "4 March 09:15"."""
    local = moment.astimezone(where)
    today = (now or datetime.now(UTC)).astimezone(where).date()
    distance = (today - local.date()).days
    names = {0: "today", 1: "yesterday", -1: "tomorrow"}
    if distance in names:
        return f"{names[distance]} {local:%H:%M}"
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local.day} {local:%B}{year} {local:%H:%M}"


def duration(length: timedelta | float) -> str:
    """Give a length of time in its two largest units: "43 min", "1 h 5 min", "2 d 3 h"."""
    seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
    sign = "−" if seconds < 0 else ""
    seconds = abs(seconds)
    if seconds < MINUTE:
        return (
            f"{sign}{seconds:.1f} s" if seconds < FEW and seconds % 1 else f"{sign}{seconds:.0f} s"
        )
    units = (("d", DAY), ("h", HOUR), ("min", MINUTE), ("s", 1))
    parts: list[str] = []
    rest = round(seconds)
    for name, size in units:
        count, rest = divmod(rest, size)
        if count or parts:
            parts.append(f"{count} {name}" if count else "")
    return sign + " ".join(part for part in parts[:2] if part)


def number(value: Decimal | None, unit: str = "") -> str:
    """Give a number with all its digits, a true minus, and its unit after a space."""
    if value is None:
        return NOTHING
    text = format(value, "f").replace("-", "−")
    return f"{text} {unit}" if unit else text


def count(value: int, noun: str, plural: str = "") -> str:
    """Give a count with its noun: "1 row", "2,160 rows"."""
    word = noun if value == 1 else plural or f"{noun}s"
    return f"{value:,} {word}"


def signed(value: Decimal) -> str:
    """Give a number that always shows its sign: "+2"."""
    return ("+" if value >= 0 else "−") + format(abs(value), "f")


def spaced(word: str) -> str:
    """Turn a name of the program into words: "sent_back" into "Sent back"."""
    return word.replace("_", " ").replace(".", ", ").capitalize()


def sentence(text: str) -> str:
    """Make a sentence of a technical phrase: capital letter first, full stop last."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?…" else ".")
