"""Two real sets: SST-2 for sentiment and Multi30k for translation, small on a CPU and in full on a GPU.

Used in `08_adapting_and_applications.ipynb`; `python -m helpers.applications --help` is the same from the command line. SST-2:
Socher et al., *Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank* (2013), as GLUE has it. Multi30k:
Elliott et al., *Multi30K: Multilingual English-German Image Descriptions* (2016).

How each is learned says `real_presets`; its presets `gpu` have never been run in full.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from os import PathLike
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers import corpora
from helpers.adapting import Classifier, LabelledData, freeze
from helpers.attention import MultiHeadAttention
from helpers.neural_lm import device as fastest_device
from helpers.neural_lm import without_dropout
from helpers.tokenizers import BPETokenizer, Tokenizer, WordTokenizer
from helpers.training import History, PairData, train
from helpers.training.data import padded
from helpers.transformer import BERT, BERTConfig, EncoderDecoder, EncoderDecoderConfig, WeightsError

from .answering import Retriever
from .real_presets import MULTI30K, SST2, RealPreset, Reference
from .sentiment import SentimentScores, bag_of_words, majority, sentiment_scores
from .translation import TranslationScores, translation_scores

Callback = Callable[[int, History], None]
Scores = SentimentScores | TranslationScores
NEGATIVE, POSITIVE = 0, 1  # SST-2's labels
AT_ONCE = 100  # sentences that are translated together


@dataclass(frozen=True)
class RealScores:
    """How well a real set was learned: the model's scores beside the baselines', sizes, seconds, and a few samples.

    samples: (text, what the model says, the truth); reference: what others report, not measured by us.
    """

    task: str
    scores: Scores
    baselines: Mapping[str, Scores]
    n_train: int
    n_test: int
    vocab_size: int
    params: int
    train_seconds: float
    all_seconds: float
    device: str
    samples: tuple[tuple[str, str, str], ...]
    reference: Reference | None

    def told(self) -> dict[str, Any]:
        """All but the samples, as JSON knows it."""
        told = asdict(replace(self, samples=()))
        del told["samples"]
        return told


def run_sst2(
    preset: str | RealPreset = "small", *, steps: int | None = None, seed: int = 0, device: str | None = None,
    source: str | PathLike | None = None, n_train: int | None = None, n_test: int | None = None,
    callback: Callback | None = None,
) -> RealScores:  # fmt: skip
    """Train a classifier on SST-2's phrases, and grade it on the development sentences beside majority and bags of words.

    source: weights in place of the preset's, a name or a folder; steps, n_train, n_test: fewer than the preset's, the first
    ones of each file; callback: as in `train`. Raises ValueError for an unknown preset and numbers below 1, WeightsError where
    the weights cannot be had, CorpusError where the set cannot.
    """
    began, chosen = time.perf_counter(), _chosen(SST2, preset, steps, seed, n_test)
    if source is not None:
        if chosen.pretrained is None:
            raise ValueError(
                "this preset trains from scratch, so it takes no weights; leave them out, or choose the preset gpu"
            )
        chosen = replace(chosen, pretrained=str(source))
    phrases, labels = _first(_phrases("train"), n_train)
    texts, truth = _first(_phrases("val"), chosen.n_test)
    torch.manual_seed(seed)
    model, encode = _pretrained(chosen) if chosen.pretrained else _small_bert(chosen, phrases, seed)
    classifier = Classifier(model, [NEGATIVE, POSITIVE], "first" if chosen.pretrained else "mean")
    freeze(classifier, "full")
    classifier.to(device or fastest_device())
    data = LabelledData(encode(phrases), labels, 0, classifier.labels)
    history = train(classifier, data, chosen.train, callback=callback)
    predicted = classifier.predict_log_probs(encode(texts)).argmax(axis=1).tolist()
    baselines = {"majority": majority(phrases, labels).predict(texts).tolist()}
    for n, name in ((1, "bag of words"), (2, "bag of words and pairs")):
        baselines[name] = bag_of_words(phrases, labels, n).predict(texts).tolist()
    names = {NEGATIVE: "negative", POSITIVE: "positive"}
    return RealScores(
        "sst2", sentiment_scores(predicted, truth, POSITIVE),
        {name: sentiment_scores(found, truth, POSITIVE) for name, found in baselines.items()},
        len(phrases), len(texts), model.vocab_size, _size(classifier), round(history.seconds, 2),
        round(time.perf_counter() - began, 2), str(classifier.head.weight.device),
        tuple((t, names[p], names[y]) for t, p, y in zip(texts[:5], predicted, truth, strict=False)), chosen.reference,
    )  # fmt: skip


def run_multi30k(
    preset: str | RealPreset = "small", *, steps: int | None = None, seed: int = 0, device: str | None = None,
    n_train: int | None = None, n_test: int | None = None, callback: Callback | None = None,
) -> RealScores:  # fmt: skip
    """Train an encoder–decoder on Multi30k, English to German, and grade its greedy translations of the test set of 2016.

    The baseline gives the German of the training sentence whose English is nearest by BM25. The other arguments, and what is
    raised, are as for `run_sst2`.
    """
    began, chosen = time.perf_counter(), _chosen(MULTI30K, preset, steps, seed, n_test)
    english, german = _first(_pairs("train"), n_train)
    texts, truth = _first(_pairs("test"), chosen.n_test)
    tokenizer, end, unknown = _tokenizer(chosen, [*english, *german])
    config = EncoderDecoderConfig(vocab_size=tokenizer.vocab_size, end=end, seed=seed, **chosen.model)
    model = EncoderDecoder(config, tokenizer.vocab).to(device or fastest_device())
    ids = [[tokenizer.encode(text) for text in side] for side in (english, german)]
    history = train(model, PairData(*ids, tokenizer.vocab_size, end, end), chosen.train, callback=callback)
    found = translate(model, [tokenizer.encode(text) for text in texts], never=unknown)
    found = [tokenizer.decode(row) for row in found]
    nearest, learned = Retriever(english), model.embedding.weight
    baseline = [german[nearest.best(text)[0].index] for text in texts]
    return RealScores(
        "multi30k", translation_scores(found, truth, "de"), {"nearest sentence": translation_scores(baseline, truth, "de")},
        len(english), len(texts), tokenizer.vocab_size, _size(model), round(history.seconds, 2),
        round(time.perf_counter() - began, 2), str(learned.device),
        tuple(zip(texts[:5], found[:5], truth[:5], strict=True)), chosen.reference,
    )  # fmt: skip


@torch.no_grad()
def translate(
    model: EncoderDecoder, sources: Sequence[Sequence[int]], max_new_tokens: int = 60, never: Sequence[int] = ()
) -> list[list[int]]:
    """The likeliest token at each place, for many sources at once: N lists of ids → N lists of ids, without the end token.

    A source longer than the model's context is cut. never: tokens that are not to be written, such as the unknown one. Raises
    ValueError for an empty source, and where max_new_tokens is below 1.
    """
    if max_new_tokens < 1 or not all(len(source) for source in sources):
        raise ValueError("expected sources of at least one token, and max_new_tokens of at least 1")
    config, place, found = model.config, model.embedding.weight.device, []
    start = config.end if config.start is None else config.start
    with without_dropout(model):
        for begin in range(0, len(sources), AT_ONCE):
            rows = [np.asarray(row[: model.block_size]) for row in sources[begin : begin + AT_ONCE]]
            source, real = (tensor.to(place) for tensor in padded(rows, config.end))
            memory, cache = model.encode(source, real), model.new_cache()
            token = torch.full((len(rows), 1), start, device=place)
            done, written = torch.zeros_like(token, dtype=torch.bool), []
            for _ in range(min(max_new_tokens, model.block_size)):
                logits = model.decode(token, memory, real, cache)[:, -1]  # (B, V)
                logits[:, list(never)] = -torch.inf
                token = logits.argmax(dim=-1, keepdim=True).masked_fill(done, config.end)
                done |= token == config.end
                written.append(token)
                if done.all():
                    break
            table = torch.cat(written, dim=1).tolist()
            found += [row[: row.index(config.end)] if config.end in row else row for row in table]
    return found


def _chosen(
    presets: Mapping[str, RealPreset], preset: str | RealPreset, steps: int | None, seed: int, n_test: int | None
) -> RealPreset:
    if isinstance(preset, str):
        if preset not in presets:
            raise ValueError(f"there is no preset {preset!r}; choose one of {', '.join(presets)}")
        preset = presets[preset]
    training = replace(preset.train, seed=seed, steps=preset.train.steps if steps is None else steps)
    return replace(preset, train=training, n_test=preset.n_test if n_test is None else n_test)


def _first(sides: tuple[list, list], n: int | None) -> tuple[list, list]:
    if n is not None and n < 1:
        raise ValueError(f"n_train and n_test must be at least 1, or None for all, got {n}")
    return sides[0][:n], sides[1][:n]


def _phrases(split: str) -> tuple[list[str], list[int]]:
    """(phrases, labels) of SST-2; the first line of its files is a header."""
    rows = [line.split("\t") for line in corpora.load("sst2", split).splitlines()[1:]]
    return [text.strip() for _, text in rows], [int(label) for label, _ in rows]


def _pairs(split: str) -> tuple[list[str], list[str]]:
    """(English, German) of Multi30k."""
    rows = [line.split("\t") for line in corpora.load("multi30k", split).removesuffix("\n").split("\n")]
    return [english for english, _ in rows], [german for _, german in rows]


def _tokenizer(chosen: RealPreset, texts: Sequence[str]) -> tuple[Tokenizer, int, list[int]]:
    """A tokenizer of these texts, the id that ends a text, and those that are never written."""
    if chosen.tokenizer == "bpe":
        tokenizer = BPETokenizer.train("\n".join(texts), chosen.max_vocab, special_tokens=["</s>"])
        return tokenizer, tokenizer.special_tokens["</s>"], []
    tokenizer = WordTokenizer.train("\n".join([*texts, ""]), chosen.max_vocab)
    return tokenizer, tokenizer.vocab.index("\n"), [0]  # no text has a newline inside, and the unknown token has id 0


Encode = Callable[[Sequence[str]], list[list[int]]]


def _small_bert(chosen: RealPreset, phrases: Sequence[str], seed: int) -> tuple[BERT, Encode]:
    """A BERT of the course's own, untrained, on the words of the phrases."""
    tokenizer, end, _ = _tokenizer(chosen, phrases)
    model = BERT(BERTConfig(vocab_size=tokenizer.vocab_size, end=end, seed=seed, **chosen.model), tokenizer.vocab)
    return model, lambda texts: [tokenizer.encode(text)[: model.block_size] for text in texts]


def _pretrained(chosen: RealPreset) -> tuple[BERT, Encode]:
    """A pre-trained BERT, and its own tokenizer, which puts [CLS] before each text and [SEP] after it."""
    model = BERT.from_huggingface(chosen.pretrained)
    from transformers import AutoTokenizer  # is there, or the weights could not have been read

    try:
        tokenizer = AutoTokenizer.from_pretrained(chosen.pretrained)
        known = len(tokenizer)
        if not len(tokenizer.all_special_tokens) < known <= model.vocab_size:  # without its files one without words is made
            raise ValueError(f"it knows {known} tokens, and the model {model.vocab_size}")
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(
            f"the tokenizer of {chosen.pretrained!r} cannot be had; it must lie beside the weights, as tokenizer.json or "
            f"vocab.txt. The reason: {error}"
        ) from error
    for module in model.modules():  # weights say nothing of dropout
        if isinstance(module, nn.Dropout):
            module.p = chosen.model["dropout"]
        elif isinstance(module, MultiHeadAttention):
            module.dropout = chosen.model["dropout"]
    return model, lambda texts: tokenizer(list(texts), truncation=True, max_length=model.block_size)["input_ids"]


def _size(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())
