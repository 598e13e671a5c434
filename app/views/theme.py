"""Design tokens of the three themes, and the one function that applies them to an application.

A token names a role ("text on a failed verdict"), never a colour. Widgets ask a ``Look`` for
colours, sizes and fonts; none of them holds a colour or a type size of its own.
"""

from dataclasses import dataclass, field, replace

from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QPalette
from PySide6.QtWidgets import QApplication

from resources import resource

FONTS = (
    "NotoSans-Regular.ttf",
    "NotoSans-SemiBold.ttf",
    "NotoSansMono-Regular.ttf",
    "NotoSansMono-SemiBold.ttf",
)
MM_PER_INCH = 25.4
PX_PER_POINT = 96 / 72


@dataclass(frozen=True)
class Tone:
    """One meaning in two strengths: ``solid`` shouts, ``soft`` speaks."""

    solid: str
    on_solid: str
    soft: str
    on_soft: str


@dataclass(frozen=True)
class Colours:
    """Colours by role."""

    canvas: str  # behind everything
    surface: str  # cards, tables, bars
    sunken: str  # table headers, tracks, the rail
    border: str  # quiet lines between things
    edge: str  # the outline of anything that can be operated, 3:1 on surface
    text: str
    muted: str
    accent: Tone  # the one thing to do next, and what is selected
    accent_hover: str
    accent_press: str
    passed: Tone
    warned: Tone
    failed: Tone
    idle: Tone  # not run, not applicable
    focus: str
    disabled: str  # text of what cannot be operated now
    phases: tuple[str, str, str]  # L1, L2, L3
    hatch: str  # a gap in the data
    plot_line: str
    plot_fill: str


@dataclass(frozen=True)
class TypeScale:
    """Sizes in points; two weights (400, 600); digits are always of equal width."""

    caption: float = 9
    body: float = 10
    strong: float = 11
    title: float = 13
    heading: float = 16
    value: float = 20
    family: str = "Noto Sans"
    mono: str = "Noto Sans Mono"


@dataclass(frozen=True)
class Space:
    """The four-pixel grid."""

    xs: int = 4
    s: int = 8
    m: int = 12
    l: int = 16  # noqa: E741 (xs, s, m, l, xl is the scale everybody knows)
    xl: int = 24


@dataclass(frozen=True)
class Radii:
    """Corner radii in pixels."""

    small: int = 4
    control: int = 6
    card: int = 8


@dataclass(frozen=True)
class Targets:
    """What a finger needs, in millimetres on the glass; lines in pixels."""

    control_mm: float = 7.5
    primary_mm: float = 9
    row_mm: float = 7
    gap_mm: float = 2
    line: int = 1
    focus_ring: int = 3


@dataclass(frozen=True)
class Theme:
    """One complete set of tokens and the contrast it promises."""

    name: str
    title: str
    text_contrast: float
    shape_contrast: float
    colours: Colours
    type: TypeScale = field(default_factory=TypeScale)
    space: Space = field(default_factory=Space)
    radii: Radii = field(default_factory=Radii)
    targets: Targets = field(default_factory=Targets)


LIGHT = Theme(
    "light",
    "Office",
    4.5,
    3.0,
    Colours(
        canvas="#F3F5F8",
        surface="#FFFFFF",
        sunken="#EBEEF2",
        border="#D8DEE6",
        edge="#818D9C",
        text="#121A26",
        muted="#4A5768",
        accent=Tone("#1B55CC", "#FFFFFF", "#E4ECFC", "#153F99"),
        accent_hover="#1749B0",
        accent_press="#123B90",
        passed=Tone("#0B6E3F", "#FFFFFF", "#E0F3E8", "#0A5531"),
        warned=Tone("#8F5200", "#FFFFFF", "#FFF0D1", "#6E3F00"),
        failed=Tone("#BC1A20", "#FFFFFF", "#FDEAE9", "#97141A"),
        idle=Tone("#566375", "#FFFFFF", "#E8ECF1", "#3B4757"),
        focus="#0B2A6B",
        disabled="#586576",
        phases=("#B45400", "#1C2430", "#007C9E"),
        hatch="#7C8899",
        plot_line="#1B55CC",
        plot_fill="#C9DAF9",
    ),
)

FIELD = Theme(
    "field",
    "Field",
    7.0,
    4.5,
    Colours(
        canvas="#FFFFFF",
        surface="#FFFFFF",
        sunken="#E9EDF1",
        border="#8B96A3",
        edge="#3C4754",
        text="#000000",
        muted="#27313D",
        accent=Tone("#00358F", "#FFFFFF", "#DCE8FF", "#002766"),
        accent_hover="#002C78",
        accent_press="#001F57",
        passed=Tone("#004D28", "#FFFFFF", "#D2F2DF", "#003A1E"),
        warned=Tone("#633500", "#FFFFFF", "#FFE7B5", "#4A2800"),
        failed=Tone("#930008", "#FFFFFF", "#FFE2E0", "#780006"),
        idle=Tone("#39434F", "#FFFFFF", "#E1E6EB", "#222B35"),
        focus="#000000",
        disabled="#444F5B",
        phases=("#8C3D00", "#000000", "#005A76"),
        hatch="#4B5663",
        plot_line="#00358F",
        plot_fill="#BFD3FA",
    ),
    TypeScale(caption=12, body=14, strong=15, title=17, heading=20, value=26),
    targets=Targets(control_mm=14, primary_mm=20, row_mm=14, line=2, focus_ring=4),
)

DARK = Theme(
    "dark",
    "Night",
    4.5,
    3.0,
    replace(
        LIGHT.colours,
        canvas="#0E1217",
        surface="#161B22",
        sunken="#1E252E",
        border="#2B3440",
        edge="#6C7A8B",
        text="#E6EBF1",
        muted="#A7B3C1",
        accent=Tone("#3D70DE", "#FFFFFF", "#192743", "#A9C6FF"),
        accent_hover="#3263CB",
        accent_press="#2957B8",
        passed=Tone("#52C68A", "#05170D", "#12301F", "#8CE0B3"),
        warned=Tone("#F0B04A", "#1D1200", "#372707", "#F6CB85"),
        failed=Tone("#FF7B75", "#220302", "#431817", "#FFB4AF"),
        idle=Tone("#97A4B4", "#0D1218", "#262E39", "#C3CDD8"),
        focus="#BBD2FF",
        disabled="#8592A2",
        phases=("#FF9D4D", "#E6EBF1", "#35B5DB"),
        hatch="#7A889A",
        plot_line="#7FAAFF",
        plot_fill="#223A66",
    ),
    targets=Targets(control_mm=7.5, primary_mm=8.5, row_mm=6.5),
)

THEMES = {theme.name: theme for theme in (LIGHT, FIELD, DARK)}


@dataclass(frozen=True)
class Look:
    """A theme on one screen: millimetres have become pixels, roles have become fonts.

    ``px_per_mm`` comes from the screen's physical resolution and the user's factor ``size``, which
    scales the type as well.  ``compact`` says that the window is small, so that extras give way.
    """

    theme: Theme
    px_per_mm: float
    compact: bool = False
    size: float = 1.0

    @property
    def colours(self) -> Colours:
        """The theme's colours."""
        return self.theme.colours

    @property
    def space(self) -> Space:
        """The theme's spacing."""
        return self.theme.space

    @property
    def control(self) -> int:
        """Height of a button, a field or a segment."""
        return self._at_least(self.theme.targets.control_mm, self.theme.type.body, 12)

    @property
    def primary(self) -> int:
        """Height of the one primary button."""
        return self._at_least(self.theme.targets.primary_mm, self.theme.type.strong, 14)

    @property
    def row(self) -> int:
        """Height of a table row with one line."""
        return self._at_least(self.theme.targets.row_mm, self.theme.type.body, 8)

    @property
    def tall_row(self) -> int:
        """Height of a table row with a second, smaller line."""
        lines = (self.theme.type.body + self.theme.type.caption) * self.px_per_point * 1.36
        return max(self.row, round(lines + 2 * self.theme.space.s))

    @property
    def gap(self) -> int:
        """Distance between two targets."""
        return round(self.theme.targets.gap_mm * self.px_per_mm)

    @property
    def icon(self) -> int:
        """Edge of an icon beside body text."""
        return round(self.theme.type.body * self.px_per_point * 1.3)

    @property
    def page_margin(self) -> int:
        """Distance between the page's content and its edges."""
        return self.space.m if self.compact else self.space.l

    @property
    def px_per_point(self) -> float:
        """Pixels of one point of type."""
        return PX_PER_POINT * self.size

    @property
    def gloves(self) -> bool:
        """Whether the theme is made for gloves and sun."""
        return self.theme.name == "field"

    def px(self, points: float) -> int:
        """Convert a type size to pixels."""
        return round(points * self.px_per_point)

    def font(self, role: str = "body", *, strong: bool = False, mono: bool = False) -> QFont:
        """Give the font of a role of the type scale."""
        scale = self.theme.type
        font = QFont(scale.mono if mono else scale.family)
        font.setPixelSize(self.px(getattr(scale, role)))
        font.setWeight(QFont.Weight.DemiBold if strong else QFont.Weight.Normal)
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
        return font

    def width_of(self, text: str, role: str = "body", *, strong: bool = False) -> int:
        """Measure a text, so that widths follow the type and never a guess in pixels."""
        return round(QFontMetricsF(self.font(role, strong=strong)).horizontalAdvance(text) + 0.5)

    def _at_least(self, millimetres: float, points: float, padding: int) -> int:
        text = points * self.px_per_point * 1.36 + padding
        return max(round(millimetres * self.px_per_mm), round(text))


def look_for(
    theme: Theme, width: int, height: int, dots_per_inch: float, size: float = 1.0
) -> Look:
    """Choose the look for a window of this size (device-independent pixels)."""
    compact = width < COMPACT_WIDTH * size or height < COMPACT_HEIGHT * size
    return Look(theme, dots_per_inch / MM_PER_INCH * size, compact, size)


COMPACT_WIDTH = 1100
COMPACT_HEIGHT = 640


def load_fonts() -> None:
    """Register the shipped fonts, so that every machine measures text alike."""
    for name in FONTS:
        QFontDatabase.addApplicationFontFromData(resource("fonts", name).read_bytes())


def palette(theme: Theme) -> QPalette:
    """Give Qt's own palette, for whatever a style sheet does not reach."""
    colours, roles = theme.colours, QPalette.ColorRole
    pairs = {
        roles.Window: colours.canvas,
        roles.WindowText: colours.text,
        roles.Base: colours.surface,
        roles.AlternateBase: colours.sunken,
        roles.Text: colours.text,
        roles.Button: colours.surface,
        roles.ButtonText: colours.text,
        roles.BrightText: colours.failed.solid,
        roles.Highlight: colours.accent.soft,
        roles.HighlightedText: colours.accent.on_soft,
        roles.PlaceholderText: colours.muted,
        roles.ToolTipBase: colours.text,
        roles.ToolTipText: colours.surface,
        roles.Link: colours.accent.solid,
        roles.Mid: colours.border,
        roles.Accent: colours.accent.solid,
    }
    result = QPalette()
    for role, colour in pairs.items():
        result.setColor(role, QColor(colour))
    for role in (roles.Text, roles.ButtonText, roles.WindowText):
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(colours.disabled))
    return result


def apply_theme(app: QApplication, look: Look, sheet: str) -> None:
    """Give the whole application this look: style, palette, font and style ``sheet``."""
    app.setStyle("Fusion")
    app.setPalette(palette(look.theme))
    app.setFont(look.font())
    app.setStyleSheet(sheet)
