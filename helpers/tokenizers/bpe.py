"""Byte-level BPE: any text is a sequence of bytes, and learned merges make them fewer and longer tokens.

Derived in `04_tokens_and_embeddings.ipynb`; `helpers.tokenizers.merging` says how ties are broken. Bytes as the base, and words
that no merge crosses: Radford et al., *Language Models are Unsupervised Multitask Learners* (2019), section 2.2.
"""

import heapq
import re
from collections import Counter
from collections.abc import Collection, Iterable, Set
from itertools import pairwise
from typing import Any

import numpy as np
import regex
from numpy.typing import ArrayLike

from helpers.probability import check_ids
from helpers.tokenizers.base import Piece, Tokenizer, check_text
from helpers.tokenizers.merging import GONE, N_BYTES, Pair, learn_merges
from helpers.tokenizers.visible import hex_bytes

# GPT-2's, as published: English contractions; letters, digits, or other signs, each with the space before them; blanks.
GPT2_SPLIT = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CACHED_WORDS, CACHED_LENGTH = 2**16, 64  # the words whose ids are kept: how many, and the longest, in characters


class BPETokenizer(Tokenizer):
    """Ids 0 … 255 are the bytes' values, then come the merges in their order, then the special tokens. Make one with `train`.

    Every text without lone surrogates comes back exactly. In `vocab` a token that is no whole UTF-8 stands as ‹E4 BD›.
    `ranks`: each pair of ids that merges → the id that it becomes, which is smaller the earlier the merge was learned.
    """

    def __init__(self, merges: Iterable[Pair], special_tokens: Iterable[str] = (), split: str | None = GPT2_SPLIT):
        """merges: pairs of ids. Raises ValueError for merges that cannot be, and for special tokens or a split that cannot."""
        self.split, self._pattern = split, _compiled(split)
        self._bytes = [bytes([b]) for b in range(N_BYTES)]
        self.ranks: dict[Pair, int] = {}
        known = set(self._bytes)
        for new, pair in enumerate(merges, start=N_BYTES):
            a, b = _check_pair(pair, new)
            self._bytes.append(self._bytes[a] + self._bytes[b])
            self.ranks[a, b] = new
            if self._bytes[-1] in known:  # training gives each string of bytes one way of being made, so one id
                raise ValueError(f"merge {new - N_BYTES}, {pair}, makes {self._bytes[-1]!r}, which is a token already")
            known.add(self._bytes[-1])
        self.special_tokens = {token: len(self._bytes) + i for i, token in enumerate(_check_special(special_tokens))}
        self._bytes += [token.encode("utf-8") for token in self.special_tokens]
        self.vocab = [_named(token) for token in self._bytes]
        self._cache: dict[str, list[int]] = {}

    @classmethod
    def train(
        cls, text: str, vocab_size: int, special_tokens: Iterable[str] = (), *, split: str | None = GPT2_SPLIT
    ) -> "BPETokenizer":
        """Learn merges from a text until the vocabulary has vocab_size tokens: 256 bytes, the merges, the special tokens.

        split: the pattern (of the `regex` package) of a word; its matches must cover the text. None makes the text one word.
        Special tokens are not looked for in the training text. Raises ValueError for an empty text, a vocab_size that is too
        small for the bytes and the special tokens, and one that the text cannot reach, since no pair is left to merge.
        """
        check_text(text)
        empty = cls([], special_tokens, split)
        if not text:
            raise ValueError("the training text is empty, so there is no pair to merge; pass a text")
        if not isinstance(vocab_size, (int, np.integer)) or vocab_size < empty.vocab_size:
            raise ValueError(
                f"vocab_size is {vocab_size!r}, but {N_BYTES} bytes and {len(empty.special_tokens)} special tokens are "
                f"{empty.vocab_size}; choose a whole number of at least that"
            )
        words = {word.encode("utf-8"): n for word, n in Counter(empty.words(text)).items()}
        merges = learn_merges(words, vocab_size - empty.vocab_size)
        if empty.vocab_size + len(merges) < vocab_size:
            raise ValueError(
                f"vocab_size is {vocab_size}, but after {len(merges)} merges every word of this text is one token; "
                f"choose at most {empty.vocab_size + len(merges)}, or train on more text"
            )
        return cls(merges, empty.special_tokens, split)

    @property
    def merges(self) -> list[tuple[bytes, bytes]]:
        """The merges in the order in which they were learned, as the bytes of the two tokens."""
        return [(self._bytes[a], self._bytes[b]) for a, b in self.ranks]

    def words(self, text: str) -> list[str]:
        """The text cut by the split pattern; joined, it is the text again. Raises ValueError where the pattern leaves a gap."""
        check_text(text)
        if self._pattern is None:
            return [text] if text else []
        words, end = [], 0
        for match in self._pattern.finditer(text):
            if match.start() > end:
                break
            words.append(match[0])
            end = match.end()
        if end < len(text):
            raise ValueError(
                f"the split {self.split!r} matches no word at {text[end : end + 10]!r}; "
                r"its matches must cover the text, so add an alternative such as |[\s\S]"
            )
        return words

    def encode(self, text: str, allowed_special: str | Collection[str] = ()) -> list[int]:
        """Token ids of a text; the special tokens that it contains are ordinary text, unless they are allowed.

        allowed_special: "all", or a list of special tokens, to become their ids wherever the text has them; where several
        could begin, the longest does. Never allow them in text that others write. The ids of words are kept for the next time,
        up to CACHED_WORDS of at most CACHED_LENGTH characters. Raises ValueError for no text and unknown special tokens.
        """
        check_text(text)
        special = self._allowed(allowed_special)
        if not special:
            return self._encode_ordinary(text)
        ids = []
        longest_first = sorted(special, key=len, reverse=True)
        for i, part in enumerate(re.split(f"({'|'.join(map(re.escape, longest_first))})", text)):
            ids += [self.special_tokens[part]] if i % 2 else self._encode_ordinary(part)
        return ids

    def _encode_ordinary(self, text: str) -> list[int]:
        ids, cache = [], self._cache
        for word in self.words(text):
            found = cache.get(word)
            if found is None:
                found = merge_word(word.encode("utf-8"), self.ranks)
                if len(word) <= CACHED_LENGTH:
                    if len(cache) >= CACHED_WORDS:
                        cache.clear()
                    cache[word] = found
            ids += found
        return ids

    def _allowed(self, allowed_special: str | Collection[str]) -> Collection[str]:
        if allowed_special == "all":
            return self.special_tokens
        if isinstance(allowed_special, str):
            raise ValueError(f'allowed_special must be "all" or a list, got {allowed_special!r}; put the token in a list')
        if unknown := [token for token in allowed_special if token not in self.special_tokens]:
            raise ValueError(f"{unknown[0]!r} is no special token of this tokenizer; it has {list(self.special_tokens)}")
        return allowed_special

    def decode(self, ids: ArrayLike) -> str:
        """The text of (T,) token ids; where their bytes are no UTF-8, as in half a character, U+FFFD stands for them."""
        ids = check_ids(ids, self.vocab_size).tolist()
        return b"".join(map(self._bytes.__getitem__, ids)).decode("utf-8", errors="replace")

    def pieces(self, text: str, allowed_special: str | Collection[str] = ()) -> list[Piece]:
        """(id, bytes) pairs; joined, the bytes are the text's UTF-8. A character may be cut into several pieces."""
        return [(id_, self._bytes[id_]) for id_ in self.encode(text, allowed_special)]

    def token_bytes(self, id_: int) -> bytes:
        """The bytes of a token. Raises ValueError for an id that is not in the vocabulary."""
        return self._bytes[self._check(id_)]

    def _state(self) -> dict[str, Any]:
        return {"split": self.split, "special_tokens": list(self.special_tokens), "merges": list(self.ranks)}


def merge_word(word: bytes, rank: dict[Pair, int]) -> list[int]:
    """The ids of a word: of the pairs that have a rank, merge the lowest, the leftmost first, until none is left.

    A heap of these pairs and links between neighbours make it O(n log n) in the word's length.
    """
    ids, n = list(word), len(word)
    heap = [(rank[pair], i) for i, pair in enumerate(pairwise(ids)) if pair in rank]
    heapq.heapify(heap)
    before, after = list(range(-1, n - 1)), list(range(1, n + 1))
    while heap:
        new, i = heapq.heappop(heap)
        j = after[i]
        if j == n or rank.get((ids[i], ids[j])) != new:
            continue  # another merge took one of the two
        left, right = before[i], after[j]
        ids[i], ids[j], after[i] = new, GONE, right
        if right < n:
            before[right] = i
            if (above := rank.get((new, ids[right]))) is not None:
                heapq.heappush(heap, (above, i))
        if left >= 0 and (above := rank.get((ids[left], new))) is not None:
            heapq.heappush(heap, (above, left))
    return [id_ for id_ in ids if id_ != GONE]


def _compiled(split: str | None) -> regex.Pattern | None:
    if split is None:
        return None
    try:
        check_text(split)
        return regex.compile(split)
    except (ValueError, regex.error) as error:
        raise ValueError(f"split must be None or a pattern of the regex package, got {split!r}: {error}") from error


def _check_pair(pair: Pair, new: int) -> Pair:
    if len(pair) != 2 or any(type(id_) is not int or not 0 <= id_ < new for id_ in pair):
        raise ValueError(f"merge {new - N_BYTES}, {pair}, must be a pair of ids from 0 to {new - 1}, the tokens before it")
    return pair


def _check_special(tokens: Iterable[str]) -> list[str]:
    if isinstance(tokens, (str, Set)) or not isinstance(tokens, Iterable):
        raise ValueError(f"special_tokens must be a list of str, whose order gives their ids, got {tokens!r}")
    tokens = list(tokens)
    for i, token in enumerate(tokens):
        check_text(token)
        if not token or token in tokens[:i]:
            raise ValueError(f"special tokens must be different and not empty, got {tokens}")
    return tokens


def _named(token: bytes) -> str:
    """A token as str: its text, or its bytes in hexadecimal where it is no whole UTF-8."""
    try:
        return token.decode("utf-8")
    except UnicodeDecodeError:
        return f"‹{hex_bytes(token)}›"
