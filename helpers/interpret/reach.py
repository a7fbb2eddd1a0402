"""Where to reach into each family of models while it reads: its attention layers, its residual stream, and what it computed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from helpers.attention import AttentionLM, MultiHeadAttention
from helpers.probability import check_ids
from helpers.transformer import BERT, GPT, EncoderDecoder, Trace
from helpers.transformer.trace import Record

Ids = ArrayLike | tuple[ArrayLike, ArrayLike]  # (T,), or the pair (S,), (T,) of an EncoderDecoder
PARTS = ("decoder", "encoder", "cross")


class Site(NamedTuple):
    """A place in a model: what goes into a module (before), or what comes out of it."""

    module: nn.Module
    before: bool = False


@contextmanager
def altered(site: Site, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """In here the tensor at this site is replaced by change(tensor); of several changes of one site the first comes first."""
    if site.before:
        handle = site.module.register_forward_pre_hook(lambda _, inputs: (change(inputs[0]), *inputs[1:]))
    else:
        handle = site.module.register_forward_hook(lambda _, inputs, output: change(output))
    try:
        yield
    finally:
        handle.remove()


def check_part(model: Any, part: str | None) -> str | None:
    """The part of an EncoderDecoder, left out: "decoder"; None for the other models. ValueError for what does not exist."""
    if isinstance(model, EncoderDecoder):
        if part is not None and part not in PARTS:
            raise ValueError(f"part must be one of {', '.join(PARTS)}, got {part!r}")
        return part or "decoder"
    if not isinstance(model, GPT | BERT | AttentionLM):
        raise ValueError(f"expected a GPT, BERT, EncoderDecoder or AttentionLM, got {type(model).__name__}")
    if part is not None:
        raise ValueError(f"only an EncoderDecoder has parts, and this is a {type(model).__name__}; leave part={part!r} out")
    return None


def attentions(model: Any, part: str | None = None) -> list[MultiHeadAttention]:
    """The attention of each of the L layers; part: of an EncoderDecoder "decoder" (left out), "encoder" or "cross"."""
    part = check_part(model, part)
    if isinstance(model, AttentionLM):
        return [model.attention]
    return [block.cross if part == "cross" else block.attention for block in _blocks(model, part)]


def stream_sites(model: Any, part: str | None = None) -> list[Site]:
    """Where the residual stream passes: before each of the L layers, and after the last; L + 1 sites.

    The first of an AttentionLM is one term of the sum that its stream begins with: what is added there is added to the stream.
    """
    part = check_part(model, part)
    if isinstance(model, AttentionLM):
        return [Site(model.embeddings[0]), Site(model.output, before=True)]
    blocks = _blocks(model, part)
    return [*(Site(block, before=True) for block in blocks), Site(blocks[-1])]


def batch_of(model: Any, ids: Ids) -> tuple[Tensor, ...]:
    """The ids as what the model takes, `model(*batch_of(model, ids))`: one tensor (1, T), or two.

    Raises ValueError for what is no list of the model's ids, or no pair of them.
    """
    pair = isinstance(model, EncoderDecoder)
    if pair and not (isinstance(ids, tuple) and len(ids) == 2):
        raise ValueError("an EncoderDecoder reads two texts; pass ids as a tuple (source, target)")
    texts = [each.cpu() if isinstance(each, Tensor) else each for each in (ids if pair else [ids])]
    device = next(model.parameters()).device
    return tuple(torch.as_tensor(check_ids(text, model.vocab_size), device=device)[None] for text in texts)


def traced(model: Any, batch: tuple[Tensor, ...], part: str | None = None) -> Trace:
    """All that the model computes for a batch, in one form for all; of an EncoderDecoder the encoder's or the decoder's."""
    if isinstance(model, EncoderDecoder):
        return model.trace(*batch)[0 if part == "encoder" else 1]
    if not isinstance(model, AttentionLM):
        return model.trace(*batch)
    record = Record()
    last = model.hidden(model.checked(*batch), record=record.heads)
    record.residual = [last - model.attention.output(record.heads[0].heads), last]
    return Trace.of(record, model.output(last))


def check_position(position: int, n: int) -> int:
    """A position among n, those below 0 counted from the end; ValueError where there is none."""
    if not -n <= position < n:
        raise ValueError(f"there is no position {position} in {n} tokens; take one from 0 to {n - 1}, or −1 for the last")
    return position % n


def _blocks(model: Any, part: str | None) -> nn.ModuleList:
    return model.blocks if part is None else model.encoder if part == "encoder" else model.decoder
