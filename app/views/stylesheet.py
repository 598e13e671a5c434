"""Turns the tokens into one Qt style sheet, one function a family of widgets.

Widgets name their part with a dynamic property (``kind``, ``part``), never with a colour. What
style sheets cannot draw (verdict marks, stepper, banners, phasors) is painted by ``paint.py`` and
the widgets around it, from the same tokens.
"""

from app.views.theme import Look


def style_sheet(look: Look) -> str:
    """The whole style sheet for this look."""
    families = (_base, _bars, _buttons, _fields, _tables, _cards, _tabs, _scroll_bars, _dock)
    return "\n".join(family(look) for family in families)


def _base(look: Look) -> str:
    c = look.colours
    return f"""
    * {{ outline: none; }}
    QMainWindow, QWidget[part="page"] {{ background: {c.canvas}; color: {c.text}; }}
    QWidget[part="plain"] {{ background: {c.surface}; }}
    QLabel {{ color: {c.text}; background: transparent; }}
    QLabel[part="muted"] {{ color: {c.muted}; }}
    QLabel[part="problem"] {{ color: {c.failed.on_soft}; }}
    QDialog {{ background: {c.canvas}; color: {c.text}; }}
    QToolTip {{ background: {c.text}; color: {c.surface}; border: 0; padding: 6px 8px; }}
    QMainWindow::separator {{ background: {c.border}; height: 1px; width: 1px; }}
    """


def _bars(look: Look) -> str:
    c, r, line = look.colours, look.theme.radii, look.theme.targets.line
    return f"""
    QFrame[part="connection"] {{
        background: {c.surface}; border-bottom: {line}px solid {c.border};
    }}
    QFrame[part="actions"] {{ background: {c.surface}; border-top: {line}px solid {c.border}; }}
    QFrame[part="rail"] {{ background: {c.sunken}; border-right: {line}px solid {c.border}; }}
    QFrame[part="rule"] {{ background: {c.border}; border: 0; }}
    QToolButton[part="rail"] {{
        background: transparent; color: {c.muted}; border: 0; border-radius: {r.control}px;
        padding: 6px 2px 4px 2px;
    }}
    QToolButton[part="rail"]:hover {{ color: {c.text}; background: {c.border}; }}
    QToolButton[part="rail"]:checked {{
        color: {c.accent.on_soft}; background: {c.accent.soft}; font-weight: 600;
    }}
    """


def _buttons(look: Look) -> str:
    c, r, line = look.colours, look.theme.radii, look.theme.targets.line
    fail = c.failed
    return f"""
    QPushButton {{
        border: {line}px solid {c.edge}; border-radius: {r.control}px; padding: 0 {look.space.m}px;
        background: {c.surface}; color: {c.text};
    }}
    QPushButton:hover {{ background: {c.sunken}; }}
    QPushButton:pressed {{ background: {c.border}; }}
    QPushButton[kind="primary"] {{
        background: {c.accent.solid}; color: {c.accent.on_solid}; border-color: {c.accent.solid};
        font-weight: 600;
    }}
    QPushButton[kind="primary"]:hover {{ background: {c.accent_hover}; }}
    QPushButton[kind="primary"]:pressed {{ background: {c.accent_press}; }}
    QPushButton[kind="danger"] {{
        background: {c.surface}; color: {fail.on_soft}; border-color: {fail.solid};
        font-weight: 600;
    }}
    QPushButton[kind="danger"]:hover {{ background: {fail.soft}; }}
    QPushButton[kind="ghost"] {{ background: transparent; border-color: transparent; }}
    QPushButton[kind="ghost"]:hover {{ background: {c.sunken}; }}
    QPushButton[kind="ghost"]:checked {{
        background: {c.accent.soft}; border-color: {c.accent.solid};
    }}
    QPushButton:disabled {{
        background: {c.sunken}; color: {c.disabled}; border: {line}px dashed {c.border};
    }}
    """


def _fields(look: Look) -> str:
    c, r, line = look.colours, look.theme.radii, look.theme.targets.line
    inner = look.control - 2 * line
    return f"""
    QLineEdit, QComboBox {{
        background: {c.surface}; color: {c.text}; border: {line}px solid {c.edge};
        border-radius: {r.control}px; padding: 0 {look.space.s}px; min-height: {inner}px;
        max-height: {inner}px; selection-background-color: {c.accent.solid};
        selection-color: {c.accent.on_solid}; placeholder-text-color: {c.muted};
    }}
    QLineEdit:read-only {{ background: {c.sunken}; }}
    QLineEdit:disabled, QComboBox:disabled {{
        background: {c.sunken}; color: {c.disabled}; border: {line}px dashed {c.border};
    }}
    QTextEdit, QPlainTextEdit {{
        background: {c.surface}; color: {c.text}; border: {line}px solid {c.edge};
        border-radius: {r.control}px; padding: {look.space.xs}px {look.space.s}px;
        selection-background-color: {c.accent.solid}; selection-color: {c.accent.on_solid};
    }}
    QCheckBox, QRadioButton {{
        color: {c.text}; min-height: {inner}px; spacing: {look.space.s}px; background: transparent;
    }}
    QComboBox::drop-down {{ border: 0; width: {look.icon + look.space.s}px; }}
    QComboBox::down-arrow {{ image: none; }}
    QComboBox QAbstractItemView {{
        background: {c.surface}; border: {line}px solid {c.edge}; padding: 4px;
        selection-background-color: {c.accent.soft}; selection-color: {c.accent.on_soft};
    }}
    """


def _tables(look: Look) -> str:
    c, line = look.colours, look.theme.targets.line
    return f"""
    QTableView {{
        background: {c.surface}; color: {c.text}; border: 0; gridline-color: transparent;
        selection-background-color: {c.accent.soft}; selection-color: {c.text};
    }}
    QTreeView {{ background: {c.surface}; color: {c.text}; border: 0; }}
    QSplitter::handle {{ background: transparent; }}
    QHeaderView {{ background: {c.surface}; border: 0; }}
    QHeaderView::section {{
        background: {c.surface}; color: {c.muted}; border: 0;
        border-bottom: {line}px solid {c.border}; padding: 0 {look.space.s}px;
        font-size: {look.px(look.theme.type.caption)}px; font-weight: 400;
    }}
    QHeaderView::section:first, QHeaderView::section:only-one {{ padding-left: {look.space.l}px; }}
    QTableCornerButton::section {{ background: {c.surface}; border: 0; }}
    """


def _cards(look: Look) -> str:
    c, r, line = look.colours, look.theme.radii, look.theme.targets.line
    return f"""
    QFrame[part="card"] {{
        background: {c.surface}; border: {line}px solid {c.border}; border-radius: {r.card}px;
    }}
    QFrame[part="toast"] {{ background: {c.text}; border: 0; border-radius: {r.card}px; }}
    QFrame[part="toast"] QLabel {{ color: {c.surface}; }}
    QGraphicsView {{ border: 0; background: {c.surface}; }}
    """


def _tabs(look: Look) -> str:
    c, r, line = look.colours, look.theme.radii, look.theme.targets.line
    return f"""
    QFrame[part="segments"] {{
        background: {c.sunken}; border: {line}px solid {c.border}; border-radius: {r.control}px;
    }}
    QPushButton[part="segment"] {{
        background: transparent; border: 0; border-radius: {r.small}px; color: {c.muted};
        padding: 0 {look.space.m}px;
    }}
    QPushButton[part="segment"]:hover {{ color: {c.text}; }}
    QPushButton[part="segment"]:checked {{
        background: {c.surface}; color: {c.accent.on_soft}; font-weight: 600;
        border: {line}px solid {c.accent.solid};
    }}
    """


def _scroll_bars(look: Look) -> str:
    c = look.colours
    broad = 20 if look.theme.targets.control_mm > 10 else 10  # noqa: PLR2004 (gloves)
    return f"""
    QScrollArea {{ border: 0; background: transparent; }}
    QScrollBar:vertical {{ background: {c.surface}; width: {broad}px; margin: 0; }}
    QScrollBar:horizontal {{ background: {c.surface}; height: {broad}px; margin: 0; }}
    QScrollBar::handle {{
        background: {c.edge}; border-radius: {broad // 2 - 2}px; margin: 2px;
    }}
    QScrollBar::handle:vertical {{ min-height: {max(28, look.control)}px; }}
    QScrollBar::handle:horizontal {{ min-width: {max(28, look.control)}px; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    """


def _dock(look: Look) -> str:
    c, line = look.colours, look.theme.targets.line
    return f"""
    QDockWidget {{ color: {c.text}; border: 0; }}
    QFrame[part="dock-title"] {{
        background: {c.sunken}; border-top: {line}px solid {c.border};
        border-bottom: {line}px solid {c.border};
    }}
    """
