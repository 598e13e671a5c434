"""A check as data: what was wanted, what was found, what follows; and what is judged by what.

`judge` turns a number, its limits and its uncertainty into a verdict.  `Evidence` is everything
the checks look at; `app.workorders.electrical` and `app.workorders.conditions` look.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.reports.model import Limit, Quantity, Verdict
from app.workorders.limits import LimitPack, PackLimit
from drivers import obis
from drivers.metertype import Ratings
from drivers.values import MeterEvent, ProfileInfo, ProfileRow, Reading, RelayReading

_WORST = (
    Verdict.FAIL,
    Verdict.NOT_RUN,
    Verdict.WARN,
    Verdict.PASS,
    Verdict.NOT_APPLICABLE,
)


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one order; ``number`` is its place in the list of commissioning checks."""

    check_id: str
    number: str
    title: str
    limit: Limit
    verdict: Verdict
    measured: tuple[Quantity, ...] = ()
    seen: str = ""
    instrument: str = ""
    mandatory: bool = True
    remark: str = ""

    @property
    def source(self) -> str:
        """Where the limit comes from."""
        return self.limit.source

    @property
    def limit_words(self) -> str:
        """The limit as a screen shows it: "207 to 253 V"."""
        limit = self.limit
        if limit.words:
            return limit.words
        unit = f" {limit.unit}" if limit.unit else ""
        low, high = _text(limit.low), _text(limit.high)
        if low is not None and high is not None:
            same = limit.low == -(limit.high or 0)
            return f"±{high}{unit}" if same else f"{low} to {high}{unit}"
        if high is not None:
            return f"at most {high}{unit}"
        return f"at least {low}{unit}" if low is not None else ""

    @property
    def measured_words(self) -> str:
        """What was found as a screen shows it: "L1 231.4 V, L2 230.9 V", or in words."""
        parts = [
            " ".join(item for item in (one.label, _text(one.value), one.unit) if item)
            for one in self.measured
        ]
        doubt = next((one for one in self.measured if one.uncertainty is not None), None)
        tail = f" (±{_text(doubt.uncertainty)} {doubt.unit})".replace(" )", ")") if doubt else ""
        numbers = ", ".join(parts) + tail if parts else ""
        return "; ".join(item for item in (numbers, self.seen) if item)


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """What the clock step found; offsets in seconds."""

    offset: Decimal
    uncertainty: Decimal


@dataclass(frozen=True, slots=True)
class ProfileFacts:
    """What the profile step read."""

    info: ProfileInfo
    rows: tuple[ProfileRow, ...]
    expected_period_s: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything the checks look at; None for what was not read, with the reason beside it."""

    identity: Verdict
    identity_seen: str
    firmware: str = ""
    ratings: Ratings = field(default_factory=Ratings)
    direct: bool = True  # no current transformers
    before: tuple[Reading, ...] = ()
    before_at: datetime | None = None
    after: tuple[Reading, ...] = ()
    after_at: datetime | None = None
    clock: ClockFacts | None = None
    clock_reason: str = ""
    profile: ProfileFacts | None = None
    profile_reason: str = ""
    events: tuple[MeterEvent, ...] | None = None
    events_reason: str = ""
    relay: RelayReading | None = None


def judge(
    value: Decimal,
    low: Decimal | None,
    high: Decimal | None,
    uncertainty: Decimal | None = None,
    *,
    soft: bool = False,
) -> Verdict:
    """Return the verdict on a value: PASS and FAIL only beyond the uncertainty, WARN between.

    Without an uncertainty the limit itself still passes.
    """
    below = [] if low is None else [value - low]
    above = [] if high is None else [high - value]
    room = min([*below, *above], default=Decimal("Infinity"))
    doubt = uncertainty or Decimal(0)
    if room > doubt or (not doubt and room == 0):
        return Verdict.PASS
    if soft or room > -doubt:
        return Verdict.WARN
    return Verdict.FAIL


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the gravest of several verdicts; NOT APPLICABLE when there is none."""
    return min(verdicts, key=_WORST.index, default=Verdict.NOT_APPLICABLE)


class Writer:
    """Makes the checks of one pack; ``number`` and title come with each check."""

    def __init__(self, pack: LimitPack, check_id: str, number: str, title: str) -> None:
        self.pack = pack
        self.rule = pack.limit(check_id) or PackLimit(check_id, source="", mandatory=False)
        self._number = number
        self._title = title

    def made(
        self,
        verdict: Verdict,
        *,
        measured: tuple[Quantity, ...] = (),
        seen: str = "",
        instrument: str = "",
        remark: str = "",
        limit: Limit | None = None,
    ) -> Check:
        """Return the check with its verdict."""
        return Check(
            check_id=self.rule.check_id,
            number=self._number,
            title=self._title,
            limit=limit or self.limit(),
            verdict=verdict,
            measured=measured,
            seen=seen,
            instrument=instrument,
            mandatory=self.rule.mandatory and verdict is not Verdict.NOT_APPLICABLE,
            remark=remark,
        )

    def not_run(self, reason: str) -> Check:
        """Return the check as not run, with the reason in words."""
        return self.made(Verdict.NOT_RUN, seen=reason)

    def not_applicable(self, reason: str) -> Check:
        """Return the check as not applicable: the meter has no such thing."""
        return self.made(Verdict.NOT_APPLICABLE, seen=reason)

    def limit(self, scale: Decimal = Decimal(1), unit: str = "") -> Limit:
        """Return the limit as it is printed, scaled where the pack speaks of parts."""
        rule = self.rule
        return Limit(
            source=rule.source,
            low=_scaled(rule.low, scale),
            high=_scaled(rule.high, scale),
            unit=unit or rule.unit,
            words=rule.words,
        )

    def judged(
        self, quantities: tuple[Quantity, ...], limit: Limit | None = None
    ) -> tuple[Verdict, str]:
        """Return the worst verdict on the quantities, and what to say about those that differ."""
        limit = limit or self.limit()
        verdicts = [
            judge(item.value, limit.low, limit.high, item.uncertainty, soft=self.rule.soft)
            for item in quantities
        ]
        verdict = worst(verdicts)
        odd = ", ".join(
            item.label for item, each in zip(quantities, verdicts, strict=True) if each is verdict
        )
        where = f"{odd}: " if odd else ""
        if verdict is Verdict.FAIL:
            return verdict, f"{where}outside the limit."
        if verdict is Verdict.WARN:
            return verdict, f"{where}outside, or inside by less than the uncertainty."
        return verdict, ""


def number(
    readings: tuple[Reading, ...], c: int, d: int, e: int = 0, *, watts: bool = False
) -> Decimal | None:
    """Return the present value of C.D.E of the electricity channels; None when it was not read.

    Power is returned in W when ``watts`` is set, whatever the meter's unit.
    """
    for item in readings:
        if item.history is not None or item.value is None or item.check == "bad":
            continue
        groups = _groups(item)
        if groups is not None and groups[0] == 1 and groups[2:5] == (c, d, e):
            kilo = watts and item.unit.lower().startswith("k")
            return item.value * 1000 if kilo else item.value
    return None


def group(readings: tuple[Reading, ...], a: int, c: int, d: int) -> list[Reading]:
    """Return the readings of medium A, groups C and D, whatever their other groups."""
    found = []
    for item in readings:
        groups = _groups(item)
        if groups is not None and (groups[0], *groups[2:4]) == (a, c, d):
            found.append(item)
    return found


def check_data(check: Check) -> dict[str, Any]:
    """Return a check as plain data; numbers are text with all their digits."""
    limit = check.limit
    return {
        "check_id": check.check_id,
        "number": check.number,
        "title": check.title,
        "limit": {
            "source": limit.source,
            "low": _text(limit.low),
            "high": _text(limit.high),
            "unit": limit.unit,
            "words": limit.words,
        },
        "verdict": check.verdict.value,
        "measured": [
            [_text(item.value), item.unit, _text(item.uncertainty), item.label]
            for item in check.measured
        ],
        "seen": check.seen,
        "instrument": check.instrument,
        "mandatory": check.mandatory,
        "remark": check.remark,
    }


def check_from(data: dict[str, Any]) -> Check:
    """Return a check from its plain data."""
    limit = data["limit"]
    return Check(
        check_id=data["check_id"],
        number=data["number"],
        title=data["title"],
        limit=Limit(
            limit["source"],
            _decimal(limit["low"]),
            _decimal(limit["high"]),
            limit["unit"],
            limit["words"],
        ),
        verdict=Verdict(data["verdict"]),
        measured=tuple(
            Quantity(Decimal(value), unit, _decimal(doubt), label)
            for value, unit, doubt, label in data["measured"]
        ),
        seen=data["seen"],
        instrument=data["instrument"],
        mandatory=data["mandatory"],
        remark=data["remark"],
    )


def _groups(reading: Reading) -> tuple[int, ...] | None:
    written = reading.obis or obis.parse(reading.code)
    if not written:
        return None
    return tuple(obis.to_bytes(written))


def _scaled(value: Decimal | None, scale: Decimal) -> Decimal | None:
    """Return the number without digits that scaling added: 0.9 of 230 is 207, not 207.0."""
    if value is None or scale == 1:
        return value
    plain = (value * scale).normalize()
    exponent = plain.as_tuple().exponent
    return plain.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else plain


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


def _decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)
