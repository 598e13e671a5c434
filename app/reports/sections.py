"""The sections after the first page: checks, wiring, profile, registers, events, proof."""

from __future__ import annotations

from app.reports.figures import load_profile, phasor_diagram
from app.reports.front import Paper, pair_list
from app.reports.model import Check, Verdict
from app.reports.sheet import (
    BODY,
    BOLD,
    HEAD,
    MM,
    NOTE,
    TEXT,
    Block,
    Pen,
    wrap,
)
from app.reports.tables import Cell, Column, Row, Small, Table, Wide
from app.reports.words import SIGNS, duration

EVENTS_SHOWN = 20
TEST_BLOCK = (
    "Do not move secondary wires of current transformers under load: short the test block first."
)


def draw_checks(paper: Paper) -> None:
    """Every check with limit, source, value, uncertainty and verdict; remarks below the row."""
    columns = [
        Column("No.", 10),
        Column("Check", 37),
        Column("Limit and its source", 0),
        Column("Measured", 8),
        Column("", 18, "decimal"),
        Column("\u00b1", 14, "decimal"),
        Column("Unit", 15),
        Column("Verdict", 29),
    ]
    rows = [_check_row(paper, check) for check in paper.record.checks]
    if not rows:
        paper.flow.heading("Checks", 2 * TEXT[1])
        paper.flow.paragraph("No check was recorded. Nothing is proved by this report.")
        return
    table = paper.table(columns, rows)
    report = paper.record.report
    note = (
        f"Limits: {report.pack} {report.pack_version} unless a source is named. "
        "\u00b1: expanded uncertainty, k = 2"
    )
    paper.flow.heading(f"Checks ({len(rows)})", table.start(), note)
    table.into(paper.flow, "Checks")


def _check_row(paper: Paper, check: Check) -> Row:
    style = paper.style
    limit: list[str | Small] = [style.limit(check.limit)]
    if check.limit.source:
        limit.append(Small(check.limit.source))
    if check.instrument:
        limit.append(Small(f"measured by {check.instrument}"))
    cells: list[Cell] = [check.number, check.title, tuple(limit)]
    if check.measured:
        cells += [
            tuple(q.label for q in check.measured),
            tuple(style.number(q.value) for q in check.measured),
            tuple(
                "" if q.uncertainty is None else style.number(q.uncertainty) for q in check.measured
            ),
            tuple(q.unit for q in check.measured),
        ]
    else:
        cells += [Wide(check.seen or "\u2013", 3), "", "", ""]
    cells.append((check.verdict, Small("       waived")) if check.waiver else check.verdict)
    notes = []
    if check.measured and check.seen:
        notes.append(("Found:", check.seen))
    if check.remark:
        notes.append(("Remark:", check.remark))
    if check.waiver:
        waiver = check.waiver
        when = paper.clock.minute(waiver.time)
        notes.append(("Waived:", f"{waiver.reason} {waiver.by}, {waiver.role}, {when}."))
    return Row(tuple(cells), tuple(notes))


def draw_phasors(paper: Paper) -> None:
    """Diagram and table of the phasors side by side, and what they mean in words."""
    phasors, flow, style = paper.record.phasors, paper.flow, paper.style
    if phasors is None:
        flow.heading("Wiring", 2 * TEXT[1])
        flow.paragraph(paper.record.no_phasors or "No phasor reading is in the record.")
        return
    size = 66 * MM
    left, width = paper.left + size + 6 * MM, paper.width - size - 6 * MM
    columns = [
        Column("", 8),
        Column("U\nV", 0, "decimal"),
        Column("\u2220U\n\u00b0", 0, "decimal"),
        Column("I\nA", 0, "decimal"),
        Column("\u2220I\n\u00b0", 0, "decimal"),
        Column("\u03b8\n\u00b0", 0, "decimal"),
        Column("P\nkW", 0, "decimal"),
    ]
    rows = []
    for p in phasors.phases:
        theta = (p.current_angle - p.voltage_angle + 180) % 360 - 180
        rows.append(
            Row(
                (
                    p.name,
                    style.number(p.voltage),
                    style.number(p.voltage_angle),
                    style.number(p.current),
                    style.number(p.current_angle),
                    style.number(theta),
                    style.number(p.power),
                ),
                ((f"{SIGNS[p.verdict]} {p.verdict}", p.words),),
            )
        )
    table = Table(columns, rows, left, width, decimal=style.decimal)
    blocks = [table.head(), *table.blocks()]
    note = (
        f"{phasors.samples} samples averaged, {paper.clock.second(phasors.time)}. "
        f"Values on the {phasors.side} side. Angles from U1, clockwise; "
        f"\u03b8 = \u2220I \u2212 \u2220U, lag positive. Hollow arrows: voltages. "
        f"Solid arrows: currents, length by size. Arcs: where each current is expected, "
        f"{style.number(phasors.range_low)} to {style.number(phasors.range_high)}\u00b0. "
        f"Lines: L1 whole, L2 dashed, L3 dotted."
    )
    lines = [(HEAD[0] - 1, BOLD, s) for s in wrap(phasors.diagnosis, width, HEAD[0] - 1, BOLD)]
    if phasors.advice:
        advice = wrap(f"{phasors.advice} {TEST_BLOCK}", width, TEXT[0])
        lines += [(TEXT[0], BODY, s) for s in advice]
    fit = (
        f"Fit of the best of 48 wirings: {style.number(phasors.residual)}\u00b0; "
        f"the next is {style.number(phasors.margin)}\u00b0 worse (needed: 20\u00b0)."
    )
    lines += [(NOTE[0], BODY, s) for s in wrap(fit, width, NOTE[0])]
    lines += [(NOTE[0], BODY, s) for s in wrap(note, width, NOTE[0])]
    high = sum(block.height for block in blocks) + sum(s * 1.3 for s, _, _ in lines) + 10

    def words(pen: Pen, top: float) -> None:
        y = top
        for block in blocks:
            block.draw(pen, y)
            y -= block.height
        y -= 5
        last = 0.0
        for text_size, font, line in lines:
            y -= text_size * 1.3 + (2.5 if last and text_size != last else 0)
            pen.text(left, y, line, text_size, font)
            last = text_size

    diagram = phasor_diagram(phasors, paper.left, size)
    flow.heading("Wiring", max(size, high))
    flow.side_by_side(diagram, Block(high, words))


def draw_profile(paper: Paper) -> None:
    """The load profile and the sentence that says what it shows."""
    profile = paper.record.profile
    if profile is None or not profile.rows:
        return
    block = load_profile(profile, paper.left, paper.width, paper.clock, paper.style)
    paper.flow.heading("Load profile", block.height + TEXT[1], f"Local time, {paper.clock.zone}")
    paper.flow.put(block)
    paper.flow.paragraph(profile.sentence)


def draw_registers(paper: Paper) -> None:
    """Registers before, after and at hand-over, with the advance."""
    number = paper.style.number
    rows = []
    for r in paper.record.registers:
        advance = "\u2013"
        if r.after is not None and r.before is not None:
            advance = number(r.after - r.before, sign=True)
        rows.append(
            Row(
                (
                    r.meter,
                    r.obis,
                    r.name,
                    r.unit,
                    number(r.before),
                    number(r.after),
                    advance,
                    number(r.handover),
                )
            )
        )
    if not rows:
        return
    columns = [
        Column("Meter", 13),
        Column("Code", 15),
        Column("Register", 0),
        Column("Unit", 13),
        Column("Before", 26, "decimal"),
        Column("After", 26, "decimal"),
        Column("Advance", 23, "decimal"),
        Column("At hand-over", 26, "decimal"),
    ]
    table = paper.table(columns, rows)
    paper.flow.heading("Registers", table.start())
    table.into(paper.flow, "Registers")


def draw_events(paper: Paper) -> None:
    """The newest events in words; older ones are counted and stand in the attached record."""
    events = sorted(paper.record.events, key=lambda e: (e.time, e.code), reverse=True)
    shown = events[:EVENTS_SHOWN]
    rows = []
    for event in shown:
        times = f" ({event.count} times)" if event.count > 1 else ""
        length = duration(event.time, event.until) if event.until else ""
        rows.append(Row((paper.clock.second(event.time), event.code, event.words + times, length)))
    if not rows:
        paper.flow.heading("Events", TEXT[1])
        paper.flow.paragraph("The meter reports no events.")
        return
    columns = [
        Column("Meter's time", 35),
        Column("Code", 14),
        Column("Event", 0),
        Column("Duration", 26, "right"),
    ]
    table = paper.table(columns, rows)
    note = f"Newest {len(shown)} of {len(events)}, local time {paper.clock.zone}"
    paper.flow.heading("Events", table.start(), note)
    table.into(paper.flow, "Events")
    if len(events) > len(shown):
        paper.flow.paragraph(
            f"{len(events) - len(shown)} older events are in the attached record.", style=NOTE
        )


def draw_prepayment(paper: Paper) -> None:
    """The prepayment identity and the tokens entered; tokens show four digits only."""
    pre = paper.record.prepayment
    if pre is None:
        return
    balance = (
        f"{paper.style.number(pre.balance)} {pre.unit}" if pre.balance is not None else "\u2013"
    )
    identity = [
        ("Meter number", pre.drn),
        ("Before", pre.before),
        ("After", pre.after),
        ("Base date", pre.base_date),
    ]
    credit = [
        ("Balance", balance),
        ("Emergency", pre.emergency),
        ("Customer unit", pre.customer_unit),
    ]
    half = (paper.width - 6 * MM) / 2
    blocks = (
        pair_list("Identity (SGC / KRN / TI)", identity, paper.left, half),
        pair_list("Credit", credit, paper.left + half + 6 * MM, half),
    )
    paper.flow.heading("Prepayment", blocks[0].height + 40)
    paper.flow.side_by_side(*blocks)
    rows = [
        Row(
            (
                paper.clock.second(t.time),
                t.purpose,
                "\u2022\u2022\u2022\u2022 " * 4 + t.last_four,
                t.result,
            )
        )
        for t in pre.tokens
    ]
    if rows:
        paper.flow.skip(2.5 * MM)
        columns = [
            Column("Time", 35),
            Column("Token entered", 52),
            Column("Token", 38),
            Column("Result", 0),
        ]
        paper.table(columns, rows).into(paper.flow, "Tokens")


def draw_settings(paper: Paper) -> None:
    """What was written, and what the meter gave back when it was read again."""
    rows = [
        Row(
            (
                s.name,
                s.before,
                s.written,
                s.read_back,
                Verdict.PASS if s.read_back == s.written else Verdict.FAIL,
            )
        )
        for s in paper.record.settings
    ]
    if not rows:
        return
    columns = [
        Column("Setting", 0),
        Column("Before", 35),
        Column("Written", 35),
        Column("Read back", 35),
        Column("As written", 24),
    ]
    table = paper.table(columns, rows)
    paper.flow.heading("Settings", table.start())
    table.into(paper.flow, "Settings")
