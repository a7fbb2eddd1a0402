"""Attention explorer: look into each head of your own model while you edit the text.

Used in `05_attention.ipynb`, `06_transformer.ipynb` and `07_mini_gpt.ipynb`. Layers, heads and positions are counted from 0,
as in Python.
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets
from matplotlib.figure import Figure

from helpers.widgets._base import to_png
from helpers.widgets._explorer_picture import HIDDEN, explorer_picture
from helpers.widgets._explorer_scripts import EXPERIMENTS, MAIN
from helpers.widgets._explorer_state import checked, started
from helpers.widgets._text import TextWidget, quoted, reason

if TYPE_CHECKING:
    from helpers.widgets._explorer_reading import Reading

EMPTY = {"kinds": [], "predictions": [], "logits": b"", "vocab_size": 0, "head": None}
EMPTY |= {"note": "", "masked": False, "mask": "", "join": "", "loss": None}


def _sent(frame: Mapping[str, Any], widget: Any) -> dict[str, Any]:
    """The frame as it travels: its many small lists as one text, which ipywidgets need not search for bytes."""
    return {**frame, "predictions": json.dumps(frame["predictions"])} if frame else {}


class AttentionExplorer(TextWidget):
    """What every head of a model looks at in a text that you can edit, the arithmetic behind each weight, and the next tokens.

    model: GPT, BERT, AttentionLM or EncoderDecoder (its text is the source, a line break, and the target), or one of
    Hugging Face's that `from_huggingface` takes. tokenizer: with `encode(text)`, or a function text → tokens or ids, or
    None where the tokens of `vocab` (the model's own) are characters or the world's words. special: tokens of the
    vocabulary that are taken whole, such as ["[MASK]"]. layer, head, query: what is chosen at first; query None: the last
    position. state: a whole view instead, as `state` gives it; presets: named ones, each a button. join: what stands before
    a token that is appended. steps: step of training → state dict, or a checkpoint's path; checkpoints: paths that say
    their step themselves; a slider then goes through them, and `step` names the one that is shown. cover: "weights", "next"
    or both, which the picture in a saved notebook leaves out, where a question beside it asks for them.

    What a causal model reads begins with its end token. Probabilities are over the full vocabulary. Raises ValueError for a
    model or a tokenizer that cannot be used, and for a layer, head, query or step that does not exist; a *text* that cannot
    be read is said in the view. `causal_mask = False` asks what a GPT or an AttentionLM would do if its tokens could look
    ahead, which they never did in training. Of a text longer than the context its last window is shown, at most 256 tokens.
    """

    _esm = MAIN
    frame = traitlets.Dict().tag(sync=True, to_json=_sent)
    head = traitlets.Dict().tag(sync=True)  # the head that was asked for last, in single precision
    causal_mask = traitlets.Bool(True)
    step = traitlets.Int(None, allow_none=True)  # of training, whose weights are shown; None: the model as it is
    view = traitlets.Dict().tag(sync=True)  # what is chosen, as `started` says, and by whom: "python" or a view in a page
    presets = traitlets.List().tag(sync=True)  # [name, view as JSON]
    position = traitlets.Dict().tag(sync=True)  # the scores that were asked for last, where a frame has no room for all

    def __init__(
        self,
        model: Any,
        tokenizer: Any = None,
        text: str | tuple[str, str] = "",
        *,
        vocab: Sequence[str] | None = None,
        special: Sequence[str] = (),
        layer: int = 0,
        head: int = 0,
        query: int | None = None,
        join: str | None = None,
        presets: Mapping[str, str | Mapping[str, Any]] | None = None,
        state: str | Mapping[str, Any] | None = None,
        steps: Mapping[int, Mapping[str, Any] | str | Path] | None = None,
        checkpoints: Iterable[str | Path] = (),
        cover: Sequence[str] = (),
    ):
        # here: they load torch
        from helpers.widgets import (
            _explorer_experiments,
            _explorer_frame,
            _explorer_reading,
            _explorer_snapshot,
            _explorer_steps,
            _explorer_tokens,
        )

        model = _explorer_reading.own_model(model)
        self.model, self.reading = model, None
        self._steps = _explorer_steps.SavedSteps(model, steps, checkpoints)
        self._frames, self._read, self._experiments = _explorer_frame, _explorer_reading.read, _explorer_experiments
        self._snapshot = _explorer_snapshot.snapshot
        own = _explorer_tokens.vocab_of(model, vocab)
        self.tokens = _explorer_tokens.TokenReader(tokenizer, own, model.vocab_size, special, join)
        self._chosen, self._moves = (0, 0, 0), 0
        self._cover = checked({"hide": list(cover)})["hide"]
        super().__init__("\n".join(text) if isinstance(text, tuple) else text)
        self.observe(lambda change: self._update(), names=["causal_mask", "step"])
        self.presets = [[name, json.dumps(checked(view))] for name, view in (presets or {}).items()]
        view = {"layer": layer, "head": head} | ({} if query is None else {"query": query, "pinned": True})
        view |= {"open": ["steps"]} if self._steps.numbers else {}
        if self.reading and view != {"layer": 0, "head": 0}:
            self.select(layer, head)
            if query is not None:
                n = len(self.reading.kinds[0].queries)
                view["query"] = self._frames.position_of(query, n, "query")
            self.view = started(view) | {"by": "python"}
            revision = self.frame["revision"] + 1
            self.frame = self.frame | {"revision": revision, "head": self._head(revision)}
        if state is not None:
            self.state = state

    @property
    def state(self) -> str:
        """The view as JSON, to share: the text, what is chosen, the settings. Setting it shows that view.

        A name that it lacks is as at the start, but text, mask and step as they are. Raises ValueError for what is no view.
        """
        kind, layer, head = self.chosen
        view = started(self.view) | {"kind": kind, "layer": layer, "head": head}
        return json.dumps({"text": self.text, "causal_mask": self.causal_mask, "step": self.step} | view)

    @state.setter
    def state(self, given: str | Mapping[str, Any]) -> None:
        view = checked(given)
        self.step = view.get("step", self.step)  # the only one that can be refused
        text, mask = view.get("text", self.text), view.get("causal_mask", self.causal_mask)
        self.text, self.causal_mask = text, mask
        view = started(view)
        if self.reading:
            self._chosen = tuple(view[name] for name in ("kind", "layer", "head"))
            self._chosen = self.chosen  # as near as this reading has them
            self.head = self._head()
        self._moves += 1
        self.view = view | {"by": "python", "move": self._moves}

    @property
    def chosen(self) -> tuple[int, int, int]:
        """Which attention (0 but for an encoder–decoder), layer and head is shown."""
        return self._frames.chosen_or_first(self.reading, self._chosen) if self.reading else self._chosen

    def select(self, layer: int, head: int, kind: int = 0) -> None:
        """Show this head. Raises ValueError where there is none; before a text was read nothing happens."""
        if not self.reading:
            return
        kind = self._frames.position_of(kind, len(self.reading.kinds), "kind")
        of = self.reading.kinds[kind]
        layer, head = (self._frames.position_of(*each) for each in ((layer, of.n_layer, "layer"), (head, of.n_head, "head")))
        self._chosen = (kind, layer, head)
        self.head = self._head()

    def weights(self, layer: int | None = None, head: int | None = None) -> np.ndarray:
        """Attention weights of a head, left out: the one chosen; (T, S) float32, each row sums to one.

        Raises ValueError where no text has been read yet, as `probabilities` does.
        """
        kind, chosen_layer, chosen_head = self.chosen
        of = self._known().kinds[kind]
        return of.weights[chosen_layer if layer is None else layer, chosen_head if head is None else head]

    def probabilities(self, position: int = -1) -> np.ndarray:
        """What the model expects at a position, over its full vocabulary: (V,), sums to one."""
        return self._frames.probabilities(self._known().kinds[0].logits[[position]])[0]

    def read(self) -> dict:
        """The text's reading; where the model cannot read it, why, and the last reading."""
        error = ""
        try:
            model, steps = self._steps.model(self.step), self._steps.numbers
            self.reading = self._read(model, self.text, self.tokens, self.causal_mask)
            self._frame = self._frames.reading_frame(self.reading, self.tokens)
            self._frame |= {"steps": steps, "step": self.step} if steps else {}
            self._frame["loss"] = self._experiments.mean_loss(self.reading, self.tokens)
            unmasked = self._experiments.unmasked_loss(model, self.reading, self.tokens)
            self._frame["note"] = " ".join(filter(None, [self._frame["note"], unmasked]))
        except Exception as problem:  # half a word must not stop the widget while you type
            error = reason(problem).encode("utf-8", "backslashreplace").decode("utf-8")
        if not self.reading:
            return EMPTY | {"error": error}
        revision = self.frame.get("revision", 0) + 1
        return self._frame | {"error": error, "head": self._head(revision)}

    def summary(self) -> str:
        """The model, the head and the text."""
        kind, layer, head = self.chosen
        sizes = ""
        if self.reading:
            of = self.reading.kinds[kind]
            sizes = f", {_counted(of.n_layer, 'layer')} of {_counted(of.n_head, 'head')}, layer {layer} head {head}"
            sizes += ", without its causal mask" * (self.reading.mask == "off")
            sizes += f", at step {self.step}" * (self.step is not None)
        return f"{type(self.model).__name__}{sizes}, {quoted(self.text)}"

    def picture(self) -> Figure:
        """The chosen head's weights with their tokens, all heads in small, and the next tokens."""
        return explorer_picture(self.reading, self.tokens, self.chosen, started(self.view), self.frame)

    def static(self) -> dict[str, str]:
        """The picture as PNG, without what it is to leave out."""
        view = started(self.view)
        view["hide"] = [part for part in HIDDEN if part in {*view["hide"], *self._cover}]
        shown = explorer_picture(self.reading, self.tokens, self.chosen, view, self.frame)
        return {"image/png": base64.b64encode(to_png(shown)).decode("ascii")}

    def save_html(self, path: str | Path, most_bytes: int = 300_000) -> None:
        """Write the explorer as it stands into one file that needs neither Python nor network; heads and tokens can be chosen.

        Of what has no room in most_bytes it says so: small pictures stand for heads' weights, and the arithmetic of some heads
        is left out. Raises ValueError where no text has been read.
        """
        reading = self._known()
        last, query = len(reading.kinds[0].queries) - 1, started(self.view)["query"]
        values = {"frame": dict(self.frame), "view": self.view, "presets": self.presets}
        at = last if query is None else min(query, last)
        page = self._snapshot(reading, self.tokens, values, self.chosen, at, str(self._esm), most_bytes)
        Path(path).write_text(page, encoding="utf-8")

    @traitlets.validate("step")
    def _saved(self, proposal: dict) -> int | None:
        return self._steps.check(proposal["value"])

    def _known(self) -> "Reading":
        if not self.reading:
            raise ValueError(f"no text has been read: {self.frame['error']}")
        return self.reading

    def _head(self, revision: int | None = None) -> dict:
        revision = self.frame.get("revision", 0) if revision is None else revision
        return {"revision": revision} | self._frames.head_frame(self.reading, *self.chosen)

    def _receive(self, content: object) -> None:
        """A text, or what the browser lacks of this one: a head, or the scores of a position; each is answered."""
        answers = {
            "head": self._answer_head,
            "mask": self._answer_mask,
            "position": self._answer_position,
            "state": self._answer_state,
            "step": self._answer_step,
            "source": self._answer_source,
            "experiment": self._answer_experiment,
        }
        answer = answers.get(content.get("type")) if isinstance(content, dict) else None
        if answer is None:
            super()._receive(content)
            return
        try:
            answer(content)
        except ValueError:  # of an older text, or nothing that there is: the view asks again if it still wants it
            return

    def _answer_head(self, content: dict) -> None:
        self.select(content.get("layer"), content.get("head"), content.get("kind"))

    def _answer_mask(self, content: dict) -> None:
        self.causal_mask = content.get("on") is not False

    def _answer_step(self, content: dict) -> None:
        if content.get("step") == self.step:
            self._update()  # so that there is an answer
        else:
            self.step = content.get("step")

    def _answer_source(self, content: dict) -> None:
        self.send({"source": EXPERIMENTS})

    def _answer_experiment(self, content: dict) -> None:
        """What was measured, or why not, in a message that carries the question's id."""
        try:
            found = self._experiments.answer(self._steps.model(self.step), self._known(), self.tokens, content)
        except Exception as problem:  # whatever it is, the view must not wait for ever
            found = {"error": reason(problem)}
        except KeyboardInterrupt:  # the kernel's stop button, during a long measurement
            found = {"error": "it was interrupted"}
        matrix = [found.pop("matrix")] if "matrix" in found else []
        self.send({"id": content.get("id"), "revision": self.frame["revision"]} | found, matrix)

    def _answer_state(self, content: dict) -> None:
        try:
            self.state = content.get("state")
        except ValueError as problem:
            self._moves += 1
            self.view = started(self.view) | {"by": "python", "move": self._moves, "error": f"{problem}."}

    def _answer_position(self, content: dict) -> None:
        logits = self._known().kinds[0].logits
        position = self._frames.position_of(content.get("position"), len(logits), "position")
        ranked = self._frames.pack(self._frames.ranked(logits[position]), "<f4")
        self.position = {"revision": self.frame["revision"], "position": position, "logits": ranked}


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
