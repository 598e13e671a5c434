"""Nothing a laptop writes holds the digits of a token or a decoder key.

Database, log, trace, report and exports of a whole key-change order are searched, for the digits
as they are, in groups, as packed octets, and for the keys in hexadecimal and as octets.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from app.errors import BadInput
from app.logs import start_logging, stop_logging
from app.paths import log_file
from app.reports.commissioning_pdf import render
from app.services.keypad import grouped
from app.services.token import plain_digits
from app.workorders.exchange.export_orders import export_orders
from app.workorders.exchange.import_orders import import_orders
from app.workorders.record import build_record
from drivers.simulator.tokenoffice import FIRST_KEY, virtual_key
from drivers.trace_link import Trace, TraceLink
from tests.prepayment_setup import DRN, SECOND_KEY, Place


def forms(token: str) -> list[bytes]:
    """Every form in which somebody could read a token."""
    halves = [token[:10], token[10:], token[4:16]]
    texts = [token, grouped(token), grouped(token).replace(" ", "-"), *halves]
    hexes = [part.encode().hex() for part in (token, *halves)]
    hexes += [" ".join(f"{byte:02x}" for byte in token.encode())]
    return [text.encode() for text in [*texts, *hexes]] + [bytes.fromhex(token)]


def secret_forms(place: Place, tokens: list[str]) -> list[bytes]:
    keys = [virtual_key(DRN, name).value for name in (FIRST_KEY, SECOND_KEY)]
    known = [form for token in tokens for form in forms(token)]
    return known + [form for key in keys for form in (key, key.hex().encode())]


def unpacked(path: Path) -> bytes:
    """Everything in a file: what a workbook or a PDF holds compressed as well."""
    data = path.read_bytes()
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            return data + b"".join(parts.read(name) for name in parts.namelist())
    if data.startswith(b"%PDF"):
        return data + pdf_content(path)
    return data


def pdf_content(path: Path) -> bytes:
    with pypdfium2.PdfDocument(path) as document:
        text = "\n".join(page.get_textpage().get_text_range() for page in document)
    with pikepdf.open(path) as document:
        files = b"".join(item.get_file().read_bytes() for item in document.attachments.values())
    assert "key" in text.lower()
    return text.encode() + files


@pytest.fixture
def place(tmp_path) -> Iterator[Place]:
    made = Place(tmp_path / "data")
    made.trace = Trace(tmp_path / "data" / "trace.jsonl")
    made.link = TraceLink(made.link._inner, made.trace)
    yield made
    made.trace.close()
    made.close()


def assert_clean(folder: Path, secrets: list[bytes]) -> int:
    searched = 0
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        content = unpacked(path)
        searched += 1
        for secret in secrets:
            assert secret not in content, f"{path.name} holds {secret!r}"
    return searched


def test_a_whole_order_leaves_no_token_and_no_key_in_anything_it_writes(place):
    handler = start_logging(log_file(place.db.folder))
    listed = place.standard_set()
    secrets = secret_forms(place, list(listed.values()))
    source = place.tokens(**listed)
    check = place.box.keep_decoder_key(DRN, virtual_key(DRN, FIRST_KEY))
    assert len(check) == 6
    assert assert_clean(place.db.folder, secrets) > 0, "imported, nothing entered yet"
    source.unlink()
    outcome = place.work({"evidence.photo": ""})
    assert outcome.state == "done"
    context = replace(place.context(), licence="EL-1")
    record, photos = build_record(place.db, place.order, context)
    (place.folder / "report.pdf").write_bytes(render(record, photos, "A4"))
    for name in ("orders.xlsx", "orders.csv", "journal.jsonl"):
        export_orders(place.db, place.folder / name)
    place.trace.close()
    stop_logging(handler)
    assert assert_clean(place.folder, secrets) >= 6
    assert place.box.decoder_key(DRN) is None, "the key stays when the order is closed"
    remembered = json.dumps(place.box._keyring.list())
    assert DRN not in remembered


def test_the_search_finds_a_token_that_is_there(place):
    token = place.standard_set()["credit"]
    for number, form in enumerate(forms(token)):
        path = place.folder / f"leak-{number}.bin"
        path.write_bytes(b"before " + form + b" after")
        with pytest.raises(AssertionError, match="leak"):
            assert_clean(place.folder, secret_forms(place, [token]))
        path.unlink()


def test_questions_and_answers_never_put_digits_into_the_database(place):
    listed = place.standard_set()
    place.tokens(**listed)
    with pytest.raises(BadInput):
        place.work(wire=False)  # stops at the first question without an answer
    assert_clean(place.folder, secret_forms(place, list(listed.values())))


@pytest.mark.parametrize("text", ["1234", "7378 6976 2948 3820 6464", "1234567890123456789x"])
def test_an_error_about_a_token_does_not_repeat_it(text):
    with pytest.raises(BadInput) as error:
        plain_digits(text)
    assert text.replace(" ", "") not in str(error.value)


def test_an_order_list_with_token_columns_imports_without_keeping_them_as_text(place, tmp_path):
    listed = place.standard_set()
    head = ["reference", "kind", "street", *listed]
    row = ["WO-9", "key_change", "Elm Street 1", *listed.values()]
    path = tmp_path / "orders.csv"
    path.write_text(",".join(head) + "\n" + ",".join(row) + "\n", encoding="utf-8")
    result = import_orders(place.db, path)
    assert result.created == 1
    path.write_text(",".join(head) + "\n" + ",".join(["WO-10", "no such kind", *row[2:]]), "utf-8")
    wrong = place.db.folder / "wrong-rows.csv"
    assert import_orders(place.db, path, error_file=wrong).errors
    assert "••••" in wrong.read_text("utf-8"), "the rows to be mended are there, tokens masked"
    assert_clean(place.folder, secret_forms(place, list(listed.values())))
    remarks = " ".join(result.remarks).encode()
    assert not any(form in remarks for token in listed.values() for form in forms(token))
