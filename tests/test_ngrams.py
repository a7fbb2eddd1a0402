"""N-gram models: exact against KenLM, NLTK and the textbook formulas; every context of every smoothing sums to one."""

import itertools
import math
import re
import shutil
import subprocess
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import corpora
from helpers import smoothing as sm
from helpers.ngrams import BOS, EOS, SMOOTHINGS, UNK, NGramModel, write_arpa

SMOOTH = [name for name in SMOOTHINGS if name != "mle"]  # those that give every token a probability above zero


def words(text):
    return [re.findall(r"\w+|[^\w\s]", line.lower()) for line in text.split("\n")]


def characters(text):
    return [line.replace(" ", "_") for line in text.split("\n")]


@pytest.fixture(scope="module")
def docs():
    """60,000 characters of English that every Python brings along, so that these tests need no network."""
    text = corpora.load("python-docs")
    return text[:60_000], text[60_000:64_000]


# ---- the reference figures of KenLM's lmplz on Shakespeare

LMPLZ_CHARACTERS = {  # order: perplexity, nats a token
    3: (7.8398, 2.0592),
    5: (4.8941, 1.5880),
    6: (4.6790, 1.5431),
    7: (4.6371, 1.5341),
    8: (4.6398, 1.5347),
    10: (4.6475, 1.5363),
}
LMPLZ_WORDS = {  # order: discounts of the top order, perplexity without tokens out of the vocabulary, and with them
    2: ((0.752422, 1.09083, 1.4374), 111.5314, 147.9792),
    3: ((0.865366, 1.15286, 1.4546), 102.2999, 136.1714),
    5: ((0.976022, 1.5306, 1.45953), 101.5288, 135.1604),
}
HALF_A_UNIT = 0.51e-4  # the figures have four decimals


@pytest.fixture(scope="module")
def shakespeare():
    if not corpora.available("shakespeare"):
        pytest.skip("Shakespeare is not at hand; fetch it by `python -m helpers.corpora`, or set LM_COURSE_MIRROR to a folder")
    return corpora.load("shakespeare", "train"), corpora.load("shakespeare", "val")


@pytest.mark.parametrize("order", LMPLZ_CHARACTERS)
def test_modified_kneser_ney_has_lmplz_perplexity_on_characters(shakespeare, order):
    train, val = map(characters, shakespeare)
    model = NGramModel.fit(train, order, "modified-kneser-ney")
    perplexity, nats = LMPLZ_CHARACTERS[order]
    assert model.encode_all(val).size == 111_541
    assert model.perplexity(val) == pytest.approx(perplexity, abs=HALF_A_UNIT)
    assert math.log(perplexity) == pytest.approx(nats, abs=HALF_A_UNIT)  # the table above agrees with itself
    assert model.discounts[0][1:].tolist() == [0.5, 1.0, 1.5]  # letters are all frequent: the fall-back


@pytest.mark.parametrize("order", LMPLZ_WORDS)
def test_modified_kneser_ney_has_lmplz_perplexity_and_discounts_on_words(shakespeare, order):
    train, val = map(words, shakespeare)
    model = NGramModel.fit(train, order, "modified-kneser-ney")
    discounts, without_oov, with_oov = LMPLZ_WORDS[order]
    ids = model.encode_all(val)
    assert (ids.size, (ids == model.unk).sum()) == (31_320, 1_068)
    assert model.discounts[-1][1:] == pytest.approx(discounts, rel=1e-5)  # lmplz prints six figures
    assert model.perplexity(val, include_oov=False) == pytest.approx(without_oov, abs=HALF_A_UNIT)
    assert model.perplexity(val, include_oov=True) == pytest.approx(with_oov, abs=HALF_A_UNIT)


# ---- KenLM as an oracle

# KenLM keeps log₁₀ probabilities as float32: seven figures of numbers below 10, and up to `order` of them are added.
FLOAT32 = 1e-5


@pytest.mark.parametrize(
    ("smoothing", "order", "split"),
    [*((name, 3, words) for name in SMOOTH), ("modified-kneser-ney", 5, words), ("modified-kneser-ney", 6, characters)],
)
def test_kenlm_reads_our_arpa_file_and_scores_every_token_alike(docs, tmp_path, smoothing, order, split):
    kenlm = pytest.importorskip("kenlm")
    train, val = map(split, docs)
    model = NGramModel.fit(train, order, smoothing)
    write_arpa(model, tmp_path / "model.arpa")
    peer = kenlm.Model(str(tmp_path / "model.arpa"))
    oov = 0
    for sentence in val:
        theirs = [(score * math.log(10), unknown) for score, _, unknown in peer.full_scores(" ".join(sentence))]
        assert model.log_probs(sentence) == pytest.approx([score for score, _ in theirs], abs=FLOAT32)
        unknown = model.encode(sentence) == model.unk
        assert unknown.tolist() == [unknown for _, unknown in theirs]
        oov += unknown.sum()
    assert oov > 0 or split is characters


def read_arpa(path):
    """{n-gram: (log₁₀ probability, log₁₀ back-off weight)} of an ARPA file."""
    entries = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split("\t")
        if len(fields) > 1:
            entries[fields[1]] = (float(fields[0]), float(fields[2]) if len(fields) > 2 else 0.0)
    return entries


TINY = "a a a b b\nb a c\nc c d e f g\nh\ni a\nd e"  # n₁, n₂, n₃ > 0 but n₄ = 0 at order 1


@pytest.mark.parametrize(("order", "split"), [(3, words), (5, words), (5, characters), (2, str.split), (3, str.split)])
def test_lmplz_estimates_the_same_probability_and_backoff_for_every_n_gram(docs, tmp_path, order, split):
    """The last line is there for lmplz's sake: of the n-grams that it sorts last, those that end in the token it met last, it
    puts the plain count, not the number of continuations, among the counts of counts (lm/builder/adjust_counts.cc, the loop
    after "This outputs the last n-grams"). For a token that stands alone once, in the last line, the two are the same.
    """
    if not shutil.which("lmplz"):
        pytest.skip("lmplz, KenLM's estimator, is not on PATH; it is C++ and has to be built from github.com/kpu/kenlm")
    train = [*([line.split() for line in TINY.split("\n")] if split is str.split else split(docs[0])), ["¶"]]
    text = "\n".join(" ".join(sentence) for sentence in train) + "\n"
    theirs = tmp_path / "theirs.arpa"
    command = ["lmplz", "-o", str(order), "--discount_fallback", "-S", "200M", "-T", str(tmp_path)]
    subprocess.run([*command, "--arpa", str(theirs)], input=text.encode(), check=True, capture_output=True)
    write_arpa(NGramModel.fit(train, order), tmp_path / "ours.arpa")
    ours, theirs = read_arpa(tmp_path / "ours.arpa"), read_arpa(theirs)
    ours.pop(BOS), theirs.pop(BOS)  # never predicted; each program writes a token value of its own
    assert ours.keys() == theirs.keys()
    # lmplz prints seven figures of float32 numbers
    assert np.array([ours[ngram] for ngram in ours]) == pytest.approx(np.array([theirs[ngram] for ngram in ours]), abs=1e-5)


# ---- NLTK as an oracle

CORPUS = [sentence.split() for sentence in (
    "the cat sat on the mat", "the dog sat on the cat", "a dog saw the cat on the mat", "the cat saw a dog",
    "the mat is on the cat", "a cat is a cat", "dog", "the dog saw the dog on a mat", "", "is the cat on the mat",
)]  # fmt: skip


def nltk_model(kind, order, count_bos=True, **settings):
    """An NLTK model trained on the n-grams of `<s> sentence </s>`, with one `<s>` for every order, as we have it."""
    pytest.importorskip("nltk.lm")
    import nltk.lm
    from nltk.util import everygrams

    padded = [[BOS, *sentence, EOS] for sentence in CORPUS]
    grams = [[gram for gram in everygrams(s, max_len=order) if count_bos or gram != (BOS,)] for s in padded]
    model = getattr(nltk.lm, kind)(order=order, **settings)
    model.fit(grams, vocabulary_text=[token for sentence in padded for token in sentence])
    return model


def contexts_of(model, order):
    """Every context that a sentence can have at its tokens: `<s>` and fewer tokens than order − 1, or order − 1 tokens."""
    tokens = [token for token in model.vocab if token not in (EOS, UNK)]
    for length in range(order):
        for context in itertools.product(tokens, repeat=length):
            yield context if length == order - 1 else (BOS, *context)


def assert_same_distributions(ours, theirs, order, defined=lambda context: True):
    compared = 0
    for context in contexts_of(ours, order):
        if not defined(context):
            continue
        log_probs = ours.next_log_probs([token for token in context if token != BOS])
        for token in sorted({*itertools.chain(*CORPUS), EOS}):
            # unmasked_score is score without looking the tokens up; 1e-12: both do a handful of double operations
            assert np.exp(log_probs[ours.index[token]]) == pytest.approx(theirs.unmasked_score(token, context), abs=1e-12)
            compared += 1
    assert compared > 50


@pytest.mark.parametrize("order", [2, 3, 4])
def test_kneser_ney_equals_nltk_in_every_context_for_which_nltk_is_defined(order):
    """At order 2 that is every context; above it, all but those that the beginning of the sentence cuts short.

    For an n-gram below the top order NLTK always counts continuations, the different tokens before it. Before `<s>` there are
    none, so for the context (<s>,) at order 3, or (<s>, the) at order 4, it divides by zero; we and KenLM take its plain
    counts there. Contexts of full length, order − 1 tokens, are defined, `<s>` among them or not, seen in training or not.
    """
    ours = NGramModel.fit(CORPUS, order, "kneser-ney", discount=0.7, open_vocabulary=False)
    theirs = nltk_model("KneserNeyInterpolated", order, discount=0.7)
    assert_same_distributions(ours, theirs, order, defined=lambda context: len(context) == order - 1)
    cut_short = [context for context in contexts_of(ours, order) if len(context) < order - 1 and theirs.counts[context]]
    assert bool(cut_short) == (order > 2)
    for context in cut_short:
        with pytest.raises(ZeroDivisionError):
            theirs.unmasked_score("the", context)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_absolute_discounting_equals_nltk_in_every_context(order):
    """If `<s>` alone is not trained on: NLTK would have it in the unigram distribution, though it is never predicted."""
    ours = NGramModel.fit(CORPUS, order, "absolute", discount=0.6, open_vocabulary=False)
    theirs = nltk_model("AbsoluteDiscountingInterpolated", order, count_bos=False, discount=0.6)
    assert_same_distributions(ours, theirs, order)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize(("kind", "k"), [("Laplace", 1.0), ("Lidstone", 0.25)])
def test_additive_smoothing_equals_nltk_in_every_context(order, kind, k):
    """If the vocabularies are equally large: NLTK counts `<s>` as a possible next token, so we are given one token more."""
    vocab = {*itertools.chain(*CORPUS), "one more"}
    smoothing, parameter = ("add-one", {}) if kind == "Laplace" else ("add-k", {"k": k})
    ours = NGramModel.fit(CORPUS, order, smoothing, vocab=vocab, **parameter)
    settings = {} if kind == "Laplace" else {"gamma": k}
    theirs = nltk_model(kind, order, count_bos=False, **settings)
    assert ours.vocab_size == len(theirs.vocab)
    if order == 1:  # too few contexts to walk through
        for token in ours.vocab[2:]:
            expected = theirs.unmasked_score(token) if token != "one more" else theirs.unmasked_score("never seen")
            assert np.exp(ours.next_log_probs([]))[ours.index[token]] == pytest.approx(expected, abs=1e-12)
    else:
        assert_same_distributions(ours, theirs, order)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_maximum_likelihood_equals_nltk_in_every_seen_context(order):
    """In a context that was never seen NLTK gives 0 to every token; we go on with the context one token shorter."""
    ours = NGramModel.fit(CORPUS, order, "mle", open_vocabulary=False)
    theirs = nltk_model("MLE", order, count_bos=False)
    assert_same_distributions(ours, theirs, order, defined=lambda context: theirs.counts[context].N() > 0)


# ---- properties, on random corpora

ALPHABET = "abcdef"
short_corpora = st.lists(st.text("abc", max_size=5), min_size=1, max_size=6)


@st.composite
def long_corpora(draw):
    """Sentences with rare and frequent tokens, so that the counts of counts that discounts come from are not zero."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    size, sentences = draw(st.integers(1, len(ALPHABET))), draw(st.integers(1, 60))
    p = 1 / np.arange(1, size + 1) ** 1.5
    return ["".join(rng.choice(list(ALPHABET[:size]), rng.integers(0, 9), p=p / p.sum())) for _ in range(sentences)]


any_corpus = short_corpora | long_corpora()
smoothings = st.sampled_from(SMOOTHINGS)


@settings(max_examples=300, deadline=None)
@given(any_corpus, st.integers(1, 5), smoothings, st.booleans(), st.data())
def test_every_distribution_sums_to_one(corpus, order, smoothing, open_vocabulary, data):
    """In seen contexts, in half-seen ones (some ending of it was seen) and in unseen ones."""
    model = NGramModel.fit(corpus, order, smoothing, vocab=ALPHABET, open_vocabulary=open_vocabulary)
    seen = model.encode_all(corpus)
    any_id = st.integers(0, model.vocab_size - 1)
    contexts = [seen[: data.draw(st.integers(0, len(seen)))] for _ in range(3)]
    contexts += [np.append(data.draw(any_id), context) for context in contexts]
    contexts += data.draw(st.lists(st.lists(any_id, max_size=6), min_size=1, max_size=5))
    for context in contexts:
        # 1e-9: rounding errors alone, a few units in the sixteenth figure for each order
        assert np.exp(model.next_log_probs(context)).sum() == pytest.approx(1, abs=1e-9)


@settings(max_examples=200, deadline=None)
@given(any_corpus, st.integers(1, 5), smoothings, st.booleans(), st.data())
def test_log_probs_is_the_chain_of_next_log_probs(corpus, order, smoothing, open_vocabulary, data):
    model = NGramModel.fit(corpus, order, smoothing, vocab=ALPHABET, open_vocabulary=open_vocabulary)
    ids = data.draw(st.lists(st.integers(0, model.vocab_size - 1), max_size=12))
    stream = np.array([*ids, *model.encode_all(corpus)[:20]])
    chain = [model.next_log_probs(stream[:t])[token] for t, token in enumerate(stream)]
    assert model.log_probs(stream) == pytest.approx(chain, abs=1e-9)


@pytest.mark.parametrize("open_vocabulary", [True, False])
@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_all_contexts_of_a_tiny_corpus_sum_to_one(smoothing, open_vocabulary):
    for corpus in (["ab", "b", "", "aab"], ["abba" * 3, "aaaab", "bbbba", "ba"]):
        for order in range(1, 5):
            model = NGramModel.fit(corpus, order, smoothing, open_vocabulary=open_vocabulary)
            for length in range(order + 1):
                for context in itertools.product(range(model.vocab_size), repeat=length):
                    assert np.exp(model.next_log_probs(np.array(context, dtype=int))).sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_sentences_of_all_lengths_share_a_probability_of_one(smoothing):
    """What the sentences of up to L tokens lack is exactly what the chain has not ended after L + 1 steps, and it vanishes."""
    model = NGramModel.fit(["ab", "ba", "a", "b", "aab"], 2, smoothing, open_vocabulary=False)
    sentences = ["".join(tokens) for length in range(13) for tokens in itertools.product("ab", repeat=length)]
    ids = model.encode_all(sentences)
    starts = np.append(0, np.flatnonzero(ids == model.eos)[:-1] + 1)
    sentence_log_probs = np.add.reduceat(model.log_probs(ids), starts)
    lengths = np.array([len(sentence) for sentence in sentences])
    table = np.array([np.exp(model.next_log_probs(list(context))) for context in ("", "a", "b")])
    unfinished = table[0, 1:]
    for length in range(13):
        total = np.exp(sentence_log_probs[lengths <= length]).sum()
        assert total == pytest.approx(1 - unfinished.sum(), abs=1e-9)
        unfinished = unfinished @ table[1:, 1:]
    assert (table[0, 1:] @ np.linalg.matrix_power(table[1:, 1:], 400)).sum() < 1e-9


@settings(max_examples=60, deadline=None)
@given(any_corpus, st.integers(1, 4), st.sampled_from(SMOOTH))
def test_an_unknown_token_has_a_probability_of_its_own(corpus, order, smoothing):
    model = NGramModel.fit(corpus, order, smoothing)
    assert np.isfinite(model.log_probs([*corpus[0], "unheard of"])).all()
    assert model.log_probs(["unheard of"]) == pytest.approx(model.log_probs([UNK]))


# ---- the formulas, once more and naively


def naive_discounts(counts, modified):
    n = Counter(counts)
    if not modified:
        return [n[1] / (n[1] + 2 * n[2])] * 3 if n[1] and n[2] else [0.5] * 3
    if n[1] and n[2] and n[3]:
        y = n[1] / (n[1] + 2 * n[2])
        d = [1 - 2 * y * n[2] / n[1], 2 - 3 * y * n[3] / n[2], 3 - 4 * y * n[4] / n[3]]
        if 0 <= d[0] <= 1 and 0 <= d[1] <= 2 and 0 <= d[2] <= 3:
            return d
    return [0.5, 1.0, 1.5]


def naive_kneser_ney(sentences, order, smoothing, vocab_size, open_vocabulary):
    """P(word | context) straight from Chen and Goodman: dictionaries of tuples, a recursion, nothing kept between calls."""
    padded = [(BOS, *sentence, EOS) for sentence in sentences]
    counts = {n: Counter(s[i : i + n] for s in padded for i in range(len(s) - n + 1)) for n in range(1, order + 1)}
    used = {order: counts[order]}
    for n in range(1, order):
        before = {gram: {longer[0] for longer in counts[n + 1] if longer[1:] == gram} for gram in counts[n]}
        continuations = smoothing != "absolute"
        used[n] = {g: len(before[g]) if continuations and g[0] != BOS else c for g, c in counts[n].items()}
    used[1] = {gram: count for gram, count in used[1].items() if gram != (BOS,)}
    discounts = {n: naive_discounts(used[n].values(), smoothing == "modified-kneser-ney") for n in used}
    if not open_vocabulary:
        discounts[1] = [0, 0, 0]

    def probability(word, context):
        lower = probability(word, context[1:]) if context else 1 / vocab_size
        after = {gram[-1]: count for gram, count in used[len(context) + 1].items() if gram[:-1] == context}
        if not after:
            return lower
        taken = {w: discounts[len(context) + 1][min(count, 3) - 1] for w, count in after.items()}
        total = sum(after.values())
        return (after.get(word, 0) - taken.get(word, 0)) / total + sum(taken.values()) / total * lower

    return probability


@settings(max_examples=120, deadline=None)
@given(
    any_corpus, st.integers(1, 4), st.sampled_from(["absolute", "kneser-ney", "modified-kneser-ney"]), st.booleans(),
    st.text("abcd", max_size=4),
)  # fmt: skip
def test_discounting_equals_a_naive_implementation_by_dictionaries(corpus, order, smoothing, open_vocabulary, before):
    model = NGramModel.fit(corpus, order, smoothing, vocab="abcdef", open_vocabulary=open_vocabulary)
    probability = naive_kneser_ney(corpus, order, smoothing, model.vocab_size, open_vocabulary)
    context = (BOS, *before)[max(0, len(before) + 2 - order) :] if order > 1 else ()
    expected = [probability(word, context) for word in model.vocab]
    assert np.exp(model.next_log_probs(list(before))) == pytest.approx(expected, abs=1e-12)


# ---- worked by hand


def probabilities(model, context):
    return {token: p for token, p in zip(model.vocab, np.exp(model.next_log_probs(context)), strict=True) if p > 0}


def test_kneser_ney_by_hand():
    """Three sentences, `a b`, `a b`, `c b`, a bigram model of the closed vocabulary a, b, c, </s>, discount 1/2.

    Bigrams: <s>a 2, ab 2, <s>c 1, cb 1, b</s> 3. Continuations, of five bigram types: a 1 (after <s>), c 1, b 2 (after a
    and c), </s> 1 (after b). So the unigrams are a 1/5, c 1/5, b 2/5, </s> 1/5; a closed vocabulary keeps them whole.
    After a: b (2 − 1/2)/2 + 1/4 · 2/5 = 3/4 + 1/10 = 17/20, for γ = 1/2 · 1 type / 2 = 1/4; a: 1/4 · 1/5 = 1/20.
    After <s>: γ = 1/2 · 2/3 = 1/3; a: (2 − 1/2)/3 + 1/3 · 1/5 = 17/30; c: 1/6 + 1/15 = 7/30; b: 1/3 · 2/5 = 2/15.
    """
    model = NGramModel.fit(["ab", "ab", "cb"], 2, "kneser-ney", discount=0.5, open_vocabulary=False)
    assert probabilities(model, "a") == pytest.approx({"b": 17 / 20, "a": 1 / 20, "c": 1 / 20, EOS: 1 / 20}, abs=1e-15)
    assert probabilities(model, "") == pytest.approx({"a": 17 / 30, "c": 7 / 30, "b": 2 / 15, EOS: 1 / 15}, abs=1e-15)
    assert model.log_probs("ab").sum() == pytest.approx(math.log(17 / 30 * 17 / 20 * (5 / 6 + 1 / 6 / 5)), abs=1e-14)


def test_modified_kneser_ney_by_hand():
    """An order-1 model of a 1, b 1, c 1, d 2, e 3, f 4 and </s> 1: one sentence of twelve letters, thirteen tokens.

    n₁ = 4 (a, b, c, </s>), n₂ = n₃ = n₄ = 1, so Y = 4/6 = 2/3, and D₁ = 1 − 2 · 2/3 · 1/4 = 2/3, D₂ = 2 − 3 · 2/3 · 1 = 0,
    D₃₊ = 3 − 4 · 2/3 · 1 = 1/3. Freed: 4 · 2/3 + 0 + 2 · 1/3 = 10/3 of 13 tokens, γ = 10/39, shared out over V = 8 types
    (the seven and <unk>), 5/156 each. P(a) = 1/39 + 5/156 = 9/156, P(d) = 2/13 + 5/156 = 29/156, P(e) = 8/39 + 5/156 = 37/156,
    P(f) = 11/39 + 5/156 = 49/156, P(<unk>) = 5/156.
    """
    model = NGramModel.fit(["abcddeeeffff"], 1, "modified-kneser-ney")
    assert model.discounts[0] == pytest.approx([0, 2 / 3, 0, 1 / 3], abs=1e-15)
    expected = {token: Fraction(n, 156) for token, n in zip([*"abcdef", EOS, UNK], (9, 9, 9, 29, 37, 49, 9, 5), strict=True)}
    assert sum(expected.values()) == 1
    assert probabilities(model, "") == pytest.approx({t: float(p) for t, p in expected.items()}, abs=1e-15)


def test_good_turing_ratios_by_hand():
    """Counts of counts n₁ … n₆ = 60, 24, 12, 7, 5, 4.

    r* = (r + 1) n_{r+1}/n_r: 1* = 2 · 24/60 = 4/5, 2* = 3 · 12/24 = 3/2, 3* = 4 · 7/12 = 7/3, 4* = 5 · 5/7 = 25/7,
    5* = 6 · 4/5 = 24/5. Katz leaves counts above 5 alone and takes what that costs, 6 n₆/n₁ = 24/60 = 2/5, off each ratio:
    d_r = (r*/r − 2/5)/(3/5): d₁ = (4/5 − 2/5)/(3/5) = 2/3, d₂ = (3/4 − 2/5)·5/3 = 7/12, d₃ = (7/9 − 2/5)·5/3 = 17/27,
    d₄ = (25/28 − 2/5)·5/3 = 23/28, d₅ = (24/25 − 2/5)·5/3 = 14/15.
    What they free is n₁, as Good–Turing has it: Σ (1 − d_r) r n_r = 20 + 20 + 40/3 + 5 + 5/3 = 60.
    """
    of_each = dict(zip(range(1, 7), (60, 24, 12, 7, 5, 4), strict=True))
    counts = np.array([r for r, n in of_each.items() for _ in range(n)] + [50])
    ratios = sm.good_turing_ratios(counts)
    assert ratios == pytest.approx([1, 2 / 3, 7 / 12, 17 / 27, 23 / 28, 14 / 15], abs=1e-14)
    assert sum((1 - ratios[r]) * r * of_each[r] for r in range(1, 6)) == pytest.approx(60)


def test_good_turing_backs_off_by_hand():
    """Two contexts of a bigram model over the closed vocabulary a, b, </s>, with counts too thin for a ratio: d = 1.

    Corpus `a b`, `a a`: unigrams a 3, b 1, </s> 2, that is 1/2, 1/6, 1/3, every token seen and none discounted. After b: </s>
    1, nothing freed and two tokens unseen, so one token more: P(</s> | b) = 1/2, and a and b share the other half as 1/2 : 1/6,
    3/8 and 1/8. After a: a 1, b 1, </s> 1, all seen, nobody to save for: 1/3 each.
    """
    model = NGramModel.fit(["ab", "aa"], 2, "good-turing", open_vocabulary=False)
    assert probabilities(model, "b") == pytest.approx({EOS: 1 / 2, "a": 3 / 8, "b": 1 / 8}, abs=1e-15)
    assert probabilities(model, "a") == pytest.approx({EOS: 1 / 3, "a": 1 / 3, "b": 1 / 3}, abs=1e-15)


def test_the_simple_smoothings_by_hand():
    """`a b`, `a a`: after a come a, b and </s> once each, V = 3; unigrams a 3/6, b 1/6, </s> 2/6; after b comes </s> once.

    add-one after b: (1 + 1)/(1 + 3), 1/4, 1/4; add-k, k = 1/2: (3/2)/(5/2) = 3/5, 1/5, 1/5.
    interpolation, 3/4 : 1/4: </s> 3/4 + 1/4 · 1/3 = 5/6, a 1/4 · 1/2 = 1/8, b 1/24.
    dirichlet, μ = 2, whose unigrams have imagined tokens too, (c + 2/3)/8: a 11/24, b 5/24, </s> 1/3; after b (1 + 2/3)/3
    = 5/9, 2/3 · 11/24 = 11/36, 5/36.
    """
    after_b = {
        "mle": {EOS: 1},
        "add-one": {EOS: 1 / 2, "a": 1 / 4, "b": 1 / 4},
        "add-k": {EOS: 3 / 5, "a": 1 / 5, "b": 1 / 5},
        "interpolation": {EOS: 5 / 6, "a": 1 / 8, "b": 1 / 24},
        "dirichlet": {EOS: 5 / 9, "a": 11 / 36, "b": 5 / 36},
    }
    for smoothing, expected in after_b.items():
        model = NGramModel.fit(["ab", "aa"], 2, smoothing, k=0.5, mu=2, weight=0.75, open_vocabulary=False)
        assert probabilities(model, "b") == pytest.approx(expected, abs=1e-15), smoothing


# ---- counts, contexts, encoding


@settings(max_examples=60, deadline=None)
@given(any_corpus, st.integers(1, 4), smoothings)
def test_count_is_the_number_of_times_the_tokens_came_in_a_row(corpus, order, smoothing):
    model = NGramModel.fit(corpus, order, smoothing)
    padded = [(BOS, *sentence, EOS) for sentence in corpus]
    for n in range(1, order + 1):
        naive = Counter(s[i : i + n] for s in padded for i in range(len(s) - n + 1))
        for gram in itertools.islice(naive, 20):
            assert model.count(*gram) == naive[gram]
    assert model.count("never") == 0 and (order == 1 or model.count("a", "never") == 0)


@settings(max_examples=60, deadline=None)
@given(any_corpus, st.integers(1, 4), st.text("abc", max_size=5))
def test_matched_order_is_that_of_the_longest_ending_which_something_followed(corpus, order, context):
    model = NGramModel.fit(corpus, order)
    stream = (BOS, *context)
    followed = {tuple(s[i - n : i]) for s in ((BOS, *s, EOS) for s in corpus) for i in range(1, len(s)) for n in range(i + 1)}
    longest = max(n for n in range(min(order, len(stream) + 1)) if stream[len(stream) - n :] in followed | {()})
    assert model.matched_order(model.encode_context(context)) == 1 + longest


@given(st.lists(st.text("abc", max_size=5), min_size=1, max_size=6))
def test_characters_survive_encoding_and_decoding(lines):
    model = NGramModel.fit(["abc"], 2)
    assert model.decode(model.encode_all(lines)) == "\n".join(lines) + "\n"


@given(st.lists(st.lists(st.sampled_from(["one", "two", "three"]), max_size=4), min_size=1, max_size=6))
def test_words_survive_encoding_and_decoding(sentences):
    model = NGramModel.fit([["one", "two", "three"]], 2)
    ids = model.encode_all(sentences)
    assert model.decode(ids, separator=" ") == "".join(" ".join(sentence) + "\n" for sentence in sentences)
    assert ids.tolist() == [id_ for sentence in sentences for id_ in model.encode(sentence)]


def test_a_sentence_may_be_empty_and_still_ends():
    model = NGramModel.fit(["ab", "", "b"], 3)
    for empty in ("", [], ()):
        assert model.log_probs(empty) == pytest.approx(model.next_log_probs(empty)[[model.eos]])
    assert model.log_probs(np.array([], dtype=int)).shape == (0,)  # a stream of no ids


def test_an_order_beyond_the_longest_sentence_adds_nothing():
    for smoothing in SMOOTHINGS:
        long, short = (NGramModel.fit(["a", "b", "aa"], order, smoothing) for order in (9, 4))
        if smoothing not in ("add-one", "add-k"):  # which have one order, and nothing but the uniform below
            assert long.log_probs("aab") == pytest.approx(short.log_probs("aab"))
        assert np.isfinite(long.log_probs("aa")).all()


def test_a_stream_of_sentences_scores_as_its_sentences():
    model = NGramModel.fit(["abc", "cab", "bb"], 4)
    sentences = ["abc", "", "ca", "bbb"]
    apart = np.concatenate([model.log_probs(sentence) for sentence in sentences])
    assert model.log_probs(model.encode_all(sentences)) == pytest.approx(apart, abs=1e-14)
    assert model.perplexity(sentences) == pytest.approx(math.exp(-apart.mean()))


def test_perplexity_without_unknown_tokens_leaves_just_those_out():
    model = NGramModel.fit(["abc", "cab"], 2)
    scores = model.log_probs("axb")
    assert model.perplexity(["axb"], include_oov=False) == pytest.approx(math.exp(-scores[[0, 2, 3]].mean()))
    assert model.perplexity(["axb"]) == pytest.approx(math.exp(-scores.mean()))


# ---- bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["ab"], 2, "kneser"), "unknown smoothing 'kneser'; choose one of mle, add-one"),
        ((["ab"], 0), "order must be a whole number of at least 1, got 0"),
        ((["ab"], 1.5), "order must be a whole number of at least 1, got 1.5"),
        (("a text", 2), r"sentences must be a list of sentences, got one str; split it first"),
        (([], 2), "there are no sentences to read"),
        (([[1, 2], [3]], 2), r"tokens must be non-empty str, got \d of int; pass tokens, not ids"),
        (([1, 2, 3], 2), r"tokens must be non-empty str, got \d of int; pass tokens, not ids"),
        (([["a", ""]], 2), "tokens must be non-empty str, got '' of str"),
        (([[BOS, "a"]], 2), "a sentence contains <s>; leave out the sentence marks"),
        (([["a", EOS]], 2), "a sentence contains </s>; leave out the sentence marks"),
    ],
)
def test_fit_says_what_it_cannot_use(arguments, message):
    with pytest.raises(ValueError, match=message):
        NGramModel.fit(*arguments)


@pytest.mark.parametrize("parameter", [{"k": 0}, {"mu": -1}, {"weight": 1.5}, {"discount": 2}, {"k": math.nan}])
def test_fit_says_which_parameter_is_out_of_range(parameter):
    (name, value), *_ = parameter.items()
    with pytest.raises(ValueError, match=f"need k > 0.*{name}={value}"):
        NGramModel.fit(["ab"], 2, **parameter)


def test_a_closed_vocabulary_has_no_place_for_unk():
    with pytest.raises(ValueError, match="<unk> is among the tokens, so the vocabulary is open"):
        NGramModel.fit([["a", UNK]], 2, open_vocabulary=False)


def test_an_unknown_token_is_an_error_in_a_closed_vocabulary():
    model = NGramModel.fit(["ab"], 2, open_vocabulary=False)
    for call in (model.encode, model.log_probs, lambda tokens: model.perplexity([tokens]), model.next_log_probs):
        with pytest.raises(ValueError, match="'x' is not in the vocabulary, and this model has no <unk>; fit it with open_voc"):
            call("ax")
    with pytest.raises(ValueError, match="'x' is not in the vocabulary"):
        model.encode_all(iter(["ab", "ax"]))


def test_the_beginning_of_a_sentence_is_not_a_token_to_score():
    for open_vocabulary in (True, False):
        model = NGramModel.fit(["ab"], 2, open_vocabulary=open_vocabulary, vocab=["a", "b", BOS])
        for call in (model.encode, model.log_probs, model.next_log_probs):
            with pytest.raises(ValueError, match="a sentence contains <s>; leave it out"):
                call([BOS, "a"])


def test_ids_out_of_range_are_an_error():
    model = NGramModel.fit(["ab"], 2)
    for call in (model.log_probs, model.next_log_probs, model.decode, model.matched_order):
        with pytest.raises(ValueError, match="token id 4 is not in the vocabulary of 4"):
            call([2, 4])
        with pytest.raises(ValueError, match="token id -1 is not in the vocabulary of 4"):
            call([-1])
        with pytest.raises(ValueError, match="expected a one-dimensional list of integer token ids"):
            call([[1, 2]])


def test_count_says_how_many_tokens_it_can_take():
    model = NGramModel.fit(["abc"], 2)
    for tokens in ((), ("a", "b", "c")):
        with pytest.raises(ValueError, match=f"this model counted 1 to 2 tokens in a row, not {len(tokens)}"):
            model.count(*tokens)


def test_an_arpa_file_cannot_hold_tokens_with_white_space(tmp_path):
    model = NGramModel.fit(["a b"], 2)
    with pytest.raises(ValueError, match="the token ' ' has white space in it, which an ARPA file cannot hold"):
        write_arpa(model, tmp_path / "model.arpa")
    assert not list(tmp_path.iterdir())
