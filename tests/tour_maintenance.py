"""The tour through Maintenance: from nothing to a connected meter, and through its objects."""

from pathlib import Path
from typing import Any

BUS = "RS-485"
CALENDAR, PROFILE = "0-0:13.0.0.255", "1-0:99.1.0.255"


def maintenance(tour: Any, desk: Any) -> None:
    """Reach a meter on the virtual bus, read its objects and write one of them."""
    from app.demo import HEXCELL

    bus = next((port for port in desk.ports() if BUS in port.title), None)
    if bus is None or bus.target.startswith("fake:"):
        return
    wizard(tour, bus.target, "hexcell-ddsy1088", HEXCELL)
    objects(tour, HEXCELL)
    service(tour, HEXCELL)


def wizard(tour: Any, target: str, kind: str, serial: str) -> None:
    """Choose the port, say what is on the cover, try it, and use it."""
    from app.views.settings_sheet import SettingsSheet

    window = tour.window
    window.ask_for_port("Connect", window.station.connect_meter)
    ports = tour.sheet()
    tour.until(lambda: ports.list.model().rowCount() > 0 and ports.types.count() > 1)
    ports.list.selectRow([port.target for port in ports._ports].index(target))
    ports.types.setCurrentIndex(ports.types.findData(kind))
    ports.settings.click()
    sheet = ports.findChildren(SettingsSheet)[-1]
    tour.until(lambda: sheet.form.types.count() > 1)
    sheet.form.serial.setText(serial)
    tour.grab("connect-settings", sheet)
    secrets(tour, sheet)
    sheet.test.click()
    tour.until(lambda: not sheet._runner.busy)
    tour.grab("connect-tried", sheet)
    sheet.go.click()
    ports.go.click()
    tour.until(lambda: window.station.identity is not None)
    window.ask_for_port("Connect", None)
    ports = tour.sheet()
    tour.until(lambda: ports.list.model().rowCount() > len(ports._ports) > 0)
    ports.other.setText(serial)
    tour.grab("connect-known", ports)
    ports.reject()
    tour.settle(0.2)


def secrets(tour: Any, sheet: Any) -> None:
    """Show where a secret is entered."""
    from app.views.secret_sheet import SecretSheet

    sheet.new_secret.click()
    secret = sheet.findChildren(SecretSheet)[-1]
    secret.first.setText("00000000")
    tour.grab("connect-secret", secret)
    secret.reject()
    tour.settle(0.2)


def objects(tour: Any, serial: str) -> None:
    """List, read, write and open a profile."""
    window = tour.window
    window.open_place(1)
    window.pages.open_tool(1)
    page, session = window.stack.currentWidget(), window.pages.objects
    tour.grab("objects-empty")
    page.read()
    tour.until(lambda: session.forecast.what() != "" or not session.running)
    tour.grab("objects-listing")
    tour.until(lambda: not session.running)
    tour.settle(0.3)
    page.tree.choose(CALENDAR)
    page.read()
    tour.until(lambda: not session.running)
    page.attributes.choose(CALENDAR, 6)
    tour.grab("objects-read")
    write(tour, page, session, serial)
    page.tree.choose(PROFILE)
    tour.settle(0.2)
    page.open_rows.click()
    page.rows.read()
    tour.until(lambda: not session.running)
    tour.grab("objects-profile")
    page.rows.back.click()


def write(tour: Any, page: Any, session: Any, serial: str) -> None:
    """Write one attribute, with a picture of each step."""
    from app.views.write_sheet import WriteSheet

    page.write.click()
    tour.until(lambda: session.question is not None or not session.running)
    sheet = page.findChildren(WriteSheet)[-1]
    tour.grab("object-write", sheet)
    sheet.value.setText('"TOU-2"')
    sheet.reason.setText("New tariff from January")
    sheet.go.click()
    tour.until(lambda: session.question is not None and session.question.key == "object.confirm")
    tour.grab("object-confirm", sheet)
    sheet.digits.setText(serial[-4:])
    sheet.go.click()
    tour.until(lambda: not session.running)
    tour.grab("object-written", sheet)
    sheet.accept()
    tour.settle(0.2)


def service(tour: Any, serial: str) -> None:
    """Compare the clock, and switch the supply off and on again."""
    from app.views.act_sheet import ActSheet
    from drivers.switching import Switching

    window = tour.window
    window.pages.open_tool(2)
    page, session = window.stack.currentWidget(), window.pages.service
    tour.grab("clock-and-supply-empty")
    page.read()
    tour.until(lambda: not session.running)
    tour.grab("clock-and-supply")
    for action in (Switching.OPEN, Switching.CLOSE):
        tour.until(page.acts[action].isVisible)
        page.acts[action].click()
        sheet = page.findChildren(ActSheet)[-1]
        tour.until(lambda: session.question is not None)
        sheet.reason.setText("Agreed with the customer")
        tour.grab(f"supply-{action}", sheet)
        sheet.go.click()
        tour.until(lambda: session.question is not None and "confirm" in session.question.key)
        tour.grab(f"supply-{action}-confirm", sheet)
        sheet.digits.setText(serial[-4:])
        sheet.go.click()
        tour.until(lambda: not session.running)
        tour.grab(f"supply-{action}-done", sheet)
        sheet.accept()
        tour.settle(0.3)


def denied(tour: Any, folder: Path) -> None:
    """Show a value that is denied among others, and settings that nobody answers to."""
    from app.views.settings_sheet import SettingsSheet
    from drivers.errors import NoReply
    from tests.gui.object_desk import TYPE, ObjectDesk

    desk = ObjectDesk(folder, ("access-denied",))
    with tour.opened(desk) as window:
        window.station.choose_port("fake:bus", "Virtual RS-485 bus", TYPE)
        window.open_place(1)
        window.pages.open_tool(1)
        page, session = window.stack.currentWidget(), window.pages.objects
        page.read()
        tour.until(lambda: not session.running)
        page.ways._group.button(1).click()
        page.search.setText("reg")
        page.tree.selectAll()
        page.read()
        tour.until(lambda: not session.running)
        page.attributes.choose("1-0:32.7.0.255", 2)
        tour.grab("objects-denied")
        desk.broken = NoReply(2.0)
        window.ask_for_port("Connect", None)
        ports = tour.sheet()
        tour.until(ports.settings.isEnabled)
        ports.settings.click()
        sheet = ports.findChildren(SettingsSheet)[-1]
        sheet.test.click()
        tour.until(lambda: not sheet._runner.busy)
        tour.grab("connect-failed", sheet)
        sheet.reject()
        ports.reject()
        tour.settle(0.2)
    desk.db.close()
