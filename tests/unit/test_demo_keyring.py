"""The demo's own password store: the user's is left alone, and what is typed in is not written."""

from app.demo_prepayment import demo_vault
from app.services.token_box import KEY_NAME, TokenBox


def test_the_key_of_the_lists_lasts_and_what_is_typed_in_ends_with_the_demo(tmp_path):
    vault = demo_vault(tmp_path)
    sealed = TokenBox(vault).seal("1" * 20)
    vault.set("meter 50284117", "PASSWORD=typed-in-the-demo")
    assert vault.get("meter 50284117") == "PASSWORD=typed-in-the-demo"
    for path in tmp_path.rglob("*"):
        assert b"typed-in-the-demo" not in path.read_bytes()
    again = demo_vault(tmp_path)
    assert again.list() == [KEY_NAME]
    assert TokenBox(again).open(sealed).reveal() == b"1" * 20
