"""Data augmentation: labels stay, the seed decides, and nothing is kept that the rule refuses."""

from collections import Counter

import numpy as np
import pytest

from helpers import world
from helpers.applications import augment, draw_labelled, review_groups, synonym_swap
from helpers.probability import LanguageModel
from helpers.tokenizers import WordTokenizer
from helpers.world import reviews

GROUPS = (("good", "great", "fine"), ("bad", "poor"), ("in short", "briefly", "short"))


def swap(text: str, seed: int = 0, rate: float = 1.0, groups=GROUPS) -> str:
    return synonym_swap(text, groups, np.random.default_rng(seed), rate)


# Swapping words


def test_swap_by_hand():
    assert swap("so bad, not poor; badly.") == "so poor, not bad; badly."  # groups of two leave no choice
    assert swap("Bad or BAD") == "Bad or BAD"  # as written only
    assert swap("nothing of the kind") == "nothing of the kind"
    assert swap("a bad day", groups=()) == "a bad day"


def test_swap_takes_the_longest_phrase():
    assert {swap("well, in short", seed) for seed in range(30)} == {"well, briefly", "well, short"}


def test_swap_draws_evenly_among_the_others():
    counts = Counter(swap("good", seed) for seed in range(600))
    assert set(counts) == {"great", "fine"}
    assert 250 < counts["great"] < 350  # 300 expected, four standard errors are 49


def test_swap_keeps_words_at_the_rate():
    text, swapped = " ".join(["bad"] * 2000), swap(" ".join(["bad"] * 2000), rate=0.25)
    assert 420 < swapped.split().count("poor") < 580  # 500 expected, four standard errors are 77
    assert swap(text, rate=0) == text and swap(text, rate=1).split() == ["poor"] * 2000


def test_the_worlds_groups_change_reviews_and_keep_label_and_grammar():
    rng, changed = np.random.default_rng(1), 0
    for text in world.sample(400, seed=2, kind="review"):
        new = synonym_swap(text, review_groups(), rng, rate=0.7)
        assert world.label(new) == world.label(text)  # which raises for what is no review of the world
        changed += new != text
    assert changed > 390


def test_every_word_of_praise_and_blame_is_in_one_group():
    found = Counter(word for group in review_groups() for word in group)
    assert max(found.values()) == 1
    assert {*reviews.PRAISE, *reviews.BLAME} <= set(found)


def is_review(text: str, label: str) -> bool:
    """Whether a text is a review of the world and comes to this label."""
    try:
        return world.label(text) == label
    except ValueError:
        return False


def test_swapping_praise_for_blame_would_spoil_every_review():
    wrong, rng = list(zip(reviews.PRAISE, reviews.BLAME, strict=True)), np.random.default_rng(0)
    for text in world.sample(50, seed=3, kind="review"):
        assert not is_review(synonym_swap(text, wrong, rng, rate=1.0), world.label(text))


@pytest.mark.parametrize(
    ("groups", "rate", "message"),
    [
        ((["a", "b"], ["b", "c"]), 0.5, "'b' stands in two groups"),
        ((["a", "a"],), 0.5, "twice in one"),
        ((["a"],), 0.5, "two words or more"),
        (("ab",), 0.5, "two words or more"),
        (GROUPS, 1.5, "rate must lie"),
    ],
)
def test_bad_groups_and_rates_are_refused(groups, rate, message):
    with pytest.raises(ValueError, match=message):
        swap("a", rate=rate, groups=groups)


# More examples from those there are


def test_augment_keeps_the_originals_and_their_labels():
    texts, labels = augment(["good day", "bad day"], [1, 0], lambda text, rng: synonym_swap(text, GROUPS, rng, 1.0), 3, seed=0)
    assert texts[:2] == ["good day", "bad day"] and labels == [1, 0] * 4
    assert texts[3::2] == ["poor day"] * 3
    assert set(texts[2::2]) <= {"great day", "fine day"}
    assert augment(["a"], [1], lambda text, rng: text, 0, seed=0) == (["a"], [1])


def test_the_seed_decides_what_augment_gives():
    def examples(seed):
        return augment(["good " * 20], [1], lambda text, rng: synonym_swap(text, GROUPS, rng), 4, seed)

    assert examples(5) == examples(5) != examples(6)


@pytest.mark.parametrize(
    ("texts", "labels", "copies", "message"),
    [(["a"], [1, 2], 1, "2 labels for 1 texts"), ([], [], 1, "texts is empty"), (["a"], [1], -1, "copies must be 0 or more")],
)
def test_augment_refuses(texts, labels, copies, message):
    with pytest.raises(ValueError, match=message):
        augment(texts, labels, lambda text, rng: text, copies, 0)


# More examples from a model


class Talker(LanguageModel):
    """After "yes:" it says good, after "no:" bad, once or more, and then a mark or the end."""

    def __init__(self, tokenizer: WordTokenizer):
        self.vocab = tokenizer.vocab
        self.follows = {"yes": ":", "no": ":", "good": "good end", "bad": "bad ? end", "?": "end", "end": "end"}

    def next_log_probs(self, context):
        words = [self.vocab[i] for i in context]
        first = {"yes": "good", "no": "bad"}[words[0]]
        after = (first if words[-1] == ":" else self.follows[words[-1]]).split()
        return np.log([after.count(token) / len(after) + 1e-300 for token in self.vocab])


@pytest.fixture(scope="module")
def tokenizer() -> WordTokenizer:
    return WordTokenizer("yes no : good bad ? end".split(), unknown=None)


def drawn(tokenizer, n=3, keep=lambda text, label: True, seed=0, **more):
    end = tokenizer.vocab.index("end")
    settings = {"max_new_tokens": 30, "stop": [end], "batch": 4} | more
    return draw_labelled(Talker(tokenizer), tokenizer, {1: "yes:", 0: "no:"}, n, keep, seed=seed, **settings)


def test_drawn_texts_follow_the_prompt_of_their_label(tokenizer):
    found = drawn(tokenizer)
    assert found.labels == [1, 1, 1, 0, 0, 0] and len(found.texts) == 6
    for text, label in zip(found.texts, found.labels, strict=True):
        assert set(text.replace("?", " ?").split()) <= ({"good"} if label else {"bad", "?"})


def test_no_text_is_kept_twice(tokenizer):
    assert len(set(drawn(tokenizer, n=4).texts)) == 8


def test_only_what_the_rule_lets_through_is_kept(tokenizer):
    found = drawn(tokenizer, n=2, keep=lambda text, label: label == 1 or "?" in text, tries=200)
    assert found.labels == [1, 1, 0, 0]
    assert all("?" in text for text in found.texts[2:])


def test_drawing_ends_where_nothing_is_kept(tokenizer):
    found = drawn(tokenizer, n=5, keep=lambda text, label: label == 0, tries=30)
    assert set(found.labels) == {0} and len(found.texts) == 5
    assert 30 < found.tries <= 60
    nothing = drawn(tokenizer, n=2, keep=lambda text, label: False)
    assert (nothing.texts, nothing.labels, nothing.tries) == ([], [], 40)


def test_an_empty_text_is_not_kept(tokenizer):
    assert drawn(tokenizer, n=1, max_new_tokens=0).texts == []


def test_the_seed_decides_what_is_drawn(tokenizer):
    assert drawn(tokenizer, seed=3) == drawn(tokenizer, seed=3) != drawn(tokenizer, seed=4)


def test_every_batch_draws_anew(tokenizer):
    # With one text a batch, a generator begun again each time would give the same text for ever.
    assert len(drawn(tokenizer, n=3, batch=1, tries=100).texts) == 6


def test_the_world_can_filter_what_a_model_writes(tokenizer):
    assert drawn(tokenizer, keep=is_review).texts == []
    assert is_review("We borrowed a table in Ashby. The shape was dull.", "negative")


@pytest.mark.parametrize("more", [{"n": 0}, {"batch": 0}, {"temperature": -1}])
def test_drawing_refuses(tokenizer, more):
    with pytest.raises(ValueError, match=r"at least 1|temperature"):
        drawn(tokenizer, **more)


def test_drawing_needs_prompts(tokenizer):
    with pytest.raises(ValueError, match="0 prompts"):
        draw_labelled(Talker(tokenizer), tokenizer, {}, 1, lambda text, label: True, max_new_tokens=3)
