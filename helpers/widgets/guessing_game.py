"""Shannon's guessing game: guess a text character by character, and see how many bits each one holds for you.

Played in `01_chain_rule.ipynb`. Source: Shannon, *Prediction and Entropy of Printed English* (1951).
"""

import random
from collections.abc import Iterable

import traitlets
from matplotlib.figure import Figure

from helpers.probability import LanguageModel
from helpers.widgets._base import PicturedWidget, new_figure, script, visible
from helpers.widgets._pictures import LINE, rank_strip, strip_height, wrapped
from helpers.widgets.shannon import Encode, GuessingResult, model_ranks

CONTEXT = 200  # characters shown before the first one to guess
NAMES = {" ": "space", "\n": "newline", "\t": "tab"}


class GuessingGame(PicturedWidget):
    """Guess `n_characters` of `text`, one at a time; type, or click. Each is guessed until right, or revealed.

    The game begins at position `start`, or at one drawn with `seed`. `alphabet` is what may be guessed: left out, the
    characters that occur in `text`. Whoever reveals a character is taken to have tried the rest of the alphabet in its order,
    which makes the guess number a whole one and Shannon's bounds hold. Show the same game again, and it goes on.
    Raises ValueError for a text that is too short, a start outside it, or an alphabet that lacks a character to guess.
    """

    _esm = script("guessing_game.js")
    state = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        text: str,
        n_characters: int = 40,
        seed: int | None = 0,
        alphabet: Iterable[str] | None = None,
        *,
        start: int | None = None,
    ):
        self.start = _start(text, n_characters, seed, start)
        self.context = text[max(0, self.start - CONTEXT) : self.start]
        self.text = text[self.start : self.start + n_characters]
        self.alphabet = sorted(set(text)) if alphabet is None else list(dict.fromkeys(alphabet))
        _check_alphabet(self.alphabet, self.text)
        self._ranks: list[int] = []
        self._tried: list[str] = []
        super().__init__()
        self.on_msg(lambda widget, content, buffers: self._receive(content))
        self._publish("Which character comes next?")

    @property
    def ranks(self) -> list[int]:
        """The number of guesses that each character so far took."""
        return list(self._ranks)

    @property
    def done(self) -> bool:
        """True when the last character has been found."""
        return len(self._ranks) == len(self.text)

    def guess(self, character: str) -> bool:
        """Guess the next character; returns whether it was right. One tried before, or not in the alphabet, does not count."""
        if self.done:
            self._publish("The game is over. Make a new one with another seed.")
        elif character not in self.alphabet:
            self._publish(f"{visible(character)} is not in this game's alphabet.")
        elif character in self._tried:
            self._publish(f"You have tried {_name(character)} already.")
        elif character == self._next:
            self._found(len(self._tried) + 1)
            return True
        else:
            self._tried.append(character)
            self._publish(f"Not {_name(character)}. Guess {len(self._tried) + 1}?")
        return False

    def reveal(self) -> None:
        """Give up on the next character: it counts as found by trying the rest of the alphabet in order."""
        if not self.done:
            rest = [character for character in self.alphabet if character not in self._tried]
            self._found(len(self._tried) + rest.index(self._next) + 1, revealed=True)

    def result(self) -> GuessingResult:
        """Guess numbers so far, with Shannon's bounds in bits per character (None before the first character is found)."""
        return GuessingResult.of(self.text, self._ranks)

    def play(self, model: LanguageModel, encode: Encode | None = None) -> GuessingResult:
        """Let a model of characters play all of this game, seeing what you see; your own game stays as it is.

        `encode(str) -> ids` gives one id a character; left out, characters are looked up in the model's vocab.
        """
        return GuessingResult.of(self.text, model_ranks(model, self.context, self.text, self.alphabet, encode))

    def summary(self) -> str:
        """Where the game stands, in words."""
        return f"{len(self.text)} characters from position {self.start}, {len(self._ranks)} guessed"

    def picture(self) -> Figure:
        """The text so far, with the number of guesses beneath each character, and what has been tried."""
        above = wrapped(self.context, 66, last=3)
        tried = "tried: " + " ".join(visible(character) for character in self._tried) if self._tried else ""
        below = [repr(self.result()) if self._ranks else "Run this cell to play: type the next character, or click it.", tried]
        below = [line for line in below if line]
        figure = new_figure(strip_height(len(self.text)) + LINE * (len(above) + len(below)) + 0.3)
        title = "All guessed" if self.done else "Which character comes next?"
        rank_strip(figure, self.text, self._ranks, title=title, above=above, below=below)
        return figure

    @property
    def _next(self) -> str:
        return self.text[len(self._ranks)]

    def _found(self, rank: int, revealed: bool = False) -> None:
        character = self._next
        self._ranks.append(rank)
        self._tried = []
        how = (
            f"It was {_name(character)}; that counts as guess {rank}."
            if revealed
            else f"{_name(character)} is right, at guess {rank}."
        )
        self._publish(how[0].upper() + how[1:] + (" All guessed." if self.done else " And the next?"))

    def _receive(self, content: object) -> None:
        """A key press or a click in the browser."""
        if isinstance(content, dict) and content.get("type") == "guess" and isinstance(content.get("character"), str):
            self.guess(content["character"])
        elif isinstance(content, dict) and content.get("type") == "reveal":
            self.reveal()

    def _publish(self, message: str) -> None:
        """Everything a view needs, in one piece: any number of views show the same, whenever they appear."""
        count = self.state.get("revision", 0) + 1
        self.state = {
            "revision": count,
            "context": self.context,
            "cells": [[visible(c), rank, c == "\n"] for c, rank in zip(self.text, self._ranks, strict=False)],
            "hidden": len(self.text) - len(self._ranks),
            "alphabet": [[c, visible(c), NAMES.get(c, c)] for c in self.alphabet],
            "tried": self._tried[:],
            "done": self.done,
            "message": message,
            "result": repr(self.result()) if self._ranks else "",
        }


def _name(character: str) -> str:
    """How a message calls a character: "space", or itself in quotes."""
    return NAMES.get(character, f"“{character}”")


def _start(text: str, n_characters: int, seed: int | None, start: int | None) -> int:
    """The first position to guess; raises ValueError where the text has too little left."""
    if not isinstance(n_characters, int) or n_characters < 1:
        raise ValueError(f"n_characters must be a whole number from 1 on, got {n_characters!r}")
    last = len(text) - n_characters
    if last < 0:
        raise ValueError(
            f"the text has {len(text)} characters and {n_characters} are to be guessed; pass a longer text or fewer characters"
        )
    if start is None:
        return random.Random(seed).randint(min(CONTEXT, last), last)
    if not 0 <= start <= last:
        raise ValueError(f"start is {start}, but {n_characters} characters are left only from positions 0 to {last}")
    return start


def _check_alphabet(alphabet: list[str], text: str) -> None:
    if wrong := [character for character in alphabet if len(character) != 1]:
        raise ValueError(f"an alphabet holds single characters, got {wrong[0]!r}")
    if missing := sorted(set(text) - set(alphabet)):
        raise ValueError(f"the text to guess has {missing[0]!r}, which the alphabet lacks; add it, or leave alphabet out")
