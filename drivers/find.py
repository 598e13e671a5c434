"""Finds out what kind of meter answers, before anything is known of it.

A port whose speed can be set is asked for its IEC 62056-21 identification first, which costs a
silent meter nothing; then DLMS is tried at the commonest settings.  A TCP connection is asked the
other way round.  No password is ever sent.
"""

import re
from collections.abc import Generator
from dataclasses import replace

from drivers.dlms.meter import DlmsMeter
from drivers.errors import DriverError, GarbledReply, NoReply, NotSupported
from drivers.iec62056 import frames
from drivers.iec62056.frames import Identification
from drivers.iec62056.session import Dialogue, Heard, Settings, Step
from drivers.iec62056.talk import result_of
from drivers.link import Line, Link
from drivers.metertype import MeterType, load_meter_type, meter_type_names
from drivers.secrets import Secrets

GENERIC_IEC, GENERIC_DLMS = "generic-iec62056-21", "generic-dlms"
PATIENCE = 2.0  # s for the answer to each try
BREAK_PAUSE = 0.5  # s for the meter to hear the break


def find_type(link: Link) -> MeterType:
    """Return the type of the meter on ``link``; a generic one where no type matches.

    Raises:
        NoReply: Nothing answers in any way that is tried.
        GarbledReply: Something is heard, but no meter.
    """
    tries = [_by_identification, _by_hdlc] if link.sets_line else [_by_wrapper, _by_hdlc]
    if not link.sets_line:
        tries.append(_by_identification)
    heard: DriverError | None = None
    for attempt in tries:
        try:
            return attempt(link)
        except (NoReply, GarbledReply, NotSupported) as error:
            if heard is None or isinstance(error, GarbledReply):
                heard = error
    raise heard or NoReply(PATIENCE)


def matching_type(*, identification: str = "", logical_device_name: str = "") -> MeterType | None:
    """Return the type whose patterns fit what a meter says of itself."""
    for name in meter_type_names():
        candidate = load_meter_type(name)
        if name in {GENERIC_DLMS, GENERIC_IEC}:
            continue
        if identification and _fits(candidate.match.identification, identification):
            return candidate
        if logical_device_name and _fits(candidate.match.logical_device_name, logical_device_name):
            return candidate
    return None


def _fits(patterns: tuple[str, ...], text: str) -> bool:
    return any(re.search(pattern, text) for pattern in patterns)


def _by_identification(link: Link) -> MeterType:
    generic = load_meter_type(GENERIC_IEC)
    asking = replace(
        generic,
        timing=replace(generic.timing, reply_s=PATIENCE, retries=1),
        iec62056=replace(generic.iec62056, z="0"),  # the break is said at 300 Bd
    )
    found = result_of(link, _asked(Dialogue(Settings(asking, link.sets_line), link.statistics)))
    known = matching_type(identification=found.line)
    if known is not None:
        return known
    if "\\2" in found.line:
        return replace(load_meter_type(GENERIC_DLMS), framing="mode-e", line=generic.line)
    return generic


def _asked(dialogue: Dialogue) -> Generator[Step, Heard, Identification]:
    """Ask who is there and take leave: programming mode at 300 Bd, then a break."""
    found = yield from dialogue.sign_on()
    if dialogue.mode() == "C":
        yield from dialogue.choose("0", "1")
        yield from dialogue.let_pass(BREAK_PAUSE)
        yield from dialogue.send(frames.command("B0"))
    yield from dialogue.quiet()
    return found


def _by_hdlc(link: Link) -> MeterType:
    return _by_dlms(link, "hdlc")


def _by_wrapper(link: Link) -> MeterType:
    return _by_dlms(link, "wrapper")


def _by_dlms(link: Link, framing: str) -> MeterType:
    """Ask for the logical device name as the public client."""
    generic = load_meter_type(GENERIC_DLMS)
    generic = replace(
        generic,
        framing=framing,
        timing=replace(generic.timing, reply_s=PATIENCE, retries=0),
    )
    link.configure(Line.named(generic.line.speed, generic.line.format))
    with DlmsMeter(link, generic, Secrets()) as meter:
        name = meter.identity().logical_device_name
    known = matching_type(logical_device_name=name)
    return known or replace(load_meter_type(GENERIC_DLMS), framing=framing)
