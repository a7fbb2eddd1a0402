"""The embedding map without a browser: coordinates, neighbours, groups, errors and the picture."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.widgets import EmbeddingMap
from helpers.widgets._base import STATIC, to_png
from helpers.widgets.embedding_map import SPAN

WORDS = ["king", "queen", "man", "woman", "<b>", " the", "词"]
VECTORS = np.random.default_rng(0).normal(size=(7, 5))
GROUPS = {"royal": ["king", "queen"], "people": ["king", "man", "woman"]}


def small(**options) -> EmbeddingMap:
    return EmbeddingMap(**{"vectors": VECTORS, "words": WORDS, "groups": GROUPS} | options)


# ---- the plane


def test_the_axes_are_the_principal_components():
    centred = VECTORS - VECTORS.mean(0)
    values, directions = np.linalg.eigh(centred.T @ centred)
    share = values[::-1][:2] / values.sum()
    m = small()
    np.testing.assert_allclose(m.variance_share, share, atol=1e-12)
    np.testing.assert_allclose(np.abs(m.xy), np.abs(centred @ directions[:, ::-1][:, :2]), atol=1e-9)
    assert f"The two axes hold {100 * share.sum():.1f} % of the variance." in m.data["warning"]
    assert m.data["axes"][0] == f"component 1 ({100 * share[0]:.1f} % of the variance)"


def test_words_that_lie_in_a_plane_keep_their_distances_and_share_all_variance():
    plane = np.random.default_rng(1).normal(size=(7, 2))
    rotation, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(6, 6)))
    m = small(vectors=np.pad(plane, ((0, 0), (0, 4))) @ rotation + 3)
    assert sum(m.variance_share) == pytest.approx(1)
    away = lambda points: np.linalg.norm(points[:, None] - points, axis=-1)  # noqa: E731
    np.testing.assert_allclose(away(m.xy), away(plane), atol=1e-9)


def test_the_warning_says_what_a_projection_can_do():
    """Components only shorten distances; points placed in another way may err in both directions, and are said to."""
    m = small()
    away = lambda points: np.linalg.norm(points[:, None] - points, axis=-1)  # noqa: E731
    assert (away(m.xy) <= away(VECTORS) + 1e-9).all()
    assert "a projection only shortens" in m.data["warning"] and "other way round" not in m.data["warning"]
    assert "other way round" in small(xy=[[i, i % 2] for i in range(7)]).data["warning"]


def test_the_same_scale_on_both_axes_and_the_whole_map_in_view():
    m = small(xy=[[i, i % 2] for i in range(7)])
    assert (min(m.data["x"]), max(m.data["x"])) == (-SPAN, SPAN)
    assert max(m.data["y"]) - min(m.data["y"]) == pytest.approx(2 * SPAN / 6, abs=1)
    assert m.variance_share is None and m.data["axes"] == [] and "variance" not in m.data["warning"]
    assert m.data["warning"].startswith("A map of two axes cannot keep the distances of 5")


def test_words_that_are_all_alike_have_a_map():
    m = small(vectors=np.ones((7, 3)), selected="king")
    assert set(m.data["x"]) == set(m.data["y"]) == {0} and to_png(m.picture())


# ---- neighbours


@settings(max_examples=25, deadline=None)  # the first import of gensim takes seconds
@given(st.integers(0, 10_000), st.integers(3, 30), st.integers(2, 8))
def test_neighbours_equal_gensims(seed, n, width):
    keyed_vectors = pytest.importorskip("gensim.models").KeyedVectors
    words = [f"w{i}" for i in range(n)]
    vectors = np.random.default_rng(seed).normal(size=(n, width))
    peer = keyed_vectors(width)
    peer.add_vectors(words, vectors.astype(np.float32))
    ours = EmbeddingMap(vectors, words).neighbours("w1", 5)
    theirs = peer.most_similar("w1", topn=5)
    np.testing.assert_allclose([cosine for _, cosine in ours], [cosine for _, cosine in theirs], atol=1e-5)  # single precision
    assert [word for word, _ in ours] == [word for word, _ in theirs]


def test_neighbours_of_a_hand_worked_case_and_their_places_on_the_map():
    vectors = [[1, 0, 0], [2, 2, 0], [0, 0, 1], [-3, 0, 0]]
    m = EmbeddingMap(vectors, list("abcd"), xy=[[0, 0], [9, 0], [1, 0], [2, 0]], selected="a")
    assert m.neighbours("a") == [("b", pytest.approx(2**-0.5)), ("c", 0), ("d", -1)]
    assert m.state["rows"] == [(1, "0.707", 3), (2, "0.000", 1), (3, "-1.000", 2)]
    assert m.state["message"] == "Nearest to a by cosine in all 3 dimensions"


def test_neighbours_depend_on_directions_alone():
    scaled = small(vectors=VECTORS * np.arange(1, 8)[:, None])
    assert scaled.neighbours("queen", 3) == [(word, pytest.approx(cosine)) for word, cosine in small().neighbours("queen", 3)]


def test_the_zero_vector_has_no_neighbours():
    m = small(vectors=np.vstack([np.zeros(5), VECTORS[1:]]), selected="king")
    assert m.state["rows"] == [] and "points nowhere" in m.state["message"]
    assert to_png(m.picture())


# ---- choosing


def test_words_are_chosen_from_python_and_from_the_browser():
    m = small()
    assert m.selected is None and m.state["rows"] == [] and repr(m) == "EmbeddingMap(7 words in 5 dimensions, 2 groups)"
    m.select("queen")
    assert m.selected == "queen" and len(m.state["rows"]) == 6
    for content in ({"type": "select", "id": 5}, {"type": "select", "id": 5}):
        before = m.state["revision"]
        m._receive(content)
        assert m.selected == " the" and m.state["revision"] == before + 1
    for wrong in (7, -1, True, 2.0, "king", None, [1]):
        m._receive({"type": "select", "id": wrong})
    m._receive("x")
    assert m.selected == " the" and "Nearest to ␣the" in m.state["message"]
    m.select(None)
    assert m.selected is None


def test_two_maps_do_not_touch_each_other():
    first, second = small(), small()
    first.select("man")
    assert second.selected is None


@pytest.mark.parametrize(
    "options, message",
    [
        ({"vectors": VECTORS[:6]}, r"vectors must be \(7, C\).*got shape \(6, 5\)"),
        ({"vectors": VECTORS[:, :1]}, r"got shape \(7, 1\) and k=2"),
        ({"xy": VECTORS}, r"xy must be \(7, 2\).*got shape \(7, 5\)"),
        ({"xy": np.full((7, 2), np.nan)}, "two finite numbers for each word"),
        ({"vectors": np.where(np.eye(7, 5) == 1, np.nan, VECTORS)}, "finite numbers"),
        ({"words": [*WORDS[:6], "king"]}, "a word comes twice"),
        ({"groups": {"royal": ["king", "quen"]}}, "'quen' is not among the 7 words.*queen"),
        ({"groups": {str(i): [] for i in range(13)}}, "more than 12"),
        ({"selected": "zebra"}, "'zebra' is not among"),
        ({"vectors": np.zeros((0, 5)), "words": [], "groups": {}}, r"got shape \(0, 5\)"),
        ({"n_neighbours": 0, "selected": "king"}, "k must be at least 1"),
    ],
)
def test_impossible_maps_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small(**options)


def test_the_widgets_own_messages_hold_no_html_and_words_are_made_visible():
    data = small().data
    assert data["words"] == ["king", "queen", "man", "woman", "<b>", "␣the", "词"]
    assert data["groups"] == [{"name": "royal", "members": [0, 1]}, {"name": "people", "members": [0, 2, 3]}]


# ---- looks


def contrast(one: str, other: str) -> float:
    def light(colour):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return float(np.dot([0.2126, 0.7152, 0.0722], linear))

    dark, bright = sorted([light(one), light(other)])
    return (bright + 0.05) / (dark + 0.05)


def test_marks_can_be_seen_in_both_themes_and_no_two_groups_look_alike():
    source = (STATIC / "map_drawing.js").read_text(encoding="utf-8")
    for theme, ground in (("light", "#ffffff"), ("dark", "#212121")):  # JupyterLab's grounds
        lists = re.findall(rf'{theme}: (\[.*?\]|"#\w+")', source)
        colours = re.findall(r"#\w{6}", " ".join(lists))
        assert len(colours) == 6 and all(contrast(colour, ground) >= 3 for colour in colours)  # WCAG 1.4.11: graphics
    shapes = source.split("const SHAPES = [")[1].split("\n];")[0].count("\n  ")
    assert len({(group % 5, group % shapes) for group in range(12)}) == 12 and shapes == 7


@pytest.mark.parametrize(
    "make",
    [
        small,
        lambda: small(selected="king"),
        lambda: small(groups=None, selected="词", title="$a$ 词 " * 5),
        lambda: small(xy=np.zeros((7, 2)), selected="<b>"),
        lambda: EmbeddingMap(
            np.random.default_rng(0).normal(size=(3000, 8)),
            [f"w{i}" for i in range(3000)],
            {f"group {i}": [f"w{j}" for j in range(i * 50, i * 50 + 50)] for i in range(12)},
            selected="w7",
        ),
    ],
)
def test_it_carries_a_picture_text_and_the_live_view(make):
    data, _ = make()._repr_mimebundle_()
    again, _ = make()._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/png", "application/vnd.jupyter.widget-view+json"}
    assert (again["text/plain"], again["image/png"]) == (data["text/plain"], data["image/png"])
    assert "\n" not in data["text/plain"] and "0." not in data["text/plain"] and len(data["image/png"]) < 300_000
