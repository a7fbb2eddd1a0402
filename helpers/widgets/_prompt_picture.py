"""The prompt lab's static picture: the prompt, a column of bars for each model, and the table."""

import textwrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers.widgets._base import GREY, INK, PALE, new_figure
from helpers.widgets._pictures import BLUE, LINE, PLAIN, blank_axes, drawable, wrapped

LAST = 9  # lines of the prompt
TRUE = "✓ "
LEFT, RIGHT = 0.15, 7.85
ROW = 0.27


def prompt_picture(frame: dict) -> Figure:
    """What a PromptLab shows, as its `frame` says it."""
    prompt = wrapped(drawable(frame["prompt"].replace("↵\n", "\n")), 72, last=LAST) or [""]
    columns = [_column_lines(frame, i) for i in range(len(frame["models"]))]
    pairs = [columns[i : i + 2] for i in range(0, len(columns), 2)]
    heights = [0.4 + ROW * max(len(notes) + len(bars) for _, notes, bars in pair) for pair in pairs]
    table = frame["table"]
    several = len(frame["models"]) > 1
    n_rows = sum(len(row["parts"]) + several for row in table["rows"])
    figure = new_figure(1.15 + LINE * len(prompt) + sum(heights) + 0.75 + ROW * n_rows)
    ax = blank_axes(figure)
    ax.text(LEFT, 0.32, "How likely is the true answer after this prompt?", fontsize=14, fontweight="bold", **PLAIN)
    ax.add_patch(Rectangle((LEFT, 0.45), RIGHT - LEFT, 0.13 + LINE * len(prompt), fill=False, edgecolor=GREY))
    y = 0.45
    for line in prompt:
        y += LINE
        ax.text(LEFT + 0.1, y - 0.03, line, fontsize=12, family="monospace", **PLAIN)
    size = f"{frame['size']}; the true answer (✓): {drawable(frame['truth'])}" + ("; " if frame["unknown"] else "")
    y += 0.38
    ax.text(LEFT, y, size + frame["unknown"], fontsize=11.5, **PLAIN)
    y += 0.32
    for pair, height in zip(pairs, heights, strict=True):
        for x, column in zip((LEFT, 4.1), pair, strict=False):
            _column(ax, x, y, 3.75 if several else RIGHT - LEFT, *column)
        y += height
    _table(ax, y + 0.1, table, frame["choice"]["n_shots"], several)
    return figure


def cut(text: str, longest: int) -> str:
    """The beginning of a text that is too long, and a sign that it goes on."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _column_lines(frame: dict, i: int) -> tuple[str, list[str], list[tuple[str, float, str, float | None]]]:
    """A model's name, its notes in lines, and its bars: (label, probability, printed, probability before calibration)."""
    model, width = frame["models"][i], 46 if len(frame["models"]) > 1 else 96
    bars = [(TRUE * bar["true"] + bar["label"], bar["p"], bar["said"], bar.get("before")) for bar in model["bars"]]
    said = [*model["notes"], model["error"]]
    if frame["answers"]:
        answer = frame["answers"][i]
        written = textwrap.shorten(answer["text"].replace("↵\n", "↵ "), 60, placeholder=" …")
        said.append(f"wrote, with {answer['said']}: {written} ({answer['note']})")
    whole = [drawable(text).replace(" %", "\u00a0%") for text in said]  # a number and its unit stay together
    return model["name"], [line for text in whole for line in textwrap.wrap(text, width)], bars


def _column(ax: Axes, x: float, y: float, width: float, name: str, notes: list[str], bars: list[tuple]) -> None:
    ax.text(x, y, cut(drawable(name), int(width * 8)), fontsize=13, fontweight="bold", **PLAIN)
    y += 0.02
    calibrated = any(before is not None for *_, before in bars)
    begin, end = x + 1.45, x + width - (1.62 if calibrated else 0.75)
    for label, p, said, before in bars:
        y += ROW
        ax.text(begin - 0.1, y, cut(drawable(label), 13), fontsize=12, family="monospace", ha="right", **PLAIN)
        ax.barh(y - 0.05, end - begin, left=begin, height=0.17, color=PALE)
        ax.barh(y - 0.05, (end - begin) * p, left=begin, height=0.17, color=BLUE)
        if before is not None:
            ax.plot([begin + (end - begin) * before] * 2, [y - 0.15, y + 0.05], color=INK, linewidth=2)
        ax.text(x + width, y, said, fontsize=11.5, ha="right", **PLAIN)
    for note in notes:
        y += ROW * 0.9
        ax.text(x, y, note, fontsize=11, **PLAIN)


def _table(ax: Axes, y: float, table: dict, n_shots: int, several: bool) -> None:
    ax.text(LEFT, y, table["title"], fontsize=12.5, fontweight="bold", **PLAIN)
    columns = table["columns"]
    step = min(0.78, (RIGHT - 2.75) / len(columns))
    places = [RIGHT - step * (len(columns) - 1 - i) for i in range(len(columns))]
    y += ROW
    ax.text(LEFT, y, "shots", fontsize=11, **PLAIN)
    for x, n in zip(places, columns, strict=True):
        ax.text(x, y, str(n), fontsize=11, ha="right", fontweight="bold" if n == n_shots else "normal", **PLAIN)
    ax.plot([LEFT, RIGHT], [y + 0.08] * 2, color=GREY, linewidth=0.8)
    for row in table["rows"]:
        weight = "bold" if row["current"] else "normal"
        name = cut(drawable(row["name"]), 80 if several else 27)
        if several:
            y += ROW
        ax.text(LEFT, y + ROW * (not several), name, fontsize=10.5, family="monospace", fontweight=weight, **PLAIN)
        for part in row["parts"]:
            y += ROW
            if several:
                ax.text(LEFT + 0.2, y, cut(drawable(part["name"]), 28), fontsize=11, **PLAIN)
            for x, n, cell in zip(places, columns, part["cells"], strict=True):
                current = row["current"] and n == n_shots
                if current:
                    box = Rectangle((x - step + 0.1, y - 0.2), step - 0.05, ROW, fill=False, edgecolor=INK, linewidth=1.8)
                    ax.add_patch(box)
                bold = "bold" if current else "normal"
                ax.text(x, y, cell["said"], fontsize=11, ha="right", fontweight=bold, **PLAIN)
