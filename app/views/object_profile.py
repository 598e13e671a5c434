"""The rows of a profile that was opened among the objects: plot and table."""

from datetime import timedelta, tzinfo

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.models.base import utc_now
from app.services import shapes
from app.services.object_groups import title_of
from app.views.controls import ActionButton
from app.views.fields import Choice
from app.views.object_session import ObjectSession
from app.views.surfaces import column_of, label, row_of
from app.views.theme import Look
from drivers.objectmodel import ObjectEntry
from drivers.values import Span

SPANS = (("Last day", 1), ("Last week", 7), ("Last month", 31), ("Everything", 0))


class ProfileRoom(QWidget):
    """How far back to read, and what came; plots are made when there are rows."""

    left = Signal()
    exported = Signal(object, object)  # table, shape

    def __init__(self, look: Look, session: ObjectSession, zone: tzinfo | None) -> None:
        super().__init__()
        self._look, self._session, self._zone = look, session, zone
        self._entry: ObjectEntry | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.space.s)
        self.back = ActionButton(look, "Objects", "secondary", "undo-2")
        self.back.setAccessibleName("Back to the objects")
        self.back.clicked.connect(self.left)
        self.title = label(look, "", "strong", strong=True)
        self.span = Choice(look, "How far back")
        for name, days in SPANS:
            self.span.addItem(name, days)
        self.save = ActionButton(look, "Export…", "secondary", "download")
        self.save.clicked.connect(self._export)
        head = row_of(look, self.back, self.title, None, self.span, self.save, gap=look.space.m)
        column.addWidget(head)
        self._words = label(look, "", muted=True)
        self._nothing = column_of(look, None, row_of(look, None, self._words, None), None)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._nothing)
        self._view: QWidget | None = None
        column.addWidget(self._stack, 1)

    def show_profile_of(self, entry: ObjectEntry) -> None:
        """Begin with another profile; rows of the one before go."""
        if entry != self._entry:
            self._session.findings.clear()
        self._entry = entry
        self.title.setText(title_of(entry))
        self.show_rows()

    def read(self) -> None:
        """Read the rows that are wanted."""
        days = int(self.span.currentData())
        start = utc_now() - timedelta(days=days) if days else None
        if self._entry is not None:
            self._session.read_profile(self._entry.code, Span(start))

    def show_rows(self) -> None:
        """Show what has come so far."""
        from app.views.profile_view import ProfileView

        findings = self._session.findings
        there = bool(findings.info and findings.rows)
        self.save.setEnabled(there)
        nothing = "No rows yet. Choose how far back, then press Read rows."
        if findings.info is not None and not self._session.running:
            nothing = "The profile has no rows in this time."
        self._words.setText(nothing)
        if not there or findings.info is None:
            self._stack.setCurrentWidget(self._nothing)
            return
        if self._view is None:
            self._view = ProfileView(self._look, self._zone)
            self._view.resize(self._stack.size())
            self._stack.addWidget(self._view)
        self._stack.setCurrentWidget(self._view)
        if isinstance(self._view, ProfileView):
            self._view.show_profile(findings.info, list(findings.rows))

    def _export(self) -> None:
        from app.views.profile_view import ProfileView

        findings = self._session.findings
        table = self._view.table if isinstance(self._view, ProfileView) else None
        if table is not None and findings.info is not None:
            shape = shapes.profile_shape(findings.info, findings.rows, complete=True)
            self.exported.emit(table.texts(), {"profile": shape})
