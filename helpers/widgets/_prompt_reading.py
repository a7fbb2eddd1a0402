"""What the prompt lab computes: the prompt of each choice, what a model gives the answers after it, and answers that it writes.

A module of its own because it loads torch, which the other widgets do without.
"""

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from helpers.adapting import Template, calibrated, label_log_probs
from helpers.attention import WindowedLM
from helpers.attention.windowed import window_start
from helpers.probability import LanguageModel, check_ids
from helpers.sampling import normalise, stream
from helpers.tokenizers import Tokenizer

Example = Mapping[str, object]
REMEMBERED = 4000  # prompts whose numbers are kept, so that going back costs nothing
MOST = 10**6  # the largest seed
WHOLE, FROM_TO = ("n_shots", "order", "question", "seed"), {"temperature": (0, 5), "top_p": (0.01, 1)}


@dataclass(frozen=True)
class Choice:
    """What can be chosen. order: 0 for the shots as they were given, else the seed of a shuffle. question: its place."""

    template: str
    n_shots: int = 0
    order: int = 0
    question: int = 0
    calibrate: bool = False
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0
    sampled: bool = False


@dataclass(frozen=True)
class Answer:
    """What a model wrote, whether it ended by itself, and how likely that was, without the token that ended it."""

    text: str
    ended: bool
    probability: float


@dataclass
class PromptReader:
    """Models, and all that prompts are made of. Raises ValueError for what does not fit together, an empty list included."""

    models: Mapping[str, LanguageModel]
    encode: Callable[[str], ArrayLike] | Tokenizer
    templates: Sequence[str]
    shots: Sequence[Example]
    questions: Sequence[Example]
    labels: tuple[str, ...] | None
    between: str
    content_free: Sequence[Example]
    decode: Callable[[ArrayLike], str] | None
    stop: Sequence[str | int]
    max_new_tokens: int

    def __post_init__(self):
        if not self.templates or not self.questions:
            raise ValueError(f"need a template and a question, got {len(self.templates)} and {len(self.questions)}")
        if self.max_new_tokens < 1:
            raise ValueError(f"max_new_tokens must be at least 1, got {self.max_new_tokens}")
        if self.content_free and not self.labels:
            raise ValueError("content_free calibrates labels, and there are none; pass labels too, or leave it out")
        if isinstance(self.encode, Tokenizer):
            self.decode, self.encode = self.decode or self.encode.decode, self.encode.encode
        self._stop = {name: self._stop_ids(name) for name in self.models}
        self._known: dict[tuple, np.ndarray] = {}
        for template in self.templates:
            for i in range(len(self.questions)):
                self.checked(Choice(template, len(self.shots), question=i))

    def _stop_ids(self, name: str) -> set[int]:
        model, ids = self.models[name], {token for token in self.stop if not isinstance(token, str)}
        index = {token: i for i, token in enumerate(model.vocab)}
        if missing := [token for token in self.stop if isinstance(token, str) and token not in index]:
            raise ValueError(f"the stop token {missing[0]!r} is not in the vocabulary of {name}; name tokens, or their ids")
        ends = {model.end} if isinstance(model, WindowedLM) else set()  # after it another text begins
        return ids | ends | {index[token] for token in self.stop if isinstance(token, str)}

    def checked(self, choice: Choice) -> Choice:
        """The same; ValueError for what is out of range, and for a template that cannot be read or asks for no label."""
        for name, most in zip(WHOLE, (len(self.shots), MOST, len(self.questions) - 1, MOST), strict=True):
            value = getattr(choice, name)
            if type(value) is not int or not 0 <= value <= most:
                raise ValueError(f"{name} must be a whole number from 0 to {most}, got {value!r}")
        for name, (low, high) in FROM_TO.items():
            value = getattr(choice, name)
            if type(value) not in (int, float) or not low <= value <= high:
                raise ValueError(f"{name} must be from {low} to {high}, got {value!r}")
        if choice.calibrate and not self.content_free:
            raise ValueError("to calibrate needs labels and content_free, a question without content")
        template = Template(choice.template)
        for example in (*self.shots, *self.questions):
            template.fill(example)
        truth = self.truth(choice)
        if self.labels and truth not in self.labels:
            raise ValueError(
                f"the template asks for {{{template.answer}}}, here {truth!r}, which is none of the labels "
                f"{', '.join(map(repr, self.labels))}; write the field of the label last"
            )
        return choice

    # ---- texts

    def chosen(self, choice: Choice) -> list[Example]:
        """The shots that stand in the prompt, in their order: the first of all, which were shuffled before."""
        order, rng = np.arange(len(self.shots)), np.random.default_rng(choice.order)
        while choice.order and len(order) > 1 and (order[1:] > order[:-1]).all():  # to shuffle is to change something
            order = rng.permutation(order)
        return [self.shots[i] for i in order[: choice.n_shots]]

    def prompt(self, choice: Choice, question: Example | None = None) -> str:
        """What a model reads; of another question where one is given."""
        question = self.questions[choice.question] if question is None else question
        return Template(choice.template).prompt(question, self.chosen(choice), self.between)

    def truth(self, choice: Choice) -> str:
        """The true answer."""
        return str(self.questions[choice.question][Template(choice.template).answer])

    def answers(self, choice: Choice) -> tuple[str, ...]:
        """The answers whose probability is looked at: the labels, or the true one alone."""
        return self.labels or (self.truth(choice),)

    def ids(self, choice: Choice) -> list[int]:
        """The prompt's token ids. Raises ValueError for ids that a model has not."""
        least = min(model.vocab_size for model in self.models.values())
        return check_ids(self.encode(self.prompt(choice)), least).tolist()

    def forgotten(self, name: str, n_tokens: int) -> int:
        """How many of a prompt's first tokens are out of the context when the answer comes."""
        model = self.models[name]
        if not isinstance(model, WindowedLM):
            return 0
        return max(0, window_start(1 + n_tokens, model.block_size) - 1)  # 1: the end token that stands before every text

    # ---- numbers

    def log_probs(self, name: str, prompts: Sequence[str], answers: tuple[str, ...]) -> np.ndarray:
        """As by `label_log_probs`, and remembered: (n_prompts, n_answers) nats."""
        keys = [(name, prompt, answers) for prompt in prompts]
        if len(self._known) > REMEMBERED:
            self._known.clear()
        new = list(dict.fromkeys(key for key in keys if key not in self._known))
        if new:
            found = label_log_probs(self.models[name], self.encode, [prompt for _, prompt, _ in new], answers)
            self._known.update(zip(new, found, strict=True))
        return np.stack([self._known[key] for key in keys])

    def given(self, name: str, choice: Choice) -> np.ndarray:
        """Log probability that a model gives each answer: (n_answers,) nats."""
        return self.log_probs(name, [self.prompt(choice)], self.answers(choice))[0]

    def shares(self, name: str, choice: Choice) -> np.ndarray:
        """Probability of each label among the labels, calibrated where that is chosen; without labels, of the true answer."""
        found = self.given(name, choice)
        if not self.labels or not np.isfinite(found).any():
            return np.exp(found)
        if choice.calibrate:
            empty = [self.prompt(choice, question) for question in self.content_free]
            return np.exp(calibrated(found, self.log_probs(name, empty, self.labels)))
        return np.exp(normalise(found))

    def chances(self, name: str, choices: Sequence[Choice]) -> list[float | None]:
        """The true answer's share for each choice; None where it cannot be read."""
        with contextlib.suppress(Exception):  # where one of them cannot be read, each is read alone
            self._read_together(name, choices)
        return [self._chance(name, choice) for choice in choices]

    def _read_together(self, name: str, choices: Sequence[Choice]) -> None:
        prompts: dict[tuple[str, ...], list[str]] = {}
        for choice in choices:
            questions = [None, *self.content_free] if choice.calibrate else [None]
            prompts.setdefault(self.answers(choice), []).extend(self.prompt(choice, each) for each in questions)
        for answers, texts in prompts.items():
            self.log_probs(name, texts, answers)

    def _chance(self, name: str, choice: Choice) -> float | None:
        try:
            return float(self.shares(name, choice)[self.answers(choice).index(self.truth(choice))])
        except Exception:  # whatever a learner's own encode or model raises; going there says what it is
            return None

    def answer(self, name: str, choice: Choice) -> Answer:
        """What the model writes with the sampling settings, and the probability that it gave this before any setting."""
        model, ids = self.models[name], self.ids(choice)
        top_p = None if choice.top_p == 1 else choice.top_p
        settings = {"temperature": choice.temperature, "top_p": top_p, "stop": self._stop[name], "seed": choice.seed}
        new = list(stream(model, ids, self.max_new_tokens, **settings))
        ended = new[-1] in self._stop[name]
        written = new[:-1] if ended else new
        scored = written or new  # of an empty answer, that it ended
        log_p = model.log_probs([*ids, *scored])[len(ids) :].sum()
        return Answer(self._text(model, written), ended, math.exp(log_p))

    def _text(self, model: LanguageModel, ids: list[int]) -> str:
        return self.decode(ids) if self.decode else " ".join(model.vocab[i] for i in ids)
