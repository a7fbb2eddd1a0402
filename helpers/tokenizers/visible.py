"""A token for the eye: what leaves no mark is made visible, and bytes that are no character stand in hexadecimal.

Used in `04_tokens_and_embeddings.ipynb`, by `Tokenizer.show`, and by all widgets.
"""

import re
import unicodedata

MARKS = {" ": "␣", "\n": "↵", "\t": "⇥"}
SELECTOR = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # variation selectors: invisible, though printable to Python
NO_CHARACTER = re.compile("([\udc80-\udcff]+)")  # what "surrogateescape" makes of bytes that are no character


def visible(token: str) -> str:
    """A token with all that leaves no mark made visible: " the" → "␣the", a zero-width joiner → "‹U+200D›"."""
    if token.isalnum():  # most tokens
        return token
    bare = unicodedata.category(token[:1] or "a").startswith("M")  # an accent without its letter gets a circle to stand on
    return "◌" * bare + "".join(map(_visible, token)) or "∅"


def _visible(character: str) -> str:
    if character in MARKS:
        return MARKS[character]
    hidden = not character.isprintable() or SELECTOR.match(character)
    return f"‹U+{ord(character):04X}›" if hidden else character


def visible_bytes(data: bytes) -> str:
    """The same for a token's bytes; those that are no whole character are shown in hexadecimal: b" \\xe4\\xbd" → "␣‹E4 BD›"."""
    pieces = NO_CHARACTER.split(data.decode("utf-8", "surrogateescape"))
    shown = [
        f"‹{hex_bytes(piece.encode('utf-8', 'surrogateescape'))}›" if i % 2 else visible(piece)
        for i, piece in enumerate(pieces)
        if piece
    ]
    return "".join(shown) or visible("")


def hex_bytes(data: bytes) -> str:
    """b" the" → "20 74 68 65"."""
    return data.hex(" ").upper()
