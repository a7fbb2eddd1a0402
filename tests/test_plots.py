"""The figures: what was passed is what is drawn, labelled, and told apart without colour."""

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from helpers import plots
from helpers.ladder import Rung

LABELS = {"title": "Loss falls with order", "xlabel": "order", "ylabel": "nats per token"}
SERIES = {f"model {i}": ([1, 2, 3], [3.0 - i / 10, 2.5, 2.0 + i / 10]) for i in range(9)}


@pytest.fixture(autouse=True)
def clean():
    """Each test starts from matplotlib's defaults and leaves no figure open."""
    with matplotlib.rc_context():
        yield
    plt.close("all")


def draw_all(ax=None):
    """One figure of each kind."""
    return [
        plots.new_axes(ax, **LABELS),
        plots.lines(SERIES, **LABELS, ax=ax),
        plots.bars(["a", "b"], [1, 2], **LABELS, ax=ax),
        plots.intervals(["a", "b"], [1, 2], [0.1, 0.2], **LABELS, ax=ax),
        plots.heatmap([[1, 2], [3, 4]], **LABELS, xticks="ab", yticks="cd", colorbar="p", ax=ax),
    ]


def relative_luminance(colour):
    """As WCAG 2 defines it, of sRGB."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return np.dot([0.2126, 0.7152, 0.0722], linear)


def contrast_with_white(colour):
    return 1.05 / (relative_luminance(colour) + 0.05)


# ---- every figure


def test_every_figure_is_returned_as_axes_with_its_title_and_labels():
    for ax in draw_all():
        assert isinstance(ax, Axes)
        assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == tuple(LABELS.values())


def test_a_given_axes_is_drawn_on_and_no_figure_is_opened():
    ax = plt.subplots()[1]
    assert all(drawn is ax for drawn in draw_all(ax))
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("missing", LABELS)
def test_title_and_labels_cannot_be_forgotten(missing):
    labels = {name: text for name, text in LABELS.items() if name != missing}
    with pytest.raises(TypeError, match=missing):
        plots.lines(SERIES, **labels)
    with pytest.raises(TypeError, match=missing):
        plots.heatmap([[1]], **labels, xticks="a", yticks="b", colorbar="p")


def test_the_style_is_the_same_after_the_second_call():
    plots.use_style()
    once = dict(plt.rcParams)
    plots.use_style()
    assert dict(plt.rcParams) == once
    assert once["figure.facecolor"] == "white"  # opaque, so that it reads the same in a dark theme
    assert once["axes.prop_cycle"].by_key()["color"] == list(plots.OKABE_ITO)


@pytest.mark.parametrize("colour", [*plots.OKABE_ITO, plots.GREY])
def test_every_colour_shows_on_white(colour):
    """WCAG 2.2, criterion 1.4.11: graphics need a contrast of 3 : 1 at least."""
    assert contrast_with_white(colour) >= 3


def test_contrast_by_hand():
    """Black on white is 21 : 1; #767676 is the lightest grey with 4.5 : 1, as every table of WCAG says."""
    assert contrast_with_white("black") == pytest.approx(21)
    assert contrast_with_white("#767676") >= 4.5 > contrast_with_white("#777777")


# ---- lines


@settings(max_examples=10, deadline=None)
@given(
    st.dictionaries(st.text("abc", min_size=1), st.lists(st.floats(-10, 10), min_size=1, max_size=4), min_size=1, max_size=4)
)
def test_lines_hold_the_data_that_were_passed(series):
    ax = plots.lines({name: (range(len(y)), y) for name, y in series.items()}, **LABELS)
    assert [line.get_label() for line in ax.get_lines()] == list(series)
    for line, y in zip(ax.get_lines(), series.values(), strict=True):
        assert line.get_xdata().tolist() == list(range(len(y)))
        assert line.get_ydata().tolist() == y
    plt.close(ax.figure)


@pytest.mark.parametrize("markers", [True, False])
def test_series_differ_by_style_and_not_only_by_colour(markers):
    lines = plots.lines(SERIES, **LABELS, markers=markers).get_lines()
    dashes = [str(line._unscaled_dash_pattern) for line in lines]  # get_linestyle says "--" of every pattern of our own
    assert len(set(dashes[:7])) == 7
    assert len({line.get_marker() for line in lines[:7]}) == (7 if markers else 1)
    assert len({(line.get_color(), dash) for line, dash in zip(lines, dashes, strict=True)}) == len(SERIES)


def test_several_series_get_a_legend_and_one_does_not():
    several = plots.lines(SERIES, **LABELS).get_legend()
    assert [text.get_text() for text in several.get_texts()] == list(SERIES)
    assert plots.lines({"alone": ([1], [2])}, **LABELS).get_legend() is None


@pytest.mark.parametrize(("log", "scales"), [("", ("linear", "linear")), ("x", ("log", "linear")), ("xy", ("log", "log"))])
def test_axes_are_logarithmic_where_asked(log, scales):
    ax = plots.lines(SERIES, **LABELS, log=log)
    assert (ax.get_xscale(), ax.get_yscale()) == scales


def test_baselines_are_drawn_with_their_names():
    ax = plots.lines({"loss": ([1, 2], [3, 2])}, **LABELS, baselines={"uniform": 4.2, "floor": 1.1})
    levels = {tuple(line.get_ydata()) for line in ax.get_lines()[1:]}
    assert levels == {(4.2, 4.2), (1.1, 1.1)}
    assert [text.get_text() for text in ax.texts] == ["uniform", "floor"]
    ax = plots.bars(["a"], [1], **LABELS, baselines={"floor": 0.5})
    assert list(ax.get_lines()[-1].get_xdata()) == [0.5, 0.5]
    assert "floor" in [text.get_text() for text in ax.texts]


# ---- bars


def test_bars_are_as_wide_as_their_values_with_the_first_on_top():
    ax = plots.bars(["gzip", "bigram", "GPT"], [3.5, 3.25, 2], **LABELS, digits=1, highlight=["bigram"])
    assert [bar.get_width() for bar in ax.patches] == [3.5, 3.25, 2]
    assert [bar.get_y() + bar.get_height() / 2 for bar in ax.patches] == pytest.approx([0, 1, 2])
    assert ax.yaxis_inverted()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["gzip", "bigram", "GPT"]
    assert [text.get_text() for text in ax.texts] == ["3.5", "3.2", "2.0"]
    assert [bar.get_hatch() for bar in ax.patches] == [None, "//", None]  # a second cue beside the colour


def test_intervals_may_reach_further_up_than_down():
    ax = plots.intervals(["a", "b"], [1.0, 2.0], [[0.5, 0.25], [1.5, 0.75]], **LABELS, baselines={"mark": 2.0})
    ends = [bar.get_segments()[0][:, 0].tolist() for _, _, (bar,) in (each.lines for each in ax.containers)]
    assert ends == [[0.5, 2.5], [1.75, 2.75]]
    assert [each.lines[0].get_markerfacecolor() for each in ax.containers] == ["white", "white"]


def test_intervals_are_filled_where_they_meet_no_baseline():
    ax = plots.intervals(["rotary", "RMSNorm"], [-0.4, 0.01], [0.05, 0.02], **LABELS, baselines={"as GPT-2": 0})
    dots = [container[0] for container in ax.containers]
    assert [(dot.get_xdata()[0], dot.get_ydata()[0]) for dot in dots] == [(-0.4, 0), (0.01, 1)]
    assert [to_rgb(dot.get_markerfacecolor()) == (1, 1, 1) for dot in dots] == [False, True]
    bars = [container[2][0].get_segments()[0][:, 0] for container in ax.containers]
    assert np.allclose(bars, [[-0.45, -0.35], [-0.01, 0.03]]) and ax.yaxis_inverted()


def test_as_many_names_as_values():
    with pytest.raises(ValueError, match="argument"):
        plots.bars(["a", "b", "c"], [1, 2], **LABELS)


# ---- the ladder and the bars of a text


def test_your_rungs_are_named_and_hatched_on_the_ladder():
    rungs = [Rung("bigram", "toy", 3.5, "02", "counted"), Rung("bigram", "toy", 3.25, "02", "mine", yours=True)]
    ax = plots.ladder(rungs, title="Yours is better")
    assert [bar.get_width() for bar in ax.patches] == [3.5, 3.25]
    assert [bar.get_hatch() for bar in ax.patches] == [None, "//"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["bigram", "bigram (yours)"]
    assert ax.get_title() == "Yours is better" and "bits per byte" in ax.get_xlabel()


def test_the_whole_ladder_has_a_column_a_title_and_hatches_what_was_trained():
    rungs = [Rung("bigram", "toy", 3.5, "02", "counted"), Rung("nanoGPT, published", "toy", 3.2, "02", "theirs")]
    left, right = plots.whole_ladder({"Left": [*rungs, Rung("GPT", "toy", 2.25, "07", "trained")], "Right": rungs[:1]})
    assert [bar.get_hatch() for bar in left.patches] == [None, "//", "//"]
    assert [label.get_text() for label in left.get_yticklabels()] == ["bigram  02", "nanoGPT, published  02", "GPT  07"]
    assert [ax.get_title(loc="left") or ax.get_title() for ax in (left, right)] == ["Left", "Right"]
    assert "2.25" in [text.get_text() for text in left.texts]
    with pytest.raises(ValueError, match=r"no rungs to draw under \['Empty'\]"):
        plots.whole_ladder({"Full": rungs, "Empty": []})


def test_each_token_has_its_bar_above_it_in_rows_that_read_like_lines():
    tokens, values = list("abcdefg"), [1, 0.5, 2, 3, 4, 5, 6]
    rows = plots.token_bars(tokens, values, title="Surprise", ylabel="bits", per_row=3)
    assert [len(ax.patches) for ax in rows] == [3, 3, 1]
    assert [bar.get_height() for ax in rows for bar in ax.patches] == values
    assert [label.get_text() for ax in rows for label in ax.get_xticklabels()] == tokens
    assert [ax.get_title() for ax in rows] == ["Surprise", "", ""]
    assert {ax.get_ylabel() for ax in rows} == {"bits"}


# ---- heatmaps


def test_a_heatmap_shows_the_matrix_with_its_sides_named():
    values = np.arange(6.0).reshape(2, 3)
    ax = plots.heatmap(values, **LABELS, xticks=["a", "b", "c"], yticks=["d", "e"], colorbar="probability")
    assert np.array_equal(ax.images[0].get_array(), values)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b", "c"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["d", "e"]
    assert ax.figure.axes[1].get_ylabel() == "probability"
    assert ax.images[0].origin == "upper"  # the first row on top, as a matrix is written


def test_the_colour_map_goes_steadily_from_dark_to_light():
    ax = plots.heatmap([[0, 1]], **LABELS, xticks="ab", yticks="c", colorbar="p")
    luminance = [relative_luminance(ax.images[0].cmap(x)[:3]) for x in np.linspace(0, 1, 50)]
    assert (np.diff(luminance) > 0).all()


def test_attention_map_hatches_what_is_masked():
    mask = np.tril(np.ones((3, 3), dtype=bool))
    ax = plots.attention_map(np.eye(3), queries=list("abc"), keys=list("abc"), mask=mask, title="t")
    assert sum(patch.get_hatch() is not None for patch in ax.patches) == 3
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a", "b", "c"]
    assert not plots.attention_map(np.eye(2), queries=list("ab"), keys=list("ab"), title="t").patches
