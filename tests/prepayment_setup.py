"""An order with tokens, a virtual Hexcell on RS-485, and a keyring in memory."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from sqlalchemy import select

from app.models.base import utc_now
from app.models.database import Database
from app.models.order import WorkOrder
from app.models.token import OrderToken, VendingRecord
from app.services.token_box import TokenBox
from app.services.vault import Vault
from app.tasks import Ask, Cancel, Event, run
from app.workorders.runner import Outcome, work
from app.workorders.tokens import import_tokens
from app.workorders.visit import WorkContext
from drivers.dlms.addressing import with_serial
from drivers.dlms.meter import DlmsMeter
from drivers.metertype import load_meter_type
from drivers.secrets import Secret, Secrets
from drivers.simulator import hexcell
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.memory import DeviceLink
from drivers.simulator.tokenoffice import FIRST_KEY, TokenOffice, drn_of
from drivers.sts.identifiers import KeyName
from drivers.trace_link import Trace, TraceLink
from tests.visit_setup import Ticking, add_order

START = datetime(2026, 11, 20, 10, 7, tzinfo=UTC)
ISSUED = datetime(2026, 11, 20, 11, 0)  # noqa: DTZ001 (a meter's clock has no zone)
SERIAL = "46000755036"
DRN = drn_of(SERIAL)
SECOND_KEY = replace(FIRST_KEY, sgc="654321", ti="07", krn=2)
ANSWERS = {
    "identify.serial": SERIAL,
    "keychange.approved_by": "S. Officer",
    "keychange.confirm": SERIAL[-4:],
    "evidence.photo": "",
    "evidence.seal": "NB 402 119",
    "evidence.note": "",
    "signature.installer": "A. Sample",
    "signature.customer": "absent",
    "old_credit.channel": "Over the wire",
    "keychange.channel": "Over the wire",
    "new_tokens.channel": "Over the wire",
}


class FileKeyring:
    """A keyring in a file, so that it outlives a killed program."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def _all(self) -> dict[str, str]:
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def get_password(self, service: str, name: str, /) -> str | None:
        return self._all().get(name)

    def set_password(self, service: str, name: str, value: str, /) -> None:
        self.path.write_text(json.dumps({**self._all(), name: value}))

    def delete_password(self, service: str, name: str, /) -> None:
        known = self._all()
        del known[name]
        self.path.write_text(json.dumps(known))


def box_in(folder: Path) -> TokenBox:
    """Return a token box whose keyring lies beside the data folder."""
    return TokenBox(Vault(folder, FileKeyring(folder.parent / f"{folder.name}-keyring.json")))


class Place:
    """A meter on its line, the vending office, and the laptop with one order."""

    def __init__(self, folder: Path, *, key: KeyName = FIRST_KEY, kind: str = "key_change") -> None:
        self.folder = folder
        self.virtual = hexcell.Hexcell(SERIAL, 20, 1, Faults(()), START, key=key)
        self.account = self.virtual.prepayment
        self.office = TokenOffice(DRN, key)
        self.trace = Trace()
        self.link = TraceLink(DeviceLink([self.virtual.device()]), self.trace)
        self.db = Database.open(folder)
        self.box = box_in(folder)
        self.order = add_order(
            self.db,
            kind=kind,
            procedure=kind,
            meter_serial=SERIAL,
            meter_type="hexcell-ddsy1088",
            external_ref="WO-1",
        )
        self.clock = Ticking()
        self.questions: list[Ask] = []
        self.events: list[Event] = []

    def open_meter(self, _kind: str = "") -> DlmsMeter:
        kind = with_serial(load_meter_type("hexcell-ddsy1088"), SERIAL)
        return DlmsMeter(self.link, kind, Secrets(password=Secret(hexcell.PASSWORD)))

    def tokens(self, **cells: str) -> Path:
        """Write a token list for the order and import it."""
        new = SECOND_KEY
        record = {
            "reference": "WO-1", "drn": DRN, "old_sgc": FIRST_KEY.sgc, "old_ti": FIRST_KEY.ti,
            "old_krn": "1", "new_sgc": new.sgc, "new_ti": new.ti, "new_krn": "2", "new_ea": "11",
        }  # fmt: skip
        row = {**record, **cells}
        path = self.folder.parent / "tokens.csv"
        path.write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n", encoding="utf-8")
        result = import_tokens(self.db, path, self.box, who="A. Sample")
        assert result.errors == ()
        return path

    def standard_set(self, credit: Decimal = Decimal("12.5")) -> dict[str, str]:
        """Return a whole list: old credit, a quad, and credit on the new key."""
        quad = self.office.key_change(SECOND_KEY)
        return {
            "old_credit": self.office.credit(3, ISSUED),
            **{f"kct_{n}": token for n, token in enumerate(quad, 1)},
            "credit": self.office.after(SECOND_KEY).credit(credit, ISSUED),
        }

    def context(self, *, wire: bool = True) -> WorkContext:
        return WorkContext(
            db=self.db,
            open_meter=self.open_meter if wire else None,
            who="A. Sample",
            laptop="FIELD-07",
            tool="Meterwright test",
            utility="Example Grid",
            clock=self.clock,
            tokens=self.box,
        )

    def work(
        self,
        answers: dict[str, str] | None = None,
        *,
        wire: bool = True,
        ask: Callable[[Ask], str | None] = lambda _ask: None,
    ) -> Outcome:
        """Work the order; questions go to ``ask`` first, then to the answers."""
        known = {**ANSWERS, **(answers or {})}

        def handle(event: Event) -> str | None:
            self.events.append(event)
            if not isinstance(event, Ask):
                return None
            self.questions.append(event)
            said = ask(event)
            return said if said is not None else known.get(event.key, event.default or None)

        return run(work(self.context(wire=wire), self.order), handle, Cancel())

    def close(self) -> None:
        self.db.close()


def campaign_list(path: Path, count: int = 6, *, damaged: bool = False) -> list[str]:
    """Write the list of a campaign, a quad for each meter; return the tokens in it."""
    rows, tokens = [], []
    for number in range(1, count + 1):
        serial = f"4600075{number:04}"
        drn = drn_of(serial)
        quad = TokenOffice(drn).key_change(SECOND_KEY)
        tokens += quad
        rows.append(
            {
                "reference": f"KC-{number}", "street": f"Oak Street {number}", "meter": serial,
                "drn": drn, "old_sgc": FIRST_KEY.sgc, "old_ti": "1", "old_krn": "1",
                "new_sgc": SECOND_KEY.sgc, "new_ti": "7", "new_krn": "2", "new_ken": "255",
                **{f"kct_{n}": token for n, token in enumerate(quad, 1)},
            }
        )  # fmt: skip
    if damaged:
        rows[-1]["kct_2"] = rows[-1]["kct_2"][:-1]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return tokens


def campaign_states(db: Database) -> None:
    """Bring the meters of a campaign to different states, as visits would."""
    with db.write() as session:
        orders = session.scalars(
            select(VendingRecord.order_id)
            .join(WorkOrder, WorkOrder.order_id == VendingRecord.order_id)
            .where(VendingRecord.campaign != "")
            .order_by(WorkOrder.number)
        ).all()
        for order_id, states in zip(orders, CAMPAIGN_STATES, strict=False):
            rows = session.scalars(
                select(OrderToken)
                .where(OrderToken.order_id == order_id)
                .order_by(OrderToken.position)
            )
            for row, state in zip(rows, states, strict=False):
                row.state, row.entered = state, utc_now()
            if states.count("accepted") == len(states):
                session.get_one(VendingRecord, order_id).verified = utc_now()


CAMPAIGN_STATES = (["accepted"] * 4, ["part"], ["part", "refused"], ["part"] * 3 + ["accepted"])
