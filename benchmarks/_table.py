"""What the benchmarks share: runs in turn, a row of the Markdown table, and the machine."""

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path


@dataclass
class Row:
    """One line of the table: what was done, by whom, how often, the median time, and a figure that shows it was done right."""

    task: str
    program: str
    seconds: list[float]
    result: str

    def __str__(self) -> str:
        median = statistics.median(self.seconds)
        shown = f"{median:.2f} s" if median >= 0.1 else f"{1000 * median:.2f} ms"
        return f"| {self.task} | {self.program} | {len(self.seconds)} | {shown} | {self.result} |"


def in_turn(
    tasks: dict[str, Callable[[int], object]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> tuple[dict[str, list[float]], dict[str, list]]:
    """Each task once in each round, called with the round's number: (seconds, results) of each by its name.

    clock: `time.process_time` counts only this process' work, which is right where that is on one thread of a busy machine.
    """
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    results: dict[str, list] = {name: [] for name in tasks}
    for i in range(rounds):
        for name, task in tasks.items():
            start = clock()
            results[name].append(task(i))
            seconds[name].append(clock() - start)
    return seconds, results


def seconds_in_turn(
    tasks: dict[str, Callable[[], object]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of each task by its name, once in each round; what the tasks return is not kept. clock: see `in_turn`."""
    return in_turn({name: lambda _, task=task: task() for name, task in tasks.items()}, rounds, clock)[0]


def ratio(ours: list[float], theirs: list[float]) -> float:
    """How many times longer ours took than theirs, the median over the rounds."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def machine(*packages: str) -> str:
    """The processor, how many cores this process may use, and the versions of Python and these packages."""
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        cpu = next((line.split(": ", 1)[1] for line in lines if line.startswith("model name")), cpu)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return f"{cpu}, {cores} cores, {platform.system()}, Python {platform.python_version()}, {versions}"


def print_table(rows: list[Row], *packages: str) -> None:
    """The date, the machine and the rows, in Markdown."""
    print(f"{time.strftime('%Y-%m-%d')}, {machine(*packages)}\n")
    print("| task | program | runs | median | result |\n|---|---|---:|---:|---|")
    print(*rows, sep="\n")
