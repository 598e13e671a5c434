"""``run`` and ``report``: work an order without a window; make and prove its report."""

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from app.commands.options import common_options, database
from app.commands.target import link_options, target_from
from app.commands.terminal import Terminal, flat_answers, reported
from app.errors import BadInput
from app.main import desk_on
from app.models.files import save_file
from app.reports.verify import verify
from app.services.seat import demand_somebody
from app.tasks import Ask, Event, Found
from app.workorders.checks import Check
from app.workorders.queue import find_order
from app.workorders.results import StepView
from app.workorders.runner import Outcome
from app.workorders.visit import Answered

FAILED = 23


@click.command("run")
@click.argument("order")
@click.argument("link", required=False, default="")
@click.option("--answers", type=click.Path(path_type=Path), help="TOML: step.question = answer")
@click.option("--stop-after", default="", help="end after this step")
@link_options
@common_options
def run_order(order: str, link: str, answers: Path | None, stop_after: str, **given: Any) -> None:
    """Work ORDER with the meter on LINK, from where it stopped.

    Questions are answered from the answers file, else at the terminal.
    """
    as_json = given["as_json"]
    with reported(as_json), database(given["data"]) as db:
        terminal = Terminal(as_json, answers=flat_answers(answers) if answers else {})
        terminal.said = said_steps(terminal)
        desk = desk_on(db)
        target, trace = target_from(link, given["data"], given)
        if trace is not None:
            desk.trace = trace
        order_id = find_order(db, order)
        with closing(desk.trace):
            outcome = terminal.run(
                desk.work(
                    order_id,
                    link,
                    stop_after=stop_after,
                    skips=skips_in(terminal.answers),
                    overrides=target.overrides,
                    meter_type=target.meter_type,
                    secrets=target.secrets if given["secret"] or given["secret_env"] else None,
                )
            )
        terminal.result(outcome_shape(outcome, desk.steps(order_id)), outcome_words(outcome))
        if outcome.verdict == "FAIL":
            raise SystemExit(FAILED)


def skips_in(answers: dict[str, str]) -> dict[str, str]:
    """Return the steps to leave out, with their reasons: answers like ``profile.skip``."""
    return {
        key.removesuffix(".skip"): reason
        for key, reason in answers.items()
        if key.endswith(".skip") and reason
    }


def said_steps(terminal: Terminal) -> Any:
    """Return a listener that tells each step and check as it is established."""

    def said(event: Event) -> None:
        if isinstance(event, Ask) and event.key.endswith("_refused"):
            terminal.say(f"    {event.text} {event.detail}")
        if not isinstance(event, Found):
            return
        item = event.item
        if event.what == "notice":
            terminal.say(f"    {item}")
        elif isinstance(item, StepView) and item.state not in {"open", "running"}:
            terminal.say(f"  {item.title:<16} {item.verdict or item.state:<16} {item.summary}")
        elif isinstance(item, Answered):
            terminal.say(f"  ({item.key} was answered before: {item.answer})")
        elif isinstance(item, Check):
            note = item.remark or item.limit_words
            terminal.say(f"    {item.verdict:<15} {item.title}: {item.measured_words}  {note}")

    return said


def outcome_shape(outcome: Outcome, steps: tuple[StepView, ...]) -> dict[str, Any]:
    """Return how far an order came, with its steps."""
    return {
        "order_id": outcome.order_id,
        "state": outcome.state,
        "verdict": outcome.verdict,
        "step": outcome.step,
        "steps": [
            {
                "step": step.key,
                "title": step.title,
                "state": step.state,
                "verdict": step.verdict,
                "summary": step.summary,
            }
            for step in steps
        ],
    }


def outcome_words(outcome: Outcome) -> str:
    """Return how far an order came, in a sentence."""
    if outcome.verdict:
        return f"The order is {outcome.state}: {outcome.verdict}"
    return f"The order is {outcome.state}; the last step done is {outcome.step or 'none'}"


class ReportGroup(click.Group):
    """``report ORDER --out FILE`` beside ``report verify FILE``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take anything but a known command for the number of an order."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["make", *args]
        return super().parse_args(ctx, args)


@click.group(cls=ReportGroup)
def report() -> None:
    """Make the report of an order (report ORDER --out FILE.pdf), or verify one."""


@report.command("make", hidden=True)
@click.argument("order")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True)
@click.option("--language", default="", help="language of the report")
@common_options
def make(*, order: str, out: Path, language: str, data: Path | None, as_json: bool) -> None:
    """Write the report of ORDER to a file."""
    with reported(as_json), database(data) as db:
        if language and language != "en":
            raise BadInput(f"reports cannot be made in {language!r} yet; only in 'en'")
        demand_somebody(db)
        source = desk_on(db).render_report(find_order(db, order))
        save_file(out, source.read_bytes())
        Terminal(as_json).result({"report": str(out)}, f"Written to {out}")


@report.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--hash", "expected", default="", help="the hash as known from elsewhere")
@common_options
def verify_file(*, file: Path, expected: str, data: Path | None, as_json: bool) -> None:
    """Prove that FILE is what its attached record makes: hash, QR code, pages, photos."""
    del data
    with reported(as_json):
        if file.is_dir():
            raise BadInput(f"{file} is a folder; name the PDF file in it")
        if not file.is_file():
            raise BadInput(f"there is no file {file}")
        proof = verify(file, expected)
        shape = {
            "file": str(file),
            "sound": proof.sound,
            "record_hash": proof.record_hash,
            "printed_hash": proof.printed_hash,
            "problems": list(proof.troubles),
        }
        said = "\n".join(proof.troubles) or f"The report is sound; its hash is {proof.record_hash}"
        Terminal(as_json).result(shape, said)
        if not proof.sound:
            raise SystemExit(FAILED)
