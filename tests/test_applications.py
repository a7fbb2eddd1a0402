"""The metrics and baselines of the seven applications: by hand, against other libraries, and on the world."""

import math
import random
from collections import Counter
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from helpers import world
from helpers.applications import (
    Retriever,
    answer_scores,
    bag_of_words,
    distinct_n,
    exact_match,
    fact_scores,
    lead,
    majority,
    mean_pass_at_k,
    normalise_answer,
    pass_at_k,
    rouge_scores,
    sentiment_scores,
    statements,
    token_f1,
    translation_scores,
)


def close(value, expected, tolerance=1e-9):
    """Equal but for the rounding of floats."""
    assert value == pytest.approx(expected, rel=0, abs=tolerance)


def shaken(texts: list[str], seed: int, separator: str = " ") -> list[str]:
    """Texts as a poor model would write them: a word left out, a word of another text put in."""
    rng, found = random.Random(seed), []
    for text in texts:
        words = text.split(separator) if separator else list(text)
        other = rng.choice(texts).split(separator) if separator else list(rng.choice(texts))
        words[rng.randrange(len(words))] = rng.choice(other)
        del words[rng.randrange(len(words))]
        found.append(separator.join(words))
    return found


@pytest.fixture(scope="module")
def peer():
    """torchmetrics: implementations of its own of BLEU, chrF, ROUGE and SQuAD's grades."""
    return pytest.importorskip("torchmetrics.functional.text")


# Translation


def test_bleu_by_hand():
    # Precisions 4/5, 3/4, 2/3, 1/2 of 1- to 4-grams; their geometric mean, and no penalty for the length.
    close(translation_scores(["a b c d e"], ["a b c d f"], "en").bleu, 100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)


def test_bleu_punishes_what_is_too_short():
    close(translation_scores(["a b c d"], ["a b c d e"], "en").bleu, 100 * math.exp(1 - 5 / 4))


def test_bleu_of_chinese_counts_characters():
    # 4/5, 2/4, 1/3, and for 4-grams, of which none of 2 is right, half a hit (smoothing "exp").
    scores = translation_scores(["我有三本书"], ["我有三只书"], "zh")
    close(scores.bleu, 100 * (4 / 5 * 2 / 4 * 1 / 3 * 0.5 / 2) ** 0.25)
    assert "tok:zh" in scores.signature and "nrefs:1" in scores.signature


def test_bleu_is_of_the_corpus_and_not_the_mean_of_sentences():
    hypotheses, references = ["a b c d e", "p q r s"], ["a b c d e", "p q x s"]
    matches, all_ = (5 + 3, 4 + 1, 3 + 0, 2 + 0), (5 + 4, 4 + 3, 3 + 2, 2 + 1)
    expected = math.prod(m / a for m, a in zip(matches, all_, strict=True)) ** 0.25
    close(translation_scores(hypotheses, references, "en").bleu, 100 * expected)


def test_chrf_by_hand():
    # One of two characters is right, no pair of them, and there are no longer n-grams: precision and recall are both 1/4.
    close(translation_scores(["ab"], ["ac"], "en").chrf, 25)


def test_chrf_weighs_recall_above_precision():
    short, long = translation_scores(["ab"], ["abab"], "en").chrf, translation_scores(["abab"], ["ab"], "en").chrf
    assert short < long


@pytest.mark.parametrize(("language", "side", "separator"), [("zh", 1, ""), ("en", 0, " ")])
def test_bleu_and_chrf_equal_torchmetrics(peer, language, side, separator):
    references = [text.split("\t")[side] for text in world.sample(60, seed=1, kind="pair")]
    hypotheses = shaken(references, 2, separator)
    ours, golds = translation_scores(hypotheses, references, language), [[text] for text in references]
    tokenizer = {"zh": "zh", "en": "13a"}[language]
    close(ours.bleu / 100, float(peer.sacre_bleu_score(hypotheses, golds, tokenize=tokenizer)), 1e-6)  # float32 there
    # Theirs is the mean of six F-scores, sacrebleu's (and Popović's) the F-score of mean precision and mean recall.
    close(ours.chrf / 100, float(peer.chrf_score(hypotheses, golds, n_word_order=0)), 1e-4)


def test_the_worlds_own_translations_are_perfect():
    english, chinese = zip(*(text.split("\t") for text in world.sample(40, seed=3, kind="pair")), strict=True)
    scores = translation_scores([world.translate(text) for text in english], chinese)
    close((scores.bleu, scores.chrf, scores.exact_match), (100, 100, 1))


def test_exact_match_counts_whole_texts():
    assert exact_match(["a b ", "a  b", "A b", "c"], ["a b", "a b", "a b", "c"]) == 0.5


# Summarisation


def test_rouge_by_hand():
    scores = rouge_scores(["The cat, on mat!"], ["the cat sat on the mat"])
    close(scores.rouge1, 2 * 1 * (4 / 6) / (1 + 4 / 6))  # all 4 words are in the reference, which has 6
    close(scores.rouge2, 2 * (1 / 3) * (1 / 5) / (1 / 3 + 1 / 5))  # "the cat"
    close(scores.rougeL, 0.8)  # the cat … on … mat


def test_rouge_l_minds_the_order():
    scores = rouge_scores(["mat on cat the"], ["the cat on mat"])
    close((scores.rouge1, scores.rougeL), (1, 0.25))


def test_rouge_is_averaged_over_texts():
    close(rouge_scores(["a b", "x"], ["a b", "y"]).rouge1, 0.5)


def test_rouge_by_stems():
    close([rouge_scores(["walks"], ["walking"], stem=stem).rouge1 for stem in (False, True)], [0, 1])


def test_rouge_equals_torchmetrics(peer):
    references = [text.split("\t")[1] for text in world.sample(40, seed=4, kind="summary")]
    summaries, ours = shaken(references, 5), None
    ours = rouge_scores(summaries, references)
    theirs = peer.rouge_score(summaries, references, rouge_keys=("rouge1", "rouge2", "rougeL"))
    close([ours.rouge1, ours.rouge2, ours.rougeL], [float(theirs[f"rouge{n}_fmeasure"]) for n in "12L"], 1e-6)


def test_rouge_refuses_what_its_tokenizer_would_drop():
    with pytest.raises(ValueError, match="reference 1 has the letters '猫'"):
        rouge_scores(["a", "b"], ["a", "猫 b"])
    close(rouge_scores(["a 猫"], ["a “b”"]).rouge1, 2 / 3)  # what a model writes is measured, whatever it is


@pytest.mark.parametrize(
    ("text", "n", "expected"),
    [
        ("Tom ran. He fell.", 1, "Tom ran."),
        ("Tom ran. He fell.", 2, "Tom ran. He fell."),
        ("Tom ran. He fell.", 9, "Tom ran. He fell."),
        ('He cried: "Go!" She went.', 1, 'He cried: "Go!"'),
        ("It cost 3.50 then. Yes.", 1, "It cost 3.50 then."),
        ("no end", 1, "no end"),
        ("  What?! No.", 1, "What?!"),
        ("", 1, ""),
    ],
)
def test_lead(text, n, expected):
    assert lead(text, n) == expected


def test_lead_loses_nothing_of_the_worlds_stories():
    for story in world.sample(50, seed=6):
        assert lead(story, 100) == story
        assert story.startswith(lead(story)) and lead(story)[-1] in '.!?"'


# Question answering


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  cat's Hat.", "cats hat"),
        ("an apple, a day", "apple day"),
        ("theatre", "theatre"),
        ("A", ""),
        ("the-end", "theend"),
    ],
)
def test_normalise_answer(text, expected):
    assert normalise_answer(text) == expected


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        ("the brave owl", "a brave owl", 1),
        ("brave owl there", "an owl", 2 * (1 / 3) * 1 / (1 / 3 + 1)),
        ("owl owl", "owl", 2 * (1 / 2) * 1 / (1 / 2 + 1)),  # the second is one too many
        ("fox", "owl", 0),
        ("", "the", 1),
        ("", "owl", 0),
    ],
)
def test_token_f1_by_hand(prediction, reference, expected):
    close(token_f1(prediction, reference), expected)


def test_answers_are_graded_by_the_nearest_truth():
    scores = answer_scores(["the mill", "an old mill", "x"], [["gate", "Mill"], "mill", "y"])
    close(scores.exact_match, 1 / 3)
    close(scores.f1, (1 + 2 / 3 + 0) / 3)


def test_answers_are_graded_as_torchmetrics_grades_them(peer):
    rng, words = random.Random(7), "the a an owl Owl, brave 's -- mill. x".split()
    predictions = [" ".join(rng.choices(words, k=rng.randrange(5))) for _ in range(150)]
    golds = [[" ".join(rng.choices(words, k=rng.randrange(4))) for _ in range(rng.randint(1, 3))] for _ in predictions]
    theirs = peer.squad(
        [{"prediction_text": text, "id": str(i)} for i, text in enumerate(predictions)],
        [{"answers": {"text": gold, "answer_start": [0] * len(gold)}, "id": str(i)} for i, gold in enumerate(golds)],
    )
    ours = answer_scores(predictions, golds)
    close([ours.exact_match * 100, ours.f1 * 100], [float(theirs["exact_match"]), float(theirs["f1"])], 1e-4)  # float32 there


def test_bm25_by_hand():
    retriever = Retriever(["a b", "a c c", "d"])
    # "c" is in 1 of 3 passages, twice in this one, which is 3 words long where the mean is 2.
    c = math.log(1 + 2.5 / 1.5) * 2 / (2 + 1.5 * (0.25 + 0.75 * 3 / 2))
    a = [math.log(1 + 1.5 / 2.5) / (1 + 1.5 * (0.25 + 0.75 * length / 2)) for length in (2, 3)]
    close(retriever.scores("c"), [0, c, 0])
    close(retriever.scores("A, c?"), [a[0], a[1] + c, 0])
    found = retriever.best("A, c?", 2)
    assert [one.index for one in found] == [1, 0] and found[0].passage == "a c c"
    close(found[0].score, a[1] + c)


def bm25_by_loop(passages: list[list[str]], question: list[str], k1: float, b: float) -> list[float]:
    mean, scores = sum(map(len, passages)) / len(passages), []
    for passage in passages:
        score = 0.0
        for word in question:
            n, f = sum(word in other for other in passages), passage.count(word)
            score += math.log(1 + (len(passages) - n + 0.5) / (n + 0.5)) * f / (f + k1 * (1 - b + b * len(passage) / mean))
        scores.append(score)
    return scores


@pytest.mark.parametrize(("k1", "b"), [(1.5, 0.75), (0.9, 0.4), (2.0, 0.0)])
def test_bm25_equals_its_formula(k1, b):
    rng = random.Random(8)
    passages = [rng.choices("abcdefghij", k=rng.randint(1, 12)) for _ in range(30)]
    retriever = Retriever([" ".join(passage) for passage in passages], k1, b)
    for _ in range(20):
        question = rng.choices("abcdefghijxyz", k=rng.randint(1, 6))  # with words that no passage has, and the same word twice
        close(retriever.scores(" ".join(question)), bm25_by_loop(passages, question, k1, b))


def test_the_retriever_finds_the_passage_of_a_question_of_the_world():
    questions = [world.split_question(text) for text in world.sample(200, seed=9, kind="question")]
    named = [(p, q) for p, q, _ in questions if p.split()[0] in q]  # the question names the hero
    retriever = Retriever([p for p, _, _ in questions])
    right = sum(any(p == found.passage for found in retriever.best(q, 10)) for p, q in named)
    assert right / len(named) > 0.6  # by chance 10 in 200


def test_equally_good_passages_come_in_their_order():
    retriever = Retriever(["b", "a", "b a", "a"])
    assert [found.index for found in retriever.best("a", 9)] == [1, 3, 2, 0]
    assert [found[::2] for found in retriever.best("nowhere", 2)] == [(0, 0.0), (1, 0.0)]
    assert [found.index for found in retriever.best("?!", 1)] == [0]


# Sentiment


def test_sentiment_scores_by_hand():
    labels = ["positive"] * 4 + ["negative"] * 2
    predictions = ["positive", "positive", "positive", "negative", "positive", "negative"]
    scores = sentiment_scores(predictions, labels)
    close(scores.accuracy, 4 / 6)
    close(scores.f1_positive, 3 / 4)  # precision and recall are 3/4
    close(scores.f1_macro, (3 / 4 + 1 / 2) / 2)


def test_an_answer_that_is_no_label_is_wrong_and_no_class():
    scores = sentiment_scores([1, "what?", 0, 0], [1, 1, 0, 0], positive=1)
    close((scores.accuracy, scores.f1_positive, scores.f1_macro), (3 / 4, 2 / 3, (2 / 3 + 1) / 2))


def test_a_label_never_predicted_scores_nothing():
    close(sentiment_scores([0, 0], [1, 0], positive=1).f1_positive, 0)


def reviews(n: int, seed: int) -> tuple[list[str], list[str]]:
    texts = world.sample(n, seed=seed, kind="review")
    return texts, [world.label(text) for text in texts]


def test_baselines_on_the_worlds_reviews():
    (texts, labels), (new, truth) = reviews(400, 10), reviews(200, 11)
    common = Counter(labels).most_common(1)[0][0]
    assert list(majority(texts, labels).predict(new)) == [common] * 200
    words, pairs = (sentiment_scores(list(bag_of_words(texts, labels, n).predict(new)), truth) for n in (1, 2))
    guess = max(Counter(truth).values()) / 200
    assert guess < words.accuracy < pairs.accuracy  # "not good" is two words


def test_bag_of_words_sees_words_of_one_letter():
    model = bag_of_words(["I am", "we am"] * 5, ["one", "many"] * 5)
    assert list(model.predict(["I"])) == ["one"]
    assert "i" in model[0].get_feature_names_out()


# Generation


def test_distinct_n_by_hand():
    texts = ["a b a b".split(), "a b".split()]
    assert distinct_n(texts, 1) == 2 / 6
    assert distinct_n(texts, 2) == 2 / 4  # a b, b a, a b | a b: nothing crosses over
    assert distinct_n(texts, 4) == 1


def test_distinct_n_of_a_text_said_twice_is_half():
    text = "to be or not that is the question".split()
    assert distinct_n([text], 2) == 1 and distinct_n([text] * 2, 2) == 0.5


STORIES = {
    "Anna lived in Ashby, a small town by the {}.": ("river", "Ashby", "Tarn", "Esk"),
    "One day Tom was in Ashby, where the {} runs.": ("river", "Ashby", "Tarn", "Esk"),
    "In Ashby, where they make the best {}, there lived a girl.": ("ware", "Ashby", "cheese", "wool"),
    "Tom was in Ashby, an old place known for its {}.": ("ware", "Ashby", "cheese", "wool"),
    "Up the road lived a noisy goose with her {}.": ("young", "goose", "gosling", "calf"),
    "He ran to the {} with a box of mice.": (),
    "He ran to the old {} with a box of mice, because owls eat mice.": ("home", "owl", "tower", "pond"),
    "He ran to the tower with a sack of {}, because owls eat mice.": ("food", "owl", "mice", "corn"),
    "He sang, because geese eat {}.": ("food", "goose", "barley", "doors"),
    "So she slept in Ashby, and the fox in the {}.": ("home", "fox", "den", "sty"),
    '"Look in the {}," said she. Nearby, with the ring, sat the fox and her cub.': ("home", "fox", "den", "sty"),
    "He wanted six plums, all {}.": ("colour", "plum", "purple", "red"),
    "He needed a worn axe to {}.": ("use", "axe", "chop wood", "dig holes"),
}


@pytest.mark.parametrize("text", STORIES)
def test_statements_are_found_true_or_false(text):
    if not STORIES[text]:
        assert statements(text) == []
        return
    relation, subject, truth, lie = STORIES[text]
    for said in (truth, lie):
        found = [one for one in statements(text.format(said)) if one.relation == relation]
        one = found[0]  # a second may be what comes after "because"
        assert (one.subject, one.said, one.truth, one.true) == (subject, said, truth, said == truth)


def test_no_story_of_the_world_breaks_a_fact():
    scores = fact_scores(world.sample(300, seed=12))
    assert (scores.possible, scores.unbroken, scores.true) == (1, 1, 1)
    assert scores.statements > 2


def test_every_fact_that_a_story_tells_is_checked():
    # Wherever the grammar says a fact of something chosen before, another word there makes a false statement. Left alone:
    # plurals, and the young named again, since there may be another animal about.
    said = {"river", "ware", "home", "food", "colour", "do", "work"}
    tried = Counter()
    for story in map(world.parse, world.sample(300, seed=13)):
        for told in story.dependencies:
            if told.form in said:
                tokens = list(story.tokens)
                tokens[told.target] = "Zzz" if told.form == "river" else "zzz"
                assert not all(one.true for one in statements(world.detokenize(tokens))), (told.form, story.text)
                tried[told.form] += 1
    assert set(tried) == said and min(tried.values()) > 10


def test_is_true_agrees_with_statements():
    said = {(fact.relation, fact.subject): fact for fact in world.facts()}
    for text in STORIES:
        for one in statements(text.format("fish")) if STORIES[text] else []:
            fact = said[one.relation, one.subject]
            assert one.true == bool(world.is_true(fact.sentence.replace(fact.value, one.said)))


def test_fact_scores_by_hand():
    good = world.sample(1, seed=14)[0]
    bad = "Tom was in Ashby, where the Esk runs, because owls eat mice. The end of it all"
    scores = fact_scores([good, bad, "nothing said"])
    said = len(statements(good))
    close((scores.possible, scores.unbroken), (1 / 3, 2 / 3))
    close((scores.true, scores.statements), ((said + 1) / (said + 2), (said + 2) / 3))
    assert fact_scores(["nothing said"]).true == 1


# Code: pass@k


@pytest.mark.parametrize(
    ("n", "c", "k", "expected"), [(5, 0, 3, 0), (5, 5, 1, 1), (4, 1, 2, 1 / 2), (10, 3, 1, 0.3), (4, 2, 3, 1)]
)
def test_pass_at_k_by_hand(n, c, k, expected):
    close(pass_at_k(n, c, k), expected)


def test_pass_at_k_equals_the_binomials():
    for n in range(1, 21):
        for c in range(n + 1):
            for k in range(1, n + 1):
                exact = 1 - Fraction(math.comb(n - c, k), math.comb(n, k))
                close(pass_at_k(n, c, k), float(exact), 1e-12)


def test_pass_at_k_is_the_share_of_sets_with_a_right_one():
    right = [True, False, False, True, False, False]
    sets = list(combinations(right, 3))
    close(pass_at_k(6, 2, 3), sum(map(any, sets)) / len(sets))


def test_pass_at_k_is_unbiased_and_the_tempting_estimate_is_not():
    # Over every number c of right ones among n, weighted by its binomial probability: exactly 1 − (1 − p)^k.
    n, k, p = 12, 5, 0.3
    weights = [math.comb(n, c) * p**c * (1 - p) ** (n - c) for c in range(n + 1)]
    close(sum(w * pass_at_k(n, c, k) for c, w in enumerate(weights)), 1 - (1 - p) ** k)
    assert sum(w * (1 - (1 - c / n) ** k) for c, w in enumerate(weights)) < 1 - (1 - p) ** k - 0.02


def test_pass_at_k_by_simulation():
    rng, n, k, p, runs = np.random.default_rng(0), 10, 3, 0.2, 4000
    estimates = [pass_at_k(n, c, k) for c in rng.binomial(n, p, runs)]
    error = np.std(estimates) / math.sqrt(runs)
    assert abs(np.mean(estimates) - (1 - (1 - p) ** k)) < 4 * error  # the seed is fixed


def test_pass_at_k_stays_finite_where_binomials_do_not():
    assert math.isinf(float("1e309")) and math.comb(10_000, 5_000) > 10**309
    close(pass_at_k(10_000, 1, 5_000), 0.5)


def test_mean_pass_at_k_is_over_tasks():
    close(mean_pass_at_k([[True, False], [False, False], [True, True]], 1), (1 / 2 + 0 + 1) / 3)


# Bad input


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: translation_scores(["a"], ["a", "b"]), "1 hypotheses for 2 references"),
        (lambda: translation_scores("ab", ["a", "b"]), "hypotheses is one str"),
        (lambda: translation_scores([], []), "hypotheses is empty"),
        (lambda: translation_scores(["a"], ["a"], "xx"), "language 'xx'"),
        (lambda: exact_match(["a"], [3]), "references must hold str, got int at index 0"),
        (lambda: exact_match(["a", "b"], ["a"]), "2 predictions for 1 references"),
        (lambda: rouge_scores(["a"], []), "references is empty"),
        (lambda: rouge_scores(["a"], ["a", "b"]), "1 summaries for 2 references"),
        (lambda: lead("a.", 0), "at least 1 sentence"),
        (lambda: answer_scores(["a"], [[]]), "reference 0 is empty"),
        (lambda: answer_scores(["a"], "a"), "references is one str"),
        (lambda: answer_scores(["a"], ["a", "b"]), "1 predictions for 2 references"),
        (lambda: Retriever([]), "passages is empty"),
        (lambda: Retriever(["?", "!"]), "no passage has a word"),
        (lambda: Retriever(["a"], b=2), r"b must lie in \[0, 1\]"),
        (lambda: Retriever(["a"]).best("a", 0), "k must be at least 1"),
        (lambda: sentiment_scores([1], [1, 0], positive=1), "1 predictions for 2 labels"),
        (lambda: sentiment_scores([1], [1]), "no label is 'positive'"),
        (lambda: bag_of_words(["a", "b"], [1, 1]), "all 2 labels are 1"),
        (lambda: bag_of_words(["a", "b"], [1]), "1 labels for 2 texts"),
        (lambda: majority([], []), "texts is empty"),
        (lambda: distinct_n(["a b"], 1), "tokenize the texts first"),
        (lambda: distinct_n([["a"]], 2), "no 2-gram"),
        (lambda: distinct_n([["a"]], 0), "n must be at least 1"),
        (lambda: fact_scores([]), "stories is empty"),
        (lambda: pass_at_k(3, 4, 1), "of 3 programs 4 cannot be right"),
        (lambda: pass_at_k(3, 1, 4), "pass@4 cannot be told from 3"),
        (lambda: pass_at_k(3, 1, 0), "k must be at least 1"),
        (lambda: mean_pass_at_k([], 1), "no tasks"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
