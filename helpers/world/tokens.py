"""Text to tokens and back, exactly, for everything that the world writes.

A token is a word or a punctuation mark as it stands in the text; Chinese text is cut into characters. Where a space stands
between two tokens follows from the tokens alone, so `detokenize(tokenize(text)) == text`. Used by every notebook on the world.
"""

import re
from collections.abc import Iterable

END = "</s>"  # the end of a document; in the corpus files it is the newline

_TOKEN = re.compile(r"print\(|len\(|</s>|'s|[A-Za-z]+(?:'(?!s\b)[a-z]+)?|-?\d+|[\u3400-\u9fff]|\S|\t")
_NO_SPACE_BEFORE = frozenset(".,!?;:)\t") | {"'s"}
_NO_SPACE_AFTER = frozenset("(\t，、") | {"print(", "len("}


def tokenize(text: str) -> list[str]:
    """Cut a text into tokens: `tokenize('Tom sat.') == ['Tom', 'sat', '.']`."""
    return _TOKEN.findall(text)


def detokenize(tokens: Iterable[str]) -> str:
    """Join tokens into the text they came from; a double quote opens and closes in turn. END is left out."""
    pieces: list[str] = []
    glued, quoted = True, False
    for token in tokens:
        if token == END:
            continue
        closes = token == '"' and quoted
        pieces.append(token if glued or closes or token in _NO_SPACE_BEFORE else " " + token)
        quoted ^= token == '"'
        glued = _eats_space_after(token) or (token == '"' and quoted)
    return "".join(pieces)


def n_bytes(tokens: Iterable[str]) -> int:
    """UTF-8 bytes that tokens add to a document: their letters and one space or newline each, less the spaces they swallow.

    Summed over a document and its END this is the length of its line in bytes, newline included. It depends on each token
    alone, which is what makes the expected length of a document an exact sum.
    """
    return sum(_bytes_of(token) for token in tokens)


def _bytes_of(token: str) -> int:
    if token == END:
        return 0  # its newline is the "space" after the last token
    swallowed = (token in _NO_SPACE_BEFORE) + _eats_space_after(token) + (token == '"')
    return len(token.encode("utf-8")) + 1 - swallowed


def _eats_space_after(token: str) -> bool:
    return token in _NO_SPACE_AFTER or "\u3400" <= token[0] <= "\u9fff"
