"""The true window on a true screen: it opens, and it can be driven through a whole visit."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.command import ROOT, environment, started

pytestmark = [
    pytest.mark.display,
    pytest.mark.skipif(not os.environ.get("DISPLAY"), reason="there is no screen"),
    pytest.mark.skipif(not shutil.which("xdotool"), reason="xdotool is not installed"),
]


def windows() -> list[str]:
    found = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--name", "Meterwright"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout.split()


def until(condition, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_the_demo_opens_its_window_and_survives_being_killed(tmp_path: Path):
    xcb = {"QT_QPA_PLATFORM": "xcb"}
    for _ in range(2):  # the second start finds what the first left
        with started("demo", "--dir", tmp_path, env=xcb) as process:
            time.monotonic()
            assert until(windows, 30), process.communicate(timeout=5)
            assert until((tmp_path / "centre.sqlite").exists, 30)
            assert until((tmp_path / "ports" / "optical-zmf100").exists, 30)
            time.sleep(1)
            assert process.poll() is None, process.communicate()
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        assert until(lambda: not windows(), 10)


@pytest.mark.timeout(400)
def test_the_picture_tour_drives_a_whole_visit_and_nothing_is_cut(tmp_path: Path):
    ended = subprocess.run(
        [
            sys.executable, "tests/tour.py", "--out", str(tmp_path), "--theme", "light",
            "--scale", "100",
        ],
        cwd=ROOT, env=environment(QT_QPA_PLATFORM="xcb"), capture_output=True, text=True,
        timeout=360, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    names = {picture.name.split("-light")[0] for picture in tmp_path.glob("*.png")}
    wanted = {"queue", "question-serial", "profile-running", "failed-check", "profile", "events"}
    assert wanted | {"settings", "trace", "error", "job-done", "registers"} <= names
