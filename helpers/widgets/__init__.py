"""The course's interactive pieces: each works with mouse and keyboard, and carries a picture of itself for saved notebooks."""

from helpers.widgets.guessing_game import GuessingGame
from helpers.widgets.shannon import GuessingResult, guessing_bounds
from helpers.widgets.type_ahead import TypeAhead

__all__ = ["GuessingGame", "GuessingResult", "TypeAhead", "guessing_bounds"]
