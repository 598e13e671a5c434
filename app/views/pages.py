"""Makes the pages when they are first looked at, and keeps the sessions that outlive them."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QLineEdit

from app.views.centre_page import CentrePage, CentreSession
from app.views.maintenance import CALENDAR, FIRMWARE, OBJECTS, PARAMETERS, READ, SERVICE, ToolTabs
from app.views.object_session import ObjectSession
from app.views.order_page import OrderPage
from app.views.page import Page
from app.views.queue_page import QueuePage, import_into
from app.views.queue_session import QueueSession
from app.views.read_page import ReadPage
from app.views.service_session import ServiceSession
from app.views.settings_page import SettingsPage
from app.views.station import Station
from app.views.theme import Look
from app.views.work_session import ReadSession, WorkSession

if TYPE_CHECKING:
    from app.views.act_page import ActPage
    from app.views.calendar_session import CalendarSession
    from app.views.campaign_page import CampaignSession
    from app.views.firmware_session import FirmwareSession
    from app.views.main_window import MainWindow
    from app.views.parameters_session import ParametersSession

JOBS, MAINTENANCE, SETTINGS, CENTRE = range(4)


class Pages(QObject):
    """The pages of one look; ``drop`` forgets them, the sessions stay."""

    wanted = Signal(int)
    look_changed = Signal()

    def __init__(self, station: Station, window: "MainWindow") -> None:
        super().__init__(window)
        self._station, self._window = station, window
        self.queue = QueueSession(station)
        self.reading = ReadSession(station)
        self.centre = CentreSession(station)
        self.objects = ObjectSession(station)
        self.service = ServiceSession(station)
        self.parameters: ParametersSession | None = None
        self.calendar: CalendarSession | None = None
        self.firmware: FirmwareSession | None = None
        self.tool = READ  # of Maintenance
        self.order: WorkSession | None = None
        self.campaign: CampaignSession | None = None
        self._pages: dict[str, Page] = {}

    def page(self, place: int, look: Look) -> Page:
        """Give the page of a work area."""
        if place == JOBS and self.order is not None:
            return self._kept(f"order {self.order.order_id}", partial(self._order_page, look))
        if place == JOBS and self.campaign is not None:
            return self._kept("campaign", partial(self._campaign_page, look))
        if place == JOBS:
            return self._kept("queue", partial(self._queue_page, look))
        if place == MAINTENANCE:
            makers = {
                OBJECTS: self._objects_page,
                SERVICE: self._service_page,
                PARAMETERS: self._parameters_page,
                CALENDAR: self._calendar_page,
                FIRMWARE: self._firmware_page,
            }
            make = makers.get(self.tool, self._read_page)
            return self._kept(f"tool {self.tool}", partial(make, look))
        if place == CENTRE:
            return self._kept("centre", partial(self._centre_page, look))
        return self._kept("settings", partial(self._settings_page, look))

    def drop(self) -> None:
        """Forget all pages: the look has changed."""
        self._pages.clear()

    def person_came(self) -> None:
        """Forget what the person before had open; what still runs stays."""
        if self.order is not None and not self.order.running:
            self.order = None
        self.queue.choose("")
        self.queue.reload()

    def open_order(self, order_id: str) -> None:
        """Open an order in the place of the queue."""
        if not order_id:
            return
        if self.order is None or self.order.order_id != order_id:
            if self.order is not None and self.order.running:
                words = "Another job is running. Stop it first."
                self._station.noticed.emit("circle-play", words)
            else:
                self.order = WorkSession(self._station, order_id)
        self.wanted.emit(JOBS)

    def close_order(self) -> None:
        """Go back to the queue; a job that runs stays open."""
        if self.order is not None and self.order.running:
            self._station.noticed.emit("circle-play", "The job is running. Stop it first.")
            return
        if self.order is not None:
            page = self._pages.pop(f"order {self.order.order_id}", None)
            if page is not None:
                self._window.stack.removeWidget(page)
                page.deleteLater()
        self.order = None
        self.wanted.emit(JOBS)

    def open_campaigns(self) -> None:
        """Open the key-change campaigns in the place of the queue; an order closes back to them."""
        from app.views.campaign_page import CampaignSession

        if self.campaign is None:
            self.campaign = CampaignSession(self._station)
        self.wanted.emit(JOBS)

    def close_campaigns(self) -> None:
        """Go back to the queue."""
        page = self._pages.pop("campaign", None)
        if page is not None:
            self._window.stack.removeWidget(page)
            page.deleteLater()
        self.campaign = None
        self.wanted.emit(JOBS)

    def open_meter_keys(self) -> None:
        """Show the keys of the virtual meter that is worked at; real meters have their own."""
        from app.views.meter_keys import MeterKeys

        press, window = self._station.desk.keypad, self._window
        if press is None or self._station.desk.locked:
            return
        detail = self.order.detail if self.order is not None else self.queue.detail
        serial = detail.row.meter_serial if detail is not None else ""
        kind = detail.row.meter_type if detail is not None else ""
        for shown in window.findChildren(MeterKeys):
            shown.close()
        MeterKeys(window.look, self._station, press, window, serial=serial, kind=kind).show()

    def take_scan(self, text: str) -> None:
        """Bring what was scanned to the page in front, or to the field that has the focus."""
        page, field = self._window.stack.currentWidget(), QApplication.focusWidget()
        in_dialog = QApplication.activeWindow() not in {None, self._window}
        if not in_dialog and isinstance(page, Page) and page.take_scan(text):
            return
        if isinstance(field, QLineEdit):
            field.insert(text)
            return
        self._station.noticed.emit("scan-barcode", f"{text} was scanned. Nobody asked for it.")

    def open_tool(self, tool: int) -> None:
        """Open a tool of Maintenance."""
        self.tool = tool
        self.wanted.emit(MAINTENANCE)

    def _kept(self, name: str, make: "partial[Page]") -> Page:
        if name not in self._pages:
            self._pages[name] = make()
        return self._pages[name]

    def _queue_page(self, look: Look) -> Page:
        page = QueuePage(look, self.queue, self._window.width())
        page.wanted.connect(self.open_order)
        page.reading_wanted.connect(lambda: self.wanted.emit(MAINTENANCE))
        page.campaigns_wanted.connect(self.open_campaigns)
        return page

    def _campaign_page(self, look: Look) -> Page:
        from app.views.campaign_page import CampaignPage

        session = self.campaign
        if session is None:
            return self._queue_page(look)
        page = CampaignPage(look, session)
        page.left.connect(self.close_campaigns)
        page.wanted.connect(self.open_order)
        page.import_wanted.connect(lambda: import_into(page, self._station, session.load))
        return page

    def _order_page(self, look: Look) -> Page:
        session = self.order
        if session is None:
            return self._queue_page(look)
        page = OrderPage(look, session)
        page.left.connect(self.close_order)
        page.port_wanted.connect(lambda: self._ask_for_port_of(session))
        page.report_wanted.connect(self._window.save_report)
        page.keys_wanted.connect(self.open_meter_keys)
        page.incident_wanted.connect(lambda: self._report_incident(session))
        return page

    def _ask_for_port_of(self, session: WorkSession) -> None:
        serial = session.detail.row.meter_serial if session.detail is not None else ""
        self._window.ask_for_port("Start", session.start, serial)

    def _tabbed(self, page: Page, look: Look, tool: int) -> Page:
        tabs = ToolTabs(look, tool)
        tabs.chosen.connect(self.open_tool)
        tabs.chosen.connect(lambda _: tabs.segments.choose(tool))  # for when it is opened again
        page.outer.insertWidget(0, tabs)
        return page

    def _objects_page(self, look: Look) -> Page:
        from app.views.objects_page import ObjectsPage

        page = ObjectsPage(look, self.objects)
        page.report_wanted.connect(self._window.save_report)
        page.port_wanted.connect(lambda: self._window.ask_for_port("List", page.read))
        return self._tabbed(page, look, OBJECTS)

    def _service_page(self, look: Look) -> Page:
        from app.views.service_page import ServicePage

        page = ServicePage(look, self.service)
        page.report_wanted.connect(self._window.save_report)
        page.port_wanted.connect(lambda: self._window.ask_for_port("Read", page.read))
        return self._tabbed(page, look, SERVICE)

    def _parameters_page(self, look: Look) -> Page:
        from app.views.parameters_page import ParametersPage
        from app.views.parameters_session import ParametersSession

        if self.parameters is None:
            self.parameters = ParametersSession(self._station)
        return self._acting(ParametersPage(look, self.parameters), look, PARAMETERS)

    def _calendar_page(self, look: Look) -> Page:
        from app.views.calendar_page import CalendarPage
        from app.views.calendar_session import CalendarSession

        if self.calendar is None:
            self.calendar = CalendarSession(self._station)
        return self._acting(CalendarPage(look, self.calendar), look, CALENDAR)

    def _firmware_page(self, look: Look) -> Page:
        from app.views.firmware_page import FirmwarePage
        from app.views.firmware_session import FirmwareSession

        if self.firmware is None:
            self.firmware = FirmwareSession(self._station)
        return self._acting(FirmwarePage(look, self.firmware), look, FIRMWARE)

    def _acting(self, page: "ActPage", look: Look, tool: int) -> Page:
        page.report_wanted.connect(self._window.save_report)
        page.port_wanted.connect(lambda: self._window.ask_for_port("Read", page.read))
        return self._tabbed(page, look, tool)

    def _read_page(self, look: Look) -> Page:
        page = ReadPage(look, self.reading)
        page.report_wanted.connect(self._window.save_report)
        page.port_wanted.connect(lambda: self._window.ask_for_port("Read", self.reading.start))
        return self._tabbed(page, look, READ)

    def _centre_page(self, look: Look) -> Page:
        page = CentrePage(look, self.centre)
        page.settings_wanted.connect(lambda: self.wanted.emit(SETTINGS))
        return page

    def _settings_page(self, look: Look) -> Page:
        page = SettingsPage(look, self._station)
        page.look_changed.connect(self.look_changed)
        return page

    def _report_incident(self, session: WorkSession) -> None:
        from app.views.incident_sheet import IncidentSheet

        if session.detail is not None:
            sheet = IncidentSheet(self._window.look, self._station, session.detail, self._window)
            sheet.reported.connect(session.load)
            sheet.open()
