"""The course's figures: arrays in, Axes out.

One style for all: Okabe and Ito's colours, each with a line style and a marker of its own, so that nothing is told by colour
alone; a title that states the finding; labels required by every signature. The background is opaque, so a figure reads the
same in a light and in a dark theme.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from helpers.ladder import Rung

# Okabe and Ito, Color Universal Design (2008); of their eight, yellow, orange and sky blue have a contrast below 3 : 1 on white
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000")
MARKERS = "osD^vPX"
DASHES = ("-", "--", "-.", ":", (0, (9, 2)), (0, (6, 1.5, 1, 1.5, 1, 1.5)), (0, (1, 4)))
GREY = "#595959"
COUNTING = ("01", "02", "04")  # notebooks whose rungs are counted, not trained
Side = Literal["left", "right"]


def use_style() -> None:
    """Set matplotlib's defaults for the whole course; each notebook calls it once."""
    plt.rcParams.update({
        "figure.figsize": (8, 4.5), "figure.dpi": 100, "figure.facecolor": "white", "figure.constrained_layout.use": True,
        "axes.facecolor": "white", "axes.titlesize": 14, "axes.titleweight": "bold", "axes.titlelocation": "left",
        "axes.labelsize": 12, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
        "axes.prop_cycle": plt.cycler(color=OKABE_ITO), "grid.color": "#DDDDDD", "grid.linewidth": 0.8,
        "xtick.labelsize": 11, "ytick.labelsize": 11, "legend.fontsize": 11, "font.size": 11,
        "lines.linewidth": 2, "lines.markersize": 6,
    })  # fmt: skip


def new_axes(ax: Axes | None, *, title: str, xlabel: str, ylabel: str) -> Axes:
    """The given Axes, or those of a new figure, with title and labels set."""
    ax = ax or plt.subplots()[1]
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    ax.set_axisbelow(True)
    return ax


def add_baselines(ax: Axes, baselines: Mapping[str, float], horizontal: bool = True, labels: Side = "right") -> None:
    """Dotted grey lines with their names written on them: name → value on the measured axis; labels: at which end."""
    x = 0.995 if labels == "right" else 0.005
    for name, value in baselines.items():
        if horizontal:
            ax.axhline(value, color=GREY, linestyle=":", linewidth=1.5, zorder=1)
            ax.annotate(name, (x, value), xycoords=("axes fraction", "data"), xytext=(0, 3), textcoords="offset points",
                        ha=labels, va="bottom", color=GREY)  # fmt: skip
        else:
            ax.axvline(value, color=GREY, linestyle=":", linewidth=1.5, zorder=1)
            ax.annotate(name, (value, 0.99), xycoords=("data", "axes fraction"), xytext=(4, 0), textcoords="offset points",
                        ha="left", va="top", color=GREY)  # fmt: skip


def lines(
    series: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    baselines: Mapping[str, float] | None = None,
    baseline_labels: Side = "right",
    log: str = "",
    markers: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """One line for each name → (x, y), both (N,); several get a legend. log: "x", "y" or "xy" for logarithmic axes."""
    ax = new_axes(ax, title=title, xlabel=xlabel, ylabel=ylabel)
    for i, (name, (x, y)) in enumerate(series.items()):
        color, style = OKABE_ITO[i % len(OKABE_ITO)], i % len(DASHES)
        ax.plot(x, y, color=color, linestyle=DASHES[style], marker=MARKERS[style] if markers else None, label=name)
    if "x" in log:
        ax.set_xscale("log")
    if "y" in log:
        ax.set_yscale("log")
    add_baselines(ax, baselines or {}, labels=baseline_labels)
    if len(series) > 1:
        ax.legend(frameon=False)
    return ax


def bars(
    names: Sequence[str],
    values: ArrayLike,
    *,
    title: str,
    xlabel: str,
    ylabel: str = "",
    baselines: Mapping[str, float] | None = None,
    digits: int = 2,
    highlight: Sequence[str] = (),
    ax: Axes | None = None,
) -> Axes:
    """Horizontal bars, the first on top, each with its value (N,) written beside it; those named in highlight are hatched."""
    values = np.asarray(values, dtype=float)
    ax = ax or plt.subplots(figsize=(8, 0.9 + 0.38 * len(names)))[1]
    new_axes(ax, title=title, xlabel=xlabel, ylabel=ylabel)
    for i, (name, value) in enumerate(zip(names, values, strict=True)):
        marked = name in highlight
        ax.barh(i, value, color=OKABE_ITO[1] if marked else OKABE_ITO[0], hatch="//" if marked else None, edgecolor="white")
        ax.annotate(f"{value:.{digits}f}", (value, i), xytext=(5, 0), textcoords="offset points", va="center", fontsize=11)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -1 if baselines else -0.5)  # the first on top, with room for the baselines' names
    ax.grid(axis="y", visible=False)
    ax.margins(x=0.12)
    add_baselines(ax, baselines or {}, horizontal=False)
    return ax


def intervals(
    names: Sequence[str],
    values: ArrayLike,
    errors: ArrayLike,
    *,
    title: str,
    xlabel: str,
    ylabel: str = "",
    baselines: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A dot for each value (N,) and a bar of ± its error, the first on top; filled where the bar meets no baseline.

    errors: (N,), or (2, N): how far down, and how far up.
    """
    values, baselines = np.asarray(values, dtype=float), baselines or {}
    reach = np.broadcast_to(np.asarray(errors, dtype=float), (2, len(values))).T
    ax = ax or plt.subplots(figsize=(8, 0.9 + 0.38 * len(names)))[1]
    new_axes(ax, title=title, xlabel=xlabel, ylabel=ylabel)
    for i, (value, (down, up)) in enumerate(zip(values, reach, strict=True)):
        clear = not any(value - down <= baseline <= value + up for baseline in baselines.values())
        color = OKABE_ITO[0] if clear else GREY
        ax.errorbar(value, i, xerr=[[down], [up]], fmt="o", color=color, markerfacecolor=color if clear else "white", capsize=4)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -1)  # the first on top, with room for the baselines' names
    ax.grid(axis="y", visible=False)
    add_baselines(ax, baselines, horizontal=False)
    return ax


def ladder(rungs: Sequence[Rung], *, title: str, digits: int = 2, ax: Axes | None = None) -> Axes:
    """The rungs of `helpers.ladder` as bars, in the order given; those measured on this machine are hatched."""
    names = [f"{rung.name} (yours)" if rung.yours else rung.name for rung in rungs]
    own = [name for name, rung in zip(names, rungs, strict=True) if rung.yours]
    xlabel = "bits per byte of the validation text" + " (hatched: yours)" * bool(own)
    return bars(names, [rung.bits_per_byte for rung in rungs], title=title, xlabel=xlabel, digits=digits, highlight=own, ax=ax)


def whole_ladder(columns: Mapping[str, Sequence[Rung]]) -> list[Axes]:
    """Every rung of the course in one picture: a column for each title → rungs, each bar with its notebook; networks hatched.

    Raises ValueError for a column without rungs.
    """
    if not columns or not all(columns.values()):
        raise ValueError(f"there are no rungs to draw under {[title for title, rungs in columns.items() if not rungs]}")
    height = 1.2 + 0.4 * max(map(len, columns.values()))
    axes = plt.subplots(1, len(columns), figsize=(8.5 * len(columns), height), squeeze=False)[1][0]
    for ax, (title, rungs) in zip(axes, columns.items(), strict=True):
        names = [f"{rung.name}  {rung.notebook}" for rung in rungs]
        trained = [rung.notebook not in COUNTING or "nanoGPT" in rung.name for rung in rungs]
        networks = [name for name, is_network in zip(names, trained, strict=True) if is_network]
        values = [rung.bits_per_byte for rung in rungs]
        xlabel = "bits per byte (hatched: networks; 01 to 08: the notebook)"
        bars(names, values, highlight=networks, digits=2 if max(values) > 3 else 3, title=title, xlabel=xlabel, ax=ax)
        ax.margins(y=0.01)
        ax.tick_params(labelsize=13)
        ax.title.set_size(18)
    return list(axes)


def token_bars(tokens: Sequence[str], values: ArrayLike, *, title: str, ylabel: str, per_row: int = 50) -> list[Axes]:
    """One upright bar for each token of a text (T,), with the token beneath it, in rows that read like lines; an Axes a row."""
    rows = -(-len(tokens) // per_row)
    _, axes = plt.subplots(rows, 1, figsize=(9, 0.6 + 2.1 * rows), sharey=True, squeeze=False)
    for row, ax in enumerate(axes[:, 0]):
        part = slice(row * per_row, (row + 1) * per_row)
        new_axes(ax, title=title if row == 0 else "", xlabel="", ylabel=ylabel)
        shown = np.asarray(values, dtype=float)[part]
        ax.bar(range(len(shown)), shown, color=OKABE_ITO[0])
        ax.set_xticks(range(len(shown)), tokens[part], rotation=90, fontsize=11)
        ax.set_xlim(-0.6, min(per_row, len(tokens)) - 0.4)
        ax.margins(y=0.15)
        ax.grid(axis="x", visible=False)
    return list(axes[:, 0])


def heatmap(
    values: ArrayLike,
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    xticks: Sequence[str],
    yticks: Sequence[str],
    colorbar: str,
    ax: Axes | None = None,
) -> Axes:
    """A matrix (rows, columns) as colours, dark for small; xticks (columns,) and yticks (rows,) name its sides."""
    ax = new_axes(ax, title=title, xlabel=xlabel, ylabel=ylabel)
    image = ax.imshow(np.asarray(values, dtype=float), cmap="cividis", aspect="auto", interpolation="nearest")
    ax.set_xticks(range(len(xticks)), xticks)
    ax.set_yticks(range(len(yticks)), yticks)
    ax.grid(visible=False)
    ax.figure.colorbar(image, ax=ax, label=colorbar)
    return ax


def attention_map(
    weights: ArrayLike,
    *,
    queries: Sequence[str],
    keys: Sequence[str],
    title: str,
    mask: ArrayLike | None = None,
    colorbar: str = "attention weight",
    xlabel: str = "key: the token that is looked at",
    ylabel: str = "query: the token that looks",
    ax: Axes | None = None,
) -> Axes:
    """Who looks at whom: (T, S) weights or scores, light for much, a row for each query; mask False: hatched, not a number."""
    values = np.asarray(weights, dtype=float)
    ax = ax or plt.subplots(figsize=(2.6 + 0.42 * len(keys), 1.8 + 0.36 * len(queries)))[1]
    heatmap(values, title=title, xlabel=xlabel, ylabel=ylabel, xticks=keys, yticks=queries, colorbar=colorbar, ax=ax)
    ax.set_xticks(range(len(keys)), keys, rotation=90)
    for t, s in np.argwhere(~np.asarray(mask, dtype=bool)) if mask is not None else ():
        ax.add_patch(plt.Rectangle((s - 0.5, t - 0.5), 1, 1, facecolor="white", edgecolor="#BBBBBB", hatch="///", linewidth=0))
    return ax
