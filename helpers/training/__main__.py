"""Train a preset from the command line; the last line it prints is JSON.

    python -m helpers.training --preset cpu --out runs/mine
    python -m helpers.training --preset cpu --out runs/mine --resume
    torchrun --nproc-per-node 2 -m helpers.training --preset gpu --out runs/mine

Raises nothing: what goes wrong is said in a line, with exit status 1.
"""

import argparse
import json
import platform
import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch
from tqdm import tqdm

from helpers import corpora
from helpers.neural_lm import device

from . import distributed
from .checkpoints import CheckpointError, save_model
from .loop import Diverged, History, evaluate, train
from .presets import PRESETS, build

MODEL = "model.safetensors"  # the trained model, in the run's folder


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m helpers.training", description=__doc__.split("\n")[0])
    found.add_argument("--preset", required=True, choices=sorted(PRESETS))
    found.add_argument(
        "--data",
        choices=["shakespeare", "world", "world-large", "world-polite", "documents", "python-docs"],
        help="default: the preset's",
    )
    found.add_argument("--out", type=Path, help="folder for checkpoints and the trained model")
    found.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    found.add_argument("--steps", type=int, help="instead of the preset's")
    found.add_argument("--compile", action=argparse.BooleanOptionalAction, help="instead of what the preset says")
    found.add_argument("--dropout", type=float, help="instead of the preset's")
    found.add_argument("--adamw", action="store_true", help="AdamW for the matrices inside the blocks too, in place of Muon")
    found.add_argument("--seed", type=int, default=0)
    found.add_argument("--device", choices=["cpu", "cuda", "mps"], help="default: the fastest that is here")
    return found


def main(argv: list[str] | None = None) -> int:
    """Train; returns the exit status."""
    arguments = parser().parse_args(argv)
    preset = PRESETS[arguments.preset]
    config = replace(preset.train, seed=arguments.seed, steps=arguments.steps or preset.train.steps)
    if arguments.compile is not None:
        config = replace(config, compile=arguments.compile)
    if arguments.adamw:
        config = replace(config, matrix_lr=None)
    chosen = {} if arguments.dropout is None else {"dropout": arguments.dropout}
    place = distributed.join() or torch.device(arguments.device or device())
    began = time.perf_counter()
    try:
        model, data, val = build(arguments.preset, arguments.data, arguments.seed, **chosen)
        model.to(place)
        with tqdm(total=config.steps, unit="step", disable=not distributed.is_first()) as bar:
            history = train(
                model, data, config, val=val, out=arguments.out, resume=arguments.resume,
                callback=lambda step, history: tell(bar, step, history),
            )  # fmt: skip
        if distributed.is_first():
            loss = evaluate(model, val)
            told = {"preset": arguments.preset, "data": arguments.data or preset.data, "val_loss": round(loss, 5)}
            told |= {"train_seconds": round(history.seconds, 2), "all_seconds": round(time.perf_counter() - began, 2)}
            told |= {"tokens_per_second": round(history.tokens_per_second), "device": str(place)}
            told |= {"params": sum(p.numel() for p in model.parameters())}
            if arguments.out:
                save_model(model, arguments.out / MODEL, **told, **circumstances(argv, arguments.out, place))
            print(json.dumps(told))
    except (CheckpointError, Diverged, ValueError, corpora.CorpusError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    finally:
        distributed.leave()
    return 0


def circumstances(argv: list[str] | None, out: Path, place: torch.device) -> dict[str, str]:
    """What a saved model says of its making: the command, with its folder below `runs`, the day, hardware, torch's version."""
    given = [f"runs/{out.name}" if word == str(out) else word for word in (sys.argv[1:] if argv is None else argv)]
    cpu = f"{platform.machine()} CPU, {torch.get_num_threads()} thread(s)"
    machine = torch.cuda.get_device_name(place) if place.type == "cuda" else cpu
    return {
        "command": shlex.join(["python", "-m", "helpers.training", *given]), "date": time.strftime("%Y-%m-%d"),
        "hardware": machine, "torch": torch.__version__,
    }  # fmt: skip


def tell(bar: tqdm, step: int, history: History) -> None:
    """Move the bar on, with the latest losses beside it."""
    bar.update(step - bar.n)
    shown = {"loss": f"{history.loss[-1]:.3f}"} if history.loss else {}
    shown |= {"val": f"{history.val_loss[-1]:.3f}"} if history.val_loss else {}
    bar.set_postfix(shown)


if __name__ == "__main__":
    distributed.end_process(main())
