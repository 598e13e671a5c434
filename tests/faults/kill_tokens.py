"""Kills a key-change visit at its n-th database statement or meter call, then resumes it.

Run as a program.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from app.models.database import Database
from app.tasks import collect
from app.workorders.runner import work
from app.workorders.tokens import import_tokens
from drivers.metertype import PrepaymentType
from drivers.prepayment import PrepaymentReading, TokenAnswer, TokenState
from drivers.secrets import Secret
from drivers.simulator.tokenoffice import TokenOffice
from drivers.values import Identity
from tests.fake_meter import FAKE_TYPE, THREE_PHASE, Behaviour, FakeMeter, Memory
from tests.faults.kill_zygote import ORDER
from tests.faults.killing import kill_everywhere
from tests.prepayment_setup import ANSWERS, DRN, FIRST_KEY, ISSUED, SECOND_KEY, SERIAL, box_in
from tests.visit_setup import add_order, context_for

KIND = replace(FAKE_TYPE, prepayment=PrepaymentType(token_encoding="ascii20", detail="code8"))
SPARSE = 7
CODES = (1, 2, 3, 17, 1, 1)
POSITIONS = (1, 101, 102, 103, 104, 201)


class TokenMeter(FakeMeter):
    """A fake that keeps every token it was ever given, in a file."""

    def _entries(self) -> list[str]:
        return list(self.memory.load().get("entries", []))

    def prepayment(self) -> PrepaymentReading:
        self._called("prepayment")
        entries = self._entries()
        key = SECOND_KEY if len(entries) >= 5 else FIRST_KEY
        return PrepaymentReading(
            drn=DRN,
            sgc=key.sgc,
            ti=key.ti,
            krn=key.krn,
            ea=11,
            balance=Decimal(10 + len(entries)),
            unit="kWh",
            last_token=str(len(entries)) if entries else "never",
        )

    def enter_token(self, token: Secret) -> TokenAnswer:
        self._called("enter_token")
        entries = self._entries()
        digits = token.reveal().decode()
        self.memory.save({**self.memory.load(), "entries": [*entries, digits]})
        self._called("token was entered")
        return self.token_answer()

    def token_answer(self) -> TokenAnswer:
        self._called("token_answer")
        entries = self._entries()
        if entries[-1] in entries[:-1]:
            return TokenAnswer(TokenState.REFUSED, 10, 6)
        return TokenAnswer(TokenState.ACCEPTED, CODES[len(entries) - 1], 3)


def visit(folder: Path, tell: Callable[[str], None]) -> None:
    """Work the order to its end, telling every meter call."""
    steps = ("old_credit", "keychange", "new_tokens")
    again = {f"{step}.t{place}_again": "Enter it" for step in steps for place in POSITIONS}
    memory = Memory(folder / "meter.json")
    few = dict(list(THREE_PHASE.items())[:2])
    identity = Identity(serial=SERIAL, manufacturer="FAK")
    behaviour = Behaviour(identity=identity, kind=KIND, values=few, before_call=tell)
    with Database.open(folder) as db:
        context = replace(
            context_for(db, memory, behaviour),
            tokens=box_in(folder),
            open_meter=lambda _kind: TokenMeter(memory, behaviour),
        )
        collect(work(context, ORDER), {**ANSWERS, **again})


def template(folder: Path) -> None:
    """Make the database with one order and its tokens, and the keyring beside it."""
    office = TokenOffice(DRN)
    quad = office.key_change(SECOND_KEY)
    cells = {
        "reference": "WO-1", "drn": DRN, "old_sgc": FIRST_KEY.sgc, "old_krn": "1",
        "new_sgc": SECOND_KEY.sgc, "new_krn": "2", "old_credit": office.credit(3, ISSUED),
        **{f"kct_{n}": token for n, token in enumerate(quad, 1)},
        "credit": office.after(SECOND_KEY).credit(5, ISSUED),
    }  # fmt: skip
    listed = folder.parent / "tokens.csv"
    listed.write_text(",".join(cells) + "\n" + ",".join(cells.values()) + "\n", encoding="utf-8")
    with Database.open(folder) as db:
        add_order(
            db, ORDER, kind="key_change", procedure="key_change", meter_serial=SERIAL,
            external_ref="WO-1",
        )  # fmt: skip
        import_tokens(db, listed, box_in(folder))


def places(seen: list[str]) -> list[int]:
    """Return where to kill: at every call about tokens, right after commits, and every n-th."""
    calls = {"enter_token", "token was entered", "token_answer"}
    first = next(n for n, what in enumerate(seen, 1) if what == "enter_token")
    near = {n for n, what in enumerate(seen, 1) if what in calls}
    around = {n + step for n in near for step in (-2, 2, 5)} if len(near) < 40 else set()
    return sorted(near | around | set(range(first, len(seen), SPARSE * 4)))


if __name__ == "__main__":
    kill_everywhere(Path(sys.argv[1]), visit, template, places)
