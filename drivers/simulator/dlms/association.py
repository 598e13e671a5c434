"""The objects that describe an association: class 15, and class 12 with short names."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from drivers.simulator.dlms import acse, axdr
from drivers.simulator.dlms.objects import (
    Access,
    Attribute,
    CosemObject,
    access_rights,
    object_list,
)
from drivers.simulator.dlms.short_names import ASSOCIATION, ShortNames

CODE = "0-0:40.0.0.255"
RESERVED = {CODE: ASSOCIATION}  # its base name
VERSION = 6  # of DLMS
_ASSOCIATED = 2


@dataclass(frozen=True, slots=True)
class Agreed:
    """What was agreed on, as the association object of class 15 tells it."""

    client: int
    port: int
    context: bytes
    mechanism: bytes | None
    conformance: int
    receive_pdu: int
    send_pdu: int


def by_logical_names(agreed: Agreed, objects: Iterable[CosemObject], access: Access) -> CosemObject:
    """Return the object of class 15; ``objects`` are listed when they are asked for."""
    partners = axdr.structure(
        axdr.integer(axdr.I8, agreed.client), axdr.integer(axdr.U16, agreed.port)
    )
    context = axdr.structure(
        axdr.bits(24, agreed.conformance),
        axdr.integer(axdr.U16, agreed.receive_pdu),
        axdr.integer(axdr.U16, agreed.send_pdu),
        axdr.integer(axdr.U8, VERSION),
        axdr.integer(axdr.I8, 0),
        axdr.octets(b""),
    )
    mechanism = agreed.mechanism or acse.LOW_SECURITY[:-1] + b"\x00"
    return CosemObject(
        15,
        CODE,
        {
            2: Attribute(lambda _: object_list(objects, access), level=Access.PUBLIC),
            3: Attribute(partners),
            4: Attribute(axdr.octets(agreed.context)),
            5: Attribute(context),
            6: Attribute(axdr.octets(mechanism)),
            8: Attribute(axdr.integer(axdr.ENUM, _ASSOCIATED)),
        },
        version=1,
        level=Access.PUBLIC,
    )


def by_short_names(
    objects: Iterable[CosemObject], names: ShortNames, access: Access
) -> CosemObject:
    """Return the object of class 12, whose own base name is reserved.

    ``objects`` and ``names`` are read when they are asked for, so they may hold the object itself.
    """
    return CosemObject(
        12,
        CODE,
        {
            2: Attribute(lambda _: _listed(objects, names, access), level=Access.PUBLIC),
            3: Attribute(lambda _: _rights(objects, names, access), level=Access.PUBLIC),
            4: Attribute(axdr.octets(bytes(6)), level=Access.PUBLIC),
        },
        version=2,
        level=Access.PUBLIC,
    )


def _listed(objects: Iterable[CosemObject], names: ShortNames, access: Access) -> Iterator[bytes]:
    """Yield the object list: base name, class, version, logical name of each."""
    seen = [item for item in objects if item.level <= access]
    yield bytes([axdr.ARRAY]) + axdr.length(len(seen))
    for item in seen:
        yield axdr.structure(
            _base(names, item),
            axdr.integer(axdr.U16, item.class_id),
            axdr.integer(axdr.U8, item.version),
            axdr.octets(item.name),
        )


def _rights(objects: Iterable[CosemObject], names: ShortNames, access: Access) -> Iterator[bytes]:
    """Yield the access rights: base name, attributes, methods of each."""
    seen = [item for item in objects if item.level <= access]
    yield bytes([axdr.ARRAY]) + axdr.length(len(seen))
    for item in seen:
        attributes, methods = access_rights(item, access, methods=axdr.ENUM)
        yield axdr.structure(_base(names, item), attributes, methods)


def _base(names: ShortNames, item: CosemObject) -> bytes:
    """Return a base name as it is told: a long, so those from 8000 on are negative."""
    base = names.base(item)
    return bytes([axdr.I16]) + base.to_bytes(2, "big")
