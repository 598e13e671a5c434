"""Files of other systems, read by a mapping that was saved for them."""

import pytest

from app.errors import BadInput
from app.workorders.exchange.import_orders import import_orders
from app.workorders.exchange.mapping import (
    MappingProfile,
    find_mapping,
    mapping_names,
    save_mapping,
)
from tests.unit.order_files import HEAD, counts, db, one, written

__all__ = ["db", "written"]


def test_a_saved_mapping_reads_the_file_of_another_system(db, written):
    save_mapping(
        db.folder,
        MappingProfile(
            name="northfield",
            source="Northfield",
            columns={"external_ref": "Order No.", "kind": "Work", "street": "Where"},
            values={"kind": {"Meter swap": "exchange"}},
            defaults={"queue": "North"},
        ),
    )
    path = written(["Order No.;Work;Where;type", "7;meter SWAP;Oak 1;whatever"])
    result = import_orders(db, path, mapping="northfield")
    assert counts(result) == (1, 0, 0, 0)
    detail = one(db, "7")
    assert (detail.row.kind, detail.source, detail.row.queue) == ("exchange", "Northfield", "North")
    assert mapping_names(db.folder) == ["northfield"]


@pytest.mark.parametrize("name", ["", "../up", "a/b", "a b", ".hidden"])
def test_a_mapping_cannot_be_named_like_a_path(db, name):
    with pytest.raises(BadInput):
        save_mapping(db.folder, MappingProfile(name=name))


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        "[columns]\nno_such_field = 'x'",
        "columns = 3",
        "[columns]\nkind = 3",
        "strange = 'x'",
        "[values]\nkind = 'x'",
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(db, tmp_path, text):
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput):
        find_mapping(db.folder, path)


def test_a_mapping_that_is_not_there_names_those_that_are(db):
    save_mapping(db.folder, MappingProfile(name="one"))
    with pytest.raises(BadInput, match="saved are: one"):
        find_mapping(db.folder, "two")


def test_a_mapping_with_an_unknown_time_zone_is_refused(db, written):
    with pytest.raises(BadInput, match="time zone"):
        import_orders(
            db, written([HEAD, "1,install,a"]), mapping=MappingProfile(zone="Mars/Olympus")
        )
