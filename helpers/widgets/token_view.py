"""Token view: how several tokenizers cut the same text, while you type. Used in `04_tokens_and_embeddings.ipynb`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from matplotlib.figure import Figure

from helpers.tokenizers import Piece, Tokenizer
from helpers.widgets._base import hex_bytes, script, visible_bytes
from helpers.widgets._text import TextWidget, quoted, reason
from helpers.widgets._token_pictures import token_panels

SHOWN = 5_000  # pieces a panel: more than anybody looks at, and few enough for a page
EXAMPLES = {
    "English": "The cat sat on the mat. Unbelievably, it wasn't the only one!",
    "Chinese": "语言模型预测下一个词元。",
    "Code": "def square(x):\n    return x ** 2  # four spaces, one newline",
    "Emoji": "Great 👍🏽, a family 👩‍👩‍👧 in a café",
}


@dataclass(frozen=True)
class TokenCounts:
    """How long a text is in tokens, in characters (Unicode code points) and in UTF-8 bytes."""

    tokens: int
    characters: int
    bytes: int

    @property
    def characters_per_token(self) -> float:
        """How much text a token holds on average; NaN without tokens."""
        return self.characters / self.tokens if self.tokens else float("nan")

    @property
    def tokens_per_character(self) -> float:
        """How many tokens a character costs on average; NaN for an empty text."""
        return self.tokens / self.characters if self.characters else float("nan")


class TokenView(TextWidget):
    """A text box, and for each tokenizer a panel with the tokens that it makes of the text, their ids, bytes and counts.

    tokenizers: name → Tokenizer. examples: name → text, a button each; left out, English, Chinese, code and emoji. What a
    tokenizer cannot read is said in its panel. `text` can be set from Python too. Raises ValueError for no tokenizers.
    """

    _esm = script("text_box.js", "token_view.js")

    def __init__(
        self,
        tokenizers: Mapping[str, Tokenizer],
        text: str = EXAMPLES["English"],
        *,
        examples: Mapping[str, str] | None = None,
    ):
        if not tokenizers:
            raise ValueError("there is no tokenizer: pass {name: tokenizer, …}")
        self.tokenizers = dict(tokenizers)
        self.examples = dict(EXAMPLES if examples is None else examples)
        super().__init__(text)

    def counts(self) -> dict[str, TokenCounts | None]:
        """Name → the counts of the text in this tokenizer, or None where it cannot read the text."""
        return {panel["name"]: TokenCounts(**panel["counts"]) if panel["counts"] else None for panel in self.frame["panels"]}

    def read(self) -> dict:
        """A panel for each tokenizer."""
        panels = [self._panel(name, tokenizer) for name, tokenizer in self.tokenizers.items()]
        return {"panels": panels, "examples": list(self.examples.items()), "length": _length(self.text)}

    def summary(self) -> str:
        """The text, and how many tokens each tokenizer makes of it."""
        said = (f"{name} {counts.tokens if counts else 'cannot read it'}" for name, counts in self.counts().items())
        return f"{quoted(self.text)} in tokens: {', '.join(said)}"

    def picture(self) -> Figure:
        """The panels, one below the other, each token in a box."""
        return token_panels(self.frame["panels"])

    def _panel(self, name: str, tokenizer: Tokenizer) -> dict:
        panel = {"name": name, "size": "", "error": "", "kinds": [], "pieces": [], "counts": {}, "said": "", "more": ""}
        try:
            panel["size"] = f"{tokenizer.vocab_size:,} tokens in the vocabulary"
            pieces = tokenizer.pieces(self.text)
            n_tokens = sum(id_ is not None for id_, _ in pieces)
            counts = TokenCounts(n_tokens, len(self.text), len(self.text.encode("utf-8")))
            numbers = {piece: number for number, piece in enumerate(dict.fromkeys(pieces[:SHOWN]))}
            kinds = [_kind(piece, tokenizer) for piece in numbers]
            panel |= {"counts": asdict(counts), "said": _said(counts), "kinds": kinds}
            panel |= {"pieces": [numbers[piece] for piece in pieces[:SHOWN]]}
            panel |= {"more": f"… and {len(pieces) - SHOWN:,} more"} if len(pieces) > SHOWN else {}
        except Exception as error:  # what one tokenizer cannot read must not stop the others
            panel["error"] = f"{name} cannot read this text: {reason(error)}"
        return panel


def _kind(piece: Piece, tokenizer: Tokenizer) -> dict:
    """What a view shows of a piece, wherever it stands in the text."""
    id_, data = piece
    token = data if id_ is None else tokenizer.token_bytes(id_)
    if id_ is None:
        kind, said = "none", "no token stands for it"
    elif token != data:
        kind, said = "unknown", f"not in the vocabulary, read as {visible_bytes(token)}, id {id_}"
    else:
        kind, said = "token" if data.decode("utf-8", "ignore").encode("utf-8") == data else "part", f"id {id_}"
    return {"shown": visible_bytes(data), "kind": kind, "said": said, "hex": hex_bytes(data), "breaks": b"\n" in data}


def _said(counts: TokenCounts) -> str:
    """The counts in words."""
    said = f"{counts.tokens:,} token{'' if counts.tokens == 1 else 's'}"
    if not counts.tokens:
        return said
    ratios = f"{counts.characters_per_token:.2f} characters per token · {counts.tokens_per_character:.2f} tokens per character"
    return f"{said} · {ratios}"


def _length(text: str) -> str:
    """How long the text is whatever the tokenizer."""
    n_bytes = len(text.encode("utf-8", "surrogatepass"))
    return f"{len(text):,} character{'' if len(text) == 1 else 's'} (code points), {n_bytes:,} bytes in UTF-8"
