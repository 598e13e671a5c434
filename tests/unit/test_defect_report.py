"""The report of a defect has what is needed and no secret."""

from app.paths import log_file
from app.services.defect_report import report_text, save_report


def test_it_holds_traceback_versions_and_the_end_of_the_log_without_secrets(tmp_path):
    log = log_file(tmp_path)
    log.parent.mkdir(parents=True)
    log.write_text("begun\npassword=letmein\nlast line\n")
    error = ZeroDivisionError("token=1234567")
    error.__cause__ = ValueError("below")
    text = report_text(error, tmp_path)
    for wanted in ("ZeroDivisionError", "ValueError: below", "Python 3", "PySide6", "last line"):
        assert wanted in text
    assert "letmein" not in text
    assert "1234567" not in text


def test_without_a_log_it_is_written_all_the_same(tmp_path):
    save_report(tmp_path / "r.txt", ValueError("x"), tmp_path)
    assert "no log" in (tmp_path / "r.txt").read_text()
