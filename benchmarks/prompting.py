"""What a model can do from its prompt, by its size and by how much it has read: GPTs on the pile of all the world's documents.

    python benchmarks/prompting.py                  measure, and print the table
    python benchmarks/prompting.py --write FILE     also write every row to FILE, after each; as data/prompting.json

Each size is trained by preset `documents`, with fewer steps, and asked along the way, as in notebook 08: the share of right
answers after six examples, for arbitrary labels, for labels of words that no training list shows, and for translation without
examples. The shipped model is asked the same.
"""

from _sizes import measure_sizes

from helpers import applications, world
from helpers.sampling import generate_batch
from helpers.tokenizers import WordTokenizer
from helpers.transformer import GPT
from helpers.world.lists import LABELS

LOOKS = range(300, 1501, 300)
EXAMPLES, ASKED = 6, 150


def lists(split: str) -> tuple[list[str], list[str]]:
    """Prompts of label lists that end in a question, and the answers."""
    texts = ([item.split(": ") for item in text.split("; ")] for text in world.sample_lists(4000, seed=31, split=split))
    parts = [items[-EXAMPLES - 1 :] for items in texts if len(items) > EXAMPLES and {b for _, b in items} <= set(LABELS)]
    prompts = [world.show_list([(a, b) for a, b in items[:-1]], items[-1][0]) for items in parts[:ASKED]]
    return prompts, [items[-1][1] for items in parts[:ASKED]]


def answers(model: GPT, prompts: list[str], n: int) -> list[str]:
    """Greedy answers of at most n tokens."""
    words = WordTokenizer(model.vocab, unknown=None, rule="world")
    ids = [words.encode(prompt) for prompt in prompts]
    rows = generate_batch(model, ids, n, temperature=0, stop=[model.end])
    return [words.decode([t for t in row[len(given) :] if t != model.end]) for row, given in zip(rows, ids, strict=True)]


def measured(model: GPT) -> dict[str, float]:
    """The three shares of right answers."""
    shares = {}
    for name, split in (("labels", "val"), ("labels, new words", "heldout")):
        prompts, truth = lists(split)
        found = answers(model, prompts, 1)
        shares[name] = sum(a == t for a, t in zip(found, truth, strict=True)) / len(truth)
    pairs = [text.split("\t") for text in world.sample(100, seed=33, split="val", kind="pair")]
    shares["translation"] = applications.exact_match(answers(model, [f"{a}\t" for a, _ in pairs], 30), [b for _, b in pairs])
    return {name: round(share, 3) for name, share in shares.items()}


if __name__ == "__main__":
    measure_sizes(
        __doc__, "documents", "documents_gpt", LOOKS, lambda model: [measured(model)], n_judged=20_000, examples=EXAMPLES
    )
