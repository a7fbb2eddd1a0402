"""Ablation: switch heads off, and see what changes. What a head looks at is no proof that anything depends on it; this is.

A head is what it fetches, its slice of `HeadTrace.heads`, before the output matrix. Zero takes it away; the mean takes away
only what varies, and leaves later layers an input of the usual size. Michel, Levy and Neubig, *Are Sixteen Heads Really Better
than One?* (2019); mean ablation: Wang et al., *Interpretability in the Wild* (2023). Other heads may make up for a missing one,
so a small change does not prove that a head does nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from helpers.attention import MultiHeadAttention
from helpers.neural_lm import without_dropout
from helpers.transformer import BERT
from helpers.transformer.bert import IGNORED

from .reach import Ids, Site, altered, attentions, batch_of, check_position

Kind = Literal["zero", "mean"]


@contextmanager
def ablate(
    model: Any,
    heads: Iterable[tuple[int, int]],
    kind: Kind = "zero",
    *,
    mean: Tensor | None = None,
    positions: Sequence[int] | None = None,
    part: str | None = None,
) -> Iterator[None]:
    """In here the (layer, head) pairs in `heads` fetch zero, or their `mean` (L, H·D), which `mean_heads` gives.

    Scores, traces (which still show what a head that is off looks at), texts generated with a cache and gradients all come
    without these heads. It nests; where two give one head another value, the inner counts. positions: only there, counted in
    what is read in one call, so not for a cache. part: of an EncoderDecoder "decoder" (left out), "encoder" or "cross". Grouped
    queries share keys and values, and yet each query head is a head here.

    Raises ValueError for a head that does not exist, an unknown kind, or a mean that is missing or of another shape.
    """
    layers = attentions(model, part)
    off = torch.zeros(len(layers), layers[0].n_head, dtype=torch.bool)
    for layer, head in _pairs(heads):
        if not (0 <= layer < off.shape[0] and 0 <= head < off.shape[1]):
            raise ValueError(f"there is no head {head} in layer {layer}; the model has {off.shape[0]} layers of {off.shape[1]}")
        off[layer, head] = True
    instead = _instead(layers, kind, mean)
    with ExitStack() as stack:
        for layer in off.any(dim=1).nonzero().flatten().tolist():
            change = _switched_off(off[layer], instead[layer], positions)
            stack.enter_context(altered(Site(layers[layer].output, before=True), change))
        yield


@torch.no_grad()
def mean_heads(model: Any, ids: Ids, part: str | None = None) -> Tensor:
    """What each head fetches on average over the positions of a text: → (L, H·D), heads side by side.

    Take a text other than the one you then test, if the model must not hear anything of what comes later in it.
    """
    found: list[Tensor] = []

    def keep(heads: Tensor) -> Tensor:  # (1, T, H·D)
        found.append(heads.mean(dim=(0, 1)))
        return heads

    with without_dropout(model), ExitStack() as stack:
        for attention in attentions(model, part):
            stack.enter_context(altered(Site(attention.output, before=True), keep))
        model(*batch_of(model, ids))
    return torch.stack(found)


@torch.no_grad()
def ablation_map(
    model: Any,
    ids: Ids,
    kind: Kind = "zero",
    *,
    mean: Tensor | None = None,
    targets: Sequence[int] | Tensor | None = None,
    position: int | None = None,
    part: str | None = None,
) -> np.ndarray:
    """By how much the loss rises when a head alone is off: → (L, H) nats per token; below 0 where the head did harm.

    targets: (T,) ids, −100 where nothing is asked; left out, the next tokens of the text (of an EncoderDecoder, the target's).
    BERT needs them: what stood where ids has the mask. position: only the target there. mean: left out, that of this text.
    Cost: L passes, over H copies of the text from the layer on. Raises ValueError where nothing is asked, and as `ablate` does.
    """
    layers, batch = attentions(model, part), batch_of(model, ids)
    asked = _targets(model, batch[-1][0], targets, position)
    if kind == "mean" and mean is None:
        mean = mean_heads(model, ids, part)
    instead = _instead(layers, kind, mean)
    off = torch.eye(layers[0].n_head, dtype=torch.bool)[:, None]  # (H, 1, H): one text becomes H copies, copy h without head h
    losses = []
    with without_dropout(model):
        whole = _loss(model(*batch), asked)
        for attention, values in zip(layers, instead, strict=True):
            with altered(Site(attention.output, before=True), _switched_off(off, values)):
                losses.append(_loss(model(*batch), asked))
    return (torch.stack(losses) - whole).cpu().numpy()


def _switched_off(off: Tensor, instead: Tensor, positions: Sequence[int] | None = None) -> Callable[[Tensor], Tensor]:
    """A change of (B, T, H·D): heads that are off, bool broadcasting to (B, T, H), fetch `instead`, (H, D)."""

    def change(heads: Tensor) -> Tensor:
        here = off
        if positions is not None:
            there = torch.zeros(heads.shape[1], 1, dtype=torch.bool)
            there[[check_position(p, len(there)) for p in positions]] = True
            here = off & there  # (T, H)
        parts = heads.unflatten(-1, instead.shape)  # (B, T, H, D)
        return torch.where(here[..., None].to(heads.device), instead.to(heads), parts).flatten(-2)

    return change


def _pairs(heads: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    pairs = list(heads)
    if not all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs):
        raise ValueError(f"heads must be a list of pairs (layer, head), such as [(0, 1)], got {pairs}")
    return pairs


def _instead(layers: list[MultiHeadAttention], kind: str, mean: Tensor | None) -> Tensor:
    """What heads fetch that are off: (L, H, D)."""
    L, H, D = len(layers), layers[0].n_head, layers[0].head_width
    if kind not in ("zero", "mean"):
        raise ValueError(f"kind must be 'zero' or 'mean', got {kind!r}")
    if kind == "zero" and mean is not None:
        raise ValueError("zero ablation takes no mean; write kind='mean', or leave the mean out")
    if kind == "zero":
        return torch.zeros(L, H, D)
    if mean is None or mean.shape != (L, H * D):
        given = "none was given" if mean is None else f"got {tuple(mean.shape)}"
        raise ValueError(f"mean ablation needs the heads' means, {(L, H * D)}, but {given}; pass mean=mean_heads(model, ids)")
    return mean.view(L, H, D)


def _targets(model: Any, ids: Tensor, targets: Sequence[int] | Tensor | None, position: int | None) -> Tensor:
    """What is asked at each position of the text, (T,), −100 where nothing is."""
    if targets is None and isinstance(model, BERT):
        raise ValueError("BERT predicts no next token; pass targets: what stood where ids has the mask, and −100 elsewhere")
    asked = torch.cat([ids[1:], ids.new_tensor([IGNORED])]) if targets is None else torch.as_tensor(targets).to(ids)
    if asked.shape != ids.shape:
        raise ValueError(f"targets must be one a token, {tuple(ids.shape)}, got {tuple(asked.shape)}")
    if position is not None:
        chosen = torch.arange(len(asked), device=asked.device) == check_position(position, len(asked))
        asked = torch.where(chosen, asked, IGNORED)
    if (asked == IGNORED).all():
        raise ValueError("no target is asked; the last position has one only where targets are passed")
    return asked


def _loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean loss of each copy over the targets that are asked: (B, T, V), (T,) → (B,) nats per token."""
    asked = targets != IGNORED
    expected = targets[asked].expand(len(logits), -1)  # (B, n)
    return F.cross_entropy(logits[:, asked].transpose(1, 2).float(), expected, reduction="none").mean(dim=1)
