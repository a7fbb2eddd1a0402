"""The static pictures of the widgets: what a saved notebook shows in their place."""

import textwrap
from collections.abc import Sequence
from functools import cache
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from helpers.plots import OKABE_ITO
from helpers.widgets._base import GREY, INK, PALE, new_figure, visible

BLUE, VERMILION = OKABE_ITO[:2]
COLUMNS = 32  # characters in a row of the strip: few enough to read at half size
ROW, TITLE, LINE = 0.62, 0.42, 0.27  # inches
PLAIN = {"parse_math": False, "color": INK}  # text from outside may hold a "$"


def strip_height(n: int) -> float:
    """Height in inches of a strip of n characters."""
    return ROW * max(1, -(-n // COLUMNS)) + TITLE


def rank_strip(
    figure: Figure, text: str, ranks: Sequence[int], title: str, above: Sequence[str] = (), below: Sequence[str] = ()
) -> None:
    """Shannon's picture: each character with the number of guesses it took beneath; characters without a rank are hidden.

    `above` and `below` are lines of text around the strip.
    """
    ax = blank_axes(figure)
    y = TITLE * 0.75
    ax.text(0.15, y, title, fontsize=13, fontweight="bold", **PLAIN)
    for line in above:
        y += LINE
        ax.text(0.15, y, line, fontsize=13, family="monospace", parse_math=False, color=GREY)
    y += 0.4
    for i, character in enumerate(text):
        row, column = divmod(i, COLUMNS)
        _cell(ax, 0.28 + column * 0.24, y + row * ROW, character, ranks[i] if i < len(ranks) else None, i == len(ranks))
    y += ROW * max(1, -(-len(text) // COLUMNS)) - 0.3
    for line in below:
        y += LINE
        ax.text(0.15, y, line, fontsize=13, **PLAIN)


def _cell(ax: object, x: float, y: float, character: str, rank: int | None, current: bool) -> None:
    """One character: revealed with its rank (later guesses bold), hidden, or the one to guess now."""
    if rank is None:
        box = {"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": INK} if current else None
        ax.text(x, y, "?" if current else "·", fontsize=16, family="monospace", ha="center", bbox=box, **PLAIN)
        return
    ax.text(x, y, visible(character), fontsize=16, family="monospace", ha="center", **PLAIN)
    late = rank > 1
    ax.text(
        x,
        y + 0.24,
        str(rank),
        fontsize=9.5,
        ha="center",
        fontweight="bold" if late else "normal",
        color="#a34700" if late else GREY,
    )


def wrapped(text: str, width: int, last: int) -> list[str]:
    """The last few lines of a text, each at most `width` characters, newlines shown as ↵."""
    lines = []
    for line in text.splitlines(keepends=True):
        ends = "↵" if line.endswith("\n") else ""
        lines += textwrap.wrap(line.rstrip("\n") + ends, width, drop_whitespace=False) or [ends]
    return ["… " + lines[-last], *lines[-last + 1 :]] if len(lines) > last else lines


def suggestion_bars(
    figure: Figure, title: str, lines: Sequence[str], rows: Sequence[tuple[str, float, str]], rest: str
) -> None:
    """Next tokens as bars: rows of (token, probability, printed percentage), best on top; `lines` say what was read."""
    ax = blank_axes(figure)
    y = TITLE * 0.75
    ax.text(0.15, y, title, fontsize=14, fontweight="bold", **PLAIN)
    for line in lines:
        y += LINE
        ax.text(0.15, y, line, fontsize=13, **PLAIN)
    y += 0.16
    longest = max((probability for _, probability, _ in rows), default=1) or 1
    for token, probability, percent in rows:
        y += 0.3
        ax.text(
            1.95,
            y,
            textwrap.shorten(token, 18, placeholder="…") if " " in token else token[:18],
            fontsize=14,
            family="monospace",
            ha="right",
            **PLAIN,
        )
        ax.barh(y - 0.06, 4.6, left=2.1, height=0.2, color=PALE)
        ax.barh(y - 0.06, 4.6 * probability / longest, left=2.1, height=0.2, color=BLUE)
        ax.text(7.75, y, percent, fontsize=14, ha="right", **PLAIN)
    ax.text(7.75, y + 0.32, rest, fontsize=12, ha="right", parse_math=False, color=GREY)


def suggestion_columns(text: str, columns: Sequence[dict]) -> Figure:
    """Next tokens of several models as bars on one scale, two columns a row; `columns` as NextTokens makes them."""
    lines = wrapped(drawable(text), 74, last=2) or ["(the beginning)"]
    rows = [columns[i : i + 2] for i in range(0, len(columns), 2)]
    heights = [1.05 + 0.27 * max(len(column["suggestions"]) or 2 for column in row) for row in rows]
    figure = new_figure(0.45 + LINE * len(lines) + sum(heights))
    ax = blank_axes(figure)
    ax.text(0.15, TITLE * 0.75, "What comes next?", fontsize=14, fontweight="bold", **PLAIN)
    for number, line in enumerate(lines, start=1):
        ax.text(0.15, TITLE * 0.75 + LINE * number, line, fontsize=13, family="monospace", **PLAIN)
    longest = max((row["probability"] for column in columns for row in column["suggestions"]), default=1)
    y = 0.8 + LINE * len(lines)
    for row, height in zip(rows, heights, strict=True):
        for x, column in zip((0.15, 4.15), row, strict=False):
            _suggestion_column(ax, x, y, column, longest)
        y += height
    return figure


def _suggestion_column(ax: Axes, x: float, y: float, column: dict, longest: float) -> None:
    ax.text(x, y, drawable(column["name"]), fontsize=13, fontweight="bold", **PLAIN)
    notes = textwrap.wrap(drawable(column["error"]), 44)[:3] or [" · ".join(column["notes"])]
    for note in notes:
        y += 0.23
        ax.text(x, y, note, fontsize=11, **PLAIN)
    for row in column["suggestions"]:
        y += 0.27
        shown = drawable(row["shown"])
        ax.text(
            x + 1.3, y, shown if len(shown) <= 12 else shown[:11] + "…", fontsize=12, family="monospace", ha="right", **PLAIN
        )
        ax.barh(y - 0.05, 1.55, left=x + 1.4, height=0.18, color=PALE)
        ax.barh(y - 0.05, 1.55 * row["probability"] / longest, left=x + 1.4, height=0.18, color=BLUE)
        ax.text(x + 3.65, y, row["percent"], fontsize=12, ha="right", **PLAIN)
    ax.text(x + 3.65, y + 0.25, column["rest"], fontsize=11, ha="right", parse_math=False, color=GREY)


def blank_axes(figure: Figure) -> Axes:
    """Axes over the whole figure, in inches from its upper left corner."""
    width, height = figure.get_size_inches()
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(height, 0))
    ax.axis("off")
    return ax


@cache
def _has_glyph(character: str) -> bool:
    return character.isspace() or get_font(findfont("monospace")).get_char_index(ord(character)) != 0


def drawable(text: str) -> str:
    """The text with code points in place of the characters that the pictures' font lacks: "词元" → "‹U+8BCD U+5143›"."""
    if text.isascii():
        return text
    runs = ((known, "".join(run)) for known, run in groupby(text, _has_glyph))
    return "".join(run if known else f"‹{' '.join(f'U+{ord(each):04X}' for each in run)}›" for known, run in runs)
