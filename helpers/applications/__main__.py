"""Learn a real set from the command line; the last line that is printed is JSON.

    python -m helpers.applications sst2 --preset small
    python -m helpers.applications sst2 --preset gpu --from bert-base-uncased
    python -m helpers.applications multi30k --preset gpu --device cuda

Raises nothing: what goes wrong is said in a line, with exit status 1.
"""

import argparse
import json
import sys

from tqdm import tqdm

from helpers.corpora import CorpusError
from helpers.training import Diverged, History
from helpers.transformer import WeightsError

from .real_presets import MULTI30K, SST2
from .real_sets import RealScores, run_multi30k, run_sst2

RUNS = {"sst2": (run_sst2, SST2), "multi30k": (run_multi30k, MULTI30K)}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m helpers.applications", description=__doc__.split("\n")[0])
    tasks = found.add_subparsers(dest="task", required=True)
    for task, (_, presets) in RUNS.items():
        one = tasks.add_parser(task)
        one.add_argument("--preset", required=True, choices=sorted(presets))
        one.add_argument("--steps", type=int, help="instead of the preset's")
        one.add_argument("--train", type=int, dest="n_train", help="so many examples to learn from; default: all")
        one.add_argument("--test", type=int, dest="n_test", help="so many to grade; default: the preset's")
        one.add_argument("--seed", type=int, default=0)
        one.add_argument("--device", choices=["cpu", "cuda", "mps"], help="default: the fastest that is here")
        if task == "sst2":
            one.add_argument("--from", dest="source", metavar="NAME_OR_FOLDER", help="pre-trained weights for the preset gpu")
    return found


def main(argv: list[str] | None = None) -> int:
    """Train and grade; returns the exit status."""
    arguments = vars(parser().parse_args(argv))
    task, preset = arguments.pop("task"), arguments.pop("preset")
    run, presets = RUNS[task]
    try:
        with tqdm(total=arguments["steps"] or presets[preset].train.steps, unit="step") as bar:
            found = run(preset, callback=lambda step, history: _tell(bar, step, history), **arguments)
    except (CorpusError, Diverged, ValueError, WeightsError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    _show(found)
    print(json.dumps({"preset": preset, **found.told()}))
    return 0


def _tell(bar: tqdm, step: int, history: History) -> None:
    """Move the bar on, with the latest loss beside it."""
    bar.update(step - bar.n)
    if history.loss:
        bar.set_postfix(loss=f"{history.loss[-1]:.3f}")


def _show(found: RealScores) -> None:
    """The samples, and what others report."""
    for text, said, truth in found.samples:
        print(f"{text}\n  the model: {said}\n  the truth: {truth}")
    if found.reference:
        print(f"for comparison, not measured by us: {found.reference.score}, {found.reference.what}; {found.reference.source}")


if __name__ == "__main__":
    raise SystemExit(main())
