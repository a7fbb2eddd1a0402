"""Tokenizers: characters, words and byte-level BPE, derived in `04_tokens_and_embeddings.ipynb`.

Read `base` first, then `lookup` (tokens are found in a table), `merging` (the merges of BPE are learned) and `bpe` (and used).
"""

from .base import Piece, Tokenizer
from .bpe import GPT2_SPLIT, BPETokenizer
from .lookup import UNK, CharTokenizer, WordTokenizer

__all__ = ["GPT2_SPLIT", "UNK", "BPETokenizer", "CharTokenizer", "Piece", "Tokenizer", "WordTokenizer"]
