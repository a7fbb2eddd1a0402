"""The ladder: reference rungs that can be measured again, the learner's beside them, and files that are missing or broken."""

import bz2
import gzip
import json
import lzma
import math
import os
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from helpers import corpora, ladder
from helpers.attention import presets as attention_presets
from helpers.ladder import Rung
from helpers.neural_lm import PRESETS
from helpers.ngrams import NGramModel
from helpers.probability import bits_per_byte
from helpers.tokenizers import BPETokenizer

SOME = [
    {"name": "unigram", "corpus": "toy", "bits_per_byte": 4.5, "notebook": "02", "how": "counted"},
    {"name": "GPT", "corpus": "toy", "bits_per_byte": 2.1, "notebook": "07", "how": "trained"},
    {"name": "uniform", "corpus": "toy", "bits_per_byte": 6.0, "notebook": "01", "how": "log₂ 64"},
    {"name": "floor", "corpus": "world", "bits_per_byte": 0.5, "notebook": "01", "how": "exact"},
]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of its own and a small reference file for every test."""
    monkeypatch.setenv("LM_COURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def toy(tmp_path, monkeypatch):
    path = tmp_path / "ladder.json"
    path.write_text(json.dumps(SOME), encoding="utf-8")
    monkeypatch.setattr(ladder, "REFERENCE", path)


def names(rungs):
    return [rung.name for rung in rungs]


# ---- order


def test_the_best_rung_is_last(toy):
    assert names(ladder.reference("toy")) == ["uniform", "unigram", "GPT"]
    assert names(ladder.reference()) == ["uniform", "unigram", "GPT", "floor"]


def test_a_notebook_sees_the_rungs_up_to_its_own(toy):
    assert names(ladder.rungs("toy", up_to="01")) == ["uniform"]
    assert names(ladder.rungs("toy", up_to="02")) == ["uniform", "unigram"]
    assert names(ladder.rungs("toy")) == ["uniform", "unigram", "GPT"]


def test_your_rung_stands_beside_the_reference(toy):
    ladder.add("unigram", "toy", 4.4, "02", "mine")
    ladder.add("bigram", "toy", 3.5, "02", "mine")
    assert [(rung.name, rung.yours) for rung in ladder.rungs("toy")] == [
        ("uniform", False), ("unigram", False), ("unigram", True), ("bigram", True), ("GPT", False),
    ]  # fmt: skip
    own = [Rung("guess", "toy", 5.0, "01", "given", yours=True)]
    assert names(ladder.rungs("toy", mine=own)) == ["uniform", "guess", "unigram", "GPT"]


def test_a_rung_of_yours_that_agrees_is_not_repeated(toy):
    [unigram] = [rung for rung in ladder.reference("toy") if rung.name == "unigram"]
    ladder.add("unigram", "toy", unigram.bits_per_byte + 0.0019, "02", "mine")
    assert names(ladder.rungs("toy")) == ["uniform", "unigram", "GPT"]
    ladder.add("unigram", "toy", unigram.bits_per_byte + 0.0021, "02", "mine")
    assert names(ladder.rungs("toy")) == ["uniform", "unigram", "unigram", "GPT"]


def test_the_table_is_markdown_with_your_rung_in_bold(toy):
    ladder.add("bigram", "toy", 3.50049, "02", "mine")
    assert ladder.table(ladder.rungs("toy", up_to="02")) == (
        "| model | bits per byte | notebook | how it was measured |\n"
        "|---|---:|---|---|\n"
        "| uniform | 6.000 | 01 | log₂ 64 |\n"
        "| unigram | 4.500 | 02 | counted |\n"
        "| **bigram** (yours) | 3.500 | 02 | mine |"
    )


def test_the_command_prints_one_table_a_corpus(toy, capsys):
    ladder.main()
    printed = capsys.readouterr().out
    assert printed.index("toy, validation text") < printed.index("| GPT |") < printed.index("world, validation text")


# ---- what is kept


def test_a_rung_is_kept_and_replaced_by_name_and_corpus():
    ladder.add("bigram", "toy", 3.5, "02", "first")
    ladder.add("bigram", "world", 1.5, "02", "another corpus")
    rung = ladder.add("bigram", "toy", np.float64(3.4), "02", "second")
    assert rung == Rung("bigram", "toy", 3.4, "02", "second", yours=True)
    assert ladder.yours("toy") == [rung]
    assert names(ladder.yours()) == ["bigram", "bigram"]
    assert ladder.yours("python-docs") == []


def test_only_one_file_is_left_in_the_cache(cache):
    ladder.add("bigram", "toy", 3.5, "02", "mine")
    assert [path.name for path in cache.iterdir()] == ["ladder.json"]


@pytest.mark.parametrize(
    "broken",
    [
        "", "{", "null", "3", "[1, 2]", '{"name": "x"}', '[{"name": "x"}]', '[{"unknown": 1}]', "\ud800",
        '[{"name": "x", "corpus": "toy", "bits_per_byte": null, "notebook": "02", "how": ""},'
        ' {"name": "y", "corpus": "toy", "bits_per_byte": 1.0, "notebook": "02", "how": ""}]',
    ],
)  # fmt: skip
def test_a_broken_file_counts_as_empty_and_is_left_until_the_next_rung(cache, broken):
    cache.mkdir()
    content = broken.encode("utf-8", "surrogatepass")
    (cache / "ladder.json").write_bytes(content)
    assert ladder.yours("toy") == [] == ladder.yours()
    assert (cache / "ladder.json").read_bytes() == content
    rung = ladder.add("bigram", "toy", 3.5, "02", "mine")
    assert ladder.yours() == [rung]


def test_a_cache_that_cannot_be_made_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("a file where the folder should be")
    monkeypatch.setenv("LM_COURSE_CACHE", str(tmp_path / "file"))
    assert ladder.add("bigram", "toy", 3.5, "02", "mine").bits_per_byte == 3.5
    assert ladder.yours() == []


@pytest.mark.skipif(
    sys.platform == "win32" or getattr(os, "geteuid", lambda: 1)() == 0, reason="this user may write to read-only folders"
)
def test_a_read_only_cache_is_no_error(cache):
    first = ladder.add("unigram", "toy", 4.5, "02", "kept")
    cache.chmod(0o500)
    try:
        assert ladder.add("bigram", "toy", 3.5, "02", "not kept").name == "bigram"
        assert ladder.yours() == [first]
    finally:
        cache.chmod(0o700)


def test_a_write_that_fails_keeps_what_was_there(cache, monkeypatch):
    first = ladder.add("unigram", "toy", 4.5, "02", "kept")

    def full_disk(*args):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    assert ladder.add("bigram", "toy", 3.5, "02", "not kept").name == "bigram"
    assert ladder.yours() == [first]


@pytest.mark.parametrize("wrong", [0, -1.5, math.inf, math.nan])
def test_what_is_no_number_of_bits_is_refused(wrong):
    with pytest.raises(ValueError, match=f"bits_per_byte of 'mine' must be a positive number, got {wrong}; is it a mean over"):
        ladder.add("mine", "toy", wrong, "02", "wrong")
    assert ladder.yours() == []


# ---- the reference rungs that ship with the course

needs_reference = pytest.mark.skipif(not ladder.REFERENCE.exists(), reason=f"{ladder.REFERENCE.name} is not there yet")


@needs_reference
def test_the_reference_file_is_well_formed():
    rungs = ladder.reference()
    assert rungs
    assert len({(rung.corpus, rung.name) for rung in rungs}) == len(rungs)
    for rung in rungs:
        assert not rung.yours
        assert rung.corpus in corpora.SPLITS
        assert rung.notebook in [f"{n:02}" for n in range(1, 10)]
        assert 0 < rung.bits_per_byte <= 8
        assert rung.name.strip() and rung.how.strip() and "|" not in rung.name + rung.how  # it goes into a Markdown table


@needs_reference
def test_the_networks_stand_where_the_course_says():
    """The notebook trains them anew; here, the order that its text rests on, and that each says how it was trained."""
    for corpus, unit in (("shakespeare", "characters"), ("world", "words")):
        bits = {rung.name: rung.bits_per_byte for rung in ladder.reference(corpus)}
        for name in (f"NNLM, {unit}", f"GRU, {unit}"):
            below = bits["the floor"] if corpus == "world" else bits[f"7-gram, {unit}"]
            above = bits[f"7-gram, {unit}"] if corpus == "world" else bits[f"4-gram, {unit}"]
            assert below < bits[name] < above, name
            [rung] = [rung for rung in ladder.reference(corpus) if rung.name == name]
            how = PRESETS[f"{name.split(',')[0].lower()}-{unit}"].fit
            assert rung.notebook == "03" and f"{how.steps:,} steps of {how.batch_size} × {how.crop} tokens" in rung.how


@needs_reference
def test_one_attention_layer_stands_where_notebook_05_says():
    """Below the best table on words, and behind the 4-gram on characters, which it only adds up."""
    for corpus, unit, table in (("shakespeare", "characters", "4-gram"), ("world", "words", "7-gram")):
        rungs = {rung.name: rung for rung in ladder.reference(corpus)}
        rung = rungs[f"one attention layer, {unit}"]
        assert rung.how == attention_presets.PRESETS[f"attention-{unit}"].how and rung.notebook == "05"
        assert (rung.bits_per_byte < rungs[f"{table}, {unit}"].bits_per_byte) == (unit == "words")


def additive(order):
    """Notebook 01's tables: every character, or pair of characters, came once more than it did. The text follows a newline."""

    def measure(train, val):
        pairs = Counter(pairwise(train) if order == 2 else (("", b) for b in train))
        totals = Counter(a for a, _ in pairs.elements())
        before = "\n" + val[:-1] if order == 2 else [""] * len(val)
        V = len(set(train))
        return bits_per_byte([math.log((pairs[a, b] + 1) / (totals[a] + V)) for a, b in zip(before, val, strict=True)], val)

    return measure


def n_gram(order, smoothing):
    """Bits per byte of the validation text, its lines as sentences of characters and `</s>` the newline.

    The last line has no newline after it, so its `</s>` is not part of the text.
    """

    def measure(train, val):
        model = NGramModel.fit(train.split("\n"), order, smoothing)
        return bits_per_byte(model.log_probs(model.encode_all(val.split("\n"))[:-1]), val)

    return measure


def packed(pack, reach=None):
    """The bytes that the validation text adds to the training text, or to as much of its end as `reach` bytes hold of both."""

    def measure(train, val):
        begin = len(train) + len(val) - reach if reach else 0
        return 8 * (len(pack((train[begin:] + val).encode())) - len(pack(train[begin:].encode()))) / len(val.encode())

    return measure


def of_bpe_tokens(size):
    """A modified Kneser–Ney 5-gram of the tokens that BPE makes of each line, its end included."""

    def measure(train, val):
        tokenizer = BPETokenizer.train(train, size)
        lines = [[[str(i) for i in tokenizer.encode(line)] for line in text.splitlines()] for text in (train, val)]
        model = NGramModel.fit(lines[0], 5)
        return bits_per_byte(model.log_probs(model.encode_all(lines[1])), val)

    return measure


MEASURES = {
    **{f"5-gram, BPE of {size:,} tokens": of_bpe_tokens(size) for size in (512, 1024, 4096)},
    **{f"{order}-gram, characters": n_gram(order, "modified-kneser-ney") for order in range(2, 8)},
    "uniform, characters": lambda train, val: math.log2(len(set(train))),
    "unigram, characters": additive(1),
    "bigram, characters": additive(2),
    "gzip, after the training text": packed(gzip.compress),
    "bzip2, after the training text": packed(bz2.compress, reach=890_000),
    "xz, after the training text": packed(lzma.compress),
}


@needs_reference
@pytest.mark.skipif(not corpora.available("shakespeare"), reason="Shakespeare is not at hand (python -m helpers.corpora)")
def test_every_rung_of_counting_and_compressing_is_what_is_measured_today():
    """To the three decimals that the table shows; for the compressors to two, for they differ a little between versions."""
    train, val = corpora.load("shakespeare", "train"), corpora.load("shakespeare", "val")
    trained = ("published", "NNLM", "GRU", "one attention layer", "mini-GPT", "the shipped")  # networks
    rungs = [r for r in ladder.reference("shakespeare") if not any(name in r.name for name in trained)]
    assert len(rungs) >= 15
    for rung in rungs:
        assert rung.name in MEASURES, f"say in MEASURES how {rung.name!r} is measured"
        measured = MEASURES[rung.name](train, val)
        tolerance = 0.02 if "after" in rung.name else 0.00051
        assert rung.bits_per_byte == pytest.approx(measured, abs=tolerance), rung.name
