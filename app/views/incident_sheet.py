"""Says why an order cannot be completed: a code, a note, a photo where the code needs one."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from app.views import files
from app.views.controls import ActionButton
from app.views.fields import Choice
from app.views.question_panel import PICTURES
from app.views.sheet import Sheet
from app.views.station import Station
from app.views.surfaces import Banner, column_of, label, row_of
from app.views.theme import Look

if TYPE_CHECKING:
    from app.workorders.detail import OrderDetail
    from app.workorders.incidents import IncidentCode


class IncidentSheet(Sheet):
    """Closes the visit with a coded reason; emergencies say first what to do."""

    reported = Signal()

    def __init__(
        self, look: Look, station: Station, detail: "OrderDetail", parent: QWidget
    ) -> None:
        from app.workorders.incidents import incident_codes

        super().__init__(look, f"Job {detail.row.number} cannot be completed", parent)
        self._station, self._detail = station, detail
        self._codes: tuple[IncidentCode, ...] = incident_codes()
        self._photos: list[Path] = []
        self.codes = Choice(look, "Reason")
        for code in self._codes:
            self.codes.addItem(f"{code.group_title}: {code.title}", code.code)
        self.codes.currentIndexChanged.connect(self._show_code)
        self._emergency = Banner(look, "failed", "Danger first", " ")
        self._next = label(look, "", muted=True, wrap=True)
        self.note = QLineEdit()
        self.note.setAccessibleName("What happened")
        self.note.setPlaceholderText("What happened, in your words")
        self.photo = ActionButton(look, "Add a photo…", "secondary", "camera")
        self.photo.clicked.connect(self._add_photo)
        self._photo_words = label(look, "", muted=True)
        self.no_photo = QLineEdit()
        self.no_photo.setAccessibleName("Why there is no photo")
        self.no_photo.setPlaceholderText("Or why there is none")
        self._no_photo_row = column_of(look, self.no_photo)
        self._problem = label(look, "", wrap=True)
        self._problem.setProperty("part", "problem")
        self._problem.hide()
        for part in (
            self._emergency,
            column_of(look, label(look, "Reason", muted=True), self.codes, self._next, gap=4),
            column_of(look, label(look, "Note", muted=True), self.note, gap=4),
            row_of(look, self.photo, self._photo_words, None),
            self._no_photo_row,
            self._problem,
        ):
            self.body.addWidget(part)
        self.body.addStretch()
        self.go = ActionButton(look, "Close the visit", "primary", "", "Enter")
        self.go.clicked.connect(self._report)
        self.finish(self.go)
        self._show_code()
        self.setMinimumWidth(look.width_of("0" * 72))
        self.fit_to(parent)
        self.codes.setFocus()

    def _code(self) -> "IncidentCode":
        return self._codes[self.codes.currentIndex()]

    def _show_code(self) -> None:
        code = self._code()
        self._emergency.setVisible(bool(code.emergency))
        self._emergency.set_text(code.emergency)
        self._next.setText(f"Then: {code.next_words}")
        self._no_photo_row.setVisible(code.needs_photo)
        needed = "A photo is needed." if code.needs_photo else "No photo is needed."
        self._photo_words.setText(self._photo_names() or needed)

    def _photo_names(self) -> str:
        return ", ".join(path.name for path in self._photos)

    def _add_photo(self) -> None:
        path = files.ask_open(self, "Add a photo", PICTURES)
        if path is not None:
            self._photos.append(path)
            self._photo_words.setText(self._photo_names())

    def _report(self) -> None:
        desk, order_id, code = self._station.desk, self._detail.row.order_id, self._code().code
        note, reason, photos = self.note.text(), self.no_photo.text(), tuple(self._photos)
        who = desk.who

        def work() -> str:
            from app.workorders.incidents import report_incident

            report_incident(
                desk.db, order_id, code, note, who=who, photos=photos, no_photo_reason=reason
            )
            return desk.clear_up()

        self.go.setEnabled(False)
        self._station.fetcher.fetch("incident", work, self._done, self._refused)

    def _done(self, left: str) -> None:
        number = self._detail.row.number
        text = f"Job {number} was closed as not completed. {left}".strip()
        self._station.noticed.emit("ban", text)
        self._station.count_unsent()
        self.reported.emit()
        self.accept()

    def _refused(self, error: BaseException) -> None:
        from app.messages import explain
        from app.views.words import sentence

        self.go.setEnabled(True)
        message = explain(error)
        self._problem.setText(f"{message.title}. {sentence(message.detail)}")
        self._problem.show()
