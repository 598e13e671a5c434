"""Settings: defaults, checks, a file that others may have written, full disks."""

from decimal import Decimal

import pytest

from app.errors import BadInput
from app.settings import DECLARATIONS, SECTIONS, Settings, checked


def test_every_declaration_is_complete_and_its_default_passes_its_own_check():
    for setting in DECLARATIONS:
        assert setting.title
        assert setting.help.endswith(".")
        assert setting.section in SECTIONS
        assert checked(setting, setting.default) == setting.default
    assert len({setting.key for setting in DECLARATIONS}) == len(DECLARATIONS)


def test_without_a_file_all_defaults_stand(tmp_path):
    settings = Settings(tmp_path / "settings.toml")
    assert settings.text("look.theme") == "light"
    assert settings.number("look.size") == 1
    assert settings.problems == []
    assert not settings.path.exists()


def test_values_come_back_after_a_restart(tmp_path):
    path = tmp_path / "new" / "settings.toml"
    Settings(path).update(
        {"installer.name": "Ana Ruiz", "look.size": "1,25", "look.theme": "field"}
    )
    settings = Settings(path)
    assert settings.text("installer.name") == "Ana Ruiz"
    assert settings.number("look.size") == Decimal("1.25")
    assert settings.text("look.theme") == "field"
    settings.reset("look.theme")
    assert Settings(path).text("look.theme") == "light"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("look.theme", "purple"),
        ("look.size", "9"),
        ("look.size", "NaN"),
        ("look.size", "big"),
        ("look.size", True),
        ("centre.every_minutes", "1.5"),
        ("centre.every_minutes", -1),
        ("look.timezone", "Mars/Olympus"),
        ("look.timezone", "../etc/passwd"),
        ("installer.name", 7),
        ("no.such", "x"),
    ],
)
def test_what_a_setting_cannot_hold_is_refused_and_not_written(tmp_path, key, value):
    settings = Settings(tmp_path / "settings.toml")
    with pytest.raises(BadInput):
        settings.set(key, value)
    assert not settings.path.exists()


def test_several_values_are_saved_all_or_none(tmp_path):
    settings = Settings(tmp_path / "settings.toml")
    with pytest.raises(BadInput):
        settings.update({"installer.name": "Ana", "look.theme": "purple"})
    assert settings.text("installer.name") == ""


def test_keys_and_comments_of_another_version_are_kept(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('# mine\n[look]\ntheme = "dark"\nglow = 3\n[future]\nx = [1, 2]\n')
    Settings(path).set("installer.name", "Ana")
    text = path.read_text()
    assert "# mine" in text
    assert "glow = 3" in text
    assert "[future]" in text
    assert 'theme = "dark"' in text


def test_a_bad_value_in_the_file_gives_the_default_and_says_so(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('[look]\ntheme = "purple"\nsize = 2\n')
    settings = Settings(path)
    assert settings.text("look.theme") == "light"
    assert settings.number("look.size") == 2
    assert len(settings.problems) == 1
    settings.set("installer.name", "Ana")
    assert "purple" in path.read_text()


@pytest.mark.parametrize("content", [b"[look\n", b"\xff\xfe\x00"])
def test_a_damaged_file_is_kept_aside_and_said(tmp_path, content):
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    settings = Settings(path)
    assert "cannot be read" in settings.problems[0]
    settings.set("look.theme", "dark")
    assert Settings(path).text("look.theme") == "dark"
    assert (tmp_path / "settings.damaged.toml").read_bytes() == content


def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "settings.toml"
    settings = Settings(path)
    settings.set("look.theme", "dark")
    before = path.read_bytes()

    class Unwritable(str):
        __slots__ = ()

        def strip(self, *_):
            return "broken \ud800 surrogate"

    with pytest.raises(UnicodeEncodeError):
        settings.set("installer.name", Unwritable("x"))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["settings.toml"]
