"""Invocation counters of ciphered meters, kept in a file so that none is ever used twice."""

import json
from pathlib import Path

from app.errors import BadInput
from app.models.engine import translated
from app.models.files import write_atomically

_FILE = "counters.json"


class FileCounters:
    """The highest counter used with each key and meter, in the data folder.

    Keys are named by a fingerprint.  The nonce of a message is made of our title and the counter,
    so one key must never see a counter twice even where several meters share it: the highest of
    all meters counts.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / _FILE

    def latest(self, meter: str, key: str) -> int:  # noqa: ARG002 (of all meters with this key)
        """Return the highest counter kept for a key, -1 where none is.

        Raises:
            BadInput: The file cannot be read; going on could use a counter twice.
        """
        return max(self._read().get(key, {}).values(), default=-1)

    def keep(self, meter: str, key: str, counter: int) -> None:
        """Keep ``counter``, durably; a lower one changes nothing.

        Raises:
            NoRoom: It could not be written; nothing may be sent then.
        """
        kept = self._read()
        meters = kept.setdefault(key, {})
        meters[meter] = max(counter, meters.get(meter, -1))
        with translated(str(self._file)):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._file, json.dumps(kept, indent=1, sort_keys=True).encode())

    def _read(self) -> dict[str, dict[str, int]]:
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            return {
                str(key): {str(meter): int(number) for meter, number in meters.items()}
                for key, meters in kept.items()
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError) as error:
            raise BadInput(f"the counters in {self._file} cannot be read: {error}") from error
