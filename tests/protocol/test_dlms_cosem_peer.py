"""A client of other people (dlms-cosem 21.3.2) reads our virtual meter over the TCP wrapper.

It stands in a folder of its own, `.venv/peers`, which ``python3 dev.py test`` fills; nothing but
this test sees it.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.parser import HeaderParser
from pathlib import Path

import pytest

from drivers.simulator import hexcell
from drivers.simulator.dlms import axdr
from drivers.simulator.serve import serve

PEERS = Path(sys.prefix) / "peers"


@contextmanager
def on_the_path(folder: Path) -> Iterator[None]:
    """Let imports look into ``folder``, after everything else."""
    sys.path.append(str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


if not PEERS.is_dir():
    pytest.skip("run python3 dev.py test, which fills .venv/peers", allow_module_level=True)
with on_the_path(PEERS):
    client_of = importlib.import_module("dlms_cosem.clients.dlms_client")
    cosem = importlib.import_module("dlms_cosem.cosem")
    enumerations = importlib.import_module("dlms_cosem.enumerations")

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
SERIAL = "46000755036"


def attribute(class_id: int, code: str, number: int = 2):
    groups = [int(part) for part in code.replace("-", ".").replace(":", ".").split(".")]
    interface = enumerations.CosemInterface(class_id)
    return cosem.CosemAttribute(interface, cosem.Obis(*groups), number)


@pytest.fixture
def meter():
    device = hexcell.build(serial=SERIAL, rows=200, start=START)
    with serve([device], "tcp:0") as server:
        yield device, int(server.link.rpartition(":")[2])


@pytest.mark.parametrize("secure", [False, True], ids=["password", "keys"])
def test_it_reads_registers_and_a_profile_in_blocks(meter, secure) -> None:
    device, port = meter
    mechanism = enumerations.AuthenticationMechanism
    more = {"authentication_method": mechanism.LLS, "password": hexcell.PASSWORD}
    if secure:
        more = {
            "authentication_method": mechanism.HLS_GMAC,
            "encryption_key": hexcell.ENCRYPTION_KEY,
            "authentication_key": hexcell.AUTHENTICATION_KEY,
            "client_system_title": b"PEER0001",
            "client_initial_invocation_counter": 20_000,
        }
    client = client_of.DlmsClient.with_tcp_transport(
        "127.0.0.1",
        port,
        client_logical_address=hexcell.KEY_CLIENT if secure else hexcell.CLIENT,
        server_logical_address=1,
        max_pdu_size=1024,
        **more,
    )
    wanted = device.expected()
    with client.session() as peer:
        serial = axdr.value_of(bytes(peer.get(attribute(1, "0-0:96.1.0.255")))).octets()
        energy = axdr.value_of(bytes(peer.get(attribute(3, "1-0:1.8.0.255")))).number()
        rows = axdr.value_of(bytes(peer.get(attribute(7, "1-0:99.1.0.255")))).members()
    assert serial.decode() == SERIAL
    register = wanted["registers"][0]
    assert str(energy * 10) in register["value"].replace(".", "") + "0"
    assert len(rows) == len(wanted["profile"]["rows"]) == 200


def test_the_peer_is_the_release_that_is_free_and_brings_nothing_else() -> None:
    told = {}
    for file in PEERS.glob("*.dist-info/METADATA"):
        data = HeaderParser().parsestr(file.read_text(encoding="utf-8"))
        told[data["Name"]] = (data["Version"], data["License-Expression"] or data["License"])
    assert told == {"attrs": ("26.1.0", "MIT"), "dlms-cosem": ("21.3.2", "MIT")}
