"""The first page: title, verdict box with remarks, identification; and the frame of every page."""

from __future__ import annotations

from dataclasses import dataclass

from app.reports.figures import mark
from app.reports.model import Check, Outcome, Record, Verdict, not_kept, outcome
from app.reports.sheet import (
    AMBER,
    BLACK,
    BODY,
    BOLD,
    GREEN,
    HAIR,
    MM,
    NOTE,
    RED,
    RULE,
    TEXT,
    TITLE,
    VERDICT,
    WHITE,
    Block,
    Flow,
    Pen,
    fit,
    text_line,
    width_of,
    wrap,
)
from app.reports.tables import Column, Row, Table, verdict_mark
from app.reports.words import SIGNS, Clock, Style

Pair = tuple[str, str]
MOST_REMARKS = 14
SIGN_OF = {
    Outcome.PASS: SIGNS[Verdict.PASS],
    Outcome.REMARKS: "!",
    Outcome.FAIL: SIGNS[Verdict.FAIL],
    Outcome.INCOMPLETE: SIGNS[Verdict.NOT_RUN],
}
BAND = {Outcome.PASS: GREEN, Outcome.REMARKS: AMBER, Outcome.FAIL: RED}
MEANING = {
    Outcome.PASS: "All mandatory checks were done and all are inside their limits.",
    Outcome.REMARKS: "Every mandatory check was done or waived. Read the remarks below.",
    Outcome.FAIL: "The installation is not accepted. Put right what stands below and repeat it.",
    Outcome.INCOMPLETE: "A mandatory check could not be judged. The job must be finished.",
}


@dataclass(frozen=True, slots=True)
class Paper:
    """What every section needs: the record, the flow and how to write numbers and times."""

    record: Record
    flow: Flow
    style: Style
    clock: Clock
    fingerprint: str

    @property
    def left(self) -> float:
        """The left edge of the text."""
        return self.flow.sheet.left

    @property
    def width(self) -> float:
        """The width of the text."""
        return self.flow.sheet.width

    def table(self, columns: list[Column], rows: list[Row]) -> Table:
        """A table over the full width."""
        return Table(columns, rows, self.left, self.width, decimal=self.style.decimal)


def short_hash(fingerprint: str) -> str:
    """The first sixteen digits in groups of four."""
    return " ".join(fingerprint[i : i + 4] for i in range(0, 16, 4))


def draw_frame(pen: Pen, paper: Paper, page: int, pages: int) -> None:
    """Header and footer; each page names the report, the meter and its own place in the whole."""
    record, sheet = paper.record, paper.flow.sheet
    report = record.report
    y = sheet.size[1] - 10 * MM
    mark(pen, sheet.left, y - 20, 18)
    x = sheet.left + 24
    room = sheet.width * 0.56
    pen.text(x, y - 8, fit(record.job.utility, room, TEXT[0], BOLD), TEXT[0], BOLD)
    serial = record.meter.utility_serial or record.meter.maker_serial
    line = f"Meter {serial}   Work order {record.job.order}"
    pen.text(x, y - 18.4, fit(line, room, TEXT[0]))
    number = f"Report {report.number}, revision {report.revision}"
    pen.text(
        sheet.right, y - 8, fit(number, sheet.width * 0.36, TEXT[0], BOLD), TEXT[0], BOLD, "right"
    )
    pen.text(sheet.right, y - 18.4, f"Page {page} of {pages}", align="right")
    pen.rule(sheet.left, sheet.right, y - 25.5, RULE)
    foot = 10 * MM
    pen.rule(sheet.left, sheet.right, foot + 12, HAIR)
    pen.text(sheet.left, foot + 2, f"SHA-256 {short_hash(paper.fingerprint)} \u2026", NOTE[0], BOLD)
    tail = (
        f"Template {report.template}   Limits {report.pack} {report.pack_version}   {report.tool}"
    )
    pen.text(sheet.right, foot + 2, fit(tail, sheet.width * 0.66, NOTE[0]), NOTE[0], align="right")


def draw_title(paper: Paper) -> None:
    """Title and the one line that says what was done, where and when."""
    report, flow, clock = paper.record.report, paper.flow, paper.clock
    left = paper.left
    flow.put(Block(2 * MM, lambda _pen, _top: None))
    for line in wrap(report.title, paper.width, TITLE[0], BOLD, most=3):
        flow.put(text_line(left, line, TITLE, BOLD))
    place = ", ".join(paper.record.place.address)
    when = f"{clock.minute(report.started)} to {clock.local(report.ended):%H:%M} ({clock.zone})"
    flow.paragraph(f"{paper.record.job.kind}. {place}. Done {when}.")
    flow.skip(2.6 * MM)


def draw_verdict(paper: Paper) -> None:
    """The verdict box: word, sign and shape; counts beside it; remarks below, worst first."""
    checks, sheet = paper.record.checks, paper.flow.sheet
    whole = outcome(paper.record)
    counts = [(verdict, sum(c.verdict is verdict for c in checks)) for verdict in Verdict]
    waived = sum(check.waiver is not None for check in checks)
    height = 25 * MM

    def draw(pen: Pen, top: float) -> None:
        x, wide, base = sheet.left, sheet.width, top - height
        panel = wide * 0.60
        fail = whole is Outcome.FAIL
        ink = WHITE if fail else BLACK
        dash = (4.0, 2.5) if whole is Outcome.INCOMPLETE else ()
        if fail:
            pen.box(x, base, panel, height, 0, BLACK, None)
        pen.box(x + 1, base + 1, wide - 2, height - 2, 2.0, None, BLACK, dash)
        if whole in BAND:
            pen.box(x + 2, base + 2, 3 * MM, height - 4, 0, BAND[whole], None)
        size = VERDICT[0] if width_of(whole, VERDICT[0], BOLD) < panel - 66 else 19.0
        pen.text(x + 11.5 * MM, top - 36, SIGN_OF[whole], 34, BOLD, "centre", ink)
        pen.text(x + 21 * MM, top - 33, whole, size, BOLD, colour=ink)
        for number, line in enumerate(wrap(MEANING[whole], panel - 24 * MM, TEXT[0])):
            pen.text(x + 21 * MM, top - 47 - number * TEXT[1], line, colour=ink)
        _counts(pen, x + panel + 4 * MM, top - 12.5, counts, waived)

    paper.flow.put(Block(height, draw))
    paper.flow.skip(2.6 * MM)
    remarks = _remarks(paper)
    if not remarks:
        paper.flow.paragraph("No remarks.")
    for remark in remarks:
        _hanging(paper, *remark)


def _counts(pen: Pen, x: float, y: float, counts: list[tuple[Verdict, int]], waived: int) -> None:
    """The counts as a small table: figures right-aligned before sign and word."""
    rows = [(SIGNS[verdict], str(verdict), number) for verdict, number in counts]
    for sign, word, number in [*rows, ("", "of these waived", waived)]:
        font = BOLD if number and word in (Verdict.FAIL, Verdict.WARN, Verdict.NOT_RUN) else BODY
        pen.text(x + 18, y, str(number), TEXT[0], font, "right")
        pen.text(x + 32, y, sign, NOTE[0] if len(sign) > 1 else TEXT[0], BOLD, "centre")
        pen.text(x + 44, y, word, TEXT[0], font)
        y -= TEXT[1]


def _remarks(paper: Paper) -> list[tuple[Verdict | None, str, str]]:
    """FAIL first, then what could not be judged, then WARN and waivers; a sentence each."""
    order = [Verdict.FAIL, Verdict.NOT_RUN, Verdict.WARN]
    checks = paper.record.checks
    found = [c for c in checks if c.verdict in order or c.waiver]
    found.sort(
        key=lambda c: (c.waiver is not None, order.index(c.verdict) if c.verdict in order else 9)
    )
    remarks: list[tuple[Verdict | None, str, str]] = [
        (c.verdict, f"{c.number}  {c.title}{', waived' * bool(c.waiver)}", _sentence(paper, c))
        for c in found
    ]
    remarks[:0] = [
        (Verdict.FAIL, f"Setting  {s.name}", f"written {s.written}, read back {s.read_back}.")
        for s in not_kept(paper.record)
    ]
    if not checks:
        remarks.append((None, "", "No check is in the record."))
    if len(remarks) > MOST_REMARKS:
        rest = f"{len(remarks) - MOST_REMARKS + 1} more remarks stand in the table of checks."
        remarks = [*remarks[: MOST_REMARKS - 1], (None, "", rest)]
    return remarks


def _sentence(paper: Paper, check: Check) -> str:
    """One remark in words: what was found, the limit, the advice, the waiver."""
    seen = check.seen or "; ".join(
        f"{q.label} {paper.style.quantity(q)}".strip() for q in check.measured
    )
    text = f"{seen or 'no value'} (limit: {paper.style.limit(check.limit)})."
    if check.remark:
        text += f" {check.remark}"
    if check.waiver:
        text += f" Waived by {check.waiver.by}, {check.waiver.role}."
    return text


def _hanging(paper: Paper, verdict: Verdict | None, title: str, text: str) -> None:
    """A remark: verdict in the margin, title in bold, then the words; kept together."""
    x = paper.left + 23 * MM
    width = paper.width - 23 * MM
    title = fit(title, width * 0.6, TEXT[0], BOLD)
    shift = width_of(title + "   ", TEXT[0], BOLD) if title else 0.0
    first = wrap(text, width - shift, TEXT[0])[0]
    rest = text[len(first) :].strip()
    lines = wrap(rest, width, TEXT[0], most=7) if rest else []

    def draw(pen: Pen, top: float) -> None:
        y = top - TEXT[0]
        if verdict:
            verdict_mark(pen, paper.left + 1.5, y, verdict)
        pen.text(x, y, title, TEXT[0], BOLD)
        pen.text(x + shift, y, first)
        for number, line in enumerate(lines, 1):
            pen.text(x, y - number * TEXT[1], line)

    paper.flow.put(Block((1 + len(lines)) * TEXT[1] + 2.6, draw))


def draw_identification(paper: Paper) -> None:
    """Who, where and what, in two columns of label and value."""
    columns = (_work(paper), _meter(paper))
    half = (paper.width - 6 * MM) / 2
    paper.flow.heading("Identification", 120)
    left = [pair_list(title, pairs, paper.left, half) for title, pairs in columns[0]]
    right = [pair_list(t, pairs, paper.left + half + 6 * MM, half) for t, pairs in columns[1]]
    deep = max(len(left), len(right))
    empty = Block(0, lambda _pen, _top: None)
    for index in range(deep):
        pair = [group[index] if index < len(group) else empty for group in (left, right)]
        paper.flow.side_by_side(*pair)
        paper.flow.skip(2.0 * MM)


def _work(paper: Paper) -> list[tuple[str, list[Pair]]]:
    record = paper.record
    job, place, customer, style = record.job, record.place, record.customer, paper.style
    position = ""
    if place.latitude is not None and place.longitude is not None:
        position = f"{style.number(place.latitude)}\u00b0, {style.number(place.longitude)}\u00b0"
        if place.accuracy_m is not None:
            position += f" \u00b1 {style.number(place.accuracy_m)} m"
    old = record.old_meter
    groups = [
        (
            "Place",
            [
                ("Service point", place.service_point),
                ("Address", ", ".join(place.address)),
                ("Position", position),
                ("Supply", place.supply),
                ("Enclosure", place.enclosure),
                ("Transformer", place.transformer),
                ("Feeder", place.feeder),
            ],
        ),
        (
            "Customer",
            [
                ("Name", customer.name),
                ("Contract", customer.contract),
                ("Agreed", customer.agreed),
                ("At hand-over", "present" if customer.present else "absent"),
            ],
        ),
        (
            "Work",
            [
                ("Order", job.order),
                ("Kind", job.kind),
                ("Contractor", job.contractor),
                ("Installer", job.installer),
                ("Licence", job.licence),
                ("Witness", job.witness),
            ],
        ),
    ]
    if old:
        groups.append(
            (
                "Meter removed",
                [
                    ("Serial", old.serial),
                    ("Reason", old.reason),
                    ("Condition", old.condition),
                    ("Seals removed", old.seals_removed),
                ],
            )
        )
    return groups


def _meter(paper: Paper) -> list[tuple[str, list[Pair]]]:
    meter, talk = paper.record.meter, paper.record.communication
    groups = [
        (
            "Meter",
            [
                ("Utility serial", meter.utility_serial),
                ("Maker serial", meter.maker_serial),
                (
                    "Maker, type",
                    ", ".join(filter(None, (meter.maker, meter.model, str(meter.year or "")))),
                ),
                ("Class", meter.accuracy),
                ("Rating", meter.rating),
                ("Constant", meter.constant),
                ("Connection", meter.wires),
            ],
        ),
        (
            "Programs and settings",
            [
                ("Firmware", meter.firmware),
                ("Signature", meter.firmware_signature),
                ("Configuration", meter.configuration),
                ("Parameters", meter.parameters),
            ],
        ),
    ]
    if talk:
        groups.append(
            (
                "Communication",
                [
                    ("Medium", talk.medium),
                    ("Module", talk.module),
                    ("SIM", talk.sim),
                    ("Address", talk.address),
                    ("Signal", talk.signal),
                    ("Concentrator", talk.concentrator),
                    ("Session", talk.result),
                ],
            )
        )
    return groups


def pair_list(title: str, pairs: list[Pair], left: float, width: float) -> Block:
    """A small titled list: label left, value at a fixed place; empty values are left out."""
    label = 25 * MM
    rows = [(name, wrap(value, width - label, TEXT[0], most=5)) for name, value in pairs if value]
    top_part = NOTE[1] + 5
    height = top_part + sum(len(lines) for _, lines in rows) * TEXT[1]

    def draw(pen: Pen, top: float) -> None:
        pen.text(left, top - NOTE[0] - 1, title, NOTE[0] + 0.7, BOLD)
        pen.rule(left, left + width, top - NOTE[1] - 2.4, HAIR)
        y = top - top_part - TEXT[0]
        for name, lines in rows:
            pen.text(left, y, name, NOTE[0])
            for line in lines:
                pen.text(left + label, y, line)
                y -= TEXT[1]

    return Block(height, draw)


def draw_transformers(paper: Paper) -> None:
    """Plate and programmed ratio of every transformer, one below the other."""
    rows = [
        Row(
            (
                t.position,
                t.kind,
                t.plate,
                t.programmed,
                t.accuracy,
                t.burden,
                t.serial,
                t.certificate,
                t.owner,
            )
        )
        for t in paper.record.transformers
    ]
    if not rows:
        return
    columns = [
        Column("Place", 11),
        Column("Kind", 10),
        Column("Ratio, plate", 24),
        Column("Programmed", 24),
        Column("Class", 13),
        Column("Burden", 16),
        Column("Serial", 27),
        Column("Certificate", 0),
        Column("Owner", 26),
    ]
    table = paper.table(columns, rows)
    paper.flow.heading("Instrument transformers", table.start())
    table.into(paper.flow, "Instrument transformers")
