"""Embeddings: a vector for each word, learned from the company that it keeps.

`train_skip_gram` is word2vec (skip-gram with negative sampling); `cooccurrence`, `pmi` and `svd_embeddings` count where
word2vec samples, and come to much the same; `Embeddings` answers questions about neighbours and analogies; `weat` measures a
bias. Derived in `04_tokens_and_embeddings.ipynb`. Sources: Mikolov et al., *Distributed Representations of Words and Phrases
and their Compositionality* (2013); Levy & Goldberg, *Neural Word Embedding as Implicit Matrix Factorization* (2014); Caliskan,
Bryson & Narayanan, *Semantics derived automatically from language corpora contain human-like biases* (2017).
"""

from .bias import Weat, associations, weat
from .counts import cooccurrence, pmi, shifted_ppmi, svd_embeddings
from .skip_gram import SkipGramConfig, sgns_gradients, sgns_loss, train_skip_gram
from .vectors import Embeddings, Score, analogy_accuracy, pca
from .windows import Stream, keep_probability, noise_distribution, pairs, read

__all__ = [
    "Embeddings", "Score", "SkipGramConfig", "Stream", "Weat", "analogy_accuracy", "associations", "cooccurrence",
    "keep_probability", "noise_distribution", "pairs", "pca", "pmi", "read", "sgns_gradients", "sgns_loss", "shifted_ppmi",
    "svd_embeddings", "train_skip_gram", "weat",
]  # fmt: skip
