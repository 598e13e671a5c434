"""How the line was, in one quiet panel: what an installer can make better."""

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views import words
from app.views.surfaces import icon_label, label, row_of
from app.views.theme import Look
from drivers.iec62056.diagnosis import line_diagnosis, parity_words
from drivers.values import Statistics


def line_figures(line: Statistics) -> str:
    """Say what was counted: characters, parity errors, echo, switch margin."""
    parts = [f"{line.bytes_received:,} characters received"]
    parts.append(parity_words(line))
    parts.append("echo seen" if line.echo_seen else "no echo")
    if line.switch_margin_s is not None:
        parts.append(f"speed switch with {line.switch_margin_s * 1000:.0f} ms to spare")
    if line.resends:
        parts.append(words.count(line.resends, "repetition"))
    return ", ".join(parts) + "."


class LinePanel(QWidget):
    """Sentences about the line, most important first; the figures in small below them."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.sentences: tuple[str, ...] = ()
        self.setAccessibleName("How the line was")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._rows: list[QWidget] = []
        self.hide()

    def show_line(self, line: Statistics | None, notes: Sequence[str] = ()) -> None:
        """Show what a line has counted, and notes of an error before it; nothing hides it."""
        for row in self._rows:
            row.hide()
            row.deleteLater()
        self._rows = []
        found = line_diagnosis(line) if line is not None and line.bytes_sent else ()
        remarks = line.remarks if line is not None else []
        self.sentences = tuple(dict.fromkeys((*found, *notes, *map(words.sentence, remarks))))
        look = self._look
        for sentence in self.sentences[: 2 if look.compact or look.gloves else 6]:
            row = row_of(look, icon_label(look, "activity"), gap=look.space.s)
            row.add(label(look, sentence, wrap=True), 1)
            self._rows.append(row)
        if line is not None and line.bytes_received and not look.compact:
            figures = label(look, f"Line: {line_figures(line)}", "caption", muted=True, wrap=True)
            self._rows.append(figures)
        for row in self._rows:
            self._column.addWidget(row)
        self.setVisible(bool(self._rows))
        self.setAccessibleDescription(" ".join(self.sentences))
