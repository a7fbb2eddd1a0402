"""Bigram, NNLM and GRU: three networks that give a score (logit) to every token that can come next.

Derived in `03_neural_lm.ipynb`. Each reads ids (B, T) and gives logits (B, T, V): those at position t are for the token *after*
position t, and depend on tokens up to t only. What stands before a text is its end token, as if another had just ended.

NNLM: Bengio et al., *A Neural Probabilistic Language Model* (2003). GRU: Cho et al., *Learning Phrase Representations using RNN
Encoder–Decoder for Statistical Machine Translation* (2014). Its gates' bias: Józefowicz, Zaremba and Sutskever, *An Empirical
Exploration of Recurrent Network Architectures* (2015).
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.probability import LanguageModel, Reader, check_ids

ENDS = ("</s>", "\n")  # what ends a text: a story of the world, a line of characters
SCORED_AT_ONCE = 4096  # tokens whose logits are in memory together


class NeuralLM(nn.Module, LanguageModel):
    """A network as a language model. A subclass defines `scan` and `block_size`; the rest follows.

    vocab: the V tokens in the order of their ids. end: the token that ends a text; by default `</s>` or, of characters, the
    newline. Raises ValueError where it is not in vocab.
    """

    block_size: int | None  # how many tokens back a score depends on; None: all

    def __init__(self, vocab: Sequence[str], end: str | None = None):
        super().__init__()
        self.vocab = list(vocab)
        found = [token for token in ([end] if end is not None else ENDS) if token in self.vocab]
        if not found:
            missing = f"{end!r} is not" if end is not None else "neither </s> nor a newline is"
            raise ValueError(f"{missing} among the {len(self.vocab)} tokens; name the token that ends a text: end=…")
        self.end = self.vocab.index(found[0])

    def scan(self, ids: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Read on from the state that an earlier scan ended in: ids (B, T) → logits (B, T, V) and the new state.

        With state None a text begins. The state is all that a model keeps of the tokens before, so a long text can be read in
        parts.
        """
        raise NotImplementedError(f"{type(self).__name__} must define scan(ids, state) -> (logits, state)")

    def kept(self, state: Tensor | None, rows: Tensor) -> Tensor | None:
        """The state of these texts of several, (B,) indices; the old one is used up."""
        return None if state is None else state[rows]

    def forward(self, ids: Tensor) -> Tensor:
        """Scores of the next token at each position: ids (B, T) int64 → logits (B, T, V); ValueError for anything else."""
        return self.scan(check_batch(ids, self.vocab_size).to(self.device), None)[0]

    @torch.no_grad()
    def next_log_probs(self, context: ArrayLike) -> np.ndarray:
        """Log probability of every next token: context (T,) ids → (V,) nats."""
        ids = np.concatenate([[self.end], check_ids(context, self.vocab_size)])
        logits, _ = self.scan(self._row(ids[-self.block_size :] if self.block_size else ids), None)
        return F.log_softmax(logits[0, -1].cpu().double(), dim=-1).numpy()

    @torch.no_grad()
    def log_probs(self, ids: ArrayLike) -> np.ndarray:
        """Log probability of each token given all before it, in one pass: ids (T,) → (T,) nats."""
        targets = check_ids(ids, self.vocab_size)
        inputs = np.concatenate([[self.end], targets])[:-1]
        scores, state = np.empty(len(targets)), None
        for begin in range(0, len(targets), SCORED_AT_ONCE):
            part = slice(begin, begin + SCORED_AT_ONCE)
            logits, state = self.scan(self._row(inputs[part]), state)
            scores[part] = -F.cross_entropy(logits[0], self._row(targets[part])[0], reduction="none").cpu().numpy()
        return scores

    def reader(self) -> "StateReader":
        """See `LanguageModel.reader`: goes on from the state."""
        return StateReader(self)

    @property
    def n_parameters(self) -> int:
        """How many numbers are learned; a matrix that is used twice counts once."""
        return sum(p.numel() for p in self.parameters())

    @property
    def device(self) -> torch.device:
        """Where the parameters are, and so where the logits will be."""
        return next(self.parameters()).device

    def _row(self, ids: np.ndarray) -> Tensor:
        return torch.as_tensor(ids, device=self.device)[None]  # (1, T)


@contextmanager
def without_dropout(model: nn.Module) -> Iterator[None]:
    """In here the model is in eval mode, so that its scores do not depend on chance; afterwards it is as it was."""
    training = model.training
    if training:
        model.eval()
    try:
        yield
    finally:
        if training:
            model.train()


class StateReader(Reader):
    """Reads each token once, and keeps the state that `scan` ends in."""

    def __init__(self, model: NeuralLM):
        self.model, self.device, self.state, self.scores = model, model.device, None, None

    @torch.inference_mode()
    def read(self, ids: ArrayLike) -> np.ndarray:
        """See `Reader.read`."""
        new = self.checked(ids)  # (T,) or (B, T)
        if self.scores is None:
            new = np.insert(new, 0, self.model.end, axis=-1)
        if new.shape[-1]:
            with without_dropout(self.model):
                logits, self.state = self.model.scan(torch.as_tensor(np.atleast_2d(new), device=self.device), self.state)
            scores = F.log_softmax(logits[:, -1].cpu().double(), dim=-1)  # (B, V)
            self.scores = scores.numpy().reshape(*new.shape[:-1], -1)
        return self.scores

    @torch.inference_mode()
    def keep(self, rows: ArrayLike) -> None:
        """See `Reader.keep`."""
        self.state = self.model.kept(self.state, torch.as_tensor(rows, device=self.device))
        self.scores = self.scores[rows]


class Bigram(NeuralLM):
    """One row of scores for each token: the logits are `table[token]`. It begins uniform, and can become any bigram model."""

    block_size = 1

    def __init__(self, vocab: Sequence[str], end: str | None = None):
        super().__init__(vocab, end)
        self.table = nn.Parameter(torch.zeros(self.vocab_size, self.vocab_size))  # (V, V): the token, the next token

    def scan(self, ids: Tensor, state: None) -> tuple[Tensor, None]:
        """See `NeuralLM.scan`; nothing is kept, since only the last token counts."""
        return self.table[ids], None


@dataclass(frozen=True)
class NNLMConfig:
    """block_size: context length in tokens; n_embd: C, width of an embedding; n_hidden: H, width of tanh(…) and of e_w."""

    block_size: int = 8
    n_embd: int = 64
    n_hidden: int = 128
    seed: int = 0


class NNLM(NeuralLM):
    """Bengio's network: s(w, h) = e_w · tanh(W h + b) + c_w, h being the last block_size tokens' embeddings in a row."""

    def __init__(self, vocab: Sequence[str], config: NNLMConfig = NNLMConfig(), end: str | None = None):
        super().__init__(vocab, end)
        _check_sizes(config)
        self.config, self.block_size = config, config.block_size
        self.embedding = nn.Embedding(self.vocab_size, config.n_embd)
        self.hidden = nn.Linear(config.block_size * config.n_embd, config.n_hidden)  # W (H, block_size·C) and b (H,)
        self.output = nn.Linear(config.n_hidden, self.vocab_size)  # row w is e_w (H,); c_w (V,) says how frequent w is anyway
        _initialise(self, config.seed)

    def scan(self, ids: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """See `NeuralLM.scan`; the state is the last block_size − 1 ids, end tokens where a text begins."""
        B, T = ids.shape
        if state is None:
            state = ids.new_full((B, self.block_size - 1), self.end)
        ids = torch.cat([state, ids], dim=1)  # (B, block_size − 1 + T)
        x = self.embedding(ids)  # (B, block_size − 1 + T, C)
        h = torch.cat([x[:, i : i + T] for i in range(self.block_size)], dim=-1)  # (B, T, block_size·C), the oldest token first
        return self.output(torch.tanh(self.hidden(h))), ids[:, T:]


@dataclass(frozen=True)
class GRUConfig:
    """n_embd: C, width of an embedding; n_hidden: H, width of the state; n_layer: how many GRUs, each reading the one below.

    gate_bias: where the biases of the update gates begin. At 0 half of the old state is kept, at 2 the share σ(2) = 0.88.
    """

    n_embd: int = 64
    n_hidden: int = 128
    n_layer: int = 1
    gate_bias: float = 0.0
    seed: int = 0


class GRU(NeuralLM):
    """A gated recurrent unit: the state h_t = GRU(x_t, h_{t−1}) goes from token to token, and s(w, h_t) = e_w · h_t + c_w."""

    block_size = None

    def __init__(self, vocab: Sequence[str], config: GRUConfig = GRUConfig(), end: str | None = None):
        super().__init__(vocab, end)
        _check_sizes(config)
        self.config = config
        self.embedding = nn.Embedding(self.vocab_size, config.n_embd)
        self.gru = nn.GRU(config.n_embd, config.n_hidden, config.n_layer, batch_first=True)
        self.output = nn.Linear(config.n_hidden, self.vocab_size)
        _initialise(self, config.seed)
        for layer in range(config.n_layer):
            nn.init.constant_(self._update_gate_bias(layer), config.gate_bias)

    def _update_gate_bias(self, layer: int) -> Tensor:
        return getattr(self.gru, f"bias_ih_l{layer}").chunk(3)[1]  # the parts are r, z, n

    def scan(self, ids: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """See `NeuralLM.scan`; the state is (n_layer, B, H), zeros where a text begins."""
        h, state = self.gru(self.embedding(ids), state)  # (B, T, H)
        return self.output(h), state

    def kept(self, state: Tensor, rows: Tensor) -> Tensor:
        """See `NeuralLM.kept`; here the texts are the second dimension."""
        return state[:, rows]


def check_batch(ids: Tensor, vocab_size: int, block_size: int | None = None) -> Tensor:
    """The ids, if they are a batch (B, T) of int64 with 1 ≤ T ≤ block_size, below vocab_size; else ValueError.

    Ids on a GPU are not looked at one by one: that would make it wait.
    """
    if not isinstance(ids, Tensor) or ids.ndim != 2 or ids.dtype != torch.int64 or ids.numel() == 0:
        given = f"shape {tuple(ids.shape)} of {ids.dtype}" if isinstance(ids, Tensor) else type(ids).__name__
        raise ValueError(f"expected a tensor (B, T) of int64 ids, got {given}; for one text pass torch.tensor(ids)[None]")
    if block_size is not None and ids.shape[1] > block_size:
        raise ValueError(
            f"block_size is {block_size} but the text has {ids.shape[1]} tokens; crop it or take a larger block_size"
        )
    if ids.device.type == "cpu" and not torch.compiler.is_compiling():
        check_ids(ids.flatten(), vocab_size)
    return ids


def _check_sizes(config: NNLMConfig | GRUConfig) -> None:
    for name, value in vars(config).items():
        if name.startswith(("n_", "block")) and not (isinstance(value, int) and value >= 1):
            raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
        if name == "gate_bias" and not math.isfinite(value):
            raise ValueError(f"gate_bias must be a finite number, such as 0 or 2, got {value!r}")


def _initialise(model: NeuralLM, seed: int) -> None:
    """Draw the parameters from a seed of their own.

    A matrix is scaled by 1 / √inputs, so that its outputs vary as much as its inputs; the last one to a tenth of that, so that
    all scores are small, the first probabilities nearly equal, and the first loss near log V.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        if p.ndim == 1:
            nn.init.zeros_(p)
        else:
            scale = 1.0 if name.startswith("embedding") else p.shape[1] ** -0.5
            nn.init.normal_(p, std=0.1 * scale if name.startswith("output") else scale, generator=generator)
