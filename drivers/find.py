"""Finds out what kind of meter answers, before anything is known of it.

A port whose speed can be set is asked for its IEC 62056-21 identification first, which costs a
silent meter nothing; then DLMS is tried at the commonest settings, and at last the line is only
listened to, for meters that send by themselves.  A TCP connection is asked the other way round.
No password is ever sent.
"""

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

from drivers.dlms.meter import DlmsMeter
from drivers.dlms.scan import SAFE_CLIENTS
from drivers.errors import AccessDenied, DriverError, GarbledReply, NoReply, NotSupported
from drivers.iec62056 import frames
from drivers.iec62056.diagnosis import line_diagnosis
from drivers.iec62056.frames import Identification
from drivers.iec62056.meter import Iec62056Meter
from drivers.iec62056.session import Dialogue, Heard, Settings, Step
from drivers.iec62056.talk import result_of
from drivers.link import Line, Link
from drivers.metertype import MeterType, load_meter_type, meter_type_names
from drivers.secrets import Secrets
from drivers.sml.meter import SmlMeter
from drivers.sml.telegram import server_text

GENERIC_IEC, GENERIC_DLMS, GENERIC_SML = "generic-iec62056-21", "generic-dlms", "generic-sml"
PATIENCE = 2.0  # s for the answer to each try
BREAK_PAUSE = 0.5  # s for the meter to hear the break
PUSH_PATIENCE = 5.0  # s; pushed telegrams come every one to four seconds
SIGN_ON_SPEEDS = (300, 9600)  # Turkish meters and RS-485 ports begin at 9600
_NAMELESS = (
    "A DLMS meter answers, and tells nobody its name without a password: choose its type, and give"
    " client, authentication and password."
)
_PUSHED_FORMS = ((9600, "7E1"), (2400, "7E1"))  # text that a meter sends by itself


@dataclass(frozen=True, slots=True)
class Finding:
    """What answered, and how.

    ``protocol`` is in words ("IEC 62056-21, mode C").  ``speed`` is the one the meter goes on with
    after a sign-on; ``format`` the characters it answered in.  On a connection whose speed cannot
    be set ``speed`` is 0 and ``format`` "".  ``tried`` tells each try and what came of it,
    ``diagnosis`` what the line shows.
    """

    meter_type: MeterType
    protocol: str
    speed: int = 0
    format: str = ""
    first_speed: int = 0
    echo: bool = False
    identification: str = ""
    logical_device_name: str = ""
    tried: tuple[str, ...] = ()
    diagnosis: tuple[str, ...] = ()


Try = Callable[[Link], Finding]


def find_type(link: Link) -> MeterType:
    """Return the type of the meter on ``link``; a generic one where no type matches.

    Raises:
        NoReply: Nothing answers in any way that is tried.
        GarbledReply: Something is heard, but no meter.
    """
    return find_meter(link).meter_type


def find_meter(link: Link) -> Finding:
    """Return what answers on ``link``, with its settings and all that was tried.

    Raises:
        NoReply: Nothing answers in any way that is tried; its notes say what those were.
        GarbledReply: Something is heard, but no meter; the same.
    """
    steps = looking(link)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: Finding = done.value
            return found


def looking(link: Link) -> Generator[tuple[str, int, int], None, Finding]:
    """Look as `find_meter` does; before each try yield its name, its number and their count."""
    heard: DriverError | None = None
    tried: list[str] = []
    tries = _tries(link)
    for number, (words, attempt) in enumerate(tries):
        yield words, number, len(tries)
        errors = link.statistics.parity_errors, link.statistics.framing_errors
        try:
            found = attempt(link)
        except (NoReply, GarbledReply, NotSupported) as error:
            tried.append(f"{words}: {error}")
            # What was damaged at a wrong setting says nothing of the line.
            link.statistics.parity_errors, link.statistics.framing_errors = errors
            if heard is None or isinstance(error, GarbledReply):
                heard = error
            continue
        tried.append(f"{words}: answered")
        return replace(
            found,
            echo=link.statistics.echo_seen,
            tried=tuple(tried),
            diagnosis=(*found.diagnosis, *line_diagnosis(link.statistics, answered=True)),
        )
    failure = heard or NoReply(PATIENCE)
    for text in (*line_diagnosis(link.statistics), *tried):
        failure.add_note(text)
    raise failure


def _tries(link: Link) -> list[tuple[str, Try]]:
    """Return what to try, in order, each with its name."""
    sml = ("9600 8N1, listening for SML", _by_sml)
    if not link.sets_line:
        return [
            ("DLMS/COSEM, TCP wrapper", lambda open_link: by_dlms(open_link, "wrapper")),
            ("DLMS/COSEM, HDLC", lambda open_link: by_dlms(open_link, "hdlc")),
            ("IEC 62056-21 sign-on", lambda open_link: _by_identification(open_link, 300)),
            ("listening for SML", _by_sml),
        ]
    first, second = (_signing_on(speed) for speed in SIGN_ON_SPEEDS)
    hdlc = ("9600 8N1, DLMS/COSEM, HDLC", lambda open_link: by_dlms(open_link, "hdlc"))
    return [first, hdlc, sml, *(_listening(*form) for form in _PUSHED_FORMS), second]


def _signing_on(speed: int) -> tuple[str, Try]:
    return f"{speed} 7E1, IEC 62056-21 sign-on", lambda link: _by_identification(link, speed)


def _listening(speed: int, form: str) -> tuple[str, Try]:
    return f"{speed} {form}, listening for text", lambda link: _by_text(link, speed, form)


def matching_type(*, identification: str = "", logical_device_name: str = "") -> MeterType | None:
    """Return the type whose patterns fit what a meter says of itself."""
    for name in meter_type_names():
        candidate = load_meter_type(name)
        if name in {GENERIC_DLMS, GENERIC_IEC, GENERIC_SML}:
            continue
        if identification and _fits(candidate.match.identification, identification):
            return candidate
        if logical_device_name and _fits(candidate.match.logical_device_name, logical_device_name):
            return candidate
    return None


def _fits(patterns: tuple[str, ...], text: str) -> bool:
    return any(re.search(pattern, text) for pattern in patterns)


def _by_identification(link: Link, speed: int) -> Finding:
    generic = load_meter_type(GENERIC_IEC)
    if speed != generic.line.speed:
        generic = replace(generic, line=replace(generic.line, speed=speed))
    asking = replace(
        generic,
        timing=replace(generic.timing, reply_s=PATIENCE, retries=1),
        iec62056=replace(generic.iec62056, z="0"),  # the break is said at the first speed
    )
    dialogue = Dialogue(Settings(asking, link.sets_line), link.statistics)
    found = result_of(link, _asked(dialogue))
    announced = found.speed if dialogue.mode() in {"B", "C"} else speed
    settled = Finding(
        _type_of(found, generic),
        _mode_words(dialogue.mode(), found),
        identification=found.line,
    )
    if not link.sets_line:
        return settled
    form = str(dialogue.line).split()[-1]
    return replace(settled, speed=announced, format=form, first_speed=speed)


def _type_of(found: Identification, generic: MeterType) -> MeterType:
    known = matching_type(identification=found.line)
    if known is not None:
        return known
    if found.offers_hdlc:
        return replace(load_meter_type(GENERIC_DLMS), framing="mode-e", line=generic.line)
    return generic


def _mode_words(mode: str, found: Identification) -> str:
    if mode == "C" and found.offers_hdlc:
        return "IEC 62056-21, mode C or E (DLMS/COSEM)"
    return f"IEC 62056-21, mode {mode}"


def _asked(dialogue: Dialogue) -> Generator[Step, Heard, Identification]:
    """Ask who is there and take leave: programming mode at the first speed, then a break."""
    found = yield from dialogue.sign_on()
    line = dialogue.line
    if dialogue.mode() == "C":
        yield from dialogue.choose("0", "1")
        yield from dialogue.let_pass(BREAK_PAUSE)
        yield from dialogue.send(frames.command("B0"))
    elif dialogue.mode() == "B":  # its list comes at the announced speed
        yield from dialogue.follow(replace(line, speed=found.speed))
    yield from dialogue.quiet()
    dialogue.line = line
    return found


def by_dlms(link: Link, framing: str) -> Finding:
    """Ask for the logical device name as one client after the other that needs no password."""
    generic = load_meter_type(GENERIC_DLMS)
    generic = replace(
        generic,
        framing=framing,
        timing=replace(generic.timing, reply_s=PATIENCE, retries=0),
    )
    link.configure(Line.named(generic.line.speed, generic.line.format))
    name, referencing = "", generic.dlms.referencing
    notes: tuple[str, ...] = (_NAMELESS,)
    for client in SAFE_CLIENTS:
        asking = replace(generic, dlms=replace(generic.dlms, client=client))
        try:
            name, referencing = name_and_referencing(link, asking)
        except AccessDenied:
            continue  # a meter is there: perhaps it knows another client
        notes = ()
        break
    known = matching_type(logical_device_name=name)
    kind = known or replace(load_meter_type(GENERIC_DLMS), framing=framing)
    short = ", short names" if referencing == "short" else ""
    found = Finding(
        replace(kind, dlms=replace(kind.dlms, referencing=referencing)),
        f"DLMS/COSEM, {'TCP wrapper' if framing == 'wrapper' else 'HDLC'}{short}",
        logical_device_name=name,
        diagnosis=notes,
    )
    if not link.sets_line:
        return found
    line = generic.line
    return replace(found, speed=line.speed, format=line.format, first_speed=line.speed)


def name_and_referencing(link: Link, kind: MeterType) -> tuple[str, str]:
    """Return the logical device name, and how the meter names its objects.

    Raises:
        DriverError: It answers neither way.
    """
    try:
        with DlmsMeter(link, kind, Secrets()) as meter:
            return meter.identity().logical_device_name, kind.dlms.referencing
    except NotSupported:
        short = replace(kind, dlms=replace(kind.dlms, referencing="short"))
        with DlmsMeter(link, short, Secrets()) as meter:
            return meter.identity().logical_device_name, "short"


def _by_sml(link: Link) -> Finding:
    """Listen whether a meter sends SML telegrams by itself."""
    generic = load_meter_type(GENERIC_SML)
    listening = replace(generic, timing=replace(generic.timing, reply_s=PUSH_PATIENCE, retries=0))
    with SmlMeter(link, listening) as meter:
        telegram = meter.telegram()
    found = Finding(generic, "SML telegrams", identification=server_text(telegram.server_id))
    if not link.sets_line:
        return found
    line = generic.line
    return replace(found, speed=line.speed, format=line.format, first_speed=line.speed)


def _by_text(link: Link, speed: int, form: str) -> Finding:
    """Listen whether a meter sends its list by itself (mode D)."""
    generic = load_meter_type(GENERIC_IEC)
    pushing = replace(
        generic,
        line=replace(generic.line, speed=speed, format=form),
        iec62056=replace(generic.iec62056, mode="D"),
    )
    listening = replace(pushing, timing=replace(generic.timing, reply_s=PUSH_PATIENCE, retries=0))
    with Iec62056Meter(link, listening, Secrets()) as meter:
        line = meter.identity().identification
    known = matching_type(identification=line)
    return Finding(
        known or pushing,
        "IEC 62056-21, mode D",
        speed=speed,
        format=form,
        first_speed=speed,
        identification=line,
    )
