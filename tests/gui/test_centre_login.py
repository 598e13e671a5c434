"""The centre's page of a supervisor on a PostgreSQL server that asks for the password."""

import pytest

from app.centre.wire import Wire
from app.errors import CentreRefused, VaultLocked
from app.services.centre_login import VAULT_ENTRY
from app.services.vault import Vault
from app.views.centre_page import CentrePage
from tests.gui.patience import PATIENCE
from tests.instruments.postgres_server import binaries, postgres
from tests.protocol.sync_world import PostgresWorld

CENTRE = 3

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed"),
]


@pytest.fixture
def supervisor(tmp_path):
    """Give a world with three orders of a laptop, and a supervisor's login with its password."""
    (tmp_path / "centre").mkdir()
    with postgres() as url:
        world = PostgresWorld(tmp_path / "centre", url)
        field = world.laptop("crew north")
        field.take_orders(3)
        world.sync(field)
        login = world.centre.employ("sue", "supervisor")
        only_owner_is_trusted(world.reader)
        yield login
        world.close()


def only_owner_is_trusted(wire: Wire) -> None:
    """Let the server ask everybody but the test for a password from now on."""
    place = wire.call("show hba_file")
    wire.script(
        "create temporary table hba (place int, line text);"
        "insert into hba values (1, 'local all owner trust'), (2, 'local all all scram-sha-256')"
    )
    wire.script(f"copy (select line from hba order by place) to '{place}'")
    wire.query("select pg_reload_conf()")


@pytest.fixture
def vault(empty_desk):
    made = Vault(empty_desk.db.folder)
    try:
        made.set(VAULT_ENTRY, "wrong")
    except VaultLocked as locked:
        pytest.skip(f"no password store here: {locked}")
    yield made
    made.delete(VAULT_ENTRY)


def test_a_supervisor_sees_the_centre_with_the_password_from_the_vault(
    supervisor, empty_desk, vault, opened, qtbot
):
    empty_desk.settings.set("centre.url", supervisor.url)
    window = opened(empty_desk)
    window.open_place(CENTRE)
    session, page = window.pages.centre, window.stack.currentWidget()
    assert isinstance(page, CentrePage)
    qtbot.waitUntil(lambda: session.error is not None, timeout=PATIENCE)
    assert isinstance(session.error, CentreRefused)
    assert session.standing is None

    vault.set(VAULT_ENTRY, f"PASSWORD={supervisor.password}")
    page.refresh.click()
    qtbot.waitUntil(lambda: session.standing is not None, timeout=PATIENCE)
    assert [row[0] for row in page.laptops.texts()[1]] == ["crew north"]
    assert session.standing.events == 3
    assert supervisor.password not in session.standing.url
