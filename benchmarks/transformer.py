"""Our GPT beside Hugging Face's GPT-2 with the same weights: the time of one forward and backward pass.

    python benchmarks/transformer.py

prints a Markdown table. Both get the same ids and must give the same loss and the same gradient. The sizes are nanoGPT's, for a
laptop and for a GPU, with the 65 characters of Shakespeare. On the CPU, one thread, time is the process' own; on a CUDA GPU,
where there is one, the clock's, with the GPU waited for, in float32 and with autocast to bfloat16.
"""

import time

import torch
from _table import Row, print_table, ratio, seconds_in_turn
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import GPT2Config, GPT2LMHeadModel

from helpers.transformer import GPT

VOCAB_SIZE = 65
ROUNDS = 15
SIZES = {  # layers, heads, width, context length, and the batch
    "cpu": [(4, 4, 128, 64, 12), (6, 6, 384, 256, 4)],
    "cuda": [(4, 4, 128, 64, 12), (6, 6, 384, 256, 64)],
}


def build(n_layer: int, n_head: int, n_embd: int, block_size: int) -> tuple[GPT, GPT2LMHeadModel]:
    """Ours and theirs, with the same random weights and without dropout."""
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=VOCAB_SIZE, n_positions=block_size, n_embd=n_embd, n_layer=n_layer, n_head=n_head, bos_token_id=0,
        eos_token_id=0, embd_pdrop=0.0, attn_pdrop=0.0, resid_pdrop=0.0, use_cache=False,
    )  # fmt: skip
    theirs = GPT2LMHeadModel(config)
    return GPT.from_huggingface(theirs).train(), theirs.train()


def one_step(model: nn.Module, inputs: Tensor, targets: Tensor, half: bool) -> Tensor:
    """Loss of a batch (B, T) and its gradients; waits for the GPU."""
    model.zero_grad()
    with torch.autocast(inputs.device.type, torch.bfloat16, enabled=half):
        out = model(inputs)
        logits = out if isinstance(out, Tensor) else out.logits  # (B, T, V)
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    loss.backward()
    if inputs.is_cuda:
        torch.cuda.synchronize()
    return loss.detach()


def compare(device: str, half: bool, sizes: tuple[int, int, int, int, int]) -> list[Row]:
    """Two rows: ours, theirs."""
    *sizes, batch_size = sizes
    ours, theirs = (model.to(device) for model in build(*sizes))
    generator = torch.Generator().manual_seed(0)
    crops = torch.randint(VOCAB_SIZE, (batch_size, sizes[-1] + 1), generator=generator).to(device)
    inputs, targets = crops[:, :-1], crops[:, 1:]
    losses = [one_step(model, inputs, targets, half).item() for model in (ours, theirs)]  # warms up, too
    same = {"atol": 2e-2, "rtol": 2e-2} if half else {"atol": 1e-5, "rtol": 1e-5}
    torch.testing.assert_close(*losses, **same)
    torch.testing.assert_close(ours.embedding.weight.grad, theirs.transformer.wte.weight.grad, **same)
    tasks = {
        "ours": lambda: one_step(ours, inputs, targets, half),
        "Hugging Face `GPT2LMHeadModel`": lambda: one_step(theirs, inputs, targets, half),
    }
    seconds = seconds_in_turn(tasks, ROUNDS, time.process_time if device == "cpu" else time.perf_counter)
    where = "CPU, one thread" if device == "cpu" else f"{torch.cuda.get_device_name()}, {'bf16' if half else 'float32'}"
    task = f"{sizes[0]} layers, {sizes[1]} heads, {sizes[2]} wide, batch {batch_size} × {sizes[3]}, {where}"
    told = [f"; {ratio(*seconds.values()):.2f} × Hugging Face, round by round", ""]
    return [
        Row(task, name, seconds[name], f"loss {loss:.5f}{more}") for name, loss, more in zip(tasks, losses, told, strict=True)
    ]


def main() -> None:
    """Print the machine and the table."""
    torch.set_num_threads(1)
    rows = [row for sizes in SIZES["cpu"] for row in compare("cpu", False, sizes)]
    if torch.cuda.is_available():
        rows += [row for half in (False, True) for sizes in SIZES["cuda"] for row in compare("cuda", half, sizes)]
    print_table(rows, "torch", "transformers")


if __name__ == "__main__":
    main()
