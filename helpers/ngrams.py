"""N-gram language models of any order, on any tokens, with every smoothing of the course.

Derived in `02_ngrams.ipynb`, with dictionaries and one word at a time. Here counting (`helpers.counting`), smoothing
(`helpers.smoothing`) and scoring a text are each a few NumPy operations.

Sentences begin with one `<s>`, which is never predicted, and end with `</s>`, which always is: KenLM's conventions, and with
`smoothing="modified-kneser-ney"` also its probabilities (Heafield et al., *Scalable Modified Kneser–Ney Language Model
Estimation*, 2013).
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from helpers import smoothing as sm
from helpers.counting import Level, count_ngrams
from helpers.probability import LanguageModel, check_ids, perplexity

BOS, EOS, UNK = "<s>", "</s>", "<unk>"
SMOOTHINGS = (
    "mle", "add-one", "add-k", "dirichlet", "interpolation", "good-turing", "absolute", "kneser-ney", "modified-kneser-ney",
)  # fmt: skip


class NGramModel(LanguageModel):
    """An n-gram model over sentences of string tokens. Make one with `NGramModel.fit`.

    As a `LanguageModel` it reads a stream of ids in which `</s>` ends a sentence and the next begins afresh: so the lines of a
    text are its sentences and `</s>` is the newline.
    """

    def __init__(self, vocab: Sequence[str], order: int, smoothing: str, levels: list[Level]):
        self.vocab, self.order, self.smoothing = list(vocab), order, smoothing
        self.index = {token: i for i, token in enumerate(self.vocab)}
        self.eos, self.bos = self.index[EOS], len(self.vocab)  # <s> has an id above the vocabulary: it is only ever a context
        self.base = len(self.vocab) + 1
        self.unk = self.index.get(UNK)
        self.levels = levels
        self.discounts: list[np.ndarray] = []

    @classmethod
    def fit(
        cls,
        sentences: Iterable[Sequence[str]],
        order: int,
        smoothing: str = "modified-kneser-ney",
        *,
        k: float = 1.0,
        mu: float = 1.0,
        weight: float = 0.75,
        discount: float | None = None,
        vocab: Iterable[str] | None = None,
        open_vocabulary: bool = True,
    ) -> "NGramModel":
        """Count the n-grams of `sentences` up to `order` and smooth them.

        sentences: lists of str tokens, without `<s>` and `</s>`, which are added here (a str is a list of characters).
        smoothing: one of `SMOOTHINGS`; k is for add-k, mu (tokens) for dirichlet, weight in [0, 1] for interpolation,
        discount in [0, 1] for absolute and kneser-ney, estimated from the counts where it is None.
        vocab: the tokens to know; by default all that occur. open_vocabulary: know `<unk>` too, which stands for every other
        token, and mix the uniform distribution in below the unigrams; without it an unknown token is an error.
        Raises ValueError for a smoothing, an order or sentences that cannot be used.
        """
        if smoothing not in SMOOTHINGS:
            raise ValueError(f"unknown smoothing {smoothing!r}; choose one of {', '.join(SMOOTHINGS)}")
        if not isinstance(order, (int, np.integer)) or order < 1:
            raise ValueError(f"order must be a whole number of at least 1, got {order!r}")
        if not (k > 0 and mu > 0 and 0 <= weight <= 1 and 0 <= (discount or 0) <= 1):
            raise ValueError(
                f"need k > 0, mu > 0, 0 ≤ weight ≤ 1 and 0 ≤ discount ≤ 1, got {k=}, {mu=}, {weight=}, {discount=}"
            )
        sentences = _check_sentences(sentences)
        tokens = sorted(set(vocab) if vocab is not None else set(chain.from_iterable(sentences)))
        if not open_vocabulary and UNK in tokens:
            raise ValueError(f"{UNK} is among the tokens, so the vocabulary is open; leave open_vocabulary=True")
        extra = [EOS, UNK] if open_vocabulary else [EOS]
        model = cls(extra + [t for t in tokens if t not in (*extra, BOS)], order, smoothing, [])
        stream = model._with_bos(model.encode_all(sentences))
        model.levels = count_ngrams(stream, order, model.bos, continuation="kneser-ney" in smoothing)
        model._estimate(k=k, mu=mu, weight=weight, discount=discount)
        return model

    def _estimate(self, *, k: float, mu: float, weight: float, discount: float | None) -> None:
        """Fill in `p` and `backoff` order by order, each from the probabilities of the order below."""
        V = self.vocab_size
        below = np.full(1, 1 / V)  # order 0, the uniform distribution, is the one "context" of the unigrams
        begins = np.zeros(1, dtype=bool)  # the contexts whose first token is <s>
        for n, level in enumerate(self.levels, start=1):
            context = np.repeat(np.arange(len(level.starts) - 1), np.diff(level.starts))
            counted = level.adjusted > 0  # of the unigrams, <unk> may have no count, and <s> has none
            data = level.adjusted[counted], context[counted], len(level.starts) - 1
            lower = below[level.suffix]
            if self.smoothing == "mle":
                p, backoff = sm.relative_frequency(*data)
            elif self.smoothing in ("add-one", "add-k"):
                p, backoff = sm.dirichlet(*data, lower[counted], V * (k if self.smoothing == "add-k" else 1))
                whole = begins | (n == self.order)  # it has one order and, below it, the uniform; after <s> a context is short
                p, backoff = np.where(whole[data[1]], p, lower[counted]), np.where(whole, backoff, 1.0)
            elif self.smoothing == "dirichlet":
                p, backoff = sm.dirichlet(*data, lower[counted], mu)
            elif self.smoothing == "interpolation":
                p, backoff = sm.jelinek_mercer(*data, lower[counted], 1.0 if n == 1 and self.unk is None else weight)
            elif self.smoothing == "good-turing":
                self.discounts.append(sm.good_turing_ratios(data[0]))
                p, backoff = sm.katz(*data, lower[counted], self.discounts[-1], V)
            else:
                self.discounts.append(self._discounts(n, data[0], discount))
                p, backoff = sm.discounted(*data, lower[counted], self.discounts[-1])
            level.p, level.backoff = backoff[context] * lower, backoff
            level.p[counted] = p
            below, begins = level.p, np.arange(self.base) == self.bos if n == 1 else begins[context]

    def _discounts(self, n: int, counts: np.ndarray, discount: float | None) -> np.ndarray:
        if n == 1 and self.unk is None:
            return np.zeros(4)  # a closed vocabulary has no unseen token to save for
        if self.smoothing == "modified-kneser-ney":
            return sm.modified_discounts(counts)
        return np.full(4, sm.absolute_discount(counts) if discount is None else discount)

    def encode(self, sentence: Sequence[str]) -> np.ndarray:
        """Ids of a sentence with its `</s>`: T str tokens → (T + 1,) int64.

        Raises ValueError for a token outside a closed vocabulary; an open one has `<unk>` for it.
        """
        return self.encode_all([sentence])

    def encode_all(self, sentences: Iterable[Sequence[str]]) -> np.ndarray:
        """One stream of the ids of all the sentences, each with its `</s>`: → (T,) int64. Raises ValueError like `encode`."""
        sentences = list(sentences)
        tokens = chain.from_iterable(chain(sentence, (EOS,)) for sentence in sentences)
        ids = np.array([self.index.get(token, -1) for token in tokens], dtype=np.int64)
        if (ids < 0).any() and BOS in chain.from_iterable(sentences):
            raise ValueError(f"a sentence contains {BOS}; leave it out, each sentence begins with one by itself")
        if self.unk is not None:
            ids[ids < 0] = self.unk
        elif (ids < 0).any():
            unknown = next(token for token in chain.from_iterable(sentences) if token not in self.index)
            raise ValueError(
                f"{unknown!r} is not in the vocabulary, and this model has no {UNK}; fit it with open_vocabulary=True"
            )
        return ids

    def decode(self, ids: ArrayLike, separator: str = "") -> str:
        """The text of a stream of ids, `</s>` being a newline: (T,) → str; separator=" " for words."""
        tokens = ["\n" if id_ == self.eos else self.vocab[id_] for id_ in check_ids(ids, self.vocab_size)]
        return separator.join(tokens).replace(f"{separator}\n", "\n").replace(f"\n{separator}", "\n")

    def _with_bos(self, ids: np.ndarray) -> np.ndarray:
        """The stream with `<s>` before each sentence: (T,) → (T + sentences,)."""
        begins = np.concatenate([[0], np.flatnonzero(ids[:-1] == self.eos) + 1]) if ids.size else []
        return np.insert(ids, begins, self.bos)

    def log_probs(self, sentence: Sequence[str] | ArrayLike) -> np.ndarray:
        """Log probability of each token given those before it in its sentence.

        sentence: T str tokens → (T + 1,) nats, `</s>` included; or a stream of ids (T,), as `encode` gives them → (T,) nats.
        """
        stream = self._with_bos(self.encode(sentence) if _is_tokens(sentence) else check_ids(sentence, self.vocab_size))
        rank = stream  # of the n-gram that ends at each token, −1 where it was never counted
        with np.errstate(divide="ignore"):
            scores = np.log(self.levels[0].p)[stream]
            for level in self.levels[1:]:
                if not len(level.keys):  # every training sentence was shorter
                    break
                context = np.concatenate([[-1], rank[:-1]])
                rank = level.find(context * self.base + stream)
                backed_off = scores + np.where(context >= 0, np.log(level.backoff)[context], 0.0)
                scores = np.where(rank >= 0, np.log(level.p)[rank], backed_off)
        return scores[stream != self.bos]

    def next_log_probs(self, context: ArrayLike) -> np.ndarray:
        """Log probability of every next token: the stream so far, (T,) ids or str tokens → (V,) nats."""
        ranks = self._context_ranks(context)
        p = self.levels[0].p[: self.vocab_size].copy()
        for level, rank in zip(self.levels[1:], ranks, strict=False):
            begin, end = level.starts[rank], level.starts[rank + 1]
            p *= level.backoff[rank]
            p[level.keys[begin:end] - rank * self.base] = level.p[begin:end]
        with np.errstate(divide="ignore"):
            return np.log(p)

    def encode_context(self, tokens: Sequence[str]) -> np.ndarray:
        """Ids of a sentence that is not over: T str tokens → (T,) int64, for `next_log_probs`."""
        return self.encode(tokens)[:-1]

    def _context_ranks(self, context: Sequence[str] | ArrayLike) -> list[int]:
        """Ranks of the counted contexts that end a stream, shortest first: those of length 1, 2, … up to the longest."""
        ids = self.encode_context(context) if _is_tokens(context) else check_ids(context, self.vocab_size)
        window = ids[max(0, len(ids) - self.order + 1) :]
        ended = np.flatnonzero(window == self.eos)
        if len(ended):
            window = window[ended[-1] + 1 :]
        tokens = ([self.bos] if len(window) < self.order - 1 else []) + window.tolist()
        for begin in range(len(tokens)):
            ranks, rank = [], tokens[begin]
            for level, token in zip(self.levels[1:], tokens[begin + 1 :], strict=False):
                rank = int(level.find(np.int64(rank * self.base + token)))
                if rank < 0:
                    break
            if rank >= 0:
                break
        else:
            return []
        for level in reversed(self.levels[: len(tokens) - begin]):
            ranks.append(rank)
            rank = int(level.suffix[rank])
        return ranks[::-1]

    def matched_order(self, context: ArrayLike) -> int:
        """The order of the longest n-grams counted after this context, 1 where none was: (T,) ids → 1 … order."""
        ranks = self._context_ranks(context)
        followed = [level.starts[rank + 1] > level.starts[rank] for level, rank in zip(self.levels[1:], ranks, strict=False)]
        return 1 + sum(followed)

    def count(self, *tokens: str) -> int:
        """How often these tokens, `<s>` and `</s>` among them, came in a row in training. ValueError beyond the order."""
        if not 1 <= len(tokens) <= self.order:
            raise ValueError(f"this model counted 1 to {self.order} tokens in a row, not {len(tokens)}")
        rank = -1
        for n, token in enumerate(tokens):
            id_ = self.bos if token == BOS else self.index.get(token, -1)
            if id_ < 0:
                return 0
            rank = id_ if n == 0 else int(self.levels[n].find(np.int64(rank * self.base + id_)))
            if rank < 0:
                return 0
        return int(self.levels[len(tokens) - 1].counts[rank])

    def perplexity(self, sentences: Iterable[Sequence[str]], include_oov: bool = True) -> float:
        """Perplexity per token over sentences of str tokens, each with its `</s>`.

        Without include_oov the tokens that are scored as `<unk>` are left out.
        """
        ids = self.encode_all(_check_sentences(sentences))
        scores = self.log_probs(ids)
        return perplexity(scores if include_oov or self.unk is None else scores[ids != self.unk])


def _is_tokens(sentence: Sequence[str] | ArrayLike) -> bool:
    if isinstance(sentence, (str, list, tuple)) and len(sentence) == 0:
        return True  # a sentence without tokens; a stream without ids is an empty array
    return len(sentence) > 0 and isinstance(sentence[0], str)


def _check_sentences(sentences: Iterable[Sequence[str]]) -> list[Sequence[str]]:
    """The sentences as a list; raise ValueError unless they are sequences of str tokens without sentence marks of their own."""
    if isinstance(sentences, str):
        raise ValueError(
            "sentences must be a list of sentences, got one str; split it first, e.g. text.splitlines() for characters"
        )
    sentences = list(sentences)
    if not sentences:
        raise ValueError("there are no sentences to read; pass at least one list of tokens")
    tokens = set(chain.from_iterable(s if np.iterable(s) else [s] for s in sentences))
    if wrong := [token for token in tokens if not isinstance(token, str) or not token]:
        raise ValueError(f"tokens must be non-empty str, got {wrong[0]!r} of {type(wrong[0]).__name__}; pass tokens, not ids")
    if marks := tokens & {BOS, EOS}:
        raise ValueError(f"a sentence contains {marks.pop()}; leave out the sentence marks, they are added here")
    return sentences


def write_arpa(model: NGramModel, path: str | Path) -> None:
    """Write an ARPA file, which KenLM and SRILM read: log₁₀ probability, tokens and back-off weight of each n-gram.

    Raises ValueError where a token has white space in it, which the format cannot hold.
    """
    names = [*model.vocab, BOS]
    if spaced := [name for name in names if name.split() != [name]]:
        raise ValueError(
            f"the token {spaced[0]!r} has white space in it, which an ARPA file cannot hold; fit the model on tokens without"
        )
    lines = ["\\data\\", *(f"ngram {n}={len(level.keys)}" for n, level in enumerate(model.levels, start=1))]
    ngrams = names
    with np.errstate(divide="ignore"):
        for n, level in enumerate(model.levels, start=1):
            if n > 1:
                ngrams = [f"{ngrams[c]} {names[w]}" for c, w in zip(*np.divmod(level.keys, model.base), strict=True)]
            above = np.log10(model.levels[n].backoff) if n < model.order else np.zeros(len(ngrams))
            p = np.log10(level.p)
            if n == 1:
                p[model.bos] = -99  # by custom: <s> is never predicted
            rows = zip(np.maximum(p, -99), ngrams, np.maximum(above, -99), strict=True)
            lines += [
                "",
                f"\\{n}-grams:",
                *(f"{a:.9g}\t{b}\t{c:.9g}" if n < model.order else f"{a:.9g}\t{b}" for a, b, c in rows),
            ]
    Path(path).write_text("\n".join([*lines, "", "\\end\\", ""]), encoding="utf-8")
