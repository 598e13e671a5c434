"""Firmware for the meter at the chosen port: the file, its name, the transfer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.errors import BadInput
from app.views.service_session import ActSession

if TYPE_CHECKING:
    from pathlib import Path

    from app.views.station import Station

READING = "reading who is there"


class FirmwareSession(ActSession):
    """One image at a time; it stays for the next meter."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.image = b""
        self.file_name = ""
        self.name = ""  # how the meter shall know the image

    def look_up(self) -> None:
        """Find out which firmware the meter runs."""
        if not self.running:
            self.outcome = None
            self._begin(READING, self.station.desk.bench.connect(self.station.at()))

    def open_file(self, path: Path) -> None:
        """Take the image from a file."""

        def read() -> bytes:
            try:
                image = path.read_bytes()
            except OSError as error:
                raise BadInput(f"{path} cannot be read: {error.strerror}") from error
            if not image:
                raise BadInput(f"{path} is empty")
            return image

        def take(image: bytes) -> None:
            self.image, self.file_name, self.name = image, path.name, path.stem
            self.turned.emit()

        fetch, refused = self.station.fetcher.fetch, self.station.refused.emit
        fetch("firmware file", read, take, refused)

    def ended(self, result: object) -> None:
        """Show the firmware that reads back."""
        super().ended(result)
        who = self.findings.identity
        if self.outcome is not None and who is not None:
            self.findings.identity = replace(who, firmware=self.outcome.after)

    def load(self, *, activate: bool) -> None:
        """Load the image; the task asks for reason, approval and confirmation."""
        if self.image and not self.running:
            at, bench = self.station.at(), self.station.desk.bench
            name, image = self.name, self.image
            self.act(bench.load_firmware(at, name, image, self.serial, activate=activate))
