"""Next tokens of several models without a browser: probabilities, entropies, distances from the truth, errors, the picture."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.probability import LanguageModel
from helpers.tokenizers import Tokenizer
from helpers.widgets import NextTokens
from helpers.widgets._base import to_png

HTML = "<img src=x onerror=alert(1)>"


class Fixed(LanguageModel):
    """The same probabilities after every context."""

    def __init__(self, probabilities: dict[str, float], dtype: type = float):
        self.vocab, self.p = list(probabilities), np.array(list(probabilities.values()), dtype=dtype)

    def next_log_probs(self, context):
        with np.errstate(divide="ignore"):
            return np.log(self.p)


class Last(LanguageModel):
    """Expects the last token again."""

    vocab = ("<unk>", "</s>", "the", "cat", HTML)

    def next_log_probs(self, context):
        p = np.full(5, 0.1)
        p[context[-1]] = 0.6
        return np.log(p)


def words(text: str) -> list[int]:
    known = {word: i for i, word in enumerate(Last.vocab)}
    return [1] + [known.get(word, 0) for word in text.split()]


HALVES = {"the": 0.5, "cat": 0.25, "</s>": 0.25}


def both(**options) -> NextTokens:
    return NextTokens({"last": Last(), "halves": Fixed(HALVES)}, words, **{"text": "the cat"} | options)


def column(widget: NextTokens, name: str) -> dict:
    return next(each for each in widget.frame["columns"] if each["name"] == name)


# ---- the numbers


def test_every_model_says_what_it_expects_over_its_full_vocabulary():
    widget = both(top=2)
    assert [(each.token, each.probability) for each in widget.suggestions("last")] == [
        ("cat", pytest.approx(0.6)),
        ("<unk>", pytest.approx(0.1)),  # the first of equals
    ]
    assert column(widget, "last")["rest"] == "all 3 others together: 30.0 %"
    assert [row["percent"] for row in column(widget, "halves")["suggestions"]] == ["50.0 %", "25.0 %"]
    assert column(widget, "halves")["notes"] == ["entropy 1.50 bits"]  # ½·1 + ¼·2 + ¼·2


def test_the_distance_from_the_truth_of_a_hand_worked_case():
    # KL(½, ½ ‖ ½, ¼) = ½ log2 1 + ½ log2 2 = ½
    widget = both(truth=lambda text: {"the": 0.5, "cat": 0.5})
    assert column(widget, "halves")["notes"] == ["entropy 1.50 bits", "KL(exact ‖ this) 0.50 bits"]
    assert column(widget, "exact")["notes"] == ["entropy 1.00 bits"]
    assert column(widget, "exact")["suggestions"][0]["percent"] == "50.0 %" and column(widget, "exact")["rest"] == ""


def test_what_a_model_excludes_though_it_happens_is_infinitely_far():
    widget = NextTokens({"sure": Fixed({"a": 1.0, "b": 0.0})}, lambda text: [], truth=lambda text: {"a": 0.5, "b": 0.5})
    assert column(widget, "sure")["notes"] == ["entropy 0.00 bits", "KL(exact ‖ this) ∞ bits"]


def test_there_is_no_distance_where_the_vocabulary_lacks_a_true_token():
    widget = both(truth=lambda text: {"the": 0.5, "zebra": 0.5})
    assert [len(each["notes"]) for each in widget.frame["columns"]] == [1, 1, 1]


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=6), st.lists(st.floats(0.01, 1), min_size=6, max_size=6))
def test_distances_equal_the_formula(weights, others):
    p = np.array(weights) / np.sum(weights)
    q = np.array(others[: len(p)]) / np.sum(others[: len(p)])
    tokens = "abcdef"[: len(p)]
    model = Fixed(dict(zip(tokens, q, strict=True)))
    widget = NextTokens({"q": model}, lambda text: [], truth=lambda text: dict(zip(reversed(tokens), reversed(p), strict=True)))
    kl = sum(a * math.log2(a / b) for a, b in zip(p, q, strict=True))
    assert widget.distribution("q").distance(widget.distribution("exact")) == pytest.approx(kl, abs=1e-9)


def test_every_column_is_compared_for_every_token_that_is_shown():
    widget = both(top=1, truth=lambda text: {"the": 1.0})
    assert set(widget.frame["lines"]) == {"cat", "the"}
    assert widget.frame["lines"]["cat"] == "cat: last 60.0 %, halves 25.0 %, exact 0.0 %"
    lacking = NextTokens({"a": Fixed({"x": 1.0}), "b": Fixed({"y": 1.0})}, lambda text: [])
    assert lacking.frame["lines"]["x"] == "x: a 100.0 %, b –"


def test_single_precision_is_near_enough_and_what_is_no_distribution_is_said():
    even = {str(i): 1 / 700 for i in range(700)}
    assert column(NextTokens({"a": Fixed(even, np.float32)}, lambda text: []), "a")["error"] == ""
    for wrong in ({"a": 0.5, "b": 0.2}, {"a": math.nan, "b": 0.2}):
        error = column(NextTokens({"a": Fixed(wrong)}, lambda text: []), "a")["error"]
        assert "2 probabilities for 2 tokens sum to" in error and "expected 1" in error


def test_a_truth_that_does_not_sum_to_one_is_said_and_the_models_go_on():
    widget = both(truth=lambda text: {"the": 0.5})
    assert "sum to 0.5" in column(widget, "exact")["error"] and column(widget, "last")["suggestions"]


# ---- reading and appending


def test_each_model_may_have_its_own_encode_and_join():
    chars = Fixed({"a": 0.75, "b": 0.25})
    models = {"words": Last(), "chars": chars}
    widget = NextTokens(models, {"words": words, "chars": lambda text: [0]}, "cat", join={"words": " ", "chars": ""})
    assert [each["join"] for each in widget.frame["columns"]] == [" ", ""]
    with pytest.raises(ValueError, match="encode has nothing for 'chars'"):
        NextTokens(models, {"words": words}, "cat")


class Bytes(Tokenizer):
    """Three tokens: "é", the first byte of it, and a space with that byte."""

    tokens = ("é".encode(), b"\xc3", b" \xc3")
    vocab = ("é", "<C3>", "␣<C3>")

    def encode(self, text):
        return [0] * len(text)

    def token_bytes(self, id_):
        return self.tokens[id_]


def test_a_tokenizer_reads_the_text_and_its_pieces_can_be_appended_where_they_are_text():
    class Model(Fixed):
        def next_log_probs(self, context):
            assert list(context) == [0, 0]
            return super().next_log_probs(context)

    model = Model(dict(zip(Bytes.vocab, (0.5, 0.25, 0.25), strict=True)))
    rows = column(NextTokens({"bytes": model}, Bytes(), "éé", join=""), "bytes")["suggestions"]
    assert [(row["shown"], row["append"]) for row in rows] == [("é", "é"), ("‹C3›", ""), ("␣‹C3›", "")]


def test_special_tokens_append_a_new_line_or_nothing_and_html_is_text():
    rows = {row["token"]: row["append"] for row in column(both(), "last")["suggestions"]}
    assert rows == {"cat": "cat", "<unk>": "", "</s>": "\n", "the": "the", HTML: HTML}


def test_what_one_model_cannot_read_does_not_stop_the_others_and_mends_itself():
    def picky(text):
        if "zebra" in text:
            raise ValueError("zebra is not in the vocabulary")
        return words(text)

    widget = NextTokens({"picky": Last(), "other": Last()}, {"picky": picky, "other": words}, "zebra")
    assert column(widget, "picky")["error"] == "picky cannot read this text: zebra is not in the vocabulary"
    assert column(widget, "other")["suggestions"] and to_png(widget.picture())
    widget.text = "cat"
    assert column(widget, "picky")["error"] == "" and column(widget, "picky")["suggestions"]


def test_messages_from_the_browser_are_answered():
    widget = both()
    widget._receive({"type": "text", "text": "the"})
    assert json.loads(widget.frame["text"]) == widget.text == "the"
    assert widget.suggestions("last")[0].token == "the"
    widget._receive({"type": "text", "text": "\ud800"})
    assert widget.frame["text"].isascii() and repr(widget).isprintable() and to_png(widget.picture())


@pytest.mark.parametrize(
    "options, message",
    [
        ({"models": {}}, "1 to 4 columns"),
        ({"models": {str(i): Last() for i in range(5)}}, "1 to 4 columns"),
        ({"models": {str(i): Last() for i in range(4)}, "truth": dict}, "1 to 4 columns"),
        ({"models": {"exact": Last()}}, "none called 'exact'"),
        ({"top": 0}, "top must be"),
        ({"top": 11}, "top must be"),
        ({"join": {}}, "join has nothing for 'last'"),
    ],
)
def test_impossible_ones_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        NextTokens(**{"models": {"last": Last()}, "encode": words} | options)


@pytest.mark.parametrize(
    "make",
    [
        both,
        lambda: both(text=""),
        lambda: both(text="$x$ 中文 " * 40, truth=lambda text: HALVES),
        lambda: both(truth=lambda text: {}, top=10),
        lambda: NextTokens({str(i): Fixed({HTML * 3: 0.5, "词元": 0.5}) for i in range(4)}, words, "the"),
    ],
)
def test_it_carries_a_picture_text_and_the_live_view(make):
    data, _ = make()._repr_mimebundle_()
    again, _ = make()._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/png", "application/vnd.jupyter.widget-view+json"}
    assert (again["text/plain"], again["image/png"]) == (data["text/plain"], data["image/png"])
    assert "\n" not in data["text/plain"] and "%" not in data["text/plain"] and len(data["image/png"]) < 100_000
