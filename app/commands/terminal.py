"""What a person at a terminal, or a script, gets from a command: tables, JSON, progress, questions.

Results go to standard output; with ``--json`` exactly one document.  Everything else - progress,
questions, messages - goes to standard error.
"""

import json
import os
import signal
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import click

from app.errors import BadInput, Cancelled
from app.messages import Message, exit_code, explain
from app.services.keypad import KeypadAsk
from app.tasks import Ask, Cancel, Event, Progress, Task, run

T = TypeVar("T")
QUIET = 1.0  # s before progress is shown: short work says nothing
APPROVAL_VARIABLE = "METERWRIGHT_APPROVAL_PASSWORD"
REPEAT = 0.25  # s between two lines of progress
STANDARD_ERROR = 2
_STOPS = (signal.SIGINT, signal.SIGTERM)
STOPPING = b"Stopping: the meter is signed off. Press Ctrl-C again to stop at once.\n"


def flat_answers(path: Path) -> dict[str, str]:
    """Return the answers of a TOML file as ``{"identify.serial": "..."}``.

    Raises:
        BadInput: The file cannot be read.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"the answers in {path} cannot be read: {error}") from error
    return dict(_flat("", data))


def _flat(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(f"{place}.{name}" if place else name, inner)
    else:
        yield place, str(value)


@dataclass
class Terminal:
    """One run of a command: how it shows its result and where answers come from."""

    as_json: bool = False
    answers: dict[str, str] = field(default_factory=dict)
    interactive: bool = True
    said: Callable[[Event], None] | None = None
    typist: Callable[[KeypadAsk], str] | None = None  # types tokens on a virtual meter
    _begun: float = 0.0
    _shown: float = 0.0
    _stage: str = ""
    _stage_begun: float = 0.0

    def result(self, data: Any, table: Callable[[], str] | str = "") -> None:
        """Print the result of the command: ``data`` as JSON, or ``table`` for people."""
        if self.as_json:
            click.echo(json.dumps(data, ensure_ascii=False, indent=1))
        elif text := (table() if callable(table) else table):
            click.echo(text)

    def say(self, text: str) -> None:
        """Tell the person something that is no result; nothing where there is no text."""
        if text:
            click.echo(text, err=True)

    def run(self, task: Task[T]) -> T:
        """Drive ``task`` here; Ctrl-C or SIGTERM stops it, a second one abandons the sign-off."""
        cancel = Cancel()
        self._begun = time.monotonic()

        def pressed(number: int, frame: FrameType | None) -> None:
            del number, frame
            # not `say`: this may come in the middle of one, and a stream is not entered twice
            os.write(STANDARD_ERROR, STOPPING)
            cancel.press()

        before = {number: signal.signal(number, pressed) for number in _STOPS}
        try:
            return run(task, self._handle, cancel)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _handle(self, event: Event) -> str | None:
        if self.said is not None:
            self.said(event)
        if isinstance(event, Ask):
            return self._answer(event)
        if isinstance(event, Progress):
            self._progress(event)
        return None

    def _progress(self, event: Progress) -> None:
        now = time.monotonic()
        if event.text != self._stage:
            self._stage, self._stage_begun = event.text, now
        elif now - self._shown < REPEAT:
            return
        if now - self._begun < QUIET and not sys.stderr.isatty():
            return
        self._shown = now
        self.say(progress_line(event, now - self._stage_begun))

    def _answer(self, ask: Ask) -> str:
        if ask.kind == "proof":
            return self._password(ask)
        if isinstance(ask, KeypadAsk) and self.typist is not None:
            return self.typist(ask)
        if ask.key in self.answers:
            given = self.answers[ask.key]
            if ask.choices and ask.kind == "choice" and given not in ask.choices:
                wanted = ", ".join(ask.choices)
                raise BadInput(f"the answer {ask.key} = {given!r} is none of {wanted}")
            return given
        if not (self.interactive and sys.stdin.isatty()):
            if ask.optional or ask.default:
                return ask.default
            raise BadInput(
                f"the question {ask.key!r} ({ask.text}) has no answer; put it into the answers file"
                + (f", one of {', '.join(ask.choices)}" if ask.kind == "choice" else "")
            )
        if isinstance(ask, KeypadAsk):
            self.say(f"Token {ask.place} of {ask.count}:   " + "   ".join(ask.groups))
            self.say(ask.pad.correct if ask.pad else "")
        if ask.detail:
            self.say(ask.detail)
        if ask.kind == "choice":
            kinds = click.Choice(ask.choices)
            return str(click.prompt(ask.text, type=kinds, default=ask.default or None, err=True))
        default = ask.default if ask.default or ask.optional else None
        return str(click.prompt(ask.text, default=default, err=True))

    def _password(self, ask: Ask) -> str:
        """Return a password of a second person: never out of an answers file."""
        if given := os.environ.get(APPROVAL_VARIABLE, ""):
            return given
        if not (self.interactive and sys.stdin.isatty()):
            raise BadInput(
                f"the question {ask.key!r} ({ask.text}) wants a password, which no answers file"
                f" has; give it in {APPROVAL_VARIABLE}"
            )
        return str(click.prompt(ask.text, hide_input=True, err=True))


def progress_line(event: Progress, elapsed: float) -> str:
    """Return one line of progress with rate and forecast, where the total is known."""
    if not event.total:
        return event.text if not event.done else f"{event.text}: {event.done:,} {event.unit}"
    line = f"{event.text}: {event.done:,} of {event.total:,} {event.unit}".rstrip()
    if event.done and elapsed > QUIET:
        rate = event.done / elapsed
        left = (event.total - event.done) / rate
        line += f", {rate:,.0f} a second, about {duration(left)} left"
    return line


def duration(seconds: float) -> str:
    """Return ``seconds`` as people say it: "46 s", "3 min 20 s", "1 h 05 min"."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004
        return f"{whole} s"
    if whole < 3600:  # noqa: PLR2004
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


@contextmanager
def reported(as_json: bool, arrived: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Turn an error into its words and its exit code; a defect is shown as one.

    With ``as_json`` what stands in ``arrived`` by then comes beside the error, in its document.
    """
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort, SystemExit):
        raise
    except BaseException as raised:
        # Ctrl-C outside long work, which has its own way to stop
        error = Cancelled() if isinstance(raised, KeyboardInterrupt) else raised
        code = exit_code(error)
        message = explain(error)
        if as_json:
            body = {
                "code": code,
                "name": type(error).__name__,
                "title": message.title,
                "meaning": message.meaning,
                "remedy": message.remedy,
                "detail": message.detail,
            }
            if notes := getattr(error, "__notes__", ()):
                body["notes"] = list(notes)
            click.echo(json.dumps({"error": body, **(arrived or {})}, ensure_ascii=False))
        else:
            _tell(message, getattr(error, "__notes__", ()))
        if code == 1:
            import logging

            logging.getLogger("app").exception("defect")
        sys.exit(code)


def _tell(message: Message, notes: Sequence[str]) -> None:
    """Say what went wrong, what helps, and what was noticed on the way."""
    click.echo(f"{message.title}\n  {message.meaning}\n  {message.remedy}", err=True)
    if message.detail:
        click.echo(f"  ({message.detail})", err=True)
    for note in notes:
        click.echo(f"  - {note}", err=True)


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a plain table: columns as wide as their longest cell, numbers on the right."""
    if not rows:
        return "nothing"
    numeric = [
        all(_number(row[n]) for row in rows if row[n]) and any(row[n] for row in rows)
        for n in range(len(head))
    ]
    widths = [max(len(head[n]), *(len(row[n]) for row in rows)) for n in range(len(head))]
    lines = []
    for row in (head, *rows):
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _number(text: str) -> bool:
    return text.replace(".", "", 1).replace("-", "", 1).isdigit()
