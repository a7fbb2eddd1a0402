"""Prompt lab: template, shots and sampling settings of a prompt, and how likely the true answer is under each.

Used in `08_adapting_and_applications.ipynb`. A prompt changes what a model reads and nothing in the model.
"""

import json
import math
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np
import traitlets
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from helpers.probability import LanguageModel
from helpers.tokenizers import Tokenizer
from helpers.widgets._base import PicturedWidget, script, visible
from helpers.widgets._prompt_picture import cut, prompt_picture
from helpers.widgets._suggestions import UNKNOWN, percent
from helpers.widgets._text import quoted, reason

if TYPE_CHECKING:
    from helpers.adapting import Template

Example = Mapping[str, object]
MODELS = 3  # at most, so that each stays readable
COLUMNS = 6  # of the table, and one more where the number of shots that is chosen is none of them


class PromptLab(PicturedWidget):
    """Choose or write a template, the number and order of the shots and a question, and see how likely each answer is.

    model: a LanguageModel, or {name: model}, three at most. encode: text → ids, or a Tokenizer. templates: Templates or their
    texts. shots, questions: examples, whose answer field is the truth; `between` follows each shot. labels: the answers to
    choose from, each written as it follows the prompt (see `label_log_probs`); None where any answer may come. content_free:
    a question without content, or several: with them labels can be calibrated. decode: ids → text; left out, the tokenizer's,
    or the tokens with blanks between. stop: tokens, or their ids, that end a written answer, as a GPT's end token always does.

    With labels, bars and table show the probability among the labels; without, of the true answer itself. `choice` is what is
    chosen, `set` changes it, `sample` writes an answer. The models are never changed. Raises ValueError for what does not fit:
    more than three models, an empty list, a template or example with a missing field, a truth that is none of the labels.
    """

    _esm = script("attention_explorer_controls.js", "prompt_lab.js")
    setup = traitlets.Unicode().tag(sync=True)  # as ASCII JSON, since a template may hold what is no valid text
    shown = traitlets.Unicode().tag(sync=True)  # the frame, likewise

    def __init__(
        self,
        model: LanguageModel | Mapping[str, LanguageModel],
        encode: Callable[[str], ArrayLike] | Tokenizer,
        templates: "Sequence[Template | str]",
        shots: Sequence[Example],
        questions: Sequence[Example],
        labels: Sequence[str] | None = None,
        *,
        n_shots: int = 0,
        decode: Callable[[ArrayLike], str] | None = None,
        stop: Sequence[str | int] = (),
        between: str = "\n",
        content_free: Example | Sequence[Example] | None = None,
        max_new_tokens: int = 24,
    ):
        from helpers.widgets._prompt_reading import Choice, PromptReader  # here: it loads torch

        self.models = dict(model) if isinstance(model, Mapping) else {"the model": model}
        if not 1 <= len(self.models) <= MODELS:
            raise ValueError(f"expected a model, or {{name: model, …}} of 1 to {MODELS}; got {list(self.models)}")
        if isinstance(templates, str) or isinstance(labels, str):
            raise ValueError(f"templates and labels are lists; got {templates!r} and {labels!r}")
        texts = list(dict.fromkeys(each if isinstance(each, str) else each.text for each in templates))
        empty = [content_free] if isinstance(content_free, Mapping) else list(content_free or ())
        self.reader = PromptReader(
            self.models, encode, texts, list(shots), list(questions), tuple(labels) if labels else None, between, empty,
            decode, tuple(stop), max_new_tokens,
        )  # fmt: skip
        self.frame: dict = {}
        self._lock = threading.RLock()  # what the browser sends may be answered by another thread
        super().__init__()
        self.choice = self.reader.checked(Choice(texts[0], n_shots))
        self._show(self._first(self.choice) | self._second(self.choice))
        self.setup = json.dumps(self._setup())
        self.on_msg(lambda widget, content, buffers: self._receive(content))

    @property
    def prompt(self) -> str:
        """The text that the models read."""
        return self.reader.prompt(self.choice)

    def set(self, **changes: object) -> None:
        """Choose: template (a text), n_shots, order, question (its place), calibrate, temperature, top_p, seed; see `Choice`.

        Raises ValueError, and changes nothing, for what is out of range or cannot be read.
        """
        with self._lock:
            choice = self.reader.checked(replace(self.choice, **changes))
            frame = self._first(choice) | self._second(choice)
            self.choice = choice
            self._show(frame)

    def sample(self) -> None:
        """Let each model write an answer with the seed; another one, with the next seed, where there is one already.

        From then on an answer follows each change of the prompt and of the settings.
        """
        self.set(sampled=True, seed=self.choice.seed + self.choice.sampled)

    def probabilities(self, name: str | None = None) -> np.ndarray:
        """What the bars show of a model, the first where none is named: (n_labels,), or (1,) of the true answer."""
        return self.reader.shares(name or next(iter(self.models)), self.choice)

    def table(self) -> dict[tuple[str, str, int], float | None]:
        """The table: (template, name of the model, number of shots) → the true answer's probability, None if unreadable."""
        table = self.frame["table"]
        return {
            (row["text"], part["name"], n): cell["p"]
            for row in table["rows"]
            for part in row["parts"]
            for n, cell in zip(table["columns"], part["cells"], strict=True)
        }

    def summary(self) -> str:
        """What is chosen, in words."""
        choice = self.choice
        order = f", order {choice.order}" if choice.order and choice.n_shots else ""
        calibrate = ", calibrated" if choice.calibrate else ""
        return f"template {quoted(choice.template)}, {_shots(choice.n_shots)}{order}, question {choice.question + 1}{calibrate}"

    def picture(self) -> Figure:
        """The prompt, the bars of each model, and the table."""
        return prompt_picture(self.frame)

    # ---- the browser

    def _receive(self, content: object) -> None:
        """Changes from the browser: what was quick to compute goes back at once, table and answers follow."""
        if not isinstance(content, dict) or content.get("type") != "set" or not isinstance(content.get("changes"), dict):
            return
        with self._lock:
            self._change(content["changes"], str(content.get("asked", "")))

    def _change(self, changes: dict, asked: str) -> None:
        try:
            choice = self.reader.checked(replace(self.choice, **changes))
            frame = self._first(choice)
        except Exception as error:  # whatever was typed, the last view that could be read stays
            draft = changes["template"] if isinstance(changes.get("template"), str) else self.frame["draft"]
            self._show(self.frame | {"error": reason(error), "draft": draft}, asked)
            return
        self.choice = choice
        broken = "template" not in changes and self.frame["draft"] != choice.template  # what is in the box waits to be mended
        keep = {name: self.frame[name] for name in ("draft", "error")} if broken else {}
        self._show(self.frame | frame | keep, asked, done=False)
        self._show(self.frame | self._second(choice), asked)

    def _show(self, frame: dict, asked: str = "", done: bool = True) -> None:
        self.frame = frame | {"revision": self.frame.get("revision", 0) + 1, "asked": asked, "done": done}
        self.shown = json.dumps(self.frame)

    def _setup(self) -> dict:
        """All that never changes."""
        reader = self.reader
        fields = {_answer_of(text) for text in reader.templates}
        return {
            "templates": [{"text": text, "name": one_line(text)} for text in reader.templates],
            "questions": [_named(question, fields) for question in reader.questions],
            "most": len(reader.shots),
            "calibrates": bool(reader.content_free),
            "models": list(self.models),
        }

    # ---- what a view shows

    def _first(self, choice: object) -> dict:
        """What is quick: the prompt, and the bars of each model. Raises whatever encode or a model raises."""
        reader, ids = self.reader, self.reader.ids(choice)
        vocab = next(iter(self.models.values())).vocab
        unknown = sum(vocab[i] == UNKNOWN for i in ids)
        forgotten = {name: reader.forgotten(name, len(ids)) for name in self.models}
        known = reader.templates.index(choice.template) if choice.template in reader.templates else -1
        return {
            "error": "",
            "draft": choice.template,
            "choice": asdict(choice) | {"template": known},
            "prompt": marked(reader.prompt(choice)),
            "size": f"{len(ids)} token{'s' * (len(ids) != 1)}, {_shots(choice.n_shots)}",
            "unknown": f"{unknown} of them not in the vocabulary, read as {UNKNOWN}" if unknown else "",
            "tokens": [visible(vocab[i]) for i in ids],
            "forgotten": max(forgotten.values()),
            "truth": one_line(reader.truth(choice)),
            "models": [self._model(name, choice, len(ids), forgotten[name]) for name in self.models],
        }

    def _model(self, name: str, choice: object, n: int, forgotten: int) -> dict:
        reader = self.reader
        given, shares, answers = reader.given(name, choice), reader.shares(name, choice), reader.answers(choice)
        truth = answers.index(reader.truth(choice))
        plain = reader.shares(name, replace(choice, calibrate=False)) if choice.calibrate else None
        bars = [
            {"label": one_line(label), "p": float(p), "said": percent(p), "true": i == truth}
            | ({"said": f"{percent(plain[i])} → {percent(p)}", "before": float(plain[i])} if choice.calibrate else {})
            for i, (label, p) in enumerate(zip(answers, shares, strict=True))
        ]
        notes = []
        if reader.labels:
            best, together = int(shares.argmax()), math.exp(np.logaddexp.reduce(given))
            right = "the true answer" if best == truth else "not the true answer"
            notes = [
                f"all labels together: {percent(together)} of what may come",
                f"the true answer: {percent(math.exp(given[truth]))} of what may come",
                f"likeliest label: {one_line(answers[best])}, {right}" if together else "no label can come next at all",
            ]
        size = getattr(self.models[name], "block_size", None)
        error = (
            f"The prompt has {n} tokens, more than fit the context of {size}, in which the start takes one place: the first "
            f"{forgotten} are forgotten. Take fewer shots."
        )
        return {"name": name, "bars": bars, "notes": notes, "error": error if forgotten else ""}

    def _second(self, choice: object) -> dict:
        """What takes longer: the table, and the answers that are written."""
        answers = [self._answer(name, choice) for name in self.models] if choice.sampled else []
        return {"table": self._table(choice), "answers": answers}

    def _answer(self, name: str, choice: object) -> dict:
        answer = self.reader.answer(name, choice)
        right = answer.text.strip() == self.reader.truth(choice).strip()
        return {
            "name": name,
            "text": marked(answer.text) if answer.text else "(ended at once)",
            "said": percent(answer.probability),
            "p": answer.probability,
            "right": right,
            "note": ("the true answer" if right else "not the true answer") + ("" if answer.ended else ", cut here"),
        }

    def _table(self, choice: object) -> dict:
        reader = self.reader
        columns = self._columns(choice.n_shots)
        texts = list(dict.fromkeys([*reader.templates, choice.template]))
        cells = [replace(choice, template=text, n_shots=n) for text in texts for n in columns]
        found = {name: iter(reader.chances(name, cells)) for name in self.models}
        rows = [
            {
                "name": one_line(text),
                "text": text,
                "own": text not in reader.templates,
                "current": text == choice.template,
                "parts": [{"name": name, "cells": [_cell(next(found[name])) for _ in columns]} for name in self.models],
            }
            for text in texts
        ]
        among = f" among the labels{', calibrated' * choice.calibrate}" if reader.labels else ""
        return {"columns": columns, "rows": rows, "title": f"The true answer’s probability{among}"}

    def _columns(self, n_shots: int) -> list[int]:
        """The numbers of shots in the table: all, or some that are evenly spread, and the one that is chosen."""
        most = len(self.reader.shots)
        return sorted({*np.linspace(0, most, min(most + 1, COLUMNS)).round().astype(int).tolist(), n_shots})


def one_line(text: str, longest: int = 60) -> str:
    """A text on one line, printable, its blanks as they are; cut where it is long."""
    shown = "".join(" " if each == " " else visible(each) for each in text)
    return cut(shown, longest)


def marked(text: str) -> str:
    """A text in its lines, with marks where something would not be seen: line ends, and blanks at an end or beside another."""
    blanks = re.sub(r" +(?=\n|\Z)| {2,}", lambda found: "␣" * len(found.group()), text)
    return "".join({" ": " ", "\n": "↵\n"}.get(each) or visible(each) for each in blanks)


def _shots(n: int) -> str:
    return f"{n} shot{'s' * (n != 1)}"


def _cell(p: float | None) -> dict:
    return {"p": p, "said": "–" if p is None else percent(p)}


def _answer_of(text: str) -> str:
    from helpers.adapting import Template

    return Template(text).answer


def _named(question: Example, answers: set[str]) -> str:
    """A question in a list to choose from: its values without the answer."""
    return one_line(" · ".join(str(value) for field, value in question.items() if field not in answers), 70)
