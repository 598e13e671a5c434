"""An optical port tells the DISC of a link from flags inside ciphered frames."""

import pytest

from drivers.simulator.linkwatch import LinkWatch

SNRM = bytes.fromhex("7EA00703 21 93 0F01 7E".replace(" ", ""))
DISC = bytes.fromhex("7EA00703 21 53 0301 7E".replace(" ", ""))


def information(inner: bytes) -> bytes:
    body = bytes.fromhex("0321 10 AAAA".replace(" ", "")) + inner + b"\xbb\xbb"
    return b"\x7e" + bytes((0xA0, len(body) + 2)) + body + b"\x7e"


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_a_disc_ends_a_link_however_its_octets_arrive(step) -> None:
    watch = LinkWatch()
    data = SNRM + DISC
    for at in range(0, len(data), step):
        watch.hear(data[at : at + step])
    assert watch.leaving


def test_a_disc_before_any_link_ends_nothing() -> None:
    watch = LinkWatch()
    watch.hear(DISC)
    assert not watch.leaving


def test_octets_that_look_like_a_disc_inside_a_frame_are_none() -> None:
    watch = LinkWatch()
    watch.hear(SNRM + information(DISC) + information(b"\x7e\x7e" + DISC[1:-1]))
    assert not watch.leaving
    watch.hear(DISC)
    assert watch.leaving


def test_noise_between_frames_hides_no_disc() -> None:
    watch = LinkWatch()
    watch.hear(b"\x00\x13\x7e" + SNRM + b"\x55\x01" + DISC)
    assert watch.leaving
