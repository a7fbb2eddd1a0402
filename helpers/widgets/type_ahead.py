"""Type-ahead: what a model expects next while you type, and how far back it looks.

Used in `02_ngrams.ipynb`, with one n-gram model for each order; any LanguageModel of the course will do.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import traitlets
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from helpers.probability import LanguageModel
from helpers.widgets._base import PicturedWidget, new_figure, script, visible
from helpers.widgets._pictures import suggestion_bars
from helpers.widgets._suggestions import Suggestion, likeliest, next_probabilities, rest_line

SHOWN = 12  # tokens of the context that are shown


class TypeAhead(PicturedWidget):
    """A text box, a slider for the order, and the `top` likeliest next tokens; click one, or press its number, to append it.

    models: order → LanguageModel, or a function from an order to one, with `orders` (1 … N). encode: text → ids; left out, the
    model's own `encode_context` reads the last line's tokens (words where `join` is " ", characters where it is ""). Choosing
    "</s>" begins a new line. Where a model has `matched_order(ids)`, the widget shows how much of the context it used.
    `text` and `order` can be set from Python too. Raises ValueError for no models, an unknown order or no way to encode.
    """

    _esm = script("bars.js", "type_ahead.js")
    text = traitlets.Unicode().tag(sync=True)
    order = traitlets.Int().tag(sync=True)
    frame = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        models: Mapping[int, LanguageModel] | Callable[[int], LanguageModel],
        encode: Callable[[str], ArrayLike] | None = None,
        *,
        orders: Iterable[int] | None = None,
        text: str = "",
        order: int | None = None,
        join: str = " ",
        top: int = 10,
    ):
        self._models = models
        self.orders = tuple(sorted(models if orders is None and isinstance(models, Mapping) else orders or ()))
        if not self.orders:
            raise ValueError("there is no model: pass {order: model, …}, or a function with orders=range(1, 6)")
        if not 1 <= top <= 10:
            raise ValueError(f"top must be from 1 to 10, one for each number key; got {top}")
        self._encode, self._join, self._top = encode, join, top
        super().__init__(text=text, order=self.orders[-1] if order is None else order)
        if encode is None and not hasattr(self.model, "encode_context"):
            raise ValueError(f"{type(self.model).__name__} has no encode_context; pass encode=, a function from text to ids")
        self.observe(lambda change: self._update(), names=["text", "order"])
        self._update()

    @traitlets.validate("order")
    def _check_order(self, proposal: dict) -> int:
        if proposal["value"] not in self.orders:
            raise ValueError(
                f"there is no model of order {proposal['value']}; the orders are {', '.join(map(str, self.orders))}"
            )
        return proposal["value"]

    @property
    def model(self) -> LanguageModel:
        """The model of the order chosen."""
        return self._models(self.order) if callable(self._models) else self._models[self.order]

    def context_ids(self) -> np.ndarray:
        """The ids that the text encodes to: (T,) int64."""
        if self._encode is not None:
            return np.asarray(self._encode(self.text), dtype=np.int64)
        line = self.text.split("\n")[-1]
        return np.asarray(self.model.encode_context(line.split() if self._join else list(line)), dtype=np.int64)

    def suggestions(self) -> list[Suggestion]:
        """The likeliest next tokens, best first, equally likely ones in the vocabulary's order."""
        model = self.model
        probabilities = next_probabilities(model, self.context_ids())
        return [Suggestion(model.vocab[i], float(probabilities[i])) for i in likeliest(probabilities, self._top)]

    def summary(self) -> str:
        """The text and the order, in words."""
        return f"order {self.order} of {self.orders[0]} to {self.orders[-1]}, after {self.text!r}"

    def picture(self) -> Figure:
        """The text, what the model sees of it, and the suggestions as bars."""
        frame = self.frame
        rows = [(row["shown"], row["probability"], row["percent"]) for row in frame["suggestions"]]
        read = " ".join(f"[{token}]" if kind else token for token, kind in frame["context"]) or "(the beginning)"
        lines = [line for line in (f"…{read[-66:]}" if len(read) > 66 else read, frame["note"], frame["error"]) if line]
        lines = [part for line in lines for part in _lines(line, 78)]
        figure = new_figure(1.1 + 0.27 * len(lines) + 0.3 * len(rows))
        suggestion_bars(figure, f"What comes next, to a model of order {self.order}", lines, rows, frame["rest"])
        return figure

    def _update(self) -> None:
        """Compute a frame: all that a view shows, with the text and the order that it belongs to."""
        frame = {"text": self.text, "order": self.order, "orders": list(self.orders), "join": self._join, "error": ""}
        empty = {"context": [], "note": "", "suggestions": [], "rest": ""}
        try:
            frame |= empty | self._frame()
        except Exception as error:  # a word that the model cannot read must not stop the widget while you type
            frame |= empty | {"error": f"The model cannot read this: {error}"}
        self.frame = frame

    def _frame(self) -> dict:
        ids, model, best = self.context_ids(), self.model, self.suggestions()
        seen = min(self.order - 1, len(ids))
        used = min(int(model.matched_order(ids)) - 1, seen) if hasattr(model, "matched_order") else seen
        start = max(0, len(ids) - max(SHOWN if self._join else 3 * SHOWN, seen))
        kinds = [int(i >= len(ids) - seen) + int(i >= len(ids) - used) for i in range(start, len(ids))]
        return {
            "context": [[visible(model.vocab[i]), kind] for i, kind in zip(ids[start:].tolist(), kinds, strict=True)],
            "note": _note(self.order, seen, used),
            "suggestions": [each.row() for each in best],
            "rest": rest_line(len(model.vocab) - len(best), sum(each.probability for each in best)),
        }


def _note(order: int, seen: int, used: int) -> str:
    """What the model of this order looked at."""
    tokens = "no token" if seen == 0 else f"the last {seen} tokens" if seen > 1 else "the last token"
    note = f"Order {order} sees {tokens} (marked)." if seen else f"Order {order} sees {tokens}."
    if used == seen:
        return note
    if used == 0:
        return f"{note} Training never had the last one before another token, so order 1 answers."
    found = f"{used} stand" if used > 1 else "one stands"
    return f"{note} In training only the last {found} like this, so order {used + 1} answers."


def _lines(text: str, width: int) -> Sequence[str]:
    """Text broken at spaces into lines of at most `width` characters."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".lstrip()
    return lines
