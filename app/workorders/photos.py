"""Photos as they are kept: JPEG or PNG, without metadata, the time of the picture beside it.

A camera writes position, owner and serial numbers into a picture; none of that leaves the laptop.
"""

import re
import struct
import zlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.errors import BadInput

LARGEST = 20_000_000  # bytes
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_PICTURE_SEGMENTS = frozenset(
    # start of frame, tables, restart interval: what the decoder needs
    {*range(0xC0, 0xD0), 0xDB, 0xDD, 0xDC}
)
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # tell the size
_JFIF, _ADOBE, _SCAN, _END, _STUFFED = 0xE0, 0xEE, 0xDA, 0xD9, 0xFF
_PNG_CHUNKS = frozenset((b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"sRGB", b"cHRM"))
_NO_SEGMENT = frozenset({0, _STUFFED, *range(0xD0, 0xD8)})  # data, fill, restart
_TAKEN = re.compile(rb"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)\x00")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture without metadata; ``taken`` is the camera's local time, where it told one."""

    data: bytes
    mime: str
    suffix: str
    taken: datetime | None


def load_picture(path: Path) -> Picture:
    """Return the picture in a file, without its metadata.

    Raises:
        BadInput: It cannot be read, is too large, or is neither JPEG nor PNG.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput(f"{path.name} is larger than {LARGEST // 1_000_000} MB")
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from error
    return clean_picture(data, path.name)


def clean_picture(data: bytes, name: str = "the picture") -> Picture:
    """Return the picture in ``data`` without its metadata.

    Raises:
        BadInput: It is neither JPEG nor PNG, or is damaged.
    """
    try:
        if data.startswith(_JPEG):
            return Picture(_clean_jpeg(data), "image/jpeg", ".jpg", _taken(data))
        if data.startswith(_PNG):
            return Picture(_clean_png(data), "image/png", ".png", None)
    except (IndexError, struct.error) as error:
        raise BadInput(f"{name} is damaged") from error
    raise BadInput(f"{name} is neither a JPEG nor a PNG picture")


def _clean_jpeg(data: bytes) -> bytes:
    """Copy the segments the decoder needs; comments and application data stay behind."""
    kept = bytearray(data[:2])
    place, framed = 2, False
    while True:
        if data[place] != _STUFFED:
            raise IndexError("no marker where one must stand")
        while data[place + 1] == _STUFFED:
            place += 1
        marker = data[place + 1]
        (length,) = struct.unpack_from(">H", data, place + 2)
        end = place + 2 + length
        if marker == _SCAN:
            if not framed:
                raise IndexError("the picture tells no size")
            return bytes(kept) + data[place : _last(data, place)]
        if marker == _END or end > len(data):
            raise IndexError("the picture ends before its data")
        framed = framed or marker in _FRAMES
        if marker in _PICTURE_SEGMENTS or _harmless(marker, data[place + 4 : end]):
            kept += data[place:end]
        place = end


def _last(data: bytes, start: int) -> int:
    """Return where the picture ends; whatever a camera hangs on behind it stays behind."""
    place = start
    while True:
        place = data.find(b"\xff", place)
        if place < 0:
            raise IndexError("the picture has no end")
        marker = data[place + 1]
        if marker == _END:
            return place + 2
        if marker in _NO_SEGMENT:
            place += 1 if marker == _STUFFED else 2
            continue
        (length,) = struct.unpack_from(">H", data, place + 2)
        place += 2 + length


def _harmless(marker: int, body: bytes) -> bool:
    """Keep the JFIF head and Adobe's colour note: without them colours come out wrong."""
    return (marker == _JFIF and body.startswith(b"JFIF\x00")) or (
        marker == _ADOBE and body.startswith(b"Adobe")
    )


def _clean_png(data: bytes) -> bytes:
    kept = bytearray(_PNG)
    place = len(_PNG)
    while True:
        length, name = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if end > len(data):
            raise IndexError("a chunk is cut off")
        (crc,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(data[place + 4 : end - 4]) != crc:
            raise IndexError("a chunk is damaged")
        if name in _PNG_CHUNKS:
            kept += data[place:end]
        if name == b"IEND":
            return bytes(kept)
        place = end


def _taken(data: bytes) -> datetime | None:
    """Return the time the camera wrote into the first metadata segment."""
    start = data.find(b"Exif\x00\x00", 0, 70_000)
    if start < 0:
        return None
    found = _TAKEN.search(data, start, start + 65_536)
    if found is None:
        return None
    try:
        # the camera's wall time: its zone is not in the picture
        return datetime(*(int(part) for part in found.groups()))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None
