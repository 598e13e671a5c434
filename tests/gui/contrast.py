"""Proof that the themes keep their promises: WCAG contrast, and phase colours for every eye."""

import itertools
import sys
from collections.abc import Iterator

from app.views.theme import THEMES, Theme, Tone

Rgb = tuple[float, float, float]

# Linear RGB as seen without long, middle or short cones (Machado, Oliveira, Fernandes 2009).
BLINDNESS = {
    "protan": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deutan": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritan": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}
NEARLY_BLACK = 0.04045  # below it, sRGB is linear
LAB_LINEAR = 0.008856  # below it, CIE L*a*b* is linear
PHASE_DISTANCE = 25.0  # CIE 1976 units; 2.3 is just visible, 25 is another colour


class TooWeak(Exception):
    """A theme breaks its own promise."""


def linear(colour: str) -> Rgb:
    """Turn ``#RRGGBB`` into linear light."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= NEARLY_BLACK else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return red, green, blue


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(first: str, second: str) -> float:
    """Contrast ratio, 1 to 21."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def text_pairs(theme: Theme) -> Iterator[tuple[str, str, str]]:
    """Every text colour with every background it is set on."""
    colours = theme.colours
    for ground in ("canvas", "surface", "sunken"):
        for ink in ("text", "muted", "disabled"):
            yield f"{ink} on {ground}", getattr(colours, ink), getattr(colours, ground)
    for tone in ("accent", "passed", "warned", "failed", "idle"):
        yield from tone_pairs(tone, getattr(colours, tone))
        yield f"text on soft {tone}", colours.text, getattr(colours, tone).soft
        yield f"muted on soft {tone}", colours.muted, getattr(colours, tone).soft
    for ground in ("accent_hover", "accent_press"):
        yield f"on {ground}", colours.accent.on_solid, getattr(colours, ground)
    for number, phase in enumerate(colours.phases, start=1):
        yield f"label of L{number}", phase, colours.surface
    yield "tool tip", colours.surface, colours.text


def tone_pairs(name: str, tone: Tone) -> Iterator[tuple[str, str, str]]:
    """The text pairs inside one tone."""
    yield f"on solid {name}", tone.on_solid, tone.solid
    yield f"on soft {name}", tone.on_soft, tone.soft


def shape_pairs(theme: Theme) -> Iterator[tuple[str, str, str]]:
    """Outlines, marks and lines with the ground they must stand out from."""
    colours = theme.colours
    for tone in ("accent", "passed", "warned", "failed", "idle"):
        for ground in ("canvas", "surface"):
            yield f"{tone} mark on {ground}", getattr(colours, tone).solid, getattr(colours, ground)
        yield f"{tone} mark on its tint", getattr(colours, tone).solid, getattr(colours, tone).soft
    for ground in ("canvas", "surface", "sunken"):
        yield f"focus ring on {ground}", colours.focus, getattr(colours, ground)
    yield "control edge on surface", colours.edge, colours.surface
    yield "plot line on surface", colours.plot_line, colours.surface
    yield "hatch on surface", colours.hatch, colours.surface


def lab(light: Rgb) -> Rgb:
    """CIE L*a*b* of linear RGB under D65."""
    red, green, blue = (min(max(part, 0.0), 1.0) for part in light)
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    cube = [part ** (1 / 3) if part > LAB_LINEAR else 7.787 * part + 16 / 116 for part in (x, y, z)]
    return 116 * cube[1] - 16, 500 * (cube[0] - cube[1]), 200 * (cube[1] - cube[2])


def phase_distances(theme: Theme) -> Iterator[tuple[str, float]]:
    """How far apart the phase colours are, for the usual eye and for three kinds of blindness."""
    eyes = {"usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)), **BLINDNESS}
    for eye, matrix in eyes.items():
        seen = []
        for phase in theme.colours.phases:
            light = linear(phase)
            seen.append(
                lab(tuple(sum(a * b for a, b in zip(r, light, strict=True)) for r in matrix))
            )
        for (i, one), (j, two) in itertools.combinations(enumerate(seen, start=1), 2):
            apart = sum((a - b) ** 2 for a, b in zip(one, two, strict=True)) ** 0.5
            yield f"L{i} and L{j}, {eye} eye", apart


def weaknesses(theme: Theme) -> list[str]:
    """Name every pair below the theme's bar; an empty list is the proof."""
    found = [
        f"{theme.name}: {name} has {ratio(ink, ground):.2f}, needs {bar}"
        for bar, pairs in (
            (theme.text_contrast, text_pairs(theme)),
            (theme.shape_contrast, shape_pairs(theme)),
        )
        for name, ink, ground in pairs
        if ratio(ink, ground) < bar
    ]
    return found + [
        f"{theme.name}: {name} are {apart:.0f} apart, need {PHASE_DISTANCE:.0f}"
        for name, apart in phase_distances(theme)
        if apart < PHASE_DISTANCE
    ]


def check(theme: Theme) -> None:
    """Raise ``TooWeak`` when the theme misses its own bar anywhere."""
    if found := weaknesses(theme):
        raise TooWeak("\n".join(found))


def summary(theme: Theme) -> str:
    """One line a theme: how many pairs were checked, and the weakest of each kind."""
    texts = [(ratio(ink, ground), name) for name, ink, ground in text_pairs(theme)]
    shapes = [(ratio(ink, ground), name) for name, ink, ground in shape_pairs(theme)]
    (text, text_name), (shape, shape_name) = min(texts), min(shapes)
    apart, phases = min((apart, name) for name, apart in phase_distances(theme))
    return (
        f"{theme.name:6} text: {len(texts)} pairs, weakest {text:.2f} ({text_name}); "
        f"shapes: {len(shapes)}, weakest {shape:.2f} ({shape_name}); "
        f"phases: nearest {apart:.0f} ({phases})"
    )


def main() -> int:
    """Print the summary of every theme and what is too weak."""
    problems = [line for theme in THEMES.values() for line in weaknesses(theme)]
    sys.stdout.writelines(f"{summary(theme)}\n" for theme in THEMES.values())
    sys.stdout.writelines(f"TOO WEAK {line}\n" for line in problems)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
