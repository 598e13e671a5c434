"""Sorts the objects of a meter by what they are for, and by their class."""

from collections.abc import Iterable

from app.services.meaning import Meaning, meaning_of
from drivers.obis import name_of
from drivers.objectmodel import CLASS_NAMES, ObjectEntry
from drivers.values import Reading

Group = tuple[str, list[ObjectEntry]]
_PURPOSES = (  # title, classes; in the order in which they are shown after the values
    ("Profiles and logs", frozenset({7, 62})),
    ("Clock", frozenset({8})),
    ("Tariffs", frozenset({6, 9, 10, 11, 20, 22})),
    ("Supply and limits", frozenset({21, 68, 70, 71})),
    ("Prepayment", frozenset({111, 112, 113, 115, 116})),
    ("Other meters", frozenset({72, 73, 74})),
    ("Communication", frozenset({19, 23, 27, 28, 29, 40, 41, 42, 43, 44, 45, 46, 47, 48})),
    ("Access and firmware", frozenset({12, 15, 17, 18, 64})),
)
_PLAIN = frozenset({1, 3, 4, 5})  # classes that say nothing of what the object is for
_VALUES = (Meaning.ENERGY, Meaning.DEMAND, Meaning.INSTANTANEOUS, Meaning.IDENTIFICATION)
_ORDER = (
    *(kind.title for kind in _VALUES),
    Meaning.STATUS.title,
    *(title for title, _ in _PURPOSES),
    Meaning.HISTORY.title,
    Meaning.OTHER.title,
)


def title_of(entry: ObjectEntry) -> str:
    """Return what people call an object: by its code, else by its class, else the code itself."""
    known = (
        "" if entry.class_id in _PLAIN or entry.class_id not in CLASS_NAMES else entry.class_name
    )
    return entry.name or name_of(entry.code) or known or entry.code


def by_purpose(entries: Iterable[ObjectEntry]) -> list[Group]:
    """Return the objects under what they are for: energy first, what only the maker knows last."""
    found: dict[str, list[ObjectEntry]] = {}
    for entry in sorted(entries, key=_by_code):
        found.setdefault(_purpose(entry), []).append(entry)
    return sorted(found.items(), key=lambda group: _ORDER.index(group[0]))


def by_class(entries: Iterable[ObjectEntry]) -> list[Group]:
    """Return the objects under their classes, in order of class and code."""
    found: dict[str, list[ObjectEntry]] = {}
    for entry in sorted(entries, key=lambda one: (one.class_id, _by_code(one))):
        name, number = entry.class_name, entry.class_id
        title = name if name.endswith(str(number)) else f"{name} ({number})"
        found.setdefault(title[0].upper() + title[1:], []).append(entry)
    return list(found.items())


def fits(entry: ObjectEntry, wanted: Iterable[str]) -> bool:
    """Tell whether all words that somebody typed are in what an object is called."""
    text = f"{title_of(entry)} {entry.code} {entry.class_name} class {entry.class_id}".lower()
    return all(word in text for word in wanted)


def _purpose(entry: ObjectEntry) -> str:
    for title, classes in _PURPOSES:
        if entry.class_id in classes:
            return title
    return meaning_of(Reading(entry.code, entry.code, "", None)).title


def _by_code(entry: ObjectEntry) -> list[int]:
    return [int(group) for group in entry.code.replace("-", ".").replace(":", ".").split(".")]
