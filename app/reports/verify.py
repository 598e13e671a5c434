"""Whether a report file is what it says: the record, the printed hash and every page."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Name

from app.reports.commissioning_pdf import ATTACHMENT, qr_text, render
from app.reports.figures import qr_stream
from app.reports.model import Record
from app.reports.proof import QR_SIZE
from app.reports.record_json import RecordError, fingerprint, restore
from app.reports.sheet import SHEETS
from app.reports.words import RefusedText


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found. `troubles` is empty when the file is sound."""

    record_hash: str
    printed_hash: str
    troubles: tuple[str, ...]
    record: Record | None = None

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.troubles


def verify(path: Path, expected: str = "") -> Proof:
    """Check the file at `path`; `expected` is its hash when the reader has it from elsewhere.

    Without `expected` this finds a file that contradicts itself. It cannot find a file that
    somebody made anew, whole, from another record.
    """
    try:
        with pikepdf.open(path) as pdf:
            return _check(pdf, expected.lower().replace(" ", ""))
    except pikepdf.PdfError as error:
        return Proof("", "", (f"This is no readable PDF file: {error}",))


def _check(pdf: pikepdf.Pdf, expected: str) -> Proof:
    troubles: list[str] = []
    printed = printed_hash(pdf)
    if ATTACHMENT not in pdf.attachments:
        return Proof("", printed, ("The record is not attached to this file.",))
    data = pdf.attachments[ATTACHMENT].get_file().read_bytes()
    digest = fingerprint(data)
    if printed != digest:
        troubles.append("The hash printed on paper is not the hash of the attached record.")
    if expected and expected != digest:
        troubles.append("The hash that you hold is not the hash of the attached record.")
    try:
        record = restore(data)
    except RecordError as error:
        return Proof(digest, printed, (*troubles, f"{error}."), None)
    if not qr_of(pdf).endswith(qr_stream(qr_text(record, digest), QR_SIZE)):
        troubles.append("The QR code does not hold the report number and this hash.")
    troubles += _compare_pages(pdf, record)
    return Proof(digest, printed, tuple(troubles), record)


def _compare_pages(pdf: pikepdf.Pdf, record: Record) -> Iterator[str]:
    """Draw the report again from the attached record and compare it page by page."""
    box = [float(side) for side in pdf.pages[0].mediabox]
    size = min(
        SHEETS, key=lambda name: abs(SHEETS[name][0] - box[2]) + abs(SHEETS[name][1] - box[3])
    )
    try:
        again = render(record, photos_of(pdf), size)
    except RefusedText as error:
        yield str(error)
        return
    with pikepdf.open(io.BytesIO(again)) as fresh:
        if len(fresh.pages) != len(pdf.pages):
            yield f"The file has {len(pdf.pages)} pages; the record makes {len(fresh.pages)}."
        for number, (left, right) in enumerate(zip(pdf.pages, fresh.pages, strict=False), 1):
            if page_print(left.obj) != page_print(right.obj):
                yield f"Page {number} is not the page that the record makes."


def photos_of(pdf: pikepdf.Pdf) -> dict[str, bytes]:
    """The JPEG files on the pages by their hash."""
    found = {}
    for page in pdf.pages:
        for image in page.get_images().values():
            if image.get("/Filter") in (Name.DCTDecode, [Name.DCTDecode]):
                data = image.read_raw_bytes()
                found[hashlib.sha256(data).hexdigest()] = data
    return found


def qr_of(pdf: pikepdf.Pdf) -> str:
    """The drawing of the QR code as it stands in the file."""
    for page in pdf.pages:
        for name, item in page.resources.get("/XObject", {}).items():
            if name.lower().endswith("qr"):
                return str(item.read_bytes().decode("latin-1").strip())
    return ""


def page_print(page: Any) -> str:
    """A hash over all that a page draws with: contents, fonts, images, notes; not its number."""
    digest = hashlib.sha256()
    for part in _parts(page, ()):
        digest.update(part)
    return digest.hexdigest()


def _parts(item: Any, seen: tuple[Any, ...]) -> Iterator[bytes]:
    """An object with all it refers to, in a fixed order; ways back up are left out."""
    if isinstance(item, pikepdf.Object) and item.is_indirect:
        if item.objgen in seen:
            return
        seen = (*seen, item.objgen)
    if isinstance(item, pikepdf.Stream):
        yield _content(item)
        yield from _parts(item.stream_dict, seen)
    elif isinstance(item, pikepdf.Dictionary):
        for key in sorted(set(item.keys()) - {"/Parent", "/Length", "/Filter", "/DecodeParms"}):
            yield key.encode()
            yield from _parts(item[key], seen)
    elif isinstance(item, pikepdf.Array):
        yield b"["
        for part in item:
            yield from _parts(part, seen)
    else:
        yield str(item).encode() + b";"


def _content(stream: pikepdf.Stream) -> bytes:
    """The decoded bytes, or the raw ones of an image that only a viewer can decode."""
    try:
        return stream.read_bytes(pikepdf.StreamDecodeLevel.generalized)
    except pikepdf.PdfError:
        return stream.read_raw_bytes()


def printed_hash(pdf: pikepdf.Pdf) -> str:
    """The full hash as printed beside the QR code."""
    for page in reversed(pdf.pages):
        text = re.sub(r"\s", "", page_text(page))
        found = re.search(r"SHA-256([0-9a-f]{64})", text)
        if found:
            return found.group(1)
    return ""


def page_text(page: pikepdf.Page) -> str:
    """The text of a page in drawing order, one line a drawn string, by the fonts' own tables."""
    tables = {name: _unicode(font) for name, font in page.resources.get("/Font", {}).items()}
    table: dict[int, str] = {}
    parts = []
    for step in pikepdf.parse_content_stream(page):
        name = str(step.operator)
        if name == "Tf":
            table = tables.get(str(step.operands[0]), {})
        elif name == "Tj":
            text = bytes(step.operands[0])
            parts.append("".join(table.get(code, "\ufffd") for code in text))
        elif name == "ET":
            parts.append("\n")
    return "".join(parts)


def _unicode(font: Any) -> dict[int, str]:
    """The code table of one embedded subset, as ReportLab writes it."""
    if "/ToUnicode" not in font:
        return {}
    text = font.ToUnicode.read_bytes().decode("ascii", "replace")
    pairs = re.findall(r"^<(\w\w)> <(\w{4})>$", text, re.MULTILINE)
    return {int(code, 16): chr(int(sign, 16)) for code, sign in pairs}
