"""The file of licensed tables: taken only with a check value that holds, and never repeated."""

from pathlib import Path

import pytest

from app.errors import BadInput
from app.services.sta_tables import load_tables
from drivers.sts import sta
from tests.unit.test_sts import UNEVEN

KEY, CLEAR = bytes(range(8)), bytes(range(8, 16))


def written(folder: Path, tables: sta.Tables = UNEVEN, **changes: str) -> Path:
    cipher = sta.encrypt(KEY, CLEAR, tables).hex()
    parts = {
        "s1": f"s1 = {list(tables.s1)}",
        "s2": f"s2 = {list(tables.s2)}",
        "p": f"p = {list(tables.p)}",
        "checks": f'[[checks]]\nkey = "{KEY.hex()}"\nclear = "{CLEAR.hex()}"\ncipher = "{cipher}"',
        **changes,
    }
    path = folder / "tables.toml"
    path.write_text("\n".join(parts.values()), encoding="utf-8")
    return path


def test_tables_with_a_right_check_value_are_taken(tmp_path):
    assert load_tables(written(tmp_path)) == UNEVEN


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"checks": ""}, "at least one check"),
        ({"s1": "s1 = [1, 2]"}, "no permutation"),
        ({"s1": 's1 = "no"'}, "no list"),
        ({"p": "p = " + str([*range(63), 0])}, "no permutation"),
        ({"checks": '[[checks]]\nkey = "00"'}, "needs key, clear and cipher"),
        ({"checks": '[[checks]]\nkey = "00"\nclear = "00"\ncipher = "00"'}, "8 bytes"),
        ({"checks": "vending_key = 1"}, "not known"),
        ({"checks": "= ="}, "no TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_a_reason(tmp_path, changes, problem):
    with pytest.raises(BadInput, match=problem):
        load_tables(written(tmp_path, **changes))


def test_tables_that_do_not_give_their_check_value_are_refused(tmp_path):
    path = written(tmp_path, s1=f"s1 = {list(UNEVEN.s2)}", s2=f"s2 = {list(UNEVEN.s1)}")
    with pytest.raises(BadInput, match="check value") as error:
        load_tables(path)
    assert str(list(UNEVEN.s1)) not in str(error.value)


def test_a_file_in_the_data_folder_is_refused(tmp_path):
    with pytest.raises(BadInput, match="outside"):
        load_tables(written(tmp_path), tmp_path)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        load_tables(tmp_path / "none.toml")
