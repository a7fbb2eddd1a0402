"""Instruction tuning: pairs of a prompt and an answer, and a loss on the answer only.

The model reads both and is asked for the answer alone: a prompt is what others write, so nothing is gained by learning to write
it. Derived in `08_adapting_and_applications.ipynb`. Wei et al., *Finetuned Language Models Are Zero-Shot Learners* (2022);
Ouyang et al., *Training Language Models to Follow Instructions with Human Feedback* (2022).
"""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from helpers.probability import check_ids
from helpers.training.data import Batch, TextData, padded

from .classifier import ANY

LossOn = Literal["answer", "all"]
NOT_ASKED = -100  # the target that torch's cross-entropy leaves out


class AnswerData:
    """(prompt, answer) pairs, lists of ids: a `Data` for training a GPT; the loss is in nats per token that is asked for.

    A model reads its end token, which stands before every text, then prompt and answer; it is asked for the answer and the end
    token after it, with loss_on="all" for the prompt as well. end: the id of that token, model.end; pad_id: any token, never
    looked at. So 1 + prompt + answer must fit the context, and what does not fit is refused, not cut: an answer without its
    end would teach never to stop.

    Raises ValueError for no examples, an empty answer, or ids that are none. An empty prompt is allowed.
    """

    def __init__(self, examples: Sequence[tuple[ArrayLike, ArrayLike]], pad_id: int, end: int, loss_on: LossOn = "answer"):
        if loss_on not in get_args(LossOn):
            raise ValueError(f"loss_on must be answer or all, got {loss_on!r}")
        pairs = [(check_ids(prompt, ANY), check_ids(answer, ANY)) for prompt, answer in examples]
        if not pairs:
            raise ValueError("need at least one example, a pair of a prompt's and an answer's ids")
        empty = [i for i, (_, answer) in enumerate(pairs) if not len(answer)]
        if empty:
            raise ValueError(f"the answer of example {empty[0]} is empty, so it teaches nothing but to stop; leave it out")
        self.pairs, self.pad_id, self.end, self.loss_on = pairs, pad_id, end, loss_on

    def batch(self, n: int, length: int, generator: torch.Generator) -> Batch:
        """Inputs and targets, (n, T) each, T ≤ length; targets are −100 where none is asked. Drawn with replacement.

        Raises ValueError where any of the examples does not fit.
        """
        self._check(length)
        chosen = torch.randint(len(self.pairs), (n,), generator=generator)
        return answer_table([self.row(i) for i in chosen.tolist()], self.pad_id)

    def row(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets of example i, (1 + prompt + answer,) each."""
        return answer_row(*self.pairs[i], self.end, asked_from=len(self.pairs[i][0]) if self.loss_on == "answer" else 0)

    loss = TextData.loss  # inputs and targets, and a mean over those that are asked for

    def to(self, device: torch.device) -> "AnswerData":
        """The same: examples are padded on the CPU."""
        return self

    def _check(self, length: int) -> None:
        prompt, answer = max(((len(p), len(a)) for p, a in self.pairs), key=sum)
        if 1 + prompt + answer > length:
            raise ValueError(
                f"an example needs {1 + prompt + answer} tokens (the end token, {prompt} of the prompt, {answer} of the "
                f"answer), but the context length is {length}; leave it out, shorten its prompt or take a larger block_size"
            )


def answer_row(
    prompt: np.ndarray, answer: np.ndarray, end: int, *, asked_from: int, ends: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of [end] + prompt + answer, and the end token after it if `ends`; not asked before `asked_from`."""
    stream = np.concatenate([[end], prompt, answer, [end] * ends]).astype(np.int64)
    targets = stream[1:].copy()
    targets[:asked_from] = NOT_ASKED
    return stream[:-1], targets


def answer_table(rows: Sequence[tuple[np.ndarray, np.ndarray]], padding: int) -> tuple[Tensor, Tensor]:
    """Inputs and targets at one length, (N, T) each; what is padded comes last, and a GPT never looks ahead."""
    return padded([given for given, _ in rows], padding)[0], padded([asked for _, asked in rows], NOT_ASKED)[0]
