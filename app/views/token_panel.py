"""A token typed from paper: twenty digits in groups of four, counted and checked while they come.

What is typed is on this screen and in the answer, nowhere else.  The second entry is compared group
by group with the first, so that a wrong digit is found where it stands.
"""

from collections.abc import Callable

from PySide6.QtWidgets import QLineEdit, QWidget

from app.errors import BadInput
from app.services.keypad import grouped
from app.services.token import TokenAsk, token_facts
from app.views.question_panel import QuestionPanel
from app.views.theme import Look

DIGITS, GROUP = 20, 4
ROOM = 40  # more than a token with its spaces: what is too much is seen, not cut off


class TokenPanel(QuestionPanel):
    """One field that groups; below it the count, then what kind of token this is."""

    def __init__(self, look: Look, question: TokenAsk) -> None:
        self._ask = question
        super().__init__(look, question)

    @property
    def digits(self) -> str:
        """What was typed, without the spaces."""
        return _figures(self.fields[0].text())

    def take_scan(self, text: str) -> bool:
        """Take the digits of a scanned receipt; they are kept only when nothing speaks against."""
        plain = _figures(text)
        if len(plain) != len("".join(text.split()).replace("-", "")):
            self.say("This is no token: it has other signs than digits.", wrong=True)
            self.noticed.emit("A token is needed.")
            return True
        self.fields[0].setText(grouped(plain))
        self._submit()
        return True

    def _offer_fields(self) -> None:
        super()._offer_fields()
        back = self._button(self._ask.way_back, "secondary", "")
        back.clicked.connect(lambda: self.answered.emit(""))
        if self._look.gloves:
            back.setFixedHeight(self._look.primary)
        self.buttons.insert(0, back)

    def _field(self, name: str, text: str) -> QWidget:
        made, look, edit = super()._field(name, text), self._look, self.fields[-1]
        edit.setMaxLength(ROOM)
        edit.setFont(look.font("title", strong=True, mono=True))
        edit.setFixedWidth(edit.fontMetrics().horizontalAdvance("0" * 26) + 2 * look.space.m)
        edit.textEdited.connect(lambda typed: _regroup(edit, typed))
        return made

    def _judge(self) -> None:
        super()._judge()
        if not self.fields:
            return
        plain = self.digits
        trouble = self._trouble()
        if plain and len(plain) < DIGITS and not self._differing():
            self.say(f"{len(plain)} of {DIGITS} digits")
        elif plain and trouble:
            self.say(trouble, wrong=True)
        elif plain:
            facts = token_facts(plain)
            same = " The same digits both times." if self._ask.first is not None else ""
            self.say(f"{DIGITS} of {DIGITS} digits: {facts.words}.{same}")
        else:
            self.say(f"0 of {DIGITS} digits. Type them, or scan the receipt.")

    def _trouble(self, *, quiet: bool = False) -> str:
        del quiet
        checks: tuple[Callable[[], str], ...] = (self._count_words, self._differing, self._kind)
        return next(filter(None, (check() for check in checks)), "")

    def _count_words(self) -> str:
        count = len(self.digits)
        if count > DIGITS:
            return f"{count} digits are {count - DIGITS} too many: a token has {DIGITS}."
        if count < DIGITS:
            return self._differing() or f"{count} of {DIGITS} digits"
        return ""

    def _differing(self) -> str:
        """Say which group is another one than the first time; groups still being typed count."""
        if self._ask.first is None:
            return ""
        pairs = zip(_groups(self.digits), _groups(self._ask.first_digits), strict=False)
        for place, (now, then) in enumerate(pairs, 1):
            if not then.startswith(now):
                return f"Group {place} is not as it was typed first. Compare both with the paper."
        return ""

    def _kind(self) -> str:
        try:
            facts = token_facts(self.digits)
        except BadInput as error:
            text = str(error)
            return text[:1].upper() + text[1:] + "."
        if facts.token_class not in self._ask.classes:
            return f"This is {facts.words}: not a token for this step."
        return ""

    def _submit(self) -> None:
        if trouble := self._trouble():
            self.say(trouble, wrong=True)
            return
        self.answered.emit(self.digits)


def _figures(text: str) -> str:
    return "".join(sign for sign in text if sign.isascii() and sign.isdigit())


def _groups(digits: str) -> list[str]:
    return grouped(digits).split()


def _regroup(edit: QLineEdit, typed: str) -> None:
    """Put the spaces where they belong and leave the cursor behind the digit it was behind."""
    before = len(_figures(typed[: edit.cursorPosition()]))
    text = grouped(_figures(typed))
    if text != typed:
        edit.setText(text)
    place = before + max(0, before - 1) // GROUP
    edit.setCursorPosition(min(place, len(text)))
