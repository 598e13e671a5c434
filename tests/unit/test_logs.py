"""The log: what it keeps, and what it must never show."""

import logging

import pytest

from app.logs import start_logging, stop_logging, without_secrets
from drivers.secrets import Secret


@pytest.mark.parametrize(
    "text",
    [
        "postgresql+pg8000://ana:hunter2@host/db",
        "password=hunter2",
        'password: "hunter2"',
        "{'METER_PASSWORD': 'hunter2'}",
        "auth_key = hunter2, next",
    ],
)
def test_what_looks_like_a_secret_becomes_dots(text):
    assert "hunter2" not in without_secrets(text)


def test_ordinary_lines_stay_as_they_are():
    line = "read 1-0:1.8.0.255 = 12345.678 kWh at /dev/ttyUSB0: ok"
    assert without_secrets(line) == line


def test_the_file_gets_the_lines_and_never_the_secret(tmp_path):
    path = tmp_path / "logs" / "meterwright.log"
    handler = start_logging(path)
    log = logging.getLogger("meterwright.test")
    try:
        log.info("opening with %s", Secret(b"hunter2"))
        try:
            int("password=hunter2")
        except ValueError:
            log.exception("failed")
    finally:
        stop_logging(handler)
    text = path.read_text(encoding="utf-8")
    assert "opening with" in text
    assert "Traceback" in text
    assert "hunter2" not in text
