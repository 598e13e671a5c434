"""A world of laptops around a centre, once in one SQLite file and once on a PostgreSQL server."""

import pytest

from tests.protocol.sync_world import World, postgres_world


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def world(tmp_path, request):
    made = World(tmp_path) if request.param == "sqlite" else postgres_world(tmp_path)
    yield made
    made.close()
