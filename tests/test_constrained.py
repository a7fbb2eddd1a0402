"""Constrained decoding: patterns against `re`, beginnings against `regex`, and a match whatever the model and the seed."""

import itertools
import json
import math
import re

import numpy as np
import pytest
import regex
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from helpers.adapting.constrained import constrain, generate_matching, json_shape, restricted, token_texts
from helpers.adapting.regular import Pattern
from helpers.probability import LanguageModel
from helpers.sampling import generate, normalise
from helpers.tokenizers import BPETokenizer, CharTokenizer, WordTokenizer
from helpers.transformer import GPT, GPTConfig

ALPHABET = 'ab-]"\\\né'
CHARS = ["a", "b", "-", "\\]", '"', "\\n", "\n", "é", "\\-", "\\\\", "."]
CLASSES = ["[ab]", "[^a]", "[a-z]", "[^a-z]", "[-a]", "[a-]", "[\\]a]", "[^\\n-]", "[a-c-]", "[é-ü]", '[^\\]"]', "[.b]"]
REPEATS = ["*", "+", "?", "{2}", "{1,}", "{0,2}", "{1,3}", "{0}"]

# Every repetition is of a group of its own, so that `re` reads what was meant; empty alternatives and groups are in.
regexes = st.recursive(
    st.sampled_from([*CHARS, *CLASSES, ""]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(REPEATS)).map(lambda pair: f"({pair[0]}){pair[1]}"),
    ),
    max_leaves=6,
)
texts = st.text(ALPHABET, max_size=6)
SHORT = ["".join(text) for n in range(4) for text in itertools.product("ab-", repeat=n)]
unhurried = settings(deadline=None, max_examples=100)  # a test's time depends on what else the machine does


class Chance(LanguageModel):
    """The same distribution at every step, or a fresh one each from a seed, some of it −∞."""

    def __init__(self, vocab, seed=0, log_probs=None):
        self.vocab, self.rng, self.fixed = vocab, np.random.default_rng(seed), log_probs

    def next_log_probs(self, context):
        if self.fixed is not None:
            return self.fixed
        scores = self.rng.normal(0, 10, len(self.vocab))
        scores[self.rng.random(len(scores)) < 0.3] = -np.inf
        scores[self.rng.integers(len(scores))] = 0
        return normalise(scores)


def written(new, vocab, stop=()):
    return "".join(vocab[i] for i in new if i not in stop)


# ---- regular expressions


def by_package(source, text, **options):
    """What the package regex says. Nested repeats may keep it for ever, as they may `re`: then the example is given up."""
    try:
        return bool(regex.fullmatch(source, text, timeout=1, **options))
    except TimeoutError:
        reject()


@unhurried
@given(regexes, st.data())
def test_a_pattern_matches_what_pythons_does(source, data):
    """On all short texts, on one that matches, and on one that nearly does; the longer ones by an oracle with a time limit."""
    pattern, match = Pattern(source), data.draw(st.from_regex(source, fullmatch=True, alphabet=ALPHABET))
    for text in [*SHORT, match, match[:-1], match + "a", data.draw(texts)]:
        says = re.fullmatch if len(text) <= 3 else by_package
        assert pattern.matches(text) == bool(says(source, text)), text


@unhurried
@given(regexes, st.data())
def test_a_beginning_is_allowed_if_something_that_matches_begins_so(source, data):
    """The oracle is the partial match of the package regex."""
    pattern, match = Pattern(source), data.draw(st.from_regex(source, fullmatch=True, alphabet=ALPHABET))
    assert all(pattern.allowed(match[:n]) for n in range(len(match) + 1))
    for text in [*SHORT, match + "a", data.draw(texts)]:
        assert pattern.allowed(text) == by_package(source, text, partial=True), text


@unhurried
@given(st.text(max_size=20), st.text(max_size=20))
def test_an_escaped_text_matches_itself_only(text, other):
    assert Pattern(re.escape(text)).matches(text)
    assert Pattern(re.escape(text)).matches(other) == (text == other)


def test_beginnings_by_hand():
    pattern = Pattern("(ab|ac)d{2}")
    assert [pattern.allowed(text) for text in ("", "a", "ab", "acd", "abdd")] == [True] * 5
    assert [pattern.allowed(text) for text in ("b", "ad", "abddd")] == [False] * 3
    assert [pattern.matches(text) for text in ("", "abd", "abdd", "acdd")] == [False, False, True, True]


def test_a_pattern_has_few_states():
    """Equal remainders are one state: (a|b)*abb has the four of its smallest automaton."""
    pattern = Pattern("(a|b)*abb")
    states = {pattern.step(pattern.start, "".join(text)) for n in range(7) for text in itertools.product("ab", repeat=n)}
    assert len(states) == 4


@pytest.mark.parametrize(
    ("source", "position", "message"),
    [
        ("a)", 1, "closes no group"), ("(a", 2, "before a \\)"), ("(?:a)", 1, "begins with \\?"), ("*a", 0, "means nothing"),
        ("a**", 2, "in a row"), ("a+?", 2, "in a row"), ("a{2}{3}", 4, "in a row"), ("^a", 0, "means nothing"),
        ("a$", 1, "means nothing"), ("]", 0, "means nothing"), ("}", 0, "means nothing"), ("a{", 1, "is no {m}"),
        ("a{x}", 1, "is no {m}"), ("a{,3}", 1, "is no {m}"), ("a{3,2}", 1, "is no {m}"), ("a{10000}", 1, "is no {m}"),
        ("\\d", 1, "the escape"), ("[\\w]", 2, "the escape"), ("a\\", 2, "the escape"), ("(a)\\1", 4, "the escape"),
        ("[]", 1, "empty or has no end"), ("[a", 2, "empty or has no end"), ("[b-a]", 4, "ends before"), ("[[a]", 1, "nothing"),
    ],
)  # fmt: skip
def test_other_syntax_is_refused_with_its_place(source, position, message):
    with pytest.raises(ValueError, match=f"at position {position} of .*{message}"):
        Pattern(source)


@pytest.mark.parametrize("source", ["(" * 3000 + ")" * 3000, "(a*b?){9999}", "a?" * 3000])
def test_a_pattern_that_is_too_large_is_refused(source):
    with pytest.raises(ValueError, match=r"nested too deeply|grows beyond"):
        Pattern(source).matches("a")


# ---- JSON shapes


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        ({}, {}),
        ({"name": "string"}, {"name": "Ada (née Byron)"}),
        ({"age": "number", "ok": "boolean"}, {"age": -12.5, "ok": True}),
        ({"kind": ["a", "b|c", 3, None]}, {"kind": "b|c"}),
        ({"kind": ["a", "b|c", 3, None]}, {"kind": None}),
        ({'a "quoted" \\ name': ["*"]}, {'a "quoted" \\ name': "*"}),
    ],
)
def test_a_shape_matches_what_json_writes(shape, value):
    assert Pattern(json_shape(shape)).matches(json.dumps(value, ensure_ascii=False))


@pytest.mark.parametrize("number", ["0", "-0", "7", "120", "3.25", "-1.0"])
def test_numbers(number):
    assert Pattern(json_shape({"n": "number"})).matches(f'{{"n": {number}}}')


@pytest.mark.parametrize("text", ['{"n": 01}', '{"n": .5}', '{"n": 1.}', '{"n": +1}', '{"n": }', '{"n": 1', '{"m": 1}'])
def test_what_is_no_json_of_the_shape_does_not_match(text):
    assert not Pattern(json_shape({"n": "number"})).matches(text)


@pytest.mark.parametrize("inside", ['"', "\\", "\n", "\0", "\x1f"])
def test_a_string_has_nothing_in_it_that_json_would_escape(inside):
    pattern = Pattern(json_shape({"s": "string"}))
    assert not pattern.matches(f'{{"s": "a{inside}b"}}') and pattern.matches('{"s": "a b\x7f\u2028é"}')


def test_a_choice_is_not_half_a_choice():
    assert not Pattern(json_shape({"a": ["x", "y"], "b": ["z"]})).matches('{"a": "x')


@pytest.mark.parametrize("kind", ["date", [], ""])
def test_an_unknown_kind_is_refused(kind):
    with pytest.raises(ValueError, match="the field 'a' has the kind"):
        json_shape({"a": kind})


# ---- tokens


def test_tokens_of_several_characters_by_hand():
    texts = ["7", "a", "123", "45", "", " 4"]
    digits = constrain("[0-9]{2}", texts)
    assert digits.tokens().tolist() == [True, False, False, True, False, False]
    assert digits.tokens("1").tolist() == [True, False, False, False, False, False]
    assert not digits.tokens("12").any() and not digits.tokens("x").any()
    assert digits.distances[0] == 1


@unhurried
@given(regexes, st.lists(st.text(ALPHABET, max_size=3), max_size=8), texts)
def test_a_token_is_allowed_if_the_text_with_it_is(source, vocab, text):
    pattern = Pattern(source)
    found = constrain(pattern, vocab).tokens(text)
    assert found.tolist() == [token != "" and pattern.allowed(text + token) for token in vocab]


@unhurried
@given(regexes, st.lists(st.text("ab-", min_size=1, max_size=3), min_size=1, max_size=4, unique=True))
def test_the_shortest_match_is_the_shortest(source, vocab):
    """Against all sequences of up to four tokens."""
    found = constrain(source, vocab).distances[0]
    for n in range(5):
        if any(re.fullmatch(source, "".join(tokens)) for tokens in itertools.product(vocab, repeat=n)):
            assert found == n
            return
    assert found > 4


def test_what_is_known_of_a_pattern_is_kept():
    assert constrain("a+b", ["a", "b"]) is constrain(Pattern("a+b"), ("a", "b"))
    assert constrain("a+b", ["a", "b"]) is not constrain("a+b", ["b", "a"])


def test_token_texts():
    chars = CharTokenizer.train("abc", unknown="<unk>")
    assert token_texts(chars) == ["", "a", "b", "c"]
    words = WordTokenizer.train("to be or")
    assert token_texts(words, " ") == ["", *(" " + word for word in words.vocab[1:])]
    pairs = BPETokenizer.train("ab ab ab ab", 258, ["<end>"])
    found = token_texts(pairs)
    assert (found[ord("a")], found[0xE4], found[256], found[257]) == ("a", "", "ab", "")


# ---- generation


@settings(unhurried, max_examples=200)
@given(
    regexes,
    st.lists(st.text(ALPHABET, max_size=3), min_size=1, max_size=8),
    st.integers(0, 2**32),
    st.integers(0, 8),
    st.sampled_from([0.0, 0.5, 1.0, 3.0]),
    st.booleans(),
)
def test_whatever_the_model_the_text_matches_and_is_in_time(source, vocab, seed, budget, temperature, stops):
    shortest = constrain(source, ["", *vocab[1:]] if stops else vocab).distances[0]
    stop = [0] if stops else []
    model = Chance(vocab, seed)
    if shortest > budget:
        with pytest.raises(ValueError, match=r"no sequence|takes"):
            generate_matching(model, [0], vocab, source, budget, temperature, stop=stop, seed=seed)
        return
    found = generate_matching(model, [0], vocab, source, budget, temperature, stop=stop, seed=seed)
    assert found[0] == 0 and found.dtype == np.int64 and shortest <= len(found) - 1 <= budget
    assert re.fullmatch(source, written(found[1:], vocab, stop))
    assert 0 not in found[1:-1] or not stops


VOCAB = ["\n", *' {}":,.-+', *"0123456789", *"abdeghiklmnorstuy", "na", "me", '": ', '", "', "ag", " 4"]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("temperature", [0, 1, 2])
def test_a_random_gpt_writes_json_of_the_shape(seed, temperature):
    model = GPT(GPTConfig(vocab_size=len(VOCAB), block_size=16, n_layer=1, n_head=2, n_embd=8, end=0, seed=seed), VOCAB)
    shape = json_shape({"name": "string", "age": "number", "kind": ["good", "bad"]})
    found = generate_matching(model, [1, 2], VOCAB, shape, 60, temperature, stop=[0], seed=seed)
    value = json.loads(written(found[2:], VOCAB))
    assert list(value) == ["name", "age", "kind"] and value["kind"] in ("good", "bad")
    assert isinstance(value["name"], str) and isinstance(value["age"], (int, float))


@pytest.mark.parametrize("seed", range(3))
def test_where_all_is_allowed_it_is_generate(seed):
    """The same draws from the same seed, to the stop token or the end."""
    model = GPT(GPTConfig(vocab_size=8, block_size=8, n_layer=1, n_head=2, n_embd=8, end=0, seed=seed), list("\nabcdefg"))
    settings = {"temperature": 0.8, "top_k": 6, "top_p": 0.95, "stop": [0], "seed": seed}
    free = generate(model, [1, 2], 30, **settings)
    assert generate_matching(model, [1, 2], model.vocab, "[a-g]*", 30, **settings).tolist() == free.tolist()


def test_only_tokens_are_taken_from_which_the_end_can_be_reached_in_time():
    """(ab)*c with three tokens left must not begin a second ab, however much the model wants to."""
    model = Chance(list("abc"), log_probs=np.log([0.98, 0.01, 0.01]))
    for budget, expected in ((1, "c"), (2, "c"), (3, "abc"), (4, "abc"), (7, "abababc")):
        assert written(generate_matching(model, [0], "abc", "(ab)*c", budget, 0)[1:], "abc") == expected


def test_a_token_that_the_vocabulary_cannot_complete_is_a_dead_end_and_is_not_taken():
    model = Chance(["a", "b", "c"], log_probs=np.log([0.98, 0.01, 0.01]))
    assert written(generate_matching(model, [0], model.vocab, "ax|bc", 5)[1:], model.vocab) == "bc"


def test_it_stops_only_where_all_matches_and_the_stop_token_is_no_text():
    model = Chance(["\n", "a"], log_probs=np.log([0.99, 0.01]))
    assert generate_matching(model, [], model.vocab, "a{3,}", 9, 0, stop=[0]).tolist() == [1, 1, 1, 0]
    assert generate_matching(model, [], model.vocab, "a{3,}", 9, 0).tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="no sequence"):
        generate_matching(model, [], model.vocab, "\na", 9, stop=[0])


def test_where_the_model_rules_all_out_tokens_are_equally_likely():
    log_probs = np.array([0.0, -np.inf, -np.inf])
    assert np.exp(restricted(log_probs, [1, 2])) == pytest.approx([0, 0.5, 0.5])
    assert np.exp(restricted(np.log([0.5, 0.3, 0.2]), [1, 2])) == pytest.approx([0, 0.6, 0.4])
    assert np.exp(restricted(np.array([0.0, -2000.0, -2000 + math.log(3)]), [1, 2])) == pytest.approx([0, 0.25, 0.75])


def test_it_is_not_the_distribution_on_condition_of_a_match():
    """The case of the module's docstring: a then x is 1/200, b then y is 1/2, and yet both are drawn equally often."""

    class Two(LanguageModel):
        vocab = "abxy"

        def next_log_probs(self, context):
            rows = {(): [0.5, 0.5, 0, 0], (0,): [0.99, 0, 0.01, 0], (1,): [0, 0, 0, 1]}
            with np.errstate(divide="ignore"):
                return np.log(rows[tuple(context)])

    drawn = [tuple(generate_matching(Two(), [], "abxy", "ax|by", 2, seed=seed)) for seed in range(400)]
    assert set(drawn) == {(0, 2), (1, 3)}
    assert 160 < drawn.count((0, 2)) < 240  # 200 ± 4 standard deviations of 10; on condition of a match it would be 4


def test_bad_input_is_refused():
    model = Chance(["a", "b"], log_probs=np.log([0.5, 0.5]))
    for message, arguments in {
        "there are 3 texts": ([0], "abc", "a", 5),
        "no sequence": ([0], "ab", "c", 5),
        "takes 3 tokens": ([0], "ab", "aaa", 2),
        "token id 7": ([7], "ab", "a", 5),
        "temperature": ([0], "ab", "a", 5, -1),
    }.items():
        with pytest.raises(ValueError, match=message):
            generate_matching(model, *arguments)
    with pytest.raises(ValueError, match="token id 2"):
        generate_matching(model, [0], "ab", "a", 5, stop=[2])
    with pytest.raises(ValueError, match="NaN"):
        generate_matching(Chance(["a", "b"], log_probs=np.array([np.nan, 0.0])), [0], "ab", "a", 5)
