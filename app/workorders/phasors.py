"""Wiring diagnosis from phasors: which of the 48 wirings explains the measured angles.

Angles are against U1, lag positive.  Three currents can be led to the elements in 6 orders, each
forwards or reversed: 48 wirings.  For each, the angle of every current to the voltage it belongs
to is held against the middle of the load range; the root of the mean square is the residual.

Two wirings cannot be told apart by angles alone when the load allows both: moving all three
currents on by one element and reversing them turns every angle by 60°.  A load range of 0° to 60°
(power factor 1 to 0.5, lagging) keeps such twins apart but at its ends, where the answer is
"ambiguous".  A wider range would make every answer ambiguous, so capacitive loads are outside it.

Magnitudes decide only whether there is enough load: an ampere reading stays positive when a
current transformer is reversed.
"""

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

PHASES = 3
SERVICE = "3P4W"
SAMPLES = 3
STEADY = 0.10
LOAD_RANGE = (0.0, 60.0)
MARGIN = 20.0
ENVELOPE = 45.0
SEQUENCE_TOLERANCE = 10.0
VOLTAGE_DEVIATION = 0.10
START_DIRECT_A, START_CT_A = 0.050, 0.005
LOAD_KW = "0.2 kW"
CAUTION = "Do not move CT secondary wires under load: short the CT test block first."

_RIGHT_SEQUENCE, _SWAPPED = (0.0, 120.0, 240.0), (0.0, 240.0, 120.0)
_STRAIGHT = (1, 2, 3)


class BadPhasors(ValueError):
    """The measured values cannot be used; the text says which."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading of three phases: volts, amperes, degrees against U1 (lag positive)."""

    u: tuple[float, float, float]
    i: tuple[float, float, float]
    angle_u: tuple[float, float, float]
    angle_i: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Wiring:
    """One way to wire three currents: whose current flows in each element, and which is reversed.

    ``order[k]`` is the phase whose current flows in element k+1; ``reversed_ones`` are elements.
    """

    order: tuple[int, ...]
    reversed_ones: tuple[int, ...]
    residual: float = 0.0

    def words(self) -> str:
        """Say what is wrong, or that nothing is."""
        parts = []
        moved = [k for k in range(PHASES) if self.order[k] != _STRAIGHT[k]]
        if len(moved) == PHASES - 1:
            parts.append(f"the currents of L{moved[0] + 1} and L{moved[1] + 1} are crossed")
        elif moved:
            there = ", ".join(f"L{phase} in element {k}" for k, phase in enumerate(self.order, 1))
            parts.append(f"the three currents are moved round: {there}")
        if self.reversed_ones:
            named = " and ".join(f"L{k}" for k in self.reversed_ones)
            verb = "is" if len(self.reversed_ones) == 1 else "are"
            parts.append(f"CT on {named} {verb} reversed (P1/P2 or S1/S2)")
        return "; ".join(parts) or "pairing and polarity are right"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the phasors say about the wiring; ``margin`` is the lead over the next wiring, in °."""

    verdict: str  # PASS, FAIL, NOT RUN, AMBIGUOUS
    text: str
    sequence: str = ""  # "123", "132", "" for neither
    best: Wiring | None = None
    margin: float | None = None


def diagnose(samples: Sequence[Sample], *, ct: bool = True, generation: bool = False) -> Diagnosis:
    """Return what the averaged samples say about sequence, pairing and polarity."""
    problem = _cannot_be_judged(samples, START_CT_A if ct else START_DIRECT_A)
    if problem:
        return Diagnosis("NOT RUN", problem)
    angle_u = _mean_angles([sample.angle_u for sample in samples])
    angle_i = _mean_angles([sample.angle_i for sample in samples])
    sequence, words = _sequence(samples, angle_u)
    if not sequence:
        return Diagnosis("FAIL", f"{words} {CAUTION}")
    best, second = _ranked(angle_u, angle_i)[:2]
    margin = second.residual - best.residual
    if margin < MARGIN or best.residual > ENVELOPE:
        return Diagnosis("AMBIGUOUS", _either(best, second, words), sequence, best, margin)
    if len(best.reversed_ones) == PHASES and best.order == _STRAIGHT:
        text = f"Power is negative on all phases: generation, or all CTs reversed. Ask. {CAUTION}"
        verdict = "AMBIGUOUS" if generation else "FAIL"
        return Diagnosis(verdict, text, sequence, best, margin)
    right = sequence == "123" and best.order == _STRAIGHT and not best.reversed_ones
    if right:
        return Diagnosis(
            "PASS", "Sequence, pairing and polarity are right.", sequence, best, margin
        )
    found = best.words()
    text = " ".join(item for item in (words, f"{found[0].upper()}{found[1:]}.", CAUTION) if item)
    return Diagnosis("FAIL", text, sequence, best, margin)


def diagnose_wiring(given: object) -> dict[str, Any]:
    """Return the diagnosis of a measurement file as plain data, as the command line promises.

    Raises:
        BadPhasors: The data have another shape.
    """
    if not isinstance(given, dict):
        raise BadPhasors("one object with service and samples is needed")
    service = given.get("service", SERVICE)
    if service != SERVICE:
        raise BadPhasors(f"service {service!r} cannot be diagnosed; {SERVICE} can")
    flags = {
        name: given.get(name, default) for name, default in (("ct", True), ("generation", False))
    }
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise BadPhasors(f"{name} must be true or false")
    listed = given.get("samples")
    if not isinstance(listed, list):
        raise BadPhasors("samples must be a list")
    found = diagnose([_sample(item, n) for n, item in enumerate(listed)], **flags)
    return {
        "verdict": found.verdict,
        "sequence": found.sequence,
        "order": list(found.best.order) if found.best else [],
        "reversed": list(found.best.reversed_ones) if found.best else [],
        "margin_deg": None if found.margin is None else round(found.margin, 1),
        "text": found.text,
    }


def _sample(item: object, place: int) -> Sample:
    if not isinstance(item, dict):
        raise BadPhasors(f"samples[{place}] must be an object")
    return Sample(*(_three(item, key, place) for key in ("u", "i", "angle_u", "angle_i")))


def _three(item: dict[str, object], key: str, place: int) -> tuple[float, float, float]:
    values = item.get(key)
    numbers = [
        float(value)
        for value in (values if isinstance(values, list) else [])
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    ]
    if not isinstance(values, list) or len(numbers) != PHASES or len(values) != PHASES:
        raise BadPhasors(f"samples[{place}].{key} must be three numbers")
    return numbers[0], numbers[1], numbers[2]


def _cannot_be_judged(samples: Sequence[Sample], start: float) -> str:
    """Return why there can be no verdict, or ""."""
    if len(samples) < SAMPLES:
        return f"Take at least {SAMPLES} samples; there are {len(samples)}."
    highest = [max(abs(sample.i[k]) for sample in samples) for k in range(PHASES)]
    if max(highest) < start:
        return f"Not enough load: switch on at least {LOAD_KW} on each phase and repeat."
    low = [f"L{k + 1}" for k in range(PHASES) if min(abs(s.i[k]) for s in samples) < start]
    if low:
        return (
            f"No current on {' and '.join(low)} in {len(samples)} samples: CT open or shorted,"
            f" diversion, or no load. Switch on a load there and repeat. {CAUTION}"
        )
    for k in range(PHASES):
        values = [abs(sample.i[k]) for sample in samples]
        if max(values) - min(values) > STEADY * sum(values) / len(values):
            return f"The load on L{k + 1} was not steady within 10 %. Repeat."
    return ""


def _sequence(samples: Sequence[Sample], angles: Sequence[float]) -> tuple[str, str]:
    """Return "123" or "132", and what is wrong with the voltages in words."""
    means = [sum(sample.u[k] for sample in samples) / len(samples) for k in range(PHASES)]
    mean = sum(means) / PHASES
    far = [k for k in range(PHASES) if abs(means[k] - mean) > VOLTAGE_DEVIATION * mean]
    if mean <= 0 or far:
        named = ", ".join(f"L{k + 1} {means[k]:.1f} V" for k in far or range(PHASES))
        return "", f"A voltage is missing or far from the others: {named}."
    for name, wanted, words in (
        ("123", _RIGHT_SEQUENCE, ""),
        ("132", _SWAPPED, "Two phases are swapped at the meter."),
    ):
        if _all_near(angles, wanted):
            return name, words
    shown = " / ".join(f"{angle % 360:.0f}" for angle in angles)
    for k in range(PHASES):
        turned = [angle + 180.0 * (n == k) for n, angle in enumerate(angles)]
        against_first = [angle - turned[0] for angle in turned]
        if _all_near(against_first, _RIGHT_SEQUENCE) or _all_near(against_first, _SWAPPED):
            return "", f"The voltages stand at {shown}°: VT polarity reversed on L{k + 1}."
    return "", f"The voltages stand at {shown}°, which no wiring of three phases explains."


def _all_near(angles: Sequence[float], wanted: Sequence[float]) -> bool:
    return all(
        abs(_wrapped(angle - right)) <= SEQUENCE_TOLERANCE
        for angle, right in zip(angles, wanted, strict=True)
    )


def _ranked(angle_u: Sequence[float], angle_i: Sequence[float]) -> list[Wiring]:
    """Return all 48 wirings, the best first."""
    middle = sum(LOAD_RANGE) / 2
    found = []
    for order in permutations(_STRAIGHT):
        for signs in product((False, True), repeat=PHASES):
            off = [
                _wrapped(angle_i[k] - 180.0 * signs[k] - angle_u[order[k] - 1] - middle)
                for k in range(PHASES)
            ]
            residual = math.sqrt(sum(angle * angle for angle in off) / PHASES)
            turned = tuple(k + 1 for k in range(PHASES) if signs[k])
            found.append(Wiring(order, turned, residual))
    return sorted(found, key=lambda wiring: wiring.residual)


def _either(best: Wiring, second: Wiring, words: str) -> str:
    if best.residual > ENVELOPE:
        start = "No wiring fits a usual load."
    else:
        start = "The angles fit two wirings."
    text = f"{start} Either {best.words()}, or {second.words()}. Change the load and repeat."
    return " ".join(item for item in (words, text, CAUTION) if item)


def _mean_angles(rows: Sequence[tuple[float, float, float]]) -> list[float]:
    """Return the mean direction of each phase: 359° and 1° make 0°, not 180°."""
    return [
        math.degrees(cmath.phase(sum(cmath.rect(1, math.radians(row[k])) for row in rows)))
        for k in range(PHASES)
    ]


def _wrapped(angle: float) -> float:
    return (angle + 180.0) % 360.0 - 180.0
