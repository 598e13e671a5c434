"""Incidents: what is refused, what is kept, what the journal is told."""

import json
import struct
import zlib

import pytest
from sqlalchemy import select

from app.errors import BadInput, NotFound, NotPermitted
from app.models.database import Database
from app.models.journal import JournalEvent
from app.models.order import Attachment, Incident, OrderState, WorkOrder
from app.workorders.incidents import incident_code, incident_codes, report_incident

NAMES = """
ACCESS no_access refused dog locked absent wrong_address vacant
SAFETY unsafe_wiring burnt_lugs asbestos height gas_smell live_parts
SITE board_damaged no_space pit_flooded obstruction demolished
METER wrong_meter meter_missing dead display_unreadable stuck_screw wrong_type
TAMPER seal_broken bypass reversed magnet illegal_reconnect
CT ratio_mismatch wrong_phase ct_damaged
COMMS no_signal optical_fail auth_fail wrong_key hes_reject
STOCK missing_part dead_on_arrival
CUSTOMER needs_appointment medical_device dispute
ADMIN duplicate already_done cancelled_on_site weather time_out
"""


@pytest.fixture
def db(tmp_path):
    with Database.open(tmp_path / "data") as database:
        yield database


def add(db, state=OrderState.STARTED):
    order = WorkOrder(number="1043", state=state.value, step="identify")
    with db.write() as session:
        session.add(order)
    return order.order_id


def state_of(db, order_id):
    with db.read() as session:
        return session.get_one(WorkOrder, order_id).state


def all_of(db, table):
    with db.read() as session:
        return session.scalars(select(table)).all()


def picture(path):
    def chunk(name, body):
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\x00\x00"))
        + chunk(b"IEND", b"")
    )
    return path


def test_an_unknown_code_is_refused_with_the_known_ones(db):
    with pytest.raises(BadInput, match=r"ACCESS\.no_access"):
        report_incident(db, add(db), "ACCESS.elephant", "")


def test_a_code_that_needs_a_photo_is_refused_without_one(db):
    order_id = add(db)
    with pytest.raises(BadInput, match="a photo is needed"):
        report_incident(db, order_id, "TAMPER.bypass", "wire behind the board", who="ada")
    assert state_of(db, order_id) == "started"
    assert all_of(db, Incident) == []
    assert all_of(db, JournalEvent) == []


def test_a_photo_that_cannot_be_read_leaves_the_order_as_it_is(db, tmp_path):
    order_id = add(db)
    wrong = tmp_path / "photo.jpg"
    wrong.write_bytes(b"no picture")
    with pytest.raises(BadInput):
        report_incident(db, order_id, "TAMPER.bypass", "", photos=[wrong])
    assert state_of(db, order_id) == "started"


def test_an_order_that_is_done_takes_no_incident(db):
    order_id = add(db, OrderState.DONE)
    with pytest.raises(NotPermitted):
        report_incident(db, order_id, "ADMIN.weather", "")
    assert all_of(db, Incident) == []


def test_an_unknown_order_is_not_found(db):
    with pytest.raises(NotFound):
        report_incident(db, "nowhere", "ADMIN.weather", "")


def test_a_reason_stands_in_for_the_photo_and_goes_to_the_centre(db):
    report_incident(db, add(db), "SITE.pit_flooded", "", no_photo_reason="too dark")
    body = json.loads(all_of(db, JournalEvent)[0].body)
    assert body["no_photo_reason"] == "too dark"


def test_a_photo_given_with_the_report_is_kept_with_the_order(db, tmp_path):
    order_id = add(db)
    report_incident(db, order_id, "bypass", "", photos=[picture(tmp_path / "p.png")])
    (kept,) = all_of(db, Attachment)
    assert (db.folder / kept.path).is_file()
    kinds = [event.kind for event in all_of(db, JournalEvent)]
    assert kinds == ["attachment.added", "incident.reported", "order.state"]


def test_a_photo_kept_before_is_enough(db):
    order_id = add(db)
    with db.write() as session:
        session.add(
            Attachment(order_id=order_id, kind="photo", sha256="a", size=1, mime="x", path="p")
        )
    report_incident(db, order_id, "TAMPER.bypass", "")
    assert state_of(db, order_id) == "cannot_complete"


def test_an_incident_closes_the_visit_and_says_at_which_step(db):
    order_id = add(db)
    incident_id = report_incident(db, order_id, "METER.wrong_meter", " label says 7 ", who="ada")
    (incident,) = all_of(db, Incident)
    assert (incident.incident_id, incident.step, incident.note) == (
        incident_id,
        "identify",
        "label says 7",
    )
    body = json.loads(all_of(db, JournalEvent)[0].body)
    assert (body["code"], body["who"], body["next_action"]) == (
        "METER.wrong_meter",
        "ada",
        "meter_data",
    )


def test_a_visit_may_fail_before_the_order_was_accepted(db):
    order_id = add(db, OrderState.DOWNLOADED)
    report_incident(db, order_id, "ADMIN.weather", "storm")
    assert state_of(db, order_id) == "cannot_complete"


def test_the_catalogue_has_every_code_once():
    wanted = [
        f"{group}.{name}"
        for group, *names in (line.split() for line in NAMES.strip().splitlines())
        for name in names
    ]
    assert [code.code for code in incident_codes()] == wanted
    assert incident_code("no_access") == incident_code("ACCESS.no_access")


def test_emergencies_have_a_text_and_ask_for_no_photo():
    urgent = {code.code: code for code in incident_codes() if code.emergency}
    assert set(urgent) == {"SAFETY.gas_smell", "SAFETY.live_parts"}
    assert not any(code.needs_photo for code in urgent.values())
