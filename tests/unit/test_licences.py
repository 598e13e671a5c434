"""The licence gate: everything that is shipped must fit beside a GPL-2.0-only library."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]

FITS = {
    "MIT", "MIT-0", "MIT-CMU", "BSD-2-Clause", "BSD-3-Clause", "BSD", "ISC", "PSF-2.0", "0BSD",
    "MPL-2.0", "LGPL-2.1-or-later", "LGPL-2.1-only", "GPL-2.0-only", "GPL-2.0-or-later", "HPND",
    "Zlib", "Unlicense", "CC0-1.0",
}  # fmt: skip

# Metadata that says it in other words than an SPDX name; read by hand in each package.
SAID_OTHERWISE = {
    "gurux-dlms": "GPL-2.0-only",
    "pyside6-essentials": "GPL-2.0-only",  # one of its three options
    "shiboken6": "GPL-2.0-only",
    "cryptography": "BSD-3-Clause",  # "Apache-2.0 OR BSD-3-Clause"
    "packaging": "BSD-2-Clause",  # the same choice
    "numpy": "BSD-3-Clause",  # with parts under BSD-like licences and GCC's run-time exception
}

EXCEPTIONS = {
    "importlib-metadata": "Apache-2.0; keyring needs it below Python 3.12; bundles use 3.12",
    "lazy-importer": "Apache-2.0; importlib-metadata needs it; not in bundles either",
    "tzdata": "Apache-2.0 package around public-domain data; no code is linked",
}

NEVER = {
    "psycopg", "psycopg2", "psycopg2-binary", "asyncpg", "python-bidi", "fpdf2", "borb",
    "pymupdf", "pyhanko", "uharfbuzz", "pyside6", "pyside6-addons", "smllib",
}  # fmt: skip

FROM_CLASSIFIER = {
    "MIT License": "MIT",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "Apache Software License": "Apache-2.0",
}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def closure() -> dict[str, metadata.Distribution]:
    """Everything that an installation without the test tools brings along on this machine."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    todo = [Requirement(line) for line in project["dependencies"]]
    found: dict[str, metadata.Distribution] = {}
    while todo:
        wanted = todo.pop()
        name = canonical(wanted.name)
        if name in found or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        found[name] = metadata.distribution(wanted.name)
        todo += [Requirement(line) for line in found[name].requires or ()]
    return found


def licences(name: str, package: metadata.Distribution) -> set[str]:
    """The alternatives under which ``package`` may be used."""
    if name in SAID_OTHERWISE:
        return {SAID_OTHERWISE[name]}
    expression = package.metadata.get("License-Expression") or ""
    if expression and " AND " not in expression:
        return set(re.split(r"\s+OR\s+", expression.strip("()")))
    classifiers = [
        line.rsplit(" :: ", 1)[1]
        for line in package.metadata.get_all("Classifier") or ()
        if line.startswith("License :: OSI Approved :: ")
    ]
    if classifiers:
        return {FROM_CLASSIFIER.get(line, line) for line in classifiers}
    return {expression or (package.metadata.get("License") or "nothing said").splitlines()[0]}


@pytest.mark.parametrize("name", sorted(closure()))
def test_the_licence_of_every_shipped_package_fits(name: str):
    said = licences(name, closure()[name])
    assert said & FITS or name in EXCEPTIONS, f"{name} is under {said}"


def test_no_package_that_was_ruled_out_is_shipped():
    assert not NEVER & set(closure())


def test_every_exception_and_reading_by_hand_is_still_needed():
    shipped = set(closure())
    assert set(SAID_OTHERWISE) - {"packaging"} <= shipped
    assert {"tzdata"} <= shipped


def test_every_dependency_has_a_line_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8").lower()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    names = [Requirement(line).name for line in wanted]
    missing = [name for name in names if name.lower() not in readme]
    assert not missing


def test_what_only_a_test_may_use_is_neither_shipped_nor_in_the_other_locks():
    peers = (ROOT / "requirements-peer.txt").read_text(encoding="utf-8")
    names = {canonical(name) for name in re.findall(r"^([\w.-]+)==", peers, re.MULTILINE)}
    assert "dlms-cosem" in names
    assert not names & set(closure())
    for lock in ("requirements.txt", "requirements-test.txt"):
        listed = re.findall(r"^([\w.-]+)==", (ROOT / lock).read_text("utf-8"), re.MULTILINE)
        assert not names & {canonical(name) for name in listed}
