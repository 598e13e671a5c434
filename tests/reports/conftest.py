import hashlib

import pytest

from app.reports.commissioning_pdf import render
from tests.reports.sample import SAMPLES, photos


@pytest.fixture(scope="session")
def pictures():
    return photos()


@pytest.fixture(scope="session")
def records(pictures):
    return {name: build(pictures[0]) for name, build in SAMPLES.items()}


@pytest.fixture(scope="session")
def files(records, pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    for name, record in records.items():
        (folder / f"{name}.pdf").write_bytes(render(record, pictures[1]))
    return folder


@pytest.fixture
def digest():
    return lambda data: hashlib.sha256(data).hexdigest()
