"""One rule for texts longer than a model's context, the same for scoring, generating and the next token.

A model that reads at most block_size tokens fills its context, then forgets the older half and goes on. So every token but the
first few is predicted from at least half a context, a text is scored in one batch of overlapping windows, and a cache is thrown
away once in half a context. Derived in `05_attention.ipynb`.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional as F

from helpers.neural_lm import NeuralLM, check_batch, without_dropout
from helpers.probability import check_ids

SCORED_AT_ONCE = {"cpu": 2_048}  # tokens, of more than one window: what its caches hold takes half the time; elsewhere more
ELSEWHERE = 2**18


def half_of(block_size: int) -> int:
    """How many tokens are forgotten when a context is full."""
    return max(1, block_size // 2)


def window_start(n_before: int, block_size: int) -> int:
    """Where the context begins that a token with n_before tokens before it is predicted from, counted from the text's begin.

    `window_start(6, 4)` is 2: of six tokens the last four; and `window_start(7, 4)` is 4: the older half was forgotten.
    """
    half = half_of(block_size)
    return 0 if n_before <= block_size else -(-(n_before - block_size) // half) * half


class WindowState(NamedTuple):
    """The tokens in the window, (B, n), and what the model keeps of them; used up by the scan that goes on from it."""

    ids: Tensor
    cache: object


class WindowedLM(NeuralLM):
    """A network that reads at most block_size tokens at once. A subclass defines `read` and `new_cache`; the rest follows.

    Before a text stands its end token, and takes a place in the context.
    """

    block_size: int

    def read(self, ids: Tensor, cache: object = None) -> Tensor:
        """Scores of the next token at each position: ids (B, T) → logits (B, T, V); with a cache, after the tokens it holds."""
        raise NotImplementedError(f"{type(self).__name__} must define read(ids, cache) -> logits")

    def new_cache(self) -> object:
        """An empty cache for `read`, with a `keep(rows)` that drops all texts but these."""
        raise NotImplementedError(f"{type(self).__name__} must define new_cache()")

    def forward(self, ids: Tensor) -> Tensor:
        """Scores of the next token at each position: ids (B, T) int64, T ≤ block_size → logits (B, T, V); else ValueError."""
        return self.read(self.checked(ids))

    def checked(self, ids: Tensor) -> Tensor:
        """The ids (B, T), where the model is; ValueError for what it cannot read at once."""
        return check_batch(ids, self.vocab_size, self.block_size).to(self.device)

    def scan(self, ids: Tensor, state: WindowState | None) -> tuple[Tensor, WindowState]:
        """See `NeuralLM.scan`: as many tokens as you like; whenever the window is full, its older half is forgotten."""
        window, cache = (ids[:, :0], self.new_cache()) if state is None else state
        logits = []
        while ids.shape[1]:
            if window.shape[1] == self.block_size:
                window, cache = window[:, half_of(self.block_size) :], self.new_cache()
                if window.shape[1]:
                    self.read(window, cache)
            part, ids = ids.tensor_split([self.block_size - window.shape[1]], dim=1)
            logits.append(self.read(part, cache))
            window = torch.cat([window, part], dim=1)
        return torch.cat(logits, dim=1), WindowState(window, cache)

    def kept(self, state: WindowState, rows: Tensor) -> WindowState:
        """See `NeuralLM.kept`."""
        state.cache.keep(rows)
        return WindowState(state.ids[rows], state.cache)

    @torch.no_grad()
    def next_log_probs(self, context: ArrayLike) -> np.ndarray:
        """Log probability of every next token: context (T,) ids → (V,) nats."""
        ids = np.concatenate([[self.end], check_ids(context, self.vocab_size)])
        with without_dropout(self):
            logits = self.read(self._row(ids[window_start(len(ids), self.block_size) :]))
        return F.log_softmax(logits[0, -1].cpu().double(), dim=-1).numpy()

    @torch.no_grad()
    def log_probs(self, ids: ArrayLike) -> np.ndarray:
        """Log probability of each token given those before it that are in its window: ids (T,) → (T,) nats."""
        stream = np.concatenate([[self.end], check_ids(ids, self.vocab_size)])
        n, size = len(stream) - 1, self.block_size
        step = half_of(size)
        scores = np.empty(n)
        scores[:size] = self._scores(stream[None, : size + 1])[0]
        begins = np.arange(step, max(step, n - size + step), step)  # of the windows after the first
        rows = np.minimum(begins[:, None] + np.arange(size + 1), n)  # past the end the last token again: not looked at
        at_once = SCORED_AT_ONCE.get(self.device.type, ELSEWHERE)
        for few in np.array_split(np.arange(len(begins)), max(1, -(-rows.size // at_once))):
            found = self._scores(stream[rows[few]])[:, size - step :]
            for begin, row in zip(begins[few] + size - step, found, strict=True):
                scores[begin : begin + step] = row[: n - begin]
        return scores

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        """Log probabilities of the tokens after the first in each row: (B, T + 1) ids → (B, T) nats."""
        if rows.size == 0 or rows.shape[1] < 2:
            return np.empty((len(rows), max(0, rows.shape[1] - 1)))
        ids = torch.as_tensor(rows, device=self.device)
        with without_dropout(self):
            logits = self.read(ids[:, :-1]).flatten(0, 1).float()  # (B·T, V); a logarithm in half precision would be rough
        losses = F.cross_entropy(logits, ids[:, 1:].flatten(), reduction="none")
        return -losses.view(len(ids), -1).cpu().double().numpy()
