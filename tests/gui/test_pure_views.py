"""The parts of the views that need no window: forecast, words, event pairs, profile numbers."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from app.services.event_lines import event_lines
from app.tasks import Found, Progress
from app.views import words
from app.views.checks_view import CheckLine, limit_words, overall
from app.views.findings import Findings
from app.views.forecast import Forecast
from app.views.paint import Verdict
from app.views.profile_series import drawing, holes, thinned
from app.views.question_panel import gs1_fits, number_in
from app.views.theme import THEMES
from drivers.values import MeterEvent, ProfileBlock, ProfileColumn, ProfileInfo, ProfileRow
from tests.gui.contrast import weaknesses

START = datetime(2031, 3, 4, 0, 15, tzinfo=UTC)


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_every_theme_keeps_its_contrast_and_its_phases_apart(theme):
    assert weaknesses(theme) == []


def test_a_forecast_tells_rate_and_time_left():
    now = [0.0]
    forecast = Forecast(lambda: now[0])
    forecast.take(Progress("Reading the profile", 0, 2160, "rows"))
    assert forecast.outlook() == ""
    for second in range(1, 11):
        now[0] = float(second)
        forecast.take(Progress("Reading the profile", second * 38, 2160, "rows"))
    assert forecast.what() == "Reading the profile, 380 of 2,160 rows"
    assert forecast.outlook() == "38 rows a second, about 47 s left"


def test_a_new_stretch_of_work_begins_a_new_forecast():
    now = [0.0]
    forecast = Forecast(lambda: now[0])
    forecast.take(Progress("Reading registers", 0, 10))
    now[0] = 5.0
    forecast.take(Progress("Reading registers", 9, 10))
    forecast.take(Progress("Reading the event log", 0, 0))
    assert forecast.rate is None
    assert forecast.share is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0.4 s"), (43 * 60, "43 min"), (3900, "1 h 5 min"), (183600, "2 d 3 h"), (-2, "−2 s")],
)
def test_durations_have_two_units_at_most(seconds, text):
    assert words.duration(seconds) == text


def test_a_start_and_its_end_are_one_line_with_the_duration():
    def event(minute, text, code="1"):
        return MeterEvent("0-0:99.98.0.255", START + timedelta(minutes=minute), code, text)

    lines = event_lines(
        [
            event(0, "Power down"),
            event(43, "Power up", "2"),
            event(50, "Overvoltage L1"),
            event(52, "Voltage L1 normal"),
            event(60, "Terminal cover removed"),
        ]
    )
    assert [(line.text, line.end and line.end - line.begin) for line in lines] == [
        ("Terminal cover removed", None),
        ("Overvoltage L1", timedelta(minutes=2)),
        ("Power down", timedelta(minutes=43)),
    ]


def test_ends_are_not_paired_across_logs_and_unknown_codes_stay_numbers():
    other = MeterEvent("0-0:99.98.1.255", START + timedelta(hours=1), "2", "Power up")
    lines = event_lines(
        [
            MeterEvent("0-0:99.98.0.255", START, "1", "Power down"),
            other,
            MeterEvent("0-0:99.98.0.255", START, "231"),
        ]
    )
    assert all(line.end is None for line in lines)
    assert "Code 231" in {line.text for line in lines}


def profile(values, *, skip=(), unit="kW", code="1-0:1.5.0.255"):
    info = ProfileInfo("1-0:99.1.0.255", 900, (ProfileColumn(code, 2, unit, "Load"),))
    rows = [
        ProfileRow(START + timedelta(minutes=15 * place), (value,))
        for place, value in enumerate(values)
        if place not in skip
    ]
    return info, rows


def test_a_gap_is_a_hole_and_never_zero():
    drawn = drawing(*profile([Decimal(n) for n in range(8)], skip=(3, 4)))
    assert np.isnan(drawn.series[0].values[3:5]).all()
    assert holes(drawn) == [(3, 5)]
    assert drawn.row_of.tolist() == [0, 1, 2, -1, -1, 3, 4, 5]


def test_a_register_that_counts_up_is_drawn_as_its_mean_and_not_across_a_gap():
    values = [Decimal(n) for n in (100, 101, 102, 103, 105)]
    drawn = drawing(*profile(values, skip=(2,), unit="kWh", code="1-0:1.8.0.255"))
    series = drawn.series[0]
    assert series.unit == "kW"
    assert np.isnan(series.values[[0, 2, 3]]).all()
    assert series.values[[1, 4]].tolist() == [4.0, 8.0]


def test_a_clock_that_jumped_by_decades_does_not_fill_the_memory():
    info, rows = profile([Decimal(1), Decimal(2)])
    early = ProfileRow(datetime(1970, 1, 1, tzinfo=UTC), (Decimal(0),))
    drawn = drawing(info, [early, *rows])
    assert len(drawn.edges) < 10
    assert drawn.row_of.tolist() == [1, 2]


def test_long_times_keep_their_peaks_when_they_are_thinned():
    values = np.zeros(35_040)
    values[17_003] = 9.5
    values[20_000:20_500] = np.nan
    edges, shown = thinned(np.arange(35_041.0), values)
    assert len(shown) <= 1600
    assert np.nanmax(shown) == 9.5
    assert np.isnan(shown).any()
    assert len(edges) == len(shown) + 1


def test_blocks_that_come_newest_first_are_put_in_order():
    info, rows = profile([Decimal(n) for n in range(4)])
    findings = Findings()
    findings.take(Found("rows", (info, ProfileBlock(tuple(rows[2:]), 4))))
    findings.take(Found("rows", (info, ProfileBlock(tuple(rows[:2]), 4))))
    assert findings.rows == rows
    assert findings.latest == "rows"


def test_numbers_may_be_typed_with_a_comma():
    assert number_in("12,5") == Decimal("12.5")
    assert number_in("abc") is None
    assert number_in("NaN") is None


def test_a_number_with_a_check_digit_is_proved_by_it():
    assert gs1_fits("4006381333931")
    assert not gs1_fits("4006381333932")
    assert not gs1_fits("50284117")


def test_limits_and_the_gravest_verdict_in_words():
    from app.reports.model import Limit

    assert limit_words(Limit("x", Decimal(207), Decimal(253), "V")) == "207…253 V"
    assert limit_words(Limit("x", Decimal(-20), Decimal(20), "s")) == "±20 s"
    assert limit_words(Limit("x", None, Decimal("0.5"))) == "≤ 0.5"
    lines = [
        CheckLine("", name, "", "", "", verdict, "")
        for name, verdict in (("a", Verdict.PASS), ("b", Verdict.NOT_RUN), ("c", Verdict.WARN))
    ]
    assert overall(lines) is Verdict.NOT_RUN
    assert overall([]) is None
