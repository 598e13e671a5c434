"""Registers and profiles as an IEC 61968-9 MeterReadings message, written as they arrive.

The second edition's names and order of elements, without a claim of conformance: the schema is not
public.  Types of readings are named by their OBIS codes, states of intervals by the meter's own
status; both are declared at the end of the message with unit and words.
"""

import os
import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

from app.errors import BadInput
from app.models.base import utc_now
from app.models.engine import translated
from app.models.files import flush_folder
from app.services.shapes import number_text, time_text
from drivers.values import ProfileInfo, ProfileRow, Reading

MESSAGE = "http://iec.ch/TC57/2011/schema/message"
READINGS = "http://iec.ch/TC57/2011/MeterReadings#"
_KILO = frozenset({"kWh", "kvarh", "kVAh", "kW", "kvar", "kVA"})
_SYMBOLS = {"varh": "VArh", "var": "VAr", "°": "deg", "°C": "degC", "m³": "m3"}
_ALLOWED = str.maketrans({n: " " for n in range(32) if chr(n) not in "\t\n\r"})


class MeterReadingsFile:
    """One message, under a temporary name until it is whole.

    A meter's intervals come first (`write`), then `meter` ends it with its number and its
    registers; `finish` ends the message, `abandon` leaves no file behind.

    Raises:
        BadInput: The file cannot be written.
        NoRoom: The disk is full.
    """

    def __init__(self, path: Path, made: datetime | None = None) -> None:
        self._path = path
        self._temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        self._types: dict[str, tuple[str, str]] = {}  # reference -> name, unit
        self._states: dict[int, tuple[str, ...]] = {}
        self._open = False  # inside a meter
        try:
            with translated(str(path)):
                self._file: BinaryIO = self._temporary.open("wb")
        except OSError as error:
            raise BadInput(f"{path} cannot be written: {error.strerror}") from error
        header = "".join(
            _element(name, text)
            for name, text in (
                ("Verb", "created"),
                ("Noun", "MeterReadings"),
                ("Revision", "2.0"),
                ("Timestamp", time_text((made or utc_now()).replace(microsecond=0)) or ""),
                ("Source", "Meterwright"),
                ("MessageID", str(uuid.uuid4())),
            )
        )
        self._write(
            f'<?xml version="1.0" encoding="UTF-8"?>\n<EventMessage xmlns="{MESSAGE}">\n'
            f'<Header>{header}</Header>\n<Payload>\n<MeterReadings xmlns="{READINGS}">\n'
        )

    def write(self, info: ProfileInfo, rows: Sequence[ProfileRow]) -> None:
        """Write rows of a profile: one block for each column that has values.

        Raises:
            NoRoom: The disk is full.
        """
        self._begin()
        for place, column in enumerate(info.columns):
            readings = [
                f"<IntervalReadings>{_element('timeStamp', time_text(row.time) or '')}"
                f"{_element('value', number_text(value) or '')}{self._quality(row)}"
                "</IntervalReadings>\n"
                for row in rows
                if (value := row.values[place]) is not None
            ]
            if readings:
                named = f"{column.obis}/{column.attribute}" if column.attribute > 2 else column.obis  # noqa: PLR2004
                kind = self._reading_type(named, column.name, column.unit)
                self._write(f"<IntervalBlocks>\n{''.join(readings)}{kind}</IntervalBlocks>\n")

    def meter(
        self,
        number: str,
        registers: Sequence[tuple[Reading, str]],
        read_at: datetime,
        usage_point: str = "",
    ) -> None:
        """End the meter ``number`` with its registers, each with the reason it was read for.

        Raises:
            NoRoom: The disk is full.
        """
        self._begin()
        parts = [f"<Meter><Names>{_element('name', number)}</Names></Meter>\n"]
        for reading, reason in registers:
            text = number_text(reading.value) or reading.text
            if text:
                reference = (reading.obis or reading.code) + (
                    f"*{reading.history}" if reading.history else ""
                )
                parts.append(
                    f"<Readings>{_element('reason', reason)}"
                    f"{_element('timeStamp', time_text(reading.time or read_at) or '')}"
                    f"{_element('value', text)}"
                    f"{self._reading_type(reference, reading.name, reading.unit)}</Readings>\n"
                )
        if usage_point:
            parts.append(
                f"<UsagePoint><Names>{_element('name', usage_point)}</Names></UsagePoint>\n"
            )
        self._write("".join(parts) + "</MeterReading>\n")
        self._open = False

    def finish(self) -> None:
        """End the message and give the file its name.

        Raises:
            NoRoom: The disk is full.
        """
        states = [
            f"<ReadingQualityType>{_element('mRID', _state(raw))}"
            f"<Names>{_element('name', ', '.join(words) or 'no remark')}</Names>"
            "</ReadingQualityType>\n"
            for raw, words in sorted(self._states.items())
        ]
        types = [_declared(*item) for item in self._types.items()]
        self._write(f"{''.join(states + types)}</MeterReadings>\n</Payload>\n</EventMessage>\n")
        with translated(str(self._path)):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._temporary.replace(self._path)
            flush_folder(self._path.absolute().parent)

    def abandon(self) -> None:
        """Leave no file behind; one that is finished stays."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)

    def _begin(self) -> None:
        if not self._open:
            self._write("<MeterReading>\n")
            self._open = True

    def _quality(self, row: ProfileRow) -> str:
        if row.status_raw is None:
            return ""
        self._states.setdefault(row.status_raw, row.status)
        reference = quoteattr(_state(row.status_raw))
        return f"<ReadingQualities><ReadingQualityType ref={reference}/></ReadingQualities>"

    def _reading_type(self, reference: str, name: str, unit: str) -> str:
        self._types.setdefault(reference, (name, unit))
        return f"<ReadingType ref={quoteattr(reference)}/>"

    def _write(self, text: str) -> None:
        with translated(str(self._path)):
            self._file.write(text.encode())


def _state(raw: int) -> str:
    return f"status {raw}"


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text.translate(_ALLOWED))}</{name}>"


def _declared(reference: str, told: tuple[str, str]) -> str:
    """Return what stands behind a reference: multiplier and unit apart, and its name."""
    name, unit = told
    bare = unit[1:] if unit in _KILO else unit
    parts = [_element("mRID", reference)]
    if unit:
        parts.append(_element("multiplier", "k" if unit in _KILO else "none"))
        parts.append(_element("unit", _SYMBOLS.get(bare, bare)))
    parts.append(f"<Names>{_element('name', name or reference)}</Names>")
    return f"<ReadingType>{''.join(parts)}</ReadingType>\n"
