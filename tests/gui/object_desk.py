"""The real desk with virtual Hexcell meters at the end of its lines, in memory."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.services.connection import Overrides
from app.services.vault import Vault
from app.tasks import Cancel
from app.views.station import Station
from app.views.task_runner import call
from drivers.dlms.addressing import with_serial
from drivers.dlms.meter import DlmsMeter
from drivers.errors import DriverError
from drivers.meter import Meter
from drivers.metertype import load_meter_type
from drivers.secrets import Secret, Secrets
from drivers.simulator import hexcell
from drivers.simulator.memory import DeviceLink
from tests.gui.fake_desk import FakeDesk
from tests.gui.patience import PATIENCE

SERIAL = "46000755036"
TYPE = "hexcell-ddsy1088"
START = datetime.now(UTC).replace(microsecond=0)


class DictBackend:
    """A keyring in a dictionary; ``loses`` keeps nothing, as the null backend does."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.loses = False

    def get_password(self, service: str, name: str, /) -> str | None:
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, value: str, /) -> None:
        if not self.loses:
            self.kept[service, name] = value

    def delete_password(self, service: str, name: str, /) -> None:
        del self.kept[service, name]


class ObjectDesk(FakeDesk):
    """Every port leads to one virtual Hexcell; ``broken`` is raised when it is opened."""

    def __init__(self, folder: Path, faults: tuple[str, ...] = (), serial: str = SERIAL) -> None:
        super().__init__(folder)
        self.keyring = DictBackend()
        self._vault = Vault(folder, self.keyring)
        self.broken: DriverError | None = None
        self.on_open: Callable[[], object] = lambda: None
        self.asked: list[tuple[Any, ...]] = []
        self.put(serial, faults)

    def put(self, serial: str, faults: tuple[str, ...] = ()) -> None:
        """Hang another meter on the line."""
        meter = hexcell.Hexcell(serial, 4, 1, hexcell.Faults(faults), START)
        self.virtual = meter
        self.link = DeviceLink([meter.device()])
        self.serial = serial

    def _opened(
        self,
        target: str,
        meter_type: str,
        serial: str = "",
        overrides: Overrides | None = None,
        secrets: Secrets | None = None,
        *,
        secret: str = "",
    ) -> Callable[[str], AbstractContextManager[Meter]]:
        self.asked.append((target, meter_type, serial, overrides, secret))

        @contextmanager
        def opened(_name: str) -> Iterator[Meter]:
            self.on_open()
            kind = with_serial(load_meter_type(TYPE), self.serial)
            kind = replace(kind, timing=replace(kind.timing, reply_s=1.0, retries=0))
            if self.broken is not None:
                raise self.broken
            known = Secrets(password=Secret(hexcell.PASSWORD))
            with DlmsMeter(self.link, kind, known) as meter:
                yield meter

        return opened


@contextmanager
def opened_desk(empty: Path, folder: Path) -> Iterator[ObjectDesk]:
    """Give a desk on a copy of an empty laptop, and close its database."""
    shutil.copytree(empty, folder)
    desk = ObjectDesk(folder)
    yield desk
    desk.db.close()


def ended(station: Station, qtbot: Any) -> None:
    """Stop what runs, wait for it and for the last look into the data, and close."""
    station.stop_all()
    qtbot.waitUntil(lambda: not station.busy(), timeout=PATIENCE)
    station.data.start(call(lambda: None), lambda _: None, Cancel()).result(5)
    station.close()
