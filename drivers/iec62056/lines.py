"""Data lines cut into data sets, character by character: ``code(group)(group)…code(group)…``.

Nothing here knows what a code or a value means.  No input raises: what cannot be a data set is
counted as damaged and shown, and the next line parses as if nothing had been.
"""

import re
from dataclasses import dataclass

_CODE = re.compile(r"[0-9A-Za-z.:*&,\-_#/]+")
_END = re.compile(r"!\s*([0-9A-Fa-f]{4})?\s*")
_MARK = re.compile(r"[(!]")
_LONGEST_CODE = 32
_LONGEST_NESTED = 200  # characters searched for the end of a group in a group


@dataclass(frozen=True, slots=True)
class RawSet:
    """A code ("" where the line has none) and its groups, as sent."""

    code: str
    groups: tuple[str, ...]
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class RawLine:
    """What one line holds.

    ``end`` is true where ``!`` ends the data; ``crc`` holds the four digits after it.  ``damaged``
    is what could not be read ("" when all of it could), ``stray`` what stands between data sets
    without harm.
    """

    sets: tuple[RawSet, ...] = ()
    end: bool = False
    crc: str = ""
    damaged: str = ""
    stray: str = ""


class _Cutter:
    def __init__(self, line: str) -> None:
        self.line = line
        self.place = 0
        self.sets: list[RawSet] = []
        self.damaged: list[str] = []
        self.stray: list[str] = []
        self.end: re.Match[str] | None = None

    def cut(self) -> RawLine:
        while self.place < len(self.line) and self.end is None:
            self._step()
        crc = (self.end[1] or "") if self.end else ""
        return RawLine(
            tuple(self.sets),
            self.end is not None,
            crc,
            " ".join(self.damaged),
            " ".join(self.stray),
        )

    def _step(self) -> None:
        rest = self.line[self.place]
        if rest == "!":
            self.end = _END.fullmatch(self.line, self.place)
            if self.end is None:  # alone inside a line it ends nothing
                self.stray.append("!")
                self.place += 1
        elif rest == "(":
            self._groups("", joined=bool(self.sets and self.stray[-1:] == ["!"]))
        else:
            self._code()

    def _code(self) -> None:
        found = _MARK.search(self.line, self.place)
        stop = found.start() if found else len(self.line)
        text = self.line[self.place : stop]
        self.place = stop
        code = text.strip()
        if stop == len(self.line) or self.line[stop] == "!":
            if code.strip("\\\x00\x7f\xff\x06"):
                self.damaged.append(code)
            elif code:
                self.stray.append(code)
            return
        good = len(code) <= _LONGEST_CODE and (not code or _CODE.fullmatch(code))
        if not good:
            tail = _CODE.findall(code)
            self.damaged.append(code)
            code = tail[-1][-_LONGEST_CODE:] if tail and code.endswith(tail[-1]) else ""
        self._groups(code, damaged=not good)

    def _groups(self, code: str, *, joined: bool = False, damaged: bool = False) -> None:
        groups = []
        while self.line.startswith("(", self.place):
            group, whole = self._group()
            groups.append(group)
            damaged = damaged or not whole or _spoils(group)
        if joined:  # `0.2.2(a)!(a)`: the groups go on after a lone exclamation mark
            last = self.sets.pop()
            self.sets.append(RawSet(last.code, (*last.groups, *groups), last.damaged or damaged))
        else:
            self.sets.append(RawSet(code, tuple(groups), damaged))
        if damaged and not self.damaged:
            self.damaged.append(f"{code}({groups[-1][:_LONGEST_CODE]}")

    def _group(self) -> tuple[str, bool]:
        """Return the group that opens here and whether it was closed."""
        begin = self.place + 1
        stop = -1
        if self.line.startswith("(", begin):  # `((ER11))`
            stop = self.line.find("))", begin, begin + _LONGEST_NESTED)
            stop += stop >= 0
        if stop < 0:
            stop = self.line.find(")", begin)
        if stop < 0:
            self.place = len(self.line)
            return self.line[begin:], False
        self.place = stop + 1
        return self.line[begin:stop], True


def cut_line(line: str) -> RawLine:
    """Return the data sets of one line (without its line end)."""
    return _Cutter(line).cut()


def _spoils(group: str) -> bool:
    """Tell whether a group holds characters that no meter may send: control or 8-bit ones."""
    return not group.isascii() or any(c < " " or c == "\x7f" for c in group)
