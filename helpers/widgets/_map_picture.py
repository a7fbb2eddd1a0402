"""The static picture of the embedding map."""

import textwrap
from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from helpers.plots import MARKERS, OKABE_ITO
from helpers.widgets._base import GREY, INK, new_figure
from helpers.widgets._pictures import LINE, PLAIN, TITLE, blank_axes, drawable

LEFT, TOP, WIDTH, HEIGHT = 0.15, 0.8, 5.2, 5.2  # of the map, in inches
SPAN = 10_600  # the map's coordinates, and a margin
FONT, CHARACTER = 11, 0.098  # points, inches
RIGHT = LEFT + WIDTH + 0.25  # where the legend and the neighbours stand
HALO = [withStroke(linewidth=2.5, foreground="white")]
Box = tuple[float, float, float, float]


def map_picture(data: dict, state: dict) -> Figure:
    """All points, the groups' marks, the word chosen with lines to its neighbours, and the list of these."""
    notes = textwrap.wrap(data["warning"], 92)
    figure = new_figure(TOP + HEIGHT + 0.35 + LINE * len(notes))
    ax = blank_axes(figure)
    ax.text(0.15, TITLE * 0.75, drawable(data["title"]), fontsize=14, fontweight="bold", **PLAIN)
    ax.add_patch(Rectangle((LEFT, TOP - 0.1), WIDTH, HEIGHT, fill=False, edgecolor=GREY))
    if data["axes"]:
        ax.text(LEFT, TOP - 0.17, f"↑ {data['axes'][1]}", fontsize=FONT, parse_math=False, color=GREY)
        ax.text(
            LEFT + WIDTH, TOP + HEIGHT + 0.1, f"{data['axes'][0]} →", fontsize=FONT, ha="right", parse_math=False, color=GREY
        )
    points = [_inches(x, y) for x, y in zip(data["x"], data["y"], strict=True)]
    chosen, near = state["selected"], [row[0] for row in state["rows"]]
    for i in near:
        ax.plot(*zip(points[chosen], points[i], strict=True), color=INK, linewidth=1)
    _points(ax, points, data["groups"])
    marked = near if chosen is None else [chosen, *near]
    if chosen is not None:
        ax.plot(*points[chosen], "o", markersize=17, markerfacecolor="none", markeredgecolor=INK, markeredgewidth=1.5)
    ax.plot(*_columns(points, marked), "o", markersize=11, markerfacecolor="none", markeredgecolor=INK, markeredgewidth=1.5)
    _labels(ax, points, data, chosen, marked)
    y = _legend(ax, data["groups"])
    _neighbours(ax, y, data, state)
    for number, note in enumerate(notes):
        ax.text(0.15, TOP + HEIGHT + 0.42 + LINE * number, note, fontsize=11.5, **PLAIN)
    return figure


def _inches(x: int, y: int) -> tuple[float, float]:
    return LEFT + WIDTH * (1 + x / SPAN) / 2, TOP - 0.1 + HEIGHT * (1 - y / SPAN) / 2


def _columns(points: list, chosen: list[int]) -> tuple[list[float], list[float]]:
    return [points[i][0] for i in chosen], [points[i][1] for i in chosen]


def _style(number: int) -> dict:
    """Colour and shape of a group: five and seven of them, so that each of the first 35 pairs is different."""
    return {"color": OKABE_ITO[number % len(OKABE_ITO)], "marker": MARKERS[number % len(MARKERS)], "linestyle": ""}


def _points(ax: Axes, points: list, groups: list[dict]) -> None:
    """Each word once: in its first group's mark, or as a small grey dot."""
    left = set(range(len(points)))
    for number, group in enumerate(groups):
        members = [i for i in group["members"] if i in left]
        left -= set(members)
        ax.plot(*_columns(points, members), markersize=7, **_style(number))
    ax.plot(*_columns(points, sorted(left)), ".", color="#767676", markersize=4, zorder=1)


def _labels(ax: Axes, points: list, data: dict, chosen: int | None, marked: list[int]) -> None:
    """Names of the marked words, of the groups' members and of a few others, each where no other label stands."""
    longest = max((len(group["members"]) for group in data["groups"]), default=0)
    in_turn = [group["members"][n] for n in range(longest) for group in data["groups"] if n < len(group["members"])]
    others = range(0, len(points), max(1, len(points) // 40)) if not in_turn else ()
    taken: list[Box] = [_around(*points[i]) for i in {*marked, *in_turn}]
    for i in dict.fromkeys([*marked, *in_turn, *others]):
        text = drawable(data["words"][i])
        for x, y, align in _places(*points[i], len(text) * CHARACTER):
            box = (x, y - 0.13, x + len(text) * CHARACTER, y + 0.04)
            inside = box[0] > LEFT and box[2] < LEFT + WIDTH
            if inside and (i == chosen or not any(_overlap(box, other) for other in taken)):
                taken.append(box)
                weight = "bold" if i in marked else "normal"
                at = box[0] if align == "left" else box[2]
                ax.text(at, y, text, fontsize=FONT, ha=align, fontweight=weight, path_effects=HALO, **PLAIN)
                break


def _places(x: float, y: float, width: float) -> Iterator[tuple[float, float, str]]:
    """Where a label may stand: left edge and baseline, to the right of its point, to the left, above, below."""
    yield x + 0.1, y + 0.05, "left"
    yield x - 0.1 - width, y + 0.05, "right"
    yield x + 0.03, y - 0.1, "left"
    yield x + 0.03, y + 0.2, "left"


def _around(x: float, y: float) -> Box:
    return x - 0.06, y - 0.06, x + 0.06, y + 0.06


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _legend(ax: Axes, groups: list[dict]) -> float:
    """Each group's mark and name; returns where the next may begin."""
    y = TOP
    for number, group in enumerate(groups):
        ax.plot([RIGHT + 0.08], [y + LINE * number], markersize=8, **_style(number))
        ax.text(RIGHT + 0.25, y + LINE * number + 0.05, _cut(group["name"], 20), fontsize=12, **PLAIN)
    return y + LINE * len(groups) + 0.2 * bool(groups)


def _neighbours(ax: Axes, y: float, data: dict, state: dict) -> None:
    """The nearest words with their cosines."""
    for line in textwrap.wrap(drawable(state["message"]), 25):
        ax.text(RIGHT, y, line, fontsize=11.5, fontweight="bold", **PLAIN)
        y += LINE
    for i, cosine, _ in state["rows"]:
        ax.text(RIGHT, y, _cut(data["words"][i], 14), fontsize=12, family="monospace", **PLAIN)
        ax.text(7.85, y, cosine, fontsize=12, ha="right", **PLAIN)
        y += LINE


def _cut(text: str, longest: int) -> str:
    text = drawable(text)
    return text if len(text) <= longest else text[: longest - 1] + "…"
