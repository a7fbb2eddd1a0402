"""Direct preference optimisation: learn from pairs of answers, of which one was preferred, without a model of rewards.

The loss asks the model to raise the chosen answer over the rejected one, each measured against what a reference, the model at
the beginning, gives it. Derived in `09_limits_and_outlook.ipynb`. Rafailov et al., *Direct Preference Optimization: Your
Language Model is Secretly a Reward Model* (2023).
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.neural_lm import without_dropout
from helpers.probability import check_ids
from helpers.training.data import Batch
from helpers.transformer import GPT

from .classifier import READ_AT_ONCE
from .instructions import NOT_ASKED, answer_row, answer_table

Row = tuple[np.ndarray, np.ndarray]  # inputs and targets (T,) each, NOT_ASKED where the prompt stands


def dpo_loss(chosen: Tensor, rejected: Tensor, reference_chosen: Tensor, reference_rejected: Tensor, beta: float) -> Tensor:
    """Mean of −log σ(β [(chosen − reference_chosen) − (rejected − reference_rejected)]), a scalar in nats a pair.

    All are summed log probabilities of answers, (B,) nats; beta: the smaller, the further the model goes from the reference
    before the loss is content. Raises ValueError for a beta not above 0, and for shapes that differ.
    """
    _check_beta(beta)
    shapes = [tuple(t.shape) for t in (chosen, rejected, reference_chosen, reference_rejected)]
    if len(set(shapes)) > 1 or len(shapes[0]) != 1:
        raise ValueError(f"expected four tensors (B,), a log probability an answer, got {', '.join(map(str, shapes))}")
    margin = (chosen - reference_chosen) - (rejected - reference_rejected)
    return -F.logsigmoid(beta * margin).mean()


def answer_log_probs(model: GPT, pairs: Sequence[tuple[ArrayLike, ArrayLike]], *, ends: bool = False) -> Tensor:
    """Log probability of each answer after its prompt: N pairs of ids (prompt, answer) → (N,) nats, without gradients.

    The model reads its end token, which stands before every text, then prompt and answer; ends: it is also asked for the end
    token after the answer. Raises ValueError for an empty answer, ids that are none, or more than the context holds.
    """
    return _read(model, _rows(model, pairs, ends))


class PreferenceData:
    """(prompt, chosen, rejected) triples, lists of ids: a `Data` for training a GPT by DPO; the loss is in nats a pair.

    reference: the model that training begins from. What it gives the answers is computed here, once, so the same model, not
    only a copy of it, may then be trained; its end token stands before every text. No end token is put after an answer, which
    may be a piece of a text, unless `ends`. What does not fit the context is refused, not cut.

    Raises ValueError for no examples, an empty answer, ids that are none, a beta not above 0, or more than the context holds.
    """

    def __init__(
        self, examples: Sequence[tuple[ArrayLike, ArrayLike, ArrayLike]], reference: GPT, beta: float = 0.1, *,
        ends: bool = False,
    ):  # fmt: skip
        _check_beta(beta)
        if not len(examples):
            raise ValueError("need at least one example, a prompt's ids, those of the answer chosen and of the one rejected")
        self.beta, self.end = beta, reference.end
        chosen = _rows(reference, [(prompt, answer) for prompt, answer, _ in examples], ends, "chosen ")
        rejected = _rows(reference, [(prompt, answer) for prompt, _, answer in examples], ends, "rejected ")
        self.rows = list(zip(chosen, rejected, strict=True))
        self.longest = max(len(inputs) for inputs, _ in chosen + rejected)
        self.reference = torch.stack([_read(reference, chosen), _read(reference, rejected)], dim=1)  # (N, 2)

    def batch(self, n: int, length: int, generator: torch.Generator) -> Batch:
        """Inputs and targets, (n, 2, T) each, the chosen answer first, and what the reference gives, (n, 2). With replacement.

        Targets are −100 where none is asked. Raises ValueError where any of the examples is longer than `length`.
        """
        if self.longest > length:
            raise ValueError(f"an example is {self.longest} tokens long, but a batch may have {length}; take a larger crop")
        drawn = torch.randint(len(self.rows), (n,), generator=generator)
        inputs, targets = answer_table([row for i in drawn.tolist() for row in self.rows[i]], self.end)
        return inputs.unflatten(0, (n, 2)), targets.unflatten(0, (n, 2)), self.reference[drawn]

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """`dpo_loss` of the pairs."""
        inputs, targets, reference = batch
        chosen, rejected = _summed(model, inputs.flatten(0, 1), targets.flatten(0, 1)).view(-1, 2).unbind(1)
        return dpo_loss(chosen, rejected, *reference.unbind(1), self.beta)

    def to(self, device: torch.device) -> "PreferenceData":
        """The same: answers are padded on the CPU."""
        return self


def _rows(model: GPT, pairs: Sequence[tuple[ArrayLike, ArrayLike]], ends: bool, which: str = "") -> list[Row]:
    """Inputs and targets of each pair, checked; which: "chosen " or "rejected ", for the errors."""
    rows = []
    for i, pair in enumerate(pairs):
        prompt, answer = (check_ids(ids, model.vocab_size) for ids in pair)
        if not len(answer):
            raise ValueError(f"the {which}answer of example {i} is empty, so there is nothing to compare; leave it out")
        row = answer_row(prompt, answer, model.end, asked_from=len(prompt), ends=ends)
        if len(row[0]) > model.block_size:
            raise ValueError(
                f"example {i} needs {len(row[0])} tokens ({len(prompt)} of the prompt, {len(answer)} of the {which}answer"
                f"{', and the end token' * ends}), but the context length is {model.block_size}; leave it out, shorten its "
                "prompt or take a model with a larger block_size"
            )
        rows.append(row)
    return rows


@torch.no_grad()
def _read(model: GPT, rows: Sequence[Row]) -> Tensor:
    """Summed log probabilities (N,) of all rows, READ_AT_ONCE at a time, without dropout, on the CPU."""
    found = [torch.empty(0)]
    with without_dropout(model):
        for begin in range(0, len(rows), READ_AT_ONCE):
            inputs, targets = (t.to(model.device) for t in answer_table(rows[begin : begin + READ_AT_ONCE], model.end))
            found.append(_summed(model, inputs, targets).cpu())
    return torch.cat(found)


def _summed(model: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Log probability of all targets of a row together: (B, T), (B, T) → (B,) nats, with gradients."""
    losses = F.cross_entropy(model(inputs).flatten(0, 1).float(), targets.flatten(), ignore_index=NOT_ASKED, reduction="none")
    return -losses.view(targets.shape).sum(dim=1)


def _check_beta(beta: float) -> None:
    if not 0 < beta < float("inf"):
        raise ValueError(f"beta must be a number above 0, got {beta!r}; 0.1 is a usual choice")
