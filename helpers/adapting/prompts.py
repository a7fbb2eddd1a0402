"""Prompts: examples and a question written as one text, and how likely the model finds each label after it.

Derived in `08_adapting_and_applications.ipynb`. Prompting changes what a model reads, never its weights. Few-shot prompts:
Brown et al., *Language Models are Few-Shot Learners* (2020). Calibration: Zhao et al., *Calibrate Before Use: Improving
Few-Shot Performance of Language Models* (2021). Order: Lu et al., *Fantastically Ordered Prompts and Where to Find Them*
(2022).
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise, permutations
from string import Formatter

import numpy as np
from numpy.typing import ArrayLike

from helpers.probability import LanguageModel, Reader
from helpers.sampling import normalise

Encode = Callable[[str], Sequence[int]]
SIDE_BY_SIDE = 64  # prompts that are read together


class Template:
    """A text with named fields, the last of which is the answer: `Template("{text}\\nIt was {label}")`.

    A field is {name}; {{ and }} are braces. Raises ValueError for a template without fields, or with others.

    >>> Template("{a} + {b} = {sum}").prompt({"a": 2, "b": 3}, shots=[{"a": 1, "b": 1, "sum": 2}])
    '1 + 1 = 2\\n2 + 3 = '
    """

    def __init__(self, text: str):
        self.text = text
        self.parts = _parts(text)  # (what stands before a field, the field's name); the name is None after the last field
        self.fields = [name for _, name in self.parts if name is not None]
        if not self.fields:
            raise ValueError(f"the template {text!r} has no field; write one as {{name}}")
        self.answer = self.fields[-1]
        if self.answer in self.fields[:-1]:
            raise ValueError(f"the template {text!r} shows its answer, {{{self.answer}}}, before asking for it; write it once")

    def fill(self, example: Mapping[str, object]) -> str:
        """The whole template with an example's values in it; fields of the example that it has not are left out.

        Values are put in as they are: braces in them mean nothing. Raises ValueError for a field that the example has not.
        """
        return self._filled(example, len(self.parts))

    def prompt(
        self, question: Mapping[str, object], shots: Sequence[Mapping[str, object]] = (), between: str = "\n"
    ) -> str:  # fmt: skip
        """The shots, each filled, and the question up to where its answer would stand, which is the prompt's end.

        Shots stand in the order given, so that the last is next to the question; `between` follows each. An answer that the
        question has is never looked at. Raises ValueError for a field that a shot or the question has not.
        """
        last = 1 + self.parts.index(next(part for part in self.parts if part[1] == self.answer))
        asked = self._filled({**question, self.answer: ""}, last)
        return "".join(self.fill(shot) + between for shot in shots) + asked

    def _filled(self, example: Mapping[str, object], n_parts: int) -> str:
        if missing := [name for name in self.fields if name not in example]:
            raise ValueError(f"the template needs the field {missing[0]!r}, and the example has only {list(example)}; add it")
        return "".join(text + ("" if name is None else str(example[name])) for text, name in self.parts[:n_parts])

    def __repr__(self) -> str:
        return f"Template({self.text!r})"


def _parts(text: str) -> list[tuple[str, str | None]]:
    """(text before it, name) of each field; anything that `str.format` would read into a field but its name is refused."""
    try:
        parsed = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"the template {text!r} cannot be read: {error}; write braces that are text twice, {{{{") from None
    for _, name, spec, conversion in parsed:
        if name is not None and (not name.isidentifier() or spec or conversion):
            raise ValueError(f"the template {text!r} has a field that is not a plain name: {name!r}; write {{name}}, no more")
    return [(before, name) for before, name, _, _ in parsed]


def label_log_probs(
    model: LanguageModel, encode: Encode, prompt: str | Sequence[str], labels: Sequence[str]
) -> np.ndarray:  # fmt: skip
    """Log probability of each label's text after a prompt: (n_labels,) nats; after each of B prompts: (B, n_labels).

    A label may be several tokens: log p(label | prompt) = Σ_t log p(label_t | prompt, label_<t). Each prompt is read once, and
    each label goes on from a copy of what was read. The labels' probabilities need not sum to one (`normalise` makes them),
    and a longer label is a product of more factors: labels of equally many tokens compare best.

    Prompt and label are encoded one after the other, so a label is to be written as it follows the prompt: " good", with its
    blank, where tokens carry the blank before them. Raises ValueError for no labels, or one twice or without a token.
    """
    endings = _encoded_labels(encode, labels)
    if isinstance(prompt, str):
        return label_log_probs(model, encode, [prompt], labels)[0]
    prompts = [np.asarray(encode(text), dtype=np.int64) for text in prompt]
    scores = np.empty((len(prompts), len(labels)))
    for length in {len(ids) for ids in prompts}:  # those of one length are read together, so that nothing is padded
        rows = np.array([i for i, ids in enumerate(prompts) if len(ids) == length])
        for few in np.array_split(rows, -(-len(rows) // SIDE_BY_SIDE)):
            scores[few] = _scores(model, np.stack([prompts[i] for i in few]), endings)
    return scores


def _encoded_labels(encode: Encode, labels: Sequence[str]) -> list[list[int]]:
    if isinstance(labels, str) or not len(labels):
        raise ValueError(f"expected a list of label texts, got {labels!r}")
    endings = [list(encode(label)) for label in labels]
    for i, (label, ending) in enumerate(zip(labels, endings, strict=True)):
        if not ending:
            raise ValueError(f"the label {label!r} has no token, so it has no probability; write a label that has one")
        if ending in endings[:i]:
            first = labels[endings.index(ending)]
            raise ValueError(f"the labels {first!r} and {label!r} are the same tokens; write labels that differ")
    return endings


def _scores(model: LanguageModel, ids: np.ndarray, endings: list[list[int]]) -> np.ndarray:
    """Log probability of each ending after prompts of one length: (B, T) ids → (B, n_labels) nats."""
    reader = model.reader()
    first = reader.read(ids)  # (B, V)
    scores = np.empty((len(ids), len(endings)))
    for i, ending in enumerate(endings):
        scores[:, i] = first[:, ending[0]]
        branch = _branch(reader) if len(ending) > 1 else reader
        for before, token in pairwise(ending):
            scores[:, i] += branch.read(np.full((len(ids), 1), before))[:, token]
    return scores


def _branch(reader: Reader) -> Reader:
    """A second reader that has read the same. A reader holds its model and what it keeps of the text; only that is copied."""
    return copy.deepcopy(reader, {id(reader.model): reader.model})


def calibrated(log_probs: ArrayLike, content_free: ArrayLike) -> np.ndarray:
    """Labels' log probabilities without the prompt's own bias: (…, n_labels) nats → (…, n_labels) nats that sum to one.

    With p_i the probability of label i, normalised over the labels, and c_i the same for a question without content, such as
    "N/A" in place of the text: q_i = (p_i / c_i) / Σ_j (p_j / c_j), so that the question without content gets 1/n_labels for
    each. Zhao et al. write softmax(W p) with W = diag(c)⁻¹: the same winner, but no longer p where c is uniform.

    content_free: (n_labels,) nats, or (K, n_labels) of K such questions, whose probabilities are averaged, as they do. Raises
    ValueError where the labels are not equally many, or c_i is 0.
    """
    log_probs, content_free = np.asarray(log_probs, dtype=float), np.atleast_2d(np.asarray(content_free, dtype=float))
    if content_free.ndim != 2 or log_probs.shape[-1:] != content_free.shape[-1:]:
        raise ValueError(
            f"log_probs {log_probs.shape} and content_free {content_free.shape} must be of the same labels, the last axis"
        )
    for given in (log_probs, content_free):
        if not np.isfinite(given).any(axis=-1).all():
            raise ValueError("there is a row in which no label has any probability; smooth the model, or change the labels")
    bias = np.logaddexp.reduce(normalise(content_free), axis=0)  # log c (n_labels,), plus log K, which goes below
    if not np.isfinite(bias).all():
        raise ValueError(f"label {np.argmin(bias)} has probability 0 without content, and p / 0 is nothing; change the labels")
    return normalise(normalise(log_probs) - bias)


def accuracy_by_order(
    model: LanguageModel, encode: Encode, template: Template, examples: Sequence[Mapping[str, object]],
    shots: Sequence[Mapping[str, object]], labels: Sequence[str], between: str = "\n",
) -> dict[tuple[int, ...], float]:  # fmt: skip
    """Share of the examples answered rightly for each order of the shots: {(1, 0, 2): 0.75, …}, n! orders of n shots.

    The answer is the likeliest of the labels; an example is right where its answer field is that label. between: see `prompt`.
    """
    answers = np.array([labels.index(example[template.answer]) for example in examples])
    found = {}
    for order in permutations(range(len(shots))):
        prompts = [template.prompt(example, [shots[i] for i in order], between) for example in examples]
        found[order] = float((label_log_probs(model, encode, prompts, labels).argmax(axis=-1) == answers).mean())
    return found
