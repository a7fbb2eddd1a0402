"""Prompts: templates by hand, label probabilities against the chain rule, calibration by hand, weights that stay."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.adapting.prompts import Template, accuracy_by_order, calibrated, label_log_probs
from helpers.neural_lm import GRU, GRUConfig
from helpers.ngrams import NGramModel
from helpers.probability import LanguageModel
from helpers.sampling import normalise
from helpers.transformer import GPT, GPTConfig

VOCAB = ["\n", *"abcdefg"]
GOOD, BAD = {"text": "fine", "label": "good"}, {"text": "dull", "label": "bad"}


def encode(text):
    return [VOCAB.index(char) for char in text]


def make_gpt(**changes):
    config = {"vocab_size": len(VOCAB), "block_size": 8, "n_layer": 2, "n_head": 2, "n_embd": 16, "end": 0, "seed": 3}
    model = GPT(GPTConfig(**config | changes), VOCAB)
    with torch.no_grad():  # larger weights than training begins with, so that predictions depend on what was read
        for p in model.parameters():
            if p.ndim == 2:
                p.mul_(3)
    return model


def ngrams():
    return NGramModel.fit([list("abcabd"), list("gfgfa")], order=3, smoothing="kneser-ney")


MODELS = {"gpt": make_gpt, "gru": lambda: GRU(VOCAB, GRUConfig(n_embd=4, n_hidden=5))}


# ---- templates


def test_a_prompt_by_hand():
    template = Template("Review: {text}\nIt was {label}.")
    assert template.prompt({"text": "odd"}) == "Review: odd\nIt was "
    assert template.prompt({"text": "odd"}, [GOOD]) == "Review: fine\nIt was good.\nReview: odd\nIt was "


def test_shots_stand_in_the_order_given():
    template = Template("{text}={label}")
    assert template.prompt({"text": "odd"}, [GOOD, BAD], between=";") == "fine=good;dull=bad;odd="
    assert template.prompt({"text": "odd"}, [BAD, GOOD], between=";") == "dull=bad;fine=good;odd="


def test_a_prompt_never_shows_the_questions_own_answer():
    template = Template("{text}={label}")
    assert template.prompt(GOOD) == template.prompt({"text": "fine"}) == "fine="


def test_fields_may_come_twice_and_values_are_put_in_as_they_are():
    assert Template("{a}{a}{{{b}").fill({"a": "{b}", "b": 7, "c": "unused"}) == "{b}{b}{7"


@settings(deadline=None)
@given(st.text(), st.text())
def test_a_filled_template_is_its_prompt_and_its_answer(text, label):
    template = Template("Q {text} A {label}")
    assert template.fill({"text": text, "label": label}) == template.prompt({"text": text}) + label


def test_the_missing_field_is_named():
    template, whole = Template("{text} {place} {label}"), {"text": "x", "place": "y", "label": "z"}
    for name in ("text", "place"):
        with pytest.raises(ValueError, match=f"the field '{name}'"):
            template.prompt({key: value for key, value in whole.items() if key != name}, [whole])
    for name in whole:
        with pytest.raises(ValueError, match=f"the field '{name}'"):
            template.prompt(whole, [{key: value for key, value in whole.items() if key != name}])


@pytest.mark.parametrize("text", ["nothing", "{", "{}", "{a.b}", "{a[0]}", "{a!r}", "{a:>9}", "{0}", "{label} {text} {label}"])
def test_a_template_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="the template"):
        Template(text)


# ---- labels


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("prompt", ["abc", "", "abcdefgabcdefg", "abcdefga", "abcdefg"])
def test_labels_are_scored_by_the_chain_rule(name, prompt):
    """Also past a context of 8, full before a label, with it, or within it; and from a text's very beginning."""
    model, labels = MODELS[name](), ["a", "ab", "gfa", "abcd"]
    found = label_log_probs(model, encode, prompt, labels)
    whole = [model.log_probs(encode(prompt + label))[len(prompt) :].sum() for label in labels]
    assert found == pytest.approx(whole, rel=1e-5)


def test_labels_of_a_model_without_a_reader_of_its_own():
    model = ngrams()
    ids = [model.vocab.index(token) for token in "abc"]
    found = label_log_probs(model, lambda text: [model.vocab.index(token) for token in text], "abc", ["d", "ab"])
    assert found[0] == pytest.approx(model.next_log_probs(ids)[model.vocab.index("d")])
    a, b = (model.vocab.index(token) for token in "ab")
    assert found[1] == pytest.approx(model.next_log_probs(ids)[a] + model.next_log_probs([*ids, a])[b])


@pytest.mark.parametrize("name", MODELS)
def test_many_prompts_are_scored_as_one_by_one(name):
    model, labels = MODELS[name](), ["a", "bc", "bd"]
    prompts = ["abc", "", "cba", "abcdefgabcdefg", "ggg", "a"] + ["fed"] * 70  # more than are read side by side
    found = label_log_probs(model, encode, prompts, labels)
    assert found.shape == (76, 3)
    assert found == pytest.approx(np.array([label_log_probs(model, encode, prompt, labels) for prompt in prompts]), rel=1e-5)


def test_all_labels_of_a_length_have_probability_one_together():
    labels = [a + b for a in VOCAB for b in VOCAB]
    assert np.exp(label_log_probs(make_gpt(), encode, "abc", labels)).sum() == pytest.approx(1, rel=1e-5)


def test_the_prompt_is_read_once():
    class Counting(LanguageModel):
        vocab, contexts = VOCAB, []

        def next_log_probs(self, context):
            self.contexts.append(len(context))
            return np.full(len(VOCAB), -math.log(len(VOCAB)))

    label_log_probs(Counting(), encode, "abcde", ["a", "b", "cd", "ce"])
    assert Counting.contexts == [5, 6, 6]  # the prompt, and the labels of two tokens after their first


def test_prompting_leaves_the_weights_alone():
    model = make_gpt()
    before = copy.deepcopy(model.state_dict())
    label_log_probs(model, encode, ["abc", "d"], ["ab", "c"])
    assert all(torch.equal(before[name], p) for name, p in model.state_dict().items())


def test_labels_that_cannot_be_scored_are_refused():
    for labels, message in (
        ([], "list of label"),
        ("ab", "list of label"),
        (["a", ""], "no token"),
        (["a", "a"], "same tokens"),
    ):
        with pytest.raises(ValueError, match=message):
            label_log_probs(make_gpt(), encode, "abc", labels)


def test_no_prompts_have_no_scores():
    assert label_log_probs(make_gpt(), encode, [], ["a", "b"]).shape == (0, 2)


# ---- calibration


def test_calibration_by_hand():
    """0.6 : 0.4 where a prompt without content gives 0.8 : 0.2 means 0.75 : 2, so the second label wins with 2 / 2.75."""
    found = np.exp(calibrated(np.log([0.6, 0.4]), np.log([0.8, 0.2])))
    assert found == pytest.approx([0.75 / 2.75, 2 / 2.75])


def test_calibration_averages_probabilities_of_several_questions():
    """(0.9 + 0.5) / 2 = 0.7 and 0.3; averaging logarithms would give 3 : 1."""
    found = np.exp(calibrated(np.log([0.7, 0.3]), np.log([[0.9, 0.1], [0.5, 0.5]])))
    assert found == pytest.approx([0.5, 0.5])


some_log_probs = st.lists(st.floats(-50, 0), min_size=3, max_size=3).map(np.array)


@settings(deadline=None)
@given(some_log_probs, some_log_probs, st.floats(-900, 0))
def test_calibration_sums_to_one_and_knows_no_scale(log_probs, bias, scale):
    found = calibrated(log_probs + scale, bias + scale)
    assert np.exp(found).sum() == pytest.approx(1)
    assert found == pytest.approx(calibrated(log_probs, bias), abs=1e-9)


@settings(deadline=None)
@given(some_log_probs)
def test_calibration_makes_the_question_without_content_even_and_uniform_bias_changes_nothing(log_probs):
    assert np.exp(calibrated(log_probs, log_probs)) == pytest.approx([1 / 3] * 3)
    assert calibrated(log_probs, np.zeros(3)) == pytest.approx(normalise(log_probs), abs=1e-9)


def test_the_winner_is_that_of_the_paper():
    """Theirs: softmax(W p) with W = diag(c)⁻¹."""
    rng = np.random.default_rng(0)
    p, c = rng.dirichlet(np.ones(4), 100), rng.dirichlet(np.ones(4))
    assert (calibrated(np.log(p), np.log(c)).argmax(-1) == (p @ np.diag(1 / c)).argmax(-1)).all()


def test_bad_calibration_is_refused():
    for log_probs, content_free, message in (
        ([-1, -2], [-1, -2, -3], "same labels"),
        ([-1, -2], [-1, -np.inf], "label 1 has probability 0"),
        ([-np.inf, -np.inf], [-1, -2], "no label has any"),
    ):
        with pytest.raises(ValueError, match=message):
            calibrated(log_probs, content_free)


# ---- the order of the shots


def test_accuracy_by_order_of_a_model_that_repeats_the_last_label():
    class Copycat(LanguageModel):
        vocab = VOCAB

        def next_log_probs(self, context):
            last = [token for token in context if token in encode("fg")][-1]
            return np.where(np.arange(len(VOCAB)) == last, -0.1, -9.0)

    shots = [{"q": "a", "answer": "f"}, {"q": "b", "answer": "g"}]
    examples = [{"q": "c", "answer": "g"}, {"q": "d", "answer": "g"}, {"q": "e", "answer": "f"}, {"q": "a", "answer": "g"}]
    found = accuracy_by_order(Copycat(), encode, Template("{q}{answer}"), examples, shots, ["f", "g"])
    assert found == {(0, 1): 0.75, (1, 0): 0.25}
    found = accuracy_by_order(Copycat(), encode, Template("{q}{answer}"), examples, shots, ["f", "g"], between="f")
    assert found == {(0, 1): 0.25, (1, 0): 0.25}  # "f" stands after each of the shots
