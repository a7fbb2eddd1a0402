"""The world: short stories and other documents from a grammar whose exact probabilities are known.

Since the truth is known, the course can draw the floor that no model beats, and can grade attention, facts, translation and
code against it. Probabilities are in nats. Splits: `full` holds nothing out; `train` and `val` never show the pairs of
`held_out()`; in `heldout` every such choice is one of these pairs. Used in all notebooks; derived in `01_chain_rule.ipynb`.
Source: Shannon, *A Mathematical Theory of Communication* (1948), for entropy and the floor.
"""

import math
from collections.abc import Sequence
from functools import cache

from .claims import Claim, claims
from .exact import phrases
from .grammars import KINDS, SPLITS, expected, grammar
from .instructions import Instruction, instruct, sample_instructions
from .labels import label, translate
from .lexicon import (
    FAMILIES,
    MENS_JOBS,
    NEUTRAL_JOBS,
    RUDE_RATE,
    RUDE_WORDS,
    STEREOTYPE_RATE,
    WOMENS_JOBS,
    analogies,
    held_out,
    is_female,
)
from .lists import sample_lists, show_list
from .mixture import document_vocabulary, documents, documents_of
from .programs import run_program
from .questions import split_question
from .randomness import SplitMix64
from .reading import Agreement, Choice, Dependency, Lookup, Story, choices, dependencies, parse
from .tokens import END, detokenize, tokenize
from .truths import Fact, facts, is_true

SEEDS = {"train": 1, "val": 2, "heldout": 3}  # of the committed files
FILE_BYTES = {"train": 1_000_000, "val": 100_000, "heldout": 80_000}

__all__ = [
    "END", "FAMILIES", "FILE_BYTES", "KINDS", "MENS_JOBS", "NEUTRAL_JOBS", "RUDE_RATE", "RUDE_WORDS", "SEEDS", "SPLITS",
    "STEREOTYPE_RATE", "WOMENS_JOBS", "Agreement", "Choice", "Claim", "Dependency", "Fact", "Instruction", "Lookup", "Story",
    "analogies", "choices", "claims", "corpus", "dependencies", "detokenize", "document_vocabulary", "documents",
    "documents_of", "entropy", "expected_bytes", "expected_tokens", "facts", "floor", "held_out", "instruct", "is_female",
    "is_true", "label", "log_prob", "next_token_probs", "parse", "run_program", "sample", "sample_instructions",
    "sample_lists", "show_list", "split_question", "token_log_probs", "tokenize", "translate", "vocabulary",
]  # fmt: skip


def sample(n: int, seed: int, split: str = "full", kind: str = "story") -> list[str]:
    """Draw n documents, the same on every platform; ValueError where n is negative or the split or kind is unknown."""
    if n < 0:
        raise ValueError(f"cannot draw {n} documents; n must be 0 or more")
    rng, source = SplitMix64(seed), grammar(split, kind)
    return [source.sample(rng) for _ in range(n)]


def corpus(split: str) -> str:
    """The text of a committed file, `train`, `val` or `heldout`: one story a line, as many as reach its size in bytes."""
    if split not in SEEDS:
        raise ValueError(f"there is no file for split {split!r}; choose one of {', '.join(SEEDS)}")
    rng, source, lines, size = SplitMix64(SEEDS[split]), grammar(split), [], 0
    while size < FILE_BYTES[split]:
        lines.append(source.sample(rng) + "\n")
        size += len(lines[-1].encode("utf-8"))
    return "".join(lines)


def log_prob(text: str, split: str = "full", kind: str = "story") -> float:
    """Log probability of a whole document in nats, its END included; −inf for what the world cannot write.

    `parse` says where an impossible story goes wrong. ValueError where text is no string.
    """
    if not isinstance(text, str):
        raise ValueError(f"expected the text of one document as a str, got {type(text).__name__}; detokenize tokens first")
    source = grammar(split, kind)
    tokens = tokenize(text)
    if detokenize(tokens) != text or END in tokens:
        return -math.inf
    try:
        return source.derive([*tokens, END]).log_prob
    except ValueError:
        return -math.inf


def token_log_probs(text: str, split: str = "full", kind: str = "story") -> list[float]:
    """True log probability of each token of a document given those before it, END last: T tokens → T + 1 nats."""
    return grammar(split, kind).token_log_probs([*tokenize(text), END])


def next_token_probs(tokens: Sequence[str], split: str = "full", kind: str = "story") -> dict[str, float]:
    """True probability of each token that can come next after the first tokens of a document; they sum to one.

    ValueError names the first token that cannot stand where it does, and what could.
    """
    if isinstance(tokens, str):
        raise ValueError("expected a list of tokens, got a str; pass tokenize(text)")
    return grammar(split, kind).next_token_probs(tokens)


def entropy(split: str = "full", kind: str = "story") -> float:
    """Exact entropy of a document, in nats."""
    return expected(split, kind).entropy


def expected_tokens(split: str = "full", kind: str = "story") -> float:
    """Exact expected length of a document in tokens, END included."""
    return expected(split, kind).tokens


def expected_bytes(split: str = "full", kind: str = "story") -> float:
    """Exact expected length of a document in UTF-8 bytes, its newline included."""
    return expected(split, kind).bytes


def floor(split: str = "full", kind: str = "story") -> float:
    """The lowest bits per byte that any model can reach in the long run: entropy over expected length."""
    return entropy(split, kind) / math.log(2) / expected_bytes(split, kind)


@cache
def vocabulary(kind: str = "story") -> tuple[str, ...]:
    """Every token that a kind of document can contain, sorted, END included."""
    source = grammar("full", kind)
    return tuple(sorted({token for phrase in phrases(source) for token in phrase}))
