"""The way in: `python course.py lab` sets the course up and opens it. `python course.py --help` lists the other commands.

Needs only Python and its standard library; everything else goes into an environment of the course's own: `.venv` in this
folder, or the active environment where that is already the course's (`conda env create` makes such a one).
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import os
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import xml.etree.ElementTree
from pathlib import Path
from typing import Iterator, Sequence
from urllib.parse import urlsplit
from urllib.request import url2pathname

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
NOTEBOOKS = ROOT / "notebooks"
FIRST_NOTEBOOK = NOTEBOOKS / "01_chain_rule.ipynb"
DISTRIBUTION = "language-models-course"
OLDEST, TOO_NEW = (3, 11), (3, 15)  # requires-python in pyproject.toml; a test holds them equal
COMPILED_PEER = "kenlm"  # the extra `peers`
PHASES = ("lint", "helpers", "notebooks", "browser", "offline")


class Failure(Exception):
    """An expected failure: what went wrong, and what to do about it. Shown without a traceback."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what + "\n" + remedy)


def say(message: str) -> None:
    """Print a line that stands out from the output of pip, pytest and JupyterLab."""
    print("==> " + message, flush=True)


# --- set-up ----------------------------------------------------------------------------------------------------------------


def check_python(version: Sequence[int] = sys.version_info) -> None:
    """Raise Failure unless this Python can run the course."""
    if not OLDEST <= tuple(version[:2]) < TOO_NEW:
        raise Failure(
            "The course needs Python {}.{} or newer, below {}.{}; this is Python {}.{}".format(*OLDEST, *TOO_NEW, *version[:2])
            + f" ({sys.executable}).",
            "Install one from python.org or by conda, then name it: `python3.12 course.py lab` or, on Windows,"
            " `py -3.12 course.py lab`.",
        )


def active_is_the_courses() -> bool:
    """Whether the Python that runs this file has the course installed, editable, from this very folder."""
    for found in importlib.metadata.distributions(name=DISTRIBUTION, path=[sysconfig.get_paths()["purelib"]]):
        url = urlsplit(json.loads(found.read_text("direct_url.json") or "{}").get("url", ""))
        if url.scheme == "file" and Path(url2pathname(url.path)).resolve() == ROOT:
            return True
    return False


def python_version(python: Path | str) -> str | None:
    """`3.11.7` for a Python that starts and has pip, None for one that is missing or broken."""
    code = "import sys, pip; print('.'.join(map(str, sys.version_info[:3])))"
    try:
        answer = subprocess.run([str(python), "-I", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def is_usable(version: str | None) -> bool:
    """Whether this answer of `python_version` is that of a Python that can run the course."""
    return version is not None and OLDEST <= tuple(map(int, version.split(".")[:2])) < TOO_NEW


def make_venv() -> None:
    """Make `.venv` with this Python, clearing what is there; raises Failure where that does not work."""
    if Path(sys.prefix).resolve() == VENV:
        raise Failure(
            "The active environment, .venv, has no working pip and cannot remake itself.",
            "Type `deactivate`, then run the same command again with your own Python.",
        )
    say(f"Making an environment for the course in .venv, with Python {sys.version_info[0]}.{sys.version_info[1]}")
    if subprocess.call([sys.executable, "-m", "venv", "--clear", str(VENV)]):
        raise Failure(
            "Python's own `venv` could not make .venv; its message is above.",
            "On Debian and Ubuntu: `sudo apt install python3-venv`, then run this again. Elsewhere check that the disk is not"
            " full and that you may write to this folder, or install Python from python.org.",
        )


def course_environment() -> tuple[Path, Path]:
    """Return (prefix, python): the active environment where it is the course's, else `.venv`, made where needed."""
    if active_is_the_courses() and python_version(sys.executable):
        return Path(sys.prefix), Path(sys.executable)
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not is_usable(python_version(python)):
        if VENV.exists():
            say("The environment in .venv is incomplete, broken or of another Python; making it anew")
        make_venv()
    return VENV, python


def fingerprint(version: str) -> str:
    """A digest of all that decides what gets installed; another digest means: install again."""
    digest = hashlib.sha256(repr((str(ROOT), version)).encode())
    for name in ("pyproject.toml", "constraints.txt"):
        # Line by line: a checkout with Windows line ends installs the same.
        digest.update("\n".join((ROOT / name).read_text(encoding="utf-8").splitlines()).encode())
    return digest.hexdigest()


def read_stamp(stamp: Path) -> dict:
    """What the last complete installation wrote: {"fingerprint": str, "extras": [str]}, both empty where there was none."""
    try:
        content = json.loads(stamp.read_text(encoding="utf-8"))
        return {"fingerprint": str(content["fingerprint"]), "extras": list(content["extras"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {"fingerprint": "", "extras": []}


def set_up(*extras: str) -> Path:
    """Return the Python of an environment that has the course and these extras as pinned; install what is missing."""
    prefix, python = course_environment()
    stamp = prefix / (DISTRIBUTION + ".json")
    done, current = read_stamp(stamp), fingerprint(python_version(python))
    if done["fingerprint"] == current and set(extras) <= set(done["extras"]):
        say(f"The environment in {prefix} is ready")
        return python
    install(python, sorted({*extras, *done["extras"]}), stamp, current)
    return python


def install(python: Path, extras: list[str], stamp: Path, current: str) -> None:
    """Install the course, editable, with these extras at the pinned versions, and stamp the environment when all is there."""
    if stamp.exists():
        stamp.unlink()  # so that an installation cut short is seen as one
    say("Installing the course and the packages it was tested with; the first time takes a few minutes")
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "-c", "constraints.txt"]
    started = time.monotonic()
    if subprocess.call([*command, "-e", f".[{','.join(extras)}]"], cwd=str(ROOT)):
        raise Failure(
            "pip could not install the packages; its message is above.",
            "If it speaks of a connection: check the network (and a proxy), then run the same command again; what has been"
            " downloaded is kept.\nIf it speaks of a compiler or `no matching distribution`: use Python 3.11 or 3.12, for which"
            " every package is ready-made.\nOtherwise delete the folder .venv and run the same command again.",
        )
    stamp.write_text(json.dumps({"fingerprint": current, "extras": extras}) + "\n", encoding="utf-8")
    say(f"Installed in {time.monotonic() - started:.0f} s")


def add_compiled_peer(python: Path) -> bool:
    """Compile and install KenLM where it is missing; returns whether it is there, having said what it means if not."""
    if subprocess.call([str(python), "-c", f"import {COMPILED_PEER}"], stderr=subprocess.DEVNULL) == 0:
        return True
    say(f"Compiling {COMPILED_PEER}, which the n-gram models are compared with; a minute or two")
    if module(python, "pip", "install", "-q", "--disable-pip-version-check", "-c", "constraints.txt", COMPILED_PEER) == 0:
        return True
    say(f"{COMPILED_PEER} needs a C++ compiler (Debian and Ubuntu: `apt install g++`); tests against it are skipped")
    return False


# --- the commands ----------------------------------------------------------------------------------------------------------


def module(python: Path, *arguments: object, **options) -> int:
    """Run `python -m …` in the course's folder; returns its exit status."""
    return subprocess.call([str(python), "-m", *map(str, arguments)], cwd=str(ROOT), **options)


def fetch_corpora(python: Path) -> bool:
    """Fetch the real corpora into data/cache; returns whether all are there, having said what it means if not."""
    say("Fetching the real corpora, where they are not here yet")
    if module(python, "helpers.corpora") == 0:
        return True
    say("Some corpora are missing. The course goes on with the text that ships with Python; its numbers then differ from the")
    say("stored ones. With a connection, or with LM_COURSE_MIRROR set to a folder that has the files: `python course.py fetch`")
    return False


def scratch(folder: Path | str, corpora: Path | None = None) -> dict[str, str]:
    """Environment variables for a run that leaves the learner's progress and ladder alone, and does not depend on them.

    Corpora come from `corpora`, a folder; by default from the cache, without a network.
    """
    (Path(folder) / "cache").mkdir(parents=True)
    mirror = corpora or os.environ.get("LM_COURSE_CACHE", "").strip() or ROOT / "data" / "cache"
    return {**os.environ, "LM_COURSE_CACHE": str(Path(folder) / "cache"), "LM_COURSE_MIRROR": str(mirror)}


def find_notebooks(names: Sequence[str]) -> list[Path]:
    """The notebooks named (`01`, `01_chain_rule` or a path; all for none), in order; Failure for a name that fits none."""
    available = sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
    if not available:
        raise Failure(f"There are no notebooks in {NOTEBOOKS}.", "Get them back with `git checkout -- notebooks`.")
    chosen = []
    for name in names:
        fitting = [path for path in available if path.stem.startswith(Path(name).stem)]
        if not fitting:
            raise Failure(f"No notebook is called {name}.", "There are: " + ", ".join(path.stem for path in available))
        chosen += fitting
    return sorted(set(chosen)) or available


def check_port(port: int) -> None:
    """Raise Failure where another program listens on this port."""
    with socket.socket() as probe:
        if os.name != "nt":  # as JupyterLab does, so that a port it has just left counts as free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise Failure(
                f"JupyterLab cannot use port {port}: {error}.",
                "Choose another with `--port`, leave the option out to let JupyterLab choose, or stop what runs there.",
            ) from None


def lab(arguments: argparse.Namespace) -> int:
    """Set up, fetch the corpora, open JupyterLab at the first notebook and wait until it ends."""
    if not FIRST_NOTEBOOK.is_file():
        raise Failure(f"{FIRST_NOTEBOOK} is missing.", "Get it back with `git checkout -- notebooks`.")
    python = set_up("lab")
    fetch_corpora(python)
    command = [str(python), "-m", "jupyterlab", "--ServerApp.root_dir=" + str(ROOT)]
    command += ["--LabApp.default_url=/lab/tree/notebooks/" + FIRST_NOTEBOOK.name]
    command += ["--FileContentsManager.pre_save_hook=helpers.saved_pictures.keep_pictures"]  # see there
    if arguments.port is not None:
        check_port(arguments.port)
        command += [f"--ServerApp.port={arguments.port}", "--ServerApp.port_retries=0"]
    if arguments.no_browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # in a container, where JupyterLab would refuse
        command.append("--allow-root")
    say(f"Opening JupyterLab at {FIRST_NOTEBOOK.name}; stop it with Ctrl-C in this window")
    server = subprocess.Popen(command, cwd=str(ROOT))
    while True:
        try:
            return server.wait()
        except KeyboardInterrupt:  # JupyterLab has had it too, and asks whether it is meant
            continue


def fetch(arguments: argparse.Namespace) -> int:
    """Fetch the real corpora into data/cache."""
    return 0 if fetch_corpora(set_up("lab")) else 1


def run(arguments: argparse.Namespace) -> int:
    """Execute notebooks from fresh kernels, print a row for each, then the ladder."""
    notebooks = find_notebooks(arguments.notebooks)
    python = set_up("lab")
    status = module(python, "helpers.notebooks", "run", *notebooks)
    say("The ladder so far")
    return max(status, module(python, "helpers.ladder"))


def save(arguments: argparse.Namespace) -> int:
    """Execute notebooks from fresh kernels and store their outputs, cleaned, in the notebooks."""
    notebooks = find_notebooks(arguments.notebooks)
    python = set_up("lab")
    if not fetch_corpora(python):
        raise Failure(
            "Outputs are stored only when they come from the real corpora.", "Get them as said above, then save again."
        )
    with tempfile.TemporaryDirectory() as folder:
        return module(python, "helpers.notebooks", "save", *notebooks, env=scratch(folder))


def bench(arguments: argparse.Namespace) -> int:
    """Run the side-by-side measurements; each prints a Markdown table."""
    scripts = [path for path in sorted((ROOT / "benchmarks").glob("*.py")) if not path.name.startswith("_")]
    if arguments.names:
        scripts = [path for path in scripts if path.stem in arguments.names]
    if not scripts:
        raise Failure("benchmarks/ has nothing that fits.", "Leave the names out to run all that there is.")
    python = set_up("lab", "test")
    add_compiled_peer(python)
    return max(subprocess.call([str(python), str(path)], cwd=str(ROOT)) for path in scripts)


# --- everything checked ----------------------------------------------------------------------------------------------------


def test_commands(phases: Sequence[str], corpora_are_here: bool, folder: Path) -> Iterator[tuple[str, list, dict[str, str]]]:
    """Yield (phase, arguments after `python -m`, environment) for what these phases run."""
    pytest, parallel = ["pytest", "-q", "--color=auto"], ["-n", "auto", "--maxprocesses=4", "--dist=loadfile"]
    spread = [*parallel[:-1], "--dist=worksteal"]  # where the long tests stand in one file: test by test
    live = "tests/browser/test_notebooks_browser.py"
    usual, offline = scratch(folder / "usual"), scratch(folder / "offline", corpora=folder / "no-corpora-here")
    for environment in (usual, offline):  # a worker for each core, so a thread for each worker: more would wait for each other
        environment.setdefault("OMP_NUM_THREADS", "1")
    if "lint" in phases:
        yield "lint", ["ruff", "check", "."], usual
    if "helpers" in phases:
        yield "helpers", [*pytest, *parallel, "tests", "--ignore=tests/browser"], usual
    if "notebooks" in phases and corpora_are_here:
        nbval = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=900", "--timeout=1000"]
        yield "notebooks", [*pytest, *parallel, *nbval, *find_notebooks([])], usual
    if "browser" in phases:
        yield "browser", [*pytest, *spread, "-rs", "tests/browser", f"--ignore={live}"], usual
    if "offline" in phases:  # every notebook in JupyterLab, at the same time a check that it needs no corpora
        yield "offline", [*pytest, *spread, "-rs", live, "tests/test_corpora.py", "tests/test_ladder.py"], offline


def count_results(report: Path, status: int) -> tuple[int, int, int]:
    """Return (passed, failed, skipped) of a JUnit report; a program that failed without saying where counts as one failure."""
    try:
        suites = list(xml.etree.ElementTree.parse(str(report)).iter("testsuite"))
    except (OSError, xml.etree.ElementTree.ParseError):
        return (0, 1, 0) if status else (1, 0, 0)
    total, failures, errors, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    return max(0, total - failed - skipped), max(failed, 1 if status else 0), skipped


def run_phase(python: Path, phase: str, arguments: list, environment: dict[str, str], folder: Path) -> tuple[int, int, int]:
    """Run one phase; returns its (passed, failed, skipped)."""
    say(f"Testing: {phase}")
    report = folder / (phase + ".xml")
    if arguments[0] == "pytest":
        arguments = [*arguments, f"--junitxml={report}"]
    return count_results(report, module(python, *arguments, env=environment))


def test(arguments: argparse.Namespace) -> int:
    """Everything checked: lint, helpers, every notebook's outputs, a browser, and all of it that must work with no network."""
    python = set_up("lab", "test")
    add_compiled_peer(python)
    phases = arguments.phases or PHASES
    corpora_are_here = fetch_corpora(python) if set(phases) - {"lint", "offline"} else False
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for phase, command, environment in test_commands(phases, corpora_are_here, Path(folder)):
            results[phase] = run_phase(python, phase, command, environment, Path(folder))
    say("Summary (passed, failed, skipped)")
    for phase, counts in results.items():
        print(f"{phase:<10}", *(f"{count:>6}" for count in counts))
    if "notebooks" in phases and "notebooks" not in results:
        print("notebooks  NOT COMPARED with their stored outputs: without the real corpora the numbers differ")
        results["notebooks"] = (0, 0, 1)
    passed, failed, skipped = (sum(counts[which] for counts in results.values()) for which in range(3))
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed else 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="course.py", description="Language Models, from Counting to GPT.")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    added = {}
    for function in (lab, run, test, fetch, save, bench):
        added[function.__name__] = commands.add_parser(function.__name__, help=function.__doc__, description=function.__doc__)
        added[function.__name__].set_defaults(function=function)
    added["lab"].add_argument("--no-browser", action="store_true", help="print the address, open no browser")
    added["lab"].add_argument("--port", type=int, help="the port to use (default: the first free one from 8888)")
    for name in ("run", "save"):
        added[name].add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="such as 01 or 02_ngrams (default: all)")
    added["bench"].add_argument("names", nargs="*", metavar="NAME", help="files of benchmarks/, without .py (default: all)")
    added["test"].add_argument("--only", action="append", dest="phases", choices=PHASES, help="this part; may be repeated")
    added["test"].add_argument(
        "--offline", action="append_const", dest="phases", const="offline", help="same as --only offline"
    )
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 1 after a failure, 2 for a wrong command line, 130 for Ctrl-C."""
    try:
        check_python()
        arguments = parser().parse_args(argv)
        return arguments.function(arguments)
    except Failure as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
