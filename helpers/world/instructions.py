"""Instructions: what is to be done with a text, in words, the text, and the answer.

    Translate into Chinese: Tom bought four big lamps today.    汤姆今天买了四盏大的灯。
    Name the thing: Tom bought four big lamps today.            lamp

Each kind of text comes with several jobs, so the text alone does not say what to do, as it does in all other documents of the
world. Every job has two wordings to learn from and one that is kept for testing; one job is never shown on one kind of text.
Used in `08_adapting_and_applications.ipynb`. Source: Wei et al., *Finetuned Language Models Are Zero-Shot Learners* (2022).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from .grammars import grammar
from .labels import label
from .programs import run_program
from .randomness import SplitMix64
from .reading import derive
from .tokens import detokenize, tokenize

WORDINGS: Mapping[str, tuple[str, str, str]] = {  # two to learn from, and one kept for testing
    "translate": ("Translate into Chinese", "Say it in Chinese", "Say the text in Chinese"),
    "repeat": ("Repeat the text", "Say it again", "Repeat it"),
    "thing": ("Name the thing", "What is it about", "Which thing is it about"),
    "summarise": ("Sum up the text", "Say it in short", "Sum it up"),
    "hero": ("Name the hero", "Who is it about", "Which hero is it about"),
    "judge": ("Judge the text", "Is it good or bad", "Is the text good or bad"),
    "program": ("Write a program", "Say it in Python", "Say the text in Python"),
    "compute": ("Name the result", "What comes out", "Which result comes out"),
}
NEVER_TOGETHER = ("repeat", "review")  # job and kind that stand together in no example to learn from
LABELS = {"positive": "good", "negative": "bad"}


class Instruction(NamedTuple):
    """A prompt, which ends in a tab, and its answer; job: a key of WORDINGS; kind: of the text."""

    job: str
    kind: str
    prompt: str
    answer: str


def _found(kind: str, name: str) -> Callable[[str], str]:
    return lambda document: derive(document, "full", kind).env[name]


def _before_tab(document: str) -> str:
    return document.partition("\t")[0]


def _after_tab(document: str) -> str:
    return document.partition("\t")[2]


ANSWERS: Mapping[str, Mapping[str, Callable[[str], str]]] = {  # kind → job → what the answer is to a document of this kind
    "pair": {"translate": _after_tab, "repeat": _before_tab, "thing": _found("pair", "thing")},
    "summary": {"summarise": _after_tab, "hero": _found("summary", "hero")},
    "review": {
        "judge": lambda text: LABELS[label(text)],
        "thing": _found("review", "thing"),
        "repeat": str,
    },
    "task": {"program": _after_tab, "compute": lambda text: run_program(_after_tab(text)), "repeat": _before_tab},
}


def sample_instructions(
    n: int, seed: int, split: str = "train", new_wording: bool = False, kinds: Sequence[str] = tuple(ANSWERS)
) -> list[Instruction]:
    """Draw n instructions about texts of these kinds; in split "train" never NEVER_TOGETHER, and never the third wording.

    new_wording: the third wording in place of the two that are learned from; for split "val" only. Raises ValueError for a
    negative n, another split, new wordings to learn from, and unknown kinds or none.
    """
    if n < 0 or split not in ("train", "val") or (new_wording and split == "train"):
        raise ValueError(
            "expected n of 0 or more, split 'train' or 'val', and new wordings with 'val' only; "
            f"got {n}, {split!r}, new_wording={new_wording}"
        )
    if not kinds or not set(kinds) <= ANSWERS.keys():
        raise ValueError(f"kinds must be some of {', '.join(ANSWERS)}, got {list(kinds)}")
    rng, found = SplitMix64(seed), []
    for _ in range(n):
        kind = kinds[rng.below(len(kinds))]
        jobs = [job for job in ANSWERS[kind] if split != "train" or (job, kind) != NEVER_TOGETHER]
        job, wording = jobs[rng.below(len(jobs))], 2 if new_wording else rng.below(2)
        document = grammar(split, kind).sample(rng)
        found.append(
            Instruction(job, kind, instruct(WORDINGS[job][wording], _before_tab(document)), ANSWERS[kind][job](document))
        )
    return found


def instruct(wording: str, text: str) -> str:
    """The prompt that asks for something to be done with a text."""
    return detokenize([*wording.split(), ":", *tokenize(text), "\t"])
