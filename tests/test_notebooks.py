"""What every stored notebook has to be, and the code that executes and stores them (`helpers.notebooks`).

Each check takes a notebook and returns a list of problems, empty where all is well. Every check is tried on a notebook that is
right in all respects and on one that is wrong in one.
"""

import ast
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from statistics import median
from types import SimpleNamespace

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers import notebooks
from helpers.notebooks import ABSOLUTE_PATH, NOT_COMPARED, WIDGET_VIEW, code_cells, is_compared, output_text

ROOT = Path(__file__).resolve().parent.parent
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = re.compile(r"0[1-9]_[a-z0-9_]+\.ipynb")
ADDRESS = re.compile(r"<[\w.]+ (?:object )?.*?at 0x[0-9a-f]+>")
CLOCK = re.compile(r"\btime\.(?:time|monotonic|process_time)\b|\bperf_counter\(|%%?time(?:it)?\b|\.(?:now|today)\(")
NOT_HERE = {"nbval-skip", "raises-exception", "nbval-raises-exception"}  # they let a cell fail, or not run, without a word


# --- the checks ------------------------------------------------------------------------------------------------------------


def executed_in_order(notebook: NotebookNode) -> list[str]:
    """Every code cell is executed, and the counts are 1..n: what is stored came from one run, from top to bottom."""
    counts = [cell.execution_count for _, cell in code_cells(notebook)]
    if counts == list(range(1, len(counts) + 1)) and counts:
        return []
    return [f"execution counts are {counts}, not 1 to {len(counts)}; run `python course.py save`"]


def no_errors_stored(notebook: NotebookNode) -> list[str]:
    """No stored output is an error or came by stderr."""
    outputs = list(all_outputs(notebook))
    problems = [f"cell {number} stores the error {output.ename}" for number, output in outputs if output.output_type == "error"]
    return problems + [f"cell {number} stores output on stderr" for number, output in outputs if output.get("name") == "stderr"]


def no_live_widgets(notebook: NotebookNode) -> list[str]:
    """No widget state and no widget views: a saved notebook shows pictures, which need no kernel."""
    live = [number for number, output in all_outputs(notebook) if WIDGET_VIEW in output.get("data", {})]
    problems = [f"cell {number} stores a live widget view" for number in live]
    return problems + (["the metadata holds widget state"] if "widgets" in notebook.metadata else [])


def no_absolute_paths(notebook: NotebookNode) -> list[str]:
    """No path of one machine, in sources or in outputs."""
    texts = [(number, cell.source) for number, cell in enumerate(notebook.cells)]
    texts += [(number, output_text(output)) for number, output in all_outputs(notebook)]
    found = [(number, ABSOLUTE_PATH.search(text)) for number, text in texts]
    return [f"cell {number} holds the path {match.group()}…" for number, match in found if match]


def no_addresses(notebook: NotebookNode) -> list[str]:
    """No object shown by its address in memory, which is another in every run."""
    shown = [(number, ADDRESS.search(output_text(output))) for number, output in all_outputs(notebook)]
    return [f"cell {number} shows {found.group()}; give it a repr, or don't show it" for number, found in shown if found]


def mostly_compared(notebook: NotebookNode) -> list[str]:
    """Fewer cells are tagged to be left uncompared than have outputs that nbval compares; none is marked in another way."""
    cells = [cell for _, cell in code_cells(notebook)]
    tagged = sum(NOT_COMPARED in cell.metadata.get("tags", []) for cell in cells)
    compared = sum(map(is_compared, cells))
    problems = [f"{tagged} cells are tagged {NOT_COMPARED}, and only {compared} compared"] if tagged >= compared else []
    for cell in cells:
        problems += [
            f"the tag {tag} hides what happens in a cell" for tag in NOT_HERE.intersection(cell.metadata.get("tags", []))
        ]
        if "NBVAL_" in cell.source:
            problems.append(f"use the tag {NOT_COMPARED}, not a comment: {cell.source[:60]!r}")
    return problems


def no_clock_compared(notebook: NotebookNode) -> list[str]:
    """A cell that reads a clock is not compared: it shows another number every time."""
    reading = [cell for _, cell in code_cells(notebook) if CLOCK.search(cell.source) and is_compared(cell)]
    return [f"tag this cell {NOT_COMPARED}, it reads a clock: {cell.source[:60]!r}" for cell in reading]


def short_cells(notebook: NotebookNode) -> list[str]:
    """Median code cell at most 5 lines, longest at most 25."""
    lengths = [len(cell.source.strip().splitlines()) for _, cell in code_cells(notebook)] or [0]
    problems = [f"the median code cell has {median(lengths):g} lines; at most 5"] if median(lengths) > 5 else []
    return problems + ([f"the longest code cell has {max(lengths)} lines; at most 25"] if max(lengths) > 25 else [])


def opening(notebook: NotebookNode) -> list[str]:
    """The first cell asks the notebook's question; it, or one of the next two, gives minutes and the article's sections."""
    first = notebook.cells[0] if notebook.cells else new_code_cell("")
    title = first.source.split("\n")[0]
    text = "\n".join(cell.source for cell in notebook.cells[:3] if cell.cell_type == "markdown")
    asks = first.cell_type == "markdown" and re.match(r"# .*\?", title)
    problems = [] if asks else [f"the title is no question: {title!r}"]
    told = {"how many minutes": "minute", "which § of the article": "§"}
    return problems + [f"the opening does not say {what}" for what, sign in told.items() if sign not in text]


def markdown_parts(notebook: NotebookNode) -> list[str]:
    """«Predict first» three times, «The article and us», the ladder, the reading, and slides."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    problems = []
    if (guesses := len(re.findall(r"predict first", text, re.IGNORECASE))) < 3:
        problems.append(f"«Predict first» comes {guesses} times; at least 3")
    problems += [f"there is no «{part}»" for part in ("The article and us", "ladder") if part not in text]
    if not re.search(r"^(?:#+ |\*\*).*\breading\b", text, re.IGNORECASE | re.MULTILINE):
        problems.append("nothing in a heading or in bold announces the reading")
    kinds = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in notebook.cells]
    slides = sum(kind in ("slide", "subslide", "fragment") for kind in kinds)
    return problems + ([f"{slides} cells are slides; mark those that carry the argument, at least 5"] if slides < 5 else [])


def pictured_widget(notebook: NotebookNode) -> list[str]:
    """At least one interactive piece of `helpers.widgets`, and with it a picture or a table for those who have no kernel."""
    imports = [node for _, cell in code_cells(notebook) for node in tree(cell).body if isinstance(node, ast.ImportFrom)]
    names = [name.asname or name.name for node in imports if node.module == "helpers.widgets" for name in node.names]
    names += [name.name for node in imports if node.module == "helpers" for name in node.names if name.name == "widgets"]
    if not names:
        return ["nothing is imported from helpers.widgets"]
    made = rf"(?:{'|'.join(names)})(?:\.\w+)?\("
    code = "\n".join(cell.source for _, cell in code_cells(notebook))
    variables = re.findall(rf"^(\w+) = {made}", code, re.MULTILINE)
    used = re.compile("|".join(rf"\b{pattern}" for pattern in [made, *(rf"{name}\b" for name in variables)]))
    outputs = [output for _, cell in code_cells(notebook) if used.search(cell.source) for output in cell.outputs]
    pictures = {"image/png", "image/svg+xml", "text/html"}
    if any(pictures.intersection(output.get("data", {})) for output in outputs):
        return []
    return [f"no stored output of {', '.join(names)} has a picture"]


def exercises_and_quiz(notebook: NotebookNode, registry: object = None) -> list[str]:
    """Six exercises that are checked, each with hints and a solution, and a quiz of five; all of them this notebook's own."""
    registry = registry or pytest.importorskip("helpers.exercises", reason="helpers.exercises is not written yet")
    code = "\n".join(cell.source for _, cell in code_cells(notebook))
    checked = set(re.findall(r"""\bcheck\(\s*["']([\d.]+)["']""", code))
    problems = [f"{len(checked)} exercises are checked; at least 6"] if len(checked) < 6 else []
    for name in sorted(checked):
        exercise = registry.EXERCISES.get(name)
        if exercise is None or not exercise.hints or not exercise.solution:
            problems.append(f"exercise {name} has no entry with hints and a solution in helpers.exercises")
    quizzes = set(re.findall(r"""\bquiz\(\s*["'](\d+)["']""", code))
    questions = [name for name in registry.QUIZZES if name.split(".")[0] in quizzes]
    return problems + ([f"the quiz has {len(questions)} questions; at least 5"] if len(questions) < 5 else [])


def nothing_twice(notebook: NotebookNode, public: dict[str, str] | None = None) -> list[str]:
    """No function or class is defined both here and in helpers/: the notebook's naive form says in its name that it is one."""
    public = public_names() if public is None else public
    return [f"{name} is defined here and in {public[name]}" for name in defined_names(notebook) if name in public]


CHECKS: tuple[Callable[[NotebookNode], list[str]], ...] = (
    executed_in_order,
    no_errors_stored,
    no_live_widgets,
    no_absolute_paths,
    no_addresses,
    mostly_compared,
    no_clock_compared,
    short_cells,
    opening,
    markdown_parts,
    pictured_widget,
    exercises_and_quiz,
    nothing_twice,
)


def all_outputs(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    """(index of the cell, output) of every stored output."""
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            yield number, output


def tree(cell: NotebookNode) -> ast.Module:
    """The syntax tree of a code cell, magics left out."""
    return ast.parse("\n".join(line for line in cell.source.splitlines() if not line.lstrip().startswith(("%", "!"))))


def defined_names(notebook: NotebookNode) -> list[str]:
    """The functions and classes that a notebook's cells define, methods and inner functions left out."""
    nodes = [node for _, cell in code_cells(notebook) for node in tree(cell).body]
    return [node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))]


def public_names() -> dict[str, str]:
    """Name → file of every public function and class at the top level of helpers/.

    Left out: this tool's own module, and the exercises, whose solutions have the names of the stubs that a learner fills in.
    """
    found = {}
    for path in (ROOT / "helpers").rglob("*.py"):
        if path.name != "notebooks.py" and path.parent.name != "exercises":
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                    found[node.name] = path.relative_to(ROOT).as_posix()
    return found


# --- the course's notebooks ------------------------------------------------------------------------------------------------


def test_there_are_notebooks_and_they_are_all_in_one_place():
    assert PATHS, "notebooks/ is empty, so nothing was checked"
    assert [path.name for path in PATHS if not NAMES.fullmatch(path.name)] == []
    elsewhere = [path for folder in ("helpers", "tests", "benchmarks", "data") for path in (ROOT / folder).rglob("*.ipynb")]
    assert [path for path in elsewhere if ".ipynb_checkpoints" not in path.parts and "cache" not in path.parts] == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_notebook(path: Path, check: Callable[[NotebookNode], list[str]]):
    found = check(nbformat.read(path, as_version=4))
    assert not found, "\n".join(found)


# --- the checks themselves -------------------------------------------------------------------------------------------------

REGISTRY = SimpleNamespace(
    EXERCISES={f"1.{n}": SimpleNamespace(hints=["look"], solution="so") for n in range(1, 7)},
    QUIZZES={f"1.q{n}": object() for n in range(1, 6)},
)
PICTURE = new_output("display_data", {"text/plain": "Game()", "image/png": "iVBORw0KGgo="})


def result(text: str) -> NotebookNode:
    """An output that nbval compares."""
    return new_output("execute_result", {"text/plain": text})


def good() -> NotebookNode:
    """A notebook without a problem."""
    prose = ["# How likely is it?\n30 minutes, §1.1", *["**Predict first.** How many?"] * 3]
    prose += ["## The article and us\nWell.", "The ladder.", "**Reading.**"]
    code = [("from helpers.widgets import Game", []), ("game = Game()", []), ("game", [PICTURE]), ("6 * 7", [result("42")])]
    code += [(f"check('1.{n}', None)", [result("○ not attempted")]) for n in range(1, 7)]
    code += [("quiz('1')", []), ("def by_loop():\n    pass", [])]
    cells = [new_markdown_cell(text, metadata={"slideshow": {"slide_type": "slide"}}) for text in prose]
    cells += [new_code_cell(source, outputs=outputs, execution_count=n) for n, (source, outputs) in enumerate(code, start=1)]
    return deepcopy(new_notebook(cells=cells))


def problems(check: Callable, notebook: NotebookNode) -> list[str]:
    """Run a check with the registry and the public names of these tests."""
    extra = {exercises_and_quiz: {"registry": REGISTRY}, nothing_twice: {"public": {"softmax": "helpers/attention.py"}}}
    return check(notebook, **extra.get(check, {}))


def last(notebook: NotebookNode) -> NotebookNode:
    """The last cell, a code cell."""
    return notebook.cells[-1]


def tag_all(notebook: NotebookNode) -> None:
    for _, cell in code_cells(notebook):
        cell.metadata.tags = [NOT_COMPARED]


def without(fragment: str) -> Callable[[NotebookNode], None]:
    """A spoiler that takes a fragment out of every source."""

    def spoil(notebook: NotebookNode) -> None:
        for cell in notebook.cells:
            cell.source = cell.source.replace(fragment, "")

    return spoil


HOME = "/" + "home/ada/course"
SPOILERS = [
    (executed_in_order, lambda nb: last(nb).update(execution_count=None), "None"),
    (executed_in_order, lambda nb: last(nb).update(execution_count=99), "99"),
    (executed_in_order, lambda nb: nb.update(cells=[]), "not 1 to 0"),
    (no_errors_stored, lambda nb: last(nb).outputs.append(new_output("error", ename="KeyError")), "KeyError"),
    (no_errors_stored, lambda nb: last(nb).outputs.append(new_output("stream", name="stderr")), "stderr"),
    (no_live_widgets, lambda nb: nb.metadata.update(widgets={"state": {}}), "widget state"),
    (no_live_widgets, lambda nb: last(nb).outputs.append(new_output("display_data", {WIDGET_VIEW: {}})), "live widget view"),
    (no_absolute_paths, lambda nb: last(nb).update(source=f"open('{HOME}/x')"), "home"),
    (no_absolute_paths, lambda nb: last(nb).outputs.append(result("C:" + "\\Users\\ada")), "Users"),
    (no_absolute_paths, lambda nb: last(nb).outputs.append(new_output("stream", text=f"in {HOME}")), "home"),
    (no_addresses, lambda nb: last(nb).outputs.append(result("<helpers.ngrams.NGramModel at 0x7f8bb6a40360>")), "repr"),
    (mostly_compared, tag_all, "only 0 compared"),
    (mostly_compared, lambda nb: last(nb).metadata.update(tags=["raises-exception"]), "raises-exception"),
    (mostly_compared, lambda nb: last(nb).update(source="# NBVAL_SKIP\n1"), "comment"),
    (no_clock_compared, lambda nb: last(nb).update(source="time.perf_counter()", outputs=[result("0.1")]), "clock"),
    (no_clock_compared, lambda nb: last(nb).update(source="%%timeit\n1", outputs=[result("1 ms")]), "clock"),
    (short_cells, lambda nb: last(nb).update(source="1\n" * 26), "26 lines"),
    (short_cells, lambda nb: [cell.update(source="1\n" * 6) for cell in nb.cells], "6 lines"),
    (opening, lambda nb: nb.cells[0].update(source="# Likelihood\n30 minutes, §1.1"), "no question"),
    (opening, without("minutes"), "how many minutes"),
    (opening, without("§"), "which §"),
    (markdown_parts, without("Predict first"), "0 times"),
    (markdown_parts, without("The article and us"), "article"),
    (markdown_parts, without("ladder"), "ladder"),
    (markdown_parts, without("Reading"), "reading"),
    (markdown_parts, lambda nb: [cell.update(metadata={}) for cell in nb.cells], "slides"),
    (pictured_widget, without("from helpers.widgets import Game"), "nothing is imported"),
    (pictured_widget, lambda nb: [cell.outputs.clear() for _, cell in code_cells(nb)], "has a picture"),
    (exercises_and_quiz, without("check('1.6', None)"), "5 exercises"),
    (exercises_and_quiz, lambda nb: last(nb).update(source="check('1.7', None)"), "exercise 1.7"),
    (exercises_and_quiz, without("quiz('1')"), "0 questions"),
    (nothing_twice, lambda nb: last(nb).update(source="%matplotlib inline\ndef softmax(): pass"), "softmax"),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_good_notebook_passes(check):
    assert problems(check, good()) == []


@pytest.mark.parametrize(("check", "spoil", "fragment"), SPOILERS)
def test_a_spoiled_notebook_is_found(check, spoil, fragment):
    notebook = good()
    spoil(notebook)
    assert fragment in " ".join(problems(check, notebook))


def test_every_check_is_seen_to_fail():
    assert {check for check, _, _ in SPOILERS} == set(CHECKS)


def test_a_tagged_clock_passes():
    notebook = good()
    last(notebook).update(source="time.perf_counter()", outputs=[result("0.1")], metadata=NotebookNode(tags=[NOT_COMPARED]))
    assert no_clock_compared(notebook) == []


# --- executing and storing -------------------------------------------------------------------------------------------------


def write(path: Path, *sources: str) -> Path:
    """Store a notebook of these code cells, as an editor might leave it."""
    cells = [new_code_cell(source, id=f"cell{n}", execution_count=7) for n, source in enumerate(sources)]
    nbformat.write(new_notebook(cells=cells, metadata={"widgets": {"x": 1}, "title": "kept"}), path)
    return path


def test_clean_removes_widgets_and_joins_streams():
    outputs = [
        new_output("stream", text="a\n"),
        new_output("stream", text="b\n"),
        new_output("display_data", {WIDGET_VIEW: {}}),
    ]
    outputs += [new_output("execute_result", {WIDGET_VIEW: {}, "text/plain": "Game()"}, execution_count=9)]
    cell_metadata = {"tags": ["t"], "execution": {"a": "b"}}
    cell = new_code_cell("Game()", id="same", outputs=outputs, execution_count=9, metadata=cell_metadata)
    metadata = {"widgets": {"state": {}}, "language_info": {"name": "python", "version": "3.12.1"}, "title": "kept"}
    cleaned = notebooks.clean(new_notebook(cells=[new_code_cell("  "), cell], metadata=metadata))
    assert cleaned.metadata == {"title": "kept", "kernelspec": notebooks.KERNELSPEC, "language_info": notebooks.LANGUAGE_INFO}
    empty, cell = cleaned.cells
    assert (empty.execution_count, empty.outputs) == (None, [])
    assert (cell.id, cell.metadata, cell.execution_count) == ("same", {"tags": ["t"]}, 1)
    assert [output.get("text") or output.data for output in cell.outputs] == ["a\nb\n", {"text/plain": "Game()"}]
    assert cell.outputs[1].execution_count == 1


def test_save_is_clean_and_stable(tmp_path, capsys):
    path = write(tmp_path / "n.ipynb", "import ipywidgets", "", "print('ä')\nipywidgets.IntSlider(value=3)")
    assert notebooks.save([path]) == 0
    stored = path.read_bytes()
    assert "stored, 2 cells" in capsys.readouterr().out
    assert stored.endswith(b"}\n") and "ä".encode() in stored and b"\r" not in stored
    notebook = nbformat.read(path, as_version=4)
    assert [cell.id for cell in notebook.cells] == ["cell0", "cell1", "cell2"]
    assert [check(notebook) for check in CHECKS[:5]] == [[]] * 5
    assert notebooks.save([path]) == 0
    assert path.read_bytes() == stored


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1 / 0", "code cell 2 of 2\n\n1 / 0\n\nZeroDivisionError: division by zero"),
        ("import sys\nprint('oh', file=sys.stderr)", "code cell 2 writes to stderr; remove the cause: oh"),
        (f"'{HOME}'", "code cell 2 shows a path of this machine: /" + "home/a"),
    ],
)
def test_save_leaves_a_notebook_with_a_problem_as_it_was(tmp_path, capsys, source, message):
    path = write(tmp_path / "n.ipynb", "x = 1", source)
    before = path.read_bytes()
    assert notebooks.main(["save", str(path)]) == 1
    assert message in capsys.readouterr().out
    assert path.read_bytes() == before


def test_run_prints_a_row_and_writes_nothing(tmp_path, capsys):
    good_one = write(tmp_path / "good.ipynb", "block = bytearray(b'x') * 300_000_000", "import time; time.sleep(0.2); 1")
    bad_one = write(tmp_path / "bad.ipynb", "x = y")
    before = good_one.read_bytes()
    assert notebooks.main(["run", str(good_one), str(bad_one)]) == 1
    _, row, failed, *rest = capsys.readouterr().out.splitlines()
    name, seconds, megabytes, cells, compared = row.split()
    assert (name, cells, compared) == ("good", "2", "1")
    assert 0 < float(seconds) < 60 and 300 < float(megabytes) < 3000
    assert failed.split() == ["bad", "failed"] and "NameError: name 'y' is not defined" in "\n".join(rest)
    assert good_one.read_bytes() == before


def test_what_a_dead_kernel_and_a_slow_cell_say(tmp_path, monkeypatch):
    with pytest.raises(notebooks.ExecutionError, match="kernel died"):
        notebooks.execute(write(tmp_path / "n.ipynb", "import os\nos._exit(1)"))
    monkeypatch.setattr(notebooks, "CELL_TIMEOUT", 1)
    with pytest.raises(notebooks.ExecutionError, match="more than 1 seconds"):
        notebooks.execute(write(tmp_path / "n.ipynb", "import time\ntime.sleep(9)"))
