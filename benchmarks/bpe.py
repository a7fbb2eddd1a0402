"""Our byte-level BPE beside Hugging Face's `tokenizers`, which is Rust, and beside the algorithm that most courses show.

    python benchmarks/bpe.py

prints a Markdown table. That algorithm, minbpe's, keeps the ids of every word of the text and counts all pairs anew before each
merge; it is written here as one would first write it, and gets the same words as ours. Runs take turns, as in `ngrams.py`.
"""

from itertools import pairwise

import regex
import tokenizers
from _table import Row, in_turn, print_table, ratio, seconds_in_turn
from tokenizers import models, pre_tokenizers, trainers

from helpers import corpora
from helpers.tokenizers import BPETokenizer
from helpers.tokenizers.merging import Pair

RUNS, RUNS_OF_LONG_WORDS = 7, 3
VOCAB_SIZE = 1_024
SLICE = 100_000  # characters, for the algorithm that counts anew
FIRST_MERGES = 8  # of the whole text, from which its time for all of them is estimated
LONG_WORDS = (100_000, 1_000_000)  # letters
# Words in the manner of GPT-4: letters after one sign of any kind, up to three digits, signs with the line ends after them.
MODERN_SPLIT = r"'(?i:s|t|d|m|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+(?!\S)|\s+"


# ---- the algorithm that counts anew


def count_anew(text: str, n_merges: int) -> list[Pair]:
    """Merges, each after a count of every pair of every word; ties as in `helpers.tokenizers`."""
    words = [list(word.encode("utf-8")) for word in regex.findall(MODERN_SPLIT, text)]
    merges: list[Pair] = []
    for new in range(256, 256 + n_merges):
        counts: dict[Pair, int] = {}
        for ids in words:
            for pair in pairwise(ids):
                counts[pair] = counts.get(pair, 0) + 1
        merges.append(min(counts, key=lambda pair: (-counts[pair], pair)))
        words = [merged(ids, merges[-1], new) for ids in words]
    return merges


def merged(ids: list[int], pair: Pair, new: int) -> list[int]:
    """The ids with `new` wherever the pair stood, from left to right."""
    result: list[int] = []
    for id_ in ids:
        if result and result[-1] == pair[0] and id_ == pair[1]:
            result[-1] = new
        else:
            result.append(id_)
    return result


def beside_counting_anew(text: str) -> list[Row]:
    """All merges of a slice; and of the whole text the first few, whose rate says how long all of them would take at most."""
    rows, n = [], VOCAB_SIZE - 256
    for what, some, count in ((f"the first {SLICE:,} characters", text[:SLICE], n), ("the whole text", text, FIRST_MERGES)):
        tasks = {
            "ours": lambda _, some=some: BPETokenizer.train(some, VOCAB_SIZE, split=MODERN_SPLIT),
            "theirs": lambda _, some=some, count=count: count_anew(some, count),
        }
        seconds, results = in_turn(tasks, 1)
        [fast], [slow], [ours], [theirs] = *seconds.values(), *results.values()
        assert BPETokenizer(theirs).merges == ours.merges[:count]
        total = slow * n / count
        told = "" if count == n else f", so at most {total:.0f} s for {n}"
        rows += [
            Row(f"{n} merges, {what}", "ours", [fast], f"the same merges; {total / fast:.0f} times as fast"),
            Row(f"{count} merges, {what}", "counting all pairs anew, Python", [slow], f"{count / slow:.1f} merges/s{told}"),
        ]
    return rows


# ---- Hugging Face


def train_hugging_face(text: str) -> tokenizers.Tokenizer:
    """Its byte-level BPE with GPT-2's split, trained on a text."""
    model = tokenizers.Tokenizer(models.BPE())
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    model.train_from_iterator(
        [text], trainers.BpeTrainer(vocab_size=VOCAB_SIZE, show_progress=False, initial_alphabet=alphabet)
    )
    return model


def fresh(model: BPETokenizer | tokenizers.Tokenizer) -> BPETokenizer | tokenizers.Tokenizer:
    """The same tokenizer, with no word in its cache."""
    if isinstance(model, BPETokenizer):
        return BPETokenizer(list(model.ranks))
    return tokenizers.Tokenizer.from_str(model.to_str())


def beside_hugging_face(text: str) -> list[Row]:
    """Train on the whole text; encode it, and a word of many letters; decode."""
    peer = "Hugging Face `tokenizers`, Rust"
    task = f"train to {VOCAB_SIZE:,} tokens, {len(text):,} characters"
    tasks = {"ours": lambda: BPETokenizer.train(text, VOCAB_SIZE), "theirs": lambda: train_hugging_face(text)}
    seconds = seconds_in_turn(tasks, RUNS)
    ours, theirs = BPETokenizer.train(text, VOCAB_SIZE), train_hugging_face(text)
    beside = f"{ratio(seconds['ours'], seconds['theirs']):.2f} × Hugging Face, round by round"
    n_ids = {"ours": len(ours.encode(text)), "theirs": len(theirs.encode(text).ids)}
    rows = [
        Row(task, "ours", seconds["ours"], f"{beside}; {n_ids['ours']:,} ids"),
        Row(task, peer, seconds["theirs"], f"{n_ids['theirs']:,} ids; ties fall otherwise"),
    ]
    letters = regex.sub(r"\P{L}", "", text)
    inputs = {"that text": text} | {f"one word of {n:,} letters": (letters * 2)[:n] for n in LONG_WORDS}
    for name, some in inputs.items():
        tasks = {"ours": lambda s=some: fresh(ours).encode(s), "theirs": lambda s=some: fresh(theirs).encode(s)}
        seconds = seconds_in_turn(tasks, RUNS if some is text else RUNS_OF_LONG_WORDS)
        for who, encoded in (("ours", ours.encode(some)), ("theirs", theirs.encode(some).ids)):
            rows.append(Row(f"encode {name}", "ours" if who == "ours" else peer, seconds[who], f"{len(encoded):,} ids"))
    ids = ours.encode(text)
    assert ours.decode(ids) == text
    return [
        *rows,
        Row(
            f"decode its {len(ids):,} ids",
            "ours",
            seconds_in_turn({"ours": lambda: ours.decode(ids)}, RUNS)["ours"],
            "the text again",
        ),
    ]


def main() -> None:
    """Print the machine and the table."""
    text = corpora.load("shakespeare")
    rows = beside_hugging_face(text) + beside_counting_anew(text)
    print_table(rows, "tokenizers", "regex")


if __name__ == "__main__":
    main()
