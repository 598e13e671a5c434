"""The product with one safeguard taken out, to see that the simulation finds it missing.

A mutant is the source of one function with one piece replaced.  A piece that is not there any
more is an error, so that a mutant cannot quietly become the product itself.
"""

import inspect
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from app.centre import fold, store
from app.centre.ledger import Ledger
from app.centre.sqlite_session import SqliteSession
from app.sync import session
from tests.faults.many_simulations import LONG, MIDDLE


@dataclass(frozen=True)
class Mutant:
    """What is taken out, where, and the promise that is broken then."""

    name: str
    owner: Any  # the module or class that holds the function
    function: str
    piece: str
    instead: str
    breaks: str
    seed: int = 0  # a start number that shows it; tried first
    of: tuple[int, int] = LONG

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Put the changed function in its place, also where it was imported by name."""
        original = getattr(self.owner, self.function)
        changed = mutated(original, self.piece, self.instead)
        patch.setattr(self.owner, self.function, changed)
        for module in [*sys.modules.values()]:
            if module.__name__.startswith("app.") and vars(module).get(self.function) is original:
                patch.setattr(module, self.function, changed)


def mutated(function: Callable[..., Any], piece: str, instead: str) -> Callable[..., Any]:
    """Return ``function`` with a piece of its source replaced."""
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(piece) == 1, f"{piece!r} is {source.count(piece)} times in {function}"
    scope: dict[str, Any] = {}
    code = compile(source.replace(piece, instead), f"<mutant of {function.__name__}>", "exec")
    exec(code, function.__globals__, scope)
    made: Callable[..., Any] = scope[function.__name__]
    return made


MUTANTS = [
    Mutant(
        "the centre takes numbers with a gap", SqliteSession, "push",
        "if envelope.seq != last + 1:", "if False:", "I", 68, MIDDLE,
    ),
    Mutant(
        "the centre does not compare what it has", SqliteSession, "push",
        "if stored.get(envelope.seq) != sha256:", "if False:", "I1", 4, MIDDLE,
    ),
    Mutant(
        "an older epoch is applied", fold, "judge",
        "order.assignee != device_id or order.epoch != envelope.epoch",
        "order.assignee != device_id", "I4", 3, MIDDLE,
    ),
    Mutant(
        "another laptop's result is applied", fold, "judge",
        "order.assignee != device_id or order.epoch != envelope.epoch", "False", "I4", 2, MIDDLE,
    ),
    Mutant(
        "an order is done twice", fold, "_judge_own",
        "kind == DONE and order.completed", "False", "I4", 8, MIDDLE,
    ),
    Mutant(
        "a fact sent under two numbers counts twice", Ledger, "take",
        "envelope.event_id in self._known", "False", "I1", 208,
    ),
    Mutant(
        "nobody is asked about what was not applied", Ledger, "close",
        "self._open_reviews(odd)", "pass", "I5", 0, MIDDLE,
    ),
    Mutant(
        "the state is not written", Ledger, "close",
        "save_orders(self._connection, self._changed.values())", "pass", "I3", 0, MIDDLE,
    ),
    Mutant(
        "letters get the same number", store, "post", "enumerate(letters, head + 1)",
        "enumerate(letters, max(head, 1))", "mail.device_id, mail.seq",
    ),
    Mutant(
        "the mailbox is not read anew after a restore", session._Session, "_greet",
        "laptop.mail_cursor = 0", "pass", "I6", 56, MIDDLE,
    ),
    Mutant(
        "files are not asked for again after a restore", session._Session, "_greet",
        "forget_verification(session)", "pass", "I6", 7,
    ),
    Mutant(
        "an older disk does not read back", session._Session, "_read_back",
        "if not wanted:", "if True:", "I1, I2", 20, MIDDLE,
    ),
    Mutant(
        "new numbers are taken without alarm", SqliteSession, "new_incarnation",
        "alarm=_TWICE", 'alarm=""', "I16", 0, MIDDLE,
    ),
    Mutant(
        "the mail cursor moves without the mail", session._Session, "_pull_all",
        "apply_mail(session, mail)", "pass", "I6",
    ),
]  # fmt: skip
