"""The static pictures of the widgets: what a saved notebook shows in their place."""

import textwrap
from collections.abc import Sequence

from matplotlib.figure import Figure

from helpers.plots import OKABE_ITO
from helpers.widgets._base import GREY, INK, PALE, visible

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
    width, height = figure.get_size_inches()
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(height, 0))
    ax.axis("off")
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
    width, height = figure.get_size_inches()
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(height, 0))
    ax.axis("off")
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
