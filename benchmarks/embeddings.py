"""Our skip-gram with negative sampling beside gensim's, on the world: time, and analogies answered; and counting with SVD.

    python benchmarks/embeddings.py

prints a Markdown table. Both train with the same settings on the same stories, a new seed in each round, and take turns, so
that a busy moment of the machine meets both alike.
"""

import statistics

from _table import Row, in_turn, print_table, ratio
from gensim.models import Word2Vec

from helpers import corpora, world
from helpers.embeddings import (
    Embeddings,
    SkipGramConfig,
    analogy_accuracy,
    cooccurrence,
    noise_distribution,
    read,
    shifted_ppmi,
    svd_embeddings,
    train_skip_gram,
)

ROUNDS = 10
WORKERS = (1, 3)  # 3 is gensim's default; one more thread hands out the work
LEARNABLE = ("animal : young", "animal : home", "village : river")  # no story links the pairs of the other families


def train_gensim(sentences: list[list[str]], seed: int, workers: int) -> Embeddings:
    """gensim's Word2Vec with our default settings; with several workers its result depends on their timing too."""
    config = SkipGramConfig()
    model = Word2Vec(
        sentences, sg=1, hs=0, vector_size=config.n_embd, window=config.window, negative=config.negatives, epochs=config.epochs,
        alpha=config.lr, sample=config.subsample, ns_exponent=config.noise_power, min_count=config.min_count, seed=seed,
        workers=workers,
    )  # fmt: skip
    return Embeddings(model.wv.index_to_key, model.wv.vectors)


def count_and_factor(sentences: list[list[str]], seed: int) -> Embeddings:
    """Positive PMI of the same pairs, and as many singular vectors as skip-gram has dimensions."""
    config = SkipGramConfig()
    vocab, counts = cooccurrence(sentences, config.window, subsample=config.subsample, seed=seed)
    noise = noise_distribution(read(sentences).counts, config.noise_power)
    return svd_embeddings(vocab, shifted_ppmi(counts, 1, noise), config.n_embd)


def answered(found: list[Embeddings]) -> str:
    """Mean and standard error, over the rounds, of the share of analogies answered right."""
    families = {name: [q for q in world.analogies() if q[:2] in members] for name, members in world.FAMILIES.items()}
    questions = {"all": world.analogies(), "learnable": [q for name in LEARNABLE for q in families[name]]}
    told = []
    for name, quads in questions.items():
        for exclude in (True, False):
            shares = [analogy_accuracy(emb, quads, exclude)["all"].accuracy for emb in found]
            error = statistics.stdev(shares) / len(shares) ** 0.5
            told.append(f"{name if exclude else 'the same, no word excluded'} {statistics.mean(shares):.4f} ± {error:.4f}")
    return "; ".join(told)


def main() -> None:
    """Print the machine and the table."""
    sentences = [world.tokenize(line) for line in corpora.load("world", "train").splitlines()]
    tasks = {"ours, one thread": lambda i: train_skip_gram(sentences, SkipGramConfig(seed=i + 1))}
    for workers in WORKERS:
        tasks[f"gensim `Word2Vec`, workers={workers}"] = lambda i, n=workers: train_gensim(sentences, i + 1, n)
    tasks["ours, counts and SVD"] = lambda i: count_and_factor(sentences, i + 1)
    seconds, found = in_turn(tasks, ROUNDS)
    ours = seconds["ours, one thread"]
    rows = [
        Row(
            f"{len(found[name][0]):,} words, {sum(map(len, sentences)):,} tokens",
            name + (f" ({ratio(ours, seconds[name]):.2f} × its time is ours, round by round)" if "gensim" in name else ""),
            seconds[name],
            answered(found[name]),
        )
        for name in tasks
    ]
    print_table(rows, "torch", "gensim", "numpy")


if __name__ == "__main__":
    main()
