"""The residual stream, read early and carried from one run into another: logit lens and activation patching.

Logit lens: nostalgebraist, *interpreting GPT: the logit lens* (2020). Patching: Vig et al., *Investigating Gender Bias in
Language Models Using Causal Mediation Analysis* (2020); Meng et al., *Locating and Editing Factual Associations in GPT* (2022).
"""

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from helpers.neural_lm import without_dropout

from .reach import Ids, altered, batch_of, check_part, check_position, stream_sites, traced

SMALLEST = 1e-3  # nats: of a smaller difference between two runs no share is taken


@torch.no_grad()
def logit_lens(model: Any, ids: Ids) -> np.ndarray:
    """What would be predicted if the layers from l on were left out: → (L + 1, T, V) log probabilities, nats.

    Row l gives the stream that layer l reads to the last norm and the head; row L is the model's own output. Of an
    EncoderDecoder it is the decoder. A lens, not a belief: early layers need not write in the head's terms.

    Raises ValueError for a post-norm model: each of its layers norms the stream anew, so that no layer's stream is the sum of
    what was written before it, and there is no last norm to read it by.
    """
    check_part(model, None)
    if not getattr(model.config, "norm_first", True):
        raise ValueError(
            f"the logit lens needs the stream of a pre-norm model, and this {type(model).__name__} is post-norm: each layer "
            "norms the stream anew, so an early one is not in the last one's terms; train with norm_first=True"
        )
    batch = batch_of(model, ids)
    with without_dropout(model):
        streams = traced(model, batch).residual[:, 0]  # (L + 1, T, C)
        with altered(stream_sites(model)[-1], lambda _: streams):  # the rest of the model reads them as so many texts
            logits = model(*batch)
    return logits.float().log_softmax(dim=-1).cpu().numpy()


@torch.no_grad()
def patch(
    model: Any, clean: Ids, corrupt: Ids, right: int, wrong: int, *, position: int = -1, part: str | None = None
) -> np.ndarray:
    """Where the clean run's stream, put into the corrupt run at one (layer, position), brings back the answer: → (L + 1, T).

    Measured by logit(right) − logit(wrong) at `position`: 0 is the corrupt run, 1 the clean one. Row l is the stream before
    layer l, row L after the last. part: of an EncoderDecoder the stream of "decoder" (left out) or "encoder"; the logits
    are the decoder's. Cost: L + 1 passes, over a copy of the text for each position at which the two streams differ.

    Raises ValueError for texts of different lengths, tokens or positions that do not exist, or runs that prefer alike.
    """
    if check_part(model, part) == "cross":
        raise ValueError("cross-attention has no stream of its own; patch part='encoder' or part='decoder'")
    batches = batch_of(model, clean), batch_of(model, corrupt)
    if [each.shape for each in batches[0]] != [each.shape for each in batches[1]]:
        raise ValueError("clean and corrupt must have equally many tokens, position by position; change words, add none")
    if not all(0 <= token < model.vocab_size for token in (right, wrong)) or right == wrong:
        raise ValueError(f"right and wrong must be two tokens below {model.vocab_size}, got {right} and {wrong}")
    position = check_position(position, batches[0][-1].shape[1])

    def preference(logits: Tensor) -> Tensor:
        return (logits[..., right] - logits[..., wrong]).float()

    sites, last = stream_sites(model, part), stream_sites(model)[-1]
    with without_dropout(model):
        high, low = (preference(model(*batch)[0, position]) for batch in batches)
        if not abs(high - low) > SMALLEST:
            raise ValueError(f"both runs prefer right by {low:.4g} nats, so there is nothing to bring back; take other texts")
        ours, theirs = (traced(model, batch, part).residual[:, 0] for batch in batches)
        missing = ours - theirs  # (L + 1, T, C)
        effect, single = low.new_zeros(missing.shape[:2]), torch.eye(missing.shape[1], device=missing.device)
        for layer, site in enumerate(sites):
            places = missing[layer].any(dim=-1).nonzero().flatten()  # elsewhere there is nothing to give back
            given = single[places, :, None] * missing[layer]  # (n, T, C): one text becomes n copies, each with one position
            with altered(site, partial(torch.add, given)), altered(last, lambda x: x[:, [position]]):
                effect[layer, places] = (preference(model(*batches[1])[:, 0]) - low) / (high - low)
    return effect.cpu().numpy()
