"""Our n-gram models beside KenLM and NLTK, on Shakespeare: time to fit, time to score, perplexity, and the coder's speed.

    python benchmarks/ngrams.py

prints a Markdown table. Every program gets the same tokens; runs take turns, so that a busy moment of the machine meets all
alike, and the median is reported. lmplz, KenLM's estimator, takes part if it is on PATH.
"""

import math
import re
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import kenlm
import numpy as np
from _table import Row, print_table, ratio, seconds_in_turn
from nltk.lm import KneserNeyInterpolated
from nltk.util import everygrams

from helpers import corpora
from helpers.coding import LENGTH_BYTES, compress, decompress
from helpers.ngrams import BOS, EOS, NGramModel, write_arpa

Sentences = list[Sequence[str]]
RUNS = 7
NLTK_LINES, NLTK_TOKENS, NLTK_RUNS = 2_000, 200, 3  # NLTK's score walks through all n-grams for each token
CODED_TOKENS = 2_000


def characters(text: str) -> Sentences:
    """Lines of characters; a space is `_`, for KenLM's files are split at spaces."""
    return [line.replace(" ", "_") for line in text.split("\n")]


def words(text: str) -> Sentences:
    """Lines of lower-case words and punctuation marks."""
    return [re.findall(r"\w+|[^\w\s]", line.lower()) for line in text.split("\n")]


def fit_and_score(kind: str, order: int, train: Sentences, val: Sentences, folder: Path) -> list[Row]:
    """Ours against lmplz at fitting, and against KenLM's query at scoring the validation text."""
    text, arpa = folder / f"{kind}.txt", folder / f"{kind}.arpa"
    text.write_text("\n".join(" ".join(sentence) for sentence in train) + "\n", encoding="utf-8")
    lmplz = ["lmplz", "-o", str(order), "--discount_fallback", "-S", "1G", "-T", str(folder)]
    lmplz += ["--text", str(text), "--arpa", str(arpa)]
    fits: dict[str, Callable[[], object]] = {"ours": lambda: NGramModel.fit(train, order)}
    if shutil.which("lmplz"):
        fits["lmplz"] = lambda: subprocess.run(lmplz, check=True, capture_output=True)
    fit_seconds = seconds_in_turn(fits, RUNS)

    model = NGramModel.fit(train, order)
    if "lmplz" not in fits:
        write_arpa(model, arpa)
    peer = kenlm.Model(str(arpa))
    spaced = [" ".join(sentence) for sentence in val]
    scores = {"ours": lambda: model.perplexity(val), "KenLM": lambda: [peer.score(line) for line in spaced]}
    score_seconds = seconds_in_turn(scores, RUNS)

    n_tokens = model.encode_all(val).size
    theirs = 10 ** (-sum(peer.score(line) for line in spaced) / n_tokens)
    what = f"order {order}, {kind}"
    beside = f"; {ratio(*fit_seconds.values()):.2f} × lmplz, round by round" if "lmplz" in fits else ""
    rows = [Row(f"fit, {what}", "ours", fit_seconds["ours"], f"perplexity {model.perplexity(val):.4f}{beside}")]
    if "lmplz" in fits:
        rows.append(Row(f"fit, {what}", "KenLM `lmplz`, the whole command", fit_seconds["lmplz"], f"perplexity {theirs:.4f}"))
    scored = f"score {n_tokens:,} tokens, {what}"
    rows.append(Row(scored, "ours, from str tokens", score_seconds["ours"], f"perplexity {model.perplexity(val):.4f}"))
    rows.append(Row(scored, "KenLM, Python module", score_seconds["KenLM"], f"perplexity {theirs:.4f}"))
    return rows


def beside_nltk(train: Sentences, order: int = 3, discount: float = 0.75) -> list[Row]:
    """Interpolated Kneser–Ney with one fixed discount, on a slice, for NLTK is slow; the tokens scored are of that slice."""
    train = train[:NLTK_LINES]
    padded = [(BOS, *sentence, EOS) for sentence in train]
    contexts = [(s[i - order + 1 : i], s[i]) for s in padded for i in range(order - 1, len(s))]
    scored = contexts[:: len(contexts) // NLTK_TOKENS][:NLTK_TOKENS]  # full contexts: for shorter ones NLTK divides by zero

    def fit_nltk() -> KneserNeyInterpolated:
        model = KneserNeyInterpolated(order, discount=discount)
        model.fit(([*everygrams(s, max_len=order)] for s in padded), vocabulary_text=[token for s in padded for token in s])
        return model

    def fit_ours() -> NGramModel:
        return NGramModel.fit(train, order, "kneser-ney", discount=discount, open_vocabulary=False)

    ours, theirs = fit_ours(), fit_nltk()

    def score_ours() -> list[float]:
        tokens = ([token for token in context if token != BOS] for context, _ in scored)
        return [ours.next_log_probs(t)[ours.index[word]] for t, (_, word) in zip(tokens, scored, strict=True)]

    def score_nltk() -> list[float]:
        return [math.log(theirs.score(word, context)) for context, word in scored]

    fits = seconds_in_turn({"ours": fit_ours, "NLTK": fit_nltk}, NLTK_RUNS)
    scores = seconds_in_turn({"ours": score_ours, "NLTK": score_nltk}, NLTK_RUNS)
    fitted = f"fit, order {order}, words, the first {NLTK_LINES:,} lines"
    asked = f"{len(scored)} of their tokens, one by one"
    names = {"ours": "ours, Kneser–Ney", "NLTK": "NLTK `KneserNeyInterpolated`"}
    found = {
        "ours": f"perplexity {np.exp(-np.mean(score_ours())):.6f}",
        "NLTK": f"perplexity {np.exp(-np.mean(score_nltk())):.6f}",
    }
    rows = [Row(fitted, names[name], seconds, "") for name, seconds in fits.items()]
    return rows + [Row(asked, names[name], seconds, found[name]) for name, seconds in scores.items()]


def coder(train: Sentences, val: Sentences, order: int = 7) -> list[Row]:
    """Tokens a second that the arithmetic coder takes and gives, most of it the model's next_log_probs."""
    model = NGramModel.fit(train, order)
    ids = model.encode_all(val)[:CODED_TOKENS]
    data = compress(model, ids)
    assert np.array_equal(decompress(model, data), ids)
    seconds = seconds_in_turn({"compress": lambda: compress(model, ids), "decompress": lambda: decompress(model, data)}, 5)
    ideal = -model.log_probs(ids).sum() / math.log(2) / 8
    size = f"{len(data) - LENGTH_BYTES:,} bytes and {LENGTH_BYTES} for the length; cross-entropy {ideal:,.1f} bytes"
    return [
        Row(
            f"{name} {len(ids):,} characters, order {order}",
            "ours",
            s,
            f"{len(ids) / statistics.median(s):,.0f} tokens/s; {size}",
        )
        for name, s in seconds.items()
    ]


def main() -> None:
    """Print the machine and the table."""
    train, val = corpora.load("shakespeare", "train"), corpora.load("shakespeare", "val")
    with tempfile.TemporaryDirectory() as name:
        rows = fit_and_score("characters", 5, characters(train), characters(val), Path(name))
        rows += fit_and_score("words", 3, words(train), words(val), Path(name))
    rows += beside_nltk(words(train))
    rows += coder(characters(train), characters(val))
    print_table(rows, "numpy", "kenlm", "nltk")


if __name__ == "__main__":
    main()
