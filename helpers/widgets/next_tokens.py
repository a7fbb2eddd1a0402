"""Next tokens: what several models expect after the same text, side by side, with the exact answer where it is known.

Used in `03_neural_lm.ipynb`, where the world's exact probabilities stand beside those of the models.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from helpers.probability import LN2, LanguageModel, entropy, kl_divergence
from helpers.tokenizers import Tokenizer
from helpers.widgets._base import script, visible_bytes
from helpers.widgets._pictures import suggestion_columns
from helpers.widgets._suggestions import END, UNKNOWN, Suggestion, likeliest, next_probabilities, percent, rest_line
from helpers.widgets._text import TextWidget, quoted, reason

Encode = Callable[[str], ArrayLike] | Tokenizer
Truth = Callable[[str], Mapping[str, float]]
EXACT = "exact"
COLUMNS = 4  # at most, so that each stays readable


@dataclass(frozen=True)
class Distribution:
    """What may come next: tokens (V,), the id of each, and p (V,). Raises ValueError where p is no distribution."""

    tokens: Sequence[str]
    ids: Mapping[str, int]
    p: np.ndarray

    def __post_init__(self):
        total = self.p.sum() if self.p.shape == (len(self.tokens),) and not (self.p < 0).any() else math.nan
        if not math.isclose(total, 1, abs_tol=1e-3):  # 1e-3: a softmax in half precision
            raise ValueError(f"{self.p.size} probabilities for {len(self.tokens)} tokens sum to {self.p.sum():.4g}, expected 1")
        object.__setattr__(self, "p", self.p / total)

    def __getitem__(self, token: str) -> float:
        return float(self.p[self.ids[token]]) if token in self.ids else 0.0

    def likeliest(self, top: int) -> list[Suggestion]:
        """The `top` likeliest tokens, best first, equally likely ones in their order."""
        return [Suggestion(self.tokens[i], float(self.p[i])) for i in likeliest(self.p, top)]

    def entropy(self) -> float:
        """Entropy in bits."""
        return entropy(self.p) / LN2

    def distance(self, truth: "Distribution") -> float | None:
        """KL(truth ‖ this) in bits; None where the truth has a token that is not in this vocabulary."""
        if not truth.ids.keys() <= self.ids.keys():
            return None
        p = np.zeros_like(self.p)
        p[[self.ids[token] for token in truth.tokens]] = truth.p
        return kl_divergence(p, self.p) / LN2


class NextTokens(TextWidget):
    """A text box, and for each model the `top` likeliest next tokens; click one, or press its number, to append it.

    models: name → LanguageModel. encode: text → ids, or a Tokenizer, or name → one of these where the models differ.
    truth: text → every possible next token with its exact probability; it gets a column of its own, and each model that has
    all these tokens says how far it is from it: KL(exact ‖ model). join: what stands between the text and an appended token,
    " " for words, "" for characters and pieces, or name → one of these. Choosing "</s>" begins a new line. All probabilities
    are over the full vocabulary. Raises ValueError for no models, for more than four columns, for a `top` out of 1 … 10.
    """

    _esm = script("bars.js", "text_box.js", "next_tokens.js")

    def __init__(
        self,
        models: Mapping[str, LanguageModel],
        encode: Encode | Mapping[str, Encode],
        text: str = "",
        *,
        top: int = 8,
        truth: Truth | None = None,
        join: str | Mapping[str, str] = " ",
    ):
        self.models, self.truth, self.top = dict(models), truth, top
        self.names = (*self.models, *([EXACT] if truth else []))
        if not self.models or len(self.names) > COLUMNS or EXACT in self.models:
            raise ValueError(
                f"expected {{name: model, …}} for 1 to {COLUMNS} columns, the truth among them, and none called {EXACT!r}; "
                f"got {list(self.names)}"
            )
        if not 1 <= top <= 10:
            raise ValueError(f"top must be from 1 to 10, one for each number key; got {top}")
        self._encode = _for_each(self.models, encode, "encode")
        self._join = _for_each(self.models, join, "join") | {EXACT: join if isinstance(join, str) else " "}
        self._ids = {name: {token: i for i, token in enumerate(model.vocab)} for name, model in self.models.items()}
        super().__init__(text)

    def distribution(self, name: str) -> Distribution:
        """What a model, or the truth ("exact"), expects after the text. Raises whatever the model or its encode raises."""
        if name == EXACT and self.truth:
            truth = self.truth(self.text)
            ids = {token: i for i, token in enumerate(truth)}
            return Distribution(list(truth), ids, np.array(list(truth.values()), dtype=float))
        model, encode = self.models[name], self._encode[name]
        ids = encode.encode(self.text) if isinstance(encode, Tokenizer) else encode(self.text)
        return Distribution(model.vocab, self._ids[name], next_probabilities(model, np.asarray(ids, dtype=np.int64)))

    def suggestions(self, name: str) -> list[Suggestion]:
        """The likeliest next tokens of a model, or in truth, best first, equally likely ones in the vocabulary's order."""
        return self.distribution(name).likeliest(self.top)

    def read(self) -> dict:
        """A column for each model and for the truth, and for each token that is shown what every column gives it."""
        found, errors = {}, {}
        for name in self.names:
            try:
                found[name] = self.distribution(name)
            except Exception as error:  # what one model cannot read must not stop the others
                errors[name] = f"{name} cannot read this text: {reason(error)}"
        columns = [
            self._column(name, found[name], found.get(EXACT)) if name in found else self._empty(name, errors[name])
            for name in self.names
        ]
        shown = {row["token"]: row["shown"] for column in columns for row in column["suggestions"]}
        return {"columns": columns, "lines": {token: f"{mark}: {_compared(token, found)}" for token, mark in shown.items()}}

    def summary(self) -> str:
        """The text, and who answers."""
        return f"after {quoted(self.text)}: {', '.join(self.names)}"

    def picture(self) -> Figure:
        """The text, and a column of bars for each model and for the truth."""
        return suggestion_columns(self.text, self.frame["columns"])

    def _empty(self, name: str, error: str = "") -> dict:
        join = self._join[name]
        return {"name": name, "error": error, "join": join, "notes": [], "suggestions": [], "rest": ""}

    def _column(self, name: str, found: Distribution, truth: Distribution | None) -> dict:
        best = found.likeliest(self.top)
        bits = found.distance(truth) if truth and found is not truth else None
        distance = [] if bits is None else [f"KL(exact ‖ this) {'∞' if bits == math.inf else format(bits, '.2f')} bits"]
        return self._empty(name) | {
            "notes": [f"entropy {found.entropy():.2f} bits", *distance],
            "suggestions": [_row(each, found.ids[each.token], self._encode.get(name)) for each in best],
            "rest": rest_line(len(found.tokens) - len(best), sum(each.probability for each in best)),
        }


def _for_each(names: Iterable[str], given: object, what: str) -> dict:
    """name → what was given for it, or for all."""
    given = given if isinstance(given, Mapping) else dict.fromkeys(names, given)
    if missing := [name for name in names if name not in given]:
        raise ValueError(f"{what} has nothing for {missing[0]!r}; pass one for all models, or one for each: {list(names)}")
    return dict(given)


def _row(suggestion: Suggestion, id_: int, encode: Encode | None) -> dict:
    """What a view needs of a suggestion; the pieces of a Tokenizer are bytes, and those that are no text cannot be appended."""
    if not isinstance(encode, Tokenizer) or suggestion.token in (END, UNKNOWN):
        return {"token": suggestion.token} | suggestion.row()
    data = encode.token_bytes(id_)
    text = data.decode("utf-8", "ignore")
    return {"token": suggestion.token} | suggestion.row(visible_bytes(data), text if text.encode("utf-8") == data else "")


def _compared(token: str, found: Mapping[str, Distribution]) -> str:
    """The probability of a token in every column; a dash where a vocabulary lacks it."""
    known = {name: token in each.ids or name == EXACT for name, each in found.items()}
    return ", ".join(f"{name} {percent(each[token]) if known[name] else '–'}" for name, each in found.items())
