"""Asks before something is done to a meter that cannot be taken back lightly."""

from app.errors import BadInput, Cancelled
from app.tasks import AnswerKind, Ask, Task

_DIGITS = 4


def confirm(key: str, text: str, serial: str, *, asked: bool = True) -> Task[None]:
    """Go on only when the last four digits of the meter's number are typed.

    With ``asked`` False (``--yes``) nobody is asked.

    Raises:
        Cancelled: Nothing was typed.
        BadInput: Other digits were typed: another meter is meant.
    """
    if not asked:
        return
    digits = "".join(c for c in serial if c.isalnum())[-_DIGITS:]
    if not digits:
        raise BadInput("the meter does not tell its number, so nobody can confirm it; use --yes")
    detail = f"Meter {serial}. Type the last {len(digits)} digits of its number to go on."
    answer = yield Ask(text, (), key=key, kind=AnswerKind.TEXT, detail=detail, dangerous=True)
    if not answer:
        raise Cancelled
    if answer.strip() != digits:
        raise BadInput(f"{answer.strip()!r} is not the end of the number of this meter")
