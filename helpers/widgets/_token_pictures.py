"""The static picture of the token view."""

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers.widgets._base import GREY, INK, new_figure
from helpers.widgets._pictures import LINE, PLAIN, drawable

TINTS = ("#cfe3f1", "#fbe0c4", "#cdeadf", "#f3ddea")  # pale blue, orange, green and pink
SIZE = 13  # points
CHARACTER = 0.61 * SIZE / 72  # inches; every character of DejaVu Sans Mono is 0.602 em wide, and rounding adds to it
ROW, LEFT, RIGHT = 0.33, 0.2, 7.85  # inches
ROWS = 5  # of tokens a panel


def _rows(kinds: Sequence[dict], pieces: Sequence[int]) -> tuple[list[list[tuple[float, str, dict, int]]], int]:
    """Pieces in rows: (left edge, text, kind, number among the tokens); and how many pieces had no room."""
    rows, x, n_tokens = [[]], LEFT, 0
    for position, number in enumerate(pieces):
        kind = kinds[number]
        text = drawable(kind["shown"])
        width = len(text) * CHARACTER + 0.12
        if (rows[-1] and x + width > RIGHT) or (position and kinds[pieces[position - 1]]["breaks"]):
            if len(rows) == ROWS:
                return rows, len(pieces) - position
            rows, x = [*rows, []], LEFT
        rows[-1].append((x, text[: int((RIGHT - LEFT) / CHARACTER) - 2], kind, n_tokens))
        x += width + 0.05
        n_tokens += kind["kind"] != "none"
    return rows, 0


def _draw_piece(ax: Axes, x: float, y: float, text: str, kind: dict, number: int) -> None:
    """A token in a box: solid, dashed where it is unknown, dotted where it is a part of a character; grey without one."""
    if kind["kind"] == "none":
        ax.text(x + 0.06, y, text, fontsize=SIZE, family="monospace", parse_math=False, color=GREY)
        return
    line = {"unknown": (1.8, (0, (3, 1.5))), "part": (1.3, (0, (1, 1.2)))}.get(kind["kind"], (0.8, "-"))
    face = "white" if kind["kind"] == "unknown" else TINTS[number % len(TINTS)]
    box = Rectangle(
        (x, y - 0.2), len(text) * CHARACTER + 0.12, 0.27, facecolor=face, edgecolor=INK, linewidth=line[0], linestyle=line[1]
    )
    ax.add_patch(box)
    ax.text(x + 0.06, y, text, fontsize=SIZE, family="monospace", **PLAIN)


def _draw_panel(ax: Axes, y: float, panel: dict, rows: Sequence[list], n_left: int) -> float:
    """One tokenizer's name, counts and tokens, from y downwards; returns where the next may begin."""
    ax.text(0.15, y, drawable(panel["name"]), fontsize=13, fontweight="bold", **PLAIN)
    ax.text(RIGHT, y, panel["said"], fontsize=11.5, ha="right", **PLAIN)
    y += 0.06
    for line in textwrap.wrap(drawable(panel["error"]), 88):
        y += LINE
        ax.text(LEFT, y, line, fontsize=12, **PLAIN)
    for row in rows:
        y += ROW
        for x, text, kind, number in row:
            _draw_piece(ax, x, y, text, kind, number)
    if n_left:
        y += LINE
        ax.text(RIGHT, y, f"… and {n_left:,} more", fontsize=12, ha="right", parse_math=False, color=GREY)
    return y + 0.42


def _notes(panels: Sequence[dict]) -> list[str]:
    """What the marks mean, of those that occur."""
    kinds = [kind for panel in panels for kind in panel["kinds"]]
    has = {kind["kind"] for kind in kinds}
    notes = {
        "␣ space, ↵ new line": any({"␣", "↵"} & set(kind["shown"]) for kind in kinds),
        "dashed: not in the vocabulary (<unk>)": "unknown" in has,
        "dotted: bytes of a part of a character": "part" in has,
        "U+…: not in this picture's font": any(drawable(kind["shown"]) != kind["shown"] for kind in kinds),
    }
    return [note for note, needed in notes.items() if needed]


def token_panels(panels: Sequence[dict]) -> Figure:
    """The panels of a TokenView, one below the other."""
    laid = [_rows(panel["kinds"], panel["pieces"]) if panel["pieces"] else ([], 0) for panel in panels]
    notes = textwrap.wrap(" · ".join(_notes(panels)), 96)
    figure = new_figure(20)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.axis("off")
    y = 0.32
    for panel, (rows, n_left) in zip(panels, laid, strict=True):
        y = _draw_panel(ax, y, panel, rows, n_left)
    for note in notes:
        ax.text(0.15, y, note, fontsize=11, parse_math=False, color=GREY)
        y += LINE
    height = y - 0.1
    figure.set_size_inches(8, height)
    ax.set(xlim=(0, 8), ylim=(height, 0))
    return figure
