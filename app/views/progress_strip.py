"""Live progress: what is done and of how much, rate, time left, and the way to stop it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views.controls import ActionButton
from app.views.forecast import Forecast
from app.views.surfaces import ForecastBar, label, row_of
from app.views.theme import Look


class ProgressStrip(QWidget):
    """Shown while something runs; Escape stops it."""

    stopped = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.setAccessibleName("Progress")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        self.what = label(look, "Starting", strong=True)
        self.outlook = label(look, "", muted=True)
        column.addWidget(row_of(look, self.what, None, self.outlook))
        self.bar = ForecastBar(look, 0.0)
        self.stop = ActionButton(look, "Stop", "secondary", "x", "Esc")
        self.stop.clicked.connect(self.stopped)
        line = row_of(look, gap=max(look.space.s, look.gap))
        line.add(self.bar, 1)
        line.add(self.stop)
        column.addWidget(line)

    def show_forecast(self, forecast: Forecast) -> None:
        """Show how far it is."""
        room = self.width() - self.outlook.sizeHint().width() - self._look.space.l
        metrics = self.what.fontMetrics()
        words = forecast.what() or "Starting"
        self.what.setText(metrics.elidedText(words, Qt.TextElideMode.ElideRight, max(120, room)))
        self.outlook.setText("" if self._look.compact and self._look.gloves else forecast.outlook())
        self.bar.show_done(forecast.share or 0.0)
        self.bar.setAccessibleName(words)
