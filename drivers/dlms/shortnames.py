"""Objects named by short names: Read, Write and UnconfirmedWrite, behind the same services.

Callers name objects by class and logical name as ever.  Where the objects begin stands in the
meter's own list, which is long; so it is kept for meters of the same make and firmware, and an
object of a kept list has to show its logical name before anything of it is believed.
"""

import hashlib
import json
from collections.abc import Generator, Iterator, Sequence
from typing import Protocol

from drivers.dlms import basenames, lists, shortapdu
from drivers.dlms.apdu import Attribute, beginning
from drivers.dlms.basenames import ASSOCIATION, ASSOCIATION_BASE, BaseNames, Entry
from drivers.dlms.data import decode, octets, printable
from drivers.dlms.references import Asking
from drivers.dlms.shortapdu import NULL, Variable
from drivers.errors import AccessDenied, GarbledReply, NotSupported
from drivers.metertype import MeterType
from drivers.obis import from_bytes
from drivers.objectmodel import ObjectEntry

_LIST, _RIGHTS = 2, 3
_REPLY_TO_HLS = Entry(ASSOCIATION_BASE, ASSOCIATION, 0, basenames.ASSOCIATION_CODE).method(8, {})
_ANSWERING = frozenset({(ASSOCIATION, 3), (ASSOCIATION, 8), (115, 1)})  # methods that give data
_BLOCKS_MAX = 0xFFFF
_VALUE = 2
_MAKER = 3  # letters that begin a logical device name


class NameStore(Protocol):
    """Keeps object lists with short names beyond the end of the program."""

    def kept(self, key: str) -> bytes:
        """Return the encoded list kept under ``key``, b"" where there is none."""

    def keep(self, key: str, names: bytes) -> None:
        """Keep an encoded list."""


class RememberedNames:
    """Object lists that are kept as long as the program runs."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def kept(self, key: str) -> bytes:
        """Return the list kept under ``key``, b"" where there is none."""
        return self._kept.get(key, b"")

    def keep(self, key: str, names: bytes) -> None:
        """Keep a list."""
        self._kept[key] = names


class ShortNames:
    """The services of an association with short names."""

    def __init__(self, asking: Asking, meter_type: MeterType, store: NameStore) -> None:
        self._asking = asking
        self._type = meter_type
        self._store = store
        self._direct = basenames.direct(meter_type.dlms)
        self._places = {one.class_id: one.offset for one in meter_type.dlms.method_places}
        self._names: BaseNames | None = None
        self._key = ""
        self._unproved = False  # the list is not of this meter itself
        self._proved: set[Entry] = set()

    # --- services ---------------------------------------------------------------------------

    def blocks(self, attribute: Attribute, what: str, selector: bytes) -> Iterator[bytes]:
        """Yield the raw data of an attribute, block by block as it arrives."""
        agreed = self._asking.agreed
        if selector and agreed is not None and not agreed.parameterised:
            raise NotSupported(f"{what}: the meter takes no selectors")
        entry = self._entry(attribute, what)
        try:
            yield from self._read(Variable(entry.attribute(attribute.index), selector), what)
        except NotSupported:
            listed = self._elsewhere(attribute, entry)
            if listed is None:
                raise
            yield from self._read(Variable(listed.attribute(attribute.index), selector), what)

    def set(self, attribute: Attribute, value: bytes, what: str) -> None:
        """Write an encoded value, in blocks where it is too long for one request.

        A meter that only takes unconfirmed writes does not say whether it took this one.

        Raises:
            ValueRefused, AccessDenied, NotSupported, MeterBusy: The meter refused.
        """
        name = self._entry(attribute, what).attribute(attribute.index)
        agreed = self._asking.agreed
        if agreed is not None and agreed.unconfirmed and not agreed.set_service:
            self._asking.told(shortapdu.write_request([Variable(name)], [value], confirmed=False))
            return
        self._write(name, value, what, secret=False)

    def get_list(self, wanted: Sequence[tuple[Attribute, str]]) -> list[lists.Item]:
        """Return several attributes, each decoded or the error in its place, in few requests.

        Raises:
            GarbledReply: The meter answers with another count.
        """
        found: list[lists.Item] = []
        named: list[tuple[int, Variable, str]] = []
        for attribute, what in wanted:
            try:
                name = self._entry(attribute, what).attribute(attribute.index)
            except (NotSupported, AccessDenied) as error:
                found.append(error)
                continue
            named.append((len(found), Variable(name), what))
            found.append(None)
        for at in range(0, len(named), lists.MOST_LISTED):
            part = named[at : at + lists.MOST_LISTED]
            for (place, _, _), item in zip(part, self._read_several(part), strict=True):
                found[place] = item
        return found

    def _read_several(self, part: Sequence[tuple[int, Variable, str]]) -> list[lists.Item]:
        names = [what for _, _, what in part]
        request = shortapdu.read_request([variable for _, variable, _ in part])
        answer = self._asking.asked(request, again=True)
        raw = b"".join(self._following(answer, ", ".join(names)))
        return lists.listed(raw, names)

    def action(self, method: Attribute, what: str, parameter: bytes, *, secret: bool) -> bytes:
        """Call a method; return what it gives back, encoded.

        A method without an answer is written to; one that gives data is read with its parameter, as
        is every method of a meter that has none to write to.  No method is called twice.
        """
        name = self._entry(method, what).method(method.index, self._places)
        agreed = self._asking.agreed
        readable = agreed is not None and agreed.parameterised
        written = agreed is None or agreed.set_service
        if (method.class_id, method.index) in _ANSWERING or (readable and not written):
            return self._called(name, parameter or NULL, what, secret=secret)
        try:
            self._write(name, parameter or NULL, what, secret=secret)
        except NotSupported:  # the meter knows nothing there to write to, and has done nothing
            if not readable:
                raise
            return self._called(name, parameter or NULL, what, secret=secret)
        return b""

    def proved(self, proof: bytes) -> bytes:
        """Hand over the answer to the meter's challenge; return its answer to ours, encoded."""
        return self._called(_REPLY_TO_HLS, octets(proof), "the proof of the keys", secret=True)

    def _called(self, name: int, parameter: bytes, what: str, *, secret: bool) -> bytes:
        request = shortapdu.read_request([Variable(name, b"\x00" + parameter)])
        if 0 < self._asking.room < len(request):
            raise NotSupported(f"{what}: the parameter is too long for this meter's messages")
        answer = self._asking.asked(request, secret=secret)
        return b"".join(shortapdu.single(self._following(answer, what), what))

    def _write(self, name: int, value: bytes, what: str, *, secret: bool) -> None:
        request, room = shortapdu.write_request([Variable(name)], [value]), self._asking.room
        if room > 0 and len(request) > room:
            if self._asking.agreed is None or not self._asking.agreed.set_blocks:
                raise NotSupported(f"{what}: the value is too long for this meter's messages")
            *before, request = shortapdu.write_blocks(request, room)
            for number, block in enumerate(before, 1):
                answer = self._asking.asked(block, secret=secret)
                shortapdu.write_block_taken(answer, number, what)
        shortapdu.write_answer(self._asking.asked(request, secret=secret), [what])

    # --- reading ----------------------------------------------------------------------------

    def _read(self, variable: Variable, what: str) -> Iterator[bytes]:
        """Yield the raw data of one variable as it arrives."""
        parts = self._asking.parts(shortapdu.read_request([variable]))
        head = beginning(parts, 4)  # tag, count, choice, and something of the value
        if head[:3] == b"\x0c\x01\x00":  # in one piece, or in general blocks
            yield head[3:]
            yield from parts
            return
        yield from shortapdu.single(self._following(head + b"".join(parts), what), what)

    def _following(self, answer: bytes, what: str) -> Iterator[bytes]:
        """Yield the coded list of results that begins in ``answer``, with all its blocks."""
        data = shortapdu.read_answer(answer, what)
        expected = 1
        while not data.last:
            if data.number != expected or expected >= _BLOCKS_MAX:
                raise GarbledReply(f"block {data.number} came in place of block {expected}")
            yield data.raw
            request = shortapdu.read_next_request(expected)
            data = shortapdu.read_answer(self._asking.asked(request), what)
            expected += 1
        if data.number not in {0, expected} or (expected > 1 and not data.number):
            raise GarbledReply(f"block {data.number} came in place of block {expected}")
        yield data.raw

    # --- where objects are ------------------------------------------------------------------

    def _entry(self, attribute: Attribute, what: str) -> Entry:
        """Return the object of an attribute.

        Raises:
            NotSupported: The meter has none.
        """
        if self._names is None:
            found = self._direct.get(attribute.class_id, attribute.code)
            if found is not None:
                return found
            if self._direct.knows(attribute.code):
                raise NotSupported(f"{what}: object class inconsistent")
        found = self._list().get(attribute.class_id, attribute.code)
        if found is None:
            raise NotSupported(f"{what}: object undefined")
        if self._unproved and found not in self._proved:
            if not self._shows_its_name(found):
                self._read_list()
                return self._entry(attribute, what)
            self._proved.add(found)
        return found

    def _elsewhere(self, attribute: Attribute, entry: Entry) -> Entry | None:
        """Return where an object is that was not at its usual place; None where it was not."""
        if self._names is not None:
            return None
        listed = self._list().get(attribute.class_id, attribute.code)
        return None if listed is None or listed.base == entry.base else listed

    def _list(self) -> BaseNames:
        if self._names is None:
            self._key = self._kind()
            raw = self._store.kept(self._key) if self._key else b""
            try:
                self._names, self._unproved = basenames.listed(raw), True
            except GarbledReply:  # none, or damaged
                return self._read_list()
        return self._names

    def _read_list(self) -> BaseNames:
        variable = Variable(ASSOCIATION_BASE + 8 * (_LIST - 1))
        raw = b"".join(self._read(variable, "the object list"))
        self._names, self._unproved = basenames.listed(raw), False
        if self._key:
            self._store.keep(self._key, raw)
        return self._names

    def _shows_its_name(self, entry: Entry) -> bool:
        try:
            raw = b"".join(self._read(Variable(entry.base), from_bytes(entry.code)))
            return decode(raw) == entry.code
        except (NotSupported, AccessDenied):
            return False

    def _kind(self) -> str:
        """Return what names meters that have the same list, "" where nothing tells."""
        dlms = self._type.dlms
        name = self._told(basenames.NAME_BASE, 1)
        told = [self._told(one.base, one.class_id) for one in dlms.short_names]
        firmware = [text for text in told if text]
        who = [name[:_MAKER], *firmware] if firmware else [name]
        if not any(who):
            return ""
        parts = (self._type.name, dlms.client, dlms.server, *who)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    def _told(self, base: int, class_id: int) -> str:
        """Return the text at a fixed name, "" where there is none."""
        if class_id != 1:
            return ""
        try:
            value = decode(b"".join(self._read(Variable(base + 8 * (_VALUE - 1)), "a fixed name")))
        except (NotSupported, AccessDenied):
            return ""
        if isinstance(value, bytes):
            return printable(value) or value.hex()
        return "" if value is None else str(value)

    def entries(self) -> tuple[ObjectEntry, ...]:
        """Return the object list of the association, with access rights where it tells them.

        Raises:
            GarbledReply: It cannot be read.
        """
        names = self._read_list()
        rights: dict[int, basenames.Rights] = {}
        try:
            variable = Variable(ASSOCIATION_BASE + 8 * (_RIGHTS - 1))
            rights = basenames.rights(decode(b"".join(self._read(variable, "the access rights"))))
        except (NotSupported, AccessDenied):
            pass  # older versions of the class have none
        found = []
        for one in names.entries:
            attributes, methods = rights.get(one.base, ((), ()))
            code = from_bytes(one.code)
            found.append(ObjectEntry(one.class_id, one.version, code, attributes, methods))
        return tuple(found)

    def listing(self) -> Generator[int, None, tuple[ObjectEntry, ...]]:
        """Return the object list; how much of it has come is not told on the way."""
        entries = self.entries()
        yield 0
        return entries

    def named(self, name: int) -> Attribute | None:
        """Return the attribute with a short name, as far as is known without asking."""
        return (self._names or self._direct).attribute_at(name)
