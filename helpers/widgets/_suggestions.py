"""Next tokens with their probabilities over the full vocabulary: what TypeAhead and NextTokens share."""

from dataclasses import dataclass

import numpy as np

from helpers.probability import LanguageModel
from helpers.widgets._base import visible

END, UNKNOWN = "</s>", "<unk>"


def percent(probability: float) -> str:
    """A probability as it is shown: one decimal, and "< 0.1 %" where that would be zero though it is not."""
    return "< 0.1 %" if 0 < probability < 0.0005 else f"{100 * probability:.1f} %"


@dataclass(frozen=True)
class Suggestion:
    """A next token and its probability over the full vocabulary."""

    token: str
    probability: float

    @property
    def percent(self) -> str:
        """The probability as it is shown."""
        return percent(self.probability)

    def row(self, shown: str | None = None, append: str | None = None) -> dict:
        """What a view needs of it. append: what choosing it writes; left out, the token, a new line for the end, or nothing."""
        append = {END: "\n", UNKNOWN: ""}.get(self.token, self.token) if append is None else append
        return {
            "shown": visible(self.token) if shown is None else shown,
            "percent": self.percent,
            "probability": self.probability,
            "append": append,
        }


def next_probabilities(model: LanguageModel, ids: np.ndarray) -> np.ndarray:
    """Probability of every possible next token: ids (T,) → (V,)."""
    return np.exp(np.asarray(model.next_log_probs(ids), dtype=float))


def likeliest(probabilities: np.ndarray, top: int) -> list[int]:
    """The ids of the `top` likeliest tokens, best first, equally likely ones in the vocabulary's order."""
    if top < len(probabilities):  # sort only those that may be among them: a vocabulary can be large
        least = np.partition(probabilities, -top)[-top]
        near = np.flatnonzero(probabilities >= least)
    else:
        near = np.arange(len(probabilities))
    return near[np.argsort(-probabilities[near], kind="stable")][:top].tolist()


def rest_line(n_rest: int, shown: float) -> str:
    """What the tokens that are not shown hold together, where those shown hold `shown`."""
    return f"all {n_rest:,} others together: {percent(max(0.0, 1 - shown))}" if n_rest > 0 else ""
