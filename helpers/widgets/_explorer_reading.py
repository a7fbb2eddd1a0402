"""What a model computes while it reads one text, in arrays: the data behind the attention explorer, without any view.

Used in `05_attention.ipynb` and `06_transformer.ipynb`. L layers, H heads, T tokens that look (queries), S that are looked at
(keys), D the width of a head.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from helpers.attention import HeadTrace, MultiHeadAttention, WindowedLM, window_start
from helpers.transformer import BERT, GPT, EncoderDecoder
from helpers.transformer.huggingface import READERS
from helpers.transformer.trace import Record
from helpers.widgets._explorer_tokens import TokenReader

LONGEST = 256  # tokens that are looked at: more cannot be told apart on a page


def own_model(model: Any) -> Any:
    """A model that can be looked into: a course's model itself, one of Hugging Face's as the course's of the same weights.

    Raises ValueError for what is neither, and WeightsError for a model of Hugging Face's that the course cannot take.
    """
    if callable(getattr(model, "trace", None)) and hasattr(model, "block_size"):
        return model
    kind = getattr(getattr(model, "config", None), "model_type", None)
    families = {family.__name__: family for family in (GPT, BERT, EncoderDecoder)}
    for family, known in READERS:
        if known == kind:
            return families[family].from_huggingface(model)
    raise ValueError(
        f"expected a GPT, BERT, AttentionLM or EncoderDecoder, got {type(model).__name__}, which has no trace; of models of "
        f"Hugging Face's these can be taken: {', '.join(kind for _, kind in READERS)}"
    )


@dataclass(frozen=True)
class Attention:
    """One kind of attention of a model, all its layers and heads, for one text."""

    name: str
    causal: bool
    queries: tuple[int, ...]  # T ids
    keys: tuple[int, ...]  # S ids
    weights: np.ndarray  # (L, H, T, S), each row sums to one
    q: np.ndarray  # (L, H, T, D)
    k: np.ndarray  # (L, H_kv, S, D)
    v: np.ndarray  # (L, H_kv, S, D)
    own: bool = True  # whether the tokens look at their own text
    logits: np.ndarray | None = None  # (T, V) of the model whose queries these are; None for an encoder's

    @classmethod
    def of(cls, heads: list[HeadTrace], **rest: Any) -> "Attention":
        """Of what each layer computed, batch of one."""
        parts = {"weights": "weights", "q": "q", "k": "k", "v": "v"}
        return cls(**{ours: _array(torch.stack([getattr(h, its)[0] for h in heads])) for ours, its in parts.items()}, **rest)

    @property
    def n_layer(self) -> int:
        """L, the number of layers."""
        return self.weights.shape[0]

    @property
    def n_head(self) -> int:
        """H, the number of heads in a layer."""
        return self.weights.shape[1]

    def head(self, layer: int, head: int) -> dict[str, np.ndarray]:
        """Of one head: q (T, D), k (S, D), v (S, D), weights (T, S); float32."""
        group = self.n_head // self.k.shape[1]  # queries' heads that share keys and values
        shared = {"k": self.k[layer, head // group], "v": self.v[layer, head // group]}
        return {"q": self.q[layer, head], "weights": self.weights[layer, head]} | shared


@dataclass(frozen=True)
class Reading:
    """A text as a model read it. kinds: its attentions, the first shown first; note: what part of the text it is.

    mask: "on" where a causal mask keeps tokens from looking ahead, "off" where it was taken away, "" where the model has none
    that could be (an encoder's tokens look both ways anyway).
    """

    kinds: tuple[Attention, ...]
    note: str = ""
    masked: bool = False  # whether a position's logits are for the token that stands there, not for the next one
    mask: str = ""


@torch.no_grad()
def read(model: Any, text: str, tokens: TokenReader, causal_mask: bool = True) -> Reading:
    """Let the model read a text; of an encoder–decoder the source, a line break, and the target.

    causal_mask: whether tokens are kept from looking ahead, where the model does that; it stays in an encoder–decoder. Raises
    ValueError for a text that the model cannot read, and a model that the explorer does not know.
    """
    training = model.training
    model.eval()  # no dropout: what is shown is what the model answers
    try:
        if isinstance(model, EncoderDecoder):
            return _read_pair(model, text, tokens)
        ids, note = tokens.ids(text), ""
        size = min(model.block_size, LONGEST)
        if isinstance(model, WindowedLM):
            ids = [model.end, *ids]
            start = window_start(len(ids), size)
        else:
            start = max(0, len(ids) - size)
        if not ids:
            raise ValueError("there is nothing to read yet; type some text")
        if start:
            note = (
                f"The text has {len(ids):,} tokens, and the {'context length' if size < LONGEST else 'most shown'} is {size}: "
                f"this is its last window, {len(ids) - start} tokens, read as if the text began there."
            )
        if isinstance(model, WindowedLM) and not causal_mask:
            with looking_ahead(model):
                return _read_one(model, ids[start:], note, mask="off")
        return _read_one(model, ids[start:], note, mask="on" if isinstance(model, WindowedLM) else "")
    finally:
        model.train(training)


@contextmanager
def looking_ahead(model: torch.nn.Module) -> Iterator[None]:
    """A model whose attentions have no causal mask, for as long as this lasts; its weights and its code stay what they are."""
    layers = [layer for layer in model.modules() if isinstance(layer, MultiHeadAttention)]
    unmask = [
        layer.register_forward_pre_hook(lambda _, args, kwargs: (args, kwargs | {"causal": False}), with_kwargs=True)
        for layer in layers
    ]
    try:
        yield
    finally:
        for hook in unmask:
            hook.remove()


def _read_one(model: Any, ids: list[int], note: str, mask: str) -> Reading:
    batch = torch.tensor([ids], device=next(model.parameters()).device)
    ours = tuple(ids)
    causal, rest = mask == "on", {"queries": ours, "keys": ours}
    trace = model.trace(batch)
    if isinstance(trace, HeadTrace):  # one layer, and no logits in its trace
        kind = Attention.of([trace], name="self-attention", causal=causal, logits=_array(model(batch)[0]), **rest)
    else:
        layers = (each[:, 0] for each in (trace.attention, trace.q, trace.k, trace.v))
        weights, q, k, v = map(_array, layers)
        kind = Attention("self-attention", causal, **rest, weights=weights, q=q, k=k, v=v, logits=_array(trace.logits[0]))
    return Reading((kind,), note, masked=isinstance(model, BERT), mask=mask)


def _read_pair(model: EncoderDecoder, text: str, tokens: TokenReader) -> Reading:
    source_text, _, target_text = text.partition("\n")
    source, target = tokens.ids(source_text), tokens.ids(target_text.rstrip("\n"))
    if not source:
        raise ValueError("there is no source yet: its text is the first line, and the target the second")
    config, size = model.config, min(model.block_size, LONGEST)
    target = [config.end if config.start is None else config.start, *target]
    note = ""
    if max(len(source), len(target)) > size:
        note = f"Only the first {size} tokens of the source and the last {size} of the target are read."
        source, target = source[:size], target[-size:]
    device = next(model.parameters()).device
    encoder, decoder = Record(), Record()
    memory = model.encode(torch.tensor([source], device=device), record=encoder)
    logits = _array(model.decode(torch.tensor([target], device=device), memory, record=decoder)[0])
    ours, theirs = tuple(target), tuple(source)
    kinds = (
        Attention.of(
            decoder.cross, name="target looks at source", causal=False, own=False, queries=ours, keys=theirs, logits=logits
        ),
        Attention.of(decoder.heads, name="target looks at itself", causal=True, queries=ours, keys=ours, logits=logits),
        Attention.of(encoder.heads, name="source looks at itself", causal=False, queries=theirs, keys=theirs),
    )
    return Reading(kinds, note)


def _array(x: Tensor) -> np.ndarray:
    return x.detach().float().cpu().numpy()
