"""What the attention explorer measures when it is asked to: heads switched off, logit lens, labels of heads, mean, rollout.

All of it is `helpers.interpret`, on the ids that the view shows, as JSON; a matrix goes as bytes.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch

from helpers import interpret
from helpers.interpret.reach import batch_of
from helpers.neural_lm import without_dropout
from helpers.sampling import normalise
from helpers.transformer.bert import IGNORED
from helpers.widgets._explorer_frame import TOP, pack, position_of, probabilities
from helpers.widgets._explorer_reading import Reading, looking_ahead
from helpers.widgets._explorer_tokens import TokenReader
from helpers.widgets._suggestions import likeliest

MOST_SCORES = 50_000_000  # at once, 200 MB: more would stop a small machine
MOST_SECONDS = 15.0  # of a map that is begun without asking again: the kernel is busy as long
BLIND = 1.5  # times the loss of one that guesses evenly: above that the loss of a text says nothing about the model
FOR_DECODER = "the logit lens reads the target's stream; choose an attention of the target"


def answer(model: Any, reading: Reading, tokens: TokenReader, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What an experiment of this name gives. Raises ValueError for an unknown one, and for what it cannot measure."""
    experiments = {"ablate": ablated, "map": head_map, "lens": lens, "labels": labels, "mix": mixed}
    if asked.get("what") not in experiments:
        raise ValueError(f"there is no experiment {asked.get('what')!r}, only {', '.join(experiments)}")
    return experiments[asked["what"]](model, reading, tokens, asked)


def ablated(model: Any, reading: Reading, tokens: TokenReader, asked: Mapping[str, Any]) -> dict[str, Any]:
    """With the heads of `off`, triples (attention, layer, head), switched off: losses and next tokens, before and after.

    loss: [before, after], nats per token over the text, null where the text asks nothing; at: the same for each position; rows:
    for each position the tokens that were or are likeliest, [token, before, after].
    """
    before = reading.kinds[0].logits
    after = logits_without(model, reading, asked["off"], asked["instead"])
    p, q = probabilities(before), probabilities(after)
    targets = targets_of(reading, tokens)
    pairs = zip(before, after, targets, strict=True)
    at = [None if target == IGNORED else [_loss(old, target), _loss(new, target)] for old, new, target in pairs]
    known = [pair for pair in at if pair]
    rows = []
    for old, new in zip(p, q, strict=True):
        best = sorted(likeliest(np.maximum(old, new), TOP), key=lambda i: -old[i])
        rows.append([[tokens.shown(i), float(old[i]), float(new[i])] for i in best])
    return {"loss": np.mean(known, axis=0).tolist() if known else None, "asked": len(known), "at": at, "rows": rows}


@torch.no_grad()
def logits_without(model: Any, reading: Reading, off: Iterable[tuple[int, int, int]], instead: str) -> np.ndarray:
    """The model's scores for the text, (T, V), with heads (attention, layer, head) off.

    instead: what they fetch, "zero", or "mean": each head's own mean over this text.
    """
    ids, parts = ids_of(reading), parts_of(reading)
    with ExitStack() as stack:
        stack.enter_context(as_read(model, reading))
        means = [interpret.mean_heads(model, ids, part) if instead == "mean" else None for part in parts]  # of the whole model
        for number, part in enumerate(parts):
            heads = [(layer, head) for kind, layer, head in off if kind == number]
            stack.enter_context(interpret.ablate(model, heads, instead, mean=means[number], part=part))
        return model(*batch_of(model, ids))[0].float().cpu().numpy()


def head_map(model: Any, reading: Reading, tokens: TokenReader, asked: Mapping[str, Any]) -> dict[str, Any]:
    """By how much the loss rises when each head of an attention alone is off, (L, H) nats per token.

    position: only the loss there; null: over the text. Where that would take long, and `long` does not say to do it all the
    same, only the seconds that it would take.
    """
    position = asked["position"]
    if position is not None:
        position = position_of(position, len(reading.kinds[0].queries), "position")
    targets = torch.tensor(targets_of(reading, tokens))
    seconds = 0.0 if asked.get("long") else seconds_of_map(model, reading, asked)
    if seconds > MOST_SECONDS:
        return {"seconds": seconds}
    of = reading.kinds[asked["kind"]]
    if of.n_head * reading.kinds[0].logits.size > MOST_SCORES:
        return {"map": map_one_by_one(model, reading, targets, position, asked)}
    with as_read(model, reading):
        options = {"targets": targets, "position": position, "part": part_of(reading, asked)}
        return {"map": interpret.ablation_map(model, ids_of(reading), asked["instead"], **options).tolist()}


def seconds_of_map(model: Any, reading: Reading, asked: Mapping[str, Any]) -> float:
    """About how long a map takes: one reading of the text, by the clock, for each head."""
    of = reading.kinds[position_of(asked["kind"], len(reading.kinds), "kind")]
    start = time.perf_counter()
    logits_without(model, reading, [], "zero")
    return (time.perf_counter() - start) * of.n_layer * of.n_head


def map_one_by_one(
    model: Any, reading: Reading, targets: torch.Tensor, position: int | None, asked: Mapping[str, Any]
) -> list[list[float]]:
    """The same map with one text at a time in memory, where a layer's heads together have too many scores."""
    of, instead = reading.kinds[asked["kind"]], asked["instead"]
    places = [t for t, target in enumerate(targets.tolist()) if target != IGNORED and position in (None, t)]
    if not places:
        raise ValueError("no target is asked")

    def loss(off: list[tuple[int, int, int]]) -> float:
        logits = logits_without(model, reading, off, instead)
        return float(np.mean([_loss(logits[t], int(targets[t])) for t in places]))

    whole = loss([])
    return [[loss([(asked["kind"], layer, head)]) - whole for head in range(of.n_head)] for layer in range(of.n_layer)]


def lens(model: Any, reading: Reading, tokens: TokenReader, asked: Mapping[str, Any]) -> dict[str, Any]:
    """For each position, and the stream before each layer and after the last: [likeliest token, its probability, rank].

    rank: of the model's own answer, 1 where it is the likeliest already; answer: that answer, for each position.
    """
    if part_of(reading, asked) == "encoder":
        raise ValueError(FOR_DECODER)
    n_streams, (n, vocab_size) = reading.kinds[0].n_layer + 1, reading.kinds[0].logits.shape
    if n_streams * n * vocab_size > MOST_SCORES:
        raise ValueError(f"{n} tokens × {n_streams} streams × {vocab_size:,} scores are too many at once; take a shorter text")
    with as_read(model, reading):
        p = interpret.logit_lens(model, ids_of(reading))  # (L + 1, T, V)
    best, final = p.argmax(axis=-1), p[-1].argmax(axis=-1)
    ranks = 1 + (p > np.take_along_axis(p, final[None, :, None], axis=-1)).sum(axis=-1)
    rows = [
        [[tokens.shown(int(best[row, t])), float(np.exp(p[row, t, best[row, t]])), int(ranks[row, t])] for row in range(len(p))]
        for t in range(n)
    ]
    return {"rows": rows, "answer": [tokens.shown(int(i)) for i in final], "vocab_size": vocab_size}


def labels(model: Any, reading: Reading, tokens: TokenReader, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The kinds that an attention's heads are of, and all scores beside chance; measured with the causal mask."""
    part = part_of(reading, asked)
    if part == "cross":
        raise ValueError("the four kinds are of heads that look at their own text; choose another attention")
    scores = interpret.head_scores(model, ids_of(reading), part=part)
    names = {name: {"values": _nulls(score.values), "chance": _nulls(score.chance)} for name, score in scores.items()}
    return {"labels": [label._asdict() for label in interpret.head_labels(scores)], "scores": names}


def mixed(model: Any, reading: Reading, tokens: TokenReader, asked: Mapping[str, Any]) -> dict[str, Any]:
    """All heads of a layer in one matrix (T, S), float32: their mean, or rollout up to there. Heuristics."""
    kind = reading.kinds[position_of(asked["kind"], len(reading.kinds), "kind")]
    layer = position_of(asked["layer"], kind.n_layer, "layer")
    if asked["how"] == "rollout" and not kind.own:
        raise ValueError("rollout follows a text through its own layers; here one text looks at another")
    made = interpret.rollout(kind.weights) if asked["how"] == "rollout" else interpret.head_mean(kind.weights)
    return {"matrix": pack(made[layer], "<f4")}


def ids_of(reading: Reading) -> Any:
    """What the model read: ids, or of an encoder–decoder the pair of source and target."""
    first = reading.kinds[0]
    return first.queries if len(reading.kinds) == 1 else (first.keys, first.queries)


def parts_of(reading: Reading) -> tuple[str | None, ...]:
    """What `helpers.interpret` calls each attention of a reading."""
    return (None,) if len(reading.kinds) == 1 else ("cross", "decoder", "encoder")


def part_of(reading: Reading, asked: Mapping[str, Any]) -> str | None:
    """The same for the attention that is asked for."""
    parts = parts_of(reading)
    return parts[position_of(asked["kind"], len(parts), "kind")]


def targets_of(reading: Reading, tokens: TokenReader) -> list[int]:
    """What is asked at each position: the next token; of BERT the token that stands there, where that is no special one."""
    ids = list(reading.kinds[0].queries)
    return [IGNORED if id_ in tokens.special_ids else id_ for id_ in ids] if reading.masked else [*ids[1:], IGNORED]


@contextmanager
def as_read(model: Any, reading: Reading) -> Iterator[None]:
    """In here the model reads as it did for this reading: without dropout, and without its causal mask where that was off."""
    with without_dropout(model), ExitStack() as stack:
        if reading.mask == "off":
            stack.enter_context(looking_ahead(model))
        yield


def mean_loss(reading: Reading, tokens: TokenReader) -> float | None:
    """Of the text, nats per token; None where it asks nothing."""
    return _mean_loss(reading.kinds[0].logits, targets_of(reading, tokens))


def _mean_loss(logits: np.ndarray, targets: list[int]) -> float | None:
    losses = [_loss(logits[t], target) for t, target in enumerate(targets) if target != IGNORED]
    return float(np.mean(losses)) if losses else None


@torch.no_grad()
def unmasked_loss(model: Any, reading: Reading, tokens: TokenReader) -> str:
    """Of a text that was read without the causal mask: its loss, beside that with the mask; else, or without a loss, "".

    So, too, where the model with its mask does far worse than even guessing: it was not trained for every position of a text.
    """
    without = mean_loss(reading, tokens) if reading.mask == "off" else None
    if without is None:
        return ""
    with without_dropout(model):
        logits = model(*batch_of(model, ids_of(reading)))[0].float().cpu().numpy()
    masked = _mean_loss(logits, targets_of(reading, tokens))
    if masked > BLIND * np.log(logits.shape[1]):
        return ""
    return f"Loss of the text, nats per token: {masked:.3f} with the mask, {without:.3f} without it."


def _loss(logits: np.ndarray, target: int) -> float:
    return float(-normalise(logits.astype(float))[target])


def _nulls(values: Any) -> Any:
    """For JSON, which has no NaN."""
    return np.where(np.isnan(values), None, values).tolist()
