"""Collects garbage in the GUI thread only.

Python collects cycles in whichever thread happens to allocate.  A widget that is collected in a
worker thread is destroyed there, which Qt does not survive; so the automatic collection is
switched off and done from a timer of the GUI thread instead.
"""

import gc

from PySide6.QtCore import QObject, QTimer

PAUSE_MS = 1000


class Collector(QObject):
    """Does what the automatic collection would do, at the same thresholds, in this thread."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._thresholds = gc.get_threshold()
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(PAUSE_MS)

    def look(self) -> None:
        """Collect the oldest generation whose threshold is passed."""
        counts = gc.get_count()
        for generation in (2, 1, 0):
            if counts[generation] > self._thresholds[generation]:
                gc.collect(generation)
                return
