"""A window on a temporary database, without a screen."""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.gui.patience import PATIENCE

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app.models.database import Database
from app.views.application import make_application
from app.views.main_window import MainWindow
from app.views.stylesheet import style_sheet
from app.views.theme import THEMES, Look, apply_theme, load_fonts, look_for
from tests.gui.fake_desk import FakeDesk, fill

SIZE = (1366, 768)
DPI = 112.0
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore("propagateSizeHints"))


@pytest.fixture(autouse=True)
def collected(qapp: QApplication) -> Iterator[None]:
    """Garbage is collected in the GUI thread, as in the program."""
    make_application([])
    yield
    gc.collect()


@pytest.fixture(scope="session")
def empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    Database.open(folder).close()
    return folder


@pytest.fixture(scope="session")
def filled_folder(empty_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled") / "data"
    shutil.copytree(empty_folder, folder)
    with Database.open(folder) as db:
        fill(db)
    return folder


@pytest.fixture
def desk(filled_folder: Path, tmp_path: Path) -> Iterator[FakeDesk]:
    shutil.copytree(filled_folder, tmp_path / "data")
    desk = FakeDesk(tmp_path / "data")
    yield desk
    desk.db.close()


@pytest.fixture
def empty_desk(empty_folder: Path, tmp_path: Path) -> Iterator[FakeDesk]:
    shutil.copytree(empty_folder, tmp_path / "data")
    desk = FakeDesk(tmp_path / "data")
    yield desk
    desk.db.close()


@pytest.fixture
def look(qapp: object) -> Look:
    load_fonts()
    look = look_for(THEMES["light"], *SIZE, DPI)
    sheet = style_sheet(look)
    if qapp.styleSheet() != sheet:  # type: ignore[attr-defined] # it takes a third of a second
        apply_theme(qapp, look, sheet)  # type: ignore[arg-type]
    return look


@pytest.fixture
def opened(qtbot: QtBot) -> Iterator[Callable[..., MainWindow]]:
    windows: list[MainWindow] = []

    def open_window(desk: FakeDesk | None = None, **options: object) -> MainWindow:
        window = MainWindow(desk, dots_per_inch=DPI, **options)  # type: ignore[arg-type]
        window.resize(*SIZE)
        window.show()
        window.activateWindow()
        qtbot.waitExposed(window)
        qtbot.waitUntil(lambda: window._wanted_look() == window.look, timeout=PATIENCE)
        windows.append(window)
        if desk is not None and not desk.locked:
            qtbot.waitUntil(lambda: window.pages.queue.everything >= 0, timeout=PATIENCE)
        return window

    yield open_window
    for window in windows:
        shut(qtbot, window)


@pytest.fixture
def window(desk: FakeDesk, opened: Callable[..., MainWindow], qtbot: QtBot) -> MainWindow:
    shown = opened(desk)
    qtbot.waitUntil(lambda: shown.pages.queue.detail is not None, timeout=PATIENCE)
    return shown


def shut(qtbot: QtBot, window: MainWindow) -> None:
    if not isValid(window):
        return
    station = window.station
    if station is not None:
        station.stop_all()
        qtbot.waitUntil(lambda: not station.busy(), timeout=PATIENCE)
        station.data.start(_last(), lambda _: None, _never()).result(5)
    window.close()
    window.deleteLater()
    qtbot.wait(1)


def _last():
    yield from ()


def _never():
    from app.tasks import Cancel

    return Cancel()
