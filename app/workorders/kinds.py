"""The types of work order, by the names they have in files and in the database."""

KINDS: dict[str, str] = {
    "install": "New meter",
    "exchange": "Exchange",
    "remove": "Remove",
    "commission": "Commission",
    "read_out": "Read out",
    "disconnect": "Switch off supply",
    "reconnect": "Reconnect",
    "inspect": "Inspect",
    "key_change": "Change keys",
    "firmware": "Update firmware",
    "parameter_change": "Change parameters",
    "time_sync": "Set the clock",
    "investigate_tamper": "Investigate tampering",
}


def kind_words(kind: str) -> str:
    """Return what people call a type of order."""
    return KINDS.get(kind, kind.replace("_", " ").capitalize())
