"""The training dashboard's static picture: losses, learning rate, and how the samples have changed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from helpers.plots import OKABE_ITO, add_baselines
from helpers.widgets._base import GREY, INK, new_figure
from helpers.widgets._pictures import LINE, PLAIN, blank_axes, drawable, wrapped

if TYPE_CHECKING:
    from helpers.training import History
    from helpers.widgets.training_dashboard import Sample

CHART, RATE, GAP = 3.1, 0.75, 0.75  # inches: height of the losses, of the learning rate, and what stands around them
LINES = 6  # of a sample


def training_picture(
    history: "History | None", steps: int, baselines: Mapping[str, float], samples: Sequence["Sample"]
) -> Figure:
    """Losses against steps, the learning rate below them on the same axis, then the first and the last sample."""
    if history is None or not history.loss:
        page = blank_axes(figure := new_figure(0.55))
        page.text(0.15, 0.34, "No step yet: pass this dashboard to train(…, callback=dashboard)", fontsize=14, **PLAIN)
        return figure
    shown = [*samples[:1], *samples[1:][-1:]]
    texts = [(f"Sample at step {each.step:,}", _lines(each)) for each in shown]
    heights = [LINE * (len(lines) + 1) + 0.1 for _, lines in texts]
    chart = CHART + RATE + 2 * GAP
    figure = new_figure(chart + sum(heights))
    total = chart + sum(heights)
    page = blank_axes(figure)
    page.text(0.15, 0.32, _title(history, steps), fontsize=14, fontweight="bold", **PLAIN)
    box = (0.1, 0.85)
    loss = figure.add_axes((box[0], 1 - (GAP + CHART - 0.2) / total, box[1], (CHART - 0.2) / total))
    rate = figure.add_axes((box[0], 1 - (GAP + CHART + RATE) / total, box[1], (RATE - 0.15) / total), sharex=loss)
    _draw(loss, rate, history, steps, baselines)
    y = chart
    for (heading, lines), height in zip(texts, heights, strict=True):
        page.text(0.15, y, heading, fontsize=13, fontweight="bold", **PLAIN)
        for number, line in enumerate(lines, start=1):
            page.text(0.15, y + LINE * number, line, fontsize=12, family="monospace", **PLAIN)
        y += height
    return figure


def _title(history: "History", steps: int) -> str:
    done = history.steps[-1] + 1
    after = f"after {done:,} steps" if done >= steps else f"after {done:,} of {steps:,} steps"
    if not history.val_loss:
        return f"Loss {history.loss[0]:.2f} → {history.loss[-1]:.2f} nats per token {after}"
    return f"Validation loss {history.val_loss[0]:.2f} → {history.val_loss[-1]:.2f} nats per token {after}"


def _lines(sample: "Sample") -> list[str]:
    """The first lines of a sample, each at most as wide as the picture."""
    lines = wrapped(drawable(sample.prompt + sample.text), 76, last=10**6)
    return [*lines[: LINES - 1], lines[LINES - 1] + " …"] if len(lines) > LINES else lines


def _draw(loss: Axes, rate: Axes, history: "History", steps: int, baselines: Mapping[str, float]) -> None:
    blue, vermilion = OKABE_ITO[:2]
    loss.plot(history.steps, history.loss, color=blue, linewidth=1, label="batches")
    look = {"color": vermilion, "linestyle": "--", "marker": "D", "markersize": 6, "linewidth": 2}
    loss.plot(history.val_steps, history.val_loss, **look, label="validation text", clip_on=False)
    loss.legend(frameon=False, fontsize=12, labelcolor=INK, ncols=2, loc="lower right", bbox_to_anchor=(1, 0.98), borderpad=0)
    rate.plot(history.steps, history.lr, color=INK, linewidth=1.5)
    add_baselines(loss, baselines)
    for text in loss.texts:
        text.set_fontsize(12)
    loss.set_xlim(0, steps)
    rate.set_ylim(bottom=0)
    rate.yaxis.set_major_locator(MaxNLocator(2))
    rate.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    for ax in (loss, rate):
        ax.set_facecolor("white")
        ax.grid(visible=False)
        ax.tick_params(labelsize=11, colors=INK, labelbottom=ax is rate)
        ax.spines[["top", "right"]].set_visible(False)
        ax.spines[["left", "bottom"]].set_color(GREY)
    loss.grid(visible=True, color="#DDDDDD", linewidth=0.8)
    loss.set_axisbelow(True)
    loss.set_title("Loss, nats per token", loc="left", fontsize=12, color=INK)
    rate.set_title("Learning rate", loc="left", fontsize=12, color=INK, pad=2)
    rate.set_xlabel("steps", fontsize=12, color=INK)
