"""``demo``: the whole job on sample orders and virtual meters, with the window or without."""

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.terminal import Terminal, reported

if TYPE_CHECKING:
    from app.demo import Demo
    from app.services.keypad import KeypadAsk
    from app.workorders.desk import Desk


@click.command()
@click.option("--headless", is_flag=True, help="no window: work the orders and say what was done")
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--theme", type=click.Choice(["light", "field", "dark"]))
@click.option("--json", "as_json", is_flag=True, help="one JSON document")
def demo(headless: bool, folder: Path | None, theme: str | None, as_json: bool) -> None:
    """Show the program with sample orders, virtual meters and a central store in a file."""
    with reported(as_json):
        if headless or as_json or not has_display():
            _headless(folder or Path(tempfile.mkdtemp(prefix="meterwright-demo-")), as_json)
        else:
            _window(folder, theme)


def has_display() -> bool:
    """Tell whether a window can be shown."""
    if os.name == "nt" or sys.platform == "darwin":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def _window(folder: Path | None, theme: str | None) -> None:
    """Show the window first; everything behind it is imported and opened while it is on view."""
    from contextlib import ExitStack

    from app.views.application import run_application

    with ExitStack() as stack:

        def prepared() -> "Desk":
            from app.demo import running_demo
            from app.paths import data_folder

            place = folder or data_folder() / "demo"
            desk = stack.enter_context(running_demo(place)).desk
            if theme:
                desk.settings.set("look.theme", theme)
            return desk

        code = run_application(prepared, sys.argv[:1])
    raise SystemExit(code)


def _headless(folder: Path, as_json: bool) -> None:
    from app.commands.work import said_steps
    from app.demo import COMMISSION, READ_OUT, running_demo
    from app.demo_prepayment import ORDER

    terminal = Terminal(as_json, interactive=False)
    terminal.said = said_steps(terminal)
    with running_demo(folder) as running:
        jobs = [(COMMISSION, running.optical), (READ_OUT, running.replay), (ORDER, running.bus)]
        done = [_worked(terminal, running, number, port) for number, port in jobs]
        terminal.say("Syncing with the centre")
        first = terminal.run(running.desk.synchronise())
        second = terminal.run(running.desk.synchronise())
        terminal.say(f"  sent {first.sent} events and {first.blobs} files, then {second.sent}")
    shape = {
        "dir": str(folder),
        "centre": running.centre,
        "orders": done,
        "sync": {"sent": first.sent, "sent_again": second.sent, "in_step": second.in_step},
    }
    files = [str(folder / "local.sqlite"), str(folder / "centre.sqlite")]
    files += [job["report"] for job in done]
    terminal.result(shape, "\n".join(["What was made:", *(f"  {name}" for name in files)]))
    if not all(job["verdict"] and job["verdict"] != "FAIL" for job in done):
        raise SystemExit(23)


def _worked(terminal: Terminal, running: "Demo", number: str, port: str) -> dict[str, Any]:
    from app.commands.work import outcome_words
    from app.workorders.queue import find_order, order_detail

    desk = running.desk
    order_id = find_order(desk.db, number)
    row = order_detail(desk.db, order_id).row
    terminal.say(f"Order {number}, {row.title}, on {port}")
    terminal.answers = {
        "identify.serial": row.meter_serial,
        "clock.set": "Set",
        "evidence.seal": "NP-0042117",
        "evidence.note": "Demo visit, worked without a window",
        "signature.installer": desk.who,
        "signature.customer": "absent",
        **prepayment_answers(row.meter_serial),
    }
    terminal.typist = Typist(terminal, running, row.meter_serial)
    outcome = terminal.run(desk.work(order_id, port))
    terminal.say(f"  {outcome_words(outcome)}")
    return {
        "order": number,
        "order_id": order_id,
        "state": outcome.state,
        "verdict": outcome.verdict,
        "report": str(desk.render_report(order_id)) if outcome.verdict else "",
    }


def prepayment_answers(serial: str) -> dict[str, str]:
    """Return the answers of a key change: credit over the line, the set on the keypad."""
    return {
        "old_credit.channel": "Over the wire",
        "keychange.channel": "On the keypad",
        "keychange.approved_by": "S. Officer",
        "keychange.confirm": serial[-4:],
        "keychange.t101_refused": "Enter it",
        "new_tokens.channel": "Over the wire",
    }


class Typist:
    """Types tokens on a virtual meter; the first one with a wrong last digit, to be refused."""

    def __init__(self, terminal: Terminal, running: "Demo", serial: str) -> None:
        self._terminal, self._running, self._serial = terminal, running, serial
        self._wrong = True

    def __call__(self, ask: "KeypadAsk") -> str:
        """Type the digits and say what the display says, as one of the answers."""
        from app.workorders.entering import display_answer

        digits = "".join(ask.groups)
        if self._wrong:
            digits, self._wrong = digits[:-1] + str((int(digits[-1]) + 1) % 10), False
        display = self._running.keypad.press(self._serial, digits)
        answer = display_answer(display)
        self._terminal.say(f"    typed on the keypad; the display says {display}: {answer}")
        return answer
