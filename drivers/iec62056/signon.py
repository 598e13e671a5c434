"""Mode E: the IEC 62056-21 sign-on that leads to HDLC."""

from collections.abc import Generator

from drivers.errors import NotSupported
from drivers.iec62056.frames import Identification
from drivers.iec62056.session import Dialogue, Heard, Settings, Step
from drivers.iec62056.talk import result_of
from drivers.link import Link
from drivers.metertype import MeterType


def sign_on_mode_e(link: Link, meter_type: MeterType) -> Identification:
    """Sign on, choose HDLC, and return who answered; the link then stands at 8N1 and its speed.

    On a link whose line cannot be set the same is done without speed changes.

    Raises:
        NoReply: The meter did not answer.
        GarbledReply: What answered was no meter.
        NotSupported: The meter sends its list without being asked: it knows no mode E.
    """
    dialogue = Dialogue(Settings(meter_type, link.sets_line), link.statistics)
    return result_of(link, _mode_e(dialogue))


def _mode_e(dialogue: Dialogue) -> Generator[Step, Heard, Identification]:
    found = yield from dialogue.sign_on()
    if dialogue.mode() != "C":
        raise NotSupported(f"{found.line} announces no speed choice, so no mode E either")
    if not (yield from dialogue.choose("2", "2", "8N1")):
        raise NotSupported(f"{found.line} sends its list at once: it knows no mode E")
    yield from dialogue.let_pass(dialogue.type.timing.pause_s)
    return found
