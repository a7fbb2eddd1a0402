"""The static picture of the attention explorer."""

import textwrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers.widgets._base import GREY, INK, new_figure
from helpers.widgets._pictures import BLUE, LINE, PALE, PLAIN, TITLE, blank_axes, drawable, wrapped
from helpers.widgets._suggestions import percent

if TYPE_CHECKING:
    from helpers.widgets._explorer_reading import Attention, Reading
    from helpers.widgets._explorer_tokens import TokenReader

SHADES = LinearSegmentedColormap.from_list("lm-weights", ["#ffffff", BLUE, "#00263d"])
NORM = PowerNorm(0.5, 0, 1)  # a weight of 4 % is already a fifth of the way
HIDDEN = {
    "weights": "Where the head looks is hidden: predict first, then run the cell.",
    "next": "What comes next is hidden: predict first, then run the cell.",
}
MOST = 24  # tokens that are shown: more would be too small to read
CUT = 11  # characters of a token
LEFT, RIGHT, SIDE = 0.15, 5.7, 2.0  # inches


def explorer_picture(
    reading: "Reading | None", tokens: "TokenReader", chosen: tuple[int, int, int], view: dict, frame: dict
) -> Figure:
    """One head's weights as a matrix with tokens, all heads in small beside it, the next tokens below these.

    What the view hides is to be predicted first, so the picture does not show it either.
    """
    query, covered = view["query"], "weights" in view["hide"]
    notes = [line for key in ("error", "note") for line in textwrap.wrap(drawable(_said(frame[key], key)), 84)]
    if not reading:
        figure = new_figure(0.8 + LINE * len(notes))
        _lines(blank_axes(figure), 0.32, ["Attention explorer", *notes], bold=True)
        return figure
    kind, (_, layer, head) = reading.kinds[chosen[0]], chosen
    at = len(kind.queries) - 1 if query is None else min(query, len(kind.queries) - 1)
    rows = _shown(kind.queries, tokens, at)
    strongest = None if covered else int(kind.weights[layer, head, at].argmax())
    columns = _shown(kind.keys, tokens, at if kind.causal else strongest)
    notes = ["What if: without its causal mask, which this model never was in training."] * (reading.mask == "off") + notes
    notes += [HIDDEN[part] for part in view["hide"]]
    if off := _off(view["off"], reading):
        notes += textwrap.wrap(f"{off} switched off in the panel “Switch heads off”; shown here is the whole model.", 84)
    said = [] if covered else wrapped(drawable(_sentence(kind, layer, head, at, tokens)), 84, last=3)
    if max(len(kind.queries), len(kind.keys)) > MOST:
        said.append(
            f"Shown are {len(rows)} of {len(kind.queries)} tokens that look, {len(columns)} of {len(kind.keys)} looked at."
        )
    size = min(0.42, 4.1 / max(len(rows), len(columns)))
    side = 0.105 * max(len(f"{text} {i}") for i, text in [*rows, *columns]) + 0.1
    top = TITLE + LINE * (len(said) + len(notes)) + 0.25 + side
    n_bars = 0 if kind.logits is None or "next" in view["hide"] else min(6, len(frame["predictions"][at]["rows"]))
    several = kind.n_layer * kind.n_head > 1 and not covered
    thumbs = min(SIDE / kind.n_head, 3.2 / kind.n_layer) * several  # the size of each
    beside = (kind.n_layer * thumbs + 0.6) * bool(thumbs) + (0.26 * n_bars + 0.2) * bool(n_bars)
    height = max(top + size * len(rows) + 0.4, top - side + beside)
    figure = new_figure(height)
    ax = blank_axes(figure)
    title = f"Layer {layer}, head {head}" + (f": {kind.name}" if len(reading.kinds) > 1 else "")
    _lines(ax, TITLE * 0.75, [title, *said, *notes], bold=True)
    weights = kind.weights[layer, head] * (not covered)
    _matrix(ax, weights, rows, columns, (LEFT + side, top, size), at)
    if covered:
        ax.text(LEFT + side + size * len(columns) / 2, top + size * len(rows) / 2, "?", fontsize=30, ha="center", va="center")
    y = _thumbs(ax, kind, (layer, head), top - side, thumbs) if thumbs else top - side
    if n_bars:
        _bars(ax, y, frame["predictions"][at], rows, at, masked=frame["masked"])
    return figure


def _said(text: str, key: str) -> str:
    return f"The model cannot read this: {text}" if text and key == "error" else text


def _shown(ids: tuple[int, ...], tokens: "TokenReader", at: int | None) -> list[tuple[int, str]]:
    """Position and name of the tokens that have room: the last ones up to the query, or the first ones."""
    end = min(len(ids), MOST if at is None else max(at + 1, MOST))
    names = [(i, drawable(tokens.shown(id_))) for i, id_ in enumerate(ids)][max(0, end - MOST) : end]
    return [(i, _cut(name)) for i, name in names]


def _cut(name: str) -> str:
    return name if len(name) <= CUT else name[: CUT - 1] + "…"


def _off(heads: list, reading: "Reading") -> str:
    """Which heads are switched off, layer by layer; empty where none is."""
    said = []
    for number, kind in enumerate(reading.kinds):
        found = {tuple(place) for n, *place in heads if n == number}
        parts = []
        for layer in range(kind.n_layer):
            of = [head for head in range(kind.n_head) if (layer, head) in found]
            name = "all heads" if len(of) == kind.n_head else f"head{'s' * (len(of) > 1)} {', '.join(map(str, of))}"
            parts += [f"{name} of layer {layer}"] * bool(of)
        if len(parts) == kind.n_layer and all(part.startswith("all") for part in parts):
            parts = ["all heads"]
        said += [f"{' and '.join(parts)}{f' ({kind.name})' if len(reading.kinds) > 1 else ''}"] * bool(parts)
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]} {'is' if len(heads) == 1 else 'are'}" if text else ""


def _sentence(kind: "Attention", layer: int, head: int, at: int, tokens: "TokenReader") -> str:
    """Where the query looks, in words."""
    row = kind.weights[layer, head, at]
    best = np.argsort(-row, kind="stable")[:3]
    places = ", ".join(f"“{tokens.shown(kind.keys[i])}” ({i}) {percent(row[i])}" for i in best)
    return f"“{tokens.shown(kind.queries[at])}” ({at}) looks most at {places}."


def _lines(ax: Axes, y: float, lines: list[str], bold: bool) -> None:
    for number, line in enumerate(lines):
        style = {"fontsize": 14, "fontweight": "bold"} if bold and not number else {"fontsize": 12}
        ax.text(LEFT, y + LINE * number, line, **style, **PLAIN)


def _matrix(ax: Axes, weights: np.ndarray, rows: list, columns: list, place: tuple[float, float, float], at: int) -> None:
    """Rows look, columns are looked at; the query's row is framed."""
    x, y, size = place
    cells = weights[np.ix_([i for i, _ in rows], [i for i, _ in columns])]
    width, height = size * len(columns), size * len(rows)
    ax.imshow(cells, cmap=SHADES, norm=NORM, extent=(x, x + width, y + height, y), aspect="auto", interpolation="nearest")
    ax.set(xlim=(0, 8), ylim=(ax.figure.get_size_inches()[1], 0), aspect="auto")
    ax.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=GREY))
    key = "rows look (query), columns are looked at (key); darker: more weight"
    ax.text(LEFT, y + height + 0.24, key, fontsize=11, parse_math=False, color=GREY)
    font = min(12, max(7, size * 62))
    for n, (i, name) in enumerate(rows):
        bold = {"fontweight": "bold"} if i == at else {}
        ax.text(x - 0.07, y + size * (n + 0.5), f"{name} {i}", fontsize=font, ha="right", va="center", **bold, **PLAIN)
        if i == at:
            ax.add_patch(Rectangle((x, y + size * n), width, size, fill=False, edgecolor=INK, linewidth=2))
    for n, (i, name) in enumerate(columns):
        ax.text(x + size * (n + 0.5), y - 0.07, f"{i} {name}", fontsize=font, rotation=90, ha="center", va="bottom", **PLAIN)


def _thumbs(ax: Axes, kind: "Attention", chosen: tuple[int, int], y: float, size: float) -> float:
    """All heads in small, the chosen one framed; returns where the next may begin."""
    ax.text(RIGHT, y + 0.02, "all heads (rows: layers)", fontsize=11, **PLAIN)
    for i in range(kind.n_layer):
        for j in range(kind.n_head):
            x0, y0 = RIGHT + size * j, y + 0.12 + size * i
            place = (x0 + 0.03, x0 + size - 0.03, y0 + size - 0.03, y0 + 0.03)
            ax.imshow(kind.weights[i, j], cmap=SHADES, norm=NORM, extent=place, aspect="auto", interpolation="nearest")
            mine = (i, j) == chosen
            style = {"edgecolor": INK, "linewidth": 2.5} if mine else {"edgecolor": GREY, "linewidth": 0.6}
            ax.add_patch(Rectangle((x0 + 0.02, y0 + 0.02), size - 0.04, size - 0.04, fill=False, **style))
    ax.set(xlim=(0, 8), ylim=(ax.figure.get_size_inches()[1], 0), aspect="auto")
    return y + size * kind.n_layer + 0.6


def _bars(ax: Axes, y: float, prediction: dict, rows: list, at: int, masked: bool) -> None:
    name = dict(rows).get(at, "")
    title = f"what belongs at {at}" if masked else f"after “{name}” ({at})"
    ax.text(RIGHT, y, title, fontsize=11, fontweight="bold", **PLAIN)
    longest = max(row[2] for row in prediction["rows"][:6])
    for token, said, p, _ in prediction["rows"][:6]:
        y += 0.26
        token = drawable(token)
        ax.text(RIGHT, y, _cut(token), fontsize=11, family="monospace", **PLAIN)
        ax.barh(y - 0.05, 0.43, left=RIGHT + 1.05, height=0.17, color=PALE)
        ax.barh(y - 0.05, 0.43 * p / longest, left=RIGHT + 1.05, height=0.17, color=BLUE)
        ax.text(7.88, y, said, fontsize=10.5, ha="right", **PLAIN)
