"""The draft of a switching table, kept on this laptop with every change until it is replaced."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import BadInput
from app.models.engine import translated
from app.models.files import save_file, write_atomically
from app.paths import calendar_draft
from app.services.calendar_draft import Draft
from app.services.calendar_files import draft_in, draft_shape, file_text

_DAMAGED = ".damaged.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """A draft, the file it belongs to, and what stands in that file as far as we know."""

    draft: Draft
    path: Path | None = None
    saved: Draft | None = None
    origin: str = ""  # where it came from, in words: "the table in force of meter 46000755036"


def keep(folder: Path, kept: Kept) -> None:
    """Keep the draft, so that it is there after the window was closed or the program ended.

    Raises:
        NoRoom: The disk is full; what was kept before is still there.
    """
    shape: dict[str, Any] = {"draft": draft_shape(kept.draft), "origin": kept.origin}
    if kept.path is not None:
        shape["path"] = str(kept.path)
    if kept.saved is not None:
        shape["saved"] = draft_shape(kept.saved)
    target = calendar_draft(folder)
    with translated(str(target)):
        write_atomically(target, file_text(shape).encode())


def kept_draft(folder: Path) -> Kept | None:
    """Return the draft that is kept; None where there is none.

    Raises:
        BadInput: The file is damaged; it is set aside, so that this is said once.
    """
    target = calendar_draft(folder)
    try:
        data = json.loads(target.read_text(encoding="utf-8"))
        saved = data.get("saved")
        return Kept(
            draft_in(data["draft"]),
            Path(data["path"]) if data.get("path") else None,
            None if saved is None else draft_in(saved),
            str(data.get("origin", "")),
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadInput(f"{target} cannot be read: {error.strerror}") from error
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        aside = target.with_suffix(_DAMAGED)
        with translated(str(aside)):
            target.replace(aside)
        raise BadInput(f"the draft of a calendar is damaged; it is kept as {aside}") from error


def save_draft(path: Path, draft: Draft) -> None:
    """Write the draft where the operator wants it, as `calendar write` takes it.

    Raises:
        BadInput: Nothing can be written there.
        NoRoom: The disk is full; the old file is untouched.
    """
    save_file(path, file_text(draft_shape(draft)).encode())
