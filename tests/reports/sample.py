"""Write the three sample reports as PDF files and their pages as pictures.

    python sample.py [folder]

The pictures need `pdftoppm` (Debian package poppler-utils); without it only the PDFs are written.
"""

from __future__ import annotations

import hashlib
import io
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

from app.reports.commissioning_pdf import render
from app.reports.model import Photo, Record
from tests.reports.sample_others import prepaid, reversed_ct
from tests.reports.sample_records import START, clean

WIDE = 709  # 60 mm at 300 pixels an inch
SAMPLES: dict[str, Callable[[tuple[Photo, ...]], Record]] = {
    "pass": clean,
    "fail": reversed_ct,
    "prepayment": prepaid,
}
CAPTIONS = ("Place before work", "Meter with main seal", "Terminal cover and test block")


def picture(seed: int) -> bytes:
    """An invented photo: a meter in its box, as a JPEG without metadata."""
    rng = random.Random(seed)
    image = Image.new("RGB", (WIDE, 532), (172, 174, 168))
    pen = ImageDraw.Draw(image)
    for row in range(0, 532, 2):
        shade = 150 + row // 12 + rng.randrange(6)
        pen.line([(0, row), (WIDE, row)], fill=(shade, shade, shade - 6), width=2)
    x = 170 + 60 * seed
    pen.rectangle([x - 70, 40, x + 330, 500], fill=(92, 97, 99), outline=(40, 42, 44), width=6)
    pen.rounded_rectangle(
        [x, 80, x + 260, 400], 24, fill=(226, 228, 222), outline=(60, 60, 60), width=4
    )
    pen.rectangle([x + 40, 130, x + 220, 210], fill=(150, 168, 140), outline=(50, 50, 50), width=3)
    for digit in range(6):
        pen.rectangle([x + 52 + digit * 27, 148, x + 70 + digit * 27, 192], fill=(40, 48, 40))
    for wire in range(4):
        pen.rectangle(
            [x + 40 + wire * 52, 400, x + 58 + wire * 52, 500],
            fill=((30, 30, 32), (120, 60, 30), (70, 70, 74), (40, 60, 120))[wire],
        )
    if seed > 1:
        pen.ellipse([x + 232, 372, x + 276, 416], fill=(30, 60, 150), outline=(10, 20, 60), width=3)
    out = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(1.1)).save(out, "JPEG", quality=72, optimize=True)
    return out.getvalue()


def photos() -> tuple[tuple[Photo, ...], dict[str, bytes]]:
    """Three photos for the record, and their bytes by hash."""
    files = [picture(seed) for seed in (1, 2, 3)]
    named = {hashlib.sha256(data).hexdigest(): data for data in files}
    listed = tuple(
        Photo(n, caption, START + timedelta(minutes=12 * n), hashlib.sha256(data).hexdigest())
        for n, (caption, data) in enumerate(zip(CAPTIONS, files, strict=True), 1)
    )
    return listed, named


def main(folder: Path) -> None:
    """Write all samples into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    listed, named = photos()
    for name, build in SAMPLES.items():
        path = folder / f"{name}.pdf"
        path.write_bytes(render(build(listed), named))
        program = shutil.which("pdftoppm")
        if program:
            command = [program, "-r", "96", "-png", str(path), str(folder / name)]
            subprocess.run(command, check=True)
            for page in folder.glob(f"{name}-*.png"):
                Image.open(page).convert("RGB").quantize(96).save(page, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out"))
