"""What the counters of a line tell an installer, in sentences."""

from drivers.values import Statistics

_PER = 1000
_NO_PARITY = 300  # errors per 1,000 characters: about half have odd parity when none is sent
_MANY, _SOME = 5, 0.5
_TIGHT_S = 0.01  # meters with the short reaction time leave 15 ms when all is well
_STRAY = 5  # framing errors per 1,000 characters
_MANY_RESENDS = 3
_NOTHING = (
    "Nothing is heard. Check that the probe has power and sits on the optical window, and that the"
    " meter is not locked against reading."
)
_ONLY_ECHO = (
    "Only our own characters come back (echo), no answer. The probe may be turned by 180 degrees,"
    " or sit beside the optical window."
)
_NOISE = (
    "I hear noise, not a meter. Shade the probe from lamps and sunlight, turn it, and check the"
    " speed."
)


def parity_errors_per_1000(statistics: Statistics) -> float:
    """Return the parity errors per 1,000 received characters."""
    return statistics.parity_errors * _PER / max(1, statistics.bytes_received)


def parity_words(statistics: Statistics) -> str:
    """Say how many characters were damaged, or that nothing here counts them."""
    if not statistics.parity_counted:
        return "parity errors not counted here"
    return f"{parity_errors_per_1000(statistics):.1f} parity errors per 1,000"


def line_diagnosis(statistics: Statistics, *, answered: bool = False) -> tuple[str, ...]:
    """Return what is worth saying about the line, the most important first; empty when all is well.

    The sentences are for whoever holds the probe: what was seen, and what to try.  ``answered``
    says that a meter was heard, which the counters do not show of one that sends by itself.
    """
    silence = [] if answered else _silence(statistics)
    found = [*silence, *_parity(statistics), *_hardware(statistics)]
    if statistics.switch_margin_s is not None and statistics.switch_margin_s < _TIGHT_S:
        found.append(
            f"The meter answered {statistics.switch_margin_s * _PER:.0f} ms after our speed change:"
            " a tight fit. If values are missing, read at 300 Bd."
        )
    if statistics.resends >= _MANY_RESENDS and not silence:
        found.append(
            f"{statistics.resends} messages had to be repeated: check the seat of the probe and the"
            " cable."
        )
    if statistics.echo_seen and statistics.round_trips:
        found.append("The probe returns what is sent (echo). It is taken off and does no harm.")
    return tuple(found)


def _silence(statistics: Statistics) -> list[str]:
    if statistics.round_trips or not statistics.bytes_sent:
        return []
    if not statistics.bytes_received:
        return [_NOTHING]
    if statistics.echo_seen and statistics.bytes_received <= 2 * statistics.bytes_sent:
        return [_ONLY_ECHO]
    return [_NOISE]


def _hardware(statistics: Statistics) -> list[str]:
    found = []
    rate = statistics.framing_errors * _PER / max(1, statistics.bytes_received)
    if rate >= _STRAY:
        found.append(
            f"{rate:.1f} of 1,000 characters came without a stop bit: the speed does not fit, or"
            " light falls on the probe."
        )
    if statistics.overruns:
        found.append(
            f"This computer was too slow for {statistics.overruns:,} characters. Close other"
            " programs, or use another port."
        )
    return found


def _parity(statistics: Statistics) -> list[str]:
    rate = parity_errors_per_1000(statistics)
    if rate < _SOME:
        return []
    text = f"{rate:.1f} parity errors per 1,000 characters"
    if rate >= _NO_PARITY:
        return [f"{text}: the meter sends no parity. Choose the format 8N1."]
    if rate >= _MANY:
        return [f"{text}: too many. Clean the window, press the probe on, keep light away from it."]
    return [f"{text}: damaged characters were noticed and read again."]
