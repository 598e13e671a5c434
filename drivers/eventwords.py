"""Event codes and status bits in words, from the tables in ``resources/events``.

The same number means different things in different companion profiles, so a code is looked up by
profile, log and number, and an unknown one stays a number.  A meter that puts codes of several logs
into one is understood as well: within a profile a code has one meaning.  Makers' own codes (230 to
249 in the European profiles) are never put into words without the maker's table.
"""

import csv
import re
from functools import cache

from resources import resource

_OWN_CODES = range(230, 250)  # each maker's own meaning in IDIS, DSMR and SMR
_EUROPEAN = frozenset({"idis", "dsmr", "smr"})
_EVENTS = {  # table -> file, names of the profile in it
    "idis": ("idis_events.csv", frozenset({"IDIS"})),
    "dsmr": ("dsmr_smr_events.csv", frozenset({"DSMR", "DSMR+SMR"})),
    "smr": ("dsmr_smr_events.csv", frozenset({"SMR", "DSMR+SMR"})),
    "is15959": ("is15959_events.csv", frozenset({"IS 15959"})),
}
_STATUS = {
    "idis": "IDIS/DSMR AMR profile status",
    "dsmr": "IDIS/DSMR AMR profile status",
    "smr": "IDIS/DSMR AMR profile status",
    "prime": "PRIME/Spain interval status",
    "edmi-mk10": "EDMI Mk10 interval status",
    "clock": "COSEM clock_status byte",
}
_ALARMS = {  # table -> name of the profile in alarm_bits.csv
    "idis": "IDIS",
    "dsmr": "SMR/DSMR",
    "smr": "SMR/DSMR",
}
_INVERSE = {("edmi-mk10", 0): "absent reading"}  # the bit is set when nothing is wrong
_NOT_SPECIFIED = 0xFF  # of the clock status
_LOG_CODE = re.compile(r"\d+-\d+:\d+\.\d+\.\d+")


def event_text(table: str, log: str, code: int) -> str:
    """Return what event ``code`` means in the log with OBIS code ``log``; "" when unknown.

    ``table`` names the companion profile: idis, dsmr, smr or is15959; "" knows nothing.
    """
    if table not in _EVENTS or (table in _EUROPEAN and code in _OWN_CODES):
        return ""
    words = _event_words(table)
    short = log.rpartition(".")[0]
    return words.get((short, code)) or words.get(("", code), "") or _elsewhere(table).get(code, "")


def status_words(table: str, raw: int | None) -> tuple[str, ...]:
    """Return the bits that are set in a status word, lowest first; unknown bits as "bit n".

    ``table`` is idis, dsmr, smr, prime, edmi-mk10 or clock; "" knows no bits and returns none.
    """
    if raw is None or table not in _STATUS or (table == "clock" and raw == _NOT_SPECIFIED):
        return ()
    names = _status_names(_STATUS[table])
    words = []
    for bit in range(max(raw.bit_length(), 1)):
        is_set = bool(raw >> bit & 1)
        if (table, bit) in _INVERSE:
            words += [] if is_set else [_INVERSE[table, bit]]
        elif is_set:
            words.append(names.get(bit, f"bit {bit}"))
    return tuple(words)


def alarm_words(table: str, register: int, raw: int) -> tuple[str, ...]:
    """Return the bits that are set in an alarm register, lowest first; unknown bits as "bit n".

    ``table`` is idis, dsmr or smr; "" knows no bits.  ``register`` is its number in the companion
    profile; 0 is none of them.
    """
    names = _alarm_names(_ALARMS.get(table, ""), str(register))
    return tuple(names.get(bit, f"bit {bit}") for bit in range(raw.bit_length()) if raw >> bit & 1)


@cache
def _alarm_names(profile: str, register: str) -> dict[int, str]:
    return {
        int(row["bit"]): row["name"]
        for row in _rows("alarm_bits.csv")
        if (row["profile"], row["register"]) == (profile, register)
    }


@cache
def _event_words(table: str) -> dict[tuple[str, int], str]:
    """Return the words by log ("" for any log) and code."""
    file, profiles = _EVENTS[table]
    words = {}
    for row in _rows(file):
        if row["profile"] in profiles:
            match = _LOG_CODE.search(row.get("log") or "")
            words[match.group() if match else "", int(row["code"])] = row["name"]
    return words


@cache
def _elsewhere(table: str) -> dict[int, str]:
    """Return the words by code alone, where all logs of the profile agree."""
    found: dict[int, set[str]] = {}
    for (_, code), name in _event_words(table).items():
        found.setdefault(code, set()).add(name)
    return {code: names.pop() for code, names in found.items() if len(names) == 1}


@cache
def _status_names(profile: str) -> dict[int, str]:
    return {
        int(row["bit"]): row["name"][:1].lower() + row["name"][1:]
        for row in _rows("profile_status_bits.csv")
        if row["profile"] == profile and row["bit"].isdecimal()
    }


def _rows(file: str) -> list[dict[str, str]]:
    with resource("events", file).open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
