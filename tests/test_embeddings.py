"""Embeddings: by hand, by brute force, beside autograd, NumPy and gensim; the world's analogies and its planted stereotype."""

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import corpora, world
from helpers.embeddings import (
    Embeddings,
    Score,
    SkipGramConfig,
    analogy_accuracy,
    associations,
    cooccurrence,
    keep_probability,
    noise_distribution,
    pairs,
    pca,
    pmi,
    read,
    sgns_gradients,
    sgns_loss,
    shifted_ppmi,
    svd_embeddings,
    train_skip_gram,
    weat,
)
from helpers.embeddings.skip_gram import _descend, _step

TINY = [["the", "cat", "sat"], ["the", "dog", "sat", "down"], ["the", "cat"]]
FEMALE, MALE = "mother sister aunt grandmother".split(), "father brother uncle grandfather".split()
LEARNABLE = ("animal : young", "animal : home", "village : river")  # the other families' links are not in the stories


@pytest.fixture(scope="module")
def stories():
    return [world.tokenize(line) for line in corpora.load("world", "train").splitlines()]


@pytest.fixture(scope="module")
def families():
    return {name: [q for q in world.analogies() if q[:2] in pairs_of] for name, pairs_of in world.FAMILIES.items()}


@pytest.fixture(scope="module")
def emb(stories):
    """The default training on the world, used by all tests that ask what it has learned."""
    return train_skip_gram(stories)


def random_embeddings(words, dimensions=5, seed=0):
    return Embeddings(words, np.random.default_rng(seed).normal(size=(len(words), dimensions)))


# ---- sentences and pairs


def test_read_puts_the_most_frequent_word_first_and_keeps_sentences_apart():
    stream = read(TINY)
    assert stream.vocab == ["the", "cat", "sat", "dog", "down"]  # equals in order of first appearance
    assert stream.counts.tolist() == [3, 2, 2, 1, 1]
    assert stream.ids.tolist() == [0, 1, 2, 0, 3, 2, 4, 0, 1]
    assert stream.sentence.tolist() == [0, 0, 0, 1, 1, 1, 1, 2, 2]


def test_rare_words_are_left_out_before_pairs_are_made():
    stream = read(TINY, min_count=2)
    assert stream.vocab == ["the", "cat", "sat"]
    assert stream.ids.tolist() == [0, 1, 2, 0, 2, 0, 1]  # "dog" is gone, so "the" and "sat" are neighbours
    assert stream.sentence.tolist() == [0, 0, 0, 1, 1, 2, 2]


def pairs_by_loop(sentence, reach):
    found = []
    for centre in range(len(sentence)):
        for context in range(len(sentence)):
            if context != centre and abs(context - centre) <= reach[centre] and sentence[context] == sentence[centre]:
                found.append((centre, context))
    return found


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), max_size=25))
def test_pairs_are_those_of_a_loop_over_all_positions(tokens):
    sentence = np.cumsum([new for new, _ in tokens]).astype(int)
    reach = np.array([far for _, far in tokens], dtype=int)
    centres, contexts = pairs(sentence, reach)
    assert sorted(zip(centres.tolist(), contexts.tolist(), strict=True)) == pairs_by_loop(sentence, reach)


def test_pairs_by_hand():
    centres, contexts = pairs(np.array([0, 0, 0, 1]), np.array([2, 1, 1, 3]))
    assert list(zip(centres, contexts, strict=True)) == [(0, 1), (1, 2), (1, 0), (2, 1), (0, 2)]


def test_subsampling_by_hand():
    assert keep_probability(np.array([1, 4, 95]), 0).tolist() == [1, 1, 1]
    kept = keep_probability(np.array([1, 4, 95]), 0.01)  # frequencies 0.01, 0.04, 0.95
    assert kept == pytest.approx([1, 0.5 + 0.25, math.sqrt(0.01 / 0.95) + 0.01 / 0.95])


def test_noise_by_hand():
    assert noise_distribution([1, 16]) == pytest.approx([1 / 9, 8 / 9])  # 16^0.75 = 8
    assert noise_distribution([1, 3], power=1) == pytest.approx([1 / 4, 3 / 4])


def test_subsampling_and_noise_are_gensims(stories):
    models = pytest.importorskip("gensim.models", reason="gensim has no wheel for this Python")
    some = stories[:300]
    peer = models.Word2Vec(min_count=1, sample=3e-4, sg=1, negative=5, vector_size=4)
    peer.build_vocab(some)
    stream = read(some)
    order = [stream.vocab.index(word) for word in peer.wv.index_to_key]
    kept = [peer.wv.get_vecattr(word, "sample_int") / 2**32 for word in peer.wv.index_to_key]
    assert keep_probability(stream.counts, 3e-4)[order] == pytest.approx(kept, abs=1e-6)
    cumulative = peer.cum_table / peer.cum_table[-1]  # rounded to 31 bits
    assert np.cumsum(noise_distribution(stream.counts[order])) == pytest.approx(cumulative, abs=1e-6)


# ---- the loss, its gradient, and one step


def groups(G=3, M=4, N=5, C=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(G, size, C, generator=generator, dtype=torch.float64) for size in (M, M, N)]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def test_loss_of_one_pair_by_hand():
    w, c, n = (torch.tensor([rows]).double() for rows in ([[1, 0]], [[2, 5]], [[0, 1], [-1, 0]]))  # products 2; 0 and −1
    expected = -math.log(sigmoid(2)) - math.log(sigmoid(0)) - math.log(sigmoid(1))
    assert sgns_loss(w, c, n, k=2).item() == pytest.approx(expected)
    by_word, by_context, by_negative = sgns_gradients(w, c, n, k=2)
    pull, push = sigmoid(2) - 1, sigmoid(-1)
    assert by_word[0, 0].tolist() == pytest.approx([2 * pull - push, 5 * pull + 0.5])
    assert by_context[0, 0].tolist() == pytest.approx([pull, 0])
    assert by_negative[0].flatten().tolist() == pytest.approx([0.5, 0, push, 0])


@pytest.mark.parametrize(("M", "N", "k"), [(1, 5, 5), (16, 16, 5), (4, 3, 7)])
def test_gradients_are_autograds(M, N, k):
    tensors = [t.requires_grad_() for t in groups(M=M, N=N)]
    sgns_loss(*tensors, k).backward()
    for ours, tensor in zip(sgns_gradients(*(t.detach() for t in tensors), k), tensors, strict=True):
        torch.testing.assert_close(ours, tensor.grad, rtol=1e-12, atol=1e-12)


def test_shared_negatives_have_the_loss_of_ones_own_in_expectation():
    """Over all draws of 2 negatives from 3 words: a group of 2 pairs that shares them, against each pair with k of its own."""
    w, c, n = groups(G=1, M=2, N=3)
    p, k = [0.5, 0.3, 0.2], 5
    shared = sum(p[i] * p[j] * sgns_loss(w, c, n[:, [i, j]], k) for i, j in itertools.product(range(3), repeat=2))
    own = -torch.nn.functional.logsigmoid((w * c).sum(-1)).sum()
    own -= k * sum(p[i] * torch.nn.functional.logsigmoid(-(w[0, m] @ n[0, i])) for i in range(3) for m in range(2))
    torch.testing.assert_close(shared, own)


def test_a_step_is_gradient_descent_while_words_are_rare():
    generator = torch.Generator().manual_seed(0)
    centre, context = torch.randn(50, 4, generator=generator), torch.randn(50, 4, generator=generator)
    words, others = torch.randint(50, (3, 4), generator=generator), torch.randint(50, (2, 3, 4), generator=generator)
    tables = [centre.clone().requires_grad_(), context.clone().requires_grad_()]
    sgns_loss(tables[0][words], tables[1][others[0]], tables[1][others[1]], 5).backward()
    _step(centre, context, words, others, 5, lr=0.01)
    for stepped, table in zip((centre, context), tables, strict=True):
        torch.testing.assert_close(stepped, table.detach() - 0.01 * table.grad)


def test_a_word_that_comes_too_often_moves_by_the_mean_of_its_gradients():
    table, ids = torch.zeros(3, 1), torch.tensor([[0, 0, 0, 0, 1]])
    gradients = torch.tensor([1.0, 2.0, 3.0, 6.0, 1.0])[None, :, None]
    _descend(table, [(ids, gradients, 1)], lr=0.5)  # 4 · 0.5 > 1: the mean, 3, counts once; the other word takes its step
    assert table.flatten().tolist() == [-3, -0.5, 0]
    table.zero_()
    _descend(table, [(ids, gradients, 1)], lr=0.25)  # 4 · 0.25 = 1: plain sums
    assert table.flatten().tolist() == [-3, -0.25, 0]
    table.zero_()
    _descend(table, [(ids, gradients, 5)], lr=0.25)  # each is the gradient of 5 pairs: 1/20 and 1/5 are less than 0.25
    assert table.flatten().tolist() == pytest.approx([-12 / 20, -1 / 5, 0])


def test_a_shared_negative_counts_for_all_the_pairs_that_share_it():
    centre, context, ids = torch.ones(20, 2), torch.zeros(20, 2), torch.arange(16)[None]
    _step(centre, context, ids, torch.stack([ids, torch.full_like(ids, 19)]), k=5, lr=0.5)
    assert context[19].tolist() == [-0.5, -0.5]  # 16 · 5 gradients σ(0)·1, far above 1/lr: their mean
    assert context[0].tolist() == [0.25, 0.25]  # one gradient, times lr


# ---- training


def two_topics(n=300, seed=0):
    rng = np.random.default_rng(seed)
    topics = ["red blue green pink".split(), "two three four five".split()]
    return [[str(word) for word in rng.choice(topics[i % 2], 6)] for i in range(n)]


PLAIN = SkipGramConfig(n_embd=8, window=3, epochs=10, subsample=0, batch_size=256)


def test_words_of_one_topic_come_to_lie_together():
    emb = train_skip_gram(two_topics(), PLAIN)
    for topic in ("red blue green pink".split(), "two three four five".split()):
        assert {word for word, _ in emb.neighbours(topic[0], 3)} == set(topic[1:])
    assert emb.counts.sum() == 1800 and emb.vectors.dtype == np.float32 and emb.context_vectors.shape == (8, 8)


def test_the_seed_decides_and_the_number_of_threads_does_not():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        first = train_skip_gram(two_topics(), PLAIN)
        assert torch.get_num_threads() == 2  # as it was
        torch.set_num_threads(1)
        again = train_skip_gram(two_topics(), PLAIN)
    finally:
        torch.set_num_threads(before)
    other = train_skip_gram(two_topics(), SkipGramConfig(n_embd=8, window=3, epochs=10, subsample=0, batch_size=256, seed=1))
    assert np.array_equal(first.vectors, again.vectors)
    assert not np.allclose(first.vectors, other.vectors, atol=0.1)


@pytest.mark.parametrize("lr", [0.05, 1.0, 100.0])
def test_large_batches_of_few_words_do_not_diverge(lr):
    """The sum of hundreds of gradients of one word, each times lr, would; see LONGEST_STEP."""
    emb = train_skip_gram([["a", "b", "c"] * 300], SkipGramConfig(n_embd=4, window=2, epochs=5, lr=lr, subsample=0))
    assert np.abs(emb.vectors).max() < 50


def test_fewer_pairs_than_a_group():
    emb = train_skip_gram([["a", "b"]], SkipGramConfig(n_embd=2, epochs=1, subsample=0))
    assert emb.vocab == ["a", "b"] and np.isfinite(emb.vectors).all()


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        ([], "there are none at all"),
        ([[], []], "there are none at all"),
        ([["king"]], "no word has a neighbour"),
        ([["king"], ["queen"]], "no word has a neighbour"),
        ("the king", "got one str"),
        (["the king"], "got 'the king' of str"),
        ([1, 2], "got 1 of int"),
        ([["the", 7]], "got 7 of int"),
    ],
)
def test_sentences_with_nothing_to_learn_from(sentences, message):
    with pytest.raises(ValueError, match=message):
        train_skip_gram(sentences)
    with pytest.raises(ValueError, match=message):
        cooccurrence(sentences, window=2)


def test_min_count_that_leaves_nothing():
    with pytest.raises(ValueError, match=r"min_count=4: the most frequent of 5 comes 3 times"):
        train_skip_gram(TINY, SkipGramConfig(min_count=4))


def test_subsampling_that_leaves_nothing():
    with pytest.raises(ValueError, match="set subsample=0"):
        train_skip_gram([["a", "b"]], SkipGramConfig(subsample=1e-12))


@pytest.mark.parametrize(
    "setting",
    [
        *({name: 0} for name in ("window", "n_embd", "negatives", "epochs", "min_count", "batch_size", "lr")),
        *({"window": 2.5}, {"lr": math.nan}, {"subsample": -1}, {"subsample": 2}, {"noise_power": -1}),
    ],
)
def test_settings_out_of_range(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        SkipGramConfig(**setting)


# ---- what it learns from the world, beside gensim


def test_the_learnable_analogies_are_learned_and_the_others_are_at_chance(emb, families):
    scores = analogy_accuracy(emb, families)
    assert scores["all"].asked == len(world.analogies()) == 1174 and scores["all"].unknown == 0
    for name in families:
        if name in LEARNABLE:
            assert scores[name].accuracy > 0.9, name
        else:
            assert scores[name].accuracy < 0.3, name
    everything_counts = analogy_accuracy(emb, families, exclude=False)
    assert all(everything_counts[name].accuracy <= scores[name].accuracy for name in families)
    assert everything_counts["man : woman"].accuracy < 0.1


def test_as_accurate_as_gensim(stories, families):
    """At a setting where neither answers everything; 510 analogies and two seeds leave about ±0.03 to chance."""
    models = pytest.importorskip("gensim.models", reason="gensim has no wheel for this Python")
    learnable = {name: families[name] for name in LEARNABLE}
    ours, theirs = [], []
    for seed in (1, 2):
        config = SkipGramConfig(n_embd=48, epochs=3, subsample=1e-4, seed=seed)
        ours.append(train_skip_gram(stories, config))
        peer = models.Word2Vec(
            stories, vector_size=config.n_embd, window=config.window, epochs=config.epochs, alpha=config.lr, negative=5,
            sample=config.subsample, min_count=1, sg=1, hs=0, workers=1, seed=seed,
        )  # fmt: skip
        theirs.append(Embeddings(peer.wv.index_to_key, peer.wv.vectors))
    ours, theirs = (np.mean([analogy_accuracy(e, learnable)["all"].accuracy for e in found]) for found in (ours, theirs))
    assert 0.3 < theirs < 0.98
    assert ours > theirs - 0.05


def test_products_of_vectors_are_shifted_pmi(stories, emb):
    config = SkipGramConfig()
    vocab, counts = cooccurrence(stories, config.window, subsample=config.subsample, passes=2)
    assert vocab == emb.vocab
    target = pmi(counts, noise_distribution(emb.counts)) - math.log(config.negatives)
    seen = counts >= 5  # pairs an epoch: of rarer ones the count itself is chance
    product = emb.vectors @ emb.context_vectors.T
    assert seen.sum() > 50_000
    assert np.corrcoef(target[seen], product[seen])[0, 1] > 0.9
    assert product[counts == 0].mean() < product[seen].mean() - 2  # where PMI is −∞


def test_with_as_many_dimensions_as_words_the_products_are_shifted_pmi_nearly_exactly():
    rng = np.random.default_rng(0)
    step = rng.dirichlet(np.ones(8), size=8)
    text, word = [], 0
    for _ in range(20_000):
        word = rng.choice(8, p=step[word])
        text.append("abcdefgh"[word])
    config = SkipGramConfig(n_embd=8, window=1, epochs=15, negatives=2, subsample=0, batch_size=512)
    emb = train_skip_gram([text], config)
    vocab, counts = cooccurrence([text], 1)
    target = pmi(counts, noise_distribution(emb.counts)) - math.log(2)
    assert vocab == emb.vocab and (counts > 0).all()
    product = emb.vectors @ emb.context_vectors.T
    assert np.corrcoef(target.ravel(), product.ravel())[0, 1] > 0.97


def test_svd_of_shifted_ppmi_learns_the_same_analogies(stories, families):
    vocab, counts = cooccurrence(stories, 10, subsample=3e-4)
    noise = noise_distribution(read(stories).counts)
    scores = analogy_accuracy(svd_embeddings(vocab, shifted_ppmi(counts, 1, noise), n_embd=64), families)
    assert all(scores[name].accuracy > 0.7 for name in LEARNABLE)


# ---- counts, PMI, SVD


@given(st.lists(st.text("abc", min_size=1, max_size=8), min_size=1, max_size=4), st.integers(1, 5))
def test_cooccurrence_is_the_mean_over_all_reaches(sentences, window):
    if max(map(len, sentences)) < 2:
        sentences.append("ab")
    sentences = [list(sentence) for sentence in sentences]
    stream = read(sentences)
    expected = Counter()
    for reach in range(1, window + 1):
        for centre, context in pairs_by_loop(stream.sentence, [reach] * len(stream.ids)):
            expected[stream.ids[centre], stream.ids[context]] += Fraction(1, window)
    vocab, counts = cooccurrence(sentences, window)
    assert vocab == stream.vocab and np.array_equal(counts, counts.T)
    for cell in itertools.product(range(len(vocab)), repeat=2):
        assert counts[cell] == pytest.approx(float(expected[cell]))


def test_cooccurrence_by_hand():
    vocab, counts = cooccurrence([["a", "b", "c"]], window=2)  # distance 1 always counts, distance 2 half the time
    assert vocab == ["a", "b", "c"]
    assert counts.tolist() == [[0, 1, 0.5], [1, 0, 1], [0.5, 1, 0]]


def test_cooccurrence_with_subsampling():
    text = two_topics()
    plain = cooccurrence(text, 3)[1]
    assert np.array_equal(cooccurrence(text, 3, subsample=1.0)[1], plain)  # every word is rarer than 1
    thinned = cooccurrence(text, 3, subsample=0.02, seed=5)[1]
    assert 0 < thinned.sum() < plain.sum()
    assert np.array_equal(thinned, cooccurrence(text, 3, subsample=0.02, seed=5)[1])
    assert not np.array_equal(thinned, cooccurrence(text, 3, subsample=0.02, seed=6)[1])


def test_cooccurrence_refuses():
    with pytest.raises(ValueError, match="window must be"):
        cooccurrence(TINY, 0)
    with pytest.raises(ValueError, match="subsample"):
        cooccurrence(TINY, 2, subsample=-1)
    with pytest.raises(ValueError, match="raise min_count"):
        cooccurrence([[str(i) for i in range(10_001)]], 1)


def test_pmi_by_hand():
    counts = np.array([[2.0, 1.0], [1.0, 0.0]])
    a_a, a_b = math.log(0.5 / 0.75**2), math.log(0.25 / (0.75 * 0.25))
    assert pmi(counts) == pytest.approx(np.array([[a_a, a_b], [a_b, -np.inf]]))
    assert shifted_ppmi(counts, k=1) == pytest.approx(np.array([[0, a_b], [a_b, 0]]))
    assert shifted_ppmi(counts, k=1.2) == pytest.approx(np.array([[0, a_b - math.log(1.2)], [a_b - math.log(1.2), 0]]))
    with_noise = pmi(counts, noise=[0.5, 0.5])
    assert with_noise == pytest.approx(np.array([[math.log(2 / 1.5), math.log(1 / 1.5)], [math.log(1 / 0.5), -np.inf]]))


def test_pmi_is_zero_where_words_are_independent():
    assert pmi(np.outer([1, 2, 5], [4, 1, 3])) == pytest.approx(np.zeros((3, 3)), abs=1e-12)


def test_a_word_without_pairs_has_no_pmi():
    assert np.isneginf(pmi(np.array([[2, 0], [0, 0]]))).tolist() == [[False, True], [True, True]]


@pytest.mark.parametrize("counts", [np.ones(4), np.ones((2, 3)), np.zeros((2, 2)), [[1, -1], [1, 1]], [[1, math.nan], [1, 1]]])
def test_pmi_refuses(counts):
    with pytest.raises(ValueError, match=r"counts must be \(V, V\)"):
        pmi(counts)


def test_pmi_refuses_noise_and_shifts_that_do_not_fit():
    with pytest.raises(ValueError, match="noise must be"):
        pmi(np.ones((2, 2)), noise=[1, 0, 0])
    with pytest.raises(ValueError, match="k must be above 0"):
        shifted_ppmi(np.ones((2, 2)), k=0)


def test_svd_gives_the_best_factors():
    matrix = np.random.default_rng(0).normal(size=(6, 6))
    words = list("abcdef")
    for power in (0.0, 0.5, 1.0):
        whole = svd_embeddings(words, matrix, 6, power)
        assert whole.vectors @ whole.context_vectors.T == pytest.approx(matrix)
    some = svd_embeddings(words, matrix, 2)
    left_over = np.linalg.svd(matrix, compute_uv=False)[2:]
    assert ((matrix - some.vectors @ some.context_vectors.T) ** 2).sum() == pytest.approx((left_over**2).sum())
    assert np.linalg.norm(some.vectors, axis=0) == pytest.approx(np.linalg.norm(some.context_vectors, axis=0))
    assert (some.vectors.max(0) == np.abs(some.vectors).max(0)).all()


def test_svd_refuses():
    with pytest.raises(ValueError, match=r"expected a finite \(2, 2\) matrix"):
        svd_embeddings(["a", "b"], np.ones((3, 3)), 1)
    with pytest.raises(ValueError, match="−inf"):
        svd_embeddings(["a", "b"], pmi(np.eye(2)), 1)
    with pytest.raises(ValueError, match="n_embd must be 1 … 2"):
        svd_embeddings(["a", "b"], np.ones((2, 2)), 3)


# ---- asking embeddings

ROYAL = Embeddings(  # male–female, royal–common, and how long ago
    ["man", "woman", "king", "queen", "apple"],
    np.array([[1, 0, 0], [-1, 0, 0], [1, 1, 0], [-1, 1, 0], [0, 0, 1.0]]),
)


def test_questions_by_hand():
    assert ROYAL["king"].tolist() == [1, 1, 0] and "king" in ROYAL and "kings" not in ROYAL and len(ROYAL) == 5
    assert ROYAL.similarity("man", "king") == pytest.approx(1 / math.sqrt(2))
    assert ROYAL.similarity("man", "woman") == pytest.approx(-1)
    words, cosines = zip(*ROYAL.neighbours("king", 4), strict=True)
    assert words[0] == "man" and set(words[1:3]) == {"queen", "apple"} and words[3] == "woman"  # itself left out, two equals
    assert cosines == pytest.approx([math.sqrt(0.5), 0, 0, -math.sqrt(0.5)])
    assert ROYAL.neighbours([0, 0, 3], 1) == [("apple", pytest.approx(1))]  # a vector has no word to leave out
    assert [word for word, _ in ROYAL.analogy("man", "woman", "king", k=2)] == ["queen", "apple"]


def test_leaving_the_question_out_makes_the_answer():
    """b − a is small beside c, so the nearest of all is c itself."""
    emb = Embeddings(["a", "b", "c", "d"], np.array([[1, 0.1], [1, 0.2], [1, 3], [1, 6]]))
    assert emb.analogy("a", "b", "c", exclude=False)[0][0] == "c"
    assert emb.analogy("a", "b", "c")[0][0] == "d"
    quads = [("a", "b", "c", "d")]
    assert analogy_accuracy(emb, quads)["all"] == Score(1, 1)
    assert analogy_accuracy(emb, quads, exclude=False)["all"] == Score(0, 1)


def test_all_three_words_of_the_question_are_left_out():
    emb = Embeddings(["a", "b", "c", "d"], np.array([[1, 0], [0.8, 0.6], [0.8, -0.6], [-1, 0.1]]))  # b − a + c points to a
    assert emb.analogy("a", "b", "c", exclude=False)[0][0] == "a"
    assert emb.analogy("a", "b", "c", k=4) == [("d", pytest.approx(-1 / math.sqrt(1.01)))]
    assert analogy_accuracy(emb, [("a", "b", "c", "d")])["all"] == Score(1, 1)


@pytest.mark.parametrize("exclude", [True, False])
def test_accuracy_counts_what_analogy_answers(exclude):
    words = [f"w{i}" for i in range(9)]
    emb = random_embeddings(words, 3)
    quads = [(*quad, answer) for quad in itertools.permutations(words[:5], 3) for answer in words[5:7]]
    right = sum(emb.analogy(a, b, c, exclude=exclude)[0][0] == d for a, b, c, d in quads)
    score = analogy_accuracy(emb, {"first": quads[:50], "rest": quads[50:]}, exclude=exclude)
    assert score["all"] == Score(right, len(quads)) == score["first"] + score["rest"]
    assert right > 0 or not exclude


def test_unknown_words_are_counted_and_not_asked():
    quads = [("man", "woman", "king", "queen"), ("man", "woman", "duke", "duchess")]
    score = analogy_accuracy(ROYAL, {"people": quads, "titles": quads[1:]})
    assert score["people"] == Score(correct=1, asked=1, unknown=1) and score["people"].accuracy == 1
    assert score["titles"] == Score(0, 0, 1) and math.isnan(score["titles"].accuracy)
    with pytest.raises(ValueError, match="none of 1 analogies can be asked"):
        analogy_accuracy(ROYAL, quads[1:])
    with pytest.raises(ValueError, match="four words"):
        analogy_accuracy(ROYAL, [("man", "woman", "king")])


def test_gensim_answers_alike(emb):
    models = pytest.importorskip("gensim.models", reason="gensim has no wheel for this Python")
    peer = models.KeyedVectors(emb.vectors.shape[1])
    peer.add_vectors(emb.vocab, emb.vectors)
    for word in ("king", "cow", "Tarn"):
        theirs = peer.most_similar(word, topn=8)
        assert [w for w, _ in emb.neighbours(word, 8)] == [w for w, _ in theirs]
        assert [c for _, c in emb.neighbours(word, 8)] == pytest.approx([c for _, c in theirs], abs=1e-5)  # float32
    for a, b, c, _ in world.analogies()[::97]:
        theirs = peer.most_similar(positive=[b, c], negative=[a], topn=3)
        assert [w for w, _ in emb.analogy(a, b, c, k=3)] == [w for w, _ in theirs]
    assert emb.similarity("cat", "kitten") == pytest.approx(float(peer.similarity("cat", "kitten")), abs=1e-5)


@pytest.mark.parametrize("ask", [lambda e: e["kin"], lambda e: e.similarity("man", "kin"), lambda e: e.neighbours("kin")])
def test_an_unknown_word_is_told_its_near_spellings(ask):
    with pytest.raises(ValueError, match=r"'kin' is not among the 5 words .* spelled nearly so: king.* has no row"):
        ask(ROYAL)


def test_case_does_not_hide_a_near_spelling():
    with pytest.raises(ValueError, match=r"'King' is not among .* spelled nearly so: king"):
        ROYAL["King"]


def test_unknown_words_of_other_kinds():
    with pytest.raises(ValueError, match=r"not among the 5 words of these embeddings\. A table"):
        ROYAL["🎲"]
    with pytest.raises(ValueError, match="7 is not among"):
        ROYAL[7]
    with pytest.raises(ValueError, match="'duke' is not among"):
        ROYAL.analogy("man", "woman", "duke")


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match=r"vectors must be \(2, C\)"):
        Embeddings(["a", "b"], np.ones((3, 2)))
    with pytest.raises(ValueError, match="got shape"):
        Embeddings(["a", "b"], np.ones(2))
    with pytest.raises(ValueError, match="finite"):
        Embeddings(["a", "b"], np.array([[1.0], [math.nan]]))
    with pytest.raises(ValueError, match="context_vectors must be"):
        Embeddings(["a", "b"], np.ones((2, 2)), np.ones((3, 2)))
    with pytest.raises(ValueError, match="twice"):
        Embeddings(["a", "a"], np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"vector of shape \(3,\)"):
        ROYAL.neighbours([1, 2])
    with pytest.raises(ValueError, match="k must be at least 1"):
        ROYAL.neighbours("king", 0)


def test_a_zero_vector_has_similarity_zero():
    assert Embeddings(["a", "b"], np.array([[0.0, 0], [1, 0]])).similarity("a", "b") == 0


# ---- PCA


@settings(max_examples=30)
@given(st.integers(2, 12), st.integers(2, 6), st.integers(0, 1000))
def test_pca_explains_the_largest_variances(n, dimensions, seed):
    vectors = np.random.default_rng(seed).normal(size=(n, dimensions)) + 3
    k = min(n, dimensions)
    found = pca(vectors, k)
    largest = np.linalg.eigvalsh(np.cov(vectors.T))[::-1][:k]
    assert found.mean(0) == pytest.approx(np.zeros(k), abs=1e-9)
    assert np.cov(found.T) == pytest.approx(np.diag(largest), abs=1e-8)
    assert pca(vectors, 1) == pytest.approx(found[:, :1])
    assert pca(vectors[::-1], 1)[::-1] == pytest.approx(found[:, :1])  # the sign does not hang on the order


def test_pca_by_hand():
    """All variance on the line y = −2x: coordinates along (−1, 2)/√5, whose largest coefficient is positive."""
    assert pca([[1, -2], [0, 0], [-1, 2]], 1).ravel() == pytest.approx([-math.sqrt(5), 0, math.sqrt(5)])


@pytest.mark.parametrize(("vectors", "k"), [(np.ones(3), 1), (np.ones((3, 2)), 3), (np.ones((3, 2)), 0), ([[math.inf, 1]], 1)])
def test_pca_refuses(vectors, k):
    with pytest.raises(ValueError, match=r"need \(V, C\) finite vectors"):
        pca(vectors, k)


# ---- WEAT


def test_weat_by_hand():
    angles = {"x1": 0, "x2": 60, "y1": 90, "y2": 90, "a": 0, "b": 90}
    emb = Embeddings(list(angles), np.array([[math.cos(math.radians(t)), math.sin(math.radians(t))] for t in angles.values()]))
    s = associations(emb, ["x1", "x2", "y1", "y2"], ["a"], ["b"])  # cos t − sin t
    assert s == pytest.approx([1, 0.5 - math.sqrt(3) / 2, -1, -1])
    found = weat(emb, ["x1", "x2"], ["y1", "y2"], ["a"], ["b"])
    assert found.effect_size == pytest.approx((s[:2].mean() - s[2:].mean()) / math.sqrt(((s - s.mean()) ** 2).mean()))
    assert (found.p_value, found.partitions, found.exact) == (pytest.approx(1 / 6), 6, True)
    turned = weat(emb, ["y1", "y2"], ["x1", "x2"], ["a"], ["b"])
    assert turned.effect_size == pytest.approx(-found.effect_size) and turned.p_value == 1


def weat_by_brute_force(emb, X, Y, A, B):
    """The paper's formulas, sets and loops."""

    def s(w):
        return np.mean([emb.similarity(w, a) for a in A]) - np.mean([emb.similarity(w, b) for b in B])

    def difference(first):
        return sum(s(w) for w in first) - sum(s(w) for w in {*X, *Y} - set(first))

    splits = [difference(first) for first in itertools.combinations([*X, *Y], len(X))]
    effect = (np.mean([s(x) for x in X]) - np.mean([s(y) for y in Y])) / np.std([s(w) for w in [*X, *Y]])
    return effect, np.mean([d >= difference(X) - 1e-12 for d in splits])


@pytest.mark.parametrize("seed", range(5))
def test_weat_is_the_papers_by_brute_force(seed):
    words = [f"w{i}" for i in range(11)]
    emb = random_embeddings(words, seed=seed)
    sets = words[:3], words[3:6], words[6:8], words[8:]
    found = weat(emb, *sets)
    assert (found.effect_size, found.p_value) == pytest.approx(weat_by_brute_force(emb, *sets))
    assert found.partitions == 20 and found.exact


def test_sampled_partitions_come_near_the_exact_p_value():
    words = [f"w{i}" for i in range(20)]
    emb = random_embeddings(words, seed=3)
    sets = words[:5], words[5:10], words[10:15], words[15:]
    exact = weat(emb, *sets)
    sampled = [weat(emb, *sets, n_permutations=200, seed=seed) for seed in range(20)]
    assert exact.partitions == 252 and sampled[0].partitions == 201 and not sampled[0].exact
    assert all(found.p_value * 201 == pytest.approx(round(found.p_value * 201)) and found.p_value > 0 for found in sampled)
    spread = math.sqrt(exact.p_value * (1 - exact.p_value) / 200 / 20)  # of the mean of 20 samples of 200
    assert np.mean([found.p_value for found in sampled]) == pytest.approx(exact.p_value, abs=4 * spread + 1 / 201)
    assert sampled[0] == weat(emb, *sets, n_permutations=200, seed=0)


def test_targets_that_do_not_differ_have_no_effect():
    emb = Embeddings(["x1", "x2", "y1", "y2", "a", "b"], np.array([[1, 1.0]] * 4 + [[1, 0], [0, 1]]))
    found = weat(emb, ["x1", "x2"], ["y1", "y2"], ["a"], ["b"])
    assert (found.effect_size, found.p_value) == (0, 1)


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ((["w0"], ["w1"], ["w2"], ["w3"]), "at least 2, got 1 and 1"),
        ((["w0", "w1"], ["w2", "w3", "w4"], ["w5"], ["w6"]), "got 2 and 3"),
        ((["w0", "w1"], ["w2", "w1"], ["w5"], ["w6"]), "'w1' comes twice"),
        ((["w0", "w1"], ["w2", "w3"], [], ["w6"]), "at least one word"),
        ((["w0", "w1"], ["w2", "w3"], ["w5"], "w6"), "must each be a list"),
        ((["w0", "w1"], ["w2", "nurse"], ["w5"], ["w6"]), "'nurse' is not among"),
    ],
)
def test_weat_refuses(sets, message):
    with pytest.raises(ValueError, match=message):
        weat(random_embeddings([f"w{i}" for i in range(7)]), *sets)


def test_the_planted_stereotype_is_found_and_neutral_jobs_lie_between(emb):
    found = weat(emb, world.WOMENS_JOBS, world.MENS_JOBS, FEMALE, MALE)
    assert found.p_value == pytest.approx(1 / 70) and found.effect_size > 1.5
    womens, neutral, mens = (
        associations(emb, jobs, FEMALE, MALE).mean() for jobs in (world.WOMENS_JOBS, world.NEUTRAL_JOBS, world.MENS_JOBS)
    )
    assert womens > neutral > mens


def test_where_nothing_was_planted_nothing_is_found(stories):
    """The same words and the same test on a text in which every second story has women for men and men for women."""
    from helpers.world.lexicon import GENDER_PAIRS, MEN, WOMEN

    both = [*GENDER_PAIRS, *zip(WOMEN, MEN, strict=True)]
    both += [("she", "he"), ("her", "his"), ("She", "He"), ("Her", "His"), ("girls", "boys")]
    turned = dict(both) | {man: woman for woman, man in both}
    coin = np.random.default_rng(0).random(len(stories)) < 0.5
    fair = [[turned.get(word, word) for word in story] if heads else story for story, heads in zip(stories, coin, strict=True)]
    found = weat(train_skip_gram(fair), world.WOMENS_JOBS, world.MENS_JOBS, FEMALE, MALE)
    assert found.p_value > 0.05
