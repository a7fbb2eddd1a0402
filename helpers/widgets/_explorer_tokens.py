"""How the attention explorer reads a text: text → ids, and what stands for each id, whatever tokenizer was given."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from helpers import world
from helpers.probability import check_ids
from helpers.tokenizers import CharTokenizer, Tokenizer
from helpers.tokenizers.bpe import BPETokenizer
from helpers.widgets._base import visible, visible_bytes
from helpers.widgets._suggestions import END, UNKNOWN


class TokenReader:
    """Text to ids and ids to what is shown.

    tokenizer: with `encode(text)`; or a function from a text to its tokens (str) or ids; or None: characters where all tokens
    of `vocab` are, else the world's tokens. special: tokens of the vocabulary, such as "[MASK]", that are taken whole
    where they stand in the text. join: what stands between a text and an appended token; None: a space for words, else nothing.
    """

    def __init__(
        self,
        tokenizer: Any,
        vocab: Sequence[str] | None,
        vocab_size: int,
        special: Sequence[str] = (),
        join: str | None = None,
    ):
        own = getattr(tokenizer, "vocab", None)
        vocab = own if vocab is None and isinstance(own, (list, tuple)) else vocab
        self.tokenizer, self.vocab_size = tokenizer, vocab_size
        self.vocab = None if vocab is None else list(vocab)
        self.index = {token: i for i, token in enumerate(self.vocab or ())}
        if tokenizer is None and self.vocab is None:
            raise ValueError("the model has no vocab, so pass a tokenizer, or a function from text to tokens and vocab=[…]")
        if tokenizer is not None and not hasattr(tokenizer, "encode") and not callable(tokenizer):
            raise ValueError(f"a tokenizer has encode(text) or is a function, got {type(tokenizer).__name__}; or pass None")
        if unknown := [token for token in special if token not in self.index]:
            raise ValueError(f"the special token {unknown[0]!r} is not in the vocabulary")
        self.special = re.compile("|".join(map(re.escape, sorted(special, key=len, reverse=True))) or r"(?!)")
        own_mask = getattr(tokenizer, "mask_token_id", None)  # Hugging Face's
        self.special_ids = {self.index[token] for token in special} | ({own_mask} - {None})
        self.cut = self._cut()
        whole = isinstance(tokenizer, (CharTokenizer, BPETokenizer)) or self.cut is list
        self.join = join if join is not None else "" if whole or self._is_foreign() else " "
        self._shown: dict[int, str] = {}

    def ids(self, text: str) -> list[int]:
        """Token ids of a text. Raises ValueError for what the vocabulary lacks, and whatever the tokenizer raises."""
        found, end = [], 0
        for match in self.special.finditer(text):
            found += [*self._plain(text[end : match.start()]), self.index[match.group()]]
            end = match.end()
        return check_ids(found + self._plain(text[end:]), self.vocab_size).tolist()

    def shown(self, id_: int) -> str:
        """A token as it is shown: on one line, with marks for what cannot be seen."""
        if id_ not in self._shown:
            self._shown[id_] = self._name(id_)
        return self._shown[id_]

    def piece(self, id_: int) -> str:
        """What choosing this token as the next one writes; empty where no text stands for it."""
        if isinstance(self.tokenizer, Tokenizer) and id_ < self.tokenizer.vocab_size:
            data = self.tokenizer.token_bytes(id_)
            text = data.decode("utf-8", "ignore")
            text = text if text.encode("utf-8") == data else ""
        elif self._is_foreign():
            text = self._decoded(id_)
            text = "" if "\ufffd" in text else text
        else:
            text = self.vocab[id_] if self.vocab else ""
        return "" if text in (END, UNKNOWN) else text

    def _plain(self, text: str) -> list[int]:
        if hasattr(self.tokenizer, "encode"):
            found = self.tokenizer.encode(text) if text or not self._is_foreign() else []
            return [int(id_) for id_ in getattr(found, "ids", found)]
        found = list(self.cut(text))
        if not all(isinstance(token, str) for token in found):
            return [int(id_) for id_ in found]
        if missing := [token for token in found if token not in self.index and UNKNOWN not in self.index]:
            raise ValueError(f"the token {missing[0]!r} is not among the {len(self.index):,} of the model's vocabulary")
        return [self.index.get(token, self.index.get(UNKNOWN)) for token in found]

    def _cut(self) -> Callable[[str], Sequence[str | int]]:
        if self.tokenizer is not None:
            return self.tokenizer
        plain = [token for token in self.vocab if not re.fullmatch(r"<.+>|\[.+\]", token)]
        return list if all(len(token) == 1 for token in plain) else world.tokenize

    def _is_foreign(self) -> bool:
        """Whether the tokenizer is of another library, such as Hugging Face's."""
        return hasattr(self.tokenizer, "decode") and not isinstance(self.tokenizer, Tokenizer)

    def _decoded(self, id_: int) -> str:
        try:
            return self.tokenizer.decode([id_])
        except Exception:  # an id that only the model has
            return ""

    def _name(self, id_: int) -> str:
        if isinstance(self.tokenizer, Tokenizer) and id_ < self.tokenizer.vocab_size:
            return visible_bytes(self.tokenizer.token_bytes(id_))
        if self._is_foreign() and (text := self._decoded(id_)):
            return visible(text)
        for name in ("convert_ids_to_tokens", "id_to_token"):
            if hasattr(self.tokenizer, name) and isinstance(token := getattr(self.tokenizer, name)(id_), str):
                return visible(token)
        return visible(self.vocab[id_]) if self.vocab and id_ < len(self.vocab) else str(id_)


def vocab_of(model: Any, given: Sequence[str] | None) -> Sequence[str] | None:
    """The tokens by their ids: those given, or the model's own."""
    own = getattr(model, "vocab", None)
    return given if given is not None else None if isinstance(own, Mapping) else own
