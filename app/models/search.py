"""Text as people search it: without accents, capitals and doubled spaces."""

import unicodedata

# Letters that Unicode does not take apart, but that people type without their stroke.
_STROKES = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
)


def folded(text: str) -> str:
    """Return ``text`` in lower case, without accents, with single spaces."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return " ".join(bare.casefold().translate(_STROKES).split())


def search_text(*parts: str) -> str:
    """Return the folded text of everything an order is searched by, for `WorkOrder.search`."""
    return folded("\n".join(dict.fromkeys(part for part in parts if part)))


def search_words(text: str) -> tuple[str, ...]:
    """Return the folded words that must all occur, in any order."""
    return tuple(dict.fromkeys(folded(text).split()))
