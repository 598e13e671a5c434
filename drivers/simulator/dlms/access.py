"""What an association may do to the objects, whatever the services are called that ask for it."""

from collections.abc import Iterator

from drivers.simulator.dlms.axdr import BadData, Value
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.objects import (
    DENIED,
    OUT_OF_SCOPE,
    TEMPORARY_FAILURE,
    TYPE_UNMATCHED,
    UNDEFINED,
    Access,
    Content,
    CosemObject,
    ObjectModel,
    Refused,
    attribute_of,
)
from drivers.simulator.dlms.objects import (
    Action as Method,
)

_VOLTAGE = (32, 7)
_REGISTER = 3
_VALUE = 2
_NO_ROWS = b"\x11\x2a\x00"  # what belongs to nothing

Selection = tuple[int, Value] | None  # selector and its parameters


class ObjectAccess:
    """Reads, writes and acts for one association.

    Every method raises `Refused` with the result that is answered instead.

    Args:
        model: The objects.
        level: What the association may do.
        selective: Whether selective access was agreed on.
        faults: What the meter does wrong.
    """

    def __init__(
        self, model: ObjectModel, level: Access, *, selective: bool, faults: Faults
    ) -> None:
        self.model = model
        self.level = level
        self._selective = selective
        self._faults = faults

    def read(self, now: float, item: CosemObject, index: int, selection: Selection) -> Content:
        """Return the value of an attribute, whole or what was selected of it."""
        name = item.name
        if (name[2], name[3]) == _VOLTAGE and index == _VALUE and "access-denied" in self._faults:
            raise Refused(DENIED)
        if item.class_id == _REGISTER and self._faults.happens("temporary-failure", 1, 2):
            raise Refused(TEMPORARY_FAILURE)
        if selection is None:
            content = self.model.read(now, item, index, self.level)
        else:
            content = self._selected(now, item, index, selection)
        if "trailing-bytes" in self._faults and index == _VALUE:
            return _followed(content, _NO_ROWS)
        return content

    def _selected(
        self, now: float, item: CosemObject, index: int, selection: tuple[int, Value]
    ) -> Content:
        self.model.read(now, item, index, self.level)
        select = attribute_of(item, index).select if index > 1 else None
        if select is None or not self._selective:
            raise Refused(OUT_OF_SCOPE)
        return select(now, *selection)

    def check_writable(self, item: CosemObject, index: int, selection: Selection) -> None:
        """Make sure that an attribute may be written."""
        if selection is not None:
            raise Refused(OUT_OF_SCOPE)
        if index == 1 or self.level < Access.MANAGE or attribute_of(item, index).write is None:
            raise Refused(DENIED)

    def write(self, now: float, item: CosemObject, index: int, value: Value) -> None:
        """Write a whole attribute."""
        self.check_writable(item, index, None)
        write = attribute_of(item, index).write
        if write is None:
            raise Refused(DENIED)
        try:
            write(now, value)
        except (BadData, ValueError) as error:
            raise Refused(TYPE_UNMATCHED) from error

    def act(self, now: float, item: CosemObject, index: int, parameter: Value | None) -> bytes:
        """Invoke a method; return what it gives back, encoded, b"" for nothing."""
        try:
            return self._method(item, index)(now, parameter)
        except BadData as error:
            raise Refused(TYPE_UNMATCHED) from error

    def _method(self, item: CosemObject, index: int) -> Method:
        method = item.methods.get(index)
        if method is None:
            raise Refused(UNDEFINED)
        if self.level < Access.MANAGE:
            raise Refused(DENIED)
        return method


def _followed(content: Content, more: bytes) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
    else:
        yield from content
    yield more
