"""Photos: metadata stays behind, damaged files and other files are refused."""

import io
import struct
import zlib

import pytest
from PIL import Image, ImageChops

from app.errors import BadInput
from app.workorders.photos import clean_picture, load_picture
from tests.visit_setup import camera_photo


def jpeg(**options: object) -> bytes:
    made = io.BytesIO()
    picture = Image.effect_noise((64, 48), 80).convert("RGB")
    picture.save(made, "JPEG", **options)
    return made.getvalue()


def test_no_metadata_of_the_camera_is_left_but_the_time(tmp_path):
    data = camera_photo(tmp_path).read_bytes()
    assert b"secret" in data
    picture = load_picture(tmp_path / "photo.jpg")
    assert b"secret" not in picture.data
    assert b"Exif" not in picture.data
    assert (picture.mime, picture.suffix) == ("image/jpeg", ".jpg")
    assert f"{picture.taken:%Y-%m-%d %H:%M:%S}" == "2026-11-20 10:05:09"


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 100}])
def test_the_picture_itself_does_not_change(options):
    data = jpeg(comment=b"secret", **options)
    before, after = (
        Image.open(io.BytesIO(item)).convert("RGB") for item in (data, clean_picture(data).data)
    )
    assert ImageChops.difference(before, after).getbbox() is None


def test_a_picture_without_metadata_stays_as_it_is():
    once = clean_picture(jpeg()).data
    assert clean_picture(once).data == once
    assert clean_picture(once).taken is None


def test_a_png_loses_its_texts():
    made = io.BytesIO()
    Image.new("RGB", (8, 8), (1, 2, 3)).save(made, "PNG")
    text = b"tEXtComment\x00secret"
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    data = made.getvalue()
    data = data[:33] + chunk + data[33:]
    picture = clean_picture(data)
    assert b"secret" not in picture.data
    assert Image.open(io.BytesIO(picture.data)).size == (8, 8)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"%PDF-1.4", b"\xff\xd8\xff\xd9", b"MZ" * 40])
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(BadInput):
        clean_picture(data)


def test_a_cut_off_picture_is_refused_wherever_it_is_cut():
    data = jpeg(comment=b"x" * 40)
    for end in range(3, len(data) - 1, 17):
        with pytest.raises(BadInput):
            clean_picture(data[:end])


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(BadInput, match=r"nothing\.jpg"):
        load_picture(tmp_path / "nothing.jpg")
