"""The course's interactive pieces: each works with mouse and keyboard, and carries a picture of itself for saved notebooks."""

from helpers.widgets.attention_explorer import AttentionExplorer
from helpers.widgets.embedding_map import EmbeddingMap
from helpers.widgets.guessing_game import GuessingGame
from helpers.widgets.next_tokens import NextTokens
from helpers.widgets.prompt_lab import PromptLab
from helpers.widgets.shannon import GuessingResult, guessing_bounds
from helpers.widgets.token_view import TokenCounts, TokenView
from helpers.widgets.training_dashboard import TrainingDashboard
from helpers.widgets.type_ahead import TypeAhead

__all__ = [
    "AttentionExplorer",
    "EmbeddingMap",
    "GuessingGame",
    "GuessingResult",
    "NextTokens",
    "PromptLab",
    "TokenCounts",
    "TokenView",
    "TrainingDashboard",
    "TypeAhead",
    "guessing_bounds",
]
