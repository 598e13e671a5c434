"""The JSON shapes of orders: the contract that scripts rely on."""

from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from app.services.shapes import number_text, time_text
from app.workorders.queue import OrderDetail, QueueRow


def plain(value: Any) -> Any:
    """Return ``value`` as JSON takes it: numbers that count as text, times in UTC."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, Decimal):
        return number_text(value)
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def row_shape(row: QueueRow) -> dict[str, Any]:
    """Return one order as the queue lists it."""
    shape: dict[str, Any] = plain(row)
    return shape


def detail_shape(detail: OrderDetail) -> dict[str, Any]:
    """Return everything about one order."""
    shape: dict[str, Any] = plain(detail)
    return {**shape.pop("row"), **shape}
