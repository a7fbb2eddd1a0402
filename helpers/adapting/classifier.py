"""A classifier on a trained model: its last stream, one vector a text, and a new linear head; train the head, all, or LoRA.

Derived in `08_adapting_and_applications.ipynb`. On a GPT the last token's stream, the only one that has seen the whole text
(Radford et al., *Improving Language Understanding by Generative Pre-Training*, 2018); on a BERT the first token's, or the mean
(Devlin et al., *BERT*, 2019).
"""

from collections.abc import Hashable, Sequence
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.neural_lm import without_dropout
from helpers.probability import check_ids
from helpers.training.data import Batch, padded
from helpers.transformer import BERT, GPT

from .lora import TARGETS, add_lora, check_no_lora, n_trainable

Pooling = Literal["last", "mean", "first"]
Trained = Literal["head", "full", "lora"]
POOLINGS: dict[type, tuple[Pooling, ...]] = {GPT: ("last",), BERT: ("mean", "first")}  # the first one if nothing is said
ANY = 2**31  # ids below it: the vocabulary is the model's, and it looks at them when it reads them
READ_AT_ONCE = 64  # texts


class Classifier(nn.Module):
    """ids (B, T) → logits (B, n_labels); the head begins at zero, so that at first all labels are equally likely.

    labels: the names, at least two; pooling: "last" for a GPT; "mean" (of the real tokens) or "first" for a BERT, whose texts
    then begin with a token made for it, such as [CLS]. block_size: the longest text that can be classified. Before a text a GPT
    reads its end token, as always, so that is one token less than its context length. A longer text is refused, not cut.

    The model is not copied: training changes it. To keep it, `save_model(classifier.model, …)`; a run of a classifier keeps no
    checkpoints (leave out=… out). Raises ValueError for another kind of model, pooling or labels.
    """

    def __init__(self, model: GPT | BERT, labels: Sequence[Hashable], pooling: Pooling | None = None):
        super().__init__()
        offered = next((kinds for family, kinds in POOLINGS.items() if isinstance(model, family)), None)
        if offered is None:
            raise ValueError(f"a classifier is put on a GPT or a BERT, got {type(model).__name__}")
        self.model, self.labels, self.pooling = model, list(labels), pooling or offered[0]
        if self.pooling not in offered:
            raise ValueError(f"pooling of a {type(model).__name__} must be {' or '.join(offered)}, got {pooling!r}")
        if len(set(self.labels)) < max(2, len(self.labels)):
            raise ValueError(f"need at least two labels, each once, got {self.labels}")
        self.block_size = model.block_size - isinstance(model, GPT)
        self.head = nn.Linear(model.config.n_embd, len(self.labels), device=model.embedding.weight.device)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Scores: ids (B, T) → logits (B, n_labels). mask: (B, T) bool, True for the real tokens, which come first.

        Raises ValueError for texts longer than block_size.
        """
        return self.head(self.features(ids, mask))

    def features(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """What the head is given, one vector a text: ids (B, T) → (B, C); as for `forward`."""
        ids = ids.to(self.head.weight.device)
        mask = torch.ones_like(ids, dtype=torch.bool) if mask is None else mask.to(ids.device)
        if ids.shape[1] > self.block_size:
            raise ValueError(_too_long(ids.shape[1], self.block_size))
        n = mask.sum(dim=1)  # (B,) real tokens
        if self.pooling == "last":
            stream = _last_stream(self.model, F.pad(ids, (1, 0), value=self.model.end))  # (B, 1 + T, C)
            return stream[torch.arange(len(n), device=n.device), n]  # causal: what is padded after it cannot be seen from there
        stream = self.model.hidden(ids, mask)  # (B, T, C)
        return stream[:, 0] if self.pooling == "first" else (stream * mask[..., None]).sum(dim=1) / n[:, None]

    @torch.no_grad()
    def predict_log_probs(self, texts: Sequence[ArrayLike]) -> np.ndarray:
        """Log probability of each label: N texts, lists of ids → (N, n_labels) nats.

        Raises ValueError for a text that is empty or too long.
        """
        rows = [check_ids(text, self.model.vocab_size) for text in texts]
        _check_lengths(rows)
        found = [np.empty((0, len(self.labels)))]
        with without_dropout(self):
            for begin in range(0, len(rows), READ_AT_ONCE):
                logits = self(*padded(rows[begin : begin + READ_AT_ONCE], 0))
                found.append(logits.cpu().double().log_softmax(dim=-1).numpy())
        return np.concatenate(found)

    def accuracy(self, texts: Sequence[ArrayLike], labels: Sequence[Hashable]) -> float:
        """The share of texts whose likeliest label is the true one; ValueError for no texts, or labels that do not fit."""
        numbers = label_numbers(texts, labels, self.labels)
        return float((self.predict_log_probs(texts).argmax(axis=1) == numbers).mean())


def freeze(classifier: Classifier, trained: Trained, *, rank: int = 8, alpha: float = 16.0, seed: int = 0) -> int:
    """Choose what training may move → how many numbers that is: the "head" alone, all ("full"), or head and "lora".

    rank, alpha, seed: of the LoRA on queries and values; see `add_lora`. What the model needs to predict tokens only is never
    moved. Raises ValueError for another choice, and for "full" or "lora" on a model that has LoRA already.
    """
    if trained not in get_args(Trained):
        raise ValueError(f"trained must be one of {', '.join(get_args(Trained))}, got {trained!r}")
    if trained == "lora":
        add_lora(classifier.model, rank, alpha, TARGETS, seed)
    else:
        if trained == "full":
            check_no_lora(classifier.model)
        classifier.model.requires_grad_(trained == "full")
        for p in _only_for_tokens(classifier.model):
            p.requires_grad_(False)
    classifier.head.requires_grad_(True)
    return n_trainable(classifier)


class LabelledData:
    """Texts, lists of ids, each with one of the names: a `Data` for training a `Classifier` with these labels, in nats a text.

    names: classifier.labels. pad_id: any token; it is never looked at. A batch is drawn with replacement and as long as its
    longest text. Raises ValueError for no texts, an empty one, a label that is no name, or other numbers of texts and labels.
    """

    def __init__(self, texts: Sequence[ArrayLike], labels: Sequence[Hashable], pad_id: int, names: Sequence[Hashable]):
        self.labels = torch.from_numpy(label_numbers(texts, labels, names))
        self.texts, self.pad_id = [check_ids(text, ANY) for text in texts], pad_id
        self.longest = _check_lengths(self.texts)

    def batch(self, n: int, length: int, generator: torch.Generator) -> Batch:
        """Ids (n, T), which of them are real (n, T), labels (n,). ValueError where any of the texts is longer than `length`."""
        if self.longest > length:
            raise ValueError(_too_long(self.longest, length))
        chosen = torch.randint(len(self.texts), (n,), generator=generator)
        return *padded([self.texts[i] for i in chosen], self.pad_id), self.labels[chosen]

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Mean cross-entropy of the labels."""
        ids, mask, labels = batch
        return F.cross_entropy(model(ids, mask).float(), labels)

    def to(self, device: torch.device) -> "LabelledData":
        """The same: texts are padded on the CPU."""
        return self


def label_numbers(texts: Sequence[ArrayLike], labels: Sequence[Hashable], names: Sequence[Hashable]) -> np.ndarray:
    """Each label's place among the names, (N,) int64; ValueError for an unknown one, none, or not one for each text."""
    if not len(texts) or len(texts) != len(labels):
        raise ValueError(f"need a label for each text, and at least one text, got {len(texts)} texts and {len(labels)} labels")
    number = {name: i for i, name in enumerate(names)}
    unknown = [label for label in labels if label not in number]
    if unknown:
        raise ValueError(f"label {unknown[0]!r} is not among {list(names)}; name all labels when the classifier is made")
    return np.array([number[label] for label in labels])


def _check_lengths(rows: Sequence[np.ndarray]) -> int:
    lengths = [len(row) for row in rows]
    if 0 in lengths:
        raise ValueError(f"text {lengths.index(0)} is empty; a classifier needs at least one token, so leave it out")
    return max(lengths, default=0)


def _too_long(n: int, most: int) -> str:
    return (
        f"a text has {n} tokens, and at most {most} can be classified (a GPT's end token takes one place of the context); "
        "crop it, or take a model with a larger block_size"
    )


def _last_stream(model: GPT, ids: Tensor) -> Tensor:
    """The stream that a GPT's head would read, (B, T, C). The head itself is given no position, and so costs nothing."""
    kept: list[Tensor] = []

    def keep(_: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
        kept.append(inputs[0])
        return (inputs[0][:, :0],)

    handle = model.head.register_forward_pre_hook(keep)
    try:
        model(ids)
    finally:
        handle.remove()
    return kept[0]


def _only_for_tokens(model: GPT | BERT) -> list[nn.Parameter]:
    """What only the prediction of tokens needs, so that no gradient of a classifier's reaches it."""
    parts = [model.head] if isinstance(model, GPT) else [model.head, model.transform, model.transform_norm]
    return [p for part in parts for p in part.parameters() if p is not model.embedding.weight]
