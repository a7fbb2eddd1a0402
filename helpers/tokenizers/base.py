"""What every tokenizer of the course can do: text to ids and back, the bytes behind each id, and a file to keep it in.

Introduced in `04_tokens_and_embeddings.ipynb`. Positions in error messages count characters from 0.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from helpers.paths import write_atomically
from helpers.probability import check_ids
from helpers.tokenizers.visible import visible_bytes

FORMAT = "language-models-course tokenizer 1"
Piece = tuple[int | None, bytes]  # a token id, None where no token stands for these bytes, and the bytes of the text it covers


class Tokenizer:
    """The one interface, from characters to byte pairs.

    `vocab` lists the tokens as str in the order of their ids, as a `LanguageModel` wants them.
    """

    vocab: list[str]

    @property
    def vocab_size(self) -> int:
        """V, the number of tokens."""
        return len(self.vocab)

    def encode(self, text: str) -> list[int]:
        """Token ids of a text. Raises ValueError for what is no text (`check_text`)."""
        raise NotImplementedError(f"{type(self).__name__} must define encode(text) -> list of ids")

    def decode(self, ids: ArrayLike) -> str:
        """The text of (T,) token ids. Raises ValueError for ids that are not in the vocabulary."""
        raise NotImplementedError(f"{type(self).__name__} must define decode(ids) -> str")

    def pieces(self, text: str) -> list[Piece]:
        """The text cut into its tokens: (id, bytes) pairs; joined, the bytes are the text's UTF-8, whatever the tokenizer.

        The id is None where no token stands for these bytes. A character may be cut into several pieces, so bytes, not str.
        """
        return [(id_, self.token_bytes(id_)) for id_ in self.encode(text)]

    def token_bytes(self, id_: int) -> bytes:
        """The bytes that a token stands for. Raises ValueError for an id that is not in the vocabulary."""
        return self.vocab[self._check(id_)].encode("utf-8")

    def show(self, id_: int) -> str:
        """A token for the eye, on one line: " the" as "␣the", a newline as "↵", bytes that are no character as ‹E4 BD›."""
        return visible_bytes(self.token_bytes(id_))

    def save(self, path: str | Path) -> None:
        """Write a JSON file that `load` reads; an older file gives way only to a whole new one. Raises OSError."""
        content = {"format": FORMAT, "type": type(self).__name__, **self._state()}
        rows = ",\n".join(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in content.items())
        write_atomically(Path(path), f"{{\n{rows}\n}}\n")

    @classmethod
    def load(cls, path: str | Path) -> "Tokenizer":
        """The tokenizer that was saved there; `Tokenizer.load` reads every kind, `BPETokenizer.load` only its own.

        Raises OSError for a file that cannot be read and ValueError for one that holds no such tokenizer.
        """
        kinds = {kind.__name__: kind for kind in _family(cls)}
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
                raise ValueError(f'it has no "format": "{FORMAT}"')
            name = content.pop("type", None)
            if name not in kinds:
                raise ValueError(f"it holds a {name}, and {cls.__name__}.load reads {', '.join(kinds)}")
            return kinds[name](**content)
        except (ValueError, TypeError, RecursionError) as error:
            raise ValueError(
                f"{path} holds no tokenizer that can be used: {error}; write the file with save(), and do not edit it"
            ) from error

    def _state(self) -> dict[str, Any]:
        """The arguments that make this tokenizer again, of types that JSON knows."""
        raise NotImplementedError(f"{type(self).__name__} must define _state() to be saved")

    def _check(self, id_: int) -> int:
        return int(check_ids([id_], self.vocab_size)[0])

    def __repr__(self) -> str:
        return f"{type(self).__name__}(vocab_size={self.vocab_size})"


def check_text(text: str) -> bytes:
    """The text in UTF-8. Raises ValueError for what is no str, and for half a surrogate pair, which no UTF-8 can hold."""
    if not isinstance(text, str):
        raise ValueError(f"expected a text as str, got {type(text).__name__}; decode bytes, or join a list of texts, first")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"the text has a lone surrogate, U+{ord(text[error.start]):04X}, at position {error.start}: half of a character, "
            "which UTF-8 cannot hold; read the text again with its right encoding, or remove that character"
        ) from None


def _family(cls: type) -> Iterator[type]:
    """The class and all classes below it that can be made from a file."""
    if cls is not Tokenizer and not cls.__name__.startswith("_"):
        yield cls
    for kind in cls.__subclasses__():
        yield from _family(kind)
