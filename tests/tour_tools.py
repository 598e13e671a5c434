"""The tour through the tools of Maintenance that change a meter: parameters, calendar, firmware."""

import json
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QLineEdit

from app.services.calendar_draft import Row
from tests.gui.object_desk import SERIAL, TYPE, ObjectDesk

REASON = "Agreed with the utility"


def tools(tour: Any, folder: Path) -> None:
    """Show each tool on a virtual meter in memory."""
    desk = ObjectDesk(folder / "data")
    with tour.opened(desk) as window:
        window.station.choose_port("fake:bus", "Virtual RS-485 bus", TYPE)
        window.open_place(1)
        parameters(tour, folder)
        calendar(tour, folder)
        firmware(tour, folder)
    desk.db.close()


def act(tour: Any, page: Any, session: Any, name: str) -> None:
    """Go through the steps of an act, with a picture of the last."""
    from app.views.act_sheet import ActSheet

    sheet = page.findChildren(ActSheet)[-1]
    tour.until(lambda: session.question is not None)
    sheet.reason.setText(REASON)
    sheet.go.click()
    tour.until(lambda: session.question is not None and "confirm" in session.question.key)
    tour.grab(f"{name}-confirm", sheet)
    sheet.digits.setText(SERIAL[-4:])
    sheet.go.click()
    if name == "firmware":
        tour.until(lambda: session.forecast.last.done > 20 or not session.running)
        tour.grab("firmware-sending", sheet)
    tour.until(lambda: not session.running)
    tour.grab(f"{name}-done", sheet)
    sheet.accept()
    tour.settle(0.3)


def letters(tour: Any) -> None:
    """Show the letters that Alt brings, and the list of keys."""
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    focus = tour.window.focusWidget()
    QTest.keyPress(focus, Qt.Key.Key_Alt)
    tour.settle(0.1)
    tour.window.grab().save(str(tour.folder / f"letters-{tour.theme}-{tour.percent}.png"))
    QTest.keyRelease(focus, Qt.Key.Key_Alt)
    tour.window.show_keys()
    sheet = tour.sheet()
    tour.grab("keys", sheet)
    sheet.reject()


def parameters(tour: Any, folder: Path) -> None:
    """Read the parameters, compare them with a file, write what differs."""
    window = tour.window
    window.pages.open_tool(3)
    page, session = window.stack.currentWidget(), window.pages.parameters
    tour.grab("parameters-empty")
    page.read()
    tour.until(lambda: not session.running)
    tour.settle(0.3)
    tour.grab("parameters-read")
    session.open_file(wanted(session, folder / "T2-2026.json"))
    tour.until(lambda: bool(session.file))
    page.table.selectRow(7)
    page._stage()
    tour.grab("parameters-differ")
    page.table.clearSelection()
    page.ask_to_write()
    act(tour, page, session, "parameters")
    tour.grab("parameters-written")


def calendar(tour: Any, folder: Path) -> None:
    """Read the calendar, look at one of a file, write it."""
    from app.views.activation_sheet import ActivationSheet

    window = tour.window
    window.pages.open_tool(4)
    page, session = window.stack.currentWidget(), window.pages.calendar
    tour.grab("calendar-empty")
    page.read()
    tour.until(lambda: not session.running)
    tour.settle(0.3)
    page.moment.setText("2026-12-25 07:30")
    tour.grab("calendar-read")
    editing(tour, folder, page, session)
    path = folder / "T2-2026.json"
    path.write_text(json.dumps(TABLE))
    page.turn(2)
    session.open_file(path)
    tour.until(lambda: session.path == path)
    window._end_toast()
    page.turn(3)
    tour.grab("calendar-differences")
    page.turn(2)
    tour.grab("calendar-file")
    page.ask_to_write()
    sheet = page.findChildren(ActivationSheet)[-1]
    sheet.way._group.button(1).click()
    tour.grab("calendar-when", sheet)
    sheet.go.click()
    act(tour, page, session, "calendar")
    page.turn(1)
    tour.grab("calendar-waiting")
    broken(tour, page, session)


def broken(tour: Any, page: Any, session: Any) -> None:
    """Start anew after a write that did not end well."""
    from datetime import UTC, datetime

    from app.services.calendar_draft import new_draft
    from app.services.calendar_interrupted import Interrupted, begin

    began = Interrupted(SERIAL, new_draft(), "TOU-1", datetime.now(UTC))
    begin(session.station.desk.db.folder, began)
    session._look_for_broken()
    tour.until(lambda: session.broken is not None)
    page.turn(2)
    tour.grab("calendar-broken")
    page.read()
    tour.until(lambda: not session.running)
    tour.grab("calendar-broken-read")
    page.seen.click()


def editing(tour: Any, folder: Path, page: Any, session: Any) -> None:
    """Change a table of the meter, with all kinds of mistakes on the way."""
    from app.services.calendar_draft import Part

    page.edit.click()
    tour.until(lambda: session.draft is not None)
    tour.grab("calendar-draft")
    for part in (Part.SEASONS, Part.WEEKS, Part.DAYS, Part.DAYS, Part.POINTS):
        page.editor.add(part)
    page.editor.form.findChildren(QLineEdit)[0].textEdited.emit("24:00")
    tour.grab("calendar-points")
    for _ in range(2):
        page.editor.add(Part.SPECIAL)
    page.editor.form.findChildren(QLineEdit)[0].textEdited.emit("*-02-30")
    tour.grab("calendar-special")
    page.editor._go_to(Row(Part.WEEKS, 1))
    tour.grab("calendar-week")


def firmware(tour: Any, folder: Path) -> None:
    """Look at the firmware, and load another one."""
    from drivers.simulator.dlms.images import signed

    window = tour.window
    window.pages.open_tool(5)
    page, session = window.stack.currentWidget(), window.pages.firmware
    page.read()
    tour.until(lambda: not session.running)
    path = folder / "HXE1088-V9.bin"
    path.write_bytes(signed(bytes(60_000)))
    session.open_file(path)
    tour.until(lambda: bool(session.image))
    tour.grab("firmware")
    page.ask_to_load()
    act(tour, page, session, "firmware")
    tour.grab("firmware-loaded")


TABLE = {
    "calendar": {
        "name": "T2-2026",
        "seasons": [
            {"name": "WIN", "start": "01-01", "week": "W1"},
            {"name": "SUM", "start": "04-01", "week": "W2"},
        ],
        "weeks": [
            {"name": "W1", "days": [1, 1, 1, 1, 1, 2, 2]},
            {"name": "W2", "days": [1, 1, 1, 1, 1, 2, 2]},
        ],
        "days": [
            {
                "number": 1,
                "points": [
                    {"time": "00:00", "script": 2},
                    {"time": "06:00", "script": 1},
                    {"time": "17:00", "script": 3},
                    {"time": "20:30", "script": 1},
                ],
            },
            {"number": 2, "points": [{"time": "00:00", "script": 2}]},
        ],
    },
    "special_days": [{"index": 1, "date": "*-12-25", "day": 2}],
}


def wanted(session: Any, path: Path) -> Path:
    """Write a file that wants two values of the limiter otherwise, and one that is not there."""
    from app.services.parameters import save_parameters

    listed = json.loads(save_parameters(tuple(session.meter.values())))["parameters"]
    for item in listed:
        item["value"] = {"13800": "9200", "6900": "4600"}.get(item.get("value"), item.get("value"))
        if item["value"] is None:
            del item["value"]
    listed = [item for item in listed if item["class_id"] != 11]
    listed.append({"code": "0-0:96.1.9.255", "class_id": 1, "attribute": 2, "raw": "1105"})
    path.write_text(json.dumps({"parameters": listed}))
    return path
