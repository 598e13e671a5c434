"""Shows what a file of orders or tokens would bring, with its wrong rows, and brings it."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from app.messages import explain
from app.views import words
from app.views.controls import ActionButton
from app.views.sheet import Sheet
from app.views.station import Station
from app.views.surfaces import Card, column_of, label
from app.views.tables import Cell, CellTable, Column, Rows
from app.views.theme import Look

if TYPE_CHECKING:
    from app.workorders.incoming import Incoming

COLUMNS = [Column("Row", 6, number=True), Column("Column", 16), Column("What is wrong with it")]
SHOWN_ROWS = 3


class ImportSheet(Sheet):
    """A dry run first; nothing is imported before the operator has seen it."""

    imported = Signal()

    def __init__(self, look: Look, station: Station, path: Path, parent: QWidget) -> None:
        super().__init__(look, f"Import {path.name}", parent)
        self._station, self._path, self._window = station, path, parent
        self.summary = label(look, "Looking into the file…", wrap=True)
        self.body.addWidget(self.summary)
        self.name = QLineEdit(path.stem.replace("_", " "))
        self.name.setAccessibleName("Name of the campaign")
        caption = label(look, "Name of the campaign", "caption", muted=True)
        caption.setBuddy(self.name)
        self._named = column_of(look, caption, self.name, gap=2)
        self._named.hide()
        self.body.addWidget(self._named)
        self.table = CellTable(look, "Rows that cannot be used", Rows(COLUMNS))
        self.table.setMinimumHeight(SHOWN_ROWS * look.row)
        self._card = Card(look, padded=False)
        self._card.add(self.table)
        self._card.hide()
        self.body.addWidget(self._card, 1)
        self.body.addStretch()
        self.go = ActionButton(look, "Import", "primary", "download", "Enter")
        self.go.setEnabled(False)
        self.go.clicked.connect(self._import)
        self.finish(self.go)
        self.setMinimumWidth(look.width_of("0" * 80))
        self.fit_to(parent)
        self._ask(dry_run=True)

    def _ask(self, *, dry_run: bool) -> None:
        desk, path, campaign = self._station.desk, self._path, self.name.text().strip()

        def work() -> "Incoming":
            from app.workorders.incoming import bring, preview

            if dry_run:
                return preview(desk.db, path, campaign=campaign)
            result = bring(desk.db, path, desk.tokens, campaign=campaign, who=desk.who)
            desk.clear_up()  # the file may have called orders off
            return result

        then = self._show if dry_run else self._done
        self._station.fetcher.fetch("import", work, then, self._refused)

    def _show(self, result: "Incoming") -> None:
        good, bad = result.created + result.changed, list(result.errors)
        parts = [] if result.kind == "tokens" else [words.count(result.created, "new job")]
        if result.changed:
            parts.append(f"{result.changed:,} changed")
        if result.unchanged:
            parts.append(f"{result.unchanged:,} known already")
        if result.kind != "orders":
            parts.append(words.count(result.tokens, "token"))
        if bad:
            parts.append(f"{words.count(len(bad), 'problem')} in the rows below")
        kept = "The tokens are kept sealed; delete the file afterwards." if result.tokens else ""
        self.summary.setText(" ".join([", ".join(parts) + ".", *result.remarks, kept]).strip())
        self._named.setVisible(result.kind == "key changes")
        self._card.setVisible(bool(bad))
        model = self.table.model()
        if isinstance(model, Rows):
            model.replace(
                [
                    [Cell(str(item.row)), Cell(item.column, muted=True), Cell(item.problem)]
                    for item in bad
                ]
            )
        what = words.count(good, "job") if good else words.count(result.tokens, "token")
        verb = f"Import {what}" + (" without them" if bad and (good or result.tokens) else "")
        self.go.relabel(verb)
        self.go.setEnabled(good > 0 or result.tokens > 0)
        self.fit_to(self._window)
        self.go.setFocus()

    def _import(self) -> None:
        self.go.setEnabled(False)
        self._ask(dry_run=False)

    def _done(self, result: "Incoming") -> None:
        jobs = result.created + result.changed
        parts = [words.count(jobs, "job")] if jobs or not result.tokens else []
        parts += [words.count(result.tokens, "token")] if result.tokens else []
        self._station.noticed.emit("download", f"{' and '.join(parts)} imported.")
        self._station.count_unsent()
        self.imported.emit()
        self.accept()

    def _refused(self, error: BaseException) -> None:
        message = explain(error)
        detail = words.sentence(message.detail)
        self.summary.setText(f"{message.title}. {detail} {message.remedy}")
