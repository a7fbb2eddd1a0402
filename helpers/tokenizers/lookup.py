"""Characters and words: a text is cut by a fixed rule, and the id of each token is found in a table.

Derived in `04_tokens_and_embeddings.ipynb`, with what such a table cannot do: it has no id for what it has not seen.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

import numpy as np
import regex
from numpy.typing import ArrayLike

from helpers import world
from helpers.probability import check_ids
from helpers.tokenizers.base import Piece, Tokenizer, check_text

UNK = "<unk>"


class _LookUp(Tokenizer):
    """A table of tokens. The unknown token, where there is one, has id 0 and stands for all that the table lacks."""

    def __init__(self, tokens: Iterable[str], unknown: str | None):
        self.unknown = unknown
        self.vocab = [*tokens] if unknown is None else [unknown, *tokens]
        if wrong := [token for token in self.vocab if not isinstance(token, str) or not token]:
            raise ValueError(f"tokens must be non-empty str, got {wrong[0]!r}")
        check_text("".join(self.vocab))
        if twice := [token for token, n in Counter(self.vocab).items() if n > 1]:
            raise ValueError(f"the token {twice[0]!r} is there twice; each needs an id of its own")
        known = {token: i for i, token in enumerate(self.vocab) if token != unknown}
        if wrong := [token for token in known if self._cut(self._written(token)) != [self._written(token)]]:
            raise ValueError(f"{wrong[0]!r} would never be cut out of a text as one token; make the table with train(text)")
        # As it stands in the text → id. The unknown token has no such form: a text cannot ask for it by its name.
        self._index = {self._written(token): i for token, i in known.items()}

    def _cut(self, text: str) -> list[str]:
        """The tokens of a text as they stand in it, in order; between two of them nothing but what the tokenizer drops."""
        return list(text)

    def _join(self, parts: Sequence[str]) -> str:
        """A text made of tokens as they stand in it."""
        return "".join(parts)

    def _written(self, token: str) -> str:
        """A token as it stands in the text."""
        return token

    def _state(self) -> dict[str, Any]:
        return {"unknown": self.unknown, "tokens": self.vocab[self.unknown is not None :]}

    def encode(self, text: str) -> list[int]:
        """Token ids of a text.

        Raises ValueError for what is no text (`check_text`) and, where there is no unknown token, for what the table lacks.
        """
        check_text(text)
        if self.unknown is not None:
            return [self._index.get(written, 0) for written in self._cut(text)]
        try:
            return [self._index[written] for written in self._cut(text)]
        except KeyError:
            raise ValueError(self._complaint(text)) from None

    def decode(self, ids: ArrayLike) -> str:
        """The text of (T,) token ids; what was unknown comes back as the name of the unknown token."""
        return self._join([self._written(self.vocab[id_]) for id_ in check_ids(ids, self.vocab_size).tolist()])

    def pieces(self, text: str) -> list[Piece]:
        """(id, bytes) pairs that cover the text; None for blanks that no token stands for. Raises ValueError like `encode`."""
        ids, pieces, end = self.encode(text), [], 0
        for id_, (start, written) in zip(ids, self._places(text), strict=True):
            if start > end:
                pieces.append((None, text[end:start].encode("utf-8")))
            pieces.append((id_, written.encode("utf-8")))
            end = start + len(written)
        return pieces + ([(None, text[end:].encode("utf-8"))] if end < len(text) else [])

    def token_bytes(self, id_: int) -> bytes:
        """The token as it stands in a text, in UTF-8. Raises ValueError for an id that is not in the vocabulary."""
        return self._written(self.vocab[self._check(id_)]).encode("utf-8")

    def _places(self, text: str) -> Iterator[tuple[int, str]]:
        end = 0
        for written in self._cut(text):
            start = text.index(written, end)
            end = start + len(written)
            yield start, written

    def _complaint(self, text: str) -> str:
        start, written = next(place for place in self._places(text) if place[1] not in self._index)
        codes = f" (U+{ord(written):04X})" if len(written) == 1 else ""
        return (
            f"the token {written!r}{codes} at position {start} is not among the {self.vocab_size} of this vocabulary; "
            f"train on a text that has it, or with unknown={UNK!r}"
        )


class CharTokenizer(_LookUp):
    """Each character is a token. Ids follow the characters' code points; text of known characters comes back exactly.

    >>> CharTokenizer.train("to be").encode("bet")
    [1, 2, 4]
    """

    def __init__(self, tokens: Iterable[str], unknown: str | None = None):
        super().__init__(tokens, unknown)

    @classmethod
    def train(cls, text: str, unknown: str | None = None) -> "CharTokenizer":
        """Know every character of the text and, where it is named ("<unk>"), a token for all others.

        Without it an unknown character is an error. Raises ValueError for an empty text.
        """
        check_text(text)
        if not text:
            raise ValueError("the training text is empty, so there is no character to learn; pass a text")
        return cls(sorted(set(text)), unknown)


@dataclass(frozen=True)
class Rule:
    """How words are cut out of a text and joined again, and the name in the vocabulary of the newline, a token like others."""

    cut: Callable[[str], list[str]]
    join: Callable[[Sequence[str]], str]
    newline: str


def _cut_words(text: str) -> list[str]:
    return regex.findall(r"\w+|\n|[^\w\s]", text)


def _join_words(tokens: Sequence[str]) -> str:
    return " ".join(tokens).replace(" \n", "\n").replace("\n ", "\n")


def _cut_world(text: str) -> list[str]:
    """The world's tokens of each line. END is what the newline is called: where it is written out, it is four characters."""
    lines = [[*world.tokenize(line), "\n"] for line in text.split("\n")]
    return [part for token in chain(*lines) for part in (token if token == world.END else [token])][:-1]


def _join_world(tokens: Sequence[str]) -> str:
    ends = [-1, *(i for i, token in enumerate(tokens) if token == "\n"), len(tokens)]
    return "\n".join(world.detokenize(tokens[begin + 1 : end]) for begin, end in pairwise(ends))


RULES = {"words": Rule(_cut_words, _join_words, "\n"), "world": Rule(_cut_world, _join_world, world.END)}


class WordTokenizer(_LookUp):
    """Each word is a token. Ids follow frequency, the most frequent first, equals by code points. The rule is one of `RULES`:

    "words": runs of letters, marks, digits and _; every other visible character; the newline. Blanks are dropped. `decode` puts
    one space between two tokens, none beside a newline: it restores the tokens, `encode(decode(ids)) == ids`, not the blanks.
    "world": the world's own tokens, and its END for the newline; `decode(encode(text)) == text` for all that the world writes.
    """

    def __init__(self, tokens: Iterable[str], unknown: str | None = UNK, rule: str = "words"):
        if rule not in RULES:
            raise ValueError(f"there is no rule {rule!r}; choose one of {', '.join(RULES)}")
        self.rule = rule
        super().__init__(tokens, unknown)

    @classmethod
    def train(
        cls, text: str, max_vocab: int | None = None, *, unknown: str | None = UNK, rule: str = "words"
    ) -> "WordTokenizer":
        """Know the words of the text, the most frequent of them where max_vocab, the unknown token included, leaves some out.

        All others become the unknown token or, where that is None, are errors. Raises ValueError for a text without words, an
        unknown rule, or a max_vocab that leaves no word.
        """
        check_text(text)
        empty = cls([], unknown, rule)
        counts = Counter(empty._cut(text))
        if not counts:
            raise ValueError(f"the training text has no words: {text[:20]!r}; pass a text that has some")
        if max_vocab is not None and (not isinstance(max_vocab, (int, np.integer)) or max_vocab <= empty.vocab_size):
            raise ValueError(f"max_vocab must be None or at least {empty.vocab_size + 1}, which is one word, got {max_vocab!r}")
        newline = RULES[rule].newline
        words = sorted((-n, newline if written == "\n" else written) for written, n in counts.items())
        return cls([word for _, word in words][: max_vocab and max_vocab - empty.vocab_size], unknown, rule)

    def _cut(self, text: str) -> list[str]:
        return RULES[self.rule].cut(text)

    def _join(self, parts: Sequence[str]) -> str:
        return RULES[self.rule].join(parts)

    def _written(self, token: str) -> str:
        return "\n" if token == RULES[self.rule].newline else token

    def _state(self) -> dict[str, Any]:
        return {"rule": self.rule, **super()._state()}
