"""What a virtual DLMS meter can be made to do wrong, by name."""

from collections import Counter
from collections.abc import Iterable

LINE_FAULTS = {
    "silence": "never answers",
    "silent-after-500": "falls silent after 500 characters, for ever",
    "silent-after-5000": "falls silent after 5,000 characters, for ever",
    "silent-after-50000": "falls silent after 50,000 characters, for ever",
    "late-answer": "the third numbered answer comes 3 s late",
    "every-answer-late": "every answer comes 10 s late, when the next meter may be asked already",
    "lost-frame": "the first numbered answer is lost",
    "damaged-fcs": "the first numbered answer has a wrong check",
    "wrong-source-address": "answers carry the address of another meter",
    "repeated-ns": "every numbered frame comes twice",
    "rnr": "is not ready when first asked, then answers",
    "dm": "says once, in the middle, that there is no link",
    "frmr": "rejects one good frame in the middle and ends the link",
    "echo": "every character sent to it comes back",
    "noise": "sends noise before every answer",
    "slow-octets": "pauses 50 ms after every ten characters",
    "ui-push": "sends a notification nobody asked for before every third answer",
    "wrong-llc": "begins its answers with the client's LLC octets",
}
SERVICE_FAULTS = {
    "aare-without-user-information": "leaves the user information out of the AARE",
    "no-release-answer": "does not answer the release request",
    "truncated-structure": "profile rows announce five values and hold one",
    "trailing-bytes": "values are followed by octets that belong to nothing",
    "wrong-row-count": "a profile announces two rows more than it sends",
    "wrong-entries-in-use": "claims ten times the rows it has",
    "refused-selector": "refuses selective access: only whole profiles",
    "access-denied": "denies reading the voltage",
    "temporary-failure": "answers the first two reads of a register with temporary failure",
    "no-more-blocks": "aborts block transfers at the third block",
    "wrong-block-number": "counts the second block of a transfer twice",
    "null-data": "leaves out repeated times and states in profile rows, as it may",
    "forged-tag": "the third ciphered answer has a wrong authentication tag",
    "old-counter": "the third ciphered answer repeats the counter of the second",
    "doubled-clock": "sends the time twice in one value",
    "clock-off-10-years": "the clock is ten years behind",
    "clock-refused": "refuses to have its clock set",
    "clock-not-kept": "accepts a new time and does not take it over",
}
BLOCK_FAULTS = {  # each of them makes the meter offer general block transfer
    "gbt": "offers general block transfer, as it may",
    "gbt-lost-block": "loses the second streamed block, once",
    "gbt-wrong-number": "jumps over two block numbers at the third block, once",
    "gbt-repeat": "sends every block twice",
    "gbt-wrong-ack": "acknowledges blocks that were never sent",
    "gbt-too-many": "sends one block more in a turn than the window allows",
    "gbt-abort": "ends the transfer at the third block, once",
    "gbt-push": "sends a long notification in blocks before every third answer",
    "gbt-push-gap": "the same, and the second block of it gets lost",
}
CONDITIONS = {  # nothing wrong with how it talks, but with the meter
    "cover-open": "its cover is open: fraud bit, event",
    "terminal-cover-open": "its terminal cover is open: fraud bit, event",
    "magnet": "a strong magnet is on it: fraud bit, event",
    "reverse-flow": "current flows backwards: bit of alarm register 2, event",
    "neutral-missing": "its neutral is disturbed: bit of alarm register 2, event",
    "bypass": "current flows past it: bit of alarm register 2, event",
    "battery-low": "its battery is to be replaced: error and alarm bits, event",
}
POLYPHASE_CONDITIONS = {
    "undervoltage": "L1 has 195 V: bit of alarm register 2, event",
    "overvoltage": "L2 has 262 V: bit of alarm register 2, event",
    "phase-lost": "L3 has no voltage: bit of alarm register 2, event",
    "clock-lost": "was without supply for eight days: clock unknown, rows marked, event",
    "slave-lost": "the slave meter on channel 1 is silent: bits, event, no new rows",
}
FAULTS = LINE_FAULTS | SERVICE_FAULTS | BLOCK_FAULTS | CONDITIONS
_SILENT = "silent-after-"


class Faults:
    """The faults one meter has; what happens once is counted here.

    Raises:
        ValueError: A name is unknown.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = frozenset(names)
        self.silent_after: int | None = None
        self._times: Counter[str] = Counter()
        for name in self._names:
            number = name.removeprefix(_SILENT)
            if name.startswith(_SILENT) and number.isdecimal():
                self.silent_after = int(number)
            elif name not in FAULTS and name not in POLYPHASE_CONDITIONS:
                raise ValueError(f"there is no fault {name!r}; known: {', '.join(sorted(FAULTS))}")

    def __contains__(self, name: str) -> bool:
        return name in self._names

    @property
    def general_blocks(self) -> bool:
        """Whether the meter offers general block transfer."""
        return not self._names.isdisjoint(BLOCK_FAULTS)

    def happens(self, name: str, *times: int) -> bool:
        """Count a chance for ``name``; tell whether it is one of the ``times`` (1 is the first)."""
        if name not in self._names:
            return False
        self._times[name] += 1
        return self._times[name] in times

    def happens_every(self, name: str, period: int) -> bool:
        """Count a chance for ``name``; tell whether it is every ``period``-th."""
        if name not in self._names:
            return False
        self._times[name] += 1
        return self._times[name] % period == 0
