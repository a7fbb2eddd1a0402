"""Text from our GPT beside Hugging Face's and nanoGPT's `generate`, with the same weights: tokens per second on the CPU.

    python benchmarks/generation.py [--nanogpt FOLDER]

prints a Markdown table. FOLDER: a clone of karpathy/nanoGPT; without one its rows are left out. All go on greedily from the
same prompt, and must write the same tokens for as long as the text fits into the context. Beyond it nanoGPT reads the last
block_size tokens for each new one, ours forgets the older half once in half a context, and Hugging Face's GPT-2, whose
positions are learned, cannot go on. Time is the process' own, on one thread.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from _nanogpt import nanogpt_model
from _table import Row, in_turn, print_table, ratio
from transformers import GPT2Config, GPT2LMHeadModel

from helpers.probability import LanguageModel
from helpers.sampling import generate_batch
from helpers.transformer import GPT

VOCAB_SIZE, BLOCK_SIZE = 65, 256
PROMPT = [1, 2, 3, 4]
TASKS = [  # layers, heads, width, new tokens, batch, rounds
    (4, 4, 128, 200, 1, 5),
    (4, 4, 128, 200, 8, 3),
    (4, 4, 128, 500, 10, 1),  # what nanoGPT's sample.py writes if it is told nothing else
    (4, 4, 128, 1000, 1, 3),
    (4, 4, 128, 1000, 8, 1),
    (6, 6, 384, 200, 1, 3),
    (6, 6, 384, 200, 8, 1),
    (6, 6, 384, 1000, 1, 1),
]
Program = Callable[[int, int], np.ndarray]  # new tokens, batch → the ids after the prompt, (batch, new tokens)


class Uncached(LanguageModel):
    """The same model, asked for the next token of the whole text each time."""

    def __init__(self, model: GPT):
        self.vocab, self.next_log_probs = model.vocab, model.next_log_probs


def by_ours(model: LanguageModel) -> Program:
    """`generate_batch`; the end token that stands before a text is the model's own business."""
    return lambda n, batch: np.stack(generate_batch(model, [PROMPT] * batch, n, temperature=0))[:, len(PROMPT) :]


def by_huggingface(model: GPT2LMHeadModel, end: int, cached: bool) -> Program:
    """Its `generate`, which gets the end token as the first of the prompt, and is not to stop at one."""
    begin = torch.tensor([[end, *PROMPT]])

    def run(n: int, batch: int) -> np.ndarray:
        ids = begin.repeat(batch, 1)
        options = {"do_sample": False, "use_cache": cached, "eos_token_id": None, "pad_token_id": end}
        return model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=n, **options)[:, ids.shape[1] :].numpy()

    return run


def by_nanogpt(nanogpt: Path, theirs: GPT2LMHeadModel, end: int) -> Program:
    """nanoGPT's `generate` with Hugging Face's weights; where that has a Conv1D, it has a Linear: the matrix transposed."""
    c = theirs.config
    sizes = {"n_layer": c.n_layer, "n_head": c.n_head, "n_embd": c.n_embd}
    model = nanogpt_model(nanogpt, block_size=BLOCK_SIZE, vocab_size=VOCAB_SIZE, dropout=0.0, **sizes)
    weights = theirs.state_dict()
    model.load_state_dict({
        name: weights[name].T if name.split(".")[-2].startswith("c_") and p.ndim == 2 else weights[name]
        for name, p in model.state_dict().items()
    })  # fmt: skip
    begin = torch.tensor([[end, *PROMPT]])
    return lambda n, batch: model.generate(begin.repeat(batch, 1), n, top_k=1)[:, begin.shape[1] :].numpy()


def programs(nanogpt: Path | None, n_layer: int, n_head: int, n_embd: int, beyond: bool) -> dict[str, Program]:
    """Whoever takes part, all with the same random weights; beyond: the text becomes longer than the context."""
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=VOCAB_SIZE, n_positions=BLOCK_SIZE, n_embd=n_embd, n_layer=n_layer, n_head=n_head, bos_token_id=0,
        eos_token_id=0, activation_function="gelu", initializer_range=0.2,
    )  # fmt: skip
    theirs = GPT2LMHeadModel(config).eval()
    ours = GPT.from_huggingface(theirs)
    found = {"ours": by_ours(ours), "ours, no cache": by_ours(Uncached(ours))}
    if not beyond:
        found["Hugging Face `generate`"] = by_huggingface(theirs, ours.end, cached=True)
        found["Hugging Face `generate`, no cache"] = by_huggingface(theirs, ours.end, cached=False)
    if nanogpt is not None:
        found["nanoGPT `generate`"] = by_nanogpt(nanogpt, theirs, ours.end)
    return found


def compare(nanogpt: Path | None, n_layer: int, n_head: int, n_embd: int, n: int, batch: int, rounds: int) -> list[Row]:
    """A row for each program; the texts are asserted equal."""
    same = BLOCK_SIZE - len(PROMPT)  # so many new tokens have all the tokens before them, and the end token, in their context
    found = programs(nanogpt, n_layer, n_head, n_embd, beyond=n > same)
    for program in found.values():
        program(2, batch)  # warms up
    tasks = {name: lambda _, program=program: program(n, batch) for name, program in found.items()}
    seconds, texts = in_turn(tasks, rounds, time.process_time)
    reference = texts["ours"][0]
    for name, written in texts.items():
        until = n if name.startswith("ours") else same
        assert all(np.array_equal(text[:, :until], reference[:, :until]) for text in written), name
    task = f"{n:,} tokens, batch {batch}, {n_layer} layers, {n_embd} wide"
    rows = []
    for name, taken in seconds.items():
        told = "" if name == "ours" else f"; {ratio(taken, seconds['ours']):.1f} × the time of ours"
        rows.append(Row(task, name, taken, f"{n * batch / statistics.median(taken):,.0f} tokens/s{told}"))
    return rows


def main() -> None:
    """Print the machine and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nanogpt", type=Path, metavar="FOLDER", help="a clone of github.com/karpathy/nanoGPT")
    nanogpt = parser.parse_args().nanogpt
    torch.set_num_threads(1)
    print_table([row for task in TASKS for row in compare(nanogpt, *task)], "torch", "transformers")
    if nanogpt is None:
        print("\nnanoGPT is left out: name a clone of it with --nanogpt FOLDER.")


if __name__ == "__main__":
    main()
