"""The commissioning report as a PDF file: the same record always gives the same bytes.

`render` draws the pages with ReportLab and finishes the file with pikepdf: the record as an
attachment, metadata, the document's language and an sRGB output intent. `report_verify.verify`
goes the other way: it takes the record out of the file, draws the pages again and compares.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from datetime import UTC
from functools import cache

import pikepdf
from pikepdf import Array, AttachedFileSpec, Dictionary, Name
from reportlab import rl_config
from reportlab.pdfgen.canvas import Canvas

from app.reports.figures import qr_stream
from app.reports.front import (
    Paper,
    draw_frame,
    draw_identification,
    draw_title,
    draw_transformers,
    draw_verdict,
)
from app.reports.model import Record, outcome
from app.reports.proof import QR_SIZE, draw_declaration, draw_seals
from app.reports.record_json import canonical, fingerprint
from app.reports.sections import (
    draw_checks,
    draw_events,
    draw_phasors,
    draw_prepayment,
    draw_profile,
    draw_registers,
    draw_settings,
)
from app.reports.sheet import BODY, SHEETS, Flow, Pen, Sheet, load_fonts
from app.reports.words import Clock, RefusedText, refuse_secrets, refuse_unprintable, style_for
from resources import resource

ATTACHMENT = "record.json"
rl_config.useA85 = 0  # photos as they are, so that their hash can be taken from the file again


def qr_text(record: Record, digest: str) -> str:
    """What the QR code holds: report number, hash of the record, address if there is one."""
    parts = [record.report.number, digest, record.report.address]
    return "|".join(part for part in parts if part)


def render(record: Record, photos: Mapping[str, bytes] | None = None, size: str = "A4") -> bytes:
    """The report as PDF bytes. `photos` maps the SHA-256 of each JPEG to its bytes."""
    photos = photos or {}
    refuse_unprintable(record, load_fonts())
    refuse_secrets(record)
    _refuse_wrong_photos(record, photos)
    data = canonical(record)
    digest = fingerprint(data)
    paper = Paper(
        record,
        Flow(Sheet(SHEETS[size])),
        style_for(record.report.language),
        Clock(record.report.offset_min),
        digest,
    )
    lay_out(paper, photos)
    return _finish(_draw(paper), record, data, digest)


def lay_out(paper: Paper, photos: Mapping[str, bytes]) -> None:
    """Every section in its order."""
    draw_title(paper)
    draw_verdict(paper)
    draw_identification(paper)
    draw_transformers(paper)
    draw_checks(paper)
    draw_phasors(paper)
    draw_profile(paper)
    draw_registers(paper)
    draw_prepayment(paper)
    draw_settings(paper)
    draw_events(paper)
    draw_seals(paper, photos)
    draw_declaration(paper)


def _refuse_wrong_photos(record: Record, photos: Mapping[str, bytes]) -> None:
    for photo in record.photos:
        data = photos.get(photo.sha256)
        if data is None or hashlib.sha256(data).hexdigest() != photo.sha256:
            raise RefusedText(f"Photo {photo.number} is missing or is not the one in the record.")
        if not data.startswith(b"\xff\xd8"):
            raise RefusedText(f"Photo {photo.number} is no JPEG file.")


def _draw(paper: Paper) -> bytes:
    """All pages, now that their count is known."""
    buffer, pages = io.BytesIO(), paper.flow.pages
    canvas = Canvas(
        buffer,
        pagesize=paper.flow.sheet.size,
        invariant=1,
        pageCompression=1,
        initialFontName=BODY,
        initialFontSize=8,
    )
    canvas.beginForm("qr", 0, 0, QR_SIZE, QR_SIZE)
    canvas._code.append(qr_stream(qr_text(paper.record, paper.fingerprint), QR_SIZE))  # noqa: SLF001
    canvas.endForm()
    pen = Pen(canvas)
    for number, draws in enumerate(pages):
        draw_frame(pen, paper, number + 1, len(pages))
        for place, (page, top, text) in enumerate(paper.flow.marks):
            if page == number:
                canvas.bookmarkHorizontal(f"part{place}", 0, top)
                canvas.addOutlineEntry(text, f"part{place}", 0)
        for draw in draws:
            draw(pen)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


@cache
def _profile() -> bytes:
    return resource("srgb.icc").read_bytes()


def _finish(drawn: bytes, record: Record, data: bytes, digest: str) -> bytes:
    """Attachment, language, metadata, output intent; saved in one reproducible form."""
    report, job = record.report, record.job
    time = report.ended.astimezone(UTC)
    title = f"{report.title} {report.number}, revision {report.revision}"
    with pikepdf.open(io.BytesIO(drawn)) as pdf:
        root = pdf.Root
        root.Lang = pikepdf.String(report.language)
        root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
        spec = AttachedFileSpec(  # type: ignore[call-arg]  # the stub lacks `relationship`
            pdf,
            data,
            filename=ATTACHMENT,
            mime_type="application/json",
            description="The record behind this report as canonical JSON",
            relationship=Name.Source,
            creation_date=f"D:{time:%Y%m%d%H%M%SZ}",
            mod_date=f"D:{time:%Y%m%d%H%M%SZ}",
        )
        pdf.attachments[ATTACHMENT] = spec
        root.AF = Array([pdf.attachments[ATTACHMENT].obj])
        stream = pdf.make_stream(_profile(), N=3, Alternate=Name.DeviceRGB)
        root.OutputIntents = Array(
            [
                Dictionary(
                    Type=Name.OutputIntent,
                    S=Name.GTS_PDFA1,
                    Info="sRGB IEC61966-2.1",
                    OutputConditionIdentifier="sRGB IEC61966-2.1",
                    DestOutputProfile=stream,
                )
            ]
        )
        subject = f"{outcome(record)}. Meter {record.meter.utility_serial}, order {job.order}"
        pdf.docinfo = pdf.make_indirect(
            Dictionary(
                Title=title,
                Author=job.contractor,
                Subject=subject,
                Keywords=f"SHA-256 {digest}",
                Creator=report.tool,
                Producer=f"{report.tool}, ReportLab",
                CreationDate=f"D:{time:%Y%m%d%H%M%SZ}",
                ModDate=f"D:{time:%Y%m%d%H%M%SZ}",
            )
        )
        with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as meta:
            meta["dc:title"] = title
            meta["dc:creator"] = [job.contractor]
            meta["dc:description"] = subject
            meta["dc:language"] = [report.language]
            meta["dc:identifier"] = f"urn:sha256:{digest}"
            meta["pdf:Keywords"] = f"SHA-256 {digest}"
            meta["pdf:Producer"] = f"{report.tool}, ReportLab"
            meta["xmp:CreatorTool"] = report.tool
            meta["xmp:CreateDate"] = meta["xmp:ModifyDate"] = f"{time:%Y-%m-%dT%H:%M:%SZ}"
        out = io.BytesIO()
        pdf.save(
            out,
            min_version="1.7",
            deterministic_id=True,
            fix_metadata_version=False,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            compress_streams=True,
            recompress_flate=False,
        )
    return out.getvalue()
