"""The last page: seals, photos, declaration, signatures, and the code that ties paper to record."""

from __future__ import annotations

import io
from collections.abc import Mapping

from reportlab.lib.utils import ImageReader

from app.reports.figures import strokes
from app.reports.front import Paper
from app.reports.model import Photo, Signature
from app.reports.sheet import BOLD, HAIR, HEAD, MM, MONO, NOTE, RULE, TEXT, Block, Pen, fit, wrap
from app.reports.tables import Column, Row

QR_SIZE = 28 * MM


def draw_seals(paper: Paper, photos: Mapping[str, bytes]) -> None:
    """Seals, then photos in rows of three with their captions."""
    rows = [
        Row((s.position, s.kind, s.number, f"photo {s.photo}" if s.photo else "\u2013"))
        for s in paper.record.seals
    ]
    columns = [
        Column("Seal position", 0),
        Column("Colour and type", 45),
        Column("Number", 40),
        Column("Evidence", 24),
    ]
    if rows:
        table = paper.table(columns, rows)
        paper.flow.heading("Seals", table.start())
        table.into(paper.flow, "Seals")
    pictures = paper.record.photos
    if not pictures:
        return
    gap = 5 * MM
    wide = (paper.width - 2 * gap) / 3
    paper.flow.heading("Photos", wide * 0.75 + 3 * NOTE[1])
    for start in range(0, len(pictures), 3):
        blocks = [
            _photo(paper, photo, photos[photo.sha256], paper.left + place * (wide + gap), wide)
            for place, photo in enumerate(pictures[start : start + 3])
        ]
        paper.flow.side_by_side(*blocks)
        paper.flow.skip(2 * MM)


def _photo(paper: Paper, photo: Photo, data: bytes, left: float, wide: float) -> Block:
    image = ImageReader(io.BytesIO(data))
    pixels = image.getSize()
    high = min(wide * pixels[1] / pixels[0], wide)
    real = high * pixels[0] / pixels[1]
    lines = wrap(f"{photo.number}. {photo.caption}", wide, NOTE[0], most=4)
    lines.append(paper.clock.minute(photo.time))

    def draw(pen: Pen, top: float) -> None:
        pen.canvas.drawImage(image, left, top - high, real, high)
        pen.box(left, top - high, real, high, HAIR)
        for number, line in enumerate(lines):
            pen.text(left, top - high - NOTE[0] - 2.5 - number * NOTE[1], line, NOTE[0])

    return Block(high + 4 + len(lines) * NOTE[1], draw)


def draw_declaration(paper: Paper) -> None:
    """Declaration, signatures, and the code that ties the paper to the record: one block."""
    blocks = [_signature_row(paper, group) for group in _triples(paper.record.signatures)]
    high = sum(block.height for block in blocks) + 36 * MM
    text = len(wrap(paper.record.declaration, paper.width, TEXT[0])) * TEXT[1]
    paper.flow.heading("Declaration and signatures", min(high + text, 190 * MM))
    paper.flow.paragraph(paper.record.declaration)
    paper.flow.skip(1.5 * MM)
    for block in blocks:
        paper.flow.put(block)
    paper.flow.put(_proof(paper))


def _triples(signatures: tuple[Signature, ...]) -> list[tuple[Signature, ...]]:
    return [signatures[start : start + 3] for start in range(0, len(signatures), 3)]


def _signature_row(paper: Paper, group: tuple[Signature, ...]) -> Block:
    gap, high = 6 * MM, 32 * MM
    wide = (paper.width - 2 * gap) / 3

    def draw(pen: Pen, top: float) -> None:
        for place, signature in enumerate(group):
            _sign(pen, paper, signature, paper.left + place * (wide + gap), top, wide)

    return Block(high, draw)


def _sign(pen: Pen, paper: Paper, signed: Signature, x: float, top: float, wide: float) -> None:
    """One signature over its line: drawn, typed, absent, or room for ink."""
    line = top - 16 * MM
    if signed.state == "drawn":
        strokes(pen, signed, x, line + 1, min(wide, 45 * MM))
    elif signed.state == "typed":
        pen.text(x, line + 5, fit(f"/s/ {signed.name}", wide, HEAD[0]), HEAD[0])
    elif signed.state == "absent":
        pen.text(x, line + 5, "absent", HEAD[0])
    pen.rule(x, x + wide, line, RULE)
    when = paper.clock.minute(signed.time) if signed.time else "Date: ........................"
    how = {"drawn": ", signed on screen", "typed": ", name typed"}.get(signed.state, "")
    y = line - NOTE[1]
    pen.text(x, y, signed.role, NOTE[0], BOLD)
    words = [signed.name, signed.detail, when + how]
    for text in (part for word in words if word for part in wrap(word, wide, NOTE[0], most=2)):
        y -= NOTE[1]
        pen.text(x, y, text, NOTE[0])


def _proof(paper: Paper) -> Block:
    """The QR code with the full hash beside it and how to check it, in words."""
    size, report = QR_SIZE, paper.record.report
    left = paper.left + size + 6 * MM
    words = (
        "The record behind this paper is attached to the PDF file as JSON. Its SHA-256 is printed "
        "here and held by the code on the left together with the report number. Compute it again "
        "from the attachment and compare: one changed digit changes the hash. That shows integrity "
        "to a reader who has the hash from elsewhere; it does not show who made the report."
    )
    width = paper.width - size - 6 * MM
    lines = wrap(words, width, TEXT[0])

    def draw(pen: Pen, top: float) -> None:
        base = top - 4 - size
        pen.canvas.saveState()
        pen.canvas.translate(paper.left, base)
        pen.canvas.doForm("qr")
        pen.canvas.restoreState()
        pen.text(
            left, top - 12, f"Report {report.number}, revision {report.revision}", TEXT[0], BOLD
        )
        half = [paper.fingerprint[i : i + 8] for i in range(0, 64, 8)]
        pen.text(left, top - 24, "SHA-256", NOTE[0], BOLD)
        for number, part in enumerate((half[:4], half[4:])):
            pen.text(left + 13 * MM, top - 24 - number * 10, " ".join(part), 7.6, MONO)
        for number, line in enumerate(lines):
            pen.text(left, top - 48 - number * TEXT[1], line)

    return Block(max(size + 6, 50 + len(lines) * TEXT[1]), draw)
