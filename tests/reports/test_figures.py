"""What is written at the axes of a figure can be read: labels stand apart and on the paper."""

import io
import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from reportlab.pdfgen.canvas import Canvas

from app.reports.figures import load_profile
from app.reports.model import Profile, ProfileRow
from app.reports.sheet import Pen, load_fonts, width_of
from app.reports.words import STYLES, Clock

LEFT, WIDTH = 40.0, 515.0


class Noting(Pen):
    """A pen that also notes where each text stands: from, to, and its baseline."""

    def __init__(self) -> None:
        super().__init__(Canvas(io.BytesIO()))
        self.noted: list[tuple[float, float, float, str]] = []

    def text(self, x, y, text, size=8.0, font="Body", align="left", colour=(0.0, 0.0, 0.0)) -> None:
        super().text(x, y, text, size, font, align, colour)
        width = width_of(text, size, font)
        start = x - {"left": 0.0, "right": width, "centre": width / 2}[align]
        self.noted.append((start, start + width, y, text))


def drawn(start: datetime, count: int, minutes: int, offset_min: int) -> Noting:
    load_fonts()
    rows = tuple(
        ProfileRow(start + timedelta(minutes=minutes * (number + 1)), Decimal(number % 4), ())
        for number in range(count)
    )
    pen = Noting()
    profile = Profile("Active energy import", "kWh", minutes, rows, "All are there.")
    load_profile(profile, LEFT, WIDTH, Clock(offset_min), STYLES["en"]).draw(pen, 300.0)
    return pen


@pytest.mark.parametrize("count", [2, 5, 13, 24, 96, 236, 477, 960, 2160, 3360])
@pytest.mark.parametrize("minutes", [15, 60])
@pytest.mark.parametrize("hour", [0, 1, 13, 23])
def test_labels_of_the_time_axis_stand_apart_and_on_the_paper(count, minutes, hour):
    start = datetime(2026, 10, 20, hour, 15, tzinfo=UTC)
    pen = drawn(start, count, minutes, 120)
    base = min(y for _, _, y, _ in pen.noted)
    labels = sorted(item for item in pen.noted if item[2] == base)
    assert labels
    assert labels[-1][1] <= LEFT + WIDTH + 0.01
    for before, after in itertools.pairwise(labels):
        assert before[1] < after[0], (before, after)
