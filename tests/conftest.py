"""What all tests share: Hypothesis measures no time, since test machines are slow and busy."""

import gc

from hypothesis import HealthCheck, settings

settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

SUMMARY = "tried, failures"


def pytest_collection_finish():
    """Keep some thousand collected tests out of every later look for garbage."""
    gc.freeze()


def pytest_terminal_summary(terminalreporter):
    """Print what the fault tests and fuzzers have tried, also when everything passed."""
    lines = [
        line
        for report in terminalreporter.stats.get("passed", [])
        for line in report.capstdout.splitlines()
        if SUMMARY in line
    ]
    if lines:
        terminalreporter.section("points tried")
        for line in sorted(lines):
            terminalreporter.write_line(line)
