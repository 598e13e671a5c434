"""A procedure: the ordered steps of one order type, as versioned data (`resources/procedures`).

A new order type that is made of known kinds of step needs a file there and no Python.
"""

import tomllib
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from app.errors import BadInput
from resources import resource

K = TypeVar("K", bound=StrEnum)


class StepKind(StrEnum):
    """What a step does; one file each in `app.workorders.steps`."""

    IDENTIFY = "identify"
    NAMEPLATE = "nameplate"
    PREPAYMENT = "prepayment"
    TOKENS = "tokens"
    KEY_CHANGE = "key_change"
    REGISTERS = "registers"
    CLOCK = "clock"
    PROFILE = "profile"
    EVENTS = "events"
    CHECKS = "checks"
    EVIDENCE = "evidence"
    SIGNATURE = "signature"
    COMPLETE = "complete"


class SkipReason(StrEnum):
    """Why a step was left out; the coded reasons a procedure may allow."""

    NO_ACCESS = "no_access"  # the meter or its login does not give it
    NO_TIME = "no_time"
    CUSTOMER_REFUSED = "customer_refused"
    NOT_NEEDED = "not_needed"
    FAULTY_DEVICE = "faulty_device"  # the tool or the meter fails again and again


@dataclass(frozen=True, slots=True)
class StepOptions:
    """What a kind of step can be told; each kind uses some of them."""

    moment: str = "now"  # registers: before, after, handover or now
    days: int = 0  # profile: how far back to read; 0 reads everything
    profile: str = ""  # profile: its code; "" takes the type's first
    log: str = ""  # events: the log's code; "" takes the type's first
    only: tuple[str, ...] = ()  # checks: ids of those to make; none named makes all
    seals: tuple[str, ...] = ()  # evidence: positions that need a seal
    photos: tuple[str, ...] = ()  # evidence: what to take pictures of
    required: tuple[str, ...] = ()  # evidence: which of "photo", "seal", "note" may not be left out
    tokens: tuple[str, ...] = ()  # tokens: purposes of those to enter
    typed: bool = False  # tokens: ask for one to be typed in where the order has none
    customer: bool = True  # signature: ask for the customer's as well


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name in answer files and results, what it does, and whether it may be left out.

    ``skip`` holds the reasons for which it may be left out; none means that it may not.
    """

    key: str
    kind: StepKind
    title: str
    skip: tuple[SkipReason, ...] = ()
    options: StepOptions = field(default_factory=StepOptions)


@dataclass(frozen=True, slots=True)
class Procedure:
    """The steps of one order type in the order in which they are done."""

    name: str
    version: int
    title: str
    report_title: str
    declaration: str
    steps: tuple[Step, ...]

    def step(self, key: str) -> Step:
        """Return the step called ``key``.

        Raises:
            BadInput: There is none; the text names those there are.
        """
        for step in self.steps:
            if step.key == key:
                return step
        known = ", ".join(item.key for item in self.steps)
        raise BadInput(f"procedure {self.name} has no step {key!r}; its steps are {known}")


def load_procedure(name: str) -> Procedure:
    """Return the procedure called ``name``, or the one in the file at that path.

    Raises:
        BadInput: There is no such procedure, or its file is wrong; the text says where.
    """
    path = Path(name)
    source = path if path.suffix == ".toml" else resource("procedures", f"{name}.toml")
    try:
        data = tomllib.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(procedure_names())
        raise BadInput(f"there is no procedure {name!r}; known: {known}") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"procedure {name}: {error}") from error
    return _Reader(f"procedure {name}").procedure(data)


def procedure_names() -> list[str]:
    """Return the names of all procedures that come with the program, sorted."""
    return sorted(
        item.name.removesuffix(".toml")
        for item in resource("procedures").iterdir()
        if item.name.endswith(".toml")
    )


class _Reader:
    """Builds a procedure from its tables and names the place of whatever does not fit."""

    def __init__(self, place: str) -> None:
        self.place = place

    def procedure(self, data: dict[str, Any]) -> Procedure:
        known = {"name", "version", "title", "report_title", "declaration", "steps"}
        self._only(data, known, "")
        steps = data.get("steps")
        if not isinstance(steps, list) or not steps:
            raise BadInput(f"{self.place}: there is no [[steps]] table")
        built = tuple(self._step(item, f"steps[{n}]") for n, item in enumerate(steps))
        keys = [step.key for step in built]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise BadInput(f"{self.place}: two steps are called {', '.join(twice)}")
        if built[-1].kind is not StepKind.COMPLETE:
            raise BadInput(f"{self.place}: the last step must be of the kind complete")
        title = self._text(data, "title", "")
        return Procedure(
            name=self._text(data, "name", ""),
            version=self._number(data, "version", ""),
            title=title,
            report_title=str(data.get("report_title", title)),
            declaration=str(data.get("declaration", "")),
            steps=built,
        )

    def _step(self, data: dict[str, Any], where: str) -> Step:
        self._only(data, {"key", "kind", "title", "skip", "options"}, where)
        key = self._text(data, "key", where)
        if not key.isidentifier():
            raise BadInput(f"{self.place}: {where}.key {key!r} must be one word of letters")
        return Step(
            key=key,
            kind=self._one(StepKind, self._text(data, "kind", where), f"{where}.kind"),
            title=self._text(data, "title", where),
            skip=tuple(
                self._one(SkipReason, str(reason), f"{where}.skip")
                for reason in data.get("skip", ())
            ),
            options=self._options(data.get("options", {}), f"{where}.options"),
        )

    def _options(self, data: dict[str, Any], where: str) -> StepOptions:
        defaults = StepOptions()
        self._only(data, set(StepOptions.__dataclass_fields__), where)
        values: dict[str, Any] = {}
        for key, value in data.items():
            default = getattr(defaults, key)
            given = tuple(value) if isinstance(value, list) else value
            if type(given) is not type(default):
                raise BadInput(f"{self.place}: {where}.{key} cannot be {value!r}")
            values[key] = given
        return StepOptions(**values)

    def _only(self, data: dict[str, Any], known: set[str], where: str) -> None:
        strange = sorted(set(data) - known)
        if strange:
            text = ", ".join(f"{where}.{key}".lstrip(".") for key in strange)
            raise BadInput(f"{self.place}: {text} is not known here; {', '.join(sorted(known))} is")

    def _text(self, data: dict[str, Any], key: str, where: str) -> str:
        value = data.get(key)
        if not isinstance(value, str) or not value:
            raise BadInput(f"{self.place}: {f'{where}.{key}'.lstrip('.')} must be a text")
        return value

    def _number(self, data: dict[str, Any], key: str, where: str) -> int:
        value = data.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise BadInput(f"{self.place}: {f'{where}.{key}'.lstrip('.')} must be a number from 1")
        return value

    def _one(self, kind: type[K], value: str, where: str) -> K:
        try:
            return kind(value)
        except ValueError as error:
            raise BadInput(
                f"{self.place}: {where} {value!r} is not known; {', '.join(kind)} is"
            ) from error
