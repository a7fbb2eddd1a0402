"""Execute the course's notebooks from fresh kernels, measure them, and store their outputs clean.

`python course.py run` and `python course.py save` come here: `python -m helpers.notebooks run|save NOTEBOOK...`. Nothing here
is derived in a notebook, and no notebook imports it.
"""

import argparse
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from helpers.saved_pictures import WIDGET_VIEW

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE_INFO = {"name": "python", "pygments_lexer": "ipython3"}
NOT_COMPARED = "nbval-ignore-output"
# What belongs to one machine or one session, not to the notebook.
PASSING_METADATA = {"widgets", "jupytext", "signature", "vscode", "colab", "accelerator", "varInspector", "toc"}
PASSING_CELL_METADATA = {"execution", "ExecuteTime", "collapsed", "scrolled", "trusted", "vscode", "colab", "outputId"}
ABSOLUTE_PATH = re.compile(
    r"(?<![\w.:/~-])/(?:home|root|Users|work|tmp|opt|usr|var|mnt|private)/\w|\b[A-Za-z]:\\{1,2}(?=[A-Z])\w+"
)
CELL_TIMEOUT = 900  # seconds


class ExecutionError(Exception):
    """A notebook that did not run to its end; the message names the cell and shows its source and the error."""


@dataclass(frozen=True)
class Measured:
    """What one execution took: wall-clock seconds, peak memory of the kernel and its children in bytes, and cells."""

    seconds: float
    peak_bytes: int
    cells: int
    compared: int


# --- executing -------------------------------------------------------------------------------------------------------------


def execute(path: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> tuple[NotebookNode, Measured]:
    """Execute a notebook from a fresh kernel, in memory: path → the executed notebook and what it took.

    Raises ExecutionError where a cell raises, takes longer than CELL_TIMEOUT or kills its kernel. `progress(done, total)` is
    called after every code cell.
    """
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    quiet = ["--Application.log_level=40"]  # errors only; the kernel otherwise warns at each start
    options = {"kernel_name": "python3", "record_timing": False, "extra_arguments": quiet}
    client = NotebookClient(notebook, timeout=CELL_TIMEOUT, resources=resources, **options)
    cells = code_cells(notebook)
    started = time.perf_counter()
    with client.setup_kernel(), peak_memory(client.km.provisioner.pid) as peak:
        for done, (index, cell) in enumerate(cells, start=1):
            try:
                client.execute_cell(cell, index)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                raise ExecutionError(
                    f"{path.name}, code cell {done} of {len(cells)}\n\n{cell.source}\n\n{reason(error)}"
                ) from None
            progress(done, len(cells))
    seconds = time.perf_counter() - started
    return notebook, Measured(seconds, max(peak), len(cells), sum(is_compared(cell) for _, cell in cells))


def code_cells(notebook: NotebookNode) -> list[tuple[int, NotebookNode]]:
    """(index in the notebook, cell) of every code cell that has something to execute."""
    return [(index, cell) for index, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()]


def reason(error: Exception) -> str:
    """The last line of what went wrong in a cell, and for a timeout or a dead kernel what that means."""
    if isinstance(error, CellExecutionError):
        return f"{error.ename}: {error.evalue}"
    if isinstance(error, CellTimeoutError):
        return f"The cell ran for more than {CELL_TIMEOUT} seconds and was stopped."
    return "The kernel died; the machine may have run out of memory."


def is_compared(cell: NotebookNode) -> bool:
    """Whether nbval has an output of this executed cell to compare: not tagged otherwise, and more than pictures."""
    if NOT_COMPARED in cell.metadata.get("tags", []):
        return False
    return any(
        output.output_type in ("stream", "error")
        or any(not kind.startswith("image/") and kind != WIDGET_VIEW for kind in output.data)
        for output in cell.outputs
    )


@contextmanager
def peak_memory(pid: int, interval: float = 0.05) -> Iterator[list[int]]:
    """Collect the resident memory, in bytes, of a process and its children every `interval` seconds while the block runs."""
    samples, stop = [0], threading.Event()

    def watch() -> None:
        while not stop.wait(interval):
            try:
                process = psutil.Process(pid)
                total = sum(each.memory_info().rss for each in [process, *process.children(recursive=True)])
            except psutil.Error:  # it, or a child, ended between two lines
                continue
            samples[0] = max(samples[0], total)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield samples
    finally:
        stop.set()
        watcher.join()


# --- storing ---------------------------------------------------------------------------------------------------------------


def clean(notebook: NotebookNode) -> NotebookNode:
    """Return an executed notebook as it is stored: the same metadata from every machine, no widget state, counts 1..n.

    Sources, tags and cell ids stay as they are. Changes the notebook in place.
    """
    kept = {key: value for key, value in notebook.metadata.items() if key not in PASSING_METADATA}
    notebook.metadata = NotebookNode(
        {**kept, "kernelspec": NotebookNode(KERNELSPEC), "language_info": NotebookNode(LANGUAGE_INFO)}
    )
    notebook.nbformat_minor = max(notebook.nbformat_minor, 5)
    count = 0
    for number, cell in enumerate(notebook.cells, start=1):
        cell.setdefault("id", f"cell-{number}")
        cell.metadata = NotebookNode({key: value for key, value in cell.metadata.items() if key not in PASSING_CELL_METADATA})
        if cell.cell_type == "code":
            count += bool(cell.source.strip())
            cell.execution_count = count if cell.source.strip() else None
            cell.outputs = clean_outputs(cell)
    return notebook


def clean_outputs(cell: NotebookNode) -> list[NotebookNode]:
    """A code cell's outputs: neighbouring pieces of one stream joined, widget views and what is then empty left out."""
    outputs: list[NotebookNode] = []
    for output in cell.outputs:
        if output.output_type == "stream" and outputs and outputs[-1].get("name") == output.name:
            outputs[-1].text += output.text
            continue
        if "data" in output:
            output.data.pop(WIDGET_VIEW, None)
            output.pop("transient", None)
            if not output.data:
                continue
        if output.output_type == "execute_result":
            output.execution_count = cell.execution_count
        outputs.append(output)
    return outputs


def problems_to_store(notebook: NotebookNode) -> list[str]:
    """Why an executed notebook should not be stored: errors that a tag permitted, words on stderr, paths of this machine."""
    problems = []
    for number, (_, cell) in enumerate(code_cells(notebook), start=1):
        for output in cell.outputs:
            if output.output_type == "error":
                problems.append(f"code cell {number} raises {output.ename}; catch it in the cell and print it")
            elif output.get("name") == "stderr":
                problems.append(f"code cell {number} writes to stderr; remove the cause: {output.text.strip()[:300]}")
            found = ABSOLUTE_PATH.search(output_text(output))
            if found:
                problems.append(f"code cell {number} shows a path of this machine: {found.group()}…; print a relative one")
    return problems


def output_text(output: NotebookNode) -> str:
    """All that is text in one output, pictures in base64 left out."""
    texts = [output.get("text", ""), *output.get("traceback", [])]
    texts += [
        str(value) for kind, value in output.get("data", {}).items() if kind == "image/svg+xml" or not kind.startswith("image/")
    ]
    return "\n".join(texts)


# --- the two commands ------------------------------------------------------------------------------------------------------


def show_progress(name: str) -> Callable[[int, int], None]:
    """A callback that keeps one line up to date on a terminal and prints nothing elsewhere."""

    def progress(done: int, total: int) -> None:
        if sys.stdout.isatty():
            print(f"\r{name:<32} cell {done}/{total} ", end="\r", flush=True)

    return progress


def run(paths: list[Path]) -> int:
    """Execute notebooks and print a row for each; returns how many failed. Writes no notebook."""
    print(f"{'notebook':<32} {'seconds':>8} {'peak MB':>8} {'cells':>6} {'compared':>9}", flush=True)
    errors = []
    for path in paths:
        try:
            _, took = execute(path, show_progress(path.stem))
        except ExecutionError as error:
            errors.append(error)
            print(f"{path.stem:<32} failed", flush=True)
            continue
        row = f"{took.seconds:>8.1f} {took.peak_bytes / 1e6:>8.0f} {took.cells:>6} {took.compared:>9}"
        print(f"{path.stem:<32} {row}", flush=True)
    for error in errors:
        print(f"\nFailed: {error}", flush=True)
    return len(errors)


def save(paths: list[Path]) -> int:
    """Execute notebooks and store them with their outputs; returns how many failed or show a problem, and stay as they were."""
    failed = 0
    for path in paths:
        try:
            notebook, took = execute(path, show_progress(path.stem))
            problems = problems_to_store(clean(notebook))
        except ExecutionError as error:
            problems = [str(error)]
        if problems:
            failed += 1
            print(f"{path.stem:<32} not stored:\n" + "\n".join(problems), flush=True)
            continue
        with path.open("w", encoding="utf-8", newline="\n") as file:
            nbformat.write(notebook, file)
        print(f"{path.stem:<32} stored, {took.cells} cells in {took.seconds:.1f} s", flush=True)
    return failed


def main(argv: list[str] | None = None) -> int:
    """The command line; returns 0 where every notebook ran, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m helpers.notebooks", description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["run", "save"])
    parser.add_argument("notebooks", nargs="+", type=Path)
    arguments = parser.parse_args(argv)
    return int({"run": run, "save": save}[arguments.command](arguments.notebooks) > 0)


if __name__ == "__main__":
    sys.exit(main())
