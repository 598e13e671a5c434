"""A CSV file of profile rows takes them as they arrive, and goes on where it ended."""

import errno
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.errors import BadInput, NoRoom
from app.services.rows_file import RowsFile
from drivers.values import ProfileColumn, ProfileInfo, ProfileRow

INFO = ProfileInfo("1-0:99.1.0.255", 900, (ProfileColumn("1-0:1.8.0.255", 2, "kWh"),))
OTHER = ProfileInfo("1-0:99.2.0.255", 900, (ProfileColumn("1-0:2.8.0.255", 2, "kWh"),))
START = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)


def rows(first: int, last: int) -> tuple[ProfileRow, ...]:
    step = timedelta(minutes=15)
    return tuple(
        ProfileRow(START + n * step, (Decimal(n),), 8, ("daylight saving",))
        for n in range(first, last)
    )


def lines(path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_rows_stand_behind_one_head(tmp_path) -> None:
    path = tmp_path / "profile.csv"
    file = RowsFile(path)
    file.write(INFO, rows(0, 2))
    assert len(lines(path)) == 3, "what was written is in the file before it is closed"
    file.write(INFO, rows(2, 3))
    file.close()
    assert lines(path) == [
        "Time,Status,Status in words,1-0:1.8.0.255 kWh",
        "2026-10-25T00:15:00Z,8,daylight saving,0",
        "2026-10-25T00:30:00Z,8,daylight saving,1",
        "2026-10-25T00:45:00Z,8,daylight saving,2",
    ]


@pytest.mark.parametrize("cut", [0, 1, 7, 30])
def test_a_file_whose_last_line_was_cut_is_gone_on_with(tmp_path, cut) -> None:
    path = tmp_path / "profile.csv"
    file = RowsFile(path)
    file.write(INFO, rows(0, 4))
    file.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - cut])
    again = RowsFile(path, resume=True)
    assert again.kept == (3 if cut else 4)
    assert again.last == rows(0, again.kept)[-1].time
    assert again.start == again.last + timedelta(seconds=1)
    again.write(INFO, rows(again.kept, 6))
    again.close()
    file = RowsFile(tmp_path / "whole.csv")
    file.write(INFO, rows(0, 6))
    file.close()
    assert path.read_bytes() == (tmp_path / "whole.csv").read_bytes()


@pytest.mark.parametrize("text", ["", "Time,Status"])
def test_a_file_without_a_whole_line_is_begun_anew(tmp_path, text) -> None:
    path = tmp_path / "profile.csv"
    path.write_text(text)
    file = RowsFile(path, resume=True)
    assert (file.start, file.kept) == (None, 0)
    file.write(INFO, rows(0, 1))
    file.close()
    assert len(lines(path)) == 2


def test_a_file_that_is_not_there_yet_is_begun(tmp_path) -> None:
    RowsFile(tmp_path / "new.csv", resume=True).close()
    assert (tmp_path / "new.csv").exists()


def test_without_resume_a_file_is_written_anew(tmp_path) -> None:
    path = tmp_path / "profile.csv"
    path.write_text("something else\n" * 50)
    file = RowsFile(path)
    file.write(INFO, rows(0, 1))
    file.close()
    assert len(lines(path)) == 2


@pytest.mark.parametrize("text", ["a letter\nto somebody\n", "Time\n\n", "Time\n\xff\xfe\n"])
def test_what_is_no_profile_is_not_touched(tmp_path, text) -> None:
    path = tmp_path / "letter.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(BadInput):
        RowsFile(path, resume=True)
    assert path.read_bytes() == text.encode("latin-1")


def test_rows_of_another_profile_are_not_mixed_in(tmp_path) -> None:
    path = tmp_path / "profile.csv"
    file = RowsFile(path)
    file.write(INFO, rows(0, 2))
    file.close()
    again = RowsFile(path, resume=True)
    with pytest.raises(BadInput, match="another profile"):
        again.write(OTHER, rows(2, 3))
    again.close()
    assert len(lines(path)) == 3


def test_a_folder_that_is_not_there_is_told(tmp_path) -> None:
    with pytest.raises(BadInput):
        RowsFile(tmp_path / "no" / "profile.csv")


def test_a_full_disk_is_told_as_one(tmp_path, monkeypatch) -> None:
    file = RowsFile(tmp_path / "profile.csv")

    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(file._file, "flush", full)
    with pytest.raises(NoRoom):
        file.write(INFO, rows(0, 2))
    monkeypatch.undo()
    file.close()
