"""The widgets without a browser: who guessed what, Shannon's bounds, suggestions, pictures."""

import base64
import math
import random
import subprocess
import sys
from collections import Counter

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from traitlets import TraitError

from helpers.exercises.quizzes import QuizWidget
from helpers.notebooks import clean, execute
from helpers.probability import LanguageModel
from helpers.widgets import (
    AttentionExplorer,
    EmbeddingMap,
    GuessingGame,
    GuessingResult,
    NextTokens,
    PromptLab,
    TokenView,
    TrainingDashboard,
    TypeAhead,
    guessing_bounds,
)
from helpers.widgets._base import STATIC, dense, to_png, visible
from helpers.widgets._explorer_scripts import tight
from helpers.widgets.attention_explorer import EXPERIMENTS

TEXT = "the cat sat on the mat.\nthe dog sat on the log.\n" * 12
HTML = "<img src=x onerror=alert(1)>"


class Fixed(LanguageModel):
    """The same probabilities after every context."""

    def __init__(self, probabilities: dict[str, float]):
        self.vocab, self.p = list(probabilities), np.array(list(probabilities.values()))

    def next_log_probs(self, context):
        with np.errstate(divide="ignore"):
            return np.log(self.p)


class Knowing(LanguageModel):
    """Knows the text by heart: all probability on the character that comes next."""

    def __init__(self, text: str, start: int):
        self.vocab, self.text, self.start, self.asked = sorted(set(text)), text, start, []

    def next_log_probs(self, context):
        before = "".join(self.vocab[i] for i in context)
        self.asked.append(before)
        position = self.start + len(self.asked) - 1
        assert self.text[:position].endswith(before)
        return np.log(np.where(np.array(self.vocab) == self.text[position], 1 - 1e-9, 1e-9))


class Words(Fixed):
    """A word model that reads the last line, and has seen only contexts of one word."""

    def encode_context(self, tokens):
        return [self.vocab.index(token if token in self.vocab else "<unk>") for token in tokens]

    def matched_order(self, ids):
        return min(2, 1 + len(ids))


WORDS = {"<unk>": 0.02, "</s>": 0.1, "the": 0.5, "cat": 0.3, HTML: 0.0796, "rare": 0.0004}


def game(**options) -> GuessingGame:
    return GuessingGame(TEXT, **{"n_characters": 10, "start": 4} | options)


# ---- Shannon's bounds


def test_bounds_of_a_hand_worked_case():
    # q = (3/4, 1/4): upper = −¾ log2 ¾ − ¼ log2 ¼; lower = 1·(¾ − ¼)·0 + 2·¼·1
    assert guessing_bounds([1, 1, 2, 1]) == pytest.approx((0.5, 0.8112781245))
    assert guessing_bounds([1] * 5) == (0, 0)
    assert guessing_bounds([1, 2, 3, 4]) == pytest.approx((2, 2))  # as hard as four equally likely characters


def test_bounds_equal_shannons_formulas_where_his_order_holds():
    ranks = [1] * 50 + [2] * 20 + [3] * 10 + [4] * 5
    q = [Counter(ranks)[i] / len(ranks) for i in range(1, 6)] + [0]
    upper = -sum(p * math.log2(p) for p in q if p)
    lower = sum(i * (q[i - 1] - q[i]) * math.log2(i) for i in range(1, 6))
    assert guessing_bounds(ranks) == pytest.approx((lower, upper))


@given(st.lists(st.integers(1, 65), min_size=1, max_size=80))
def test_lower_bound_never_exceeds_the_upper(ranks):
    lower, upper = guessing_bounds(ranks)
    assert 0 <= lower <= upper <= math.log2(65) + 1e-9


@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), st.randoms())
def test_bounds_do_not_depend_on_the_order_of_the_text(ranks, rng):
    shuffled = ranks[:]
    rng.shuffle(shuffled)
    assert guessing_bounds(shuffled) == guessing_bounds(ranks)


@pytest.mark.parametrize("ranks, message", [([], "nothing has been guessed"), ([1, 0], "start at 1")])
def test_bounds_refuse_what_is_no_game(ranks, message):
    with pytest.raises(ValueError, match=message):
        guessing_bounds(ranks)


# ---- the guessing game


def test_guess_numbers_count_wrong_guesses_once():
    g = game()  # "cat sat on"
    assert [g.guess(c) for c in "xaac"] == [False, False, False, True]  # x is not in the text, the second a counts no more
    assert g.ranks == [2]
    assert g.guess("a") and g.guess("t") and g.guess(" ")
    assert g.ranks == [2, 1, 1, 1] and repr(g) == "GuessingGame(10 characters from position 4, 4 guessed)"


def test_reveal_tries_the_rest_of_the_alphabet_in_order():
    g = game(alphabet="tacos ne")
    g.guess("s"), g.reveal()  # s, then t, a, c
    assert g.ranks == [4]
    g.reveal()
    assert g.ranks == [4, 2]


def test_revealing_is_never_better_than_the_worst_rank():
    g = game()
    while not g.done:
        g.reveal()
    assert all(1 <= rank <= len(g.alphabet) for rank in g.ranks)
    assert g.ranks == [g.alphabet.index(c) + 1 for c in g.text]


def test_a_finished_game_takes_no_more_guesses():
    g = game(n_characters=1)
    assert g.guess("c") and g.done
    assert not g.guess("a")
    g.reveal()
    assert g.ranks == [1] and "over" in g.state["message"]


def test_results_before_and_after_playing():
    g = game()
    assert g.result().lower_bits is None and g.result().n == 0 and "No character has been guessed" in repr(g.result())
    assert g.result()._repr_png_() is None
    for character in "cat":
        g.guess(character)
    assert g.result() == GuessingResult("cat", (1, 1, 1), 0.0, 0.0)
    said = "3 characters, 3 at the first guess: at most 0.00 bits per character (for an ideal guesser at least 0.00)"
    assert repr(g.result()) == said
    assert g.result()._repr_png_().startswith(b"\x89PNG")


def test_two_games_do_not_touch_each_other():
    first, second = game(), game()
    first.guess("c")
    assert first.ranks == [1] and second.ranks == [] and second.state["cells"] == []


def test_messages_from_the_browser_play_and_nonsense_is_ignored():
    g = game()
    for content in (
        {"type": "guess", "character": "c"},
        {"type": "reveal"},
        {"type": "guess"},
        {"type": "guess", "character": 3},
        "x",
        None,
    ):
        g._receive(content)
    assert len(g.ranks) == 2 and g.ranks[0] == 1


def test_state_shows_newlines_and_spaces_but_not_what_comes():
    g = GuessingGame("ab\n cd", 5, start=1)
    for character in "b\n ":
        g.guess(character)
    assert [cell[0] for cell in g.state["cells"]] == ["b", "↵", "␣"]
    assert [cell[2] for cell in g.state["cells"]] == [False, True, False]
    assert g.state["hidden"] == 2 and ["\n", "↵", "newline"] in g.state["alphabet"]
    assert "cd" not in str(g.state)


def test_same_seed_same_place_and_context_is_what_stands_before():
    g = GuessingGame(TEXT, 20, seed=3)
    assert g.start == GuessingGame(TEXT, 20, seed=3).start != GuessingGame(TEXT, 20, seed=4).start
    assert (g.context + g.text) == TEXT[g.start - 200 : g.start + 20]
    state = random.getstate()
    GuessingGame(TEXT, 20, seed=5)
    assert random.getstate() == state  # the seed is ours alone


@pytest.mark.parametrize(
    "options, message",
    [
        ({"text": ""}, "0 characters and 40"),
        ({"text": "short"}, "longer text"),
        ({"text": TEXT, "n_characters": 0}, "from 1 on"),
        ({"text": TEXT, "start": -1}, "positions 0 to"),
        ({"text": TEXT, "start": len(TEXT)}, "positions 0 to"),
        ({"text": TEXT, "alphabet": "abc"}, "alphabet lacks"),
        ({"text": TEXT, "alphabet": ["ab"]}, "single characters"),
    ],
)
def test_impossible_games_are_refused_with_what_to_do(options, message):
    with pytest.raises(ValueError, match=message):
        GuessingGame(**options)


# ---- a model plays


def test_a_model_guesses_in_the_order_of_its_probabilities():
    text = "cabbac" * 10
    result = GuessingGame(text, 6, start=6).play(Fixed({"a": 0.2, "b": 0.7, "c": 0.1}))
    assert result.text == "cabbac" and result.ranks == (3, 2, 1, 1, 2, 3)


def test_ranks_are_positions_among_the_sorted_probabilities():
    alphabet = sorted(set(TEXT))
    p = np.random.default_rng(0).dirichlet(np.ones(len(alphabet)))
    model = Fixed(dict(zip(alphabet, p, strict=True)))
    result = game(n_characters=40).play(model)
    assert result.ranks == tuple(1 + int((p > p[alphabet.index(c)]).sum()) for c in result.text)


def test_a_model_that_knows_the_text_needs_no_bits():
    g = game(n_characters=30, start=50)
    result = g.play(Knowing(TEXT, 50))
    assert set(result.ranks) == {1} and (result.lower_bits, result.upper_bits) == (0, 0)
    assert g.ranks == []  # the learner's own game stays


def test_equally_likely_characters_are_tried_in_the_alphabets_order():
    g = game(n_characters=12)
    result = g.play(Fixed({c: 1 / len(g.alphabet) for c in reversed(g.alphabet)}))
    assert result.ranks == tuple(g.alphabet.index(c) + 1 for c in g.text)


def test_the_end_token_stands_for_a_newline_and_missing_characters_are_named():
    g = GuessingGame("ab\nab\nab\n", 6, start=0)
    assert g.play(Fixed({"</s>": 0.6, "a": 0.3, "b": 0.1})).ranks == (2, 3, 1, 2, 3, 1)
    with pytest.raises(ValueError, match="no token 'b'"):
        g.play(Fixed({"</s>": 0.6, "a": 0.4}))


def test_an_own_encode_is_used():
    shifted = Fixed({"?": 0.1, "b": 0.3, "a": 0.6})
    g = GuessingGame("abab", 4, start=0)
    assert g.play(shifted, encode=lambda text: [{"a": 1, "b": 2}[c] for c in text]).ranks == (2, 1, 2, 1)


# ---- type-ahead


def ahead(**options) -> TypeAhead:
    return TypeAhead(**{"models": {n: Words(WORDS) for n in (1, 2, 3)}, "text": "the cat"} | options)


def test_suggestions_are_the_models_own_probabilities_over_the_full_vocabulary():
    t = ahead(top=3)
    assert [(s.token, s.percent) for s in t.suggestions()] == [("the", "50.0 %"), ("cat", "30.0 %"), ("</s>", "10.0 %")]
    assert t.frame["rest"] == "all 3 others together: 10.0 %"
    assert [row["probability"] for row in t.frame["suggestions"]] == pytest.approx([0.5, 0.3, 0.1])


def test_tiny_probabilities_are_not_shown_as_zero():
    rows = {row["shown"]: row["percent"] for row in ahead().frame["suggestions"]}
    assert rows["rare"] == "< 0.1 %" and ahead().frame["rest"] == ""


@pytest.mark.parametrize("order, kinds", [(1, [0, 0, 0]), (2, [0, 0, 2]), (3, [0, 1, 2])])
def test_context_shows_what_the_order_sees_and_what_was_matched(order, kinds):
    t = ahead(text="the big cat", order=order)
    assert t.frame["context"] == [[token, kind] for token, kind in zip(["the", "<unk>", "cat"], kinds, strict=True)]
    assert ("only the last one stands like this, so order 2 answers" in t.frame["note"]) == (order == 3)


def test_text_and_order_can_be_set_and_every_change_makes_a_frame():
    t = ahead()
    t.text = "the cat the"
    assert t.frame["text"] == "the cat the" and len(t.frame["context"]) == 3
    t.order = 1
    assert t.frame["order"] == 1 and "no token" in t.frame["note"]
    with pytest.raises((ValueError, TraitError), match="orders are 1, 2, 3"):
        t.order = 9


def test_special_tokens_append_a_new_line_or_nothing():
    rows = {row["shown"]: row["append"] for row in ahead().frame["suggestions"]}
    assert rows["</s>"] == "\n" and rows["<unk>"] == "" and rows["cat"] == "cat" and rows[visible(HTML)] == HTML


def test_a_function_of_the_order_and_an_own_encode():
    t = TypeAhead(
        lambda order: Fixed({"a": 0.5, "b": 0.5}),
        lambda text: ["ab".index(c) for c in text],
        orders=range(1, 4),
        text="ab",
        join="",
    )
    assert t.orders == (1, 2, 3) and t.order == 3 and t.context_ids().tolist() == [0, 1]
    assert [s.token for s in t.suggestions()] == ["a", "b"]  # equally likely: in the vocabulary's order


def test_what_the_model_cannot_read_is_said_and_mends_itself():
    t = TypeAhead({1: Fixed({"a": 1.0})}, lambda text: ["a".index(c) for c in text], join="")
    t.text = "z"
    assert "cannot read this" in t.frame["error"] and t.frame["suggestions"] == [] and to_png(t.picture())
    t.text = "a"
    assert t.frame["error"] == "" and t.frame["suggestions"]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"models": {}}, "no model"),
        ({"models": lambda order: None}, "orders="),
        ({"models": {1: Fixed({"a": 1.0})}}, "pass encode="),
        ({"top": 11}, "top must be"),
        ({"order": 7}, "no model of order 7"),
    ],
)
def test_impossible_type_aheads_are_refused(options, message):
    with pytest.raises((ValueError, TraitError), match=message):
        ahead(**options)


# ---- pictures and the browser's side


def played() -> GuessingGame:
    g = game()
    for character in "xyca":
        g.guess(character)
    return g


@pytest.mark.parametrize("make", [game, played, ahead, lambda: ahead(text=""), lambda: ahead(text="$x$ 中文 " * 30)])
def test_every_widget_carries_a_picture_text_and_the_live_view(make):
    data, _ = make()._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/png", "application/vnd.jupyter.widget-view+json"}
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    again, _ = make()._repr_mimebundle_()
    assert (again["text/plain"], again["image/png"]) == (data["text/plain"], data["image/png"])
    assert "0x" not in data["text/plain"] and "\n" not in data["text/plain"] and len(data["image/png"]) < 100_000


SAVED = """
from helpers.exercises import check, quiz
from helpers.probability import LanguageModel
from helpers.widgets import GuessingGame, TypeAhead
import numpy as np

class Coin(LanguageModel):
    vocab = ["a", "b"]
    next_log_probs = lambda self, context: np.log([0.75, 0.25])

game = GuessingGame("abba" * 20, 12)
"""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("change, passes", [("", True), ("game.guess('a');", False)], ids=["as saved", "played meanwhile"])
def test_a_saved_notebook_passes_validation_and_a_changed_one_does_not(tmp_path, change, passes):
    sources = [
        SAVED,
        f"{change}game",
        "game.play(Coin())",
        "TypeAhead({1: Coin()}, lambda text: [], text='ab')",
        "quiz('1')",
        "check('1.1', ...)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    path = tmp_path / "saved.ipynb"
    nbformat.write(notebook, path)
    executed, _ = execute(path)
    stored = clean(executed)
    kinds = [set(output.data) for cell in stored.cells for output in cell.outputs]
    assert kinds == [{"text/plain", "image/png"}] * 3 + [{"text/plain", "text/markdown"}] * 2
    stored.cells[1].source = "game"
    nbformat.write(stored, path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (run.returncode == 0) == passes, run.stdout
    assert ("6 passed" if passes else "1 failed, 5 passed") in run.stdout


SCRIPTED = (
    AttentionExplorer, EmbeddingMap, GuessingGame, NextTokens, PromptLab, QuizWidget, TokenView, TrainingDashboard, TypeAhead,
)  # fmt: skip


@pytest.mark.parametrize("widget", SCRIPTED)
def test_scripts_reach_for_nothing_outside_and_write_no_html(widget):
    source = str(widget._esm).replace("http://www.w3.org/2000/svg", "")  # a name, which nobody asks for
    outside = ("http:", "https:", "import ", "fetch(", "WebSocket", "XMLHttpRequest")
    html = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval(")
    assert not [word for word in (*outside, *html) if word in source]
    assert len(source.encode()) < 60_000 and source.count("export default") == 1


def test_the_experiments_are_a_module_of_their_own_in_the_same_way():
    assert not [word for word in ("http", "import", "fetch(", "WebSocket", "innerHTML", "eval(") if word in EXPERIMENTS]
    assert len(EXPERIMENTS.encode()) < 60_000 and EXPERIMENTS.count("export const") == 1


def test_scripts_travel_without_comments_but_with_their_strings_whole():
    assert dense('// a\n  b("c // d"); // e\n\n f(`g // h`)') == 'b("c // d");\nf(`g // h`)'


def test_every_script_belongs_to_a_widget():
    used = tight(EXPERIMENTS + "".join(str(widget._esm) for widget in SCRIPTED))
    assert all(tight(dense(path.read_text(encoding="utf-8"))) in used for path in STATIC.glob("*.js"))


def test_every_css_selector_is_ours():
    css = (STATIC / "widgets.css").read_text(encoding="utf-8")
    rules = [rule.split("{")[0].split("*/")[-1] for rule in css.split("}")[:-1]]
    assert rules and all(".lm-widget" in selector for rule in rules for selector in rule.split(","))
