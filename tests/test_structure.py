"""What holds of the repository as a whole: where imports point, how long a module is, what stands in no file."""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HELPERS = ROOT / "helpers"

# The order of the course. A module, or package, imports only from those above it.
ORDER = (
    "paths",
    "fetching",
    "corpora",
    "world",
    "probability",
    "coding",
    "ladder",
    "counting",
    "smoothing",
    "ngrams",
    "sampling",
    "calibration",
    "tokenizers",
    "neural_lm",
    "embeddings",
    "attention",
    "transformer",
    "training",
    "quantisation",
    "adapting",
    "applications",
    "interpret",
    "plots",
    "widgets",
    "exercises",
    "saved_pictures",
    "notebooks",
)
LONGEST = 300  # lines
PICKLES = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
LEFT_OUT = {".venv", ".git", "cache", "build", "__pycache__", ".ipynb_checkpoints"} | {
    ".pytest_cache",
    ".ruff_cache",
    ".hypothesis",
}
# Homes and work folders of one machine, and the registries, which everyone configures for themselves.
FOREIGN = re.compile(
    r"(?<![\w.:/~-])/(?:home|Users|root|work)/\w|\b[A-Za-z]:\\{1,2}Users\\"
    r"|\b(?:files\.pythonhosted|pypi|registry\.npmjs|registry\.yarnpkg|deb\.debian|conda\.anaconda)\.(?:org|com)\b"
)


def part_of(path: Path) -> str:
    """The entry of ORDER that a file of helpers/ belongs to: `widgets` for helpers/widgets/base.py."""
    return path.relative_to(HELPERS).parts[0].removesuffix(".py")


def imported(source: str, package: tuple[str, ...] = ("helpers",)) -> set[str]:
    """The parts of helpers/ that a source in this package imports, wherever in the source and however spelled."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            dotted = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1]] if node.level else []
            base += node.module.split(".") if node.module else []
            dotted = [[*base, alias.name] for alias in node.names]
        else:
            continue
        found |= {names[1] for names in dotted if names[0] == "helpers" and len(names) > 1}
    return found


def backward_only(part: str, imports: set[str], order: tuple[str, ...] = ORDER) -> list[str]:
    """What is wrong with these imports of a part: names that stand at or below it, or nowhere."""
    if part not in order:
        return [f"{part} has no place in the order of the course; add it to ORDER, below all that it imports"]
    wrong = sorted(name for name in imports - {part} if name not in order[: order.index(part)])
    return [f"{part} imports {name}, which does not stand above it in the course" for name in wrong]


def imported_modules(source: str) -> set[str]:
    """The top-level names of everything that a source imports."""
    nodes = list(ast.walk(ast.parse(source)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.split(".")[0] for name in names}


def files_of_the_project() -> Iterator[Path]:
    """Every file that is tracked or about to be; without git, every file that is not plainly made by a run."""
    listed = None
    if shutil.which("git") and (ROOT / ".git").exists():
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    if listed is not None and listed.returncode == 0:
        yield from (ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())
        return
    for path in ROOT.rglob("*"):
        inside = path.relative_to(ROOT).parts
        if path.is_file() and not LEFT_OUT.intersection(inside) and not any(part.endswith(".egg-info") for part in inside):
            yield path


def texts() -> Iterator[tuple[str, str]]:
    """(path, text) of every text file of the project."""
    for path in files_of_the_project():
        data = path.read_bytes()
        if b"\0" not in data[:8000]:
            yield path.relative_to(ROOT).as_posix(), data.decode("utf-8")


CONTENT = re.compile(r"exercises/n\d\d\.py")  # one a notebook by design, and words more than code
MODULES = sorted(path for path in HELPERS.rglob("*.py") if path != HELPERS / "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(HELPERS).as_posix())
def test_imports_point_backwards(path):
    source = path.read_text(encoding="utf-8")
    problems = backward_only(part_of(path), imported(source, ("helpers", *path.relative_to(HELPERS).parts[:-1])))
    assert not problems, "\n".join(problems)


def test_the_package_itself_imports_nothing():
    assert imported_modules((HELPERS / "__init__.py").read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(HELPERS).as_posix())
def test_no_module_is_too_long(path):
    if CONTENT.fullmatch(path.relative_to(HELPERS).as_posix()):
        return
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, f"{path.name} has {lines} lines, more than {LONGEST}: it is probably two modules"


def test_no_pickle_anywhere():
    for name, text in texts():
        if name.endswith(".py"):
            assert not imported_modules(text) & PICKLES, f"{name} reads or writes pickles; use safetensors, JSON or npz"
            assert "allow_pickle=" + "True" not in text, f"{name} lets NumPy read pickles"


def test_no_file_names_one_machine():
    found = [f"{name}: {match.group()}" for name, text in texts() for match in FOREIGN.finditer(text)]
    assert not found, "paths or hosts of one machine:\n" + "\n".join(found)


def test_text_files_are_utf8_with_unix_line_ends():
    checked = dict(texts())  # decoding raises where a file is not UTF-8
    assert "course.py" in checked and "helpers/paths.py" in checked
    assert [name for name, text in checked.items() if "\r" in text] == []


# --- each check is seen to fail --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "package", "expected"),
    [
        ("import helpers.widgets.explorer", ("helpers",), {"widgets"}),
        ("from helpers import ngrams, plots", ("helpers",), {"ngrams", "plots"}),
        ("from helpers.ngrams import NGramModel", ("helpers",), {"ngrams"}),
        ("def f():\n    from . import plots", ("helpers",), {"plots"}),
        ("from .ngrams import NGramModel", ("helpers",), {"ngrams"}),
        ("from ..ngrams import NGramModel", ("helpers", "widgets"), {"ngrams"}),
        ("from .base import Base", ("helpers", "widgets"), {"widgets"}),
        ("import numpy\nfrom helpers_of_mine import x", ("helpers",), set()),
    ],
)
def test_imported_reads_every_spelling(source, package, expected):
    assert imported(source, package) == expected


def test_backward_only_finds_forward_imports_and_strangers():
    assert backward_only("sampling", {"probability", "sampling"}) == []
    assert "sampling imports plots" in backward_only("sampling", {"plots"})[0]
    assert "sampling imports nowhere" in backward_only("sampling", {"nowhere"})[0]
    assert "no place" in backward_only("stranger", set())[0]


@pytest.mark.parametrize("text", ["see /" + "home/ada", "'/" + "root/x'", "C:" + "\\Users\\ada", "https://py" + "pi.org/"])
def test_foreign_is_found(text):
    assert FOREIGN.search(text)


@pytest.mark.parametrize("text", ["https://example.org/home/page", "~/work/x", "../home/x", "and/or", "tests/work/a"])
def test_foreign_lets_others_be(text):
    assert not FOREIGN.search(text)


def test_pickle_is_found():
    assert imported_modules("def f():\n    import pickle.x as p\n    from dill import y") & PICKLES == {"pickle", "dill"}
