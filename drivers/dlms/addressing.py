"""HDLC addresses of a meter type, and physical addresses computed from serial numbers."""

import ast
import operator
from collections.abc import Callable
from dataclasses import replace

from drivers.dlms.frames import address_bytes
from drivers.metertype import Dlms, MeterType

_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Mod: operator.mod,
    ast.Div: operator.floordiv,
    ast.FloorDiv: operator.floordiv,
}
_LONGEST_FORMULA = 80


def physical_from_serial(formula: str, serial: str) -> int:
    """Return the physical address that ``formula`` gives for a serial number.

    A formula has SN, whole numbers, ``+ - * / %`` and brackets; division drops the rest.

    Raises:
        ValueError: The formula or the serial cannot be used; the text says which.
    """
    digits = "".join(character for character in serial if character.isdecimal())
    if not digits:
        raise ValueError(f"the serial {serial!r} has no digits to compute an address from")
    if len(formula) > _LONGEST_FORMULA:
        raise ValueError("the address formula is too long")
    try:
        tree = ast.parse(formula, mode="eval")
        return _computed(tree.body, int(digits))
    except (SyntaxError, ZeroDivisionError, RecursionError) as error:
        raise ValueError(f"the address formula {formula!r} cannot be computed") from error


def _computed(node: ast.expr, serial: int) -> int:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Name) and node.id.upper() == "SN":
        return serial
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](
            _computed(node.left, serial), _computed(node.right, serial)
        )
    raise ValueError("an address formula has SN, whole numbers, + - * / % and brackets only")


def with_serial(meter_type: MeterType, serial: str) -> MeterType:
    """Return the type with the physical address of this meter, where it comes from the serial.

    A physical address that is already set stays.

    Raises:
        ValueError: The serial or the formula cannot be used.
    """
    dlms = meter_type.dlms
    if not dlms.physical_from_serial or dlms.physical or not serial:
        return meter_type
    physical = physical_from_serial(dlms.physical_from_serial, serial)
    return replace(meter_type, dlms=replace(dlms, physical=physical))


def server_address(dlms: Dlms) -> bytes:
    """Return the server address as it stands in frames.

    Raises:
        ValueError: The numbers do not fit the wanted size.
    """
    return address_bytes(dlms.server, dlms.physical, dlms.address_size)


def client_address(dlms: Dlms) -> bytes:
    """Return the client address as it stands in frames: always one octet.

    Raises:
        ValueError: The number does not fit.
    """
    return address_bytes(dlms.client, size=1)
