"""How much of what a model says is true, by its size, its training and the temperature: GPTs that read the world's stories.

    python benchmarks/limits.py                  measure, and print the rows
    python benchmarks/limits.py --write FILE     also write every row to FILE, after each; as data/limits.json

Each size is trained by preset `world`, and along the way it writes stories at each temperature; `world.claims` then counts the
statements about the world and about the story itself that are true, false, or cannot be checked. The shipped model does so too.
"""

from collections import Counter
from collections.abc import Iterator

from _sizes import measure_sizes

from helpers import world
from helpers.sampling import generate_batch
from helpers.transformer import GPT

LOOKS = (150, 300, 600, 1000, 1500)
TEMPERATURES = (1.0, 0.7, 0.4)
STORIES, LONGEST, SEED = 300, 170, 5


def statements(model: GPT, temperature: float) -> dict[str, int]:
    """How many statements of each kind the model's stories hold: "world true", "story false", "world unknown", …"""
    rows = generate_batch(model, [[]] * STORIES, LONGEST, temperature=temperature, stop=[model.end], seed=SEED)
    texts = (world.detokenize(model.vocab[i] for i in row) for row in rows)
    said = {True: "true", False: "false", None: "unknown"}
    return dict(Counter(f"{claim.about} {said[claim.true]}" for text in texts for claim in world.claims(text)))


def rows_of(model: GPT) -> Iterator[dict[str, float]]:
    """A row for each temperature."""
    for temperature in TEMPERATURES:
        yield {"temperature": temperature, **statements(model, temperature)}


if __name__ == "__main__":
    measure_sizes(__doc__, "world", "world_gpt", LOOKS, rows_of, stories=STORIES)
