"""An order out of a list of meters names no meter type: the one that was chosen counts."""

from typing import Any

import pytest

from app.errors import BadInput
from app.models.order import WorkOrder
from app.tasks import collect
from tests.gui.fake_desk import FakeDesk, fill


class Noting(FakeDesk):
    """Notes which meter type a line is opened for."""

    def _opened(self, target: str, meter_type: str, *more: Any, **named: Any) -> Any:
        self.kind = meter_type
        return super()._opened(target, meter_type, *more, **named)


@pytest.mark.parametrize(
    ("own", "chosen", "used"),
    [
        ("", "hexcell-ddsy1088", "hexcell-ddsy1088"),
        ("landisgyr-zmf100", "hexcell-ddsy1088", "landisgyr-zmf100"),
        ("", "", ""),
    ],
)
def test_the_type_of_the_order_counts_before_the_one_that_was_chosen(tmp_path, own, chosen, used):
    desk = Noting(tmp_path / "data")
    (order_id, *_) = fill(desk.db, 1)
    with desk.db.write() as session:
        session.get_one(WorkOrder, order_id).meter_type = own
    with pytest.raises(BadInput, match="serial"):
        collect(desk.work(order_id, "fake:optical", meter_type=chosen))
    assert desk.kind == used
    desk.db.close()
