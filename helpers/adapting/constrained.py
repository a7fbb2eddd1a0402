"""Constrained decoding: text that must match a regular expression, or a small JSON shape, always does.

Before each draw, tokens after which the text could no longer match get the log probability −∞, and the rest is renormalised.
Which tokens those are depends on the pattern's state only, so it is worked out once a state: Willard and Louf, *Efficient
Guided Generation for Large Language Models* (2023). Derived in `08_adapting_and_applications.ipynb`.

What this does to probabilities: it is not the model's distribution on condition that the text matches. Each step renormalises
for itself, so a beginning that the model likes is taken as often as before, even if all that may follow it is unlikely. If "a"
and "b" have 1/2 each, and what must come next has 1/100 after "a" and 1 after "b", the condition gives "a…" 1 %, this 50 %.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from helpers.adapting.regular import NEVER, Part, Pattern
from helpers.probability import LanguageModel, check_ids
from helpers.sampling import Seed, normalise, sample, shape_log_probs
from helpers.tokenizers import Tokenizer

KINDS = {
    "string": '"[^"\\\\\x00-\x1f]*"',  # JSON would also have escapes; without them every string is what it looks like
    "number": "-?(0|[1-9][0-9]{0,14})(\\.[0-9]{1,6})?",
    "boolean": "true|false",
}


def json_shape(fields: Mapping[str, str | Sequence[object]]) -> str:
    """The regular expression of a flat JSON object with these fields in this order, written as `json.dumps` writes it.

    A field is "string", "number", "boolean", or a list of the values that it may have: `json_shape({"name": "string", "kind":
    ["a", "b"]})` matches `{"name": "Ada", "kind": "b"}`. Raises ValueError for another kind.
    """
    parts = [f"{_written(str(name))}: {_value(name, kind)}" for name, kind in fields.items()]
    return f"\\{{{', '.join(parts)}\\}}"


def _value(name: str, kind: str | Sequence[object]) -> str:
    if isinstance(kind, str) and kind in KINDS:
        return f"({KINDS[kind]})"
    if isinstance(kind, str) or not len(kind):
        raise ValueError(f"the field {name!r} has the kind {kind!r}; use {', '.join(KINDS)}, or a list of values")
    return f"({'|'.join(_written(value) for value in kind)})"


def _written(value: object) -> str:
    """The regular expression that only this value's JSON matches."""
    return re.escape(json.dumps(value, ensure_ascii=False))


def token_texts(tokenizer: Tokenizer, before: str = "") -> list[str]:
    """What each token adds to a text, as `constrain` wants it; "" for the unknown and special tokens, and parts of characters.

    before: what `decode` puts before each token, " " where tokens are words; a pattern for them begins with a blank then.
    """
    special = {*getattr(tokenizer, "special_tokens", ()), getattr(tokenizer, "unknown", None)}
    return [
        "" if tokenizer.vocab[i] in special else _decoded(before.encode() + tokenizer.token_bytes(i))
        for i in range(tokenizer.vocab_size)
    ]


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return ""


class Constraint:
    """A pattern over a vocabulary: from each state, which tokens lead where, and how many it takes to match. See `constrain`.

    Raises ValueError where the pattern and all its states have too many parts.
    """

    def __init__(self, pattern: Pattern, texts: Sequence[str]):
        self.pattern, self.n_tokens = pattern, len(texts)
        self._tree = _tree(texts)
        self.states, self.moves = self._explored()  # S states; of each the tokens that go on, and the numbers of their states
        self.distances = self._distances()  # (S,) tokens to the nearest match; infinite where the vocabulary has no way there

    def tokens(self, text: str = "") -> np.ndarray:
        """Which tokens keep the text inside the language, that is, leave it a beginning of a text that matches: (V,) bool."""
        mask = np.zeros(self.n_tokens, dtype=bool)
        mask[self._read(self.pattern.step(self.pattern.start, text))[0]] = True
        return mask

    def within(self, state: int, budget: int) -> dict[int, int]:
        """The tokens after which a match is at most budget − 1 tokens away, and the state that each leads to."""
        tokens, after = self.moves[state]
        near = self.distances[after] < budget
        return dict(zip(tokens[near].tolist(), after[near].tolist(), strict=True))

    def _read(self, state: Part) -> tuple[list[int], list[Part]]:
        """The tokens that can be read from a state, and the states after them: down the tree, as long as something matches."""
        found, after, open_ = [], [], [(state, self._tree)]
        while open_:
            state, branches = open_.pop()
            for char, (tokens, below) in branches.items():
                if (next_ := self.pattern.step(state, char)) is not NEVER:
                    found += tokens
                    after += [next_] * len(tokens)
                    open_.append((next_, below))
        return found, after

    def _explored(self) -> tuple[list[Part], list[tuple[np.ndarray, np.ndarray]]]:
        """All states that tokens reach from the start, which is number 0, and the moves between them."""
        states, moves = [self.pattern.start], []
        numbers = {self.pattern.start: 0}
        for state in states:  # grows as we go
            tokens, after = self._read(state)
            for new in after:
                if new not in numbers:
                    numbers[new] = len(states)
                    states.append(new)
            moves.append((np.array(tokens, dtype=np.int64), np.array([numbers[new] for new in after], dtype=np.int64)))
        return states, moves

    def _distances(self) -> np.ndarray:
        """Breadth first, from the states that match back to those that lead there."""
        before: list[list[int]] = [[] for _ in self.states]
        for state, (_, after) in enumerate(self.moves):
            for next_ in np.unique(after):
                before[next_].append(state)
        reached = [i for i, state in enumerate(self.states) if state.empty]
        distances = np.full(len(self.states), np.inf)
        distances[reached] = 0
        for state in reached:  # grows as we go
            for earlier in before[state]:
                if distances[earlier] == np.inf:
                    distances[earlier] = distances[state] + 1
                    reached.append(earlier)
        return distances


def _tree(texts: Sequence[str]) -> dict:
    """The vocabulary as a tree, to read tokens that begin alike together: {character: (the tokens that end there, tree)}."""
    tree: dict = {}
    for token, text in enumerate(texts):
        tokens, branches = [], tree
        for char in text:
            tokens, branches = branches.setdefault(char, ([], {}))
        tokens.append(token)  # of a token without text, to a list that nobody sees
    return tree


@lru_cache(maxsize=16)
def _constraint(regex: str, texts: tuple[str, ...]) -> Constraint:
    return Constraint(Pattern(regex), texts)


def constrain(pattern: str | Pattern, texts: Sequence[str]) -> Constraint:
    """The pattern over a vocabulary, texts[i] being what token i adds to a text; the last few are kept.

    A token with the text "" is never taken. Raises ValueError as `Pattern` does.

    >>> constrain("[0-9]{2}", ["7", "a", "123", "45"]).tokens("1").tolist()
    [True, False, False, False]
    """
    return _constraint(pattern if isinstance(pattern, str) else pattern.regex, tuple(texts))


def generate_matching(
    model: LanguageModel, ids: ArrayLike, texts: Sequence[str], pattern: str | Pattern, max_new_tokens: int,
    temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None, min_p: float | None = None, *,
    stop: Iterable[int] = (), seed: Seed = 0,
) -> np.ndarray:  # fmt: skip
    """As `generate`, but the texts of the new tokens, joined, match the pattern: the prompt and what follows, int64.

    texts: what each token adds to a text (`token_texts`). It ends at a stop token, which is allowed only where all so far
    matches and is never part of it; else where nothing can follow, or max_new_tokens are used up; and without stop at the first
    match. Only tokens are taken from which a match can be reached in time. Where the model rules all of them out, they are
    equally likely. The settings shape what is left of the distribution.

    Raises ValueError as `generate` and `Pattern` do, where texts are not one for each token, and where no max_new_tokens tokens
    of this vocabulary can match.
    """
    ids, stop = check_ids(ids, model.vocab_size), set(check_ids(list(stop), model.vocab_size).tolist())
    if len(texts) != model.vocab_size:
        raise ValueError(f"there are {len(texts)} texts, and the model has {model.vocab_size} tokens; give one for each")
    constraint = constrain(pattern, ["" if i in stop else text for i, text in enumerate(texts)])
    _check_reachable(constraint, max_new_tokens)
    rng, reader = np.random.default_rng(seed), model.reader()
    new, state, unread = [], 0, ids
    for budget in range(max_new_tokens, 0, -1):
        choices, matched = constraint.within(state, budget), constraint.distances[state] == 0
        if matched and not (stop and choices):
            break
        allowed = [*choices, *(stop if matched else ())]
        log_probs = restricted(reader.read(unread), allowed)
        token = sample(shape_log_probs(log_probs, temperature, top_k, top_p, min_p), rng)
        new.append(token)
        if token in stop:
            break
        state, unread = choices[token], [token]
    return np.append(ids, np.array(new, dtype=np.int64))


def restricted(log_probs: np.ndarray, allowed: Sequence[int]) -> np.ndarray:
    """The distribution with all but the allowed tokens ruled out, normalised again: (V,) nats → (V,) nats.

    Where the allowed have no probability, they get equal ones. Raises ValueError where the model's are no numbers.
    """
    if np.isnan(log_probs).any():
        raise ValueError("the model's log probabilities are not numbers (NaN); it may have diverged in training")
    kept = np.full(log_probs.shape, -np.inf)
    kept[allowed] = log_probs[allowed] if np.isfinite(log_probs[allowed]).any() else 0.0
    return normalise(kept)


def _check_reachable(constraint: Constraint, max_new_tokens: int) -> None:
    shortest, regex = constraint.distances[0], constraint.pattern.regex
    if shortest == np.inf:
        raise ValueError(f"no sequence of this vocabulary's tokens matches {regex!r}; the texts may lack characters or blanks")
    if shortest > max_new_tokens:
        raise ValueError(f"{regex!r} takes {shortest:.0f} tokens or more, and max_new_tokens is {max_new_tokens}; allow more")
