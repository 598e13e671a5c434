"""The question panel: one question of the procedure, answered by key, hand or scanner."""

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QSizePolicy, QWidget

from app.tasks import AnswerKind, Ask
from app.views import files
from app.views.controls import ActionButton
from app.views.scanner import refusal
from app.views.surfaces import Banner, column_of, label, row_of
from app.views.theme import Look

PICTURES = "Photos (*.jpg *.jpeg *.png)"
WORDS = {
    AnswerKind.TEXT: "Answer",
    AnswerKind.SERIAL: "Meter number",
    AnswerKind.SEAL: "Seal number",
    AnswerKind.TOKEN: "Token",
    AnswerKind.NUMBER: "Number",
    AnswerKind.FILE: "File of the photo",
    AnswerKind.SIGNATURE: "Full name",
    AnswerKind.PROOF: "Own password",
}
MOST_IN_BAR, CHOICES_A_ROW = 4, 3
CHECKED_LENGTHS = {13, 14, 18}  # numbers whose last digit is a check digit (GS1)


def number_in(text: str) -> Decimal | None:
    """Give the number in what was typed, with comma or point; None when it is none."""
    try:
        value = Decimal(text.strip().replace(",", ".").replace("−", "-"))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def gs1_fits(digits: str) -> bool:
    """Tell whether the last digit checks the others, for the lengths that have a check digit."""
    if len(digits) not in CHECKED_LENGTHS or not digits.isdecimal():
        return False
    figures = enumerate(reversed(digits[:-1]))
    total = sum(int(figure) * (1 if place % 2 else 3) for place, figure in figures)
    return (10 - total % 10) % 10 == int(digits[-1])


def _no_icon(_: str) -> str:
    return ""


class QuestionPanel(Banner):
    """Shows a question; ``buttons`` go into the action bar, the primary one last."""

    answered = Signal(str)
    noticed = Signal(str)  # why a scan was refused, or what is still to be done

    def __init__(self, look: Look, question: Ask) -> None:
        super().__init__(look, "accent", question.text, question.detail, _icon(question.kind))
        self.question = question
        self.setAccessibleName(question.text)
        self.setAccessibleDescription(question.detail)
        self.fields: list[QLineEdit] = []
        self.buttons: list[ActionButton] = []
        self.primary: ActionButton | None = None
        self._look = look
        self._picture: QLabel | None = None
        self._grid: QWidget | None = None  # of more choices than the action bar has room for
        self._hint = label(look, "", muted=True, wrap=True)
        if question.kind is AnswerKind.CHOICE:
            self._offer_choices()
        else:
            self._offer_fields()

    @property
    def first_focus(self) -> QWidget | None:
        """Where typing begins."""
        if self.fields:
            return self.fields[0]
        if self._grid is not None:
            return self._grid.findChild(ActionButton)
        return self.primary or (self.buttons[0] if self.buttons else None)

    def take_scan(self, text: str) -> bool:
        """Answer with what was scanned, if it is of the right kind."""
        if not self.fields:
            return False
        if reason := refusal(text, self.question.kind):
            self.say(reason, wrong=True)
            self.noticed.emit(reason)
            return True
        if self.question.kind is AnswerKind.SERIAL:
            return self._take_serial(text)
        self.fields[0].setText(text)
        if self.question.kind is AnswerKind.SEAL:
            self.answered.emit(text)
        return True

    def say(self, text: str, *, wrong: bool = False) -> None:
        """Show a line below the field."""
        self._hint.setText(text)
        self._hint.setProperty("part", "problem" if wrong else "muted")
        self._hint.style().unpolish(self._hint)
        self._hint.style().polish(self._hint)
        self._hint.setVisible(bool(text))

    def _take_serial(self, text: str) -> bool:
        first, again = self.fields
        if gs1_fits(text) or (first.text() == text and again.text() in {"", text}):
            first.setText(text)
            again.setText(text)
            self.answered.emit(text)
        elif first.text() and first.text() != text:
            first.setText(text)
            again.clear()
            self.say(f"Another number was scanned: {text}. Scan it again to be sure.", wrong=True)
        else:
            first.setText(text)
            self.say("Scan it once more, so that a wrong read is noticed.")
        return True

    def _offer_choices(self) -> None:
        question, look = self.question, self._look
        if len(question.choices) > MOST_IN_BAR:
            self._grid = self.choice_grid(question.choices)
            self.add(self._grid)
            return
        for index, choice in enumerate(question.choices):
            best = index == 0 and not question.dangerous
            button = self._button(choice, "primary" if best else "secondary", "Enter" * best)
            button.clicked.connect(lambda _=False, text=choice: self.answered.emit(text))
            if best:
                self.primary = button
            elif look.gloves:
                button.setFixedHeight(look.primary)
            self.buttons.insert(0, button)

    def choice_grid(
        self, choices: Sequence[str], icon_of: Callable[[str], str] = _no_icon
    ) -> QWidget:
        """Give a button for each choice, a few in a line; none of them is on Enter."""
        host = QWidget()
        grid = QGridLayout(host)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(max(self._look.gap, self._look.space.s))
        for index, choice in enumerate(choices):
            button = ActionButton(self._look, choice, "secondary", icon_of(choice))
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(partial(self.answered.emit, choice))
            grid.addWidget(button, *divmod(index, CHOICES_A_ROW))
        return host

    def _button(self, text: str, kind: str, key: str) -> ActionButton:
        return ActionButton(self._look, text, kind, "", "" if self._look.compact else key)

    def _offer_fields(self) -> None:
        question, look = self.question, self._look
        name = WORDS.get(question.kind, "Answer")
        line = row_of(look, self._field(name, question.default), gap=max(look.space.l, look.gap))
        self.add(line)
        if question.kind is AnswerKind.SERIAL:
            line.add(self._field("The same number again", ""))
        if question.kind is AnswerKind.FILE:
            choose = ActionButton(look, "Choose a photo…", "secondary", "camera")
            choose.clicked.connect(self._choose_file)
            self._picture = QLabel()
            self._picture.setAccessibleName("The photo")
            self._picture.hide()
            line.box.addWidget(choose, 0, Qt.AlignmentFlag.AlignBottom)
            line.add(self._picture)
        line.box.addStretch()
        self.add(self._hint)
        self._hint.hide()
        proof = question.kind is AnswerKind.PROOF
        self.primary = self._button("Approve" if proof else "Keep", "primary", "Enter")
        self.primary.clicked.connect(self._submit)
        self.buttons = [self.primary]
        if question.optional:
            skip = self._button("Leave out", "secondary", "")
            skip.clicked.connect(lambda: self.answered.emit(""))
            if look.gloves:
                skip.setFixedHeight(look.primary)
            self.buttons.insert(0, skip)
        if question.kind is AnswerKind.SERIAL:
            self.say("Scan it, or type it twice.")
        self._judge()

    def _field(self, name: str, text: str) -> QWidget:
        look = self._look
        edit = QLineEdit(text)
        edit.setAccessibleName(name)
        if self.question.kind is AnswerKind.PROOF:
            edit.setEchoMode(QLineEdit.EchoMode.Password)
        edit.setFont(look.font(mono=self.question.kind in {AnswerKind.SERIAL, AnswerKind.SEAL}))
        edit.setFixedWidth(look.width_of("0" * (20 if look.compact else 32)))
        edit.textChanged.connect(self._judge)
        caption = label(look, name, "caption", muted=True)
        caption.setBuddy(edit)
        self.fields.append(edit)
        return column_of(look, caption, edit, gap=2)

    def _judge(self) -> None:
        if self.primary is not None:
            self.primary.setEnabled(not self._trouble(quiet=True))

    def _trouble(self, *, quiet: bool = False) -> str:
        """Say why the answer cannot be taken yet; "" when it can."""
        text, kind = self.fields[0].text().strip(), self.question.kind
        problems: dict[AnswerKind, Callable[[], str]] = {
            AnswerKind.NUMBER: lambda: "" if number_in(text) is not None else "This is no number.",
            AnswerKind.FILE: lambda: "" if quiet or Path(text).is_file() else "No such file.",
            AnswerKind.SERIAL: lambda: self._serial_trouble(text),
        }
        if not text:
            return "" if self.question.optional and not quiet else "Nothing was entered."
        return problems.get(kind, lambda: "")()

    def _serial_trouble(self, text: str) -> str:
        again = self.fields[1].text().strip()
        if not again:
            return "Type the number a second time."
        return "" if again == text else "The two numbers differ."

    def _submit(self) -> None:
        if trouble := self._trouble():
            self.say(trouble, wrong=True)
            return
        text = self.fields[0].text().strip()
        if self.question.kind is AnswerKind.NUMBER and text:
            text = format(number_in(text) or Decimal(0), "f")
        self.answered.emit(text)

    def _choose_file(self) -> None:
        path = files.ask_open(self, self.question.text, PICTURES)
        if path is not None:
            self.fields[0].setText(str(path))
            self._show_picture(path)

    def _show_picture(self, path: Path) -> None:
        if self._picture is None:
            return
        edge = self._look.primary * 2
        picture = QPixmap(str(path))
        if not picture.isNull():
            shape = Qt.AspectRatioMode.KeepAspectRatio
            smooth = Qt.TransformationMode.SmoothTransformation
            self._picture.setPixmap(picture.scaled(edge * 2, edge, shape, smooth))
        self._picture.setVisible(not picture.isNull())


def _icon(kind: AnswerKind) -> str:
    return {
        AnswerKind.SERIAL: "scan-barcode",
        AnswerKind.SEAL: "lock",
        AnswerKind.TOKEN: "scan-barcode",
        AnswerKind.FILE: "camera",
        AnswerKind.SIGNATURE: "user",
        AnswerKind.TEXT: "sticky-note",
        AnswerKind.PROOF: "lock",
    }.get(kind, "info")
